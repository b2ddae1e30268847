//! Majors by catalogue.
//!
//! Sources: `data/codes/majors.csv`, both catalogues whole (321 of 2010, 368 of 2021 with the additions to 2025-12), and
//! `data/codes/majors_retired.csv`, seven codes under which an earlier table had the names of others. Which of them are agricultural is
//! law for 2010 and read off group and predecessor for 2021; which are performing arts is read off their names: an operator's table
//! may say otherwise.

use std::{
    collections::HashMap,
    sync::{LazyLock, OnceLock},
};

use crate::tables::{self, Fault, keep};

/// A major of a catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Major {
    /// Year of the catalogue.
    pub catalogue: &'static str,
    /// 6-digit code.
    pub code: &'static str,
    /// The code as stores and feed write it. It differs where an earlier table gave the code to another major: what was stored then
    /// keeps its meaning.
    pub stored: &'static str,
    /// Name.
    pub name: &'static str,
    /// Other names under which schools write it.
    pub also: &'static [&'static str],
    /// 涉农: the 32 majors of 01 and three others (2010 catalogue, 财教明电〔2012〕3号).
    pub agricultural: bool,
    /// 艺术类相关表演, without 戏曲.
    pub performing_arts: bool,
    /// The right code, of one whose code is another major's in the catalogue.
    pub right: Option<&'static str>,
}

impl Major {
    /// As the feed and the stores write it: `2010-010100`.
    pub fn key(&self) -> String {
        format!("{}-{}", self.catalogue, self.stored)
    }

    /// Whether a text is one of its names.
    pub fn is_named(&self, text: &str) -> bool {
        self.name == text || self.also.contains(&text)
    }

    /// What is doubtful about it, and what to do.
    pub fn doubt(&self) -> Option<String> {
        let right = self.right?;
        let named = major(self.catalogue, self.code).map_or("", |major| major.name);
        Some(format!(
            "“{}”登记的代码{}在{}年目录中是“{named}”；“{}”的代码是{right}，请管理员为本校增加{right}，并停用原代码",
            self.name, self.code, self.catalogue, self.name
        ))
    }
}

/// Columns of a table of majors. Several other names are parted by `;`.
pub const COLUMNS: [&str; 6] = ["catalogue", "code", "name", "also", "agricultural", "performing_arts"];
const RETIRED_COLUMNS: [&str; 7] = ["catalogue", "code", "name", "agricultural", "performing_arts", "right", "source"];
/// What follows the code, as stored, of a major whose code an earlier table gave to another.
const SECOND_READING: &str = "b";

/// Catalogues, and what was stored under codes that were wrong.
struct Catalogues {
    listed: Vec<Major>,
    by_code: HashMap<&'static str, HashMap<&'static str, usize>>,
    retired: Vec<Major>,
}

static BUILT_IN: LazyLock<Catalogues> = LazyLock::new(|| {
    let none = Catalogues { listed: Vec::new(), by_code: HashMap::new(), retired: retired().expect("a test reads the retired codes") };
    none.with(include_str!("../data/codes/majors.csv")).expect("a test reads the catalogues that come with the program")
});
static WITH_OPERATORS: OnceLock<Catalogues> = OnceLock::new();

fn known() -> &'static Catalogues {
    WITH_OPERATORS.get().unwrap_or(&BUILT_IN)
}

fn retired() -> Result<Vec<Major>, Fault> {
    let lines = tables::read(include_str!("../data/codes/majors_retired.csv"), &RETIRED_COLUMNS)?;
    let major = |line: &tables::Line| {
        let code = keep(line.digits("code", 6)?);
        Ok(Major {
            catalogue: keep(line.digits("catalogue", 4)?),
            code,
            stored: code,
            name: keep(line.text("name")?),
            also: &[],
            agricultural: line.flag("agricultural")?,
            performing_arts: line.flag("performing_arts")?,
            right: Some(keep(line.digits("right", 6)?)),
        })
    };
    lines.iter().map(major).collect()
}

impl Catalogues {
    /// These and what a table adds to them. Of a code that is known already the names stay good, and what the table says holds.
    fn with(&self, text: &str) -> Result<Self, Fault> {
        let mut with = Self { listed: self.listed.clone(), by_code: self.by_code.clone(), retired: self.retired.clone() };
        let mut said: HashMap<(&'static str, &'static str), u64> = HashMap::new();
        for line in tables::read(text, &COLUMNS)? {
            let (catalogue, code) = (keep(line.digits("catalogue", 4)?), keep(line.digits("code", 6)?));
            if let Some(before) = said.insert((catalogue, code), line.number) {
                return Err(line.fault("code", format!("stands in line {before} already")));
            }
            let at = with.by_code.get(catalogue).and_then(|codes| codes.get(code)).copied();
            let name = keep(line.text("name")?);
            let mut also: Vec<&'static str> = line.get("also").split(';').map(str::trim).filter(|name| !name.is_empty()).map(keep).collect();
            if let Some(before) = at.map(|at| with.listed[at]) {
                also.extend(std::iter::once(before.name).chain(before.also.iter().copied()));
            }
            also.retain(|other| *other != name);
            let taken = with.retired.iter().any(|major| (major.catalogue, major.code) == (catalogue, code));
            let major = Major {
                catalogue,
                code,
                stored: if taken { keep(&format!("{code}{SECOND_READING}")) } else { code },
                name,
                also: Box::leak(also.into_boxed_slice()),
                agricultural: line.flag("agricultural")?,
                performing_arts: line.flag("performing_arts")?,
                right: None,
            };
            if let Some(at) = at {
                with.listed[at] = major;
            } else {
                with.by_code.entry(catalogue).or_default().insert(code, with.listed.len());
                with.listed.push(major);
            }
        }
        Ok(with)
    }
}

/// Adds an operator's table to the catalogues, all of it or nothing. A process does it once, before its services start; a second time
/// changes nothing. Returns how many majors there are then.
pub fn load(text: &str) -> Result<usize, Fault> {
    let with = BUILT_IN.with(text)?;
    Ok(WITH_OPERATORS.get_or_init(|| with).listed.len())
}

/// Every major of the catalogues.
pub fn majors() -> &'static [Major] {
    &known().listed
}

/// A major by catalogue and code, as the catalogue has it.
pub fn major(catalogue: &str, code: &str) -> Option<&'static Major> {
    let known = known();
    known.listed.get(*known.by_code.get(catalogue)?.get(code)?)
}

/// A major by what a store wrote.
pub fn stored(catalogue: &str, stored: &str) -> Option<&'static Major> {
    let retired = || known().retired.iter().find(|major| (major.catalogue, major.stored) == (catalogue, stored));
    let code = stored.strip_suffix(SECOND_READING).unwrap_or(stored);
    retired().or_else(|| major(catalogue, code).filter(|major| major.stored == stored))
}

/// A major by what the feed and the stores write: `2010-010100`.
pub fn major_of_key(key: &str) -> Option<&'static Major> {
    let (catalogue, code) = key.split_once('-')?;
    stored(catalogue, code)
}

/// Every key under which a major is stored that has this one in its catalogue, or whose right code is of it.
pub fn keys_of(key: &str) -> Vec<String> {
    let Some(major) = major_of_key(key) else { return Vec::new() };
    let of_old = known().retired.iter().filter(|old| old.catalogue == major.catalogue && old.right == Some(major.code));
    std::iter::once(major.key()).chain(of_old.map(Major::key)).collect()
}

/// The majors of a name, of one catalogue or, where that is empty, of all.
pub fn named(catalogue: &str, name: &str) -> Vec<&'static Major> {
    majors().iter().filter(|major| (catalogue.is_empty() || major.catalogue == catalogue) && major.is_named(name)).collect()
}

/// What is known of majors, in short: what was judged by other catalogues is judged anew.
pub fn fingerprint() -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for major in &known().listed {
        hasher.update(major.key().as_bytes()).update(&[u8::from(major.agricultural), u8::from(major.performing_arts)]);
    }
    *hasher.finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_catalogues_are_whole() {
        let count = |wanted: fn(&&Major) -> bool| BUILT_IN.listed.iter().filter(wanted).count();
        assert_eq!((count(|major| major.catalogue == "2010"), count(|major| major.catalogue == "2021")), (321, 368));
        assert_eq!((count(|major| major.catalogue == "2010" && major.agricultural), count(|major| major.catalogue == "2021" && major.agricultural)), (35, 35));
        assert_eq!(
            (count(|major| major.catalogue == "2010" && major.performing_arts), count(|major| major.catalogue == "2021" && major.performing_arts)),
            (7, 8)
        );
    }

    #[test]
    fn agricultural_majors_are_a_table_not_a_prefix() {
        assert!(major("2010", "100300").is_some_and(|major| major.agricultural), "农村医学");
        assert!(major("2021", "690301").is_some_and(|major| major.agricultural), "follows 粮油储运与检验技术");
        assert!(major("2010", "141000").is_some_and(|major| !major.performing_arts), "戏曲表演 is not excluded");
        assert!(major("2010", "140900").is_some_and(|major| major.performing_arts), "舞蹈表演");
    }

    #[test]
    fn a_major_has_the_names_that_papers_and_schools_write() {
        for (code, name, other) in [("130100", "高星级饭店运营与管理", "酒店服务与管理"), ("130700", "中餐烹饪与营养膳食", "中餐烹饪")]
        {
            let found = major("2010", code).expect(name);
            assert!(found.name == name && found.is_named(other));
            assert_eq!(named("2010", other), [found]);
        }
        assert_eq!(named("", "护理").len(), 2, "one of each catalogue");
    }

    #[test]
    fn what_was_stored_under_a_wrong_code_keeps_its_meaning_and_is_a_doubt() {
        let mut seen = 0;
        for old in retired().expect("reads") {
            let stood = major_of_key(&format!("{}-{}", old.catalogue, old.code)).expect("is known");
            assert_eq!((stood.name, stood.agricultural, stood.performing_arts), (old.name, old.agricultural, old.performing_arts), "as it was judged");
            assert!(stood.doubt().is_some_and(|doubt| doubt.contains(stood.right.unwrap_or("none"))));
            // The right one has the name and means the same.
            let right = major(old.catalogue, old.right.expect("has one")).expect("the right one");
            assert_eq!((right.name, right.agricultural, right.performing_arts), (old.name, old.agricultural, old.performing_arts));
            assert_eq!((right.doubt(), major_of_key(&right.key())), (None, Some(right)));
            // The code itself is another major's, which is stored so that the two are never mixed up.
            let other = major(old.catalogue, old.code).expect("the code's own");
            assert!(other.name != old.name && other.key() != stood.key());
            assert_eq!((other.doubt(), major_of_key(&other.key())), (None, Some(other)));
            seen += 1;
        }
        assert_eq!(seen, 7);
        assert_eq!(major_of_key("2010-010200b"), None);
    }

    #[test]
    fn an_operators_table_adds_and_renames_and_drops_nothing() {
        let header = COLUMNS.join(",");
        let Ok(with) = BUILT_IN.with(&format!("{header}\n2010,990001,茶文化,,y,n\n2010,100100,护理学,,n,n\n2021,750201,音乐表演,,n,n\n")) else {
            panic!("is good")
        };
        assert_eq!(with.listed.len(), BUILT_IN.listed.len() + 1);
        let of = |code: &str| with.listed.iter().find(|major| major.code == code).expect("is there");
        assert!(of("990001").agricultural && of("100100").name == "护理学" && of("100100").is_named("护理"));
        assert!(!of("750201").performing_arts, "a province's table decides");
        for (lines, line, column) in [
            ("2010,99001,茶文化,,y,n", 2, "code"),
            ("2010,990001,,,y,n", 2, "name"),
            ("2010,990001,茶文化,,是,n", 2, "agricultural"),
            ("2010,990001,茶文化,,y,n\n2010,990001,茶,,y,n", 3, "code"),
        ] {
            let fault = BUILT_IN.with(&format!("{header}\n{lines}\n")).err().expect("is told");
            assert_eq!((fault.line, fault.column.as_str()), (line, column), "{lines}");
        }
    }
}

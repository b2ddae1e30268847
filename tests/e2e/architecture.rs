//! The shape is tested: what a rules.rs may name, where SQL stands, what a capability may touch of another.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use xuezhu_aid::{award::units::rules::Standing, forgotten::State as Forgotten, hardship::rules::State as LevelState, reconciliation::sweep::runs::RunState};
use xuezhu_bridge::Kind;
use xuezhu_domain::{
    BondKind, RegistryAnswer,
    enrollment::{PeriodState, State},
};
use xuezhu_judge::{
    case::{Rule, Stage as MirrorStage},
    entry::State as EntryState,
    life::{State as FlagState, Step},
    register::{Outcome, State as CaseState, Step as CaseStep},
};
use xuezhu_proto::{
    aid::{award_entry, award_list, case, flag},
    bridge::enrollment::Stage as SharedStage,
};
use xuezhu_review::way::{Act, ItemState, State as DossierState};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("reads");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut found);
    assert!(!found.is_empty(), "{folder}");
    found
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Files that decide, wherever they stand.
const PURE_FILES: [&str; 4] = ["rules.rs", "life.rs", "case.rs", "way.rs"];

#[test]
fn what_decides_names_no_io() {
    let deciding = sources("services").into_iter().chain(sources("crates")).filter(|(path, _)| PURE_FILES.contains(&name(path)));
    for (path, text) in deciding.chain(PURE.into_iter().flat_map(sources)) {
        for word in ["sqlx", "tonic::", "tokio", "xuezhu_store", "reqwest", "std::fs", "std::net", "std::env", "async "] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn sql_stands_in_stores_only() {
    for (path, text) in sources("services").into_iter().chain(sources("crates/bridge")).chain(sources("crates/review")).chain(sources("crates/intake")) {
        if name(&path) == "store.rs" {
            continue;
        }
        for word in ["rows!(", "one!(", "run!(", "\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "] {
            assert!(!text.contains(word), "{} holds SQL: {word}", path.display());
        }
    }
}

/// Services with rooms: capabilities, each a folder with a `mod.rs`.
const SERVICES: [&str; 2] = ["enrollment", "aid"];

/// What a path is below a folder that it names.
fn below(path: &Path, folder: &str) -> Vec<String> {
    let parts: Vec<String> = path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let at = parts.iter().rposition(|part| part == folder).unwrap_or_else(|| panic!("{} is below {folder}", path.display()));
    parts[at + 1..].to_vec()
}

/// The room that a file of a service belongs to; none for what lies beside the rooms.
fn room(path: &Path) -> Option<String> {
    match &below(path, "src")[..] {
        [room, _, ..] => Some(room.clone()),
        _ => None,
    }
}

/// Folders with a `mod.rs`, however deep.
fn folders(service: &str) -> BTreeSet<PathBuf> {
    sources(&format!("services/{service}/src"))
        .into_iter()
        .filter(|(path, _)| name(path) == "mod.rs")
        .map(|(mut path, _)| {
            path.pop();
            path
        })
        .collect()
}

#[test]
fn no_room_names_the_store_of_another() {
    for service in SERVICES {
        let folders = folders(service);
        assert!(folders.len() > 5, "{service}");
        for (path, text) in sources(&format!("services/{service}/src")) {
            for folder in folders.iter().filter(|folder| !path.starts_with(folder)) {
                let store = format!("{}::store", name(folder));
                assert!(!text.contains(&format!(" {store}")) && !text.contains(&format!("::{store}")), "{} names {store}", path.display());
            }
        }
    }
}

/// Crates that decide and do nothing: what they say depends on what they are given alone.
const PURE: [&str; 2] = ["crates/domain", "services/aid/judge"];

#[test]
fn pure_crates_depend_on_no_io() {
    for pure in PURE {
        let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(pure).join("Cargo.toml")).expect("reads");
        let needs: BTreeSet<&str> = (manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1))
            .take_while(|line| !line.starts_with('['))
            .filter_map(|line| line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty()))
            .collect();
        let known = BTreeSet::from(["xuezhu-domain", "blake3", "chrono", "csv", "serde", "serde_json", "thiserror", "toml", "unicode-normalization", "uuid"]);
        assert!(!needs.is_empty() && needs.is_subset(&known), "{pure} needs {:?}", needs.difference(&known));
    }
}

/// Tables that a text of SQL writes to.
fn written(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let table = |at: usize| words.get(at).map(|word| (*word).to_owned()).filter(|word| word.chars().all(|c| c.is_lowercase() || c == '_'));
    let written = |(at, word): (usize, &&str)| match (*word, words.get(at + 1).copied()) {
        ("INSERT", Some("INTO")) | ("DELETE", Some("FROM")) => table(at + 2),
        // A row is locked `FOR UPDATE`, which writes nothing.
        ("UPDATE", Some(next)) if next != "SET" && (at == 0 || words[at - 1] != "FOR") => table(at + 1),
        _ => None,
    };
    words.iter().enumerate().filter_map(written).collect()
}

/// Tables that the migrations of a service leave behind.
fn tables(service: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../services").join(service).join("migrations");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).expect("migrations").filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.sort();
    let mut tables = BTreeSet::new();
    for file in files {
        let text: String = fs::read_to_string(file).expect("reads").lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || "(;".contains(c)).filter(|word| !word.is_empty()).collect();
        for at in 0..words.len() {
            match words[at..] {
                ["CREATE", "TABLE", table, ..] => drop(tables.insert(table.to_owned())),
                ["DROP", "TABLE", table, ..] => assert!(tables.remove(table), "{table} was there"),
                ["ALTER", "TABLE", from, "RENAME", "TO", to, ..] => {
                    assert!(tables.remove(from), "{from} was there");
                    tables.insert(to.to_owned());
                }
                _ => {}
            }
        }
    }
    assert!(tables.len() > 10, "{service}");
    tables
}

/// Each table has one writer: a room of its service, or a crate. What a database of before holds is made over by conversions, which
/// belong to nobody.
#[test]
fn each_table_has_one_writer() {
    for service in SERVICES {
        let tables = tables(service);
        let mut writers: BTreeMap<&str, BTreeSet<String>> = tables.iter().map(|table| (table.as_str(), BTreeSet::new())).collect();
        let of_rooms = sources(&format!("services/{service}/src")).into_iter().filter_map(|(path, text)| Some((room(&path)?, text)));
        let of_crates = sources("crates").into_iter().map(|(path, text)| (format!("crate {}", below(&path, "crates")[0]), text));
        for (writer, text) in of_rooms.chain(of_crates).filter(|(writer, _)| writer != "before") {
            for table in written(&text) {
                if let Some(writers) = writers.get_mut(table.as_str()) {
                    writers.insert(writer.clone());
                }
            }
        }
        // What nobody writes any more is there for what a database of before holds: its conversion reads it.
        let before = sources(&format!("services/{service}/src/before"));
        let is_of_before = |table: &str| before.iter().any(|(_, text)| text.contains(&format!("FROM {table}")));
        for (table, writers) in writers {
            assert!(writers.len() == 1 || (writers.is_empty() && is_of_before(table)), "{table} of {service} is written by {writers:?}");
        }
    }
}

/// States, steps and rules are their codes in SQL; their words are for clients and for evidence.
#[test]
fn no_sql_compares_or_writes_a_word_of_a_state() {
    let words: BTreeSet<&str> = (State::ALL.into_iter().map(State::as_str))
        .chain(DossierState::ALL.into_iter().map(DossierState::as_str))
        .chain(ItemState::ALL.into_iter().map(ItemState::as_str))
        .chain(Act::ALL.into_iter().map(Act::as_str))
        .chain(FlagState::ALL.into_iter().map(FlagState::as_str))
        .chain(Step::ALL.into_iter().map(Step::as_str))
        .chain(Rule::ALL.into_iter().map(Rule::as_str))
        .chain(EntryState::ALL.into_iter().map(EntryState::as_str))
        .chain(RunState::ALL.into_iter().map(RunState::as_str))
        .chain(Forgotten::ALL.into_iter().map(Forgotten::as_str))
        .chain(CaseState::ALL.into_iter().map(CaseState::as_str))
        .chain(CaseStep::ALL.into_iter().map(CaseStep::as_str))
        .chain(Outcome::ALL.into_iter().map(Outcome::as_str))
        .collect();
    for (path, text) in
        sources("services").into_iter().chain(sources("crates/review")).chain(sources("crates/intake")).filter(|(path, _)| name(path) == "store.rs")
    {
        for word in &words {
            assert!(!text.contains(&format!("'{word}'")), "{} says '{word}'", path.display());
        }
    }
}

/// A state that clients may ask for by its word is one that is stored: a list of one that is not would be a list of all.
#[test]
fn states_that_clients_ask_for_are_stored() {
    fn words<T: TryFrom<i32>>(word: fn(&T) -> &'static str) -> Vec<&'static str> {
        (1..100).filter_map(|number| T::try_from(number).ok()).map(|state| word(&state)).collect()
    }
    let parsed = |words: Vec<&'static str>, is_known: fn(&str) -> bool| {
        assert!(!words.is_empty() && words.iter().all(|word| is_known(word)), "{words:?}");
    };
    parsed(words(flag::State::as_str_name), |word| FlagState::parse(word).is_some());
    parsed(words(award_entry::State::as_str_name), |word| EntryState::parse(word).is_some());
    parsed(words(award_list::State::as_str_name), |word| EntryState::parse(word).is_some());
    parsed(words(case::State::as_str_name), |word| CaseState::parse(word).is_some());
    parsed(words(case::Outcome::as_str_name), |word| Outcome::parse(word).is_some());
}

/// Words that a migration made codes of: `WHEN 'OPEN' THEN 1`.
fn moved(migration: &str) -> BTreeMap<String, i32> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../services").join(migration)).expect("reads");
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.windows(4).filter(|four| four[0] == "WHEN" && four[2] == "THEN");
    pairs.map(|four| (four[1].trim_matches('\'').to_owned(), four[3].trim_end_matches(';').parse().expect("a code"))).collect()
}

/// What was stored as a word is the code that the type has for it, and no word was forgotten.
#[test]
fn migrations_made_of_each_word_its_code() {
    fn codes<T: Copy>(all: &[T], word: fn(T) -> &'static str, code: fn(T) -> i32) -> BTreeMap<String, i32> {
        all.iter().map(|one| (word(*one).to_owned(), code(*one))).collect()
    }
    // What a policy gives to whom, how much and to whose account is judged since later.
    let rules: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| rule.code() <= Rule::MissingAward.code()).collect();
    let rules = codes(&rules, Rule::as_str, Rule::code);
    let flags = codes(&FlagState::ALL, FlagState::as_str, FlagState::code);
    // Submissions of before, which a conversion makes dossiers of by these codes.
    let submissions = xuezhu_enrollment::before::STAGES.map(|(word, code)| (word.to_owned(), code)).into();
    let entries = codes(&EntryState::ALL, EntryState::as_str, EntryState::code);
    let lists = codes(&[EntryState::Draft, EntryState::Submitted, EntryState::Attested, EntryState::Approved], EntryState::as_str, EntryState::code);
    assert_eq!(moved("enrollment/migrations/0051_submissions_coded.sql"), submissions);
    assert_eq!(moved("aid/migrations/0040_flags_coded.sql"), rules.into_iter().chain(flags).collect());
    // What is remembered is of later.
    let steps: Vec<Step> = Step::ALL.into_iter().filter(|step| *step != Step::Remembered).collect();
    assert_eq!(moved("aid/migrations/0042_flag_steps_coded.sql"), codes(&steps, Step::as_str, Step::code));
    assert_eq!(moved("aid/migrations/0054_entries_coded.sql"), entries);
    assert_eq!(moved("aid/migrations/0064_lists_coded.sql"), lists);
    assert_eq!(moved("aid/migrations/0068_runs_coded.sql"), codes(&RunState::ALL, RunState::as_str, RunState::code));
}

/// Columns that hold codes.
const CODED: [&str; 8] = ["state", "standing", "stage", "kind", "registry", "rule", "act", "id_class"];

/// What a text compares such columns with as a number: `state < 50`.
fn numbers(text: &str) -> BTreeSet<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut found = BTreeSet::new();
    for (at, pair) in words.windows(2).enumerate() {
        let column = pair[0].rsplit(['.', '(']).next().unwrap_or_default();
        if !CODED.contains(&column) || !["=", "<>", "<", ">", "<=", ">=", "IN", "NOT"].contains(&pair[1]) {
            continue;
        }
        let rest = words[at + 2..].iter().take(4).copied().collect::<Vec<_>>().join(" ");
        let number = if ["IN", "NOT"].contains(&pair[1]) { rest.split_inclusive(')').next() } else { rest.split(|c: char| !c.is_ascii_digit()).next() };
        if let Some(number) = number.filter(|number| number.contains(|c: char| c.is_ascii_digit()) && !number.contains('$')) {
            found.insert(format!("{column} {} {number}", pair[1]));
        }
    }
    found
}

/// A code stands in SQL itself where an index leaves the others out, where a parameter would hide from a planner how many rows there
/// are, or where many rows are read by the way. Each of them is one of a type's.
#[test]
fn numbers_that_sql_compares_codes_with_are_those_of_types() {
    assert!(DossierState::ALL.iter().all(|state| state.code() != 0) && ItemState::ALL.iter().all(|state| state.code() != 0), "0 asks for all");
    assert!(Rule::ALL.iter().all(|rule| rule.code() != 0), "0 asks for all");
    assert_eq!(
        [FlagState::FIRST_CLOSED, EntryState::FIRST_REMOVED, CaseState::FIRST_WITHDRAWN],
        [State::FIRST_FINAL; 3],
        "what is over comes last, everywhere"
    );
    assert_eq!([FlagState::LAST_HOLDING, EntryState::LAST_CLERKS], [LevelState::LAST_UNDER_WAY; 2]);
    assert_eq!(LevelState::FIRST_DROPPED, FlagState::FIRST_CLOSED);
    assert_eq!(Forgotten::Open.code(), PeriodState::InSchool.code());
    assert_eq!(MirrorStage::Approved.code(), SharedStage::Approved as i32);
    assert_eq!(MirrorStage::Submitted.code(), SharedStage::Submitted as i32);
    assert_eq!(MirrorStage::SentBack.code(), SharedStage::SentBack as i32);
    let known = BTreeSet::from([
        format!("state < {}", FlagState::FIRST_CLOSED),
        format!("state <= {}", FlagState::LAST_HOLDING),
        format!("state > {}", EntryState::LAST_CLERKS),
        format!("state = {}", Forgotten::Open.code()),
        format!("standing < {}", Standing::FIRST_FALLEN),
        format!("standing >= {}", Standing::FIRST_TAKEN),
        format!("standing < {}", Standing::FIRST_FREE),
        format!("standing >= {}", Standing::FIRST_CORRECTED),
        format!("standing < {}", Standing::FIRST_CORRECTED),
        format!("standing = {}", Standing::Double.code()),
        format!("stage = {}", MirrorStage::Approved.code()),
        format!("registry IN ({}, {})", RegistryAnswer::NotAsked.code(), RegistryAnswer::Confirmed.code()),
        format!("kind = {}", BondKind::Current.code()),
        format!("kind <> {}", BondKind::Current.code()),
        format!("kind IN ({}, {})", BondKind::Current.code(), BondKind::Former.code()),
        format!("kind = {}", Kind::Enrollment as i32),
    ]);
    let stores = sources("services").into_iter().filter(|(path, _)| name(path) == "store.rs");
    assert_eq!(stores.flat_map(|(_, text)| numbers(&text)).collect::<BTreeSet<_>>(), known);
}

/// What a file names of its crate: the first two names of each path, in `crate::a::b` and in `crate::{a::{b, …}, …}`.
fn named(text: &str) -> Vec<(String, String)> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let paths = if rest.starts_with('{') { parts_of_group(rest) } else { vec![rest] };
        for path in paths {
            let first = word(path);
            let Some(tail) = path[first.len()..].strip_prefix("::") else {
                found.push((first, String::new()));
                continue;
            };
            let seconds = if tail.starts_with('{') { parts_of_group(tail) } else { vec![tail] };
            found.extend(seconds.into_iter().map(|second| (first.clone(), word(second))));
        }
    }
    found
}

/// What stands between the braces that a text begins with, parted by its outer commas.
fn parts_of_group(text: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut parts) = (0, 1, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            parts.push(text[begin..at].trim());
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[test]
fn what_a_file_names_is_found() {
    let text = "//! [`crate::nobody`]\nuse crate::{\n    Parts, award, mirror::{self, told::Told},\n    roll,\n};\nfn f() { crate::api::seen(crate::students::api::x) }";
    let found = named(text);
    let found: Vec<(&str, &str)> = found.iter().map(|(first, second)| (first.as_str(), second.as_str())).collect();
    assert_eq!(found, [("Parts", ""), ("award", ""), ("mirror", "self"), ("mirror", "told"), ("roll", ""), ("api", "seen"), ("students", "api")]);
}

/// Rooms of a service stand on floors: what one names lies below it. Doors (`api.rs`), through which calls come in, stand above all rooms:
/// they may name any, and only doors and what puts the service together name them.
#[test]
fn rooms_stand_on_floors() {
    for service in SERVICES {
        let rooms: BTreeSet<String> = folders(service).iter().filter_map(|folder| room(&folder.join("mod.rs"))).collect();
        let door = |room: &str| format!("{room}::api");
        let mut needs: BTreeMap<String, BTreeSet<String>> =
            rooms.iter().flat_map(|room| [(room.clone(), BTreeSet::new()), (door(room), BTreeSet::new())]).collect();
        for (path, text) in sources(&format!("services/{service}/src")) {
            let Some(room) = room(&path) else { continue };
            let is_door = below(&path, "src")[1] == "api.rs";
            for (other, what) in named(&text).into_iter().filter(|(other, _)| *other != room && rooms.contains(other)) {
                assert!(is_door || what != "api", "{} names the door of {other}", path.display());
                let other = if what == "api" { door(&other) } else { other };
                needs.get_mut(&if is_door { door(&room) } else { room.clone() }).expect("is a room").insert(other);
            }
        }
        assert!(needs.values().flatten().count() > 10, "{needs:?}");
        let mut left: Vec<&String> = needs.keys().collect();
        while let Some(at) = left.iter().position(|room| needs[*room].iter().all(|other| !left.contains(&other))) {
            left.remove(at);
        }
        assert!(left.is_empty(), "a circle among {left:?}: {needs:?}");
    }
}

//! What a scheme is: what it is for, by what it goes, who is entitled to how much in which terms.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;
use xuezhu_domain::{Fen, Term};

/// What aid is given for: the schemes of the state by their names, local ones by those that a policy gives them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SchemeCode(&'static str);

/// Names of local schemes that were met, each once. What is met comes from policies and from what was stored under them.
static LOCAL: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// Characters of a name, at most.
const NAME: usize = 40;

impl SchemeCode {
    /// 国家助学金.
    pub const GRANT: Self = Self("GRANT");
    /// 免学费.
    pub const TUITION_WAIVER: Self = Self("TUITION_WAIVER");
    /// Those of the state: every policy has them.
    pub const OF_STATE: [Self; 2] = [Self::GRANT, Self::TUITION_WAIVER];

    /// By what a scheme of the state goes; none of a local one, of which a policy says it.
    pub fn paid_by_state(self) -> Option<Paid> {
        match self {
            Self::GRANT => Some(Paid::Month),
            Self::TUITION_WAIVER => Some(Paid::Term),
            _ => None,
        }
    }

    /// As stored and as clients see it.
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// Whether a text is the name of a scheme. Some words mean none to clients.
    pub fn is_name(text: &str) -> bool {
        let begins = text.bytes().next().is_some_and(|first| first.is_ascii_uppercase());
        let is_word = begins && text.len() <= NAME && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
        is_word && !["OTHER", "CODE_UNSPECIFIED"].contains(&text)
    }

    /// From what a policy says or what was stored; none where it is no name of a scheme. What a stranger sends is looked up in a policy and
    /// not read by this: it keeps each name for good.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(known) = Self::OF_STATE.into_iter().find(|scheme| scheme.0 == text) {
            return Some(known);
        }
        if !Self::is_name(text) {
            return None;
        }
        let mut local = LOCAL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = local.get(text) {
            return Some(Self(known));
        }
        let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
        local.insert(kept);
        Some(Self(kept))
    }
}

impl fmt::Debug for SchemeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Whether aid goes by month or by term. It is a scheme's for good: units of one kind are told apart, so one that went by another could be
/// drawn twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Paid {
    /// Each month on its own.
    Month,
    /// The term as a whole, by the state on its count day.
    Term,
}

/// Why a student is entitled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Ground {
    /// 涉农专业.
    AgriculturalMajor,
    /// 农村（含县镇）.
    Rural,
    /// 农村（不含县城）, registered in one of the areas that the rate names.
    SpecialArea,
    /// A major that is on one of the lists that the rate names.
    ListedMajor,
    /// 家庭经济困难: with a determined level.
    Hardship,
    /// Everybody whom nothing excludes.
    Everybody,
}

impl Ground {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::AgriculturalMajor, Self::Rural, Self::SpecialArea, Self::ListedMajor, Self::Hardship, Self::Everybody];

    /// As policies write it and as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AgriculturalMajor => "AGRICULTURAL_MAJOR",
            Self::Rural => "RURAL",
            Self::SpecialArea => "SPECIAL_AREA",
            Self::ListedMajor => "LISTED_MAJOR",
            Self::Hardship => "HARDSHIP",
            Self::Everybody => "EVERYBODY",
        }
    }

    /// From what was stored.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::AgriculturalMajor => "涉农专业",
            Self::Rural => "农村（含县镇）",
            Self::SpecialArea => "特殊困难地区农村（不含县城）",
            Self::ListedMajor => "所列专业",
            Self::Hardship => "家庭经济困难（已认定）",
            Self::Everybody => "全体学生",
        }
    }
}

/// What excludes a student.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Exclusion {
    /// 艺术类相关表演专业, without 戏曲.
    PerformingArts,
}

impl Exclusion {
    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::PerformingArts => "艺术类相关表演专业（戏曲除外）",
        }
    }
}

/// A tier of a rate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Name.
    pub name: String,
    /// Yuan a year.
    pub yuan: i64,
    /// 困难等级 for which it is; with `grounds`, any of which will do. Where both are empty it is for anybody.
    #[serde(default)]
    pub levels: Vec<String>,
    /// Grounds for which it is.
    #[serde(default)]
    pub grounds: Vec<Ground>,
}

impl Tier {
    /// Whether it is for some alone.
    pub fn is_for_some(&self) -> bool {
        !self.levels.is_empty() || !self.grounds.is_empty()
    }

    /// Whether it is for whoever is entitled by these grounds, with a level or none.
    pub fn is_for(&self, grounds: &[Ground], level: &str) -> bool {
        !self.is_for_some() || self.levels.iter().any(|known| known == level) || self.grounds.iter().any(|ground| grounds.contains(ground))
    }
}

/// What holds in a span of terms and in a region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Stable name, shown in evidence.
    pub id: String,
    /// First digits of the regions of schools for which it holds; empty for all.
    #[serde(default)]
    pub region: String,
    /// First term.
    pub from: Term,
    /// Last term; none while it lasts.
    pub to: Option<Term>,
    /// Months over which a year's amount is spread.
    pub months_a_year: i64,
    /// Tiers, lowest first.
    pub tiers: Vec<Tier>,
    /// First and last grade.
    pub grades: [i32; 2],
    /// Whether only full-time students count.
    pub full_time: bool,
    /// Grounds, any of which entitles.
    pub entitles: Vec<Ground>,
    /// Whether only the entitled may draw it: whoever else is on a list is held. Else a list may name whom it likes.
    #[serde(default)]
    pub only_entitled: bool,
    /// Names of the areas of [`Ground::SpecialArea`].
    #[serde(default)]
    pub areas: Vec<String>,
    /// Names of the lists of majors of [`Ground::ListedMajor`].
    #[serde(default)]
    pub majors: Vec<String>,
    /// What excludes.
    #[serde(default)]
    pub excludes: Vec<Exclusion>,
    /// Where it comes from.
    pub source: String,
    /// First digits of regions in the areas that it names.
    #[serde(skip)]
    pub area_codes: Vec<String>,
    /// Majors on the lists that it names, as stores write them.
    #[serde(skip)]
    pub major_keys: Vec<String>,
}

impl Rate {
    /// The tier of a name; the middle one for a blank.
    pub fn tier(&self, name: &str) -> Option<&Tier> {
        if name.is_empty() { self.tiers.get(self.tiers.len() / 2) } else { self.tiers.iter().find(|tier| tier.name == name) }
    }

    /// The highest tier that is for whoever is entitled by these grounds, with a level or none.
    pub fn most(&self, grounds: &[Ground], level: &str) -> Option<&Tier> {
        self.tiers.iter().rev().find(|tier| tier.is_for(grounds, level))
    }

    /// The tier that is proposed for them: where tiers are for some alone, the highest that is for them; else the middle one.
    pub fn proposed(&self, grounds: &[Ground], level: &str) -> Option<&Tier> {
        if self.tiers.iter().any(Tier::is_for_some) { self.most(grounds, level) } else { self.tier("") }
    }

    /// Whether lists are held to it: where it says whom it is for, or a tier does. Policies of before said neither.
    pub fn is_held_to(&self) -> bool {
        self.only_entitled || self.tiers.iter().any(Tier::is_for_some)
    }

    /// What anybody may draw of it a month, whoever they are.
    pub fn sure_fen(&self) -> Fen {
        match self.most(&[], "").filter(|_| self.is_held_to()) {
            Some(tier) => self.month_fen(tier),
            None => Fen(i64::MAX),
        }
    }

    /// What a month of a tier comes to.
    pub fn month_fen(&self, tier: &Tier) -> Fen {
        Fen(tier.yuan * 100 / self.months_a_year)
    }

    /// Whether it holds in a term.
    pub fn covers(&self, term: Term) -> bool {
        self.from <= term && self.to.is_none_or(|to| term <= to)
    }
}

/// To whom a scheme is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Payee {
    /// To the student's own card.
    Student,
    /// To the school.
    School,
}

impl Payee {
    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Student => "学生本人的银行卡",
            Self::School => "学校",
        }
    }
}

/// What must lie with whoever is on a list, once the principal signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Paper {
    /// That the student asked for it, in writing: 申请表 or 承诺书.
    Application,
}

impl Paper {
    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Application => "书面申请（承诺）",
        }
    }
}

/// A scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheme {
    /// Which.
    pub code: SchemeCode,
    /// Name.
    pub name: String,
    /// By month or by term.
    pub paid: Paid,
    /// Whether the entitled must be on a list: leaving one out is a finding.
    pub by_right: bool,
    /// To whom it is paid; none where the policy does not say.
    pub payee: Option<Payee>,
    /// What must lie with whoever is on its lists.
    pub asks: Vec<Paper>,
    /// Rates, by term.
    pub rate: Vec<Rate>,
}

impl Scheme {
    /// What holds in a term for a school of a region: what was said for the smallest region that it lies in.
    pub fn rate_in(&self, term: Term, region: &str) -> Option<&Rate> {
        super::nearest(self.rate.iter().filter(|rate| rate.covers(term)), region, |rate| &rate.region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schemes_name_is_one_for_good() {
        assert_eq!(SchemeCode::parse("GRANT"), Some(SchemeCode::GRANT));
        let local = SchemeCode::parse("CITY_GRANT_2").expect("a name");
        assert_eq!(SchemeCode::parse("CITY_GRANT_2"), Some(local));
        assert!(std::ptr::eq(local.as_str(), SchemeCode::parse("CITY_GRANT_2").expect("a name").as_str()), "each is kept once");
        for none in ["", "grant", "2X", "A B", "OTHER", "CODE_UNSPECIFIED", "学", &"A".repeat(NAME + 1)] {
            assert_eq!(SchemeCode::parse(none), None, "{none}");
        }
    }
}

//! How keys and names belong to a person over time.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// Male or female, as student registration takes it (GB/T 2261.1, values 1 and 2 only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Sex {
    /// 男.
    Male,
    /// 女.
    Female,
}

impl Sex {
    /// GB/T 2261.1 code.
    pub fn code(self) -> i32 {
        match self {
            Self::Male => 1,
            Self::Female => 2,
        }
    }

    /// From a GB/T 2261.1 code.
    pub fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::Male),
            2 => Some(Self::Female),
            _ => None,
        }
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::Male => "男",
            Self::Female => "女",
        }
    }
}

/// How a key or a name belongs to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BondKind {
    /// The person's own now.
    Current,
    /// Lawfully changed since.
    Former,
    /// Never right: a typing error.
    Mistyped,
}

impl BondKind {
    /// As stored.
    pub fn code(self) -> i32 {
        match self {
            Self::Current => 1,
            Self::Former => 2,
            Self::Mistyped => 3,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::Current),
            2 => Some(Self::Former),
            3 => Some(Self::Mistyped),
            _ => None,
        }
    }
}

/// A key or a name of a person, with its kind and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bond<T> {
    /// The key or the name.
    pub value: T,
    /// How it belongs.
    pub kind: BondKind,
    /// Civil day on which its end was recorded; `None` while it is current.
    pub end_recorded: Option<NaiveDate>,
}

impl<T> Bond<T> {
    /// One that holds now.
    pub fn current(value: T) -> Self {
        Self { value, kind: BondKind::Current, end_recorded: None }
    }

    /// Whether a claim recorded on `day` may use it: a former or a mistyped one stays good for what was recorded
    /// up to the day on which its end was recorded, for nobody could know better.
    pub fn good_for(&self, day: NaiveDate) -> bool {
        self.end_recorded.is_none_or(|end| day <= end)
    }
}

/// What a population registry answered about number and name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RegistryAnswer {
    /// There is no registry here: no finding.
    NotAsked,
    /// Number and name belong together.
    Confirmed,
    /// The number is not in it.
    NotFound,
    /// The number has another name.
    Differs,
}

impl RegistryAnswer {
    /// Every answer.
    pub const ALL: [Self; 4] = [Self::NotAsked, Self::Confirmed, Self::NotFound, Self::Differs];

    /// From what clients are told.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|answer| answer.as_str() == text)
    }

    /// In Chinese.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotAsked => "未接入人口库",
            Self::Confirmed => "人口库已核实",
            Self::NotFound => "人口库查无此号",
            Self::Differs => "姓名与人口库不一致",
        }
    }

    /// As stored and as the feed spells it.
    pub fn code(self) -> i32 {
        match self {
            Self::NotAsked => 1,
            Self::Confirmed => 2,
            Self::NotFound => 3,
            Self::Differs => 4,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        match code {
            1 => Some(Self::NotAsked),
            2 => Some(Self::Confirmed),
            3 => Some(Self::NotFound),
            4 => Some(Self::Differs),
            _ => None,
        }
    }

    /// Whether the registry did not confirm a person it was asked about.
    pub fn is_finding(self) -> bool {
        matches!(self, Self::NotFound | Self::Differs)
    }

    /// Stable spelling for APIs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAsked => "NOT_ASKED",
            Self::Confirmed => "CONFIRMED",
            Self::NotFound => "NOT_FOUND",
            Self::Differs => "DIFFERS",
        }
    }
}

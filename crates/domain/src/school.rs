//! School codes: `AABBCCCCCC`, type, province, serial. No check digit (教发〔2011〕 rules of 2010-07-26).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Code of a secondary vocational school: ten digits, beginning with 36, then a province of GB/T 2260.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchoolCode(String);

/// Why a school code was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SchoolCodeError {
    /// Not ten digits.
    #[error("学校代码应为10位数字")]
    Length,
    /// Not of a secondary vocational school.
    #[error("中等职业学校代码应以36开头")]
    Kind,
    /// No such province.
    #[error("学校代码第3、4位不是省级行政区划码")]
    Province,
}

impl FromStr for SchoolCode {
    type Err = SchoolCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(SchoolCodeError::Length);
        }
        if !text.starts_with("36") {
            return Err(SchoolCodeError::Kind);
        }
        if crate::region::spans(&format!("{}0000", &text[2..4])).is_empty() {
            return Err(SchoolCodeError::Province);
        }
        Ok(Self(text.to_owned()))
    }
}

impl SchoolCode {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Region code of its province.
    pub fn province(&self) -> String {
        format!("{}0000", &self.0[2..4])
    }
}

impl fmt::Display for SchoolCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_vocational_codes_pass() {
        for (code, verdict) in [
            ("3643000001", Ok(())),
            ("3443000001", Err(SchoolCodeError::Kind)),
            ("364300001", Err(SchoolCodeError::Length)),
            ("3699000001", Err(SchoolCodeError::Province)),
        ] {
            assert_eq!(code.parse::<SchoolCode>().map(|_| ()), verdict, "{code}");
        }
    }
}

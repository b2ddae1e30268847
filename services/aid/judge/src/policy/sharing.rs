//! By whom the cost of a scheme is borne: shares of levels of government, by region and term.

use serde::Deserialize;
use xuezhu_domain::Term;

/// What a level bears.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Its name, such as 中央 or 地方.
    pub level: String,
    /// Of a hundred.
    pub percent: u32,
}

/// How a cost is shared.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sharing {
    /// Of which schemes.
    pub schemes: Vec<String>,
    /// First digits of the regions of schools for which it holds; none for all.
    #[serde(default)]
    pub regions: Vec<String>,
    /// First term.
    pub from: Term,
    /// Last term; none while it lasts.
    pub to: Option<Term>,
    /// Levels, the highest first; together a hundred.
    pub shares: Vec<Share>,
    /// Where it comes from.
    pub source: String,
}

impl Sharing {
    /// Whether it holds in a term.
    pub fn covers(&self, term: Term) -> bool {
        self.from <= term && self.to.is_none_or(|to| term <= to)
    }

    /// What each level bears of an amount in fen: rounded down, the lowest bears what is left.
    pub fn parts(&self, fen: i64) -> Vec<(&str, i64)> {
        let mut left = fen;
        let mut parts: Vec<(&str, i64)> = Vec::with_capacity(self.shares.len());
        for share in &self.shares {
            let part = fen * i64::from(share.percent) / 100;
            left -= part;
            parts.push((share.level.as_str(), part));
        }
        if let Some((_, last)) = parts.last_mut() {
            *last += left;
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_come_to_the_whole_and_the_lowest_bears_what_is_left() {
        let sharing = Sharing {
            schemes: vec!["GRANT".into()],
            regions: Vec::new(),
            from: "2019-SPRING".parse().expect("a term"),
            to: None,
            shares: [("中央", 60), ("省", 32), ("县", 8)].map(|(level, percent)| Share { level: level.into(), percent }).to_vec(),
            source: "测试".into(),
        };
        for (fen, parts) in [(100, [60, 32, 8]), (0, [0, 0, 0]), (1, [0, 0, 1]), (1_005, [603, 321, 81]), (230_000, [138_000, 73_600, 18_400])] {
            let told = sharing.parts(fen);
            assert_eq!(told.iter().map(|part| part.1).collect::<Vec<_>>(), parts, "{fen}");
            assert_eq!(told.iter().map(|part| part.1).sum::<i64>(), fen);
        }
    }
}

//! Opaque page tokens: where the last page ended, in a form that clients don't take apart.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use prost::Message;
use serde::{Serialize, de::DeserializeOwned};

use crate::refusal::{Error, Refusal};

/// Rows a page unless the caller says.
pub const DEFAULT_PAGE_ROWS: i32 = 100;
/// Rows a page at most.
pub const MAX_PAGE_ROWS: i32 = 1000;

/// How many rows a page has: the default for 0, at most the limit.
pub fn size(asked: i32) -> Result<i64, Error> {
    match asked {
        0 => Ok(i64::from(DEFAULT_PAGE_ROWS)),
        1.. => Ok(i64::from(asked.min(MAX_PAGE_ROWS))),
        _ => Err(Refusal::field("page_size", "不能为负数").into()),
    }
}

/// What a list was asked for, as far as a page token depends on it: a token of one question says nothing in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query([u8; 8]);

impl Query {
    /// A question: which list, and the request without its page token and size.
    pub fn of(list: &'static str, request: &impl Message) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(list.as_bytes()).update(&[0]).update(&request.encode_to_vec());
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        Self(bytes)
    }

    /// A token for the last key of a page.
    pub fn token<K: Serialize>(self, last: &K) -> String {
        URL_SAFE_NO_PAD.encode([&self.0[..], &serde_json::to_vec(last).unwrap_or_default()].concat())
    }

    /// The key that a token stands for; `None` for the first page.
    pub fn after<K: DeserializeOwned>(self, token: &str) -> Result<Option<K>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok();
        let key = bytes.as_deref().and_then(|bytes| bytes.split_at_checked(self.0.len())).map(|(of, key)| (of == self.0, serde_json::from_slice(key).ok()));
        match key {
            Some((true, Some(key))) => Ok(Some(key)),
            Some((false, Some(_))) => Err(Refusal::field("page_token", "翻页标记属于另一次查询：查询条件改变后，请从第一页开始").into()),
            _ => Err(Refusal::field("page_token", "不是本系统给出的翻页标记").into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use xuezhu_proto::aid::ListFlagsRequest;

    use super::*;

    #[test]
    fn sizes_are_held_at_their_limits() {
        assert_eq!(size(0).ok(), Some(100));
        assert_eq!(size(1000).ok(), Some(1000));
        assert_eq!(size(1001).ok(), Some(1000));
        assert!(size(-1).is_err());
    }

    #[test]
    fn tokens_come_back_to_their_own_question_or_are_refused() {
        let of = |rule: &str| Query::of("ListFlags", &ListFlagsRequest { rule: rule.into(), ..ListFlagsRequest::default() });
        let token = of("OTHER_SCHOOL").token(&("一班".to_owned(), 7));
        assert_eq!(of("OTHER_SCHOOL").after::<(String, i32)>(&token).ok().flatten(), Some(("一班".to_owned(), 7)));
        assert!(of("NO_ENROLLMENT").after::<(String, i32)>(&token).is_err(), "another filter");
        assert!(Query::of("ListCauses", &ListFlagsRequest::default()).after::<(String, i32)>(&token).is_err(), "another list");
        for bad in ["%%%", "AAAA", "", &token[..10]] {
            assert_eq!(of("OTHER_SCHOOL").after::<(String, i32)>(bad).is_err(), !bad.is_empty(), "{bad}");
        }
    }
}

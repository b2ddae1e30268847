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

/// Where a page begins, and how many rows it has: after what a token stands for, or so many rows on where it is asked for by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn<K> {
    /// After this; none from the beginning on.
    pub after: Option<K>,
    /// So many rows on.
    pub skip: i64,
    /// So many rows.
    pub rows: i64,
    /// Whether it was asked for by its number: then the whole is counted.
    pub is_numbered: bool,
}

impl<K> Turn<K> {
    /// So many rows from the beginning on.
    pub fn first(rows: i64) -> Self {
        Self { after: None, skip: 0, rows, is_numbered: false }
    }
}

impl<K: DeserializeOwned> Turn<K> {
    /// The page that a request asks for by token or number.
    pub fn of(query: Query, token: &str, number: i32, rows: i32) -> Result<Self, Error> {
        let rows = size(rows)?;
        if number < 0 {
            return Err(Refusal::field("page_number", "应为1或以上的整数").into());
        }
        if number > 0 && !token.is_empty() {
            return Err(Refusal::field("page_token", "已用页码翻页，不能再用翻页标记").into());
        }
        let skip = i64::from(number.max(1) - 1).saturating_mul(rows);
        Ok(Self { after: query.after(token)?, skip, rows, is_numbered: number > 0 })
    }
}

impl<K> Turn<K> {
    /// The token for what follows the last of a page's rows; empty where that was the last page, or pages are numbered.
    pub fn next<R, L: Serialize>(&self, query: Query, page: &[R], key: impl FnOnce(&R) -> L) -> String {
        let is_full = i64::try_from(page.len()).unwrap_or(0) == self.rows;
        page.last().filter(|_| is_full && !self.is_numbered).map(|last| query.token(&key(last))).unwrap_or_default()
    }
}

/// A count as it is told.
pub fn told(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
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
    fn a_page_is_asked_for_by_token_or_by_number() {
        let query = Query::of("ListFlags", &ListFlagsRequest::default());
        let by_number: Turn<i32> = Turn::of(query, "", 3, 50).expect("a page");
        assert_eq!(by_number, Turn { after: None, skip: 100, rows: 50, is_numbered: true });
        assert_eq!(by_number.next(query, &[7; 50], |last| *last), "", "numbers need no token");
        let by_token: Turn<i32> = Turn::of(query, "", 0, 50).expect("a page");
        assert_eq!(by_token.next(query, &[7; 49], |last| *last), "");
        let token = by_token.next(query, &[7; 50], |last| *last);
        assert_eq!(Turn::of(query, &token, 0, 50).ok(), Some(Turn { after: Some(7), skip: 0, rows: 50, is_numbered: false }));
        assert!(Turn::<i32>::of(query, &token, 1, 50).is_err() && Turn::<i32>::of(query, "", -1, 50).is_err());
        assert!(Turn::<i32>::of(query, "", i32::MAX, 1000).is_ok(), "far behind the end is an empty page");
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

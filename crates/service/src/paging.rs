//! Opaque page tokens: where the last page ended, in a form that clients don't take apart.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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

/// A token for the last key of a page.
pub fn token<K: Serialize>(last: &K) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(last).unwrap_or_default())
}

/// The key that a token stands for; `None` for the first page.
pub fn after<K: DeserializeOwned>(token: &str) -> Result<Option<K>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    key.map(Some).ok_or_else(|| Refusal::field("page_token", "不是本系统给出的翻页标记").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_held_at_their_limits() {
        assert_eq!(size(0).ok(), Some(100));
        assert_eq!(size(1000).ok(), Some(1000));
        assert_eq!(size(1001).ok(), Some(1000));
        assert!(size(-1).is_err());
    }

    #[test]
    fn tokens_come_back_or_are_refused() {
        let token = token(&("一班".to_owned(), 7));
        assert_eq!(after::<(String, i32)>(&token).ok().flatten(), Some(("一班".to_owned(), 7)));
        assert!(after::<(String, i32)>("%%%").is_err());
        assert_eq!(after::<(String, i32)>("").ok().flatten(), None);
    }
}

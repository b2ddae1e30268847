//! Lists and bulk rows as one JSON parameter.

use serde::{Serialize, Serializer};
use uuid::Uuid;

/// Rows for a bulk statement: fields named as the statement's `table` names them.
pub fn json_rows<T: Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).expect("rows are plain structs with string keys")
}

/// A list of ids, for `in_uuids N`.
pub fn json_uuids(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut json = String::from("[");
    let mut buffer = Uuid::encode_buffer();
    for id in ids {
        if json.len() > 1 {
            json.push(',');
        }
        json.push('"');
        json.push_str(id.simple().encode_lower(&mut buffer));
        json.push('"');
    }
    json.push(']');
    json
}

/// A list of texts, for `in_texts N`.
pub fn json_texts<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| text.as_ref().to_owned()).collect();
    serde_json::to_string(&texts).expect("a list of strings")
}

/// An id inside a bulk row: `unhex` on SQLite and `::uuid` on PostgreSQL read it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hex(pub Uuid);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut buffer = Uuid::encode_buffer();
        serializer.serialize_str(self.0.simple().encode_lower(&mut buffer))
    }
}

/// Bytes inside a bulk row, as PostgreSQL writes them: `\x0123`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(2 + self.0.len() * 2);
        text.push_str("\\x");
        for byte in &self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        serializer.serialize_str(&text)
    }
}

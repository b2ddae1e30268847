//! Lists and bulk rows: on SQLite one JSON text, on PostgreSQL typed arrays.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sqlx::{Encode, Type, encode::IsNull, error::BoxDynError};
use sqlx_postgres::{PgArgumentBuffer, PgTypeInfo, Postgres};
use sqlx_sqlite::{Sqlite, SqliteArgumentsBuffer, SqliteTypeInfo};
use uuid::Uuid;

/// Rows for a bulk statement, with at least the fields that its `table` names.
pub fn bulk_rows<T: Serialize>(rows: &[T]) -> Rows<'_, T> {
    Rows { rows, json: OnceLock::new() }
}

/// A list of ids, for `in_uuids N`.
pub fn bulk_uuids(ids: impl IntoIterator<Item = Uuid>) -> Uuids {
    Uuids(ids.into_iter().collect())
}

/// A list of texts, for `in_texts N`.
pub fn bulk_texts<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Texts {
    Texts(texts.into_iter().map(|text| text.as_ref().to_owned()).collect())
}

/// Rows for a bulk statement. Several may share them, each with the columns that it names.
#[derive(Debug)]
pub struct Rows<'r, T> {
    pub(crate) rows: &'r [T],
    /// What SQLite gets, once it was asked for.
    json: OnceLock<Arc<str>>,
}

impl<T> Type<Sqlite> for Rows<'_, T> {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl<T: Serialize> Encode<'_, Sqlite> for Rows<'_, T> {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let json = self.json.get_or_init(|| serde_json::to_string(self.rows).expect("rows are plain structs with string keys").into());
        Encode::<Sqlite>::encode(Arc::clone(json), buffer)
    }
}

/// A list of ids.
#[derive(Debug, Clone)]
pub struct Uuids(Vec<Uuid>);

impl Uuids {
    fn json(&self) -> String {
        let mut json = String::with_capacity(self.0.len() * 35 + 2);
        let mut buffer = Uuid::encode_buffer();
        for id in &self.0 {
            json.push_str(if json.is_empty() { "[\"" } else { ",\"" });
            json.push_str(id.simple().encode_lower(&mut buffer));
            json.push('"');
        }
        json.push_str(if json.is_empty() { "[]" } else { "]" });
        json
    }
}

impl Type<Sqlite> for Uuids {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Uuids {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Sqlite>::encode(self.json(), buffer)
    }
}

impl Type<Postgres> for Uuids {
    fn type_info() -> PgTypeInfo {
        <Vec<Uuid> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Uuids {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0, buffer)
    }
}

/// A list of texts.
#[derive(Debug, Clone)]
pub struct Texts(Vec<String>);

impl Type<Sqlite> for Texts {
    fn type_info() -> SqliteTypeInfo {
        <str as Type<Sqlite>>::type_info()
    }
}

impl Encode<'_, Sqlite> for Texts {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        let json = serde_json::to_string(&self.0).expect("a list of strings");
        Encode::<Sqlite>::encode(json, buffer)
    }
}

impl Type<Postgres> for Texts {
    fn type_info() -> PgTypeInfo {
        <Vec<String> as Type<Postgres>>::type_info()
    }
}

impl Encode<'_, Postgres> for Texts {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode_by_ref(&self.0, buffer)
    }
}

/// An id inside a bulk row: in JSON as `unhex` of SQLite reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Hex(pub Uuid);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Uuid::deserialize(deserializer).map(Self)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(self.0.as_bytes());
        }
        let mut buffer = Uuid::encode_buffer();
        serializer.serialize_str(self.0.simple().encode_lower(&mut buffer))
    }
}

/// Bytes inside a bulk row: in JSON as `unhex` of SQLite reads them.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::Type)]
#[sqlx(transparent)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = |pair: &[u8]| Some(digit(pair.first()?)? << 4 | digit(pair.get(1)?)?);
        let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("bytes are pairs of hexadecimal digits"))
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_bytes(&self.0);
        }
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = String::with_capacity(self.0.len() * 2);
        for byte in &self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        serializer.serialize_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_bulk_row_holds_is_read_as_it_was_written() {
        let (id, bytes) = (Hex(Uuid::from_u128(0x0123_4567_89ab_cdef)), Bytes(vec![0, 1, 0xab, 0xff]));
        let text = serde_json::to_string(&(id, &bytes)).expect("is written");
        assert_eq!(serde_json::from_str::<(Hex, Bytes)>(&text).expect("is read"), (id, bytes));
        for wrong in ["\"abc\"", "\"zz\"", "[1]"] {
            assert!(serde_json::from_str::<Bytes>(wrong).is_err(), "{wrong}");
        }
    }
}

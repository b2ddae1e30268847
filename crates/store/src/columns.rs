//! Rows, taken apart into typed columns.

use std::fmt::Display;

use chrono::NaiveDate;
use serde::{
    Serialize, Serializer,
    ser::{Impossible, SerializeStruct},
};
use sqlx::{Arguments as _, error::BoxDynError};
use sqlx_postgres::PgArguments;
use uuid::Uuid;

use crate::statement::{Column, Kind};

/// Why rows don't fit their table: a fault of the statement or of the struct, not of what was typed.
#[derive(Debug, thiserror::Error)]
#[error("rows don't fit their table: {0}")]
pub struct Unfit(String);

impl serde::ser::Error for Unfit {
    fn custom<T: Display>(why: T) -> Self {
        Self(why.to_string())
    }
}

/// The values of one column; `None` is NULL.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Uuid(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Integer(Vec<Option<i32>>),
    Bigint(Vec<Option<i64>>),
    Boolean(Vec<Option<bool>>),
    Date(Vec<Option<NaiveDate>>),
    Bytea(Vec<Option<Vec<u8>>>),
}

impl Values {
    fn with_room(kind: Kind, rows: usize) -> Self {
        match kind {
            Kind::Uuid => Self::Uuid(Vec::with_capacity(rows)),
            Kind::Text => Self::Text(Vec::with_capacity(rows)),
            Kind::Integer => Self::Integer(Vec::with_capacity(rows)),
            Kind::Bigint => Self::Bigint(Vec::with_capacity(rows)),
            Kind::Boolean => Self::Boolean(Vec::with_capacity(rows)),
            Kind::Date => Self::Date(Vec::with_capacity(rows)),
            Kind::Bytea => Self::Bytea(Vec::with_capacity(rows)),
        }
    }

    fn push(&mut self, value: Option<Value>) -> Result<(), Unfit> {
        match self {
            Self::Uuid(values) => values.push(value.map(Value::uuid).transpose()?),
            Self::Text(values) => values.push(value.map(Value::text).transpose()?),
            Self::Integer(values) => values.push(value.map(Value::integer).transpose()?),
            Self::Bigint(values) => values.push(value.map(Value::bigint).transpose()?),
            Self::Boolean(values) => values.push(value.map(Value::boolean).transpose()?),
            Self::Date(values) => values.push(value.map(Value::date).transpose()?),
            Self::Bytea(values) => values.push(value.map(Value::bytea).transpose()?),
        }
        Ok(())
    }

    fn len(&self) -> usize {
        match self {
            Self::Uuid(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Integer(values) => values.len(),
            Self::Bigint(values) => values.len(),
            Self::Boolean(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Bytea(values) => values.len(),
        }
    }

    /// Adds them as one array.
    pub fn bind(self, arguments: &mut PgArguments) -> Result<(), BoxDynError> {
        match self {
            Self::Uuid(values) => arguments.add(values),
            Self::Text(values) => arguments.add(values),
            Self::Integer(values) => arguments.add(values),
            Self::Bigint(values) => arguments.add(values),
            Self::Boolean(values) => arguments.add(values),
            Self::Date(values) => arguments.add(values),
            Self::Bytea(values) => arguments.add(values),
        }
    }
}

/// A field's value, as it says itself.
#[derive(Debug, Clone, Copy)]
enum Value<'v> {
    Boolean(bool),
    Number(i64),
    Text(&'v str),
    Bytes(&'v [u8]),
}

impl Value<'_> {
    fn uuid(self) -> Result<Uuid, Unfit> {
        let found = match self {
            Self::Bytes(bytes) => Uuid::from_slice(bytes).ok(),
            Self::Text(text) => Uuid::try_parse(text).ok(),
            _ => None,
        };
        found.ok_or_else(|| unfit("is no uuid"))
    }

    fn text(self) -> Result<String, Unfit> {
        if let Self::Text(text) = self { Ok(text.to_owned()) } else { Err(unfit("is no text")) }
    }

    fn integer(self) -> Result<i32, Unfit> {
        self.bigint()?.try_into().map_err(|_| unfit("is no integer: bigint is wider"))
    }

    fn bigint(self) -> Result<i64, Unfit> {
        if let Self::Number(number) = self { Ok(number) } else { Err(unfit("is no number")) }
    }

    fn boolean(self) -> Result<bool, Unfit> {
        if let Self::Boolean(boolean) = self { Ok(boolean) } else { Err(unfit("is no boolean")) }
    }

    fn date(self) -> Result<NaiveDate, Unfit> {
        let found = if let Self::Text(text) = self { text.parse().ok() } else { None };
        found.ok_or_else(|| unfit("is no date"))
    }

    fn bytea(self) -> Result<Vec<u8>, Unfit> {
        if let Self::Bytes(bytes) = self { Ok(bytes.to_vec()) } else { Err(unfit("is no bytes")) }
    }
}

/// A value is never said: it may be personal.
fn unfit(why: &str) -> Unfit {
    Unfit(why.to_owned())
}

/// Takes from rows the fields that are columns, by name, whatever else they hold.
pub fn take<T: Serialize>(rows: &[T], columns: &'static [Column]) -> Result<Vec<Values>, Unfit> {
    let values = columns.iter().map(|column| Values::with_room(column.kind, rows.len())).collect();
    let mut taken = Taken { columns, values, next: 0 };
    for row in rows {
        row.serialize(Taker { taken: &mut taken, column: None })?;
    }
    match columns.iter().zip(&taken.values).find(|(_, values)| values.len() != rows.len()) {
        Some((column, _)) => Err(Unfit(format!("they lack {}", column.name))),
        None => Ok(taken.values),
    }
}

/// What was taken so far.
struct Taken {
    columns: &'static [Column],
    values: Vec<Values>,
    /// Where the next field probably goes: structs and tables mostly name them in one order.
    next: usize,
}

impl Taken {
    fn position(&mut self, name: &str) -> Option<usize> {
        let is = |at: &usize| self.columns[*at].name == name;
        let found = (self.next..self.columns.len()).find(is).or_else(|| (0..self.next).find(is))?;
        self.next = found + 1;
        Some(found)
    }
}

/// Takes a row, or within it the value of a column.
struct Taker<'t> {
    taken: &'t mut Taken,
    column: Option<usize>,
}

impl Taker<'_> {
    fn put(self, value: Option<Value>) -> Result<(), Unfit> {
        let column = self.column.ok_or_else(|| unfit("a row is a struct"))?;
        self.taken.values[column].push(value).map_err(|Unfit(why)| Unfit(format!("{} {why}", self.taken.columns[column].name)))
    }
}

impl SerializeStruct for Taker<'_> {
    type Ok = ();
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), Unfit> {
        let Some(column) = self.taken.position(key) else { return Ok(()) };
        value.serialize(Taker { taken: self.taken, column: Some(column) })
    }

    fn end(self) -> Result<(), Unfit> {
        Ok(())
    }
}

/// Methods that put a number.
macro_rules! numbers {
    ($($method:ident $kind:ty),*) => {
        $(fn $method(self, number: $kind) -> Result<(), Unfit> {
            let number = i64::try_from(number).map_err(|_| unfit("a number is too great"))?;
            self.put(Some(Value::Number(number)))
        })*
    };
}

impl Serializer for Taker<'_> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Impossible<(), Unfit>;
    type SerializeTuple = Impossible<(), Unfit>;
    type SerializeTupleStruct = Impossible<(), Unfit>;
    type SerializeTupleVariant = Impossible<(), Unfit>;
    type SerializeMap = Impossible<(), Unfit>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), Unfit>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        if self.column.is_none() { Ok(self) } else { Err(unfit("a field is a struct")) }
    }

    numbers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32, serialize_u64 u64);

    fn serialize_bool(self, boolean: bool) -> Result<(), Unfit> {
        self.put(Some(Value::Boolean(boolean)))
    }

    fn serialize_str(self, text: &str) -> Result<(), Unfit> {
        self.put(Some(Value::Text(text)))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Unfit> {
        self.put(Some(Value::Bytes(bytes)))
    }

    fn serialize_none(self) -> Result<(), Unfit> {
        self.put(None)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unfit> {
        self.serialize_str(variant)
    }

    fn serialize_char(self, _: char) -> Result<(), Unfit> {
        Err(unfit("a field is a character"))
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unfit> {
        Err(unfit("a field is a fraction"))
    }

    fn serialize_f64(self, _: f64) -> Result<(), Unfit> {
        Err(unfit("a field is a fraction"))
    }

    fn serialize_unit(self) -> Result<(), Unfit> {
        Err(unfit("a field is empty"))
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        Err(unfit("a field is empty"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Result<(), Unfit> {
        Err(unfit("a field is a variant that holds something"))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Unfit> {
        Err(unfit("a field is a list"))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unfit> {
        Err(unfit("a row or a field is a tuple"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Unfit> {
        Err(unfit("a row or a field is a tuple"))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(unfit("a field is a variant that holds something"))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        Err(unfit("a row or a field is a map"))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, _: &'static str, _: usize) -> Result<Self::SerializeStructVariant, Unfit> {
        Err(unfit("a field is a variant that holds something"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    enum State {
        Open,
    }

    #[derive(Serialize)]
    struct Wrapped(Option<u32>);

    #[derive(Serialize)]
    struct Row<'a> {
        state: State,
        count: Wrapped,
        name: &'a str,
        share: f64,
    }

    const fn column(name: &'static str, kind: Kind) -> Column {
        Column { name, kind }
    }

    const ROWS: [Row; 2] =
        [Row { state: State::Open, count: Wrapped(Some(7)), name: "a", share: 0.5 }, Row { state: State::Open, count: Wrapped(None), name: "b", share: 0.5 }];

    #[test]
    fn columns_come_in_their_own_order_whatever_the_rows_hold() {
        let taken = take(&ROWS, &const { [column("name", Kind::Text), column("count", Kind::Bigint), column("state", Kind::Text)] }).expect("fit");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(taken, [Values::Text(vec![text("a"), text("b")]), Values::Bigint(vec![Some(7), None]), Values::Text(vec![text("Open"), text("Open")])]);
    }

    #[test]
    fn what_no_column_holds_is_refused() {
        let why = |columns| take(&ROWS, columns).expect_err("is refused").to_string();
        assert!(why(&const { [column("name", Kind::Boolean)] }).ends_with("name is no boolean"));
        assert!(why(&const { [column("name", Kind::Date)] }).ends_with("name is no date"));
        assert!(why(&const { [column("name", Kind::Bytea)] }).ends_with("name is no bytes"));
        assert!(why(&const { [column("count", Kind::Text)] }).ends_with("count is no text"));
        assert!(why(&const { [column("share", Kind::Bigint)] }).ends_with("a field is a fraction"));
        assert!(take(&[1, 2], &const { [column("name", Kind::Text)] }).expect_err("is refused").to_string().ends_with("a row is a struct"));
        assert!(take(&[u64::MAX].map(|count| Great { count }), &const { [column("count", Kind::Bigint)] }).is_err());
    }

    #[derive(Serialize)]
    struct Great {
        count: u64,
    }
}

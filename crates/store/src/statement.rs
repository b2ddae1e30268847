//! A statement, as each engine takes it: on PostgreSQL bulk rows are one array a column, numbered before anything runs.
//!
//! A row parameter is one number in the statement and as many arrays as its table has columns: the first has that number, the others come after
//! all numbers that the statement says itself.

/// Two texts that answer the same.
#[derive(Debug, Clone, Copy)]
pub struct Each {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL.
    pub postgres: &'static str,
    parts: &'static [Part],
}

impl Each {
    /// The two texts, and what that for PostgreSQL was written from.
    pub const fn new(sqlite: &'static str, postgres: &'static str, parts: &'static [Part]) -> Self {
        Self { sqlite, postgres, parts }
    }

    /// Whether bulk rows are among its parameters.
    pub(crate) fn has_tables(self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Table(_)))
    }

    /// The highest number that it says itself.
    pub(crate) fn parameters(self) -> usize {
        parameters(self.parts)
    }

    /// Columns of the rows that a parameter stands for, and the number of the second.
    pub(crate) fn table(self, parameter: usize) -> Option<(&'static [Column], usize)> {
        let table = self.parts.iter().find_map(|part| match part {
            Part::Table(table) if table.parameter == parameter => Some(table),
            _ => None,
        })?;
        Some((table.columns, second(self.parts, parameter)))
    }
}

impl From<&'static str> for Each {
    fn from(text: &'static str) -> Self {
        Self::new(text, text, &[])
    }
}

/// A part of a statement for PostgreSQL.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// As it stands.
    Text(&'static str),
    /// Bulk rows.
    Table(Table),
}

/// Bulk rows that a parameter stands for.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its number.
    pub parameter: usize,
    /// At least one.
    pub columns: &'static [Column],
}

/// A column of bulk rows.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name, and that of the rows' field.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// What a column of bulk rows holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 16 bytes.
    Uuid,
    /// A text.
    Text,
    /// 32 bits.
    Integer,
    /// 64 bits.
    Bigint,
    /// True or false.
    Boolean,
    /// A civil day.
    Date,
    /// Bytes.
    Bytea,
}

impl Kind {
    /// The type of an array of it.
    const fn array(self) -> &'static str {
        match self {
            Self::Uuid => "uuid[]",
            Self::Text => "text[]",
            Self::Integer => "integer[]",
            Self::Bigint => "bigint[]",
            Self::Boolean => "boolean[]",
            Self::Date => "date[]",
            Self::Bytea => "bytea[]",
        }
    }
}

/// Bytes of the text for PostgreSQL.
pub const fn length(parts: &[Part]) -> usize {
    written::<0>(parts).length
}

/// The text for PostgreSQL, of [`length`] bytes.
pub const fn write<const LENGTH: usize>(parts: &[Part]) -> [u8; LENGTH] {
    written::<LENGTH>(parts).bytes
}

/// What [`write`] wrote.
pub const fn text(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(_) => panic!("whole texts were written one after another"),
    }
}

const fn written<const ROOM: usize>(parts: &[Part]) -> Text<ROOM> {
    let mut text = Text { bytes: [0; ROOM], length: 0 };
    let mut at = 0;
    while at < parts.len() {
        match parts[at] {
            Part::Text(part) => text.push(part),
            Part::Table(table) => text.push_table(table, second(parts, table.parameter)),
        }
        at += 1;
    }
    text
}

/// A text that grows; what it has no room for is only counted.
struct Text<const ROOM: usize> {
    bytes: [u8; ROOM],
    length: usize,
}

impl<const ROOM: usize> Text<ROOM> {
    const fn push(&mut self, part: &str) {
        let mut at = 0;
        while at < part.len() {
            self.push_byte(part.as_bytes()[at]);
            at += 1;
        }
    }

    const fn push_byte(&mut self, byte: u8) {
        if self.length < ROOM {
            self.bytes[self.length] = byte;
        }
        self.length += 1;
    }

    const fn push_number(&mut self, number: usize) {
        if number > 9 {
            self.push_number(number / 10);
        }
        self.push_byte(b"0123456789"[number % 10]);
    }

    const fn push_table(&mut self, table: Table, second: usize) {
        let mut at = 0;
        while at < table.columns.len() {
            self.push(if at == 0 { "unnest($" } else { ", $" });
            self.push_number(if at == 0 { table.parameter } else { second + at - 1 });
            self.push("::");
            self.push(table.columns[at].kind.array());
            at += 1;
        }
        at = 0;
        while at < table.columns.len() {
            self.push(if at == 0 { ") AS t(" } else { ", " });
            self.push(table.columns[at].name);
            at += 1;
        }
        self.push(")");
    }
}

/// The highest number that a statement says itself. A `$` in quotes is none.
const fn parameters(parts: &[Part]) -> usize {
    let (mut highest, mut quoted, mut part) = (0, false, 0);
    while part < parts.len() {
        match parts[part] {
            Part::Table(table) => highest = max(highest, table.parameter),
            Part::Text(text) => {
                let (bytes, mut at) = (text.as_bytes(), 0);
                while at < bytes.len() {
                    match bytes[at] {
                        b'\'' => quoted = !quoted,
                        b'$' if !quoted => highest = max(highest, number(bytes, at + 1)),
                        _ => {}
                    }
                    at += 1;
                }
            }
        }
        part += 1;
    }
    highest
}

/// The number that begins at a byte; 0 where none does.
const fn number(bytes: &[u8], mut at: usize) -> usize {
    let mut number = 0;
    while at < bytes.len() && bytes[at].is_ascii_digit() {
        number = number * 10 + (bytes[at] - b'0') as usize;
        at += 1;
    }
    number
}

/// The number of the second column of a table: after all that the statement says itself, and the tables before.
const fn second(parts: &[Part], parameter: usize) -> usize {
    let (mut next, mut found, mut at) = (parameters(parts) + 1, None, 0);
    while at < parts.len() {
        if let Part::Table(table) = parts[at] {
            if table.parameter == parameter {
                assert!(found.is_none(), "a parameter is one table: bind the rows again");
                found = Some(next);
            }
            next += table.columns.len() - 1;
        }
        at += 1;
    }
    found.expect("the table is one of the statement's")
}

const fn max(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}

#[cfg(test)]
mod tests {
    use crate::sql;

    #[test]
    fn columns_are_numbered_after_all_that_the_statement_says() {
        let each = sql!("SELECT $3, t.id FROM " table 1 (id uuid, name text, day date) " WHERE t.id <> $12 AND t.name <> 'it''s $99' AND x" in_uuids 2);
        assert_eq!(
            each.postgres,
            "SELECT $3, t.id FROM unnest($1::uuid[], $13::text[], $14::date[]) AS t(id, name, day) WHERE t.id <> $12 AND t.name <> 'it''s $99' \
             AND x = ANY(ARRAY(SELECT value FROM unnest($2::uuid[]) AS value))"
        );
        assert_eq!(
            each.sqlite,
            "SELECT $3, t.id FROM (SELECT 0 AS no_column, unhex(value->>'id') AS id, value->>'name' AS name, value->>'day' AS day FROM json_each($1)) AS t \
             WHERE t.id <> $12 AND t.name <> 'it''s $99' AND x IN (SELECT unhex(value) FROM json_each($2))"
        );
        assert_eq!(each.parameters(), 12);
    }

    #[test]
    fn each_table_has_numbers_of_its_own() {
        let each = sql!(table 2 (a bigint, b boolean) " " table 10 (c bytea) " " table 1 (d integer, e text, f text));
        assert_eq!(
            each.postgres,
            "unnest($2::bigint[], $11::boolean[]) AS t(a, b) unnest($10::bytea[]) AS t(c) unnest($1::integer[], $12::text[], $13::text[]) AS t(d, e, f)"
        );
        let second = |parameter| each.table(parameter).map(|(columns, second)| (columns.len(), second));
        assert_eq!([1, 2, 3, 10].map(second), [Some((3, 12)), Some((2, 11)), None, Some((1, 12))]);
    }

    #[test]
    fn what_has_no_rows_stays_as_it_was_written() {
        let each = sql!("SELECT 学籍 FROM a WHERE b = '$5' AND c = $1" only(sqlite "", postgres " FOR UPDATE"));
        assert_eq!((each.sqlite, each.postgres), ("SELECT 学籍 FROM a WHERE b = '$5' AND c = $1", "SELECT 学籍 FROM a WHERE b = '$5' AND c = $1 FOR UPDATE"));
        assert!(!each.has_tables());
    }
}

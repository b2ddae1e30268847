//! Tables of facts as text: CSV under a header, read whole or refused with line and column.
//!
//! What a table means is said by the module whose it is ([`crate::region`], [`crate::majors`], [`crate::calendar`]).

/// Why a table was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct Fault {
    /// Which line, from 1.
    pub line: u64,
    /// Which column, by its header.
    pub column: String,
    /// Why.
    pub why: String,
}

/// A line of a table.
pub struct Line {
    /// Which, from 1.
    pub number: u64,
    fields: Vec<(&'static str, String)>,
}

impl Line {
    /// What a column says, without blanks around it; empty where it says nothing.
    pub fn get(&self, column: &'static str) -> &str {
        self.fields.iter().find(|(known, _)| *known == column).map_or("", |(_, value)| value)
    }

    /// A fault of a column.
    pub fn fault(&self, column: &str, why: impl Into<String>) -> Fault {
        Fault { line: self.number, column: column.to_owned(), why: why.into() }
    }

    /// What a column says, which must be digits of one length.
    pub fn digits(&self, column: &'static str, length: usize) -> Result<&str, Fault> {
        let value = self.get(column);
        if value.len() == length && value.bytes().all(|b| b.is_ascii_digit()) {
            Ok(value)
        } else {
            Err(self.fault(column, format!("must be {length} digits, not {value:?}")))
        }
    }

    /// What a column says, which must be something.
    pub fn text(&self, column: &'static str) -> Result<&str, Fault> {
        let value = self.get(column);
        if value.is_empty() { Err(self.fault(column, "is empty")) } else { Ok(value) }
    }

    /// A year, where the column says one.
    pub fn year(&self, column: &'static str) -> Result<Option<i32>, Fault> {
        if self.get(column).is_empty() { Ok(None) } else { Ok(self.digits(column, 4)?.parse().ok()) }
    }

    /// `y` or `n`.
    pub fn flag(&self, column: &'static str) -> Result<bool, Fault> {
        match self.get(column) {
            "y" => Ok(true),
            "n" => Ok(false),
            other => Err(self.fault(column, format!("must be y or n, not {other:?}"))),
        }
    }
}

/// Reads a table that has exactly these columns, in whatever order.
pub fn read(text: &str, columns: &[&'static str]) -> Result<Vec<Line>, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let at = |error: &csv::Error| Fault { line: error.position().map_or(0, csv::Position::line), column: String::new(), why: error.to_string() };
    let header = reader.headers().map_err(|error| at(&error))?.clone();
    let heading = |why: String, column: &str| Fault { line: 1, column: column.to_owned(), why };
    if let Some(missing) = columns.iter().find(|column| !header.iter().any(|known| known == **column)) {
        return Err(heading(format!("is missing; the header is {}", columns.join(",")), missing));
    }
    let mut places: Vec<&'static str> = Vec::with_capacity(header.len());
    for named in &header {
        match columns.iter().find(|column| **column == named) {
            Some(column) if !places.contains(column) => places.push(column),
            Some(column) => return Err(heading("stands there twice".into(), column)),
            None => return Err(heading(format!("is not known; the header is {}", columns.join(",")), named)),
        }
    }
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| at(&error))?;
        let number = record.position().map_or(0, csv::Position::line);
        lines.push(Line { number, fields: places.iter().copied().zip(record.iter().map(str::to_owned)).collect() });
    }
    Ok(lines)
}

/// Texts of tables live as long as the program: they are read once, when it starts.
pub(crate) fn keep(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_line_and_column() {
        let told = |text: &str| read(text, &["code", "name"]).map(|lines| lines.len()).map_err(|fault| (fault.line, fault.column));
        assert_eq!(told("code,name\n1,a\n2,b\n"), Ok(2));
        assert_eq!(told("\u{feff}name,code\r\na,1\r\n"), Ok(1), "columns in another order, as other programs write them");
        assert_eq!(told("code\n1\n"), Err((1, "name".into())));
        assert_eq!(told("code,name,nmae\n1,a,b\n"), Err((1, "nmae".into())));
        assert_eq!(told("code,code,name\n1,1,a\n"), Err((1, "code".into())));
        assert_eq!(told("code,name\n1,a\n2\n"), Err((3, String::new())), "a field too few");
        let lines = read("code,name\n1,a\n12, \n", &["code", "name"]).unwrap_or_default();
        assert_eq!(lines[0].digits("code", 2).map_err(|fault| fault.line), Err(2));
        assert_eq!(lines[1].digits("code", 2).map_err(|fault| fault.line), Ok("12"));
        assert_eq!(lines[1].text("name").map_err(|fault| (fault.line, fault.column)), Err((3, "name".into())));
    }
}

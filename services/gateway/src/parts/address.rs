//! An address of ours: a path, and what it asks. Nothing personal stands in one: links are kept, handed on and logged.

use std::fmt;

/// A path with its query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Address {
    path: String,
    query: Vec<(String, String)>,
    /// The place on the page; empty for its beginning.
    place: &'static str,
}

impl Address {
    /// A path that asks nothing.
    pub fn of(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// An address as it was written; none that leads away from here.
    pub fn own(text: &str) -> Option<Self> {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let is_own = path.starts_with('/') && !path.starts_with("//") && path.chars().all(|c| c.is_ascii_graphic() && c != '\\');
        is_own.then(|| Self { path: path.to_owned(), query: serde_urlencoded::from_str(query).unwrap_or_default(), place: "" })
    }

    /// With something asked; instead of what was asked by that name, and not at all where nothing is.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.retain(|(known, _)| known != name);
        let value = value.into();
        if !value.is_empty() {
            self.query.push((name.to_owned(), value));
        }
        self
    }

    /// Without what is asked by a name.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        self.with(name, "")
    }

    /// At a place on the page, by its id.
    #[must_use]
    pub fn on(self, place: &'static str) -> Self {
        Self { place, ..self }
    }

    /// The path alone.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is asked.
    pub fn query(&self) -> &[(String, String)] {
        &self.query
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.path)?;
        if !self.query.is_empty() {
            let query = serde_urlencoded::to_string(&self.query).map_err(|_| fmt::Error)?;
            write!(out, "?{query}")?;
        }
        if self.place.is_empty() { Ok(()) } else { write!(out, "#{}", self.place) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_asked_once_and_leads_nowhere_else() {
        let list = Address::of("/students").with("class", "1班").with("state", "").with("class", "2 班&x");
        assert_eq!(list.to_string(), "/students?class=2+%E7%8F%AD%26x");
        assert_eq!(Address::own(&list.to_string()), Some(list.clone()));
        assert_eq!(list.without("class").to_string(), "/students");
        for away in ["", "students", "//evil.example/", "/\\evil.example", "https://evil.example/", "/a\nb", "/学生", "javascript:alert(1)"] {
            assert_eq!(Address::own(away), None, "{away}");
        }
    }
}

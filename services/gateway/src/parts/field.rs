//! A field of a form: its label bound to it, what it holds, what is wrong with it said beside it.

use std::borrow::Cow;

use super::Note;

/// One of several values.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub text: String,
}

impl Choice {
    /// A value with its words.
    pub fn of(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self { value: value.into(), text: text.into() }
    }
}

/// How a field is filled in.
#[derive(Debug, Clone)]
pub enum Control {
    /// A line.
    Line,
    /// Several lines.
    Lines,
    /// A day, as people type it.
    Day,
    /// A number, to be typed.
    Number,
    /// A password.
    Password,
    /// One of some, from a list.
    Choice(Vec<Choice>),
    /// One of some, all of them in sight.
    Radios(Vec<Choice>),
    /// Any of some.
    Ticks(Vec<Choice>),
    /// Yes or no: what it says is its label.
    Tick,
    /// A line, with what is proposed while it is typed.
    Picked(Vec<String>),
    /// A file, of these kinds.
    File(&'static str),
    /// Nothing to be seen.
    Hidden,
    /// Nothing to be seen; what narrows what the form is about, so that it comes back with it.
    Kept,
}

/// A field.
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name in the form.
    pub name: Cow<'static, str>,
    /// As a service calls it, where that is another name.
    pub known_as: &'static str,
    /// What it is called.
    pub label: String,
    /// How it is filled in.
    pub control: Control,
    /// What it holds.
    pub values: Vec<String>,
    /// How to fill it in.
    pub hint: String,
    /// What is wrong with it.
    pub error: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// Characters that it takes, where that is limited.
    pub limit: Option<u16>,
    /// What the browser may fill in.
    pub autocomplete: &'static str,
    /// Whether it takes the whole width.
    pub wide: bool,
    /// Whether it holds a text of many lines, as it is laid out.
    pub tall: bool,
}

impl Field {
    fn of(name: impl Into<Cow<'static, str>>, control: Control) -> Self {
        Self {
            name: name.into(),
            known_as: "",
            label: String::new(),
            control,
            values: Vec::new(),
            hint: String::new(),
            error: String::new(),
            required: false,
            limit: None,
            autocomplete: "",
            wide: false,
            tall: false,
        }
    }

    /// A line.
    pub fn line(name: impl Into<Cow<'static, str>>) -> Self {
        Self::of(name, Control::Line)
    }

    /// Several lines.
    pub fn lines(name: impl Into<Cow<'static, str>>) -> Self {
        Self { wide: true, ..Self::of(name, Control::Lines) }
    }

    /// A text of many lines, whose layout counts.
    pub fn text(name: impl Into<Cow<'static, str>>) -> Self {
        Self { tall: true, ..Self::lines(name) }
    }

    /// A day.
    pub fn day(name: impl Into<Cow<'static, str>>) -> Self {
        Self { hint: "如 2026-09-01、2026.9.1 或 20260901".to_owned(), ..Self::of(name, Control::Day) }
    }

    /// A number.
    pub fn number(name: impl Into<Cow<'static, str>>) -> Self {
        Self::of(name, Control::Number)
    }

    /// A password.
    pub fn password(name: impl Into<Cow<'static, str>>, autocomplete: &'static str) -> Self {
        Self { autocomplete, required: true, ..Self::of(name, Control::Password) }
    }

    /// One of some.
    pub fn choice(name: impl Into<Cow<'static, str>>, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self::of(name, Control::Choice(choices.into_iter().collect()))
    }

    /// One of some, or all: what narrows a list.
    pub fn narrows(name: impl Into<Cow<'static, str>>, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self::choice(name, std::iter::once(Choice::of("", "全部")).chain(choices))
    }

    /// One of some, all of them in sight.
    pub fn radios(name: impl Into<Cow<'static, str>>, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self { wide: true, ..Self::of(name, Control::Radios(choices.into_iter().collect())) }
    }

    /// Any of some.
    pub fn ticks(name: impl Into<Cow<'static, str>>, choices: impl IntoIterator<Item = Choice>) -> Self {
        Self { wide: true, ..Self::of(name, Control::Ticks(choices.into_iter().collect())) }
    }

    /// Yes or no.
    pub fn tick(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::of(name, Control::Tick) }
    }

    /// A line, with what is proposed.
    pub fn picked(name: impl Into<Cow<'static, str>>, proposed: impl IntoIterator<Item = String>) -> Self {
        Self::of(name, Control::Picked(proposed.into_iter().collect()))
    }

    /// A file.
    pub fn file(name: impl Into<Cow<'static, str>>, kinds: &'static str) -> Self {
        Self { required: true, ..Self::of(name, Control::File(kinds)) }
    }

    /// What goes with it unseen.
    pub fn hidden(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { values: vec![value.into()], ..Self::of(name, Control::Hidden) }
    }

    /// What narrows what the form is about, unseen.
    pub fn kept(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self { values: vec![value.into()], ..Self::of(name, Control::Kept) }
    }

    /// Called otherwise than the protos call it.
    #[must_use]
    pub fn called(self, label: impl Into<String>) -> Self {
        Self { label: label.into(), ..self }
    }

    /// As the service knows it.
    #[must_use]
    pub fn known_as(self, known_as: &'static str) -> Self {
        Self { known_as, ..self }
    }

    /// What it holds.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        let value = value.into();
        self.values = if value.is_empty() { Vec::new() } else { vec![value] };
        self
    }

    /// What is ticked.
    #[must_use]
    pub fn values(self, values: impl IntoIterator<Item = String>) -> Self {
        Self { values: values.into_iter().collect(), ..self }
    }

    /// How to fill it in.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// It must be filled in.
    #[must_use]
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// Characters that it takes.
    #[must_use]
    pub fn limit(self, limit: u16) -> Self {
        Self { limit: Some(limit), ..self }
    }

    /// It takes the whole width.
    #[must_use]
    pub fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// What it holds, where it holds one thing.
    pub fn held(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// Whether a value is chosen or ticked.
    pub fn holds(&self, value: &str) -> bool {
        self.values.iter().any(|held| held == value) || self.values.is_empty() && value.is_empty()
    }

    /// Whether nothing of it is to be seen.
    pub fn is_hidden(&self) -> bool {
        matches!(self.control, Control::Hidden | Control::Kept)
    }

    /// Whether what was typed into it may be given back: not a password, and no browser takes a file back.
    pub fn comes_back(&self) -> bool {
        !matches!(self.control, Control::Password | Control::File(_) | Control::Hidden)
    }
}

/// What stands in a form besides fields.
#[derive(Debug, Clone)]
pub enum Line {
    /// A field.
    Field(Field),
    /// Something to know.
    Note(Note),
    /// Something said.
    Text(String),
    /// What the fields that follow are about.
    Group(String),
}

/// What a blank says where a number or yes or no is asked: nothing.
pub fn blank_is_none<'de, D: serde::Deserializer<'de>, T: std::str::FromStr + Default>(typed: D) -> Result<T, D::Error> {
    Ok(<String as serde::Deserialize>::deserialize(typed)?.trim().parse().unwrap_or_default())
}

/// A day as people type it, as services read it; what is none stays as it was typed, and is told so.
pub fn typed_day<'de, D: serde::Deserializer<'de>>(typed: D) -> Result<String, D::Error> {
    Ok(self::typed(&<String as serde::Deserialize>::deserialize(typed)?))
}

/// The same of a text.
pub fn typed(day: &str) -> String {
    let plain = xuezhu_domain::text::clean_date(day);
    if plain.len() == 8 && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{}-{}-{}", &plain[..4], &plain[4..6], &plain[6..])
    } else {
        day.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Filled {
        #[serde(deserialize_with = "typed_day")]
        day: String,
    }

    #[test]
    fn days_are_read_as_people_type_them() {
        for (typed, read) in [
            ("2026-09-01", "2026-09-01"),
            ("20260901", "2026-09-01"),
            ("2026.9.1", "2026-09-01"),
            ("2026/9/1", "2026-09-01"),
            ("2026年9月1日", "2026-09-01"),
            (" 2026-9-1 ", "2026-09-01"),
            ("明天", "明天"),
            ("", ""),
        ] {
            let filled: Filled = serde_urlencoded::from_str(&serde_urlencoded::to_string([("day", typed)]).expect("writes")).expect("reads");
            assert_eq!(filled.day, read, "{typed}");
        }
    }
}

//! Something that can be done: what it is, what it means, its form.

use askama::{Template, filters::HtmlSafe};

use super::Form;

/// Something that can be done.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/act.html")]
pub struct Act {
    title: String,
    says: String,
    forms: Vec<Form>,
}

impl HtmlSafe for Act {}

impl Act {
    /// By its form.
    pub fn of(title: impl Into<String>, form: Form) -> Self {
        Self { title: title.into(), says: String::new(), forms: vec![form] }
    }

    /// What it means.
    #[must_use]
    pub fn says(self, says: impl Into<String>) -> Self {
        Self { says: says.into(), ..self }
    }

    /// What came back by a name: what a table's ticks held.
    pub fn back_of(&self, name: &str) -> Option<Vec<String>> {
        self.forms.iter().find_map(|form| form.back_of(name))
    }

    /// Or by another form.
    #[must_use]
    pub fn or(mut self, form: Form) -> Self {
        self.forms.push(form);
        self
    }
}

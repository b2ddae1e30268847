//! What happened, in its order: what, when, by whom, and what was said.

use askama::{Template, filters::HtmlSafe};

/// Something that happened.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// What.
    pub what: String,
    /// When.
    pub when: String,
    /// By whom.
    pub who: String,
    /// What goes with it, such as months and money.
    pub beside: String,
    /// What was said.
    pub text: String,
}

/// Everything that happened.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/steps.html")]
pub struct Steps(pub Vec<Step>);

impl HtmlSafe for Steps {}

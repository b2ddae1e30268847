//! A form: what is filled in and sent, under a request id of its own, so that sent twice it counts once. It knows the page on which it stands:
//! refused, it comes back there as it was filled in, with what is wrong said at its field.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use askama::{Template, filters::HtmlSafe};
use prost::Name;

use super::{
    Field, Note,
    field::{Control, Line},
    returned::{FORM, PAGE, Returned, WHO},
    words,
};
use crate::pages::Desk;

/// Fields that say which version of something was looked at.
const SEEN: [&str; 2] = ["etag", "digest"];

/// A button.
#[derive(Debug, Clone)]
pub struct Button {
    /// What it says.
    word: String,
    /// What it is sent as, under the name `act`; empty where the form knows one act alone.
    act: &'static str,
    /// How it looks.
    class: &'static str,
    /// What is asked before it is done.
    asks: String,
}

/// A form.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/form.html")]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of how it stands")]
pub struct Form {
    id: String,
    action: String,
    method: &'static str,
    /// The request id; none where nothing is changed.
    request_id: Option<String>,
    /// Where it stands, and who fills it in.
    page: String,
    who: String,
    lines: Vec<Line>,
    buttons: Vec<Button>,
    /// Whether fields stand beside each other.
    row: bool,
    /// Whether it is one button within something else.
    inline: bool,
    /// What unfolds it, where it is not in sight at once.
    folded: Option<String>,
    upload: bool,
    /// What came back of it.
    back: Option<Arc<Returned>>,
    /// Whether what it is about changed since it was filled in.
    outdated: bool,
    /// Whether all that is wrong is said at its fields.
    told: Vec<String>,
    label_of: fn(&str) -> String,
}

impl HtmlSafe for Form {}

impl Form {
    /// A form that changes something: its fields are those of a message.
    pub fn of<M: Name>(desk: &Desk, id: impl Into<String>, action: impl Into<String>) -> Self {
        let form = Self::bare(desk, id.into(), action.into(), words::label::<M>);
        let known = form.back.as_ref().and_then(|back| back.request_id.clone());
        Self { request_id: Some(known.unwrap_or_else(|| desk.new_request_id())), ..form }
    }

    /// A form that asks for something that stands in no address, such as a name.
    pub fn search(desk: &Desk, id: impl Into<String>, action: impl Into<String>) -> Self {
        Self { row: true, ..Self::bare(desk, id.into(), action.into(), called) }
    }

    /// A form that narrows what is shown: what is chosen stands in the address.
    pub fn narrow(desk: &Desk, id: impl Into<String>, action: impl Into<String>) -> Self {
        Self { row: true, method: "get", ..Self::bare(desk, id.into(), action.into(), called) }
    }

    fn bare(desk: &Desk, id: String, action: String, label_of: fn(&str) -> String) -> Self {
        let back = desk.returned.as_ref().filter(|returned| returned.form == id).cloned();
        if let Some(back) = &back {
            back.found();
        }
        Self {
            id,
            action,
            method: "post",
            request_id: None,
            page: desk.here.to_string(),
            who: desk.user.sub.clone(),
            lines: Vec::new(),
            buttons: Vec::new(),
            row: false,
            inline: false,
            folded: None,
            upload: false,
            back,
            outdated: false,
            told: Vec::new(),
            label_of,
        }
    }

    /// Fields beside each other.
    #[must_use]
    pub fn row(self) -> Self {
        Self { row: true, ..self }
    }

    /// One button within something else.
    #[must_use]
    pub fn inline(self) -> Self {
        Self { inline: true, ..self }
    }

    /// In sight once this word is pressed, or where it came back: for what is seldom done, or stands in many rows.
    #[must_use]
    pub fn folded(self, word: impl Into<String>) -> Self {
        Self { folded: Some(word.into()), ..self }
    }

    /// With a field.
    #[must_use]
    pub fn with(mut self, mut field: Field) -> Self {
        if field.label.is_empty() && !field.is_hidden() {
            field.label = (self.label_of)(if field.known_as.is_empty() { &field.name } else { field.known_as });
        }
        if matches!(field.control, Control::File(_)) {
            self.upload = true;
        }
        if let Some(back) = &self.back {
            if field.comes_back() {
                field.values = back.values_of(&field.name);
            }
            // What was seen stays what was seen: over what changed since, nothing is done that nobody read.
            if SEEN.contains(&&*field.name) {
                let seen = back.values_of(&field.name);
                self.outdated |= seen != field.values;
                field.values = seen;
            }
            let known = [&*field.name, field.known_as];
            let wrong: Vec<&str> = back.faults.iter().filter(|fault| known.contains(&&*fault.field)).map(|fault| fault.why.as_str()).collect();
            if !wrong.is_empty() && !field.is_hidden() {
                field.error = wrong.join("；");
                self.told.extend(known.map(str::to_owned));
            }
        }
        self.lines.push(Line::Field(field));
        self
    }

    /// With a field, where there is one.
    #[must_use]
    pub fn maybe(self, field: Option<Field>) -> Self {
        match field {
            Some(field) => self.with(field),
            None => self,
        }
    }

    /// With what goes along unseen.
    #[must_use]
    pub fn hidden(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(Field::hidden(name, value))
    }

    /// With something to know.
    #[must_use]
    pub fn note(mut self, note: Note) -> Self {
        self.lines.push(Line::Note(note));
        self
    }

    /// What the fields that follow are about.
    #[must_use]
    pub fn group(mut self, title: impl Into<String>) -> Self {
        self.lines.push(Line::Group(title.into()));
        self
    }

    /// With something said.
    #[must_use]
    pub fn says(mut self, text: impl Into<String>) -> Self {
        self.lines.push(Line::Text(text.into()));
        self
    }

    fn and(mut self, word: impl Into<String>, act: &'static str, class: &'static str) -> Self {
        self.buttons.push(Button { word: word.into(), act, class, asks: String::new() });
        self
    }

    /// Its button.
    #[must_use]
    pub fn button(self, word: impl Into<String>) -> Self {
        self.and(word, "", "")
    }

    /// A button of one act among several.
    #[must_use]
    pub fn act(self, word: impl Into<String>, act: &'static str) -> Self {
        self.and(word, act, "")
    }

    /// A button that takes something away.
    #[must_use]
    pub fn danger(self, word: impl Into<String>, act: &'static str) -> Self {
        self.and(word, act, "danger")
    }

    /// A button that is not the first choice.
    #[must_use]
    pub fn plain(self, word: impl Into<String>, act: &'static str) -> Self {
        self.and(word, act, "plain")
    }

    /// The last button's act is of size: what it does is said, and asked once.
    #[must_use]
    pub fn asks(mut self, question: impl Into<String>) -> Self {
        if let Some(button) = self.buttons.last_mut() {
            button.asks = question.into();
        }
        self
    }

    /// Its id: ticks of a table name it.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What came back by a name: what a table's ticks held.
    pub fn back_of(&self, name: &str) -> Option<Vec<String>> {
        self.back.as_ref().map(|back| back.values_of(name))
    }

    fn field_id(&self, field: &Field) -> String {
        format!("{}-{}", self.id, field.name)
    }

    /// What is wrong and is said at none of its fields.
    fn wrong(&self) -> Option<String> {
        let back = self.back.as_ref()?;
        if self.outdated {
            let why = "打开页面以后，内容已有变化：请重新打开本页，看过现在的内容再办理；您填写的还在下面，可以照抄。";
            return Some(if back.is_unsent { why.to_owned() } else { format!("{}。{why}", back.message.trim_end_matches('。')) });
        }
        let untold: Vec<String> = (back.faults.iter())
            .filter(|fault| !self.told.contains(&fault.field))
            .map(|fault| format!("{}：{}", (self.label_of)(&fault.field), fault.why))
            .collect();
        if back.faults.is_empty() {
            Some(back.message.clone())
        } else if untold.is_empty() {
            Some("填写有误，请按各栏的提示改正后再提交。".to_owned())
        } else {
            Some(untold.join("；"))
        }
    }

    /// Whether it is sent, rather than asked in an address.
    fn is_sent(&self) -> bool {
        self.method == "post"
    }

    /// Whether its first button asks: then Enter in a field presses nothing.
    fn asks_first(&self) -> bool {
        self.buttons.first().is_some_and(|button| !button.asks.is_empty())
    }

    fn is_unsent(&self) -> bool {
        self.back.as_ref().is_some_and(|back| back.is_unsent)
    }
}

fn called(field: &str) -> String {
    words::any(field).to_owned()
}

/// Whether what came back found its form.
#[derive(Debug, Default)]
pub struct Found(AtomicBool);

impl Found {
    /// It did.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it did.
    pub fn get(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

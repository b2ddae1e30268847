//! Something to know: what was done, what waits, what went wrong.

use askama::{Template, filters::HtmlSafe};

use super::{Address, Tone};

/// Something to know.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/note.html")]
pub struct Note {
    tone: Tone,
    text: String,
    way: Option<(Address, String)>,
}

impl HtmlSafe for Note {}

impl Note {
    /// Said in a tone.
    pub fn of(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into(), way: None }
    }

    /// What was done; nothing where nothing was.
    pub fn done(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::of(Tone::Good, text))
    }

    /// What went wrong; nothing where nothing did.
    pub fn wrong(text: &str) -> Option<Self> {
        (!text.is_empty()).then(|| Self::of(Tone::Bad, text))
    }

    /// With where to go.
    #[must_use]
    pub fn way(self, address: impl Into<Address>, text: impl Into<String>) -> Self {
        Self { way: Some((address.into(), text.into())), ..self }
    }

    /// How it is told to who hears the page: what went wrong at once.
    fn role(&self) -> &'static str {
        match self.tone {
            Tone::Bad => "alert",
            Tone::Good => "status",
            Tone::Wait | Tone::Plain => "note",
        }
    }
}

//! What a colour means. It never stands alone: a word says the same, and a sign beside it.

/// A meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to look at.
    #[default]
    Plain,
    /// It is as it should be.
    Good,
    /// It waits for somebody.
    Wait,
    /// Something is wrong, or late.
    Bad,
}

impl Tone {
    /// Every meaning.
    pub const ALL: [Self; 4] = [Self::Plain, Self::Good, Self::Wait, Self::Bad];

    /// Its class in the stylesheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Wait => "wait",
            Self::Bad => "bad",
        }
    }

    /// Its sign.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "✓",
            Self::Wait => "…",
            Self::Bad => "!",
        }
    }
}

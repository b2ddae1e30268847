//! What goes from desk to desk, whichever service keeps it.

/// The service that keeps a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// 学籍.
    Enrollment,
}

impl Keeper {
    /// As links name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Enrollment => "enrollment",
        }
    }

    /// The page of a dossier.
    pub fn link(self, dossier: &str) -> String {
        format!("/dossiers/{}/{dossier}", self.word())
    }
}

//! Where the policies of a deployment come from: the setting `policy_file`, or those that come with the program. What they say, and how
//! they are checked, is [`xuezhu_judge::policy`].

use std::path::Path;

use xuezhu_judge::policy::{Policies, PolicyError};

/// Policies that a deployment can't begin with.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file can't be read.
    #[error("policy file: {path}: {error}")]
    Unread {
        /// Where it should be.
        path: String,
        /// Why not.
        error: std::io::Error,
    },
    /// What it says is no sound set of policies.
    #[error(transparent)]
    Unsound(#[from] PolicyError),
}

/// Reads a file, or the built-in policies.
pub fn load(path: Option<&Path>) -> Result<Policies, LoadError> {
    let Some(path) = path else { return Ok(Policies::built_in()) };
    let text = std::fs::read_to_string(path).map_err(|error| LoadError::Unread { path: path.display().to_string(), error })?;
    Ok(Policies::parse(&text)?)
}

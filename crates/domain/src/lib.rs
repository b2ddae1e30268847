//! Values and rules of the field that both services share: no I/O, no async, no SQL, no protobuf.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`text`] | what people type into cells, made comparable |
//! | [`identity`] | identity numbers, their classes and the keyed hash that stands for them |
//! | [`region`] | GB/T 2260 codes with the years in which each was valid |
//! | [`school`] | school codes |
//! | [`calendar`] | months, terms, school years, working days |
//! | [`codes`] | the value lists of the workbook |
//! | [`majors`] | both catalogues of majors, and what was stored under codes that were wrong |
//! | [`tables`] | tables of facts as text: read whole, or refused with line and column |
//! | [`enrollment`] | states of an enrollment, what changes them, and dated timelines |
//! | [`person`] | how keys and names belong to a person over time |
//! | [`record`] | which column belongs to which group of a record, what changes it and who sees it |
//! | [`money`] | fen, and bank card numbers |
//!
//! To add a value: a type whose constructor is the only way in, in the module that its meaning names.

pub mod calendar;
pub mod codes;
pub mod enrollment;
pub mod identity;
pub mod majors;
pub mod money;
pub mod person;

pub mod record;
pub mod region;
pub mod school;
pub mod tables;
pub mod text;

/// A stored code that nothing of its kind has: a newer version stored it, or nobody did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no {of} has the code {code}")]
pub struct UnknownCode {
    /// What it would be.
    pub of: &'static str,
    /// What was stored.
    pub code: i32,
}

pub use calendar::{Month, Season, Term};
pub use identity::{IdNumber, PersonKey};
pub use money::Fen;
pub use person::{Bond, BondKind, RegistryAnswer, Sex};
pub use region::RegionCode;
pub use school::SchoolCode;

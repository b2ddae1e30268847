//! A table that people take out as a workbook (students, award lists, flags, dossiers): with a purpose, stamped with who took it and when,
//! receipted, on record. *A kind gives columns and rows, as its list tells them; everything else is the same.*
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`kind`] | what a kind of table gives: what it is, whose it is, its columns and rows |
//! | [`give`] | the flow: who may, what for, the rows, the workbook, its receipt |
//! | [`counts`] | of rows the counts: what leaves for whoever gets no names |
//! | [`receipts`] | who took out what, when and what for |
//!
//! The workbook is not kept: its receipt keeps a hash of it, and a repetition of the call makes it anew. A school takes out its own with
//! names; a department gets counts.
//!
//! To add a kind: a struct with [`Kind`] for it, its call in the service's `takeouts.rs`. The table (`take_outs`) comes with the migrations of
//! the service.

pub mod counts;
pub mod give;
pub mod kind;
pub mod receipts;
mod store;

use xuezhu_service::{Context, Permission, Runner, serve::Gate};

pub use self::kind::{About, Kind, Of, Table, Work};

/// Rows of a workbook at most.
pub const ROWS: usize = 20_000;
/// Characters of a purpose.
pub const PURPOSE_CHARACTERS: std::ops::RangeInclusive<usize> = 2..=200;

/// Gives tables out for a service.
#[derive(Debug, Clone)]
pub struct Takeouts {
    runner: Runner,
    gate: Gate,
}

impl Takeouts {
    /// On the service's runner.
    pub fn new(runner: Runner, gate: Gate) -> Self {
        Self { runner, gate }
    }
}

/// What whoever calls needs to be allowed: a school takes out names, whoever is above it counts.
pub fn permission(ctx: &Context) -> Permission {
    if ctx.actor.role.is_of_school() { Permission::TakeOut } else { Permission::TakeOutCounts }
}

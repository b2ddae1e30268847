//! The vocabulary of the pages: what a page says, it says in these parts, so that each looks, reads and works the same wherever it stands.
//! `/about/parts` shows every one.
//!
//! | module | what it is |
//! | --- | --- |
//! | [`frame`] | what stands around every page: the way to everything, what waits, who is logged in |
//! | [`help`] | what the page is for, and what comes next |
//! | [`table`], [`cell`] | rows with their cells, ticks, order; cards on a narrow screen |
//! | [`place`] | how many there are, where one is among them, the ways on and back |
//! | [`form`], [`field`], [`act`] | what is filled in, with its label, what is wrong with it, and what was typed |
//! | [`returned`] | a form that was refused, or whose session ended, comes back as it was filled in |
//! | [`figure`] | a number that counts |
//! | [`pairs`] | what is known of one thing |
//! | [`chart`] | bars in groups, with their numbers as a table |
//! | [`steps`] | what happened, in its order |
//! | [`desks`] | where a dossier was, is, and goes on to |
//! | [`strip`] | months: what one side claims, what the other says |
//! | [`note`] | something to know |
//! | [`tone`] | what a colour means: never without a word |
//! | [`address`] | an address of ours, with what it asks |
//! | [`whole`] | all that match, also on other pages: as many as are told |
//! | [`words`] | what fields are called: from the protos |
//!
//! To add a page: a route, a struct with its parts, a template that says where they stand.

pub mod about;
pub mod act;
pub mod address;
pub mod cell;
pub mod chart;
pub mod desks;
pub mod field;
pub mod figure;
pub mod form;
pub mod frame;
pub mod help;
pub mod note;
pub mod pairs;
pub mod place;
pub mod returned;
pub mod steps;
pub mod strip;
pub mod table;
pub mod tone;
pub mod whole;
pub mod words;

pub use self::{
    act::Act,
    address::Address,
    cell::Cell,
    chart::Chart,
    desks::Desks,
    field::Field,
    figure::{Figure, Figures},
    form::Form,
    note::Note,
    pairs::Pairs,
    place::Place,
    steps::Steps,
    strip::{Axis, Strip},
    table::{Row, Table},
    tone::Tone,
    whole::Whole,
};

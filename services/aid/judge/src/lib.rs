//! The judge of the aid service: a person's case and the policies in, findings out. Pure: its `Cargo.toml` names nothing of I/O, so
//! that what is found depends on what it is given alone, and a test may ask it a thousand times.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`policy`] | schemes, rates, eligibility, terms and their months, as data |
//! | [`case`] | what the judge is given and says |
//! | [`entry`] | where an entry of a list stands |
//! | [`heads`] | the judge of head counts: of schools, not of persons |
//! | [`rules`] | the judge |
//! | [`cause`] | what findings have in common |
//! | [`amount`] | what months come to |
//! | [`digest`] | what an explanation or a clearing is bound to |
//! | [`life`] | a flag's states, and what people and judging make of them |
//! | [`register`] | the life of a confirmed case, and what became of the money |
//!
//! To add a rule: a variant of [`case::Rule`], its row in [`rules::LAW`], its finding in [`rules::judge`], and, if an
//! entry that is vouched for can break it, a pass in the aid service's sweep that finds suspects. Whatever changes what is found
//! raises the version in [`rules`], by which what was judged before is judged anew.

pub mod amount;
pub mod case;
pub mod cause;
pub mod digest;
pub mod entry;
pub mod heads;
pub mod life;
pub mod policy;
pub mod register;
pub mod rules;

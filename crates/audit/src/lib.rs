//! The audit as a service keeps it.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`line`](mod@line) | what was done, read or refused: one line, with a check under the service's key |
//! | [`seal`] | lines get positions and links, off the path of those who wait |
//! | [`witness`] | how far the other service's chain went, as it signed it |
//! | [`verify`] | the chain walked from its beginning: what was changed, added, taken away |
//! | [`read`] | lines as an auditor asks for them |
//! | [`forget`] | lines of who came in, after their time: their place in the chain stays |
//! | [`before`] | lines from before there was a chain |
//! | [`written`](mod@written) | what acts wrote of records that are bound, and whether these still say it |
//!
//! A line is written in the transaction of what it tells; it is sealed a moment later. A line that is taken away before it was sealed is the
//! one thing that does not show.

pub mod before;
pub mod forget;
pub mod line;
pub mod read;
pub mod seal;
mod store;
pub mod verify;
pub mod witness;
pub mod written;

pub use line::{Line, Outcome};

//! The one binary, as a library: everything in one process, the services apart, and what the command line does.

pub mod apart;
pub mod certificates;
pub mod client;
pub mod demo;
pub mod deployment;
pub mod keys;
pub mod output;
pub mod schema;
pub mod verify;
pub mod wires;

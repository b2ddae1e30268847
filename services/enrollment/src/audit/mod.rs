//! The audit: read by auditors, witnessed with the aid service.

pub mod api;

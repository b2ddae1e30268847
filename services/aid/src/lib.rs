//! The aid service (资助).

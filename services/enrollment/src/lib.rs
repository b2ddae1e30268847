//! The enrollment service (学籍).

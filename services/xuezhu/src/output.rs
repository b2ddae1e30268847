//! What commands print: for people, or with `--json` for scripts; progress on standard error.

use std::io::Write;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

/// Prints a result: as JSON, or as the text that people read.
pub fn print(json: bool, value: &Value, text: impl FnOnce() -> String) {
    // Whoever read our output may have read enough: that is no fault.
    let _ = if json { writeln!(std::io::stdout(), "{value}") } else { writeln!(std::io::stdout(), "{}", text()) };
}

/// A bar for long work; hidden where nobody watches or `--json` was asked for.
pub fn bar(json: bool, length: u64, what: &'static str) -> ProgressBar {
    if json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{msg} {bar:32} {pos}/{len} {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(what);
    bar
}

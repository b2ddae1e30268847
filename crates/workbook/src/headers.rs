//! Headers as people write them: blanks within, stars before, notes behind, other widths of one character.

use std::collections::{HashMap, HashSet};

use xuezhu_domain::text;

/// The columns that a kind of file has.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'c> {
    /// Every header that means something.
    pub known: &'c [&'c str],
    /// Headers that no title has: a row with all of them is the header row.
    pub marks: &'c [&'c str],
    /// Headers that must be there.
    pub required: &'c [&'c str],
    /// Whether a table that was taken out is taken in again: what it lacks is absent, whatever must be there otherwise.
    pub taken_out: bool,
}

/// What people put before or behind a header to say that it must be filled in.
const SIGNS: [char; 6] = ['*', '★', '☆', '※', '●', '▲'];
/// What stands in brackets behind a header and is no part of it begins with one of these.
const NOTES: [&str; 12] = ["必填", "必录", "选填", "可不填", "可空", "非必填", "必须", "下拉", "文本", "格式", "如", "例"];

/// What of a header counts: without blanks of any kind, signs, and notes in brackets; full and half width are one.
pub fn key(text: &str) -> String {
    let bare: String = text::clean(text).chars().filter(|c| !c.is_whitespace()).collect();
    let mut bare = bare.trim_matches(|c| SIGNS.contains(&c)).trim_end_matches([':', '：']);
    while let Some(begin) = note(bare) {
        bare = bare[..begin].trim_matches(|c| SIGNS.contains(&c));
    }
    bare.to_owned()
}

/// Where a note in brackets begins that ends a header.
fn note(text: &str) -> Option<usize> {
    let open = match text.chars().last()? {
        ')' => '(',
        '】' => '【',
        ']' => '[',
        '」' => '「',
        _ => return None,
    };
    let begin = text.rfind(open)?;
    let inner = text[begin..].trim_start_matches(open).trim_start_matches(|c| SIGNS.contains(&c));
    (begin > 0 && (NOTES.iter().any(|note| inner.starts_with(note)) || inner.chars().all(|c| !c.is_alphanumeric()))).then_some(begin)
}

/// The columns of a kind of file, with what of each header counts.
#[derive(Debug)]
pub struct Headers<'c> {
    pub columns: Columns<'c>,
    keys: HashMap<String, &'c str>,
}

impl<'c> Headers<'c> {
    pub fn new(columns: Columns<'c>) -> Self {
        Self { columns, keys: columns.known.iter().map(|known| (key(known), *known)).collect() }
    }

    /// A row as headers: what each cell means, or the cell cleaned where it means none. Where one is a header to the letter, others that
    /// would mean the same are something else.
    pub fn row<'t>(&self, cells: impl Iterator<Item = &'t str>) -> Vec<String> {
        let written: Vec<&str> = cells.collect();
        let mut row: Vec<String> = written.iter().map(|cell| text::clean(cell)).collect();
        let exact: HashSet<String> = row.iter().filter(|header| self.columns.known.contains(&header.as_str())).cloned().collect();
        for (header, written) in row.iter_mut().zip(&written) {
            if !header.is_empty()
                && !exact.contains(header)
                && let Some(meant) = self.keys.get(&key(written)).filter(|meant| !exact.contains(**meant))
            {
                (*meant).clone_into(header);
            }
        }
        row
    }

    /// Whether a row is the header row.
    pub fn are_in(&self, headers: &[String]) -> bool {
        self.columns.marks.iter().all(|mark| headers.iter().any(|header| header == mark))
    }

    /// Whether a column means something.
    pub fn knows(&self, header: &str) -> bool {
        self.columns.known.contains(&header)
    }

    /// Whether it is one that says whom a row is about.
    pub fn marks(&self, header: &str) -> bool {
        self.columns.marks.contains(&header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns =
        Columns {
            known: &["姓名", "身份证件号", "国籍/地区", "月份", "成员1姓名"], marks: &["姓名"], required: &["姓名"], taken_out: false
        };

    #[test]
    fn a_header_is_found_however_it_is_written() {
        for (written, meant) in [
            ("姓名", "姓名"),
            ("姓 名", "姓名"),
            ("姓\u{3000}名", "姓名"),
            ("姓名 \u{a0}", "姓名"),
            ("\u{200b}姓名", "姓名"),
            ("\u{feff}姓名", "姓名"),
            ("身份\n证件号", "身份证件号"),
            ("*姓名", "姓名"),
            ("＊姓名", "姓名"),
            ("姓名*", "姓名"),
            ("★ 姓名", "姓名"),
            ("姓名（必填）", "姓名"),
            ("姓名(必填项)", "姓名"),
            ("姓名【必填】", "姓名"),
            ("姓名（*）", "姓名"),
            ("*姓名（必填）：", "姓名"),
            ("月份（如9-12）", "月份"),
            ("国籍／地区", "国籍/地区"),
            ("国籍 / 地区", "国籍/地区"),
            ("成员１姓名", "成员1姓名"),
            ("曾用名", "曾用名"),
            ("姓名（曾用名）", "姓名(曾用名)"),
            ("（必填）", "(必填)"),
            ("", ""),
        ] {
            assert_eq!(Headers::new(COLUMNS).row([written].into_iter()), [meant], "{written:?}");
        }
    }

    #[test]
    fn a_header_to_the_letter_leaves_its_twin_to_itself() {
        let row = |cells: [&str; 3]| Headers::new(COLUMNS).row(cells.into_iter());
        assert_eq!(row(["姓名", "月份", "月份（如有变动）"]), ["姓名", "月份", "月份(如有变动)"]);
        assert_eq!(row(["*姓名", "姓 名", "月份"]), ["姓名", "姓名", "月份"], "neither is: told as one that stands twice");
        assert_eq!(row(["姓名", "姓名", "月份"]), ["姓名", "姓名", "月份"]);
    }
}

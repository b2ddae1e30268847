//! What stands in a table and is no data: numbers and formulas that were dragged down, headers that come again, sums, and what is written
//! below for whoever signs. Where there is a doubt a row is data: its faults are told, and nobody is lost.

use xuezhu_domain::text;

use crate::{
    cell::{Cell, Flaw},
    headers::{self, Headers},
};

/// How lines begin that sum up or that somebody signs; signs are half width, as cells are cleaned.
const CLOSINGS: [&str; 16] = [
    "合计",
    "总计",
    "小计",
    "共计",
    "总人数",
    "填表人",
    "填报人",
    "制表人",
    "制表单位",
    "经办人",
    "审核人",
    "负责人",
    "校长签字",
    "填表说明",
    "填表日期",
    "备注:",
];
/// Columns that number the rows.
const SERIALS: [&str; 6] = ["序号", "编号", "序", "行号", "NO", "NO."];

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// It says whom it is about, or what stands in it stands nowhere above.
    Data,
    /// Data that says nobody's name and number: the row below may show that it was filled in ahead.
    Nobody,
    /// What was filled in ahead, as in the row above; where nothing but its number differs from that, the dragging began above.
    Dragged {
        /// Whether it is that row again.
        again: bool,
    },
    /// Another line that is no data.
    Line,
}

/// Tells furniture from data, row by row.
#[derive(Debug, Default)]
pub struct Furniture {
    /// What the row before held, by column: what is the same all the way down was filled in ahead.
    before: Vec<String>,
}

impl Furniture {
    /// What a row is, below the others.
    pub fn sort(&mut self, known: &Headers<'_>, of: &[String], cells: &[Cell]) -> Sort {
        let texts: Vec<String> = cells.iter().map(|cell| text::clean(&cell.text)).collect();
        let sort = self.of(known, of, cells, &texts);
        self.before = texts;
        sort
    }

    fn of(&self, known: &Headers<'_>, of: &[String], cells: &[Cell], texts: &[String]) -> Sort {
        let header = |at: usize| of.get(at).map_or("", String::as_str);
        let filled = || (0..texts.len()).filter(|at| !texts[*at].is_empty() || cells[*at].flaw.is_some());
        // The header again, as on each printed page.
        let again = |at: usize| texts[at] == header(at) || headers::key(&texts[at]) == headers::key(header(at));
        if filled().count() > 1 && filled().all(again) {
            return Sort::Line;
        }
        let marks = || filled().filter(|at| known.marks(header(*at)));
        if let Some(first) = filled().next()
            && CLOSINGS.iter().any(|closing| blankless(&texts[first]).starts_with(closing))
            && marks().filter(|at| *at != first).all(|at| is_count(&texts[at]))
        {
            return Sort::Line;
        }
        if marks().next().is_some() {
            return Sort::Data;
        }
        // Whom it is about is said nowhere: what stands there was dragged down, or it is a row that lacks them.
        if !filled().all(|at| self.dragged(known, header(at), at, cells, texts)) {
            return Sort::Nobody;
        }
        let again = (0..texts.len()).all(|at| is_serial(header(at)) || self.before.get(at) == Some(&texts[at]));
        Sort::Dragged { again }
    }

    fn dragged(&self, known: &Headers<'_>, header: &str, at: usize, cells: &[Cell], texts: &[String]) -> bool {
        let before = self.before.get(at).map_or("", String::as_str);
        let is_serial = is_serial(header) && texts[at].bytes().all(|byte| byte.is_ascii_digit());
        // A formula that shows nothing, or that numbers the rows.
        let shows_nothing = cells[at].flaw == Some(Flaw::Formula) && (texts[at].is_empty() || !known.knows(header));
        is_serial || shows_nothing || (!texts[at].is_empty() && before == texts[at])
    }
}

fn is_serial(header: &str) -> bool {
    SERIALS.contains(&headers::key(header).to_uppercase().as_str())
}

/// A count, as sums say it: 2人, 共58人.
fn is_count(text: &str) -> bool {
    text.chars().count() < 8 && text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "共计合人名条项元.: ".contains(c))
}

fn blankless(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Columns;

    const COLUMNS: Columns =
        Columns { known: &["姓名", "身份证件号", "国籍", "班级"], marks: &["姓名", "身份证件号"], required: &["姓名"], taken_out: false };

    fn of() -> Vec<String> {
        ["序号", "姓名", "身份证件号", "国籍", "班级", "宿舍"].map(str::to_owned).into()
    }

    fn row(texts: [&str; 6]) -> Vec<Cell> {
        texts.map(Cell::text).to_vec()
    }

    fn formula(text: &str) -> Cell {
        Cell { text: text.into(), flaw: Some(Flaw::Formula) }
    }

    #[test]
    fn what_was_dragged_down_sums_up_or_is_signed_is_furniture() {
        let (known, nothing) = (Headers::new(COLUMNS), Cell::default);
        let student = || row(["2", "张三", "11010119900101001X", "中国", "1班", "3号楼"]);
        for (cells, sort) in [
            (student(), Sort::Data),
            (row(["3", "", "", "", "", ""]), Sort::Dragged { again: false }),
            (row(["3", "", "", "中国", "", ""]), Sort::Dragged { again: false }),
            (row(["3", "", "", "中国", "1班", "3号楼"]), Sort::Dragged { again: false }),
            (row(["3", "", "", "中国", "2班", ""]), Sort::Nobody),
            (row(["", "", "", "", "", "4号楼"]), Sort::Nobody),
            (row(["3", "", "", "", "", "4号楼"]), Sort::Nobody),
            (row(["", "李四", "", "", "", ""]), Sort::Data),
            (row(["", "", "11010119900101001X", "", "", ""]), Sort::Data),
            (row(["序号", "姓名", "身份证件号", "国籍", "班级", "宿舍"]), Sort::Line),
            (row(["", "姓 名", "身份证件号*", "", "", ""]), Sort::Line),
            (row(["合计", "2人", "", "", "", ""]), Sort::Line),
            (row(["合计", "李四", "", "", "", ""]), Sort::Data),
            (row(["合 计", "", "", "2", "", ""]), Sort::Line),
            (row(["", "填表人：王五", "", "", "", ""]), Sort::Line),
            (row(["备注：以上学生均已核对", "", "", "", "", ""]), Sort::Line),
            (row(["", "合计", "", "", "", ""]), Sort::Line),
            (vec![formula("3"), nothing(), nothing(), nothing(), nothing(), nothing()], Sort::Dragged { again: false }),
            (vec![formula(""), nothing(), nothing(), formula(""), nothing(), nothing()], Sort::Dragged { again: false }),
            // Nobody calculated it, or a card stands in it: that is told, not left out.
            (vec![formula(""), formula(""), formula(""), formula(""), formula(""), nothing()], Sort::Data),
            (vec![nothing(), nothing(), nothing(), formula("美国"), nothing(), nothing()], Sort::Nobody),
            (vec![formula("3"), formula("张三"), nothing(), nothing(), nothing(), nothing()], Sort::Data),
        ] {
            let mut furniture = Furniture::default();
            assert_eq!(furniture.sort(&known, &of(), &student()), Sort::Data, "the row before");
            assert_eq!(furniture.sort(&known, &of(), &cells), sort, "{cells:?}");
        }
        let mut furniture = Furniture::default();
        furniture.sort(&known, &of(), &student());
        assert_eq!(furniture.sort(&known, &of(), &row(["3", "", "", "美国", "", ""])), Sort::Nobody, "nothing was dragged here from above");
        assert_eq!(furniture.sort(&known, &of(), &row(["4", "", "", "美国", "", ""])), Sort::Dragged { again: true });
        assert_eq!(furniture.sort(&known, &of(), &row(["5", "", "", "", "", ""])), Sort::Dragged { again: false });
        for closing in CLOSINGS {
            let cells = row([&closing.replace(':', "："), "", "", "", "", ""]);
            assert_eq!(Furniture::default().sort(&known, &of(), &cells), Sort::Line, "{closing}");
        }
    }
}

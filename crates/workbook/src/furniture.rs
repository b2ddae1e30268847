//! What stands in a table and is no data: numbers and formulas that were dragged down, headers that come again, sums, and what is written
//! below for whoever signs.

use xuezhu_domain::text;

use crate::{
    headers::Columns,
    read::{Cell, Flaw},
};

/// How lines begin that sum up or that somebody signs.
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
    "备注：",
];

/// Tells furniture from data, row by row.
#[derive(Debug, Default)]
pub struct Furniture {
    /// What the row before held, by column: what is the same all the way down was filled in ahead.
    before: Vec<String>,
}

impl Furniture {
    /// Whether a row is no data.
    pub fn is(&mut self, columns: Columns<'_>, headers: &[String], cells: &[Cell]) -> bool {
        let texts: Vec<String> = cells.iter().map(|cell| text::clean(&cell.text)).collect();
        let is_furniture = self.looks_so(columns, headers, cells, &texts);
        self.before = texts;
        is_furniture
    }

    fn looks_so(&self, columns: Columns<'_>, headers: &[String], cells: &[Cell], texts: &[String]) -> bool {
        let filled = || (0..texts.len()).filter(|at| !texts[*at].is_empty() || cells[*at].flaw.is_some());
        let of = |at: usize| headers.get(at).map_or("", String::as_str);
        // The header again, as on each printed page.
        if filled().count() > 1 && filled().all(|at| columns.meant(&texts[at]) == of(at)) {
            return true;
        }
        let marks = || filled().filter(|at| columns.marks.contains(&of(*at)));
        if let Some(first) = filled().next()
            && CLOSINGS.iter().any(|closing| blankless(&texts[first]).starts_with(closing))
            && marks().filter(|at| *at != first).all(|at| is_count(&texts[at]))
        {
            return true;
        }
        // Whom it is about is said nowhere, and what stands there was dragged down or means nothing.
        let dragged = |at: usize| {
            !columns.known.contains(&of(at)) || cells[at].flaw == Some(Flaw::Formula) || self.before.get(at).is_some_and(|before| *before == texts[at])
        };
        marks().all(|at| cells[at].flaw == Some(Flaw::Formula) && texts[at].is_empty()) && filled().all(dragged)
    }
}

/// A count, as sums say it: 2人, 共58人.
fn is_count(text: &str) -> bool {
    text.chars().count() < 8 && text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || "共计合人名条项元.：: ".contains(c))
}

fn blankless(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Columns =
        Columns { known: &["姓名", "身份证件号", "国籍", "班级"], marks: &["姓名", "身份证件号"], required: &["姓名"] };

    fn formula(text: &str) -> Cell {
        Cell { text: text.into(), flaw: Some(Flaw::Formula) }
    }

    #[test]
    fn what_was_dragged_down_sums_up_or_is_signed_is_furniture() {
        let headers: Vec<String> = ["序号", "姓名", "身份证件号", "国籍", "班级"].map(str::to_owned).into();
        let row = |texts: [&str; 5]| texts.map(Cell::text).to_vec();
        let student = || row(["2", "张三", "11010119900101001X", "中国", "1班"]);
        for (cells, is_furniture) in [
            (student(), false),
            (row(["3", "", "", "", ""]), true),
            (row(["3", "", "", "中国", ""]), true),
            (row(["3", "", "", "中国", "1班"]), true),
            (row(["3", "", "", "中国", "2班"]), false),
            (row(["3", "", "", "", "2班"]), false),
            (row(["", "李四", "", "", ""]), false),
            (row(["", "", "11010119900101001X", "", ""]), false),
            (row(["序号", "姓名", "身份证件号", "国籍", "班级"]), true),
            (row(["", "姓 名", "身份证件号*", "", ""]), true),
            (row(["合计", "2人", "", "", ""]), true),
            (row(["合计", "李四", "", "", ""]), false),
            (row(["合 计", "", "", "2", ""]), true),
            (row(["", "填表人：王五", "", "", ""]), true),
            (row(["", "合计", "", "", ""]), true),
            (vec![formula("3"), Cell::default(), Cell::default(), Cell::default(), Cell::default()], true),
            (vec![formula(""), formula(""), formula(""), formula("中国"), Cell::default()], true),
            (vec![formula("3"), formula("张三"), Cell::default(), Cell::default(), Cell::default()], false),
        ] {
            let mut furniture = Furniture::default();
            assert!(!furniture.is(COLUMNS, &headers, &student()), "the row before");
            assert_eq!(furniture.is(COLUMNS, &headers, &cells), is_furniture, "{cells:?}");
        }
    }

    #[test]
    fn what_goes_on_as_it_began_stays_furniture() {
        let headers: Vec<String> = ["序号", "姓名", "身份证件号", "国籍", "班级"].map(str::to_owned).into();
        let mut furniture = Furniture::default();
        let dragged = |serial: u32| {
            ["", "", "", "中国", ""]
                .map(Cell::text)
                .into_iter()
                .enumerate()
                .map(|(at, cell)| if at == 0 { Cell::text(&serial.to_string()) } else { cell })
                .collect::<Vec<_>>()
        };
        assert!(!furniture.is(COLUMNS, &headers, &dragged(1)), "nothing was dragged here from above");
        for serial in 2..50 {
            assert!(furniture.is(COLUMNS, &headers, &dragged(serial)), "{serial}");
        }
    }
}

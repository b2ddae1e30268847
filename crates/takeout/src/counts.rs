//! Of rows the counts: nobody's name leaves with them.

use std::collections::BTreeMap;

use crate::kind::{About, Table};

/// How many rows there are of each value of the columns that a kind counts by.
pub fn counted(about: &About, table: &Table) -> Table {
    let by: Vec<usize> = about.counted_by.iter().filter_map(|by| table.columns.iter().position(|column| column == by)).collect();
    let mut counts: BTreeMap<Vec<String>, usize> = BTreeMap::new();
    for row in &table.rows {
        *counts.entry(by.iter().map(|at| row.get(*at).cloned().unwrap_or_default()).collect()).or_default() += 1;
    }
    let columns = by.iter().map(|at| table.columns[*at]).chain([about.unit]).collect();
    let rows = counts.into_iter().map(|(values, count)| values.into_iter().chain([count.to_string()]).collect()).collect();
    Table { columns, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_counted_by_what_the_kind_says_and_nothing_else_is_left() {
        let about = About { code: 1, word: "X", name: "甲", call: "X", counted_by: &["班级", "状态"], unit: "人数", of_people: true };
        let row = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        let rows = vec![row(["王伟", "2班", "在读"]), row(["李娜", "1班", "在读"]), row(["赵云", "2班", "在读"])];
        let counted = counted(&about, &Table { columns: vec!["姓名", "班级", "状态"], rows });
        assert_eq!(counted.columns, ["班级", "状态", "人数"]);
        assert_eq!(counted.rows, [row(["1班", "在读", "1"]), row(["2班", "在读", "2"])]);
    }
}

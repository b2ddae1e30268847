//! Everything that was found in a file, counted so that each of its rows is in one count.

use std::collections::HashSet;

use xuezhu_proto::common::{ImportReport, Problem};
use xuezhu_workbook::Table;

use crate::{
    PROBLEMS_LISTED,
    faults::{Fault, Spot},
    kind::Options,
};

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    sheets: Vec<String>,
    total: usize,
    hidden: usize,
    furniture: usize,
    problems: Vec<(Spot, Problem)>,
    warnings: Vec<Problem>,
    faulty: HashSet<Spot>,
    listed: HashSet<Spot>,
    omitted: usize,
    /// Records that the file does not mention and that stay, where a kind counts them.
    pub absent: usize,
}

impl Findings {
    /// What is seen of tables before any row is read: what isn't seen isn't data, and what is no data is told.
    pub fn of(tables: &[Table], options: Options) -> Self {
        let mut found = Self { sheets: tables.iter().map(|table| table.sheet.clone()).collect(), ..Self::default() };
        for (at, table) in tables.iter().enumerate() {
            found.total += table.rows.len();
            found.furniture += table.furniture.len();
            for out in table.left_out(options.include_hidden) {
                found.hidden += out.rows;
                found.doubt(Spot { table: at, row: out.row }, &Fault::new("", "", out.code, out.reason));
            }
        }
        found
    }

    /// Something is wrong with a row: it is not written.
    pub fn fault(&mut self, spot: Spot, fault: &Fault) {
        self.faulty.insert(spot);
        if self.problems.len() < PROBLEMS_LISTED {
            self.listed.insert(spot);
            let problem = fault.at(self.sheet(spot), spot.row);
            self.problems.push((spot, problem));
        } else {
            self.omitted += 1;
        }
    }

    /// Something about a row is worth a second look.
    pub fn doubt(&mut self, spot: Spot, doubt: &Fault) {
        if self.warnings.len() < PROBLEMS_LISTED {
            let warning = doubt.at(self.sheet(spot), spot.row);
            self.warnings.push(warning);
        }
    }

    fn sheet(&self, spot: Spot) -> &str {
        self.sheets.get(spot.table).map_or("", String::as_str)
    }

    /// Rows at fault.
    pub fn faulty(&self) -> usize {
        self.faulty.len()
    }

    /// The report, with how many rows are new, changed and unchanged.
    pub fn report(mut self, new: usize, changed: usize, unchanged: usize) -> ImportReport {
        self.problems.sort_by_key(|(spot, _)| *spot);
        let mut unlisted: Vec<Spot> = self.faulty.difference(&self.listed).copied().collect();
        unlisted.sort_unstable();
        let why = format!("本行有问题，未逐条列出（一次最多列出{PROBLEMS_LISTED}条）；请先改正已列出的，再上传一次");
        let faulty_rows = unlisted.into_iter().map(|spot| Fault::new("", "", "NOT_LISTED", why.clone()).at(self.sheet(spot), spot.row)).collect();
        ImportReport {
            rows_total: small(self.total - self.hidden),
            rows_hidden: small(self.hidden),
            rows_furniture: small(self.furniture),
            rows_absent: small(self.absent),
            rows_new: small(new),
            rows_changed: small(changed),
            rows_unchanged: small(unchanged),
            rows_faulty: small(self.faulty.len()),
            problems: self.problems.into_iter().map(|(_, problem)| problem).collect(),
            warnings: self.warnings,
            problems_omitted: small(self.omitted),
            faulty_rows,
            ..ImportReport::default()
        }
    }
}

/// A count as reports carry it.
pub(crate) fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

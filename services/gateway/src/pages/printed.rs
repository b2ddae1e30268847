//! A table whole, to be printed: every row that its page shows some of, with its head and the page's number on each sheet of paper. A table
//! of people is printed by their school; departments print what they sign, and tables that name nobody.

use askama::Template;
use axum::response::Response;
use tonic::Status;
use xuezhu_service::clock::rfc3339;

use super::{Desk, render, show};
use crate::parts::{Address, Table};

/// Rows that are asked for at once.
pub const ROWS_AT_ONCE: i32 = 1000;
/// Rows that are printed at most: more paper is read by nobody.
const MOST: i32 = 20_000;

#[derive(Template)]
#[template(path = "printed.html")]
struct PrintedPage {
    desk: Desk,
    title: String,
    /// What narrows it, in words.
    narrowed: String,
    /// When it was printed.
    time: String,
    back: Address,
    table: Table,
}

/// Every row, asked for page by page.
#[derive(Debug)]
pub struct Every<R> {
    rows: Vec<R>,
    /// Pages that were read.
    read: i32,
    is_whole: bool,
}

impl<R> Every<R> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self { rows: Vec::new(), read: 0, is_whole: false }
    }

    /// The page that comes next; none where all are there.
    pub fn next(&self) -> Option<i32> {
        (!self.is_whole).then_some(self.read + 1)
    }

    /// Takes the rows of that page, of so many on all.
    pub fn take(&mut self, rows: Vec<R>, total: i32) -> Result<(), Status> {
        if total > MOST {
            return Err(Status::invalid_argument(format!("共有 {total} 行，一次至多 {MOST} 行：请先筛选")));
        }
        self.read += 1;
        self.is_whole = rows.is_empty();
        self.rows.extend(rows);
        self.is_whole |= i32::try_from(self.rows.len()).is_ok_and(|read| read >= total);
        Ok(())
    }

    /// All of them.
    pub fn rows(self) -> Vec<R> {
        self.rows
    }
}

/// Whether whoever looks prints tables of people: those of their own school.
fn prints_people(desk: &Desk) -> bool {
    desk.user.is_school()
}

/// Where a table of people is printed whole; none for who prints none.
pub fn of_people(desk: &Desk, here: &Address) -> Option<Address> {
    prints_people(desk).then(|| of_all(here))
}

/// Where a table that names nobody is printed whole.
pub fn of_all(here: &Address) -> Address {
    here.clone().with("print", "true")
}

/// Refuses who prints no tables of people.
pub fn may_print_people(desk: &Desk) -> Result<(), Status> {
    if prints_people(desk) {
        return Ok(());
    }
    Err(Status::permission_denied("列有学生姓名的表由学校打印；主管部门打印的是所签的业务单，统计请用“导出统计”"))
}

/// The page. `back` is where the table is read page by page; `narrowed` says by what it is narrowed.
pub fn page(desk: Desk, title: &str, narrowed: &[String], back: Address, table: Table) -> Response {
    let narrowed = narrowed.iter().filter(|text| !text.is_empty()).cloned().collect::<Vec<_>>().join("，");
    let time = show::time(&rfc3339(desk.now_us()));
    let narrowing = if narrowed.is_empty() { String::new() } else { format!("（{narrowed}）") };
    // Whose copy it is stands on every sheet.
    let head = format!("{} · {title}{narrowing} · {} {time} 打印", desk.place(), desk.user.name);
    render(&PrintedPage { title: title.to_owned(), narrowed, time, back, table: table.printed(head), desk })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read_until_all_rows_are_there_and_not_beyond_what_is_printed() {
        let mut every = Every::new();
        let mut asked = Vec::new();
        while let Some(at) = every.next() {
            asked.push(at);
            every.take(vec![at; if at < 3 { 2 } else { 1 }], 5).expect("is taken");
        }
        assert_eq!((asked, every.rows()), (vec![1, 2, 3], vec![1, 1, 2, 2, 3]));
        // Some left while they were read: what is there is all.
        let mut fewer = Every::new();
        fewer.take(vec![1], 3).expect("is taken");
        fewer.take(Vec::new(), 3).expect("is taken");
        assert_eq!((fewer.next(), fewer.rows()), (None, vec![1]));
        assert!(Every::<i32>::new().take(Vec::new(), MOST + 1).is_err());
    }
}

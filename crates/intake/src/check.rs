//! Rows by themselves, before any transaction: on all cores, in the order of the file.

use std::thread;

use xuezhu_proto::common::import_report::Stage;
use xuezhu_service::{Error, Reason, Refusal};
use xuezhu_workbook::{ReadError, Row, Table};

use crate::{
    faults::Spot,
    findings::Findings,
    kind::{At, Kind, Options, Read, Sheet},
    progress::Progress,
};

/// Rows that a core takes at once.
const ROWS_AT_ONCE: usize = 256;

/// What a file says by itself.
#[derive(Debug)]
pub struct Checked<R> {
    /// Rows that can be stored, in the order of the file.
    pub rows: Vec<At<R>>,
    /// What was found.
    pub found: Findings,
}

/// Reads a file into tables; a refusal says what the file is.
pub fn tables(bytes: &[u8], sheet: &Sheet) -> Result<Vec<Table>, Refusal> {
    let known: Vec<&str> = sheet.columns.iter().map(|column| column.header).collect();
    let required: Vec<&str> = sheet.columns.iter().filter(|column| column.required).map(|column| column.header).collect();
    xuezhu_workbook::read(bytes, xuezhu_workbook::Columns { known: &known, marks: sheet.marks, required: &required, taken_out: sheet.taken_out }).map_err(
        |error| {
            let reason = match error {
                ReadError::Unreadable(_) | ReadError::OpenQuote(_) | ReadError::Other(_) => Reason::FileUnreadable,
                ReadError::Encrypted => Reason::FileEncrypted,
                ReadError::TooLarge(_) => Reason::FileTooLarge,
                ReadError::TakenOut => Reason::TakenOut,
                ReadError::NoHeader(_) | ReadError::MissingColumns(_) => Reason::HeaderMissing,
                ReadError::DuplicateHeader(_) => Reason::HeaderDuplicated,
            };
            Refusal::new(reason, error.to_string())
        },
    )
}

/// Checks every row that is data.
pub fn check<K: Kind>(kind: &K, rules: &K::Rules, tables: &[Table], options: Options, progress: &Progress) -> Result<Checked<K::Row>, Error> {
    let mut found = Findings::of(tables, options);
    let data: Vec<Vec<&Row>> = tables.iter().map(|table| table.rows.iter().filter(|row| table.counts(row, options.include_hidden)).collect()).collect();
    progress.begin(Stage::Checking, data.iter().map(Vec::len).sum());
    let mut rows = Vec::new();
    for (at, (table, data)) in tables.iter().zip(&data).enumerate() {
        let layout = kind.layout(table, options);
        for (row, Read { row: read, faults, doubts }) in read_all(kind, rules, &layout, data, progress)? {
            let spot = Spot { table: at, row };
            for fault in &faults {
                found.fault(spot, fault);
            }
            for doubt in &doubts {
                found.doubt(spot, doubt);
            }
            rows.extend(read.map(|row| At { spot, row }));
        }
    }
    Ok(Checked { rows, found })
}

/// What a row says, with its number.
type Numbered<R> = (u32, Read<R>);

/// Reads rows, each core some of them.
fn read_all<K: Kind>(kind: &K, rules: &K::Rules, layout: &K::Layout, data: &[&Row], progress: &Progress) -> Result<Vec<Numbered<K::Row>>, Error> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let share = data.len().div_ceil(cores).max(ROWS_AT_ONCE);
    let read = |rows: &[&Row]| {
        let mut read = Vec::with_capacity(rows.len());
        for some in rows.chunks(ROWS_AT_ONCE) {
            read.extend(some.iter().map(|row| (row.number, kind.read(rules, layout, row))));
            progress.add(some.len());
        }
        read
    };
    if data.len() <= share {
        return Ok(read(data));
    }
    thread::scope(|scope| {
        let shares: Vec<_> = data.chunks(share).map(|rows| scope.spawn(|| read(rows))).collect();
        let mut all = Vec::with_capacity(data.len());
        for share in shares {
            all.extend(share.join().map_err(|_| Error::Internal("a row could not be checked".into()))?);
        }
        Ok(all)
    })
}

//! `.xls`: its reader loads everything at once and believes what a file says of its own size. So it runs in a process of its
//! own, which may hold and compute so much and no more: whatever a file does to it, nobody else notices.

use std::{
    io::{self, BufRead, BufReader, Cursor, Read, Write},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
};

use calamine::{Reader, SheetVisible, Xls, XlsError, Xlsx, XlsxError};
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::{
    ReadError,
    cell::Cell,
    read::{Take, of_data, put},
    table::Sheet,
};

/// Bytes of data that the reader may hold.
const DATA_BYTES: u64 = 512 * 1024 * 1024;
/// Seconds that it may compute.
const SECONDS: u64 = 20;

/// The program that reads apart, and how it is asked to.
static APART: OnceLock<(PathBuf, &'static str)> = OnceLock::new();

/// From now on this process lets `program word` read `.xls` files, which does nothing but [`serve`].
pub fn read_apart(program: PathBuf, word: &'static str) {
    // A second word finds the first, which is as good.
    let _ = APART.set((program, word));
}

/// What the reader says, a line each.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Row { sheet: String, hidden: bool, number: u32, cells: Vec<Cell> },
    Encrypted,
    Unreadable(String),
    End,
}

/// Reads a file: apart where a program was named, else here.
pub fn read(bytes: &[u8], take: &mut Take) -> Result<(), ReadError> {
    match APART.get() {
        Some((program, word)) => Apart::start(program, word, bytes).map_err(|error| failed(&error))?.read(take),
        None => read_here(bytes, take),
    }
}

/// Reads a file from standard input and tells its rows to standard output, under limits: all that the process does.
pub fn serve() -> io::Result<()> {
    setrlimit(Resource::Data, Rlimit { current: Some(DATA_BYTES), maximum: Some(DATA_BYTES) })?;
    setrlimit(Resource::Cpu, Rlimit { current: Some(SECONDS), maximum: Some(SECONDS) })?;
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut fault = None;
    let read = read_here(&bytes, &mut |sheet, number, cells| {
        tell(&mut out, &Line::Row { sheet: sheet.name.clone(), hidden: sheet.hidden, number, cells }).map_err(|error| {
            let stop = ReadError::Unreadable(error.to_string());
            fault = Some(error);
            stop
        })
    });
    if let Some(fault) = fault {
        return Err(fault);
    }
    let last = match read {
        Ok(()) => Line::End,
        Err(ReadError::Encrypted) => Line::Encrypted,
        Err(error) => Line::Unreadable(error.to_string()),
    };
    tell(&mut out, &last)?;
    out.flush()
}

fn tell(out: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

/// A reader at work; it ends with this.
struct Apart(Child);

impl Drop for Apart {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Apart {
    fn start(program: &PathBuf, word: &str, bytes: &[u8]) -> io::Result<Self> {
        let mut child = Command::new(program).arg(word).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let stdin = child.stdin.take();
        let bytes = bytes.to_vec();
        thread::spawn(move || {
            // A reader that ended early has said why, or will be missed.
            let _ = stdin.map(|mut stdin| stdin.write_all(&bytes));
        });
        Ok(Self(child))
    }

    fn read(mut self, take: &mut Take) -> Result<(), ReadError> {
        let Some(stdout) = self.0.stdout.take() else { return Ok(()) };
        for line in BufReader::new(stdout).lines() {
            // A line that breaks off is of a reader that was ended.
            let Ok(line) = line.and_then(|line| serde_json::from_str(&line).map_err(io::Error::from)) else { break };
            match line {
                Line::Row { sheet, hidden, number, cells } => take(&Sheet { name: sheet, hidden }, number, cells)?,
                Line::Encrypted => return Err(ReadError::Encrypted),
                Line::Unreadable(why) => return Err(ReadError::Unreadable(why)),
                Line::End => return Ok(()),
            }
        }
        Err(ReadError::TooLarge("读取该.xls文件所需的内存或时间超出限制，请用表格软件另存为.xlsx后上传".into()))
    }
}

fn failed(error: &io::Error) -> ReadError {
    ReadError::Unreadable(format!("读取.xls的程序未能启动（{error}），请另存为.xlsx后上传"))
}

fn read_here(bytes: &[u8], take: &mut Take) -> Result<(), ReadError> {
    let mut book: Xls<_> = Xls::new(Cursor::new(bytes)).map_err(|error| match error {
        XlsError::Password => ReadError::Encrypted,
        other => match Xlsx::new(Cursor::new(bytes)) {
            Err(XlsxError::Password) => ReadError::Encrypted,
            _ => ReadError::Unreadable(other.to_string()),
        },
    })?;
    let sheets = book.sheets_metadata().iter().map(|sheet| Sheet { name: sheet.name.clone(), hidden: sheet.visible != SheetVisible::Visible });
    for sheet in sheets.collect::<Vec<_>>() {
        let name = &sheet.name;
        let formulas = book.worksheet_formula(name).ok();
        let Ok(range) = book.worksheet_range(name) else { continue };
        let Some((first, first_column)) = range.start() else { continue };
        for (index, row) in range.rows().enumerate() {
            let at = first + u32::try_from(index).unwrap_or(u32::MAX);
            let mut cells = Vec::new();
            for (offset, value) in row.iter().enumerate() {
                let column = first_column + u32::try_from(offset).unwrap_or(u32::MAX);
                let formula = formulas.as_ref().and_then(|range| range.get_value((at, column))).is_some_and(|formula| !formula.is_empty());
                put(&mut cells, column, of_data(value, formula));
            }
            take(&sheet, at + 1, cells)?;
        }
    }
    Ok(())
}

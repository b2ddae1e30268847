//! Files of all sorts, made by a generator that knows what it put in: what is read of each is that, whatever the separator, the encoding, the
//! way headers are written, and what stands between the rows that is no data. `INPUTS=1000000 cargo test --release -p xuezhu-workbook --test
//! generated` makes a million of each; without it, some thousands are made.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use rust_xlsxwriter::{Format, Workbook};
use xuezhu_workbook::{Columns, ReadError, Table, read};

const KNOWN: [&str; 6] = ["姓名", "身份证件号", "班级名称", "国籍/地区", "月份", "备注"];
const COLUMNS: Columns = Columns { known: &KNOWN, marks: &["姓名", "身份证件号"], required: &["姓名", "身份证件号"], taken_out: false };
/// Inputs where nobody says how many.
const INPUTS: u64 = 4_000;
/// One in so many is a workbook: they take longer to make than to read.
const WORKBOOKS: u32 = 40;

/// What was put into a file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Put {
    rows: Vec<Vec<String>>,
    hidden: usize,
    furniture: usize,
}

/// A line below the header.
enum Line {
    Data(Vec<String>),
    Furniture(Vec<String>),
    Blank,
}

fn inputs() -> u64 {
    std::env::var("INPUTS").ok().and_then(|said| said.parse().ok()).unwrap_or(INPUTS)
}

/// A header as somebody might write it.
fn written(random: &mut StdRng, header: &str) -> String {
    let spaced = |sign: &str| header.chars().map(String::from).collect::<Vec<_>>().join(sign);
    match random.random_range(0..9) {
        0 => spaced(" "),
        1 => spaced("\u{3000}"),
        2 => format!("*{header}"),
        3 => format!("{header}（必填）"),
        4 => format!("\u{200b}{header}\u{a0}"),
        5 => format!("★{header}（如例）："),
        6 => header.replace('/', "／"),
        _ => header.to_owned(),
    }
}

/// A table: its headers as written, with columns that mean nothing, and its lines.
fn table(random: &mut StdRng) -> (Vec<String>, Vec<Line>) {
    let mut meant: Vec<String> = KNOWN.map(str::to_owned).into();
    if random.random_bool(0.5) {
        meant.insert(0, "序号".to_owned());
    }
    if random.random_bool(0.3) {
        meant.push("其他说明".to_owned());
    }
    let headers = meant.iter().map(|header| if KNOWN.contains(&header.as_str()) { written(random, header) } else { header.clone() }).collect();
    let (mut above, mut lines) = (String::new(), Vec::new());
    for serial in 0..random.random_range(0..30) {
        let line = line(random, &meant, serial, &above);
        if let Line::Data(cells) | Line::Furniture(cells) = &line {
            above = meant.iter().position(|header| header == "国籍/地区").map(|at| cells[at].clone()).unwrap_or_default();
        }
        lines.push(line);
    }
    (headers, lines)
}

/// A line, below one in which this stood as nationality.
fn line(random: &mut StdRng, headers: &[String], serial: u32, above: &str) -> Line {
    let fill = |of: &dyn Fn(&str) -> String| headers.iter().map(|header| of(header)).collect::<Vec<_>>();
    match random.random_range(0..10) {
        0 => Line::Blank,
        1 if headers[0] == "序号" => Line::Furniture(fill(&|header| if header == "序号" { (serial + 1).to_string() } else { String::new() })),
        2 => Line::Furniture(headers.to_vec()),
        3 => {
            let word = ["合计", "总 计", "填表人：王五", "审核人（签字）"].choose(random).copied().unwrap_or_default();
            Line::Furniture((0..headers.len()).map(|at| if at == 0 { word.to_owned() } else { String::new() }).collect())
        }
        // What was filled in ahead, as in the row above.
        4 if above == "中国" => Line::Furniture(fill(&|header| if header == "国籍/地区" { above.to_owned() } else { String::new() })),
        _ => {
            // Of some the name, the number or both are missing: they are no furniture while anything else of theirs is their own.
            let (named, numbered) = (random.random_bool(0.9), random.random_bool(0.9));
            let months = ["", "9-12", "9,10,11,12,1", "9,10"].choose(random).copied().unwrap_or_default();
            let number = format!("{:018}", random.random_range(1_u64..999_999_999_999_999_999));
            let remark = ["", "", "", "他说“好”", "一, 二", "5\"的", "上\n下"].choose(random).copied().unwrap_or_default();
            Line::Data(fill(&|header| match header {
                "序号" => (serial + 1).to_string(),
                "姓名" if named => format!("学生{}", char::from_u32(0x4e00 + serial * 37).unwrap_or('甲')),
                "身份证件号" if numbered => number.clone(),
                "班级名称" => format!("{}级{serial}班", serial % 3 + 1),
                "月份" => months.to_owned(),
                "国籍/地区" => "中国".to_owned(),
                "备注" => remark.to_owned(),
                _ => String::new(),
            }))
        }
    }
}

/// The file as text, in some dialect.
fn text(random: &mut StdRng) -> (Vec<u8>, Put) {
    let (headers, lines) = table(random);
    let separator = [',', ',', '\t', ';'].choose(random).copied().unwrap_or(',');
    let end = ["\n", "\r\n", "\r"].choose(random).copied().unwrap_or("\n");
    let quoted = |cell: &str| if cell.contains(['"', '\n', '\r', separator]) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() };
    let row = |cells: &[String]| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(&separator.to_string());
    let mut text = String::new();
    if random.random_bool(0.2) {
        text.push_str(&format!("sep={separator}{end}"));
    }
    if random.random_bool(0.3) {
        text.push_str(&format!("2026级新生花名册{end}"));
    }
    text.push_str(&row(&headers));
    text.push_str(end);
    let mut put = Put::default();
    for line in lines {
        match line {
            Line::Blank => text.push_str(&separator.to_string().repeat(random.random_range(0..3))),
            Line::Furniture(cells) => {
                text.push_str(&row(&cells));
                put.furniture += 1;
            }
            Line::Data(cells) => {
                text.push_str(&row(&cells));
                put.rows.push(cells);
            }
        }
        text.push_str(end);
    }
    let bytes = match random.random_range(0..6) {
        // What it can't write it would write as a reference.
        3 if !text.contains('\u{200b}') => encoding_rs::GB18030.encode(&text).0.into_owned(),
        0 => [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(),
        1 => [&b"\xff\xfe"[..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat(),
        2 => [&b"\xfe\xff"[..], &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>()].concat(),
        _ => text.into_bytes(),
    };
    (bytes, put)
}

/// The file as a workbook, with hidden rows.
fn workbook(random: &mut StdRng) -> (Vec<u8>, Put) {
    let (headers, lines) = table(random);
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "填写说明").expect("writes");
    let sheet = book.add_worksheet();
    let text = Format::new().set_num_format("@");
    for (column, header) in (0..).zip(&headers) {
        sheet.write(0, column, header).expect("writes");
    }
    let mut put = Put::default();
    for (at, line) in (1..).zip(lines) {
        let (cells, is_data) = match line {
            Line::Blank => continue,
            Line::Furniture(cells) => (cells, false),
            Line::Data(cells) => (cells, true),
        };
        for (column, cell) in (0..).zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
            sheet.write_with_format(at, column, cell, &text).expect("writes");
        }
        if is_data {
            if random.random_bool(0.2) {
                sheet.set_row_hidden(at).expect("is hidden");
                put.hidden += 1;
            }
            put.rows.push(cells);
        } else {
            put.furniture += 1;
        }
    }
    (book.save_to_buffer().expect("a workbook"), put)
}

fn made(seed: u64) -> (StdRng, Vec<u8>, Put) {
    let mut random = StdRng::seed_from_u64(seed);
    let (bytes, put) = if random.random_ratio(1, WORKBOOKS) { workbook(&mut random) } else { text(&mut random) };
    (random, bytes, put)
}

fn found(table: &Table) -> Put {
    Put {
        rows: table.rows.iter().map(|row| row.cells.iter().map(|cell| cell.text.clone()).collect()).collect(),
        hidden: table.rows.iter().filter(|row| row.hidden).count(),
        furniture: table.furniture.len(),
    }
}

#[test]
fn every_row_that_was_put_in_is_accounted_for() {
    for seed in 0..inputs() {
        let (_, bytes, put) = made(seed);
        let tables = read(&bytes, COLUMNS).unwrap_or_else(|error| panic!("{seed}: {error}"));
        assert_eq!(found(&tables[0]), put, "seed {seed}");
    }
}

#[test]
fn what_breaks_off_or_is_bent_is_read_or_refused_and_never_hangs() {
    for seed in 0..inputs() {
        let (mut random, mut bytes, put) = made(seed);
        match random.random_range(0..3) {
            0 => bytes.truncate(random.random_range(0..=bytes.len())),
            1 => {
                for _ in 0..random.random_range(1..5) {
                    let at = random.random_range(0..bytes.len());
                    bytes[at] = random.random();
                }
            }
            _ => {
                let at = random.random_range(0..=bytes.len());
                bytes.splice(at..at, [b'"']);
            }
        }
        // Nothing is invented, whatever it is.
        match read(&bytes, COLUMNS) {
            Ok(tables) => assert!(tables.iter().map(|table| table.rows.len()).sum::<usize>() <= put.rows.len() + put.furniture + 8, "seed {seed}"),
            Err(ReadError::TooLarge(why)) => panic!("{seed}: {why}"),
            Err(_) => {}
        }
    }
}

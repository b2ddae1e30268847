//! Workbooks that schools upload and get back. Reading is bounded whatever the file holds; writing marks what is wrong.
//!
//! | module | what lives here |
//! | --- | --- |
//! | `read` | a file of any kind, its rows as the spreadsheet numbers them |
//! | `cell`, `table` | a cell and its flaws; what of a sheet is header, data, or neither |
//! | `csv_file`, `xls` | the other two kinds of file; xlsx is read where it is taken |
//! | `sort` | what a file is that is no table |
//! | `guard` | bombs are refused before anything is unpacked |
//! | `beside` | what a workbook says beside its cells: hidden rows, merged cells, zeros by format |
//! | `headers` | headers as people write them |
//! | `furniture` | what stands in a table and is no data |
//! | `write` | blank workbooks and marked ones |
//! | `taken` | workbooks that are taken out, stamped |
//!
//! What a column means is not known here: that belongs to the import of each service.

mod beside;
mod cell;
mod csv_file;
mod furniture;
mod guard;
mod headers;
mod read;
mod sort;
mod table;
mod taken;
mod write;
mod xls;

pub use cell::{Cell, Flaw};
pub use headers::Columns;
pub use read::read;
pub use table::{BEYOND_HEADER, LeftOut, Row, Table};
pub use taken::{STAMP, Stamp, TakenSheet, taken};
pub use write::{Column, Mark, Template, blank, marked};
pub use xls::{read_apart as read_xls_apart, serve as serve_xls};

/// Bytes of an upload at most.
pub const UPLOAD_BYTES: usize = 48 * 1024 * 1024;
/// Bytes of an `.xls` at most: its reader loads it whole.
pub const XLS_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that an `.xlsx` may unpack to.
pub const UNPACKED_BYTES: u64 = 384 * 1024 * 1024;
/// Bytes of its shared texts, which are held in memory.
pub const SHARED_TEXT_BYTES: u64 = 48 * 1024 * 1024;
/// Rows of data, over all sheets.
pub const DATA_ROWS: usize = 20_000;
/// Rows below headers, whatever is in them.
pub const PHYSICAL_ROWS: usize = 200_000;
/// Bytes that the cells of a file may take.
pub const KEPT_BYTES: usize = 192 * 1024 * 1024;
/// Bytes of a line of CSV at most.
pub const LINE_BYTES: usize = 1024 * 1024;
/// Rows among which the header is looked for.
pub const HEADER_SEARCH_ROWS: u32 = 10;
/// Characters of a cell that are kept: one more than any column takes.
pub const CELL_CHARACTERS: usize = 1_001;
/// Columns of a sheet that are looked at.
pub const COLUMNS: u32 = 200;

/// Why a file was refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Neither xlsx, xls nor CSV, or broken.
    #[error("文件不是可读取的工作簿：请上传 .xlsx、.xls 或 .csv 文件（{0}）")]
    Unreadable(String),
    /// Something else, whatever its name says.
    #[error("文件其实是{0}，读不出表格：请用Excel或WPS打开，另存为“Excel工作簿（.xlsx）”后上传")]
    Other(&'static str),
    /// Protected by a password.
    #[error("文件已加密或设有打开密码，请取消密码保护后重新上传")]
    Encrypted,
    /// Too large, packed or unpacked.
    #[error("{0}")]
    TooLarge(String),
    /// A quote swallows the rows after it.
    #[error("第{0}行有一个引号没有成对，它之后的行被并入了同一个单元格；什么也没有写入，请在表格软件中删除或补全该引号后重新上传")]
    OpenQuote(u64),
    /// No row holds the headers.
    #[error("前{HEADER_SEARCH_ROWS}行中找不到表头行（需含“{0}”等列），请使用下载的空白模板")]
    NoHeader(String),
    /// A header stands twice.
    #[error("表头“{0}”重复出现，请删除多余的列")]
    DuplicateHeader(String),
    /// It was taken out of here, and its kind is not taken in again.
    #[error("这是从本系统导出的文件：证件号已遮盖，只供查看，不能再导入；什么也没有写入。需要修改的，请用导入模板填写后上传")]
    TakenOut,
    /// Mandatory columns are missing.
    #[error("缺少必需的列：{0}")]
    MissingColumns(String),
}

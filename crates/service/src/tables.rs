//! Tables that change every year, as an operator keeps them in a folder: read and checked when a process starts, beside those that come
//! with the program. A file that is none of them is refused: what is misnamed would be missing and nobody would know.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use xuezhu_domain::{calendar, majors, region, tables::Fault};

/// Files that the folder may hold, each with the header of the table that comes with the program.
pub const FILES: [&str; 3] = ["regions.csv", "majors.csv", "working_days.csv"];

/// Why the tables were refused.
#[derive(Debug, thiserror::Error)]
pub enum TablesError {
    /// The folder or a file can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is none of the tables.
    #[error("{}: is none of {}", .0.display(), FILES.join(", "))]
    Unknown(PathBuf),
    /// A line can't be taken.
    #[error("{}: {fault}", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Which line and column, and why.
        fault: Fault,
    },
}

/// Reads every table of a folder, in the order of [`FILES`]; returns what was read.
pub fn load(folder: &Path) -> Result<Vec<&'static str>, TablesError> {
    let read = |path: PathBuf| move |source| TablesError::Read { path, source };
    for entry in fs::read_dir(folder).map_err(read(folder.to_owned()))? {
        let path = entry.map_err(read(folder.to_owned()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Hidden files are a mount's or an editor's; texts say what is there.
        let is_text = path.extension().is_some_and(|ending| ending == "md" || ending == "txt");
        if !(name.starts_with('.') || is_text || FILES.contains(&name)) {
            return Err(TablesError::Unknown(path));
        }
    }
    let mut loaded = Vec::new();
    for name in FILES {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(read(path.clone()))?;
        let taken = match name {
            "regions.csv" => region::load(&text).map(drop),
            "majors.csv" => majors::load(&text).map(drop),
            _ => calendar::load(&text).map(drop).map_err(|error| Fault {
                line: u64::try_from(error.line).unwrap_or(0),
                column: "date,kind".into(),
                why: error.to_string(),
            }),
        };
        taken.map_err(|fault| TablesError::Wrong { path, fault })?;
        loaded.push(name);
    }
    Ok(loaded)
}

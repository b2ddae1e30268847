//! The population registry is a port: an adapter over a loaded file, or none, which every page then says.

use std::{collections::HashMap, path::Path, sync::Arc};

use xuezhu_domain::{IdNumber, RegistryAnswer, identity::NumberClass, text};

/// What the registry is asked.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The number.
    pub number: IdNumber,
    /// The name, comparable.
    pub name: String,
}

/// The population registry.
#[derive(Clone)]
pub enum Registry {
    /// There is none: numbers stay unconfirmed, and that is no finding.
    None,
    /// A file of numbers and names, loaded into memory: number to comparable names, present and former.
    File(Arc<HashMap<String, Vec<String>>>),
}

/// A registry file that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("registry file {path}: {why}")]
pub struct RegistryError {
    path: String,
    why: String,
}

impl Registry {
    /// `none`, or a CSV file with the columns `number,name`.
    pub fn open(setting: &str) -> Result<Self, RegistryError> {
        if setting == "none" || setting.is_empty() {
            return Ok(Self::None);
        }
        let entries = load(Path::new(setting)).map_err(|error| RegistryError { path: setting.to_owned(), why: error.to_string() })?;
        Ok(Self::File(Arc::new(entries)))
    }

    /// What it is, for pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::File(_) => "file",
        }
    }

    /// Asks about one person. Only resident numbers are in a population registry.
    pub fn ask(&self, asked: &Asked) -> RegistryAnswer {
        let Self::File(entries) = self else { return RegistryAnswer::NotAsked };
        if asked.number.class() != NumberClass::Resident {
            return RegistryAnswer::NotAsked;
        }
        match entries.get(asked.number.reveal()) {
            None => RegistryAnswer::NotFound,
            Some(names) if names.contains(&asked.name) => RegistryAnswer::Confirmed,
            Some(_) => RegistryAnswer::Differs,
        }
    }
}

fn load(path: &Path) -> Result<HashMap<String, Vec<String>>, csv::Error> {
    let mut entries: HashMap<String, Vec<String>> = HashMap::new();
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        if let (Some(number), Some(name)) = (record.get(0), record.get(1)) {
            entries.entry(text::clean_number(number)).or_default().push(text::comparable_name(name));
        }
    }
    Ok(entries)
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_confirms_differs_or_does_not_know() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "number,name\n11010519491231002X,王　伟").unwrap();
        let registry = Registry::open(file.path().to_str().unwrap()).unwrap();
        let asked = |number: &str, name: &str| Asked { number: IdNumber::stored(NumberClass::Resident, number.into()), name: text::comparable_name(name) };
        assert_eq!(registry.ask(&asked("11010519491231002X", "王伟")), RegistryAnswer::Confirmed);
        assert_eq!(registry.ask(&asked("11010519491231002X", "王维")), RegistryAnswer::Differs);
        assert_eq!(registry.ask(&asked("440524188001010014", "王伟")), RegistryAnswer::NotFound);
        assert_eq!(Registry::None.ask(&asked("440524188001010014", "王伟")), RegistryAnswer::NotAsked);
        assert!(Registry::open("/nowhere/at/all.csv").is_err());
    }
}

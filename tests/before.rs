//! Data of before: folders that earlier versions wrote, unpacked for a test.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use xuezhu::deployment::Options;
use xuezhu_domain::text::mask_long_numbers;
use xuezhu_service::settings::Settings;

use crate::{Engine, by_itself, options, postgres};

/// A folder of before.
pub struct Before {
    /// What it holds.
    pub manifest: Value,
    /// How a deployment is started on it.
    pub options: Options,
}

impl Before {
    /// The small province, on an engine.
    pub async fn province(engine: Engine, folder: &Path) -> Self {
        match engine {
            Engine::Sqlite => Self::unpacked("province-sqlite", folder, None),
            Engine::Postgres => {
                let databases = (postgres::database().await, postgres::database().await);
                let before = Self::unpacked("province-postgres", folder, Some(databases.clone()));
                for (file, database) in [("enrollment.sql", databases.0), ("aid.sql", databases.1)] {
                    postgres::load(&before.options.data.join(file), &database);
                }
                before
            }
        }
    }

    /// A folder with accounts and nothing else.
    pub fn accounts_only(folder: &Path) -> Self {
        Self::unpacked("accounts-only", folder, None)
    }

    fn unpacked(name: &str, folder: &Path, databases: Option<(String, String)>) -> Self {
        let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/before").join(format!("{name}.tar.gz"));
        let done = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(folder).arg("--no-same-owner").status().expect("tar runs");
        assert!(done.success(), "{} is unpacked", archive.display());
        let data = folder.join(name);
        let manifest = serde_json::from_slice(&fs::read(data.join("manifest.json")).expect("is there")).expect("is JSON");
        // Only what was deployed then: the manifest tells every number in it.
        fs::remove_file(data.join("manifest.json")).expect("is there");
        let registry = data.join("registry.csv");
        let registry = if registry.exists() { registry.display().to_string() } else { "none".to_owned() };
        Self { manifest, options: by_itself(options(databases, &data, &registry, Settings::default())) }
    }

    /// The password of an account.
    pub fn password(&self, account: &str) -> &str {
        let accounts = self.manifest["accounts"].as_array().expect("a list");
        accounts.iter().find(|known| known["account"] == account).and_then(|known| known["password"].as_str()).expect("is known")
    }

    /// Texts that were entered, of some kinds.
    pub fn plain(&self, kinds: &[&str]) -> Vec<String> {
        let texts = |kind: &&str| self.manifest["plain"][*kind].as_array().cloned().unwrap_or_else(|| panic!("no {kind}"));
        kinds.iter().flat_map(texts).filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }
}

/// Asserts that an answer says all that one of before said: numbers by their ends, texts without numbers; what is new since may
/// stand beside it.
pub fn assert_says(answer: &Value, before: &Value, at: &str) {
    /// What must differ: when it was looked at, and what lists tell no more.
    const DIFFERS: [&str; 3] = ["judgedAt", "birthDate", "importId"];
    match (answer, before) {
        (Value::Object(answer), Value::Object(before)) => {
            if before.get("column").is_some_and(|column| column == "出生日期") {
                let (said, was) = (answer["value"].as_str().expect("a text"), before["value"].as_str().expect("a text"));
                return assert!(was.starts_with(said) && said.len() <= 4, "{at}: the year alone is said");
            }
            for (name, value) in before.iter().filter(|(name, _)| !DIFFERS.contains(&name.as_str())) {
                let said = answer.get(name).unwrap_or_else(|| panic!("{at}.{name} is not said any more"));
                assert_says(said, value, &format!("{at}.{name}"));
            }
        }
        (Value::Array(answer), Value::Array(before)) => {
            assert_eq!(answer.len(), before.len(), "{at}: {answer:?} {before:?}");
            for (index, (answer, before)) in answer.iter().zip(before).enumerate() {
                assert_says(answer, before, &format!("{at}[{index}]"));
            }
        }
        (Value::String(answer), Value::String(before)) => assert_eq!(shown(answer), shown(before), "{at}"),
        _ => assert_eq!(answer, before, "{at}"),
    }
}

fn shown(text: &str) -> String {
    let masked = mask_long_numbers(text);
    let is_number = masked.contains('*') && masked.chars().all(|c| c == '*' || c.is_alphanumeric());
    if is_number { masked.chars().skip(masked.chars().count() - 4).collect() } else { masked }
}

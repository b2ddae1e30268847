//! The shape is tested: what a rules.rs may name, where SQL stands, what a capability may touch of another.

use std::{
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder").filter_map(Result::ok) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).expect("reads");
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut found);
    assert!(!found.is_empty(), "{folder}");
    found
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

#[test]
fn rules_name_no_io() {
    for (path, text) in sources("services").into_iter().filter(|(path, _)| matches!(name(path), "rules.rs" | "life.rs" | "case.rs")) {
        for word in ["sqlx", "tonic::", "tokio", "xuezhu_store", "reqwest", "std::fs", "async "] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn sql_stands_in_stores_only() {
    for (path, text) in sources("services").into_iter().chain(sources("crates/bridge")) {
        if name(&path) == "store.rs" {
            continue;
        }
        for word in ["rows!(", "one!(", "run!(", "\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE "] {
            assert!(!text.contains(word), "{} holds SQL: {word}", path.display());
        }
    }
}

#[test]
fn no_capability_names_the_store_of_another() {
    for (path, text) in sources("services/enrollment/src").into_iter().chain(sources("services/aid/src")) {
        for capability in ["directory", "registration", "status_change", "import", "identity_check", "sharing", "award", "mirror", "reconciliation", "policy"] {
            assert!(!text.contains(&format!("{capability}::store")), "{} names {capability}::store", path.display());
        }
    }
}

#[test]
fn the_domain_depends_on_no_io() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/domain/Cargo.toml")).expect("reads");
    for word in ["tokio", "sqlx", "tonic", "prost", "reqwest"] {
        assert!(!manifest.contains(word), "{word}");
    }
}

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
        for capability in [
            "directory",
            "registration",
            "status_change",
            "import",
            "identity_check",
            "sharing",
            "roll",
            "drafts",
            "places",
            "persons",
            "classes",
            "story",
            "students",
            "award",
            "mirror",
            "reconciliation",
            "policy",
        ] {
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

/// Tables that a text of SQL writes to.
fn written(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let table = |at: usize| words.get(at).map(|word| (*word).to_owned()).filter(|word| word.chars().all(|c| c.is_lowercase() || c == '_'));
    let written = |(at, word): (usize, &&str)| match (*word, words.get(at + 1).copied()) {
        ("INSERT", Some("INTO")) | ("DELETE", Some("FROM")) => table(at + 2),
        ("UPDATE", Some(next)) if next != "SET" => table(at + 1),
        _ => None,
    };
    words.iter().enumerate().filter_map(written).collect()
}

/// Who studies where has one writer: the roll. What a database of before holds is made over by conversions, which belong to nobody.
#[test]
fn the_roll_alone_writes_who_studies_where() {
    const ROLL: [&str; 7] = ["persons", "person_keys", "person_names", "places", "enrollments", "periods", "classes"];
    let mut writers = std::collections::BTreeMap::<String, Vec<String>>::new();
    for (path, text) in sources("services/enrollment/src").into_iter().filter(|(path, _)| name(path) == "store.rs") {
        let path = path.to_string_lossy().into_owned();
        for table in written(&text).into_iter().filter(|table| ROLL.contains(&table.as_str())) {
            writers.entry(table).or_default().push(path.clone());
        }
    }
    assert_eq!(writers.keys().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), ROLL.into_iter().collect());
    for (table, files) in writers {
        let strangers: Vec<&String> = files.iter().filter(|file| !file.contains("/roll/") && !file.contains("/before/")).collect();
        assert!(strangers.is_empty(), "{table} is written by {strangers:?}");
    }
}

/// A rule table and a timeline name nothing of the outside; capabilities of the service make no circle.
#[test]
fn the_rooms_of_the_service_make_no_circle() {
    let rooms = ["directory", "registration", "status_change", "students", "import", "identity_check", "sharing", "roll"];
    let mut needs = std::collections::BTreeMap::<&str, std::collections::BTreeSet<&str>>::new();
    for (path, text) in sources("services/enrollment/src") {
        let Some(room) = rooms.into_iter().find(|room| path.to_string_lossy().contains(&format!("src/{room}/"))) else { continue };
        let named = |other: &&str| *other != room && (text.contains(&format!("crate::{other}")) || used(&text).contains(*other));
        needs.entry(room).or_default().extend(rooms.into_iter().filter(|other| named(other)));
    }
    let mut left: Vec<&str> = needs.keys().copied().collect();
    while let Some(at) = left.iter().position(|room| needs[room].iter().all(|other| !left.contains(other))) {
        left.remove(at);
    }
    assert!(left.is_empty(), "a circle among {left:?}: {needs:?}");
}

/// Rooms that a `use crate::{…}` names.
fn used(text: &str) -> std::collections::BTreeSet<String> {
    let Some(begin) = text.find("use crate::{") else { return std::collections::BTreeSet::new() };
    let end = text[begin..].find("};").map_or(text.len(), |end| begin + end);
    text[begin..end].split(|c: char| !(c.is_alphanumeric() || c == '_')).map(str::to_owned).collect()
}

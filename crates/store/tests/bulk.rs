//! Lists and bulk rows on both engines: what is written is what is read, and an index is used without statistics.

#[expect(dead_code, reason = "a database is all that is needed of it here")]
#[path = "../../../tests/postgres.rs"]
mod postgres;

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_store::{Bytes, Db, Each, Hex, StoreError, Tx, bulk_rows, bulk_texts, bulk_uuids, one, rows, run, sql};

/// Texts that a quoting of any kind would spoil.
const TEXTS: [&str; 8] = ["", "it's", "\"quoted\"", r"back\slash \x41 \u0041", "$1 and $2", "{a,NULL,\"b\"}", "学籍\n\t號\u{10FFFF}", "NULL"];

/// A row with more fields than its table has columns, and in another order.
#[derive(Debug, Serialize)]
struct Row {
    day: Option<NaiveDate>,
    unwanted: Vec<&'static str>,
    body: Option<Bytes>,
    id: Hex,
    holds: Option<bool>,
    fen: Option<i64>,
    name: Option<String>,
    state: Option<i32>,
    other: Option<Hex>,
}

type Read = (Uuid, Option<Uuid>, Option<String>, Option<i32>, Option<i64>, Option<bool>, Option<NaiveDate>, Option<Vec<u8>>);

fn full(number: u32, name: &str) -> Row {
    Row {
        day: NaiveDate::from_yo_opt(1583 + i32::try_from(number).expect("is small") * 1000, 60),
        unwanted: vec!["a list is no column"],
        body: Some(Bytes((0..=255).collect())),
        id: id(number),
        holds: Some(number.is_multiple_of(2)),
        fen: Some(i64::MIN + i64::from(number)),
        name: Some(name.to_owned()),
        state: Some(i32::MAX - i32::try_from(number).expect("is small")),
        other: Some(id(number + 1000)),
    }
}

fn empty(number: u32) -> Row {
    Row { day: None, unwanted: Vec::new(), body: None, id: id(number), holds: None, fen: None, name: None, state: None, other: None }
}

fn id(number: u32) -> Hex {
    Hex(Uuid::from_u128(u128::from(number) << 90 | 0xff))
}

fn as_read(row: &Row) -> Read {
    let body = row.body.as_ref().map(|body| body.0.clone());
    (row.id.0, row.other.map(|other| other.0), row.name.clone(), row.state, row.fen, row.holds, row.day, body)
}

/// A fresh database of each engine; the folder is the SQLite file's.
async fn databases() -> (tempfile::TempDir, [Db; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = format!("sqlite:{}", folder.path().join("bulk.db").display());
    let databases = [Db::open(&file).await.expect("opens"), Db::open(&postgres::database().await).await.expect("opens")];
    (folder, databases)
}

async fn begin(db: &Db) -> Tx {
    let mut tx = db.begin().await.expect("begins");
    let wide = sql!("CREATE TABLE wide (id uuid PRIMARY KEY, other uuid, name text, state integer, fen bigint, holds boolean, day date, body " only(sqlite "blob", postgres "bytea") ")");
    run!(&mut tx, wide).expect("is made");
    run!(&mut tx, "CREATE TABLE narrow (id uuid PRIMARY KEY, name text, low bigint, high bigint)").expect("is made");
    tx
}

const INSERT: Each = sql!(
    "INSERT INTO wide (id, other, name, state, fen, holds, day, body) SELECT t.id, t.other, t.name, t.state, t.fen, t.holds, t.day, t.body
     FROM " table 1 (id uuid, other uuid, name text, state integer, fen bigint, holds boolean, day date, body bytea)
);

async fn read(tx: &mut Tx) -> Vec<Read> {
    rows!(tx, Read, "SELECT id, other, name, state, fen, holds, day, body FROM wide ORDER BY id").expect("reads")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_column_is_read_as_it_was_written() {
    let (_folder, databases) = databases().await;
    for db in databases {
        let mut tx = begin(&db).await;
        let mut written: Vec<Row> = (0..).zip(TEXTS).map(|(number, text)| full(number, text)).collect();
        written.extend([empty(100), full(101, "after NULL"), Row { body: Some(Bytes(Vec::new())), ..empty(102) }]);
        assert_eq!(run!(&mut tx, INSERT, bulk_rows(&written)).expect("inserts"), 11);
        assert_eq!(read(&mut tx).await, written.iter().map(as_read).collect::<Vec<_>>());
        // A column of nothing but NULL has its type all the same, and no rows are no fault.
        assert_eq!(run!(&mut tx, INSERT, bulk_rows(&[empty(200), empty(201)])).expect("inserts"), 2);
        assert_eq!(run!(&mut tx, INSERT, bulk_rows::<Row>(&[])).expect("inserts"), 0);
        assert_eq!(read(&mut tx).await.len(), 13);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_share_rows_and_mix_them_with_other_arguments() {
    let (_folder, databases) = databases().await;
    for db in databases {
        let mut tx = begin(&db).await;
        let written = [full(1, "one"), full(2, "two"), empty(3)];
        let shared = bulk_rows(&written);
        run!(&mut tx, INSERT, &shared).expect("inserts");
        // Other columns, in another order, between other arguments; a number in quotes is none, and one may come up twice.
        let narrow = sql!(
            "INSERT INTO narrow (id, name, low, high) SELECT t.id, coalesce(t.name, $3) || ' it''s $9', $1, $1 + $4 FROM " table 2 (name text, id uuid)
            " WHERE t.id <> $5"
        );
        assert_eq!(run!(&mut tx, narrow, 10_i64, &shared, "nobody", 5_i64, id(2).0).expect("inserts"), 2);
        let found = rows!(&mut tx, (Uuid, String, i64, i64), "SELECT id, name, low, high FROM narrow ORDER BY id").expect("reads");
        assert_eq!(found, [(id(1).0, "one it's $9".to_owned(), 10, 15), (id(3).0, "nobody it's $9".to_owned(), 10, 15)]);
        // Two tables in one statement, named against their order, and a list.
        let others = [full(1, "uno"), full(3, "tres")];
        let both = sql!(
            "SELECT a.id, a.name, b.name, b.state FROM (SELECT t.id, t.name, t.state FROM " table 3 (id uuid, name text, state integer) ") AS b
             JOIN (SELECT t.id, t.name FROM " table 1 (id uuid, name text) ") AS a ON a.id = b.id AND b.id" in_uuids 2 " AND a.id" in_uuids 2
             " WHERE b.state < $4"
        );
        let found = rows!(&mut tx, (Uuid, String, String, i32), both, &shared, bulk_uuids([id(1).0, id(2).0]), bulk_rows(&others), i32::MAX).expect("reads");
        assert_eq!(found, [(id(1).0, "one".to_owned(), "uno".to_owned(), i32::MAX - 1)]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_finds_what_it_names() {
    let (_folder, databases) = databases().await;
    for db in databases {
        let mut tx = begin(&db).await;
        let written: Vec<Row> = (0..).zip(TEXTS).map(|(number, text)| full(number, text)).collect();
        run!(&mut tx, INSERT, bulk_rows(&written)).expect("inserts");
        for text in TEXTS {
            let named = sql!("SELECT name FROM wide WHERE name" in_texts 1);
            assert_eq!(rows!(&mut tx, (String,), named, bulk_texts([text, "absent"])).expect("reads"), [(text.to_owned(),)]);
        }
        let listed = sql!("SELECT count(*) FROM wide WHERE id" in_uuids 2 " AND state > $1");
        let count = one!(&mut tx, (i64,), listed, 0, bulk_uuids((0..1000).map(|number| id(number).0))).expect("reads");
        assert_eq!(count, Some((8,)));
        let nobody = bulk_uuids([]);
        assert_eq!(one!(&mut tx, (i64,), listed, 0, &nobody).expect("reads"), Some((0,)));
        assert_eq!(run!(&mut tx, sql!("DELETE FROM wide WHERE id" in_uuids 1 " OR other" in_uuids 1), &nobody).expect("deletes"), 0);
        assert_eq!(rows!(&mut tx, (Uuid,), sql!("SELECT id FROM wide WHERE name" in_texts 1), bulk_texts::<&str>([])).expect("reads"), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_do_not_fit_their_table_are_refused_by_name_and_not_by_value() {
    #[derive(Serialize)]
    struct Narrow {
        id: &'static str,
        low: i64,
    }
    let (_folder, [_, db]) = databases().await;
    let mut tx = begin(&db).await;
    let row = [Narrow { id: "not-an-id", low: i64::MAX }];
    let refused = [
        (sql!("INSERT INTO narrow (id) SELECT t.id FROM " table 1 (id uuid)), "id is no uuid"),
        (sql!("INSERT INTO narrow (low) SELECT t.low FROM " table 1 (low integer)), "low is no integer: bigint is wider"),
        (sql!("INSERT INTO narrow (low) SELECT t.low FROM " table 1 (low text)), "low is no text"),
        (sql!("INSERT INTO narrow (low, name) SELECT t.low, t.name FROM " table 1 (low bigint, name text)), "they lack name"),
        (sql!("INSERT INTO narrow (low) SELECT t.low + $2 FROM " table 1 (low bigint)), "names other parameters"),
        (Each::from("INSERT INTO narrow (low) VALUES ($1)"), "no table stands"),
    ];
    for (statement, why) in refused {
        let error = run!(&mut tx, statement, bulk_rows(&row)).expect_err("is refused").to_string();
        assert!(error.contains(why), "{error}");
        assert!(!error.contains("not-an-id"), "{error}");
    }
    // A text that PostgreSQL can't hold is told as one.
    let error = run!(&mut tx, INSERT, bulk_rows(&[full(1, "a\0b")])).expect_err("is refused");
    assert!(matches!(error, StoreError::Text), "{error}");
}

/// A table of which nothing is known, as a fresh mirror's are.
#[tokio::test(flavor = "multi_thread")]
async fn a_planner_without_statistics_reads_a_list_by_index() {
    let (_folder, [_, db]) = databases().await;
    let mut tx = begin(&db).await;
    run!(&mut tx, "CREATE TABLE keys (generation bigint, person uuid, PRIMARY KEY (generation, person)) WITH (autovacuum_enabled = off)").expect("is made");
    run!(&mut tx, "INSERT INTO keys SELECT 1, md5(i::text)::uuid FROM generate_series(1, 50000) AS i").expect("inserts");
    // The first times a statement runs, its plan is made for what it was given.
    let explained = sql!("EXPLAIN SELECT person FROM keys WHERE generation = $2 AND person" in_uuids 1);
    let list = bulk_uuids((0..1000).map(|number| id(number).0));
    let plan = rows!(&mut tx, (String,), explained, &list, 1_i64).expect("is explained");
    let plan: Vec<String> = plan.into_iter().map(|(line,)| line).collect();
    assert!(plan.iter().any(|line| line.contains("Index Cond") && line.contains("person = ANY")), "{plan:#?}");
}

//! One role owns the schema, another runs: who runs reads and writes rows, and changes nothing of the schema.

use sqlx::Connection;
use xuezhu::schema::migrate;
use xuezhu_service::settings::Settings;
use xuezhu_store::Db;
use xuezhu_tests::{
    deployment_on, postgres, rows,
    schools::{self, number, student},
};

/// The URL of a database for another role.
fn by(url: &str, role: &str) -> String {
    url.replacen("postgres://postgres@", &format!("postgres://{role}:a%40b@"), 1)
}

fn settings(owners: &[String; 2], runs: &[String; 2]) -> Settings {
    Settings {
        enrollment_owner_database_url: owners[0].clone(),
        aid_owner_database_url: owners[1].clone(),
        enrollment_database_url: runs[0].clone(),
        aid_database_url: runs[1].clone(),
        ..Settings::default()
    }
}

async fn refused(url: &str, statement: &'static str) -> bool {
    let mut connection = sqlx_postgres::PgConnection::connect(url).await.expect("connects");
    let refused = sqlx::query(statement).execute(&mut connection).await.is_err_and(|error| {
        // insufficient_privilege
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some("42501")
    });
    connection.close().await.expect("closes");
    refused
}

async fn start_fails(url: &str) -> String {
    let db = Db::open(url).await.expect("connects");
    let why = db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect_err("is refused").to_string();
    db.close().await;
    why
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_reads_and_writes_rows_and_changes_nothing_of_the_schema() {
    let owners = [postgres::database().await, postgres::database().await];
    // Roles are of a cluster: those of other tests are others.
    let role = format!("runs_{}", owners[0].rsplit('/').next().expect("a name"));
    let runs = [by(&owners[0], &role), by(&owners[1], &role)];
    assert_ne!(owners, runs);
    let all = settings(&owners, &runs);
    let folder = tempfile::tempdir().expect("a folder");

    // The owner is not who runs; where nobody is named there is nothing to do.
    let why = migrate(&settings(&owners, &owners)).await.expect_err("is refused");
    assert!(format!("{why:#}").contains("owns the schema"), "{why:#}");
    assert!(migrate(&Settings::default()).await.is_err());
    // Who was not let in yet is told what to do.
    let mut owner = sqlx_postgres::PgConnection::connect(&owners[0]).await.expect("connects");
    for statement in [format!("CREATE ROLE {role} LOGIN"), format!("REVOKE ALL ON SCHEMA public FROM PUBLIC, {role}")] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut owner).await.expect("is done");
    }
    let why = start_fails(&runs[0]).await;
    assert!(why.contains("admin migrate"), "{why}");
    let done = migrate(&all).await.expect("is done");
    assert_eq!(done.iter().map(|done| (done.service, done.role.as_str())).collect::<Vec<_>>(), [("enrollment", role.as_str()), ("aid", &role)]);
    migrate(&all).await.expect("is done once more");

    // A whole way as who runs.
    let deployment = deployment_on(Some((runs[0].clone(), runs[1].clone())), folder.path(), "none", Settings::default()).await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1)]).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let list = people.list(&[(&student(1)["姓名"], &number(1), "")]).await;
    people.attested(&list).await;
    people.approve(&list).await.expect("is approved");
    rows::assert_whole(&deployment, &["account", "dossier", "award entry"], "as who runs").await;
    deployment.stop().await;

    for (url, statement) in [
        (&runs[0], "CREATE TABLE other (a integer)"),
        (&runs[0], "ALTER TABLE accounts ADD COLUMN other integer"),
        (&runs[0], "DROP TABLE audit"),
        (&runs[0], "TRUNCATE audit"),
        (&runs[0], "DELETE FROM row_writes"),
        (&runs[1], "UPDATE row_writes SET kind = 9"),
        (&runs[1], "DELETE FROM audit_witnesses"),
        (&runs[1], "DELETE FROM _sqlx_migrations"),
        (&runs[1], "CREATE INDEX other ON award_units (fen)"),
    ] {
        assert!(refused(url, statement).await, "{statement}");
        assert!(!statement.starts_with("CREATE TABLE") || !refused(&owners[0], statement).await, "its owner may");
    }

    // Who runs has the planner told, by the function that the owner left.
    let mut runner = sqlx_postgres::PgConnection::connect(&runs[0]).await.expect("connects");
    sqlx::query("SELECT xuezhu_analyze()").execute(&mut runner).await.expect("is told");
    runner.close().await.expect("closes");

    // A schema of another version: who runs says what to do, instead of running on it.
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)").execute(&mut owner).await.expect("is older");
    let why = start_fails(&runs[0]).await;
    assert!(why.contains("admin migrate"), "{why}");
    owner.close().await.expect("closes");
}

//! A school's workbook, from the file to the stored rows, and where the time goes.

use std::{sync::Arc, time::Instant};

use uuid::Uuid;
use xuezhu::deployment::system_clock;
use xuezhu_enrollment::{Enrollment, identity_check::registry::Registry, import::Students};
use xuezhu_intake::{Kind, Options, check, progress::Progress};
use xuezhu_proto::common::Upload;
use xuezhu_service::{Actor, Context, Ids, Keyring, Role, settings::Safeguards};
use xuezhu_store::Db;
use xuezhu_tests::{
    Engine, deployment, postgres,
    schools::{self, SCHOOL, student, workbook},
};

use crate::{rate, seconds};

/// Measures an import of `students` rows on both engines.
pub async fn measure(students: i64) {
    let rows: Vec<_> = (0..u32::try_from(students).expect("a number of students")).map(student).collect();
    let file = workbook(&rows);
    println!("a workbook of {students} students, 73 columns, {} KB", file.len() / 1024);
    for engine in Engine::ALL {
        phases(engine, students, &file).await;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let begun = Instant::now();
    let report = people.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), file, "").await.expect("is taken");
    let took = begun.elapsed();
    assert_eq!(report["rowsNew"], students, "{report}");
    println!("over REST, SQLite, all of it      {:>8.3} s  {:>8.0} students/s", seconds(took), rate(students, took));
    deployment.stop().await;
}

async fn phases(engine: Engine, students: i64, file: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let url = match engine {
        Engine::Sqlite => format!("sqlite:{}", folder.path().join("enrollment.db").display()),
        Engine::Postgres => postgres::database().await,
    };
    let (tasks, stop) = (tokio_util::task::TaskTracker::new(), tokio_util::sync::CancellationToken::new());
    let db = Db::open(&url).await.expect("opens");
    let (clock, ids) = (system_clock(), Ids::random());
    let service = Enrollment::start(
        db.clone(),
        clock.clone(),
        ids.clone(),
        Keyring::generate().0,
        xuezhu_evidence::Vault::memory(),
        Registry::None,
        Safeguards::default(),
        &tasks,
        &stop,
    )
    .await
    .expect("starts");
    let parts = Arc::new(service.parts().clone());
    open_school(&db, &clock, &ids).await;

    let begun = Instant::now();
    let tables = check::tables(file, &Students::sheet()).expect("reads");
    let read = begun.elapsed();
    let kind = Students { parts: parts.clone(), school: SCHOOL.into() };
    let clerk = Actor {
        account: "clerk".into(),
        display_name: "经办人".into(),
        role: Role::SchoolClerk,
        organisation: SCHOOL.into(),
        must_change_password: false,
        must_set_factor: false,
        session_us: 0,
        stands_in: None,
        classes: Vec::new(),
    };
    let ctx = Context::new(clerk, &clock, &ids);
    let mut tx = db.read().await.expect("a transaction");
    let rules = kind.rules(&ctx, &mut tx).await.expect("rules");
    tx.rollback().await.expect("ends");
    let begun = Instant::now();
    let good = check::check(&kind, &rules, &tables, Options::default(), &Progress::default()).expect("checks").rows.len();
    let checked = begun.elapsed();
    assert_eq!(i64::try_from(good), Ok(students));
    let begun = Instant::now();
    drop(parts.keyring.seal("upload", &[Uuid::nil()], file));
    let sealing = begun.elapsed();
    let mut took = Vec::new();
    for preview in [true, false] {
        let head = Upload { school: SCHOOL.into(), preview, ..Upload::default() };
        let turn = parts.gate.uploads().turn("clerk").await.expect("a turn");
        let begun = Instant::now();
        let report = parts.intake.file(ctx.clone(), kind.clone(), head, file.to_vec(), turn, |report| report).await.expect("imports").into_inner();
        took.push(begun.elapsed());
        assert_eq!(i64::from(report.rows_new), students);
    }
    let (previewed, imported) = (took[0], took[1]);
    let whole = imported;
    println!("{engine:?}: {:.3} s from the file to stored, {:.0} students/s", seconds(whole), rate(students, whole));
    println!("  read and checked {:.0} students/s, written {:.0} students/s", rate(students, previewed), rate(students, imported.saturating_sub(previewed)));
    for (what, part) in [
        ("unpack and read the sheet", read),
        ("check and hash every row, all cores", checked),
        ("match with what is there", previewed.saturating_sub(read + checked + sealing)),
        ("seal the file", sealing),
        ("seal and write the rows", imported.saturating_sub(previewed)),
    ] {
        println!("  {what:<36} {:>8.3} s  {:>5.1} %", seconds(part), 100.0 * seconds(part) / seconds(whole));
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    db.close().await;
}

async fn open_school(db: &Db, clock: &xuezhu_service::Clock, ids: &Ids) {
    let admin = Actor {
        account: "admin".into(),
        display_name: String::new(),
        role: Role::Administrator,
        organisation: String::new(),
        must_change_password: false,
        must_set_factor: false,
        session_us: 0,
        stands_in: None,
        classes: Vec::new(),
    };
    let school = xuezhu_enrollment::directory::NewSchool {
        code: SCHOOL.parse().expect("a code"),
        name: "学校".into(),
        region: "430102".parse().expect("a region"),
        kind: "PUBLIC",
        authority: "430100".parse().expect("a region"),
        telephone: String::new(),
        majors: xuezhu_domain::majors::major("2010", "010200").into_iter().collect(),
    };
    db.write(&(Context::new(admin, clock, ids), school), |tx, (ctx, school)| {
        Box::pin(async move { xuezhu_enrollment::directory::create_school(ctx, tx, school).await.map(drop) })
    })
    .await
    .expect("a school");
}

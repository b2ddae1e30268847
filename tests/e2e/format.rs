//! The feed's record format grows: what nobody knows yet stops nothing and entitles to nothing; what a source learns to say it says again.

use prost::Message;
use serde_json::json;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;
use xuezhu::deployment::{Deployment, channel, system_clock};
use xuezhu_aid::{
    Aid, Following,
    following::{self, Enrollments},
};
use xuezhu_bridge::{
    Cursor,
    follower::{Forgot, Mirror, Stand},
    keeping::Keeper,
};
use xuezhu_judge::{case::Rule, entry::State, life};
use xuezhu_proto::bridge::{Period, Person, PersonKey, PersonName, Record, School, record::Body};
use xuezhu_service::{
    Ids, Keyring,
    settings::{Safeguards, Settings},
};
use xuezhu_store::{Db, one, rows, run};
use xuezhu_tests::{
    Engine, free_address,
    invented::say_what_nobody_knows,
    options, postgres,
    schools::{self, SCHOOL, number, student},
    start, until,
};

async fn databases(engine: Engine) -> Option<(String, String)> {
    match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    }
}

async fn open(databases: Option<&(String, String)>, folder: &std::path::Path) -> (Db, Db) {
    let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
    let (enrollment, aid) = databases.cloned().unwrap_or_else(|| (file("enrollment.db"), file("aid.db")));
    (Db::open(&enrollment).await.expect("opens"), Db::open(&aid).await.expect("opens"))
}

async fn state_of(aid: &Db, name: &str) -> Option<i32> {
    let mut tx = aid.read().await.expect("reads");
    let found = one!(
        &mut tx,
        (i32,),
        "SELECT p.state FROM mirror_periods p JOIN mirror_enrollments e ON e.enrollment = p.enrollment AND e.generation = p.generation
         WHERE e.claim_name = $1 AND e.generation = (SELECT generation FROM mirror_state) ORDER BY p.ordinal DESC",
        name
    )
    .expect("reads");
    tx.rollback().await.expect("ends");
    found.map(|(state,)| state)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_and_a_state_that_nobody_knows_stop_nothing_and_entitle_to_nothing() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = databases(engine).await;
        let on = || options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment = start(on()).await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        let (one, two) = (student(1)["姓名"].clone(), student(2)["姓名"].clone());
        let list = people.list(&[(&one, &number(1), ""), (&two, &number(2), "")]).await;
        people.attested(&list).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, []);
        let (enrollment, aid) = open(databases.as_ref(), folder.path()).await;
        let before = state_of(&aid, &one).await;
        say_what_nobody_knows(&enrollment, &one).await;
        until("the mirror hears of it", async || state_of(&aid, &one).await != before).await;
        let flagged = vec![("NOT_VALID_IN_TERM".to_owned(), one.clone())];
        until("the student is held", async || people.open_flags().await == flagged).await;
        // What comes after it is heard, and a fresh generation says the same.
        people.import(&[student(3)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        assert!(state_of(&aid, &student(3)["姓名"]).await.is_some());
        deployment.stop().await;
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "UPDATE mirror_state SET change = $1", Uuid::from_u128(9)).expect("is another's cursor");
        tx.commit().await.expect("commits");
        let deployment = start(on()).await;
        let people = schools::People::at(&format!("http://{}", deployment.http)).await;
        until("a fresh generation is loaded", async || state_of(&aid, &student(3)["姓名"]).await.is_some() && generation(&aid).await > 1).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, flagged);
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!((&approved["approved"], &approved["heldAttested"]), (&json!(1), &json!(1)), "{approved}");
        deployment.stop().await;
    }
}

async fn generation(aid: &Db) -> i64 {
    let mut tx = aid.read().await.expect("reads");
    let (generation,) = one!(&mut tx, (i64,), "SELECT generation FROM mirror_state").expect("reads").expect("a row");
    tx.rollback().await.expect("ends");
    generation
}

/// Names of schools as the mirror holds them.
async fn schools_mirrored(aid: &Db) -> Vec<String> {
    let mut tx = aid.read().await.expect("reads");
    let names =
        rows!(&mut tx, (String,), "SELECT name FROM mirror_schools WHERE generation = (SELECT generation FROM mirror_state) ORDER BY name").expect("reads");
    tx.rollback().await.expect("ends");
    names.into_iter().map(|(name,)| name).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_says_more_than_before_says_every_changed_record_again_once() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = databases(engine).await;
        let on = || options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment: Deployment = start(on()).await;
        let people = schools::open(&deployment).await;
        people.import(&(1..=3).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        deployment.stop().await;
        let (enrollment, aid) = open(databases.as_ref(), folder.path()).await;
        let whole = schools_mirrored(&aid).await;
        // As a version before left it: of a lower format, one record said otherwise than it would be now.
        let mut tx = enrollment.begin().await.expect("begins");
        let (record, body) =
            one!(&mut tx, (Uuid, Vec<u8>), "SELECT record, body FROM shared_records WHERE kind = 10 ORDER BY record").expect("reads").expect("a row");
        let mut told = Record::decode(&body[..]).expect("decodes");
        let Some(Body::School(school)) = &mut told.body else { panic!("a school") };
        school.name = "旧说法".into();
        run!(&mut tx, "UPDATE shared_records SET body = $2 WHERE kind = 10 AND record = $1", record, told.encode_to_vec()).expect("is as before");
        run!(&mut tx, "UPDATE feed_sequencer SET format = 1").expect("is as before");
        let logged = one!(&mut tx, (i64,), "SELECT count(*) FROM change_log").expect("reads").expect("a row").0;
        tx.commit().await.expect("commits");
        let logged_now = async || {
            let mut tx = enrollment.read().await.expect("reads");
            let (count, format) =
                one!(&mut tx, (i64, i32), "SELECT (SELECT count(*) FROM change_log), format FROM feed_sequencer").expect("reads").expect("a row");
            tx.rollback().await.expect("ends");
            (count, format)
        };
        for _ in 0..2 {
            let deployment = start(on()).await;
            until("it is said again", async || logged_now().await == (logged + 1, xuezhu_bridge::format::FORMAT)).await;
            deployment.drain().await.expect("drains");
            deployment.stop().await;
            assert_eq!(schools_mirrored(&aid).await, whole);
            assert_eq!(logged_now().await.0, logged + 1, "the others were said so already");
        }
    }
}

/// A day as the feed writes it.
fn day(text: &str) -> i32 {
    let day: chrono::NaiveDate = text.parse().expect("a date");
    i32::try_from((day - chrono::NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date")).num_days()).expect("is near")
}

/// Whom the records below tell of: person, enrollment, key.
const TOLD: [Uuid; 3] = [Uuid::from_u128(1), Uuid::from_u128(2), Uuid::from_u128(3)];

fn record(version: i64, id: &[u8], body: Body) -> Record {
    Record { version, id: id.to_vec(), body: Some(body), ..Record::default() }
}

/// A student as a source tells of them, under these values.
fn told(version: i64, registry: i32, at: i32, now: i32) -> Vec<Record> {
    let [person, enrollment, key] = TOLD;
    let who = Person {
        keys: vec![PersonKey { key: key.as_bytes().to_vec(), kind: 1, end_recorded_day: 0 }],
        names: vec![PersonName { name: "王甲".into(), kind: 1, end_recorded_day: 0 }],
        sex: 1,
        birth_day: day("2010-01-01"),
        registry,
    };
    let period = Period {
        from_day: day("2026-09-01"),
        state: now,
        class_name: "1班".into(),
        major: "2010-010200".into(),
        study_form: "全日制".into(),
        ..Period::default()
    };
    let place = xuezhu_proto::bridge::Enrollment {
        school: SCHOOL.into(),
        stage: at,
        claim_key: key.as_bytes().to_vec(),
        claim_name: "王甲".into(),
        sex: 1,
        birth_day: day("2010-01-01"),
        person: person.as_bytes().to_vec(),
        entry_day: day("2026-09-01"),
        approved_day: day("2026-09-10"),
        claimed_day: 0,
        periods: vec![period],
    };
    vec![record(version, person.as_bytes(), Body::Person(who)), record(version, enrollment.as_bytes(), Body::Enrollment(place))]
}

/// A list with one line about that student.
async fn list_of_one(db: &Db) {
    let mut tx = db.begin().await.expect("begins");
    run!(
        &mut tx,
        "INSERT INTO award_lists (list, school, scheme, term, supplement, state, submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest,
         approved_by_name, created_at_us) VALUES ($1, $2, 'GRANT', '2026-AUTUMN', 0, $4, $3, 'clerk', '', '', '', '', 0)",
        Uuid::from_u128(4),
        SCHOOL,
        true,
        State::Submitted.code()
    )
    .expect("is made");
    run!(
        &mut tx,
        "INSERT INTO award_entries (entry, list, school, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, months, first_day, last_day,
         amount_fen, month_fen, tier, card_tail, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us, recorded_by)
         VALUES ($1, $2, $3, 'GRANT', '2026-AUTUMN', $4, '居民身份证', $5, '', '王甲', '王甲', '202609,202610', $6, $7, 46000, 23000, '二档', '', '', $8, '', $5, $6, 1, 'clerk')",
        Uuid::from_u128(5),
        Uuid::from_u128(4),
        SCHOOL,
        TOLD[2],
        &b""[..],
        chrono::NaiveDate::from_ymd_opt(2026, 9, 1).expect("a date"),
        chrono::NaiveDate::from_ymd_opt(2026, 10, 1).expect("a date"),
        State::Submitted.code()
    )
    .expect("is made");
    tx.commit().await.expect("commits");
}

/// A mirror whose source never answers: what is told is told here.
async fn without_source(db: &Db) -> (Keeper<Enrollments>, TaskTracker, CancellationToken) {
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let following = Following {
        source: channel(&format!("http://{}", free_address())).expect("a channel"),
        name: "aid".into(),
        scope: String::new(),
        lane_records: 250,
        mirror_age: std::time::Duration::from_secs(600),
    };
    let keys = Keyring::generate().1;
    let aid =
        Aid::start(db.clone(), system_clock(), Ids::random(), keys, xuezhu_evidence::Vault::memory(), None, following, Safeguards::default(), &tasks, &stop)
            .await
            .expect("starts");
    (following::keeper(aid.parts().clone(), 250), tasks, stop)
}

/// A place in the history of a source that is told here.
fn at(position: i64) -> Cursor {
    Cursor { history: Uuid::from_u128(7), scope: String::new(), position, change: Uuid::from_u128(u128::from(position.unsigned_abs())) }
}

/// What a newer source may say in any field that has a list of values, told to this follower as it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_told_values_it_does_not_know_holds_the_money_and_goes_on() {
    const UNKNOWN: i32 = 99;
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let url = databases(engine).await.map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid);
        let db = Db::open(&url).await.expect("opens");
        let (mirror, tasks, stop) = without_source(&db).await;
        let school = School {
            code: SCHOOL.into(),
            name: "学校".into(),
            authority: "430100".into(),
            region: "430102".into(),
            state: "ACTIVE".into(),
            ..School::default()
        };
        let generation = mirror.begin_generation(&Stand { cursor: at(1), format: 2 }).await.expect("begins");
        let first = [vec![record(1, xuezhu_bridge::log::school_id(SCHOOL).as_bytes(), Body::School(school))], told(1, 2, 3, 1)].concat();
        mirror.load(generation, &first).await.expect("loads");
        mirror.switch(generation, &Stand { cursor: at(1), format: 2 }, &Forgot::CantSay).await.expect("switches");
        list_of_one(&db).await;
        let held = async || {
            let mut tx = db.read().await.expect("reads");
            let held =
                rows!(&mut tx, (i32,), "SELECT rule FROM flags WHERE state = $1 AND holds AND entry IS NOT NULL ORDER BY rule", life::State::Open.code())
                    .expect("flags");
            tx.rollback().await.expect("ends");
            held.into_iter().map(|(rule,)| Rule::from_code(rule).expect("a rule")).collect::<Vec<_>>()
        };
        let mut version = 1;
        for (what, registry, stage, state, flagged) in [
            ("all is known", 2, 3, 1, vec![]),
            ("a state", 2, 3, UNKNOWN, vec![Rule::NotValidInTerm]),
            ("a stage", 2, UNKNOWN, 1, vec![Rule::NoEnrollment]),
            ("what the registry says", UNKNOWN, 3, 1, vec![Rule::IdentityUnverified]),
            ("all is known again", 2, 3, 1, vec![]),
        ] {
            version += 1;
            assert!(mirror.apply(&at(version - 1), &at(version), &told(version, registry, stage, state)).await.expect(what), "{engine:?} {what}");
            let found = held().await;
            assert!(flagged.iter().all(|rule| found.contains(rule)), "{engine:?} {what}: {found:?}");
            assert_eq!(found.is_empty(), flagged.is_empty(), "{engine:?} {what}: {found:?}");
        }
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }
}

/// Puts what a generation was told of that student in fields of later formats: each letter stands for what one of them says.
async fn say_later(db: &Db, generation: i64, said: &str) {
    let later: String = said.chars().map(|letter| letter.to_string().repeat(32)).collect();
    let mut tx = db.begin().await.expect("begins");
    run!(&mut tx, "UPDATE mirror_persons SET later = $1 WHERE generation = $2", &later, generation).expect("is told");
    run!(&mut tx, "UPDATE mirror_enrollments SET later = $1 WHERE generation = $2", &later, generation).expect("is told");
    tx.commit().await.expect("commits");
}

/// Two generations of one student under different changes: what only one of them was told is no difference, and nothing to ask the
/// source for.
#[tokio::test(flavor = "multi_thread")]
async fn generations_of_different_formats_differ_only_in_what_both_were_told() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let url = databases(engine).await.map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid);
        let db = Db::open(&url).await.expect("opens");
        let (mirror, tasks, stop) = without_source(&db).await;
        // Whoever is marked stays marked: nobody judges here.
        stop.cancel();
        tasks.close();
        tasks.wait().await;
        let marked = async || {
            let mut tx = db.begin().await.expect("begins");
            let marked = rows!(&mut tx, (Uuid,), "SELECT person_key FROM marked_keys").expect("marks");
            run!(&mut tx, "DELETE FROM marked_keys").expect("empties");
            tx.commit().await.expect("commits");
            marked.len()
        };
        let mut position = 0;
        for (then, now, registry, differs) in [
            ("", "", 2, false),
            ("", "a", 2, false),
            ("a", "a", 2, false),
            ("a", "b", 2, true),
            ("a", "ab", 2, false),
            ("a", "bb", 2, true),
            ("ab", "ac", 2, true),
            // The source went back to a lower format.
            ("ab", "a", 2, false),
            ("a", "", 2, false),
            // Differs in what both were told, whatever else came.
            ("", "a", 3, true),
            ("a", "", 3, true),
        ] {
            let what = format!("{engine:?} {then:?} {now:?} {registry}");
            for (said, registry) in [(then, 2), (now, registry)] {
                position += 1;
                let stand = Stand { cursor: at(position), format: xuezhu_bridge::format::FORMAT };
                let generation = mirror.begin_generation(&stand).await.expect("begins");
                let change = Uuid::from_u128(u128::from(position.unsigned_abs())).as_bytes().to_vec();
                let records: Vec<Record> = told(1, registry, 3, 1).into_iter().map(|record| Record { change: change.clone(), ..record }).collect();
                mirror.load(generation, &records).await.expect("loads");
                say_later(&db, generation, said).await;
                let asked = mirror.in_doubt(generation).await.expect("is compared");
                marked().await;
                mirror.switch(generation, &stand, &Forgot::Changes(std::collections::HashSet::new())).await.expect("switches");
                if position % 2 == 0 {
                    assert_eq!((marked().await, asked.is_empty()), (usize::from(differs), !differs), "{what}");
                }
            }
        }
    }
}

/// Says what a table holds as another source would have said it, of people with the same ids.
macro_rules! said_by_another {
    ($table:literal) => {
        [
            concat!("CREATE TEMPORARY TABLE copied AS SELECT * FROM ", $table),
            "UPDATE copied SET source = 2, generation = 1000",
            concat!("INSERT INTO ", $table, " SELECT * FROM copied"),
            "DROP TABLE copied",
        ]
    };
}

/// Which source said what in which generation.
async fn said(db: &Db) -> Vec<(String, i32, i64)> {
    let mut tx = db.read().await.expect("reads");
    let said = rows!(
        &mut tx,
        (String, i32, i64),
        "SELECT said, CAST(source AS integer), generation FROM (
             SELECT 'schools' AS said, source, generation FROM mirror_schools UNION SELECT 'persons', source, generation FROM mirror_persons
             UNION SELECT 'keys', source, generation FROM mirror_person_keys UNION SELECT 'names', source, generation FROM mirror_person_names
             UNION SELECT 'enrollments', source, generation FROM mirror_enrollments UNION SELECT 'periods', source, generation FROM mirror_periods
             UNION SELECT 'vouches', source, generation FROM vouches) AS all_said ORDER BY said, source"
    )
    .expect("rows");
    tx.rollback().await.expect("ends");
    said
}

/// What another source said, under the same ids as the one that is followed, stays through a fresh generation of that one.
#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_generation_of_one_source_leaves_the_others_alone() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let url = databases(engine).await.map_or_else(|| format!("sqlite:{}", folder.path().join("aid.db").display()), |(_, aid)| aid);
        let db = Db::open(&url).await.expect("opens");
        let (mirror, tasks, stop) = without_source(&db).await;
        let school = School {
            code: SCHOOL.into(),
            name: "学校".into(),
            authority: "430100".into(),
            region: "430102".into(),
            state: "ACTIVE".into(),
            ..School::default()
        };
        let whole = [vec![record(1, xuezhu_bridge::log::school_id(SCHOOL).as_bytes(), Body::School(school))], told(1, 2, 3, 1)].concat();
        let load = async |position: i64| {
            let stand = Stand { cursor: at(position), format: xuezhu_bridge::format::FORMAT };
            let generation = mirror.begin_generation(&stand).await.expect("begins");
            mirror.load(generation, &whole).await.expect("loads");
            mirror.switch(generation, &stand, &Forgot::CantSay).await.expect("switches");
            generation
        };
        let of = |rows: &[(i32, i64)]| -> Vec<(String, i32, i64)> {
            let kinds = ["enrollments", "keys", "names", "periods", "persons", "schools", "vouches"];
            kinds.iter().flat_map(|kind| rows.iter().map(|(source, generation)| ((*kind).to_owned(), *source, *generation))).collect()
        };
        let first = load(1).await;
        assert_eq!(said(&db).await, of(&[(1, first)]), "{engine:?}: all is said by the source that is followed");
        let mut tx = db.begin().await.expect("begins");
        for statement in [
            said_by_another!("mirror_schools"),
            said_by_another!("mirror_persons"),
            said_by_another!("mirror_person_keys"),
            said_by_another!("mirror_person_names"),
            said_by_another!("mirror_enrollments"),
            said_by_another!("mirror_periods"),
            said_by_another!("vouches"),
        ]
        .concat()
        {
            run!(&mut tx, statement).expect("is said");
        }
        // Somebody whom only the other source knows.
        run!(&mut tx, "UPDATE mirror_persons SET person = $1 WHERE source = 2", Uuid::from_u128(71)).expect("is another");
        run!(&mut tx, "INSERT INTO person_subjects (person, subject) VALUES ($1, $2)", Uuid::from_u128(71), Uuid::from_u128(70)).expect("has one");
        tx.commit().await.expect("commits");
        let second = load(2).await;
        assert_eq!(said(&db).await, of(&[(1, second), (2, 1_000)]), "{engine:?}");
        let mut tx = db.read().await.expect("reads");
        let kept = one!(&mut tx, (Uuid,), "SELECT subject FROM person_subjects WHERE person = $1", Uuid::from_u128(71)).expect("reads");
        tx.rollback().await.expect("ends");
        assert_eq!(kept, Some((Uuid::from_u128(70),)), "{engine:?}: what is held against the other's person stays");
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }
}

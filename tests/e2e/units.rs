//! A month is drawn once: what one list has approved another can't, whatever was said about flags, whoever is faster; and what was approved
//! twice before is told.

use serde_json::{Value, json};
use uuid::Uuid;
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_aid::award::units::rules::Standing;
use xuezhu_judge::entry::State;
use xuezhu_store::{Db, StoreError, one, rows, run};
use xuezhu_tests::{
    Engine,
    before::Before,
    deployment,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, awards, number, student},
    start,
};

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

/// Says of every open flag that it was looked into, until none is left.
async fn clear_all(deployment: &Deployment, people: &People) {
    deployment.drain().await.expect("drains");
    let open = people.officer.get("/v1/flags?state=OPEN&pageSize=1000").await.expect("flags");
    for flag in open["flags"].as_array().expect("a list") {
        let path = format!("/v1/flags/{}", flag["flag"].as_str().expect("an id"));
        people.officer.post(&format!("{path}/clear"), &json!({ "reason": "已核对" }), "").await.expect("is cleared");
    }
    assert_eq!(people.open_flags().await, []);
}

/// The entry of a student on a list.
async fn entry(session: &Session, list: &str, serial: u32) -> Value {
    let answer = session.get(&format!("{list}/entries")).await.expect("entries");
    answer["entries"].as_array().expect("a list").iter().find(|entry| entry["name"] == name(serial)).cloned().expect("is on it")
}

fn counts(list: &Value) -> (i64, i64, i64) {
    let count = |field: &str| list[field].as_i64().expect("a count");
    (count("approved"), count("attested"), count("takenAttested"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_approved_on_one_list_is_left_behind_on_another_whatever_was_cleared() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&(1..=3).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let main = people.list(&[(&name(1), &number(1), "9-10"), (&name(2), &number(2), "")]).await;
        people.attested(&main).await;
        let list = people.approve(&main).await.expect("is approved");
        assert_eq!((counts(&list), &list["standingFen"]), ((2, 0, 0), &list["amountFen"]), "{list}");
        let approved = entry(&people.clerk, &main, 1).await;
        assert_eq!((&approved["standingMonths"], &approved["standingFen"], &approved["refusal"]), (&json!([202_609, 202_610]), &json!("46000"), &json!("")));

        let more = people.list(&[(&name(1), &number(1), "10-11"), (&name(3), &number(3), "")]).await;
        people.attested(&more).await;
        clear_all(&deployment, &people).await;
        let signed = people.officer.get(&more).await.expect("a list")["digest"].clone();
        for _ in 0..2 {
            let list = people.approve(&more).await.expect("the others are approved");
            assert_eq!(
                (counts(&list), &list["held"], &list["digest"], &list["state"]),
                ((1, 1, 1), &json!(0), &signed, &json!("ATTESTED")),
                "{engine:?}: {list}"
            );
        }
        let refused = entry(&people.clerk, &more, 1).await;
        assert_eq!((&refused["state"], &refused["refusal"]), (&json!("ATTESTED"), &json!("MONTH_TAKEN")), "{refused}");
        let message = refused["refusalMessage"].as_str().expect("a text");
        assert!(message.contains("2026年10月已在本校“2026年秋季学期 国家助学金 主名单”") && !message.contains("11月"), "{message}");
        assert_eq!((&refused["standingFen"], &refused["standingMonths"]), (&refused["amountFen"], &json!([202_610, 202_611])), "it is claimed");
        assert_eq!(people.officer.get("/v1/doubleUnits").await.expect("a list")["units"], json!([]), "nothing is double");

        // Sent back, put right and sent again, it is approved.
        let back = json!({ "reason": "10月重复", "entries": [refused["entry"]] });
        let list = people.officer.post(&format!("{more}/sendBack"), &back, "").await.expect("is sent back");
        assert_eq!((counts(&list), &list["standingFen"]), ((1, 0, 0), &json!("115000")), "what was sent back is in no sum: {list}");
        people.clerk.upload(&format!("{more}/import"), awards(&[(&name(1), &number(1), "11")]), "").await.expect("is answered");
        let mended = entry(&people.clerk, &more, 1).await;
        assert_eq!((&mended["refusal"], &mended["standingMonths"], &mended["standingFen"]), (&json!(""), &json!([202_611]), &json!("23000")));
        people.attested(&more).await;
        let list = people.approve(&more).await.expect("is approved");
        assert_eq!((counts(&list), &list["standingFen"], &list["amountFen"]), ((2, 0, 0), &json!("138000"), &json!("138000")), "{list}");
        deployment.stop().await;
    }
}

/// A number that was nobody's when an entry under it was approved becomes somebody's: what was approved under it is theirs.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_under_a_number_that_became_a_students_is_taken_by_that_student() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1)]).await;
        people.register().await;
        let ghost = people.list(&[(&name(1), &number(301), "9-10")]).await;
        people.attested(&ghost).await;
        clear_all(&deployment, &people).await;
        assert_eq!(counts(&people.approve(&ghost).await.expect("is approved")), (1, 0, 0));
        // It was the student's number all along.
        let path = people.path_of(1).await;
        let right = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "idNumber": number(301), "reason": "录入错误" });
        people.officer.post(&format!("{path}/correctIdentity"), &right, "").await.expect("is corrected");
        deployment.drain().await.expect("drains");
        let more = people.list(&[(&name(1), &number(301), "10-11")]).await;
        people.attested(&more).await;
        clear_all(&deployment, &people).await;
        let list = people.approve(&more).await.expect("is answered");
        assert_eq!(counts(&list), (0, 1, 1), "{engine:?}: {list}");
        let refused = entry(&people.clerk, &more, 1).await;
        assert_eq!((&refused["refusal"], &refused["state"]), (&json!("MONTH_TAKEN"), &json!("ATTESTED")), "{refused}");
        assert!(refused["refusalMessage"].as_str().is_some_and(|text| text.contains("2026年10月") && !text.contains("11月")), "{refused}");
        deployment.stop().await;
    }
}

/// Somebody had a month and has it no more: what was refused for it waits for nothing but the department, and says so.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_for_a_month_that_nobody_has_any_more_can_be_approved() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let main = people.list(&[(&name(1), &number(1), "9-10")]).await;
        people.attested(&main).await;
        clear_all(&deployment, &people).await;
        assert_eq!(counts(&people.approve(&main).await.expect("is approved")), (1, 0, 0));
        let more = people.list(&[(&name(1), &number(1), "10-11")]).await;
        people.attested(&more).await;
        clear_all(&deployment, &people).await;
        assert_eq!(counts(&people.approve(&more).await.expect("is answered")), (0, 1, 1), "{engine:?}");
        // The one who had it has it no more, by whichever way: the note of the last attempt keeps nobody from trying again.
        let [_, aid] = deployment.databases();
        let mut tx = aid.begin().await.expect("begins");
        run!(&mut tx, "UPDATE award_units SET standing = $2 WHERE standing = $1", Standing::Approved.code(), Standing::Stopped.code()).expect("is written");
        tx.commit().await.expect("commits");
        assert_eq!(counts(&people.officer.get(&more).await.expect("a list")), (0, 1, 0), "{engine:?}");
        let free = entry(&people.clerk, &more, 1).await;
        assert_eq!((&free["refusal"], &free["refusalMessage"]), (&json!(""), &json!("")), "{free}");
        assert_eq!(counts(&people.approve(&more).await.expect("is approved")), (1, 0, 0), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_draws_at_another_school_is_refused_without_its_name() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let head = people.open_account("head2", "PRINCIPAL", OTHER, PASSWORD).await;
        people.import(&[student(1)]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let main = people.list(&[(&name(1), &number(1), "")]).await;
        people.attested(&main).await;
        assert_eq!(people.approve(&main).await.expect("is approved")["approved"], 1);
        let made =
            people.other.post(&format!("/v1/schools/{OTHER}/awardLists"), &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
        let theirs = format!("/v1/schools/{OTHER}/awardLists/{}", made["list"].as_str().expect("an id"));
        people.other.upload(&format!("{theirs}/import"), awards(&[(&name(1), &number(1), "9")]), "").await.expect("is answered");
        let submitted = people.other.post(&format!("{theirs}/submit"), &json!({}), "").await.expect("is submitted");
        head.post(&format!("{theirs}/attest"), &json!({ "digest": submitted["digest"] }), "").await.expect("is attested");
        clear_all(&deployment, &people).await;
        assert_eq!(counts(&people.approve(&theirs).await.expect("is answered")), (0, 1, 1));
        for session in [&people.other, &head, &people.officer] {
            let refused = entry(session, &theirs, 1).await;
            assert_eq!(refused["refusal"], "MONTH_TAKEN");
            let message = refused["refusalMessage"].as_str().expect("a text");
            assert!(message.contains("2026年9月已在其他学校的名单中审核通过") && !message.contains(SCHOOL) && !message.contains('“'), "{message}");
        }
        deployment.stop().await;
    }
}

/// Two officers approve two lists with the same students at the same time. Some of these have had another number since: their keys are
/// others; whoever comes second waits for the keys beside its own, or for the index, and is told by whom.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_approve_one_month_at_once_exactly_one_does() {
    const STUDENTS: u32 = 12;
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let second = people.open_account("officer2", "DEPARTMENT_OFFICER", "430100", PASSWORD).await;
        people.import(&(1..=STUDENTS).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let names: Vec<String> = (1..=STUDENTS).map(name).collect();
        let lines = |numbers: &[String]| names.iter().cloned().zip(numbers.to_vec()).collect::<Vec<_>>();
        let list = async |numbers: &[String]| {
            let lines = lines(numbers);
            let list = people.list(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "9-10")).collect::<Vec<_>>()).await;
            people.attested(&list).await;
            list
        };
        let main = list(&(1..=STUDENTS).map(number).collect::<Vec<_>>()).await;
        for serial in 1..=STUDENTS / 2 {
            let path = people.path_of(serial).await;
            let body = json!({ "kind": "LAWFUL_CHANGE", "effectiveDate": "2026-09-01", "idNumber": number(serial + 300), "reason": "测试" });
            people.officer.post(&format!("{path}/correctIdentity"), &body, "").await.expect("is corrected");
        }
        deployment.drain().await.expect("drains");
        let more = list(&(1..=STUDENTS).map(|serial| if serial <= STUDENTS / 2 { number(serial + 300) } else { number(serial) }).collect::<Vec<_>>()).await;
        clear_all(&deployment, &people).await;
        let approve = async |officer: &Session, list: &str| {
            let digest = officer.get(list).await.expect("a list")["digest"].clone();
            officer.post(&format!("{list}/approve"), &json!({ "digest": digest }), "").await.expect("nobody is refused as a whole")
        };
        tokio::join!(approve(&people.officer, &main), approve(&second, &more));
        let (main, more) = (people.officer.get(&main).await.expect("a list"), people.officer.get(&more).await.expect("a list"));
        let all = i64::from(STUDENTS);
        let (one, two) = (counts(&main), counts(&more));
        assert_eq!((one.0 + two.0, one.2 + two.2), (all, all), "{engine:?}: each once, the other told: {one:?} {two:?}");
        let [_, aid] = deployment.databases();
        let mut tx = aid.read().await.expect("reads");
        let drawn = "SELECT count(*), count(DISTINCT first_month), count(DISTINCT subject) FROM award_units WHERE standing = $1";
        let counted = one!(&mut tx, (i64, i64, i64), drawn, Standing::Approved.code()).expect("reads").expect("counts");
        tx.rollback().await.expect("ends");
        assert_eq!(counted, (2 * all, 2, all), "{engine:?}");
        deployment.stop().await;
    }
}

/// The last guard: whatever a service does, the database refuses.
#[tokio::test(flavor = "multi_thread")]
async fn the_database_refuses_what_is_approved_twice() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.list(&[(&name(1), &number(1), "9-10"), (&name(2), &number(2), "9")]).await;
        let [_, aid] = deployment.databases();
        let mut tx = aid.read().await.expect("reads");
        let entries = rows!(&mut tx, (Uuid, i64), "SELECT entry, count(*) FROM award_units GROUP BY entry ORDER BY 2").expect("units");
        tx.rollback().await.expect("ends");
        let [(one, 1), (two, 2)] = entries[..] else { panic!("{entries:?}") };
        let subject = Uuid::from_u128(7);
        let set = async |db: Db, entry: Uuid, subject: Uuid| {
            let mut tx = db.begin().await?;
            let update = "UPDATE award_units SET standing = $2, subject = $3 WHERE entry = $1";
            run!(&mut tx, update, entry, Standing::Approved.code(), subject)?;
            tx.commit().await
        };
        // Another's, then at once two of one student.
        set(aid.clone(), one, Uuid::from_u128(8)).await.expect("is free");
        let both = tokio::join!(tokio::spawn(set(aid.clone(), one, subject)), tokio::spawn(set(aid.clone(), two, subject)));
        let done = [both.0.expect("runs"), both.1.expect("runs")];
        assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1, "{engine:?}: {done:?}");
        assert!(done.iter().any(|done| matches!(done, Err(StoreError::Unique(_)))), "{engine:?}: {done:?}");
        deployment.stop().await;
    }
}

/// A folder of before in which a month was approved twice: on a supplementary list, and at another school.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_twice_before_stands_once_and_is_listed() {
    const HERE: &str = "3643000001";
    const THERE: &str = "3643000002";
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let url = before.options.databases.as_ref().map_or_else(|| format!("sqlite:{}", before.options.data.join("aid.db").display()), |urls| urls.1.clone());
        let aid = Db::open(&url).await.expect("opens");
        let mut tx = aid.begin().await.expect("begins");
        let approved = "SELECT entry, list FROM award_entries WHERE school = $1 AND scheme = $2 AND state = 'APPROVED' AND months LIKE '202609,%,202701'
                        ORDER BY recorded_at_us, entry";
        let grants = rows!(&mut tx, (Uuid, Uuid), approved, HERE, "GRANT").expect("entries");
        let waivers = rows!(&mut tx, (Uuid, Uuid), approved, HERE, "TUITION_WAIVER").expect("entries");
        let copy_list = "INSERT INTO award_lists (list, school, scheme, term, supplement, state, submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest,
                             approved_by_name, submitted_day, attested_day, created_at_us)
                         SELECT $1, $2, scheme, term, 9, 'APPROVED', submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest, approved_by_name,
                             submitted_day, attested_day, created_at_us FROM award_lists WHERE list = $3";
        let copy_entry = "INSERT INTO award_entries (entry, list, school, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, sex, birth_date,
                              months, first_day, last_day, amount_fen, month_fen, tier, card_sealed, card_tail, remark, state, sent_back_reason, content_hash, recorded_day,
                              recorded_at_us, recorded_by)
                          SELECT $1, $2, $3, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, sex, birth_date, months, first_day, last_day,
                              amount_fen, month_fen, tier, card_sealed, card_tail, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us + $5, recorded_by
                          FROM award_entries WHERE entry = $4";
        // The second of each was recorded later, or before what is taken for the first by its id.
        let copies = [
            (Uuid::from_u128(1), Uuid::from_u128(11), HERE, grants[0], 1_i64),
            (Uuid::from_u128(2), Uuid::from_u128(12), THERE, waivers[0], 1),
            (Uuid::from_u128(u128::MAX - 1), Uuid::from_u128(13), THERE, grants[1], -1),
        ];
        for (list, entry, school, (of, of_list), later) in copies {
            run!(&mut tx, copy_list, list, school, of_list).expect("a list");
            run!(&mut tx, copy_entry, entry, list, school, of, later).expect("an entry");
        }
        tx.commit().await.expect("commits");
        aid.close().await;

        let mut told = Vec::new();
        for start_again in [false, true] {
            let deployment = start(before.options.clone()).await;
            deployment.drain().await.expect("drains");
            let base = format!("http://{}", deployment.http);
            let log_in = async |account: &str| Session::log_in(&base, account, before.password(account)).await.expect("logs in");
            let doubles =
                async |account: &str| log_in(account).await.get("/v1/doubleUnits").await.expect("a list")["units"].as_array().expect("a list").clone();
            let all = doubles("officer4301").await;
            if start_again {
                assert_eq!(all, told, "{engine:?}: it is done once");
                deployment.stop().await;
                continue;
            }
            let of = |entry: Uuid| all.iter().filter(|unit| unit["entry"] == entry.to_string()).collect::<Vec<_>>();
            let (grant, waiver, earlier) = (of(copies[0].1), of(copies[1].1), of(copies[2].1));
            assert_eq!((grant.len(), waiver.len(), earlier.len()), (5, 1, 0), "{engine:?}: {all:?}");
            assert!(grant.iter().all(|unit| unit["standingEntry"] == grants[0].0.to_string() && unit["kind"] == "MONTH" && unit["scheme"] == "GRANT"));
            assert_eq!((&waiver[0]["kind"], &waiver[0]["firstMonth"], &waiver[0]["standingSchool"]), (&json!("TERM"), &json!(202_608), &json!(HERE)));
            let later = of(grants[1].0);
            assert!(
                later.len() == 5 && later.iter().all(|unit| unit["standingEntry"] == copies[2].1.to_string()),
                "{engine:?}: recorded later, whatever its id"
            );
            assert_eq!(all.len(), 11);

            // Each school sees its own, and of the other's nothing.
            let (here, there) = (doubles("clerk-a").await, doubles("clerk-b").await);
            assert_eq!((here.len(), there.len(), doubles("officer4302").await.len()), (10, 1, 0), "{engine:?}");
            assert!(here.iter().filter(|unit| unit["entry"] == grants[1].0.to_string()).all(|unit| unit["standingList"] == "" && unit["standingSchool"] == ""));
            assert!(here.iter().filter(|unit| unit["entry"] == copies[0].1.to_string()).all(|unit| unit["standingList"] == grants[0].1.to_string()));
            assert!(!there[0].to_string().contains(HERE) && there[0]["standingEntry"] == "", "{there:?}");

            // What was signed stays, what holds is less.
            let clerk = log_in("clerk-a").await;
            let list = clerk.get(&format!("/v1/schools/{HERE}/awardLists/{}", copies[0].0)).await.expect("a list");
            assert_eq!((&list["standingFen"], list["amountFen"] == "0", &list["approved"]), (&json!("0"), false, &json!(1)), "{list}");
            let entries = clerk.get(&format!("/v1/schools/{HERE}/awardLists/{}/entries", copies[0].0)).await.expect("entries");
            let row = &entries["entries"][0];
            assert_eq!((&row["standingMonths"], &row["state"], row["months"].as_array().map(Vec::len)), (&json!([]), &json!("APPROVED"), Some(5)));

            // Everybody who is on a list has units that come to the amount, and those alone.
            let mut tx = deployment.databases()[1].read().await.expect("reads");
            let wrong = "SELECT count(*) FROM award_entries a WHERE CASE WHEN a.state = $1 THEN 0 ELSE a.amount_fen END
                         <> coalesce((SELECT sum(u.fen) FROM award_units u WHERE u.entry = a.entry), 0)";
            assert_eq!(one!(&mut tx, (i64,), wrong, State::Removed.code()).expect("reads"), Some((0,)), "{engine:?}");
            let claimed = "SELECT count(*) FROM award_units u JOIN award_entries a ON a.entry = u.entry WHERE (a.state = $1) = (u.standing = $2)";
            assert_eq!(one!(&mut tx, (i64,), claimed, State::Approved.code(), Standing::Claimed.code()).expect("reads"), Some((0,)), "{engine:?}");
            tx.rollback().await.expect("ends");

            // The page says it too.
            let page = async |account: &str| {
                let cookie = format!("xuezhu_session={}", log_in(account).await.token());
                let answer = reqwest::Client::new().get(format!("{base}/double")).header("cookie", cookie).send().await.expect("answers");
                assert!(answer.status().is_success());
                answer.text().await.expect("a page")
            };
            let (theirs, none) = (page("clerk-b").await, page("officer4302").await);
            assert!(theirs.contains("其他学校的名单") && theirs.contains("免学费") && !theirs.contains(HERE), "{theirs}");
            assert!(none.contains("没有重复审核的月份"), "{none}");
            told = all;
            deployment.stop().await;
        }
    }
}

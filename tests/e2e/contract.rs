//! What outside clients rely on, on both engines.

use serde_json::json;
use xuezhu::client::Session;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, OTHER, PASSWORD, SCHOOL, number, reason, student},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_becomes_an_explained_flag_on_both_engines() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let report = people.import(&(0..6).map(student).collect::<Vec<_>>()).await;
        assert_eq!((&report["rowsNew"], &report["rowsFaulty"]), (&json!(6), &json!(0)), "{report}");
        let again = people.import(&(0..6).map(student).collect::<Vec<_>>()).await;
        assert_eq!((&again["rowsNew"], &again["rowsUnchanged"]), (&json!(0), &json!(6)));
        let names: Vec<String> = (0..6).map(|serial| student(serial)["姓名"].clone()).collect();
        let path = people.list(&[(&names[0], &number(0), ""), (&names[1], &number(1), "9-10"), ("李鬼", &number(500), ""), ("王错", &number(2), "")]).await;
        let rules: Vec<String> = people.open_flags().await.into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, ["NO_ENROLLMENT"; 4], "drafts are no enrollments to anybody but their clerk");
        let approved = people.register().await;
        assert_eq!((&approved["state"], &approved["approved"]), (&json!("DONE"), &json!(6)), "{approved}");
        deployment.drain().await.expect("drains");
        assert_eq!(people.open_flags().await, [("IDENTITY_MISMATCH".to_owned(), "王错".to_owned()), ("NO_ENROLLMENT".to_owned(), "李鬼".to_owned())]);

        let submitted = people.clerk.post(&format!("{path}/submit"), &json!({}), "").await.expect("is submitted");
        assert_eq!(reason(people.head.post(&format!("{path}/attest"), &json!({ "digest": "0" }), "").await), (400, "DIGEST_MISMATCH".into()));
        people.head.post(&format!("{path}/attest"), &json!({ "digest": submitted["digest"] }), "").await.expect("is attested");
        let list = people.officer.post(&format!("{path}/approve"), &json!({ "digest": submitted["digest"] }), "").await.expect("is approved");
        assert_eq!((&list["approved"], &list["held"]), (&json!(2), &json!(2)), "{list}");

        let flags = people.clerk.get("/v1/flags?rule=IDENTITY_MISMATCH").await.expect("flags");
        let flag = flags["flags"][0]["flag"].as_str().expect("an id").to_owned();
        assert_eq!(flags["flags"][0]["evidence"]["registeredName"], names[2].as_str());
        assert_eq!(reason(people.clerk.post(&format!("/v1/flags/{flag}/clear"), &json!({ "reason": "x" }), "").await), (403, "FORBIDDEN".into()));
        people.clerk.post(&format!("/v1/flags/{flag}/explain"), &json!({ "text": "录入时写错" }), "").await.expect("is explained");
        let cleared = people.officer.post(&format!("/v1/flags/{flag}/clear"), &json!({ "reason": "已核对" }), "").await.expect("is cleared");
        assert_eq!((&cleared["state"], &cleared["holds"]), (&json!("CLEARED"), &json!(false)));
        let list = people.officer.post(&format!("{path}/approve"), &json!({ "digest": submitted["digest"] }), "").await.expect("the same digest serves again");
        assert_eq!((&list["approved"], &list["held"]), (&json!(3), &json!(1)), "{list}");

        let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(0))).await.expect("found by the whole number");
        let row = &found["enrollments"][0];
        assert!(row["idNumber"].as_str().is_some_and(|masked| masked.contains("****")) && !found.to_string().contains(&number(0)));
        let story = people.clerk.get(&format!("/v1/students/{}/story", row["person"].as_str().expect("a person"))).await.expect("a story");
        assert_eq!(story["awards"][0]["months"], json!([202_609, 202_610, 202_611, 202_612, 202_701]));
        let enrollment = format!("/v1/schools/{SCHOOL}/enrollments/{}", row["enrollment"].as_str().expect("an id"));
        let left = people
            .clerk
            .post(&format!("{enrollment}/withdraw"), &json!({ "effectiveDate": "2026-10-20", "reason": "随父母外出" }), "")
            .await
            .expect("is recorded");
        assert_eq!(left["state"], "WITHDRAWN");
        deployment.drain().await.expect("drains");
        let flags = people.officer.get("/v1/flags?rule=NOT_VALID_IN_TERM&state=OPEN").await.expect("flags");
        assert_eq!(flags["flags"][0]["months"], json!([202_611, 202_612, 202_701]), "the month of leaving is still paid");
        assert_eq!(flags["flags"][0]["amountFen"], "69000");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_is_refused_with_a_stable_reason_and_recorded() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let path = format!("/v1/schools/{SCHOOL}/enrollments");
    let rows = schools::workbook(&[student(1)]);
    assert_eq!(reason(Session::anonymous(&base).expect("a client").get(&path).await), (401, "UNAUTHENTICATED".into()));
    assert_eq!(reason(people.other.get(&path).await), (403, "FORBIDDEN".into()));
    assert_eq!(reason(people.other.upload(&format!("{path}/import"), rows.clone(), "").await), (403, "FORBIDDEN".into()));
    assert_eq!(reason(people.machine.upload(&format!("{path}/import"), rows.clone(), "").await), (403, "MACHINE_ENTRY_FORBIDDEN".into()));
    assert_eq!(reason(people.officer.get("/v1/flags?region=430102x").await), (400, "INVALID_ARGUMENT".into()));
    for unknown in ["/v1/flags?shool=1", "/v1/causes?page_size=5", &format!("{path}?query=%00"), "/v1/students/x/story?a=b"] {
        assert_eq!(reason(people.officer.get(unknown).await), (400, "INVALID_ARGUMENT".into()), "{unknown}");
    }
    assert_eq!(reason(people.clerk.upload(&format!("{path}/import?previw=true"), rows.clone(), "").await), (400, "INVALID_ARGUMENT".into()));
    assert_eq!(reason(people.clerk.post("/v1/schools", &json!({ "code": OTHER }), "").await).0, 400);
    for attempt in 1..=5 {
        let wrong = Session::log_in(&base, "head", "wrong").await.map(|_| ());
        assert_eq!(reason(wrong), if attempt < 5 { (401, "WRONG_PASSWORD".into()) } else { (403, "ACCOUNT_LOCKED".into()) }, "attempt {attempt}");
    }
    assert_eq!(reason(Session::log_in(&base, "head", PASSWORD).await.map(|_| ())), (403, "ACCOUNT_LOCKED".into()));
    deployment.stop().await;
    let url = format!("sqlite:{}", folder.path().join("enrollment.db").display());
    let db = xuezhu_store::Db::open(&url).await.expect("opens");
    let mut tx = db.read().await.expect("reads");
    let refused = xuezhu_store::rows!(&mut tx, (String, String), "SELECT actor, reason FROM audit WHERE outcome = 'REFUSED'").expect("rows");
    for line in [("other", "FORBIDDEN"), ("machine", "MACHINE_ENTRY_FORBIDDEN"), ("head", "WRONG_PASSWORD"), ("head", "ACCOUNT_LOCKED")] {
        assert!(refused.iter().any(|(actor, reason)| (actor.as_str(), reason.as_str()) == line), "{line:?} in {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_an_engine_cannot_hold_is_the_callers_fault() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let strange = Session::log_in(&format!("http://{}", deployment.http), "a\u{0}b", "wrong").await.map(drop);
        assert!(matches!(reason(strange).0, 400 | 401), "{engine:?}");
        let listed = people.officer.get("/v1/flags?rule=%00&school=%00").await;
        assert!(listed.is_ok() || reason(listed) == (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        // A refusal is recorded, whatever it was that could not be held.
        let list = people.clerk.post("/v1/schools/x%00y/submissions", &json!({ "allDrafts": true }), "").await;
        assert!(matches!(reason(list).0, 400 | 403), "{engine:?}");
        // A key that can't be passed on would promise in vain.
        let upload = reqwest::Client::new()
            .post(format!("http://{}/v1/schools/{SCHOOL}/enrollments/import", deployment.http))
            .bearer_auth(people.clerk.token())
            .header("idempotency-key", "重试-1")
            .body(schools::workbook(&[student(1)]))
            .send()
            .await
            .expect("answers");
        assert_eq!(upload.status(), 400, "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_counts_once_and_two_approvals_give_one_place() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        people.import(&[student(7)]).await;
        let path = format!("/v1/schools/{SCHOOL}/submissions");
        let first = people.clerk.post(&path, &json!({ "allDrafts": true }), "once").await.expect("is submitted");
        let second = people.clerk.post(&path, &json!({ "allDrafts": true }), "once").await.expect("is answered again");
        assert_eq!(first, second);
        assert_eq!(reason(people.clerk.post(&path, &json!({ "enrollments": [] }), "once").await), (409, "REQUEST_ID_REUSED".into()));

        // The other school claims the same student.
        let file = schools::workbook(&[student(7)]);
        let report = people.other.upload(&format!("/v1/schools/{OTHER}/enrollments/import"), file, "").await.expect("is taken");
        assert_eq!((&report["rowsNew"], &report["warnings"][0]["code"]), (&json!(1), &json!("ELSEWHERE")), "{report}");
        assert!(!report.to_string().contains(SCHOOL), "the other school is never named");
        let head = people
            .admin
            .post("/v1/accounts", &json!({ "account": "head2", "displayName": "校长", "role": "PRINCIPAL", "organisation": OTHER }), "")
            .await
            .expect("an account");
        let one_time = head["oneTimePassword"].as_str().expect("a password");
        let head = people.admin.with_log_in("head2", one_time).await.expect("logs in").change_password(one_time, PASSWORD).await.expect("changes");
        let other = people.other.post(&format!("/v1/schools/{OTHER}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let here = format!("{path}/{}", first["submission"].as_str().expect("an id"));
        let there = format!("/v1/schools/{OTHER}/submissions/{}", other["submission"].as_str().expect("an id"));
        people.head.post(&format!("{here}/attest"), &json!({ "digest": first["digest"] }), "").await.expect("is attested");
        head.post(&format!("{there}/attest"), &json!({ "digest": other["digest"] }), "").await.expect("is attested");
        let (here, there) = (format!("{here}/approve"), format!("{there}/approve"));
        let (one_body, two_body) = (json!({ "digest": first["digest"] }), json!({ "digest": other["digest"] }));
        let (one, two) = tokio::join!(people.officer.post(&here, &one_body, ""), people.officer.post(&there, &two_body, ""));
        let (one, two) = (one.expect("is answered"), two.expect("is answered"));
        let places = one["approved"].as_i64().unwrap_or(0) + two["approved"].as_i64().unwrap_or(0);
        assert_eq!(places, 1, "one place a person: {one} {two}");
        let refused = if one["approved"] == 0 { &one } else { &two };
        assert_eq!(refused["refused"][0]["reason"], "PLACE_TAKEN");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_whom_another_followed_gives_no_positions() {
    use std::sync::Arc;
    use xuezhu_bridge::sequencer::{Sequencer, settled_head};
    use xuezhu_service::{Actor, Context, Ids};
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let url = engine.database(folder.path()).await;
        let db = xuezhu_store::Db::open(&url).await.expect("opens");
        db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
        let (clock, ids) = (xuezhu::deployment::system_clock(), Ids::seeded(1));
        let wake = Arc::new(tokio::sync::Notify::new());
        let old = Sequencer::new(db.clone(), clock.clone(), &ids, wake.clone(), tokio_util::sync::CancellationToken::new()).await.expect("a sequencer");
        let new = Sequencer::new(db.clone(), clock.clone(), &ids, wake, tokio_util::sync::CancellationToken::new()).await.expect("another");
        let (mut slept, mut later) = (None, None);
        old.step(&mut slept).await.expect("works");
        new.step(&mut later).await.expect("works");
        assert!(slept.is_some() && later.is_none(), "one leads");
        xuezhu_tests::until("another takes over from a leader whose row stands still", async || {
            new.step(&mut later).await.expect("works");
            later.is_some()
        })
        .await;
        let (slept, later) = (slept.expect("led"), later.expect("leads"));
        let ctx = Context::new(Actor::system(), &clock, &ids);
        db.write(&ctx, |tx, ctx| {
            Box::pin(async move {
                let school = |code: &str| {
                    let body = xuezhu_bridge_school(code);
                    xuezhu_bridge::Shared { id: xuezhu_bridge::log::school_id(code), scope: "430102".into(), body }
                };
                xuezhu_bridge::publish(ctx, tx, &[school("3643000001"), school("3643000002")]).await
            })
        })
        .await
        .expect("is logged");
        assert_eq!(old.assign(slept).await.expect("answers"), 0, "it slept and woke: it changes nothing");
        assert_eq!(settled_head(&db).await.expect("reads"), None);
        assert_eq!(new.assign(later).await.expect("answers"), 2);
        assert_eq!(settled_head(&db).await.expect("reads"), Some(2), "without gaps from 1");
    }
}

fn xuezhu_bridge_school(code: &str) -> xuezhu_proto::bridge::record::Body {
    xuezhu_proto::bridge::record::Body::School(xuezhu_proto::bridge::School { code: code.into(), ..Default::default() })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_names_every_contract_path() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let document = Session::anonymous(&format!("http://{}", deployment.http)).expect("a client").get("/openapi.json").await.expect("open to all");
    for path in [
        "/v1/sessions",
        "/v1/sessions/password",
        "/v1/schools",
        "/v1/accounts",
        "/v1/enrollmentTemplate",
        "/v1/awardTemplate",
        "/v1/schools/{school}/enrollments/import",
        "/v1/schools/{school}/imports/{importId}/markedWorkbook",
        "/v1/schools/{school}/enrollments",
        "/v1/schools/{school}/submissions",
        "/v1/schools/{school}/submissions/{submission}/approve",
        "/v1/schools/{school}/enrollments/{enrollment}/correctIdentity",
        "/v1/students/{person}/story",
        "/v1/schools/{school}/awardLists/{list}/propose",
        "/v1/schools/{school}/awardLists/{list}/entries/{entry}/remove",
        "/v1/reconciliations/{run}",
        "/v1/flags/{flag}/explain",
        "/v1/causes/{cause}/explain",
    ] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
    deployment.stop().await;
}

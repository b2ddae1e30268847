//! Somebody stands in for a principal who is away: on the days that were named, at that school, never for what they submitted.

use serde_json::json;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, SCHOOL, number, reason, student},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_deputy_signs_on_the_days_that_were_named_and_no_longer() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let step = async |day: &str| deployment.step_to(day.parse().expect("a date")).await.expect("steps");
        step("2026-10-15").await;
        let people = schools::open(&deployment).await;
        let deputy = people.open_account("deputy", "SCHOOL_CLERK", SCHOOL, PASSWORD).await;
        let path = format!("/v1/schools/{SCHOOL}/deputies");
        let named = |account: &str, from: &str, to: &str| json!({ "account": account, "fromDate": from, "toDate": to, "reason": "出差" });
        for (body, what) in [
            (named("other", "2026-10-16", "2026-10-20"), "an account of another school"),
            (named("head", "2026-10-16", "2026-10-20"), "the principal"),
            (named("nobody", "2026-10-16", "2026-10-20"), "no account"),
            (named("deputy", "2026-10-14", "2026-10-20"), "a day that is over"),
            (named("deputy", "2026-10-20", "2026-10-19"), "days that end before they begin"),
            (named("deputy", "2026-10-20", "2027-10-22"), "more than a year"),
        ] {
            assert_eq!(reason(people.head.post(&path, &body, "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {what}");
        }
        let good = named("deputy", "2026-10-16", "2026-10-20");
        for stranger in [&people.clerk, &people.officer, &people.other, &people.admin, &people.machine] {
            assert_eq!(reason(stranger.post(&path, &good, "").await).0, 403, "{engine:?}: the principal alone names a deputy");
        }
        let made = people.head.post(&path, &good, "").await.expect("is named");
        assert_eq!((made["displayName"].as_str(), made["holds"].as_bool()), (Some("deputy"), Some(false)));

        people.import(&[student(1), student(2)]).await;
        let submitted = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let submission = format!("/v1/schools/{SCHOOL}/submissions/{}", submitted["submission"].as_str().expect("an id"));
        let digest = json!({ "digest": submitted["digest"] });
        assert_eq!(reason(deputy.post(&format!("{submission}/attest"), &digest, "").await), (403, "FORBIDDEN".into()), "{engine:?}: not yet");
        let standing = deputy.with_log_in("deputy", PASSWORD).await.expect("logs in");
        assert_eq!(reason(standing.post(&format!("{submission}/attest"), &digest, "").await), (403, "FORBIDDEN".into()), "{engine:?}: tomorrow");
        step("2026-10-16").await;
        assert_eq!(reason(deputy.post(&format!("{submission}/attest"), &digest, "").await).0, 403, "{engine:?}: a session of before knows nothing of it");
        let attested = standing.post(&format!("{submission}/attest"), &digest, "").await.expect("is attested");
        assert_eq!(attested["attestedBy"], "deputy", "{engine:?}");
        // That somebody stood in is kept with what they signed.
        let dossier = format!("/v1/enrollmentDossiers/{}", submitted["submission"].as_str().expect("an id"));
        let roles: Vec<String> = people.officer.get(&dossier).await.expect("a dossier")["history"]
            .as_array()
            .expect("a history")
            .iter()
            .map(|line| line["role"].as_str().expect("a role").to_owned())
            .collect();
        assert_eq!(roles, ["SCHOOL_CLERK", "PRINCIPAL_DEPUTY"], "{engine:?}");
        people.officer.post(&format!("{submission}/approve"), &digest, "").await.expect("is approved");

        // The principal's desk is handed to whoever sits there today: a deputy does, a clerk doesn't.
        people.import(&[student(3)]).await;
        let waits = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let hand_over = format!("/v1/enrollmentDossiers/{}/handOver", waits["submission"].as_str().expect("an id"));
        for (from, to, holder) in [(&people.head, "deputy", "deputy"), (&standing, "head", "head"), (&standing, "deputy", "deputy")] {
            let handed = from.post(&hand_over, &json!({ "account": to }), "").await.expect("is handed over");
            assert_eq!(handed["holderName"], holder, "{engine:?}");
        }
        for (from, to) in [(&people.head, "clerk"), (&standing, "clerk"), (&people.head, "officer"), (&people.head, "nobody")] {
            assert_eq!(reason(from.post(&hand_over, &json!({ "account": to }), "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: {to}");
        }
        // Nor to whoever submitted it, though they stand in: they could not sign. Each is told whether it is their own.
        standing.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), schools::workbook(&[student(4)]), "").await.expect("is entered");
        let own = standing.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let own = format!("/v1/enrollmentDossiers/{}", own["submission"].as_str().expect("an id"));
        let refused = people.head.post(&format!("{own}/handOver"), &json!({ "account": "deputy" }), "").await;
        assert_eq!(reason(refused), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        for (who, is_own) in [(&standing, true), (&people.head, false)] {
            assert_eq!(who.get(&own).await.expect("is told")["own"], is_own, "{engine:?}");
        }
        assert!(reason(standing.post(&path, &named("clerk", "2026-10-17", "2026-10-18"), "").await).0 == 403, "{engine:?}: a deputy names no deputy");

        // Aid knows it too, from the token alone; and nobody signs what they submitted, whomever they stand in for.
        deployment.drain().await.expect("drains");
        let (one, two) = (number(1), number(2));
        let list = people.list(&[(student(1)["姓名"].as_str(), one.as_str(), "9-12"), (student(2)["姓名"].as_str(), two.as_str(), "9-12")]).await;
        let row = standing.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
        let own = standing.post(&format!("{list}/attest"), &json!({ "digest": row["digest"] }), "").await;
        assert_eq!(reason(own), (403, "OWN_SUBMISSION".into()), "{engine:?}");
        people.head.post(&format!("{list}/attest"), &json!({ "digest": row["digest"] }), "").await.expect("is attested");

        let ended = people.head.post(&format!("{path}/{}/end", made["deputy"].as_str().expect("an id")), &json!({}), "").await.expect("is ended");
        assert_eq!(ended["endedDate"], "2026-10-16", "{engine:?}");
        assert_eq!(reason(standing.get("/v1/submissions").await).0, 401, "{engine:?}: the session that stood in is over");
        let again = deputy.with_log_in("deputy", PASSWORD).await.expect("logs in");
        let known = again.get(&path).await.expect("is told");
        assert_eq!((known["deputies"].as_array().map(Vec::len), known["deputies"][0]["holds"].as_bool()), (Some(1), Some(false)), "{engine:?}");
        assert_eq!(reason(people.other.get(&path).await).0, 403, "{engine:?}: another school is told nothing");
        let over = people.head.post(&format!("{path}/{}/end", made["deputy"].as_str().expect("an id")), &json!({}), "").await;
        assert_eq!(reason(over), (400, "WRONG_STATE".into()), "{engine:?}");
        deployment.stop().await;
    }
}

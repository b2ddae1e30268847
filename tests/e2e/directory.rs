//! Schools and accounts: found, paged, changed, closed, ended; nothing cut without a word.

use std::path::Path;

use serde_json::{Value, json};
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    Engine, deployment, deployment_on, postgres,
    same::differences,
    schools::{self, OTHER, SCHOOL, reason, student, workbook},
    until,
};

fn codes(answer: &Value) -> Vec<String> {
    let of = if answer["schools"].is_array() { ("schools", "code") } else { ("accounts", "account") };
    answer[of.0].as_array().expect("a list").iter().map(|row| row[of.1].as_str().expect("a key").to_owned()).collect()
}

fn token<'a>(answer: &'a Value, of: &str) -> &'a str {
    answer[of].as_str().expect("a token")
}

/// Walks a list to its end and back again; returns its pages.
async fn walked(session: &Session, path: &str) -> Vec<Vec<String>> {
    let mut page = session.get(path).await.expect("a page");
    assert_eq!(token(&page, "previousPageToken"), "", "nothing comes before the first");
    let total = page["totalSize"].as_u64().expect("a count");
    let mut pages = vec![codes(&page)];
    while !token(&page, "nextPageToken").is_empty() {
        page = session.get(&format!("{path}&pageToken={}", token(&page, "nextPageToken"))).await.expect("a page");
        assert_eq!(page["totalSize"].as_u64(), Some(total));
        pages.push(codes(&page));
    }
    assert_eq!(u64::try_from(pages.iter().map(Vec::len).sum::<usize>()), Ok(total), "{pages:?}");
    for before in pages.iter().rev().skip(1) {
        page = session.get(&format!("{path}&pageToken={}", token(&page, "previousPageToken"))).await.expect("a page");
        assert_eq!(codes(&page), *before);
    }
    assert_eq!(token(&page, "previousPageToken"), "");
    pages
}

/// A deployment on an engine, and the addresses of its databases.
async fn on(engine: Engine, folder: &Path) -> (Deployment, (String, String)) {
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    let deployment = deployment_on(databases.clone(), folder, "none", Settings::default()).await;
    let file = |name: &str| format!("sqlite:{}", folder.join(name).display());
    (deployment, databases.unwrap_or_else(|| (file("enrollment.db"), file("aid.db"))))
}

/// Aid's mirror is what enrollment says, field by field.
async fn assert_same((enrollment, aid): &(String, String)) {
    assert_eq!(differences(enrollment, aid).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_of_schools_and_accounts_are_searched_and_paged_both_ways() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        for serial in 11..=15 {
            let name = if serial == 13 { "长沙_农业学校" } else { "湘江学校" };
            let body = json!({ "code": format!("36430000{serial}"), "name": name, "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": [{ "catalogue": "2010", "code": "010200" }] });
            people.admin.post("/v1/schools", &body, "").await.expect("is entered");
        }
        let pages = walked(&people.admin, "/v1/schools?pageSize=3").await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1], "{pages:?}");
        assert_eq!(walked(&people.admin, "/v1/schools?pageSize=7").await.len(), 1, "a full last page has none after it");
        let all = ["3643000011", "3643000012", "3643000013", "3643000014", "3643000015"];
        for (query, wanted) in
            [("%E5%86%9C%E4%B8%9A", &all[2..3]), ("_", &all[2..3]), ("%25", &[][..]), ("300001", &all[..]), ("%E6%B9%98%E6%B1%9F&region=430103", &[][..])]
        {
            let found = people.officer.get(&format!("/v1/schools?query={query}")).await.expect("is found");
            assert_eq!(codes(&found), wanted, "{query}");
            assert_eq!(found["totalSize"].as_u64(), u64::try_from(wanted.len()).ok(), "{query}");
        }
        assert_eq!(codes(&people.clerk.get("/v1/schools?query=3643").await.expect("their own")), [SCHOOL]);
        assert_eq!(walked(&people.admin, "/v1/accounts?pageSize=2").await.concat(), ["admin", "clerk", "head", "machine", "officer", "other"]);
        assert_eq!(codes(&people.admin.get("/v1/accounts?query=ER").await.expect("is found")), ["clerk", "officer", "other"]);
        assert_eq!(codes(&people.admin.get("/v1/accounts?query=e&organisation=3643000002").await.expect("is found")), ["other"]);
        // A page of one question is none of another.
        let first = people.admin.get("/v1/schools?pageSize=3").await.expect("a page");
        let mixed = people.admin.get(&format!("/v1/schools?pageSize=3&query=a&pageToken={}", token(&first, "nextPageToken"))).await;
        assert_eq!(reason(mixed), (400, "INVALID_ARGUMENT".to_owned()));
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_is_said_anew_by_whoever_keeps_it_and_by_nobody_else() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, databases) = on(engine, folder.path()).await;
        let people = schools::open(&deployment).await;
        let at = format!("/v1/schools/{SCHOOL}");
        let update = json!({ "name": "芙蓉职业学校", "telephone": "0731-8888 0000" });
        for other in [&people.clerk, &people.officer, &people.machine] {
            for (act, body) in [
                ("update", update.clone()),
                ("close", json!({})),
                ("open", json!({})),
                ("majors/add", json!({ "majors": [{ "name": "会计" }] })),
                ("majors/end", json!({ "key": "2010-010200", "endDate": "2026-12-01" })),
                ("setAuthority", json!({ "authority": "430100", "fromDate": "2099-01-01", "reason": "划转" })),
            ] {
                assert_eq!(reason(other.post(&format!("{at}/{act}"), &body, "").await).0, 403, "{act}");
            }
        }
        let told = people.admin.post(&format!("{at}/update"), &update, "").await.expect("is said");
        assert_eq!((&told["name"], &told["telephone"], &told["kind"]), (&json!("芙蓉职业学校"), &json!("0731-8888 0000"), &json!("PUBLIC")));
        let told = people.admin.post(&format!("{at}/update"), &json!({ "kind": "PRIVATE", "telephone": "" }), "").await.expect("is said");
        assert_eq!((&told["name"], &told["telephone"], &told["kind"]), (&json!("芙蓉职业学校"), &json!(""), &json!("PRIVATE")));
        for body in [json!({ "telephone": "请打张老师" }), json!({ "name": " " }), json!({ "name": "校".repeat(61) })] {
            assert_eq!(reason(people.admin.post(&format!("{at}/update"), &body, "").await), (400, "INVALID_ARGUMENT".to_owned()), "{body}");
        }
        assert_eq!(reason(people.admin.post("/v1/schools/3643999999/update", &update, "").await).0, 404);
        // Aid hears it.
        deployment.drain().await.expect("drains");
        assert_same(&databases).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_major_that_was_used_is_ended_and_one_that_never_was_is_taken_off() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, _) = on(engine, folder.path()).await;
        let people = schools::open(&deployment).await;
        let at = format!("/v1/schools/{SCHOOL}");
        let keys = |school: &Value| -> Vec<(String, String)> {
            let text = |major: &Value, field: &str| major[field].as_str().unwrap_or_default().to_owned();
            school["majors"].as_array().expect("majors").iter().map(|major| (text(major, "key"), text(major, "endedDate"))).collect()
        };
        let pairs = |pairs: &[(&str, &str)]| pairs.iter().map(|(key, day)| ((*key).to_owned(), (*day).to_owned())).collect::<Vec<_>>();
        people.import(&[student(1)]).await;
        let end = |key: &str, day: &str| json!({ "key": key, "endDate": day });
        let told = people
            .admin
            .post(&format!("{at}/majors/add"), &json!({ "majors": [{ "catalogue": "2010", "name": "会计" }, { "catalogue": "2010", "code": "100100" }] }), "")
            .await
            .expect("is added");
        assert_eq!(keys(&told), pairs(&[("2010-010200", ""), ("2010-100100", ""), ("2010-120100", "")]));
        let told = people.admin.post(&format!("{at}/majors/end"), &end("2010-120100", "2026-12-01"), "").await.expect("is taken off");
        assert_eq!(keys(&told), pairs(&[("2010-010200", ""), ("2010-100100", "")]));
        let told = people.admin.post(&format!("{at}/majors/end"), &end("2010-010200", "2026-09-01"), "").await.expect("is ended");
        assert_eq!(keys(&told), pairs(&[("2010-010200", "2026-09-01"), ("2010-100100", "")]));
        // Who is in it is unchanged, whoever is new is refused and told since when; who entered before is not new.
        let mut before = student(3);
        before.insert("入学年月".into(), "202509".into());
        let report = people.import(&[student(1), student(2), before]).await;
        assert_eq!((&report["rowsUnchanged"], &report["rowsNew"], &report["rowsFaulty"]), (&json!(1), &json!(1), &json!(1)), "{report}");
        let problem = &report["problems"][0];
        assert!(problem["code"] == "MAJOR_ENDED" && problem["reason"].as_str().is_some_and(|why| why.contains("2026-09-01")), "{report}");
        assert_eq!(reason(people.admin.post(&format!("{at}/majors/end"), &end("2010-999999", "2026-09-01"), "").await), (400, "INVALID_ARGUMENT".to_owned()));
        assert_eq!(reason(people.admin.post(&format!("{at}/majors/add"), &json!({ "majors": [{ "catalogue": "2010", "code": "10200" }] }), "").await).0, 400);
        // Added again, it takes students again.
        let told =
            people.admin.post(&format!("{at}/majors/add"), &json!({ "majors": [{ "catalogue": "2010", "code": "010200" }] }), "").await.expect("is added");
        assert_eq!(keys(&told), pairs(&[("2010-010200", ""), ("2010-100100", "")]));
        assert_eq!(people.import(&[student(2)]).await["rowsNew"], 1);
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_department_approves_from_its_day_on_and_not_before() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, databases) = on(engine, folder.path()).await;
        let day = |text: &str| text.parse().expect("a date");
        deployment.step_to(day("2026-11-20")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let next = people.open_account("nextofficer", "DEPARTMENT_OFFICER", "430200", schools::PASSWORD).await;
        let at = format!("/v1/schools/{SCHOOL}");
        let set = |authority: &str, from: &str| json!({ "authority": authority, "fromDate": from, "reason": "区划调整，市教通〔2026〕1号" });
        for (body, status) in [(set("430200", "2026-11-19"), 400), (set("999999", "2026-12-01"), 400), (set("430200", "2026-13-01"), 400)] {
            assert_eq!(reason(people.admin.post(&format!("{at}/setAuthority"), &body, "").await).0, status, "{body}");
        }
        let told = people.admin.post(&format!("{at}/setAuthority"), &set("430200", "2026-12-01"), "").await.expect("is recorded");
        assert_eq!((&told["authority"], &told["authorityChanges"][0]["holds"]), (&json!("430100"), &json!(false)), "{told}");
        // Until then the present one approves, and the next sees nothing.
        people.import(&[student(1)]).await;
        assert_eq!(people.register().await["approved"].as_i64().unwrap_or(1), 1);
        deployment.step_to(day("2026-11-30")).await.expect("steps");
        let officer = people.admin.with_log_in("officer", schools::PASSWORD).await.expect("logs in");
        officer.get(&at).await.expect("is theirs");
        assert_eq!(reason(next.get(&at).await).0, 403);
        deployment.step_to(day("2026-12-01")).await.expect("steps");
        next.get(&at).await.expect("is theirs");
        assert_eq!(reason(officer.get(&at).await).0, 403);
        let told = people.admin.get(&at).await.expect("a school");
        assert_eq!(
            (&told["authority"], &told["authorityChanges"][0]["holds"], &told["authorityChanges"][0]["authorityBefore"]),
            (&json!("430200"), &json!(true), &json!("430100"))
        );
        // Aid goes by it, too.
        until("aid knows the next department", async || next.get(&format!("/v1/schools/{SCHOOL}/awardLists")).await.is_ok()).await;
        assert_eq!(reason(officer.get(&format!("/v1/schools/{SCHOOL}/awardLists")).await).0, 403);
        // Back at once.
        let told = people.admin.post(&format!("{at}/setAuthority"), &set("430100", "2026-12-01"), "").await.expect("is set");
        assert_eq!(told["authority"], "430100");
        officer.get(&at).await.expect("is theirs again");
        deployment.drain().await.expect("drains");
        assert_same(&databases).await;
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_school_takes_nobody_and_stays_readable() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, databases) = on(engine, folder.path()).await;
        let people = schools::open(&deployment).await;
        let at = format!("/v1/schools/{SCHOOL}");
        people.import(&[student(1)]).await;
        people.register().await;
        people.import(&[student(2)]).await;
        let told = people.admin.post(&format!("{at}/close"), &json!({}), "").await.expect("is closed");
        assert!(told["state"] == "CLOSED" && told["stateSince"].as_str().is_some_and(|day| day.len() == 10), "{told}");
        let import = people.clerk.upload(&format!("{at}/enrollments/import"), workbook(&[student(3)]), "").await;
        assert_eq!(reason(import), (400, "WRONG_STATE".to_owned()));
        let submit = people.clerk.post(&format!("{at}/submissions"), &json!({ "allDrafts": true }), "").await;
        assert_eq!(reason(submit), (400, "WRONG_STATE".to_owned()));
        // Its people log in, read, and do what is left to do for who is there.
        let clerk = people.admin.with_log_in("clerk", schools::PASSWORD).await.expect("logs in");
        let path = people.path_of(1).await;
        clerk.get(&path).await.expect("is read");
        clerk.post(&format!("{path}/leave"), &json!({ "effectiveDate": "2026-10-08", "reason": "病" }), "").await.expect("is recorded");
        // Another is not touched.
        people.other.upload(&format!("/v1/schools/{OTHER}/enrollments/import"), workbook(&[student(9)]), "").await.expect("is read");
        deployment.drain().await.expect("drains");
        assert_same(&databases).await;
        let told = people.admin.post(&format!("{at}/open"), &json!({}), "").await.expect("is opened");
        assert_eq!(told["state"], "ACTIVE");
        assert_eq!(people.import(&[student(3)]).await["rowsNew"], 1);
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_to_call_is_told_to_whoever_may_know() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let set = async |who: &Session, region: &str, telephone: &str| who.post(&format!("/v1/offices/{region}"), &json!({ "telephone": telephone }), "").await;
        for (region, telephone) in [("430100", "八八八八"), ("430100", "1234567890123456789012345678901"), ("999999", "0731-1")] {
            assert_eq!(reason(set(&people.admin, region, telephone).await), (400, "INVALID_ARGUMENT".into()), "{engine:?} {region} {telephone}");
        }
        set(&people.admin, "430100", "0731-88880000").await.expect("is set");
        assert_eq!(set(&people.admin, "430100", " 0731-88881111转2 ").await.expect("is set anew")["telephone"], "0731-88881111转2", "{engine:?}");
        set(&people.admin, "430000", "0731-1").await.expect("is set");
        people.admin.post(&format!("/v1/schools/{SCHOOL}/update"), &json!({ "telephone": "0731-5" }), "").await.expect("is said");
        let of = async |who: &Session, asked: &str| {
            let told = who.get(&format!("/v1/contacts{asked}")).await.expect("contacts");
            let row = |row: &Value| format!("{} {}", row["organisation"].as_str().expect("a code"), row["telephone"].as_str().expect("a telephone"));
            told["contacts"].as_array().cloned().unwrap_or_default().iter().map(row).collect::<Vec<_>>()
        };
        let asked = format!("?organisations={SCHOOL}&organisations=430100&organisations=430200");
        let both = [format!("{SCHOOL} 0731-5"), "430100 0731-88881111转2".to_owned()];
        assert_eq!(of(&people.clerk, &asked).await, both, "{engine:?}");
        assert_eq!(of(&people.officer, &asked).await, both, "{engine:?}");
        assert_eq!(of(&people.other, &asked).await, both[1..], "{engine:?}: another school's is not told");
        assert_eq!(of(&people.admin, "").await, ["430000 0731-1", "430100 0731-88881111转2"], "{engine:?}");
        set(&people.admin, "430100", "").await.expect("is said no more");
        assert_eq!(of(&people.clerk, "?organisations=430100").await, Vec::<String>::new(), "{engine:?}");
        let many = (0..201).map(|at| format!("organisations={at}")).collect::<Vec<_>>().join("&");
        assert_eq!(reason(people.clerk.get(&format!("/v1/contacts?{many}")).await), (400, "INVALID_ARGUMENT".into()), "{engine:?}");
        deployment.stop().await;
    }
}

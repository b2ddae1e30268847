//! Every refusal has the contract's shape, tears down nothing, and every act is named; who keeps the deployment can't be locked out.

use reqwest::{Client, Method, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use xuezhu::{client::Session, deployment::recover};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, rows};
use xuezhu_tests::{
    Engine,
    apart::Apart,
    deployment, postgres, prepare,
    schools::{self, PASSWORD, SCHOOL, number, reason, student},
    until,
};

/// An answer's status and its body, which must have the contract's shape.
async fn shaped(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("answers");
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.expect("JSON");
    assert!(body["code"].is_number() && body["message"].is_string() && body["details"].is_array(), "{status} {body}");
    assert!(body["details"][0]["reason"].as_str().is_some_and(|reason| !reason.is_empty()), "{status} {body}");
    (status, body)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_many_faults_is_told_and_hurts_no_other_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let mut others = JoinSet::new();
    for _ in 0..4 {
        let other = people.other.clone();
        others.spawn(async move {
            for _ in 0..100 {
                other.get(&format!("/v1/schools/{}/enrollments", schools::OTHER)).await.expect("is not hurt by another's faults");
            }
        });
    }
    let base = format!("http://{}", deployment.http);
    let post = |path: &str, who: &Session, body: &Value| Client::new().post(format!("{base}{path}")).bearer_auth(who.token()).json(body);
    let bad_ids: Vec<String> = (0..1_000).map(|index| format!("不是编号{index}")).collect();
    let majors: Vec<Value> = (0..500).map(|index| json!({ "catalogue": "2010", "code": format!("9{index:05}") })).collect();
    let school = json!({ "code": "3643000009", "name": "新校", "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": majors });
    let long = "很".repeat(5_000);
    for _ in 0..20 {
        for (path, who, body) in [
            (format!("/v1/schools/{SCHOOL}/submissions"), &people.clerk, json!({ "enrollments": bad_ids })),
            ("/v1/schools".to_owned(), &people.admin, school.clone()),
            (format!("/v1/schools/{SCHOOL}/enrollments/{long}/leave"), &people.clerk, json!({})),
            ("/v1/schools".to_owned(), &people.admin, json!({ "code": long })),
        ] {
            let (status, body) = shaped(post(&path, who, &body)).await;
            assert!((400..500).contains(&status), "{path}: {status} {body}");
            assert!(body["message"].as_str().is_some_and(|message| message.chars().count() < 2_000), "{body}");
        }
    }
    while let Some(ended) = others.join_next().await {
        ended.expect("no call of another fails");
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_of_the_interface_has_the_contracts_shape() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let ask = |method: Method, path: &str| Client::new().request(method, format!("{base}{path}")).bearer_auth(people.clerk.token());
    let import = format!("/v1/schools/{SCHOOL}/enrollments/import");
    let enrollments = format!("/v1/schools/{SCHOOL}/enrollments");
    for (request, status) in [
        (ask(Method::GET, "/v1/nothing"), 404),
        (ask(Method::PUT, &enrollments), 405),
        (ask(Method::GET, &import), 405),
        (ask(Method::POST, "/v1/schools").body("{"), 415),
        (ask(Method::POST, "/v1/schools").header(header::CONTENT_TYPE, "text/plain").body("{}"), 415),
        (ask(Method::POST, "/v1/schools").header(header::CONTENT_TYPE, "application/json").body("{"), 400),
        (ask(Method::POST, "/v1/schools").header(header::CONTENT_TYPE, "application/json").body("{\"surprise\": 1}"), 400),
        (ask(Method::GET, &format!("{enrollments}?pageSize=many")), 400),
        (ask(Method::GET, &format!("{enrollments}?state=SLEEPING")), 400),
        (ask(Method::POST, &import).body("no workbook"), 400),
        (ask(Method::POST, &format!("/v1/schools/{SCHOOL}/awardLists/nothing/import")).body("no workbook"), 400),
        (Client::new().get(format!("{base}{enrollments}")), 401),
    ] {
        let (got, body) = shaped(request).await;
        assert_eq!(got, status, "{body}");
    }
    // A token of a page belongs to the question that it was given for.
    people.import(&(1..=3).map(student).collect::<Vec<_>>()).await;
    let page = people.clerk.get(&format!("{enrollments}?pageSize=1")).await.expect("a page");
    let token = page["nextPageToken"].as_str().expect("a token");
    people.clerk.get(&format!("{enrollments}?pageSize=2&pageToken={token}")).await.expect("goes on with another size");
    for other in [
        format!("{enrollments}?state=DRAFT&pageToken={token}"),
        format!("/v1/schools/{SCHOOL}/submissions?pageToken={token}"),
        format!("{enrollments}?pageToken=x{token}"),
    ] {
        assert_eq!(reason(people.clerk.get(&other).await).0, 400, "{other}");
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_that_no_page_names_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let list = people.list(&[("李无籍", &number(9), ""), (&student(1)["姓名"], &number(1), "")]).await;
    people.attested(&list).await;
    deployment.drain().await.expect("drains");
    people.import(&[student(3)]).await;
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let submission = format!("/v1/schools/{SCHOOL}/submissions/{}", made["submission"].as_str().expect("an id"));
    let covered = made["digest"].as_str().expect("a digest").to_owned();
    let flag = people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"][0]["flag"].as_str().expect("an id").to_owned();
    let enrollment = people.enrollment(&number(1)).await.replace("/v1", "");
    let base = format!("http://{}", deployment.http);
    let submit = async |who: &Session, path: &str, form: &str| {
        let request = Client::new().post(format!("{base}{path}")).header(header::COOKIE, format!("xuezhu_session={}", who.token()));
        let request = request.header("sec-fetch-site", "same-origin").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(form.to_owned()).send().await.expect("answers").status().as_u16()
    };
    let state = async || {
        let asked = [list.clone(), format!("/v1/flags/{flag}"), submission.clone()];
        let mut answers = Vec::new();
        for path in &asked {
            answers.push(people.officer.get(path).await.expect(path));
        }
        (answers[0].clone(), answers[1]["state"].clone(), answers[2]["state"].clone())
    };
    let before = state().await;
    let digest = before.0["digest"].as_str().expect("a digest").to_owned();
    for act in ["typo", "", "CLEAR", "clear ", "approve2", "sendback"] {
        let flag_form = format!("act={act}&text=核对无误&request_id=1{act}&etag=1");
        let list_form = format!("act={act}&digest={digest}&reason=核对&request_id=2{act}");
        for (who, path, form) in [
            (&people.officer, format!("/flags/{flag}"), &flag_form),
            (&people.officer, list.replace("/v1", ""), &list_form),
            (&people.clerk, enrollment.clone(), &format!("act={act}&reason=x&effective_date=2026-10-01&class_name=2班&request_id=3{act}")),
            (&people.admin, "/accounts".to_owned(), &format!("act={act}&account=clerk&request_id=4{act}")),
            (&people.head, submission.replace("/v1", ""), &format!("act={act}&digest={covered}&reason=核对&request_id=5{act}")),
        ] {
            let status = submit(who, &path, form).await;
            assert!((400..500).contains(&status), "{path} {act:?}: {status}");
        }
    }
    assert_eq!(state().await, before);
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_told_as_unavailable() {
    prepare();
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| format!("sqlite:{}", folder.path().join(name).display());
    let mut apart = Apart::start(folder.path(), &file("enrollment.db"), &file("aid.db"));
    let base = apart.base();
    xuezhu_tests::apart::ready(&base).await;
    let people = schools::open_at(&base, "first-Password1").await;
    let ask = |path: &str| Client::new().get(format!("{base}{path}")).bearer_auth(people.officer.token());
    until("aid answers", async || ask("/v1/flags").send().await.is_ok_and(|answer| answer.status() == 200)).await;
    for (service, path) in [(0, format!("/v1/schools/{SCHOOL}/enrollments")), (1, "/v1/flags".to_owned())] {
        apart.end(service);
        let (status, body) = shaped(ask(&path)).await;
        assert_eq!((status, body["details"][0]["reason"].as_str()), (503, Some("UNAVAILABLE")), "{body}");
        let upload = if service == 0 {
            format!("/v1/schools/{SCHOOL}/enrollments/import")
        } else {
            format!("/v1/schools/{SCHOOL}/awardLists/{}/import", uuid::Uuid::nil())
        };
        let upload = Client::new().post(format!("{base}{upload}")).bearer_auth(people.clerk.token()).body(schools::workbook(&[student(1)]));
        let (status, body) = shaped(upload).await;
        assert_eq!(status, 503, "{body}");
        apart.begin(service);
        until("it is back", async || ask(&path).send().await.is_ok_and(|answer| answer.status() == 200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_any_act_races_included_an_administrator_remains() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        assert!((400..500).contains(&reason(people.admin.post("/v1/accounts/admin/disable", &json!({}), "").await).0));
        let own = reason(people.admin.post("/v1/accounts/admin/resetPassword", &json!({}), "").await);
        assert!((400..500).contains(&own.0), "{own:?}");
        // One of a part can't bring back the whole, nor can one who was never there to log in.
        people.open_account("regional", "ADMINISTRATOR", "430000", PASSWORD).await;
        assert!((400..500).contains(&reason(people.admin.post("/v1/accounts/admin/disable", &json!({}), "").await).0));
        for round in 0..8 {
            let second = people.open_account(&format!("second{round}"), "ADMINISTRATOR", "", PASSWORD).await;
            let name = format!("second{round}");
            let (path, nothing) = (format!("/v1/accounts/{name}/disable"), json!({}));
            let (one, two) = tokio::join!(people.admin.post(&path, &nothing, ""), second.post("/v1/accounts/admin/disable", &nothing, ""));
            assert!(one.is_err() || two.is_err(), "each closed the other");
            let base = format!("http://{}", deployment.http);
            let (first, other) = (Session::log_in(&base, "admin", PASSWORD).await, Session::log_in(&base, &name, PASSWORD).await);
            assert!(first.is_ok() || other.is_ok(), "nobody can log in");
            if let (Err(_), Ok(other)) = (&first, &other) {
                other.post("/v1/accounts/admin/enable", &json!({}), "").await.expect("is opened again");
                break;
            }
        }
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_holds_the_key_file_lets_an_administrator_in_again() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let options = || xuezhu_tests::options(databases.clone(), folder.path(), "none", Settings::default());
        let deployment = xuezhu_tests::start(options()).await;
        let people = schools::open(&deployment).await;
        let settings = Settings {
            enrollment_database_url: databases.clone().map(|(enrollment, _)| enrollment).unwrap_or_default(),
            enrollment_keys_file: folder.path().join("enrollment-keys.json"),
            ..Settings::default()
        };
        let data = databases.is_none().then(|| folder.path().to_owned());
        if data.is_some() {
            let busy = recover(data.as_deref(), &settings, "admin").await.expect_err("runs");
            assert!(busy.to_string().contains("in use"), "{busy}");
        }
        deployment.stop().await;
        // A clerk's account is no way in, nor is another deployment's key file.
        assert!(recover(data.as_deref(), &settings, "clerk").await.is_err());
        let kept = folder.path().join("kept.json");
        std::fs::rename(&settings.enrollment_keys_file, &kept).expect("is moved");
        assert!(recover(data.as_deref(), &settings, "admin").await.is_err());
        xuezhu_service::Keyring::generate().0.save(&settings.enrollment_keys_file).expect("saves");
        assert!(recover(data.as_deref(), &settings, "admin").await.is_err());
        std::fs::rename(&kept, &settings.enrollment_keys_file).expect("is back");
        let one_time = recover(data.as_deref(), &settings, "admin").await.expect("is recovered");
        let deployment = xuezhu_tests::start(options()).await;
        let base = format!("http://{}", deployment.http);
        assert!(people.admin.get("/v1/accounts").await.is_err() && Session::log_in(&base, "admin", PASSWORD).await.is_err());
        let admin = Session::log_in(&base, "admin", &one_time).await.expect("logs in").change_password(&one_time, "Other-2026x").await.expect("changes");
        admin.get("/v1/accounts").await.expect("is in");
        deployment.stop().await;
        let url = databases.map_or_else(|| format!("sqlite:{}", folder.path().join("enrollment.db").display()), |(enrollment, _)| enrollment);
        let db = Db::open(&url).await.expect("opens");
        let mut tx = db.read().await.expect("reads");
        let lines = rows!(&mut tx, (String, String), "SELECT resource, outcome FROM audit WHERE method = 'RecoverAdministrator' ORDER BY id").expect("rows");
        assert_eq!(lines, [("clerk".to_owned(), "REFUSED".to_owned()), ("admin".to_owned(), "DONE".to_owned())]);
        tx.rollback().await.expect("ends");
        db.close().await;
    }
}

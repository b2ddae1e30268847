//! 公示: what is submitted is shown for whole working days before it is signed, or what was approved before it is paid; objections stop those whom they
//! concern, and nobody else.

use serde_json::{Value, json};
use xuezhu::{client::Session, deployment::Deployment};
use xuezhu_domain::calendar::add_working_days;
use xuezhu_judge::policy::file::BUILT_IN;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    Engine, deployment_on, policy_file, postgres, rows,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, reason, student},
};

use crate::{browser::Browser, console::usable};

/// A world under a policy, with three students who ask for the grant.
pub async fn world(engine: Engine, folder: &std::path::Path, policy: (&str, &str)) -> (Deployment, People) {
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    let settings = Settings { policy_file: Some(policy_file(policy.0, policy.1)), ..Settings::default() };
    let deployment = deployment_on(databases, folder, "none", settings).await;
    deployment.step_to("2026-11-02".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let of_class = |serial: u32, class: &str| {
        let mut row = student(serial);
        row.insert("班级名称".into(), class.into());
        row
    };
    people.import(&[of_class(1, "1班"), of_class(2, "1班"), of_class(3, "2班")]).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    people.all_ask("2026-AUTUMN", "2026-11-02").await;
    (deployment, people)
}

/// A student's name.
pub fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

/// A list of students, submitted: its path, and how it was answered.
pub async fn submitted(people: &People, serials: &[u32]) -> (String, Value) {
    let rows: Vec<(String, String)> = serials.iter().map(|serial| (name(*serial), number(*serial))).collect();
    let list = people.list(&rows.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect::<Vec<_>>()).await;
    let row = people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
    (list, row)
}

/// The principal signs a list.
pub async fn attest(people: &People, list: &str) -> anyhow::Result<Value> {
    let digest = people.head.get(list).await?["digest"].clone();
    people.head.post(&format!("{list}/attest"), &json!({ "digest": digest }), "").await
}

/// The notices of a list, the last first.
async fn notices(who: &Session, list: &str) -> Vec<Value> {
    let id = list.rsplit('/').next().expect("an id");
    who.get(&format!("/v1/notices?school={SCHOOL}&list={id}")).await.expect("notices")["notices"].as_array().cloned().unwrap_or_default()
}

fn path(notice: &Value) -> String {
    format!("/v1/notices/{}", notice["notice"].as_str().expect("an id"))
}

/// What whoever has no account is answered.
async fn stranger(deployment: &Deployment, path: &str, body: Option<Value>) -> (u16, Value) {
    let http = reqwest::Client::new();
    let url = format!("http://{}{path}", deployment.http);
    let request = match body {
        None => http.get(url),
        Some(body) => http.post(url).json(&body),
    };
    let answer = request.send().await.expect("answers");
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_submitted_is_shown_before_it_is_signed() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let (list, row) = submitted(&people, &[1, 2, 3]).await;
        assert_eq!((&row["state"], &row["announces"]), (&json!("SUBMITTED"), &json!(true)), "{engine:?}");
        let shown = notices(&people.clerk, &list).await;
        let ends = add_working_days(deployment.today(), 5);
        assert_eq!(shown.len(), 1, "{engine:?}");
        assert_eq!(
            (&shown[0]["openDate"], &shown[0]["lastDate"], &shown[0]["count"]),
            (&json!("2026-11-02"), &json!(ends.to_string()), &json!(3)),
            "{engine:?}"
        );
        // A class at a time, and of a student what the rules allow.
        let whole = people.head.get(&path(&shown[0])).await.expect("a notice");
        assert_eq!((whole["lines"].as_array().map_or(0, Vec::len), whole["notice"]["classes"].as_array().map(Vec::len)), (0, Some(2)), "{engine:?} {whole}");
        let class = people.officer.get(&format!("{}?className=2%E7%8F%AD", path(&shown[0]))).await.expect("a notice");
        assert_eq!(class["lines"], json!([{ "name": name(3), "className": "2班", "grade": 1, "majorName": "现代农艺技术" }]), "{engine:?}");
        assert_eq!(whole["notice"]["digest"], row["digest"], "{engine:?}: of the list");
        // Neither the list nor its dossier is signed before the end, on its last day neither; what is refused leaves everything as it was.
        for day in [deployment.today(), ends] {
            deployment.step_to(day).await.expect("steps");
            let refused = attest(&people, &list).await.expect_err("runs").to_string();
            assert!(refused.contains("NOTICE_RUNNING") && refused.contains(&ends.succ_opt().expect("a day").to_string()), "{engine:?} {refused}");
            let dossier = format!("/v1/aidDossiers/{}", shown[0]["dossier"].as_str().expect("an id"));
            let signed = people.head.post(&format!("{dossier}/sign"), &json!({ "digest": row["digest"] }), "").await;
            assert_eq!(reason(signed), (400, "NOTICE_RUNNING".into()), "{engine:?}");
            assert_eq!(people.head.get(&list).await.expect("a list")["state"], "SUBMITTED", "{engine:?}");
        }
        // Who is sent back leaves the notice, and the others keep it; who comes again has one of their own.
        let entries = people.head.get(&format!("{list}/entries")).await.expect("entries")["entries"].clone();
        let third = entries.as_array().expect("a list").iter().find(|entry| entry["name"] == name(3)).expect("is there").clone();
        people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "月份有误", "entries": [third["entry"]] }), "").await.expect("is sent back");
        people.clerk.post(&format!("{list}/redraft"), &json!({ "all": true }), "").await.expect("is taken up");
        people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted again");
        let shown = notices(&people.clerk, &list).await;
        assert_eq!((&shown[1]["count"], &shown[0]["count"], &shown[0]["openDate"]), (&json!(2), &json!(1), &json!(ends.to_string())), "{engine:?}");
        deployment.step_to(ends.succ_opt().expect("a day")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let signed = attest(&people, &list).await.expect("what was shown is signed");
        assert_eq!((&signed["attested"], &signed["submitted"]), (&json!(2), &json!(1)), "{engine:?}: the other waits");
        let approved = people.approve(&list).await.expect("is approved");
        assert_eq!(approved["approved"], 2, "{engine:?}");
        assert_eq!(reason(attest(&people, &list).await), (400, "NOTICE_RUNNING".into()), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_link_sees_it_and_objects_while_it_runs() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let other = people.open_account("other_head", "PRINCIPAL", OTHER, PASSWORD).await;
        let county = people.open_account("county", "DEPARTMENT_OFFICER", "430200", PASSWORD).await;
        let (list, _) = submitted(&people, &[1, 2, 3]).await;
        let notice = notices(&people.clerk, &list).await.remove(0);
        let link = format!("/v1/publicNotices/{}", notice["notice"].as_str().expect("an id"));
        let publish = async |who: &Session, published: bool| who.post(&format!("{}/publish", path(&notice)), &json!({ "published": published }), "").await;
        assert_eq!(stranger(&deployment, &link, None).await.0, 404, "{engine:?}: on paper alone");
        for (who, status) in [(&people.head, 403), (&people.officer, 403), (&people.machine, 403), (&people.other, 404), (&people.admin, 404)] {
            assert_eq!(reason(publish(who, true).await).0, status, "{engine:?}");
        }
        publish(&people.clerk, true).await.expect("is published");
        let (status, seen) = stranger(&deployment, &format!("{link}?className=1%E7%8F%AD"), None).await;
        assert_eq!((status, seen["lines"].as_array().map(Vec::len)), (200, Some(2)), "{engine:?} {seen}");
        for hidden in [number(1), "115000".into(), "二档".into(), "涉农".into(), "entry".into()] {
            assert!(!seen.to_string().contains(&hidden), "{engine:?} {hidden}");
        }
        // An objection comes: about nobody of the class it is refused, about somebody it is theirs.
        let object = async |student: &str| {
            stranger(
                &deployment,
                &format!("{link}/objections"),
                Some(json!({ "className": "1班", "student": student, "text": "家里有车", "objector": "钱实名", "telephone": "0731-1" })),
            )
            .await
        };
        assert_eq!(object("孙无人").await.0, 400, "{engine:?}");
        assert_eq!(stranger(&deployment, &format!("{link}/objections"), Some(json!({ "text": "" }))).await.0, 400, "{engine:?}");
        assert_eq!(object(&name(1)).await.0, 200, "{engine:?}");
        // Who objected the department knows, and nobody else; other schools and departments know nothing.
        let told = async |who: &Session| who.get("/v1/objections").await.map(|answer| answer["objections"].as_array().cloned().unwrap_or_default());
        let of_officer = told(&people.officer).await.expect("objections");
        assert_eq!((&of_officer[0]["objector"], &of_officer[0]["text"]), (&json!("钱实名 0731-1"), &json!("家里有车")), "{engine:?}");
        for who in [&people.clerk, &people.head] {
            let own = told(who).await.expect("objections");
            assert!(own.len() == 1 && !own[0].to_string().contains("钱实名"), "{engine:?} {own:?}");
        }
        for who in [&people.other, &other, &county] {
            assert_eq!(told(who).await.map(|own| own.len()).unwrap_or_default(), 0, "{engine:?}");
        }
        assert!(told(&people.admin).await.is_err(), "{engine:?}");
        let objection = format!("/v1/objections/{}", of_officer[0]["objection"].as_str().expect("an id"));
        // After its end it is not shown any more, and nobody objects by the form; it still stands in the signature's way.
        deployment.step_to("2026-11-10".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        assert_eq!(stranger(&deployment, &link, None).await.0, 404, "{engine:?}: it closed itself");
        assert_eq!(object(&name(2)).await.0, 404, "{engine:?}");
        assert_eq!(reason(publish(&people.clerk, true).await), (400, "WRONG_STATE".into()), "{engine:?}");
        assert_eq!(reason(attest(&people, &list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}");
        // The school answers, the department decides.
        let answer = async |who: &Session| who.post(&format!("{objection}/answer"), &json!({ "text": "已家访，车是营运用" }), "").await;
        let decide = async |who: &Session, upheld: bool| who.post(&format!("{objection}/decide"), &json!({ "upheld": upheld, "reason": "核实" }), "").await;
        for who in [&other, &people.other, &county, &people.admin] {
            assert!([403, 404].contains(&reason(answer(who).await).0) && [403, 404].contains(&reason(decide(who, false).await).0), "{engine:?}");
        }
        assert_eq!(reason(decide(&people.head, false).await).0, 403, "{engine:?}");
        assert_eq!(answer(&people.clerk).await.expect("is answered")["state"], "ANSWERED", "{engine:?}");
        assert_eq!(reason(attest(&people, &list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}");
        assert_eq!(decide(&people.officer, true).await.expect("is decided")["state"], "UPHELD", "{engine:?}");
        assert_eq!(reason(decide(&people.officer, false).await), (400, "WRONG_STATE".into()), "{engine:?}");
        assert_eq!(reason(answer(&people.clerk).await), (400, "WRONG_STATE".into()), "{engine:?}");
        assert_eq!(reason(attest(&people, &list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}: until whom it concerns is sent back");
        let entries = people.head.get(&format!("{list}/entries")).await.expect("entries")["entries"].clone();
        let first = entries.as_array().expect("a list").iter().find(|entry| entry["name"] == name(1)).expect("is there").clone();
        people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "异议成立", "entries": [first["entry"]] }), "").await.expect("is sent back");
        assert_eq!(attest(&people, &list).await.expect("is signed")["attested"], 2, "{engine:?}: one objection stops one");
        // By hand, about the whole of it; dismissed, it stands in nobody's way.
        let by_hand = json!({ "text": "公示张贴不足五天", "objector": "李来访" });
        let recorded = people.officer.post(&format!("{}/objections", path(&notice)), &by_hand, "").await.expect("is recorded");
        assert_eq!((&recorded["student"], &recorded["byForm"]), (&json!(""), &json!(false)), "{engine:?}");
        assert_eq!(reason(people.clerk.post(&format!("{}/objections", path(&notice)), &by_hand, "").await).0, 403, "{engine:?}");
        rows::assert_bound(&deployment, "objection", (1, "UPDATE objections SET state = 51, decided_by_name = 'officer' WHERE state < 50")).await;
        deployment.stop().await;
    }
}

/// What is said of somebody is not shaken off by being sent back and submitted again, nor by the whole list being called back.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_decided_goes_along_to_the_next_notice() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let (list, _) = submitted(&people, &[1, 2, 3]).await;
        let first = notices(&people.clerk, &list).await.remove(0);
        let object = async |body: Value| people.officer.post(&format!("{}/objections", path(&first)), &body, "").await.expect("is recorded");
        let of_one = object(json!({ "className": "1班", "student": name(1), "text": "家里有车" })).await;
        let of_all = object(json!({ "text": "没有张贴" })).await;
        let again = async |entries: Vec<Value>| {
            people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "重报", "entries": entries }), "").await.expect("is sent back");
            people.clerk.post(&format!("{list}/redraft"), &json!({ "all": true }), "").await.expect("is taken up");
            people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted again");
        };
        let entries = people.head.get(&format!("{list}/entries")).await.expect("entries")["entries"].clone();
        let one = entries.as_array().expect("a list").iter().find(|entry| entry["name"] == name(1)).expect("is there")["entry"].clone();
        again(vec![one]).await;
        let counts = async || -> Vec<Value> { notices(&people.clerk, &list).await.iter().map(|notice| notice["objections"].clone()).collect() };
        assert_eq!(counts().await, [json!(1), json!(1)], "{engine:?}: one goes along with its student, that of the notice stays with it");
        again(vec![]).await;
        assert_eq!(counts().await, [json!(2), json!(0), json!(0)], "{engine:?}: nobody is left on the others");
        let running: Vec<Value> = notices(&people.clerk, &list).await.iter().map(|notice| notice["running"].clone()).collect();
        assert_eq!(running, [json!(true), json!(false), json!(false)], "{engine:?}");
        let publish = async |body: Value| people.clerk.post(&format!("{}/publish", path(&first)), &body, "").await;
        assert_eq!(reason(publish(json!({ "published": true })).await), (400, "WRONG_STATE".into()), "{engine:?}: it shows nobody");
        assert_eq!(reason(publish(json!({})).await).0, 400, "{engine:?}: nothing said");
        deployment.step_to("2026-11-10".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        assert_eq!(reason(attest(&people, &list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}");
        let decide = async |objection: &Value, body: Value| {
            people.officer.post(&format!("/v1/objections/{}/decide", objection["objection"].as_str().expect("an id")), &body, "").await
        };
        assert_eq!(reason(decide(&of_one, json!({ "reason": "核实" })).await).0, 400, "{engine:?}: neither upheld nor dismissed");
        for objection in [&of_one, &of_all] {
            decide(objection, json!({ "upheld": false, "reason": "核实" })).await.expect("is decided");
        }
        assert_eq!(attest(&people, &list).await.expect("is signed")["attested"], 3, "{engine:?}");
        // After the signature the department records one against everybody: there is nothing that it could approve.
        let newest = notices(&people.clerk, &list).await.remove(0);
        let late = people.officer.post(&format!("{}/objections", path(&newest)), &json!({ "text": "名单有误" }), "").await.expect("is recorded");
        assert_eq!(reason(people.approve(&list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}");
        decide(&late, json!({ "upheld": false, "reason": "无误" })).await.expect("is decided");
        assert_eq!(people.approve(&list).await.expect("is approved")["approved"], 3, "{engine:?}");
        deployment.stop().await;
    }
}

/// Two of one name in a class: each has an objection until the department says whose it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_objection_to_one_of_two_namesakes_waits_for_both() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let mut twin = student(4);
        twin.extend([("姓名".to_owned(), name(1)), ("班级名称".to_owned(), "1班".to_owned())]);
        people.import(&[twin]).await;
        people.register().await;
        deployment.drain().await.expect("drains");
        let list = people.list(&[(&name(1), &number(1), ""), (&name(1), &number(4), "")]).await;
        people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
        let notice = notices(&people.clerk, &list).await.remove(0);
        let record = json!({ "className": "1班", "student": name(1), "text": "家里有车" });
        people.officer.post(&format!("{}/objections", path(&notice)), &record, "").await.expect("is recorded");
        deployment.step_to("2026-11-10".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let told = people.officer.get("/v1/objections").await.expect("objections")["objections"].as_array().cloned().unwrap_or_default();
        assert_eq!(told.len(), 2, "{engine:?} {told:?}");
        for objection in told {
            assert_eq!(reason(attest(&people, &list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}");
            let decide = format!("/v1/objections/{}/decide", objection["objection"].as_str().expect("an id"));
            people.officer.post(&decide, &json!({ "upheld": false, "reason": "核实" }), "").await.expect("is decided");
        }
        assert_eq!(attest(&people, &list).await.expect("is signed")["attested"], 2, "{engine:?}");
        deployment.stop().await;
    }
}

/// A page that was sent once, gone back to and sent with something else says so, and can be sent again as it is then.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_sent_already_is_given_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (deployment, people) = world(Engine::Sqlite, folder.path(), ("built-in", BUILT_IN)).await;
    let (list, _) = submitted(&people, &[1]).await;
    let notice = notices(&people.clerk, &list).await.remove(0);
    people.clerk.post(&format!("{}/publish", path(&notice)), &json!({ "published": true }), "").await.expect("is published");
    let page = format!("http://{}/notices/{}", deployment.http, notice["notice"].as_str().expect("an id"));
    let send = async |id: &str, text: &str| {
        let body = format!("request_id={id}&text={text}");
        let form = reqwest::Client::new().post(&page).header("content-type", "application/x-www-form-urlencoded").body(body);
        form.send().await.expect("answers").text().await.expect("a page")
    };
    let id_of = |page: &str| page.split_once("name=\"request_id\" value=\"").and_then(|(_, rest)| rest.split_once('"')).expect("is there").0.to_owned();
    let id = id_of(&reqwest::get(&page).await.expect("answers").text().await.expect("a page"));
    assert!(send(&id, "first").await.contains("异议已收到"));
    assert!(send(&id, "first").await.contains("异议已收到"), "the same again is the same");
    let other = send(&id, "second").await;
    assert!(!other.contains("异议已收到") && other.contains("second") && id_of(&other) != id, "{other}");
    assert!(send(&id_of(&other), "second").await.contains("异议已收到"));
    assert_eq!(people.officer.get("/v1/objections").await.expect("objections")["objections"].as_array().map(Vec::len), Some(2));
    deployment.stop().await;
}

/// From one place so many objections are taken a day.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_objections_is_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let (deployment, people) = world(Engine::Sqlite, folder.path(), ("built-in", BUILT_IN)).await;
    let (list, _) = submitted(&people, &[1]).await;
    let notice = notices(&people.clerk, &list).await.remove(0);
    people.clerk.post(&format!("{}/publish", path(&notice)), &json!({ "published": true }), "").await.expect("is published");
    let form = format!("/v1/publicNotices/{}/objections", notice["notice"].as_str().expect("an id"));
    let mut answers = Vec::new();
    for _ in 0..23 {
        answers.push(stranger(&deployment, &form, Some(json!({ "text": "有异议" }))).await.0);
    }
    assert_eq!(answers, [vec![200; 20], vec![429; 3]].concat());
    assert_eq!(people.officer.get("/v1/objections").await.expect("objections")["objections"].as_array().map(Vec::len), Some(20));
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_shown_before_it_is_paid() {
    let after = BUILT_IN.replace("order = \"BEFORE_SIGNATURE\"", "order = \"AFTER_AUDIT\"");
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("after-audit", &after)).await;
        let (list, _) = submitted(&people, &[1, 2]).await;
        assert!(notices(&people.clerk, &list).await.is_empty(), "{engine:?}: nothing before the audit");
        attest(&people, &list).await.expect("is signed at once");
        people.approve(&list).await.expect("is approved");
        let notice = notices(&people.clerk, &list).await.remove(0);
        assert_eq!((&notice["stage"], &notice["count"]), (&json!("AFTER_AUDIT"), &json!(2)), "{engine:?}");
        let payable = async || -> Vec<(Value, Value)> {
            let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries")["entries"].clone();
            let mut rows: Vec<&Value> = entries.as_array().expect("a list").iter().collect();
            rows.sort_by_key(|row| row["name"] != name(1));
            rows.into_iter().map(|row| (row["payableDate"].clone(), row["objected"].clone())).collect()
        };
        let free = (json!("2026-11-10"), json!(false));
        assert_eq!(payable().await, [free.clone(), free.clone()], "{engine:?}");
        let record = json!({ "className": "1班", "student": name(1), "text": "已不在校" });
        let objection = people.officer.post(&format!("{}/objections", path(&notice)), &record, "").await.expect("is recorded");
        assert_eq!(payable().await, [(json!(""), json!(true)), free.clone()], "{engine:?}");
        let decide = format!("/v1/objections/{}/decide", objection["objection"].as_str().expect("an id"));
        people.officer.post(&decide, &json!({ "upheld": false, "reason": "在校" }), "").await.expect("is decided");
        assert_eq!(payable().await, [free.clone(), free], "{engine:?}");
        deployment.stop().await;
    }
}

/// Where the school reviews its lists itself, that comes first: it is shown publicly once it was reviewed, and signed after that.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_school_reviews_is_shown_once_it_was_reviewed() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let reviewer = people.open_account("reviewer", "SCHOOL_REVIEWER", SCHOOL, PASSWORD).await;
        let chain = json!({ "kind": "AWARD_LIST", "scope": SCHOOL, "steps": "REVIEW/5, PRINCIPAL, AUTHORITY", "fromDate": "2026-11-02", "reason": "学校评审小组先评审" });
        people.admin.post("/v1/aidChains", &chain, "").await.expect("is set");
        let (list, row) = submitted(&people, &[1, 2, 3]).await;
        assert_eq!((&row["state"], &row["waitsAt"]), (&json!("SUBMITTED"), &json!("学校评审")), "{engine:?}");
        assert!(notices(&people.clerk, &list).await.is_empty(), "{engine:?}: nothing before the review");
        let refused = attest(&people, &list).await;
        assert_eq!(reason(refused).1, "WRONG_STATE", "{engine:?}: not before the review");
        let inbox = reviewer.get("/v1/aidInbox").await.expect("an inbox");
        assert_eq!(inbox["inbox"]["waiting"].as_array().map(Vec::len), Some(1), "{engine:?}");
        let dossier = format!("/v1/aidDossiers/{}", inbox["inbox"]["waiting"][0]["dossier"].as_str().expect("an id"));
        let sheet = reviewer.get(&dossier).await.expect("a sheet");
        // One is sent back by the review; the others are shown.
        let lines = reviewer.get(&format!("{dossier}/items")).await.expect("lines")["items"].clone();
        let third = lines.as_array().into_iter().flatten().find(|line| line["name"] == name(3)).expect("is there")["item"].clone();
        for (who, why) in [(&people.clerk, "FORBIDDEN"), (&people.head, "WRONG_STATE"), (&people.officer, "WRONG_STATE")] {
            assert_eq!(reason(who.post(&format!("{dossier}/sign"), &json!({ "digest": sheet["digest"] }), "").await).1, why, "{engine:?}");
        }
        reviewer.post(&format!("{dossier}/sendBack"), &json!({ "reason": "家庭情况待核", "items": [third] }), "").await.expect("is sent back");
        let sheet = reviewer.get(&dossier).await.expect("a sheet");
        reviewer.post(&format!("{dossier}/sign"), &json!({ "digest": sheet["digest"] }), "").await.expect("is signed");
        let shown = notices(&people.clerk, &list).await;
        assert_eq!((shown.len(), &shown[0]["count"], &shown[0]["openDate"]), (1, &json!(2), &json!("2026-11-02")), "{engine:?}");
        assert_eq!(reason(attest(&people, &list).await), (400, "NOTICE_RUNNING".into()), "{engine:?}");
        deployment.step_to(add_working_days(deployment.today(), 6)).await.expect("steps");
        attest(&people, &list).await.expect("is signed");
        let row = people.approve(&list).await.expect("is approved");
        assert_eq!((&row["approved"], &row["sentBack"]), (&json!(2), &json!(1)), "{engine:?} {row}");
        deployment.stop().await;
    }
}

/// The school shows it, a stranger objects, the department decides, in a browser.
#[tokio::test(flavor = "multi_thread")]
async fn a_notice_is_published_and_objected_to_in_a_browser() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (deployment, people) = world(Engine::Sqlite, folder.path(), ("built-in", BUILT_IN)).await;
    let (list, _) = submitted(&people, &[1, 2, 3]).await;
    let id = notices(&people.clerk, &list).await.remove(0)["notice"].as_str().expect("an id").to_owned();
    let base = format!("http://{}", deployment.http);
    let browser = Browser::open(1280, 1100).await?;
    browser.log_in(&base, "clerk").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}{}", list.replace("/v1", "").replace("awardLists", "lists"))).await?;
    browser.sees("公示中").await?;
    browser.picture("notice-list").await?;
    usable(&browser).await?;
    browser.click(&format!("main a[href='/schools/{SCHOOL}/notices/{id}']")).await?;
    browser.sees("请选择班级").await?;
    browser.click("#lines p.tools a").await?;
    browser.sees("现代农艺技术").await?;
    browser.picture("notice").await?;
    usable(&browser).await?;
    browser.click("#lines a.btn").await?;
    browser.sees("学校（盖章）").await?;
    browser.picture("notice-print").await?;
    usable(&browser).await?;
    browser.go(&format!("{base}/schools/{SCHOOL}/notices/{id}")).await?;
    browser.click("form#publish button").await?;
    browser.sees("已在网上公示").await?;
    // Without a session.
    browser.call("cookie", json!({ "cookie": { "name": "x", "value": "y" } })).await.ok();
    let visitor = Browser::open(390, 844).await?;
    visitor.go(&format!("{base}/notices/{id}?class=1%E7%8F%AD")).await?;
    visitor.sees(&name(1)).await?;
    visitor.type_in("#student", "孙无人").await?;
    visitor.type_in("#text", "家里有车").await?;
    visitor.click("form#file button").await?;
    visitor.sees("没有这名学生").await?;
    visitor.picture("notice-public").await?;
    usable(&visitor).await?;
    visitor.script("document.querySelector('#student').value = ''").await?;
    visitor.type_in("#student", &name(1)).await?;
    visitor.click("form#file button").await?;
    visitor.sees("异议已收到").await?;
    visitor.fits().await?;
    visitor.close().await?;
    browser.go(&format!("{base}/objections")).await?;
    browser.sees("待学校答复").await?;
    browser.picture("objections").await?;
    usable(&browser).await?;
    browser.log_in(&base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/objections")).await?;
    browser.sees("主管部门核定").await?;
    browser.click("main form[id^=decide-] input[value=false]").await?;
    browser.type_in("main form[id^=decide-] [name=reason]", "已核实").await?;
    browser.click("main form[id^=decide-] button.btn").await?;
    browser.sees("已核定不成立").await?;
    browser.close().await?;
    deployment.stop().await;
    Ok(())
}

/// Who names nobody, by the form, stops nobody until the department finds it right; which it does not before the school was heard.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_names_nobody_stops_no_list() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let (list, _) = submitted(&people, &[1, 2, 3]).await;
        let notice = notices(&people.clerk, &list).await.remove(0);
        let link = format!("/v1/publicNotices/{}", notice["notice"].as_str().expect("an id"));
        people.clerk.post(&format!("{}/publish", path(&notice)), &json!({ "published": true }), "").await.expect("is published");
        let form = |text: &str| Some(json!({ "className": "1班", "text": text }));
        for text in ["都有问题", "没有张贴"] {
            assert_eq!(stranger(&deployment, &format!("{link}/objections"), form(text)).await.0, 200, "{engine:?}");
        }
        let told = people.officer.get("/v1/objections").await.expect("objections")["objections"].as_array().cloned().expect("a list");
        assert_eq!(told.len(), 2, "{engine:?}");
        let decide = async |objection: &Value, upheld: bool| {
            let path = format!("/v1/objections/{}/decide", objection["objection"].as_str().expect("an id"));
            people.officer.post(&path, &json!({ "upheld": upheld, "reason": "核实" }), "").await
        };
        assert_eq!(reason(decide(&told[0], true).await), (400, "WRONG_STATE".into()), "{engine:?}: the school is heard first");
        decide(&told[1], false).await.expect("nobody need be heard for what is nothing");
        deployment.step_to("2026-11-10".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        // A school that does not answer is not waited for for ever; what is found right stops the whole list.
        decide(&told[0], true).await.expect("is upheld");
        assert_eq!(reason(attest(&people, &list).await), (400, "OBJECTION_OPEN".into()), "{engine:?}");
        people.head.post(&format!("{list}/sendBack"), &json!({ "reason": "异议成立", "entries": [] }), "").await.expect("is sent back");
        people.clerk.post(&format!("{list}/redraft"), &json!({ "all": true }), "").await.expect("is taken up");
        people.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted again");
        let again = notices(&people.clerk, &list).await.remove(0);
        let link = format!("/v1/publicNotices/{}", again["notice"].as_str().expect("an id"));
        people.clerk.post(&format!("{}/publish", path(&again)), &json!({ "published": true }), "").await.expect("is published");
        assert_eq!(stranger(&deployment, &format!("{link}/objections"), form("又来")).await.0, 200, "{engine:?}");
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let signed = attest(&people, &list).await.expect("nobody stops it");
        assert_eq!(signed["attested"], 3, "{engine:?}");
        deployment.stop().await;
    }
}

//! A flag's life: what was confirmed stays on record, what is no fault is remembered for its evidence, many are decided at once.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};
use xuezhu::client::{Refused, Session};
use xuezhu_service::settings::Settings;
use xuezhu_store::{Db, one, rows, run};
use xuezhu_tests::{
    Engine,
    before::Before,
    deployment_on, postgres,
    schools::{self, OTHER, People, SCHOOL, awards, number, reason, student},
    start, until,
};

/// URLs of two databases of an engine; none for files in the folder.
async fn databases(engine: Engine) -> Option<(String, String)> {
    match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    }
}

/// Aid's database.
async fn aid(databases: Option<&(String, String)>, folder: &Path) -> Db {
    let file = || format!("sqlite:{}", folder.join("aid.db").display());
    Db::open(&databases.map_or_else(file, |(_, aid)| aid.clone())).await.expect("opens")
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} in {value}"))
}

/// The one flag of a rule and a name, whole.
async fn flag(people: &People, rule: &str, name: &str) -> Value {
    let flags = people.officer.get(&format!("/v1/flags?rule={rule}&pageSize=1000")).await.expect("flags");
    let found: Vec<&Value> = flags["flags"].as_array().expect("a list").iter().filter(|flag| flag["name"] == name).collect();
    assert_eq!(found.len(), 1, "{rule} {name}: {flags}");
    people.officer.get(&format!("/v1/flags/{}", text(found[0], "flag"))).await.expect("a flag")
}

async fn act(who: &Session, flag: &Value, act: &str, said: &str) -> Value {
    let field = if act == "explain" { "text" } else { "reason" };
    who.post(&format!("/v1/flags/{}/{act}", text(flag, "flag")), &json!({ field: said, "etag": flag["etag"] }), "").await.expect(act)
}

async fn upload(people: &People, list: &str, lines: &[(&str, &str, &str)]) {
    let report = people.clerk.upload(&format!("{list}/import"), awards(lines), "").await.expect("is answered");
    assert_eq!(report["rowsFaulty"], 0, "{report}");
}

fn acts(of: &Value) -> Vec<&str> {
    of["steps"].as_array().expect("a list").iter().map(|step| text(step, "act")).collect()
}

async fn case(who: &Session, case: &str) -> Value {
    who.get(&format!("/v1/cases/{case}")).await.expect("a case")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_stays_in_the_register_whatever_becomes_of_its_flag() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment_on(databases(engine).await, folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        people.register().await;
        let list = people.list(&[("王错", &number(1), "9-10"), ("李鬼", &number(500), "9")]).await;
        deployment.drain().await.expect("drains");
        assert_eq!(people.officer.get("/v1/cases").await.expect("cases")["totalSize"], 0, "nothing was confirmed");
        let confirmed = act(&people.officer, &flag(&people, "IDENTITY_MISMATCH", "王错").await, "confirm", "姓名不是该生的").await;
        assert_eq!((&confirmed["state"], &confirmed["case"], &confirmed["added"]), (&json!("CONFIRMED"), &confirmed["flag"], &json!(false)));
        let id = text(&confirmed, "case").to_owned();
        // The school adds to it and moves nothing.
        let added = act(&people.clerk, &confirmed, "explain", "录入时写错").await;
        assert_eq!((&added["state"], &added["added"], &added["holds"]), (&json!("CONFIRMED"), &json!(true), &json!(true)), "{added}");
        let listed = people.officer.get("/v1/flags?added=true").await.expect("flags");
        assert_eq!(listed["flags"].as_array().map(Vec::len), Some(1), "{listed}");
        // Who may see it.
        for (who, sees) in [(&people.clerk, 1), (&people.head, 1), (&people.officer, 1), (&people.machine, 1), (&people.other, 0)] {
            assert_eq!(who.get("/v1/cases").await.expect("cases")["totalSize"], sees);
        }
        assert_eq!(reason(people.admin.get("/v1/cases").await), (403, "FORBIDDEN".into()), "an administrator sees no student");
        assert_eq!(reason(people.other.get(&format!("/v1/cases/{id}")).await), (404, "NOT_FOUND".into()));
        assert_eq!(reason(people.other.get(&format!("/v1/schools/{SCHOOL}/cases")).await), (403, "FORBIDDEN".into()));
        let entered = case(&people.clerk, &id).await;
        assert_eq!((&entered["state"], &entered["amountFen"], &entered["months"]), (&json!("STANDING"), &confirmed["amountFen"], &confirmed["months"]));
        assert_eq!((text(&entered, "confirmedBy"), text(&entered, "reason"), acts(&entered)), ("officer", "姓名不是该生的", vec!["ENTERED", "ADDED"]));
        assert_eq!(entered["evidence"]["claim"]["name"], "王错");
        // What became of the money is the department's to say.
        let outcome = format!("/v1/cases/{id}/outcome");
        let of = |outcome: &str, fen: i64| json!({ "outcome": outcome, "amountFen": fen.to_string(), "responsible": "经办人甲", "etag": entered["etag"] });
        let at_stake: i64 = text(&entered, "amountFen").parse().expect("fen");
        for (who, refused) in [(&people.clerk, 403), (&people.head, 403), (&people.machine, 403), (&people.admin, 404)] {
            let (status, _) = reason(who.post(&outcome, &of("NOT_PAID", 0), "").await);
            assert_eq!(status, refused);
        }
        for (body, of_body) in [(of("TO_RECOVER", 0), 400), (of("TO_RECOVER", at_stake + 1), 400), (json!({ "outcome": "OTHER" }), 400), (json!({}), 400)] {
            assert_eq!(reason(people.officer.post(&outcome, &body, "").await).0, of_body, "{body}");
        }
        let recorded = people.officer.post(&outcome, &of("TO_RECOVER", at_stake), "").await.expect("is recorded");
        assert_eq!((&recorded["outcome"], text(&recorded, "responsible"), text(&recorded, "outcomeBy")), (&json!("TO_RECOVER"), "经办人甲", "officer"));
        assert_eq!(reason(people.officer.post(&outcome, &of("RECOVERED", at_stake), "").await), (409, "CONFLICT".into()), "seen before");
        // The data are mended: the flag closes, the case stays.
        upload(&people, &list, &[(&student(1)["姓名"], &number(1), "9-10")]).await;
        let closed = people.officer.get(&format!("/v1/flags/{id}")).await.expect("a flag");
        let mended = case(&people.officer, &id).await;
        assert_eq!((&closed["state"], &mended["state"]), (&json!("CLOSED"), &json!("MENDED")), "{mended}");
        assert_eq!((&mended["outcomeFen"], mended["evidence"]["claim"]["name"].as_str()), (&json!(at_stake.to_string()), Some("王错")));
        // Wrong again: it waits for a decision, and a clearing says only that this time it is none.
        upload(&people, &list, &[("王错", &number(1), "9-11")]).await;
        let again = flag(&people, "IDENTITY_MISMATCH", "王错").await;
        assert_eq!((&again["state"], &case(&people.officer, &id).await["state"]), (&json!("OPEN"), &json!("FOUND_AGAIN")));
        act(&people.officer, &again, "clear", "已核对户口簿").await;
        let cleared = case(&people.officer, &id).await;
        assert_eq!(cleared["state"], "MENDED");
        assert_eq!(acts(&cleared), ["ENTERED", "ADDED", "OUTCOME", "MENDED", "FOUND_AGAIN", "NOT_AGAIN"]);
        // A decision that is changed withdraws the case, and never deletes it.
        let other = act(&people.officer, &flag(&people, "NO_ENROLLMENT", "李鬼").await, "confirm", "查无此人").await;
        let both = people.officer.get(&format!("/v1/schools/{SCHOOL}/cases?state=STANDING")).await.expect("cases");
        assert_eq!((&both["totalSize"], &both["cases"][0]["case"]), (&json!(1), &other["flag"]), "{both}");
        act(&people.officer, &other, "clear", "误认定").await;
        let withdrawn = case(&people.officer, text(&other, "flag")).await;
        assert_eq!((&withdrawn["state"], acts(&withdrawn)), (&json!("WITHDRAWN"), vec!["ENTERED", "WITHDRAWN"]));
        let undone = withdrawn["steps"].as_array().and_then(|steps| steps.last()).expect("a step");
        assert_eq!((text(undone, "actor"), text(undone, "text")), ("officer", "误认定"));
        let refused = people.officer.post(&format!("/v1/cases/{}/outcome", text(&other, "flag")), &json!({ "outcome": "NOT_PAID" }), "").await;
        assert_eq!(reason(refused), (400, "WRONG_STATE".into()));
        let all = people.officer.get("/v1/cases").await.expect("cases");
        assert_eq!((&all["totalSize"], &all["counted"], &all["amountFen"]), (&json!(2), &json!(1), &json!(at_stake.to_string())), "{all}");
        assert_eq!((&all["toRecoverFen"], &all["recoveredFen"]), (&json!(at_stake.to_string()), &json!("0")));
        for (filter, found) in [
            ("name=王", 1),
            ("name=李鬼", 1),
            ("name=错", 0),
            ("outcome=TO_RECOVER", 1),
            ("withoutOutcome=true", 0),
            ("rule=NO_ENROLLMENT", 1),
            ("term=2026-SPRING", 0),
        ] {
            assert_eq!(people.officer.get(&format!("/v1/cases?{filter}")).await.expect("cases")["totalSize"], found, "{filter}");
        }
        let first = people.officer.get("/v1/cases?pageSize=1").await.expect("a page");
        let second = people.officer.get(&format!("/v1/cases?pageSize=1&pageToken={}", text(&first, "nextPageToken"))).await.expect("a page");
        assert_ne!(first["cases"][0]["case"], second["cases"][0]["case"]);
        deployment.stop().await;
    }
}

/// What is confirmed follows what is found, and each confirmation asks anew what became of the money.
#[tokio::test(flavor = "multi_thread")]
async fn what_grew_is_confirmed_again_and_asks_again_what_became_of_the_money() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment_on(databases(engine).await, folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        let (number, rule) = (number(500), "NO_ENROLLMENT");
        let list = people.list(&[("李鬼", &number, "9")]).await;
        let first = act(&people.officer, &flag(&people, rule, "李鬼").await, "confirm", "查无此人").await;
        let (id, stake) = (text(&first, "flag").to_owned(), |value: &Value| text(value, "amountFen").parse::<i64>().expect("fen"));
        let outcome = async |outcome: &str, fen: i64| {
            people
                .officer
                .post(&format!("/v1/cases/{id}/outcome"), &json!({ "outcome": outcome, "amountFen": fen.to_string(), "responsible": "经办人甲" }), "")
                .await
        };
        outcome("RECOVERED", stake(&first)).await.expect("is recorded");
        // The same is not confirmed twice; what grew is.
        let confirm = json!({ "reason": "十月也是" });
        assert_eq!(reason(people.officer.post(&format!("/v1/flags/{id}/confirm"), &confirm, "").await).1, "WRONG_STATE");
        upload(&people, &list, &[("李鬼", &number, "9-10")]).await;
        let grown = flag(&people, rule, "李鬼").await;
        assert_eq!((&grown["state"], &grown["changed"], stake(&grown)), (&json!("CONFIRMED"), &json!(true), 2 * stake(&first)), "{grown}");
        assert_eq!(stake(&case(&people.officer, &id).await), stake(&first), "nothing moves by itself");
        assert_eq!(reason(outcome("RECOVERED", stake(&grown)).await).0, 400, "more than was confirmed");
        let again = act(&people.officer, &grown, "confirm", "十月也是").await;
        assert_eq!((&again["state"], &again["changed"]), (&json!("CONFIRMED"), &json!(false)), "{again}");
        let anew = case(&people.officer, &id).await;
        assert_eq!((stake(&anew), &anew["months"], text(&anew, "reason")), (stake(&grown), &grown["months"], "十月也是"), "{anew}");
        let unsaid = |case: &Value| (case["outcome"].clone(), case["outcomeFen"].clone(), case["responsible"].clone(), case["outcomeDate"].clone());
        let nothing = (json!("OUTCOME_UNSPECIFIED"), json!("0"), json!(""), json!(""));
        assert_eq!(unsaid(&anew), nothing, "{anew}");
        assert_eq!(acts(&anew), ["ENTERED", "OUTCOME", "EVIDENCE_CHANGED", "CONFIRMED_AGAIN"]);
        assert_eq!(people.officer.get("/v1/cases?withoutOutcome=true").await.expect("cases")["totalSize"], 1);
        outcome("RECOVERED", stake(&grown)).await.expect("is recorded");
        // Withdrawn and confirmed after all.
        let cleared = act(&people.officer, &again, "clear", "误认定").await;
        act(&people.officer, &cleared, "confirm", "复核属实").await;
        let latest = case(&people.officer, &id).await;
        assert_eq!((&latest["state"], unsaid(&latest)), (&json!("STANDING"), nothing), "{latest}");
        deployment.stop().await;
    }
}

/// The department looked at the evidence and found no fault: the same evidence, sent back and come again, is not asked about twice.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_is_remembered_for_its_evidence_alone_when_an_entry_is_sent_back_and_comes_again() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment_on(databases(engine).await, folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        let (number, rule) = (number(500), "NO_ENROLLMENT");
        let list = people.list(&[("李鬼", &number, "9-10")]).await;
        let back = async || {
            people.attested(&list).await;
            people.officer.post(&format!("{list}/sendBack"), &json!({ "reason": "请核对" }), "").await.expect("is sent back");
            assert_eq!(flag(&people, rule, "李鬼").await["state"], "CLOSED");
        };
        let opened = flag(&people, rule, "李鬼").await;
        act(&people.officer, &opened, "clear", "外籍学生，另有材料").await;
        back().await;
        upload(&people, &list, &[("李鬼", &number, "9-10")]).await;
        let again = flag(&people, rule, "李鬼").await;
        assert_eq!((&again["flag"], &again["state"], &again["holds"]), (&opened["flag"], &json!("CLEARED"), &json!(false)), "{again}");
        assert_eq!(acts(&again), ["OPENED", "CLEARED", "CLOSED", "REMEMBERED"]);
        assert_ne!(again["steps"][3]["actor"], "officer", "nobody signs what the system does");
        // Other evidence is looked at anew; the very same one, after that, is known.
        back().await;
        upload(&people, &list, &[("李鬼", &number, "9-11")]).await;
        assert_eq!(flag(&people, rule, "李鬼").await["state"], "OPEN");
        upload(&people, &list, &[("李鬼", &number, "9-10")]).await;
        let known = flag(&people, rule, "李鬼").await;
        assert_eq!(known["state"], "CLEARED", "{known}");
        // What was decided on one says nothing of another whom the entry names when it comes again.
        back().await;
        upload(&people, &list, &[("李娜", &number, "9-10")]).await;
        let other = flag(&people, rule, "李娜").await;
        assert_eq!((&other["flag"], &other["state"], &other["holds"]), (&opened["flag"], &json!("OPEN"), &json!(true)), "{other}");
        upload(&people, &list, &[("李鬼", &number, "9-10")]).await;
        let known = flag(&people, rule, "李鬼").await;
        assert_eq!(known["state"], "CLEARED", "{known}");
        // A later confirmation ends it.
        act(&people.officer, &known, "confirm", "材料不实").await;
        back().await;
        upload(&people, &list, &[("李鬼", &number, "9-10")]).await;
        assert_eq!(flag(&people, rule, "李鬼").await["state"], "OPEN");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_omission_that_is_no_fault_is_remembered_when_the_entry_is_sent_back() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment_on(databases(engine).await, folder.path(), "none", Settings::default()).await;
        deployment.step_to("2026-09-10".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[schools::nurse(1)]).await;
        people.register().await;
        deployment.step_to("2026-12-20".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let (name, number) = (student(1)["姓名"].clone(), number(1));
        let missing = flag(&people, "MISSING_AWARD", &name).await;
        act(&people.officer, &missing, "clear", "家长书面放弃").await;
        let lists = format!("/v1/schools/{SCHOOL}/awardLists");
        let made = people.clerk.post(&lists, &json!({ "scheme": "TUITION_WAIVER", "term": "2026-AUTUMN" }), "").await.expect("a list");
        let list = format!("{lists}/{}", text(&made, "list"));
        upload(&people, &list, &[(&name, &number, "")]).await;
        people.attested(&list).await;
        assert_eq!(flag(&people, "MISSING_AWARD", &name).await["state"], "CLOSED");
        people.officer.post(&format!("{list}/sendBack"), &json!({ "reason": "家长已放弃" }), "").await.expect("is sent back");
        let again = flag(&people, "MISSING_AWARD", &name).await;
        assert_eq!((&again["state"], acts(&again).last()), (&json!("CLEARED"), Some(&"REMEMBERED")), "{again}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_flags_are_decided_at_once_or_none_of_them() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = databases(engine).await;
        let deployment = deployment_on(databases.clone(), folder.path(), "none", Settings::default()).await;
        let people = schools::open(&deployment).await;
        people.list(&[("李一", &number(501), "9"), ("李二", &number(502), "9"), ("李三", &number(503), "9")]).await;
        let all = people.officer.get("/v1/flags").await.expect("flags");
        let flags: Vec<Value> = all["flags"].as_array().expect("a list").clone();
        assert_eq!(flags.len(), 3, "{all}");
        let seen: Vec<Value> = flags.iter().map(|flag| json!({ "flag": flag["flag"], "etag": flag["etag"] })).collect();
        let asked = |flags: &[Value], act: &str| json!({ "flags": flags, "act": act, "reason": "查无此人" });
        // Somebody explains one of them meanwhile.
        act(&people.clerk, &flags[1], "explain", "正在核对").await;
        let error = people.officer.post("/v1/flags/decide", &asked(&seen, "CONFIRM"), "").await.expect_err("one has changed");
        let refused = error.downcast_ref::<Refused>().expect("is refused");
        assert_eq!((refused.status, refused.reason.as_str()), (409, "CONFLICT"));
        assert!(refused.message.starts_with("第2条"), "it is said which: {error}");
        assert_eq!(people.officer.get("/v1/flags?state=CONFIRMED").await.expect("flags")["flags"], json!([]), "none was decided");
        let twice = [seen[0].clone(), seen[0].clone()];
        let too_many: Vec<Value> = (0..1_001_u128).map(|id| json!({ "flag": uuid::Uuid::from_u128(id).to_string() })).collect();
        for body in [asked(&[], "CONFIRM"), asked(&twice, "CONFIRM"), asked(&too_many, "CONFIRM"), asked(&seen, "ACT_UNSPECIFIED"), asked(&seen[..1], "CLOSE")]
        {
            assert_eq!(reason(people.officer.post("/v1/flags/decide", &body, "").await), (400, "INVALID_ARGUMENT".into()));
        }
        let stranger = [json!({ "flag": uuid::Uuid::from_u128(7).to_string() })];
        assert_eq!(reason(people.officer.post("/v1/flags/decide", &asked(&stranger, "CLEAR"), "").await), (404, "NOT_FOUND".into()));
        assert_eq!(reason(people.clerk.post("/v1/flags/decide", &asked(&seen, "CLEAR"), "").await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.other.post("/v1/flags/decide", &asked(&seen, "CLEAR"), "").await), (404, "NOT_FOUND".into()));
        let two = [seen[0].clone(), seen[2].clone()];
        let decided = people.officer.post("/v1/flags/decide", &asked(&two, "CONFIRM"), "key-1").await.expect("are decided");
        assert_eq!(decided["decided"], 2);
        assert_eq!(people.officer.post("/v1/flags/decide", &asked(&two, "CONFIRM"), "key-1").await.expect("is answered again"), decided);
        assert_eq!(people.officer.get("/v1/cases").await.expect("cases")["totalSize"], 2);
        // The rest of the cause, in the version that was seen.
        let causes = people.officer.get("/v1/causes").await.expect("causes");
        let cause = causes["causes"].as_array().expect("a list").iter().find(|cause| cause["explained"] == 1).expect("a cause");
        let path = format!("/v1/causes/{}/decide", text(cause, "cause"));
        let body = |etag: &Value| json!({ "act": "CLEAR", "reason": "已核对", "etag": etag });
        assert_eq!(reason(people.officer.post(&path, &body(&json!("1-1")), "").await), (409, "CONFLICT".into()));
        assert_eq!(reason(people.clerk.post(&path, &body(&cause["decideEtag"]), "").await), (403, "FORBIDDEN".into()));
        assert_eq!(people.officer.post(&path, &body(&cause["decideEtag"]), "").await.expect("are decided")["decided"], 1);
        assert_eq!(reason(people.officer.post(&path, &body(&json!("")), "").await), (404, "NOT_FOUND".into()), "nothing waits");
        // One step in each flag's life, and a line each in the audit.
        for flag in &flags {
            let flag = people.officer.get(&format!("/v1/flags/{}", text(flag, "flag"))).await.expect("a flag");
            let decisions = acts(&flag).into_iter().filter(|act| matches!(*act, "CONFIRMED" | "CLEARED")).count();
            assert_eq!(decisions, 1, "{flag}");
        }
        let run = people.officer.post("/v1/reconciliations", &json!({}), "").await.expect("starts");
        let run = format!("/v1/reconciliations/{}", text(&run, "run"));
        let mut counts = Value::Null;
        until("the sweep ends", async || {
            counts = people.officer.get(&run).await.expect("a run");
            counts["state"] == "DONE"
        })
        .await;
        assert_eq!(counts["counts"], json!([{ "rule": "NO_ENROLLMENT", "flags": 3, "waiting": 2 }]), "what is not closed, and what of it waits or stands");
        deployment.stop().await;
        let aid = aid(databases.as_ref(), folder.path()).await;
        let mut tx = aid.read().await.expect("reads");
        let sql = "SELECT resource FROM audit WHERE method = 'DecideFlags' AND outcome = 'DONE'";
        let lines: BTreeSet<String> = rows!(&mut tx, (String,), sql).expect("rows").into_iter().map(|(resource,)| resource).collect();
        let expected: BTreeSet<String> = two.iter().map(|seen| text(seen, "flag").to_owned()).chain(["2 flags".to_owned()]).collect();
        assert_eq!(lines, expected);
        tx.rollback().await.expect("ends");
    }
}

/// What was confirmed before there was a register has its case, with what was kept; nothing is invented.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_before_is_entered_once() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let before = Before::province(engine, folder.path()).await;
        let details = before.manifest["rest"]["flagDetails"].as_object().expect("flags").clone();
        let confirmed: BTreeSet<&String> = details.iter().filter(|(_, flag)| acts(flag).contains(&"CONFIRMED")).map(|(id, _)| id).collect();
        assert!(!confirmed.is_empty(), "the folder holds a confirmed flag");
        for round in 0..2 {
            let deployment = start(before.options.clone()).await;
            let province = Session::log_in(&format!("http://{}", deployment.http), "officer43", before.password("officer43")).await.expect("logs in");
            deployment.drain().await.expect("drains");
            let cases = province.get("/v1/cases?pageSize=1000").await.expect("cases");
            let entered: BTreeSet<String> = cases["cases"].as_array().expect("a list").iter().map(|case| text(case, "case").to_owned()).collect();
            assert_eq!(entered.iter().collect::<BTreeSet<_>>(), confirmed, "{engine:?} round {round}");
            for id in &entered {
                let (case, flag) = (case(&province, id).await, &details[id]);
                let said = flag["steps"].as_array().expect("a list").iter().rfind(|step| step["act"] == "CONFIRMED").expect("a step");
                assert_eq!((&case["confirmedBy"], &case["confirmDate"]), (&said["actor"], &said["date"]), "{case}");
                assert_eq!(acts(&case)[0], "ENTERED", "{case}");
                assert_eq!(case["amountUnknown"] == true, case["months"] == json!([]), "{case}");
                assert_eq!(case["outcome"], "OUTCOME_UNSPECIFIED");
            }
            deployment.stop().await;
        }
    }
}

/// What was cleared by a version that remembered nothing is remembered from the upgrade on.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_cleared_before_the_upgrade_is_remembered_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let before = Before::province(Engine::Sqlite, folder.path()).await;
    let deployment = start(before.options.clone()).await;
    deployment.drain().await.expect("drains");
    deployment.stop().await;
    let aid = Db::open(&format!("sqlite:{}", before.options.data.join("aid.db").display())).await.expect("opens");
    let mut tx = aid.begin().await.expect("begins");
    let kept = "SELECT count(*) FROM flags WHERE state = 11 AND (cleared_digest IS NULL OR cleared_digest <> evidence_digest)";
    assert_eq!(one!(&mut tx, (i64,), kept).expect("reads").expect("a count").0, 0);
    let cleared = one!(&mut tx, (i64,), "SELECT count(*) FROM flags WHERE state = 11").expect("reads").expect("a count").0;
    assert!(cleared > 0, "the folder holds a cleared flag");
    run!(&mut tx, "UPDATE flags SET steps = steps").expect("is writable");
    tx.rollback().await.expect("ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_of_another_department_has_a_register_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment_on(None, folder.path(), "none", Settings::default()).await;
    let people = schools::open(&deployment).await;
    let county = people.open_account("county", "DEPARTMENT_OFFICER", "430102", schools::PASSWORD).await;
    let above = people.open_account("above", "DEPARTMENT_OFFICER", "430000", schools::PASSWORD).await;
    people.list(&[("李鬼", &number(500), "9")]).await;
    let confirmed = act(&people.officer, &flag(&people, "NO_ENROLLMENT", "李鬼").await, "confirm", "查无此人").await;
    let outcome = format!("/v1/cases/{}/outcome", text(&confirmed, "case"));
    assert_eq!(above.get("/v1/cases").await.expect("cases")["totalSize"], 1, "reading goes downward");
    assert_eq!(reason(above.post(&outcome, &json!({ "outcome": "NOT_PAID" }), "").await), (403, "FORBIDDEN".into()), "deciding does not");
    assert_eq!(county.get("/v1/cases").await.expect("cases")["totalSize"], 0, "nor upward");
    assert_eq!(reason(county.get(&format!("/v1/cases/{}", text(&confirmed, "case"))).await), (404, "NOT_FOUND".into()));
    assert_eq!(people.officer.get(&format!("/v1/schools/{OTHER}/cases")).await.expect("cases")["totalSize"], 0);
    deployment.stop().await;
}

//! Omissions are sought: before lists lock, the principal signs who should be listed and is not, each with a cause.

use serde_json::{Value, json};
use xuezhu::deployment::Deployment;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    AT_ONCE, Engine, deployment_on, policy_file, postgres,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, reason, student},
};

use crate::{browser::Browser, console::usable};

const TERM: &str = "2026-AUTUMN";

fn path(school: &str) -> String {
    format!("/v1/schools/{school}/omissionLists")
}

fn name(serial: u32) -> String {
    student(serial)["姓名"].clone()
}

/// Name, scheme and cause of everybody on a list.
fn on(list: &Value) -> Vec<(String, String, String)> {
    let text = |row: &Value, field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let rows = list["omissions"].as_array().into_iter().flatten();
    let mut on: Vec<_> = rows.map(|row| (text(row, "name"), text(row, "schemeCode"), text(row, "cause"))).collect();
    on.sort_by_key(|(name, scheme, _)| ((1..=9).find(|serial| self::name(*serial) == *name), scheme.clone()));
    on
}

fn items(list: &Value, cause: &str) -> Vec<Value> {
    let rows = list["omissions"].as_array().into_iter().flatten();
    rows.filter(|row| row["cause"] == cause).map(|row| row["item"].clone()).collect()
}

/// A dossier as the principal finds it.
async fn dossier(people: &People, list: &Value) -> anyhow::Result<(String, Value)> {
    let path = format!("/v1/aidDossiers/{}", list["dossier"].as_str().unwrap_or_default());
    let dossier = people.head.get(&path).await?;
    Ok((path, dossier))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_principal_signs_one_list_of_all_who_are_missing() -> anyhow::Result<()> {
    let locks = AT_ONCE.replacen("due = \"11-30\"\n", "due = \"11-30\"\nlock = \"12-20\"\n", 1);
    assert_ne!(locks, *AT_ONCE);
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let settings = Settings { policy_file: Some(policy_file("omissions", &locks)), ..Settings::default() };
        let deployment = deployment_on(databases, folder.path(), "none", settings).await;
        deployment.step_to("2026-11-02".parse()?).await?;
        let people = schools::open(&deployment).await;
        people.import(&(1..=5).map(student).collect::<Vec<_>>()).await;
        people.register().await;
        deployment.drain().await?;
        let lines: Vec<(String, String)> = [1, 2].map(|serial| (name(serial), number(serial))).to_vec();
        let lines: Vec<(&str, &str, &str)> = lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect();
        let list = people.list(&lines).await;
        people.attested(&list).await;
        people.approve(&list).await?;
        let waived = people.waives(3, TERM, "2026-11-02").await;

        // Too early: it is told from which day on.
        let early = people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await;
        assert!(early.as_ref().is_err_and(|error| error.to_string().contains("2026-12-10")), "{engine:?} {early:?}");
        assert_eq!(reason(early), (400, "WRONG_STATE".into()), "{engine:?}");
        let none = people.clerk.get(&format!("{}?term={TERM}", path(SCHOOL))).await?;
        assert_eq!(
            (&none["state"], &none["openDate"], &none["dueDate"]),
            (&json!("STATE_UNSPECIFIED"), &json!("2026-12-10"), &json!("2026-12-20")),
            "{engine:?}"
        );
        deployment.step_to("2026-12-11".parse()?).await?;
        deployment.drain().await?;

        // Who is missing, of either scheme, and who does not want it.
        let drawn = people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await?;
        let expected = |unsaid: &str| -> Vec<(String, String, String)> {
            let tuition = (1..=5).map(|serial| (name(serial), "TUITION_WAIVER".to_owned(), unsaid.to_owned()));
            let grant = [(3, "WAIVED"), (4, unsaid), (5, unsaid)].map(|(serial, cause)| (name(serial), "GRANT".to_owned(), cause.to_owned()));
            let mut all: Vec<_> = tuition.chain(grant).collect();
            all.sort_by_key(|(name, scheme, _)| ((1..=9).find(|serial| self::name(*serial) == *name), scheme.clone()));
            all
        };
        assert_eq!(on(&drawn), expected("CAUSE_UNSPECIFIED"), "{engine:?}");
        assert_eq!((&drawn["state"], &drawn["withoutCause"], &drawn["others"]), (&json!("DRAFT"), &json!(7), &json!(0)), "{engine:?}");
        let at = format!("{}/{}", path(SCHOOL), drawn["list"].as_str().unwrap_or_default());
        assert_eq!(reason(people.clerk.post(&format!("{at}/submit"), &json!({}), "").await), (400, "WRONG_STATE".into()), "{engine:?}: causes are missing");

        // A clerk says causes, and gives nothing up for anybody.
        let unsaid = items(&drawn, "CAUSE_UNSPECIFIED");
        for (what, body) in [
            ("given up by the clerk", json!({ "items": unsaid, "cause": "WAIVED" })),
            ("no cause", json!({ "items": unsaid })),
            ("another without a word", json!({ "items": unsaid, "cause": "OTHER" })),
            ("nobody", json!({ "items": [], "cause": "NOT_REACHED" })),
            ("too many", json!({ "items": vec!["00000000-0000-0000-0000-000000000001"; 60_000], "cause": "NOT_REACHED" })),
            ("a telephone", json!({ "items": unsaid, "cause": "NOT_REACHED", "note": "13800138000打不通" })),
            ("who signed", json!({ "items": items(&drawn, "WAIVED"), "cause": "NOT_REACHED" })),
        ] {
            assert_eq!(reason(people.clerk.post(&format!("{at}/causes"), &body, "").await), (400, "INVALID_ARGUMENT".into()), "{engine:?}: {what}");
        }
        let said = people.clerk.post(&format!("{at}/causes"), &json!({ "items": unsaid, "cause": "OTHER", "note": "补报材料在途" }), "").await?;
        assert_eq!((on(&said), &said["withoutCause"]), (expected("OTHER"), &json!(0)), "{engine:?}");
        let again = people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await?;
        assert_eq!((on(&again), &again["list"]), (expected("OTHER"), &drawn["list"]), "{engine:?}: causes stay");

        // To the principal and back: as a whole.
        people.clerk.post(&format!("{at}/submit"), &json!({}), "").await?;
        assert_eq!(reason(people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await), (400, "WRONG_STATE".into()), "{engine:?}: it lies elsewhere");
        let submitted = people.clerk.get(&path(SCHOOL)).await?;
        assert_eq!(submitted["state"], "SUBMITTED", "{engine:?}");
        let (of, sheet) = dossier(&people, &submitted).await?;
        assert_eq!((&sheet["kind"], &sheet["waiting"]), (&json!("OMISSIONS"), &json!(8)), "{engine:?} {sheet}");
        let some = json!({ "reason": "这人在校", "items": [submitted["omissions"][0]["item"]] });
        assert_eq!(reason(people.head.post(&format!("{of}/sendBack"), &some, "").await), (400, "WRONG_STATE".into()), "{engine:?}: one list of all");
        people.head.post(&format!("{of}/sendBack"), &json!({ "reason": "原因写清楚" }), "").await?;
        let back = people.clerk.get(&path(SCHOOL)).await?;
        assert_eq!((&back["state"], &back["reason"], on(&back)), (&json!("DRAFT"), &json!("原因写清楚"), expected("OTHER")), "{engine:?}");

        // Somebody is missing who is not on it: nobody signs that.
        people.clerk.post(&format!("{at}/submit"), &json!({}), "").await?;
        people.clerk.post(&format!("/v1/schools/{SCHOOL}/statements/{waived}/withdraw"), &json!({ "reason": "反悔" }), "").await?;
        let (of, sheet) = dossier(&people, &people.clerk.get(&path(SCHOOL)).await?).await?;
        let sign = json!({ "digest": sheet["digest"] });
        assert_eq!(reason(people.head.post(&format!("{of}/sign"), &sign, "").await), (409, "CONFLICT".into()), "{engine:?}");
        assert_eq!(people.clerk.get(&path(SCHOOL)).await?["others"], 1, "{engine:?}");
        people.clerk.post(&format!("{of}/recall"), &json!({ "reason": "有新的" }), "").await?;
        let drawn = people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await?;
        let unsaid = items(&drawn, "CAUSE_UNSPECIFIED");
        assert_eq!((unsaid.len(), items(&drawn, "WAIVED").len(), items(&drawn, "OTHER").len()), (1, 0, 7), "{engine:?}");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http)).await?;
        } else {
            people.clerk.post(&format!("{at}/causes"), &json!({ "items": unsaid, "cause": "TO_BE_LISTED" }), "").await?;
            people.clerk.post(&format!("{at}/submit"), &json!({}), "").await?;
            let (of, sheet) = dossier(&people, &people.clerk.get(&path(SCHOOL)).await?).await?;
            people.head.post(&format!("{of}/sign"), &json!({ "digest": sheet["digest"] }), "").await?;
        }
        let signed = people.clerk.get(&path(SCHOOL)).await?;
        assert_eq!((&signed["state"], &signed["signedDate"], &signed["count"]), (&json!("SIGNED"), &json!("2026-12-11"), &json!(8)), "{engine:?} {signed}");

        // What was signed stands; another is drawn up only where somebody is new, and causes stay.
        assert_eq!(reason(people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await), (400, "NOTHING_TO_DO".into()), "{engine:?}");
        changed_and_new(&people, &deployment, engine).await?;
        nobody_is_missing(&people).await?;
        departments_count_and_the_lock_ends_it(&people, &deployment, engine).await?;
        may(&people, engine).await?;
        deployment.stop().await;
    }
    Ok(())
}

/// A number that is corrected makes nobody new; a waiver, whether of a draft line's student or of somebody else, does; of whom nothing is due it is none.
async fn changed_and_new(people: &People, deployment: &Deployment, engine: Engine) -> anyhow::Result<()> {
    let enrollment = people.enrollment(&number(5)).await;
    let body = json!({ "kind": "LAWFUL_CHANGE", "effectiveDate": "2026-11-01", "idNumber": number(305), "reason": "户口簿变更" });
    people.officer.post(&format!("{enrollment}/correctIdentity"), &body, "").await?;
    deployment.drain().await?;
    assert_eq!(people.clerk.get(&path(SCHOOL)).await?["others"], 0, "{engine:?}: the same student");
    let waived = people.waives(4, TERM, "2026-12-11").await;
    assert_eq!(people.clerk.get(&path(SCHOOL)).await?["others"], 1, "{engine:?}: signed not to want it since");
    let list = people.list(&[(&name(4), &number(4), "")]).await;
    assert_eq!(people.clerk.get(&path(SCHOOL)).await?["others"], 1, "{engine:?}: a draft is no list");
    let drawn = people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await?;
    assert_eq!((items(&drawn, "WAIVED").len(), items(&drawn, "CAUSE_UNSPECIFIED").len(), &drawn["count"]), (1, 0, &json!(8)), "{engine:?} {drawn}");
    people.clerk.post(&format!("/v1/schools/{SCHOOL}/statements/{waived}/withdraw"), &json!({ "reason": "反悔" }), "").await?;
    // Who is on a submitted list is missing no more.
    people.clerk.post(&format!("{list}/submit"), &json!({}), "").await?;
    deployment.drain().await?;
    let drawn = people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await?;
    assert_eq!((&drawn["count"], items(&drawn, "CAUSE_UNSPECIFIED").len(), &drawn["others"]), (&json!(7), 0, &json!(0)), "{engine:?} {drawn}");
    Ok(())
}

/// Where nobody is missing, that is signed.
async fn nobody_is_missing(people: &People) -> anyhow::Result<()> {
    let nobody = people.other.post(&path(OTHER), &json!({ "term": TERM }), "").await?;
    assert_eq!((&nobody["count"], &nobody["state"]), (&json!(0), &json!("DRAFT")));
    let at = format!("{}/{}", path(OTHER), nobody["list"].as_str().unwrap_or_default());
    people.other.post(&format!("{at}/submit"), &json!({}), "").await?;
    let head = people.open_account("head2", "PRINCIPAL", OTHER, PASSWORD).await;
    let of = format!("/v1/aidDossiers/{}", people.other.get(&path(OTHER)).await?["dossier"].as_str().unwrap_or_default());
    head.post(&format!("{of}/sign"), &json!({ "digest": head.get(&of).await?["digest"] }), "").await?;
    Ok(())
}

/// The department counts; after the lock nothing is drawn up, and of other terms there is nothing.
async fn departments_count_and_the_lock_ends_it(people: &People, deployment: &Deployment, engine: Engine) -> anyhow::Result<()> {
    let schools = people.officer.get(&format!("/v1/omissionLists?term={TERM}")).await?;
    let row = |school: &Value| json!([school["school"], school["state"], school["count"], school["waived"], school["missing"]]);
    let rows: Vec<Value> = schools["schools"].as_array().into_iter().flatten().map(row).collect();
    assert_eq!(rows, [json!([SCHOOL, "SIGNED", 8, 0, 7]), json!([OTHER, "SIGNED", 0, 0, 0])], "{engine:?} {schools}");
    deployment.step_to("2026-12-21".parse()?).await?;
    assert_eq!(reason(people.clerk.post(&path(SCHOOL), &json!({ "term": TERM }), "").await), (400, "TERM_LOCKED".into()), "{engine:?}");
    for term in ["1999-AUTUMN", "2030-SPRING"] {
        assert_eq!(reason(people.clerk.post(&path(SCHOOL), &json!({ "term": term }), "").await), (400, "WRONG_STATE".into()), "{engine:?} {term}");
    }
    Ok(())
}

/// Who may draw it up, and who may look.
async fn may(people: &People, engine: Engine) -> anyhow::Result<()> {
    for who in [&people.head, &people.officer, &people.other, &people.admin] {
        assert_eq!(reason(who.post(&path(SCHOOL), &json!({ "term": TERM }), "").await), (403, "FORBIDDEN".into()), "{engine:?}");
    }
    let finance = people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
    for (who, may) in [(&people.head, true), (&people.officer, true), (&people.other, false), (&finance, false)] {
        assert_eq!(who.get(&path(SCHOOL)).await.is_ok(), may, "{engine:?}");
    }
    for who in [&people.clerk, &finance] {
        assert_eq!(reason(who.get("/v1/omissionLists").await), (403, "FORBIDDEN".into()), "{engine:?}: numbers of a region are a department's");
    }
    Ok(())
}

/// The clerk says the last cause and submits, the principal signs, the officer sees it.
async fn in_a_browser(base: &str) -> anyhow::Result<()> {
    let at = format!("{base}/schools/{SCHOOL}/omissions?term={TERM}");
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "clerk").await?;
    browser.sees("待办").await?;
    browser.go(&at).await?;
    browser.sees("还有 1 人没有填原因").await?;
    browser.picture("omissions-draft").await?;
    usable(&browser).await?;
    browser.click("main tbody tr:has(.wait) input[type=checkbox]").await?;
    browser.click("#cause button[value=cause]").await?;
    browser.sees("还有 0 人没有填").await?;
    browser.click("#submit button").await?;
    browser.sees("已提交校长签字").await?;
    browser.phone().await?;
    browser.fits().await?;
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "head").await?;
    browser.sees("漏报清单").await?;
    browser.go(&at).await?;
    browser.click("main a[href^='/dossiers/aid/']").await?;
    browser.sees("未列入的原因").await?;
    browser.picture("omissions-dossier").await?;
    usable(&browser).await?;
    browser.sure("sign").await?;
    browser.sees("已办结").await?;
    browser.go(&at).await?;
    browser.sees("已签字").await?;
    browser.picture("omissions-signed").await?;
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/omissions?term={TERM}")).await?;
    browser.sees("已签字").await?;
    browser.picture("omissions-region").await?;
    usable(&browser).await
}

//! 学期汇总表: what a department's schools were approved and may be paid is summed up, signed by the department's head and by nobody else, and read by finance.

use serde_json::{Value, json};
use xuezhu::deployment::Deployment;
use xuezhu_domain::calendar::add_working_days;
use xuezhu_judge::policy::file::BUILT_IN;
use xuezhu_tests::{
    Engine, rows,
    schools::{PASSWORD, People, SCHOOL, number, reason},
};

use crate::{
    browser::Browser,
    console::usable,
    notices::{attest, name, submitted, world},
    takeouts::Taken,
};

const PREVIEW: &str = "/v1/termSummaryPreview?term=2026-AUTUMN";
const ALL: &str = "/v1/termSummaries?term=2026-AUTUMN";

/// A number that JSON writes as a text where it is long.
fn whole(value: &Value) -> i64 {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok())).unwrap_or_default()
}

/// What the entries of a list come to that were approved: how many, months, fen.
async fn recount(people: &People, list: &str) -> (i64, i64, i64) {
    let entries = people.officer.get(&format!("{list}/entries")).await.expect("entries")["entries"].clone();
    let approved = entries.as_array().into_iter().flatten().filter(|entry| entry["state"] == "APPROVED");
    approved.fold((0, 0, 0), |(count, months, fen), entry| {
        (count + 1, months + entry["standingMonths"].as_array().map_or(0, |of| i64::try_from(of.len()).unwrap_or(0)), fen + whole(&entry["standingFen"]))
    })
}

/// What a summary says in all.
fn said(summary: &Value) -> (i64, i64, i64) {
    let lines = summary["lines"].as_array().cloned().unwrap_or_default();
    let sum = |field: &str| lines.iter().map(|line| whole(&line[field])).sum::<i64>();
    assert_eq!((sum("entries"), sum("fen")), (whole(&summary["entries"]), whole(&summary["fen"])), "{summary}");
    (sum("entries"), sum("units"), sum("fen"))
}

fn dossier(summary: &Value) -> String {
    format!("/v1/aidDossiers/{}", summary["dossier"].as_str().expect("an id"))
}

/// A world with a list that was approved, and is shown publicly before it is paid.
async fn approved(engine: Engine, folder: &std::path::Path) -> (Deployment, People, String) {
    let after = BUILT_IN.replace("order = \"BEFORE_SIGNATURE\"", "order = \"AFTER_AUDIT\"");
    let (deployment, people) = world(engine, folder, ("after-audit", &after)).await;
    let (list, _) = submitted(&people, &[1, 2]).await;
    attest(&people, &list).await.expect("is signed");
    people.approve(&list).await.expect("is approved");
    (deployment, people, list)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_department_sums_up_and_its_head_signs() -> anyhow::Result<()> {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let (deployment, people, list) = approved(engine, folder.path()).await;
        let bureau = people.open_account("bureau", "AUTHORITY_HEAD", "430100", PASSWORD).await;
        let above = people.open_account("above", "AUTHORITY_HEAD", "430000", PASSWORD).await;
        let payer = people.open_account("payer", "FINANCE_OFFICER", "430100", PASSWORD).await;
        let submit = async |digest: &Value| people.officer.post("/v1/termSummaries", &json!({ "term": "2026-AUTUMN", "digest": digest }), "").await;

        // What is shown publicly still is not paid, and not summed up.
        let early = people.officer.get(PREVIEW).await?;
        assert_eq!((said(&early), whole(&early["lines"][0]["notPayable"])), ((0, 0, 0), 2), "{engine:?} {early}");
        assert_eq!(reason(submit(&early["digest"]).await), (400, "NOTHING_TO_DO".into()), "{engine:?}");
        deployment.step_to(add_working_days(deployment.today(), 6)).await.expect("steps");
        let seen = people.officer.get(PREVIEW).await?;
        assert_eq!(said(&seen), recount(&people, &list).await, "{engine:?} {seen}");
        assert_eq!(people.officer.get(ALL).await?["without"], json!(["湖南省长沙市"]), "{engine:?}");

        // Who may: the department's officer, of what they saw; everybody else is refused.
        assert_eq!(reason(submit(&json!("0000000000000000")).await).1, "DIGEST_MISMATCH", "{engine:?}");
        for who in [&people.clerk, &people.head, &payer, &bureau, &people.admin] {
            let asked = json!({ "term": "2026-AUTUMN", "digest": seen["digest"] });
            assert_eq!(reason(who.post("/v1/termSummaries", &asked, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        }
        let first = submit(&seen["digest"]).await?;
        assert_eq!((&first["number"], &first["state"], said(&first)), (&json!(1), &json!("SUBMITTED"), said(&seen)), "{engine:?} {first}");
        assert_eq!(reason(submit(&seen["digest"]).await).1, "WRONG_STATE", "{engine:?}: one waits");
        let sign = |digest: &Value| json!({ "digest": digest });
        let sheet = bureau.get(&dossier(&first)).await?;
        assert_eq!((&sheet["waitsWhose"], sheet["steps"].as_array().map(Vec::len)), (&json!("HEAD"), Some(1)), "{engine:?} {sheet}");
        for who in [&people.officer, &above, &people.head, &payer] {
            let refused = who.post(&format!("{}/sign", dossier(&first)), &sign(&sheet["digest"]), "").await;
            assert!([403, 404].contains(&reason(refused).0), "{engine:?}");
        }

        // What changed since is signed by nobody; it goes back whole, and comes again.
        let entries = people.officer.get(&format!("{list}/entries")).await?["entries"].clone();
        let entry = entries.as_array().into_iter().flatten().find(|entry| entry["name"] == name(1)).map(|entry| entry["entry"].clone());
        let cut = json!({ "entries": [entry], "what": "CUT", "months": [202_612], "reason": "核实" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &cut, "").await?;
        let refused = bureau.post(&format!("{}/sign", dossier(&first)), &sign(&sheet["digest"]), "").await;
        assert_eq!(reason(refused).1, "WRONG_STATE", "{engine:?}: it is what it was no more");
        bureau.post(&format!("{}/sendBack", dossier(&first)), &json!({ "reason": "审核结果有变化" }), "").await?;
        let dropped = people.officer.get(&format!("/v1/termSummaries/{}", first["summary"].as_str().unwrap_or_default())).await?;
        assert_eq!((&dropped["state"], &dropped["reason"]), (&json!("DROPPED"), &json!("审核结果有变化")), "{engine:?}");
        let seen = people.officer.get(PREVIEW).await?;
        let second = submit(&seen["digest"]).await?;
        assert_eq!((&second["number"], said(&second)), (&json!(2), recount(&people, &list).await), "{engine:?}");
        let sheet = bureau.get(&dossier(&second)).await?;
        bureau.post(&format!("{}/sign", dossier(&second)), &sign(&sheet["digest"]), "").await?;

        // By whom it is borne: 60 of a hundred by the centre, line by line, and nothing is lost.
        let shares: Vec<(&str, i64)> =
            second["shares"].as_array().into_iter().flatten().map(|share| (share["level"].as_str().unwrap_or(""), whole(&share["fen"]))).collect();
        let fen = said(&second).2;
        assert_eq!(shares, [("中央", fen * 60 / 100), ("地方", fen - fen * 60 / 100)], "{engine:?} {second}");

        // Finance reads what was signed, by whom and when, and takes it out as it is.
        let path = format!("/v1/termSummaries/{}", second["summary"].as_str().unwrap_or_default());
        let signed = payer.get(&path).await?;
        assert_eq!((&signed["state"], &signed["signedBy"], &signed["signDate"]), (&json!("SIGNED"), &json!("bureau"), &json!(deployment.today().to_string())));
        assert_eq!((said(&signed), &payer.get(ALL).await?["without"]), (said(&second), &json!([])), "{engine:?}");
        let (bytes, _) = payer.take_out(&format!("{path}/takeOut"), &json!({ "purpose": "拨款" }), "").await?;
        let taken = Taken::of(bytes, &["学校", "金额（元）"]);
        assert_eq!(taken.rows.len(), 1, "{engine:?}");
        assert_eq!(taken.rows[0][..4], [SCHOOL, "学校3643000001", "国家助学金", "2"].map(str::to_owned)[..], "{engine:?} {:?}", taken.rows);
        assert_eq!(taken.rows[0][5].replace([',', '.'], "").parse::<i64>().ok(), Some(whole(&signed["fen"])), "{engine:?}: to the fen");
        let receipts = payer.get("/v1/schools/430100/aidTakeOuts").await?;
        assert_eq!((&receipts["takeOuts"][0]["kind"], &receipts["takeOuts"][0]["purpose"]), (&json!("TERM_SUMMARY"), &json!("拨款")), "{engine:?}");
        assert_eq!(reason(people.clerk.get("/v1/schools/430100/aidTakeOuts").await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(reason(people.clerk.get(&path).await), (404, "NOT_FOUND".into()), "{engine:?}");
        assert_eq!(reason(submit(&seen["digest"]).await), (400, "NOTHING_TO_DO".into()), "{engine:?}: it is as it was signed");

        // What a school asks to stop is not paid while that is decided, and is summed up no more; nor is what a flag holds.
        let ask = json!({ "entries": [entry], "what": "STOP", "firstMonth": 202_701, "reason": "休学" });
        let asked = people.clerk.post(&format!("/v1/schools/{SCHOOL}/corrections"), &ask, "").await?;
        let seen = people.officer.get(PREVIEW).await?;
        assert_eq!((said(&seen).1, whole(&seen["lines"][0]["notPayable"])), (said(&signed).1 - 1, 1), "{engine:?} {seen}");
        people.clerk.post(&format!("/v1/aidDossiers/{}/recall", asked["dossier"].as_str().unwrap_or_default()), &json!({ "reason": "填错" }), "").await?;
        assert_eq!(said(&people.officer.get(PREVIEW).await?), said(&signed), "{engine:?}");
        people.withdraw(&number(2), "2026-11-05").await;
        deployment.drain().await.expect("drains");
        let seen = people.officer.get(PREVIEW).await?;
        let flag = people.officer.get("/v1/flags?state=OPEN").await?["flags"][0].clone();
        let held = flag["months"].as_array().map_or(0, |months| i64::try_from(months.len()).unwrap_or(0));
        assert!(held > 0 && flag["holds"] == true, "{engine:?}: a flag holds some months: {flag}");
        assert_eq!((said(&seen).1, whole(&seen["lines"][0]["notPayable"])), (said(&signed).1 - held, 1), "{engine:?} {seen}");

        // What is corrected afterwards makes another, which tells by how much it differs.
        let cut = json!({ "entries": [entry], "what": "CUT", "months": [202_611], "reason": "核实" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &cut, "").await?;
        let seen = people.officer.get(PREVIEW).await?;
        assert_eq!(whole(&seen["differenceFen"]), said(&seen).2 - said(&signed).2, "{engine:?}");
        assert!(whole(&seen["differenceFen"]) < 0, "{engine:?} {seen}");
        let third = submit(&seen["digest"]).await?;
        people.officer.post(&format!("{}/recall", dossier(&third)), &json!({ "reason": "再核对" }), "").await?;
        assert_eq!(submit(&seen["digest"]).await?["number"], 4, "{engine:?}");
        if engine == Engine::Sqlite {
            in_a_browser(&format!("http://{}", deployment.http)).await?;
        }
        rows::assert_bound(&deployment, "term summary", (1, "UPDATE term_summary_lines SET fen = fen + 100 WHERE fen > 0")).await;
        deployment.stop().await;
    }
    Ok(())
}

/// Where another desk follows the head's, the head is who signed; where everything was taken back, a summary says that nothing is left.
#[tokio::test(flavor = "multi_thread")]
async fn the_head_is_who_signed_and_that_nothing_is_left_is_said() -> anyhow::Result<()> {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let (deployment, people, list) = approved(engine, folder.path()).await;
        deployment.step_to(add_working_days(deployment.today(), 6)).await.expect("steps");
        let bureau = people.open_account("bureau", "AUTHORITY_HEAD", "430100", PASSWORD).await;
        let above = people.open_account("above", "DEPARTMENT_OFFICER", "430000", PASSWORD).await;
        let from = deployment.today().to_string();
        let chain = |steps: &str| json!({ "kind": "TERM_SUMMARY", "scope": "430100", "steps": steps, "fromDate": from, "reason": "省级备查" });
        assert!(people.admin.post("/v1/aidChains", &chain("PROVINCE"), "").await.is_err(), "{engine:?}: never without the head");
        assert!(people.admin.post("/v1/aidChains", &chain("PRINCIPAL, HEAD"), "").await.is_err(), "{engine:?}: it is no school's");
        people.admin.post("/v1/aidChains", &chain("HEAD, PROVINCE"), "").await?;
        let submit = async || {
            let digest = people.officer.get(PREVIEW).await.expect("a preview")["digest"].clone();
            people.officer.post("/v1/termSummaries", &json!({ "term": "2026-AUTUMN", "digest": digest }), "").await
        };
        let sign = async |who: &xuezhu::client::Session, summary: &Value| {
            let digest = who.get(&dossier(summary)).await.expect("a sheet")["digest"].clone();
            who.post(&format!("{}/sign", dossier(summary)), &json!({ "digest": digest }), "").await
        };
        let first = submit().await?;
        let path = format!("/v1/termSummaries/{}", first["summary"].as_str().unwrap_or_default());
        let stands = async || people.officer.get(&path).await.map(|summary| (summary["state"].clone(), summary["signedBy"].clone()));
        sign(&bureau, &first).await?;
        assert_eq!(stands().await?, (json!("SUBMITTED"), json!("bureau")), "{engine:?}");
        let items = above.get(&format!("{}/items", dossier(&first))).await?["items"][0]["item"].clone();
        let part = json!({ "reason": "核对", "items": [items, "00000000-0000-7000-8000-000000000000"] });
        assert_eq!(reason(above.post(&format!("{}/sendBack", dossier(&first)), &part, "").await).0, 400, "{engine:?}");
        sign(&above, &first).await?;
        assert_eq!(stands().await?, (json!("SIGNED"), json!("bureau")), "{engine:?}");

        let entries = people.officer.get(&format!("{list}/entries")).await?["entries"].clone();
        let all: Vec<Value> = entries.as_array().into_iter().flatten().map(|entry| entry["entry"].clone()).collect();
        let void = json!({ "entries": all, "what": "VOID", "reason": "核实" });
        people.officer.post(&format!("/v1/schools/{SCHOOL}/corrections/order"), &void, "").await?;
        let second = submit().await?;
        assert_eq!((said(&second), whole(&second["differenceFen"])), ((0, 0, 0), -said(&first).2), "{engine:?} {second}");
        assert_eq!(second["lines"][0]["beforeFen"], first["lines"][0]["fen"], "{engine:?}");
        sign(&bureau, &second).await?;
        sign(&above, &second).await?;
        assert_eq!(reason(submit().await), (400, "NOTHING_TO_DO".into()), "{engine:?}: nothing was left, and that is signed");
        deployment.stop().await;
    }
    Ok(())
}

async fn in_a_browser(base: &str) -> anyhow::Result<()> {
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "bureau").await?;
    browser.sees("等我办理").await?;
    browser.sees("汇总表").await?;
    browser.picture("summary-today").await?;
    browser.go(&format!("{base}/summaries")).await?;
    browser.sees("待负责人签字").await?;
    browser.picture("summaries").await?;
    usable(&browser).await?;
    browser.click("main a[href^='/summaries/']").await?;
    browser.sees("打开业务单").await?;
    browser.picture("summary").await?;
    usable(&browser).await?;
    browser.click("main a[href^='/dossiers/aid/']").await?;
    browser.sees("审签 1 行").await?;
    browser.picture("summary-dossier").await?;
    browser.sure("sign").await?;
    browser.sees("已办结").await?;
    let payer = Browser::open(390, 844).await?;
    payer.log_in(base, "payer").await?;
    payer.sees("资助名单").await?;
    payer.go(&format!("{base}/summaries")).await?;
    payer.sees("已签字").await?;
    usable(&payer).await?;
    payer.fits().await
}

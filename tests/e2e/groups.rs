//! 特殊群体: lists that a department is sent are loaded as files; whoever is on one, is at a school and has no level is told to the school, and to nobody else.

use serde_json::{Value, json};
use xuezhu_judge::policy::file::BUILT_IN;
use xuezhu_tests::{
    Engine,
    schools::{OTHER, PASSWORD, People, SCHOOL, number, reason},
};

use crate::{
    browser::Browser,
    console::usable,
    notices::{name, world},
    takeouts::everything,
};

const IMPORT: &str = "/v1/specialGroups/import";

fn file(rows: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let mut text = String::from("姓名,身份证件类型,身份证件号,类别,有效期至\n");
    for (name, number, group, until) in rows {
        text.push_str(&format!("{name},居民身份证,{number},{group},{until}\n"));
    }
    text.into_bytes()
}

fn text(row: &Value, field: &str) -> String {
    row[field].as_str().unwrap_or_default().to_owned()
}

/// Name, groups and until when, of those to whom the school should speak.
fn told(answer: &Value) -> Vec<(String, Value, String)> {
    answer["students"].as_array().into_iter().flatten().map(|row| (text(row, "name"), row["groups"].clone(), text(row, "untilDate"))).collect()
}

fn of_group(counts: &Value, group: &str) -> Vec<i64> {
    let row = counts["groups"].as_array().into_iter().flatten().find(|row| row["group"] == group).expect("is told").clone();
    ["listed", "found", "withLevel", "lapsed"].map(|field| row[field].as_i64().unwrap_or(0)).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_on_a_list_and_has_no_level_is_told_to_the_school() -> anyhow::Result<()> {
    let school = format!("/v1/schools/{SCHOOL}/groupStudents");
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        assert_eq!(people.clerk.get(&school).await?["students"], json!([]), "{engine:?}");
        // A wrong row stops no other; another's number under one's name is nobody of the school.
        let (one, two, three) = (number(1), number(2), number(3));
        let sent = [
            (name(1), one.clone(), "低保", ""),
            (name(1), one.clone(), "残疾", "2026-12-31"),
            (name(2), two.clone(), "孤儿", ""),
            ("孙无人".to_owned(), three.clone(), "低保", ""),
            (name(3), number(40), "特困供养", ""),
            (name(2), two.clone(), "低宝", ""),
            (name(1), one.clone(), "低保", "2027-01-31"),
        ];
        let rows: Vec<(&str, &str, &str, &str)> = sent.iter().map(|(name, number, group, until)| (name.as_str(), number.as_str(), *group, *until)).collect();
        let preview = people.officer.upload(&format!("{IMPORT}?preview=true"), file(&rows), "").await?;
        assert_eq!((&preview["rowsNew"], &preview["rowsFaulty"]), (&json!(5), &json!(2)), "{engine:?} {preview}");
        let codes: Vec<&Value> = preview["problems"].as_array().into_iter().flatten().map(|problem| &problem["code"]).collect();
        assert!(codes.contains(&&json!("NOT_IN_LIST")) && codes.contains(&&json!("DUPLICATE_IN_FILE")), "{engine:?} {preview}");
        assert!(preview.to_string().contains(r#""proposed":"低保""#), "{engine:?}: a near miss has its proposal: {preview}");
        assert!(!preview.to_string().contains(&one), "{engine:?}: nobody's number is told");
        assert_eq!(people.clerk.get(&school).await?["students"], json!([]), "{engine:?}: a preview writes nothing");
        let commit = format!("/v1/groupImports/{}/commit", text(&preview, "importId"));
        let first = people.officer.post(&commit, &json!({}), "").await?;
        assert_eq!(first["rowsNew"], 5, "{engine:?} {first}");
        let seen = people.clerk.get(&school).await?;
        assert_eq!(
            told(&seen),
            [(name(1), json!(["低保", "残疾"]), "2027-07-31".into()), (name(2), json!(["孤儿"]), "2027-07-31".into())],
            "{engine:?} {seen}"
        );
        assert_eq!(people.clerk.get("/v1/aidToday").await?["toSpeakTo"], 2, "{engine:?}");
        assert_eq!(people.officer.get("/v1/aidToday").await?["toSpeakTo"].as_i64().unwrap_or(0), 0, "{engine:?}");
        let counts = people.officer.get("/v1/specialGroups").await?;
        assert_eq!(
            (of_group(&counts, "低保"), of_group(&counts, "孤儿"), of_group(&counts, "特困供养")),
            (vec![2, 1, 0, 0], vec![1, 1, 0, 0], vec![1, 0, 0, 0])
        );
        assert!(!counts.to_string().contains(&name(1)), "{engine:?}: numbers alone");

        nobody_else_may(&people, &school, &file(&rows), engine).await?;

        // Whoever waived is told so, and is not counted; whoever is given a level is told no more.
        people.waives(2, "2026-AUTUMN", "2026-11-02").await;
        assert_eq!(people.clerk.get("/v1/aidToday").await?["toSpeakTo"], 1, "{engine:?}");
        assert_eq!(people.clerk.get(&school).await?["students"][1]["waived"], true, "{engine:?}");
        let person = seen["students"][0]["person"].clone();
        let family = json!({ "groups": ["低保"], "members": 3, "dependants": 1, "earners": 1, "incomeFen": 50_000, "pledged": true });
        let enter = json!({ "person": person, "schoolYear": 2026, "level": "特别困难", "family": family });
        people.clerk.post(&format!("/v1/schools/{SCHOOL}/hardship"), &enter, "").await?;
        assert_eq!(people.clerk.get(&school).await?["students"][0]["underWay"], true, "{engine:?}");
        let submit = json!({ "schoolYear": 2026, "reason": "班级评议" });
        let dossier = people.clerk.post(&format!("/v1/schools/{SCHOOL}/hardship/submit"), &submit, "").await?;
        let path = format!("/v1/aidDossiers/{}/sign", text(&dossier, "dossier"));
        people.head.post(&path, &json!({ "digest": dossier["digest"] }), "").await?;
        assert_eq!(told(&people.clerk.get(&school).await?).iter().map(|row| row.0.clone()).collect::<Vec<_>>(), [name(2)], "{engine:?}");
        assert_eq!(of_group(&people.officer.get("/v1/specialGroups").await?, "低保"), [2, 1, 1, 0], "{engine:?}");

        // The same again changes nothing; another day is taken; taken back, it is as it was.
        let again = people.officer.upload(IMPORT, file(&[(&name(2), &two, "孤儿", "2028-07-31")]), "").await?;
        assert_eq!(again["rowsChanged"], 1, "{engine:?} {again}");
        let same = people.officer.upload(IMPORT, file(&[(&name(2), &two, "孤儿", "2028-07-31")]), "").await?;
        assert_eq!(same["rowsUnchanged"], 1, "{engine:?} {same}");
        assert_eq!(told(&people.clerk.get(&school).await?)[0].2, "2028-07-31", "{engine:?}");
        people.officer.post(&format!("/v1/groupImports/{}/takeBack", text(&again, "importId")), &json!({}), "").await?;
        assert_eq!(told(&people.clerk.get(&school).await?)[0].2, "2027-07-31", "{engine:?}");
        // Who is of it no more is said by a file too; who never was is told.
        let ends = people.officer.upload(IMPORT, file(&[(&name(2), &two, "孤儿", "停止"), (&name(2), &two, "残疾", "停止")]), "").await?;
        assert_eq!((&ends["rowsChanged"], &ends["problems"][0]["code"]), (&json!(1), &json!("NOT_THERE")), "{engine:?} {ends}");
        assert_eq!(told(&people.clerk.get(&school).await?), [], "{engine:?}");
        people.officer.post(&format!("/v1/groupImports/{}/takeBack", text(&ends, "importId")), &json!({}), "").await?;
        assert_eq!(told(&people.clerk.get(&school).await?).len(), 1, "{engine:?}");
        people.officer.post(&format!("/v1/groupImports/{}/takeBack", text(&first, "importId")), &json!({}), "").await?;
        assert_eq!(told(&people.clerk.get(&school).await?), [], "{engine:?}");
        assert_eq!(of_group(&people.officer.get("/v1/specialGroups").await?, "低保"), [0, 0, 0, 0], "{engine:?}");
        if engine == Engine::Sqlite {
            people.officer.upload(IMPORT, file(&[(&name(2), &two, "孤儿", ""), (&name(3), &three, "低保", "2026-11-30")]), "").await?;
            in_a_browser(&format!("http://{}", deployment.http)).await?;
        }

        // A year on, the level has lapsed: the school is told again.
        deployment.step_to("2027-09-10".parse()?).await?;
        let seen = people.clerk.get(&school).await?;
        let first = seen["students"].as_array().into_iter().flatten().find(|row| row["name"] == name(1)).expect("is told").clone();
        assert_eq!((&first["lastLevel"], &first["groups"]), (&json!("特别困难"), &json!([])), "{engine:?} {seen}");
        let ends = json!({ "person": person, "schoolYear": 2027, "level": "特别困难", "family": family });
        people.clerk.post(&format!("/v1/schools/{SCHOOL}/hardship"), &ends, "").await?;
        assert_eq!(people.clerk.get("/v1/aidToday").await?["toSpeakTo"].as_i64().unwrap_or(0), 0, "{engine:?}: it is under way");
        let blank = people.officer.download("/v1/groupTemplate").await?;
        assert!(everything(&blank).contains("有效期至"), "{engine:?}");
        deployment.stop().await;
    }
    Ok(())
}

/// Of a school its own people who know of families; of a department its aid officer, who is told numbers.
async fn nobody_else_may(people: &People, school: &str, rows: &[u8], engine: Engine) -> anyhow::Result<()> {
    let finance = people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
    let bureau = people.open_account("bureau", "AUTHORITY_HEAD", "430100", PASSWORD).await;
    let roll = people.open_account("roll", "ENROLLMENT_OFFICER", "430100", PASSWORD).await;
    for (who, path) in
        [(&people.other, school), (&finance, school), (&bureau, school), (&people.machine, school), (&people.officer, school), (&bureau, "/v1/specialGroups")]
    {
        assert_eq!(reason(who.get(path).await), (403, "FORBIDDEN".into()), "{engine:?} {path}");
    }
    assert_eq!(reason(people.clerk.get(&format!("/v1/schools/{OTHER}/groupStudents")).await).0, 403, "{engine:?}");
    for who in [&people.clerk, &people.head, &roll, &bureau, &people.machine, &people.admin] {
        assert_eq!(reason(who.upload(IMPORT, rows.to_vec(), "").await).0, 403, "{engine:?}");
    }
    Ok(())
}

async fn in_a_browser(base: &str) -> anyhow::Result<()> {
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(base, "officer").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/groups")).await?;
    browser.sees("孤儿").await?;
    browser.picture("groups").await?;
    usable(&browser).await?;
    browser.phone().await?;
    browser.fits().await?;
    let clerk = Browser::open(1280, 900).await?;
    clerk.log_in(base, "clerk").await?;
    clerk.sees("可能困难、待谈话的学生").await?;
    clerk.picture("groups-today").await?;
    clerk.go(&format!("{base}/schools/{SCHOOL}/hardship")).await?;
    clerk.sees("请找下列学生谈话").await?;
    clerk.picture("groups-hardship").await?;
    usable(&clerk).await?;
    clerk.click("#speak a").await?;
    clerk.sees("家庭经济信息").await?;
    clerk.picture("groups-entering").await?;
    clerk.phone().await?;
    clerk.fits().await
}

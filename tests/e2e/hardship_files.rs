//! 困难认定 as a file: rows are entered as the form enters them, checked by the same rules, taken back to what stood there.

use serde_json::{Value, json};
use xuezhu_judge::policy::file::BUILT_IN;
use xuezhu_tests::{
    Engine,
    schools::{SCHOOL, number, reason},
};

use crate::{
    browser::Browser,
    console::usable,
    notices::{name, world},
    takeouts::everything,
};

/// A row of a file of levels: whom it names, the level, the income, the cause.
fn row((whose, number): (&str, &str), level: &str, income: &str, cause: &str) -> String {
    if level == "不再困难" {
        return format!("{whose},居民身份证,{number},{level},,,,,,,,,\n");
    }
    format!("{whose},居民身份证,{number},{level},,低保、残疾,4,1,1,{income},务农,{cause},是\n")
}

fn file(rows: &[String]) -> Vec<u8> {
    let head = "姓名,身份证件类型,身份证件号,困难等级,自何日起,特殊群体,家庭人口,赡养人口,劳动力人口,人均月收入（元）,主要收入来源,困难原因,已签承诺书\n";
    (head.to_owned() + &rows.concat()).into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn levels_come_by_file_as_they_are_entered_by_hand() -> anyhow::Result<()> {
    let (import, school) = (format!("/v1/schools/{SCHOOL}/hardship/import"), format!("/v1/schools/{SCHOOL}/hardship"));
    for engine in Engine::ALL {
        let folder = tempfile::tempdir()?;
        let (deployment, people) = world(engine, folder.path(), ("built-in", BUILT_IN)).await;
        let of = |serial: u32| (name(serial), number(serial));
        let [(one, first), (two, second), (three, third)] = [of(1), of(2), of(3)];
        let rows = [
            row((&one, &first), "特别困难", "450.50", "父亲患病"),
            row((&two, &second), "困难", "0", ""),
            row((&three, &third), "不再困难", "", ""),
            row((&one, &number(40)), "困难", "450", "父亲患病"),
            row((&one, &first), "困难", "450", "父亲患病"),
            row((&two, &second), "穷", "一千", ""),
        ];
        let preview = people.clerk.upload(&format!("{import}?preview=true"), file(&rows), "").await?;
        assert_eq!((&preview["rowsNew"], &preview["rowsFaulty"]), (&json!(2), &json!(4)), "{engine:?} {preview}");
        for code in ["NOT_AT_SCHOOL", "DUPLICATE_IN_FILE", "NOT_IN_LIST", "NUMBER", "INVALID"] {
            assert!(preview["problems"].as_array().into_iter().flatten().any(|problem| problem["code"] == code), "{engine:?} {code}: {preview}");
        }
        let strange = people.clerk.upload(&format!("{import}?preview=true"), file(&[row(("孙无人", &third), "困难", "450", "父亲患病")]), "").await?;
        assert_eq!(strange["problems"][0]["code"], "NAME_DIFFERS", "{engine:?} {strange}");
        assert!(!preview.to_string().contains(&first), "{engine:?}");
        assert_eq!(people.clerk.get(&school).await?["drafts"].as_i64().unwrap_or(0), 0, "{engine:?}: a preview writes nothing");
        let at = |report: &Value| format!("/v1/schools/{SCHOOL}/hardshipImports/{}", report["importId"].as_str().unwrap_or_default());
        let written = people.clerk.post(&format!("{}/commit", at(&preview)), &json!({}), "").await?;
        assert_eq!((&written["rowsNew"], people.clerk.get(&school).await?["drafts"].as_i64()), (&json!(2), Some(2)), "{engine:?} {written}");

        // What was written is what a form would have entered.
        let whole = async |whose: &str| {
            let levels = people.clerk.get(&school).await?["levels"].clone();
            let id =
                levels.as_array().into_iter().flatten().find(|level| level["name"] == whose).map(|level| level["determination"].clone()).unwrap_or_default();
            people.clerk.get(&format!("{school}/{}", id.as_str().unwrap_or_default())).await
        };
        let level = whole(&one).await?;
        assert_eq!((&level["level"], &level["state"], &level["fromDate"]), (&json!("特别困难"), &json!("DRAFT"), &json!("2026-08-01")), "{engine:?} {level}");
        let family = json!({ "groups": ["低保", "残疾"], "members": 4, "dependants": 1, "earners": 1, "incomeFen": "45050", "incomeSource": "务农", "cause": "父亲患病",
                             "pledged": true });
        assert_eq!(level["family"], family, "{engine:?}");

        // The same again is the same; another says so, and is taken back to what stood there.
        let same = people.clerk.upload(&import, file(&rows[..2]), "").await?;
        assert_eq!((&same["rowsUnchanged"], &same["rowsChanged"]), (&json!(2), &json!(0)), "{engine:?} {same}");
        let other = people.clerk.upload(&import, file(&[row((&one, &first), "困难", "900", "妹妹上学")]), "").await?;
        assert_eq!(other["rowsChanged"], 1, "{engine:?} {other}");
        assert_eq!((&whole(&one).await?["level"], &whole(&one).await?["family"]["cause"]), (&json!("困难"), &json!("妹妹上学")), "{engine:?}");
        people.clerk.post(&format!("{}/takeBack", at(&other)), &json!({}), "").await?;
        assert_eq!((&whole(&one).await?["level"], &whole(&one).await?["family"]), (&json!("特别困难"), &family), "{engine:?}");

        // Submitted and signed it holds; what was submitted is neither overwritten nor taken back.
        let submitted = people.clerk.post(&format!("{school}/submit"), &json!({ "schoolYear": 2026, "count": 2, "reason": "班级评议" }), "").await?;
        let again = people.clerk.upload(&import, file(&[row((&one, &first), "困难", "900", "妹妹上学")]), "").await?;
        assert_eq!(again["problems"][0]["code"], "ALREADY_SUBMITTED", "{engine:?} {again}");
        let back = people.clerk.post(&format!("{}/takeBack", at(&written)), &json!({}), "").await?;
        assert!(back.to_string().contains("NOT_TAKEN_BACK"), "{engine:?} {back}");
        let sign = format!("/v1/aidDossiers/{}/sign", submitted["dossier"].as_str().unwrap_or_default());
        people.head.post(&sign, &json!({ "digest": submitted["digest"] }), "").await?;
        assert_eq!(people.clerk.get(&school).await?["holding"], 2, "{engine:?}");

        // It is ended once.
        let ends = file(&[row((&two, &second), "不再困难", "", "")]);
        assert_eq!(people.clerk.upload(&import, ends.clone(), "").await?["rowsNew"], 1, "{engine:?}");
        let submitted = people.clerk.post(&format!("{school}/submit"), &json!({ "schoolYear": 2026, "reason": "家境好转" }), "").await?;
        let sign = format!("/v1/aidDossiers/{}/sign", submitted["dossier"].as_str().unwrap_or_default());
        people.head.post(&sign, &json!({ "digest": submitted["digest"] }), "").await?;
        let again = people.clerk.upload(&import, ends, "").await?;
        assert_eq!((&again["rowsFaulty"], &again["problems"][0]["code"]), (&json!(1), &json!("INVALID")), "{engine:?} {again}");

        // By a former number it is the same student, once in a file; and it is taken back like any other.
        let change = json!({ "kind": "LAWFUL_CHANGE", "effectiveDate": deployment.today().to_string(), "idNumber": number(30), "reason": "核对户口簿" });
        people.officer.post(&format!("{}/correctIdentity", people.path_of(3).await), &change, "").await?;
        deployment.drain().await.expect("drains");
        let both = [row((&three, &third), "困难", "900", "妹妹上学"), row((&three, &number(30)), "困难", "900", "妹妹上学")];
        let twice = people.clerk.upload(&import, file(&both), "").await?;
        assert_eq!((&twice["rowsNew"], &twice["problems"][0]["code"]), (&json!(1), &json!("DUPLICATE_IN_FILE")), "{engine:?} {twice}");
        assert_eq!(people.clerk.get(&school).await?["drafts"], 1, "{engine:?}");
        let back = people.clerk.post(&format!("{}/takeBack", at(&twice)), &json!({}), "").await?;
        assert_eq!((&back["kept"], people.clerk.get(&school).await?["drafts"].as_i64().unwrap_or(0)), (&json!([]), 0), "{engine:?} {back}");

        // Who may.
        for who in [&people.head, &people.officer, &people.other, &people.machine] {
            assert_eq!(reason(who.upload(&import, file(&rows), "").await).0, 403, "{engine:?}");
        }
        assert_eq!(reason(people.other.get(&at(&written)).await).0, 403, "{engine:?}");
        assert!(everything(&people.clerk.download("/v1/hardshipTemplate").await?).contains("已签承诺书"), "{engine:?}");
        if engine == Engine::Sqlite {
            let browser = Browser::open(1280, 900).await?;
            let base = format!("http://{}", deployment.http);
            browser.log_in(&base, "clerk").await?;
            browser.sees("待办").await?;
            browser.go(&format!("{base}/schools/{SCHOOL}/hardship#send")).await?;
            browser.sees("用文件录入").await?;
            browser.picture("hardship-file").await?;
            usable(&browser).await?;
            browser.go(&format!("{base}/schools/{SCHOOL}/hardshipImports")).await?;
            browser.sees("办理完毕").await?;
            usable(&browser).await?;
        }
        deployment.stop().await;
    }
    Ok(())
}

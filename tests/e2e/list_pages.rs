//! What a clerk does with a list on its pages: who is entitled is ticked, what came back is mended and submitted again; what is shown is printed.

use serde_json::json;
use xuezhu::client::Session;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, SCHOOL, number, student},
};

use crate::{browser::Browser, console::sent};

/// Ticks rows of a table by the names that stand in them.
async fn tick(page: &Browser, names: &[&str]) -> anyhow::Result<()> {
    for name in names {
        page.click(&format!("td.tick input[aria-label='勾选{name}']")).await?;
    }
    Ok(())
}

/// The clerk takes some of who is entitled by tick, then all the others of a class.
async fn walk_candidates(page: &Browser, base: &str, list: &str, names: &[String]) -> anyhow::Result<()> {
    page.log_in(base, "clerk").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}{list}/candidates")).await?;
    page.sees("建议列入（6）").await?;
    page.click("#propose button[value=ticked]").await?;
    page.sees("请先勾选要列入的学生").await?;
    tick(page, &[&names[1], &names[3]]).await?;
    page.picture("candidates-ticked").await?;
    page.click("#propose button[value=ticked]").await?;
    page.sees("2 名学生已列入名单").await?;
    page.sees("共 2 人").await?;
    page.go(&format!("{base}{list}/candidates")).await?;
    page.sees("已在名单上（2）").await?;
    page.click("#narrow-class option[value='2班']").await?;
    page.click("#narrow button").await?;
    page.sees("本班建议列入的全部列入（2 人）").await?;
    page.sure("all").await?;
    page.sees("2 名学生已列入名单").await?;
    page.sees("已在名单上（4）").await?;
    page.go(&format!("{base}{list}")).await?;
    page.sees("共 4 人").await
}

/// The principal sends all of them back; the clerk edits one, takes the others as they are, and submits again.
async fn walk_sent_back(page: &Browser, base: &str, list: &str, name: &str) -> anyhow::Result<()> {
    page.sure("submit").await?;
    page.sees("已提交，等校长签核").await?;
    page.log_in(base, "head").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}{list}")).await?;
    page.type_in("#back-reason", "月份有误").await?;
    page.sure("sendBackAll").await?;
    page.sees("已退回学校").await?;
    page.log_in(base, "clerk").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}{list}")).await?;
    page.sees("有 4 人被退回").await?;
    page.picture("list-sent-back").await?;
    page.click(&format!("tr:has(input[aria-label='勾选{name}']) td.act a")).await?;
    page.sees("被退回：月份有误").await?;
    page.sees("这一条由学籍列入").await?;
    page.picture("entry-edit").await?;
    page.click("#edit-months input[value='202701']").await?;
    page.type_in("#edit-card", "62").await?;
    page.click("#edit button.btn").await?;
    page.find(".wrong #edit-card").await?;
    page.picture("entry-refused").await?;
    let kept = page.script("return document.querySelector(\"#edit-months input[value='202701']\").checked").await?;
    anyhow::ensure!(kept == false, "what was unticked stays so: {kept}");
    page.set("#edit-card", "6222600260001072444").await?;
    page.click("#edit button.btn").await?;
    page.sees(&format!("{name}：已保存")).await?;
    page.sees("被退回的全部转为草稿（3 人）").await?;
    page.sure("redraftAll").await?;
    page.sees("已转为草稿，可以再提交").await?;
    page.sure("submit").await?;
    page.sees("已提交，等校长签核").await
}

/// What is shown is printed whole, without what is done on a screen.
async fn walk_prints(page: &Browser, base: &str, list: &str) -> anyhow::Result<()> {
    page.go(&format!("{base}{list}")).await?;
    page.click("nav.place a[href*='print=true']").await?;
    page.sees("4 行").await?;
    page.find("table.printed th.digest-line").await?;
    page.lacks("td.tick").await?;
    page.lacks("table .btn").await?;
    page.picture("list-printed").await?;
    for (path, says) in [
        ("/students?class=1%E7%8F%AD&print=true", "学生名册"),
        ("/students?class=1%E7%8F%AD&print=true", "4 行 · 1班"),
        ("/lists?print=true", "1 行"),
        ("/flags?print=true", "没有符合条件的疑点"),
        ("/dossiers?keeper=aid&print=true", "2 行 · 资助"),
        ("/cases?print=true", "问题台账"),
    ] {
        page.go(&format!("{base}{path}")).await?;
        page.sees(says).await?;
    }
    page.go(&format!("{base}{list}/candidates?part=listed&print=true")).await?;
    page.sees("已在名单上").await
}

/// The principal reads the sheet by class on a phone, and signs.
async fn walk_sheet(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.phone().await?;
    page.log_in(base, "head").await?;
    page.click("#mine td.act a").await?;
    page.sees("与上学期同班相比").await?;
    page.fits().await?;
    page.picture("sheet-phone").await?;
    page.click("#class-class option[value='2班']").await?;
    page.click("#class button").await?;
    page.sees("共 2 人").await?;
    page.fits().await?;
    let sheet = page.address().await?;
    page.click("nav.place a[href*='/print']").await?;
    page.find("table.printed").await?;
    let lines = page.script("return document.querySelectorAll('table.printed tbody tr').length").await?;
    anyhow::ensure!(lines == 2, "the class alone is printed: {lines}");
    page.sees("仅2班，2 人（全单 4 人）").await?;
    page.lacks(".signs").await?;
    page.go(&sheet).await?;
    page.sure("sign").await?;
    page.sees("已审签").await
}

/// Whom to call is registered by the administrator, and told to whoever waits.
async fn walk_telephone(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.log_in(base, "admin").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}/schools")).await?;
    page.type_in("#office-region", "长沙市").await?;
    page.type_in("#office-telephone", "0731-88880000").await?;
    page.click("#office button").await?;
    page.sees("电话已登记").await?;
    page.log_in(base, "clerk").await?;
    page.sees("电话：0731-88880000").await?;
    page.picture("today-telephone").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_ticked_mended_printed_and_signed_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let rows: Vec<_> = (1..=6)
        .map(|serial| {
            let mut row = student(serial);
            row.insert("班级名称".into(), if serial > 4 { "2班" } else { "1班" }.into());
            row
        })
        .collect();
    people.import(&rows).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let path = format!("/v1/schools/{SCHOOL}/awardLists");
    let made = people.clerk.post(&path, &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let list = format!("/schools/{SCHOOL}/lists/{}", made["list"].as_str().expect("an id"));
    let base = format!("http://{}", deployment.http);
    let names: Vec<String> = rows.iter().map(|row| row["姓名"].clone()).collect();
    let walked: anyhow::Result<()> = async {
        let page = Browser::open(1280, 900).await?;
        page.go(&format!("{base}/login")).await?;
        walk_candidates(&page, &base, &list, &names).await?;
        walk_sent_back(&page, &base, &list, &names[3]).await?;
        walk_prints(&page, &base, &list).await?;
        walk_sheet(&page, &base).await?;
        walk_telephone(&page, &base).await?;
        page.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// All that match over several pages are those that whoever asks may decide; a department prints none of it, its school does.
#[tokio::test(flavor = "multi_thread")]
async fn all_flags_that_match_are_those_of_ones_own_schools() {
    const COUNTY_SCHOOL: &str = "3643000003";
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let majors = json!([{ "catalogue": "2010", "code": "010200" }]);
    let school = json!({ "code": COUNTY_SCHOOL, "name": "县校", "region": "430102", "kind": "PUBLIC", "authority": "430102", "majors": majors });
    people.admin.post("/v1/schools", &school, "").await.expect("a school is entered");
    let county = people.open_account("county-clerk", "SCHOOL_CLERK", COUNTY_SCHOOL, PASSWORD).await;
    deployment.drain().await.expect("drains");
    let strangers: Vec<String> = (501..=560).map(number).collect();
    people.list(&strangers.iter().map(|number| ("李鬼", number.as_str(), "9")).collect::<Vec<_>>()).await;
    let path = format!("/v1/schools/{COUNTY_SCHOOL}/awardLists");
    let made = county.post(&path, &json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "").await.expect("a list");
    let theirs = schools::awards(&[("王鬼", &number(601), "9"), ("王魅", &number(602), "9")]);
    county.upload(&format!("{path}/{}/import", made["list"].as_str().expect("an id")), theirs, "").await.expect("is answered");
    deployment.drain().await.expect("drains");
    let all = people.officer.get("/v1/flags?pageNumber=1").await.expect("flags");
    assert_eq!(all["totalSize"], 62, "the city reads the county's too");
    let fields = [("request_id", "all"), ("act", "confirm"), ("reason", "查无此人"), ("whole", "true"), ("of", "/flags?rule=NO_ENROLLMENT")];
    for (name, value, status) in [("of", "/cases?rule=NO_ENROLLMENT", 400), ("of", "/flags?at=x&cause=%", 400), ("sure", "true", 400)] {
        let mut wrong = fields.to_vec();
        wrong.retain(|(known, _)| *known != name);
        wrong.push((name, value));
        assert_eq!(sent(&base, people.officer.token(), "/flags/decide", &wrong).await.0, status, "{name}={value}");
    }
    let (status, page) = sent(&base, people.officer.token(), "/flags/decide", &fields).await;
    assert!(status == 200 && page.contains("将对下列 60 条疑点") && !page.contains("王鬼"), "{status} {page}");
    assert!(page.len() < 200_000, "{} bytes", page.len());
    // What is confirmed then is decided, and nothing of the county's.
    let values = page.split("name=\"flag\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).map(|value| value.replace("&#124;", "|"));
    let mut confirm: Vec<(String, String)> = values.map(|value| ("flag".to_owned(), value)).collect();
    assert_eq!(confirm.len(), 60);
    confirm.extend(
        [("request_id", "sure"), ("act", "confirm"), ("reason", "查无此人"), ("sure", "true")].map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let confirm: Vec<(&str, &str)> = confirm.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(sent(&base, people.officer.token(), "/flags/decide", &confirm).await.0, 303);
    let state = async |state: &str| people.officer.get(&format!("/v1/flags?state={state}&pageNumber=1")).await.expect("flags")["totalSize"].clone();
    assert_eq!((state("CONFIRMED").await, state("OPEN").await), (json!(60), json!(2)));
    // Who prints what.
    let http = reqwest::Client::new();
    let get = async |who: &Session, path: &str| {
        let answer = http.get(format!("{base}{path}")).header("cookie", format!("xuezhu_session={}", who.token())).send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("a page"))
    };
    for path in ["/flags?print=true", "/cases?print=true", &format!("/students?school={SCHOOL}&print=true")] {
        assert_eq!(get(&people.officer, path).await.0, 403, "{path}");
    }
    assert_eq!(get(&people.officer, "/dossiers?keeper=aid&print=true").await.0, 403, "some are called by a student");
    for path in ["/lists?print=true", "/flags?print=maybe&newest=1", "/lists?print="] {
        assert_eq!(get(&people.officer, path).await.0, 200, "{path}");
    }
    let (_, flags) = get(&people.officer, "/flags?state=CONFIRMED").await;
    assert!(flags.contains("共 60 条，第 1/2 页") && !flags.contains("print=true"), "{flags}");
    let (_, flags) = get(&people.clerk, "/flags?state=CONFIRMED").await;
    let whole = flags
        .split("href=\"")
        .filter_map(|rest| rest.split('"').next())
        .find(|href| href.contains("print=true"))
        .expect("a way")
        .replace("&amp;", "&")
        .replace("&#38;", "&");
    let (status, printed) = get(&people.clerk, &whole).await;
    assert!(status == 200 && printed.matches("<tr>").count() >= 60 && printed.contains("clerk"), "{status} {printed}");
    deployment.stop().await;
}

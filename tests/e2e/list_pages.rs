//! What a clerk does with a list on its pages: who is entitled is ticked, what came back is mended and submitted again; what is shown is printed.

use serde_json::json;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, student},
};

use crate::browser::Browser;

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

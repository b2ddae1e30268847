//! Every page, as each role meets it, wide and on a telephone: nothing on it keeps anybody from using it (axe), nothing is wider than the
//! screen, nothing internal is told, and it is small.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};
use xuezhu::deployment::Deployment;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, People, SCHOOL, number, student},
};

use crate::{browser::Browser, policies};

/// Bytes of a page that somebody works with.
const PAGE_BYTES: i64 = 200_000;

/// The script that looks for what keeps people from using a page.
fn axe() -> anyhow::Result<String> {
    let python = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/python/lib");
    let found = std::fs::read_dir(&python)?.filter_map(Result::ok).map(|entry| entry.path().join("site-packages/axe_playwright_python/axe.min.js"));
    let script = found.into_iter().find(|path| path.exists()).context("axe is needed: run tests/run")?;
    Ok(std::fs::read_to_string(script)?)
}

/// What is serious or critical on the page that is shown.
async fn barriers(page: &Browser, axe: &str) -> anyhow::Result<Vec<String>> {
    let run = "const done = arguments[arguments.length - 1];
        axe.run(document, { resultTypes: ['violations'] }).then(
            found => done(found.violations.filter(one => ['serious', 'critical'].includes(one.impact))
                .map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.target.join(' ') + ' ' + (node.any[0] || {}).message).join('; '))),
            error => done(['axe: ' + error]));";
    page.script(axe).await?;
    let found = page.call("execute/async", json!({ "script": run, "args": [] })).await?;
    Ok(found.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// What no reader should meet: ids, names of fields, positions of the feed.
async fn internals(page: &Browser) -> anyhow::Result<Vec<String>> {
    let text = page.script("return document.querySelector('main').innerText").await?;
    let text = text.as_str().unwrap_or_default();
    let is_uuid = |word: &&str| {
        word.len() == 36 && word.bytes().enumerate().all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { byte.is_ascii_hexdigit() })
    };
    let is_field = |word: &&str| word.contains('_') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'));
    let mut found: Vec<String> = words.filter(|word| is_uuid(word) || is_field(word)).map(str::to_owned).collect();
    found.extend(["同步位置", "undefined", "None"].into_iter().filter(|word| text.contains(word)).map(str::to_owned));
    Ok(found)
}

/// Everything that is wrong with the page that is shown.
/// Fails where the page that is open can't be used by everybody.
pub async fn usable(page: &Browser) -> anyhow::Result<()> {
    let found = faults(page, &axe()?).await?;
    anyhow::ensure!(found.is_empty(), "{}: {found:#?}", page.address().await?);
    Ok(())
}

async fn faults(page: &Browser, axe: &str) -> anyhow::Result<Vec<String>> {
    let mut faults = barriers(page, axe).await?;
    faults.extend(internals(page).await?.into_iter().map(|word| format!("internal: {word}")));
    if page.fits().await.is_err() {
        let wide = page.script("return [...document.querySelectorAll('body *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1).slice(0, 3).map(one => one.tagName + '.' + one.className).join(' ')").await?;
        faults.push(format!("wider than the screen: {wide}"));
    }
    let bytes = page.script("return performance.getEntriesByType('navigation')[0].decodedBodySize").await?.as_i64().unwrap_or(i64::MAX);
    if bytes > PAGE_BYTES {
        faults.push(format!("{bytes} bytes"));
    }
    Ok(faults)
}

/// Opens those who see only a part of it.
async fn open_others(people: &People) {
    let teacher = people.open_account("teacher", "CLASS_TEACHER", SCHOOL, PASSWORD).await;
    drop(teacher);
    let set = json!({ "className": "1班", "account": "teacher", "fromDate": "2026-10-01" });
    people.clerk.post(&format!("/v1/schools/{SCHOOL}/classTeachers"), &set, "").await.expect("is set");
    people.open_account("finance", "SCHOOL_FINANCE", SCHOOL, PASSWORD).await;
    people.open_account("overseer", "SUPERVISOR", "430000", PASSWORD).await;
}

/// A school that has lived a little, and the pages that each role meets there.
async fn pages_of(deployment: &Deployment, people: &People) -> Vec<(&'static str, Vec<String>)> {
    people.import(&(0..40).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    people.import(&(40..44).map(student).collect::<Vec<_>>()).await;
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    people.import(&(44..46).map(student).collect::<Vec<_>>()).await;
    deployment.drain().await.expect("drains");
    let lines: Vec<(String, String)> =
        (0..30).map(|serial| (student(serial)["姓名"].clone(), number(serial))).chain([("李鬼".into(), number(500)), ("王错".into(), number(31))]).collect();
    let list = people.list(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "9-12")).collect::<Vec<_>>()).await;
    people.attested(&list).await;
    let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
    let entry = format!("{list}/entries/{}", entries["entries"][0]["entry"].as_str().expect("an id"));
    deployment.drain().await.expect("drains");
    let flags = people.officer.get("/v1/flags").await.expect("flags");
    let flag = flags["flags"][0]["flag"].as_str().expect("a flag").to_owned();
    people.officer.post(&format!("/v1/flags/{flag}/confirm"), &json!({ "reason": "查无此人" }), "").await.expect("is confirmed");
    let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(3))).await.expect("is found");
    let (enrollment, person) = (found["enrollments"][0]["enrollment"].as_str().expect("an id"), found["enrollments"][0]["person"].as_str().expect("an id"));
    let draft = people.path_of(45).await.replace("/v1", "");
    open_others(people).await;
    let list = list.replace("/v1", "").replace("awardLists", "lists");
    let policy = policies::tried(people, "2026-11-10").await;
    let dossier = format!("/dossiers/enrollment/{}", made["submission"].as_str().expect("an id"));
    let of_work = [
        "/".to_owned(),
        "/students".into(),
        format!("/students?school={SCHOOL}"),
        format!("/students/{person}"),
        format!("/schools/{SCHOOL}/enrollments/{enrollment}"),
        format!("/schools/{SCHOOL}/enrollments/{enrollment}/record"),
        "/search".into(),
        "/lists".into(),
        list.clone(),
        format!("{list}?held=true"),
        "/dossiers".into(),
        "/dossiers?keeper=aid".into(),
        dossier.clone(),
        format!("{dossier}/print"),
        "/flags".into(),
        format!("/flags/{flag}"),
        "/cases".into(),
        format!("/cases/{flag}"),
        "/forgotten".into(),
        "/double".into(),
        "/policies".into(),
        format!("/policies/{}", policy["policy"].as_str().expect("an id")),
        "/takeOuts".into(),
        "/about/parts".into(),
        "/password".into(),
    ];
    let of_school = ["/imports".to_owned(), "/classes".into(), "/classes/one?class=1%E7%8F%AD".into(), "/deputies".into(), format!("/schools/{SCHOOL}")];
    let of_clerk = [
        "/import".to_owned(),
        "/students/new".into(),
        "/students?order=NAME&down=true&year=2026".into(),
        format!("{draft}/record"),
        format!("{list}/candidates"),
        format!("{list}/candidates?part=others"),
        format!("{list}?print=true"),
        "/students?print=true".into(),
        entry.replace("/v1", "").replace("awardLists", "lists"),
        format!("{list}/imports"),
    ];
    let of_officer = [
        "/overview".to_owned(),
        "/overview?term=2026-SPRING".into(),
        format!("/flags/{flag}?beside=true"),
        format!("/policies/{}?school={SCHOOL}", policy["policy"].as_str().expect("an id")),
        format!("/dossiers/aid/{}", policy["dossier"].as_str().expect("an id")),
    ];
    let of_admin = [
        "/schools".to_owned(),
        format!("/schools/{SCHOOL}"),
        "/accounts".into(),
        "/schoolImports".into(),
        "/accountImports".into(),
        "/chains".into(),
        "/password".into(),
    ];
    let of_teacher = ["/".to_owned(), "/classes".into(), "/classes/one?class=1%E7%8F%AD".into(), "/password".into()];
    let of_finance = ["/".to_owned(), "/lists".into(), list.clone()];
    let own = |pages: [&str; 6]| pages.map(str::to_owned).into_iter().chain([list.clone(), dossier.clone()]).collect::<Vec<_>>();
    let of_overseer = own(["/", "/overview", "/overview?region=430100", "/lists", "/flags", "/cases"]);
    let all = |parts: &[&[String]]| parts.concat();
    vec![
        ("clerk", all(&[&of_work, &of_school, &of_clerk])),
        ("head", all(&[&of_work, &of_school])),
        ("officer", all(&[&of_work, &of_officer])),
        ("admin", of_admin.to_vec()),
        ("teacher", of_teacher.to_vec()),
        ("finance", of_finance.to_vec()),
        ("overseer", of_overseer),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_used_by_everybody_on_any_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let pages = pages_of(&deployment, &people).await;
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<Vec<String>> = async {
        let (axe, mut all) = (axe()?, Vec::new());
        for (width, height) in [(1280, 900), (500, 900)] {
            let page = Browser::open(width, height).await?;
            page.go(&format!("{base}/login")).await?;
            all.extend(faults(&page, &axe).await?.into_iter().map(|fault| format!("{width} /login: {fault}")));
            for (account, pages) in &pages {
                page.log_in(&base, account).await?;
                page.find("header .who").await?;
                for path in pages {
                    page.go(&format!("{base}{path}")).await?;
                    page.picture(&format!("console-{width}-{account}{}", path.replace(['/', '?', '='], "_"))).await?;
                    all.extend(faults(&page, &axe).await?.into_iter().map(|fault| format!("{width} {account} {path}: {fault}")));
                }
            }
            page.close().await?;
        }
        Ok(all)
    }
    .await;
    let faults = walked.expect("the pages open");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    deployment.stop().await;
}

impl Browser {
    /// Presses a key, as the one at the keyboard does.
    async fn press(&self, key: &str) -> anyhow::Result<()> {
        let keys = json!([{ "type": "key", "id": "keyboard", "actions": [{ "type": "keyDown", "value": key }, { "type": "keyUp", "value": key }] }]);
        self.call("actions", json!({ "actions": keys })).await.map(drop)
    }

    /// Goes on with the tabulator until it stands on something.
    async fn tab_to(&self, selector: &str) -> anyhow::Result<()> {
        const TAB: &str = "\u{e004}";
        for _ in 0..150 {
            self.press(TAB).await?;
            let is_there = self.call("execute/sync", json!({ "script": "return document.activeElement.matches(arguments[0])", "args": [selector] })).await?;
            if is_there == true {
                return Ok(());
            }
        }
        anyhow::bail!("the keyboard does not reach {selector}")
    }

    async fn write(&self, text: &str) -> anyhow::Result<()> {
        for c in text.chars() {
            self.press(&c.to_string()).await?;
        }
        Ok(())
    }
}

/// The main jobs, by keyboard alone: the clerk submits, the principal reads and signs.
async fn walk_by_keyboard(page: &Browser, base: &str) -> anyhow::Result<()> {
    const ENTER: &str = "\u{e007}";
    let log_in = async |account: &str| -> anyhow::Result<()> {
        page.http.delete(format!("{}/cookie", page.session)).send().await?;
        page.go(&format!("{base}/login")).await?;
        page.find("#account").await?;
        page.write(account).await?;
        page.tab_to("#password").await?;
        page.write(PASSWORD).await?;
        page.press(ENTER).await?;
        page.find("header .who").await.map(drop)
    };
    log_in("clerk").await?;
    page.tab_to("a.skip").await?;
    page.tab_to("header nav a[href='/students']").await?;
    page.press(ENTER).await?;
    page.find("#submit").await?;
    page.tab_to("#submit summary").await?;
    page.press(ENTER).await?;
    page.tab_to("#submit details[open] button").await?;
    page.press(ENTER).await?;
    page.sees("已提交，等校长签核").await?;
    log_in("head").await?;
    page.tab_to("#mine td.act a").await?;
    page.press(ENTER).await?;
    page.sees("与上学期同班相比").await?;
    page.tab_to("#sign summary").await?;
    page.press(ENTER).await?;
    page.tab_to("#sign details[open] button[value=sign]").await?;
    page.press(ENTER).await?;
    page.sees("已审签").await
}

/// The clerk types a student, is told what is wrong at its field, mends it, changes the draft, and finds the list in another order.
async fn walk_record(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.log_in(base, "clerk").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}/students/new")).await?;
    let by_hand = student(60);
    let id = |header: &str| format!("[id='enter-{header}']");
    for (header, value) in &by_hand {
        page.call(
            "execute/sync",
            json!({ "script": "const one = document.querySelector(arguments[0]); if (one) one.value = arguments[1]", "args": [id(header), value] }),
        )
        .await?;
    }
    page.set(&id("身份证件号"), "430102201001010000").await?;
    page.click("#enter button.btn").await?;
    page.find(".wrong [id='enter-身份证件号']").await?;
    let kept = page.call("execute/sync", json!({ "script": "return document.querySelector(arguments[0]).value", "args": [id("姓名")] })).await?;
    anyhow::ensure!(kept == by_hand["姓名"].as_str(), "{kept}");
    page.picture("record-refused").await?;
    page.set(&id("身份证件号"), &by_hand["身份证件号"]).await?;
    page.click("#enter button.btn").await?;
    page.sees("已保存为草稿").await?;
    page.click("p.sub a[href$='/record']").await?;
    page.sees("修改草稿").await?;
    page.set("[id='edit-班级名称']", "9班").await?;
    page.click("#edit button[value=edit]").await?;
    page.sees("已保存").await?;
    page.sees("9班").await?;
    page.picture("record-draft").await?;
    page.go(&format!("{base}/students?class=9%E7%8F%AD")).await?;
    page.sees("共 1 人").await?;
    page.sees("筛选出的学生中，有 1 名学生的草稿尚未提交").await?;
    page.go(&format!("{base}/students")).await?;
    // By the forms themselves, blanks and all.
    page.click("#narrow-class option[value='9班']").await?;
    page.click("#narrow button").await?;
    page.sees("共 1 人").await?;
    page.go(&format!("{base}/students")).await?;
    page.type_in("#search-q", &by_hand["姓名"]).await?;
    page.click("#search button").await?;
    page.sees("共 1 人").await?;
    page.go(&format!("{base}/students")).await?;
    page.click("th a.order[href*='order=NAME']").await?;
    page.find("th[aria-sort=ascending] a[href*='order=NAME']").await?;
    page.picture("students-by-name").await
}

/// The clerk keeps up what the school keeps itself, and asks for what carries money; the principal finds it.
async fn walk_kept(page: &Browser, base: &str, record: &str) -> anyhow::Result<()> {
    page.go(&format!("{base}{record}")).await?;
    page.set("[id='contacts-联系电话']", "13912345678").await?;
    page.click("#contacts button[value=contacts]").await?;
    page.sees("联系信息已保存").await?;
    page.set("[id='facts-户口性质']", "非农业户口").await?;
    page.set("#facts-reason", "户口簿换发").await?;
    page.picture("record-kept").await?;
    page.click("#facts button[value=facts]").await?;
    page.sees("已申请变更").await?;
    page.sees("涉助信息变更").await?;
    page.picture("record-asked").await
}

/// A teacher says who is wrong in her class; the clerk reads it.
async fn walk_classes(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.log_in(base, "clerk").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}/classes")).await?;
    page.set("#teacher-class_name", "1班").await?;
    page.set("#teacher-account", "teacher").await?;
    page.set("#teacher-from_date", "2026.10.1").await?;
    page.click("#teacher button").await?;
    page.sees("已指定1班的班主任").await?;
    page.picture("classes").await?;
    page.log_in(base, "teacher").await?;
    page.click("td.act a").await?;
    page.sees("核对名单").await?;
    page.lacks("header nav a[href='/lists']").await?;
    page.sees("本班资助").await?;
    page.sees("未列入").await?;
    page.picture("class").await?;
    page.click("#right summary").await?;
    page.click("#right details[open] button").await?;
    page.sees("已确认").await?;
    page.type_in("#amiss-wrong", "王企没有来").await?;
    page.click("#amiss button").await?;
    page.sees("已告知学校经办人").await?;
    page.log_in(base, "clerk").await?;
    page.find("header .who").await?;
    page.go(&format!("{base}/classes")).await?;
    page.sees("王企没有来").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_at_a_school_goes_by_keyboard_by_hand_and_by_its_teachers() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    people.open_account("teacher", "CLASS_TEACHER", SCHOOL, PASSWORD).await;
    people.import(&(0..4).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    people.import(&(4..6).map(student).collect::<Vec<_>>()).await;
    deployment.drain().await.expect("drains");
    let record = format!("{}/record", people.path_of(1).await.replace("/v1", ""));
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<()> = async {
        let page = Browser::open(1280, 900).await?;
        page.go(&format!("{base}/login")).await?;
        walk_by_keyboard(&page, &base).await?;
        walk_record(&page, &base).await?;
        walk_kept(&page, &base, &record).await?;
        walk_classes(&page, &base).await?;
        page.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// What a page answers to a form.
pub async fn sent(base: &str, token: &str, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    let body = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect::<Vec<_>>().join("&");
    let post = http.post(format!("{base}{path}")).header("cookie", format!("xuezhu_session={token}"));
    let answer = post.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.expect("answers");
    (answer.status().as_u16(), answer.text().await.expect("a page"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_whose_it_is_and_what_was_seen_stays_what_was_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    people.import(&[student(1)]).await;
    let draft = people.path_of(1).await;
    let record = format!("{}/record", draft.replace("/v1", ""));

    // Another account is logged in now: nothing is done in its name.
    let naming = |who: &'static str| {
        [
            ("form", "name"),
            ("page_of_form", "/deputies"),
            ("account_of_form", who),
            ("request_id", "once"),
            ("account", "clerk"),
            ("from_date", "2026-10-26"),
            ("to_date", "2026-10-30"),
            ("reason", "外出"),
        ]
    };
    let (status, page) = sent(&base, people.head.token(), "/deputies", &naming("clerk")).await;
    assert_eq!(status, 409, "{page}");
    assert!(page.contains("没有提交") && !page.contains("value=\"外出\""), "{page}");
    let deputies = format!("/v1/schools/{SCHOOL}/deputies");
    assert!(people.head.get(&deputies).await.expect("is told")["deputies"].as_array().is_none_or(Vec::is_empty));
    assert_eq!(sent(&base, people.head.token(), "/deputies", &naming("head")).await.0, 303);

    // Who only says who they are is told nothing of it, and takes nothing away.
    let claims = base64_url(&json!({ "sub": "head", "name": "x", "role": "PRINCIPAL", "org": SCHOOL }).to_string());
    let http = reqwest::Client::new();
    let forged = http.get(format!("{base}/about/parts")).header("cookie", format!("xuezhu_session=x.{claims}.x")).send().await.expect("answers");
    let forged = forged.text().await.expect("a page");
    assert!(!forged.contains("已委托") && !forged.contains(&format!("学校{SCHOOL}")), "{forged}");
    let own = http.get(format!("{base}/deputies")).header("cookie", format!("xuezhu_session={}", people.head.token())).send().await.expect("answers");
    assert!(own.text().await.expect("a page").contains("已委托clerk"));

    // What somebody else changed meanwhile is not written over by saving again what comes back.
    let seen = people.clerk.get(&draft).await.expect("is there")["etag"].as_str().expect("a version").to_owned();
    let edit = json!({ "columns": [{ "header": "联系电话", "value": "13911112222" }] });
    people.clerk.post(&format!("{draft}/edit"), &edit, "").await.expect("is changed by a colleague");
    let mine = [
        ("form", "edit"),
        ("page_of_form", record.as_str()),
        ("account_of_form", "clerk"),
        ("request_id", "mine"),
        ("etag", seen.as_str()),
        ("act", "edit"),
        ("联系电话", "13933334444"),
    ];
    for attempt in 0..2 {
        let (status, page) = sent(&base, people.clerk.token(), &record, &mine).await;
        assert_eq!(status, 409, "{attempt}: {page}");
        assert!(page.contains("内容已有变化") && page.contains("13933334444") && page.contains(&format!("value=\"{seen}\"")), "{attempt}: {page}");
    }
    let (_, page) = sent(&base, people.clerk.token(), &record, &mine).await;
    assert!(page.contains("name=\"request_id\" value=\"mine\""), "sent again, it counts once: {page}");
    deployment.stop().await;
}

fn base64_url(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        out.extend((0..=chunk.len()).map(|at| char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize])));
    }
    out
}

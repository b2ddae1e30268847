//! Every page, as each role meets it, wide and on a telephone: nothing on it keeps anybody from using it (axe), nothing is wider than the
//! screen, nothing internal is told, and it is small.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::{Value, json};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, SCHOOL, number, student},
};

use crate::browser::Browser;

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

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_used_by_everybody_on_any_screen() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
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
    deployment.drain().await.expect("drains");
    let flags = people.officer.get("/v1/flags").await.expect("flags");
    let flag = flags["flags"][0]["flag"].as_str().expect("a flag").to_owned();
    people.officer.post(&format!("/v1/flags/{flag}/confirm"), &json!({ "reason": "查无此人" }), "").await.expect("is confirmed");
    let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(3))).await.expect("is found");
    let (enrollment, person) = (found["enrollments"][0]["enrollment"].as_str().expect("an id"), found["enrollments"][0]["person"].as_str().expect("an id"));
    let list = list.replace("/v1", "").replace("awardLists", "lists");
    let dossier = format!("/dossiers/enrollment/{}", made["submission"].as_str().expect("an id"));
    let of_work = [
        "/".to_owned(),
        "/students".into(),
        format!("/students?school={SCHOOL}"),
        format!("/students/{person}"),
        format!("/schools/{SCHOOL}/enrollments/{enrollment}"),
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
        "/takeOuts".into(),
        "/about/parts".into(),
        "/password".into(),
    ];
    let of_school = ["/imports".to_owned(), "/deputies".into(), format!("/schools/{SCHOOL}")];
    let of_clerk = ["/import".to_owned(), format!("{list}/candidates"), format!("{list}/imports")];
    let of_officer = ["/overview".to_owned(), "/overview?term=2026-SPRING".into()];
    let of_admin = [
        "/schools".to_owned(),
        format!("/schools/{SCHOOL}"),
        "/accounts".into(),
        "/schoolImports".into(),
        "/accountImports".into(),
        "/chains".into(),
        "/password".into(),
    ];
    let roles: [(&str, Vec<&String>); 4] = [
        ("clerk", of_work.iter().chain(&of_school).chain(&of_clerk).collect()),
        ("head", of_work.iter().chain(&of_school).collect()),
        ("officer", of_work.iter().chain(&of_officer).collect()),
        ("admin", of_admin.iter().collect()),
    ];
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<Vec<String>> = async {
        let (axe, mut all) = (axe()?, Vec::new());
        for (width, height) in [(1280, 900), (500, 900)] {
            let page = Browser::open(width, height).await?;
            page.go(&format!("{base}/login")).await?;
            all.extend(faults(&page, &axe).await?.into_iter().map(|fault| format!("{width} /login: {fault}")));
            for (account, pages) in &roles {
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

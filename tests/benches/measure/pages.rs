//! What the main pages cost at the server, over a province that lived two school years: each is asked for by those who work with it, one
//! after the other, beside a page that asks no service for anything.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Context;
use reqwest::{StatusCode, header};
use serde_json::json;
use xuezhu::{
    client::Session,
    demo::{accounts::Accounts, play, world::World},
    deployment::Deployment,
    output,
};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    Engine, deployment_on, postgres,
    schools::{awards, number, student, workbook},
};

use crate::seconds;

/// Schools that have sent a list each when the pages are asked for; half of their principals have signed.
const WAITING: usize = 40;
/// Password of who is opened here.
const PASSWORD: &str = "Pass-2026x";
/// Students of a large school, and its code.
const LARGE: u32 = 6_000;
const CODE: &str = "3643009999";
/// Lines of each of these lists.
const LINES: u32 = 10;

/// Measures on both engines; so many students, each page so many times.
pub async fn measure(students: i64, asked: i64) {
    for engine in Engine::ALL {
        let world = World::make(usize::try_from(students).unwrap_or(20_000), 7, 0.01);
        let folder = tempfile::tempdir().expect("a folder");
        let registry = folder.path().join("registry.csv");
        let large = (0..LARGE).map(|serial| format!("{},{}\n", number(serial), student(serial)["姓名"]));
        let rows: Vec<String> = world.registry.iter().map(|(number, name)| format!("{number},{name}\n")).chain(large).collect();
        std::fs::write(&registry, format!("number,name\n{}", rows.concat())).expect("is written");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let deployment = deployment_on(databases, folder.path(), &registry.display().to_string(), Settings::default()).await;
        let one_time = deployment.admin_password().map(str::to_owned).expect("a new deployment has a first administrator");
        play::play(&deployment, &world, &one_time, output::bar(true, play::steps(), "playing")).await.expect("is played");
        let waiting = send_lists(&deployment, &world).await.expect("lists are sent");
        deployment.drain().await.expect("drains");
        for db in deployment.databases() {
            db.analyze().await.expect("is analysed");
        }
        println!("== {engine:?}, {students} students of {} schools, {waiting} lists under way", world.schools.len());
        all(&deployment, &world, asked).await.expect("pages are shown");
        deployment.stop().await;
    }
}

/// Somebody of the demo.
async fn log_in(base: &str, passwords: &BTreeMap<String, String>, account: &str) -> anyhow::Result<Session> {
    Session::log_in(base, account, passwords.get(account).context("an account of the demo")?).await
}

async fn send_lists(deployment: &Deployment, world: &World) -> anyhow::Result<usize> {
    let base = format!("http://{}", deployment.http);
    let passwords = Accounts::read(deployment.data())?;
    let lines: Vec<(String, String)> = (0..LINES).map(|serial| (student(serial)["姓名"].clone(), number(serial))).collect();
    let file = awards(&lines.iter().map(|(name, number)| (name.as_str(), number.as_str(), "")).collect::<Vec<_>>());
    let schools = world.schools.len().min(WAITING);
    for (index, school) in world.schools.iter().enumerate().take(schools) {
        let clerk = log_in(&base, &passwords, &format!("clerk{}", index + 1)).await?;
        let at = format!("/v1/schools/{}/awardLists", school.code);
        let term = xuezhu_domain::calendar::Term::of(deployment.today()).to_string();
        let made = clerk.post(&at, &json!({ "scheme": "GRANT", "term": term }), "").await?;
        let path = format!("{at}/{}", made["list"].as_str().context("an id")?);
        let report = clerk.upload(&format!("{path}/import"), file.clone(), "").await?;
        anyhow::ensure!(report["rowsNew"] == LINES, "{report}");
        let submitted = clerk.post(&format!("{path}/submit"), &json!({}), "").await?;
        if index % 2 == 0 {
            let principal = log_in(&base, &passwords, &format!("head{}", index + 1)).await?;
            principal.post(&format!("{path}/attest"), &json!({ "digest": submitted["digest"] }), "").await?;
        }
    }
    Ok(schools)
}

async fn all(deployment: &Deployment, world: &World, asked: i64) -> anyhow::Result<()> {
    let base = format!("http://{}", deployment.http);
    let school = &world.schools[0];
    let passwords = Accounts::read(deployment.data())?;
    let admin = log_in(&base, &passwords, "admin").await?;
    let clerk = log_in(&base, &passwords, "clerk1").await?;
    let principal = log_in(&base, &passwords, "head1").await?;
    let officer = log_in(&base, &passwords, &format!("officer{}", school.authority)).await?;
    let lists = clerk.get(&format!("/v1/schools/{}/awardLists", school.code)).await?;
    let list = lists["lists"][0]["list"].as_str().context("a list")?;
    page(&base, "log-in page, asks nobody", "/login", &admin, asked).await?;
    for (who, session) in [("officer", &officer), ("principal", &principal), ("clerk", &clerk)] {
        page(&base, &format!("first page, {who}"), "/", session, asked).await?;
    }
    page(&base, "schools and accounts", "/accounts", &admin, asked).await?;
    page(&base, "students, clerk", "/students", &clerk, asked).await?;
    page(&base, "flags, officer", "/flags", &officer, asked).await?;
    page(&base, "lists, officer", "/lists", &officer, asked).await?;
    page(&base, "one list, clerk", &format!("/schools/{}/lists/{list}", school.code), &clerk, asked).await?;
    page(&base, "dossiers, officer", "/dossiers", &officer, asked).await?;
    page(&base, "how the region stands", "/overview", &officer, asked).await?;
    let (clerk, dossier) = large_school(&base, &admin, &school.authority).await?;
    let of = |what: &str| format!("{LARGE} students: {what}");
    page(&base, &of("the first page"), "/students", &clerk, asked).await?;
    page(&base, &of("the last one, by name"), "/students?order=NAME&down=true&at=60", &clerk, asked).await?;
    page(&base, &of("one class"), "/students?class=1%E7%8F%AD", &clerk, asked).await?;
    page(&base, &of("the sheet to sign"), &format!("/dossiers/enrollment/{dossier}"), &clerk, asked).await?;
    page(&base, &of("the first page of the day"), "/", &clerk, asked).await?;
    let list = large_list(&base, &admin, deployment, &school.authority, &dossier).await?;
    let class = "/candidates?class=1%E7%8F%AD&part=listed";
    for (what, rest) in [
        ("who is entitled, by class", "/candidates"),
        ("one class of them", class),
        ("all of them", "/candidates?whole=true&part=listed"),
        ("the list", ""),
        ("the list's last page", "?at=60"),
        ("its drafts", "?state=DRAFT&at=30"),
    ] {
        page(&base, &of(what), &format!("{list}{rest}"), &clerk, asked).await?;
    }
    page(&base, &of("all lists"), "/lists", &clerk, asked).await
}

/// The large school's students are registered and put on a list; its page.
async fn large_list(base: &str, admin: &Session, deployment: &Deployment, authority: &str, dossier: &str) -> anyhow::Result<String> {
    let head = json!({ "account": "large-head", "displayName": "校长", "role": "PRINCIPAL", "organisation": CODE });
    let made = admin.post("/v1/accounts", &head, "").await?;
    let one_time = made["oneTimePassword"].as_str().context("a password")?;
    let head = Session::log_in(base, "large-head", one_time).await?.change_password(one_time, PASSWORD).await?;
    let officer = log_in(base, &Accounts::read(deployment.data())?, &format!("officer{authority}")).await?;
    let path = format!("/v1/schools/{CODE}/submissions/{dossier}");
    let seen = head.get(&path).await?;
    let attested = head.post(&format!("{path}/attest"), &json!({ "digest": seen["digest"] }), "").await?;
    officer.post(&format!("{path}/approve"), &json!({ "digest": attested["digest"] }), "").await?;
    deployment.drain().await?;
    let clerk = admin.with_log_in("large", PASSWORD).await?;
    let lists = format!("/v1/schools/{CODE}/awardLists");
    let term = xuezhu_domain::calendar::Term::of(deployment.today()).to_string();
    let made = clerk.post(&lists, &json!({ "scheme": "GRANT", "term": term }), "").await?;
    let list = made["list"].as_str().context("a list")?;
    let added = clerk.post(&format!("{lists}/{list}/propose"), &json!({}), "").await?["added"].clone();
    anyhow::ensure!(added == LARGE, "{added} of {LARGE} are proposed");
    Ok(format!("/schools/{CODE}/lists/{list}"))
}

/// A school with so many students, all of them submitted; its clerk, and the dossier.
async fn large_school(base: &str, admin: &Session, authority: &str) -> anyhow::Result<(Session, String)> {
    let majors = json!([{ "catalogue": "2010", "code": "010200" }]);
    let school = json!({ "code": CODE, "name": "大学校", "region": authority, "kind": "PUBLIC", "authority": authority, "majors": majors });
    admin.post("/v1/schools", &school, "").await?;
    let account = json!({ "account": "large", "displayName": "经办人", "role": "SCHOOL_CLERK", "organisation": CODE });
    let made = admin.post("/v1/accounts", &account, "").await?;
    let one_time = made["oneTimePassword"].as_str().context("a password")?;
    let clerk = Session::log_in(base, "large", one_time).await?.change_password(one_time, PASSWORD).await?;
    let month = format!("{}09", chrono::Datelike::year(&school_year(&clerk).await?));
    let rows: Vec<_> = (0..LARGE)
        .map(|serial| {
            let mut row = student(serial);
            row.insert("班级名称".into(), format!("{}班", serial % 120));
            row.insert("入学年月".into(), month.clone());
            row
        })
        .collect();
    let report = clerk.upload(&format!("/v1/schools/{CODE}/enrollments/import"), workbook(&rows), "").await?;
    anyhow::ensure!(report["rowsNew"] == LARGE, "{}", report["problems"]);
    let made = clerk.post(&format!("/v1/schools/{CODE}/submissions"), &json!({ "allDrafts": true }), "").await?;
    Ok((clerk, made["submission"].as_str().context("an id")?.to_owned()))
}

/// A day of the school year that the services are in.
async fn school_year(who: &Session) -> anyhow::Result<chrono::NaiveDate> {
    let mirror = who.get("/v1/mirror").await?;
    let today: chrono::NaiveDate = mirror["civilDate"].as_str().context("a day")?.parse()?;
    Ok(if chrono::Datelike::month(&today) >= 9 { today } else { today - chrono::TimeDelta::days(365) })
}

async fn page(base: &str, what: &str, path: &str, session: &Session, asked: i64) -> anyhow::Result<()> {
    let (http, mut times) = (reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?, Vec::<Duration>::new());
    let mut bytes = 0;
    for _ in 0..asked {
        let begun = Instant::now();
        let answer = http.get(format!("{base}{path}")).header(header::COOKIE, format!("xuezhu_session={}", session.token())).send().await?;
        anyhow::ensure!(answer.status() == StatusCode::OK, "{path}: {} {:?}", answer.status(), answer.headers().get(header::LOCATION));
        bytes = answer.bytes().await?.len();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let share = |permille: usize| seconds(times[(times.len() - 1) * permille / 1000]) * 1e3;
    println!("{what:<40} p50 {:>6.1} ms   p99 {:>6.1} ms   {:>4} kB", share(500), share(990), bytes / 1024);
    Ok(())
}

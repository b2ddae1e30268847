//! The pages in a real browser, as a clerk and an officer work with them, on a wide and on a narrow screen.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, People, SCHOOL, number, student, workbook},
};

/// How long a page may take.
const PAGE: Duration = Duration::from_secs(20);

/// A headless Chromium, driven over the `WebDriver` protocol.
pub struct Browser {
    driver: Child,
    /// What its driver is spoken to by.
    pub http: reqwest::Client,
    /// Where its driver listens.
    pub session: String,
}

impl Browser {
    pub async fn open(width: u32, height: u32) -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver is needed: run tests/run, or install the package chromium-driver")?;
        let http = reqwest::Client::builder().timeout(Duration::from_secs(60)).build()?;
        let base = format!("http://127.0.0.1:{port}");
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ];
        let mut arguments: Vec<String> = arguments.into_iter().map(str::to_owned).collect();
        arguments.push(format!("--window-size={width},{height}"));
        let wanted = json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": { "args": arguments } } } });
        let begun = Instant::now();
        let session = loop {
            match http.post(format!("{base}/session")).json(&wanted).send().await {
                Ok(answer) => {
                    let answer: Value = answer.json().await?;
                    let id = answer["value"]["sessionId"].as_str().with_context(|| format!("no browser: {answer}"))?.to_owned();
                    break format!("{base}/session/{id}");
                }
                Err(error) if begun.elapsed() > PAGE => bail!("chromedriver does not answer: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        Ok(Self { driver, http, session })
    }

    /// Ends the browser; killing its driver alone would leave it behind.
    pub async fn close(self) -> anyhow::Result<()> {
        self.http.delete(&self.session).send().await?;
        Ok(())
    }

    pub async fn call(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        let answer: Value = self.http.post(format!("{}/{path}", self.session)).json(&body).send().await?.json().await?;
        if let Some(error) = answer["value"]["error"].as_str() {
            bail!("{path}: {error}: {}", answer["value"]["message"]);
        }
        Ok(answer["value"].clone())
    }

    pub async fn go(&self, url: &str) -> anyhow::Result<()> {
        self.call("url", json!({ "url": url })).await.map(drop)
    }

    /// The element of a selector, once it is there.
    pub async fn find(&self, selector: &str) -> anyhow::Result<String> {
        let begun = Instant::now();
        loop {
            match self.call("element", json!({ "using": "css selector", "value": selector })).await {
                Ok(found) => return Ok(found.as_object().and_then(|map| map.values().next()).and_then(Value::as_str).context("an element")?.to_owned()),
                Err(error) if begun.elapsed() > PAGE => return Err(error.context(format!("waiting for {selector}"))),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Whether there is no such thing on the page, which is there already.
    pub async fn lacks(&self, selector: &str) -> anyhow::Result<()> {
        match self.call("element", json!({ "using": "css selector", "value": selector })).await {
            Ok(_) => bail!("the page has {selector}"),
            Err(_) => Ok(()),
        }
    }

    pub async fn type_in(&self, selector: &str, text: &str) -> anyhow::Result<()> {
        let element = self.find(selector).await?;
        self.call(&format!("element/{element}/value"), json!({ "text": text })).await.map(drop)
    }

    /// Sets what a field holds.
    pub async fn set(&self, selector: &str, value: &str) -> anyhow::Result<()> {
        let script = "document.querySelector(arguments[0]).value = arguments[1]";
        self.call("execute/sync", json!({ "script": script, "args": [selector, value] })).await.map(drop)
    }

    /// Clicks. A page that goes on to the next takes its elements with it: what was found of it is looked for there.
    pub async fn click(&self, selector: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let element = self.find(selector).await?;
            match self.call(&format!("element/{element}/click"), json!({})).await {
                Err(error) if error.to_string().contains("stale element") && begun.elapsed() < PAGE => {}
                clicked => return clicked.map(drop),
            }
        }
    }

    /// Does an act of size, which is asked once.
    pub async fn sure(&self, act: &str) -> anyhow::Result<()> {
        self.click(&format!("details.asks:has(button[value={act}]) summary")).await?;
        self.click(&format!("details.asks[open] button[value={act}]")).await
    }

    /// Waits until the page holds a text.
    pub async fn sees(&self, text: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let page = self.call("execute/sync", json!({ "script": "return document.body.innerText", "args": [] })).await?;
            let page = page.as_str().unwrap_or_default();
            if page.contains(text) {
                return Ok(());
            }
            if begun.elapsed() > PAGE {
                bail!("the page does not say {text}: {page}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A picture, where `SCREENSHOTS` names a folder.
    pub async fn picture(&self, name: &str) -> anyhow::Result<()> {
        use std::io::Write;
        let Some(folder) = std::env::var_os("SCREENSHOTS").map(PathBuf::from) else { return Ok(()) };
        let answer: Value = self.http.get(format!("{}/screenshot", self.session)).send().await?.json().await?;
        let mut decode = Command::new("base64").arg("-d").stdin(Stdio::piped()).stdout(std::fs::File::create(folder.join(format!("{name}.png")))?).spawn()?;
        decode.stdin.take().context("piped")?.write_all(answer["value"].as_str().unwrap_or_default().as_bytes())?;
        decode.wait()?;
        Ok(())
    }

    pub async fn log_in(&self, base: &str, account: &str) -> anyhow::Result<()> {
        self.call("cookie", json!({ "cookie": { "name": "x", "value": "y" } })).await.ok();
        self.http.delete(format!("{}/cookie", self.session)).send().await?;
        self.go(&format!("{base}/login")).await?;
        self.type_in("#account", account).await?;
        self.type_in("#password", PASSWORD).await?;
        self.click("button.btn").await
    }

    /// Where it is.
    pub async fn address(&self) -> anyhow::Result<String> {
        let answer: Value = self.http.get(format!("{}/url", self.session)).send().await?.json().await?;
        Ok(answer["value"].as_str().context("an address")?.to_owned())
    }

    /// What a script returns.
    pub async fn script(&self, script: &str) -> anyhow::Result<Value> {
        self.call("execute/sync", json!({ "script": script, "args": [] })).await
    }

    /// As narrow as a phone, which no window of a browser is.
    pub async fn phone(&self) -> anyhow::Result<()> {
        let screen = json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": false });
        self.call("goog/cdp/execute", json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": screen })).await.map(drop)
    }

    /// Whether nothing is wider than the screen.
    pub async fn fits(&self) -> anyhow::Result<()> {
        let over = self.call("execute/sync", json!({ "script": "return document.documentElement.scrollWidth - window.innerWidth", "args": [] })).await?;
        if over.as_i64().unwrap_or(0) > 1 {
            bail!("the page is {over} pixels too wide")
        }
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // After a failure the browser is closed by its driver, which is asked first to stop by itself.
        let _ = Command::new("kill").arg(self.driver.id().to_string()).status();
        std::thread::sleep(Duration::from_millis(300));
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A clerk records a leave ahead, and takes it back.
async fn walk_changes(page: &Browser, base: &str, people: &People) -> anyhow::Result<()> {
    let found = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(3))).await?;
    let enrollment = found["enrollments"][0]["enrollment"].as_str().context("an enrollment")?;
    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}/schools/{SCHOOL}/enrollments/{enrollment}")).await?;
    page.find("#change-effective_date").await?;
    page.set("#change-effective_date", "2026年12月1日").await?;
    page.type_in("#change-reason", "身体原因").await?;
    page.click("#change button").await?;
    page.sees("今日仍为在读").await?;
    page.picture("enrollment-planned").await?;
    page.type_in("#cancel-reason", "登记有误").await?;
    page.click("button[value=cancel]").await?;
    page.sees("已撤销尚未生效的异动").await?;
    page.sees("办理异动").await?;
    // Another class, from a day on.
    page.type_in("#change_class-class_name", "2班").await?;
    page.type_in("#change_class-reason", "分班").await?;
    page.click("#change_class button").await?;
    page.sees("2班 · 现代农艺技术").await?;
    page.picture("enrollment-class").await?;
    // What held on an earlier day, as it was known on another.
    for (known, says) in [
        ("2026-10-25", "2026-10-10：在读（2026-09-01 起），1班 · 现代农艺技术（按 2026-10-25 以前的登记）"),
        ("2026-10-26", "按哪一天以前的登记：不能晚于今天"),
    ] {
        let script = "document.querySelector('#seen-on').value = '2026-10-10'; document.querySelector('#seen-known').value = arguments[0]";
        page.call("execute/sync", json!({ "script": script, "args": [known] })).await?;
        page.click("#seen button").await?;
        page.sees(says).await?;
        page.picture(&format!("enrollment-seen-{known}")).await?;
        page.fits().await?;
    }
    // The students of a class.
    page.go(&format!("{base}/students?class=2%E7%8F%AD")).await?;
    page.sees(&student(3)["姓名"]).await?;
    page.picture("students-of-a-class").await?;
    page.go(&format!("{base}/schools/{SCHOOL}/enrollments/{enrollment}")).await?;
    // A whole number, for a purpose.
    page.type_in("#reveal-purpose", "核对户口簿").await?;
    page.click("#reveal button").await?;
    page.sees(&number(3)).await?;
    page.picture("enrollment-revealed").await?;
    Ok(())
}

/// An administrator closes the account of somebody who left, and opens it again.
async fn walk_accounts(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.log_in(base, "admin").await?;
    page.sees("用文件开账号").await?;
    page.click("#disable-other summary").await?;
    page.picture("accounts-asked").await?;
    page.click("#disable-other button").await?;
    page.sees("账号other已停用").await?;
    page.picture("accounts").await?;
    page.click("#enable-other button").await?;
    page.sees("账号other已启用").await?;
    page.find("#disable-other").await?;
    // An account is found by a part, and no address tells of whom.
    page.type_in("#find-q", "offi").await?;
    page.click("#find button").await?;
    page.sees("共 1 个").await?;
    anyhow::ensure!(!page.address().await?.contains("offi"), "nobody stands in an address");
    // What was refused comes back as it was filled in; a password is shown once.
    page.type_in("#create-account", "zhou").await?;
    page.type_in("#create-display_name", "周老师").await?;
    page.type_in("#create-organisation", "43010").await?;
    page.click("#create button").await?;
    page.find("#create .wrong #create-organisation").await?;
    page.picture("accounts-fault").await?;
    page.set("#create-organisation", SCHOOL).await?;
    page.click("#create button").await?;
    page.sees("只显示这一次").await?;
    page.picture("accounts-made").await?;
    // The page afresh: it holds no password, so that the one that is seen next is the new one.
    page.go(&format!("{base}/accounts")).await?;
    page.click("#reset-zhou summary").await?;
    page.click("#reset-zhou button").await?;
    page.sees("账号 zhou 的一次性密码").await?;
    walk_schools(page, base).await
}

/// An administrator enters a school by names, is told what was typed short, and changes what changes.
async fn walk_schools(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.go(&format!("{base}/schools")).await?;
    for (field, typed) in [("code", "3643000077"), ("name", "芙蓉农业学校"), ("region", "43010"), ("authority", "长沙市"), ("majors", "护理、01020")]
    {
        page.type_in(&format!("#create-{field}"), typed).await?;
    }
    page.click("#create button").await?;
    page.sees("填的是“43010”（5位数字）").await?;
    page.sees("填的是“01020”").await?;
    page.find("#create .wrong #create-region").await?;
    page.picture("schools-faults").await?;
    for (field, typed) in [("#create-region", "芙蓉区"), ("#create-majors", "护理、010200")] {
        page.set(field, "").await?;
        page.type_in(field, typed).await?;
    }
    page.click("#create button").await?;
    page.sees("学校芙蓉农业学校（3643000077）已登记").await?;
    page.sees("共 1 所").await?;
    page.picture("schools").await?;
    page.fits().await?;
    page.click("td a[href='/schools/3643000077']").await?;
    page.sees("湖南省长沙市芙蓉区（430102）").await?;
    page.type_in("#add-majors", "考古").await?;
    page.click("#add button").await?;
    page.find("#add .wrong #add-majors").await?;
    page.set("#add-majors", "会计").await?;
    page.click("#add button").await?;
    page.sees("已备案 1 个专业").await?;
    page.set("#end-end_date", "2099.9.1").await?;
    page.click("#end button").await?;
    page.sees("停止招生").await?;
    page.type_in("#authority-authority", "株洲市").await?;
    page.set("#authority-from_date", "20990101").await?;
    page.type_in("#authority-reason", "市教通〔2026〕1号").await?;
    page.click("#authority button").await?;
    page.sees("未到日期").await?;
    page.click("#close summary").await?;
    page.picture("school-asked").await?;
    page.click("#close button").await?;
    page.sees("已停办").await?;
    page.find("#open button").await?;
    page.picture("school").await?;
    page.fits().await
}

/// An officer decides and returns what is ticked, records what became of the money, and the clerk reads it.
async fn walk_register(page: &Browser, base: &str, people: &People) -> anyhow::Result<()> {
    page.log_in(base, "officer").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}/cases")).await?;
    page.sees("还没有认定过的问题").await?;
    page.picture("cases-empty").await?;
    // All of the page at once, looked at once more with their number.
    page.go(&format!("{base}/flags?rule=NO_ENROLLMENT")).await?;
    page.click("input[name=all]").await?;
    page.type_in("#decide-reason", "查无此人").await?;
    page.picture("flags-ticks").await?;
    page.click("#decide button[value=confirm]").await?;
    page.sees("请再核对一次：将对下列 1 条疑点").await?;
    page.picture("flags-many").await?;
    page.click("#decide button[value=confirm]").await?;
    page.sees("已核定 1 条").await?;
    page.go(&format!("{base}/cases?rule=NO_ENROLLMENT")).await?;
    page.type_in("#find-name", "没有这人").await?;
    page.click("#find button").await?;
    page.sees("没有符合条件的记录").await?;
    page.set("#find-name", "李鬼").await?;
    page.click("#find button").await?;
    page.sees("共 1 条").await?;
    anyhow::ensure!(page.address().await?.ends_with("/cases"), "nobody stands in an address");
    page.sees("已认定").await?;
    page.sees("涉及金额（元）").await?;
    page.picture("cases").await?;
    page.fits().await?;
    page.click("td a[href^='/cases/']").await?;
    page.sees("认定为问题，列入台账").await?;
    page.click("#outcome-outcome option[value=TO_RECOVER]").await?;
    page.type_in("#outcome-yuan", "二百").await?;
    page.type_in("#outcome-responsible", "经办人甲").await?;
    page.click("#outcome button").await?;
    page.find("#outcome .wrong #outcome-yuan").await?;
    page.sees("最多两位小数").await?;
    page.picture("case-fault").await?;
    page.set("#outcome-yuan", "200.00").await?;
    page.click("#outcome button").await?;
    page.sees("处理结果已登记").await?;
    page.sees("待追回；200.00元；责任人：经办人甲").await?;
    page.picture("case").await?;
    page.fits().await?;
    // A list that is attested: what is ticked is sent back, and it is said of which list.
    let flags = people.officer.get("/v1/flags?rule=IDENTITY_MISMATCH").await?;
    let (list, flag) = (flags["flags"][0]["list"].as_str().context("a list")?, flags["flags"][0]["flag"].as_str().context("a flag")?);
    people.attested(&format!("/v1/schools/{SCHOOL}/awardLists/{list}")).await;
    page.go(&format!("{base}/flags/{flag}")).await?;
    page.sees("名单有误的，退回这一条").await?;
    page.go(&format!("{base}/flags?rule=IDENTITY_MISMATCH")).await?;
    page.click("td input[name=flag]").await?;
    page.type_in("#decide-reason", "姓名写错").await?;
    page.click("button[value=sendBack]").await?;
    page.sees("退回学校").await?;
    page.click("button[value=sendBack]").await?;
    page.sees("已退回").await?;
    page.picture("flags-returned").await?;
    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}/cases")).await?;
    page.click("td a[href^='/cases/']").await?;
    page.sees("待追回").await?;
    page.click("a[href^='/flags/']").await?;
    page.sees("已列入问题台账").await?;
    page.type_in("textarea[name=text]", "该生已转走").await?;
    page.click("button[value=explain]").await?;
    page.sees("学校有补充说明").await?;
    page.sees("已认定问题").await?;
    page.picture("flag-added").await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clerk_uploads_a_workbook_and_an_officer_looks_at_the_flag() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let base = format!("http://{}", deployment.http);
    let mut students: Vec<_> = (0..12).map(student).collect();
    students[11].insert("民族".into(), "汉".into());
    let file = folder.path().join("students.xlsx");
    std::fs::write(&file, workbook(&students)).expect("writes");
    let walked: anyhow::Result<()> = async {
        let wide = Browser::open(1280, 900).await?;
        wide.go(&format!("{base}/login")).await?;
        wide.picture("login").await?;
        wide.log_in(&base, "clerk").await?;
        wide.sees("今日").await?;
        wide.sees("未接入人口库").await?;
        wide.go(&format!("{base}/import")).await?;
        wide.type_in("input[type=file]", &file.display().to_string()).await?;
        wide.picture("import").await?;
        wide.click("#send button").await?;
        wide.sees("还没有写入任何内容").await?;
        wide.sees("不在可选值中").await?;
        wide.picture("import-preview").await?;
        wide.click("#commit button").await?;
        wide.sees("导入完成").await?;
        walk_imports(&wide, &base, folder.path()).await?;
        wide.go(&format!("{base}/students")).await?;
        wide.sees(&students[0]["姓名"]).await?;
        wide.picture("students").await?;
        people.register().await;
        let names: Vec<&str> = students.iter().map(|row| row["姓名"].as_str()).collect();
        let path = people.list(&[(names[0], &number(0), ""), ("王错", &number(1), ""), ("李鬼", &number(600), "9-12")]).await;
        deployment.drain().await?;
        wide.go(&format!("{base}{}", path.replace("/v1", "").replace("awardLists", "lists"))).await?;
        wide.sees("身份信息不符").await?;
        let lines = folder.path().join("awards.csv");
        std::fs::write(&lines, schools::awards(&[(names[2], &number(2), "9-10")]))?;
        wide.type_in("input[type=file]", &lines.display().to_string()).await?;
        wide.click("button[value=preview]").await?;
        wide.sees("还没有写入任何内容").await?;
        wide.sees("awards.csv").await?;
        wide.picture("award-preview").await?;
        wide.click("#commit button").await?;
        wide.sees("导入完成").await?;
        wide.click("a.btn[href*='/lists/']").await?;
        wide.sees(names[2]).await?;
        wide.picture("award-list").await?;
        wide.go(&format!("{base}{}/candidates", path.replace("/v1", "").replace("awardLists", "lists"))).await?;
        wide.sees("涉农专业，符合条件").await?;
        wide.picture("candidates").await?;
        wide.log_in(&base, "officer").await?;
        wide.sees("今日").await?;
        wide.picture("today-officer").await?;
        wide.go(&format!("{base}/flags")).await?;
        wide.sees("按原因和学校").await?;
        wide.picture("flags").await?;
        let flags = people.officer.get("/v1/flags?rule=IDENTITY_MISMATCH").await?;
        let flag = flags["flags"][0]["flag"].as_str().context("a flag")?;
        wide.go(&format!("{base}/flags/{flag}")).await?;
        wide.sees("学籍数据截至").await?;
        wide.find("mark").await?;
        wide.picture("flag").await?;
        let person = flags["flags"][0]["person"].as_str().context("a person")?;
        wide.go(&format!("{base}/students/{person}")).await?;
        wide.sees("同一时间轴").await?;
        wide.picture("story").await?;
        walk_changes(&wide, &base, &people).await?;
        walk_accounts(&wide, &base).await?;
        walk_register(&wide, &base, &people).await?;
        wide.close().await?;
        let narrow = Browser::open(500, 900).await?;
        narrow.go(&format!("{base}/login")).await?;
        narrow.log_in(&base, "officer").await?;
        narrow.sees("今日").await?;
        for page in [format!("/flags/{flag}"), "/flags".into(), format!("/students/{person}"), "/students".into(), "/lists".into()] {
            narrow.go(&format!("{base}{page}")).await?;
            narrow.fits().await.with_context(|| page.clone())?;
        }
        narrow.phone().await?;
        for page in ["cases", "double", "forgotten", "takeOuts"] {
            narrow.go(&format!("{base}/{page}")).await?;
            narrow.find("main h1").await?;
            narrow.fits().await.with_context(|| page.to_owned())?;
            narrow.picture(&format!("narrow-{page}")).await?;
        }
        narrow.go(&format!("{base}/cases")).await?;
        narrow.click("td a[href^='/cases/']").await?;
        narrow.find("#outcome").await?;
        narrow.fits().await?;
        narrow.picture("narrow-case").await?;
        narrow.go(&format!("{base}/nowhere")).await?;
        narrow.sees("没有这个页面").await?;
        narrow.sees("学籍数据截至").await?;
        narrow.go(&format!("{base}/flags/{flag}")).await?;
        narrow.picture("flag-narrow").await?;
        narrow.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// A wrong file is found in the archive and taken back.
async fn walk_imports(page: &Browser, base: &str, folder: &std::path::Path) -> anyhow::Result<()> {
    let file = folder.join("上学期名册.xlsx");
    std::fs::write(&file, workbook(&[student(40), student(41)]))?;
    page.go(&format!("{base}/import")).await?;
    page.type_in("input[type=file]", &file.display().to_string()).await?;
    page.click("#send button").await?;
    page.click("#commit button").await?;
    page.sees("导入完成").await?;
    page.go(&format!("{base}/imports")).await?;
    page.sees("students.xlsx").await?;
    page.sees("预览，未写入").await?;
    page.picture("imports").await?;
    page.type_in("#find-query", "上学期").await?;
    page.click("#find-act option[value=write]").await?;
    page.click("#find button").await?;
    page.sees("共 1 份").await?;
    page.click("tbody tr:nth-child(1) a").await?;
    page.click("#takeBack summary").await?;
    page.sees("共 2 行").await?;
    page.picture("import-done").await?;
    page.click("#takeBack button").await?;
    page.sees("已撤回 2 行").await?;
    page.picture("import-taken-back").await?;
    page.go(&format!("{base}/imports?query=nothing")).await?;
    page.sees("没有符合条件的导入").await?;
    // A file that is none is told on its page, and another can be sent.
    std::fs::write(folder.join("a.xlsx"), "no workbook")?;
    page.go(&format!("{base}/import")).await?;
    page.type_in("input[type=file]", &folder.join("a.xlsx").display().to_string()).await?;
    page.click("#send button").await?;
    page.sees("什么也没有写入").await?;
    page.sees("重新上传").await?;
    page.picture("import-refused").await
}

/// A registration goes from the clerk over the principal to the officer, each at their own first page.
async fn walk_dossier(page: &Browser, base: &str) -> anyhow::Result<()> {
    page.log_in(base, "clerk").await?;
    page.sees("没有等您办理的事项").await?;
    page.go(&format!("{base}/students")).await?;
    page.click("#submit summary").await?;
    page.click("#submit details[open] button").await?;
    page.sees("已提交，等校长签核").await?;
    page.sees("与上学期同班相比").await?;
    page.go(base).await?;
    page.sees("待校长审签").await?;
    page.picture("today-clerk").await?;
    page.click("#others td.act a").await?;
    page.sees("起等校长").await?;
    page.sees("撤回整单").await?;
    page.click("button[value=nudge]").await?;
    page.sees("今天已经催办过，请明天再催").await?;
    page.picture("dossier-clerk").await?;

    page.log_in(base, "head").await?;
    page.sees("催办（共 1 次）").await?;
    page.picture("today-head").await?;
    page.click("#mine td.act a").await?;
    page.sees("审签 4 人").await?;
    page.picture("dossier-head").await?;
    page.sure("sign").await?;
    page.sees("已审签").await?;

    page.log_in(base, "officer").await?;
    page.sees("主管部门审签").await?;
    page.picture("today-officer-dossier").await?;
    page.click("#mine td.act a").await?;
    page.click("button[value=take]").await?;
    page.sees("经办：officer").await?;
    // One of them is sent back, the others are signed.
    page.click("tr:nth-child(2) input[name=item]").await?;
    page.type_in("#back-reason", "户口簿与姓名不符").await?;
    page.click("button[value=sendBack]").await?;
    page.sees("审签 3 人").await?;
    page.picture("dossier-officer").await?;
    page.sure("sign").await?;
    page.sees("已办结").await?;
    page.picture("dossier-done").await?;
    page.fits().await?;
    page.go(&format!("{}/print", page.address().await?.split(['?', '#']).next().unwrap_or_default())).await?;
    page.sees("返回业务单").await?;
    page.picture("dossier-print").await
}

/// The clerk finds it again, by name and by student.
async fn walk_search(page: &Browser, base: &str, name: &str) -> anyhow::Result<String> {
    page.log_in(base, "clerk").await?;
    page.sees("等我办理").await?;
    page.go(&format!("{base}/dossiers")).await?;
    page.type_in("#search-name", "查无此人").await?;
    page.click("#search button").await?;
    page.sees("没有符合条件的业务单").await?;
    page.go(&format!("{base}/dossiers?state=DONE&kind=REGISTRATION")).await?;
    page.type_in("#search-name", name).await?;
    page.click("#search button").await?;
    page.sees("已办结").await?;
    anyhow::ensure!(!page.address().await?.contains('?'), "a name stands in no address");
    page.picture("dossiers").await?;
    page.fits().await?;
    page.click("td a[href^='/dossiers/']").await?;
    for says in ["head 2026-10-25", "officer 2026-10-25", "催办", "移交经办", "户口簿与姓名不符"] {
        page.sees(says).await?;
    }
    page.click(".tools a[href*=SENT_BACK]").await?;
    page.sees("户口簿与姓名不符").await?;
    let address = page.address().await?;
    page.click("#sheet td a").await?;
    page.click("p.sub a[href*='item=']").await?;
    page.sees("只看涉及这一名学生的业务单").await?;
    Ok(address.split(['?', '#']).next().unwrap_or_default().to_owned())
}

/// An administrator sets three desks, one by one and by a file; the principal names a deputy.
async fn walk_chains_and_deputies(page: &Browser, base: &str, folder: &std::path::Path) -> anyhow::Result<()> {
    page.log_in(base, "admin").await?;
    page.sees("审核环节").await?;
    page.go(&format!("{base}/chains")).await?;
    page.sees("还没有另设").await?;
    page.type_in("#set-enrollment-scope", "430102").await?;
    page.type_in("#set-enrollment-steps", "PRINCIPAL, NOBODY").await?;
    page.type_in("#set-enrollment-reason", "市级复核").await?;
    page.click("#set-enrollment button").await?;
    page.sees("“NOBODY”不是审核环节").await?;
    page.find("#set-enrollment .wrong #set-enrollment-steps").await?;
    page.picture("chains-fault").await?;
    page.set("#set-enrollment-steps", "PRINCIPAL/3, AUTHORITY/5, CITY").await?;
    page.click("#set-enrollment button").await?;
    page.sees("环节已设定").await?;
    page.sees("校长 → 学校主管部门 → 市级主管部门").await?;
    page.picture("chains").await?;
    page.fits().await?;
    let heads = "业务,适用范围,起始日期,审核环节,理由";
    for (name, lines, says) in [
        (
            "wrong.csv",
            "新生学籍注册,430103,2026-11-01,\"PRINCIPAL, AUTHORITY, CITY\",试点\n没有的,430103,2026-11-01,PRINCIPAL,\n",
            "第3行：业务：没有这种业务；原因：不能为空",
        ),
        (
            "right.csv",
            "新生学籍注册,430103,2026-11-01,\"PRINCIPAL, AUTHORITY, CITY NOTES\",试点\nNEVER_CAME,,2026-11-01,\"PRINCIPAL, AUTHORITY\",试点\n",
            "已载入 2 行",
        ),
    ] {
        let file = folder.join(name);
        std::fs::write(&file, format!("{heads}\n{lines}"))?;
        page.type_in("#file-enrollment-file", &file.display().to_string()).await?;
        page.click("#file-enrollment button").await?;
        page.sees(says).await?;
        page.picture(&format!("chains-{name}")).await?;
    }
    page.sees("市级主管部门（备案）").await?;

    page.log_in(base, "head").await?;
    page.click("header nav a[href='/deputies']").await?;
    page.sees("没有委托过").await?;
    // As people type days; what was refused comes back as it was filled in, with what is wrong at its field.
    for (field, text) in [("account", "other"), ("to_date", "2026.10.30"), ("reason", "外出学习")] {
        page.type_in(&format!("#name-{field}"), text).await?;
    }
    page.set("#name-from_date", "20261026").await?;
    page.click("#name button").await?;
    page.sees("应为本校未停用的经办人账号").await?;
    page.find("#name .wrong #name-account[aria-invalid=true]").await?;
    for (field, held) in [("account", "other"), ("from_date", "20261026"), ("to_date", "2026.10.30"), ("reason", "外出学习")] {
        let value =
            page.call("execute/sync", json!({ "script": "return document.querySelector(arguments[0]).value", "args": [format!("#name-{field}")] })).await?;
        anyhow::ensure!(value == held, "{field} holds {value}");
    }
    page.picture("deputies-refused").await?;
    page.set("#name-account", "clerk").await?;
    page.click("#name button").await?;
    page.sees("已委托clerk").await?;
    page.sees("未开始").await?;
    page.picture("deputies").await?;
    page.fits().await?;
    page.click("form[action$=end] button").await?;
    page.sees("提前结束").await?;
    walk_session(page, base).await
}

/// A session ends under a form that is being filled in: it comes back after logging in, unsent, and to nobody else.
async fn walk_session(page: &Browser, base: &str) -> anyhow::Result<()> {
    let leave = async || page.http.delete(format!("{}/cookie", page.session)).send().await;
    for (account, comes_back) in [("clerk", false), ("head", true)] {
        page.log_in(base, "head").await?;
        page.find("nav a[href='/deputies']").await?;
        page.go(&format!("{base}/deputies")).await?;
        page.type_in("#name-account", "clerk").await?;
        page.type_in("#name-to_date", "2026-11-30").await?;
        page.type_in("#name-reason", "参加培训").await?;
        leave().await?;
        page.click("#name button").await?;
        page.find("#carried").await?;
        page.picture("login-carried").await?;
        anyhow::ensure!(!page.address().await?.contains('?'), "nothing of it stands in an address");
        page.type_in("#account", account).await?;
        page.type_in("#password", PASSWORD).await?;
        page.click("button.btn").await?;
        page.find("header .who").await?;
        if comes_back {
            page.sees("还没有提交").await?;
            let reason = page.call("execute/sync", json!({ "script": "return document.querySelector('#name-reason').value", "args": [] })).await?;
            anyhow::ensure!(reason == "参加培训", "{reason}");
            page.picture("deputies-carried").await?;
            page.click("#name button").await?;
            page.sees("已委托clerk").await?;
        } else {
            page.lacks("#name-reason").await?;
        }
    }
    // A link that is followed without a session leads there once logged in, and never elsewhere.
    leave().await?;
    page.go(&format!("{base}/dossiers?keeper=aid&state=DONE")).await?;
    page.type_in("#account", "head").await?;
    page.type_in("#password", PASSWORD).await?;
    page.click("button.btn").await?;
    page.sees("业务单").await?;
    anyhow::ensure!(page.address().await?.ends_with("/dossiers?keeper=aid&state=DONE"));
    leave().await?;
    page.go(&format!("{base}/login?next=//evil.example/")).await?;
    page.type_in("#account", "head").await?;
    page.type_in("#password", PASSWORD).await?;
    page.click("button.btn").await?;
    page.find("header .who").await?;
    anyhow::ensure!(page.address().await? == format!("{base}/"));
    // Every part.
    page.go(&format!("{base}/about/parts")).await?;
    page.find("#parts-wrong .wrong").await?;
    page.picture("parts").await
}

#[tokio::test(flavor = "multi_thread")]
async fn dossiers_go_from_desk_to_desk_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let students: Vec<_> = (0..4).map(student).collect();
    people.import(&students).await;
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<()> = async {
        let wide = Browser::open(1280, 900).await?;
        wide.go(&format!("{base}/login")).await?;
        walk_dossier(&wide, &base).await?;
        let dossier = walk_search(&wide, &base, &students[0]["姓名"]).await?;
        walk_chains_and_deputies(&wide, &base, folder.path()).await?;
        wide.close().await?;
        let narrow = Browser::open(500, 900).await?;
        narrow.go(&format!("{base}/login")).await?;
        for (account, pages) in [("clerk", vec!["/", dossier.trim_start_matches(&base), "/dossiers", "/deputies"]), ("admin", vec!["/chains"])] {
            narrow.log_in(&base, account).await?;
            narrow.sees("学助").await?;
            narrow.find("#freshness").await?;
            for page in pages {
                narrow.go(&format!("{base}{page}")).await?;
                narrow.fits().await.with_context(|| page.to_owned())?;
                narrow.picture(&format!("narrow-{}-{account}", page.split('/').nth(1).filter(|name| !name.is_empty()).unwrap_or("today"))).await?;
            }
        }
        narrow.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// A list is approved desk by desk; of two students one month is cut as the school asks, with a deputy's signature, and one is voided by order.
async fn walk_corrections(page: &Browser, base: &str, list: &str, names: [&str; 2]) -> anyhow::Result<()> {
    let tick = |name: &str| format!("input[form=correction][aria-label=勾选{name}]");
    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}{list}")).await?;
    page.sure("submit").await?;
    page.sees("已提交，等校长签核").await?;
    page.log_in(base, "head").await?;
    page.click("#mine td.act a").await?;
    page.sees("审签 2 人").await?;
    page.sure("sign").await?;
    page.sees("已审签").await?;
    page.log_in(base, "officer").await?;
    page.click("#mine td.act a").await?;
    page.picture("dossier-of-a-list").await?;
    page.sure("sign").await?;
    page.sees("已办结").await?;

    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}{list}")).await?;
    page.sees("申请更正已审核的内容").await?;
    // Nobody ticked, and no month: said on the page, and nothing is asked.
    page.click("input[value=VOID]").await?;
    page.type_in("#correction-reason", "十二月已离校").await?;
    page.click("#correction button").await?;
    page.sees("请先勾选要更正的学生").await?;
    // What was filled in is still there, and what else the page offers works.
    page.click("a.stat[href$='state=APPROVED']").await?;
    page.sees("只看已审核的").await?;
    page.click(&tick(names[0])).await?;
    page.click("input[value=CUT]").await?;
    page.type_in("#correction-reason", "十二月已离校").await?;
    page.click("#correction button").await?;
    page.sees("请勾选要核减的月份").await?;
    page.sees("只看已审核的").await?;
    page.click("input[name=month][value='202612']").await?;
    page.picture("correction").await?;
    page.fits().await?;
    page.click("#correction button").await?;
    page.sees("资助更正（核减，1人）").await?;
    page.sees("起等校长").await?;
    // Until it is decided the school asks nothing more of this entry.
    page.go(&format!("{base}{list}")).await?;
    page.find(&tick(names[1])).await?;
    page.lacks(&tick(names[0])).await?;

    page.log_in(base, "deputy").await?;
    page.click("#mine td.act a").await?;
    page.sees("十二月已离校").await?;
    page.sure("sign").await?;
    page.sees("代校长").await?;
    page.picture("correction-deputy").await?;
    page.log_in(base, "officer").await?;
    page.click("#mine td.act a").await?;
    page.sure("sign").await?;
    page.sees("已办结").await?;
    page.go(&format!("{base}{list}")).await?;
    page.sees("责令更正已审核的内容").await?;
    page.sees("现行 2026年9–11月").await?;
    page.click(&tick(names[1])).await?;
    page.click("input[value=VOID]").await?;
    page.type_in("#correction-reason", "查实不在校").await?;
    page.click("#correction button").await?;
    page.sees("资助更正（撤销，1人）").await?;
    page.go(&format!("{base}{list}")).await?;
    page.sees("现行 无").await?;
    page.sees("现行金额（元）").await?;
    page.picture("list-corrected").await?;
    page.fits().await?;
    page.click("a[href*=AWARD_CORRECTION]").await?;
    page.sees("资助更正（撤销，1人）").await?;
    page.go(&format!("{base}{list}")).await?;
    page.click("a[href*='about=']").await?;
    page.sees("只看这一份名单的业务单").await?;
    page.picture("dossiers-of-a-list").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_is_put_right_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    people.open_account("deputy", "SCHOOL_CLERK", SCHOOL, PASSWORD).await;
    let deputy = json!({ "account": "deputy", "fromDate": "2026-10-25", "toDate": "2026-10-30", "reason": "出差" });
    people.head.post(&format!("/v1/schools/{SCHOOL}/deputies"), &deputy, "").await.expect("is named");
    let students: Vec<_> = (0..2).map(student).collect();
    people.import(&students).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let names = [students[0]["姓名"].as_str(), students[1]["姓名"].as_str()];
    let path = people.list(&[(names[0], &number(0), "9-12"), (names[1], &number(1), "9-12")]).await;
    deployment.drain().await.expect("drains");
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<()> = async {
        let page = Browser::open(1280, 900).await?;
        page.go(&format!("{base}/login")).await?;
        walk_corrections(&page, &base, &path.replace("/v1", "").replace("awardLists", "lists"), names).await?;
        page.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// The clerk adds a scan to what they ask for, after a file that is none; the principal reads of it; a case takes one from its department.
async fn walk_evidence(page: &Browser, base: &str, dossier: &str, case: &str, folder: &std::path::Path) -> anyhow::Result<()> {
    let (scan, text) = (folder.join("退款回单.pdf"), folder.join("说明.pdf"));
    std::fs::write(&scan, "%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\n%%EOF\n")?;
    std::fs::write(&text, "这不是PDF")?;
    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}{dossier}")).await?;
    page.sees("还没有材料").await?;
    page.type_in("#add-evidence-file", &text.display().to_string()).await?;
    page.click("#add-evidence button").await?;
    page.sees("只收JPEG、PNG、TIFF图片和PDF扫描件").await?;
    page.picture("evidence-fault").await?;
    page.type_in("#add-evidence-file", &scan.display().to_string()).await?;
    page.click("#add-evidence button").await?;
    page.sees("材料已添加").await?;
    page.sees("退款回单.pdf").await?;
    page.sees("clerk（学校经办人）").await?;
    page.click("#evidence details:has(form[action$='/remove']) summary").await?;
    page.go(&format!("{base}{dossier}#evidence")).await?;
    page.click("#evidence details:has(form[action$='/open']) summary").await?;
    page.picture("evidence").await?;
    page.fits().await?;
    // A purpose that says nothing is told at its field; nothing is opened.
    page.type_in("#evidence form[action$='/open'] input[name=text]", "  ").await?;
    page.click("#evidence form[action$='/open'] button").await?;
    page.find("#evidence form[action$='/open'] .wrong input[name=text]").await?;
    page.picture("evidence-purpose").await?;

    page.log_in(base, "head").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}{dossier}")).await?;
    page.sees("退款回单.pdf").await?;
    page.lacks("#evidence form[action*='/remove']").await?;
    page.find("#evidence form[action*='/open'] input[name=text][required]").await?;
    page.sure("sign").await?;
    page.sees("已审签").await?;
    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}{dossier}")).await?;
    page.sees("退款回单.pdf").await?;
    page.lacks("#evidence form[action*='/remove']").await?;

    page.log_in(base, "officer").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}{case}")).await?;
    page.type_in("#add-evidence-file", &scan.display().to_string()).await?;
    page.click("#add-evidence button").await?;
    page.sees("材料已添加").await?;
    page.picture("evidence-case").await?;
    page.click("#evidence details:has(form[action$='/remove']) summary").await?;
    page.type_in("#evidence form[action*='/remove'] input[name=text]", "传错").await?;
    page.click("#evidence form[action*='/remove'] button").await?;
    page.sees("材料已撤下").await?;
    page.sees("officer撤下：传错").await?;
    page.picture("evidence-removed").await?;
    page.fits().await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_proves_something_is_added_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-25".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    people.import(&[student(0)]).await;
    people.register().await;
    deployment.drain().await.expect("drains");
    let list = people.list(&[(&student(0)["姓名"], &number(0), "9-12"), ("李鬼", &number(500), "")]).await;
    people.attested(&list).await;
    people.approve(&list).await.expect("is approved");
    let flag = people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"][0]["flag"].as_str().expect("an id").to_owned();
    people.officer.post(&format!("/v1/flags/{flag}/confirm"), &json!({ "reason": "查无此人" }), "").await.expect("is confirmed");
    let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
    let approved = entries["entries"].as_array().expect("a list").iter().find(|entry| entry["state"] == "APPROVED").expect("is approved");
    let body = json!({ "entries": [approved["entry"]], "what": "STOP", "firstMonth": 202_611, "reason": "转出" });
    let asked = people.clerk.post(&format!("/v1/schools/{SCHOOL}/corrections"), &body, "").await.expect("is asked");
    let dossier = format!("/dossiers/aid/{}", asked["dossier"].as_str().expect("an id"));
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<()> = async {
        for (width, height) in [(1280, 900), (500, 900)] {
            let page = Browser::open(width, height).await?;
            page.go(&format!("{base}/login")).await?;
            if width > 1000 {
                walk_evidence(&page, &base, &dossier, &format!("/cases/{flag}"), folder.path()).await?;
            } else {
                page.log_in(&base, "officer").await?;
                page.sees("今日").await?;
                for at in [&dossier, &format!("/cases/{flag}")] {
                    page.go(&format!("{base}{at}#evidence")).await?;
                    page.find("#evidence").await?;
                    page.fits().await?;
                }
                page.phone().await?;
                page.fits().await?;
                page.picture("evidence-narrow").await?;
            }
            page.close().await?;
        }
        Ok(())
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// A purpose with a number is told at its form; a good one leaves a receipt that the principal and the department see.
async fn walk_takeouts(page: &Browser, base: &str, people: &People, list: &str) -> anyhow::Result<()> {
    page.log_in(base, "clerk").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}/takeOuts")).await?;
    page.sees("还没有导出过").await?;
    for (table, receipts, purpose) in [
        ("/students", "takeOuts", "开学统计"),
        ("/dossiers", "takeOuts", "归档"),
        (list, "aidTakeOuts", "公示核对"),
        ("/flags", "aidTakeOuts", "逐条说明"),
        ("/dossiers?keeper=aid", "aidTakeOuts", "归档资助"),
    ] {
        page.go(&format!("{base}{table}")).await?;
        page.type_in("#takeOut-purpose", "给13912345678的家长").await?;
        page.click("#takeOut button").await?;
        page.sees("不要填写证件号、银行卡号或电话号码").await?;
        page.fits().await?;
        page.picture(&format!("takeout-refused{}", table.split(['/', '?']).nth(1).unwrap_or_default())).await?;
        page.call("execute/sync", json!({ "script": "document.querySelector('#takeOut-purpose').value = ''", "args": [] })).await?;
        page.type_in("#takeOut-purpose", purpose).await?;
        page.click("#takeOut button").await?;
        let begun = Instant::now();
        loop {
            let kept = people.head.get(&format!("/v1/schools/{SCHOOL}/{receipts}")).await?;
            if kept["takeOuts"][0]["purpose"] == purpose {
                break;
            }
            if begun.elapsed() > PAGE {
                bail!("{table} was not taken out: {kept}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    page.log_in(base, "head").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}/takeOuts")).await?;
    for says in ["clerk（clerk）", "学生信息", "开学统计", "归档"] {
        page.sees(says).await?;
    }
    page.picture("takeouts").await?;
    page.fits().await?;
    page.click("#narrow-keeper option[value=aid]").await?;
    page.click("#narrow button").await?;
    page.sees("公示核对").await?;
    page.click("td a").await?;
    page.sees("助学金").await?;
    page.log_in(base, "officer").await?;
    page.sees("今日").await?;
    page.go(&format!("{base}/students?school={SCHOOL}")).await?;
    page.sees("导出统计").await?;
    page.picture("takeout-officer").await?;
    page.go(&format!("{base}/takeOuts?school={SCHOOL}")).await?;
    page.sees("开学统计").await
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_are_taken_out_in_a_browser() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let list = people.list(&[(&student(1)["姓名"], &number(1), ""), ("李无籍", &number(9), "")]).await;
    people.attested(&list).await;
    deployment.drain().await.expect("drains");
    let base = format!("http://{}", deployment.http);
    let walked: anyhow::Result<()> = async {
        let page = Browser::open(1280, 900).await?;
        page.go(&format!("{base}/login")).await?;
        walk_takeouts(&page, &base, &people, &list.replace("/v1", "").replace("awardLists", "lists")).await?;
        page.close().await?;
        let narrow = Browser::open(500, 900).await?;
        narrow.go(&format!("{base}/login")).await?;
        narrow.log_in(&base, "clerk").await?;
        narrow.sees("今日").await?;
        for path in ["/takeOuts", "/students"] {
            narrow.go(&format!("{base}{path}")).await?;
            narrow.fits().await.with_context(|| path.to_owned())?;
            narrow.picture(&format!("narrow{}", path.replace('/', "-"))).await?;
        }
        narrow.close().await
    }
    .await;
    walked.expect("the pages work");
    deployment.stop().await;
}

/// An administrator sends a file of accounts, and has the pages of passwords once.
async fn walk_passwords(page: &Browser, base: &str, folder: &std::path::Path) -> anyhow::Result<()> {
    let file = folder.join("accounts.csv");
    std::fs::write(&file, format!("账号,姓名,角色,所属\nyang,杨老师,学校经办人,{SCHOOL}\nliu,刘老师,主管部门审核人,长沙市\nxu,徐老师,门卫,{SCHOOL}\n"))?;
    page.log_in(base, "admin").await?;
    page.sees("用文件开账号").await?;
    page.go(&format!("{base}/schools")).await?;
    page.sees("用文件登记学校").await?;
    page.go(&format!("{base}/accounts")).await?;
    page.type_in("input[type=file]", &file.display().to_string()).await?;
    page.picture("accounts-send").await?;
    page.click("#send button").await?;
    page.sees("不在可选值中").await?;
    page.picture("accounts-preview").await?;
    page.click("#commit button").await?;
    page.sees("这些账号还没有密码").await?;
    page.picture("accounts-written").await?;
    page.click("a[href$=passwords]").await?;
    page.sees("每个密码只能登录一次").await?;
    page.picture("passwords-before").await?;
    page.click("#make button").await?;
    page.sees("登录凭条").await?;
    page.sees("杨老师").await?;
    page.find("section.sheet:nth-of-type(2)").await?;
    page.picture("passwords").await?;
    page.fits().await?;
    let import = page.address().await?;
    page.go(&import).await?;
    page.click("#make button").await?;
    page.sees("已经显示过").await?;
    page.click("#make summary").await?;
    page.picture("passwords-told").await?;
    page.go(&format!("{base}/accountImports")).await?;
    page.sees("导入记录（账号）").await?;
    page.go(&import).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_time_passwords_are_a_page_a_person_and_shown_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    schools::open(&deployment).await;
    let walk = async {
        let base = format!("http://{}", deployment.http);
        let page = Browser::open(1280, 900).await?;
        walk_passwords(&page, &base, folder.path()).await?;
        let import = page.address().await?.trim_end_matches("/passwords").to_owned();
        page.close().await?;
        let narrow = Browser::open(500, 900).await?;
        narrow.phone().await?;
        narrow.log_in(&base, "admin").await?;
        narrow.sees("用文件开账号").await?;
        let own = |path: &str| format!("{base}{path}");
        for (name, at) in [
            ("schools", own("/schools")),
            ("school", own(&format!("/schools/{SCHOOL}"))),
            ("accounts", own("/accounts")),
            ("import-report", import.clone()),
            ("passwords", format!("{import}/passwords")),
            ("imports", own("/accountImports")),
        ] {
            narrow.go(&at).await?;
            narrow.fits().await.with_context(|| at.clone())?;
            narrow.picture(&format!("narrow-{name}")).await?;
        }
        narrow.close().await
    };
    walk.await.expect("is walked");
    deployment.stop().await;
}

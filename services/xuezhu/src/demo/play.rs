//! Plays the school year as the schools and departments would: through the gateway, on files, day by day.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::PathBuf,
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Score, book, compare,
    expect::{Expected, expected},
    world::{Change, Claim, Fault, Person, Place, World, day, days},
};
use crate::{client::Session, deployment::Deployment};

/// Requests under way at once.
const AT_ONCE: usize = 4;
/// Password of every demo account; they are told at the end.
pub const PASSWORD: &str = "Demo-2016";

/// What was found at a checkpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoint {
    /// Civil day.
    pub day: String,
    /// Scores by rule.
    pub scores: BTreeMap<String, Score>,
}

/// What the year showed.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Students.
    pub students: usize,
    /// Schools.
    pub schools: usize,
    /// Lines of award lists.
    pub lines: usize,
    /// Faults planted, by kind.
    pub planted: Vec<(Fault, usize)>,
    /// Comparisons.
    pub checkpoints: Vec<Checkpoint>,
    /// Seconds from the first upload to the last comparison.
    pub seconds: f64,
    /// Where they went, by step of the year.
    pub steps: Vec<(&'static str, f64)>,
}

impl Outcome {
    /// Whether every flag that had to be open was, and no other, at every checkpoint.
    pub fn is_exact(&self) -> bool {
        self.checkpoints.iter().all(|checkpoint| checkpoint.scores.values().all(Score::is_exact))
    }
}

/// Students with the places that a workbook enters.
type Rows<'w> = Vec<(&'w Person, &'w Place)>;

struct Desk {
    clerk: Session,
    principal: Session,
}

/// A play under way.
pub struct Play<'p> {
    deployment: &'p Deployment,
    world: &'p World,
    bar: ProgressBar,
    folder: PathBuf,
    desks: Vec<Desk>,
    officers: HashMap<String, Session>,
    admin: Session,
    /// Lists by school, scheme, term and supplement.
    lists: Vec<(usize, String)>,
    /// Submissions that wait for approval, by school.
    waiting: Vec<(usize, String, NaiveDate)>,
    checkpoints: Vec<Checkpoint>,
    steps: Vec<(&'static str, std::time::Instant)>,
}

/// The days on which found and expected are compared.
pub const CHECKPOINTS: [&str; 12] = [
    days::LIST,
    days::APPROVE,
    days::BACK,
    days::CORRECT,
    days::MOVE,
    days::SUPPLEMENT,
    days::OVERDUE,
    days::LATE,
    days::LATE_LEAVE,
    days::SPRING,
    days::SPRING_OVERDUE,
    days::END,
];

/// Plays the year. `admin` is the administrator's one-time password; the registry file must have been given to the
/// deployment before it started.
pub async fn play(deployment: &Deployment, world: &World, admin: &str, bar: ProgressBar) -> anyhow::Result<Outcome> {
    let folder = deployment.data().join("demo");
    fs::create_dir_all(folder.join("workbooks"))?;
    let manifest: BTreeMap<&str, Vec<Expected>> = CHECKPOINTS.iter().map(|checkpoint| (*checkpoint, expected(world, day(checkpoint)))).collect();
    let written = json!({ "planted": world.planted, "doubled": world.doubled, "clean": world.clean, "checkpoints": manifest });
    fs::write(folder.join("manifest.json"), serde_json::to_vec(&written)?)?;
    let base = format!("http://{}", deployment.http);
    let first = Session::log_in(&base, "admin", admin).await.context("the administrator's first log-in")?;
    let admin = first.change_password(admin, PASSWORD).await?;
    let mut play = Play {
        deployment,
        world,
        bar,
        folder,
        desks: Vec::new(),
        officers: HashMap::new(),
        admin,
        lists: Vec::new(),
        waiting: Vec::new(),
        checkpoints: Vec::new(),
        steps: Vec::new(),
    };
    let begun = std::time::Instant::now();
    play.year(&manifest).await?;
    let ended = std::time::Instant::now();
    let ends = play.steps.iter().skip(1).map(|(_, begun)| *begun).chain([ended]);
    let steps = play.steps.iter().zip(ends).map(|((what, begun), end)| (*what, (end - *begun).as_secs_f64())).collect();
    fs::write(play.folder.join("result.json"), serde_json::to_vec_pretty(&play.checkpoints)?)?;
    Ok(Outcome {
        students: world.people.len(),
        schools: world.schools.len(),
        lines: world.claims.len(),
        planted: world.planted.clone(),
        checkpoints: play.checkpoints,
        seconds: (ended - begun).as_secs_f64(),
        steps,
    })
}

impl Play<'_> {
    async fn year(&mut self, manifest: &BTreeMap<&str, Vec<Expected>>) -> anyhow::Result<()> {
        self.bar.set_length(24);
        self.step(days::ENTER, "schools and accounts").await?;
        self.open_desks().await?;
        self.step(days::ENTER, "students' workbooks").await?;
        self.enter(days::ENTER).await?;
        self.step(days::LIST, "autumn's lists").await?;
        self.upload_lists(days::LIST).await?;
        self.check(manifest, days::LIST).await?;
        self.step(days::APPROVE, "departments approve").await?;
        self.approve(day(days::APPROVE)).await?;
        self.check(manifest, days::APPROVE).await?;
        self.approve_lists().await?;
        for (date, what) in [(days::LEAVE, "leaves and withdrawals"), (days::BACK, "returns")] {
            self.step(date, what).await?;
            self.record_events(day(date)).await?;
        }
        self.check(manifest, days::BACK).await?;
        self.step(days::CORRECT, "corrections of identity").await?;
        self.correct().await?;
        self.check(manifest, days::CORRECT).await?;
        self.step(days::MOVE, "moves between schools").await?;
        self.record_events(day(days::MOVE)).await?;
        self.enter(days::MOVE).await?;
        self.approve(day(days::MOVE)).await?;
        self.check(manifest, days::MOVE).await?;
        self.step(days::SUPPLEMENT, "supplementary lists").await?;
        self.upload_lists(days::SUPPLEMENT).await?;
        self.check(manifest, days::SUPPLEMENT).await?;
        self.step(days::OVERDUE, "the lists are overdue").await?;
        self.check(manifest, days::OVERDUE).await?;
        self.step(days::LATE, "late approvals").await?;
        self.approve(day(days::LATE)).await?;
        self.check(manifest, days::LATE).await?;
        self.step(days::LATE_LEAVE, "leaves recorded late").await?;
        self.record_events(day(days::LATE_LEAVE)).await?;
        self.check(manifest, days::LATE_LEAVE).await?;
        self.step(days::SPRING, "spring's lists").await?;
        self.upload_lists(days::SPRING).await?;
        self.check(manifest, days::SPRING).await?;
        self.approve_lists().await?;
        self.step(days::SPRING_OVERDUE, "the spring's lists are overdue").await?;
        self.check(manifest, days::SPRING_OVERDUE).await?;
        self.step(days::END, "the end of the year").await?;
        self.sweep().await?;
        self.check(manifest, days::END).await?;
        self.bar.finish_and_clear();
        Ok(())
    }

    async fn step(&mut self, date: &str, what: &'static str) -> anyhow::Result<()> {
        self.bar.set_message(what);
        self.bar.inc(1);
        self.steps.push((what, std::time::Instant::now()));
        self.deployment.step_to(day(date)).await
    }

    async fn open_desks(&mut self) -> anyhow::Result<()> {
        for school in &self.world.schools {
            let majors: Vec<Value> = school.majors.iter().map(|major| json!({ "catalogue": major.catalogue, "code": major.code })).collect();
            let body =
                json!({ "code": school.code, "name": school.name, "region": school.region, "kind": "PUBLIC", "authority": school.authority, "majors": majors });
            self.admin.post("/v1/schools", &body, &format!("school {}", school.code)).await?;
        }
        let authorities: BTreeSet<&str> = self.world.schools.iter().map(|school| school.authority.as_str()).collect();
        let admin = &self.admin;
        let schools = stream::iter(self.world.schools.iter().enumerate()).map(|(index, school)| async move {
            let clerk = open(admin, &format!("clerk{}", index + 1), "经办人", "SCHOOL_CLERK", &school.code).await?;
            let principal = open(admin, &format!("head{}", index + 1), "校长", "PRINCIPAL", &school.code).await?;
            Ok::<_, anyhow::Error>(Desk { clerk, principal })
        });
        self.desks = schools.buffered(AT_ONCE).try_collect().await?;
        let officers = stream::iter(authorities).map(|authority| async move {
            let session = open(admin, &format!("officer{authority}"), "审核人", "DEPARTMENT_OFFICER", authority).await?;
            Ok::<_, anyhow::Error>((authority.to_owned(), session))
        });
        self.officers = officers.buffered(AT_ONCE).try_collect().await?;
        Ok(())
    }

    /// Uploads, submits and attests what is entered on a day; rows that are approved later lie in submissions of their own.
    async fn enter(&mut self, date: &str) -> anyhow::Result<()> {
        let mut batches: BTreeMap<(usize, NaiveDate), Rows> = BTreeMap::new();
        for person in &self.world.people {
            for place in person.places.iter().filter(|place| place.entered == day(date)) {
                batches.entry((place.school, place.approved)).or_default().push((person, place));
            }
        }
        // One school after the other for a school's batches: the second submission must not take the first one's drafts.
        let mut by_school: BTreeMap<usize, Vec<(NaiveDate, Rows)>> = BTreeMap::new();
        for ((school, approved), rows) in batches {
            by_school.entry(school).or_default().push((approved, rows));
        }
        let this = &*self;
        let entered: Vec<Vec<(usize, String, NaiveDate)>> = stream::iter(by_school)
            .map(|(school, batches)| async move {
                let mut made = Vec::new();
                for (approved, rows) in batches {
                    let submission = this.enter_batch(school, date, approved, &rows).await?;
                    made.push((school, submission, approved));
                }
                Ok::<_, anyhow::Error>(made)
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        self.waiting.extend(entered.into_iter().flatten());
        Ok(())
    }

    async fn enter_batch(&self, index: usize, date: &str, approved: NaiveDate, rows: &[(&Person, &Place)]) -> anyhow::Result<String> {
        let (school, desk) = (&self.world.schools[index], &self.desks[index]);
        let (of, owned): (_, Vec<(Person, Place)>) = (school.clone(), rows.iter().map(|(person, place)| ((*person).clone(), (*place).clone())).collect());
        let bytes = tokio::task::spawn_blocking(move || {
            let rows: Vec<(&Person, &Place)> = owned.iter().map(|(person, place)| (person, place)).collect();
            book::students(&of, &rows)
        })
        .await??;
        fs::write(self.folder.join(format!("workbooks/{}-students-{date}-{approved}.xlsx", school.code)), &bytes)?;
        let path = format!("/v1/schools/{}/enrollments/import", school.code);
        let report = desk.clerk.upload(&path, bytes, &format!("import {date} {approved}")).await?;
        if report["rowsFaulty"] != 0 || report["rowsNew"].as_u64() != Some(rows.len() as u64) {
            bail!("the workbook of {} was not taken whole: {}", school.code, report["problems"]);
        }
        let made =
            desk.clerk.post(&format!("/v1/schools/{}/submissions", school.code), &json!({ "allDrafts": true }), &format!("submit {date} {approved}")).await?;
        let submission = text(&made, "submission")?;
        let path = format!("/v1/schools/{}/submissions/{submission}/attest", school.code);
        desk.principal.post(&path, &json!({ "digest": made["digest"] }), &format!("attest {submission}")).await?;
        Ok(submission)
    }

    async fn approve(&mut self, date: NaiveDate) -> anyhow::Result<()> {
        let (now, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting).into_iter().partition(|(.., approved)| *approved <= date);
        self.waiting = later;
        let this = &*self;
        stream::iter(now)
            .map(Ok::<_, anyhow::Error>)
            .try_for_each_concurrent(AT_ONCE, |(index, submission, _)| async move {
                let school = &this.world.schools[index];
                let officer = this.officer(index)?;
                let path = format!("/v1/schools/{}/submissions/{submission}", school.code);
                let sheet = officer.get(&path).await?;
                let done = officer.post(&format!("{path}/approve"), &json!({ "digest": sheet["digest"] }), &format!("approve {submission}")).await?;
                if done["refused"].as_array().is_none_or(|refused| !refused.is_empty()) {
                    bail!("not all of {} could be approved: {}", school.code, done["refused"]);
                }
                Ok(())
            })
            .await
    }

    fn officer(&self, school: usize) -> anyhow::Result<&Session> {
        self.officers.get(&self.world.schools[school].authority).context("a department without an officer")
    }

    /// Uploads, submits and attests the lists of a day, one school after the other: who uploads first wins a tie.
    async fn upload_lists(&mut self, date: &str) -> anyhow::Result<()> {
        let mut batches: BTreeMap<(usize, &str, &str), Vec<&Claim>> = BTreeMap::new();
        for claim in self.world.claims.iter().filter(|claim| claim.uploaded == day(date)) {
            batches.entry((claim.school, claim.scheme, claim.term)).or_default().push(claim);
        }
        // Workbooks are made ahead, in the order in which they are uploaded.
        let this = &*self;
        let mut books = stream::iter(batches)
            .map(|((index, scheme, term), claims)| async move {
                let (lines, owned): (usize, Vec<Claim>) = (claims.len(), claims.into_iter().cloned().collect());
                let bytes = tokio::task::spawn_blocking(move || book::awards(&owned.iter().collect::<Vec<_>>())).await??;
                fs::write(this.folder.join(format!("workbooks/{}-{scheme}-{term}-{date}.xlsx", this.world.schools[index].code)), &bytes)?;
                Ok::<_, anyhow::Error>((index, scheme, term, lines, bytes))
            })
            .buffered(AT_ONCE);
        let mut taken = Vec::new();
        while let Some((index, scheme, term, lines, bytes)) = books.try_next().await? {
            let list = this.upload_list(index, (scheme, term, date), lines, &bytes).await?;
            taken.push((index, list, lines, bytes));
        }
        drop(books);
        let lists: Vec<(usize, String)> = stream::iter(taken)
            .map(|(index, list, lines, bytes)| async move {
                this.submit_list(index, &list, lines, bytes).await?;
                Ok::<_, anyhow::Error>((index, list))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        self.lists.extend(lists);
        Ok(())
    }

    async fn upload_list(&self, index: usize, (scheme, term, date): (&str, &str, &str), lines: usize, bytes: &[u8]) -> anyhow::Result<String> {
        let (school, desk) = (&self.world.schools[index], &self.desks[index]);
        let lists = format!("/v1/schools/{}/awardLists", school.code);
        let list = text(&desk.clerk.post(&lists, &json!({ "scheme": scheme, "term": term }), &format!("list {scheme} {term} {date}")).await?, "list")?;
        let report = desk.clerk.upload(&format!("{lists}/{list}/import"), bytes.to_vec(), &format!("awards {list}")).await?;
        if report["rowsFaulty"] != 0 || report["rowsNew"].as_u64() != Some(lines as u64) {
            bail!("the list of {} was not taken whole: {}", school.code, report["problems"]);
        }
        Ok(list)
    }

    async fn submit_list(&self, index: usize, list: &str, lines: usize, bytes: Vec<u8>) -> anyhow::Result<()> {
        let (school, desk) = (&self.world.schools[index], &self.desks[index]);
        let path = format!("/v1/schools/{}/awardLists/{list}", school.code);
        // The same list again changes nothing.
        let again = desk.clerk.upload(&format!("{path}/import"), bytes, &format!("awards again {list}")).await?;
        if again["rowsUnchanged"].as_u64() != Some(lines as u64) {
            bail!("the same list again changed something at {}: {again}", school.code);
        }
        let submitted = desk.clerk.post(&format!("{path}/submit"), &json!({}), &format!("submit {list}")).await?;
        desk.principal.post(&format!("{path}/attest"), &json!({ "digest": submitted["digest"] }), &format!("attest {list}")).await.map(drop)
    }

    async fn approve_lists(&mut self) -> anyhow::Result<()> {
        let lists = std::mem::take(&mut self.lists);
        let this = &*self;
        let approved = stream::iter(lists).map(Ok::<_, anyhow::Error>).try_for_each_concurrent(AT_ONCE, |(index, list)| async move {
            let officer = this.officer(index)?;
            let path = format!("/v1/schools/{}/awardLists/{list}", this.world.schools[index].code);
            let shown = officer.get(&path).await?;
            officer.post(&format!("{path}/approve"), &json!({ "digest": shown["digest"] }), &format!("approve {list}")).await.map(drop)
        });
        approved.await
    }

    /// Id of the enrollment at a place, by the school's own number.
    async fn enrollment(&self, place: &Place) -> anyhow::Result<String> {
        let (school, desk) = (&self.world.schools[place.school], &self.desks[place.school]);
        let found = desk.clerk.get(&format!("/v1/schools/{}/enrollments?query={}", school.code, place.school_number)).await?;
        let rows = found["enrollments"].as_array().context("no enrollments")?;
        let row = rows.iter().find(|row| row["schoolNumber"] == place.school_number.as_str()).context("a student can't be found by the school's number")?;
        text(row, "enrollment")
    }

    async fn record_events(&self, recorded: NaiveDate) -> anyhow::Result<()> {
        let places = self.world.people.iter().flat_map(|person| &person.places);
        let due = places
            .flat_map(|place| place.events.iter().filter(move |event| event.recorded == recorded).map(move |event| (place, event.change, event.effective)));
        stream::iter(due)
            .map(Ok::<_, anyhow::Error>)
            .try_for_each_concurrent(AT_ONCE, |(place, change, effective)| async move {
                let verb = match change {
                    Change::Leave => "leave",
                    Change::Return => "return",
                    Change::Withdraw => "withdraw",
                };
                let enrollment = self.enrollment(place).await?;
                let path = format!("/v1/schools/{}/enrollments/{enrollment}/{verb}", self.world.schools[place.school].code);
                let body = json!({ "effectiveDate": effective.to_string(), "reason": "演示" });
                self.desks[place.school].clerk.post(&path, &body, &format!("{verb} {enrollment}")).await.map(drop)
            })
            .await
    }

    async fn correct(&self) -> anyhow::Result<()> {
        let due = self.world.people.iter().filter(|person| person.numbers.len() > 1 || person.names.len() > 1);
        let corrected = stream::iter(due).map(Ok::<_, anyhow::Error>).try_for_each_concurrent(AT_ONCE, |person| async move {
            let (number, name) = (person.numbers.get(1), person.names.get(1));
            let place = &person.places[0];
            let enrollment = self.enrollment(place).await?;
            let path = format!("/v1/schools/{}/enrollments/{enrollment}/correctIdentity", self.world.schools[place.school].code);
            let value = |pair: Option<&(String, Option<NaiveDate>)>| pair.map(|(value, _)| value.clone()).unwrap_or_default();
            let (kind, reason) = if person.mistyped { ("MISTYPED", "录入错误") } else { ("LAWFUL_CHANGE", "户口簿变更") };
            let body = json!({ "kind": kind, "effectiveDate": "2016-11-01", "name": value(name), "idNumber": value(number), "reason": reason });
            self.officer(place.school)?.post(&path, &body, &format!("correct {enrollment}")).await.map(drop)
        });
        corrected.await
    }

    /// A full sweep must find what the continuous driver keeps.
    async fn sweep(&self) -> anyhow::Result<()> {
        let run = text(&self.admin.post("/v1/reconciliations", &json!({}), "sweep").await?, "run")?;
        loop {
            let state = self.admin.get(&format!("/v1/reconciliations/{run}")).await?;
            match state["state"].as_str() {
                Some("DONE") => return Ok(()),
                Some("RUNNING") => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                _ => bail!("the sweep failed"),
            }
        }
    }

    async fn check(&mut self, manifest: &BTreeMap<&str, Vec<Expected>>, date: &str) -> anyhow::Result<()> {
        let Some(expected) = manifest.get(date) else { return Ok(()) };
        self.deployment.drain().await?;
        let found = open_flags(&self.admin).await?;
        self.checkpoints.push(Checkpoint { day: date.to_owned(), scores: compare(expected, &found) });
        fs::write(self.folder.join(format!("found-{date}.json")), serde_json::to_vec(&found)?)?;
        Ok(())
    }
}

/// Every flag that is open, as the gateway tells it.
pub async fn open_flags(session: &Session) -> anyhow::Result<Vec<Expected>> {
    let (mut found, mut page) = (Vec::new(), String::new());
    loop {
        let answer = session.get(&format!("/v1/flags?state=OPEN&pageSize=1000&pageToken={page}")).await?;
        for flag in answer["flags"].as_array().into_iter().flatten() {
            found.push(Expected {
                rule: text(flag, "rule")?,
                school: text(flag, "school")?,
                scheme: text(flag, "scheme")?,
                term: text(flag, "term")?,
                name: text(flag, "name")?,
                months: flag["months"].as_array().into_iter().flatten().filter_map(|month| i32::try_from(month.as_i64()?).ok()).collect(),
            });
        }
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
        if page.is_empty() {
            found.sort();
            return Ok(found);
        }
    }
}

async fn open(admin: &Session, account: &str, name: &str, role: &str, organisation: &str) -> anyhow::Result<Session> {
    let made = admin
        .post("/v1/accounts", &json!({ "account": account, "displayName": name, "role": role, "organisation": organisation }), &format!("account {account}"))
        .await?;
    let one_time = text(&made, "oneTimePassword")?;
    admin.with_log_in(account, &one_time).await?.change_password(&one_time, PASSWORD).await
}

fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    Ok(value[field].as_str().with_context(|| format!("the answer holds no {field}: {value}"))?.to_owned())
}

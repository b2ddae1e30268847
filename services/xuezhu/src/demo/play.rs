//! Plays two school years, day by day, and compares what is found with what must be.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::PathBuf,
    time::Instant,
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::json;

use super::{
    Score,
    accounts::Accounts,
    acts::{Desk, text},
    calendar::{day, days},
    compare,
    expect::{Expected, expected},
    faults::Fault,
    world::World,
};
use crate::{client::Session, deployment::Deployment};

/// What is done on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// The administrator enters schools and opens accounts.
    Desks,
    /// Schools upload, submit and attest students.
    Enter,
    /// Departments approve the students who are due.
    Approve,
    /// Schools upload and submit lists: they are shown publicly.
    Lists,
    /// Principals sign the lists that wait, departments approve them.
    ApproveLists,
    /// Schools and departments record what happened to places; schools determine hardship.
    Record,
    /// Departments correct identities.
    Correct,
    /// Clerks say whose classes are whose, and class teachers confirm who is there.
    Teachers,
    /// Everything is searched anew: this must find what is kept all along.
    Sweep,
    /// Found and expected are compared.
    Check,
    /// What is left on the desks when it ends: something to see for everybody.
    Leave,
    /// Of that, what was shown publicly is signed.
    LeaveSigned,
    /// Notices are shown on the web, somebody says something against one.
    Show,
    /// The department decides what was said.
    Settle,
    /// The department has lists of special groups.
    Groups,
    /// Who is on no list is sought.
    Seek,
    /// The first term is summed up.
    SumUp,
}

/// A day of the play: what is done, in order.
struct Step {
    day: &'static str,
    what: &'static str,
    acts: &'static [Act],
}

const fn step(day: &'static str, what: &'static str, acts: &'static [Act]) -> Step {
    Step { day, what, acts }
}

use Act::{Approve, ApproveLists, Check, Correct, Desks, Enter, Groups, Leave, LeaveSigned, Lists, Record, Seek, Settle, Show, SumUp, Sweep, Teachers};

/// Two school years.
const SCHEDULE: [Step; 32] = [
    step(days::ENTER, "schools and accounts", &[Desks]),
    step(days::ENTER, "students' workbooks", &[Enter]),
    step(days::LIST, "autumn's lists", &[Lists, Show, Check]),
    step(days::APPROVE, "departments approve, hardship is determined", &[Approve, Record, Check, Settle, ApproveLists, Groups]),
    step(days::LEAVE, "leaves and withdrawals", &[Record]),
    step(days::BACK, "returns", &[Record, Check]),
    step(days::CORRECT, "corrections, other classes, who never came", &[Correct, Record, Check]),
    step(days::MOVE, "moves between schools", &[Record, Enter, Approve, Check]),
    step(days::SUPPLEMENT, "supplementary lists", &[Lists, Check]),
    step(days::OVERDUE, "the lists are overdue, the supplementary ones are approved", &[Check, ApproveLists]),
    step(days::LATE, "late approvals", &[Approve, Check]),
    step(days::LATE_LEAVE, "what is recorded late", &[Record, Check]),
    step(days::SOUGHT, "who is on no list is sought", &[Seek]),
    step(days::SPRING, "spring's lists", &[Record, Lists, Check]),
    step(days::SPRING_SIGNED, "the spring's lists are approved", &[ApproveLists]),
    step(days::LATE_WITHDRAWAL, "withdrawals of December", &[Record, Check]),
    step(days::SPRING_OVERDUE, "the spring's lists are overdue", &[Check]),
    step(days::YEAR_END, "the end of the first year", &[Record, Sweep, Check, SumUp]),
    step(days::TURN, "other classes and majors", &[Record, Check]),
    step(days::TURN, "new students' workbooks", &[Enter]),
    step(days::NEXT_LIST, "the second autumn's lists", &[Lists, Show, Check]),
    step(days::NEXT_APPROVE, "departments approve the new students", &[Approve, Check, Settle, ApproveLists, Teachers]),
    step(days::NEVER_CAME, "who never came", &[Record, Check]),
    step(days::NEXT_MOVE, "who came elsewhere", &[Record, Enter, Approve, Check]),
    step(days::NEXT_SUPPLEMENT, "the second year's supplementary lists", &[Lists, Check]),
    step(days::NEXT_OVERDUE, "the second autumn's lists are overdue, the supplementary ones are approved", &[Check, ApproveLists]),
    step(days::LATE_RECORDS, "what is recorded late in the second year", &[Record, Check]),
    step(days::NEXT_SPRING, "the second spring's lists", &[Lists, Check]),
    step(days::TERM_LATE, "the second spring's lists are approved, approvals a term late", &[ApproveLists, Approve, Check]),
    step(days::NEXT_SPRING_OVERDUE, "the second spring's lists are overdue", &[Check]),
    step(days::END, "the end of the second year", &[Sweep, Check, Leave]),
    step(days::LEFT, "the next lists are signed", &[LeaveSigned]),
];

/// The days on which found and expected are compared.
pub fn checkpoints() -> impl Iterator<Item = &'static str> {
    SCHEDULE.iter().filter(|step| step.acts.contains(&Check)).map(|step| step.day)
}

/// How many steps a play takes, for a bar.
pub fn steps() -> u64 {
    SCHEDULE.len() as u64
}

/// What was found at a checkpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoint {
    /// Civil day.
    pub day: String,
    /// Scores by rule.
    pub scores: BTreeMap<String, Score>,
}

/// What the years showed.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Students.
    pub students: usize,
    /// Schools.
    pub schools: usize,
    /// Lines of award lists.
    pub lines: usize,
    /// Changes that were recorded one by one, by kind.
    pub acts: BTreeMap<&'static str, usize>,
    /// Faults planted, by kind.
    pub planted: Vec<(Fault, usize)>,
    /// Comparisons.
    pub checkpoints: Vec<Checkpoint>,
    /// Seconds from the first upload to the last comparison.
    pub seconds: f64,
    /// Where they went, by step.
    pub steps: Vec<(&'static str, f64)>,
}

impl Outcome {
    /// Whether every flag that had to be open was, and no other, at every checkpoint.
    pub fn is_exact(&self) -> bool {
        self.checkpoints.iter().all(|checkpoint| checkpoint.scores.values().all(Score::is_exact))
    }
}

/// A play under way.
pub(super) struct Play<'p> {
    pub deployment: &'p Deployment,
    pub world: &'p World,
    pub folder: PathBuf,
    pub desks: Vec<Desk>,
    pub officers: HashMap<String, Session>,
    pub admin: Session,
    /// Passwords of everybody.
    pub accounts: Accounts,
    /// Sees what is found in the whole province.
    pub overseer: Option<Session>,
    /// The head of the county's department.
    pub chief: Option<Session>,
    /// Lists that wait for approval, by school.
    pub lists: Vec<(usize, String)>,
    /// Submissions that wait for approval, by school.
    pub waiting: Vec<(usize, String, NaiveDate)>,
}

/// Plays the years. `admin` is the administrator's one-time password; the registry file must have been given to the
/// deployment before it started.
pub async fn play(deployment: &Deployment, world: &World, admin: &str, bar: ProgressBar) -> anyhow::Result<Outcome> {
    let folder = deployment.data().join("demo");
    fs::create_dir_all(folder.join("workbooks"))?;
    let manifest: BTreeMap<&str, Vec<Expected>> = checkpoints().map(|checkpoint| (checkpoint, expected(world, day(checkpoint)))).collect();
    let written = json!({ "planted": world.planted, "doubled": world.doubled, "clean": world.clean, "acts": world.acts(), "checkpoints": manifest });
    fs::write(folder.join("manifest.json"), serde_json::to_vec(&written)?)?;
    let base = format!("http://{}", deployment.http);
    let first = Session::log_in(&base, "admin", admin).await.context("the administrator's first log-in")?;
    let accounts = Accounts::default();
    let admin = first.change_password(admin, &accounts.password("admin")).await?;
    let mut play = Play {
        deployment,
        world,
        folder,
        desks: Vec::new(),
        officers: HashMap::new(),
        admin,
        accounts,
        overseer: None,
        chief: None,
        lists: Vec::new(),
        waiting: Vec::new(),
    };
    let (begun, mut checked, mut steps) = (Instant::now(), Vec::new(), Vec::new());
    bar.set_length(self::steps());
    for step in &SCHEDULE {
        bar.set_message(step.what);
        bar.inc(1);
        let since = Instant::now();
        deployment.step_to(day(step.day)).await?;
        for act in step.acts {
            match act {
                Check => checked.push(play.check(&manifest, step.day).await?),
                act => play.act(*act, step.day).await.with_context(|| format!("{} on {}", step.what, step.day))?,
            }
        }
        steps.push((step.what, since.elapsed().as_secs_f64()));
    }
    bar.finish_and_clear();
    play.accounts.keep(deployment.data())?;
    fs::write(play.folder.join("result.json"), serde_json::to_vec_pretty(&checked)?)?;
    Ok(Outcome {
        students: world.people.len(),
        schools: world.schools.len(),
        lines: world.claims.len(),
        acts: world.acts(),
        planted: world.planted.clone(),
        checkpoints: checked,
        seconds: begun.elapsed().as_secs_f64(),
        steps,
    })
}

impl Play<'_> {
    async fn act(&mut self, act: Act, date: &str) -> anyhow::Result<()> {
        match act {
            Desks => self.open_desks().await,
            Enter => self.enter(date).await,
            Approve => {
                self.approve(day(date)).await?;
                self.sign(day(date), "after approvals").await
            }
            Lists => self.upload_lists(date).await,
            ApproveLists => self.approve_lists(day(date)).await,
            Record => {
                self.record_events(day(date)).await?;
                self.determine(day(date)).await
            }
            Correct => self.correct().await,
            Teachers => self.assign_teachers().await,
            Sweep => self.sweep().await,
            Leave => self.leave().await,
            LeaveSigned => self.leave_signed().await,
            Show => self.show().await,
            Settle => self.settle().await,
            Groups => self.load_groups().await,
            Seek => self.seek().await,
            SumUp => self.sum_up().await,
            Check => Ok(()),
        }
    }

    /// A full sweep must find what the continuous driver keeps.
    async fn sweep(&self) -> anyhow::Result<()> {
        let run = text(&self.admin.post("/v1/reconciliations", &json!({}), &format!("sweep {}", self.deployment.today())).await?, "run")?;
        loop {
            let state = self.admin.get(&format!("/v1/reconciliations/{run}")).await?;
            match state["state"].as_str() {
                Some("DONE") => return Ok(()),
                Some("RUNNING") => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
                _ => bail!("the sweep failed"),
            }
        }
    }

    async fn check(&self, manifest: &BTreeMap<&str, Vec<Expected>>, date: &str) -> anyhow::Result<Checkpoint> {
        self.deployment.drain().await?;
        let found = open_flags(self.overseer.as_ref().context("nobody oversees the province")?).await?;
        fs::write(self.folder.join(format!("found-{date}.json")), serde_json::to_vec(&found)?)?;
        let expected = manifest.get(date).context("a comparison that the manifest does not know")?;
        Ok(Checkpoint { day: date.to_owned(), scores: compare(expected, &found) })
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

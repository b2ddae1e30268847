//! What schools, departments and the administrator do in the play: through the gateway, on files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use anyhow::{Context, bail};
use chrono::NaiveDate;
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::Url;
use serde_json::{Value, json};
use xuezhu_domain::{Season, Term};

use super::{
    accounts::Accounts,
    book,
    calendar::{AUTUMN, TERMS, day},
    make::{COUNTY, PROVINCE},
    people,
    play::Play,
    world::{Change, Claim, Event, Level, Person, Place},
};
use crate::client::Session;

/// Classes that a teacher has.
const CLASSES: usize = 2;
/// Requests under way at once.
const AT_ONCE: usize = 4;

/// Students with the places that a workbook enters.
type Rows<'w> = Vec<(&'w Person, &'w Place)>;

/// Who works at a school.
pub(super) struct Desk {
    pub clerk: Session,
    pub principal: Session,
}

impl Play<'_> {
    pub async fn open_desks(&mut self) -> anyhow::Result<()> {
        for school in &self.world.schools {
            let majors: Vec<Value> = school.majors.iter().map(|major| json!({ "catalogue": major.catalogue, "code": major.code })).collect();
            let body = json!({ "code": school.code, "name": school.name, "region": school.region, "kind": if school.is_private { "PRIVATE" } else { "PUBLIC" }, "authority": school.authority, "majors": majors,
                        "telephone": telephone(&school.code) });
            self.admin.post("/v1/schools", &body, &format!("school {}", school.code)).await?;
        }
        let authorities: BTreeSet<&str> = self.world.schools.iter().map(|school| school.authority.as_str()).collect();
        for authority in &authorities {
            let body = json!({ "telephone": telephone(authority) });
            self.admin.post(&format!("/v1/offices/{authority}"), &body, &format!("office {authority}")).await?;
        }
        let (admin, accounts) = (&self.admin, &self.accounts);
        let schools = stream::iter(self.world.schools.iter().enumerate()).map(|(index, school)| async move {
            let clerk = open((admin, accounts), &format!("clerk{}", index + 1), "SCHOOL_CLERK", &school.code).await?;
            let principal = open((admin, accounts), &format!("head{}", index + 1), "PRINCIPAL", &school.code).await?;
            Ok::<_, anyhow::Error>(Desk { clerk, principal })
        });
        self.desks = schools.buffered(AT_ONCE).try_collect().await?;
        let officers = stream::iter(authorities).map(|authority| async move {
            let session = open((admin, accounts), &format!("officer{authority}"), "DEPARTMENT_OFFICER", authority).await?;
            Ok::<_, anyhow::Error>((authority.to_owned(), session))
        });
        self.officers = officers.buffered(AT_ONCE).try_collect().await?;
        for authority in self.officers.keys() {
            let chief = open((&self.admin, &self.accounts), &format!("chief{authority}"), "AUTHORITY_HEAD", authority).await?;
            if authority == COUNTY {
                self.chief = Some(chief);
            }
        }
        let province = format!("{PROVINCE}0000");
        self.overseer = Some(open((&self.admin, &self.accounts), &format!("overseer{province}"), "SUPERVISOR", &province).await?);
        Ok(())
    }

    /// A teacher at each school has its largest classes, and confirms who is in them.
    pub async fn assign_teachers(&self) -> anyhow::Result<()> {
        for (index, (school, desk)) in self.world.schools.iter().zip(&self.desks).enumerate() {
            let at = format!("/v1/schools/{}", school.code);
            let account = format!("teacher{}", index + 1);
            let teacher = open((&self.admin, &self.accounts), &account, "CLASS_TEACHER", &school.code).await?;
            let answer = desk.clerk.get(&format!("{at}/classes")).await?;
            let mut classes: Vec<(i64, String)> = answer["classes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|class| Ok((class["students"].as_i64().unwrap_or(0), text(class, "name")?)))
                .collect::<anyhow::Result<_>>()?;
            classes.retain(|(students, _)| *students > 0);
            classes.sort_by(|a, b| b.cmp(a));
            classes.dedup_by(|a, b| a.1 == b.1);
            for (nth, (_, class)) in classes.iter().take(CLASSES).enumerate() {
                let body = json!({ "className": class, "account": account, "fromDate": self.deployment.today().to_string() });
                desk.clerk.post(&format!("{at}/classTeachers"), &body, &format!("class {nth} of {account}")).await?;
                let mut list = Url::parse("http://list/")?;
                list.query_pairs_mut().append_pair("className", class);
                let list = teacher.get(&format!("{at}/classList?{}", list.query().unwrap_or_default())).await?;
                if list["count"] != 0 {
                    let body = json!({ "className": class, "digest": list["digest"], "count": list["count"] });
                    teacher.post(&format!("{at}/classConfirmations"), &body, &format!("confirm class {nth} of {account}")).await?;
                }
            }
        }
        Ok(())
    }

    /// Uploads, submits and attests what is entered on a day; rows that are approved later lie in submissions of their own.
    pub async fn enter(&mut self, date: &str) -> anyhow::Result<()> {
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

    pub async fn approve(&mut self, date: NaiveDate) -> anyhow::Result<()> {
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

    /// Uploads and submits the lists of a day, one school after the other: who uploads first wins a tie.
    pub async fn upload_lists(&mut self, date: &str) -> anyhow::Result<()> {
        let mut batches: BTreeMap<(usize, &str, &str), Vec<&Claim>> = BTreeMap::new();
        for claim in self.world.claims.iter().filter(|claim| claim.uploaded == day(date)) {
            batches.entry((claim.school, claim.scheme.as_str(), claim.term.name)).or_default().push(claim);
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
        desk.clerk.post(&format!("{path}/submit"), &json!({}), &format!("submit {list}")).await.map(drop)
    }

    /// The principal signs what was shown publicly for long enough.
    async fn attest(&self, school: usize, list: &str) -> anyhow::Result<()> {
        let principal = &self.desks[school].principal;
        let path = format!("/v1/schools/{}/awardLists/{list}", self.world.schools[school].code);
        let shown = principal.get(&path).await?;
        principal.post(&format!("{path}/attest"), &json!({ "digest": shown["digest"] }), &format!("attest {list}")).await.map(drop)
    }

    pub async fn approve_lists(&mut self, date: NaiveDate) -> anyhow::Result<()> {
        self.sign(date, "before the lists are signed").await?;
        let lists = std::mem::take(&mut self.lists);
        let this = &*self;
        let approved = stream::iter(lists).map(Ok::<_, anyhow::Error>).try_for_each_concurrent(AT_ONCE, |(index, list)| async move {
            let officer = this.officer(index)?;
            this.attest(index, &list).await?;
            let path = format!("/v1/schools/{}/awardLists/{list}", this.world.schools[index].code);
            let shown = officer.get(&path).await?;
            officer.post(&format!("{path}/approve"), &json!({ "digest": shown["digest"] }), &format!("approve {list}")).await.map(drop)
        });
        approved.await
    }

    /// Schools record what students signed for the terms whose lists were begun by a day: who does not want the grant, then that all others ask
    /// for it.
    pub async fn sign(&self, date: NaiveDate, when: &str) -> anyhow::Result<()> {
        self.deployment.drain().await?;
        let begun = TERMS.into_iter().filter(|term| day(term.listed) <= date);
        if day(AUTUMN.listed) <= date {
            for person in self.world.people.iter().filter(|person| person.waives) {
                let place = &person.places[0];
                let (code, desk) = (&self.world.schools[place.school].code, &self.desks[place.school]);
                let body = json!({ "scheme": "GRANT", "term": AUTUMN.name, "kind": "WAIVER", "signer": "BOTH", "signedDate": AUTUMN.listed, "persons": [text(&self.row(place).await?, "person")?] });
                desk.clerk.post(&format!("/v1/schools/{code}/statements"), &body, &format!("waiver of {}", place.school_number)).await?;
            }
        }
        for term in begun {
            self.sign_all(term.name, date, when).await?;
        }
        Ok(())
    }

    /// At every school all who said nothing yet ask for the grant of a term.
    async fn sign_all(&self, term: &str, date: NaiveDate, when: &str) -> anyhow::Result<()> {
        let schools = self.world.schools.iter().zip(&self.desks);
        let signed = stream::iter(schools).map(Ok::<_, anyhow::Error>).try_for_each_concurrent(AT_ONCE, |(school, desk)| async move {
            let body = json!({ "scheme": "GRANT", "term": term, "kind": "APPLICATION", "signer": "BOTH", "signedDate": date.to_string() });
            desk.clerk
                .post(&format!("/v1/schools/{}/statements", school.code), &body, &format!("applications of {} {term} {date} {when}", school.code))
                .await
                .map(drop)
        });
        signed.await
    }

    /// Id of the enrollment at a place, by the school's own number.
    async fn enrollment(&self, place: &Place) -> anyhow::Result<String> {
        text(&self.row(place).await?, "enrollment")
    }

    /// The enrollment at a place.
    async fn row(&self, place: &Place) -> anyhow::Result<Value> {
        let (school, desk) = (&self.world.schools[place.school], &self.desks[place.school]);
        let found = desk.clerk.get(&format!("/v1/schools/{}/enrollments?query={}", school.code, place.school_number)).await?;
        let rows = found["enrollments"].as_array().context("no enrollments")?;
        rows.iter().find(|row| row["schoolNumber"] == place.school_number.as_str()).cloned().context("a student can't be found by the school's number")
    }

    /// Records what is due, one act after the other where it is of one place.
    pub async fn record_events(&self, recorded: NaiveDate) -> anyhow::Result<()> {
        let places = self.world.people.iter().flat_map(|person| &person.places);
        let due = places.map(|place| (place, place.events.iter().filter(|event| event.recorded == recorded).collect::<Vec<_>>()));
        stream::iter(due.filter(|(_, events)| !events.is_empty()))
            .map(Ok::<_, anyhow::Error>)
            .try_for_each_concurrent(AT_ONCE, |(place, events)| async move {
                let enrollment = self.enrollment(place).await?;
                for event in events {
                    self.record(place, &enrollment, event).await?;
                }
                Ok(())
            })
            .await
    }

    /// Schools determine the levels that are due: each school's in one dossier, which its principal signs.
    pub async fn determine(&self, recorded: NaiveDate) -> anyhow::Result<()> {
        let mut due: BTreeMap<usize, Vec<(&Place, &Level)>> = BTreeMap::new();
        for person in &self.world.people {
            for level in person.levels.iter().filter(|level| level.recorded == recorded) {
                due.entry(person.places[0].school).or_default().push((&person.places[0], level));
            }
        }
        if due.is_empty() {
            return Ok(());
        }
        // Who was approved today is known to aid by then.
        self.deployment.drain().await?;
        let determined = stream::iter(due).map(Ok::<_, anyhow::Error>).try_for_each_concurrent(AT_ONCE, |(index, levels)| async move {
            let (school, desk) = (&self.world.schools[index], &self.desks[index]);
            let path = format!("/v1/schools/{}/hardship", school.code);
            let term = Term::of(recorded);
            let school_year = if term.season() == Season::Autumn { term.year() } else { term.year() - 1 };
            let count = levels.len();
            for (place, level) in levels {
                let person = text(&self.row(place).await?, "person")?;
                let mut body = json!({ "person": person, "schoolYear": school_year, "fromDate": level.from.to_string() });
                if level.is_one {
                    body["level"] = json!("困难");
                    body["family"] = json!({ "members": 4, "dependants": 1, "earners": 1, "incomeFen": "46000", "incomeSource": "务农", "cause": "家中有人常年患病", "pledged": true });
                }
                desk.clerk.post(&path, &body, &format!("level of {} {recorded}", place.school_number)).await?;
            }
            let body = json!({ "schoolYear": school_year, "count": count, "reason": "班级评议、家访核实，学校认定工作组审定" });
            let dossier = desk.clerk.post(&format!("{path}/submit"), &body, &format!("levels of {} {recorded}", school.code)).await?;
            let sign = format!("/v1/aidDossiers/{}/sign", text(&dossier, "dossier")?);
            desk.principal.post(&sign, &json!({ "digest": dossier["digest"] }), &format!("sign levels of {} {recorded}", school.code)).await.map(drop)
        });
        determined.await
    }

    async fn record(&self, place: &Place, enrollment: &str, event: &Event) -> anyhow::Result<()> {
        let clerk = &self.desks[place.school].clerk;
        let dated = |reason: &str, more: Value| {
            let mut body = json!({ "effectiveDate": event.effective.to_string(), "reason": reason });
            if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
                body.extend(more);
            }
            body
        };
        let (desk, verb, body) = match &event.change {
            Change::Leave => (clerk, "leave", dated("因病休学，有医院证明", json!({}))),
            Change::Return => (clerk, "return", dated("病愈复学", json!({}))),
            Change::Withdraw => (clerk, "withdraw", dated("本人和家长申请退学", json!({}))),
            Change::Class(class) => (clerk, "changeClass", dated("年级合班", json!({ "className": class }))),
            Change::Major(major, class) => (clerk, "changeMajor", dated("本人申请转专业", json!({ "major": major.key(), "className": class }))),
            Change::NeverCame => (self.officer(place.school)?, "neverCame", json!({ "reason": "学校书面说明：未报到" })),
        };
        let path = format!("/v1/schools/{}/enrollments/{enrollment}/{verb}", self.world.schools[place.school].code);
        let id = format!("{verb} {enrollment} {}", event.effective);
        desk.post(&path, &body, &id).await.map(drop).with_context(|| format!("{verb} of {} from {}", place.school_number, event.effective))
    }

    pub async fn correct(&self) -> anyhow::Result<()> {
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
}

/// The telephone of an office, which nobody has.
fn telephone(organisation: &str) -> String {
    format!("0731-8{:0>7}", organisation.get(organisation.len().saturating_sub(6)..).unwrap_or_default())
}

/// Who has the next term's list of a school when the years end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Clerk,
    Principal,
    Department,
    SentBack,
}

impl Play<'_> {
    /// What is left on the desks: flags that are explained, confirmed, cleared, and lists of the next term, school by school a step further.
    pub async fn leave(&mut self) -> anyhow::Result<()> {
        let stands = [Left::Clerk, Left::Principal, Left::Department, Left::SentBack];
        let mut to_attest = Vec::new();
        for (index, (school, desk)) in self.world.schools.iter().zip(&self.desks).enumerate() {
            self.leave_flags(index).await.with_context(|| format!("flags of {}", school.code))?;
            let list = self.leave_list(&school.code, desk, stands[index % stands.len()]).await.with_context(|| format!("the next list of {}", school.code))?;
            to_attest.extend(list.map(|list| (index, list)));
        }
        self.lists = to_attest;
        self.deployment.drain().await
    }

    /// What was left to the departments is signed, once it was shown publicly for long enough.
    pub async fn leave_signed(&mut self) -> anyhow::Result<()> {
        let today = self.deployment.today();
        self.sign_all(&Term::of(today).next().to_string(), today, "at last").await?;
        for (index, list) in std::mem::take(&mut self.lists) {
            self.attest(index, &list).await?;
        }
        self.deployment.drain().await
    }

    async fn leave_flags(&self, index: usize) -> anyhow::Result<()> {
        let (desk, officer) = (&self.desks[index], self.officer(index)?);
        let found = desk.clerk.get("/v1/flags?state=OPEN&pageSize=3").await?;
        let said = ["经核对，是录入时写错了，已请主管部门更正。", "该生已转出，名单未及时更新。", "户籍材料已补交，请核对。"];
        for (nth, flag) in found["flags"].as_array().into_iter().flatten().enumerate() {
            let path = format!("/v1/flags/{}", text(flag, "flag")?);
            desk.clerk.post(&format!("{path}/explain"), &json!({ "text": said[nth % said.len()] }), &format!("explain {path}")).await?;
            match nth {
                1 => officer.post(&format!("{path}/confirm"), &json!({ "reason": "核查属实，不予发放" }), &format!("confirm {path}")).await.map(drop)?,
                2 => officer.post(&format!("{path}/clear"), &json!({ "reason": "材料齐全，予以排除" }), &format!("clear {path}")).await.map(drop)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The list, where the principal is to sign it.
    async fn leave_list(&self, school: &str, desk: &Desk, left: Left) -> anyhow::Result<Option<String>> {
        let term = Term::of(self.deployment.today()).next().to_string();
        let lists = format!("/v1/schools/{school}/awardLists");
        let list = text(&desk.clerk.post(&lists, &json!({ "scheme": "GRANT", "term": term }), &format!("next list of {school}")).await?, "list")?;
        let path = format!("{lists}/{list}");
        let added = desk.clerk.post(&format!("{path}/propose"), &json!({}), &format!("propose {list}")).await?["added"].clone();
        if left == Left::Clerk || added == 0 {
            return Ok(None);
        }
        desk.clerk.post(&format!("{path}/submit"), &json!({}), &format!("submit {list}")).await?;
        match left {
            Left::Department => Ok(Some(list)),
            Left::SentBack => {
                desk.principal.post(&format!("{path}/sendBack"), &json!({ "reason": "档次与认定结果不符" }), &format!("back {list}")).await?;
                Ok(None)
            }
            Left::Principal | Left::Clerk => Ok(None),
        }
    }
}

async fn open((admin, accounts): (&Session, &Accounts), account: &str, role: &str, organisation: &str) -> anyhow::Result<Session> {
    let name = people::staff(organisation, account);
    let made = admin
        .post("/v1/accounts", &json!({ "account": account, "displayName": name, "role": role, "organisation": organisation }), &format!("account {account}"))
        .await?;
    let one_time = text(&made, "oneTimePassword")?;
    admin.with_log_in(account, &one_time).await?.change_password(&one_time, &accounts.password(account)).await
}

/// A text of an answer.
pub(super) fn text(value: &Value, field: &str) -> anyhow::Result<String> {
    Ok(value[field].as_str().with_context(|| format!("the answer holds no {field}: {value}"))?.to_owned())
}

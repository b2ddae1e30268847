//! 学生声明: what students signed of a scheme and term, that they ask for it, or do not want it. Whoever judges reads what stands through the view
//! `standing_statements`: an application lies with an entry that is signed, a waiver answers an omission.

pub mod api;
pub mod rules;
mod store;

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{Days, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::{Term, codes, text};
use xuezhu_judge::{case::StatementKind, policy::scheme::Paper};
use xuezhu_proto::aid::{self as pb, statement};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Refusal};
use xuezhu_store::{Hex, Tx};

use self::{
    rules::{Signer, State},
    store::{About, NewStatement, SaidRow, StudentRow},
};
use crate::{Parts, asked, mirror, policy, reconciliation};

/// Longest word about why a statement was taken off, in characters.
const REASON: usize = 500;

/// What is recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    school: String,
    scheme: String,
    term: String,
    kind: StatementKind,
    signer: Signer,
    signed_date: String,
    /// None for all of the class.
    persons: HashSet<Uuid>,
    /// Empty for all of the school.
    class_name: String,
    /// How many without a statement were seen.
    seen: i32,
}

/// When somebody is on the roll for a term: in it, as far as it has come; of one that has not begun, on its first day.
fn within(term: Term, today: NaiveDate) -> [NaiveDate; 2] {
    let first = term.first_day();
    [first, (today + Days::new(1)).clamp(first + Days::new(1), term.end())]
}

/// Students of a class, or of the school, and what they said of a scheme in a term.
async fn roll(
    tx: &mut Tx,
    school: &str,
    class_name: &str,
    (scheme, term): (&str, Term),
    today: NaiveDate,
) -> Result<Vec<(StudentRow, Option<SaidRow>)>, Error> {
    let generation = mirror::state(tx).await?.generation;
    let mut students = store::roll(tx, generation, school, within(term, today)).await?;
    // A person who was in two classes, or has two numbers of now, is one student, of the last class.
    let mut met = HashSet::new();
    students.retain(|student| met.insert(student.person));
    students.retain(|student| class_name.is_empty() || student.class_name == class_name);
    students.sort_by(|a, b| (&a.class_name, &a.name, a.person).cmp(&(&b.class_name, &b.name, b.person)));
    let said = store::said(tx, generation, school, (scheme, &term.to_string()), true).await?;
    let mut said: HashMap<Uuid, SaidRow> = said.into_iter().filter_map(|row| row.person.map(|person| (person, row))).collect();
    let beside = |student: StudentRow| {
        let said = said.remove(&student.person);
        (student, said)
    };
    Ok(students.into_iter().map(beside).collect())
}

/// Records what students signed.
pub async fn record(ctx: &Context, tx: &mut Tx, parts: &Parts, recorded: &Recorded) -> Result<pb::RecordStatementsResponse, Error> {
    let school = mirror::school_for(ctx, tx, &recorded.school, Permission::EnterForSchool).await?;
    let mut errors = FieldErrors::default();
    let asked = policy::asked(&parts.policies.now(), &recorded.scheme, &recorded.term, &mut errors);
    let signed = errors.date("signed_date", &recorded.signed_date);
    rules::check_named(&mut errors, recorded.kind, recorded.persons.len());
    if let (Some((_, term)), Some(signed)) = (asked, signed) {
        rules::check_day(&mut errors, signed, term, ctx.today());
    }
    errors.check()?;
    let (Some((scheme, term)), Some(signed_day)) = (asked, signed) else { return Err(Error::Internal("a field is missing and not told".into())) };
    let about = (scheme.as_str(), term);
    let students = async |tx: &mut Tx| roll(tx, &school.school, &recorded.class_name, about, ctx.today()).await;
    // Two who record for one student at once take turns.
    let keys: HashSet<Uuid> = students(tx).await?.into_iter().filter(|(student, _)| recorded.means(student)).map(|(student, _)| student.person_key).collect();
    reconciliation::lock_keys(tx, &keys.iter().copied().collect::<Vec<_>>()).await?;
    let meant: Vec<(StudentRow, Option<SaidRow>)> = students(tx).await?.into_iter().filter(|(student, _)| keys.contains(&student.person_key)).collect();
    recorded.all_met(&meant)?;
    recorded.signed_by_who_may(&meant, signed_day)?;
    let mut answer = pb::RecordStatementsResponse::default();
    let (mut new, mut replaced, mut touched) = (Vec::new(), Vec::new(), Vec::new());
    for (student, said) in &meant {
        match said {
            Some(said) if said.kind == recorded.kind || recorded.persons.is_empty() => {
                answer.unchanged += 1;
                continue;
            }
            Some(said) => {
                replaced.push(said.statement);
                touched.push(said.person_key);
                answer.replaced += 1;
            }
            None => {}
        }
        touched.push(student.person_key);
        new.push(NewStatement {
            statement: Hex(ctx.new_id()),
            person_key: Hex(student.person_key),
            name: student.name.clone(),
            name_comparable: student.name_comparable.clone(),
        });
    }
    answer.recorded = i32::try_from(new.len()).unwrap_or(i32::MAX);
    Refusal::unless_seen(recorded.seen, new.len())?;
    if new.is_empty() {
        return Ok(answer);
    }
    store::end(ctx, tx, &replaced, State::Replaced, "").await?;
    let term = term.to_string();
    let about = About { school: &school.school, scheme: scheme.as_str(), term: &term, kind: recorded.kind, signer: recorded.signer, signed_day };
    store::insert(ctx, tx, &about, &new).await?;
    reconciliation::judge_keys(ctx, tx, parts, &touched, "statement").await?;
    Ok(answer)
}

impl Recorded {
    fn means(&self, student: &StudentRow) -> bool {
        self.persons.is_empty() || self.persons.contains(&student.person)
    }

    /// A waiver of who is not of age is signed by a guardian too.
    fn signed_by_who_may(&self, meant: &[(StudentRow, Option<SaidRow>)], signed: NaiveDate) -> Result<(), Error> {
        let minors = meant.iter().filter(|(student, _)| rules::needs_guardian(self.kind, self.signer, student.birth_date, signed)).count();
        let mut errors = FieldErrors::default();
        if minors > 0 {
            errors.add("signer", format!("其中{minors}人签字当天未满18周岁，自愿放弃须由监护人共同签字"));
        }
        errors.check()
    }

    /// Refuses whoever was named and is not on the roll: nobody is left out unsaid.
    fn all_met(&self, meant: &[(StudentRow, Option<SaidRow>)]) -> Result<(), Error> {
        let mut errors = FieldErrors::default();
        let met: HashSet<Uuid> = meant.iter().map(|(student, _)| student.person).collect();
        let strangers = self.persons.difference(&met).count();
        if strangers > 0 {
            errors.add("persons", format!("其中{strangers}人该学期不在本校（或该班）的学籍中，请刷新后重新选择"));
        }
        if meant.is_empty() && self.persons.is_empty() {
            errors.add("class_name", "该学期没有学生在这个班，请刷新后重新选择班级");
        }
        errors.check()
    }
}

/// Takes a statement off.
pub async fn withdraw(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, statement: Uuid, reason: &str) -> Result<pb::Statement, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await?;
    let mut errors = FieldErrors::default();
    let reason = errors.text("reason", reason, REASON);
    errors.check()?;
    let row = store::standing(tx, &school.school, statement).await?.ok_or_else(|| Refusal::not_found("该声明（或已撤销）"))?;
    if store::end(ctx, tx, &[statement], State::Withdrawn, &reason.unwrap_or_default()).await? == 0 {
        return Err(Refusal::wrong_state("该声明刚刚被撤销").into());
    }
    reconciliation::judge_keys(ctx, tx, parts, &[row.person_key], "statement").await?;
    Ok(pb::Statement { name: row.name.clone(), ..told(&row) })
}

/// Who signed what: of a class, or how many of each.
pub async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListStatementsRequest) -> Result<pb::ListStatementsResponse, Error> {
    let school = mirror::school_for(ctx, tx, &request.school, Permission::ReadSchool).await?;
    let mut errors = FieldErrors::default();
    let policies = parts.policies.now();
    let term = asked::term(ctx, &request.term, &mut errors);
    let scheme = policy::scheme_asked(&policies, request.scheme.trim(), &mut errors);
    errors.check()?;
    let (scheme, term) = scheme.zip(term).ok_or_else(|| Error::Internal("a field is missing and not told".into()))?;
    let class_name = text::clean(&request.class_name);
    let rows = roll(tx, &school.school, "", (scheme.as_str(), term), ctx.today()).await?;
    let mut classes: BTreeMap<&str, pb::StatementClass> = BTreeMap::new();
    for (student, said) in &rows {
        let class = classes.entry(&student.class_name).or_default();
        class.students += 1;
        match said.as_ref().map(|said| said.kind) {
            Some(StatementKind::Application) => class.applications += 1,
            Some(StatementKind::Waiver) => class.waivers += 1,
            None => {}
        }
    }
    let classes = classes.into_iter().map(|(name, class)| pb::StatementClass { class_name: name.to_owned(), ..class }).collect();
    let of_class = rows.iter().filter(|(student, _)| !class_name.is_empty() && student.class_name == class_name);
    let statements = of_class.map(|(student, said)| pb::Statement {
        person: student.person.to_string(),
        name: student.name.clone(),
        class_name: student.class_name.clone(),
        major_name: codes::major_of_key(&student.major).map_or("", |major| major.name).to_owned(),
        ..said.as_ref().map(told).unwrap_or_default()
    });
    let former = match class_name.as_str() {
        "" => Vec::new(),
        class => {
            let of_class: HashMap<Uuid, &StudentRow> =
                rows.iter().filter(|(student, _)| student.class_name == class).map(|(student, _)| (student.person, student)).collect();
            let generation = mirror::state(tx).await?.generation;
            let ended = store::said(tx, generation, &school.school, (scheme.as_str(), &term.to_string()), false).await?;
            let of = |row: &SaidRow| {
                let student = of_class.get(&row.person?)?;
                Some(pb::Statement { person: student.person.to_string(), name: row.name.clone(), class_name: student.class_name.clone(), ..told(row) })
            };
            ended.iter().rev().filter_map(of).collect()
        }
    };
    let asks = policies.on(ctx.today()).policy.scheme(scheme).is_some_and(|scheme| scheme.asks.contains(&Paper::Application));
    Ok(pb::ListStatementsResponse {
        scheme_code: scheme.as_str().to_owned(),
        scheme_name: policies.scheme_name(scheme).to_owned(),
        term: term.to_string(),
        asked: asks,
        statements: statements.collect(),
        classes,
        former,
    })
}

/// What was said.
fn told(row: &SaidRow) -> pb::Statement {
    pb::Statement {
        statement: row.statement.to_string(),
        kind: statement::Kind::try_from(row.kind.code()).unwrap_or_default().into(),
        signer: statement::Signer::try_from(row.signer.code()).unwrap_or_default().into(),
        signed_date: row.signed_day.to_string(),
        record_date: row.recorded_day.to_string(),
        recorded_by: row.recorded_by_name.clone(),
        end_date: row.ended_day.map(|day| day.to_string()).unwrap_or_default(),
        ended_by: row.ended_by_name.clone(),
        end_reason: row.reason.clone(),
        scheme_code: row.scheme.clone(),
        term: row.term.clone(),
        ..pb::Statement::default()
    }
}

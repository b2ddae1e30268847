//! Reconciliation: two drivers of one judge. The *continuous* driver judges whom a batch of changes or a list touched, in
//! the same transaction; the *full sweep* selects suspects set-based and judges those, and every open flag.
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`desk`] | what people do with flags |
//! | `keys` | keys, their locks, and what is held against whom |
//! | `load` | makes cases of rows |
//! | `marks` | who is to be judged again |
//! | [`sweep`] | the full sweep, and what time alone changes |
//!
//! The judge itself, and how to add a rule, is [`xuezhu_judge`].

pub mod api;
pub mod desk;
mod keys;
mod load;
mod marks;
mod store;
pub mod sweep;

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;
use xuezhu_bridge::keeping::State;
use xuezhu_domain::text::{holds_long_number, mask_long_numbers};
use xuezhu_judge::{
    case::{Evidence, Finding, PersonCase, Rule, Subject},
    cause::Cause,
    digest,
    life::{self, Found, Step},
    rules,
};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Actor, Context, Error, clock::rfc3339};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

use self::{
    keys::LockedKey,
    load::KeyRow,
    marks::RejudgeRow,
    store::{JudgedFlag, KnownFlag, NewFlag, NewStep},
};
// What other capabilities may ask.
pub(crate) use self::{
    keys::{carry_subjects, lock_keys, person_subjects, subjects},
    load::{Attending, keys_at_school, keys_of_class, keys_of_person, keys_of_persons},
    marks::{mark_differences, mark_schools, marked_entries},
    store::{Filter, FlagRow, counts_by_rule, flagged_entries, flags, flags_of_list, held_entries},
};
use crate::{
    Parts, mirror,
    register::{self, Heard},
};

/// What a flag about a school as a whole shows for a name.
const WHOLE_SCHOOL: &str = "全校";

/// Keys that are judged in one transaction by sweeps and wakes.
pub const CHUNK_KEYS: usize = 500;

/// Judges everyone whom these keys touch and writes what changed; returns how many cases were judged.
///
/// Whoever judges locks all keys of the case in sorted order, reads, and if the set grew, locks again; then writes.
/// Otherwise a list and a withdrawal that commit together would each miss the other.
pub async fn judge_keys(ctx: &Context, tx: &mut Tx, parts: &Parts, touched: &[Uuid], driver: &'static str) -> Result<usize, Error> {
    let mirror = mirror::held_state(tx).await?;
    judge_keys_at(ctx, tx, parts, &mirror, touched, driver).await
}

/// The same on a mirror that is held already.
pub async fn judge_keys_at(ctx: &Context, tx: &mut Tx, parts: &Parts, mirror: &State, touched: &[Uuid], driver: &'static str) -> Result<usize, Error> {
    if touched.is_empty() {
        return Ok(0);
    }
    let mut keys: Vec<Uuid> = touched.to_vec();
    let (locked, bonds): (Vec<LockedKey>, Vec<KeyRow>) = loop {
        keys.sort_unstable();
        keys.dedup();
        let locked = keys::lock_keys(tx, &keys).await?;
        let held: HashSet<Uuid> = locked.iter().map(|lock| lock.person_key).collect();
        let unknown: Vec<(Uuid, Uuid)> = keys.iter().filter(|key| !held.contains(key)).map(|key| (*key, ctx.new_id())).collect();
        if !unknown.is_empty() {
            keys::know_keys(tx, &unknown).await?;
            continue;
        }
        let before = keys.len();
        let bonds = load::bonds_beside(tx, mirror.generation, &keys).await?;
        keys.extend(bonds.iter().map(|bond| bond.person_key));
        keys.sort_unstable();
        keys.dedup();
        if keys.len() == before {
            break (locked, bonds);
        }
    };
    let subjects: HashMap<Uuid, Uuid> = locked.iter().map(|lock| (lock.person_key, lock.subject)).collect();
    let noted = locked.iter().any(|lock| lock.noted);
    let of_persons = subjects_of_persons(ctx, tx, &bonds, &subjects).await?;
    let mut cases = load::cases(tx, mirror.generation, &keys, bonds, &subjects, &of_persons).await?;
    let mut policies = parts.policies.now();
    // A list that another process opened may go by a version that this one has not heard of.
    if cases.iter().flat_map(|(_, case)| &case.claims).any(|claim| claim.policy > policies.newest().number) {
        policies = parts.policies.fresh(tx).await?;
    }
    if policies.tells_schools_apart() {
        load::schools(tx, mirror.generation, &mut cases).await?;
    }
    for (_, case) in &mut cases {
        case.claims.retain(|claim| !claim.months.is_empty());
    }
    let mut known = Known::read(tx, mirror.generation, &subjects, &of_persons).await?;
    let mut changes = Changes::default();
    for (case_keys, case) in &cases {
        let judgement = rules::judge(case, &policies, ctx.today());
        changes.compare(ctx, case, &judgement.findings, known.of_case(case_keys, case, &subjects));
        if let (Some(at_day), Some(key)) = (judgement.rejudge_at, case_keys.first()) {
            changes.rejudge.push(RejudgeRow { person_key: Hex(*key), at_day });
        }
    }
    changes.write(ctx, tx, mirror.position).await?;
    marks::settle_keys(tx, &keys, noted, &changes.rejudge).await?;
    metrics::counter!("xuezhu_judged_persons_total", "driver" => driver).increment(cases.len() as u64);
    Ok(cases.len())
}

/// Compares what was found of a school as a whole with the flags that are there, and writes what changed: of whichever term a flag is, it closes
/// where nothing is found any more.
pub(crate) async fn settle_school(ctx: &Context, tx: &mut Tx, parts: &Parts, mirror: &State, school: &str, finding: Option<Finding>) -> Result<(), Error> {
    let policies = parts.policies.now();
    let finding = finding.filter(|finding| policies.judges_by(finding.rule, ctx.today()));
    let known = store::known_flags(tx, mirror.generation, &[Subject::of_school(school)]).await?;
    let mut changes = Changes::default();
    changes.compare(ctx, &PersonCase::default(), finding.as_slice(), known);
    changes.write(ctx, tx, mirror.position).await
}

/// Flags that are there, by what they are held against.
///
/// A number and a person may have one subject: a ghost's, who became somebody. A source that was rebuilt may part them again,
/// in two cases. Then what is said about entries belongs to the number they were made under, and what is missing to the person.
struct Known {
    of_entries: HashMap<Uuid, Vec<KnownFlag>>,
    omissions: HashMap<Uuid, Vec<KnownFlag>>,
}

impl Known {
    async fn read(tx: &mut Tx, generation: i64, of_keys: &HashMap<Uuid, Uuid>, of_persons: &HashMap<Uuid, Uuid>) -> Result<Self, StoreError> {
        let mut all: Vec<Uuid> = of_keys.values().chain(of_persons.values()).copied().collect();
        all.sort_unstable();
        all.dedup();
        let mut known = Self { of_entries: HashMap::new(), omissions: HashMap::new() };
        for flag in store::known_flags(tx, generation, &all).await? {
            let kind = if flag.entry.is_some() { &mut known.of_entries } else { &mut known.omissions };
            kind.entry(flag.person_subject).or_default().push(flag);
        }
        Ok(known)
    }

    fn of_case(&mut self, keys: &[Uuid], case: &PersonCase, of_keys: &HashMap<Uuid, Uuid>) -> Vec<KnownFlag> {
        let mut flags = Vec::new();
        for subject in keys.iter().filter_map(|key| of_keys.get(key)) {
            flags.extend(self.of_entries.remove(subject).unwrap_or_default());
            // What is missing is a person's, where the subject is one's of this mirror.
            if self.omissions.get(subject).is_some_and(|flags| flags.iter().all(|flag| !flag.of_person)) {
                flags.extend(self.omissions.remove(subject).unwrap_or_default());
            }
        }
        for person in &case.persons {
            flags.extend(self.omissions.remove(&person.subject).unwrap_or_default());
        }
        flags
    }
}

/// The subject of each person of these bonds, whose keys are locked. A person gets one when first judged:
/// that of the oldest key of its own which no other person has, so that what was held against a ghost stays; then it is
/// the person's for good, whichever keys are corrected later.
async fn subjects_of_persons(ctx: &Context, tx: &mut Tx, bonds: &[KeyRow], subjects: &HashMap<Uuid, Uuid>) -> Result<HashMap<Uuid, Uuid>, Error> {
    let mut persons: Vec<Uuid> = bonds.iter().map(|bond| bond.person).collect();
    persons.dedup();
    let mut of_persons = known_subjects(bonds);
    let unknown: Vec<Uuid> = persons.into_iter().filter(|person| !of_persons.contains_key(person)).collect();
    if unknown.is_empty() {
        return Ok(of_persons);
    }
    let candidates: Vec<Uuid> = bonds.iter().filter_map(|bond| subjects.get(&bond.person_key).copied()).collect();
    let mut used: HashSet<Uuid> = keys::used_subjects(tx, &candidates).await?.into_iter().collect();
    let mut new = Vec::new();
    for person in unknown {
        let own = bonds.iter().filter(|bond| bond.person == person && bond.end_recorded.is_none());
        let subject = own.filter_map(|bond| subjects.get(&bond.person_key)).filter(|subject| !used.contains(subject)).min().copied();
        let subject = subject.unwrap_or_else(|| ctx.new_id());
        used.insert(subject);
        of_persons.insert(person, subject);
        new.push((person, subject));
    }
    keys::keep_person_subjects(tx, &new).await?;
    Ok(of_persons)
}

/// The subjects of persons who were judged before.
fn known_subjects(bonds: &[KeyRow]) -> HashMap<Uuid, Uuid> {
    bonds.iter().filter_map(|bond| bond.subject.map(|subject| (bond.person, subject))).collect()
}

/// Cases of these keys and of all that hang together with them, without judging.
pub async fn cases(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<PersonCase>, Error> {
    let subjects: HashMap<Uuid, Uuid> = keys::subjects(tx, keys).await?.into_iter().collect();
    let bonds = load::bonds_of_keys(tx, generation, keys).await?;
    let of_persons = known_subjects(&bonds);
    Ok(load::cases(tx, generation, keys, bonds, &subjects, &of_persons).await?.into_iter().map(|(_, case)| case).collect())
}

/// Who of these would be missing from lists if nobody had signed not to want anything: key, school, scheme and term.
pub(crate) async fn missing_but_for_waivers(
    ctx: &Context,
    tx: &mut Tx,
    parts: &Parts,
    generation: i64,
    keys: &[Uuid],
) -> Result<HashSet<(Uuid, String, String, String)>, Error> {
    let keys = keys_beside(tx, generation, keys).await?;
    let subjects: HashMap<Uuid, Uuid> = keys::subjects(tx, &keys).await?.into_iter().collect();
    let bonds = load::bonds_of_keys(tx, generation, &keys).await?;
    let of_persons = known_subjects(&bonds);
    let mut cases = load::cases(tx, generation, &keys, bonds, &subjects, &of_persons).await?;
    let policies = parts.policies.now();
    if policies.tells_schools_apart() {
        load::schools(tx, generation, &mut cases).await?;
    }
    let mut missing = HashSet::new();
    for (_, mut case) in cases {
        case.statements.clear();
        case.claims.retain(|claim| !claim.months.is_empty());
        for finding in rules::judge(&case, &policies, ctx.today()).findings {
            let Subject::Omission { subject, school, scheme, term } = finding.subject else { continue };
            let keys = case.persons.iter().filter(|person| person.subject == subject).flat_map(|person| &person.keys);
            missing.extend(keys.map(|bond| (bond.value, school.clone(), scheme.as_str().to_owned(), term.to_string())));
        }
    }
    Ok(missing)
}

/// The same of persons and places alone, without what lists claim.
pub(crate) async fn places(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<PersonCase>, Error> {
    let bonds = load::bonds_of_keys(tx, generation, keys).await?;
    Ok(load::places(tx, generation, keys, bonds, &HashMap::new()).await?.in_order(keys).into_iter().map(|(_, case)| case).collect())
}

/// These keys and all that hang together with them: those of the persons who hold or held one. Locked in sorted order, and again where the
/// set grew, as whoever judges does.
pub(crate) async fn lock_beside(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let mut keys = sorted(keys.to_vec());
    loop {
        keys::lock_keys(tx, &keys).await?;
        let beside = with_beside(tx, generation, &keys).await?;
        if beside.len() == keys.len() {
            return Ok(keys);
        }
        keys = beside;
    }
}

/// The same for whoever only looks.
pub(crate) async fn keys_beside(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let mut keys = sorted(keys.to_vec());
    loop {
        let beside = with_beside(tx, generation, &keys).await?;
        if beside.len() == keys.len() {
            return Ok(keys);
        }
        keys = beside;
    }
}

async fn with_beside(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<Uuid>, Error> {
    let bonds = load::bonds_beside(tx, generation, keys).await?;
    Ok(sorted(keys.iter().copied().chain(bonds.iter().map(|bond| bond.person_key)).collect()))
}

fn sorted(mut keys: Vec<Uuid>) -> Vec<Uuid> {
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whose the entries of these keys are, as far as is known now: their holders', of whom something may be held under another number; where
/// nobody holds the key, the key's.
pub(crate) async fn subjects_of_entries(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<HashMap<Uuid, Uuid>, Error> {
    let mut subjects = HashMap::new();
    for case in cases(tx, generation, keys).await? {
        for claim in &case.claims {
            let holder = rules::holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day);
            let known = |subject: &Uuid| !subject.is_nil();
            if let Some(subject) = holder.map(|person| person.subject).filter(known).or_else(|| Some(claim.subject).filter(known)) {
                subjects.insert(claim.entry, subject);
            }
        }
    }
    Ok(subjects)
}

/// What a round of judging changes.
#[derive(Default)]
struct Changes {
    new: Vec<NewFlag>,
    judged: Vec<JudgedFlag>,
    steps: Vec<NewStep>,
    registered: Vec<Heard>,
    rejudge: Vec<RejudgeRow>,
}

impl Changes {
    /// Compares what was found with the flags that are there.
    fn compare(&mut self, ctx: &Context, case: &PersonCase, findings: &[Finding], known: Vec<KnownFlag>) {
        let mut known: BTreeMap<(Rule, Uuid), KnownFlag> = known.into_iter().map(|flag| ((flag.rule, flag.subject), flag)).collect();
        let mut seen = HashSet::new();
        for finding in findings {
            let subject = finding.subject.id();
            if !seen.insert((finding.rule, subject)) {
                tracing::error!(rule = finding.rule.as_str(), %subject, "two findings of one rule about one subject; the first is kept");
                continue;
            }
            let evidence = serde_json::to_string(&finding.evidence).unwrap_or_default();
            let digest = digest::of(finding.rule, &finding.months, finding.amount, &finding.evidence);
            match known.remove(&(finding.rule, subject)) {
                None => self.open(ctx, case, finding, evidence, digest),
                Some(flag) => self.judge_again(case, finding, &flag, evidence, digest),
            }
        }
        for flag in known.into_values() {
            self.close(&flag);
        }
    }

    fn open(&mut self, ctx: &Context, case: &PersonCase, finding: &Finding, evidence: String, digest: [u8; 32]) {
        let id = ctx.new_id();
        let about = About::of(case, finding);
        self.steps.push(NewStep { flag: Hex(id), ordinal: 0, act: Step::Opened.code(), detail: String::new(), evidence: evidence.clone() });
        self.new.push(NewFlag {
            flag: Hex(id),
            rule: finding.rule.code(),
            subject: Hex(finding.subject.id()),
            person_subject: Hex(about.subject),
            entry: about.entry.map(Hex),
            list: about.list.map(Hex),
            person: about.person.map(Hex),
            cause: Hex(finding.cause.id(&about.school)),
            cause_text: finding.cause.text(),
            school: about.school,
            scheme: about.scheme,
            term: about.term,
            name: about.name,
            months: months_text(&finding.months),
            amount_fen: finding.amount.0,
            evidence,
            evidence_digest: Bytes(digest.to_vec()),
            holds: finding.rule.holds(),
        });
    }

    fn judge_again(&mut self, case: &PersonCase, finding: &Finding, flag: &KnownFlag, evidence: String, digest: [u8; 32]) {
        let found = found(finding, flag, digest);
        let about = About::of(case, finding);
        let is_old = flag.evidence_version < digest::VERSION;
        let Some((next, act)) = life::judged(flag.state, found) else {
            // The same under other ids of the source, or with what the rule did not decide on: its life goes on as it is, what
            // leads there is renewed.
            if flag.person != about.person || flag.evidence != evidence || is_old {
                self.judged.push(JudgedFlag {
                    flag: Hex(flag.flag),
                    person: about.person.map(Hex),
                    name: Some(about.name),
                    months: None,
                    amount_fen: None,
                    evidence: Some(evidence),
                    evidence_digest: Some(Bytes(digest.to_vec())),
                    cleared_digest: (is_old && is_cleared_for_its_own(flag)).then(|| Bytes(digest.to_vec())),
                    cause: None,
                    cause_text: None,
                    state: flag.state.code(),
                    holds: flag.state.meaning().holds && finding.rule.holds(),
                    steps: flag.steps,
                });
            }
            return;
        };
        self.note(flag, act, &months_text(&finding.months), finding.amount.0, &evidence);
        self.judged.push(JudgedFlag {
            flag: Hex(flag.flag),
            person: about.person.map(Hex),
            name: Some(about.name),
            months: Some(months_text(&finding.months)),
            amount_fen: Some(finding.amount.0),
            evidence: Some(evidence),
            evidence_digest: Some(Bytes(digest.to_vec())),
            cleared_digest: (found == Found::Remembered).then(|| Bytes(digest.to_vec())),
            cause: Some(Hex(finding.cause.id(&about.school))),
            cause_text: Some(finding.cause.text()),
            state: next.code(),
            holds: next.meaning().holds && finding.rule.holds(),
            steps: flag.steps + 1,
        });
    }

    /// A step that the judge takes with a flag; what was confirmed of it hears of that too.
    fn note(&mut self, flag: &KnownFlag, act: Step, months: &str, amount_fen: i64, evidence: &str) {
        self.steps.push(NewStep { flag: Hex(flag.flag), ordinal: flag.steps, act: act.code(), detail: String::new(), evidence: evidence.to_owned() });
        if let Some(event) = act.heard().filter(|_| flag.registered) {
            self.registered.push(Heard { case: flag.flag, event, text: String::new(), months: months.to_owned(), amount_fen, evidence: evidence.to_owned() });
        }
    }

    fn close(&mut self, flag: &KnownFlag) {
        let Some((next, act)) = life::judged(flag.state, Found::Gone) else { return };
        self.note(flag, act, &flag.months, flag.amount_fen, &flag.evidence);
        self.judged.push(JudgedFlag {
            flag: Hex(flag.flag),
            person: None,
            name: None,
            months: None,
            amount_fen: None,
            evidence: None,
            evidence_digest: None,
            cleared_digest: None,
            cause: None,
            cause_text: None,
            state: next.code(),
            holds: false,
            steps: flag.steps + 1,
        });
    }

    /// Writes in the system's own name: what closes by itself was not closed by whoever touched the record last.
    async fn write(&self, ctx: &Context, tx: &mut Tx, position: i64) -> Result<(), Error> {
        if !self.new.is_empty() {
            store::insert_flags(tx, &self.new, position, ctx.now_us()).await?;
        }
        if !self.judged.is_empty() {
            store::update_flags(tx, &self.judged, position, ctx.now_us()).await?;
        }
        if !self.steps.is_empty() {
            let system = Actor::system();
            store::insert_steps(tx, &self.steps, ctx.now_us(), ctx.today(), &system.account, &system.display_name).await?;
            register::hear(ctx, tx, &system, &self.registered).await?;
        }
        Ok(())
    }
}

/// What a flag keeps of its subject.
struct About {
    subject: Uuid,
    entry: Option<Uuid>,
    list: Option<Uuid>,
    person: Option<Uuid>,
    school: String,
    scheme: &'static str,
    term: String,
    name: String,
}

impl About {
    fn of(case: &PersonCase, finding: &Finding) -> Self {
        match &finding.subject {
            Subject::Entry(entry) => {
                let claim = case.claims.iter().find(|claim| claim.entry == *entry).expect("the judge finds only about claims of its case");
                let person = rules::holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day);
                Self {
                    subject: claim.subject,
                    entry: Some(*entry),
                    list: Some(claim.list),
                    person: person.map(|person| person.person),
                    school: claim.school.clone(),
                    scheme: claim.scheme.as_str(),
                    term: claim.term.to_string(),
                    name: claim.name.clone(),
                }
            }
            Subject::School { school, term } => Self {
                subject: Subject::of_school(school),
                entry: None,
                list: None,
                person: None,
                school: school.clone(),
                scheme: "",
                term: term.to_string(),
                name: WHOLE_SCHOOL.to_owned(),
            },
            Subject::Omission { subject, school, scheme, term } => {
                let person = case.persons.iter().find(|person| person.subject == *subject);
                Self {
                    subject: *subject,
                    entry: None,
                    list: None,
                    person: person.map(|person| person.person),
                    school: school.clone(),
                    scheme: scheme.as_str(),
                    term: term.to_string(),
                    name: person.map(|person| person.name().to_owned()).unwrap_or_default(),
                }
            }
        }
    }
}

/// Causes of flags that wait or stand confirmed, those with most flags first: so many of them at most, and how many there are.
pub async fn causes(tx: &mut Tx, school: &str, authority_prefix: &str, term: &str, most: usize) -> Result<(Vec<pb::Cause>, usize), Error> {
    let mut rows = store::causes(tx, school, authority_prefix, term).await?;
    let all = rows.len();
    rows.truncate(most);
    let codes: Vec<String> = rows.iter().map(|row| row.school.clone()).collect();
    let names: HashMap<String, String> = mirror::school_names(tx, &codes).await?.into_iter().collect();
    let mut undecided: HashMap<Uuid, Vec<store::UndecidedRow>> = HashMap::new();
    let shown: Vec<Uuid> = rows.iter().map(|row| row.cause).collect();
    let told = store::causes_told(tx, &shown, term).await?;
    let mut told: HashMap<(Uuid, String), store::ToldRow> = told.into_iter().map(|row| ((row.cause, row.school.clone()), row)).collect();
    for flag in store::undecided(tx, &shown, term).await? {
        undecided.entry(flag.cause).or_default().push(flag);
    }
    let version = |cause: Uuid, states: &[life::State]| {
        let flags = undecided.get(&cause).into_iter().flatten();
        desk::cause_etag(flags.filter(|flag| states.contains(&flag.state)).map(|flag| (flag.flag, flag.steps)))
    };
    let causes = rows
        .into_iter()
        .filter_map(|row| Some((told.remove(&(row.cause, row.school.clone()))?, row)))
        .map(|(told, row)| pb::Cause {
            etag: version(row.cause, desk::UNEXPLAINED),
            decide_etag: version(row.cause, desk::UNDECIDED),
            cause: row.cause.to_string(),
            school_name: names.get(&row.school).cloned().unwrap_or_default(),
            school: row.school,
            summary: Cause::parse(&told.cause_text).map_or_else(|| rules::law(told.rule).name.to_owned(), Cause::chinese),
            rule: told.rule.as_str().to_owned(),
            open: i32::try_from(row.open).unwrap_or(i32::MAX),
            explained: i32::try_from(row.explained).unwrap_or(i32::MAX),
            amount_fen: row.amount_fen,
            open_time: rfc3339(row.opened_at_us),
            name: told.name,
            flags: i32::try_from(row.flags).unwrap_or(i32::MAX),
            open_date: told.open_date.to_string(),
        })
        .collect();
    Ok((causes, all))
}

/// What a finding is to a flag that is there.
fn found(finding: &Finding, flag: &KnownFlag, digest: [u8; 32]) -> Found {
    let is_old = flag.evidence_version < digest::VERSION;
    let same = if is_old {
        made_anew(finding.rule, flag) == Some(digest::as_before(flag.evidence_version, finding.rule, &finding.months, finding.amount, &finding.evidence))
    } else {
        flag.evidence_digest == digest
    };
    // A clearing of a version before can be compared as long as its evidence is the flag's; of other evidence nothing is kept to make
    // its digest anew, and who decides looks again.
    let cleared =
        if is_cleared_for_its_own(flag) { same } else { flag.cleared_version == digest::VERSION && flag.cleared_digest.as_deref() == Some(&digest[..]) };
    match (same, cleared) {
        (true, true) if flag.state == life::State::Closed => Found::Remembered,
        (true, _) => Found::Same,
        (false, true) => Found::Remembered,
        (false, false) => Found::Changed,
    }
}

/// Whether the evidence for which no fault was found last is the one that the flag shows.
fn is_cleared_for_its_own(flag: &KnownFlag) -> bool {
    flag.cleared_version == flag.evidence_version && flag.cleared_digest.as_ref() == Some(&flag.evidence_digest)
}

/// The digest of what is stored of a flag of a version before, as it is made now; `None` where that can't be read.
fn made_anew(rule: Rule, flag: &KnownFlag) -> Option<[u8; 32]> {
    let evidence = serde_json::from_str(&flag.evidence).ok()?;
    Some(digest::of(rule, &parse_months(&flag.months), xuezhu_domain::Fen(flag.amount_fen), &evidence))
}

/// Stored evidence without numbers in the names of classes; none where it holds none.
pub fn without_numbers(evidence: &str) -> Option<String> {
    let mut evidence: Evidence = serde_json::from_str(evidence).ok()?;
    let mut changed = false;
    for period in evidence.enrollments.iter_mut().flat_map(|side| &mut side.periods).filter(|period| holds_long_number(&period.class_name)) {
        period.class_name = mask_long_numbers(&period.class_name);
        changed = true;
    }
    changed.then(|| serde_json::to_string(&evidence).ok()).flatten()
}

/// Months as they are stored.
pub fn months_text(months: &[xuezhu_domain::Month]) -> String {
    months.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// Months from what was stored.
pub fn parse_months(text: &str) -> Vec<xuezhu_domain::Month> {
    text.split(',').filter_map(|month| month.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use xuezhu_domain::{Fen, Month};
    use xuezhu_judge::{
        case::{ClaimSide, EnrollmentSide, Stage},
        cause::Cause,
        life::State,
    };

    use super::*;

    fn months() -> Vec<Month> {
        vec![202_609.try_into().expect("a month")]
    }

    /// What is found about an entry that claims a month for somebody.
    fn finding(name: &str) -> Finding {
        let claim = ClaimSide { name: name.into(), months: months(), recorded_day: "2026-09-25".parse().expect("a date") };
        Finding {
            rule: Rule::NoEnrollment,
            subject: Subject::Entry(Uuid::from_u128(1)),
            months: months(),
            amount: Fen(20_000),
            evidence: Evidence { claim: Some(claim), ..Evidence::default() },
            cause: Cause::Unknown { term: "2026-AUTUMN".parse().expect("a term"), list: Uuid::from_u128(5) },
        }
    }

    /// A flag that shows a finding, cleared for it by a version that made such digests.
    fn cleared(state: State, finding: &Finding, version: i32, digest: [u8; 32]) -> KnownFlag {
        KnownFlag {
            flag: Uuid::from_u128(2),
            rule: finding.rule,
            subject: finding.subject.id(),
            person_subject: Uuid::from_u128(3),
            entry: Some(finding.subject.id()),
            person: None,
            state,
            evidence_digest: digest.to_vec(),
            evidence_version: version,
            evidence: serde_json::to_string(&finding.evidence).expect("evidence"),
            months: months_text(&finding.months),
            amount_fen: finding.amount.0,
            steps: 3,
            cleared_digest: Some(digest.to_vec()),
            cleared_version: version,
            registered: false,
            of_person: false,
        }
    }

    fn of(finding: &Finding) -> [u8; 32] {
        digest::of(finding.rule, &finding.months, finding.amount, &finding.evidence)
    }

    #[test]
    fn no_fault_of_one_is_not_remembered_for_another_whom_the_entry_names_later() {
        let (one, other) = (finding("王伟"), finding("李娜"));
        // A version before made the digest otherwise, and left the name out; what it stored tells it.
        for (version, stored) in [(digest::VERSION, of(&one)), (3, [7; 32]), (2, [7; 32])] {
            let of_state = |state| cleared(state, &one, version, stored);
            assert_eq!(found(&one, &of_state(State::Closed), of(&one)), Found::Remembered, "{version}");
            assert_eq!(found(&other, &of_state(State::Closed), of(&other)), Found::Changed, "{version}");
            assert_eq!(found(&one, &of_state(State::Cleared), of(&one)), Found::Same, "{version}: an upgrade opens nothing");
            assert_eq!(found(&other, &of_state(State::Cleared), of(&other)), Found::Changed, "{version}");
        }
    }

    #[test]
    fn what_the_version_before_showed_of_another_number_opens_no_flag_again() {
        let mut waits = finding("王伟");
        waits.evidence.enrollments.push(EnrollmentSide {
            enrollment: Uuid::from_u128(4),
            school: "3643000001".into(),
            stage: Stage::Submitted,
            name: "王伟".into(),
            periods: Vec::new(),
            approved_day: None,
            other_number: true,
        });
        assert_eq!(found(&waits, &cleared(State::Cleared, &waits, 3, [7; 32]), of(&waits)), Found::Same);
    }
}

//! 试算: what a policy that is proposed would change: whom, at which schools, by how much. Who may turn out otherwise is selected by the facts
//! that policies decide by, school by school; what they turn out is said by the code that proposes lists.

pub mod api;
pub mod rules;
mod store;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
};

use chrono::NaiveDate;
use futures_util::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;
use xuezhu_domain::{RegistryAnswer, Term};
use xuezhu_judge::{
    case::{PersonCase, SchoolSide},
    policy::{
        Policies, Policy, SchemeCode, School,
        rules::{Facts, Why},
    },
};
use xuezhu_service::{Context, Error, Permission, Place, Refusal};
use xuezhu_store::Tx;

use self::{
    rules::{Due, Effect, Tallies, Turn, Two, due},
    store::PlaceRow,
};
use crate::{
    Parts,
    award::{
        Terms,
        candidates::{self, Told},
    },
    mirror, policy,
    reconciliation::{
        self, Attending,
        sweep::{self, Outcome},
    },
};

/// Schools that are looked at beside each other.
const AT_ONCE: usize = 2;
/// Schools between two notes of how far a run is.
const NOTED: i32 = 10;
/// Keys whose cases are made at once.
const CHUNK: usize = 500;

/// A policy that is tried, beside what holds without it.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Which.
    pub policy: Uuid,
    policies: Arc<Policies>,
    next: Arc<Policy>,
    from: NaiveDate,
}

impl Tried {
    /// The policies that are compared, for each term.
    fn each(&self) -> [Two<'_>; 2] {
        Two::of(&self.policies, &self.next, self.from)
    }

    /// Number of the version with which it is compared.
    fn beside(&self) -> i32 {
        self.policies.on(self.from).number
    }
}

/// Somebody who turns out otherwise.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Id of the person.
    pub person: Uuid,
    /// Name.
    pub name: String,
    /// Class.
    pub class_name: String,
    /// For lists of which term.
    pub term: Term,
    /// Of which scheme.
    pub scheme: SchemeCode,
    /// How it turns out.
    pub turn: Turn,
    /// Why, by the policy of before.
    pub before: (Why, Due),
    /// Why, by the new one.
    pub after: (Why, Due),
}

/// A policy to be tried, by whoever may propose one or sign it.
pub async fn tried(ctx: &Context, tx: &mut Tx, parts: &Parts, id: Uuid) -> Result<Tried, Error> {
    let (row, next) = policy::kept(tx, id).await?;
    ctx.may(Permission::Approve, &Place::School { code: "", authority: &row.authority })?;
    let all = parts.policies.fresh(tx).await?;
    // What was signed is compared with what it followed.
    let others = all.versions().iter().filter(|version| row.version.is_none_or(|own| version.number < own)).cloned().collect();
    let policies = Policies::of(others).ok_or_else(|| Refusal::wrong_state("第一版政策没有可以比较的"))?;
    Ok(Tried { policy: id, policies: Arc::new(policies), next: Arc::new(next), from: row.from_day })
}

/// Finds out what a policy changes, as the recorded run.
pub async fn run(parts: &Arc<Parts>, run: Uuid, tried: &Tried) -> Result<(), Error> {
    sweep::attend(parts, run, find(parts, run, tried)).await
}

async fn find(parts: &Arc<Parts>, run: Uuid, tried: &Tried) -> Result<Outcome, Error> {
    loop {
        let (outcome, generation) = find_in_one_generation(parts, run, tried).await?;
        let mut tx = parts.runner.db().read().await?;
        let now = mirror::state(&mut tx).await?.generation;
        tx.rollback().await?;
        if generation == now {
            return Ok(outcome);
        }
        tracing::info!("the mirror switched to another generation during a trial; it is made again");
    }
}

async fn find_in_one_generation(parts: &Arc<Parts>, run: Uuid, tried: &Tried) -> Result<(Outcome, i64), Error> {
    let mut tx = parts.runner.db().read().await?;
    let mirror = mirror::state(&mut tx).await?;
    let schools = store::schools(&mut tx, mirror.generation).await?;
    let sides = mirror::sides(&mut tx, mirror.generation, &schools).await?;
    tx.rollback().await?;
    let (all, done) = (i32::try_from(schools.len()).unwrap_or(i32::MAX), AtomicI32::new(0));
    sweep::note_progress(parts, run, 0, all).await?;
    let each = |(code, side): (String, SchoolSide)| {
        let done = &done;
        async move {
            let mut tx = parts.runner.db().read().await?;
            let changed = at_school(&mut tx, tried, mirror.generation, side.at(&code)).await?;
            tx.rollback().await?;
            let looked = done.fetch_add(1, Ordering::Relaxed) + 1;
            if looked % NOTED == 0 {
                sweep::note_progress(parts, run, looked, all).await?;
            }
            let mut tallies = Tallies::new();
            for one in &changed {
                tallies.entry((one.term, one.scheme)).or_default().count(one.turn, one.before.1.fen, one.after.1.fen);
            }
            Ok::<_, Error>((code, tallies))
        }
    };
    let found: Vec<_> = stream::iter(sides.into_iter().map(each)).buffer_unordered(AT_ONCE).try_collect().await?;
    let effect = Effect::of(found);
    let effect = serde_json::to_string(&effect).map_err(|error| Error::Internal(error.to_string()))?;
    Ok((Outcome { judged: all, position: mirror.position, effect }, mirror.generation))
}

/// Who may turn out otherwise in a term, and by what both policies go there.
struct Concerned {
    term: Term,
    window: [NaiveDate; 2],
    persons: BTreeSet<Uuid>,
    schemes: Vec<(SchemeCode, Option<Terms>, Option<Terms>)>,
}

impl Concerned {
    async fn of(tx: &mut Tx, two: Two<'_>, generation: i64, school: School<'_>) -> Result<Option<Self>, Error> {
        let Some(window) = two.window(school.region) else { return Ok(None) };
        let rows = store::places(tx, generation, school.code, window).await?;
        // Few facts are of many students.
        let mut known: HashMap<Facts, bool> = HashMap::new();
        let mut persons = BTreeSet::new();
        for row in &rows {
            let facts = facts(row);
            if *known.entry(facts).or_insert_with(|| two.may_differ(school, facts)) {
                persons.insert(row.person);
            }
        }
        let terms = |policy: &Policy, scheme: SchemeCode| Terms::of(policy, scheme, two.term, school);
        let schemes = two.schemes().into_iter().map(|scheme| (scheme, terms(two.before, scheme), terms(two.after, scheme))).collect();
        Ok(Some(Self { term: two.term, window, persons, schemes }))
    }

    /// Who of a case turns out otherwise.
    fn changed(&self, policies: &Policies, case: &PersonCase, school: &str) -> Vec<Changed> {
        if !case.persons.iter().any(|person| self.persons.contains(&person.person)) {
            return Vec::new();
        }
        let side = |terms: &Option<Terms>| terms.as_ref().map(|terms| candidates::dues(policies, case, school, terms)).unwrap_or_default();
        let each = self.schemes.iter().flat_map(|(scheme, before, after)| turned((self.term, *scheme), side(before), side(after)));
        each.filter(|one| self.persons.contains(&one.person)).collect()
    }
}

/// Who turns out otherwise at a school, by term, class and name. Whoever may do so in both terms is read once.
pub async fn at_school(tx: &mut Tx, tried: &Tried, generation: i64, school: School<'_>) -> Result<Vec<Changed>, Error> {
    let mut concerned = Vec::new();
    for two in tried.each() {
        concerned.extend(Concerned::of(tx, two, generation, school).await?);
    }
    let all: BTreeSet<Uuid> = concerned.iter().flat_map(|term| &term.persons).copied().collect();
    let (from, before) = (concerned.iter().map(|term| term.window[0]).min(), concerned.iter().map(|term| term.window[1]).max());
    let Some((from, before)) = from.zip(before) else { return Ok(Vec::new()) };
    let attending = Attending { generation, school: school.code, within: [from, before] };
    let all: Vec<Uuid> = all.into_iter().collect();
    let mut changed = Vec::new();
    for persons in all.chunks(CHUNK) {
        let keys = reconciliation::keys_of_persons(tx, attending, persons.iter().copied()).await?;
        for case in reconciliation::places(tx, generation, &keys).await? {
            // A case may hold somebody of another chunk beside them: whose turn comes with it.
            let turned = concerned.iter().flat_map(|term| term.changed(&tried.policies, &case, school.code));
            changed.extend(turned.filter(|one| persons.binary_search(&one.person).is_ok()));
        }
    }
    changed.sort_by(|a, b| (a.term, &a.class_name, &a.name, a.person, a.scheme).cmp(&(b.term, &b.class_name, &b.name, b.person, b.scheme)));
    Ok(changed)
}

/// Of what is said of the persons of a case by two policies, who turns out otherwise.
fn turned((term, scheme): (Term, SchemeCode), before: Vec<Told>, after: Vec<Told>) -> Vec<Changed> {
    let mut sides: BTreeMap<Uuid, [Option<Told>; 2]> = BTreeMap::new();
    for (side, told) in before.into_iter().map(|told| (0, told)).chain(after.into_iter().map(|told| (1, told))) {
        let of = sides.entry(told.person).or_default();
        of[side] = Some(told);
    }
    let is_due = |told: &Option<Told>| told.as_ref().map_or((Why::NoPolicy, Due::default()), |told| (told.why, due(told.why, &told.months, told.fen)));
    let turned = |[before, after]: [Option<Told>; 2]| {
        let (was, will) = (is_due(&before), is_due(&after));
        let (turn, Told { person, name, class_name, .. }) = Turn::of(&was.1, &will.1).zip(after.or(before))?;
        Some(Changed { person, name, class_name, term, scheme, turn, before: was, after: will })
    };
    sides.into_values().filter_map(turned).collect()
}

fn facts(row: &PlaceRow) -> Facts<'_> {
    Facts {
        entry: row.entry_date,
        major: &row.major,
        study_form: &row.study_form,
        household: &row.household,
        residence: &row.residence,
        urban_rural: &row.urban_rural,
        registered_region: &row.registered_region,
        // An answer that only a newer source knows confirms nobody.
        registry: RegistryAnswer::from_code(row.registry).unwrap_or(RegistryAnswer::NotFound),
        hardship: "",
    }
}

//! Makes cases of rows: everything that hangs together by keys.

mod store;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use uuid::Uuid;
use xuezhu_domain::{Bond, BondKind, Fen, RegistryAnswer, Sex, enrollment::Span, money::AccountKind};
use xuezhu_judge::{
    case::{Account, Claim, Enrollment, Level, Person, PersonCase, Place, Stage, Statement, StatementKind},
    entry::State,
    policy::SchemeCode,
};
use xuezhu_service::Error;
use xuezhu_store::{StoreError, Tx};

use self::store::{ClaimRow, EnrollmentRow};
// What the judge's drivers ask.
pub use self::store::{Attending, KeyRow, bonds_beside, bonds_of_keys, keys_at_school, keys_of_class, keys_of_person, keys_of_persons};
use super::parse_months;
use crate::{mirror, quota};

/// Groups of keys: two keys of one person are in one group.
#[derive(Clone)]
struct Groups {
    parent: HashMap<Uuid, Uuid>,
}

impl Groups {
    fn new(keys: &[Uuid]) -> Self {
        Self { parent: keys.iter().map(|key| (*key, *key)).collect() }
    }

    fn root(&self, key: Uuid) -> Uuid {
        let mut root = key;
        while let Some(parent) = self.parent.get(&root)
            && *parent != root
        {
            root = *parent;
        }
        root
    }

    fn join(&mut self, a: Uuid, b: Uuid) {
        let (a, b) = (self.root(a), self.root(b));
        if a != b {
            self.parent.insert(a.max(b), a.min(b));
        }
    }
}

/// Cases as they are made: by the root of each group of keys.
pub struct Cases {
    groups: Groups,
    cases: BTreeMap<Uuid, PersonCase>,
}

impl Cases {
    /// With the keys of each, in order. Keys without anything make cases too: what was flagged there must close.
    pub fn in_order(mut self, keys: &[Uuid]) -> Vec<(Vec<Uuid>, PersonCase)> {
        let mut members: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
        for key in keys {
            members.entry(self.groups.root(*key)).or_default().push(*key);
        }
        members.into_iter().map(|(root, keys)| (keys, self.cases.remove(&root).unwrap_or_default())).collect()
    }
}

/// The cases of these keys: a claim of which corrections left nothing is among them, without months; it is for whoever shows it, and no claim
/// for the judge.
///
/// `bonds` are those of the keys, by person; `subjects` are those of the keys, `of_persons` those of persons who have one of their own.
pub async fn cases(
    tx: &mut Tx,
    generation: i64,
    keys: &[Uuid],
    held: Vec<KeyRow>,
    subjects: &HashMap<Uuid, Uuid>,
    of_persons: &HashMap<Uuid, Uuid>,
) -> Result<Vec<(Vec<Uuid>, PersonCase)>, Error> {
    let mut made = places(tx, generation, keys, held, of_persons).await?;
    let Cases { groups, cases } = &mut made;
    let rows = store::claims(tx, keys).await?;
    let mut cards: Vec<Uuid> = rows.iter().filter_map(|row| row.card_key).collect();
    cards.sort_unstable();
    cards.dedup();
    let named = if cards.is_empty() { Vec::new() } else { store::of_cards(tx, &cards).await? };
    let students = students_of(tx, generation, groups, &named).await?;
    let mut of_cards: HashMap<Uuid, BTreeSet<Uuid>> = HashMap::new();
    for (card, key) in &named {
        of_cards.entry(*card).or_default().insert(students.root(*key));
    }
    for row in rows {
        let subject = subjects.get(&row.person_key).copied().unwrap_or_default();
        let claims = &mut cases.entry(groups.root(row.person_key)).or_default().claims;
        let fallen = row.fallen_month.map(|month| (month, row.fallen_fen.unwrap_or(0)));
        if claims.last().is_none_or(|last| last.entry != row.entry) {
            let own = students.root(row.person_key);
            let others = row.card_key.and_then(|card| of_cards.get(&card)).map_or(0, |keys| keys.iter().filter(|key| **key != own).count());
            claims.push(claim(row, subject, others)?);
        }
        // What a correction took is claimed no more.
        if let (Some((month, fen)), Some(claim)) = (fallen, claims.last_mut()) {
            claim.months.retain(|claimed| claimed.number() != month);
            claim.amount = Fen(claim.amount.0 - fen);
        }
    }
    Ok(made.in_order(keys))
}

/// Groups of the keys of a batch, and of those beside it who name its cards: two numbers of one student are one student, whoever is judged at once.
async fn students_of(tx: &mut Tx, generation: i64, groups: &Groups, named: &[(Uuid, Uuid)]) -> Result<Groups, Error> {
    let mut students = groups.clone();
    let strangers: Vec<Uuid> = named.iter().map(|(_, key)| *key).filter(|key| !groups.parent.contains_key(key)).collect();
    if strangers.is_empty() {
        return Ok(students);
    }
    let bonds = store::bonds_beside(tx, generation, &strangers).await?;
    for key in strangers.into_iter().chain(bonds.iter().map(|bond| bond.person_key)) {
        students.parent.entry(key).or_insert(key);
    }
    for pair in bonds.windows(2).filter(|pair| pair[0].person == pair[1].person) {
        students.join(pair[0].person_key, pair[1].person_key);
    }
    Ok(students)
}

/// The same without what lists claim.
pub async fn places(tx: &mut Tx, generation: i64, keys: &[Uuid], held: Vec<KeyRow>, of_persons: &HashMap<Uuid, Uuid>) -> Result<Cases, Error> {
    let mut groups = Groups::new(keys);
    let mut bonds: BTreeMap<Uuid, Vec<Bond<Uuid>>> = BTreeMap::new();
    for row in held {
        let kind = bond(row.kind);
        bonds.entry(row.person).or_default().push(Bond { value: row.person_key, kind, end_recorded: row.end_recorded });
    }
    for keys in bonds.values() {
        for pair in keys.windows(2) {
            groups.join(pair[0].value, pair[1].value);
        }
    }
    let persons: Vec<Uuid> = bonds.keys().copied().collect();
    let home: HashMap<Uuid, Uuid> = bonds.iter().filter_map(|(person, keys)| keys.first().map(|bond| (*person, groups.root(bond.value)))).collect();
    let mut cases: BTreeMap<Uuid, PersonCase> = BTreeMap::new();
    for row in store::persons(tx, generation, &persons).await? {
        let known = &mut cases.entry(home[&row.person]).or_default().persons;
        match (row.name.zip(row.name_comparable), known.last_mut()) {
            (None, _) => known.push(Person {
                person: row.person,
                keys: bonds.remove(&row.person).unwrap_or_default(),
                names: Vec::new(),
                sex: Sex::from_code(row.kind),
                birth_date: row.day.ok_or(StoreError::Corrupt("day of birth"))?,
                // An answer that only a newer source knows confirms nobody.
                registry: RegistryAnswer::from_code(row.registry).unwrap_or(RegistryAnswer::NotFound),
                subject: of_persons.get(&row.person).copied().unwrap_or_default(),
            }),
            // Names come behind their person.
            (Some(name), Some(person)) if person.person == row.person => {
                person.names.push(Bond { value: name, kind: bond(row.kind), end_recorded: row.day });
            }
            (Some(_), _) => {}
        }
    }
    let rows = store::enrollments(tx, generation, &persons, keys).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.enrollment).collect();
    let mut timelines: HashMap<Uuid, Vec<Span<Place>>> = HashMap::new();
    for row in store::periods(tx, generation, &ids).await? {
        let state = xuezhu_domain::enrollment::PeriodState::from_code(row.state);
        let place = Place {
            state,
            class_name: row.class_name,
            major: row.major,
            study_form: row.study_form,
            household: row.household,
            residence: row.residence,
            registered_region: row.registered_region,
            urban_rural: row.urban_rural,
            special_groups: row.special_groups,
        };
        timelines.entry(row.enrollment).or_default().push(Span { from: row.from_date, to: row.to_date, state: place });
    }
    for row in rows {
        let home = row.person.and_then(|person| home.get(&person).copied()).unwrap_or_else(|| groups.root(row.claim_key));
        let timeline = timelines.remove(&row.enrollment).unwrap_or_default();
        cases.entry(home).or_default().enrollments.push(enrollment(row, timeline));
    }
    for row in store::known(tx, keys).await? {
        let case = cases.entry(groups.root(row.person_key)).or_default();
        match (row.level, row.from_day, row.to_day, row.kind) {
            (Some(level), Some(from), Some(to), _) => {
                case.levels.push(Level { key: row.person_key, name_comparable: row.name_comparable, recorded_day: row.recorded_day, level, from, to });
            }
            (.., Some(kind)) => case.statements.push(Statement {
                key: row.person_key,
                name_comparable: row.name_comparable,
                recorded_day: row.recorded_day,
                school: row.school.unwrap_or_default(),
                scheme: SchemeCode::parse(&row.scheme.unwrap_or_default()).ok_or(StoreError::Corrupt("scheme"))?,
                term: row.term.unwrap_or_default().parse().map_err(|_| StoreError::Corrupt("term"))?,
                kind: StatementKind::try_from(kind).map_err(|_| StoreError::Corrupt("kind of a statement"))?,
            }),
            _ => return Err(StoreError::Corrupt("what is known of somebody").into()),
        }
    }
    Ok(Cases { groups, cases })
}

/// Tells cases what tells their schools apart.
pub async fn schools(tx: &mut Tx, generation: i64, cases: &mut [(Vec<Uuid>, PersonCase)]) -> Result<(), Error> {
    let of = |case: &PersonCase| -> BTreeSet<String> {
        let places = case.enrollments.iter().map(|enrollment| &enrollment.school);
        places.chain(case.claims.iter().map(|claim| &claim.school)).cloned().collect()
    };
    let schools: BTreeSet<String> = cases.iter().flat_map(|(_, case)| of(case)).collect();
    let sides = mirror::sides(tx, generation, &schools.into_iter().collect::<Vec<_>>()).await?;
    for (_, case) in cases {
        case.schools = of(case).into_iter().filter_map(|school| sides.get(&school).map(|side| (school, side.clone()))).collect();
    }
    Ok(())
}

/// How a key or a name belongs; in a way that only a newer source knows, it is not the person's present one.
fn bond(code: i32) -> BondKind {
    BondKind::from_code(code).unwrap_or(BondKind::Mistyped)
}

fn enrollment(row: EnrollmentRow, timeline: Vec<Span<Place>>) -> Enrollment {
    Enrollment {
        enrollment: row.enrollment,
        school: row.school,
        stage: Stage::from_code(row.stage),
        claim_key: row.claim_key,
        claim_name: row.claim_name,
        person: row.person,
        entry_date: row.entry_date,
        approved_day: row.approved_day,
        claimed_day: row.claimed_day,
        timeline,
    }
}

fn claim(row: ClaimRow, subject: Uuid, others: usize) -> Result<Claim, Error> {
    Ok(Claim {
        entry: row.entry,
        list: row.list,
        school: row.school,
        scheme: SchemeCode::parse(&row.scheme).ok_or(StoreError::Corrupt("scheme"))?,
        term: row.term.parse().map_err(|_| StoreError::Corrupt("term"))?,
        policy: row.policy,
        key: row.person_key,
        name: row.name,
        name_comparable: row.name_comparable,
        sex: row.sex.and_then(Sex::from_code),
        birth_date: row.birth_date,
        // A term is taken whole: its one unit names its first month alone.
        months: if row.gone { Vec::new() } else { parse_months(&row.months) },
        month_fen: Fen(row.month_fen),
        amount: Fen(row.amount_fen),
        stage: row.state.claim().ok_or(StoreError::Corrupt("state of a claim"))?,
        attested: matches!(row.state, State::Attested | State::Approved),
        recorded_day: row.recorded_day,
        recorded_at_us: row.recorded_at_us,
        subject,
        excess: row.excess.as_deref().map(quota::excess_of).transpose()?,
        account: row.card_key.map(|_| Account {
            others: i64::try_from(others).unwrap_or(i64::MAX),
            holder: row.card_holder,
            is_card: row.card_kind != AccountKind::Other.code(),
        }),
    })
}

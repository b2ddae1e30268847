//! What the mirror was told of a record, in words: for people who compare what a source said with what it says now.

mod store;

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;
use xuezhu_bridge::{Kind, log::school_id};
use xuezhu_domain::{BondKind, RegistryAnswer, Sex, codes, enrollment::PeriodState};
use xuezhu_service::Error;
use xuezhu_store::Tx;

use self::store::{EnrollmentRow, PeriodRow};
use super::rows::LATER_DIGITS;

/// A record as it was told.
#[derive(Debug, Clone)]
pub struct Told {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub record: Uuid,
    /// The school that it concerns: of a person, the one entered last.
    pub school: String,
    /// Name of the person, or of the school.
    pub name: String,
    /// Keys of whom it concerns.
    pub keys: Vec<Uuid>,
    /// What it says, whatever its ids: equal where the same is said again.
    pub story: Uuid,
    /// The same for people: what, and what of it.
    pub facts: Vec<(String, String)>,
}

/// These records, as a generation holds them.
pub async fn of(tx: &mut Tx, generation: i64, persons: &[Uuid], enrollments: &[Uuid], schools: &[String]) -> Result<Vec<Told>, Error> {
    let mut told = Vec::new();
    if !schools.is_empty() {
        told.extend(of_schools(tx, generation, schools).await?);
    }
    if !persons.is_empty() {
        told.extend(of_persons(tx, generation, persons).await?);
    }
    if !enrollments.is_empty() {
        told.extend(of_enrollments(tx, generation, enrollments).await?);
    }
    Ok(told)
}

/// What a generation holds of these keys: persons, and enrollments that claim them.
pub async fn of_keys(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<Told>, Error> {
    let persons = store::persons_of_keys(tx, generation, keys).await?;
    let enrollments = store::enrollments_of_keys(tx, generation, keys).await?;
    of(tx, generation, &persons, &enrollments, &[]).await
}

/// What is said in a generation of these keys: in all the formats that it was told in, and as each lower one would have told it, for
/// what was kept of a record may be older than a field.
pub async fn stories(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<HashSet<Uuid>, Error> {
    let said = store::stories_of_keys(tx, generation, keys).await?;
    Ok(said.iter().flat_map(|(first, later)| stories_of(*first, later)).collect())
}

/// What one record says, as each format would have told it up to the one that did.
fn stories_of(first: Uuid, later: &str) -> impl Iterator<Item = Uuid> {
    (0..=later.len()).step_by(LATER_DIGITS).map(move |end| story(first, &later[..end]))
}

/// What a record says in the first formats and in those after them.
fn story(first: Uuid, later: &str) -> Uuid {
    if later.is_empty() { first } else { hashed(&[fact(&first.to_string(), later)]) }
}

async fn of_schools(tx: &mut Tx, generation: i64, codes: &[String]) -> Result<Vec<Told>, Error> {
    let rows = store::schools(tx, generation, codes).await?;
    let told = rows.into_iter().map(|row| {
        let facts = vec![
            fact("学校名称", &row.name),
            fact("主管部门", &row.authority),
            fact("所在地", &row.region),
            fact("性质", if super::is_private(&row.kind) { "民办" } else { "公办" }),
            fact("状态", if row.state == "ACTIVE" { "正常" } else { "已停办" }),
        ];
        Told { kind: Kind::School, record: school_id(&row.school), story: hashed(&facts), school: row.school, name: row.name, keys: Vec::new(), facts }
    });
    Ok(told.collect())
}

async fn of_persons(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<Told>, Error> {
    let mut keys: BTreeMap<Uuid, Vec<(Uuid, i32)>> = BTreeMap::new();
    for (person, key, kind) in store::keys(tx, generation, ids).await? {
        keys.entry(person).or_default().push((key, kind));
    }
    let mut names: BTreeMap<Uuid, Vec<(String, i32)>> = BTreeMap::new();
    for (person, name, kind) in store::names(tx, generation, ids).await? {
        names.entry(person).or_default().push((name, kind));
    }
    let schools: BTreeMap<Uuid, String> = store::last_schools(tx, generation, ids).await?.into_iter().collect();
    let told = store::persons(tx, generation, ids).await?.into_iter().map(|row| {
        let names = names.remove(&row.person).unwrap_or_default();
        let keys = keys.remove(&row.person).unwrap_or_default();
        let of_kind = |kind: BondKind| names.iter().filter(|(_, of)| *of == kind.code()).map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("、");
        let former = keys.iter().filter(|(_, kind)| *kind != BondKind::Current.code()).count();
        let facts = vec![
            fact("姓名", &of_kind(BondKind::Current)),
            fact("曾用名", &of_kind(BondKind::Former)),
            fact("曾误登姓名", &of_kind(BondKind::Mistyped)),
            fact("性别", Sex::from_code(row.sex).map_or("", Sex::name)),
            fact("证件号", &if former == 0 { "未变更".to_owned() } else { format!("变更过{former}次") }),
            fact("人口库核验", RegistryAnswer::from_code(row.registry).map_or("", answer)),
        ];
        Told {
            kind: Kind::Person,
            record: row.person,
            school: schools.get(&row.person).cloned().unwrap_or_default(),
            name: of_kind(BondKind::Current),
            keys: keys.into_iter().map(|(key, _)| key).collect(),
            story: story(row.digest, &row.later),
            facts,
        }
    });
    Ok(told.collect())
}

async fn of_enrollments(tx: &mut Tx, generation: i64, ids: &[Uuid]) -> Result<Vec<Told>, Error> {
    let mut periods: BTreeMap<Uuid, Vec<PeriodRow>> = BTreeMap::new();
    for row in store::periods(tx, generation, ids).await? {
        periods.entry(row.enrollment).or_default().push(row);
    }
    let rows = store::enrollments(tx, generation, ids).await?;
    let persons: Vec<Uuid> = rows.iter().filter_map(|row| row.person).collect();
    let mut keys: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (person, key, _) in store::keys(tx, generation, &persons).await? {
        keys.entry(person).or_default().push(key);
    }
    let told = rows.into_iter().map(|row| {
        let mut of = row.person.and_then(|person| keys.get(&person).cloned()).unwrap_or_default();
        of.push(row.claim_key);
        of.sort_unstable();
        of.dedup();
        let facts = facts_of_enrollment(&row, &periods.remove(&row.enrollment).unwrap_or_default());
        let story = story(row.story.unwrap_or(row.digest), &row.later);
        Told { kind: Kind::Enrollment, record: row.enrollment, school: row.school, name: row.claim_name, keys: of, story, facts }
    });
    Ok(told.collect())
}

fn facts_of_enrollment(row: &EnrollmentRow, periods: &[PeriodRow]) -> Vec<(String, String)> {
    let stage = match row.stage {
        1 => "已提交，待审核",
        2 => "已退回",
        3 => "已批准",
        _ => "",
    };
    let last = periods.last();
    let (class_name, major) = last.map(|last| (last.class_name.clone(), last.major.clone())).unwrap_or_default();
    let story = periods.iter().map(|period| {
        let name = match PeriodState::from_code(period.state) {
            PeriodState::InSchool => "在读",
            PeriodState::OnLeave => "休学",
            PeriodState::Withdrawn => "退学",
            PeriodState::NeverCame => "未报到注销",
            PeriodState::Unknown => "其他状态",
        };
        format!("{}起{name}", period.from_date)
    });
    vec![
        fact("姓名", &row.claim_name),
        fact("学籍状态", stage),
        fact("批准日期", &row.approved_day.map(|day| day.to_string()).unwrap_or_default()),
        fact("学籍经过", &story.collect::<Vec<_>>().join("；")),
        fact("班级", &class_name),
        fact("专业", codes::major_of_key(&major).map_or("", |major| major.name)),
    ]
}

fn answer(answer: RegistryAnswer) -> &'static str {
    match answer {
        RegistryAnswer::NotAsked => "未接入人口库",
        RegistryAnswer::Confirmed => "已核实",
        RegistryAnswer::NotFound => "查无此号",
        RegistryAnswer::Differs => "姓名不一致",
    }
}

fn fact(what: &str, value: &str) -> (String, String) {
    (what.to_owned(), value.to_owned())
}

fn hashed(facts: &[(String, String)]) -> Uuid {
    let text = facts.iter().map(|(what, value)| format!("{what}:{value}")).collect::<Vec<_>>().join("\n");
    Uuid::from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_before_a_field_came_is_said_again_with_it() {
        let first = Uuid::from_u128(1);
        let (a, b) = ("a".repeat(LATER_DIGITS), "b".repeat(LATER_DIGITS));
        let said: Vec<Uuid> = stories_of(first, &format!("{a}{b}")).collect();
        assert_eq!(said, [first, story(first, &a), story(first, &format!("{a}{b}"))]);
        assert!(!said.contains(&story(first, &b)) && !said.contains(&story(first, &format!("{b}{a}"))));
        assert_eq!(stories_of(first, "").collect::<Vec<_>>(), [first], "as every story was kept before");
    }
}

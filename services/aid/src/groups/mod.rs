//! 特殊群体名单: whom other departments know to be of a special group, as a department of education was told. Who is at a school and has no level is told to
//! the school, which speaks to them; nothing is decided by it.
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | whom a school should speak to, numbers |
//! | `import` | lists as files |
//! | `rules` | what a row may hold |
//! | `api` | gRPC in |

pub mod api;
mod import;
mod rules;
mod store;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;
use xuezhu_domain::{Term, codes::FAMILY_GROUPS, region};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place};
use xuezhu_store::Tx;

use self::store::{Sought, StudentRow};
use crate::{asked, mirror};

/// Students of a school who are of a special group, or had a level, and have none.
pub async fn to_speak_to(ctx: &Context, tx: &mut Tx, school: &str) -> Result<Vec<pb::GroupStudent>, Error> {
    let school = mirror::school_for(ctx, tx, school, Permission::ReadFamily).await?;
    Ok(together(&without_level(ctx, tx, &school.school).await?))
}

/// How many a school should speak to; nobody, where whoever looks may not know of families.
pub async fn count_to_speak_to(ctx: &Context, tx: &mut Tx, school: &str) -> Result<usize, Error> {
    if school.is_empty() || ctx.may(Permission::ReadFamily, &Place::School { code: school, authority: "" }).is_err() {
        return Ok(0);
    }
    let waits = |student: &pb::GroupStudent| !student.under_way && !student.waived;
    Ok(together(&without_level(ctx, tx, school).await?).iter().filter(|student| waits(student)).count())
}

async fn without_level(ctx: &Context, tx: &mut Tx, school: &str) -> Result<Vec<StudentRow>, Error> {
    let term = Term::of(ctx.today()).to_string();
    let sought = Sought { school, prefix: "", today: ctx.today(), term: &term };
    let mut rows = store::students(tx, &sought).await?;
    rows.extend(store::lapsed(tx, &sought).await?);
    rows.retain(|row| !row.has_level);
    rows.sort_by(|a, b| (&a.class_name, &a.name, a.person, &a.group_word).cmp(&(&b.class_name, &b.name, b.person, &b.group_word)));
    Ok(rows)
}

/// Each student once, with all groups.
fn together(rows: &[StudentRow]) -> Vec<pb::GroupStudent> {
    let mut students: Vec<pb::GroupStudent> = Vec::new();
    for row in rows {
        let (person, until) = (row.person.to_string(), row.until_day.to_string());
        match students.iter_mut().find(|student| student.person == person) {
            Some(student) => {
                if !row.group_word.is_empty() && !student.groups.contains(&row.group_word) {
                    student.groups.push(row.group_word.clone());
                }
                if !row.last_level.is_empty() {
                    student.last_level.clone_from(&row.last_level);
                }
                student.until_date = student.until_date.clone().max(until);
            }
            None => students.push(pb::GroupStudent {
                person,
                name: row.name.clone(),
                class_name: row.class_name.clone(),
                groups: Some(row.group_word.clone()).filter(|group| !group.is_empty()).into_iter().collect(),
                last_level: row.last_level.clone(),
                until_date: until,
                under_way: row.under_way,
                waived: row.waived,
            }),
        }
    }
    students
}

/// How many are on the lists of a region, and how many of them were found.
pub async fn count(ctx: &Context, tx: &mut Tx, region: &str) -> Result<pb::CountGroupsResponse, Error> {
    let mut errors = FieldErrors::default();
    let region = asked::region(ctx, region, &mut errors);
    errors.check()?;
    let region = region.ok_or_else(|| Error::Internal("a field is missing and not told".into()))?;
    ctx.may(Permission::ReadFamily, &Place::Region(&region))?;
    let prefix = region::prefix_or_all(&region);
    let term = Term::of(ctx.today()).to_string();
    let rows = store::students(tx, &Sought { school: "", prefix, today: ctx.today(), term: &term }).await?;
    let counts = store::counts(tx, prefix, ctx.today()).await?;
    let people = |rows: &mut dyn Iterator<Item = &StudentRow>| small(rows.map(|row| row.person).collect::<BTreeSet<Uuid>>().len());
    let group = |group: &'static str| {
        let known = counts.iter().find(|(word, ..)| word == group);
        let of = || rows.iter().filter(|row| row.group_word == group);
        pb::GroupCount {
            group: group.to_owned(),
            listed: known.map_or(0, |(_, listed, _)| i32::try_from(*listed).unwrap_or(i32::MAX)),
            found: people(&mut of()),
            with_level: people(&mut of().filter(|row| row.has_level)),
            lapsed: known.map_or(0, |(.., lapsed)| i32::try_from(*lapsed).unwrap_or(i32::MAX)),
        }
    };
    let mut schools: BTreeMap<&str, Vec<&StudentRow>> = BTreeMap::new();
    for row in &rows {
        schools.entry(&row.school).or_default().push(row);
    }
    let school = |(school, rows): (&str, Vec<&StudentRow>)| pb::GroupSchool {
        school: school.to_owned(),
        school_name: rows.first().map(|row| row.school_name.clone()).unwrap_or_default(),
        students: people(&mut rows.iter().copied()),
        without_level: people(&mut rows.iter().copied().filter(|row| !row.has_level)),
    };
    Ok(pb::CountGroupsResponse {
        region_name: region::full_name(&region),
        groups: FAMILY_GROUPS.into_iter().map(group).collect(),
        schools: schools.into_iter().map(school).collect(),
    })
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

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

use chrono::Days;
use xuezhu_domain::{Term, codes::FAMILY_GROUPS, region};
use xuezhu_proto::aid as pb;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal};
use xuezhu_store::Tx;

use self::store::{Sought, StudentRow};
use crate::{Parts, asked, mirror};

/// Days for which a row is kept whose day has passed.
const KEPT_DAYS: u64 = 366;

/// Students of a school who are of a special group, or had a level, and have none.
pub async fn to_speak_to(ctx: &Context, tx: &mut Tx, school: &str) -> Result<Vec<pb::GroupStudent>, Error> {
    // A department is told numbers: to speak to somebody is the school's.
    if !ctx.actor.role.is_of_school() {
        return Err(Refusal::new(Reason::Forbidden, "要谈话的学生只由所在学校查看；主管部门看人数").into());
    }
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
    let sought = Sought { school, today: ctx.today(), term: &term };
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
        // A level holds up to the day before the one from which it holds no more.
        let last = if row.last_level.is_empty() { row.until_day } else { row.until_day - Days::new(1) };
        let (person, until) = (row.person.to_string(), last.to_string());
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
    let (counts, found) = (store::counts(tx, prefix, ctx.today()).await?, store::found(tx, prefix, ctx.today()).await?);
    let group = |group: &'static str| {
        let of = |rows: &[(String, i64, i64)]| rows.iter().find(|(word, ..)| word == group).map_or((0, 0), |(_, one, two)| (small(*one), small(*two)));
        let ((listed, lapsed), (found, with_level)) = (of(&counts), of(&found));
        pb::GroupCount { group: group.to_owned(), listed, found, with_level, lapsed }
    };
    let school = |(school, school_name, students, with_level): (String, String, i64, i64)| {
        let (students, without_level) = (small(students), small(students - with_level));
        pb::GroupSchool { school, school_name, students, without_level }
    };
    Ok(pb::CountGroupsResponse {
        region_name: region::full_name(&region),
        groups: FAMILY_GROUPS.into_iter().map(group).collect(),
        schools: store::by_school(tx, prefix, ctx.today()).await?.into_iter().map(school).collect(),
    })
}

/// What lapsed more than a year ago is of no use, and is forgotten.
pub async fn forget(parts: &Parts) -> Result<u64, Error> {
    let before = parts.runner.clock().today() - Days::new(KEPT_DAYS);
    parts.runner.db().write(&before, |tx, before| Box::pin(async move { store::forget(tx, *before).await.map_err(Error::from) })).await
}

fn small(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

//! Who is in a class today, and that its teacher confirmed so: what was confirmed is covered by a digest, so that whoever reads it later
//! knows whether it still is the same list.

pub mod api;
mod store;

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_proto::enrollment as pb;
use xuezhu_review::way::digest;
use xuezhu_service::{Context, Error, Permission, Reason, Refusal, clock::rfc3339};
use xuezhu_store::Tx;

use self::store::ConfirmationRow;
use crate::{
    Parts,
    directory::teachers::{self, NewTeaching, TeachingRow},
    roll,
    students::{self, Member},
};

/// Students of a class at most: no class has so many.
const STUDENTS: i64 = 1_000;

/// Says whose class a class is, of those that are open.
async fn set_teacher(ctx: &Context, tx: &mut Tx, new: &NewTeaching) -> Result<Vec<TeachingRow>, Error> {
    teachers::may_in_class(ctx, tx, &new.school, &new.class_name, Permission::EnterForSchool).await?;
    let open = roll::classes::of_school(tx, &new.school, false, ctx.today()).await?;
    if !open.iter().any(|class| class.name == new.class_name) {
        return Err(Refusal::field("class_name", "本校没有这个班级；新班级请先录入学生并通过审核").into());
    }
    teachers::set(ctx, tx, new).await
}

/// Who is in a class today.
async fn list(ctx: &Context, tx: &mut Tx, parts: &Parts, school: &str, class_name: &str) -> Result<pb::ClassList, Error> {
    let school = teachers::may_in_class(ctx, tx, school, class_name, Permission::ReadClass).await?;
    let members = students::members(tx, &school.code, &[class_name.to_owned()], ctx.today()).await?;
    let shown = students::of_classes(ctx, tx, parts, students::Within::class(&school.code, class_name, ctx.today()), None, STUDENTS).await?;
    let teacher = teachers::of_class(tx, &school.code, class_name, ctx.today()).await?;
    let last = store::page(tx, &school.code, class_name, None, None, 1).await?.pop();
    let present = digest_of(&members);
    Ok(pb::ClassList {
        school: school.code,
        class_name: class_name.to_owned(),
        date: ctx.today().to_string(),
        count: small(members.len()),
        teacher: teacher.map(|row| teaching(ctx, row)),
        confirmation: last.map(|row| confirmation(row, &present)),
        digest: present,
        students: shown.enrollments,
    })
}

/// What a teacher says of a list.
#[derive(Debug, Clone)]
struct Said {
    school: String,
    class_name: String,
    digest: String,
    count: i32,
    wrong: String,
}

/// The teacher confirms who is in the class, or says who is wrong: of the list as it was read.
async fn confirm(ctx: &Context, tx: &mut Tx, said: &Said) -> Result<pb::ClassConfirmation, Error> {
    let school = teachers::may_in_class(ctx, tx, &said.school, &said.class_name, Permission::ConfirmClass).await?;
    let members = students::members(tx, &school.code, std::slice::from_ref(&said.class_name), ctx.today()).await?;
    if members.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "该班今天没有在班的学生，无需核对").into());
    }
    let present = digest_of(&members);
    if said.digest != present || said.count != small(members.len()) {
        return Err(Refusal::new(Reason::DigestMismatch, "班级名单在您查看之后有变化，请重新核对后再确认").into());
    }
    let id = ctx.new_id();
    store::insert(ctx, tx, id, said).await?;
    let row = store::one(tx, id).await?.ok_or_else(|| Error::Internal("a confirmation that was made".into()))?;
    Ok(confirmation(row, &present))
}

/// A page of what was confirmed, the latest first, with where the next one begins.
async fn confirmations(
    ctx: &Context,
    tx: &mut Tx,
    school: &str,
    class_name: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<pb::ClassConfirmation>, Error> {
    let (school, own) = teachers::classes_seen(ctx, tx, school).await?;
    let rows = store::page(tx, &school.code, class_name, own.as_deref(), before, limit).await?;
    let mut classes: Vec<String> = rows.iter().map(|row| row.class_name.clone()).collect();
    classes.sort_unstable();
    classes.dedup();
    let mut by_class: HashMap<String, Vec<Member>> = HashMap::new();
    for member in students::members(tx, &school.code, &classes, ctx.today()).await? {
        by_class.entry(member.class_name.clone()).or_default().push(member);
    }
    let present: HashMap<String, String> = classes
        .into_iter()
        .map(|class| {
            let digest = digest_of(by_class.get(&class).map_or(&[], Vec::as_slice));
            (class, digest)
        })
        .collect();
    let told = |row: ConfirmationRow| {
        let present = present.get(&row.class_name).map_or("", String::as_str);
        confirmation(row, present)
    };
    Ok(rows.into_iter().map(told).collect())
}

/// Covers who is in a class, and in which state.
fn digest_of(members: &[Member]) -> String {
    let states: Vec<(Uuid, [u8; 4])> = members.iter().map(|member| (member.enrollment, member.state.to_be_bytes())).collect();
    digest(states.iter().map(|(enrollment, state)| (*enrollment, &state[..])))
}

fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn confirmation(row: ConfirmationRow, present: &str) -> pb::ClassConfirmation {
    pb::ClassConfirmation {
        confirmation: row.confirmation.to_string(),
        school: row.school,
        class_name: row.class_name,
        date: row.day.to_string(),
        stale: row.digest != present,
        digest: row.digest,
        count: row.students,
        wrong: row.wrong,
        account: row.account,
        display_name: row.display_name,
        confirm_time: rfc3339(row.at_us),
    }
}

fn teaching(ctx: &Context, row: TeachingRow) -> pb::ClassTeacher {
    let holds = row.from_day <= ctx.today() && row.to_day.is_none_or(|to| to > ctx.today());
    pb::ClassTeacher {
        teaching: row.teaching.to_string(),
        school: row.school,
        class_name: row.class_name,
        account: row.account,
        display_name: row.display_name,
        from_date: row.from_day.to_string(),
        end_date: row.to_day.map(|day| day.to_string()).unwrap_or_default(),
        holds,
        set_by: row.set_by_name,
        set_time: rfc3339(row.set_at_us),
    }
}

//! Whose class a class is: set by the school's clerk, from a civil day on. Of one class there is one teacher on a day; what ended is kept. Who
//! has the role sees the classes that are hers today, and those alone: which they are is asked here, at each call.

mod store;

use chrono::{Days, NaiveDate};
use uuid::Uuid;
use xuezhu_service::{Actor, Context, Error, FieldErrors, Permission, Reach, Reason, Refusal, Role, Teaching};
use xuezhu_store::Tx;

pub use self::store::{Filter, TEACHING, TeachingRow, named};
use super::{SchoolRow, school_for, store as accounts};

/// How far ahead it can be said, in days.
const DAYS_AHEAD: u64 = 366;
/// Classes that a token tells, at most, and bytes of their names: it travels with each request, and browsers keep 4,096 bytes of a cookie.
const TOLD: i64 = 12;
const NAMES: usize = 1_000;

/// Whose class a class is to be.
#[derive(Debug, Clone)]
pub struct NewTeaching {
    /// School.
    pub school: String,
    /// Name of the class.
    pub class_name: String,
    /// Account of the teacher; empty where it is nobody's from then on.
    pub account: String,
    /// First day.
    pub from: NaiveDate,
}

/// Says whose class a class is; ends whose it was. That there is such a class, whoever calls knows.
pub async fn set(ctx: &Context, tx: &mut Tx, new: &NewTeaching) -> Result<Vec<TeachingRow>, Error> {
    let school = school_for(ctx, tx, &new.school, Permission::EnterForSchool).await?;
    // Of two who say it at once, one is first.
    store::lock(tx, &school.code).await?;
    let mut errors = FieldErrors::default();
    let fits = |row: &accounts::AccountRow| row.organisation == school.code && row.role == Role::ClassTeacher.as_str() && !row.disabled;
    if !new.account.is_empty() && !accounts::account(tx, &new.account).await?.as_ref().is_some_and(fits) {
        errors.add("account", "应为本校未停用的班主任账号");
    }
    if new.from > ctx.today() + Days::new(DAYS_AHEAD) {
        errors.add("from_date", "不能晚于一年以后");
    }
    let last = store::last(tx, &school.code, &new.class_name).await?;
    if let Some(last) = last.as_ref().filter(|last| last.from_day > new.from) {
        errors.add("from_date", format!("{}自{}起任该班班主任，不能早于这一天", last.display_name, last.from_day));
    }
    errors.check()?;
    let holds = last.filter(|last| last.to_day.is_none_or(|to| to > new.from));
    match &holds {
        Some(holds) if holds.account == new.account && holds.to_day.is_none() => {
            return Err(Refusal::wrong_state(format!("{}已是该班班主任，自{}起", holds.display_name, holds.from_day)).into());
        }
        None if new.account.is_empty() => return Err(Refusal::wrong_state("该班在这一天没有班主任").into()),
        Some(holds) => store::end(ctx, tx, holds.teaching, new.from).await?,
        None => {}
    }
    if !new.account.is_empty() {
        store::insert(ctx, tx, ctx.new_id(), new).await?;
    }
    let filter = Filter { school: school.code, class_name: new.class_name.clone(), account: String::new() };
    Ok(store::page(tx, &filter, None, i64::from(i32::MAX)).await?)
}

/// A page of whose classes were whose, what was said last first; a class teacher sees her own.
pub async fn list(ctx: &Context, tx: &mut Tx, school: &str, class_name: &str, before: Option<Uuid>, limit: i64) -> Result<Vec<TeachingRow>, Error> {
    let school = school_for(ctx, tx, school, Permission::ReadClass).await?;
    let account = if sees_own_only(ctx) { ctx.actor.account.clone() } else { String::new() };
    Ok(store::page(tx, &Filter { school: school.code, class_name: class_name.to_owned(), account }, before, limit).await?)
}

/// Whose a class is on a day.
pub async fn of_class(tx: &mut Tx, school: &str, class_name: &str, day: NaiveDate) -> Result<Option<TeachingRow>, Error> {
    Ok(store::on_day(tx, school, class_name, day).await?)
}

/// A school whose classes whoever calls may see; and which of them, by name: none where it is all.
pub async fn classes_seen(ctx: &Context, tx: &mut Tx, school: &str) -> Result<(SchoolRow, Option<Vec<String>>), Error> {
    let school = school_for(ctx, tx, school, Permission::ReadClass).await?;
    let own = if sees_own_only(ctx) { Some(own(ctx, tx, &school.code).await?) } else { None };
    Ok((school, own))
}

/// Refuses who may not do something in a class: who has the right in classes of her own, outside of these.
pub async fn may_in_class(ctx: &Context, tx: &mut Tx, school: &str, class_name: &str, permission: Permission) -> Result<SchoolRow, Error> {
    let school = school_for(ctx, tx, school, permission).await?;
    if ctx.reach(permission) == Reach::OwnClasses && !own(ctx, tx, &school.code).await?.iter().any(|own| own == class_name) {
        return Err(not_hers().into());
    }
    Ok(school)
}

/// Classes that are somebody's today or will be: what their token says, as far as it can say so many.
pub(super) async fn of_account(tx: &mut Tx, actor: &Actor, today: NaiveDate) -> Result<Vec<Teaching>, Error> {
    let rows = store::of_account(tx, &actor.organisation, &actor.account, today, TOLD).await?;
    let mut bytes = 0;
    let fits = |(name, ..): &(String, NaiveDate, Option<NaiveDate>)| {
        bytes += name.len();
        bytes <= NAMES
    };
    Ok(rows.into_iter().take_while(fits).map(|(class_name, from, to)| Teaching { class_name, from, to }).collect())
}

/// The classes that are the actor's own today.
pub async fn own(ctx: &Context, tx: &mut Tx, school: &str) -> Result<Vec<String>, Error> {
    Ok(store::classes_of(tx, school, &ctx.actor.account, ctx.today()).await?)
}

/// Whether the actor sees classes of her own alone.
pub fn sees_own_only(ctx: &Context) -> bool {
    ctx.reach(Permission::ReadClass) == Reach::OwnClasses
}

/// How it is refused what is of no class of hers.
pub fn not_hers() -> Refusal {
    Refusal::new(Reason::Forbidden, "您今天不是该班的班主任；如有变动，请学校经办人指定班主任")
}

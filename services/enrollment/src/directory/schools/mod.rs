//! Schools: entered, changed, closed and opened again; their majors, added and ended; their authority, by date.

pub mod api;
mod rules;
mod store;
mod turning;

use std::collections::HashMap;

use chrono::NaiveDate;
use xuezhu_domain::{
    RegionCode, SchoolCode,
    majors::{self, Major},
};
use xuezhu_service::{Context, Error, Permission, Place, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use self::store::Said;
use crate::sharing;

pub use self::{
    rules::{Offered, State, pattern},
    store::{AuthorityRow, MajorRow, SchoolRow},
    turning::{keep, turn, turn_now},
};

/// Majors of a school at most.
pub const MAJORS: usize = 400;

/// A school to be entered.
#[derive(Debug, Clone)]
pub struct NewSchool {
    /// Code.
    pub code: SchoolCode,
    /// Name.
    pub name: String,
    /// Where it stands.
    pub region: RegionCode,
    /// `PUBLIC` or `PRIVATE`.
    pub kind: &'static str,
    /// Region of its department.
    pub authority: RegionCode,
    /// Whom to call; empty where nobody said.
    pub telephone: String,
    /// The majors that it may teach.
    pub majors: Vec<&'static Major>,
}

/// What of a school is to be said anew.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// Name.
    pub name: Option<String>,
    /// `PUBLIC` or `PRIVATE`.
    pub kind: Option<&'static str>,
    /// Telephone; empty for none.
    pub telephone: Option<String>,
}

/// Enters a school.
pub async fn create(ctx: &Context, tx: &mut Tx, new: &NewSchool) -> Result<SchoolRow, Error> {
    ctx.may(Permission::ManageDirectory, &Place::Region(new.authority.as_str()))?;
    if store::school(tx, new.code.as_str()).await?.is_some() {
        return Err(Refusal::new(Reason::AlreadyExists, format!("学校代码{}已存在", new.code)).into());
    }
    store::insert(tx, new).await?;
    store::add_majors(tx, new.code.as_str(), &new.majors).await?;
    shared(ctx, tx, new.code.as_str()).await
}

/// Enters schools at once; whoever calls asked whether the actor may, and that none is there.
pub async fn enter(ctx: &Context, tx: &mut Tx, new: &[&NewSchool]) -> Result<(), Error> {
    store::insert_many(tx, new).await?;
    add(ctx, tx, new).await
}

/// Says names and telephones of schools anew, and adds the majors that are named; likewise.
pub async fn say_anew(ctx: &Context, tx: &mut Tx, said: &[&NewSchool]) -> Result<(), Error> {
    let rows: Vec<Said> = said.iter().map(|said| Said { code: said.code.as_str(), name: &said.name, telephone: &said.telephone }).collect();
    store::rename_many(tx, &rows).await?;
    add(ctx, tx, said).await
}

async fn add(ctx: &Context, tx: &mut Tx, schools: &[&NewSchool]) -> Result<(), Error> {
    let majors: Vec<(&str, &[&'static Major])> = schools.iter().map(|school| (school.code.as_str(), &school.majors[..])).collect();
    store::add_majors_of(tx, &majors).await?;
    let codes: Vec<&str> = schools.iter().map(|school| school.code.as_str()).collect();
    sharing::share_schools(ctx, tx, &codes).await
}

/// The majors of schools, those that ended too, by school.
pub async fn majors_of(tx: &mut Tx, codes: &[String]) -> Result<HashMap<String, Vec<MajorRow>>, Error> {
    let mut majors: HashMap<String, Vec<MajorRow>> = HashMap::new();
    for row in store::majors(tx, codes).await? {
        majors.entry(row.school.clone()).or_default().push(row);
    }
    Ok(majors)
}

/// Tells the feed of a school as it is now, and returns it.
async fn shared(ctx: &Context, tx: &mut Tx, code: &str) -> Result<SchoolRow, Error> {
    sharing::share_school(ctx, tx, code).await?;
    school(tx, code).await
}

/// A school that is there.
pub async fn school(tx: &mut Tx, code: &str) -> Result<SchoolRow, Error> {
    store::school(tx, code).await?.ok_or_else(|| Refusal::not_found("该学校").into())
}

/// A school, whoever asks.
pub async fn found(tx: &mut Tx, code: &str) -> Result<Option<SchoolRow>, StoreError> {
    store::school(tx, code).await
}

/// Schools by their codes.
pub async fn of_codes<'c>(tx: &mut Tx, codes: impl Iterator<Item = &'c str>) -> Result<HashMap<String, SchoolRow>, Error> {
    let mut codes: Vec<String> = codes.map(str::to_owned).collect();
    codes.sort_unstable();
    codes.dedup();
    Ok(store::schools(tx, &codes).await?.into_iter().map(|row| (row.code.clone(), row)).collect())
}

/// A school, if the actor may do something there; one that doesn't exist is refused alike to those who may not look.
pub async fn school_for(ctx: &Context, tx: &mut Tx, code: &str, permission: Permission) -> Result<SchoolRow, Error> {
    let Some(school) = store::school(tx, code).await? else {
        ctx.may(permission, &Place::School { code, authority: "" })?;
        return Err(Refusal::not_found("该学校").into());
    };
    ctx.may(permission, &school.place())?;
    Ok(school)
}

/// A school into which the actor may enter students: a closed one takes nobody.
pub async fn open_for_entry(ctx: &Context, tx: &mut Tx, code: &str) -> Result<SchoolRow, Error> {
    let school = school_for(ctx, tx, code, Permission::EnterForSchool).await?;
    if school.state == State::Closed.as_str() {
        let since = school.state_day.map_or_else(String::new, |day| format!("自{day}起"));
        return Err(Refusal::wrong_state(format!("本校{since}已停办，不能再录入或提交新生；在校学生仍可查看和办理异动")).into());
    }
    Ok(school)
}

/// The majors of a school that catalogues know, with those that ended.
pub async fn majors(tx: &mut Tx, school: &str) -> Result<Vec<Offered>, Error> {
    let rows = store::majors(tx, &[school.to_owned()]).await?;
    let offered = |row: &store::MajorRow| Some(Offered { major: majors::stored(&row.catalogue, &row.code)?, ended: row.ended_day });
    Ok(rows.iter().filter_map(offered).collect())
}

/// A school that the actor keeps, locked.
async fn kept(ctx: &Context, tx: &mut Tx, code: &str) -> Result<SchoolRow, Error> {
    store::lock(tx, code).await?;
    school_for(ctx, tx, code, Permission::ManageDirectory).await
}

/// Says name, owner or telephone anew.
pub async fn update(ctx: &Context, tx: &mut Tx, code: &str, changed: &Changed) -> Result<SchoolRow, Error> {
    let mut row = kept(ctx, tx, code).await?;
    if let Some(name) = &changed.name {
        row.name.clone_from(name);
    }
    if let Some(kind) = changed.kind {
        kind.clone_into(&mut row.kind);
    }
    if let Some(telephone) = &changed.telephone {
        row.telephone.clone_from(telephone);
    }
    store::update(tx, &row).await?;
    shared(ctx, tx, code).await
}

/// Adds majors; those that had ended take students again.
pub async fn add_majors(ctx: &Context, tx: &mut Tx, code: &str, new: &[&'static Major]) -> Result<SchoolRow, Error> {
    let row = kept(ctx, tx, code).await?;
    let known = store::majors(tx, &[code.to_owned()]).await?;
    let added = new.iter().filter(|new| !known.iter().any(|known| (known.catalogue.as_str(), known.code.as_str()) == (new.catalogue, new.stored))).count();
    if known.len() + added > MAJORS {
        return Err(Refusal::field("majors", format!("一所学校的专业不能超过{MAJORS}个，现有{}个", known.len())).into());
    }
    store::add_majors(tx, code, new).await?;
    Ok(row)
}

/// Ends a major from a day on. One in which no student ever was is taken off: it was a slip.
pub async fn end_major(ctx: &Context, tx: &mut Tx, code: &str, key: &str, day: NaiveDate) -> Result<SchoolRow, Error> {
    let row = kept(ctx, tx, code).await?;
    let known = store::majors(tx, &[code.to_owned()]).await?;
    let known = known.into_iter().find(|known| format!("{}-{}", known.catalogue, known.code) == key);
    let known = known.ok_or_else(|| Refusal::field("key", format!("本校没有备案专业{key}")))?;
    if store::is_used(tx, code, key).await? {
        store::end_major(tx, code, &known.catalogue, &known.code, day).await?;
    } else {
        store::delete_major(tx, code, &known.catalogue, &known.code).await?;
    }
    Ok(row)
}

/// Closes a school, or opens it again, from today on.
pub async fn set_state(ctx: &Context, tx: &mut Tx, code: &str, state: State) -> Result<SchoolRow, Error> {
    let row = kept(ctx, tx, code).await?;
    if row.state == state.as_str() {
        return Ok(row);
    }
    store::set_state(tx, code, state, ctx.today()).await?;
    shared(ctx, tx, code).await
}

/// Puts a school under another department from a day on: today at once, later on its day. Whoever puts it there keeps both.
pub async fn set_authority(ctx: &Context, tx: &mut Tx, code: &str, (authority, day, reason): (&RegionCode, NaiveDate, &str)) -> Result<SchoolRow, Error> {
    let row = kept(ctx, tx, code).await?;
    ctx.may(Permission::ManageDirectory, &Place::Region(authority.as_str()))?;
    if day < ctx.today() {
        let why = format!("主管部门的变更不能早于今天（{}）：此前已由原主管部门办理的，不能改由他人办理", ctx.today());
        return Err(Refusal::field("from_date", why).into());
    }
    let change = AuthorityRow {
        from_day: day,
        authority: authority.as_str().to_owned(),
        authority_before: row.authority,
        reason: reason.to_owned(),
        turned: false,
        recorded_by_name: ctx.actor.display_name.clone(),
        recorded_at_us: ctx.now_us(),
    };
    store::record_authority(tx, code, &change, &ctx.actor.account).await?;
    if day == ctx.today() {
        turn(ctx, tx).await?;
    }
    school(tx, code).await
}

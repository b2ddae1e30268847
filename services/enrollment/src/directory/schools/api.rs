//! gRPC in: schools.

use std::{collections::HashMap, sync::Arc};

use tonic::{Request, Response, Status};
use xuezhu_domain::{
    majors::{self, Major},
    region,
};
use xuezhu_proto::enrollment::{self as pb, school};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, clock::rfc3339, paging, runner::Call};
use xuezhu_store::Tx;

use super::{AuthorityRow, Changed, MAJORS, NewSchool, SchoolRow, State, rules, store};
use crate::{
    Parts,
    directory::api::{NAME_CHARACTERS, before_page, page_of},
    directory::rules::check_telephone,
};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;

/// Enters a school.
pub async fn create(parts: &Arc<Parts>, request: Request<pb::CreateSchoolRequest>) -> Result<Response<pb::CreateSchoolResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "CreateSchool").await?;
    let new = new_school(&request)?;
    let call = Call::new("CreateSchool", new.code.as_str(), &request);
    let made = parts.runner.mutate(&ctx, call, &new, |ctx, tx, new| {
        Box::pin(async move {
            let row = super::create(ctx, tx, new).await?;
            Ok(pb::CreateSchoolResponse { school: Some(one(tx, row).await?) })
        })
    });
    made.await
}

/// One school.
pub async fn get(parts: &Arc<Parts>, request: Request<pb::GetSchoolRequest>) -> Result<Response<pb::GetSchoolResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "GetSchool").await?;
    let read = parts.runner.read(&ctx, "GetSchool", &request.school, |ctx, tx, code| {
        Box::pin(async move {
            let row = super::school_for(ctx, tx, code, Permission::ReadDirectory).await?;
            Ok(pb::GetSchoolResponse { school: Some(one(tx, row).await?) })
        })
    });
    read.await
}

/// A page of schools.
pub async fn list(parts: &Arc<Parts>, request: Request<pb::ListSchoolsRequest>) -> Result<Response<pb::ListSchoolsResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ListSchools").await?;
    parts.runner.read(&ctx, "ListSchools", &request, |ctx, tx, request| Box::pin(page(ctx, tx, request))).await
}

async fn page(ctx: &Context, tx: &mut Tx, request: &pb::ListSchoolsRequest) -> Result<pb::ListSchoolsResponse, Error> {
    let own_school = ctx.actor.role.is_of_school();
    let mut errors = FieldErrors::default();
    if !request.region.is_empty() {
        errors.parse::<xuezhu_domain::RegionCode>("region", &request.region);
    }
    errors.check()?;
    if own_school {
        super::school_for(ctx, tx, &ctx.actor.organisation, Permission::ReadDirectory).await?;
    } else {
        let asked = if request.region.is_empty() { &ctx.actor.organisation } else { &request.region };
        ctx.may(Permission::ReadDirectory, &Place::Region(asked))?;
    }
    let (school, authority) = if own_school { (ctx.actor.organisation.as_str(), "") } else { ("", ctx.actor.organisation.as_str()) };
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListSchools", &pb::ListSchoolsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let after: String = query.after(&request.page_token)?.unwrap_or_default();
    let filter = store::Filter {
        authority_prefix: region::prefix_or_all(authority).to_owned(),
        region_prefix: region::prefix_or_all(&request.region).to_owned(),
        school: school.to_owned(),
        pattern: rules::pattern(&request.query),
    };
    let rows = store::after(tx, &filter, &after, limit + 1).await?;
    let (rows, next_page_token) = page_of(rows, limit, |row| query.token(&row.code));
    let previous_page_token = match rows.first() {
        Some(first) => before_page(&store::before(tx, &filter, &first.code, limit + 1).await?, limit, query),
        None => String::new(),
    };
    let total_size = i32::try_from(store::count(tx, &filter).await?).unwrap_or(i32::MAX);
    Ok(pb::ListSchoolsResponse { schools: shown(tx, rows).await?, next_page_token, previous_page_token, total_size })
}

/// Says a school anew.
pub async fn update(parts: &Arc<Parts>, request: Request<pb::UpdateSchoolRequest>) -> Result<Response<pb::UpdateSchoolResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "UpdateSchool").await?;
    let call = Call::new("UpdateSchool", request.school.clone(), &request);
    let mut errors = FieldErrors::default();
    let changed = Changed {
        name: request.name.as_ref().and_then(|name| errors.text("name", name, NAME_CHARACTERS)),
        kind: owner(request.kind()),
        telephone: request.telephone.as_ref().and_then(|telephone| checked_telephone(&mut errors, telephone)),
    };
    errors.check()?;
    let with = (request.school, changed);
    let changed = parts.runner.mutate(&ctx, call, &with, |ctx, tx, (school, changed)| {
        Box::pin(async move {
            let row = super::update(ctx, tx, school, changed).await?;
            Ok(pb::UpdateSchoolResponse { school: Some(one(tx, row).await?) })
        })
    });
    changed.await
}

/// Adds majors.
pub async fn add_majors(parts: &Arc<Parts>, request: Request<pb::AddMajorsRequest>) -> Result<Response<pb::AddMajorsResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "AddMajors").await?;
    let call = Call::new("AddMajors", request.school.clone(), &request);
    let mut errors = FieldErrors::default();
    let majors = named_majors(&mut errors, &request.majors);
    if request.majors.is_empty() {
        errors.add("majors", "至少写一个专业");
    }
    errors.check()?;
    let with = (request.school, majors);
    let added = parts.runner.mutate(&ctx, call, &with, |ctx, tx, (school, majors)| {
        Box::pin(async move {
            let row = super::add_majors(ctx, tx, school, majors).await?;
            Ok(pb::AddMajorsResponse { school: Some(one(tx, row).await?) })
        })
    });
    added.await
}

/// Ends a major.
pub async fn end_major(parts: &Arc<Parts>, request: Request<pb::EndMajorRequest>) -> Result<Response<pb::EndMajorResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "EndMajor").await?;
    let call = Call::new("EndMajor", request.school.clone(), &request);
    let mut errors = FieldErrors::default();
    let day = errors.date("end_date", &request.end_date);
    errors.check()?;
    let Some(day) = day else { return Err(Status::internal("unreachable")) };
    let with = (request.school, request.key, day);
    let ended = parts.runner.mutate(&ctx, call, &with, |ctx, tx, (school, key, day)| {
        Box::pin(async move {
            let row = super::end_major(ctx, tx, school, key, *day).await?;
            Ok(pb::EndMajorResponse { school: Some(one(tx, row).await?) })
        })
    });
    ended.await
}

/// Puts a school under another department.
pub async fn set_authority(parts: &Arc<Parts>, request: Request<pb::SetAuthorityRequest>) -> Result<Response<pb::SetAuthorityResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "SetAuthority").await?;
    let call = Call::new("SetAuthority", request.school.clone(), &request);
    let mut errors = FieldErrors::default();
    let authority = errors.parse::<xuezhu_domain::RegionCode>("authority", &request.authority);
    let (day, reason) = (errors.date("from_date", &request.from_date), errors.text("reason", &request.reason, REASON_CHARACTERS));
    errors.check()?;
    let (Some(authority), Some(day), Some(reason)) = (authority, day, reason) else { return Err(Status::internal("unreachable")) };
    let with = (request.school, authority, day, reason);
    let set = parts.runner.mutate(&ctx, call, &with, |ctx, tx, (school, authority, day, reason)| {
        Box::pin(async move {
            let row = super::set_authority(ctx, tx, school, (authority, *day, reason)).await?;
            Ok(pb::SetAuthorityResponse { school: Some(one(tx, row).await?) })
        })
    });
    set.await
}

/// Closes a school.
pub async fn close(parts: &Arc<Parts>, request: Request<pb::CloseSchoolRequest>) -> Result<Response<pb::CloseSchoolResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "CloseSchool").await?;
    let call = Call::new("CloseSchool", request.school.clone(), &request);
    let closed = parts.runner.mutate(&ctx, call, &request.school, |ctx, tx, school| {
        Box::pin(async move {
            let row = super::set_state(ctx, tx, school, State::Closed).await?;
            Ok(pb::CloseSchoolResponse { school: Some(one(tx, row).await?) })
        })
    });
    closed.await
}

/// Opens a school again.
pub async fn open(parts: &Arc<Parts>, request: Request<pb::OpenSchoolRequest>) -> Result<Response<pb::OpenSchoolResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "OpenSchool").await?;
    let call = Call::new("OpenSchool", request.school.clone(), &request);
    let opened = parts.runner.mutate(&ctx, call, &request.school, |ctx, tx, school| {
        Box::pin(async move {
            let row = super::set_state(ctx, tx, school, State::Active).await?;
            Ok(pb::OpenSchoolResponse { school: Some(one(tx, row).await?) })
        })
    });
    opened.await
}

/// One school with all that is said of it alone.
async fn one(tx: &mut Tx, row: SchoolRow) -> Result<pb::School, Error> {
    let authority_changes = store::authorities(tx, &row.code).await?.into_iter().map(authority_change).collect();
    let shown = shown(tx, vec![row]).await?.pop().unwrap_or_default();
    Ok(pb::School { authority_changes, ..shown })
}

/// Schools with their majors.
async fn shown(tx: &mut Tx, rows: Vec<SchoolRow>) -> Result<Vec<pb::School>, Error> {
    let codes: Vec<String> = rows.iter().map(|row| row.code.clone()).collect();
    let mut majors: HashMap<String, Vec<pb::Major>> = HashMap::new();
    for row in store::majors(tx, &codes).await? {
        majors.entry(row.school.clone()).or_default().push(major(row));
    }
    Ok(rows.into_iter().map(|row| school_of(majors.remove(&row.code).unwrap_or_default(), row)).collect())
}

fn school_of(majors: Vec<pb::Major>, row: SchoolRow) -> pb::School {
    let doubt = |(of, code): (&str, &String)| Some(format!("{of}：{}", region::doubt(code)?));
    let state = match State::parse(&row.state) {
        Some(State::Active) => school::State::Active,
        Some(State::Closed) => school::State::Closed,
        None => school::State::Unspecified,
    };
    pb::School {
        doubts: [("所在地", &row.region), ("主管部门", &row.authority)].into_iter().filter_map(doubt).collect(),
        kind: school::Kind::from_str_name(&row.kind).unwrap_or_default().into(),
        state: state.into(),
        state_since: row.state_day.map(|day| day.to_string()).unwrap_or_default(),
        code: row.code,
        name: row.name,
        region: row.region,
        authority: row.authority,
        telephone: row.telephone,
        majors,
        authority_changes: Vec::new(),
    }
}

fn authority_change(row: AuthorityRow) -> pb::AuthorityChange {
    pb::AuthorityChange {
        from_date: row.from_day.to_string(),
        authority: row.authority,
        authority_before: row.authority_before,
        reason: row.reason,
        holds: row.turned,
        recorded_by: row.recorded_by_name,
        recorded_time: rfc3339(row.recorded_at_us),
    }
}

/// What is said of a major that a school holds; one that no catalogue knows any more is told, not left out.
fn major(row: store::MajorRow) -> pb::Major {
    let key = format!("{}-{}", row.catalogue, row.code);
    let ended_date = row.ended_day.map(|day| day.to_string()).unwrap_or_default();
    let Some(known) = majors::stored(&row.catalogue, &row.code) else {
        let doubt = format!("已装入的专业目录中没有{key}，请运维人员核对专业表");
        return pb::Major { catalogue: row.catalogue, code: row.code, name: String::new(), doubt, key, ended_date };
    };
    pb::Major {
        catalogue: row.catalogue,
        code: known.code.into(),
        name: known.name.into(),
        doubt: known.doubt().filter(|_| row.ended_day.is_none()).unwrap_or_default(),
        key,
        ended_date,
    }
}

fn owner(kind: school::Kind) -> Option<&'static str> {
    match kind {
        school::Kind::Public => Some("PUBLIC"),
        school::Kind::Private => Some("PRIVATE"),
        school::Kind::Unspecified => None,
    }
}

/// A telephone of an office.
fn checked_telephone(errors: &mut FieldErrors, typed: &str) -> Option<String> {
    check_telephone(typed).map_err(|why| errors.add("telephone", why)).ok()
}

fn named_majors(errors: &mut FieldErrors, asked: &[pb::Major]) -> Vec<&'static Major> {
    if asked.len() > MAJORS {
        errors.add("majors", format!("不能超过{MAJORS}个"));
    }
    let mut majors = Vec::new();
    for (index, asked) in asked.iter().enumerate() {
        match rules::named_major(asked.catalogue.trim(), asked.code.trim(), asked.name.trim()) {
            Ok(known) => majors.push(known),
            Err(why) => errors.add(&format!("majors[{index}]"), why),
        }
    }
    majors
}

/// The school that is asked for, or every field that is wrong.
pub(in crate::directory) fn new_school(request: &pb::CreateSchoolRequest) -> Result<NewSchool, Error> {
    let mut errors = FieldErrors::default();
    let code = errors.parse("code", &request.code);
    let name = errors.text("name", &request.name, NAME_CHARACTERS);
    let region = errors.parse("region", &request.region);
    let authority = errors.parse("authority", &request.authority);
    let kind = owner(request.kind());
    if kind.is_none() {
        errors.add("kind", "应为PUBLIC或PRIVATE");
    }
    let telephone = checked_telephone(&mut errors, &request.telephone);
    let majors = named_majors(&mut errors, &request.majors);
    match (code, name, region, authority, kind, telephone) {
        (Some(code), Some(name), Some(region), Some(authority), Some(kind), Some(telephone)) => {
            errors.check()?;
            Ok(NewSchool { code, name, region, kind, authority, telephone, majors })
        }
        _ => Err(errors.check().err().unwrap_or_else(|| Error::Internal("a field is missing and not told".into()))),
    }
}

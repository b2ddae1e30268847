//! gRPC in: lists of students, and one student.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_bridge::known::When;
use xuezhu_domain::{IdNumber, codes, enrollment::State, text};
use xuezhu_proto::enrollment::{self as pb, enrollment, list_enrollments_request};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal, paging, refusal};
use xuezhu_store::Tx;

use super::{AsOf, At, Filter, Order, Within};
use crate::{Parts, directory::teachers};

/// Longest purpose, in characters.
const PURPOSE_CHARACTERS: usize = 200;
/// Years in which anybody may have entered.
const ENTRY_YEARS: std::ops::RangeInclusive<i32> = 1949..=2999;

/// A page of a school's students.
pub async fn list(parts: &Arc<Parts>, request: Request<pb::ListEnrollmentsRequest>) -> Result<Response<pb::ListEnrollmentsResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ListEnrollments").await?;
    let (school, looked_up) = (request.school.clone(), is_whole_number(&ctx, &text::clean_number(&request.query)));
    let with = (parts.clone(), request);
    let found = parts.runner.read(&ctx, "ListEnrollments", &with, |ctx, tx, (parts, request)| Box::pin(page(ctx, tx, parts, request))).await?;
    if looked_up {
        parts.runner.record_reading(&ctx, "ListEnrollments", &school, "按完整号码查找").await?;
    }
    Ok(found)
}

/// The same in a transaction.
pub(crate) async fn page(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListEnrollmentsRequest) -> Result<pb::ListEnrollmentsResponse, Error> {
    let (school, own) = teachers::classes_seen(ctx, tx, &request.school).await?;
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListEnrollments", &pb::ListEnrollmentsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let at = at(request, query.after(&request.page_token)?)?;
    // Who is answered to a whole number can try numbers until one is right: that is for those who may see it.
    let may_reveal = ctx.may(Permission::RevealNumber, &Place::School { code: &school.code, authority: &school.authority }).is_ok();
    let filter = filter(ctx, parts, request, may_reveal)?;
    let as_of = as_of(ctx, &request.as_of, &request.known_at)?;
    let page = match own {
        None => super::list(ctx, tx, parts, filter, as_of, at, limit).await?,
        Some(classes) => {
            present_only(as_of, filter.submission.is_some())?;
            if !request.major.is_empty() || request.entry_year != 0 {
                return Err(Refusal::field("major", "班主任的名单不按专业和年级筛选").into());
            }
            let Filter { school, class_name, state, name_pattern, school_number, day, .. } = filter;
            let within = Within { school, classes, class_name, state, name_pattern, school_number, day };
            let At::Token(from) = at else { return Err(Refusal::field("page_number", "班主任的名单请用翻页标记翻页").into()) };
            super::of_classes(ctx, tx, parts, within, from, limit).await?
        }
    };
    let next_page_token = page.next.map(|next| query.token(&next)).unwrap_or_default();
    let known_at = page.known.map(|known| known.to_string()).unwrap_or_default();
    Ok(pb::ListEnrollmentsResponse { enrollments: page.enrollments, next_page_token, total_size: i32::try_from(page.total).unwrap_or(i32::MAX), known_at })
}

/// The classes of a school.
pub async fn classes(parts: &Arc<Parts>, request: Request<pb::ListClassesRequest>) -> Result<Response<pb::ListClassesResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "ListClasses").await?;
    parts
        .runner
        .read(&ctx, "ListClasses", &request, |ctx, tx, request| {
            Box::pin(async move {
                let (school, own) = teachers::classes_seen(ctx, tx, &request.school).await?;
                let mut classes = super::classes(ctx, tx, &school.code, request.ended).await?;
                classes.retain(|class| own.as_ref().is_none_or(|own| own.contains(&class.name)));
                // What else occurs at the school is not a class teacher's.
                let (majors, entry_years, class_names) = if own.is_none() { super::occurring(tx, &school.code).await? } else { Default::default() };
                Ok(pb::ListClassesResponse { classes, majors, entry_years, class_names })
            })
        })
        .await
}

/// One student.
pub async fn get(parts: &Arc<Parts>, request: Request<pb::GetEnrollmentRequest>) -> Result<Response<pb::GetEnrollmentResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "GetEnrollment").await?;
    let id = refusal::id("enrollment", &request.enrollment)?;
    let as_of = as_of(&ctx, &request.as_of, &request.known_at)?;
    parts
        .runner
        .read(&ctx, "GetEnrollment", &(parts.clone(), request.school, id, as_of), |ctx, tx, (parts, school, id, as_of)| {
            Box::pin(async move {
                super::student_for(ctx, tx, school, *id, Permission::ReadClass).await?;
                if teachers::sees_own_only(ctx) {
                    present_only(*as_of, false)?;
                }
                Ok(pb::GetEnrollmentResponse { enrollment: Some(super::one(ctx, tx, parts, school, *id, *as_of).await?) })
            })
        })
        .await
}

/// Refuses what a class teacher asks for beside who is in her classes today.
fn present_only(as_of: AsOf, of_submission: bool) -> Result<(), Error> {
    if as_of == AsOf::default() && !of_submission {
        return Ok(());
    }
    Err(Refusal::new(Reason::Forbidden, "班主任只查看当天在班的学生，不能按其他日期或提交批次查看").into())
}

/// The whole numbers of a student.
pub async fn reveal(parts: &Arc<Parts>, request: Request<pb::RevealNumberRequest>) -> Result<Response<pb::RevealNumberResponse>, Status> {
    let (ctx, request) = parts.gate.enter(request, "RevealNumber").await?;
    let mut errors = FieldErrors::default();
    let (enrollment, purpose) = (errors.id("enrollment", &request.enrollment), errors.text("purpose", &request.purpose, PURPOSE_CHARACTERS));
    errors.check()?;
    let (enrollment, purpose) = (enrollment.unwrap_or_default(), purpose.unwrap_or_default());
    let with = (parts.clone(), request.school, enrollment);
    let revealed = parts
        .runner
        .read(&ctx, "RevealNumber", &with, |ctx, tx, (parts, school, enrollment)| Box::pin(super::reveal(ctx, tx, parts, school, *enrollment)))
        .await?;
    parts.runner.record_reading(&ctx, "RevealNumber", &enrollment.to_string(), &purpose).await?;
    Ok(revealed)
}

/// The day that is meant, and when it was known: a day (its end), an instant of RFC 3339 (the end of the minute before), or what an
/// answer gave as `knownAt`.
fn as_of(ctx: &Context, day: &str, known_at: &str) -> Result<AsOf, Error> {
    let mut errors = FieldErrors::default();
    let day = if day.is_empty() { None } else { errors.date("as_of", day) };
    let known = if known_at.is_empty() { None } else { when(ctx, known_at).map_err(|why| errors.add("known_at", why)).ok() };
    errors.check()?;
    Ok(AsOf { day, known })
}

fn when(ctx: &Context, text: &str) -> Result<When, &'static str> {
    if let Ok(known) = text.parse() {
        return Ok(When::Position(known));
    }
    if let Ok(day) = text.parse() {
        return if day > ctx.today() { Err("不能晚于今天") } else { Ok(When::Day(day)) };
    }
    let at_us = chrono::DateTime::parse_from_rfc3339(text).map_err(|_| "应为日期（YYYY-MM-DD）、RFC 3339时间，或答复中的knownAt")?.timestamp_micros();
    if at_us > ctx.now_us() { Err("不能晚于现在") } else { Ok(When::Time(at_us)) }
}

/// Which page is asked for: by a token in the one order that tokens have, or by its number in any.
fn at(request: &pb::ListEnrollmentsRequest, from: Option<super::Place>) -> Result<At, Error> {
    let order = Order::of(refusal::known::<list_enrollments_request::Order>("order_by", request.order_by)?, request.descending);
    let mut errors = FieldErrors::default();
    if request.page_number < 0 {
        errors.add("page_number", "应为1或以上的整数");
    }
    if request.page_number == 0 && !order.is_by_class() {
        errors.add("page_number", "倒序或按其他项目排序时，请用页码翻页（第一页为1）");
    }
    if request.page_number > 0 && !request.page_token.is_empty() {
        errors.add("page_token", "已用页码翻页，不能再用翻页标记");
    }
    errors.check()?;
    Ok(if request.page_number == 0 { At::Token(from) } else { At::Number(i64::from(request.page_number), order) })
}

/// A major by its key and a year of entry, as students are narrowed to; empty and 0 for all.
pub(crate) fn narrowed(errors: &mut FieldErrors, path: &str, major: &str, entry_year: i32) {
    if !major.is_empty() && codes::major_of_key(major).is_none() {
        errors.add(&format!("{path}major"), "专业目录中没有这个专业，应写作“目录年份-代码”，如2010-010100");
    }
    if entry_year != 0 && !ENTRY_YEARS.contains(&entry_year) {
        errors.add(&format!("{path}entry_year"), "应为4位年份，如2026");
    }
}

/// Whether a query is somebody's whole number: an identity number or a 学籍号.
fn is_whole_number(ctx: &Context, query: &str) -> bool {
    let is_identity = || codes::documents().filter_map(|document| IdNumber::parse(document, query, ctx.today()).ok()).any(|id| id.birth_date().is_some());
    (query.len() == 19 && query.starts_with(['G', 'L'])) || (query.len() >= 15 && is_identity())
}

/// A query is part of a name, or a whole number: identity number, 学籍号 or 学号. Never part of a number.
fn filter(ctx: &Context, parts: &Parts, request: &pb::ListEnrollmentsRequest, may_reveal: bool) -> Result<Filter, Error> {
    let mut filter = Filter { school: request.school.clone(), day: ctx.today(), ..Filter::default() };
    if !request.submission.is_empty() {
        filter.submission = Some(refusal::id("submission", &request.submission)?);
    }
    match refusal::known("state", request.state)? {
        enrollment::State::Unspecified => {}
        state => filter.state = State::parse(state.as_str_name()).map_or(0, State::code),
    }
    filter.class_name = text::clean(&request.class_name);
    let mut errors = FieldErrors::default();
    narrowed(&mut errors, "", &request.major, request.entry_year);
    errors.check()?;
    (filter.major, filter.entry_year) = (request.major.clone(), request.entry_year);
    let query = text::clean_number(&request.query);
    if query.is_empty() && !request.query.trim().is_empty() {
        return Err(Refusal::field("query", "没有可查找的文字").into());
    }
    if query.is_empty() {
        return Ok(filter);
    }
    if query.contains(|c: char| c.is_ascii_digit()) {
        // No name holds a digit. Whoever searches does not say from which paper the number was read.
        let numbers: Vec<IdNumber> = codes::documents().filter_map(|document| IdNumber::parse(document, &query, ctx.today()).ok()).collect();
        if is_whole_number(ctx, &query) && !may_reveal {
            return Err(Refusal::new(Reason::Forbidden, "按完整证件号或学籍号查找，只限本校和其主管部门；请按姓名或学号查找").into());
        }
        filter.keys = Some(numbers.into_iter().map(|number| parts.keyring.person_key(&number).0).collect());
        filter.student_number = Some(parts.keyring.lookup_hash("student_number", &query));
    } else {
        let name = text::comparable_name(&request.query).replace('!', "!!").replace('%', "!%").replace('_', "!_");
        filter.name_pattern = format!("%{name}%");
    }
    filter.school_number = query;
    Ok(filter)
}

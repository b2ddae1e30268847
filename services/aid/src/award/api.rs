//! gRPC in: award lists.

use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::Arc,
};

use chrono::Datelike;
use futures_util::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;
use xuezhu_domain::{Month, Term, region};
use xuezhu_judge::{case::Enrollment, entry::State, policy::SchemeCode, rules::holder};
use xuezhu_proto::aid::{self as pb, award_entry, award_list, award_service_server::AwardService, correction, import_awards_request::Part, scheme};
use xuezhu_review::{Dossier, way::Seat};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal, Role, paging, refusal, runner::Call, uploads};
use xuezhu_store::Tx;
use xuezhu_workbook::UPLOAD_BYTES;

use super::{
    Upload,
    corrections::{self, Asked, rules::Correction},
    rounds::{self, Way},
    rules,
    store::{self, EntryRow, Filter, ListRow},
    units::{self, Holds},
};
use crate::{Parts, forgotten, mirror, reconciliation};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;
/// Entries that one call may name.
const ENTRIES_NAMED: usize = 20_000;

/// The award service.
#[derive(Clone)]
pub struct AwardApi(pub Arc<Parts>);

type Pieces<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AwardService for AwardApi {
    type DownloadAwardTemplateStream = Pieces<pb::DownloadAwardTemplateResponse>;

    async fn create_award_list(&self, request: Request<pb::CreateAwardListRequest>) -> Result<Response<pb::CreateAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CreateAwardList").await?;
        let call = Call::new("CreateAwardList", request.school.clone(), &request);
        let mut errors = FieldErrors::default();
        let scheme = SchemeCode::parse(request.scheme().as_str_name());
        if scheme.is_none() {
            errors.add("scheme", "应为GRANT或TUITION_WAIVER");
        }
        let term = errors.parse::<Term>("term", &request.term);
        errors.check()?;
        let (Some(scheme), Some(term)) = (scheme, term) else { return Err(Status::internal("unreachable")) };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request.school, scheme, term), |ctx, tx, (parts, school, scheme, term)| {
                Box::pin(async move {
                    let row = super::create_list(ctx, tx, parts, school, *scheme, *term).await?;
                    Ok(pb::CreateAwardListResponse { list: Some(to_proto(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn get_award_list(&self, request: Request<pb::GetAwardListRequest>) -> Result<Response<pb::GetAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetAwardList").await?;
        let list = refusal::id("list", &request.list)?;
        self.0
            .runner
            .read(&ctx, "GetAwardList", &(self.0.clone(), request.school, list), |ctx, tx, (parts, school, list)| {
                Box::pin(async move {
                    let row = super::readable(ctx, tx, school, *list).await?;
                    Ok(pb::GetAwardListResponse { list: Some(to_proto(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn list_award_lists(&self, request: Request<pb::ListAwardListsRequest>) -> Result<Response<pb::ListAwardListsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListAwardLists").await?;
        self.0.runner.read(&ctx, "ListAwardLists", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(lists(ctx, tx, parts, request))).await
    }

    async fn propose_awards(&self, request: Request<pb::ProposeAwardsRequest>) -> Result<Response<pb::ProposeAwardsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ProposeAwards").await?;
        let call = Call::new("ProposeAwards", request.list.clone(), &request);
        let list = refusal::id("list", &request.list)?;
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request.school, list, request.preview), |ctx, tx, (parts, school, list, preview)| {
                Box::pin(super::propose(ctx, tx, parts, school, *list, *preview))
            })
            .await
    }

    async fn import_awards(&self, request: Request<Streaming<pb::ImportAwardsRequest>>) -> Result<Response<pb::ImportAwardsResponse>, Status> {
        let parts = &self.0;
        let ctx = parts.gate.context(&request, "ImportAwards").await?;
        let mut stream = request.into_inner();
        let Some(Part::Upload(head)) = stream.message().await?.and_then(|message| message.part) else {
            return Err(Error::from(Refusal::field("upload", "第一段应说明学校和名单")).into());
        };
        let list = refusal::id("list", &head.list)?;
        // Whoever may not enter is told, and recorded, before the file is read.
        parts
            .runner
            .read(&ctx, "ImportAwards", &head.school, |ctx, tx, school| {
                Box::pin(async move { mirror::school_for(ctx, tx, school, Permission::EnterForSchool).await.map(drop) })
            })
            .await?;
        let _turn = parts.gate.uploads().turn(&ctx.actor.account).await?;
        let piece = |message: pb::ImportAwardsRequest| if let Some(Part::Chunk(chunk)) = message.part { Some(chunk) } else { None };
        let bytes = match uploads::collect(&mut stream, piece, UPLOAD_BYTES).await {
            Ok(bytes) => bytes,
            Err(error) => {
                parts.runner.record_refusal(&ctx, "ImportAwards", &head.school, error.reason()).await;
                return Err(error.into());
            }
        };
        let content_hash = *blake3::hash(&bytes).as_bytes();
        let body = [
            &content_hash[..],
            &[u8::from(head.preview), u8::from(head.all_or_nothing), u8::from(head.include_hidden), u8::from(head.blank_clears)],
            head.list.as_bytes(),
        ]
        .concat();
        let call = Call::of_bytes("ImportAwards", head.list.clone(), &body);
        let read = tokio::task::spawn_blocking(move || super::read_tables(&bytes))
            .await
            .unwrap_or_else(|_| Err(Refusal::new(Reason::FileUnreadable, "文件内部结构损坏，无法读取；请用Excel或WPS另存为.xlsx后重新上传").into()));
        let tables = match read {
            Ok(tables) => Arc::new(tables),
            Err(error) => {
                parts.runner.record_refusal(&ctx, "ImportAwards", &head.list, error.reason()).await;
                return Err(error.into());
            }
        };
        let upload = Upload {
            school: head.school,
            list,
            preview: head.preview,
            all_or_nothing: head.all_or_nothing,
            include_hidden: head.include_hidden,
            blank_clears: head.blank_clears,
            tables,
            content_hash,
        };
        parts
            .runner
            .mutate(&ctx, call, &(parts.clone(), upload), |ctx, tx, (parts, upload)| {
                Box::pin(async move { Ok(pb::ImportAwardsResponse { report: Some(super::import(ctx, tx, parts, upload).await?) }) })
            })
            .await
    }

    async fn download_award_template(&self, request: Request<pb::DownloadAwardTemplateRequest>) -> Result<Response<Self::DownloadAwardTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadAwardTemplate").await?;
        let notes = ["一人一行，从“资助名单”表第4行起填写。".to_owned(), "同一人再次上传时，以后一次的月份为准；文件中没有提到的人保持不变。".to_owned()];
        let template = xuezhu_workbook::Template { title: rules::TITLE, notes: &notes, columns: &rules::COLUMNS };
        let chunk = xuezhu_workbook::blank(template).map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Response::new(futures_util::stream::iter([Ok(pb::DownloadAwardTemplateResponse { chunk })]).boxed()))
    }

    async fn list_entries(&self, request: Request<pb::ListEntriesRequest>) -> Result<Response<pb::ListEntriesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListEntries").await?;
        self.0.runner.read(&ctx, "ListEntries", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(entries(ctx, tx, parts, request))).await
    }

    async fn remove_entry(&self, request: Request<pb::RemoveEntryRequest>) -> Result<Response<pb::RemoveEntryResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RemoveEntry").await?;
        let call = Call::new("RemoveEntry", request.entry.clone(), &request);
        let with = (self.0.clone(), request.school.clone(), refusal::id("list", &request.list)?, refusal::id("entry", &request.entry)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list, entry)| {
                Box::pin(async move {
                    let row = super::remove(ctx, tx, parts, school, *list, *entry).await?;
                    Ok(pb::RemoveEntryResponse { entry: Some(entry_to_proto(ctx, parts, row, None, Vec::new(), Holds::default())) })
                })
            })
            .await
    }

    async fn submit_award_list(&self, request: Request<pb::SubmitAwardListRequest>) -> Result<Response<pb::SubmitAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SubmitAwardList").await?;
        let call = Call::new("SubmitAwardList", request.list.clone(), &request);
        let with = (self.0.clone(), request.school.clone(), refusal::id("list", &request.list)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list)| {
                Box::pin(async move {
                    let row = rounds::submit(ctx, tx, parts, school, *list).await?;
                    Ok(pb::SubmitAwardListResponse { list: Some(to_proto(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn attest_award_list(&self, request: Request<pb::AttestAwardListRequest>) -> Result<Response<pb::AttestAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "AttestAwardList").await?;
        let call = Call::new("AttestAwardList", request.list.clone(), &request);
        let with = (self.0.clone(), refusal::id("list", &request.list)?, request);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, list, request)| {
                Box::pin(async move {
                    let row = rounds::attest(ctx, tx, parts, &request.school, *list, &request.digest).await?;
                    Ok(pb::AttestAwardListResponse { list: Some(to_proto(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn approve_award_list(&self, request: Request<pb::ApproveAwardListRequest>) -> Result<Response<pb::ApproveAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ApproveAwardList").await?;
        let call = Call::new("ApproveAwardList", request.list.clone(), &request);
        let with = (self.0.clone(), refusal::id("list", &request.list)?, request);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, list, request)| {
                Box::pin(async move {
                    let row = rounds::approve(ctx, tx, parts, &request.school, *list, &request.digest).await?;
                    Ok(pb::ApproveAwardListResponse { list: Some(to_proto(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn send_back_award_list(&self, request: Request<pb::SendBackAwardListRequest>) -> Result<Response<pb::SendBackAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SendBackAwardList").await?;
        let call = Call::new("SendBackAwardList", request.list.clone(), &request);
        let mut errors = FieldErrors::default();
        if request.entries.len() > ENTRIES_NAMED {
            errors.add("entries", format!("一次不能超过{ENTRIES_NAMED}条"));
        }
        let reason = errors.text("reason", &request.reason, REASON_CHARACTERS);
        let entries: Vec<Uuid> = request.entries.iter().enumerate().filter_map(|(index, text)| errors.id(&format!("entries[{index}]"), text)).collect();
        errors.check()?;
        let with = (self.0.clone(), request.school.clone(), refusal::id("list", &request.list)?, reason.unwrap_or_default(), entries);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list, reason, entries)| {
                Box::pin(async move {
                    let row = rounds::send_back(ctx, tx, parts, school, *list, reason, entries).await?;
                    Ok(pb::SendBackAwardListResponse { list: Some(to_proto(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn list_double_units(&self, request: Request<pb::ListDoubleUnitsRequest>) -> Result<Response<pb::ListDoubleUnitsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDoubleUnits").await?;
        self.0.runner.read(&ctx, "ListDoubleUnits", &request, |ctx, tx, request| Box::pin(units::list_doubles(ctx, tx, request))).await
    }

    async fn ask_correction(&self, request: Request<pb::AskCorrectionRequest>) -> Result<Response<pb::AskCorrectionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "AskCorrection").await?;
        let call = Call::new("AskCorrection", request.school.clone(), &request);
        let asked = asked(&request.school, &request.entries, request.what, request.first_month, &request.months, &request.reason)?;
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), asked), |ctx, tx, (parts, asked)| {
                Box::pin(async move { Ok(pb::AskCorrectionResponse { dossier: Some(corrections::ask(ctx, tx, parts, asked).await?) }) })
            })
            .await
    }

    async fn order_correction(&self, request: Request<pb::OrderCorrectionRequest>) -> Result<Response<pb::OrderCorrectionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "OrderCorrection").await?;
        let call = Call::new("OrderCorrection", request.school.clone(), &request);
        let asked = asked(&request.school, &request.entries, request.what, request.first_month, &request.months, &request.reason)?;
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), asked), |ctx, tx, (parts, asked)| {
                Box::pin(async move { Ok(pb::OrderCorrectionResponse { dossier: Some(corrections::order(ctx, tx, parts, asked).await?) }) })
            })
            .await
    }

    async fn list_corrections(&self, request: Request<pb::ListCorrectionsRequest>) -> Result<Response<pb::ListCorrectionsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListCorrections").await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of("ListCorrections", &pb::ListCorrectionsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let with = (query.after::<Uuid>(&request.page_token)?, limit, query, request.school);
        self.0
            .runner
            .read(&ctx, "ListCorrections", &with, |ctx, tx, (before, limit, query, school)| {
                Box::pin(async move {
                    let (corrections, next) = corrections::list(ctx, tx, school, *before, *limit).await?;
                    Ok(pb::ListCorrectionsResponse { corrections, next_page_token: next.map(|next| query.token(&next)).unwrap_or_default() })
                })
            })
            .await
    }
}

/// What a request asks to be corrected; every field at fault is told.
fn asked(school: &str, entries: &[String], what: i32, first_month: i32, months: &[i32], reason: &str) -> Result<Asked, Error> {
    let mut errors = FieldErrors::default();
    if entries.len() > ENTRIES_NAMED {
        errors.add("entries", format!("一次不能超过{ENTRIES_NAMED}条"));
    }
    if entries.is_empty() {
        errors.add("entries", "请选择要更正的记录");
    }
    let reason = errors.text("reason", reason, REASON_CHARACTERS);
    let ids: Vec<Uuid> = entries.iter().take(ENTRIES_NAMED).enumerate().filter_map(|(index, text)| errors.id(&format!("entries[{index}]"), text)).collect();
    let mut month = |field: &str, number: i32| {
        let month = Month::try_from(number).ok();
        if month.is_none() {
            errors.add(field, "应为YYYYMM，如202611");
        }
        month
    };
    let correction = match refusal::known::<correction::What>("what", what)? {
        correction::What::Stop => month("first_month", first_month).map(Correction::Stop),
        correction::What::Cut if months.is_empty() => {
            errors.add("months", "请选择要核减的月份");
            None
        }
        correction::What::Cut => {
            months.iter().enumerate().map(|(index, number)| month(&format!("months[{index}]"), *number)).collect::<Option<_>>().map(Correction::Cut)
        }
        correction::What::Void => Some(Correction::Void),
        correction::What::Unspecified => {
            errors.add("what", "应为STOP（停发）、CUT（核减）或VOID（撤销）");
            None
        }
    };
    errors.check()?;
    let correction = correction.ok_or_else(|| Error::Internal("a field is missing and not told".into()))?;
    Ok(Asked { school: school.to_owned(), entries: ids, correction, reason: reason.unwrap_or_default() })
}

async fn lists(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListAwardListsRequest) -> Result<pb::ListAwardListsResponse, Error> {
    let own_school = matches!(ctx.actor.role, Role::SchoolClerk | Role::Principal);
    let school = if request.school.is_empty() && own_school { ctx.actor.organisation.clone() } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadSchool, &Place::Region(&ctx.actor.organisation))?;
    } else {
        mirror::school_for(ctx, tx, &school, Permission::ReadSchool).await?;
    }
    let filter = Filter {
        school,
        authority_prefix: if own_school { String::new() } else { region::prefix_or_all(&ctx.actor.organisation).to_owned() },
        term: request.term.clone(),
        state: State::parse(refusal::known::<award_list::State>("state", request.state)?.as_str_name()),
        list: None,
        waits: false,
    };
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListAwardLists", &pb::ListAwardListsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let rows = store::lists(tx, &filter, query.after(&request.page_token)?, limit).await?;
    let next_page_token = match rows.last() {
        Some(last) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&last.list),
        _ => String::new(),
    };
    let mut ways = rounds::ways(tx, &rows.iter().map(|row| row.list).collect::<Vec<_>>()).await?;
    let mut lists = Vec::new();
    for row in rows {
        let way = ways.remove(&row.list).unwrap_or_default();
        lists.push(told(tx, parts, row, way).await?);
    }
    Ok(pb::ListAwardListsResponse { lists, next_page_token })
}

async fn entries(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListEntriesRequest) -> Result<pb::ListEntriesResponse, Error> {
    let list = super::readable(ctx, tx, &request.school, refusal::id("list", &request.list)?).await?;
    let wanted = State::parse(refusal::known::<award_entry::State>("state", request.state)?.as_str_name());
    let limit = paging::size(request.page_size)?;
    let query = paging::Query::of("ListEntries", &pb::ListEntriesRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let after = query.after(&request.page_token)?.unwrap_or_default();
    let rows = store::entries_after(tx, list.list, wanted, request.held_only, &after, limit).await?;
    let next_page_token = match rows.last() {
        Some(end) if i64::try_from(rows.len()).unwrap_or(0) == limit => query.token(&(&end.name, end.entry)),
        _ => String::new(),
    };
    let mut flags: HashMap<Uuid, Vec<(pb::FlagBrief, bool)>> = HashMap::new();
    for row in reconciliation::flags_of_list(tx, list.list).await? {
        let brief = pb::FlagBrief { flag: row.flag.to_string(), rule: row.rule.as_str().to_owned(), state: row.state.as_str().to_owned() };
        flags.entry(row.entry).or_default().push((brief, row.holds));
    }
    // In the order of the rules' words.
    for of_entry in flags.values_mut() {
        of_entry.sort_by(|(a, _), (b, _)| a.rule.cmp(&b.rule));
    }
    let persons = known_persons(ctx, tx, &rows, &list.school).await?;
    let concerned = forgotten::concerned(tx, &list.school, list.list).await?;
    let mut corrected = corrections::of_entries(tx, &rows.iter().map(|row| row.entry).collect::<Vec<_>>()).await?;
    let mut holds = units::of_entries(tx, &parts.policies, &list, &rows).await?;
    let entries = rows
        .into_iter()
        .map(|row| {
            let flags = flags.remove(&row.entry).unwrap_or_default();
            let person = persons.get(&row.entry).copied();
            let source_forgot = concerned.contains(&row.entry);
            let holds = holds.remove(&row.entry).unwrap_or_default();
            let corrections = corrected.remove(&row.entry).unwrap_or_default();
            pb::AwardEntry { source_forgot, corrections, ..entry_to_proto(ctx, parts, row, person, flags, holds) }
        })
        .collect();
    Ok(pb::ListEntriesResponse { entries, next_page_token })
}

/// Whom entries mean, as far as the caller may know: a school knows its own students, present and former, and learns
/// nothing about a number by listing it.
async fn known_persons(ctx: &Context, tx: &mut Tx, rows: &[EntryRow], school: &str) -> Result<HashMap<Uuid, Uuid>, Error> {
    let own_school = matches!(ctx.actor.role, Role::SchoolClerk | Role::Principal);
    let keys: Vec<Uuid> = rows.iter().map(|row| row.person_key).collect();
    let generation = mirror::state(tx).await?.generation;
    let mut known = HashMap::new();
    for case in reconciliation::cases(tx, generation, &keys).await? {
        for claim in &case.claims {
            let Some(person) = holder(&case.persons, claim.key, &claim.name_comparable, claim.recorded_day) else { continue };
            let here = |enrollment: &Enrollment| enrollment.school == school && enrollment.person == Some(person.person);
            if !own_school || case.enrollments.iter().any(here) {
                known.insert(claim.entry, person.person);
            }
        }
    }
    Ok(known)
}

fn entry_to_proto(ctx: &Context, parts: &Parts, row: EntryRow, person: Option<Uuid>, flags: Vec<(pb::FlagBrief, bool)>, holds: Holds) -> pb::AwardEntry {
    pb::AwardEntry {
        entry: row.entry.to_string(),
        person: person.map(|person| person.to_string()).unwrap_or_default(),
        name: row.name,
        id_number: super::shown_number(ctx, parts, row.entry, &row.id_sealed),
        months: super::month_numbers(&row.months),
        amount_fen: row.amount_fen,
        tier: row.tier,
        state: award_entry::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        held: flags.iter().any(|(_, holds)| *holds),
        flags: flags.into_iter().map(|(flag, _)| flag).collect(),
        card: row.card_sealed.as_deref().map(|sealed| parts.keyring.masked("card", &[row.entry], sealed)).unwrap_or_default(),
        remark: row.remark,
        sent_back_reason: row.sent_back_reason,
        source_forgot: false,
        birth_date: String::new(),
        birth_year: row.birth_date.map(|day| day.year()).unwrap_or_default(),
        standing_months: holds.months,
        standing_fen: holds.fen,
        refusal: holds.refusal.map(|reason| reason.as_str_name().to_owned()).unwrap_or_default(),
        refusal_message: holds.message,
        stopping_months: holds.stopping,
        corrections: Vec::new(),
    }
}

async fn to_proto(tx: &mut Tx, parts: &Parts, row: ListRow) -> Result<pb::AwardList, Error> {
    let way = rounds::ways(tx, &[row.list]).await?.remove(&row.list).unwrap_or_default();
    told(tx, parts, row, way).await
}

async fn told(tx: &mut Tx, parts: &Parts, row: ListRow, way: Way) -> Result<pb::AwardList, Error> {
    let standing = store::standing(tx, row.list).await?;
    let (held, held_attested) = store::held(tx, row.list).await?;
    let attested = || standing.iter().filter(|entry| entry.state == State::Attested);
    let concerned = if attested().next().is_some() { forgotten::concerned(tx, &row.school, row.list).await? } else { HashSet::new() };
    // Whom a flag holds waits for that first.
    let by_flags: HashSet<Uuid> = if concerned.is_empty() { HashSet::new() } else { reconciliation::held_entries(tx, row.list).await?.into_iter().collect() };
    let waits = |entry: &Uuid| concerned.contains(entry) && !by_flags.contains(entry);
    let forgotten_attested = i32::try_from(attested().filter(|entry| waits(&entry.entry)).count()).unwrap_or(i32::MAX);
    let taken = if attested().next().is_some() { units::taken_attested(tx, &row).await? } else { HashSet::new() };
    let taken_attested = i32::try_from(taken.difference(&concerned).count()).unwrap_or(i32::MAX);
    let count = |state: State| i32::try_from(standing.iter().filter(|entry| entry.state == state).count()).unwrap_or(i32::MAX);
    let due_date = row.term.parse::<Term>().ok().and_then(|term| parts.policies.days(term)).map(|days| days.due.to_string()).unwrap_or_default();
    Ok(pb::AwardList {
        list: row.list.to_string(),
        school: row.school,
        scheme: scheme::Code::from_str_name(&row.scheme).unwrap_or_default().into(),
        term: row.term,
        supplement: row.supplement,
        state: award_list::State::from_str_name(row.state.as_str()).unwrap_or_default().into(),
        digest: rounds::digest(&standing),
        drafts: count(State::Draft),
        submitted: count(State::Submitted),
        attested: count(State::Attested),
        approved: count(State::Approved),
        sent_back: count(State::SentBack),
        held: i32::try_from(held).unwrap_or(i32::MAX),
        held_attested: i32::try_from(held_attested).unwrap_or(i32::MAX),
        closed_to_new: row.submitted,
        forgotten_attested,
        amount_fen: standing.iter().filter(|entry| entry.state != State::SentBack).map(|entry| entry.amount_fen).sum(),
        standing_fen: units::standing_fen(tx, row.list).await?,
        taken_attested,
        due_date,
        step: way.open.first().map_or(0, |round| round.step),
        waits_at: way.open.first().and_then(Dossier::seat).map(|seat| seat.name()).unwrap_or_default(),
        waits_authority: match way.open.first().and_then(Dossier::seat) {
            Some(Seat::Department(region)) => region,
            _ => String::new(),
        },
        waiting_authorities: authorities(&way.open),
        dossiers: way.open.iter().map(|round| round.dossier.to_string()).collect(),
        submitted_by: way.submitted_by,
        attested_by: way.attested_by,
        approved_by: way.approved_by,
        school_name: row.school_name,
        authority: row.authority,
        submitted_date: way.submitted_day.map(|day| day.to_string()).unwrap_or_default(),
        attested_date: way.attested_day.map(|day| day.to_string()).unwrap_or_default(),
    })
}

/// Departments at which rounds wait.
fn authorities(rounds: &[Dossier]) -> Vec<String> {
    let mut authorities: Vec<String> = rounds
        .iter()
        .filter_map(|round| match round.seat() {
            Some(Seat::Department(region)) => Some(region),
            _ => None,
        })
        .collect();
    authorities.sort();
    authorities.dedup();
    authorities
}

//! gRPC in: award lists.

use std::sync::Arc;

use tonic::{Request, Response, Status, Streaming};
use uuid::Uuid;
use xuezhu_domain::{Month, Term, region};
use xuezhu_intake::Pieces;
use xuezhu_judge::entry::State;
use xuezhu_proto::aid::{self as pb, EditEntryRequest, award_entry, award_list, award_service_server::AwardService, correction};
use xuezhu_service::{
    Context, Error, FieldErrors, Permission, Place,
    paging::{self, Turn},
    refusal,
    runner::Call,
};
use xuezhu_store::Tx;

use super::{
    candidates::{self, Aim, Among},
    corrections::{self, Asked, rules::Correction},
    edit::{self, Edit, Redrafted},
    import,
    locks::{self, Reopened},
    rounds,
    store::{self, Filter},
    told,
    units::{self, Holds},
};
use crate::{Parts, mirror};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;
/// Entries that one call may name.
const ENTRIES_NAMED: usize = 20_000;

/// The award service.
#[derive(Clone)]
pub struct AwardApi(pub Arc<Parts>);

#[tonic::async_trait]
impl AwardService for AwardApi {
    type DownloadAwardTemplateStream = Pieces<pb::DownloadAwardTemplateResponse>;
    type DownloadMarkedAwardsStream = Pieces<pb::DownloadMarkedAwardsResponse>;

    async fn create_award_list(&self, request: Request<pb::CreateAwardListRequest>) -> Result<Response<pb::CreateAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CreateAwardList").await?;
        let call = Call::new("CreateAwardList", request.school.clone(), &request);
        let mut errors = FieldErrors::default();
        let called = if request.scheme_code.is_empty() { request.scheme().as_str_name() } else { &request.scheme_code };
        let scheme = self.0.policies.now().scheme_called(called);
        if scheme.is_none() {
            errors.add(if request.scheme_code.is_empty() { "scheme" } else { "scheme_code" }, "政策中没有这个项目：应为GRANT、TUITION_WAIVER或地方项目的代码");
        }
        let term = errors.parse::<Term>("term", &request.term);
        errors.check()?;
        let (Some(scheme), Some(term)) = (scheme, term) else { return Err(Status::internal("unreachable")) };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request.school, scheme, term), |ctx, tx, (parts, school, scheme, term)| {
                Box::pin(async move {
                    let row = super::create_list(ctx, tx, parts, school, *scheme, *term).await?;
                    Ok(pb::CreateAwardListResponse { list: Some(told::list(tx, parts, row).await?) })
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
                    Ok(pb::GetAwardListResponse { list: Some(told::list(tx, parts, row).await?) })
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
        let list = refusal::id("list", &request.list)?;
        let mut errors = FieldErrors::default();
        let persons = named(&mut errors, "persons", &request.persons);
        if !persons.is_empty() && (!request.class_name.is_empty() || request.count != 0) {
            errors.add("persons", "勾选学生时，不能同时按班级或人数列入");
        }
        let most = usize::try_from(request.most).unwrap_or_else(|_| {
            errors.add("most", "最多人数不能为负");
            0
        });
        errors.check()?;
        let among = match (persons.is_empty(), request.class_name.is_empty()) {
            (false, _) => Among::Persons(persons.into_iter().collect()),
            (true, false) => Among::Class(request.class_name.clone()),
            (true, true) => Among::School,
        };
        let aim = if request.preview { Aim::Say { most } } else { Aim::Put { seen: request.count } };
        let with = (self.0.clone(), request.school.clone(), list, among, aim);
        if request.preview {
            let preview = self.0.runner.read(&ctx, "ProposeAwards", &with, |ctx, tx, (parts, school, list, among, aim)| {
                Box::pin(candidates::propose(ctx, tx, parts, school, *list, among, *aim))
            });
            return preview.await;
        }
        let call = Call::new("ProposeAwards", request.list.clone(), &request);
        let done = self
            .0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list, among, aim)| Box::pin(candidates::propose(ctx, tx, parts, school, *list, among, *aim)));
        done.await
    }

    async fn import_awards(&self, request: Request<Streaming<pb::ImportAwardsRequest>>) -> Result<Response<pb::ImportAwardsResponse>, Status> {
        import::api::import(&self.0, request).await
    }

    async fn get_award_import(&self, request: Request<pb::GetAwardImportRequest>) -> Result<Response<pb::GetAwardImportResponse>, Status> {
        import::api::get(&self.0, request).await
    }

    async fn list_award_imports(&self, request: Request<pb::ListAwardImportsRequest>) -> Result<Response<pb::ListAwardImportsResponse>, Status> {
        import::api::list(&self.0, request).await
    }

    async fn commit_award_import(&self, request: Request<pb::CommitAwardImportRequest>) -> Result<Response<pb::CommitAwardImportResponse>, Status> {
        import::api::commit(&self.0, request).await
    }

    async fn take_back_award_import(&self, request: Request<pb::TakeBackAwardImportRequest>) -> Result<Response<pb::TakeBackAwardImportResponse>, Status> {
        import::api::take_back(&self.0, request).await
    }

    async fn download_marked_awards(&self, request: Request<pb::DownloadMarkedAwardsRequest>) -> Result<Response<Self::DownloadMarkedAwardsStream>, Status> {
        import::api::marked(&self.0, request).await
    }

    async fn download_award_template(&self, request: Request<pb::DownloadAwardTemplateRequest>) -> Result<Response<Self::DownloadAwardTemplateStream>, Status> {
        self.0.gate.enter(request, "DownloadAwardTemplate").await?;
        import::api::template()
    }

    async fn remove_award_list(&self, request: Request<pb::RemoveAwardListRequest>) -> Result<Response<pb::RemoveAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RemoveAwardList").await?;
        let call = Call::new("RemoveAwardList", request.list.clone(), &request);
        let with = (request.school.clone(), refusal::id("list", &request.list)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (school, list)| {
                Box::pin(async move {
                    super::remove_list(ctx, tx, school, *list).await?;
                    Ok(pb::RemoveAwardListResponse {})
                })
            })
            .await
    }

    async fn reopen_term(&self, request: Request<pb::ReopenTermRequest>) -> Result<Response<pb::ReopenTermResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ReopenTerm").await?;
        let call = Call::new("ReopenTerm", request.school.clone(), &request);
        let pb::ReopenTermRequest { school, scheme, term, until_date, reason } = request;
        let asked = Reopened { school, scheme, term, until: until_date, reason };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), asked), |ctx, tx, (parts, asked)| {
                Box::pin(async move { Ok(pb::ReopenTermResponse { reopening: Some(locks::reopen(ctx, tx, parts, asked).await?) }) })
            })
            .await
    }

    async fn list_reopenings(&self, request: Request<pb::ListReopeningsRequest>) -> Result<Response<pb::ListReopeningsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListReopenings").await?;
        self.0
            .runner
            .read(&ctx, "ListReopenings", &(self.0.clone(), request.school), |ctx, tx, (parts, school)| {
                Box::pin(async move { Ok(pb::ListReopeningsResponse { reopenings: locks::reopenings(ctx, tx, parts, school).await? }) })
            })
            .await
    }

    async fn list_entries(&self, request: Request<pb::ListEntriesRequest>) -> Result<Response<pb::ListEntriesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListEntries").await?;
        self.0.runner.read(&ctx, "ListEntries", &(self.0.clone(), request), |ctx, tx, (parts, request)| Box::pin(entries(ctx, tx, parts, request))).await
    }

    async fn get_entry(&self, request: Request<pb::GetEntryRequest>) -> Result<Response<pb::GetEntryResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetEntry").await?;
        let with = (self.0.clone(), request.school, refusal::id("list", &request.list)?, refusal::id("entry", &request.entry)?);
        self.0.runner.read(&ctx, "GetEntry", &with, |ctx, tx, (parts, school, list, entry)| Box::pin(edit::get(ctx, tx, parts, school, *list, *entry))).await
    }

    async fn edit_entry(&self, request: Request<pb::EditEntryRequest>) -> Result<Response<pb::EditEntryResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "EditEntry").await?;
        let call = Call::new("EditEntry", request.entry.clone(), &request);
        let (list, entry, edit) = (refusal::id("list", &request.list)?, refusal::id("entry", &request.entry)?, edit_of(&request)?);
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), request.school, list, entry, edit), |ctx, tx, (parts, school, list, entry, edit)| {
                Box::pin(async move {
                    let row = edit::edit(ctx, tx, parts, school, *list, *entry, edit).await?;
                    let list = super::one(tx, *list).await?;
                    Ok(pb::EditEntryResponse { entry: told::entries(ctx, tx, parts, &list, vec![row]).await?.pop() })
                })
            })
            .await
    }

    async fn redraft_entries(&self, request: Request<pb::RedraftEntriesRequest>) -> Result<Response<pb::RedraftEntriesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RedraftEntries").await?;
        let call = Call::new("RedraftEntries", request.list.clone(), &request);
        let with = (self.0.clone(), request.school.clone(), refusal::id("list", &request.list)?, redrafted(&request)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list, wanted)| {
                Box::pin(async move {
                    let row = edit::redraft(ctx, tx, parts, school, *list, wanted).await?;
                    Ok(pb::RedraftEntriesResponse { list: Some(told::list(tx, parts, row).await?) })
                })
            })
            .await
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
                    Ok(pb::RemoveEntryResponse { entry: Some(told::entry(ctx, parts, row, None, Vec::new(), Holds::default())) })
                })
            })
            .await
    }

    async fn submit_award_list(&self, request: Request<pb::SubmitAwardListRequest>) -> Result<Response<pb::SubmitAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SubmitAwardList").await?;
        let call = Call::new("SubmitAwardList", request.list.clone(), &request);
        let with = (self.0.clone(), request.school.clone(), refusal::id("list", &request.list)?, request.count);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list, seen)| {
                Box::pin(async move {
                    let row = rounds::submit(ctx, tx, parts, school, *list, *seen).await?;
                    Ok(pb::SubmitAwardListResponse { list: Some(told::list(tx, parts, row).await?) })
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
                    Ok(pb::AttestAwardListResponse { list: Some(told::list(tx, parts, row).await?) })
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
                    Ok(pb::ApproveAwardListResponse { list: Some(told::list(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn send_back_award_list(&self, request: Request<pb::SendBackAwardListRequest>) -> Result<Response<pb::SendBackAwardListResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "SendBackAwardList").await?;
        let call = Call::new("SendBackAwardList", request.list.clone(), &request);
        let mut errors = FieldErrors::default();
        let reason = errors.text("reason", &request.reason, REASON_CHARACTERS);
        let entries = named(&mut errors, "entries", &request.entries);
        errors.check()?;
        let with = (self.0.clone(), request.school.clone(), refusal::id("list", &request.list)?, reason.unwrap_or_default(), entries);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, school, list, reason, entries)| {
                Box::pin(async move {
                    let row = rounds::send_back(ctx, tx, parts, school, *list, reason, entries).await?;
                    Ok(pb::SendBackAwardListResponse { list: Some(told::list(tx, parts, row).await?) })
                })
            })
            .await
    }

    async fn list_double_units(&self, request: Request<pb::ListDoubleUnitsRequest>) -> Result<Response<pb::ListDoubleUnitsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListDoubleUnits").await?;
        self.0
            .runner
            .read(&ctx, "ListDoubleUnits", &(self.0.clone(), request), |ctx, tx, (parts, request)| {
                Box::pin(async move { units::list_doubles(ctx, tx, &parts.policies.now(), request).await })
            })
            .await
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
        let with = (self.0.clone(), query.after::<Uuid>(&request.page_token)?, limit, query, request.school);
        self.0
            .runner
            .read(&ctx, "ListCorrections", &with, |ctx, tx, (parts, before, limit, query, school)| {
                Box::pin(async move {
                    let (corrections, next) = corrections::list(ctx, tx, &parts.policies.now(), school, *before, *limit).await?;
                    Ok(pb::ListCorrectionsResponse { corrections, next_page_token: next.map(|next| query.token(&next)).unwrap_or_default() })
                })
            })
            .await
    }
}

/// The students or entries that a call names.
fn named(errors: &mut FieldErrors, field: &str, ids: &[String]) -> Vec<Uuid> {
    if ids.len() > ENTRIES_NAMED {
        errors.add(field, format!("一次不能超过{ENTRIES_NAMED}条"));
    }
    ids.iter().take(ENTRIES_NAMED).enumerate().filter_map(|(index, text)| errors.id(&format!("{field}[{index}]"), text)).collect()
}

/// Which entries are taken into the drafts again.
fn redrafted(request: &pb::RedraftEntriesRequest) -> Result<Redrafted, Error> {
    let mut errors = FieldErrors::default();
    if request.all && !request.entries.is_empty() {
        errors.add("all", "不能同时勾选学生和全部转为草稿");
    }
    let ids: Vec<String> = request.entries.iter().map(|seen| seen.entry.clone()).collect();
    let ids = named(&mut errors, "entries", &ids);
    errors.check()?;
    let seen = ids.into_iter().zip(&request.entries).map(|(entry, seen)| (entry, seen.etag.clone())).collect();
    Ok(if request.all { Redrafted::All(request.count) } else { Redrafted::These(seen) })
}

/// What an entry is edited to.
fn edit_of(request: &pb::EditEntryRequest) -> Result<Edit, Error> {
    let mut errors = FieldErrors::default();
    let mut months = Vec::with_capacity(request.months.len());
    for (index, number) in request.months.iter().enumerate() {
        match Month::try_from(*number) {
            Ok(month) => months.push(month),
            Err(_) => errors.add(&format!("months[{index}]"), "应为YYYYMM，如202611"),
        }
    }
    errors.check()?;
    let EditEntryRequest { etag, tier, card, card_holder, remark, .. } = request.clone();
    Ok(Edit { etag, months, tier, card, card_holder, remark })
}

/// What a request asks to be corrected; every field at fault is told.
fn asked(school: &str, entries: &[String], what: i32, first_month: i32, months: &[i32], reason: &str) -> Result<Asked, Error> {
    let mut errors = FieldErrors::default();
    if entries.is_empty() {
        errors.add("entries", "请选择要更正的记录");
    }
    let reason = errors.text("reason", reason, REASON_CHARACTERS);
    let ids = named(&mut errors, "entries", entries);
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
    let own_school = ctx.actor.role.is_of_school();
    let school = if request.school.is_empty() && own_school { ctx.actor.organisation.clone() } else { request.school.clone() };
    if school.is_empty() {
        ctx.may(Permission::ReadMoney, &Place::Region(&ctx.actor.organisation))?;
    } else {
        mirror::school_for(ctx, tx, &school, Permission::ReadMoney).await?;
    }
    let filter = Filter {
        school,
        authority_prefix: if own_school { String::new() } else { region::prefix_or_all(&ctx.actor.organisation).to_owned() },
        term: request.term.clone(),
        state: State::parse(refusal::known::<award_list::State>("state", request.state)?.as_str_name()),
        list: None,
        waits: false,
    };
    let query = paging::Query::of("ListAwardLists", &pb::ListAwardListsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let turn = Turn::<Uuid>::of(query, &request.page_token, request.page_number, request.page_size)?;
    let rows = store::lists(tx, &filter, &turn).await?;
    let total_size = if turn.is_numbered { paging::told(store::count_lists(tx, &filter).await?) } else { 0 };
    let next_page_token = turn.next(query, &rows, |last| last.list);
    Ok(pb::ListAwardListsResponse { lists: told::lists(tx, parts, rows).await?, next_page_token, total_size })
}

/// A page of a list, in a transaction.
pub(crate) async fn entries(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::ListEntriesRequest) -> Result<pb::ListEntriesResponse, Error> {
    let list = super::readable(ctx, tx, &request.school, refusal::id("list", &request.list)?).await?;
    let wanted = State::parse(refusal::known::<award_entry::State>("state", request.state)?.as_str_name());
    let query = paging::Query::of("ListEntries", &pb::ListEntriesRequest { page_size: 0, page_token: String::new(), ..request.clone() });
    let turn = Turn::<(String, Uuid)>::of(query, &request.page_token, request.page_number, request.page_size)?;
    let rows = store::entries_after(tx, list.list, wanted, request.held_only, &turn).await?;
    let total_size = if turn.is_numbered { paging::told(store::count_entries(tx, list.list, wanted, request.held_only).await?) } else { 0 };
    let next_page_token = turn.next(query, &rows, |last| (last.name.clone(), last.entry));
    Ok(pb::ListEntriesResponse { entries: told::entries(ctx, tx, parts, &list, rows).await?, next_page_token, total_size })
}

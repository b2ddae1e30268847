//! gRPC in: what is taken out as a workbook. Each table says what its list says to whoever calls, page by page, in one state of the
//! database; how it is stamped, receipted and handed out is [`xuezhu_takeout`].

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_domain::{Fen, Term, region::RegionCode};
use xuezhu_judge::{case::Rule, entry, life, rules::law};
use xuezhu_proto::{
    aid::{
        self as pb, aid_take_out_service_server::AidTakeOutService, award_entry, flag, take_out_dossiers_response, take_out_entries_response,
        take_out_flags_response, take_out_list_numbers_response, take_out_summary_response, term_summary,
    },
    common::{TakeOut, dossier},
};
use xuezhu_review::takeout::Dossiers as DossierTable;
use xuezhu_service::{Context, Permission, Place, downloads::Pieces, paging, refusal};
use xuezhu_store::Tx;
use xuezhu_takeout::{About, Kind, Of, Table, Work, permission, receipts};

use crate::{Parts, award, dossiers::Dossiers, mirror, overview::numbers, reconciliation, summaries};

/// An award list, as it is taken out.
static ENTRIES: About = About {
    code: 2,
    word: "AWARD_LIST",
    name: "资助名单",
    call: "TakeOutEntries",
    counted_by: &["学期", "项目", "档次", "名单状态", "是否有疑点"],
    unit: "人数",
    of_people: true,
};
/// Flags, as they are taken out.
static FLAGS: About =
    About {
        code: 3, word: "FLAGS", name: "疑点", call: "TakeOutFlags", counted_by: &["疑点", "学期", "项目", "疑点状态"], unit: "条数", of_people: true
    };
/// Numbers of lists, as they are taken out.
static NUMBERS: About =
    About { code: 5, word: "LIST_NUMBERS", name: "名单统计", call: "TakeOutListNumbers", counted_by: &[], unit: "行数", of_people: false };
/// A summary of a term, as it is taken out.
static SUMMARY: About =
    About { code: 6, word: "TERM_SUMMARY", name: "学期汇总表", call: "TakeOutSummary", counted_by: &[], unit: "行数", of_people: false };
/// Every kind of table that is taken out here.
static KINDS: [&About; 5] = [&ENTRIES, &FLAGS, &xuezhu_review::takeout::ABOUT, &NUMBERS, &SUMMARY];

/// Columns of a list: those that go in, without the card, and what the list shows beside them.
const ENTRY_COLUMNS: [&str; 14] =
    ["姓名", "身份证件号", "出生年份", "月份", "档次", "备注", "金额（元）", "现行月份", "现行金额（元）", "名单状态", "是否有疑点", "疑点", "学期", "项目"];
/// Columns of flags: what their list shows.
const FLAG_COLUMNS: [&str; 11] = ["学生", "证件号末位", "疑点", "说明", "依据", "学期", "项目", "月份", "金额（元）", "是否暂缓", "疑点状态"];

/// Columns of numbers of lists, after what is counted by.
const NUMBER_COLUMNS: [&str; 5] = ["名单（人次）", "已审核（人次）", "暂缓（人次）", "已审核（月或学期）", "已审核（元）"];
/// Columns of a summary.
const SUMMARY_COLUMNS: [&str; 9] = ["学校代码", "学校", "项目", "人数", "月或学期数", "金额（元）", "上一份（元）", "相差（元）", "分担（元）"];

/// What narrows a table, in Chinese.
fn narrowed(parts: &[(&str, String)]) -> String {
    parts.iter().filter(|(_, said)| !said.is_empty()).map(|(what, said)| format!("{what} {said}")).collect::<Vec<_>>().join("；")
}

/// Months as a list writes them: 9,10,11,12,1.
fn months(months: &[i32]) -> String {
    months.iter().map(|month| (month % 100).to_string()).collect::<Vec<_>>().join(",")
}

fn yes(is_so: bool) -> String {
    if is_so { "是" } else { "否" }.to_owned()
}

fn scheme_name(parts: &Parts, scheme: &str) -> String {
    award::scheme_name(parts, scheme).unwrap_or_default()
}

fn term_name(term: &str) -> String {
    term.parse().map(Term::name).unwrap_or_default()
}

/// A school's list.
struct Entries {
    parts: Arc<Parts>,
    list: Uuid,
    request: pb::TakeOutEntriesRequest,
}

impl Kind for Entries {
    fn about(&self) -> &'static About {
        &ENTRIES
    }

    fn of(&self) -> Of {
        let held = if self.request.held_only { "有疑点的" } else { "" };
        let parts = [("状态", entry_state(self.request.state()).to_owned()), ("只含", held.to_owned())];
        Of { school: self.request.school.clone(), subject: Some(self.list), by_name: false, narrowed: narrowed(&parts) }
    }

    fn school<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, permission: Permission) -> Work<'t, String> {
        Box::pin(async move { Ok(mirror::school_for(ctx, tx, &self.request.school, permission).await?.name) })
    }

    fn table<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, most: usize) -> Work<'t, Table> {
        Box::pin(async move {
            let mut rows = Vec::new();
            let mut asked = pb::ListEntriesRequest {
                school: self.request.school.clone(),
                list: self.request.list.clone(),
                state: self.request.state,
                held_only: self.request.held_only,
                page_size: paging::MAX_PAGE_ROWS,
                page_token: String::new(),
                page_number: 0,
            };
            let list = award::readable(ctx, tx, &self.request.school, self.list).await?;
            let of = [term_name(&list.term), scheme_name(&self.parts, &list.scheme)];
            loop {
                let page = award::api::entries(ctx, tx, &self.parts, &asked).await?;
                rows.extend(page.entries.iter().map(|row| [entry_line(row), of.to_vec()].concat()));
                if page.next_page_token.is_empty() || rows.len() > most {
                    return Ok(Table { columns: ENTRY_COLUMNS.to_vec(), rows });
                }
                asked.page_token = page.next_page_token;
            }
        })
    }
}

fn entry_state(state: award_entry::State) -> &'static str {
    entry::State::parse(state.as_str_name()).map_or("", entry::State::name)
}

fn entry_line(row: &pb::AwardEntry) -> Vec<String> {
    let rules: Vec<&str> = row.flags.iter().filter_map(|flag| Rule::parse(&flag.rule)).map(|rule| law(rule).name).collect();
    vec![
        row.name.clone(),
        row.id_number.clone(),
        if row.birth_year == 0 { String::new() } else { row.birth_year.to_string() },
        months(&row.months),
        row.tier.clone(),
        row.remark.clone(),
        Fen(row.amount_fen).yuan(),
        months(&row.standing_months),
        Fen(row.standing_fen).yuan(),
        entry_state(row.state()).to_owned(),
        yes(!row.flags.is_empty()),
        rules.join("、"),
    ]
}

/// A school's flags.
struct Flags {
    parts: Arc<Parts>,
    request: pb::TakeOutFlagsRequest,
}

impl Kind for Flags {
    fn about(&self) -> &'static About {
        &FLAGS
    }

    fn of(&self) -> Of {
        let rule = Rule::parse(&self.request.rule).map_or("", |rule| law(rule).name);
        let state = match flag_state(self.request.state()) {
            "" => "未关闭",
            state => state,
        };
        let term = term_name(&self.request.term);
        let parts = [("疑点", rule.to_owned()), ("状态", state.to_owned()), ("学期", term)];
        Of { school: self.request.school.clone(), subject: None, by_name: false, narrowed: narrowed(&parts) }
    }

    fn school<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, permission: Permission) -> Work<'t, String> {
        Box::pin(async move { Ok(mirror::school_for(ctx, tx, &self.request.school, permission).await?.name) })
    }

    fn table<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, most: usize) -> Work<'t, Table> {
        Box::pin(async move {
            let mut rows = Vec::new();
            let mut asked = pb::ListFlagsRequest {
                school: self.request.school.clone(),
                rule: self.request.rule.clone(),
                state: self.request.state,
                term: self.request.term.clone(),
                unclosed: true,
                page_size: paging::MAX_PAGE_ROWS,
                ..pb::ListFlagsRequest::default()
            };
            loop {
                let page = reconciliation::api::list_flags(ctx, tx, &self.parts, &asked).await?;
                rows.extend(page.flags.iter().map(|row| flag_line(&self.parts, row)));
                if page.next_page_token.is_empty() || rows.len() > most {
                    return Ok(Table { columns: FLAG_COLUMNS.to_vec(), rows });
                }
                asked.page_token = page.next_page_token;
            }
        })
    }
}

fn flag_state(state: flag::State) -> &'static str {
    life::State::parse(state.as_str_name()).map_or("", life::State::name)
}

fn flag_line(parts: &Parts, row: &pb::Flag) -> Vec<String> {
    let claim = row.evidence.as_ref().and_then(|evidence| evidence.claim.as_ref());
    vec![
        row.name.clone(),
        claim.map(|claim| claim.id_number.clone()).unwrap_or_default(),
        row.rule_name.clone(),
        row.summary.clone(),
        row.legal_basis.clone(),
        term_name(&row.term),
        scheme_name(parts, row.scheme().as_str_name()),
        months(&row.months),
        Fen(row.amount_fen).yuan(),
        yes(row.holds),
        flag_state(row.state()).to_owned(),
    ]
}

/// Numbers of lists, of a school or of a region.
struct Numbers {
    parts: Arc<Parts>,
    request: pb::GetListNumbersRequest,
}

impl Kind for Numbers {
    fn about(&self) -> &'static About {
        &NUMBERS
    }

    fn of(&self) -> Of {
        let by = numbers::way_name(self.request.by());
        let parts = [("学期", term_name(&self.request.term)), ("项目", scheme_name(&self.parts, &self.request.scheme)), ("按", by.to_owned())];
        let place = if self.request.school.is_empty() { &self.request.region } else { &self.request.school };
        Of { school: place.clone(), subject: None, by_name: false, narrowed: narrowed(&parts) }
    }

    fn school<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: Permission) -> Work<'t, String> {
        Box::pin(async move { Ok(numbers::place(ctx, tx, &self.request.school, &self.request.region).await?.name) })
    }

    fn table<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: usize) -> Work<'t, Table> {
        Box::pin(async move {
            let told = numbers::of(ctx, tx, &self.parts, &self.request).await?;
            let line = |name: &str, number: &pb::ListNumber| {
                let counts = [number.listed, number.approved, number.held, number.units].map(|count| count.to_string());
                [name.to_owned()].into_iter().chain(counts).chain([Fen(number.fen).yuan()]).collect()
            };
            let mut rows: Vec<Vec<String>> = told.numbers.iter().map(|number| line(&number.name, number)).collect();
            if rows.len() > 1 {
                rows.push(line("合计", &told.sum.unwrap_or_default()));
            }
            Ok(Table { columns: [numbers::way_name(self.request.by())].into_iter().chain(NUMBER_COLUMNS).collect(), rows })
        })
    }
}

/// A summary of a term, which whoever calls may read.
struct Summary {
    id: Uuid,
    told: pb::TermSummary,
}

impl Kind for Summary {
    fn about(&self) -> &'static About {
        &SUMMARY
    }

    fn of(&self) -> Of {
        let stands = match self.told.state() {
            term_summary::State::Signed => format!("{} {}签字", self.told.signed_by, self.told.sign_date),
            term_summary::State::Dropped => "已退回或撤回，不作为拨款依据".to_owned(),
            term_summary::State::Submitted | term_summary::State::Unspecified => "未签字，不作为拨款依据".to_owned(),
        };
        let parts = [("学期", term_name(&self.told.term)), ("第", format!("{}份", self.told.number)), ("状态", stands)];
        Of { school: self.told.authority.clone(), subject: Some(self.id), by_name: false, narrowed: narrowed(&parts) }
    }

    fn school<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx, permission: Permission) -> Work<'t, String> {
        let answer = ctx.may(permission, &Place::Region(&self.told.authority)).map(|()| self.told.authority_name.clone());
        Box::pin(async move { answer })
    }

    fn table<'t>(&'t self, _: &'t Context, _: &'t mut Tx, _: usize) -> Work<'t, Table> {
        let line = |line: &pb::SummaryLine| {
            let counts = [line.entries, line.units].map(|count| count.to_string());
            let fen = [line.fen, line.before_fen, line.fen - line.before_fen].map(|fen| Fen(fen).yuan());
            let words = [&line.school, &line.school_name, &line.scheme_name].map(Clone::clone);
            let shares = line.shares.iter().map(|share| format!("{}{}", share.level, Fen(share.fen).yuan())).collect::<Vec<_>>().join("，");
            words.into_iter().chain(counts).chain(fen).chain([shares]).collect()
        };
        let mut rows: Vec<Vec<String>> = self.told.lines.iter().map(line).collect();
        if rows.len() > 1 {
            let sum = |of: fn(&pb::SummaryLine) -> i64| self.told.lines.iter().map(of).sum();
            let units = self.told.lines.iter().map(|line| line.units).sum();
            let (before_fen, shares, school_name) = (sum(|line| line.before_fen), self.told.shares.clone(), "合计".to_owned());
            rows.push(line(&pb::SummaryLine { school_name, entries: self.told.entries, units, fen: self.told.fen, before_fen, shares, ..Default::default() }));
        }
        Box::pin(async move { Ok(Table { columns: SUMMARY_COLUMNS.to_vec(), rows }) })
    }
}

/// The service of what is taken out.
#[derive(Clone)]
pub struct TakeOutApi(pub Arc<Parts>);

#[tonic::async_trait]
impl AidTakeOutService for TakeOutApi {
    type TakeOutEntriesStream = Pieces<pb::TakeOutEntriesResponse>;
    type TakeOutFlagsStream = Pieces<pb::TakeOutFlagsResponse>;
    type TakeOutDossiersStream = Pieces<pb::TakeOutDossiersResponse>;
    type TakeOutListNumbersStream = Pieces<pb::TakeOutListNumbersResponse>;
    type TakeOutSummaryStream = Pieces<pb::TakeOutSummaryResponse>;

    async fn take_out_entries(&self, request: Request<pb::TakeOutEntriesRequest>) -> Result<Response<Self::TakeOutEntriesStream>, Status> {
        use take_out_entries_response::Part;
        let (ctx, request) = self.0.gate.enter(request, ENTRIES.call).await?;
        let kind = Entries { parts: self.0.clone(), list: refusal::id("list", &request.list)?, request: request.clone() };
        let first = |told: TakeOut| pb::TakeOutEntriesResponse { part: Some(Part::TakeOut(told)) };
        let piece = |chunk| pb::TakeOutEntriesResponse { part: Some(Part::Chunk(chunk)) };
        self.0.takeouts.give(&ctx, &kind, (&request.purpose, &request), first, piece).await
    }

    async fn take_out_flags(&self, request: Request<pb::TakeOutFlagsRequest>) -> Result<Response<Self::TakeOutFlagsStream>, Status> {
        use take_out_flags_response::Part;
        let (ctx, request) = self.0.gate.enter(request, FLAGS.call).await?;
        let kind = Flags { parts: self.0.clone(), request: request.clone() };
        let first = |told: TakeOut| pb::TakeOutFlagsResponse { part: Some(Part::TakeOut(told)) };
        let piece = |chunk| pb::TakeOutFlagsResponse { part: Some(Part::Chunk(chunk)) };
        self.0.takeouts.give(&ctx, &kind, (&request.purpose, &request), first, piece).await
    }

    async fn take_out_dossiers(&self, request: Request<pb::TakeOutDossiersRequest>) -> Result<Response<Self::TakeOutDossiersStream>, Status> {
        use take_out_dossiers_response::Part;
        let (ctx, request) = self.0.gate.enter(request, xuezhu_review::takeout::ABOUT.call).await?;
        let keeper = Dossiers(&self.0);
        let state = refusal::known::<dossier::State>("state", request.state)?;
        let kind = DossierTable::of(&keeper, &request.school, &request.kind, state, &request.name)?;
        let first = |told: TakeOut| pb::TakeOutDossiersResponse { part: Some(Part::TakeOut(told)) };
        let piece = |chunk| pb::TakeOutDossiersResponse { part: Some(Part::Chunk(chunk)) };
        self.0.takeouts.give(&ctx, &kind, (&request.purpose, &request), first, piece).await
    }

    async fn take_out_list_numbers(&self, request: Request<pb::TakeOutListNumbersRequest>) -> Result<Response<Self::TakeOutListNumbersStream>, Status> {
        use take_out_list_numbers_response::Part;
        let (ctx, request) = self.0.gate.enter(request, NUMBERS.call).await?;
        let said = request.clone();
        // The receipt names the place and the term, also where the call leaves them out.
        let region = if said.school.is_empty() && said.region.trim().is_empty() { ctx.actor.organisation.clone() } else { said.region };
        let term = if said.term.trim().is_empty() { Term::of(ctx.today()).to_string() } else { said.term };
        let asked = pb::GetListNumbersRequest { school: said.school, region, term, scheme: said.scheme, by: said.by };
        let kind = Numbers { parts: self.0.clone(), request: asked };
        let first = |told: TakeOut| pb::TakeOutListNumbersResponse { part: Some(Part::TakeOut(told)) };
        let piece = |chunk| pb::TakeOutListNumbersResponse { part: Some(Part::Chunk(chunk)) };
        self.0.takeouts.give(&ctx, &kind, (&request.purpose, &request), first, piece).await
    }

    async fn take_out_summary(&self, request: Request<pb::TakeOutSummaryRequest>) -> Result<Response<Self::TakeOutSummaryStream>, Status> {
        use take_out_summary_response::Part;
        let (ctx, request) = self.0.gate.enter(request, SUMMARY.call).await?;
        let id = refusal::id("summary", &request.summary)?;
        let with = (self.0.clone(), id);
        let told = self.0.runner.read(&ctx, SUMMARY.call, &with, |ctx, tx, (parts, id)| Box::pin(summaries::one(ctx, tx, parts, *id))).await?.into_inner();
        let first = |told: TakeOut| pb::TakeOutSummaryResponse { part: Some(Part::TakeOut(told)) };
        let piece = |chunk| pb::TakeOutSummaryResponse { part: Some(Part::Chunk(chunk)) };
        self.0.takeouts.give(&ctx, &Summary { id, told }, (&request.purpose, &request), first, piece).await
    }

    async fn list_take_outs(&self, request: Request<pb::ListTakeOutsRequest>) -> Result<Response<pb::ListTakeOutsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListTakeOuts").await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of("ListTakeOuts", &pb::ListTakeOutsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let with = (query.after::<Uuid>(&request.page_token)?, limit, query, request.school);
        self.0
            .runner
            .read(&ctx, "ListTakeOuts", &with, |ctx, tx, (before, limit, query, school)| {
                Box::pin(async move {
                    // Of a region are numbers alone: whoever sees them may see who took them out.
                    match school.parse::<RegionCode>() {
                        Ok(region) => ctx.may(Permission::ReadMoney, &Place::Region(region.as_str()))?,
                        Err(_) => drop(mirror::school_for(ctx, tx, school, permission(ctx)).await?),
                    }
                    let (take_outs, next) = receipts::of_school(tx, &KINDS, school, *before, *limit).await?;
                    Ok(pb::ListTakeOutsResponse { take_outs, next_page_token: next.map(|next| query.token(&next)).unwrap_or_default() })
                })
            })
            .await
    }
}

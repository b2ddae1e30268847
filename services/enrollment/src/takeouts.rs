//! gRPC in: what is taken out as a workbook. Each table says what its list says to whoever calls, page by page, in one state of the
//! database; how it is stamped, receipted and handed out is [`xuezhu_takeout`].

use std::{collections::HashMap, sync::Arc};

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_domain::text;
use xuezhu_proto::{
    common::{TakeOut, dossier},
    enrollment::{
        self as pb, enrollment, enrollment_take_out_service_server::EnrollmentTakeOutService, take_out_dossiers_response, take_out_enrollments_response,
    },
};
use xuezhu_review::takeout::Dossiers as DossierTable;
use xuezhu_service::{Context, Error, Permission, Refusal, downloads::Pieces, paging, refusal};
use xuezhu_store::Tx;
use xuezhu_takeout::{About, Kind, Of, Table, Work, permission, receipts};

use crate::{
    Parts, directory,
    dossiers::Dossiers,
    import::{row::columns_of, taken_out::COLUMNS},
    roll, students,
};

/// Students, as they are taken out.
static STUDENTS: About = About {
    code: 1,
    word: "STUDENTS",
    name: "学生信息",
    call: "TakeOutEnrollments",
    counted_by: &["班级名称", "专业简称", STATE],
    unit: "人数",
    of_people: true,
};
/// Every kind of table that is taken out here.
static KINDS: [&About; 2] = [&STUDENTS, &xuezhu_review::takeout::ABOUT];
/// The column that says where a student stands: none of the workbook that goes in.
const STATE: &str = "学籍状态";

/// A school's students.
struct Students {
    parts: Arc<Parts>,
    request: pb::TakeOutEnrollmentsRequest,
}

impl Kind for Students {
    fn about(&self) -> &'static About {
        &STUDENTS
    }

    fn of(&self) -> Of {
        let state = self.request.state();
        let state = if state == enrollment::State::Unspecified { "" } else { state_name(state) };
        let parts = [("班级", text::clean(&self.request.class_name)), ("状态", state.to_owned()), ("姓名", by_name(&self.request.name))];
        let narrowed: Vec<String> = parts.iter().filter(|(_, said)| !said.is_empty()).map(|(what, said)| format!("{what} {said}")).collect();
        let by_name = !self.request.name.trim().is_empty();
        Of { school: self.request.school.clone(), subject: None, by_name, narrowed: text::mask_long_numbers(&narrowed.join("；")) }
    }

    fn school<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, permission: Permission) -> Work<'t, String> {
        Box::pin(async move { Ok(directory::school_for(ctx, tx, &self.request.school, permission).await?.name) })
    }

    fn table<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, most: usize) -> Work<'t, Table> {
        Box::pin(async move {
            let columns = COLUMNS.into_iter().chain([STATE]).collect();
            let mut rows = Vec::new();
            let mut asked = pb::ListEnrollmentsRequest {
                school: self.request.school.clone(),
                state: self.request.state,
                query: self.request.name.clone(),
                class_name: self.request.class_name.clone(),
                page_size: paging::MAX_PAGE_ROWS,
                ..pb::ListEnrollmentsRequest::default()
            };
            loop {
                let page = students::api::page(ctx, tx, &self.parts, &asked).await?;
                let ids: Vec<Uuid> = page.enrollments.iter().filter_map(|row| row.enrollment.parse().ok()).collect();
                let details = roll::drafts::details_of(tx, &self.parts, ids.into_iter()).await?;
                rows.extend(page.enrollments.iter().map(|row| line(row, &details)));
                if page.next_page_token.is_empty() || rows.len() > most {
                    return Ok(Table { columns, rows });
                }
                asked.page_token = page.next_page_token;
            }
        })
    }
}

/// Whom somebody looked for is no part of a receipt, which others read.
fn by_name(name: &str) -> String {
    if name.trim().is_empty() { String::new() } else { "按姓名查找".to_owned() }
}

/// A student's row: what the list says as it says it, of the other columns what was entered.
fn line(row: &pb::Enrollment, details: &HashMap<Uuid, String>) -> Vec<String> {
    let entered = row.enrollment.parse::<Uuid>().ok().and_then(|id| details.get(&id)).map_or("", String::as_str);
    let said = columns_of(entered);
    let value = |header: &str| match header {
        "姓名" => row.name.clone(),
        "性别" => row.sex.clone(),
        "身份证件号" => row.id_number.clone(),
        "班级名称" => row.class_name.clone(),
        "学号" => row.school_number.clone(),
        "学习形式" => row.study_form.clone(),
        "入学年月" => row.entry_month.to_string(),
        "专业简称" => row.major_name.clone(),
        other => said.get(other).cloned().unwrap_or_default(),
    };
    COLUMNS.into_iter().map(value).chain([state_name(row.state()).to_owned()]).collect()
}

fn state_name(state: enrollment::State) -> &'static str {
    xuezhu_domain::enrollment::State::parse(state.as_str_name()).map_or("", xuezhu_domain::enrollment::State::name)
}

/// The service of what is taken out.
#[derive(Clone)]
pub struct TakeOutApi(pub Arc<Parts>);

#[tonic::async_trait]
impl EnrollmentTakeOutService for TakeOutApi {
    type TakeOutEnrollmentsStream = Pieces<pb::TakeOutEnrollmentsResponse>;
    type TakeOutDossiersStream = Pieces<pb::TakeOutDossiersResponse>;

    async fn take_out_enrollments(&self, request: Request<pb::TakeOutEnrollmentsRequest>) -> Result<Response<Self::TakeOutEnrollmentsStream>, Status> {
        use take_out_enrollments_response::Part;
        let (ctx, request) = self.0.gate.enter(request, STUDENTS.call).await?;
        if request.name.chars().any(char::is_numeric) {
            return Err(Error::from(Refusal::field("name", "导出只能按姓名查找，不能按号码")).into());
        }
        refusal::known::<enrollment::State>("state", request.state)?;
        let kind = Students { parts: self.0.clone(), request: request.clone() };
        let first = |told: TakeOut| pb::TakeOutEnrollmentsResponse { part: Some(Part::TakeOut(told)) };
        let piece = |chunk| pb::TakeOutEnrollmentsResponse { part: Some(Part::Chunk(chunk)) };
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

    async fn list_take_outs(&self, request: Request<pb::ListTakeOutsRequest>) -> Result<Response<pb::ListTakeOutsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListTakeOuts").await?;
        let limit = paging::size(request.page_size)?;
        let query = paging::Query::of("ListTakeOuts", &pb::ListTakeOutsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let with = (query.after::<Uuid>(&request.page_token)?, limit, query, request.school);
        self.0
            .runner
            .read(&ctx, "ListTakeOuts", &with, |ctx, tx, (before, limit, query, school)| {
                Box::pin(async move {
                    directory::school_for(ctx, tx, school, permission(ctx)).await?;
                    let (take_outs, next) = receipts::of_school(tx, &KINDS, school, *before, *limit).await?;
                    Ok(pb::ListTakeOutsResponse { take_outs, next_page_token: next.map(|next| query.token(&next)).unwrap_or_default() })
                })
            })
            .await
    }
}

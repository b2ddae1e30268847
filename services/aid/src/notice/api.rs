//! gRPC in: notices and objections. Two of them are called by whoever has a link: nobody is known there.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use uuid::Uuid;
use xuezhu_proto::aid::{self as pb, notice_service_server::NoticeService, objection};
use xuezhu_service::{
    Error, Refusal,
    paging::{self, Turn},
    refusal,
    runner::Call,
};

use super::{
    objections::{self, Asked, Said},
    rules::State,
};
use crate::Parts;

/// What is to be said one way or the other: nothing said means neither.
fn said(field: &str, value: Option<bool>) -> Result<bool, Status> {
    value.ok_or_else(|| Error::from(Refusal::field(field, "请填写true或false")).into())
}

/// The service of notices.
#[derive(Clone)]
pub struct NoticeApi(pub Arc<Parts>);

#[tonic::async_trait]
impl NoticeService for NoticeApi {
    async fn list_notices(&self, request: Request<pb::ListNoticesRequest>) -> Result<Response<pb::ListNoticesResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListNotices").await?;
        let query = paging::Query::of("ListNotices", &pb::ListNoticesRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let turn = Turn::<Uuid>::of(query, &request.page_token, 0, request.page_size)?;
        let list = if request.list.is_empty() { None } else { Some(refusal::id("list", &request.list)?) };
        self.0
            .runner
            .read(&ctx, "ListNotices", &(request.school, list, turn, query), |ctx, tx, (school, list, turn, query)| {
                Box::pin(async move {
                    let notices = super::list(ctx, tx, school, *list, turn).await?;
                    Ok(pb::ListNoticesResponse { next_page_token: turn.next(*query, &notices, |last| last.notice.clone()), notices })
                })
            })
            .await
    }

    async fn get_notice(&self, request: Request<pb::GetNoticeRequest>) -> Result<Response<pb::GetNoticeResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetNotice").await?;
        let with = (refusal::id("notice", &request.notice)?, request.class_name);
        self.0.runner.read(&ctx, "GetNotice", &with, |ctx, tx, (id, class_name)| Box::pin(super::one(ctx, tx, *id, class_name))).await
    }

    async fn publish_notice(&self, request: Request<pb::PublishNoticeRequest>) -> Result<Response<pb::PublishNoticeResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "PublishNotice").await?;
        let call = Call::new("PublishNotice", request.notice.clone(), &request);
        let with = (refusal::id("notice", &request.notice)?, said("published", request.published)?);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (id, published)| {
                Box::pin(async move { Ok(pb::PublishNoticeResponse { notice: Some(super::publish(ctx, tx, *id, *published).await?) }) })
            })
            .await
    }

    async fn get_public_notice(&self, request: Request<pb::GetPublicNoticeRequest>) -> Result<Response<pb::GetPublicNoticeResponse>, Status> {
        let ctx = self.0.gate.stranger(&request)?;
        let request = request.into_inner();
        let with = (refusal::id("notice", &request.notice)?, request.class_name);
        self.0.runner.read(&ctx, "GetPublicNotice", &with, |ctx, tx, (id, class_name)| Box::pin(super::public_page(ctx, tx, *id, class_name))).await
    }

    async fn file_objection(&self, request: Request<pb::FileObjectionRequest>) -> Result<Response<pb::FileObjectionResponse>, Status> {
        let mut ctx = self.0.gate.stranger(&request)?;
        // The audit says that somebody objected, and not from where: that is kept as a keyed hash alone.
        let from = self.0.keyring.lookup_hash("objector", &std::mem::take(&mut ctx.address));
        let request = request.into_inner();
        let call = Call::new("FileObjection", request.notice.clone(), &request);
        let said = Said {
            notice: refusal::id("notice", &request.notice)?,
            class_name: request.class_name,
            student: request.student,
            text: request.text,
            objector: request.objector,
            telephone: request.telephone,
        };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), said, from), |ctx, tx, (parts, said, from)| {
                Box::pin(async move { Ok(pb::FileObjectionResponse { objection: objections::file(ctx, tx, parts, said, *from).await?.to_string() }) })
            })
            .await
    }

    async fn record_objection(&self, request: Request<pb::RecordObjectionRequest>) -> Result<Response<pb::RecordObjectionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "RecordObjection").await?;
        let call = Call::new("RecordObjection", request.notice.clone(), &request);
        let said = Said {
            notice: refusal::id("notice", &request.notice)?,
            class_name: request.class_name,
            student: request.student,
            text: request.text,
            objector: request.objector,
            telephone: request.telephone,
        };
        self.0
            .runner
            .mutate(&ctx, call, &(self.0.clone(), said), |ctx, tx, (parts, said)| {
                Box::pin(async move { Ok(pb::RecordObjectionResponse { objection: Some(objections::record(ctx, tx, parts, said).await?) }) })
            })
            .await
    }

    async fn list_objections(&self, request: Request<pb::ListObjectionsRequest>) -> Result<Response<pb::ListObjectionsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListObjections").await?;
        let query = paging::Query::of("ListObjections", &pb::ListObjectionsRequest { page_size: 0, page_token: String::new(), ..request.clone() });
        let turn = Turn::<Uuid>::of(query, &request.page_token, 0, request.page_size)?;
        let state = match refusal::known::<objection::State>("state", request.state)? {
            objection::State::Unspecified => 0,
            objection::State::Open => State::Open.code(),
            objection::State::Answered => State::Answered.code(),
            objection::State::Upheld => State::Upheld.code(),
            objection::State::Dismissed => State::Dismissed.code(),
        };
        let asked = Asked { school: request.school, state, turn };
        self.0
            .runner
            .read(&ctx, "ListObjections", &(self.0.clone(), asked, query), |ctx, tx, (parts, asked, query)| {
                Box::pin(async move {
                    let objections = objections::list(ctx, tx, parts, asked).await?;
                    Ok(pb::ListObjectionsResponse { next_page_token: asked.turn.next(*query, &objections, |last| last.objection.clone()), objections })
                })
            })
            .await
    }

    async fn answer_objection(&self, request: Request<pb::AnswerObjectionRequest>) -> Result<Response<pb::AnswerObjectionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "AnswerObjection").await?;
        let call = Call::new("AnswerObjection", request.objection.clone(), &request);
        let with = (self.0.clone(), refusal::id("objection", &request.objection)?, request.text);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, id, text)| {
                Box::pin(async move { Ok::<_, Error>(pb::AnswerObjectionResponse { objection: Some(objections::answer(ctx, tx, parts, *id, text).await?) }) })
            })
            .await
    }

    async fn decide_objection(&self, request: Request<pb::DecideObjectionRequest>) -> Result<Response<pb::DecideObjectionResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "DecideObjection").await?;
        let call = Call::new("DecideObjection", request.objection.clone(), &request);
        let with = (self.0.clone(), refusal::id("objection", &request.objection)?, said("upheld", request.upheld)?, request.reason);
        self.0
            .runner
            .mutate(&ctx, call, &with, |ctx, tx, (parts, id, upheld, reason)| {
                Box::pin(async move {
                    Ok::<_, Error>(pb::DecideObjectionResponse { objection: Some(objections::decide(ctx, tx, parts, *id, *upheld, reason).await?) })
                })
            })
            .await
    }
}

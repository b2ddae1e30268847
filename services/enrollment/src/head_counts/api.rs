//! gRPC in: a school is counted now.

use std::{sync::Arc, time::Duration};

use tonic::{Request, Response, Status};
use xuezhu_domain::codes;
use xuezhu_proto::{
    bridge as feed,
    enrollment::{self as pb, head_count_service_server::HeadCountService},
};
use xuezhu_service::{
    Context, Error, Permission, Reason, Refusal,
    runner::{Call, was_answered},
};
use xuezhu_store::Tx;

use crate::{Parts, directory};

/// How often it is looked whether the changes of the school were told, and how long apart.
const TRIES: u32 = 40;
const APART: Duration = Duration::from_millis(50);

/// The service of head counts.
#[derive(Clone)]
pub struct HeadCountApi(pub Arc<Parts>);

#[tonic::async_trait]
impl HeadCountService for HeadCountApi {
    async fn count_heads(&self, request: Request<pb::CountHeadsRequest>) -> Result<Response<pb::CountHeadsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "CountHeads").await?;
        let call = Call::new("CountHeads", request.school.clone(), &request);
        // What is refused is refused, and kept, where it is run.
        let counted = counted(&self.0, &ctx, &request.school).await?;
        self.0
            .runner
            .mutate(&ctx, call, &(request.school, counted), |ctx, tx, (school, counted)| {
                Box::pin(async move {
                    may_count(ctx, tx, school).await?;
                    let behind = || Refusal::new(Reason::FeedBehind, "该校的学籍变更还没有全部发出，暂时无法清点，请稍后再试");
                    let counted = counted.as_ref().ok_or_else(behind)?;
                    super::tell(ctx, tx, std::slice::from_ref(counted), ctx.today()).await?;
                    Ok(pb::CountHeadsResponse { head_count: Some(told(ctx, &counted.1)) })
                })
            })
            .await
    }
}

/// The school's clerk, and its department.
async fn may_count(ctx: &Context, tx: &mut Tx, school: &str) -> Result<(), Error> {
    let school = directory::school_for(ctx, tx, school, Permission::ReadSchool).await?;
    ctx.may(Permission::EnterForSchool, &school.place()).or_else(|_| ctx.may(Permission::Approve, &school.place()))?;
    Ok(())
}

/// The count of a school at a moment at which none of its changes waits; none where there is no such moment soon, where who asks may not count,
/// or where they were answered already.
async fn counted(parts: &Parts, ctx: &Context, school: &str) -> Result<Option<(String, feed::HeadCount)>, Error> {
    for attempt in 0..TRIES {
        if attempt > 0 {
            tokio::time::sleep(APART).await;
        }
        let mut tx = parts.runner.db().read().await?;
        let asks = !was_answered(ctx, &mut tx).await? && may_count(ctx, &mut tx, school).await.is_ok();
        let counted = if asks { super::count(&mut tx, &[school], ctx.today()).await?.pop() } else { None };
        tx.rollback().await?;
        if !asks || counted.is_some() {
            return Ok(counted);
        }
    }
    Ok(None)
}

fn told(ctx: &Context, count: &feed::HeadCount) -> pb::SchoolHeadCount {
    let small = |count: i64| i32::try_from(count).unwrap_or(i32::MAX);
    pb::SchoolHeadCount {
        school: count.school.clone(),
        date: ctx.today().to_string(),
        position: count.position,
        in_school: small(count.groups.iter().map(|group| group.in_school).sum()),
        on_leave: small(count.groups.iter().map(|group| group.on_leave).sum()),
        groups: count
            .groups
            .iter()
            .map(|group| pb::SchoolHeadCountGroup {
                entry_year: group.entry_year,
                major: group.major.clone(),
                major_name: codes::major_of_key(&group.major).map_or("", |major| major.name).to_owned(),
                in_school: small(group.in_school),
                on_leave: small(group.on_leave),
            })
            .collect(),
    }
}

//! gRPC in: the last count of a school, compared.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_bridge::keeping::State;
use xuezhu_judge::heads::Sides;
use xuezhu_proto::aid::{self as pb, head_count_service_server::HeadCountService};
use xuezhu_service::{Permission, clock::rfc3339};

use super::{heads, store::CountRow};
use crate::{Parts, mirror};

/// The service of head counts.
#[derive(Clone)]
pub struct HeadCountApi(pub Arc<Parts>);

#[tonic::async_trait]
impl HeadCountService for HeadCountApi {
    async fn get_head_count(&self, request: Request<pb::GetHeadCountRequest>) -> Result<Response<pb::GetHeadCountResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "GetHeadCount").await?;
        self.0
            .runner
            .read(&ctx, "GetHeadCount", &request.school, |ctx, tx, school| {
                Box::pin(async move {
                    let school = mirror::school_for(ctx, tx, school, Permission::ReadSchool).await?;
                    let mirror: State = mirror::state(tx).await?;
                    let compared = super::compared(tx, &mirror, &school.school).await?;
                    let blank = pb::HeadCount { school: school.school, school_name: school.name, authority: school.authority, ..pb::HeadCount::default() };
                    let head_count = compared.map_or(blank.clone(), |(row, sides)| told(blank, &row, &sides));
                    Ok(pb::GetHeadCountResponse { head_count: Some(head_count) })
                })
            })
            .await
    }
}

fn told(blank: pb::HeadCount, row: &CountRow, sides: &Sides) -> pb::HeadCount {
    pb::HeadCount {
        outcome: sides.outcome().code(),
        date: row.day.to_string(),
        position: row.position,
        count_time: rfc3339(row.recorded_at_us),
        groups: sides.groups.iter().map(heads).collect(),
        lacks_records: sides.lacks_records(),
        ..blank
    }
}

//! gRPC in: the lists of a class.

use std::sync::Arc;

use tonic::{Request, Response, Status};
use xuezhu_domain::text;
use xuezhu_proto::aid::{self as pb, class_award_service_server::ClassAwardService};
use xuezhu_service::FieldErrors;

use crate::{Parts, asked};

/// The service of a class's lists.
#[derive(Clone)]
pub struct ClassAwardApi(pub Arc<Parts>);

#[tonic::async_trait]
impl ClassAwardService for ClassAwardApi {
    async fn list_class_awards(&self, request: Request<pb::ListClassAwardsRequest>) -> Result<Response<pb::ListClassAwardsResponse>, Status> {
        let (ctx, request) = self.0.gate.enter(request, "ListClassAwards").await?;
        let mut errors = FieldErrors::default();
        let term = asked::term(&ctx, &request.term, &mut errors);
        let class_name = text::clean(&request.class_name);
        if class_name.is_empty() {
            errors.add("class_name", "请填写班级");
        }
        errors.check()?;
        let Some(term) = term else { return Err(Status::internal("unreachable")) };
        self.0
            .runner
            .read(&ctx, "ListClassAwards", &(self.0.clone(), request.school, class_name, term), |ctx, tx, (parts, school, class_name, term)| {
                Box::pin(super::of_class(ctx, tx, parts, school, class_name, *term))
            })
            .await
    }
}

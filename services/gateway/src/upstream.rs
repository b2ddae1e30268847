//! One tower service over both upstreams: which is meant stands in the path of the call.

use std::task::{Context, Poll};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::{body::Body, transport::Channel};
use tower::Service;
use tracing::Instrument;
use xuezhu_service::{Reason, Refusal, refusal};

/// Both services.
#[derive(Debug, Clone)]
pub struct Upstreams {
    /// 学籍.
    pub enrollment: Channel,
    /// 资助.
    pub aid: Channel,
}

/// Said where a service does not answer.
fn unavailable() -> tonic::Status {
    xuezhu_service::Error::from(Refusal::new(Reason::Unavailable, refusal::chinese(Reason::Unavailable))).into()
}

impl Service<Request<Body>> for Upstreams {
    type Response = Response<Body>;
    type Error = tonic::transport::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        // Which channel must be ready is known only with the request.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut channel = if request.uri().path().starts_with("/xuezhu.aid.") { self.aid.clone() } else { self.enrollment.clone() };
        // A task of its own: whoever waits may give up (the transcoder does after seconds), but what was begun is finished,
        // and a repetition under the same key hears how.
        let call = async move {
            std::future::poll_fn(|context| channel.poll_ready(context)).await?;
            channel.call(request).await
        };
        let called = tokio::spawn(call.in_current_span());
        Box::pin(async move {
            match called.await {
                Ok(Ok(answer)) => Ok(answer),
                // A service that can't be reached, or went away under the call: the same to whoever asked.
                Ok(Err(error)) => {
                    tracing::warn!(%error, "a service can't be reached");
                    Ok(unavailable().into_http())
                }
                Err(error) => {
                    tracing::error!(%error, "a call to a service ended unasked");
                    Ok(unavailable().into_http())
                }
            }
        })
    }
}

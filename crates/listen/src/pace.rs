//! Bodies that come too slowly are broken off: a piece now and then holds a request for hours.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// How long a body may take, whatever its size.
const GRACE: Duration = Duration::from_secs(30);
/// Bytes a second that a body must come with beyond that: a telephone line's.
const BYTES_A_SECOND: u64 = 4 * 1024;

/// A layer: breaks off bodies that come too slowly. Only the time counts in which the client was waited for.
pub async fn keep_pace(request: Request, next: Next) -> Response {
    next.run(request.map(|body| Body::new(Paced::new(body)))).await
}

/// A body that came too slowly.
#[derive(Debug)]
pub struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the body of the request came too slowly: less than {BYTES_A_SECOND} bytes a second")
    }
}

impl std::error::Error for TooSlow {}

struct Paced {
    body: Body,
    bytes: u64,
    waited: Duration,
    waits: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Paced {
    fn new(body: Body) -> Self {
        Self { body, bytes: 0, waited: Duration::ZERO, waits: None }
    }

    /// How long may be waited for it by now, all in all.
    fn allowed(&self) -> Duration {
        GRACE + Duration::from_millis(self.bytes.saturating_mul(1_000) / BYTES_A_SECOND)
    }
}

impl http_body::Body for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some((since, _)) = self.waits.take() {
                    self.waited += since.elapsed();
                }
                if let Some(Ok(Some(data))) = frame.as_ref().map(|frame| frame.as_ref().map(Frame::data_ref)) {
                    self.bytes += data.len() as u64;
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                let left = self.allowed().saturating_sub(self.waited);
                let (_, sleep) = self.waits.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
                match sleep.as_mut().poll(context) {
                    Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new(TooSlow)))),
                    Poll::Pending => Poll::Pending,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;
    use tokio::sync::mpsc;
    use tokio_util::task::TaskTracker;

    use super::*;

    /// The body that pieces of so many bytes make, one every so many seconds.
    fn dripped(pieces: usize, bytes: usize, seconds: u64) -> Paced {
        let (send, mut receive) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
        TaskTracker::new().spawn(async move {
            for _ in 0..pieces {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
                if send.send(Ok(Bytes::from(vec![b'x'; bytes]))).await.is_err() {
                    return;
                }
            }
        });
        let stream = futures_util::stream::poll_fn(move |context| receive.poll_recv(context));
        Paced::new(Body::from_stream(stream))
    }

    #[tokio::test(start_paused = true)]
    async fn a_drip_is_broken_off_and_a_slow_line_is_not() {
        let read = async |body: Paced| axum::body::to_bytes(Body::new(body), usize::MAX).await.map(|bytes| bytes.len());
        assert!(read(dripped(100, 1, 5)).await.is_err(), "a byte every five seconds");
        assert_eq!(read(dripped(100, 1, 0)).await.expect("comes"), 100);
        assert_eq!(read(dripped(60, 40_000, 8)).await.expect("slow, and steady"), 2_400_000);
        assert!(read(dripped(60, 10_000, 8)).await.is_err(), "a quarter of that");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_not_asked_for_more_is_not_late() {
        let mut body = dripped(3, 10, 0);
        let frame = async |body: &mut Paced| std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await;
        assert!(frame(&mut body).await.expect("a piece").is_ok());
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert!(frame(&mut body).await.expect("a piece").is_ok());
    }
}

//! Bytes in and out of a connection, calls and answers, as its conduct sees them.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

use crate::register::Shared;

/// A connection whose bytes are seen.
pub struct Watched<S> {
    stream: S,
    conduct: Shared,
}

impl<S> Watched<S> {
    pub fn new(stream: S, conduct: Shared) -> Self {
        Self { stream, conduct }
    }

    /// Notes whether the other end takes what is said.
    fn note<T>(&self, written: &Poll<T>) {
        let taken = written.is_ready();
        self.conduct.with(|conduct| {
            if taken {
                conduct.stalled = None;
            } else if conduct.stalled.is_none() {
                conduct.stalled = Some(Instant::now());
            }
        });
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(came) = buffer.filled().get(before..).filter(|came| !came.is_empty()) {
            self.conduct.with(|conduct| conduct.came(came, Instant::now()));
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note(&written);
        written
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[std::io::IoSlice<'_>]) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.note(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A request under way; it ends when this is dropped.
pub struct Call {
    conduct: Shared,
    has_credentials: bool,
}

impl Call {
    pub fn new<B>(conduct: Shared, request: &Request<B>) -> Self {
        conduct.with(crate::conduct::Conduct::begins);
        Self { conduct, has_credentials: has_credentials(request.headers()) }
    }

    /// Whoever brought credentials and was answered is known.
    pub fn answered<B>(&self, response: &Response<B>) {
        if self.has_credentials && is_welcome(response) {
            self.conduct.with(|conduct| conduct.known = true);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.conduct.with(|conduct| conduct.ends(Instant::now()));
    }
}

fn has_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) || headers.contains_key(header::COOKIE)
}

/// Marks an answer that anybody is given, whatever credentials came with the request.
#[derive(Debug, Clone, Copy)]
pub struct ForAnybody;

/// Whether an answer is one that strangers are not given: neither a refusal nor the way to the log-in.
fn is_welcome<B>(response: &Response<B>) -> bool {
    let refused = matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS);
    let is_sent_away = response.status().is_redirection();
    let code = response.headers().get("grpc-status").is_none_or(|code| code == "0");
    !refused && !is_sent_away && code && response.extensions().get::<ForAnybody>().is_none()
}

/// The body of a request: it is coming until its end was seen, or nobody wants it any more.
pub struct Coming {
    body: Body,
    conduct: Shared,
    is_under_way: bool,
}

impl Coming {
    pub fn new(body: Body, conduct: Shared) -> Self {
        let is_under_way = !body.is_end_stream();
        if is_under_way {
            conduct.with(|conduct| conduct.coming += 1);
        }
        Self { body, conduct, is_under_way }
    }

    fn came(&mut self) {
        if std::mem::take(&mut self.is_under_way) {
            self.conduct.with(|conduct| conduct.coming = conduct.coming.saturating_sub(1));
        }
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        self.came();
    }
}

impl http_body::Body for Coming {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None | Some(Err(_)))) {
            self.came();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer: its request is under way as long as it is.
pub struct Answered {
    body: Body,
    _call: Call,
}

impl Answered {
    pub fn new(body: Body, call: Call) -> Self {
        Self { body, _call: call }
    }
}

impl http_body::Body for Answered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

//! One request through all that it passes, by the W3C's trace context: the header `traceparent` is taken from whoever calls, handed on to whoever
//! is called, kept with what was changed, and told by the change to who follows the feed. Ids are random, so that a trace says nothing of anybody;
//! what stands in a span is a method, a role, codes and ids, never a name, a number or a token.
//!
//! Spans are of the level of errors: what is logged within one carries its trace under every filter.

use std::fmt::{self, Display, Formatter};

use axum::http::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context as Remote,
    trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::context::Ids;

/// The header and the metadata that carry a trace between processes.
pub const TRACEPARENT: &str = "traceparent";
/// The header that tells whoever asked under which id the request can be found.
pub const TRACE_ID: &str = "x-trace-id";
/// Target of the lines that tell of each call and each batch: `log = "info,xuezhu::calls=debug"` shows them.
pub const CALLS: &str = "xuezhu::calls";
/// Traces that one piece of work names, at most.
pub const NAMED: usize = 8;

/// Characters of a `traceparent` of version 00.
const CHARACTERS: usize = 55;
/// The bit that says that spans of this trace are collected.
const SAMPLED: u8 = 1;

/// A request on its way: which it is, and the step that it has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    request: u128,
    span: u64,
    sampled: bool,
}

/// Which request it is, as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestTrace(u128);

impl Display for RequestTrace {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

impl Display for Trace {
    /// As a `traceparent` of version 00.
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "00-{:032x}-{:016x}-{:02x}", self.request, self.span, u8::from(self.sampled))
    }
}

impl Trace {
    /// Reads a `traceparent`. What is malformed is none; of a version to come, what this one knows of it is read.
    pub fn parse(text: &str) -> Option<Self> {
        let (known, more) = text.split_at_checked(CHARACTERS)?;
        let mut parts = known.split('-');
        let version = digits(parts.next()?, 2)?;
        let (request, span) = (digits(parts.next()?, 32)?, digits(parts.next()?, 16)?);
        let flags = digits(parts.next()?, 2)?;
        let fits = match version {
            0 => more.is_empty(),
            0xff => false,
            _ => more.is_empty() || more.starts_with('-'),
        };
        if !fits || parts.next().is_some() || request == 0 || span == 0 {
            return None;
        }
        Some(Self { request, span: u64::try_from(span).ok()?, sampled: u8::try_from(flags).ok()? & SAMPLED != 0 })
    }

    /// What the headers of a request say, where they say it once.
    pub fn of_headers(headers: &HeaderMap) -> Option<Self> {
        let mut told = headers.get_all(TRACEPARENT).iter();
        let (first, second) = (told.next()?, told.next());
        if second.is_some() { None } else { Self::parse(first.to_str().ok()?) }
    }

    /// A new one.
    pub fn fresh(ids: &Ids) -> Self {
        let mut random = [0; 16];
        ids.fill(&mut random);
        // Nil would be none.
        Self { request: u128::from_be_bytes(random).max(1), span: 0, sampled: true }.step(ids)
    }

    /// The next step of the same request.
    fn step(self, ids: &Ids) -> Self {
        let mut random = [0; 8];
        ids.fill(&mut random);
        Self { span: u64::from_be_bytes(random).max(1), ..self }
    }

    /// Which request it is.
    pub fn id(&self) -> RequestTrace {
        RequestTrace(self.request)
    }

    /// As the value of a header.
    pub fn header(&self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).unwrap_or_else(|_| unreachable!("digits and hyphens"))
    }

    /// Which request it is, as the value of a header.
    pub fn id_header(&self) -> HeaderValue {
        HeaderValue::try_from(self.id().to_string()).unwrap_or_else(|_| unreachable!("digits"))
    }

    fn context(self) -> SpanContext {
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        SpanContext::new(TraceId::from(self.request), SpanId::from(self.span), flags, true, TraceState::default())
    }

    fn of_context(context: &SpanContext) -> Self {
        let (request, span) = (u128::from_be_bytes(context.trace_id().to_bytes()), u64::from_be_bytes(context.span_id().to_bytes()));
        Self { request, span, sampled: context.is_sampled() }
    }
}

/// So many hexadecimal digits, in lower case.
fn digits(text: &str, count: usize) -> Option<u128> {
    let fits = text.len() == count && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if fits { u128::from_str_radix(text, 16).ok() } else { None }
}

/// Opens a span, which has an empty field `trace`, as the next step of a request, or as the first of one that nobody began. Returns what is
/// handed on from here.
pub fn open(span: &Span, name: String, from: Option<Trace>, ids: &Ids) -> Trace {
    if let Some(from) = from {
        hang(span, from);
    }
    let collected = span.context().span().span_context().clone();
    let trace = match from {
        _ if collected.is_valid() => Trace::of_context(&collected),
        Some(from) => from.step(ids),
        None => Trace::fresh(ids),
    };
    span.record("trace", tracing::field::display(trace.id()));
    span.context().span().update_name(name);
    trace
}

/// Opens a span, which has an empty field `trace`, for work that several requests asked for: it is a step of the first, and names the others.
pub fn open_for(span: &Span, asked: &[Trace]) {
    let Some(first) = asked.iter().find(|trace| trace.sampled).or(asked.first()) else { return };
    hang(span, *first);
    for other in asked.iter().filter(|trace| *trace != first) {
        span.add_link(other.context());
    }
    let ids: Vec<String> = asked.iter().map(|trace| trace.id().to_string()).collect();
    span.record("trace", ids.join(","));
}

fn hang(span: &Span, from: Trace) {
    // Where nothing is collected there is nothing to hang it on.
    let _ = span.set_parent(Remote::new().with_remote_span_context(from.context()));
}

/// Says of a span that what it was for failed.
pub fn failed(span: &Span) {
    span.set_status(Status::error(""));
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_taken_as_the_standard_says_or_not_at_all() {
        let good = Trace { request: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, span: 0x00f0_67aa_0ba9_02b7, sampled: true };
        for (text, read) in [
            (GOOD.to_owned(), Some(good)),
            (GOOD.replace("-01", "-00"), Some(Trace { sampled: false, ..good })),
            // Flags that this version does not know are let be.
            (GOOD.replace("-01", "-ff"), Some(good)),
            (GOOD.replace("-01", "-fe"), Some(Trace { sampled: false, ..good })),
            // A version to come may say more, after a hyphen.
            (GOOD.replacen("00-", "01-", 1), Some(good)),
            (format!("{}-more", GOOD.replacen("00-", "cc-", 1)), Some(good)),
            (format!("{}more", GOOD.replacen("00-", "cc-", 1)), None),
            (GOOD.replacen("00-", "ff-", 1), None),
            (format!("{GOOD}-more"), None),
            (GOOD[..54].to_owned(), None),
            (format!("{GOOD}0"), None),
            (String::new(), None),
            (GOOD.to_uppercase(), None),
            (GOOD.replace("4bf9", "4bF9"), None),
            (GOOD.replace("4bf9", "4bg9"), None),
            (GOOD.replace("4bf9", "+bf9"), None),
            (GOOD.replace("4bf9", "学助"), None),
            (GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)), None),
            (GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)), None),
            (GOOD.replace('-', "_"), None),
            (GOOD.replacen("4736-00f0", "47-3600f0", 1), None),
            (format!("{}-", &GOOD[..54]), None),
        ] {
            assert_eq!(Trace::parse(&text), read, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_each_step_is_another_of_the_same_request() {
        let ids = Ids::seeded(1);
        assert_eq!(Trace::parse(GOOD).map(|trace| trace.to_string()).as_deref(), Some(GOOD));
        let first = Trace::fresh(&ids);
        let next = first.step(&ids);
        assert_eq!(Trace::parse(&next.to_string()), Some(next));
        assert_eq!((first.id(), first.span == next.span), (next.id(), false));
        assert_ne!(Trace::fresh(&ids).id(), first.id());
        let unsampled = Trace { sampled: false, ..first };
        assert!(!unsampled.step(&ids).sampled, "who does not want it collected is heard");
        assert_eq!(Trace::of_context(&unsampled.context()), unsampled);
    }

    #[test]
    fn headers_say_it_once() {
        let mut headers = HeaderMap::new();
        assert_eq!(Trace::of_headers(&headers), None);
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(Trace::of_headers(&headers), Trace::parse(GOOD));
        headers.append(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(Trace::of_headers(&headers), None);
    }

    #[test]
    fn a_span_that_nobody_collects_goes_on_in_the_request_all_the_same() {
        let (ids, given) = (Ids::seeded(1), Trace::parse(GOOD));
        let next = open(&Span::none(), "call".into(), given, &ids);
        assert_eq!(Some(next.id()), given.map(|given| given.id()));
        assert_ne!(Some(next), given);
        assert_ne!(Some(open(&Span::none(), "call".into(), None, &ids).id()), given.map(|given| given.id()));
    }
}

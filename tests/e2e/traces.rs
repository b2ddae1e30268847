//! One request, seen in each place that it passes, under one id; and nothing of whom it was about.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value as Attribute,
    trace::v1::Span,
};
use reqwest::{Client, Response, header::HeaderMap};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tonic::{Request, Status, service::Routes};
use xuezhu_store::{Db, rows};
use xuezhu_tests::{
    Engine,
    apart::Apart,
    prepare,
    schools::{self, PASSWORD, People, SCHOOL, number, student},
    until,
};

/// Takes spans, by service, as any collector does.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(&self, request: Request<ExportTraceServiceRequest>) -> Result<tonic::Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name").and_then(|name| name.value?.value);
            let Some(Attribute::StringValue(service)) = name else { return Err(Status::invalid_argument("a resource without a name")) };
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.0.lock().expect("no one fell").extend(spans.map(|span| (service.clone(), span)));
        }
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Listens; returns its address with it.
    async fn start() -> (Self, String) {
        let collector = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let served = Routes::new(TraceServiceServer::new(collector.clone())).prepare().into_axum_router();
        tokio::spawn(async move { axum_serve(listener, served).await });
        (collector, address)
    }

    /// The spans of a trace: service, name, and the span.
    fn of(&self, trace: &str) -> Vec<(String, String, Span)> {
        let spans = self.0.lock().expect("no one fell");
        spans.iter().filter(|(_, span)| hex(&span.trace_id) == trace).map(|(service, span)| (service.clone(), span.name.clone(), span.clone())).collect()
    }

    /// All that was told.
    fn told(&self) -> String {
        format!("{:?}", self.0.lock().expect("no one fell"))
    }
}

async fn axum_serve(listener: TcpListener, router: axum::Router) {
    axum::serve(listener, router).await.expect("serves");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The id that an answer tells.
fn told(headers: &HeaderMap) -> String {
    headers["x-trace-id"].to_str().expect("is text").to_owned()
}

/// A leave of a student, asked for with the headers that somebody else's program sends.
async fn leave(people: &People, base: &str, serial: u32, traceparent: &[&str]) -> Response {
    let path = people.path_of(serial).await;
    let mut request = Client::new().post(format!("{base}{path}/leave")).bearer_auth(people.clerk.token());
    for traceparent in traceparent {
        request = request.header("traceparent", *traceparent);
    }
    let answer = request.json(&json!({ "effectiveDate": "2026-10-01", "reason": "因病" })).send().await.expect("is answered");
    assert!(answer.status().is_success(), "{answer:?}");
    answer
}

/// The lines of a log in JSON that stand within a trace and hold a word.
fn lines(log: &str, trace: &str, word: &str) -> Vec<Value> {
    let all = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    all.filter(|line| {
        let spans = line["spans"].as_array().cloned().unwrap_or_default();
        spans.iter().any(|span| span["trace"].as_str().is_some_and(|told| told.contains(trace))) && line.to_string().contains(word)
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_goes_from_the_request_to_the_judgement_and_tells_nobodys_name_or_number() {
    prepare();
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |name: &str| {
            let folder = folder.path().join(name);
            std::fs::create_dir(&folder).expect("a folder");
            folder
        };
        let databases = (engine.database(&of("enrollment")).await, engine.database(&of("aid")).await);
        let (collector, address) = Collector::start().await;
        let settings = [("OTLP", address.as_str()), ("LOG_FORMAT", "json"), ("LOG", "info,xuezhu=debug")];
        let mut apart = Apart::start_with(folder.path(), &databases.0, &databases.1, &settings);
        let base = apart.base();
        until("it answers", async || Client::new().get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success())).await;
        let people = schools::open_at(&base, "first-Password1").await;
        let students: Vec<_> = (1..=4).map(student).collect();
        people.import(&students).await;
        people.register().await;
        people.list(&[(&students[0]["姓名"], &number(1), "")]).await;

        // Somebody else's program began it.
        let (trace, span) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
        let answer = leave(&people, &base, 1, &[&format!("00-{trace}-{span}-01")]).await;
        assert_eq!(told(answer.headers()), trace);
        until("aid tells of the judgement under the same id", async || !lines(&apart.log("aid"), trace, "applied and judged").is_empty()).await;
        assert_eq!(lines(&apart.log("enrollment"), trace, "TakeLeave").len(), 1, "{}", apart.log("enrollment"));
        assert_eq!(lines(&apart.log("gateway"), trace, "{enrollment}/leave").len(), 1, "{}", apart.log("gateway"));
        let db = Db::open(&databases.0).await.expect("opens");
        let mut tx = db.read().await.expect("reads");
        let kept = rows!(&mut tx, (String,), "SELECT trace FROM audit WHERE method = 'TakeLeave'").expect("rows");
        assert_eq!(kept, [(trace.to_owned(),)]);
        tx.rollback().await.expect("ends");
        db.close().await;

        // Whoever wants no spans gets an id all the same.
        let unseen = "11111111111111111111111111111111";
        assert_eq!(told(leave(&people, &base, 2, &[&format!("00-{unseen}-{span}-00")]).await.headers()), unseen);
        // Who brings none, or a wrong one, or two, gets a fresh one.
        let (wrong, first, second) = (format!("00-{trace}-{span}"), format!("00-{trace}-{span}-01"), format!("00-{unseen}-{span}-01"));
        let mut fresh = Vec::new();
        for (serial, brought) in [(3, vec![wrong.as_str()]), (4, vec![first.as_str(), second.as_str()])] {
            fresh.push(told(leave(&people, &base, serial, &brought).await.headers()));
        }
        let school = Client::new().get(format!("{base}/v1/schools/{SCHOOL}")).bearer_auth(people.clerk.token()).send().await.expect("is answered");
        fresh.push(told(school.headers()));
        for id in &fresh {
            assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && id != trace && id != unseen, "{id}");
        }
        fresh.dedup();
        assert_eq!(fresh.len(), 3);

        // What went wrong tells it too: in the header, and on the page.
        let refused = Client::new().get(format!("{base}/v1/schools/{SCHOOL}")).send().await.expect("is answered");
        assert_eq!((refused.status().as_u16(), told(refused.headers()).len()), (401, 32));
        let nowhere = format!("{base}/{}/{}?name={}", number(1), students[0]["姓名"], students[0]["姓名"]);
        let page = Client::new().get(nowhere).header("traceparent", &first).send().await.expect("is answered");
        assert_eq!((page.status().as_u16(), told(page.headers()).as_str()), (404, trace));
        let page = page.text().await.expect("a page");
        assert!(page.contains("出错编号") && page.contains(&format!(">{trace}<")), "{page}");

        // Names, numbers and a token in a query, a body and a path.
        let query = format!("/v1/schools/{SCHOOL}/enrollments?query={}", students[1]["姓名"]);
        people.clerk.get(&query).await.expect("is found");
        let put_wrongly = format!("/v1/schools/{SCHOOL}/enrollments/{}/leave", number(2));
        assert!(people.clerk.post(&put_wrongly, &json!({ "effectiveDate": "2026-10-01", "reason": students[1]["姓名"] }), number(2).as_str()).await.is_err());

        let under = |service: &str, name: &str| {
            let mut of = collector.of(trace).into_iter().filter(|(of, named, _)| of == service && named.contains(name));
            of.next().map(|(_, _, span)| span)
        };
        until("each service's spans are collected", async || {
            [("xuezhu-gateway", "leave"), ("xuezhu-enrollment", "TakeLeave"), ("xuezhu-aid", "apply"), ("xuezhu-aid", "judge")]
                .iter()
                .all(|(service, name)| under(service, name).is_some())
        })
        .await;
        let (at_gateway, at_enrollment) = (under("xuezhu-gateway", "leave").expect("is there"), under("xuezhu-enrollment", "TakeLeave").expect("is there"));
        let (applied, judged) = (under("xuezhu-aid", "apply").expect("is there"), under("xuezhu-aid", "judge").expect("is there"));
        assert_eq!(at_gateway.name, "HTTP POST /v1/schools/{school}/enrollments/{enrollment}/leave");
        assert_eq!(hex(&at_gateway.parent_span_id), span, "it goes on from where it came");
        assert_eq!(at_enrollment.parent_span_id, at_gateway.span_id);
        assert_eq!(applied.parent_span_id, at_enrollment.span_id);
        assert_eq!(judged.parent_span_id, applied.span_id);
        for key in ["method", "role", "organisation", "resource"] {
            assert!(at_enrollment.attributes.iter().any(|attribute| attribute.key == key), "{key}: {at_enrollment:?}");
        }

        // A stop sends what is left; then everything that will ever be told is.
        for place in [2, 1, 0] {
            assert!(apart.stop(place).success(), "a stop is clean");
        }
        assert!(collector.of(&fresh[2]).iter().any(|(service, ..)| service == "xuezhu-enrollment"), "what is fresh is collected");
        assert!(collector.of(unseen).is_empty(), "who wants none collected is heard");
        let all = [apart.log("gateway"), apart.log("enrollment"), apart.log("aid"), collector.told()];
        for said in &all {
            assert!(said.contains(trace), "it is all there");
            for student in &students {
                assert!(!said.contains(&student["姓名"]) && !said.contains(&student["身份证件号"]), "somebody's name or number");
            }
            for secret in [people.clerk.token(), PASSWORD, "first-Password1"] {
                assert!(!said.contains(secret), "a secret");
            }
        }
    }
}

//! 审核环节: over which desks dossiers of a kind go, for administrators: one by one, or as a file that is taken whole or not at all.

use std::{collections::BTreeMap, sync::Arc};

use askama::Template;
use axum::{
    Form as Sent, Router,
    extract::{DefaultBodyLimit, Multipart, Path},
    http::header,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use tonic::{Code, Status};
use tonic_types::StatusExt;
use xuezhu_domain::region;
use xuezhu_proto::{
    common::{DossierChain, DossierKind},
    enrollment::SetChainRequest,
};
use xuezhu_service::refusal::{Error, FieldErrors, Refusal};

use super::{
    Desk, PageError,
    dossiers::{Keeper, NewChain},
    imports, in_chinese, pickers, render, show,
};
use crate::{
    Gateway,
    parts::{
        Cell, Field, Form, Note, Row, Table, Tone,
        field::{Choice, typed_day},
    },
};

/// Bytes of a file at most.
const FILE_BYTES: usize = 256 * 1024;
/// Heads of the columns of a file.
const HEADS: [&str; 5] = ["业务", "适用范围", "起始日期", "审核环节", "理由"];

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/chains", get(page))
        .route("/chains/{keeper}", get(download).post(set))
        .route("/chains/{keeper}/upload", post(upload))
        .layer(DefaultBodyLimit::max(FILE_BYTES))
}

/// What one service keeps.
struct Part {
    keeper: Keeper,
    /// What holds where nothing was set.
    kinds: Table,
    /// What was set.
    chains: Table,
    set: Form,
    upload: Form,
    /// A line of a file, as an example.
    sample: String,
}

impl Part {
    fn of(desk: &Desk, keeper: Keeper, chains: &[DossierChain], kinds: &[DossierKind]) -> Self {
        let row = |kind: &DossierKind| Row::of([Cell::from(&kind.name), Cell::from(&kind.chain_name), Cell::from(&kind.chain)]);
        let defaults = Table::of(format!("{}业务：没有另设时的环节", keeper.name())).columns(["业务", "环节", "写法"]).rows(kinds.iter().map(row));
        let row = |chain: &DossierChain| {
            let steps = if chain.steps.is_empty() { Cell::text("恢复按上一级的设定") } else { Cell::from(&chain.name).beside(&chain.steps) };
            Row::of([
                Cell::from(kind_name(kinds, &chain.kind)),
                Cell::from(scope(chain)),
                Cell::unbroken(&chain.from_date),
                steps,
                Cell::from(&chain.reason),
                Cell::from(format!("{} {}", chain.recorded_by, show::day(&chain.record_time))),
            ])
        };
        let chains = Table::of(format!("{}业务：另设的环节", keeper.name()))
            .columns(["业务", "适用范围", "起始日期", "环节", "理由", "设定"])
            .rows(chains.iter().map(row))
            .empty("还没有另设：都按上表办理。");
        let name = kinds.first().map_or("", |kind| kind.name.as_str());
        Self {
            keeper,
            kinds: defaults,
            chains,
            set: setting(desk, keeper, kinds),
            upload: Form::of::<SetChainRequest>(desk, format!("file-{}", keeper.word()), format!("/chains/{}/upload", keeper.word()))
                .with(Field::file("file", ".csv").called("CSV文件"))
                .button("载入"),
            sample: format!("{name},430102,2027-03-01,\"PRINCIPAL/3, AUTHORITY/5, CITY\",市级复核（附文号）"),
        }
    }
}

fn kind_name<'k>(kinds: &'k [DossierKind], word: &'k str) -> &'k str {
    kinds.iter().find(|kind| kind.kind == word).map_or(word, |kind| kind.name.as_str())
}

fn scope(chain: &DossierChain) -> String {
    match chain.scope.as_str() {
        "" => "全部".to_owned(),
        code if code.len() == 6 => region::spans(code).last().map_or_else(|| code.to_owned(), |span| format!("{}（{code}）", span.name)),
        school => format!("学校 {school}"),
    }
}

fn setting(desk: &Desk, keeper: Keeper, kinds: &[DossierKind]) -> Form {
    let steps = Field::line("steps")
        .limit(200)
        .wide()
        .hint("依次写，用逗号隔开，如 PRINCIPAL, AUTHORITY/5, CITY NOTES（学校评审写REVIEW，主管部门负责人写HEAD）；恢复按上一级的设定，则不填");
    Form::of::<SetChainRequest>(desk, format!("set-{}", keeper.word()), format!("/chains/{}", keeper.word()))
        .with(Field::choice("kind", kinds.iter().map(|kind| Choice::of(&kind.kind, &kind.name))).called("业务"))
        .with(Field::line("scope").limit(80).hint("学校或行政区划，写名称或代码，如 长沙市芙蓉区；全部适用的不填"))
        .with(Field::day("from_date").required().value(desk.today()))
        .with(steps)
        .with(Field::line("reason").called("理由（文件依据）").required().limit(500).wide())
        .button("设定")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SetForm {
    request_id: String,
    kind: String,
    scope: String,
    #[serde(deserialize_with = "typed_day")]
    from_date: String,
    steps: String,
    reason: String,
}

#[derive(Template)]
#[template(path = "chains.html")]
struct ChainsPage {
    desk: Desk,
    parts: Vec<Part>,
    /// What is wrong with a file that was sent.
    wrong: Option<Note>,
    faults: Table,
}

async fn view(desk: Desk, faults: &[String]) -> Result<Response, PageError> {
    let desk = desk.at("/chains");
    let mut parts = Vec::new();
    for keeper in Keeper::ALL {
        let (chains, kinds) = keeper.chains(&desk).await?;
        parts.push(Part::of(&desk, keeper, &chains, &kinds));
    }
    let wrong = (!faults.is_empty()).then(|| Note::of(Tone::Bad, "文件没有载入，一行也没有写入。请改正后重新上传。"));
    let faults = Table::of("文件中的问题").column("问题").narrow().rows(faults.iter().map(|fault| Row::of([Cell::from(fault)])));
    Ok(render(&ChainsPage { desk, parts, wrong, faults }))
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    view(desk, &[]).await
}

fn kept_by(word: &str) -> Result<Keeper, PageError> {
    Keeper::of(word).ok_or_else(|| PageError::Refused(Status::not_found("没有这个页面")))
}

/// Of chains that are set one at a time: the place of the one needs not be said.
fn of_the_one(status: Status) -> Status {
    let Some(details) = status.get_details_bad_request() else { return status };
    let mut faults = FieldErrors::default();
    for fault in details.field_violations {
        faults.add(fault.field.trim_start_matches("chains[0]."), fault.description);
    }
    faults.check().map_or_else(Status::from, |()| status)
}

async fn set(desk: Desk, Path(keeper): Path<String>, Sent(sent): Sent<SetForm>) -> Result<Response, PageError> {
    let keeper = kept_by(&keeper)?;
    let SetForm { request_id, kind, scope, from_date, steps, reason } = sent;
    let scope = pickers::scope(&desk, &scope).await?.map_err(|why| Status::from(Error::from(Refusal::field("scope", why))))?;
    let chain = NewChain { kind, scope, from_date, steps: steps.trim().to_owned(), reason };
    keeper.set_chains(&desk, &request_id, vec![chain]).await.map_err(of_the_one)?;
    Ok(desk.done("环节已设定。", "/chains"))
}

/// The chains that were set, as a file that can be taken in again once its days are put right.
async fn download(desk: Desk, Path(name): Path<String>) -> Result<Response, PageError> {
    let keeper = kept_by(name.strip_suffix(".csv").unwrap_or_default())?;
    let (chains, kinds) = keeper.chains(&desk).await?;
    let mut out = csv::Writer::from_writer(Vec::new());
    let lines = chains.iter().map(|chain| [kind_name(&kinds, &chain.kind), &chain.scope, &chain.from_date, &chain.steps, &chain.reason].map(str::to_owned));
    for line in std::iter::once(HEADS.map(str::to_owned)).chain(lines) {
        out.write_record(line.map(|cell| harmless(&cell))).map_err(|error| Status::internal(error.to_string()))?;
    }
    let bytes = out.into_inner().map_err(|error| Status::internal(error.to_string()))?;
    // Spreadsheets take a file without the mark for one in another encoding.
    let body = [&b"\xEF\xBB\xBF"[..], &bytes].concat();
    let disposition = format!("attachment; filename=\"chains-{}.csv\"", keeper.word());
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, disposition)], body).into_response())
}

/// A cell that no spreadsheet takes for a formula.
fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

/// Chains of a file, each with its line, and what is wrong with the file itself.
fn read(bytes: &[u8], kinds: &[DossierKind]) -> Result<Vec<(u64, NewChain)>, Vec<String>> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes));
    let text = text.map_err(|_| vec!["文件不是UTF-8编码：请在表格软件中另存为“CSV UTF-8”".to_owned()])?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let heads: Vec<String> = reader.headers().map(|heads| heads.iter().map(str::to_owned).collect()).unwrap_or_default();
    let places: Vec<Option<usize>> = HEADS.iter().map(|head| heads.iter().position(|found| found == head)).collect();
    let missing: Vec<&str> = HEADS.iter().zip(&places).filter(|(_, place)| place.is_none()).map(|(head, _)| *head).collect();
    if !missing.is_empty() {
        return Err(vec![format!("第1行缺少列：{}", missing.join("、"))]);
    }
    let (mut chains, mut faults) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                faults.push(format!("第{line}行：读不出来，请检查引号"));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        if record.iter().all(str::is_empty) {
            continue;
        }
        if record.len() > heads.len() {
            faults.push(format!("第{line}行：比列名多出{}格，审核环节中有逗号的应整格加英文引号", record.len() - heads.len()));
            continue;
        }
        let cell = |at: usize| places[at].and_then(|place| record.get(place)).unwrap_or_default().to_owned();
        let named = cell(0);
        let kind = kinds.iter().find(|kind| kind.kind == named || kind.name == named).map_or(named, |kind| kind.kind.clone());
        chains.push((line, NewChain { kind, scope: cell(1), from_date: cell(2), steps: cell(3), reason: cell(4) }));
    }
    if chains.is_empty() && faults.is_empty() {
        faults.push("文件中没有内容".to_owned());
    }
    if faults.is_empty() { Ok(chains) } else { Err(faults) }
}

/// What a service said of a chain: what other pages call the nature of a school is the business here.
fn in_words(told: &str) -> String {
    told.strip_prefix("kind：").map_or_else(|| in_chinese(told), |told| format!("业务：{told}"))
}

/// What a service said of chains by their place in the call, by line of the file.
fn by_line(message: &str, lines: &[u64]) -> Vec<String> {
    let mut faults: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for part in message.split('；') {
        let placed = part.strip_prefix("chains[").and_then(|rest| rest.split_once("]."));
        let line = placed.and_then(|(at, _)| lines.get(at.parse::<usize>().ok()?).copied());
        let told = placed.map_or(part, |(_, told)| told);
        faults.entry(line.unwrap_or(0)).or_default().push(in_words(told));
    }
    faults.into_iter().map(|(line, told)| if line == 0 { told.join("；") } else { format!("第{line}行：{}", told.join("；")) }).collect()
}

async fn upload(desk: Desk, Path(keeper): Path<String>, form: Multipart) -> Result<Response, PageError> {
    let keeper = kept_by(&keeper)?;
    let _turn = desk.turn_of_form().await?;
    let imports::Sent { bytes, fields, .. } = imports::sent(form).await?;
    let (_, kinds) = keeper.chains(&desk).await?;
    let chains = match read(&bytes, &kinds) {
        Ok(chains) => chains,
        Err(faults) => return view(desk, &faults).await,
    };
    let (lines, chains): (Vec<u64>, Vec<NewChain>) = chains.into_iter().unzip();
    let request_id = fields.get("request_id").cloned().unwrap_or_else(|| desk.new_request_id());
    match keeper.set_chains(&desk, &request_id, chains).await {
        Ok(count) => Ok(desk.done(format!("已载入 {count} 行。"), "/chains")),
        Err(status) if status.code() == Code::Unauthenticated => Err(PageError::LogIn),
        Err(status) => view(desk, &by_line(status.message(), &lines)).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds() -> Vec<DossierKind> {
        vec![DossierKind { kind: "REGISTRATION".into(), name: "新生学籍注册".into(), ..DossierKind::default() }]
    }

    #[test]
    fn a_file_is_read_by_its_heads_and_faults_are_named_by_line() {
        let good =
            "\u{feff}理由,业务,适用范围,起始日期,审核环节\n复核,新生学籍注册,430102,2026-11-01,\"PRINCIPAL, CITY\"\n,,,,\n恢复,REGISTRATION,,2026-12-01,\n";
        let chain = |scope: &str, day: &str, steps: &str, reason: &str| NewChain {
            kind: "REGISTRATION".into(),
            scope: scope.into(),
            from_date: day.into(),
            steps: steps.into(),
            reason: reason.into(),
        };
        assert_eq!(
            read(good.as_bytes(), &kinds()),
            Ok(vec![(2, chain("430102", "2026-11-01", "PRINCIPAL, CITY", "复核")), (4, chain("", "2026-12-01", "", "恢复"))])
        );
        let faults = |text: &str| read(text.as_bytes(), &kinds()).expect_err("has faults");
        assert_eq!(faults("业务,理由\na,b\n"), ["第1行缺少列：适用范围、起始日期、审核环节"]);
        assert_eq!(faults("业务,适用范围,起始日期,审核环节,理由\n"), ["文件中没有内容"]);
        let unquoted = faults("业务,适用范围,起始日期,审核环节,理由\nREGISTRATION,,2026-11-01,PRINCIPAL,CITY,因\n");
        assert_eq!(unquoted, ["第2行：比列名多出1格，审核环节中有逗号的应整格加英文引号"]);
        assert_eq!(read(b"\xff\xfe", &kinds()).expect_err("has faults").len(), 1);
    }

    #[test]
    fn what_a_service_says_of_a_place_is_said_of_its_line() {
        let told = by_line("chains[1].steps：没有；chains[1].reason：不能为空；chains[0].scope：没有这个行政区划", &[2, 5]);
        assert_eq!(told, ["第2行：适用范围：没有这个行政区划", "第5行：环节：没有；原因：不能为空"]);
        assert_eq!(by_line("服务暂时不可用", &[2]), ["服务暂时不可用"]);
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!([harmless("=1+1"), harmless("PRINCIPAL")], ["'=1+1", "PRINCIPAL"]);
    }
}

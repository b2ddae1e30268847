//! What an import would do, does, or did: its counts, what is wrong by cause, what can be done next.

use std::{collections::BTreeMap, time::Duration};

use askama::{Template, filters::HtmlSafe};
use axum::{extract::Path, response::Response};
use tonic::Status;
use xuezhu_proto::{
    common::{
        ImportReport, Problem,
        import_report::{Stage, State},
    },
    enrollment::{CommitImportRequest, TakeBackImportRequest},
};

use super::target::{Named, Target};
use crate::{
    pages::{Desk, PageError, render, show},
    parts::{Cell, Figure, Figures, Form, Note, Row, Table, Tone},
};

/// Rows of a cause that a page shows.
const ROWS_SHOWN: usize = 30;
/// A page waits so long for an import that runs before it says how far it is: most are done by then.
const SHORT_WAIT: Duration = Duration::from_secs(2);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// Problems of one kind.
struct Cause {
    /// How many.
    mark: Cell,
    /// Column and reason.
    title: String,
    /// The first of them.
    rows: Table,
    /// How many there are besides.
    more: usize,
}

/// Problems by what is wrong, most frequent first.
#[derive(Template)]
#[template(path = "kinds.html")]
struct Causes {
    title: &'static str,
    causes: Vec<Cause>,
}

impl HtmlSafe for Causes {}

impl Causes {
    fn of(title: &'static str, tone: Tone, problems: &[Problem]) -> Self {
        let mut causes: BTreeMap<(&str, &str), Vec<&Problem>> = BTreeMap::new();
        for problem in problems {
            causes.entry((problem.column.as_str(), problem.code.as_str())).or_default().push(problem);
        }
        let mut causes: Vec<(&str, Vec<&Problem>)> = causes.into_iter().map(|((column, _), problems)| (column, problems)).collect();
        causes.sort_by_key(|(_, problems)| std::cmp::Reverse(problems.len()));
        let cause = |(column, problems): (&str, Vec<&Problem>)| {
            let reason = problems.first().map_or("", |problem| problem.reason.as_str());
            let title = if column.is_empty() { reason.to_owned() } else { format!("【{column}】{reason}") };
            let rows = Table::of(title.clone()).column("表").number("行").columns(["列", "内容", "原因"]);
            Cause {
                mark: Cell::mark(tone, format!("{} 处", problems.len())),
                rows: rows.rows(problems.iter().take(ROWS_SHOWN).map(|problem| row(problem))),
                more: problems.len().saturating_sub(ROWS_SHOWN),
                title,
            }
        };
        Self { title, causes: causes.into_iter().map(cause).collect() }
    }
}

fn row(problem: &Problem) -> Row {
    let reason = Cell::from(&problem.reason);
    let reason = if problem.proposed.is_empty() { reason } else { reason.and(Cell::text("；建议改为：")).and(Cell::strong(&problem.proposed)) };
    Row::of([Cell::from(&problem.sheet), Cell::number(problem.row), Cell::from(&problem.column), Cell::from(&problem.value), reason])
}

#[derive(Template)]
#[template(path = "import_report.html")]
struct ReportPage {
    desk: Desk,
    what: &'static str,
    imports: String,
    again: String,
    records: String,
    marked: String,
    passwords: Option<String>,
    report: ImportReport,
    /// What became of it, in a sentence.
    told: Option<Note>,
    figures: Figures,
    commit: Option<Form>,
    take_back: Option<Form>,
    causes: Vec<Causes>,
}

impl ReportPage {
    fn title(&self) -> String {
        let act = match (self.report.state(), self.report.preview) {
            (State::Running, true) => "正在读取",
            (State::Running, false) => "正在写入",
            (State::Refused, _) => "没有导入",
            (State::Lost, _) => "导入中断",
            (State::TakenBack, _) => "已撤回",
            (State::Done | State::Unspecified, true) => "预览",
            (State::Done | State::Unspecified, false) if will_write(&self.report) == 0 => "没有可写入的内容",
            (State::Done | State::Unspecified, false) => "导入完成",
        };
        format!("{act}（{}）", self.what)
    }

    fn runs(&self) -> bool {
        self.report.state() == State::Running
    }

    fn was_read(&self) -> bool {
        was_read(&self.report)
    }

    fn has_faults(&self) -> bool {
        !self.causes.iter().all(|causes| causes.causes.is_empty())
    }

    fn stage(&self) -> &'static str {
        match self.report.stage() {
            Stage::Unspecified | Stage::Reading => "读取文件",
            Stage::Checking => "逐行检查",
            Stage::Comparing => "与已有记录比对",
            Stage::Writing => "写入",
        }
    }
}

/// Whether it was read to its end.
fn was_read(report: &ImportReport) -> bool {
    matches!(report.state(), State::Done | State::TakenBack | State::Unspecified)
}

fn will_write(report: &ImportReport) -> i32 {
    report.rows_new + report.rows_changed
}

/// What became of it; nothing while it runs.
fn told<T: Target>(report: &ImportReport) -> Option<Note> {
    let (tone, text) = match report.state() {
        State::Running => return None,
        State::Lost => (Tone::Bad, "系统在处理时中断，什么也没有写入，请重新上传。".to_owned()),
        State::Refused => (Tone::Bad, format!("{}什么也没有写入。", sentence(&report.refusal))),
        State::Done | State::TakenBack | State::Unspecified => read::<T>(report),
    };
    Some(Note::of(tone, text))
}

/// The same of what was read to its end.
fn read<T: Target>(report: &ImportReport) -> (Tone, String) {
    match (report.preview, will_write(report)) {
        (true, 0) => (Tone::Wait, "还没有写入任何内容：没有可写入的行。".to_owned()),
        (true, _) => (Tone::Wait, "还没有写入任何内容。请核对后写入。".to_owned()),
        (false, _) if report.rows_returned > 0 => (Tone::Good, format!("已撤回 {} 行。", report.rows_returned)),
        (false, 0) => (Tone::Plain, "什么也没有写入：没有新的内容，或有问题的行使整份文件没有写入。".to_owned()),
        (false, _) => (Tone::Good, format!("已写入；{}", T::NEXT)),
    }
}

/// With a stop behind it, where there is none.
fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['。', '！', '？']) { text.to_owned() } else { format!("{text}。") }
}

fn figures(report: &ImportReport) -> Figures {
    let will = if report.preview { "将" } else { "" };
    let furniture =
        if report.rows_furniture > 0 { format!("另有 {} 行只有序号、公式、合计等，不算数据", report.rows_furniture) } else { String::new() };
    let mut figures = vec![
        Figure::count(report.rows_total, "总行数").formula(furniture),
        Figure::count(report.rows_new, format!("{will}新增")).tone(Tone::Good),
        Figure::count(report.rows_changed, format!("{will}更新")).tone(Tone::Good),
        Figure::count(report.rows_unchanged, "没有变化"),
        Figure::count(report.rows_faulty, "有问题，不写入").tone_if(report.rows_faulty > 0, Tone::Bad),
    ];
    if report.rows_hidden > 0 {
        figures.push(Figure::count(report.rows_hidden, "隐藏的行，没有导入").tone(Tone::Wait));
    }
    if report.rows_absent > 0 {
        figures.push(Figure::count(report.rows_absent, "名单上另有，文件没有提到，保持不变"));
    }
    Figures(figures)
}

/// An import's report; what is nearly done is waited for.
async fn settled<T: Target>(desk: &Desk, target: &T, import: &str) -> Result<ImportReport, Status> {
    let until = tokio::time::Instant::now() + SHORT_WAIT;
    loop {
        let report = target.report(desk, import).await?;
        if report.state() != State::Running || tokio::time::Instant::now() >= until {
            return Ok(report);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The page.
pub(super) async fn page<T: Target>(desk: Desk, Path(named): Path<Named>) -> Result<Response, PageError> {
    let target = T::of(&desk, &named);
    let report = settled(&desk, &target, named.get("import").map_or("", String::as_str)).await?;
    let path = format!("{}/{}", target.imports(), report.import_id);
    let sends = was_read(&report) && target.is_of(&desk.user);
    let commit = (sends && report.preview && will_write(&report) > 0)
        .then(|| Form::of::<CommitImportRequest>(&desk, "commit", format!("{path}/commit")).button(format!("写入 {} 行", will_write(&report))));
    let take_back = T::TAKEN_BACK.filter(|_| sends && report.rows_returnable > 0).map(|what| {
        Form::of::<TakeBackImportRequest>(&desk, "takeBack", format!("{path}/takeBack"))
            .danger(format!("撤回 {} 行", report.rows_returnable), "")
            .asks(format!("新增的{}将删去，共 {} 行；{what}。", T::WHAT, report.rows_returnable))
    });
    let came = !report.preview && report.state() == State::Done && report.rows_returnable > 0;
    let page = ReportPage {
        what: T::WHAT,
        imports: target.imports(),
        again: target.again(),
        records: target.records(),
        marked: target.marked(&report.import_id),
        passwords: target.passwords(&report.import_id).filter(|_| came),
        told: told::<T>(&report),
        figures: figures(&report),
        commit,
        take_back,
        causes: vec![
            Causes::of("没有撤回的行", Tone::Bad, &report.kept),
            Causes::of("问题（按原因归类）", Tone::Bad, &report.problems),
            Causes::of("提醒（不影响写入，请核实）", Tone::Wait, &report.warnings),
        ],
        report,
        desk,
    };
    Ok(render(&page))
}

//! `/about/parts`: every part with its variants, as pages show them. Nothing here comes from a service, and nothing that is sent is taken.

use std::sync::Arc;

use askama::Template;
use axum::{Router, response::Response, routing::get};
use xuezhu_proto::enrollment::TakeLeaveRequest;

use super::{
    Act, Address, Axis, Cell, Chart, Desks, Field, Figure, Figures, Form, Note, Pairs, Place, Row, Steps, Strip, Table, Tone,
    chart::Bars,
    desks::{Stage, Stop},
    field::Choice,
    place::Way,
    steps::Step,
    strip,
    table::{Order, Tick},
};
use crate::{
    Gateway,
    pages::{Desk, render},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/about/parts", get(page))
}

#[derive(Template)]
#[template(path = "about_parts.html")]
struct AboutPage {
    desk: Desk,
    figures: Figures,
    notes: Vec<Note>,
    table: Table,
    empty: Table,
    forms: Vec<Form>,
    marks: Vec<Cell>,
    /// A few rows as they are printed whole.
    printed: Table,
    pairs: Pairs,
    strip: Strip,
    axis: Axis,
    desks: Desks,
    act: Act,
    chart: Chart,
    steps: Steps,
}

async fn page(desk: Desk) -> Response {
    let page = AboutPage {
        figures: figures(),
        notes: notes(),
        table: table(),
        printed: table().printed("浏阳市现代农业职业学校 · 国家助学金 · 王芳 2026-09-30 10:00 打印".to_owned()),
        empty: empty(),
        forms: forms(&desk),
        marks: marks(),
        pairs: pairs(),
        strip: Strip { lanes: vec!["名单", "学籍"], months: months(5) },
        axis: Axis { lanes: vec!["资助", "学籍"], months: months(14) },
        desks: desks(),
        act: act(&desk),
        chart: chart(),
        steps: steps(),
        desk,
    };
    render(&page)
}

fn figures() -> Figures {
    Figures(vec![
        Figure::count(5978, "在籍学生").to("/students"),
        Figure::count(12, "等我办理").tone(Tone::Wait),
        Figure::count(3, "有疑点").tone(Tone::Bad).formula("未关闭的疑点，按学生计"),
        Figure::yuan(1_234_500, "已审核金额（元）").tone(Tone::Good),
        Figure::said("2026-09-30", "上报期限"),
    ])
}

fn notes() -> Vec<Note> {
    let text = |tone: Tone| match tone {
        Tone::Plain => "名单已经提交过：新增的学生请列入补充名单。",
        Tone::Good => "已提交，等校长签核。",
        Tone::Wait => "有2人被退回，请改正后重新提交。",
        Tone::Bad => "没有提交：生效日期不能晚于今天。",
    };
    Tone::ALL.into_iter().map(|tone| Note::of(tone, text(tone)).way("/lists", "查看")).collect()
}

fn marks() -> Vec<Cell> {
    let word = |tone: Tone| match tone {
        Tone::Plain => "草稿",
        Tone::Good => "在读",
        Tone::Wait => "待校长签核",
        Tone::Bad => "已逾期",
    };
    Tone::ALL.into_iter().map(|tone| Cell::mark(tone, word(tone))).collect()
}

fn table() -> Table {
    let student = |name: &str, months: &str, fen: i64, mark: Cell, on: bool| {
        let tick = Tick { form: "parts-stack", name: "entry", value: name.to_owned(), label: name.to_owned(), is_on: on };
        Row::of([Cell::link("/students", name), Cell::text("2024级种植1班"), Cell::text(months), Cell::yuan(fen), mark, Cell::link("/students", "办理")])
            .ticked(Some(tick))
    };
    let way = Way::Link(Address::of("/students").with("class", "2024级种植1班"));
    Table::of("一份名单的学生")
        .columns(["姓名"])
        .ordered(Address::of("/students").with("order", "name"), Some(Order::Up))
        .columns(["班级", "月份"])
        .number("金额（元）")
        .ordered(Address::of("/students").with("order", "amount"), None)
        .column("状态")
        .acts()
        .ticks(true)
        .rows([
            student("陈雨桐", "2026年9–12月", 80_000, Cell::mark(Tone::Good, "已审核"), true),
            student("李思远", "2026年9–10月", 40_000, Cell::mark(Tone::Bad, "暂缓").beside("该生已休学"), false),
            student("欧阳子涵", "2026年9–12月", 80_000, Cell::mark(Tone::Wait, "待主管部门审签"), false),
        ])
        .place(Place::of(5978, "人", 2, 100).by_number(&way).printed(Some(Address::of("/about/parts"))))
}

fn empty() -> Table {
    Table::of("没有行的表").columns(["姓名"]).empty("没有符合条件的学生。").empty_way("/import", "导入学生")
}

fn forms(desk: &Desk) -> Vec<Form> {
    let classes = || ["2024级种植1班", "2024级种植2班"].map(|name| Choice::of(name, name));
    vec![
        Form::narrow(desk, "parts-narrow", "/about/parts").with(Field::narrows("class_name", classes())).with(Field::line("query")).button("查找"),
        Form::of::<TakeLeaveRequest>(desk, "parts-stack", "/about/parts")
            .says("勾选的学生一并办理。")
            .with(Field::day("effective_date").required().value("2026-09-01"))
            .with(Field::picked("class_name", classes().map(|choice| choice.value)))
            .with(Field::number("amount_fen").hint("不写则按政策计算"))
            .with(Field::line("reason").required().limit(200))
            .with(Field::radios("what", [Choice::of("STOP", "停发"), Choice::of("CUT", "核减"), Choice::of("VOID", "撤销")]).value("STOP"))
            .with(Field::ticks("months", [Choice::of("202609", "9月"), Choice::of("202610", "10月")]).values(["202609".to_owned()]))
            .with(Field::lines("text").hint("说明原因和处理办法"))
            .act("审签", "sign")
            .asks("审签 58 人，其中 3 人有疑点。")
            .danger("退回", "sendBack"),
        wrong(desk),
    ]
}

/// A form that came back.
fn wrong(desk: &Desk) -> Form {
    let day = Field { error: "日期应写作YYYY-MM-DD，如2026-09-01".to_owned(), ..Field::day("effective_date").required().value("明天") };
    Form::of::<TakeLeaveRequest>(desk, "parts-wrong", "/about/parts")
        .note(Note::of(Tone::Bad, "填写有误，请按各栏的提示改正后再提交。"))
        .with(day)
        .with(Field::line("reason").value("身体原因"))
        .button("登记休学")
}

fn pairs() -> Pairs {
    Pairs::default()
        .with("姓名", Cell::differing("陈雨桐", "陈宇桐"))
        .with("月份", "2026年9–12月")
        .with("金额（元）", Cell::yuan(80_000))
        .with("状态", Cell::mark(Tone::Bad, "已退回").beside("档次与认定结果不符"))
}

/// So many months from September on, with what two sides say of each.
fn months(count: usize) -> Vec<strip::Month> {
    let all = [202_609, 202_610, 202_611, 202_612, 202_701, 202_702, 202_703, 202_704, 202_705, 202_706, 202_707, 202_708, 202_709, 202_710];
    let says = |at: usize| match at {
        0 | 1 => (("good", "列入"), ("good", "在读")),
        2 => (("bad", "列入·疑点"), ("wait", "休学")),
        3 => (("", ""), ("gone", "已离校")),
        _ => (("", ""), ("", "")),
    };
    let month = |(at, month): (usize, &i32)| {
        let (list, roll) = says(at);
        strip::Month { month: *month, lanes: [list, roll].map(|(class, word)| vec![(class, word.to_owned())]).to_vec() }
    };
    all.iter().take(count).enumerate().map(month).collect()
}

fn desks() -> Desks {
    let stop =
        |name: &str, stage: Stage, did: &str| Stop { name: name.into(), does: "审签 · 10个工作日".into(), stage, did: did.into(), ..Stop::default() };
    Desks(vec![
        stop("校长", Stage::Passed, "刘建国 2026-09-21"),
        Stop { marks: vec![Cell::mark(Tone::Wait, "在此等待")], ..stop("浏阳市主管部门", Stage::Here, "") },
        stop("长沙市主管部门", Stage::Ahead, ""),
    ])
}

fn act(desk: &Desk) -> Act {
    let form = Form::of::<TakeLeaveRequest>(desk, "parts-act", "/about/parts").row().act("列入勾选的", "ticked").whole(5978, "all", "建议列入的全部列入");
    Act::of("列入名单", form).says("勾选的，或其他页上的也一起。")
}

fn chart() -> Chart {
    let groups = [("2025级", [470.0, 221.0]), ("2026级", [488.0, 252.0])];
    let row = |(name, [students, aided]): (&str, [f64; 2])| Row::of([Cell::from(name), Cell::text(students.to_string()), Cell::text(aided.to_string())]);
    let table = Table::of("各年级人数").column("年级").numbers(["在校学生", "受助"]).rows(groups.map(row)).narrow();
    let bars = groups.map(|(name, numbers)| (name.to_owned(), numbers.to_vec())).to_vec();
    Chart::of(&Bars { title: "各年级人数".into(), unit: "人", series: vec!["在校学生", "受助"], groups: bars }, table)
}

fn steps() -> Steps {
    let step =
        |what: &str, when: &str, who: &str, text: &str| Step { what: what.into(), when: when.into(), who: who.into(), text: text.into(), ..Step::default() };
    Steps(vec![
        step("提交", "2026-09-20", "王芳（学校经办人）", ""),
        step("审签", "2026-09-21", "刘建国（校长）", ""),
        step("退回", "2026-09-23", "赵敏（主管部门审核人）", "李思远已休学，请核对月份"),
    ])
}

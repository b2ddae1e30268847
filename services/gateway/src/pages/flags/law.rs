//! The rules by which flags are found: all of them, and each on a page of its own.

use askama::Template;
use axum::{extract::Path, response::Response};
use tonic::Status;
use xuezhu_proto::aid::{ListRulesRequest, Rule, flag};

use super::advice::{self, Looks, Stands};
use crate::{
    pages::{Desk, PageError, render},
    parts::{Address, Cell, Pairs, Row, Table, Tone},
};

#[derive(Template)]
#[template(path = "flags/rules.html")]
struct RulesPage {
    desk: Desk,
    table: Table,
}

#[derive(Template)]
#[template(path = "flags/rule.html")]
struct RulePage {
    desk: Desk,
    rule: Rule,
    severity: Cell,
    finding: &'static str,
    facts: Pairs,
    acts: Table,
    flags: Address,
}

async fn rules(desk: &Desk) -> Result<Vec<Rule>, PageError> {
    Ok(desk.reconciliation().list_rules(desk.request(ListRulesRequest {})).await?.into_inner().rules)
}

fn severity(rule: &Rule) -> Cell {
    match rule.severity.as_str() {
        "SERIOUS" => Cell::mark(Tone::Bad, "严重"),
        "FAULT" => Cell::mark(Tone::Wait, "一般"),
        _ => Cell::mark(Tone::Plain, "提示"),
    }
}

fn holds(rule: &Rule) -> &'static str {
    if rule.holds { "暂缓发放" } else { "不影响发放" }
}

/// All of them.
pub async fn page(desk: Desk) -> Result<Response, PageError> {
    let row = |rule: &Rule| {
        let name = Cell::link(format!("/rules/{}", rule.rule), rule.name.as_str()).beside(rule.english_name.as_str());
        let off = (!rule.judges).then(|| Cell::mark(Tone::Plain, "本政策不查"));
        Row::of([name, severity(rule).maybe(off), Cell::text(holds(rule)), Cell::text(advice::finding(&rule.rule)), Cell::from(&rule.legal_basis)])
    };
    let table = Table::of("规则").columns(["规则", "程度", "对发放", "查什么", "依据"]).rows(rules(&desk).await?.iter().map(row));
    Ok(render(&RulesPage { desk, table }))
}

/// Where entries stand that a rule may be about, in words.
fn stands(rule: &Rule) -> Vec<(&'static str, Stands)> {
    match rule.rule.as_str() {
        "MISSING_AWARD" => vec![("不在名单上", Stands::Missing)],
        "HEADCOUNT_DIFFERS" => vec![("全校", Stands::School)],
        _ => vec![
            ("经办人手中（未提交或已退回）", Stands::WithClerk),
            ("已提交，等校长", Stands::Submitted),
            ("已签核，等主管部门", Stands::Attested),
            ("已审核", Stands::Approved),
        ],
    }
}

/// One of them.
pub async fn one(desk: Desk, Path(rule): Path<String>) -> Result<Response, PageError> {
    let rule = rules(&desk).await?.into_iter().find(|known| known.rule == rule).ok_or_else(|| Status::not_found("没有这条规则"))?;
    let next = |stands: Stands, looks: Looks| Cell::text(advice::next(flag::State::Open, &rule.rule, stands, looks));
    let row = |(title, stands): (&str, Stands)| {
        Row::of([Cell::text(title), next(stands, Looks::Clerk), next(stands, Looks::Principal), next(stands, Looks::Officer)])
    };
    let facts = Pairs::default()
        .with("代码", Cell::text(rule.rule.as_str()))
        .with("英文", Cell::text(format!("{}. {}", rule.english_name, rule.finds)))
        .with("对发放", Cell::text(holds(&rule)))
        .with("说明", Cell::from(&rule.meaning))
        .with("依据", Cell::from(&rule.legal_basis));
    let facts = if rule.judges { facts } else { facts.with("现行政策", Cell::text("不查这一条")) };
    let acts = Table::of("发现以后谁做什么").columns(["该条所在环节", "学校经办人", "校长", "主管部门"]).rows(stands(&rule).into_iter().map(row));
    let page = RulePage {
        severity: severity(&rule),
        finding: advice::finding(&rule.rule),
        flags: Address::of("/flags").with("rule", rule.rule.as_str()),
        facts,
        acts,
        rule,
        desk,
    };
    Ok(render(&page))
}

//! 特殊群体: lists that a department of education is sent by others; how many of them were found at its schools. Whom a school should speak to stands on
//! its page of 困难认定.

use std::sync::Arc;

use askama::Template;
use axum::{Router, response::Response, routing::get};
use xuezhu_proto::aid::{CountGroupsRequest, CountGroupsResponse, GroupCount, GroupSchool, ImportGroupsRequest};

use super::{Desk, PageError, hardship, imports, render};
use crate::{
    Gateway,
    parts::{Cell, Form, Row, Table},
};

/// Routes.
pub fn routes() -> Router<Arc<Gateway>> {
    Router::new().route("/groups", get(page))
}

#[derive(Template)]
#[template(path = "groups.html")]
struct Page {
    desk: Desk,
    groups: Table,
    schools: Table,
    send: Form,
}

async fn page(desk: Desk) -> Result<Response, PageError> {
    let told = desk.groups().count_groups(desk.request(CountGroupsRequest::default())).await?.into_inner();
    let send = Form::of::<ImportGroupsRequest>(&desk, "send", "/groupImports").with(imports::workbook()).button("上传并预览");
    Ok(render(&Page { groups: groups(&told), schools: schools(&told), send, desk }))
}

fn groups(told: &CountGroupsResponse) -> Table {
    let row = |group: &GroupCount| {
        let counts = [group.listed, group.found, group.with_level, group.found - group.with_level, group.lapsed].map(Cell::number);
        counts.into_iter().fold(Row::of([Cell::from(&group.group)]), |row, cell| row.and_if(true, || cell))
    };
    let known = told.groups.iter().filter(|group| group.listed > 0 || group.lapsed > 0);
    Table::of("各类人数")
        .column("类别")
        .numbers(["名单上（有效）", "在校学生", "已认定等级", "没有等级", "已过期"])
        .rows(known.map(row))
        .empty("还没有上传过名单。")
}

fn schools(told: &CountGroupsResponse) -> Table {
    let row = |school: &GroupSchool| {
        let way = Cell::link(hardship::path(&school.school), school.school_name.as_str());
        Row::of([way, Cell::number(school.students), Cell::number(school.without_level)])
    };
    Table::of("各校").column("学校").numbers(["特殊群体学生", "没有等级"]).rows(told.schools.iter().map(row)).empty("辖区学校没有名单上的学生。")
}

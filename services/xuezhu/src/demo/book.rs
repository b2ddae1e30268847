//! Workbooks in the real format: notes first, data on the second sheet, header in row 3.

use std::collections::HashMap;

use rust_xlsxwriter::{Workbook, Worksheet, XlsxError};
use xuezhu_domain::codes::COLUMNS;

use super::world::{Claim, Person, Place, School};

const HEADER_ROW: u32 = 2;

/// A workbook of students: 73 columns.
pub fn students(school: &School, rows: &[(&Person, &Place)]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    notes(book.add_worksheet_with_constant_memory()?, &school.name)?;
    let sheet = book.add_worksheet_with_constant_memory()?;
    head(sheet, "学生信息", COLUMNS.iter().map(|column| column.header))?;
    for (line, (person, place)) in (HEADER_ROW + 1..).zip(rows) {
        let cells = student(school, person, place);
        for (column, header) in (0..).zip(COLUMNS.iter().map(|column| column.header)) {
            if let Some(text) = cells.get(header) {
                sheet.write(line, column, text)?;
            }
        }
    }
    book.save_to_buffer()
}

fn student(school: &School, person: &Person, place: &Place) -> HashMap<&'static str, String> {
    let text = str::to_owned;
    let (name, number) = (person.names[0].0.clone(), person.numbers[0].0.clone());
    HashMap::from([
        ("姓名", name.clone()),
        ("性别", text(if person.male { "男" } else { "女" })),
        ("出生日期", person.birth.format("%Y%m%d").to_string()),
        ("身份证件类型", text(person.document)),
        ("身份证件号", number),
        ("班级名称", place.class_name.clone()),
        ("学号", place.school_number.clone()),
        ("学生类别", text("普通中专学生")),
        ("学习形式", text(if person.full_time { "全日制" } else { "非全日制" })),
        ("入学方式", text("统一招生考试/普通入学")),
        ("就读方式", text("住校")),
        ("国籍/地区", text("中国")),
        ("港澳台侨外", text("非港澳台侨")),
        ("是否随迁子女", text("否")),
        ("生源地行政区划码", school.region.clone()),
        ("户口所在地区县以下详细地址", text("某乡某村")),
        ("户口所在地行政区划码", school.region.clone()),
        ("户口性质", text(if person.rural { "农业户口" } else { "非农业户口" })),
        ("学生居住地类型", text(if person.rural { "农村" } else { "城市" })),
        ("入学年月", place.entry_month.to_string()),
        ("专业简称", text(place.major.name)),
        ("学制", text("三年制")),
        ("民族", text("汉族")),
        ("政治面貌", text("群众")),
        ("健康状况", text("健康或良好")),
        ("学生来源", text("应届")),
        ("招生对象", text("应届初中毕业生")),
        ("联系电话", person.phone.clone()),
        ("是否建档立卡贫困户", text("否")),
        ("招生方式", text("统一招生")),
        ("联招合作类型", text("非联合办学")),
        ("成员1姓名", format!("{}家长", name.chars().next().unwrap_or('王'))),
        ("成员1关系", text("父亲")),
        ("成员1是否监护人", text("是")),
        ("成员1联系电话", person.phone.clone()),
    ])
}

/// A workbook of awards.
pub fn awards(claims: &[&Claim]) -> Result<Vec<u8>, XlsxError> {
    const HEADERS: [&str; 8] = ["姓名", "身份证件类型", "身份证件号", "月份", "档次", "银行卡号", "开户名", "备注"];
    let mut book = Workbook::new();
    notes(book.add_worksheet_with_constant_memory()?, "资助名单")?;
    let sheet = book.add_worksheet_with_constant_memory()?;
    head(sheet, "资助名单", HEADERS.into_iter())?;
    for (line, claim) in (HEADER_ROW + 1..).zip(claims) {
        let months: Vec<String> = claim.months.iter().map(|month| (month % 100).to_string()).collect();
        let months = months.join(",");
        for (column, text) in (0..).zip([&claim.name, claim.document, &claim.number, &months, claim.tier, &claim.card, &claim.holder]) {
            sheet.write(line, column, text)?;
        }
    }
    book.save_to_buffer()
}

fn notes(sheet: &mut Worksheet, title: &str) -> Result<(), XlsxError> {
    sheet.set_name("填写说明")?;
    sheet.write(0, 0, title)?;
    Ok(())
}

fn head<'h>(sheet: &mut Worksheet, title: &str, headers: impl Iterator<Item = &'h str>) -> Result<(), XlsxError> {
    sheet.set_name(title)?;
    sheet.write(0, 0, title)?;
    sheet.write(1, 0, "从第4行开始填写")?;
    for (column, header) in (0..).zip(headers) {
        sheet.write(HEADER_ROW, column, header)?;
    }
    Ok(())
}

//! Students as they are taken out: which columns of the workbook leave.

/// What leaves, in the order of the workbook: what a school sorts and counts its students by. Whom a telephone, an address, a family, a day of
/// birth or another number would lead to stays, and so does what is nobody's business outside (health, faith, party, poverty).
pub const COLUMNS: [&str; 17] = [
    "姓名",
    "性别",
    "身份证件类型",
    "身份证件号",
    "班级名称",
    "学号",
    "学生类别",
    "学习形式",
    "入学方式",
    "就读方式",
    "户口性质",
    "学生居住地类型",
    "入学年月",
    "专业简称",
    "学制",
    "学生来源",
    "招生对象",
];

#[cfg(test)]
mod tests {
    use xuezhu_domain::codes;

    use super::*;

    #[test]
    fn columns_that_leave_are_some_that_go_in_and_lead_to_nobody() {
        let known: Vec<&str> = codes::COLUMNS.iter().map(|column| column.header).collect();
        let mut places = COLUMNS.iter().map(|column| known.iter().position(|known| known == column).expect("goes in"));
        assert!(places.clone().is_sorted() && places.next() == Some(0), "in the order of the workbook");
        for word in ["电话", "地址", "成员", "家庭", "邮", "信箱", "派出所", "区划", "日期", "考", "区间", "拼音", "英文", "健康", "政治", "民族", "贫困"]
        {
            assert!(COLUMNS.iter().all(|column| !column.contains(word)), "{word}");
        }
    }
}

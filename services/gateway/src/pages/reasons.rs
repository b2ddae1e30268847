//! Reasons that are given often: proposed while somebody writes their own.

/// For sending back what was submitted of students.
pub const OF_STUDENTS: [&str; 7] = [
    "姓名与户口簿不一致，请核对后重新提交",
    "证件号与户口簿不一致，请核对后重新提交",
    "班级或专业填写有误",
    "入学年月有误",
    "重复申报，请删除多余的一条",
    "该生未到校，不应申报",
    "缺少证明材料，请补充",
];

/// For sending back what was submitted of a list.
pub const OF_LISTS: [&str; 6] =
    ["该生已离校，不应列入", "所列月份与在校情况不符", "档次与认定结果不符", "银行卡号有误", "缺少认定材料，请补充", "重复列入，请核对其他名单"];

//! Names of calls in Chinese, for who reads the audit: a verb and what it is done to, or a name of its own.

/// Calls that are more than a verb and a noun.
const WHOLE: &[(&str, &str)] = &[
    ("CreateSession", "登录"),
    ("EndSession", "退出登录"),
    ("EndIdleSession", "较长时间没有操作，自动退出"),
    ("AuditCut", "发现审计记录被截断"),
    ("KeepHead", "为另一系统的审计记录作证"),
    ("ReportSessions", "报告登录使用情况"),
    ("ChangePassword", "修改密码"),
    ("RecoverAdministrator", "在数据库上恢复管理员"),
    ("OpenFirstAdministrators", "开设首批管理员账号"),
    ("BindRows", "为存量记录建立校验"),
    ("EndBinding", "存量记录校验建立完毕"),
    ("WatchSessions", "订阅登录失效"),
    ("ExchangeHeads", "互证审计"),
    ("Snapshot", "订阅变更：取全量"),
    ("Watch", "订阅变更：持续接收"),
    ("Recall", "订阅变更：核对位置"),
    ("BeginImport", "开始导入"),
    ("RevealNumber", "查看完整号码"),
    ("NeverCame", "新生未报到注销"),
    ("AskNeverCame", "申请新生未报到注销"),
    ("TakeLeave", "休学"),
    ("ReturnFromLeave", "复学"),
    ("Withdraw", "退学"),
    ("CancelChange", "撤销学籍异动"),
    ("SetAuthority", "调整主管部门"),
    ("RedraftEntries", "名单人员退回草稿"),
    ("ProposeAwards", "按学籍生成名单"),
    ("CreateReconciliation", "发起全面比对"),
    ("ReopenTerm", "重新开放学期"),
    ("EnterHardship", "录入家庭经济信息"),
    ("DownloadMarkedWorkbook", "下载标注的学籍表"),
    ("DownloadTemplate", "下载学籍表模板"),
];

const VERBS: &[(&str, &str)] = &[
    ("HandOver", "转办"),
    ("SendBack", "退回"),
    ("TakeBack", "撤回"),
    ("TakeOut", "导出"),
    ("DrawUp", "生成"),
    ("Add", "添加"),
    ("Answer", "答复"),
    ("Begin", "开始设置"),
    ("Approve", "审核通过"),
    ("Attest", "审签"),
    ("Ask", "申请"),
    ("Change", "变更"),
    ("Clear", "排除"),
    ("Close", "停用"),
    ("Commit", "写入"),
    ("Confirm", "确认"),
    ("Correct", "更正"),
    ("Count", "统计"),
    ("Create", "新建"),
    ("Decide", "核定"),
    ("Disable", "停用"),
    ("Download", "下载"),
    ("Edit", "修改"),
    ("Enable", "启用"),
    ("End", "结束"),
    ("Enter", "录入"),
    ("Explain", "说明"),
    ("File", "提出"),
    ("Get", "查看"),
    ("Import", "导入"),
    ("List", "查看"),
    ("Make", "生成"),
    ("Name", "指定"),
    ("Note", "批注"),
    ("Nudge", "催办"),
    ("Open", "打开"),
    ("Order", "发起"),
    ("Preview", "预览"),
    ("Propose", "提出"),
    ("Publish", "公布"),
    ("Recall", "撤回"),
    ("Record", "登记"),
    ("Recount", "重新统计"),
    ("Refuse", "不予通过"),
    ("Remove", "删除"),
    ("Renew", "重新生成"),
    ("Reset", "重置"),
    ("Set", "设定"),
    ("Sign", "签署"),
    ("Start", "发起"),
    ("Submit", "提交"),
    ("Update", "修改"),
    ("Withdraw", "收回"),
];

/// In the singular; a plural is its singular.
const NOUNS: &[(&str, &str)] = &[
    ("Account", "账号"),
    ("AccountImport", "账号导入"),
    ("AccountTemplate", "账号模板"),
    ("AidFactsChange", "影响资助的信息变更"),
    ("AidToday", "资助首页"),
    ("AuditLine", "审计记录"),
    ("AuditStanding", "审计状态"),
    ("Award", "资助名单表"),
    ("AwardImport", "名单导入"),
    ("AwardList", "资助名单"),
    ("AwardTemplate", "名单模板"),
    ("Case", "问题台账"),
    ("CaseEvidence", "台账佐证"),
    ("Cause", "疑点原因"),
    ("Chain", "办理环节"),
    ("Class", "班级"),
    ("ClassAward", "班级受助情况"),
    ("ClassConfirmation", "班级核对"),
    ("ClassList", "班级名单"),
    ("ClassTeacher", "班主任"),
    ("Contact", "联系方式"),
    ("Correction", "名单更正"),
    ("Deputy", "代签人"),
    ("Dossier", "业务单"),
    ("DossierEvidence", "业务单佐证"),
    ("DossierItem", "业务单明细"),
    ("DoubleUnit", "重复月份"),
    ("Draft", "学籍草稿"),
    ("Enrollment", "学籍"),
    ("EnrollmentToday", "学籍首页"),
    ("Entry", "名单人员"),
    ("Evidence", "佐证文件"),
    ("Flag", "疑点"),
    ("ForgottenRecord", "上游丢失的记录"),
    ("Group", "特殊群体"),
    ("GroupImport", "特殊群体导入"),
    ("GroupStudent", "应谈话学生"),
    ("GroupTemplate", "特殊群体模板"),
    ("Hardship", "困难等级"),
    ("HardshipImport", "困难等级导入"),
    ("HardshipTemplate", "困难等级模板"),
    ("HeadCount", "人数比对"),
    ("Head", "在籍人数"),
    ("Identity", "身份信息"),
    ("Import", "学籍导入"),
    ("Inbox", "待办"),
    ("InspectionSheet", "检查表"),
    ("ListNumber", "名单统计"),
    ("Major", "专业"),
    ("MarkedAccount", "标注的账号表"),
    ("MarkedAward", "标注的名单表"),
    ("MarkedGroup", "标注的特殊群体表"),
    ("MarkedHardship", "标注的困难等级表"),
    ("MarkedSchool", "标注的学校表"),
    ("Mirror", "学籍镜像"),
    ("Notice", "公示"),
    ("Objection", "异议"),
    ("Office", "部门电话"),
    ("Omission", "漏报名单"),
    ("OmissionCause", "漏报原因"),
    ("OmissionList", "漏报名单"),
    ("Outcome", "处理结果"),
    ("Overview", "总览"),
    ("Password", "密码"),
    ("Policy", "资助政策"),
    ("PublicNotice", "公示"),
    ("Quota", "名额"),
    ("Reconciliation", "全面比对"),
    ("RecoveryCode", "恢复码"),
    ("Registry", "人口登记核验"),
    ("Reopening", "重新开放"),
    ("Rule", "规则"),
    ("Scheme", "资助项目"),
    ("School", "学校"),
    ("SchoolImport", "学校导入"),
    ("SchoolTemplate", "学校模板"),
    ("SecondFactor", "动态码"),
    ("Statement", "学生声明"),
    ("Story", "一生一档"),
    ("Student", "学生"),
    ("Submission", "学籍报送"),
    ("Summary", "学期汇总表"),
    ("TakeOut", "导出记录"),
    ("Trial", "政策试算"),
    ("UnconfirmedAccount", "待确认账号"),
];

fn of(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| *known == word).map(|(_, name)| *name)
}

fn noun(words: &str) -> Option<&'static str> {
    let singular = |ending: &str, instead: &str| words.strip_suffix(ending).map(|stem| format!("{stem}{instead}"));
    let forms = [Some(words.to_owned()), singular("s", ""), singular("es", ""), singular("ies", "y")];
    forms.into_iter().flatten().find_map(|form| of(NOUNS, &form))
}

/// What a call is called; the call's own name where it has none.
pub fn method_name(method: &str) -> String {
    if let Some(name) = of(WHOLE, method) {
        return name.to_owned();
    }
    let composed = VERBS.iter().find_map(|(verb, name)| Some((name, noun(method.strip_prefix(verb)?)?)));
    composed.map_or_else(|| method.to_owned(), |(verb, noun)| format!("{verb}{noun}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_call_has_a_name_of_its_own_in_chinese() {
        let services = xuezhu_proto::POOL.services().filter(|service| service.full_name().starts_with("xuezhu."));
        let methods: BTreeSet<String> = services.flat_map(|service| service.methods().map(|method| method.name().to_owned()).collect::<Vec<_>>()).collect();
        let unnamed: Vec<&String> = methods.iter().filter(|method| method_name(method) == **method).collect();
        assert!(unnamed.is_empty(), "{unnamed:?}");
        assert_eq!(method_name("ApproveAwardList"), "审核通过资助名单");
        assert_eq!(method_name("NoSuchCall"), "NoSuchCall");
    }
}

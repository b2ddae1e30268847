//! Who may do what, over REST: every role at the main calls of both services, against a table that is written here; and the table of rights
//! that is printed in `docs/security.md`.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use serde_json::{Value, json};
use tonic::{Code, Request};
use xuezhu::{
    client::{Refused, Session},
    deployment::{Deployment, channel, system_clock},
};
use xuezhu_proto::{
    bridge::{Handshake, RecallRequest, SnapshotRequest, WatchRequest, enrollment_feed_service_client::EnrollmentFeedServiceClient},
    enrollment::{
        ExchangeHeadsRequest, ReportSessionsRequest, WatchSessionsRequest, enrollment_audit_service_client::EnrollmentAuditServiceClient,
        session_service_client::SessionServiceClient,
    },
};
use xuezhu_service::{Actor, Keyring, Permission, Reach, Role, keyring::Service, token::Tokens};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, reason, student},
};

use crate::{evidence, hardship};

/// The roles that accounts are opened for, each with its account, its letter and its organisation; in the order of the table's columns.
const ROLES: [(Role, &str, &str); 14] = [
    (Role::SchoolClerk, "clerk", SCHOOL),
    (Role::SchoolReviewer, "reviewer", SCHOOL),
    (Role::Principal, "head", SCHOOL),
    (Role::SchoolFinance, "cashier", SCHOOL),
    (Role::ClassTeacher, "teacher", SCHOOL),
    (Role::DepartmentOfficer, "officer", "430100"),
    (Role::EnrollmentOfficer, "officer-roll", "430100"),
    (Role::AidOfficer, "officer-aid", "430100"),
    (Role::FinanceOfficer, "payer", "430100"),
    (Role::AuthorityHead, "chief", "430100"),
    (Role::Supervisor, "overseer", "430000"),
    (Role::Administrator, "admin", ""),
    (Role::Auditor, "auditor", "430000"),
    (Role::MachineReader, "machine", "430000"),
];

/// A call, and how each role is answered: `+` is let in (what else is wrong with the call is told then, or it is done), `f` is forbidden, `n`
/// learns nothing of what there is, `m` is told that a machine enters nothing.
struct Asked {
    what: &'static str,
    /// None: it is read.
    body: Option<Value>,
    path: String,
    /// Clerk, reviewer, principal, school's finance, class teacher | officer, of enrollment, of aid, finance | head, supervisor | administrator, auditor, machine.
    answers: &'static str,
}

impl Asked {
    /// Whether it names the school, or what is of it: whoever is of somewhere else is told nothing.
    fn is_of_somewhere(&self, world: &World) -> bool {
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        let World { person, submission, flag, business, level, case, cause, evidence, paper, .. } = world;
        let names = [SCHOOL, person, submission, flag, business, level, case, cause, evidence, paper];
        names.iter().any(|name| self.path.contains(*name) || body.contains(*name))
    }

    /// Whether whoever has the link may ask.
    fn is_public(&self) -> bool {
        self.path.starts_with("/v1/publicNotices/")
    }
}

fn read(what: &'static str, path: impl Into<String>, answers: &'static str) -> Asked {
    Asked { what, body: None, path: path.into(), answers }
}

fn act(what: &'static str, path: impl Into<String>, body: Value, answers: &'static str) -> Asked {
    Asked { what, body: Some(body), path: path.into(), answers }
}

/// How somebody was answered.
async fn answer(who: &Session, asked: &Asked) -> char {
    let answer = match &asked.body {
        None if asked.path.ends_with("markedWorkbook") || asked.path.ends_with("Template") => who.download(&asked.path).await.map(drop),
        None => who.get(&asked.path).await.map(drop),
        Some(body) if asked.path.ends_with("takeOut") => who.take_out(&asked.path, body, "").await.map(drop),
        Some(body) => who.post(&asked.path, body, "").await.map(drop),
    };
    let Err(error) = answer else { return '+' };
    let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{}: {error:?}", asked.what));
    match (refused.status, refused.reason.as_str()) {
        (403, "FORBIDDEN") => 'f',
        (403, "MACHINE_ENTRY_FORBIDDEN") => 'm',
        (404, "NOT_FOUND") => 'n',
        (400 | 409 | 412, _) => '+',
        other => panic!("{}: {other:?}", asked.what),
    }
}

/// A world in which everything there is to ask for is there.
struct World {
    ours: String,
    others: String,
    person: String,
    submission: String,
    list: String,
    entry: String,
    flag: String,
    /// What waits for the principal in the aid service: levels of hardship.
    business: String,
    /// One of those levels.
    level: String,
    /// What was confirmed.
    case: String,
    cause: String,
    /// A file of the submission's dossier; one of the case.
    evidence: String,
    paper: String,
    /// A sweep, and a policy: nobody's own.
    run: String,
    policy: String,
    /// An import of students.
    import: String,
}

async fn world(people: &People) -> World {
    let mut second = student(2);
    second.insert("班级名称".into(), "2班".into());
    people.import(&[student(1), second]).await;
    people.register().await;
    let list = people.list(&[("赵错名", &number(1), ""), ("钱错名", &number(2), "")]).await;
    people.attested(&list).await;
    hardship::enter(people, 1, json!({})).await.expect("a level");
    let levels = people.clerk.get(&format!("/v1/schools/{SCHOOL}/hardship")).await.expect("levels");
    let level = levels["levels"][0]["determination"].as_str().unwrap_or_else(|| panic!("{levels}")).to_owned();
    let determined = json!({ "schoolYear": 2026, "reason": "审定" });
    let business = people.clerk.post(&format!("/v1/schools/{SCHOOL}/hardship/submit"), &determined, "").await.expect("is submitted");
    let business = business["dossier"].as_str().expect("an id").to_owned();
    let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
    let entry = format!("{list}/entries/{}", entries["entries"][0]["entry"].as_str().expect("an id"));
    people.import(&[student(3)]).await;
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let submission = made["submission"].as_str().expect("an id").to_owned();
    let path = format!("/v1/schools/{SCHOOL}/submissions/{submission}/attest");
    people.head.post(&path, &json!({ "digest": made["digest"] }), "").await.expect("is attested");
    let ours = people.path_of(1).await;
    let person = people.officer.get(&ours).await.expect("is there")["person"].as_str().expect("an id").to_owned();
    let file = format!("/v1/enrollmentDossiers/{submission}/evidence?name=a.pdf");
    let added = people.officer.upload(&file, evidence::scan("of a dossier"), "").await.expect("is added");
    let evidence = added["evidence"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned();
    let others = people.path_of(2).await;
    let later = String::new;
    World {
        ours,
        others,
        person,
        submission,
        list,
        entry,
        business,
        level,
        evidence,
        flag: later(),
        case: later(),
        cause: later(),
        paper: later(),
        run: later(),
        policy: later(),
        import: later(),
    }
}

/// What comes of what was done, once both services know of it.
async fn later(people: &People, world: &mut World) {
    let id = |of: &Value| of.as_str().unwrap_or_else(|| panic!("an id, instead of {of}")).to_owned();
    let imports = people.clerk.get(&format!("/v1/schools/{SCHOOL}/imports")).await.expect("imports");
    world.import = id(&imports["imports"][0]["importId"]);
    let flags = people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"].clone();
    let named = |name: &str| flags.as_array().expect("flags").iter().find(|flag| flag["name"] == name).unwrap_or_else(|| panic!("{flags}")).clone();
    world.flag = id(&named("赵错名")["flag"]);
    let other = people.officer.get(&format!("/v1/flags/{}", id(&named("钱错名")["flag"]))).await.expect("a flag");
    let confirm = json!({ "reason": "属实", "etag": other["etag"] });
    let confirmed = people.officer.post(&format!("/v1/flags/{}/confirm", id(&other["flag"])), &confirm, "").await.expect("is confirmed");
    world.case = id(&confirmed["case"]);
    let causes = people.officer.get("/v1/causes").await.expect("causes")["causes"].clone();
    let open = causes.as_array().expect("causes").iter().find(|cause| cause["open"].as_i64().unwrap_or(0) > 0).unwrap_or_else(|| panic!("{causes}"));
    world.cause = id(&open["cause"]);
    let file = format!("/v1/cases/{}/evidence?name=a.pdf", world.case);
    world.paper = id(&people.officer.upload(&file, evidence::scan("of a case"), "").await.expect("is added")["evidence"]);
    world.run = id(&people.officer.post("/v1/reconciliations", &json!({}), "").await.expect("begins")["run"]);
    world.policy = id(&people.officer.get("/v1/policies").await.expect("policies")["policies"][0]["policy"]);
}

#[rustfmt::skip]
#[expect(clippy::too_many_lines, reason = "a table: a row a call")]
fn calls(world: &World) -> Vec<Asked> {
    let school = |rest: &str| format!("/v1/schools/{SCHOOL}/{rest}");
    let World { ours, others, person, submission, list, entry, flag, business, level, case, cause, evidence, paper, run, policy, import } = world;
    let nil = uuid::Uuid::nil();
    let why = json!({ "reason": "核对" });
    let change = json!({ "entries": [nil], "what": "STOP", "firstMonth": 202_610, "reason": "核对" });
    let purpose = json!({ "purpose": "核对" });
    let wrong = json!({ "digest": "0000000000000000" });
    let opened = json!({ "account": "officer", "displayName": "甲", "role": "DEPARTMENT_OFFICER", "organisation": "430100" });
    let again = json!({ "code": SCHOOL, "name": "甲", "region": "430102", "kind": "PUBLIC", "authority": "430100" });
    vec![
        // Schools and accounts.
        read("GetSchool",              school("").trim_end_matches('/'),                      "+++++ ++++ ++ +++"),
        read("ListSchools",            "/v1/schools",                                         "+++++ ++++ ++ +++"),
        read("ListDeputies",           school("deputies"),                                    "+++++ ++++ ++ +++"),
        read("ListAccounts",           "/v1/accounts",                                        "fffff ffff ff +ff"),
        read("ListChains",             "/v1/enrollmentChains",                                "fffff ffff ff +ff"),
        act("CreateAccount",           "/v1/accounts", opened,                                "fffff ffff ff +ff"),
        act("CreateSchool",            "/v1/schools", again,                                  "fffff ffff ff +ff"),
        act("SetOffice",               "/v1/offices/430100", json!({ "telephone": "0731-88880000" }), "fffff ffff ff +ff"),
        read("ListContacts",           "/v1/contacts?organisations=430100",                   "+++++ ++++ ++ +++"),
        read("ListContacts, all",      "/v1/contacts",                                        "fffff ffff ff +ff"),
        // Students.
        read("ListEnrollments",        school("enrollments"),                                 "+++f+ +++f ++ ff+"),
        read("GetEnrollment",          ours,                                                  "+++f+ +++f ++ ff+"),
        read("GetEnrollment 2",        others,                                                "+++fn +++f ++ ff+"),
        read("ListClasses",            school("classes"),                                     "+++f+ +++f ++ ff+"),
        read("GetClassList",           school("classList?className=1%E7%8F%AD"),              "+++f+ +++f ++ ff+"),
        read("GetClassList 2",         school("classList?className=2%E7%8F%AD"),              "+++ff +++f ++ ff+"),
        read("ListClassAwards",        school("classAwards?className=1%E7%8F%AD"),            "+++f+ +++f ++ ff+"),
        read("ListClassAwards 2",      school("classAwards?className=2%E7%8F%AD"),            "+++ff +++f ++ ff+"),
        read("ListClassTeachers",      school("classTeachers"),                               "+++f+ +++f ++ ff+"),
        read("ListClassConfirmations", school("classConfirmations"),                          "+++f+ +++f ++ ff+"),
        act("SetClassTeacher",         school("classTeachers"), json!({ "className": "1班", "account": "nobody", "fromDate": "2026-10-15" }), "+ffff ffff ff ffm"),
        act("ConfirmClass",            school("classConfirmations"), json!({ "className": "1班", "digest": "0000000000000000", "count": 1 }), "ffff+ ffff ff ffm"),
        act("RevealNumber",            format!("{ours}/revealNumber"), purpose.clone(),       "+f+ff ++ff ff fff"),
        act("TakeLeave",               format!("{ours}/leave"), json!({ "effectiveDate": "2010-01-01", "reason": "病" }), "+ffff ffff ff ffm"),
        act("CorrectIdentity",         format!("{ours}/correctIdentity"), json!({ "kind": "MISTYPED", "effectiveDate": "2026-10-01", "name": "王正", "reason": "核对户口簿" }), "fffff ++ff ff ffm"),
        act("TakeOutEnrollments",      school("enrollments/takeOut"), purpose.clone(),        "+f+ff ++ff ++ fff"),
        // What goes over desks.
        read("ListSubmissions",        school("submissions"),                                 "+++ff +++f ++ ff+"),
        act("CreateSubmission",        school("submissions"), json!({ "allDrafts": true }),   "+ffff ffff ff ffm"),
        act("AttestSubmission",        school(&format!("submissions/{submission}/attest")), wrong.clone(),  "ff+ff ffff ff ffm"),
        act("ApproveSubmission",       school(&format!("submissions/{submission}/approve")), wrong.clone(), "fffff ++ff ff ffm"),
        read("GetEnrollmentInbox",     "/v1/enrollmentInbox",                                 "+++ff +++f ++ ff+"),
        read("GetEnrollmentToday",     "/v1/enrollmentToday",                                 "+++ff +++f ++ ff+"),
        read("GetDossier",             format!("/v1/enrollmentDossiers/{submission}"),        "+++nn +++n ++ nn+"),
        act("SignDossier",             format!("/v1/enrollmentDossiers/{submission}/sign"), wrong.clone(),  "ff+nn ++fn ff nnm"),
        // Lists and money.
        read("ListAwardLists",         school("awardLists"),                                  "++++f ++++ ++ ff+"),
        read("GetAwardList",           list,                                                  "++++f ++++ ++ ff+"),
        read("ListEntries",            format!("{list}/entries"),                             "++++f ++++ ++ ff+"),
        read("GetEntry",               entry,                                                 "++++f ++++ ++ ff+"),
        act("EditEntry",               format!("{entry}/edit"), json!({ "etag": "x" }),       "+ffff ffff ff ffm"),
        act("RedraftEntries",          format!("{list}/redraft"), json!({ "entries": [{ "entry": uuid::Uuid::nil() }] }), "+ffff ffff ff ffm"),
        read("ListDoubleUnits",        "/v1/doubleUnits",                                     "++++f ++++ ++ ff+"),
        read("ListCorrections",        school("corrections"),                                 "+++ff +++f ++ ff+"),
        act("SubmitAwardList",         format!("{list}/submit"), json!({}),                   "+ffff ffff ff ffm"),
        act("ApproveAwardList",        format!("{list}/approve"), wrong.clone(),              "fffff +f+f ff ffm"),
        act("TakeOutEntries",          format!("{list}/takeOut"), purpose.clone(),    "+f+ff +f+f ++ fff"),
        // Families: who determines and who audits; nobody else.
        read("ListHardship",           school("hardship"),                                    "+++ff +f+f ff fff"),
        read("GetHardship",            school(&format!("hardship/{level}")),    "+++ff +f+f ff fff"),
        act("EnterHardship",           school("hardship"), json!({ "person": person, "schoolYear": 1999 }), "+ffff ffff ff ffm"),
        act("SubmitHardship",          school("hardship/submit"), json!({ "schoolYear": 1999, "reason": "审定" }), "+ffff ffff ff ffm"),
        act("RemoveHardship",          school(&format!("hardship/{level}/remove")), json!({}), "+ffff ffff ff ffm"),
        read("ListHardshipImports",    school("hardshipImports"),                             "+++ff +f+f ff fff"),
        // Special groups: a school is told whom to speak to, a department numbers.
        read("ListGroupStudents",      school("groupStudents"),                               "+++ff ffff ff fff"),
        read("CountGroups",            "/v1/specialGroups",                                   "fffff +f+f ff fff"),
        read("ListGroupImports",       "/v1/groupImports",                                    "fffff +f+f ff ffm"),
        // Summaries: who sees money of a region reads them, who decides on aid there submits them.
        read("PreviewSummary",         "/v1/termSummaryPreview",                              "fffff ++++ ++ ff+"),
        read("ListSummaries",          "/v1/termSummaries",                                   "fffff ++++ ++ ff+"),
        act("SubmitSummary",           "/v1/termSummaries", json!({ "digest": "0000000000000000" }), "fffff +f+f ff ffm"),
        read("GetListNumbers",         format!("/v1/listNumbers?by=GRADE&school={SCHOOL}"),   "++++f ++++ ++ ff+"),
        read("GetListNumbers, levels", format!("/v1/listNumbers?by=LEVEL&school={SCHOOL}"),   "+++ff +f+f ++ fff"),
        act("TakeOutListNumbers",      "/v1/listNumbers/takeOut", json!({ "purpose": "核对", "by": "GRADE", "school": SCHOOL }), "++++f ++++ ++ ff+"),
        // Notices and what is said against them.
        read("ListNotices",            format!("/v1/notices?school={SCHOOL}"),                "++++f ++++ ++ ff+"),
        read("GetNotice",              format!("/v1/notices/{}", uuid::Uuid::nil()),          "nnnnn nnnn nn nnn"),
        act("PublishNotice",           format!("/v1/notices/{}/publish", uuid::Uuid::nil()), json!({ "published": true }), "nnnnn nnnn nn nnn"),
        act("RecordObjection",         format!("/v1/notices/{}/objections", uuid::Uuid::nil()), json!({ "text": "异议" }), "nnnnn nnnn nn nnn"),
        read("ListObjections",         "/v1/objections",                                      "+++ff +f+f ff fff"),
        act("AnswerObjection",         format!("/v1/objections/{}/answer", uuid::Uuid::nil()), json!({ "text": "答复" }), "nnnnn nnnn nn nnn"),
        act("DecideObjection",         format!("/v1/objections/{}/decide", uuid::Uuid::nil()), json!({ "upheld": false, "reason": "核实" }), "nnnnn nnnn nn nnn"),
        // Policies: whoever is logged in reads them, the department under which all schools lie proposes.
        read("ListPolicies",           "/v1/policies",                                        "+++++ ++++ ++ +++"),
        read("ListSchemes",            "/v1/schemes",                                         "+++++ ++++ ++ +++"),
        act("ProposePolicy",           "/v1/policies", json!({ "content": "", "fromDate": "", "note": "" }), "fffff +f+f ff ffm"),
        read("GetPolicy",              format!("/v1/policies/{policy}"),         "+++++ ++++ ++ +++"),
        act("StartTrial",              format!("/v1/policies/{policy}/trial"), json!({}), "fffff ffff ff ffm"),
        read("GetTrial",               format!("/v1/policies/{policy}/trial"),   "fffff ffff ff ffm"),
        // Flags.
        read("ListFlags",              "/v1/flags",                                           "+++ff +++f ++ ff+"),
        read("GetFlag",                format!("/v1/flags/{flag}"),                           "+++ff +++f ++ ff+"),
        read("ListCases",              "/v1/cases",                                           "+++ff +++f ++ ff+"),
        read("ListForgottenRecords",   "/v1/forgottenRecords",                                "+++ff +++f ++ ff+"),
        read("GetStory",               format!("/v1/students/{person}/story"),                "+++nn +++n ++ nn+"),
        act("ExplainFlag",             format!("/v1/flags/{flag}/explain"), json!({ "text": "核对", "etag": "x" }),  "+f+nn fffn ff nnf"),
        act("ConfirmFlag",             format!("/v1/flags/{flag}/confirm"), json!({ "reason": "属实", "etag": "x" }), "fffnn +f+n ff nnm"),
        act("CreateReconciliation",    "/v1/reconciliations", json!({}),                      "fffff +f+f ff +ff"),
        read("GetAidInbox",            "/v1/aidInbox",                                        "+++ff +++f ++ ff+"),
        read("GetAidToday",            "/v1/aidToday",                                        "+++ff +++f ++ ff+"),
        // The audit, and how it stands.
        read("ListAuditLines",         "/v1/enrollmentAudit",                                 "fffff ffff ff f+f"),
        read("GetAuditStanding",       "/v1/enrollmentAudit/standing",                        "fffff ffff ff f+f"),
        read("ListAuditLines, aid",    "/v1/aidAudit",                                        "fffff ffff ff f+f"),
        read("GetAuditStanding, aid",  "/v1/aidAudit/standing",                               "fffff ffff ff f+f"),
        // Lists, further.
        act("CreateAwardList",         school("awardLists"), json!({ "scheme": "GRANT", "term": "2026-AUTUMN" }), "+ffff ffff ff ffm"),
        act("ProposeAwards",           format!("{list}/propose"), json!({}),                  "+ffff ffff ff ffm"),
        read("GetAwardImport",         format!("{list}/imports/{nil}"),                       "nnnff nnnf nn ffn"),
        read("ListAwardImports",       format!("{list}/imports"),                             "+++ff +++f ++ ff+"),
        act("CommitAwardImport",       format!("{list}/imports/{nil}/commit"), json!({}),     "nffff ffff ff ffm"),
        act("TakeBackAwardImport",     format!("{list}/imports/{nil}/takeBack"), json!({}),   "nffff ffff ff ffm"),
        act("RemoveAwardList",         format!("{list}/remove"), json!({}),                   "+ffff ffff ff ffm"),
        act("ReopenTerm",              school("reopenings"), json!({ "scheme": "GRANT", "term": "2026-AUTUMN", "untilDate": "2026-12-01", "reason": "核对" }), "fffff ffff ff fff"),
        read("ListReopenings",         school("reopenings"),                                  "++++f ++++ ++ ff+"),
        act("RemoveEntry",             format!("{entry}/remove"), json!({}),                  "+ffff ffff ff ffm"),
        act("AttestAwardList",         format!("{list}/attest"), wrong.clone(),               "ff+ff ffff ff ffm"),
        act("SendBackAwardList",       format!("{list}/sendBack"), json!({ "reason": "核对", "entries": [nil] }), "ff+ff +f+f ff fff"),
        act("AskCorrection",           school("corrections"), change.clone(),                 "+ffff ffff ff ffm"),
        act("OrderCorrection",         school("corrections/order"), change.clone(),           "fffff +f+f ff ffm"),
        // What goes over desks, of both services.
        read("ListDossiers",           format!("/v1/enrollmentDossiers?school={SCHOOL}"),     "+++ff +++f ++ ff+"),
        read("ListDossierItems",       format!("/v1/enrollmentDossiers/{submission}/items"),  "+++nn +++n ++ nn+"),
        act("SendBackDossier",         format!("/v1/enrollmentDossiers/{submission}/sendBack"), json!({ "reason": "核对", "items": [nil] }), "ff+nn ++fn ff nnm"),
        act("RefuseDossier",           format!("/v1/enrollmentDossiers/{submission}/refuse"), json!({ "reason": "核对", "items": [nil] }), "ff+nn ++fn ff nnm"),
        act("RecallDossier",           format!("/v1/enrollmentDossiers/{submission}/recall"), why.clone(), "+ffnn fffn ff nnm"),
        act("NoteDossier",             format!("/v1/enrollmentDossiers/{submission}/note"), json!({ "remark": "核对" }), "ff+nn ++fn ff nnm"),
        act("HandOverDossier",         format!("/v1/enrollmentDossiers/{submission}/handOver"), json!({ "account": "nobody" }), "ff+nn ++fn ff nnm"),
        act("NudgeDossier",            format!("/v1/enrollmentDossiers/{submission}/nudge"), json!({}), "+f+nn fffn ff nnm"),
        act("SetChain",                "/v1/enrollmentChains", json!({ "kind": "NO_SUCH" }),  "fffff ffff ff +ff"),
        act("SetChains",               "/v1/enrollmentChains/setAll", json!({ "chains": [{ "kind": "NO_SUCH" }] }), "fffff ffff ff +ff"),
        read("ListDossierEvidence",    format!("/v1/enrollmentDossiers/{submission}/evidence"), "+++nn +++n ++ nn+"),
        act("RemoveEvidence",          format!("/v1/enrollmentEvidence/{evidence}/remove"), why.clone(), "fffnn ++fn ff nnm"),
        read("ListDossiers, aid",      format!("/v1/aidDossiers?school={SCHOOL}"),            "+++ff +++f ++ ff+"),
        read("GetDossier, aid",        format!("/v1/aidDossiers/{business}"),                  "+++nn +++n ++ nn+"),
        read("ListDossierItems, aid",  format!("/v1/aidDossiers/{business}/items"),            "+++nn +f+n ff nnf"),
        act("SignDossier, aid",        format!("/v1/aidDossiers/{business}/sign"), wrong.clone(), "ff+nn fffn ff nnm"),
        act("SendBackDossier, aid",    format!("/v1/aidDossiers/{business}/sendBack"), json!({ "reason": "核对", "items": [nil] }), "ff+nn fffn ff nnm"),
        act("RefuseDossier, aid",      format!("/v1/aidDossiers/{business}/refuse"), json!({ "reason": "核对", "items": [nil] }), "ff+nn fffn ff nnm"),
        act("RecallDossier, aid",      format!("/v1/aidDossiers/{business}/recall"), why.clone(), "+ffnn fffn ff nnm"),
        act("NoteDossier, aid",        format!("/v1/aidDossiers/{business}/note"), json!({ "remark": "核对" }), "ff+nn fffn ff nnm"),
        act("HandOverDossier, aid",    format!("/v1/aidDossiers/{business}/handOver"), json!({ "account": "nobody" }), "ff+nn fffn ff nnm"),
        act("NudgeDossier, aid",       format!("/v1/aidDossiers/{business}/nudge"), json!({}), "+f+nn fffn ff nnm"),
        read("ListChains, aid",        "/v1/aidChains",                                       "fffff ffff ff +ff"),
        act("SetChain, aid",           "/v1/aidChains", json!({ "kind": "NO_SUCH" }),         "fffff ffff ff +ff"),
        act("SetChains, aid",          "/v1/aidChains/setAll", json!({ "chains": [{ "kind": "NO_SUCH" }] }),       "fffff ffff ff +ff"),
        read("ListDossierEvidence, aid", format!("/v1/aidDossiers/{business}/evidence"),       "+++nn +f+n ff nnf"),
        read("ListCaseEvidence",       format!("/v1/cases/{case}/evidence"),                   "+++nn +++n ++ nn+"),
        act("RemoveEvidence, aid",     format!("/v1/aidEvidence/{paper}/remove"), why.clone(),  "fffnn +f+n ff nnf"),
        // Groups, families, notices, omissions, statements.
        read("GetGroupImport",         format!("/v1/groupImports/{nil}"),                     "fffff nfnf ff ffm"),
        act("CommitGroupImport",       format!("/v1/groupImports/{nil}/commit"), json!({}),   "fffff nfnf ff ffm"),
        act("TakeBackGroupImport",     format!("/v1/groupImports/{nil}/takeBack"), json!({}), "fffff nfnf ff ffm"),
        read("GetHardshipImport",      school(&format!("hardshipImports/{nil}")),             "nnnff nfnf ff fff"),
        act("CommitHardshipImport",    school(&format!("hardshipImports/{nil}/commit")), json!({}), "nffff ffff ff ffm"),
        act("TakeBackHardshipImport",  school(&format!("hardshipImports/{nil}/takeBack")), json!({}), "nffff ffff ff ffm"),
        read("GetHeadCount",           school("headCount"),                                   "+++ff +++f ++ ff+"),
        read("GetPublicNotice",        format!("/v1/publicNotices/{nil}"),                    "nnnnn nnnn nn nnn"),
        act("FileObjection",           format!("/v1/publicNotices/{nil}/objections"), json!({ "text": "异议" }), "nnnnn nnnn nn nnn"),
        act("DrawUpOmissions",         school("omissionLists"), json!({ "term": "1999-AUTUMN" }), "+ffff ffff ff ffm"),
        act("SetOmissionCause",        school(&format!("omissionLists/{nil}/causes")), json!({ "items": [nil], "cause": "WAIVED" }), "+ffff ffff ff ffm"),
        act("SubmitOmissions",         school(&format!("omissionLists/{nil}/submit")), json!({}), "nffff ffff ff ffm"),
        read("GetOmissions",           school("omissionLists?term=2026-AUTUMN"),              "+++ff +++f ++ ff+"),
        read("ListOmissionLists",      "/v1/omissionLists",                                   "fffff +f+f ++ fff"),
        act("RecordStatements",        school("statements"), json!({ "scheme": "GRANT", "term": "2026-AUTUMN", "kind": "APPLICATION", "signer": "STUDENT", "signedDate": "1999-01-01" }), "+ffff ffff ff ffm"),
        act("WithdrawStatement",       school(&format!("statements/{nil}/withdraw")), why.clone(), "nffff ffff ff ffm"),
        read("ListStatements",         school("statements?scheme=GRANT&term=2026-AUTUMN"),    "+++ff +++f ++ ff+"),
        read("GetSummary",             format!("/v1/termSummaries/{nil}"),                    "nnnnn nnnn nn nnn"),
        // Counts and quotas.
        read("GetOverview",            "/v1/aidOverview",                                     "fffff +f+f ++ fff"),
        read("GetInspectionSheet",     school("inspectionSheet"),                             "+++ff +++f ++ ff+"),
        read("ListQuotas",             format!("/v1/quotas?school={SCHOOL}"),                 "++++f ++++ ++ ff+"),
        act("RecountQuotas",           "/v1/quotas/recount", json!({ "school": SCHOOL }),     "fffff +f+f ff ffm"),
        read("ListTakeOuts",           school("takeOuts"),                                    "+f+ff ++ff ++ fff"),
        read("ListTakeOuts, aid",      school("aidTakeOuts"),                                 "+f+ff +f+f ++ fff"),
        // Flags, further.
        read("ListRules",              "/v1/rules",                                           "+++++ ++++ ++ +++"),
        read("GetReconciliation",      format!("/v1/reconciliations/{run}"),                  "fffff +f+f ff +ff"),
        act("ClearFlag",               format!("/v1/flags/{flag}/clear"), json!({ "reason": "属实", "etag": "x" }), "fffnn +f+n ff nnm"),
        read("ListCauses",             format!("/v1/causes?school={SCHOOL}"),                 "+++ff +++f ++ ff+"),
        act("ExplainCause",            format!("/v1/causes/{cause}/explain"), json!({ "text": "核对", "etag": "x" }), "+f+nn fffn ff nnf"),
        act("DecideFlags",             "/v1/flags/decide", json!({ "flags": [{ "flag": flag, "etag": "x" }], "act": "CONFIRM", "reason": "属实" }), "fffnn +f+n ff nnm"),
        act("DecideCause",             format!("/v1/causes/{cause}/decide"), json!({ "act": "CONFIRM", "reason": "属实", "etag": "x" }), "fffnn +f+n ff nnm"),
        read("GetMirror",              "/v1/mirror",                                          "+++++ ++++ ++ +++"),
        read("GetCase",                format!("/v1/cases/{case}"),                            "+++nn +++n ++ nn+"),
        act("RecordOutcome",           format!("/v1/cases/{case}/outcome"), json!({ "outcome": "RECOVERED", "text": "核对", "responsible": "甲" }), "fffnn +f+n ff nnm"),
        act("DecideForgottenRecord",   format!("/v1/forgottenRecords/{nil}/decide"), why.clone(), "nnnnn nnnn nn nnn"),
        // Schools and accounts, further.
        act("NameDeputy",              school("deputies"), json!({ "account": "nobody", "fromDate": "2026-10-15", "toDate": "2026-10-20", "reason": "外出" }), "ff+ff ffff ff ffm"),
        act("EndDeputy",               school(&format!("deputies/{nil}/end")), json!({}),     "ffnff ffff ff ffm"),
        act("UpdateSchool",            school("update"), json!({ "telephone": "0731-88880001" }),               "fffff ffff ff +ff"),
        act("AddMajors",               school("majors/add"), json!({ "majors": [{ "catalogue": "2010", "code": "100100" }] }),         "fffff ffff ff +ff"),
        act("EndMajor",                school("majors/end"), json!({ "key": "2010-100100", "endDate": "2099-12-01" }), "fffff ffff ff +ff"),
        act("SetAuthority",            school("setAuthority"), json!({ "authority": "430100", "fromDate": "2026-10-15", "reason": "核对" }), "fffff ffff ff +ff"),
        act("CloseSchool",             format!("/v1/schools/{SCHOOL}/close"), json!({}),      "fffff ffff ff +ff"),
        act("OpenSchool",              format!("/v1/schools/{SCHOOL}/open"), json!({}),       "fffff ffff ff +ff"),
        act("ResetPassword",           "/v1/accounts/nobody/resetPassword", json!({}),        "fffff ffff ff nff"),
        act("ResetSecondFactor",       "/v1/accounts/nobody/resetSecondFactor", json!({}),    "fffff ffff ff nff"),
        read("ListUnconfirmedAccounts", "/v1/unconfirmedAccounts",                            "fffff +++f +f +ff"),
        act("ConfirmAccounts",         "/v1/unconfirmedAccounts/confirm", json!({ "accounts": ["nobody"] }), "fffff nnnf nf nff"),
        read("GetSecondFactor",        "/v1/sessions/secondFactor",                           "+++++ ++++ ++ +++"),
        act("ConfirmSecondFactor",     "/v1/sessions/secondFactor/confirm", json!({ "code": "0" }), "+++++ ++++ ++ +++"),
        act("DisableAccount",          "/v1/accounts/nobody/disable", json!({}),              "fffff ffff ff nff"),
        act("EnableAccount",           "/v1/accounts/nobody/enable", json!({}),               "fffff ffff ff nff"),
        read("GetRegistry",            "/v1/registry",                                        "+++++ ++++ ++ +++"),
        read("GetSchoolImport",        format!("/v1/schoolImports/{nil}"),                    "fffff ffff ff nff"),
        read("ListSchoolImports",      "/v1/schoolImports",                                   "fffff ffff ff +ff"),
        act("CommitSchoolImport",      format!("/v1/schoolImports/{nil}/commit"), json!({}),  "fffff ffff ff nff"),
        act("TakeBackSchoolImport",    format!("/v1/schoolImports/{nil}/takeBack"), json!({}), "fffff ffff ff nff"),
        read("GetAccountImport",       format!("/v1/accountImports/{nil}"),                   "fffff ffff ff nff"),
        read("ListAccountImports",     "/v1/accountImports",                                  "fffff ffff ff +ff"),
        act("CommitAccountImport",     format!("/v1/accountImports/{nil}/commit"), json!({}), "fffff ffff ff nff"),
        act("TakeBackAccountImport",   format!("/v1/accountImports/{nil}/takeBack"), json!({}), "fffff ffff ff nff"),
        act("MakePasswords",           "/v1/accountPasswords", json!({ "importId": nil }),    "fffff ffff ff nff"),
        act("CountHeads",              school("headCounts"), json!({}),                       "+ffff ++ff ff ffm"),
        // Students, further.
        read("GetImport",              school(&format!("imports/{import}")),                  "+++ff +++f ++ ff+"),
        read("ListImports",            school("imports"),                                     "+++ff +++f ++ ff+"),
        act("TakeBackImport",          school(&format!("imports/{nil}/takeBack")), json!({}), "nffff ffff ff ffm"),
        act("CommitImport",            school(&format!("imports/{nil}/commit")), json!({}),   "nffff ffff ff ffm"),
        read("GetStudent",             format!("{ours}/record"),                              "+++ff +++f ++ ff+"),
        act("EnterDraft",              school("enrollments"), json!({ "columns": [{ "header": "班级名称", "value": "7班" }], "validateOnly": true }), "+ffff ffff ff ffm"),
        act("EditDraft",               format!("{ours}/edit"), json!({ "columns": [{ "header": "班级名称", "value": "7班" }], "etag": "x", "validateOnly": true }), "+ffff ffff ff ffm"),
        act("ChangeContacts",          format!("{ours}/contacts"), json!({ "columns": [{ "header": "联系电话", "value": "13911112222" }], "etag": "x" }), "+fff+ ffff ff ffm"),
        act("AskAidFactsChange",       format!("{ours}/askAidFactsChange"), json!({ "columns": [{ "header": "户口性质", "value": "农业家庭户口" }], "effectiveDate": "2026-10-01", "reason": "核对", "etag": "x" }), "+ffff ffff ff ffm"),
        act("ReturnFromLeave",         format!("{ours}/return"), json!({ "effectiveDate": "2010-01-01", "reason": "复学" }), "+ffff ffff ff ffm"),
        act("Withdraw",                format!("{ours}/withdraw"), json!({ "effectiveDate": "2010-01-01", "reason": "退学" }), "+ffff ffff ff ffm"),
        act("ChangeClass",             format!("{ours}/changeClass"), json!({ "effectiveDate": "2010-01-01", "className": "9班", "reason": "调班" }), "+ffff ffff ff ffm"),
        act("ChangeMajor",             format!("{ours}/changeMajor"), json!({ "effectiveDate": "2010-01-01", "major": "2010-100100", "reason": "转专业" }), "+ffff ffff ff ffm"),
        act("NeverCame",               format!("/v1/schools/{SCHOOL}/enrollments/{nil}/neverCame"), why.clone(), "fffff nnff ff ffm"),
        act("AskNeverCame",            format!("/v1/schools/{SCHOOL}/enrollments/{nil}/askNeverCame"), why.clone(), "nffff ffff ff ffm"),
        act("CancelChange",            format!("{ours}/cancelChange"), why.clone(),           "+ffff ffff ff ffm"),
        act("RemoveEnrollment",        format!("{ours}/remove"), json!({}),                   "+ffff ffff ff ffm"),
        read("GetSubmission",          school(&format!("submissions/{submission}")),          "+++ff +++f ++ ff+"),
        read("ListSubmissions, all",   "/v1/submissions",                                     "+++ff +++f ++ ff+"),
        read("ListAwardLists, all",    "/v1/awardLists",                                      "++++f ++++ ++ ff+"),
        read("ListCases of a school",  school("cases"),                                       "+++ff +++f ++ ff+"),
        // Files: forms are for whoever is logged in, a marked file for who could send it.
        read("DownloadTemplate",       "/v1/enrollmentTemplate",                              "+++++ ++++ ++ +++"),
        read("DownloadAwardTemplate",  "/v1/awardTemplate",                                   "+++++ ++++ ++ +++"),
        read("DownloadGroupTemplate",  "/v1/groupTemplate",                                   "+++++ ++++ ++ +++"),
        read("DownloadHardshipTemplate", "/v1/hardshipTemplate",                              "+++++ ++++ ++ +++"),
        read("DownloadSchoolTemplate", "/v1/schoolTemplate",                                  "+++++ ++++ ++ +++"),
        read("DownloadAccountTemplate", "/v1/accountTemplate",                                "+++++ ++++ ++ +++"),
        read("DownloadMarkedAccounts", format!("/v1/accountImports/{nil}/markedWorkbook"),    "fffff ffff ff nff"),
        read("DownloadMarkedSchools",  format!("/v1/schoolImports/{nil}/markedWorkbook"),     "fffff ffff ff nff"),
        read("DownloadMarkedGroups",   format!("/v1/groupImports/{nil}/markedWorkbook"),      "fffff nfnf ff ffm"),
        read("DownloadMarkedAwards",   format!("{list}/imports/{nil}/markedWorkbook"),        "nffff ffff ff ffm"),
        read("DownloadMarkedHardship", school(&format!("hardshipImports/{nil}/markedWorkbook")), "nffff ffff ff ffm"),
        read("DownloadMarkedWorkbook", school(&format!("imports/{nil}/markedWorkbook")),      "nffff ffff ff ffm"),
        act("OpenEvidence",            format!("/v1/enrollmentEvidence/{evidence}/open"), purpose.clone(), "+f+nn ++fn ff nnf"),
        act("OpenEvidence, aid",       format!("/v1/aidEvidence/{paper}/open"), purpose.clone(), "+f+nn +f+n ff nnf"),
        act("SendBackSubmission",      school(&format!("submissions/{submission}/sendBack")), json!({ "reason": "核对", "enrollments": [nil] }), "ff+ff ++ff ff fff"),
    ]
}

/// Everybody, logged in, in the order of the columns.
async fn everybody(people: &People) -> Vec<Session> {
    let mut sessions = Vec::new();
    for (role, account, organisation) in ROLES {
        sessions.push(match account {
            "clerk" | "head" | "officer" | "machine" | "admin" => people.admin.with_log_in(account, PASSWORD).await.expect("logs in"),
            _ => people.open_account(account, role.as_str(), organisation, PASSWORD).await,
        });
    }
    sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_what_the_table_says_at_every_main_call_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
    let people = schools::open(&deployment).await;
    let mut sessions = everybody(&people).await;
    let mut world = world(&people).await;
    let mine = json!({ "className": "1班", "account": "teacher", "fromDate": "2026-10-15" });
    people.clerk.post(&format!("/v1/schools/{SCHOOL}/classTeachers"), &mine, "").await.expect("is set");
    // Which classes are hers a teacher's log-in says.
    let teacher = ROLES.iter().position(|(role, ..)| *role == Role::ClassTeacher).expect("is there");
    sessions[teacher] = people.admin.with_log_in("teacher", PASSWORD).await.expect("logs in");
    deployment.drain().await.expect("drains");
    later(&people, &mut world).await;
    let mut wrong = String::new();
    for asked in calls(&world) {
        let mut said = String::new();
        for who in &sessions {
            said.push(answer(who, &asked).await);
        }
        let written: String = asked.answers.split_whitespace().collect();
        assert_eq!(written.len(), ROLES.len(), "{}", asked.what);
        if said != written {
            let (what, differs) = (asked.what, said.chars().zip(written.chars()).zip(ROLES).filter(|((said, written), _)| said != written));
            for ((said, written), (role, ..)) in differs {
                writeln!(wrong, "{what} {role:?}: {said}, the table says {written}").expect("is written");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    nobody_elsewhere_is_told_anything(&people, &world, &calls(&world)).await;
    nobody_unknown_is_told_anything(&deployment, &calls(&world)).await;
    calls_between_systems(&deployment, &sessions).await;
    every_call_has_its_row(&deployment, &calls(&world)).await;
    deployment.stop().await;
}

/// Of another school, and of another region, nobody is told anything of what there is: every role, at every call that names it.
async fn nobody_elsewhere_is_told_anything(people: &People, world: &World, calls: &[Asked]) {
    let mut wrong = String::new();
    for (role, _, organisation) in ROLES {
        let account = format!("away-{}", role.as_str().to_lowercase().replace('_', "-"));
        let elsewhere = if organisation == SCHOOL { OTHER } else { "110000" };
        let away = people.open_account(&account, role.as_str(), elsewhere, PASSWORD).await;
        for asked in calls.iter().filter(|asked| asked.is_of_somewhere(world)) {
            let said = answer(&away, asked).await;
            // A list that is only narrowed to the school is one of what they see: of that, nothing is there.
            let is_narrowed = !asked.path.split('?').next().unwrap_or_default().contains(SCHOOL) && asked.path.contains(&format!("school={SCHOOL}"));
            if said == '+' && is_narrowed {
                let told = away.get(&asked.path).await.expect("is answered");
                assert_eq!(told["totalSize"].as_i64().unwrap_or(0), 0, "{} {role:?} {told}", asked.what);
                assert!(told["dossiers"].as_array().is_none_or(Vec::is_empty), "{} {role:?} {told}", asked.what);
            } else if said == '+' {
                writeln!(wrong, "{} {role:?} of {elsewhere}: let in", asked.what).expect("is written");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Without a token, and with one that is none, that another deployment signed, whose session is over, or whose time is, nobody is answered.
async fn nobody_unknown_is_told_anything(deployment: &Deployment, calls: &[Asked]) {
    let http = reqwest::Client::new();
    let base = format!("http://{}", deployment.http);
    let foreign = Tokens::new(&Keyring::generate().0, system_clock());
    let admin = Actor { account: "admin".into(), role: Role::Administrator, ..Actor::system() };
    let over = Session::log_in(&base, "admin", PASSWORD).await.expect("logs in");
    over.post("/v1/sessions/end", &json!({}), "").await.expect("logs out");
    let own = Tokens::new(&deployment.enrollment_parts().keyring, system_clock());
    let tokens = [
        None,
        Some("none".to_owned()),
        Some(foreign.issue(&admin, 600).expect("is issued").0),
        Some(over.token().to_owned()),
        // Of before: its time is over.
        Some(own.issue(&admin, 0).expect("is issued").0),
    ];
    for asked in calls.iter().filter(|asked| !asked.is_public()) {
        for token in &tokens {
            let request = match &asked.body {
                None => http.get(format!("{base}{}", asked.path)),
                Some(body) => http.post(format!("{base}{}", asked.path)).json(body),
            };
            let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
            let status = request.send().await.expect("answers").status().as_u16();
            assert_eq!(status, 401, "{} with {token:?}", asked.what);
        }
    }
}

/// Calls between systems, over gRPC alone: the feed is for systems that follow, the rest for the services of the deployment.
async fn calls_between_systems(deployment: &Deployment, sessions: &[Session]) {
    let channel = channel(&format!("http://{}", deployment.enrollment_grpc)).expect("a channel");
    for ((role, ..), session) in ROLES.into_iter().zip(sessions) {
        fn with<T>(token: &str, message: T) -> Request<T> {
            let mut request = Request::new(message);
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("a token"));
            request
        }
        let (mut feed, token) = (EnrollmentFeedServiceClient::new(channel.clone()), session.token());
        let (mut sessions, mut audit) = (SessionServiceClient::new(channel.clone()), EnrollmentAuditServiceClient::new(channel.clone()));
        let handshake = Some(Handshake { scope: "43".into(), ..Handshake::default() });
        let follows = [
            ("Snapshot", feed.snapshot(with(token, SnapshotRequest { handshake: handshake.clone(), ..SnapshotRequest::default() })).await.map(drop)),
            ("Watch", feed.watch(with(token, WatchRequest { handshake: handshake.clone(), ..WatchRequest::default() })).await.map(drop)),
            ("Recall", feed.recall(with(token, RecallRequest { handshake, ..RecallRequest::default() })).await.map(drop)),
        ];
        for (method, answer) in follows {
            let refused = answer.expect_err("without the deployment's keys nobody follows");
            // A system that may follow is told what is wrong with its handshake.
            let let_in = refused.code() == Code::FailedPrecondition;
            assert_eq!(let_in, role == Role::MachineReader, "{role:?} {method}: {refused:?}");
            assert!(let_in || refused.code() == Code::PermissionDenied, "{role:?} {method}: {refused:?}");
        }
        let of_services = [
            ("WatchSessions", sessions.watch_sessions(with(token, WatchSessionsRequest {})).await.map(drop)),
            ("ReportSessions", sessions.report_sessions(with(token, ReportSessionsRequest::default())).await.map(drop)),
            ("ExchangeHeads", audit.exchange_heads(with(token, ExchangeHeadsRequest::default())).await.map(drop)),
        ];
        for (method, answer) in of_services {
            assert_eq!(answer.expect_err("is for services").code(), Code::PermissionDenied, "{role:?} {method}");
        }
    }
}

/// Calls that have no row above, and where else it is looked at who may make them.
const ELSEWHERE: [(&str, &str); 9] = [
    ("POST /v1/sessions", "logging in: sessions, doors"),
    ("POST /v1/sessions/password", "one's own password: sessions"),
    ("POST /v1/sessions/secondFactor", "one's own, by the password: factors"),
    ("POST /v1/sessions/secondFactor/recoveryCodes", "one's own, by the password: factors"),
    ("POST /v1/sessions/end", "one's own session: sessions"),
    ("POST import", "a file: imports, groups, hardship_files, directory_files; machines and strangers: audit"),
    ("POST evidence", "a file: evidence"),
    ("GET summary/takeOut", "a table: summaries"),
    ("POST takeOut", "a table: takeouts, and rows above"),
];

/// Every path that the interface has is asked for above: one that is added without its row fails here.
async fn every_call_has_its_row(deployment: &Deployment, calls: &[Asked]) {
    let openapi: Value = reqwest::get(format!("http://{}/openapi.json", deployment.http)).await.expect("answers").json().await.expect("is JSON");
    let mut missing = Vec::new();
    for (template, verbs) in openapi["paths"].as_object().expect("paths") {
        for verb in verbs.as_object().expect("verbs").keys().map(|verb| verb.to_uppercase()) {
            let fits = |asked: &Asked| (verb == "POST") == asked.body.is_some() && is_of(template, asked.path.split('?').next().unwrap_or_default());
            let call = format!("{verb} {template}");
            let last = format!("{verb} {}", template.rsplit('/').next().unwrap_or_default());
            if !calls.iter().any(fits) && !ELSEWHERE.iter().any(|(known, _)| *known == call || *known == last) {
                missing.push(call);
            }
        }
    }
    assert!(missing.is_empty(), "without a row:\n{}", missing.join("\n"));
    // What has no path is asked for by name.
    let services = xuezhu_proto::POOL.services().filter(|service| service.full_name().starts_with("xuezhu."));
    let http = xuezhu_proto::POOL.get_extension_by_name("google.api.http").expect("the extension");
    let without: BTreeSet<String> = services
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .filter(|method| !method.options().has_extension(&http) && !method.is_client_streaming())
        .map(|method| method.name().to_owned())
        .filter(|name| !["Download", "TakeOut", "OpenEvidence"].iter().any(|streamed| name.starts_with(streamed)))
        .collect();
    assert_eq!(without.iter().map(String::as_str).collect::<Vec<_>>(), ["ExchangeHeads", "Recall", "ReportSessions", "Snapshot", "Watch", "WatchSessions"]);
}

/// Whether a path is one of a template's.
fn is_of(template: &str, path: &str) -> bool {
    let (template, path): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len() && template.iter().zip(path).all(|(part, found)| part.starts_with('{') || *part == found)
}

/// What waits in a service waits for whoever decides in it; the head sees it, and signs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn desks_of_each_service_are_those_of_its_officers() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let open = async |account: &str, role: Role| people.open_account(account, role.as_str(), "430100", PASSWORD).await;
        let of_roll = open("officer-roll", Role::EnrollmentOfficer).await;
        let of_aid = open("officer-aid", Role::AidOfficer).await;
        let chief = open("chief", Role::AuthorityHead).await;
        people.import(&[student(1), student(2)]).await;
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let submission = made["submission"].as_str().expect("an id").to_owned();
        let path = format!("/v1/schools/{SCHOOL}/submissions/{submission}");
        let digest = json!({ "digest": made["digest"] });
        people.head.post(&format!("{path}/attest"), &digest, "").await.expect("is attested");
        let waits = async |who: &Session, inbox: &str| {
            let answer = who.get(inbox).await.expect("an inbox");
            answer["inbox"]["waitingCount"].as_i64().unwrap_or(0)
        };
        for (who, count) in [(&people.officer, 1), (&of_roll, 1), (&of_aid, 0), (&chief, 1)] {
            assert_eq!(waits(who, "/v1/enrollmentInbox").await, count, "{engine:?}");
        }
        // It is handed to who sits there, not to who looks on or sits elsewhere.
        let hand_over = format!("/v1/enrollmentDossiers/{submission}/handOver");
        for (account, sits) in [("officer-aid", false), ("chief", false), ("officer-roll", true), ("officer", true)] {
            let handed = people.officer.post(&hand_over, &json!({ "account": account }), "").await;
            assert_eq!(handed.is_ok(), sits, "{engine:?} {account}");
        }
        for who in [&of_aid, &chief] {
            assert_eq!(reason(who.post(&format!("{path}/approve"), &digest, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
            assert_eq!(reason(who.post(&format!("/v1/enrollmentDossiers/{submission}/sign"), &digest, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
            assert_eq!(reason(who.post(&hand_over, &json!({ "account": "chief" }), "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        }
        people.officer.post(&hand_over, &json!({ "account": "officer-roll" }), "").await.expect("is handed over");
        assert_eq!(of_roll.post(&format!("{path}/approve"), &digest, "").await.expect("is approved")["approvedBy"], "officer-roll", "{engine:?}");
        deployment.drain().await.expect("drains");
        // A list: the same the other way round.
        let lines = [1, 2].map(|serial| (student(serial)["姓名"].clone(), number(serial)));
        let list = people.list(&lines.each_ref().map(|(name, number)| (name.as_str(), number.as_str(), ""))).await;
        let attested = people.attested(&list).await;
        for (who, count) in [(&people.officer, 1), (&of_roll, 0), (&of_aid, 1), (&chief, 1)] {
            assert_eq!(waits(who, "/v1/aidInbox").await, count, "{engine:?}");
        }
        let digest = json!({ "digest": attested["digest"] });
        assert_eq!(reason(of_roll.post(&format!("{list}/approve"), &digest, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        assert_eq!(of_aid.post(&format!("{list}/approve"), &digest, "").await.expect("is approved")["approved"], 2, "{engine:?}");
        deployment.stop().await;
    }
}

/// Who pays sees names, months and money, and nothing of what is known of a student or said of a flag.
#[tokio::test(flavor = "multi_thread")]
async fn who_pays_sees_money_and_no_more_of_a_student_than_the_name_and_a_masked_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let world = world(&people).await;
    deployment.drain().await.expect("drains");
    let path = format!("{}/entries", world.list);
    let whole = &people.officer.get(&path).await.expect("entries")["entries"][0];
    assert!(whole["flags"].as_array().is_some_and(|flags| !flags.is_empty()) && whole["birthYear"].as_i64() > Some(0), "{whole}");
    for (account, role, organisation) in [("cashier", "SCHOOL_FINANCE", SCHOOL), ("payer", "FINANCE_OFFICER", "430100")] {
        let who = people.open_account(account, role, organisation, PASSWORD).await;
        let seen = &who.get(&path).await.expect("entries")["entries"][0];
        for same in ["name", "idNumber", "months", "amountFen", "state", "held", "standingFen"] {
            assert_eq!(seen[same], whole[same], "{role} {same}");
        }
        for nothing in ["person", "remark", "sentBackReason", "refusalMessage"] {
            assert_eq!(seen[nothing].as_str().unwrap_or_default(), "", "{role} {nothing}");
        }
        assert_eq!((seen["flags"].as_array().map_or(0, Vec::len), seen["birthYear"].as_i64().unwrap_or(0)), (0, 0), "{role} {seen}");
    }
    deployment.stop().await;
}

/// The first page of each role, and where it leads, are pages.
#[tokio::test(flavor = "multi_thread")]
async fn every_role_lands_on_a_page_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    let sessions = everybody(&people).await;
    people.import(&[student(1)]).await;
    people.register().await;
    let mine = json!({ "className": "1班", "account": "teacher", "fromDate": deployment.today().to_string() });
    people.clerk.post(&format!("/v1/schools/{SCHOOL}/classTeachers"), &mine, "").await.expect("is set");
    deployment.drain().await.expect("drains");
    let http = reqwest::Client::new();
    for ((role, ..), who) in ROLES.into_iter().zip(&sessions) {
        let cookie = format!("xuezhu_session={}", who.token());
        let answer = http.get(format!("http://{}/", deployment.http)).header("cookie", cookie).send().await.expect("answers");
        let (status, at) = (answer.status().as_u16(), answer.url().path().to_owned());
        let page = answer.text().await.expect("a page");
        let lands = match role {
            Role::ClassTeacher => "/classes",
            Role::SchoolFinance | Role::FinanceOfficer => "/lists",
            Role::Administrator => "/accounts",
            Role::Auditor => "/audit",
            _ => "/",
        };
        assert_eq!((status, at.as_str()), (200, lands), "{role:?}: {page}");
        assert!(page.contains(role.name()), "{role:?} is named");
        assert!(role != Role::ClassTeacher || page.contains("1班"), "her class is there");
    }
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_belongs_where_its_role_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = deployment(Engine::Sqlite, folder.path(), "none").await;
    let people = schools::open(&deployment).await;
    for role in Role::OF_ACCOUNTS {
        let body = |organisation: &str| json!({ "account": format!("a-{}", organisation.len()), "displayName": "甲", "role": role.as_str(), "organisation": organisation });
        let (none, county, school, nowhere) = (body(""), body("430102"), body(SCHOOL), body("3643009999"));
        let wrong = match role {
            _ if role.is_of_school() => vec![none, county, nowhere],
            Role::Administrator | Role::Auditor | Role::MachineReader => vec![school],
            Role::Supervisor => vec![none, county, school],
            _ => vec![none, school],
        };
        for body in wrong {
            let refused = people.admin.post("/v1/accounts", &body, "").await;
            let said = format!("{:#}", refused.as_ref().expect_err("is refused"));
            assert_eq!(reason(refused), (400, "INVALID_ARGUMENT".into()), "{body}");
            assert!(said.contains("organisation"), "{said}");
        }
    }
    assert_eq!(people.admin.get("/v1/accounts?pageSize=1").await.expect("accounts")["totalSize"], 6, "none was opened");
    deployment.stop().await;
}

/// The table of rights, as it is printed.
fn table() -> String {
    let cell = |permission: Permission, role: Role| {
        let [in_enrollment, in_aid] = [Service::Enrollment, Service::Aid].map(|service| permission.reach(role, Some(service)));
        match (in_enrollment, in_aid) {
            _ if in_enrollment == in_aid => in_aid.name().to_owned(),
            (reach, Reach::Nowhere) => format!("{}（学籍）", reach.name()),
            (Reach::Nowhere, reach) => format!("{}（资助）", reach.name()),
            (enrollment, aid) => format!("{}（学籍）、{}（资助）", enrollment.name(), aid.name()),
        }
    };
    let mut text = format!("| |{}\n|{}\n", Role::ALL.map(|role| format!(" {} |", role.name())).concat(), " --- |".repeat(Role::ALL.len() + 1));
    for permission in Permission::ALL {
        let cells = Role::ALL.map(|role| format!(" {} |", cell(permission, role))).concat();
        writeln!(text, "| {} |{cells}", permission.name()).expect("is written");
    }
    text.push('\n');
    for reach in Reach::ALL {
        writeln!(text, "- {}：{}", reach.name(), reach.meaning()).expect("is written");
    }
    text
}

#[test]
fn the_table_of_rights_in_the_documents_is_the_one_that_holds() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/security.md");
    let text = fs::read_to_string(path).expect("reads");
    let printed = text.split_once("<!-- rights -->\n").and_then(|(_, rest)| rest.split_once("<!-- end of rights -->")).map(|(table, _)| table.trim());
    assert_eq!(printed, Some(table().trim()), "docs/security.md prints another table; it should be:\n{}", table());
}

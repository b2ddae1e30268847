//! Who may do what, over REST: every role at the main calls of both services, against a table that is written here; and the table of rights
//! that is printed in `docs/security.md`.

use std::{fmt::Write, fs, path::Path};

use serde_json::{Value, json};
use xuezhu::client::{Refused, Session};
use xuezhu_service::{Permission, Reach, Role, keyring::Service};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, OTHER, PASSWORD, People, SCHOOL, number, reason, student},
};

/// The roles that accounts are opened for, each with its account, its letter and its organisation; in the order of the table's columns.
const ROLES: [(Role, &str, &str); 13] = [
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
    (Role::MachineReader, "machine", "430000"),
];

/// A call, and how each role is answered: `+` is let in (what else is wrong with the call is told then, or it is done), `f` is forbidden, `n`
/// learns nothing of what there is, `m` is told that a machine enters nothing.
struct Asked {
    what: &'static str,
    /// None: it is read.
    body: Option<Value>,
    path: String,
    /// Clerk, reviewer, principal, school's finance, class teacher | officer, of enrollment, of aid, finance | head, supervisor | administrator, machine.
    answers: &'static str,
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
}

async fn world(people: &People) -> World {
    let mut second = student(2);
    second.insert("班级名称".into(), "2班".into());
    people.import(&[student(1), second]).await;
    people.register().await;
    let list = people.list(&[("赵错名", &number(1), "")]).await;
    people.attested(&list).await;
    let entries = people.clerk.get(&format!("{list}/entries")).await.expect("entries");
    let entry = format!("{list}/entries/{}", entries["entries"][0]["entry"].as_str().expect("an id"));
    people.import(&[student(3)]).await;
    let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
    let submission = made["submission"].as_str().expect("an id").to_owned();
    let path = format!("/v1/schools/{SCHOOL}/submissions/{submission}/attest");
    people.head.post(&path, &json!({ "digest": made["digest"] }), "").await.expect("is attested");
    let ours = people.path_of(1).await;
    let person = people.officer.get(&ours).await.expect("is there")["person"].as_str().expect("an id").to_owned();
    World { others: people.path_of(2).await, ours, person, submission, list, entry, flag: String::new() }
}

#[rustfmt::skip]
fn calls(world: &World) -> Vec<Asked> {
    let school = |rest: &str| format!("/v1/schools/{SCHOOL}/{rest}");
    let World { ours, others, person, submission, list, entry, flag } = world;
    let purpose = json!({ "purpose": "核对" });
    let wrong = json!({ "digest": "0000000000000000" });
    let opened = json!({ "account": "officer", "displayName": "甲", "role": "DEPARTMENT_OFFICER", "organisation": "430100" });
    let again = json!({ "code": SCHOOL, "name": "甲", "region": "430102", "kind": "PUBLIC", "authority": "430100" });
    vec![
        // Schools and accounts.
        read("GetSchool",              school("").trim_end_matches('/'),                      "+++++ ++++ ++ ++"),
        read("ListSchools",            "/v1/schools",                                         "+++++ ++++ ++ ++"),
        read("ListDeputies",           school("deputies"),                                    "+++++ ++++ ++ ++"),
        read("ListAccounts",           "/v1/accounts",                                        "fffff ffff ff +f"),
        read("ListChains",             "/v1/enrollmentChains",                                "fffff ffff ff +f"),
        act("CreateAccount",           "/v1/accounts", opened,                                "fffff ffff ff +f"),
        act("CreateSchool",            "/v1/schools", again,                                  "fffff ffff ff +f"),
        act("SetOffice",               "/v1/offices/430100", json!({ "telephone": "0731-88880000" }), "fffff ffff ff +f"),
        read("ListContacts",           "/v1/contacts?organisations=430100",                   "+++++ ++++ ++ ++"),
        read("ListContacts, all",      "/v1/contacts",                                        "fffff ffff ff +f"),
        // Students.
        read("ListEnrollments",        school("enrollments"),                                 "+++f+ +++f ++ f+"),
        read("GetEnrollment",          ours,                                                  "+++f+ +++f ++ f+"),
        read("GetEnrollment 2",        others,                                                "+++fn +++f ++ f+"),
        read("ListClasses",            school("classes"),                                     "+++f+ +++f ++ f+"),
        read("GetClassList",           school("classList?className=1%E7%8F%AD"),              "+++f+ +++f ++ f+"),
        read("GetClassList 2",         school("classList?className=2%E7%8F%AD"),              "+++ff +++f ++ f+"),
        read("ListClassAwards",        school("classAwards?className=1%E7%8F%AD"),            "+++f+ +++f ++ f+"),
        read("ListClassAwards 2",      school("classAwards?className=2%E7%8F%AD"),            "+++ff +++f ++ f+"),
        read("ListClassTeachers",      school("classTeachers"),                               "+++f+ +++f ++ f+"),
        read("ListClassConfirmations", school("classConfirmations"),                          "+++f+ +++f ++ f+"),
        act("SetClassTeacher",         school("classTeachers"), json!({ "className": "1班", "account": "nobody", "fromDate": "2026-10-15" }), "+ffff ffff ff fm"),
        act("ConfirmClass",            school("classConfirmations"), json!({ "className": "1班", "digest": "0000000000000000", "count": 1 }), "ffff+ ffff ff fm"),
        act("RevealNumber",            format!("{ours}/revealNumber"), purpose.clone(),       "+f+ff ++ff ff ff"),
        act("TakeLeave",               format!("{ours}/leave"), json!({ "effectiveDate": "2010-01-01", "reason": "病" }), "+ffff ffff ff fm"),
        act("CorrectIdentity",         format!("{ours}/correctIdentity"), json!({ "kind": "MISTYPED", "effectiveDate": "2026-10-01", "name": "王正", "reason": "核对户口簿" }), "fffff ++ff ff fm"),
        act("TakeOutEnrollments",      school("enrollments/takeOut"), purpose.clone(),        "+f+ff ++ff ++ ff"),
        // What goes over desks.
        read("ListSubmissions",        school("submissions"),                                 "+++ff +++f ++ f+"),
        act("CreateSubmission",        school("submissions"), json!({ "allDrafts": true }),   "+ffff ffff ff fm"),
        act("AttestSubmission",        school(&format!("submissions/{submission}/attest")), wrong.clone(),  "ff+ff ffff ff fm"),
        act("ApproveSubmission",       school(&format!("submissions/{submission}/approve")), wrong.clone(), "fffff ++ff ff fm"),
        read("GetEnrollmentInbox",     "/v1/enrollmentInbox",                                 "+++ff +++f ++ f+"),
        read("GetEnrollmentToday",     "/v1/enrollmentToday",                                 "+++ff +++f ++ f+"),
        read("GetDossier",             format!("/v1/enrollmentDossiers/{submission}"),        "+++nn +++n ++ n+"),
        act("SignDossier",             format!("/v1/enrollmentDossiers/{submission}/sign"), wrong.clone(),  "ff+nn ++fn ff nm"),
        // Lists and money.
        read("ListAwardLists",         school("awardLists"),                                  "++++f ++++ ++ f+"),
        read("GetAwardList",           list,                                                  "++++f ++++ ++ f+"),
        read("ListEntries",            format!("{list}/entries"),                             "++++f ++++ ++ f+"),
        read("GetEntry",               entry,                                                 "++++f ++++ ++ f+"),
        act("EditEntry",               format!("{entry}/edit"), json!({ "etag": "x" }),       "+ffff ffff ff fm"),
        act("RedraftEntries",          format!("{list}/redraft"), json!({ "entries": [{ "entry": uuid::Uuid::nil() }] }), "+ffff ffff ff fm"),
        read("ListDoubleUnits",        "/v1/doubleUnits",                                     "++++f ++++ ++ f+"),
        read("ListCorrections",        school("corrections"),                                 "+++ff +++f ++ f+"),
        act("SubmitAwardList",         format!("{list}/submit"), json!({}),                   "+ffff ffff ff fm"),
        act("ApproveAwardList",        format!("{list}/approve"), wrong.clone(),              "fffff +f+f ff fm"),
        act("TakeOutEntries",          format!("{list}/takeOut"), purpose.clone(),    "+f+ff +f+f ++ ff"),
        // Families: who determines and who audits; nobody else.
        read("ListHardship",           school("hardship"),                                    "+++ff +f+f ff ff"),
        read("GetHardship",            school(&format!("hardship/{}", uuid::Uuid::nil())),    "nnnff nfnf ff ff"),
        act("EnterHardship",           school("hardship"), json!({ "person": person, "schoolYear": 1999 }), "+ffff ffff ff fm"),
        act("SubmitHardship",          school("hardship/submit"), json!({ "schoolYear": 1999, "reason": "审定" }), "+ffff ffff ff fm"),
        act("RemoveHardship",          school(&format!("hardship/{}/remove", uuid::Uuid::nil())), json!({}), "nffff ffff ff fm"),
        read("ListHardshipImports",    school("hardshipImports"),                             "+++ff +f+f ff ff"),
        // Special groups: a school is told whom to speak to, a department numbers.
        read("ListGroupStudents",      school("groupStudents"),                               "+++ff ffff ff ff"),
        read("CountGroups",            "/v1/specialGroups",                                   "fffff +f+f ff ff"),
        read("ListGroupImports",       "/v1/groupImports",                                    "fffff +f+f ff fm"),
        // Summaries: who sees money of a region reads them, who decides on aid there submits them.
        read("PreviewSummary",         "/v1/termSummaryPreview",                              "fffff ++++ ++ f+"),
        read("ListSummaries",          "/v1/termSummaries",                                   "fffff ++++ ++ f+"),
        act("SubmitSummary",           "/v1/termSummaries", json!({ "digest": "0000000000000000" }), "fffff +f+f ff fm"),
        read("GetListNumbers",         format!("/v1/listNumbers?by=GRADE&school={SCHOOL}"),   "++++f ++++ ++ f+"),
        read("GetListNumbers, levels", format!("/v1/listNumbers?by=LEVEL&school={SCHOOL}"),   "+++ff +f+f ++ ff"),
        act("TakeOutListNumbers",      "/v1/listNumbers/takeOut", json!({ "purpose": "核对", "by": "GRADE", "school": SCHOOL }), "++++f ++++ ++ f+"),
        // Notices and what is said against them.
        read("ListNotices",            format!("/v1/notices?school={SCHOOL}"),                "++++f ++++ ++ f+"),
        read("GetNotice",              format!("/v1/notices/{}", uuid::Uuid::nil()),          "nnnnn nnnn nn nn"),
        act("PublishNotice",           format!("/v1/notices/{}/publish", uuid::Uuid::nil()), json!({ "published": true }), "nnnnn nnnn nn nn"),
        act("RecordObjection",         format!("/v1/notices/{}/objections", uuid::Uuid::nil()), json!({ "text": "异议" }), "nnnnn nnnn nn nn"),
        read("ListObjections",         "/v1/objections",                                      "+++ff +f+f ff ff"),
        act("AnswerObjection",         format!("/v1/objections/{}/answer", uuid::Uuid::nil()), json!({ "text": "答复" }), "nnnnn nnnn nn nn"),
        act("DecideObjection",         format!("/v1/objections/{}/decide", uuid::Uuid::nil()), json!({ "upheld": false, "reason": "核实" }), "nnnnn nnnn nn nn"),
        // Policies: whoever is logged in reads them, the department under which all schools lie proposes.
        read("ListPolicies",           "/v1/policies",                                        "+++++ ++++ ++ ++"),
        read("ListSchemes",            "/v1/schemes",                                         "+++++ ++++ ++ ++"),
        act("ProposePolicy",           "/v1/policies", json!({ "content": "", "fromDate": "", "note": "" }), "fffff +f+f ff fm"),
        read("GetPolicy",              format!("/v1/policies/{}", uuid::Uuid::nil()),         "nnnnn nnnn nn nn"),
        act("StartTrial",              format!("/v1/policies/{}/trial", uuid::Uuid::nil()), json!({}), "nnnnn nnnn nn nn"),
        read("GetTrial",               format!("/v1/policies/{}/trial", uuid::Uuid::nil()),   "nnnnn nnnn nn nn"),
        // Flags.
        read("ListFlags",              "/v1/flags",                                           "+++ff +++f ++ f+"),
        read("GetFlag",                format!("/v1/flags/{flag}"),                           "+++ff +++f ++ f+"),
        read("ListCases",              "/v1/cases",                                           "+++ff +++f ++ f+"),
        read("ListForgottenRecords",   "/v1/forgottenRecords",                                "+++ff +++f ++ f+"),
        read("GetStory",               format!("/v1/students/{person}/story"),                "+++nn +++n ++ n+"),
        act("ExplainFlag",             format!("/v1/flags/{flag}/explain"), json!({ "text": "核对", "etag": "x" }),  "+f+nn fffn ff nf"),
        act("ConfirmFlag",             format!("/v1/flags/{flag}/confirm"), json!({ "reason": "属实", "etag": "x" }), "fffnn +f+n ff nm"),
        act("CreateReconciliation",    "/v1/reconciliations", json!({}),                      "fffff +f+f ff +f"),
        read("GetAidInbox",            "/v1/aidInbox",                                        "+++ff +++f ++ f+"),
        read("GetAidToday",            "/v1/aidToday",                                        "+++ff +++f ++ f+"),
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
    world.flag = people.officer.get("/v1/flags?state=OPEN").await.expect("flags")["flags"][0]["flag"].as_str().expect("a flag").to_owned();
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
    // Of another school, and of another region, nobody is told anything.
    for (at, (role, ..)) in ROLES.into_iter().enumerate().filter(|(_, (role, ..))| role.is_of_school()) {
        for path in [format!("/v1/schools/{OTHER}/enrollments"), format!("/v1/schools/{OTHER}/awardLists"), format!("/v1/schools/{OTHER}/classTeachers")] {
            assert_eq!(reason(sessions[at].get(&path).await), (403, "FORBIDDEN".into()), "{role:?} {path}");
        }
    }
    for role in Role::OF_ACCOUNTS.into_iter().filter(|role| !role.is_of_school()) {
        let away = people.open_account(&format!("away-{}", role.as_str().to_lowercase().replace('_', "-")), role.as_str(), "110000", PASSWORD).await;
        for path in [format!("/v1/schools/{SCHOOL}"), format!("/v1/schools/{SCHOOL}/enrollments"), format!("{}/entries", world.list)] {
            assert_eq!(reason(away.get(&path).await), (403, "FORBIDDEN".into()), "{role:?} {path}");
        }
    }
    deployment.stop().await;
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
            Role::Administrator | Role::MachineReader => vec![school],
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

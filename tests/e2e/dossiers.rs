//! Dossiers of the enrollment service over REST: registration over the desks of a chain, requests that nobody came, and what each desk
//! sees, does and keeps.

use serde_json::{Value, json};
use xuezhu::client::Session;
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, PASSWORD, People, SCHOOL, number, reason, student, workbook},
};

/// A school under a county.
const COUNTY_SCHOOL: &str = "3643000003";

fn id(of: &Value, name: &str) -> String {
    of[name].as_str().unwrap_or_else(|| panic!("no {name} in {of}")).to_owned()
}

/// What was done with a dossier, and by whom.
fn acts(dossier: &Value) -> Vec<(String, String)> {
    dossier["history"].as_array().expect("a list").iter().map(|act| (id(act, "act"), id(act, "name"))).collect()
}

async fn dossier(who: &Session, dossier: &str) -> Value {
    who.get(&format!("/v1/enrollmentDossiers/{dossier}")).await.expect("a dossier")
}

async fn act(who: &Session, dossier: &str, verb: &str, body: Value) -> anyhow::Result<Value> {
    who.post(&format!("/v1/enrollmentDossiers/{dossier}/{verb}"), &body, "").await
}

async fn submit(people: &People) -> Value {
    people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted")
}

async fn listed(who: &Session, query: &str) -> Vec<String> {
    let list = who.get(&format!("/v1/enrollmentDossiers?{query}")).await.expect("a list");
    list["dossiers"].as_array().expect("a list").iter().map(|dossier| id(dossier, "dossier")).collect()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story, from the clerk to the sheet that stays")]
async fn registration_goes_over_three_desks_and_stays_as_it_was_signed() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let majors = json!([{ "catalogue": "2010", "code": "010200" }]);
        let school = json!({ "code": COUNTY_SCHOOL, "name": "县校", "region": "430102", "kind": "PUBLIC", "authority": "430102", "majors": majors });
        people.admin.post("/v1/schools", &school, "").await.expect("a school is entered");
        let clerk = people.open_account("clerk3", "SCHOOL_CLERK", COUNTY_SCHOOL, PASSWORD).await;
        let head = people.open_account("head3", "PRINCIPAL", COUNTY_SCHOOL, PASSWORD).await;
        let county = people.open_account("county", "DEPARTMENT_OFFICER", "430102", PASSWORD).await;
        let province = people.open_account("province", "DEPARTMENT_OFFICER", "430000", PASSWORD).await;
        let city = &people.officer;

        let set =
            |scope: &str, steps: &str, from: &str| json!({ "kind": "REGISTRATION", "scope": scope, "fromDate": from, "steps": steps, "reason": "市级复核" });
        for (who, body, refused) in [
            (city, set("430102", "PRINCIPAL, AUTHORITY, CITY", "2026-10-15"), (403, "FORBIDDEN")),
            (&people.admin, set("430102", "PRINCIPAL, NOBODY", "2026-10-15"), (400, "INVALID_ARGUMENT")),
            (&people.admin, set("430102", "PRINCIPAL", "2026-10-15"), (400, "INVALID_ARGUMENT")),
            (&people.admin, set("430102", "AUTHORITY NOTES", "2026-10-15"), (400, "INVALID_ARGUMENT")),
            (&people.admin, set("430102", "PRINCIPAL, AUTHORITY, 440100", "2026-10-15"), (400, "INVALID_ARGUMENT")),
            (&people.admin, set("430102", "PRINCIPAL, AUTHORITY", "2026-10-14"), (400, "INVALID_ARGUMENT")),
            (&people.admin, set("999999", "PRINCIPAL", "2026-10-15"), (400, "INVALID_ARGUMENT")),
            (&people.admin, set("3643009999", "PRINCIPAL", "2026-10-15"), (404, "NOT_FOUND")),
        ] {
            let (status, why) = reason(who.post("/v1/enrollmentChains", &body, "").await);
            assert_eq!((status, why.as_str()), refused, "{engine:?} {body}");
        }
        let chain = set("430102", "PRINCIPAL/3, AUTHORITY/5, CITY", "2026-10-15");
        let chain = people.admin.post("/v1/enrollmentChains", &chain, "").await.expect("is set");
        assert_eq!((&chain["steps"], &chain["name"]), (&json!("PRINCIPAL/3, AUTHORITY/5, CITY/10"), &json!("校长 → 学校主管部门 → 市级主管部门")));
        let chains = people.admin.get("/v1/enrollmentChains").await.expect("chains");
        assert_eq!((&chains["chains"][0], chains["kinds"].as_array().map(Vec::len)), (&chain, Some(3)), "{chains}");
        assert_eq!(chains["kinds"][0]["chain"], "PRINCIPAL/10, AUTHORITY/10");

        // Several at once, all or none.
        let line = |kind: &str, scope: &str, steps: &str, reason: &str| json!({ "kind": kind, "scope": scope, "fromDate": "2026-10-16", "steps": steps, "reason": reason });
        let (good, faulty) = (line("NEVER_CAME", "430103", "PRINCIPAL, AUTHORITY, CITY NOTES", "试点"), line("NONE", "999999", "PRINCIPAL", ""));
        for (who, chains, refused) in [
            (city, json!([good.clone()]), (403, "FORBIDDEN")),
            (&people.admin, json!([]), (400, "INVALID_ARGUMENT")),
            (&people.admin, json!([good.clone(), faulty, line("REGISTRATION", "", "CITY, CITY", "因")]), (400, "INVALID_ARGUMENT")),
        ] {
            let answer = who.post("/v1/enrollmentChains/setAll", &json!({ "chains": chains }), "").await;
            let said = format!("{:#}", answer.as_ref().expect_err("is refused"));
            let (status, why) = reason(answer);
            assert_eq!((status, why.as_str()), refused, "{engine:?} {chains}");
            let places = ["chains[1].kind", "chains[1].scope", "chains[1].reason", "chains[2].steps"];
            assert!(chains.as_array().map(Vec::len) != Some(3) || places.iter().all(|place| said.contains(place)) && !said.contains("chains[0]"), "{said}");
        }
        let chains = people.admin.get("/v1/enrollmentChains").await.expect("chains");
        assert_eq!(chains["chains"].as_array().map(Vec::len), Some(1), "{engine:?}: none of them was set: {chains}");
        let set = people
            .admin
            .post("/v1/enrollmentChains/setAll", &json!({ "chains": [good, line("NEVER_CAME", "430103", "", "恢复")] }), "")
            .await
            .expect("are set");
        let names: Vec<&str> = set["chains"].as_array().expect("a list").iter().map(|chain| chain["name"].as_str().expect("a name")).collect();
        assert_eq!(names, ["校长 → 学校主管部门 → 市级主管部门（备案）", ""], "{engine:?}");

        clerk.upload(&format!("/v1/schools/{COUNTY_SCHOOL}/enrollments/import"), workbook(&[student(1), student(2)]), "").await.expect("is taken");
        let made = clerk.post(&format!("/v1/schools/{COUNTY_SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let submission = id(&made, "submission");
        let path = format!("/v1/schools/{COUNTY_SCHOOL}/submissions/{submission}");
        let signed = json!({ "digest": made["digest"] });
        let stands = async |state: &str, step: i64, waits_authority: &str| {
            let row = clerk.get(&path).await.expect("is there");
            assert_eq!((&row["state"], &row["step"], &row["waitsAuthority"]), (&json!(state), &json!(step), &json!(waits_authority)), "{engine:?} {row}");
            for other in ["SUBMITTED", "ATTESTED", "DONE"] {
                let list = county.get(&format!("/v1/submissions?state={other}")).await.expect("a list");
                assert_eq!(list["submissions"].as_array().map(Vec::len), Some(usize::from(other == state)), "{engine:?} {other}: {list}");
            }
            row
        };
        let row = stands("SUBMITTED", 0, "").await;
        assert_eq!((&row["waitsAt"], &row["dueDate"]), (&json!("校长"), &json!("2026-10-20")), "three working days");
        assert_eq!(reason(county.post(&format!("{path}/approve"), &signed, "").await), (400, "WRONG_STATE".into()), "the principal is first");
        head.post(&format!("{path}/attest"), &signed, "").await.expect("is attested");
        stands("ATTESTED", 1, "430102").await;
        assert_eq!(reason(city.post(&format!("{path}/approve"), &signed, "").await), (400, "WRONG_STATE".into()), "the county is first");
        assert_eq!(reason(province.post(&format!("{path}/approve"), &signed, "").await), (403, "FORBIDDEN".into()), "it sits at no desk");
        assert_eq!(reason(head.post(&format!("{path}/sendBack"), &json!({ "reason": "再核" }), "").await), (400, "WRONG_STATE".into()));
        let row = county.post(&format!("{path}/approve"), &signed, "").await.expect("is signed");
        assert_eq!((&row["approved"], &row["approvedBy"], &row["attestedBy"]), (&json!(0), &json!(""), &json!("head3")), "{row}");
        stands("ATTESTED", 2, "430100").await;
        let inbox = &city.get("/v1/enrollmentInbox").await.expect("an inbox")["inbox"];
        assert_eq!((&inbox["waitingCount"], &inbox["itemCount"], &inbox["waiting"][0]["dossier"]), (&json!(1), &json!(2), &json!(submission)), "{inbox}");
        let row = city.post(&format!("{path}/approve"), &signed, "").await.expect("is approved");
        assert_eq!((&row["approved"], &row["approvedBy"], &row["count"]), (&json!(2), &json!("officer"), &json!(2)), "{row}");
        stands("DONE", 2, "").await;

        // Somebody's name is put right afterwards: what was signed stays as it was.
        let found = clerk.get(&format!("/v1/schools/{COUNTY_SCHOOL}/enrollments?query={}", number(1))).await.expect("is found");
        let enrollment = id(&found["enrollments"][0], "enrollment");
        let right = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "name": "王对", "reason": "核对户口簿" });
        let corrected = county.post(&format!("/v1/schools/{COUNTY_SCHOOL}/enrollments/{enrollment}/correctIdentity"), &right, "").await.expect("is corrected");
        assert_eq!(corrected["name"], "王对");
        assert_eq!(clerk.get(&path).await.expect("is there")["digest"], made["digest"], "{engine:?}");
        let whole = dossier(&province, &submission).await;
        assert_eq!(
            acts(&whole).iter().map(|(act, name)| (act.as_str(), name.as_str())).collect::<Vec<_>>(),
            [("SUBMIT", "clerk3"), ("SIGN", "head3"), ("SIGN", "county"), ("SIGN", "officer")]
        );
        assert!(whole["history"].as_array().expect("a list").iter().all(|act| act["digest"] == made["digest"] && act["ofBefore"] == false), "{whole}");
        assert_eq!((&whole["state"], &whole["performed"], &whole["steps"][1]["workingDays"]), (&json!("DONE"), &json!(2), &json!(5)));
        let sheet = clerk.get(&format!("/v1/enrollmentDossiers/{submission}/items?pageSize=1")).await.expect("a sheet");
        let next = clerk.get(&format!("/v1/enrollmentDossiers/{submission}/items?pageSize=1&pageToken={}", id(&sheet, "nextPageToken"))).await.expect("more");
        let names = [&sheet, &next].map(|page| id(&page["items"][0], "name"));
        assert!(names.contains(&student(1)["姓名"]) && names.contains(&student(2)["姓名"]), "as they were: {names:?}");
        assert_eq!(whole["columns"].as_array().map(Vec::len), sheet["items"][0]["cells"].as_array().map(Vec::len));
        assert!([1, 2].iter().all(|serial| !format!("{sheet}{next}").contains(&number(*serial)[6..14])), "no digit of a number");

        // Who finds it, and who learns nothing of it.
        assert_eq!(listed(&clerk, &format!("name={}", student(1)["姓名"])).await, std::slice::from_ref(&submission));
        assert_eq!(listed(&county, &format!("item={enrollment}&kind=REGISTRATION&state=DONE")).await, std::slice::from_ref(&submission));
        assert!(listed(&county, "state=UNDER_WAY").await.is_empty() && listed(&people.clerk, "").await.is_empty());
        assert_eq!(reason(people.clerk.get(&format!("/v1/enrollmentDossiers/{submission}")).await), (404, "NOT_FOUND".into()));
        assert_eq!(reason(people.clerk.get(&format!("/v1/enrollmentDossiers?school={COUNTY_SCHOOL}")).await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.clerk.get("/v1/enrollmentDossiers?kind=NONE").await), (400, "INVALID_ARGUMENT".into()));
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_leaves_out_nobody_and_where_it_begins_with_a_department_its_rows_wait_there() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        let people = schools::open(&deployment).await;
        let from = deployment.today().to_string();
        let province = people.open_account("province", "DEPARTMENT_OFFICER", "430000", PASSWORD).await;
        let chain = |kind: &str, steps: &str| json!({ "kind": kind, "scope": SCHOOL, "fromDate": from, "steps": steps, "reason": "试点" });
        for kind in ["REGISTRATION", "NEVER_CAME"] {
            for steps in ["AUTHORITY", "PRINCIPAL", "AUTHORITY NOTES", "PRINCIPAL, AUTHORITY NOTES"] {
                let refused = people.admin.post("/v1/enrollmentChains", &chain(kind, steps), "").await;
                assert_eq!(reason(refused), (400, "INVALID_ARGUMENT".into()), "{engine:?} {kind} {steps}");
            }
        }
        people.admin.post("/v1/enrollmentChains", &chain("REGISTRATION", "PROVINCE, PRINCIPAL, AUTHORITY"), "").await.expect("is set");
        people.import(&[student(1)]).await;
        let made = submit(&people).await;
        let path = format!("/v1/schools/{SCHOOL}/submissions/{}", id(&made, "submission"));
        let row = people.clerk.get(&path).await.expect("is there");
        assert_eq!((&row["state"], &row["step"], &row["waitsAuthority"]), (&json!("ATTESTED"), &json!(1), &json!("430000")), "{row}");
        let rows = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.expect("rows");
        assert_eq!(rows["enrollments"][0]["state"], "ATTESTED", "{engine:?}: the row says what its submission says");
        let signed = json!({ "digest": made["digest"] });
        assert_eq!(reason(people.head.post(&format!("{path}/attest"), &signed, "").await), (400, "WRONG_STATE".into()));
        province.post(&format!("{path}/approve"), &signed, "").await.expect("is signed");
        people.head.post(&format!("{path}/attest"), &signed, "").await.expect("is attested");
        let row = people.officer.post(&format!("{path}/approve"), &signed, "").await.expect("is approved");
        assert_eq!((&row["state"], &row["approved"], &row["attestedBy"]), (&json!("DONE"), &json!(1), &json!("head")), "{row}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_desk_hands_over_is_hurried_sends_back_and_the_school_recalls() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.open_account("headtwo", "PRINCIPAL", SCHOOL, PASSWORD).await;
        people.import(&[student(1), student(2)]).await;
        let first = id(&submit(&people).await, "submission");
        let inbox = &people.head.get("/v1/enrollmentInbox").await.expect("an inbox")["inbox"];
        assert_eq!((&inbox["waitingCount"], &inbox["itemCount"], &inbox["waiting"][0]["dueDate"]), (&json!(1), &json!(2), &json!("2026-10-29")), "{inbox}");
        let asked = &people.clerk.get("/v1/enrollmentInbox").await.expect("an inbox")["inbox"];
        assert_eq!((&asked["waitingCount"], &asked["asked"][0]["dossier"]), (&json!(0), &json!(first)), "{asked}");

        // Once a day; the school alone; and told at the desk.
        assert_eq!(reason(act(&people.officer, &first, "nudge", json!({})).await), (403, "FORBIDDEN".into()));
        act(&people.clerk, &first, "nudge", json!({})).await.expect("is hurried");
        assert_eq!(reason(act(&people.clerk, &first, "nudge", json!({})).await), (400, "WRONG_STATE".into()));
        deployment.step_to("2026-10-16".parse().expect("a date")).await.expect("steps");
        let nudged = act(&people.clerk, &first, "nudge", json!({})).await.expect("is hurried again");
        assert_eq!((&nudged["nudges"], &nudged["nudgedDate"]), (&json!(2), &json!("2026-10-16")));
        assert_eq!(reason(act(&people.head, &first, "handOver", json!({ "account": "officer" })).await), (400, "INVALID_ARGUMENT".into()));
        assert_eq!(reason(act(&people.officer, &first, "handOver", json!({ "account": "officer" })).await), (400, "WRONG_STATE".into()));
        let handed = act(&people.head, &first, "handOver", json!({ "account": "headtwo" })).await.expect("is handed over");
        assert_eq!(handed["holderName"], "headtwo");

        // What waited too long is shown above, and overdue.
        deployment.step_to("2026-11-20".parse().expect("a date")).await.expect("steps");
        let inbox = &people.officer.get("/v1/enrollmentInbox").await.expect("an inbox")["inbox"];
        assert_eq!((&inbox["belowCount"], &inbox["below"][0]["dossier"], &inbox["below"][0]["overdue"]), (&json!(1), &json!(first), &json!(true)), "{inbox}");

        // The school takes it back: the rows are the clerk's.
        assert_eq!(reason(act(&people.head, &first, "recall", json!({ "reason": "漏了一人" })).await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(act(&people.clerk, &first, "recall", json!({ "reason": " " })).await), (400, "INVALID_ARGUMENT".into()));
        let recalled = act(&people.clerk, &first, "recall", json!({ "reason": "漏了一人" })).await.expect("is recalled");
        assert_eq!((&recalled["state"], &recalled["left"]), (&json!("RECALLED"), &json!(2)));
        let drafts = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?state=DRAFT")).await.expect("a list");
        assert_eq!(drafts["enrollments"].as_array().map(Vec::len), Some(2), "{engine:?}");
        let list = people.clerk.get(&format!("/v1/schools/{SCHOOL}/submissions?state=DONE")).await.expect("a list");
        assert_eq!((&list["submissions"][0]["submission"], &list["submissions"][0]["count"]), (&json!(first), &json!(0)), "nothing in it waits");

        // One is sent back and comes again, with its history; the other is refused.
        let second = submit(&people).await;
        let (digest, second) = (second["digest"].clone(), id(&second, "submission"));
        let sent = people.path_of(1).await.rsplit('/').next().expect("an id").to_owned();
        let after = act(&people.head, &second, "sendBack", json!({ "reason": "照片不符", "items": [sent] })).await.expect("is sent back");
        assert_eq!((&after["waiting"], &after["left"], after["digest"] != digest), (&json!(1), &json!(1), true));
        assert_eq!(people.clerk.get(&people.path_of(1).await).await.expect("is there")["sentBackReason"], "照片不符");
        assert_eq!(reason(act(&people.head, &second, "sign", json!({ "digest": digest })).await), (400, "DIGEST_MISMATCH".into()));
        act(&people.head, &second, "sign", json!({ "digest": after["digest"] })).await.expect("is signed");
        assert_eq!(reason(act(&people.clerk, &second, "recall", json!({ "reason": "晚了" })).await), (400, "WRONG_STATE".into()));
        let refused = act(&people.officer, &second, "refuse", json!({ "reason": "不符合招生条件" })).await.expect("is refused");
        assert_eq!((&refused["state"], &refused["left"]), (&json!("RETURNED"), &json!(2)));
        let sheet = people.clerk.get(&format!("/v1/enrollmentDossiers/{second}/items?state=SENT_BACK")).await.expect("a sheet");
        assert_eq!((sheet["items"].as_array().map(Vec::len), &sheet["items"][0]["reason"]), (Some(1), &json!("照片不符")), "{sheet}");
        let ids = json!({ "enrollments": [sent] });
        let third = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &ids, "").await.expect("comes again");
        assert_eq!(listed(&people.clerk, &format!("item={sent}")).await, [id(&third, "submission"), second, first], "newest first");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_came_is_asked_for_by_the_school_or_ordered_by_the_department() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2), student(3)]).await;
        people.register().await;
        let [gone, stayed, ordered] = [people.path_of(1).await, people.path_of(2).await, people.path_of(3).await];
        let ask = async |who: &Session, path: &str| who.post(&format!("{path}/askNeverCame"), &json!({ "reason": "电话联系：已去外省" }), "").await;
        assert_eq!(reason(ask(&people.officer, &gone).await), (403, "FORBIDDEN".into()), "the department orders");
        let asked = ask(&people.clerk, &gone).await.expect("is asked for");
        assert_eq!((&asked["kind"], &asked["waitsAt"], &asked["state"]), (&json!("NEVER_CAME"), &json!("校长"), &json!("UNDER_WAY")), "{asked}");
        assert_eq!(reason(ask(&people.clerk, &gone).await), (400, "WRONG_STATE".into()), "one is under way");
        assert_eq!(people.clerk.get(&gone).await.expect("is there")["state"], "IN_SCHOOL");
        let request = id(&asked, "dossier");
        // A name that is put right meanwhile changes nothing of what is asked.
        let right = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "name": "王对", "reason": "核对户口簿" });
        people.officer.post(&format!("{gone}/correctIdentity"), &right, "").await.expect("is corrected");
        act(&people.head, &request, "sign", json!({ "digest": asked["digest"] })).await.expect("is signed");
        assert_eq!(reason(act(&people.head, &request, "sign", json!({ "digest": asked["digest"] })).await), (400, "WRONG_STATE".into()));
        let done = act(&people.officer, &request, "sign", json!({ "digest": asked["digest"] })).await.expect("is performed");
        assert_eq!((&done["state"], &done["performed"], &done["history"][0]["reason"]), (&json!("DONE"), &json!(1), &json!("电话联系：已去外省")), "{done}");
        let void = people.clerk.get(&gone).await.expect("is there");
        assert_eq!((&void["state"], &void["periods"][0]["reason"]), (&json!("NEVER_CAME"), &json!("电话联系：已去外省")), "{void}");

        // Who takes leave meanwhile was there: it can't be done, and stays until it is sent back.
        let asked = ask(&people.clerk, &stayed).await.expect("is asked for");
        let request = id(&asked, "dossier");
        people.clerk.post(&format!("{stayed}/leave"), &json!({ "effectiveDate": "2026-10-08", "reason": "病假" }), "").await.expect("is recorded");
        act(&people.head, &request, "sign", json!({ "digest": asked["digest"] })).await.expect("is signed");
        let left = act(&people.officer, &request, "sign", json!({ "digest": asked["digest"] })).await.expect("is answered");
        assert_eq!((&left["state"], &left["waiting"], &left["performed"]), (&json!("UNDER_WAY"), &json!(1), &json!(0)), "{left}");
        let sheet = people.clerk.get(&format!("/v1/enrollmentDossiers/{request}/items")).await.expect("a sheet");
        assert_eq!((&sheet["items"][0]["refusal"], &sheet["items"][0]["state"]), (&json!("WRONG_STATE"), &json!("WAITING")), "{sheet}");
        let back = act(&people.officer, &request, "sendBack", json!({ "reason": "该生曾到校" })).await.expect("is sent back");
        assert_eq!((&back["state"], &people.clerk.get(&stayed).await.expect("is there")["state"]), (&json!("RETURNED"), &json!("ON_LEAVE")));

        // The department orders it: at once, and the principal takes note. What the school asks for is decided by it, wherever it waits.
        let asked = id(&ask(&people.clerk, &ordered).await.expect("is asked for"), "dossier");
        let from = deployment.today().to_string();
        let chain = |steps: &str| json!({ "kind": "NEVER_CAME", "scope": SCHOOL, "fromDate": from, "steps": steps, "reason": "省级复核" });
        people.admin.post("/v1/enrollmentChains", &chain("PRINCIPAL, AUTHORITY, PROVINCE"), "").await.expect("is set");
        let early = people.officer.post(&format!("{ordered}/neverCame"), &json!({ "reason": "学校报告" }), "").await;
        assert_eq!(reason(early), (400, "WRONG_STATE".into()), "{engine:?}: where the province decides too, the school asks");
        assert_eq!(dossier(&people.clerk, &asked).await["state"], "UNDER_WAY", "{engine:?}");
        people.admin.post("/v1/enrollmentChains", &chain(""), "").await.expect("is set to what holds above");
        let voided = people.officer.post(&format!("{ordered}/neverCame"), &json!({ "reason": "学校报告" }), "").await.expect("is recorded");
        assert_eq!(voided["state"], "NEVER_CAME");
        let overtaken = dossier(&people.clerk, &asked).await;
        assert_eq!((&overtaken["state"], &overtaken["left"]), (&json!("RETURNED"), &json!(1)), "{overtaken}");
        let last = &overtaken["history"][1];
        assert_eq!((&last["act"], &last["name"], &last["reason"]), (&json!("REFUSE"), &json!("officer"), &json!("已由主管部门直接办理")), "{overtaken}");
        let inbox = &people.head.get("/v1/enrollmentInbox").await.expect("an inbox")["inbox"];
        let order = id(&inbox["waiting"][0], "dossier");
        assert_eq!(reason(act(&people.officer, &order, "note", json!({})).await), (400, "WRONG_STATE".into()));
        let noted = act(&people.head, &order, "note", json!({ "remark": "知悉" })).await.expect("is noted");
        assert_eq!(noted["state"], "DONE");
        assert_eq!(acts(&noted).iter().map(|(act, name)| (act.as_str(), name.as_str())).collect::<Vec<_>>(), [("ORDER", "officer"), ("NOTE", "head")]);
        assert_eq!(listed(&people.clerk, "kind=NEVER_CAME").await.len(), 4, "{engine:?}");
        deployment.stop().await;
    }
}

/// A sheet is read class by class, beside the same class a term before; what is to be seen of a line stands with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_read_by_class_beside_the_same_class_a_term_before() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let in_class = |serial: u32, class: &str, month: &str| {
            let mut row = student(serial);
            row.insert("班级名称".into(), class.into());
            row.insert("入学年月".into(), month.into());
            row
        };
        // Two were there a term before, one of them left before the last day of it; a third came in autumn.
        people.import(&[in_class(1, "1班", "202509"), in_class(2, "1班", "202509"), in_class(3, "2班", "202609")]).await;
        people.register().await;
        people.withdraw(&number(2), "2026-06-10").await;
        deployment.drain().await.expect("drains");
        people.import(&[in_class(4, "2班", "202609"), in_class(5, "1班", "202609"), in_class(6, "1班", "202609")]).await;
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let path = format!("/v1/enrollmentDossiers/{}", made["submission"].as_str().expect("an id"));
        let dossier = people.head.get(&path).await.expect("a dossier");
        let class = |name: &str, count: i64, before: i64| json!({ "className": name, "count": count, "waiting": count, "before": before });
        let told = |dossier: &Value| {
            let zero = |value: &Value| value.as_i64().unwrap_or_default();
            let row =
                |row: &Value| json!({ "className": row["className"], "count": row["count"], "waiting": zero(&row["waiting"]), "before": zero(&row["before"]) });
            dossier["classes"].as_array().expect("classes").iter().map(row).collect::<Vec<_>>()
        };
        assert_eq!(told(&dossier), [class("1班", 2, 1), class("2班", 1, 0)], "{engine:?}");
        assert_eq!(dossier["comparedWith"], "上学期末（2026-07-31）在籍", "{engine:?}");
        let names = |page: &Value| page["items"].as_array().cloned().unwrap_or_default().iter().map(|item| item["name"].clone()).collect::<Vec<_>>();
        let of = async |query: &str| people.head.get(&format!("{path}/items?{query}")).await.expect("lines");
        let page = of("className=1%E7%8F%AD&pageNumber=1").await;
        assert_eq!((names(&page).len(), &page["totalSize"], &page["items"][0]["className"]), (2, &json!(2), &json!("1班")), "{engine:?} {page}");
        assert_eq!(names(&of("className=3%E7%8F%AD").await).len(), 0, "{engine:?}");
        let classes: Vec<Value> = of("").await["items"].as_array().expect("lines").iter().map(|item| item["className"].clone()).collect();
        assert_eq!(classes, [json!("1班"), json!("1班"), json!("2班")], "{engine:?}: class by class");

        // A list of the term before, approved; then this term's, with one whom nobody knows.
        let list = async |term: &str| {
            let lists = format!("/v1/schools/{SCHOOL}/awardLists");
            let made = people.clerk.post(&lists, &json!({ "scheme": "GRANT", "term": term }), "").await.expect("a list");
            format!("{lists}/{}", made["list"].as_str().expect("an id"))
        };
        let spring = list("2026-SPRING").await;
        people.clerk.post(&format!("{spring}/propose"), &json!({}), "").await.expect("is proposed");
        people.attested(&spring).await;
        let approved = people.approve(&spring).await.expect("is approved");
        assert_eq!(approved["approved"], 2, "{engine:?} {approved}");
        let autumn = list("2026-AUTUMN").await;
        people.clerk.post(&format!("{autumn}/propose"), &json!({}), "").await.expect("is proposed");
        people.clerk.upload(&format!("{autumn}/import"), schools::awards(&[("王无名", &number(301), "")]), "").await.expect("is answered");
        let submitted = people.clerk.post(&format!("{autumn}/submit"), &json!({}), "").await.expect("is submitted");
        let path = format!("/v1/aidDossiers/{}", submitted["dossiers"][0].as_str().expect("a round"));
        let dossier = people.head.get(&path).await.expect("a dossier");
        assert_eq!(told(&dossier), [class("", 1, 0), class("1班", 1, 2), class("2班", 1, 0)], "{engine:?}");
        assert_eq!(dossier["comparedWith"], "上学期审核通过", "{engine:?}");
        let page = people.head.get(&format!("{path}/items")).await.expect("lines");
        let marked: Vec<(Value, Value)> = page["items"].as_array().expect("lines").iter().map(|item| (item["name"].clone(), item["marks"].clone())).collect();
        let unknown = marked.iter().find(|(name, _)| name == "王无名").expect("is on it");
        assert_eq!((&unknown.1[0]["text"], &unknown.1[0]["holds"]), (&json!("无学籍"), &json!(true)), "{engine:?} {marked:?}");
        assert_eq!(marked.iter().filter(|(_, marks)| marks.as_array().is_some_and(|marks| !marks.is_empty())).count(), 1, "{engine:?} {marked:?}");
        let flag = unknown.1[0]["flag"].as_str().expect("an id");
        assert_eq!(people.head.get(&format!("/v1/flags/{flag}")).await.expect("a flag")["name"], "王无名", "{engine:?}");
        // What was cleared is a doubt no more.
        let seen = people.officer.get(&format!("/v1/flags/{flag}")).await.expect("a flag");
        let clear = json!({ "reason": "已核对", "etag": seen["etag"] });
        people.officer.post(&format!("/v1/flags/{flag}/clear"), &clear, "").await.expect("is cleared");
        let page = people.head.get(&format!("{path}/items")).await.expect("lines");
        assert!(page["items"].as_array().expect("lines").iter().all(|item| item["marks"].as_array().is_none_or(Vec::is_empty)), "{engine:?} {page}");
        // Approved, the sheet says what it said when it was signed: who came with it is not what it is compared with.
        people.import(&[in_class(7, "1班", "202509"), in_class(8, "1班", "202509")]).await;
        let late = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let id = late["submission"].as_str().expect("an id");
        let submission = format!("/v1/schools/{SCHOOL}/submissions/{id}");
        let befores = async || {
            let dossier = people.head.get(&format!("/v1/enrollmentDossiers/{id}")).await.expect("a dossier");
            told(&dossier).iter().map(|class| class["before"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(befores().await, [json!(1)], "{engine:?}");
        let attested = people.head.post(&format!("{submission}/attest"), &json!({ "digest": late["digest"] }), "").await.expect("is attested");
        people.officer.post(&format!("{submission}/approve"), &json!({ "digest": attested["digest"] }), "").await.expect("is approved");
        assert_eq!(befores().await, [json!(1)], "{engine:?}");
        deployment.stop().await;
    }
}

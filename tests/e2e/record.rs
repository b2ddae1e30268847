//! One student whole over REST: typed by hand by the checks of a file, kept up by the school, read with what was done.

use std::collections::HashMap;

use serde_json::{Value, json};
use xuezhu::client::{Refused, Session};
use xuezhu_domain::{codes::COLUMNS, record::KEPT};
use xuezhu_tests::{
    Engine, deployment,
    schools::{self, OTHER, SCHOOL, number, reason, student},
};

fn columns(row: &HashMap<String, String>) -> Value {
    COLUMNS.iter().filter_map(|column| Some(json!({ "header": column.header, "value": row.get(column.header)? }))).collect()
}

fn typed(columns: &[(&str, &str)]) -> Value {
    columns.iter().map(|(header, value)| json!({ "header": header, "value": value })).collect()
}

/// Fields at fault.
fn fields<T: std::fmt::Debug>(answer: anyhow::Result<T>) -> String {
    let error = answer.expect_err("must be refused");
    assert!(error.downcast_ref::<Refused>().is_some(), "{error:?}");
    format!("{error:#}")
}

async fn record(who: &Session, path: &str) -> Value {
    who.get(&format!("{path}/record")).await.expect("a record")
}

/// A column of a record.
fn column<'r>(record: &'r Value, header: &str) -> &'r Value {
    let groups = record["groups"].as_array().expect("groups").iter();
    let found = groups.flat_map(|group| group["columns"].as_array().expect("columns")).find(|column| column["header"] == header);
    found.unwrap_or_else(|| panic!("no {header}"))
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one draft, from an empty form to the desk")]
async fn a_draft_is_typed_and_changed_by_the_checks_of_a_file() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let path = format!("/v1/schools/{SCHOOL}/enrollments");
        let whole = |row: &HashMap<String, String>| json!({ "columns": columns(row) });

        // What is wrong is told by column, all of it where it is only checked, and nothing is written.
        let mut wrong = student(1);
        wrong.insert("身份证件号".into(), "430102201001020000".into());
        wrong.insert("民族".into(), "汉".into());
        wrong.remove("联系电话");
        let checked = people.clerk.post(&path, &json!({ "columns": columns(&wrong), "validateOnly": true }), "").await.expect("is checked");
        let mut told: Vec<(&str, &str)> =
            checked["problems"].as_array().expect("a list").iter().map(|fault| (fault["column"].as_str().unwrap(), fault["code"].as_str().unwrap())).collect();
        told.sort_unstable();
        assert_eq!(told, [("民族", "NOT_IN_LIST"), ("联系电话", "REQUIRED"), ("身份证件号", "ID_CHECK_CHARACTER")], "{engine:?} {checked}");
        let answer = people.clerk.post(&path, &whole(&wrong), "").await;
        assert_eq!(answer.as_ref().expect_err("is refused").downcast_ref::<Refused>().map(|refused| refused.status), Some(400));
        let said = fields(answer);
        assert!(["身份证件号", "民族", "联系电话", "汉族"].iter().all(|part| said.contains(part)), "{engine:?} {said}");
        for (who, body, refused) in [
            (&people.clerk, json!({ "columns": typed(&[("身高", "180")]) }), (400, "INVALID_ARGUMENT")),
            (&people.clerk, json!({ "columns": typed(&[("姓名", "王甲"), ("姓名", "王乙")]) }), (400, "INVALID_ARGUMENT")),
            (&people.clerk, json!({ "columns": [] }), (400, "INVALID_ARGUMENT")),
            (&people.head, whole(&student(1)), (403, "FORBIDDEN")),
            (&people.officer, whole(&student(1)), (403, "FORBIDDEN")),
            (&people.other, whole(&student(1)), (403, "FORBIDDEN")),
            (&people.machine, whole(&student(1)), (403, "MACHINE_ENTRY_FORBIDDEN")),
        ] {
            let (status, why) = reason(who.post(&path, &body, "").await);
            assert_eq!((status, why.as_str()), refused, "{engine:?} {body}");
        }
        assert_eq!(people.clerk.get(&path).await.expect("a list")["totalSize"], 0, "{engine:?}");

        // Entered, as a file would enter it: the same file changes nothing.
        let made = people.clerk.post(&path, &whole(&student(1)), "once").await.expect("is entered");
        assert_eq!((&made["enrollment"]["state"], &made["doubts"]), (&json!("DRAFT"), &json!([])), "{engine:?} {made}");
        assert_eq!(people.clerk.post(&path, &whole(&student(1)), "once").await.expect("is answered again"), made, "{engine:?}");
        assert_eq!(reason(people.clerk.post(&path, &whole(&student(2)), "once").await).1, "REQUEST_ID_REUSED");
        assert_eq!(people.import(&[student(1)]).await["rowsUnchanged"], 1, "{engine:?}");
        // Whoever is there already is told as in an import: by number, by 学号, at another school.
        let said = fields(people.clerk.post(&path, &whole(&student(1)), "").await);
        assert!(said.contains("身份证件号") && said.contains("已有该生的记录"), "{engine:?} {said}");
        let mut same = student(3);
        same.insert("学号".into(), "S0001".into());
        let said = fields(people.clerk.post(&path, &whole(&same), "").await);
        assert!(said.contains("学号") && said.contains("另一名学生"), "{engine:?} {said}");
        let there = people.other.post(&format!("/v1/schools/{OTHER}/enrollments"), &whole(&student(1)), "").await.expect("is entered");
        assert_eq!(there["doubts"][0]["code"], "ELSEWHERE", "{engine:?} {there}");

        // Changed: what is not sent stays, what is blank goes, what comes back masked stays.
        let draft = people.path_of(1).await;
        let edit = format!("{draft}/edit");
        let shown = record(&people.clerk, &draft).await;
        let etag = shown["enrollment"]["etag"].clone();
        let masked: Vec<(&str, &str)> =
            ["身份证件号", "出生日期", "成员1联系电话"].map(|header| (header, column(&shown, header)["value"].as_str().expect("a text"))).into();
        let change = typed(&[&masked[..], &[("班级名称", "2班"), ("学号", ""), ("家庭电话", "0731-88881234")]].concat());
        let body = json!({ "columns": change, "etag": etag });
        let changed = people.clerk.post(&edit, &body, "twice").await.expect("is changed");
        assert_eq!((&changed["enrollment"]["className"], &changed["enrollment"]["schoolNumber"]), (&json!("2班"), &json!("")), "{engine:?}");
        assert_eq!(people.clerk.post(&edit, &body, "twice").await.expect("is answered again"), changed, "{engine:?}");
        assert_eq!(reason(people.clerk.post(&edit, &body, "").await), (409, "CONFLICT".into()), "{engine:?}: another version by now");
        let mut file = student(1);
        file.extend([("班级名称", "2班"), ("学号", ""), ("家庭电话", "0731-88881234")].map(|(header, value)| (header.to_owned(), value.to_owned())));
        assert_eq!(people.import(&[file]).await["rowsUnchanged"], 1, "{engine:?}: it is what a file would have made of it");
        for (columns, part) in [
            (typed(&[("出生日期", "20091231")]), "出生日期"),
            (typed(&[("姓名", "")]), "姓名"),
            (typed(&[("专业简称", "烹饪")]), "专业简称"),
            (typed(&[("身高", "1")]), "身高"),
        ] {
            let said = fields(people.clerk.post(&edit, &json!({ "columns": columns }), "").await);
            assert!(said.contains(part), "{engine:?} {said}");
        }
        assert_eq!(reason(people.clerk.post(&edit, &json!({ "columns": typed(&[("班级名称", "2班")]) }), "").await), (400, "NOTHING_TO_DO".into()));
        let checked = people.clerk.post(&edit, &json!({ "columns": typed(&[("班级名称", "")]), "validateOnly": true }), "").await.expect("is checked");
        assert_eq!((&checked["problems"][0]["column"], &checked["enrollment"]), (&json!("班级名称"), &Value::Null), "{engine:?} {checked}");
        // Number, name and 学号 at once: it is known whose record it is. Not to somebody else's.
        people.clerk.post(&path, &whole(&student(5)), "").await.expect("is entered");
        let body = |row: &HashMap<String, String>| json!({ "columns": columns(row) });
        let said = fields(people.clerk.post(&edit, &body(&student(5)), "").await);
        assert!(said.contains("身份证件号") && said.contains("学号"), "{engine:?} {said}");
        let changed = people.clerk.post(&edit, &body(&student(6)), "").await.expect("is changed");
        assert_eq!(
            (&changed["enrollment"]["name"], &changed["enrollment"]["enrollment"]),
            (&json!(student(6)["姓名"]), &made["enrollment"]["enrollment"]),
            "{engine:?}"
        );
        for who in [&people.head, &people.officer, &people.other] {
            assert_eq!(reason(who.post(&edit, &json!({ "columns": typed(&[("班级名称", "3班")]) }), "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        }
        let elsewhere = edit.replace(SCHOOL, OTHER);
        for validate in [false, true] {
            let body = json!({ "columns": typed(&[("班级名称", "3班")]), "validateOnly": validate });
            assert_eq!(reason(people.other.post(&elsewhere, &body, "").await), (404, "NOT_FOUND".into()), "{engine:?}");
        }

        // At a desk nobody edits it; sent back it is the clerk's again, and a draft once it was edited.
        let made = people.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let three = json!({ "columns": typed(&[("班级名称", "3班")]) });
        assert_eq!(reason(people.clerk.post(&edit, &three, "").await), (400, "WRONG_STATE".into()), "{engine:?}");
        assert_eq!(column(&record(&people.clerk, &draft).await, "班级名称")["changedBy"], "FIXED", "{engine:?}");
        let back = format!("/v1/schools/{SCHOOL}/submissions/{}/sendBack", made["submission"].as_str().expect("an id"));
        people.head.post(&back, &json!({ "reason": "班级有误" }), "").await.expect("is sent back");
        assert_eq!(people.clerk.get(&draft).await.expect("is there")["sentBackReason"], "班级有误");
        let changed = people.clerk.post(&edit, &three, "").await.expect("is changed");
        assert_eq!((&changed["enrollment"]["state"], &changed["enrollment"]["className"]), (&json!("DRAFT"), &json!("3班")), "{engine:?}");
        let approved = people.register().await;
        assert_eq!(approved["approved"], 1, "{engine:?} {approved}");
        assert_eq!(reason(people.clerk.post(&edit, &three, "").await), (400, "WRONG_STATE".into()), "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_whole_masked_and_says_what_was_done() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let mut row = student(1);
        row.extend([("成员1身份证件类型", "居民身份证"), ("成员1出生年月", "198001")].map(|(header, value)| (header.to_owned(), value.to_owned())));
        row.insert("成员1身份证件号".into(), number(40));
        row.insert("家庭现地址".into(), "某街3号".into());
        people.import(&[row.clone()]).await;
        let path = people.path_of(1).await;
        let draft = record(&people.clerk, &path).await;
        let all: Vec<&str> = KEPT.iter().map(|kept| kept.group).collect();
        let groups = draft["groups"].as_array().expect("groups");
        let count: usize = groups.iter().map(|group| group["columns"].as_array().map_or(0, Vec::len)).sum();
        assert_eq!((count, groups[0]["name"].as_str()), (COLUMNS.len(), Some(all[0])), "{engine:?}");
        assert!(groups.iter().flat_map(|group| group["columns"].as_array().expect("a list")).all(|column| column["changedBy"] == "DRAFT"), "{engine:?}");
        assert_eq!(draft["history"], json!([]), "{engine:?}");
        people.register().await;
        let id = json!({ "kind": "MISTYPED", "effectiveDate": "2026-09-01", "name": "王对", "reason": "核对户口簿" });
        people.officer.post(&format!("{path}/correctIdentity"), &id, "").await.expect("is corrected");
        let class = json!({ "effectiveDate": "2026-10-10", "className": "2班", "reason": "编班" });
        people.clerk.post(&format!("{path}/changeClass"), &class, "").await.expect("is recorded");
        let contacts = json!({ "columns": typed(&[("联系电话", "13912340000"), ("成员1联系电话", "13988887777"), ("家庭现地址", "某路9号")]) });
        people.clerk.post(&format!("{path}/contacts"), &contacts, "").await.expect("is changed");

        let whole = record(&people.clerk, &path).await;
        for (header, value, masked, by) in [
            ("姓名", "王对", false, "CORRECTION"),
            ("身份证件号", &format!("**************{}", &number(1)[14..]), true, "CORRECTION"),
            ("出生日期", "2010****", true, "CORRECTION"),
            ("班级名称", "2班", false, "STATUS_CHANGE"),
            ("专业简称", "现代农艺技术", false, "STATUS_CHANGE"),
            ("联系电话", "13912340000", false, "CONTACT"),
            ("家庭现地址", "某路9号", false, "CONTACT"),
            ("成员1联系电话", "*******7777", true, "CONTACT"),
            ("成员1身份证件号", "******", true, "CONTACT"),
            ("户口性质", "农业户口", false, "DOSSIER"),
            ("学制", "三年制", false, "FIXED"),
            ("成员2姓名", "", false, "CONTACT"),
        ] {
            let column = column(&whole, header);
            assert_eq!((&column["value"], &column["masked"], &column["changedBy"]), (&json!(value), &json!(masked), &json!(by)), "{engine:?} {header}");
        }
        let lines: Vec<(&str, &str, &str, &str)> = (whole["history"].as_array().expect("a list").iter())
            .map(|line| ["kind", "date", "actor", "text"].map(|field| line[field].as_str().expect("a text")).into())
            .collect();
        assert_eq!(
            lines,
            [
                (
                    "CONTACTS",
                    "2026-10-15",
                    "clerk",
                    "联系电话：13900000001 → 13912340000；家庭现地址：某街3号 → 某路9号；成员1联系电话：*******0000 → *******7777"
                ),
                ("CLASS", "2026-10-10", "clerk", "1班 → 2班；编班"),
                ("IDENTITY", "2026-09-01", "officer", &format!("原姓名：{}；核对户口簿", student(1)["姓名"])),
                ("STATUS", "2026-09-01", "officer", "现代农艺技术，1班；入学"),
            ],
            "{engine:?}"
        );
        // Who may not see whole numbers there is shown nothing that leads to somebody.
        let above = people.open_account("province", "DEPARTMENT_OFFICER", "430000", schools::PASSWORD).await;
        assert_eq!(reason(people.admin.get(&format!("{path}/record")).await), (403, "FORBIDDEN".into()));
        for who in [&above, &people.machine] {
            let shown = record(who, &path).await.to_string();
            for secret in ["13912340000", "13900000001", "7777", "某路", "某街", "王家长", &number(1)[6..14], &number(40)[14..]] {
                assert!(!shown.contains(secret), "{engine:?} {secret}: {shown}");
            }
        }
        let shown = record(&people.officer, &path).await.to_string();
        for number in [number(1), number(40), row["成员1联系电话"].clone()] {
            assert!(!shown.contains(&number), "{engine:?}: {shown}");
        }
        assert_eq!(reason(people.other.get(&format!("{path}/record")).await), (403, "FORBIDDEN".into()));
        assert_eq!(reason(people.other.get(&format!("{}/record", path.replace(SCHOOL, OTHER))).await), (404, "NOT_FOUND".into()));
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_school_keeps_contacts_of_approved_students_and_nothing_that_carries_money() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        people.import(&[student(1), student(2)]).await;
        let (path, left) = (people.path_of(1).await, people.path_of(2).await);
        let contacts = format!("{path}/contacts");
        let mail = json!({ "columns": typed(&[("电子信箱/其他联系方式", "a@example.cn")]) });
        assert_eq!(reason(people.clerk.post(&contacts, &mail, "").await), (400, "WRONG_STATE".into()), "{engine:?}: a draft is edited");
        people.register().await;
        deployment.drain().await.expect("drains");
        let positions = async || {
            deployment.drain().await.expect("drains");
            people.officer.get("/v1/mirror").await.expect("is told")["position"].clone()
        };
        let before = (people.clerk.get(&path).await.expect("is there"), positions().await);
        let changed = people.clerk.post(&contacts, &mail, "once").await.expect("is changed");
        assert_ne!(changed["enrollment"]["etag"], before.0["etag"], "{engine:?}");
        assert_eq!(people.clerk.post(&contacts, &mail, "once").await.expect("is answered again"), changed, "{engine:?}");
        assert_eq!(reason(people.clerk.post(&contacts, &mail, "").await), (400, "NOTHING_TO_DO".into()), "{engine:?}");
        let other = json!({ "columns": typed(&[("家庭邮政编码", "410000")]), "etag": before.0["etag"] });
        assert_eq!(reason(people.clerk.post(&contacts, &other, "").await), (409, "CONFLICT".into()), "{engine:?}");
        for (columns, part) in [
            (typed(&[("户口性质", "非农业户口")]), "涉助信息变更"),
            (typed(&[("姓名", "王乙")]), "主管部门"),
            (typed(&[("班级名称", "9班")]), "调班"),
            (typed(&[("学制", "二年制")]), "不再变更"),
            (typed(&[("联系电话", "不详")]), "电话号码"),
            (typed(&[("联系电话", "")]), "必填"),
            (typed(&[("成员1关系", "路人")]), "可选值"),
            (typed(&[("身高", "180")]), "没有这一列"),
            (typed(&[("成员2职务", "工人\n城乡分类代码=121")]), "不能换行"),
            (typed(&[("家庭现地址", "某街5号，电话*******5678")]), "整栏重新填写"),
        ] {
            let said = fields(people.clerk.post(&contacts, &json!({ "columns": columns }), "").await);
            assert!(said.contains(part), "{engine:?} {said}");
        }
        for who in [&people.head, &people.officer, &people.other] {
            assert_eq!(reason(who.post(&contacts, &other, "").await), (403, "FORBIDDEN".into()), "{engine:?}");
        }
        assert_eq!(reason(people.other.post(&contacts.replace(SCHOOL, OTHER), &mail, "").await), (404, "NOT_FOUND".into()), "{engine:?}");
        // It is a change of the columns that are kept: the workbook that says the same changes nothing, and the feed tells nothing.
        let mut file = student(1);
        file.insert("电子信箱/其他联系方式".into(), "a@example.cn".into());
        assert_eq!(people.import(&[file]).await["rowsUnchanged"], 1, "{engine:?}");
        assert_eq!(positions().await, before.1, "{engine:?}");
        // A class teacher keeps up those of her classes, and of nobody else.
        let teacher = people.open_account("teacher", "CLASS_TEACHER", SCHOOL, schools::PASSWORD).await;
        let letters = json!({ "columns": typed(&[("家庭邮政编码", "410001")]) });
        assert_eq!(reason(teacher.post(&contacts, &letters, "").await), (404, "NOT_FOUND".into()), "{engine:?}: nobody's class yet");
        let class = json!({ "className": "1班", "account": "teacher", "fromDate": "2026-10-01" });
        people.clerk.post(&format!("/v1/schools/{SCHOOL}/classTeachers"), &class, "").await.expect("is set");
        let kept = teacher.post(&contacts, &letters, "").await.expect("is kept up");
        assert_ne!(kept["enrollment"]["etag"], changed["enrollment"]["etag"], "{engine:?}");
        people.withdraw(&number(2), "2026-10-10").await;
        assert_eq!(reason(people.clerk.post(&format!("{left}/contacts"), &mail, "").await), (400, "WRONG_STATE".into()), "{engine:?}");
        deployment.stop().await;
    }
}

async fn act(who: &Session, dossier: &str, verb: &str, body: Value) -> anyhow::Result<Value> {
    who.post(&format!("/v1/enrollmentDossiers/{dossier}/{verb}"), &body, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_carries_money_changes_over_the_desks_and_holds_from_its_day() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-10".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        // 护理 is no agricultural major: who is of a town is entitled to nothing.
        let town = |serial: u32| {
            let mut row = student(serial);
            row.extend(
                [("专业简称", "护理"), ("户口性质", "非农业户口"), ("学生居住地类型", "城市")].map(|(header, value)| (header.to_owned(), value.to_owned())),
            );
            row
        };
        people.import(&[town(1), town(2)]).await;
        people.register().await;
        people.import(&[town(3)]).await;
        let (path, other, draft) = (people.path_of(1).await, people.path_of(2).await, people.path_of(3).await);
        let body = |columns: &[(&str, &str)], from: &str| json!({ "columns": typed(columns), "effectiveDate": from, "reason": "户口簿" });
        let right = body(&[("户口性质", "农业户口"), ("户口所在地行政区划码", "430103")], "2026-09-10");
        let call = |path: &str| format!("{path}/askAidFactsChange");
        for (who, path, body, refused) in [
            (&people.head, &path, right.clone(), (403, "FORBIDDEN")),
            (&people.officer, &path, right.clone(), (403, "FORBIDDEN")),
            (&people.other, &path, right.clone(), (403, "FORBIDDEN")),
            (&people.machine, &path, right.clone(), (403, "MACHINE_ENTRY_FORBIDDEN")),
            (&people.other, &path.replace(SCHOOL, OTHER), right.clone(), (404, "NOT_FOUND")),
            (&people.clerk, &draft, right.clone(), (400, "WRONG_STATE")),
            (&people.clerk, &path, body(&[("户口性质", "非农业户口")], "2026-10-05"), (400, "NOTHING_TO_DO")),
            (&people.clerk, &path, body(&[("联系电话", "13900001111")], "2026-10-05"), (400, "INVALID_ARGUMENT")),
            (&people.clerk, &path, body(&[("户口性质", "不详的户口")], "2026-10-05"), (400, "INVALID_ARGUMENT")),
            (&people.clerk, &path, body(&[("户口性质", "农业户口")], "2026-10-11"), (400, "INVALID_ARGUMENT")),
            (&people.clerk, &path, body(&[("户口性质", "农业户口")], "2026-08-31"), (400, "INVALID_ARGUMENT")),
            (&people.clerk, &path, json!({ "columns": right["columns"], "effectiveDate": "2026-10-05" }), (400, "INVALID_ARGUMENT")),
            (&people.clerk, &path, json!({ "columns": right["columns"], "effectiveDate": "2026-10-05", "reason": "户口簿", "etag": "1" }), (409, "CONFLICT")),
        ] {
            let (status, why) = reason(who.post(&call(path), &body, "").await);
            assert_eq!((status, why.as_str()), refused, "{engine:?} {body}");
        }
        let made = people.clerk.post(&call(&path), &right, "once").await.expect("is asked for");
        assert_eq!((&made["kind"], &made["waitsAt"], &made["state"]), (&json!("AID_FACTS_CHANGE"), &json!("校长"), &json!("UNDER_WAY")), "{engine:?} {made}");
        assert_eq!(people.clerk.post(&call(&path), &right, "once").await.expect("is answered again"), made, "{engine:?}");
        assert_eq!(reason(people.clerk.post(&call(&path), &right, "").await), (400, "WRONG_STATE".into()), "{engine:?}: it is under way");
        let dossier = made["dossier"].as_str().expect("an id").to_owned();
        let evidence = format!("/v1/enrollmentDossiers/{dossier}/evidence?name=a.pdf");
        people.clerk.upload(&evidence, crate::evidence::scan("户口簿"), "").await.expect("is added");
        let sheet = people.officer.get(&format!("/v1/enrollmentDossiers/{dossier}/items")).await.expect("a sheet").to_string();
        assert!(sheet.contains("户口性质：非农业户口 → 农业户口") && sheet.contains("天心区") && !sheet.contains("430103"), "{engine:?} {sheet}");
        assert_eq!(column(&record(&people.clerk, &path).await, "户口性质")["value"], "非农业户口", "{engine:?}: not before it is signed");
        let digest = async |dossier: &str| people.clerk.get(&format!("/v1/enrollmentDossiers/{dossier}")).await.expect("a dossier")["digest"].clone();
        let sign = async |who: &Session, dossier: &str| act(who, dossier, "sign", json!({ "digest": digest(dossier).await })).await;
        assert_eq!(reason(sign(&people.officer, &dossier).await), (400, "WRONG_STATE".into()), "{engine:?}: the principal is first");
        sign(&people.head, &dossier).await.expect("is signed");
        let before = people.clerk.get(&path).await.expect("is there");
        let done = sign(&people.officer, &dossier).await.expect("is signed");
        assert_eq!((&done["state"], &done["performed"]), (&json!("DONE"), &json!(1)), "{engine:?} {done}");

        // It holds from its day on; what was until then stays said.
        let whole = record(&people.clerk, &path).await;
        assert_eq!(
            (&column(&whole, "户口性质")["value"], &column(&whole, "户口所在地行政区划码")["value"]),
            (&json!("农业户口"), &json!("430103")),
            "{engine:?}"
        );
        assert_ne!(whole["enrollment"]["etag"], before["etag"], "{engine:?}");
        let periods: Vec<(&str, &str)> = (whole["enrollment"]["periods"].as_array().expect("a story").iter())
            .map(|period| (period["from"].as_str().expect("a day"), period["state"].as_str().expect("a state")))
            .collect();
        assert_eq!(periods, [("2026-09-01", "IN_SCHOOL"), ("2026-09-10", "IN_SCHOOL")], "{engine:?}");
        let line = &whole["history"][0];
        let text = "户口所在地行政区划码：430102 → 430103；户口性质：非农业户口 → 农业户口；户口簿";
        assert_eq!((&line["kind"], &line["date"], &line["text"]), (&json!("AID_FACTS"), &json!("2026-09-10"), &json!(text)), "{engine:?}");
        let mut file = town(1);
        file.extend([("户口性质", "农业户口"), ("户口所在地行政区划码", "430103")].map(|(header, value)| (header.to_owned(), value.to_owned())));
        assert_eq!(people.import(&[file]).await["rowsUnchanged"], 1, "{engine:?}");

        // Sent back, nothing changed, and it may be asked for again; who left meanwhile keeps what they had.
        let asked = people.clerk.post(&call(&other), &body(&[("户口性质", "农业户口")], "2026-09-01"), "").await.expect("is asked for");
        act(&people.head, asked["dossier"].as_str().expect("an id"), "sendBack", json!({ "reason": "材料不全" })).await.expect("is sent back");
        let asked = people.clerk.post(&call(&other), &body(&[("户口性质", "农业户口")], "2026-09-01"), "").await.expect("is asked for again");
        let dossier = asked["dossier"].as_str().expect("an id");
        sign(&people.head, dossier).await.expect("is signed");
        people.withdraw(&number(2), "2026-10-08").await;
        let left = sign(&people.officer, dossier).await.expect("is answered");
        assert_eq!((&left["state"], &left["performed"]), (&json!("UNDER_WAY"), &json!(0)), "{engine:?} {left}");
        assert_eq!(column(&record(&people.clerk, &other).await, "户口性质")["value"], "非农业户口", "{engine:?}");

        // The judge hears of it, and goes by what held on the day that the term is counted: who was rural by then is entitled, and on no list.
        deployment.step_to("2026-12-20".parse().expect("a date")).await.expect("steps");
        deployment.drain().await.expect("drains");
        let flags = people.officer.get("/v1/flags?rule=MISSING_AWARD&pageSize=100").await.expect("flags");
        let names: Vec<&str> = flags["flags"].as_array().expect("a list").iter().filter_map(|flag| flag["name"].as_str()).collect();
        assert_eq!(names, [student(1)["姓名"].as_str()], "{engine:?}");
        let flag = people.officer.get(&format!("/v1/flags/{}", flags["flags"][0]["flag"].as_str().expect("an id"))).await.expect("a flag");
        assert_eq!((&flag["evidence"]["entitledBy"], &flag["evidence"]["entitledOn"]), (&json!("RURAL"), &json!("HOUSEHOLD")), "{engine:?} {flag}");

        // That it was put right says not that somebody was ever there.
        let void = people.officer.post(&format!("{path}/neverCame"), &json!({ "reason": "学校报告：一直未报到" }), "").await.expect("is recorded");
        let periods: Vec<&Value> = void["periods"].as_array().expect("a story").iter().map(|period| &period["state"]).collect();
        assert_eq!((&void["state"], &periods[..]), (&json!("NEVER_CAME"), &[&json!("NEVER_CAME")][..]), "{engine:?} {void}");
        deployment.stop().await;
    }
}

/// Who enters students beside others, by hand or by a file, takes turns: a 学号 is given once.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_enter_one_school_number_at_once_one_does() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = deployment(engine, folder.path(), "none").await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let path = format!("/v1/schools/{SCHOOL}/enrollments");
        let rows: Vec<HashMap<String, String>> = (1..=8)
            .map(|serial| {
                let mut row = student(serial);
                row.insert("学号".into(), "S0001".into());
                row
            })
            .collect();
        let (by_hand, by_file) = rows.split_at(6);
        let typed = by_hand.iter().map(|row| async { people.clerk.post(&path, &json!({ "columns": columns(row) }), "").await.map(drop) });
        let sent = by_file.iter().map(|row| async {
            let report = people.clerk.upload(&format!("{path}/import"), schools::workbook(std::slice::from_ref(row)), "").await.expect("is answered");
            anyhow::ensure!(report["rowsNew"] == 1, "{report}");
            Ok(())
        });
        let (typed, sent) = tokio::join!(futures_util::future::join_all(typed), futures_util::future::join_all(sent));
        let done = typed.iter().chain(&sent).filter(|answer| answer.is_ok()).count();
        let there = people.clerk.get(&format!("{path}?query=S0001")).await.expect("students");
        assert_eq!((done, there["totalSize"].as_i64()), (1, Some(1)), "{engine:?} {typed:?} {sent:?}");
        deployment.stop().await;
    }
}

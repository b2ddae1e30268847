//! A small school with its people, ready to work, over REST.

use std::collections::HashMap;

use rust_xlsxwriter::Workbook;
use serde_json::{Value, json};
use xuezhu::{
    client::{Refused, Session},
    deployment::Deployment,
};
use xuezhu_domain::{codes::COLUMNS, identity::check_character};

/// The school.
pub const SCHOOL: &str = "3643000001";
/// Another one, under the same department.
pub const OTHER: &str = "3643000002";
/// The password that all have.
pub const PASSWORD: &str = "Pass-2026x";

/// Who works there.
pub struct People {
    /// Administrator.
    pub admin: Session,
    /// The school's clerk.
    pub clerk: Session,
    /// The school's principal.
    pub head: Session,
    /// The department's officer.
    pub officer: Session,
    /// The other school's clerk.
    pub other: Session,
    /// Another system.
    pub machine: Session,
}

/// Opens two schools and their accounts.
pub async fn open(deployment: &Deployment) -> People {
    let one_time = deployment.admin_password().map(str::to_owned).expect("a new deployment has a first administrator");
    let people = open_at(&format!("http://{}", deployment.http), &one_time).await;
    deployment.drain().await.expect("aid knows the schools");
    people
}

/// The same at an address, with the first administrator's one-time password.
pub async fn open_at(base: &str, one_time: &str) -> People {
    let admin = Session::log_in(base, "admin", one_time).await.expect("logs in").change_password(one_time, PASSWORD).await.expect("changes the password");
    for code in [SCHOOL, OTHER] {
        let majors = json!([{ "catalogue": "2010", "code": "010200" }, { "catalogue": "2010", "code": "100100" }]);
        let body = json!({ "code": code, "name": format!("学校{code}"), "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": majors });
        admin.post("/v1/schools", &body, "").await.expect("a school is entered");
    }
    let open = async |account: &str, role: &str, organisation: &str| {
        let body = json!({ "account": account, "displayName": account, "role": role, "organisation": organisation });
        let made = admin.post("/v1/accounts", &body, "").await.expect("an account is opened");
        let one_time = made["oneTimePassword"].as_str().expect("a password");
        let session = admin.with_log_in(account, one_time).await.expect("logs in");
        session.change_password(one_time, PASSWORD).await.expect("changes the password")
    };
    People {
        clerk: open("clerk", "SCHOOL_CLERK", SCHOOL).await,
        head: open("head", "PRINCIPAL", SCHOOL).await,
        officer: open("officer", "DEPARTMENT_OFFICER", "430100").await,
        other: open("other", "SCHOOL_CLERK", OTHER).await,
        machine: open("machine", "MACHINE_READER", "430000").await,
        admin,
    }
}

/// Status and reason with which something was refused.
pub fn reason<T: std::fmt::Debug>(answer: anyhow::Result<T>) -> (u16, String) {
    let error = answer.expect_err("must be refused");
    let refused = error.downcast_ref::<Refused>().unwrap_or_else(|| panic!("{error:?}"));
    (refused.status, refused.reason.clone())
}

/// A student's number: valid, of a person born in 2010.
pub fn number(serial: u32) -> String {
    let body = format!("4301022010{:02}{:02}{:03}", 1 + serial / 28 % 12, 1 + serial % 28, 100 + serial % 800);
    format!("{body}{}", check_character(&body).expect("digits"))
}

/// A right row of the workbook.
pub fn student(serial: u32) -> HashMap<String, String> {
    let number = number(serial);
    let male = (number.as_bytes()[16] - b'0') % 2 == 1;
    let name = format!("王{}", char::from_u32(0x4f00 + serial % 3000).unwrap_or('一'));
    [
        ("姓名", name.as_str()),
        ("性别", if male { "男" } else { "女" }),
        ("出生日期", &number[6..14]),
        ("身份证件类型", "居民身份证"),
        ("身份证件号", &number),
        ("班级名称", "1班"),
        ("学号", &format!("S{serial:04}")),
        ("学生类别", "普通中专学生"),
        ("学习形式", "全日制"),
        ("入学方式", "统一招生考试/普通入学"),
        ("就读方式", "住校"),
        ("国籍/地区", "中国"),
        ("港澳台侨外", "非港澳台侨"),
        ("是否随迁子女", "否"),
        ("生源地行政区划码", "430102"),
        ("户口所在地区县以下详细地址", "某街"),
        ("户口所在地行政区划码", "430102"),
        ("户口性质", "农业户口"),
        ("学生居住地类型", "农村"),
        ("入学年月", "202609"),
        ("专业简称", "现代农艺技术"),
        ("学制", "三年制"),
        ("民族", "汉族"),
        ("政治面貌", "群众"),
        ("健康状况", "健康或良好"),
        ("学生来源", "应届"),
        ("招生对象", "应届初中毕业生"),
        ("联系电话", &format!("139{serial:08}")),
        ("是否建档立卡贫困户", "否"),
        ("招生方式", "统一招生"),
        ("联招合作类型", "非联合办学"),
        ("成员1姓名", "王家长"),
        ("成员1关系", "父亲"),
        ("成员1是否监护人", "是"),
        ("成员1联系电话", "13900000000"),
    ]
    .into_iter()
    .map(|(header, value)| (header.to_owned(), value.to_owned()))
    .collect()
}

/// A right row of somebody who is entitled to the waiver, and not to the grant: rural, and outside agriculture.
pub fn nurse(serial: u32) -> HashMap<String, String> {
    let mut row = student(serial);
    row.insert("专业简称".into(), "护理".into());
    row
}

/// A workbook of rows, in the real layout.
#[expect(clippy::implicit_hasher, reason = "rows are made here")]
pub fn workbook(rows: &[HashMap<String, String>]) -> Vec<u8> {
    let mut book = Workbook::new();
    book.add_worksheet().write(0, 0, "填写说明").expect("writes");
    let sheet = book.add_worksheet();
    for (column, header) in (0..).zip(COLUMNS.iter().map(|column| column.header)) {
        sheet.write(2, column, header).expect("writes");
        for (line, row) in (3..).zip(rows) {
            sheet.write(line, column, row.get(header).map_or("", String::as_str)).expect("writes");
        }
    }
    book.save_to_buffer().expect("a workbook")
}

/// A list of awards as CSV: name, number, months.
pub fn awards(lines: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut text = String::from("姓名,身份证件类型,身份证件号,月份,档次,银行卡号,备注\n");
    for (name, number, months) in lines {
        text.push_str(&format!("{name},居民身份证,{number},\"{months}\",,,\n"));
    }
    text.into_bytes()
}

impl People {
    /// The same people, logged in where they were opened before.
    pub async fn at(base: &str) -> Self {
        let admin = Session::log_in(base, "admin", PASSWORD).await.expect("logs in");
        Self {
            clerk: admin.with_log_in("clerk", PASSWORD).await.expect("logs in"),
            head: admin.with_log_in("head", PASSWORD).await.expect("logs in"),
            officer: admin.with_log_in("officer", PASSWORD).await.expect("logs in"),
            other: admin.with_log_in("other", PASSWORD).await.expect("logs in"),
            machine: admin.with_log_in("machine", PASSWORD).await.expect("logs in"),
            admin,
        }
    }

    /// Uploads students at the school.
    pub async fn import(&self, rows: &[HashMap<String, String>]) -> Value {
        self.clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), workbook(rows), "").await.expect("an import is answered")
    }

    /// Opens an account and logs in with a password of its own.
    pub async fn open_account(&self, account: &str, role: &str, organisation: &str, password: &str) -> Session {
        let body = json!({ "account": account, "displayName": account, "role": role, "organisation": organisation });
        let made = self.admin.post("/v1/accounts", &body, "").await.expect("an account is opened");
        let one_time = made["oneTimePassword"].as_str().expect("a password");
        let session = self.admin.with_log_in(account, one_time).await.expect("logs in");
        session.change_password(one_time, password).await.expect("changes the password")
    }

    /// The path of a student of the school, found by the whole number.
    pub async fn path_of(&self, serial: u32) -> String {
        let found = self.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(serial))).await.expect("is found");
        format!("/v1/schools/{SCHOOL}/enrollments/{}", found["enrollments"][0]["enrollment"].as_str().expect("an id"))
    }

    /// Submits all drafts, attests and approves; returns the submission as it is then.
    pub async fn register(&self) -> Value {
        let made = self.clerk.post(&format!("/v1/schools/{SCHOOL}/submissions"), &json!({ "allDrafts": true }), "").await.expect("is submitted");
        let path = format!("/v1/schools/{SCHOOL}/submissions/{}", made["submission"].as_str().expect("an id"));
        self.head.post(&format!("{path}/attest"), &json!({ "digest": made["digest"] }), "").await.expect("is attested");
        self.officer.post(&format!("{path}/approve"), &json!({ "digest": made["digest"] }), "").await.expect("is approved")
    }

    /// Opens a grant list of this autumn with these lines; returns its path.
    pub async fn list(&self, lines: &[(&str, &str, &str)]) -> String {
        let term = "2026-AUTUMN";
        let made = self.clerk.post(&format!("/v1/schools/{SCHOOL}/awardLists"), &json!({ "scheme": "GRANT", "term": term }), "").await.expect("a list");
        let path = format!("/v1/schools/{SCHOOL}/awardLists/{}", made["list"].as_str().expect("an id"));
        let report = self.clerk.upload(&format!("{path}/import"), awards(lines), "").await.expect("is answered");
        assert_eq!(report["rowsFaulty"], 0, "{report}");
        path
    }

    /// Submits a list and attests it; returns it as it is then.
    pub async fn attested(&self, list: &str) -> Value {
        let submitted = self.clerk.post(&format!("{list}/submit"), &json!({}), "").await.expect("is submitted");
        self.head.post(&format!("{list}/attest"), &json!({ "digest": submitted["digest"] }), "").await.expect("is attested")
    }

    /// All students of the school ask for the grant of a term in writing.
    pub async fn all_ask(&self, term: &str, signed: &str) -> Value {
        let body = json!({ "scheme": "GRANT", "term": term, "kind": "APPLICATION", "signer": "BOTH", "signedDate": signed });
        self.clerk.post(&format!("/v1/schools/{SCHOOL}/statements"), &body, "").await.expect("is recorded")
    }

    /// A student does not want the grant of a term, in writing; the id of the statement.
    pub async fn waives(&self, serial: u32, term: &str, signed: &str) -> String {
        let found = self.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={}", number(serial))).await.expect("is found");
        let path = format!("/v1/schools/{SCHOOL}/statements");
        let (person, class) = (&found["enrollments"][0]["person"], found["enrollments"][0]["className"].as_str().unwrap_or_default());
        let body = json!({ "scheme": "GRANT", "term": term, "kind": "WAIVER", "signer": "BOTH", "signedDate": signed, "persons": [person] });
        self.clerk.post(&path, &body, "").await.expect("is recorded");
        let told = self.clerk.get(&format!("{path}?scheme=GRANT&term={term}&className={class}")).await.expect("statements");
        let said = told["statements"].as_array().into_iter().flatten().find(|row| row["person"] == *person).expect("is told");
        said["statement"].as_str().expect("an id").to_owned()
    }

    /// Approves what can be approved of a list.
    pub async fn approve(&self, list: &str) -> anyhow::Result<Value> {
        let row = self.officer.get(list).await?;
        self.officer.post(&format!("{list}/approve"), &json!({ "digest": row["digest"] }), "").await
    }

    /// The path of a student's enrollment.
    pub async fn enrollment(&self, number: &str) -> String {
        let found = self.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?query={number}")).await.expect("is found");
        format!("/v1/schools/{SCHOOL}/enrollments/{}", found["enrollments"][0]["enrollment"].as_str().expect("an id"))
    }

    /// Records that a student leaves on a day.
    pub async fn withdraw(&self, number: &str, day: &str) {
        let path = self.enrollment(number).await;
        self.clerk.post(&format!("{path}/withdraw"), &json!({ "effectiveDate": day, "reason": "转出" }), "").await.expect("is recorded");
    }

    /// Names of the students whom enrollment forgot, in order, of those that wait.
    pub async fn forgotten(&self) -> Vec<String> {
        let answer = self.officer.get("/v1/forgottenRecords?pageSize=1000").await.expect("records");
        let mut names: Vec<String> = answer["records"].as_array().expect("a list").iter().filter_map(|row| row["name"].as_str().map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// Rules and names of the flags that are open, in order.
    pub async fn open_flags(&self) -> Vec<(String, String)> {
        let answer = self.officer.get("/v1/flags?state=OPEN&pageSize=1000").await.expect("flags");
        let text = |flag: &Value, field: &str| flag[field].as_str().unwrap_or_default().to_owned();
        let mut flags: Vec<_> = answer["flags"].as_array().expect("a list").iter().map(|flag| (text(flag, "rule"), text(flag, "name"))).collect();
        flags.sort();
        flags
    }
}

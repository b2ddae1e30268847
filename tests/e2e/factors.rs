//! What beside a password lets somebody in: a second factor, and a second person who knows whose the account is.

use std::path::Path;

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};
use xuezhu::{
    client::Session,
    deployment::{Deployment, system_clock},
};
use xuezhu_service::settings::Settings;
use xuezhu_store::run;
use xuezhu_tests::{
    Engine, deployment_on, postgres,
    schools::{self, PASSWORD, SCHOOL, reason},
};

use crate::browser::Browser;

/// An authenticator: each code that it shows is another one.
struct Authenticator {
    secret: Secret,
    last: u64,
}

impl Authenticator {
    fn of(begun: &Value) -> Self {
        let secret = Secret::try_from_base32(begun["secret"].as_str().expect("a secret")).expect("base 32");
        Self { secret, last: 0 }
    }

    /// A code that was not shown yet; three within half a minute.
    fn code(&mut self) -> String {
        let now = u64::try_from(system_clock().now_us() / 30_000_000).expect("after 1970");
        self.last = (now - 1).max(self.last + 1);
        self.shown(self.last)
    }

    fn shown(&self, step: u64) -> String {
        Builder::new().with_secret(self.secret.clone()).build_noncompliant().generate(step * 30).to_string()
    }
}

async fn started(engine: Engine, folder: &Path, settings: Settings) -> Deployment {
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    deployment_on(databases, folder, "none", settings).await
}

/// Opens an account; its one-time password.
async fn opened(by: &Session, account: &str, role: &str, organisation: &str) -> String {
    let body = json!({ "account": account, "displayName": account, "role": role, "organisation": organisation });
    let made = by.post("/v1/accounts", &body, "").await.expect("is opened");
    made["oneTimePassword"].as_str().expect("a password").to_owned()
}

async fn with_school(admin: &Session) {
    let majors = json!([{ "catalogue": "2010", "code": "100100" }]);
    let body = json!({ "code": SCHOOL, "name": "学校", "region": "430102", "kind": "PUBLIC", "authority": "430100", "majors": majors });
    admin.post("/v1/schools", &body, "").await.expect("a school is entered");
}

/// The first log-in of somebody, who chooses their password.
async fn first(base: &str, account: &str, one_time: &str) -> Session {
    Session::log_in(base, account, one_time).await.expect("logs in").change_password(one_time, PASSWORD).await.expect("changes the password")
}

/// Sets up a second factor; the session in which that ends, and the recovery codes.
async fn set_up(who: &Session) -> (Session, Authenticator, Vec<String>) {
    let begun = who.post("/v1/sessions/secondFactor", &json!({ "password": PASSWORD }), "").await.expect("is proposed");
    let mut authenticator = Authenticator::of(&begun);
    let confirmed = who.post("/v1/sessions/secondFactor/confirm", &json!({ "code": authenticator.code() }), "").await.expect("is confirmed");
    let codes = confirmed["recoveryCodes"].as_array().expect("codes").iter().map(|code| code.as_str().expect("a text").to_owned()).collect();
    (who.with_token(confirmed["accessToken"].as_str().expect("a token")), authenticator, codes)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_needs_a_second_factor_does_nothing_without_one() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = started(engine, folder.path(), Settings { second_factor: true, ..Settings::default() }).await;
        let base = format!("http://{}", deployment.http);
        let admin = first(&base, "admin", deployment.admin_password().expect("a password")).await;
        assert_eq!(reason(admin.get("/v1/accounts").await), (403, "MUST_SET_SECOND_FACTOR".into()), "{engine:?}");
        let standing = admin.get("/v1/sessions/secondFactor").await.expect("is answered");
        assert_eq!((&standing["isRequired"], &standing["isSet"]), (&json!(true), &json!(false)), "{engine:?}");
        // By the password alone nobody sets one up who found a session open, and a code that is none confirms nothing.
        let begin = admin.post("/v1/sessions/secondFactor", &json!({ "password": "Wrong-2026x" }), "").await;
        assert_eq!(reason(begin), (401, "WRONG_PASSWORD".into()), "{engine:?}");
        let confirm = json!({ "code": "000000" });
        assert_eq!(reason(admin.post("/v1/sessions/secondFactor/confirm", &confirm, "").await).1, "WRONG_STATE", "{engine:?}: nothing is proposed");
        let unused = admin.post("/v1/sessions/secondFactor", &json!({ "password": PASSWORD }), "").await.expect("is proposed");
        let old = Authenticator::of(&unused).code();
        let (good, mut authenticator, codes) = set_up(&admin).await;
        assert_eq!(codes.len(), 10, "{engine:?}");
        assert!(good.get("/v1/accounts").await.is_ok(), "{engine:?}");
        assert_eq!(reason(admin.get("/v1/accounts").await).0, 401, "{engine:?}: the session of before is over");

        let enter = async |code: &str| good.with_factors("admin", PASSWORD, code).await;
        assert_eq!(reason(enter("").await), (401, "SECOND_FACTOR_REQUIRED".into()), "{engine:?}");
        assert_eq!(reason(enter(&old).await), (401, "WRONG_CODE".into()), "{engine:?}: of a secret that was never confirmed");
        let code = authenticator.code();
        assert!(enter(&format!("{} {}", &code[..3], &code[3..])).await.is_ok(), "{engine:?}");
        assert_eq!(reason(enter(&code).await), (401, "WRONG_CODE".into()), "{engine:?}: it is good once");
        assert!(enter(&codes[0].to_uppercase()).await.is_ok(), "{engine:?}");
        assert_eq!(reason(enter(&codes[0]).await), (401, "WRONG_CODE".into()), "{engine:?}: a recovery code, too");
        let renew = json!({ "password": PASSWORD, "code": codes[1] });
        let renewed = good.post("/v1/sessions/secondFactor/recoveryCodes", &renew, "").await.expect("are given");
        assert_eq!(reason(enter(&codes[2]).await), (401, "WRONG_CODE".into()), "{engine:?}: those of before are good for nothing");

        // Who signs nothing needs none; whoever stands in for who does, does.
        with_school(&good).await;
        let clerk = first(&base, "clerk", &opened(&good, "clerk", "SCHOOL_CLERK", SCHOOL).await).await;
        assert!(clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.is_ok(), "{engine:?}");
        let (head, ..) = set_up(&first(&base, "head", &opened(&good, "head", "PRINCIPAL", SCHOOL).await).await).await;
        let today = deployment.today().to_string();
        let deputy = json!({ "account": "clerk", "fromDate": today, "toDate": today, "reason": "外出" });
        head.post(&format!("/v1/schools/{SCHOOL}/deputies"), &deputy, "").await.expect("is named");
        let stands_in = clerk.with_log_in("clerk", PASSWORD).await.expect("logs in");
        assert_eq!(reason(stands_in.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await).1, "MUST_SET_SECOND_FACTOR", "{engine:?}");

        // Whoever lost it is helped by another administrator, and never by themselves.
        assert_eq!(reason(good.post("/v1/accounts/admin/resetSecondFactor", &json!({}), "").await).1, "WRONG_STATE", "{engine:?}");
        assert_eq!(reason(good.post("/v1/accounts/clerk/resetSecondFactor", &json!({}), "").await).1, "WRONG_STATE", "{engine:?}: it has none");
        let without = good.post("/v1/accounts/head/resetSecondFactor", &json!({}), "").await.expect("is taken away");
        assert_ne!(without["secondFactor"], json!(true), "{engine:?}");
        assert_eq!(reason(head.get(&format!("/v1/schools/{SCHOOL}/deputies")).await).0, 401, "{engine:?}: its sessions are over");
        let anew = head.with_log_in("head", PASSWORD).await.expect("logs in");
        assert_eq!(reason(anew.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await).1, "MUST_SET_SECOND_FACTOR", "{engine:?}");

        // Taken away in the database, it lets nobody in.
        let [enrollment, _] = deployment.databases();
        let mut tx = enrollment.begin().await.expect("begins");
        run!(&mut tx, "UPDATE accounts SET factor = NULL WHERE account = 'admin'").expect("is changed");
        tx.commit().await.expect("commits");
        let code = renewed["recoveryCodes"][0].as_str().expect("a code");
        for code in ["", code] {
            assert_eq!(reason(enter(code).await).1, "ROW_ALTERED", "{engine:?}");
        }
        deployment.stop().await;
    }
}

/// An act would bind what a hand made of an account, and whoever had a session would go on as that.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_good_what_a_hand_made_of_an_account() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = started(engine, folder.path(), Settings::default()).await;
        let people = schools::open(&deployment).await;
        let begun = people.clerk.post("/v1/sessions/secondFactor", &json!({ "password": PASSWORD }), "").await.expect("is proposed");
        let mut authenticator = Authenticator::of(&begun);
        let [enrollment, _] = deployment.databases();
        let make = async |role: &'static str, organisation: &'static str| {
            let mut tx = enrollment.begin().await.expect("begins");
            run!(&mut tx, "UPDATE accounts SET role = $1, organisation = $2 WHERE account = 'clerk'", role, organisation).expect("is changed by hand");
            tx.commit().await.expect("commits");
        };
        make("ADMINISTRATOR", "").await;
        let confirm = json!({ "code": authenticator.code() });
        let confirmed = people.clerk.post("/v1/sessions/secondFactor/confirm", &confirm, "").await;
        assert_eq!(reason(confirmed).1, "ROW_ALTERED", "{engine:?}: the second factor");
        let changed = people.clerk.change_password(PASSWORD, "Another-Pass7word").await;
        assert_eq!(reason(changed.map(drop)).1, "ROW_ALTERED", "{engine:?}: the password");
        for act in ["resetPassword", "disable"] {
            let acted = people.admin.post(&format!("/v1/accounts/clerk/{act}"), &json!({}), "").await;
            assert_eq!(reason(acted).1, "ROW_ALTERED", "{engine:?}: {act}");
        }
        make("SCHOOL_CLERK", SCHOOL).await;
        people.clerk.post("/v1/sessions/secondFactor/confirm", &confirm, "").await.expect("is confirmed");
        deployment.stop().await;
    }
}

/// A right password between guesses of the code makes them no fewer.
#[tokio::test(flavor = "multi_thread")]
async fn guesses_of_a_code_are_counted_like_those_of_a_password() {
    let folder = tempfile::tempdir().expect("a folder");
    let deployment = started(Engine::Sqlite, folder.path(), Settings::default()).await;
    let base = format!("http://{}", deployment.http);
    let admin = first(&base, "admin", deployment.admin_password().expect("a password")).await;
    let (good, mut authenticator, _) = set_up(&admin).await;
    for guess in 0..4 {
        assert_eq!(reason(good.with_factors("admin", PASSWORD, &format!("00000{guess}")).await).1, "WRONG_CODE");
        assert_eq!(reason(good.with_factors("admin", PASSWORD, "").await).1, "SECOND_FACTOR_REQUIRED");
    }
    assert_eq!(reason(good.with_factors("admin", PASSWORD, "123").await).1, "ACCOUNT_LOCKED");
    assert_eq!(reason(good.with_factors("admin", PASSWORD, &authenticator.code()).await).1, "ACCOUNT_LOCKED");
    deployment.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_is_let_in_by_two_persons() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let deployment = started(engine, folder.path(), Settings { two_persons: true, ..Settings::default() }).await;
        let base = format!("http://{}", deployment.http);
        let made = deployment.admin_passwords.clone();
        assert_eq!(made.iter().map(|(account, _)| *account).collect::<Vec<_>>(), ["admin", "admin2"], "{engine:?}");
        let (one, two) = (first(&base, "admin", &made[0].1).await, first(&base, "admin2", &made[1].1).await);
        with_school(&one).await;
        let confirm = async |who: &Session, accounts: &[&str]| who.post("/v1/unconfirmedAccounts/confirm", &json!({ "accounts": accounts }), "").await;
        let waiting = async |who: &Session| {
            let told = who.get("/v1/unconfirmedAccounts").await.expect("is answered");
            told["accounts"].as_array().map(|all| all.iter().map(|account| account["account"].as_str().expect("a name").to_owned()).collect::<Vec<_>>())
        };
        // The path answers as ever, the log-in does not.
        let mut passwords = Vec::new();
        for (account, role, organisation) in [
            ("head", "PRINCIPAL", SCHOOL),
            ("officer", "DEPARTMENT_OFFICER", "430100"),
            ("elsewhere", "DEPARTMENT_OFFICER", "440100"),
            ("third", "ADMINISTRATOR", ""),
            ("clerk", "SCHOOL_CLERK", SCHOOL),
        ] {
            passwords.push((account, opened(&one, account, role, organisation).await));
        }
        let password = |of: &str| passwords.iter().find(|(account, _)| *account == of).expect("is there").1.clone();
        for account in ["head", "officer", "third"] {
            assert_eq!(reason(one.with_log_in(account, &password(account)).await), (403, "ACCOUNT_UNCONFIRMED".into()), "{engine:?} {account}");
        }
        let clerk = first(&base, "clerk", &password("clerk")).await;
        assert_eq!(waiting(&two).await.expect("some"), ["elsewhere", "head", "officer", "third"], "{engine:?}");
        // Nobody confirms what they opened, nor all where one of them is theirs; who confirms nothing learns of nothing.
        assert_eq!(reason(confirm(&one, &["head"]).await).0, 400, "{engine:?}");
        assert_eq!(reason(confirm(&clerk, &["head"]).await).1, "FORBIDDEN", "{engine:?}");
        assert_eq!(reason(confirm(&clerk, &["nobody"]).await).1, "FORBIDDEN", "{engine:?}");
        assert_eq!(reason(clerk.get("/v1/unconfirmedAccounts").await).1, "FORBIDDEN", "{engine:?}");
        assert_eq!(reason(confirm(&two, &["officer", "nobody"]).await).1, "NOT_FOUND", "{engine:?}");
        assert_eq!(reason(one.with_log_in("officer", &password("officer")).await).1, "ACCOUNT_UNCONFIRMED", "{engine:?}: all or none");
        confirm(&two, &["officer", "elsewhere"]).await.expect("are confirmed");
        let officer = first(&base, "officer", &password("officer")).await;
        let elsewhere = first(&base, "elsewhere", &password("elsewhere")).await;
        // Of a school's accounts its department knows whose they are.
        assert_eq!(reason(confirm(&elsewhere, &["head"]).await).1, "FORBIDDEN", "{engine:?}");
        assert_eq!(reason(confirm(&officer, &["third"]).await).1, "FORBIDDEN", "{engine:?}");
        assert_eq!(waiting(&elsewhere).await.unwrap_or_default(), [""; 0], "{engine:?}");
        assert_eq!(waiting(&officer).await.expect("some"), ["head"], "{engine:?}");
        confirm(&officer, &["head"]).await.expect("is confirmed");
        confirm(&officer, &["head"]).await.expect("is confirmed already");
        let head = first(&base, "head", &password("head")).await;
        assert!(head.get(&format!("/v1/schools/{SCHOOL}/enrollments")).await.is_ok(), "{engine:?}");

        // Whoever stands in for the head signs as one: another password is another one's to confirm.
        let today = deployment.today().to_string();
        let named = json!({ "account": "clerk", "fromDate": today, "toDate": today, "reason": "外出" });
        head.post(&format!("/v1/schools/{SCHOOL}/deputies"), &named, "").await.expect("is named");
        let reset = one.post("/v1/accounts/clerk/resetPassword", &json!({}), "").await.expect("is reset");
        let given = reset["oneTimePassword"].as_str().expect("a password");
        assert_eq!(reason(one.with_log_in("clerk", given).await).1, "ACCOUNT_UNCONFIRMED", "{engine:?}: of a deputy");
        assert_eq!(reason(confirm(&one, &["clerk"]).await).0, 400, "{engine:?}");
        confirm(&officer, &["clerk"]).await.expect("is confirmed");
        assert!(one.with_log_in("clerk", given).await.is_ok(), "{engine:?}");

        // Whoever gives the account another password could log in with it: it waits again.
        let reset = one.post("/v1/accounts/head/resetPassword", &json!({}), "").await.expect("is reset");
        let given = reset["oneTimePassword"].as_str().expect("a password");
        assert_eq!(reason(one.with_log_in("head", given).await).1, "ACCOUNT_UNCONFIRMED", "{engine:?}");
        assert_eq!(reason(confirm(&one, &["head"]).await).0, 400, "{engine:?}");
        confirm(&two, &["head"]).await.expect("is confirmed");
        // One with a second factor is nobody's by the password alone; without the factor, it waits again.
        let (head, ..) = set_up(&first(&base, "head", given).await).await;
        let reset = one.post("/v1/accounts/head/resetPassword", &json!({}), "").await.expect("is reset");
        let given = reset["oneTimePassword"].as_str().expect("a password");
        assert_eq!(reason(head.with_log_in("head", given).await).1, "SECOND_FACTOR_REQUIRED", "{engine:?}");
        one.post("/v1/accounts/head/resetSecondFactor", &json!({}), "").await.expect("is taken away");
        assert_eq!(reason(head.with_log_in("head", given).await).1, "ACCOUNT_UNCONFIRMED", "{engine:?}");

        // Confirmed in the database, it is nobody's.
        let [enrollment, _] = deployment.databases();
        let mut tx = enrollment.begin().await.expect("begins");
        run!(&mut tx, "UPDATE accounts SET unconfirmed_of = '' WHERE account = 'third'").expect("is changed");
        tx.commit().await.expect("commits");
        assert_eq!(reason(one.with_log_in("third", &password("third")).await).1, "ROW_ALTERED", "{engine:?}");
        deployment.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sets_up_codes_in_a_browser_and_a_second_one_confirms_a_principal() {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings { second_factor: true, two_persons: true, ..Settings::default() };
    let deployment = started(Engine::Sqlite, folder.path(), settings).await;
    let base = format!("http://{}", deployment.http);
    let made = deployment.admin_passwords.clone();
    let (one, _, _) = set_up(&first(&base, "admin", &made[0].1).await).await;
    with_school(&one).await;
    opened(&one, "head", "PRINCIPAL", SCHOOL).await;
    first(&base, "admin2", &made[1].1).await;
    let walked: anyhow::Result<()> = async {
        let page = Browser::open(1280, 900).await?;
        page.go(&format!("{base}/login")).await?;
        page.picture("login-code").await?;
        page.log_in(&base, "admin2").await?;
        page.sees("请先在本页设置").await?;
        page.picture("security-first").await?;
        // Nothing else opens.
        page.go(&format!("{base}/accounts")).await?;
        page.sees("请先在本页设置").await?;
        page.type_in("#begin input[name=password]", PASSWORD).await?;
        page.click("#begin button").await?;
        page.sees("密钥").await?;
        page.picture("second-factor").await?;
        let secret = page.script("return document.querySelector('.digest').textContent").await?;
        let mut authenticator = Authenticator::of(&json!({ "secret": secret }));
        page.type_in("#confirm input[name=code]", "000000").await?;
        page.click("#confirm button").await?;
        page.sees("动态码不对").await?;
        page.picture("second-factor-wrong").await?;
        page.type_in("#confirm input[name=code]", &authenticator.code()).await?;
        page.click("#confirm button").await?;
        page.sees("只显示这一次").await?;
        page.picture("recovery-codes").await?;
        page.go(&format!("{base}/accounts/unconfirmed")).await?;
        page.picture("unconfirmed").await?;
        page.click("input[name=accounts]").await?;
        page.click("#confirm button").await?;
        page.sees("已确认1个账号").await?;
        page.picture("unconfirmed-done").await?;
        page.go(&format!("{base}/accounts")).await?;
        page.picture("accounts-factor").await?;
        page.go(&format!("{base}/security")).await?;
        page.picture("security-set").await?;
        page.phone().await?;
        page.fits().await?;
        page.close().await
    }
    .await;
    walked.expect("is walked");
    deployment.stop().await;
}

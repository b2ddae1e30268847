//! An earlier version beside this one: which service is upgraded first loses nothing.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use xuezhu::{
    client::{Refused, Session},
    deployment::key_files,
};
use xuezhu_service::Keyring;
use xuezhu_store::{Db, one};
use xuezhu_tests::{
    apart::Process,
    binary, free_address,
    invented::say_what_nobody_knows,
    postgres, prepare,
    schools::{self, number, student},
    until,
};

/// The binary of an earlier version.
fn older() -> PathBuf {
    PathBuf::from(std::env::var_os("OLDER_VERSION").expect("tests/with-older names it"))
}

/// Where everything is, for whichever version runs it.
struct Place {
    folder: tempfile::TempDir,
    databases: (String, String),
    addresses: [String; 3],
}

impl Place {
    /// Two databases, and the one keyring of before with the files that it is split into.
    async fn new() -> Self {
        prepare();
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("password"), "first-Password1").expect("writes");
        let keyring = folder.path().join("keyring.json");
        let made = Command::new(older()).args(["admin", "keyring"]).arg(&keyring).stdout(Stdio::null()).status().expect("runs");
        assert!(made.success());
        key_files(folder.path()).save(&Keyring::split(&keyring).expect("is split")).expect("saves");
        let databases = (postgres::database().await, postgres::database().await);
        Self { folder, databases, addresses: [free_address(), free_address(), free_address()] }
    }

    fn start(&self, binary: &Path, service: &str) -> Process {
        let [enrollment, aid, http] = &self.addresses;
        let mut command = Command::new(binary);
        command.arg(service).stdout(Stdio::null()).current_dir(self.folder.path());
        let keys = if binary == older() {
            vec![("KEYRING_FILE", self.folder.path().join("keyring.json"))]
        } else {
            let files = key_files(self.folder.path());
            // The older one's lists know no notice: this one's go by a policy without.
            let policy = xuezhu_tests::policy_file("at-once", &xuezhu_tests::AT_ONCE);
            vec![("ENROLLMENT_KEYS_FILE", files.enrollment), ("AID_KEYS_FILE", files.aid), ("POLICY_FILE", policy)]
        };
        command.envs(keys.into_iter().map(|(name, file)| (format!("XUEZHU_{name}"), file)));
        for (name, value) in [
            ("ENROLLMENT_DATABASE_URL", &self.databases.0),
            ("AID_DATABASE_URL", &self.databases.1),
            ("ADMIN_PASSWORD_FILE", &self.folder.path().join("password").display().to_string()),
            ("ENROLLMENT_GRPC_ADDRESS", enrollment),
            ("AID_GRPC_ADDRESS", aid),
            ("HTTP_ADDRESS", http),
            ("ENROLLMENT_URL", &format!("http://{enrollment}")),
            ("AID_URL", &format!("http://{aid}")),
        ] {
            command.env(format!("XUEZHU_{name}"), value);
        }
        Process::start(&mut command)
    }

    fn base(&self) -> String {
        format!("http://{}", self.addresses[2])
    }

    async fn people(&self) -> schools::People {
        let base = self.base();
        // A wrong password is told so by whoever answers; the right one opens one session.
        until("it answers", async || match Session::log_in(&base, "admin", "Not-that-one-1").await {
            Ok(_) => false,
            Err(error) => error.downcast_ref::<Refused>().is_some_and(|refused| refused.status == 401),
        })
        .await;
        schools::open_at(&base, "first-Password1").await
    }
}

async fn last_state(aid: &Db, name: &str) -> Option<i32> {
    let mut tx = aid.read().await.ok()?;
    let found = one!(
        &mut tx,
        (i32,),
        "SELECT p.state FROM mirror_periods p JOIN mirror_enrollments e ON e.enrollment = p.enrollment AND e.generation = p.generation
         WHERE e.claim_name = $1 AND e.generation = (SELECT generation FROM mirror_state) ORDER BY p.ordinal DESC",
        name
    );
    tx.rollback().await.ok()?;
    found.ok()?.map(|(state,)| state)
}

/// Aid is upgraded first: it follows an older enrollment, takes its people's tokens, and hears no difference when that is upgraded.
#[tokio::test(flavor = "multi_thread")]
async fn aid_of_this_version_follows_an_older_enrollment_and_then_the_same_one_upgraded() {
    let place = Place::new().await;
    let mut enrollment = place.start(&older(), "enrollment");
    let (_aid, _gateway) = (place.start(&binary(), "aid"), place.start(&binary(), "gateway"));
    let people = place.people().await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let base = place.base();
    until("aid knows the school", async || people.clerk.get(&format!("/v1/schools/{}/awardLists", schools::SCHOOL)).await.is_ok()).await;
    let list = people.list(&[(&student(1)["姓名"], &number(1), ""), ("李无籍", &number(9), "")]).await;
    people.attested(&list).await;
    let flags = [("NO_ENROLLMENT".to_owned(), "李无籍".to_owned())];
    until("the ghost is found", async || people.open_flags().await == flags).await;
    enrollment.signal("-TERM");
    let _enrollment = place.start(&binary(), "enrollment");
    until("who logs in now is taken by both", async || Session::log_in(&base, "officer", schools::PASSWORD).await.is_ok()).await;
    let people = schools::People::at(&base).await;
    until("aid takes the token", async || people.officer.get("/v1/flags").await.is_ok()).await;
    people.import(&[student(3)]).await;
    people.register().await;
    let aid = Db::open(&place.databases.1).await.expect("opens");
    until("it hears the upgraded one", async || last_state(&aid, &student(3)["姓名"]).await == Some(1)).await;
    assert_eq!(people.open_flags().await, flags);
    let approved = people.approve(&list).await.expect("is approved");
    assert_eq!((&approved["approved"], &approved["heldAttested"]), (&serde_json::json!(1), &serde_json::json!(1)), "{approved}");
}

/// Enrollment was upgraded first: an older aid goes on following it; what that can't read is told in its words as ended, and a kind
/// that it does not know is withheld.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_aid_follows_this_enrollment_and_is_told_what_it_can_not_read_as_ended() {
    let place = Place::new().await;
    let (_enrollment, _aid) = (place.start(&binary(), "enrollment"), place.start(&older(), "aid"));
    let _gateway = place.start(&binary(), "gateway");
    let people = place.people().await;
    people.import(&[student(1), student(2)]).await;
    people.register().await;
    let (source, aid) = (Db::open(&place.databases.0).await.expect("opens"), Db::open(&place.databases.1).await.expect("opens"));
    let (one, two) = (student(1)["姓名"].clone(), student(2)["姓名"].clone());
    until("both are heard", async || last_state(&aid, &one).await == Some(1) && last_state(&aid, &two).await == Some(1)).await;
    say_what_nobody_knows(&source, &one).await;
    until("it is told as ended", async || last_state(&aid, &one).await == Some(3)).await;
    people.import(&[student(3)]).await;
    people.register().await;
    until("what comes after it is heard", async || last_state(&aid, &student(3)["姓名"]).await == Some(1)).await;
    assert_eq!(last_state(&aid, &two).await, Some(1));
}

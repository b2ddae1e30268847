//! How the main calls answer where many ask at once: so many clients, each of which asks again as soon as it was answered, through the gateway, on
//! both engines. What is answered 429 or 503 is counted apart; anything else that is no success ends the measurement. And how an honest log-in is answered
//! beside a flood of wrong ones.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use xuezhu::client::{Refused, Session};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{
    Engine, deployment_on, postgres,
    schools::{self, PASSWORD, People, SCHOOL, number, student, workbook},
};

use crate::{rate, seconds};

/// Clients at once.
const CLIENTS: [usize; 4] = [1, 8, 32, 128];
/// Accounts that they share.
const ACCOUNTS: usize = 16;
/// Students of the list.
const LISTED: u32 = 60;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    LogIn,
    List,
    Flags,
    Withdrawal,
    Import,
}

impl Call {
    /// Log-ins last: they end the sessions under which all else is asked for.
    const ALL: [Self; 5] = [Self::List, Self::Flags, Self::Withdrawal, Self::Import, Self::LogIn];

    fn name(self) -> &'static str {
        match self {
            Self::LogIn => "log-in",
            Self::List => "list, 60 students",
            Self::Flags => "flags, 50",
            Self::Withdrawal => "withdrawal",
            Self::Import => "import of one row",
        }
    }
}

/// What is there to be asked for.
struct World {
    base: String,
    list: String,
    /// Enrollments that nobody has withdrawn yet.
    enrollments: Vec<String>,
    /// Workbooks that nobody has sent yet.
    books: Vec<Vec<u8>>,
    clerks: Vec<Session>,
}

/// Measures `asked` calls of each kind at each number of clients.
pub async fn measure(asked: i64) {
    let asked = usize::try_from(asked).expect("a count");
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let databases = match engine {
            Engine::Sqlite => None,
            Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
        };
        let deployment = deployment_on(databases, folder.path(), "none", Settings::default()).await;
        deployment.step_to("2026-10-15".parse().expect("a date")).await.expect("steps");
        let people = schools::open(&deployment).await;
        let world = Arc::new(world(&people, format!("http://{}", deployment.http), asked).await);
        deployment.drain().await.expect("drains");
        println!("== {engine:?}, {asked} calls of each kind at each number of clients");
        println!("{:<20} {:>7} {:>10} {:>9} {:>9} {:>9} {:>8}", "call", "clients", "a second", "p50 ms", "p99 ms", "most ms", "refused");
        for call in Call::ALL {
            for (round, clients) in CLIENTS.into_iter().enumerate() {
                run(&world, call, clients, (round * asked, asked)).await;
                deployment.drain().await.expect("drains");
            }
        }
        beside_a_flood(&world.base).await;
        deployment.stop().await;
    }
}

async fn world(people: &People, base: String, asked: usize) -> World {
    let students = u32::try_from(asked * CLIENTS.len()).expect("fits");
    people.import(&(0..students).map(student).collect::<Vec<_>>()).await;
    people.register().await;
    let lines: Vec<(String, String)> = (0..LISTED.min(students)).map(|serial| (student(serial)["姓名"].clone(), number(serial))).collect();
    // Under a name that is not theirs: each is flagged.
    let list = people.list(&lines.iter().map(|(_, number)| ("赵错名", number.as_str(), "")).collect::<Vec<_>>()).await;
    people.attested(&list).await;
    let (mut enrollments, mut page) = (Vec::new(), String::new());
    loop {
        let answer = people.clerk.get(&format!("/v1/schools/{SCHOOL}/enrollments?pageSize=500&pageToken={page}")).await.expect("enrollments");
        let found = answer["enrollments"].as_array().into_iter().flatten();
        enrollments.extend(found.map(|one| one["enrollment"].as_str().expect("an id").to_owned()));
        answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
        if page.is_empty() {
            break;
        }
    }
    let books = (students..2 * students).map(|serial| workbook(&[student(serial)])).collect();
    let mut clerks = Vec::new();
    for account in 0..ACCOUNTS {
        clerks.push(people.open_account(&format!("load{account}"), "SCHOOL_CLERK", SCHOOL, PASSWORD).await);
    }
    World { base, list, enrollments, books, clerks }
}

/// Addresses from which wrong passwords come, each as fast as it is answered.
const FLOODING: u8 = 100;
/// Honest log-ins that are timed.
const HONEST: usize = 50;

fn at(address: [u8; 4]) -> reqwest::Client {
    reqwest::Client::builder().local_address(std::net::IpAddr::from(address)).build().expect("a client")
}

async fn log_in(client: &reqwest::Client, base: &str, account: &str, password: &str) -> u16 {
    let sent = client.post(format!("{base}/v1/sessions")).json(&json!({ "account": account, "password": password })).send();
    sent.await.expect("is answered").status().as_u16()
}

/// Honest log-ins one after the other: before a flood of wrong ones, and beside it, from where the account logged in before and from elsewhere.
async fn beside_a_flood(base: &str) {
    let timed = async |what: &str, of: &(dyn Fn(usize) -> ([u8; 4], String) + Sync)| {
        let mut times = Vec::new();
        for nth in 0..HONEST {
            let (address, account) = of(nth);
            let client = at(address);
            let asked = Instant::now();
            assert_eq!(log_in(&client, base, &account, PASSWORD).await, 200, "{what}");
            times.push(asked.elapsed());
        }
        times.sort_unstable();
        let at = |permille: usize| seconds(times[(times.len() - 1) * permille / 1000]) * 1e3;
        println!("{what:<60} p50 {:>7.1} ms   p99 {:>7.1} ms   most {:>7.1} ms", at(500), at(990), at(1000));
    };
    let known = |nth: usize| ([127, 0, 0, 1], format!("load{}", nth % 4));
    // Accounts that nobody guesses at, from addresses from which nobody did.
    let new = |nth: usize| ([127, 0, 9, u8::try_from(nth).unwrap_or(0) + 1], format!("load{}", 4 + nth % 12));
    timed("an honest log-in", &known).await;
    let (guesses, mut flood) = (Arc::new(AtomicUsize::new(0)), tokio::task::JoinSet::new());
    for number in 0..FLOODING {
        let (base, guesses, client) = (base.to_owned(), guesses.clone(), at([127, 0, 2, number + 1]));
        flood.spawn(async move {
            for guess in 0_usize.. {
                let account = if guess % 5 == 4 { "nobody".to_owned() } else { format!("load{}", guess % 5) };
                let status = log_in(&client, &base, &account, &format!("Guess-{guess}-x")).await;
                assert!(matches!(status, 401 | 403 | 429 | 503), "{status}");
                guesses.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (begun, before) = (Instant::now(), guesses.load(Ordering::Relaxed));
    timed(&format!("the same beside a flood from {FLOODING} addresses"), &known).await;
    timed("from a new address beside it, of an account not guessed at", &new).await;
    let came = i64::try_from(guesses.load(Ordering::Relaxed) - before).unwrap_or(i64::MAX);
    println!("wrong ones answered meanwhile: {:.0} a second", rate(came, begun.elapsed()));
    flood.abort_all();
}

/// Asks for one thing; `nth` of its kind.
async fn ask(world: &World, call: Call, nth: usize) -> anyhow::Result<()> {
    let clerk = &world.clerks[nth % ACCOUNTS];
    match call {
        Call::LogIn => Session::log_in(&world.base, &format!("load{}", nth % ACCOUNTS), PASSWORD).await.map(drop),
        Call::List => clerk.get(&format!("{}/entries?pageSize=60", world.list)).await.map(drop),
        Call::Flags => clerk.get("/v1/flags?state=OPEN&pageSize=50").await.map(drop),
        Call::Withdrawal => {
            let path = format!("/v1/schools/{SCHOOL}/enrollments/{}/withdraw", world.enrollments[nth]);
            clerk.post(&path, &json!({ "effectiveDate": "2026-10-14", "reason": "转出" }), "").await.map(drop)
        }
        Call::Import => clerk.upload(&format!("/v1/schools/{SCHOOL}/enrollments/import"), world.books[nth].clone(), "").await.map(drop),
    }
}

/// Asks `count` times from the `first` on.
async fn run(world: &Arc<World>, call: Call, clients: usize, (first, count): (usize, usize)) {
    let next = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let asking = (0..clients).map(|_| {
        let (world, next) = (world.clone(), next.clone());
        tokio::spawn(async move {
            let (mut answered, mut refused) = (Vec::new(), 0_i64);
            loop {
                let nth = next.fetch_add(1, Ordering::Relaxed);
                if nth >= count {
                    return (answered, refused);
                }
                let asked = Instant::now();
                match ask(&world, call, first + nth).await {
                    Ok(()) => answered.push(asked.elapsed()),
                    Err(error) => match error.downcast_ref::<Refused>().map(|refused| refused.status) {
                        Some(429 | 503) => refused += 1,
                        _ => panic!("{call:?} at {clients} clients: {error:?}"),
                    },
                }
            }
        })
    });
    let (mut answered, mut refused) = (Vec::new(), 0);
    for asked in asking.collect::<Vec<_>>() {
        let (these, turned_away) = asked.await.expect("a client ends");
        answered.extend(these);
        refused += turned_away;
    }
    let whole = begun.elapsed();
    answered.sort_unstable();
    let at = |permille: usize| answered.get(answered.len().saturating_sub(1) * permille / 1000).map_or(0.0, |took: &Duration| seconds(*took) * 1e3);
    let a_second = rate(i64::try_from(answered.len()).unwrap_or(i64::MAX), whole);
    println!("{:<20} {clients:>7} {a_second:>10.1} {:>9.1} {:>9.1} {:>9.1} {refused:>8}", call.name(), at(500), at(990), at(1000));
}

//! The full sweep of the real aid process beside one bare anti-join over the same tables.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use sqlx::Row;
use sqlx_postgres::PgPool;
use tonic::transport::Channel;
use xuezhu::deployment::{channel, key_files, system_clock};
use xuezhu_bridge::format::FIRST;
use xuezhu_judge::{
    policy::{
        Policies, Policy,
        file::{BEFORE, BUILT_IN},
    },
    rules,
};
use xuezhu_proto::aid::{
    CreateReconciliationRequest, GetReconciliationRequest, GetTrialRequest, ProposePolicyRequest, RecallDossierRequest, Reconciliation, StartTrialRequest,
    aid_dossier_service_client::AidDossierServiceClient, get_trial_response, policy_service_client::PolicyServiceClient, reconciliation,
    reconciliation_service_client::ReconciliationServiceClient,
};
use xuezhu_service::{Actor, Keyring, Role, token::Tokens};
use xuezhu_store::Db;
use xuezhu_tests::{
    binary, free_address,
    postgres::Cluster,
    province::{self, APPROVED, NAME, SCHOOL},
    until,
};

use crate::{SERVER, log_filter, peak_megabytes, rate, seconds};

/// Term of the entries; its lists are overdue.
const TERM: &str = "2026-SPRING";
/// The anti-join is run this often; the median counts.
const RUNS: usize = 5;

/// Every entry whose number has no approved place at its school: what one would write by hand.
const ANTI_JOIN: &str = "SELECT count(*) FROM award_entries a WHERE NOT EXISTS (
    SELECT 1 FROM mirror_enrollments e WHERE e.generation = 1 AND e.claim_key = a.person_key AND e.school = a.school AND e.stage = 3)";

/// Fills aid's mirror and lists: two entries a student, and on one student of a hundred one of eight faults.
async fn fill(pool: &PgPool, count: i64) {
    let each = format!("FROM generate_series(1, {count}) AS i");
    // Faults by i % 800: 0 ghost, 100 wrong name, 200 listed at another school, 300 left, 400 unconfirmed, 500 twice, 600 not on the
    // waiver's list, 700 not approved yet.
    let entries = |scheme: &str, letter: &str, waiver: bool| {
        let (amount, month) = if waiver { (100_000, 20_000) } else { (115_000, 23_000) };
        format!(
            "INSERT INTO award_entries (entry, list, school, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, sex, birth_date, months,
             first_day, last_day, amount_fen, month_fen, tier, card_tail, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us, recorded_by)
             SELECT md5('{letter}' || i)::uuid, md5('l{scheme}' || at)::uuid, at, '{scheme}', '{TERM}',
                    CASE WHEN i % 800 = 0 THEN md5('x' || i)::uuid ELSE md5('k' || i)::uuid END, '居民身份证', '', '430102********0000', named, named, NULL, NULL,
                    '202603,202604,202605,202606,202607', '2026-03-01', '2026-07-01', {amount}, {month}, '二档', '', '', {APPROVED}, '', '', '2026-03-10', i, 'clerk'
             FROM (SELECT i, CASE WHEN i % 800 = 200 AND NOT {waiver} THEN (3643000000 + (i / 2000 + 1) % ({count} / 2000 + 1))::text ELSE {SCHOOL} END AS at,
                          CASE WHEN i % 800 = 100 THEN '李鬼' ELSE {NAME} END AS named {each}) AS lines
             WHERE NOT ({waiver} AND i % 800 = 600)"
        )
    };
    let indexes = province::drop_indexes(pool).await;
    province::run(
        pool,
        &[
            // Aid runs alone here: it goes by what it heard last of sessions.
            "INSERT INTO sessions (account, from_us) VALUES ('', 0)".into(),
            "UPDATE mirror_state SET generation = 1, last_generation = 1, history = md5('h')::uuid, position = 1, change = md5('c')::uuid".into(),
            format!(
                "INSERT INTO mirror_schools (generation, school, version, name, kind, authority, region, state)
                 SELECT 1, (3643000000 + i)::text, 1, '第' || i || '职业学校', 'PUBLIC', '430100', '430102', 'ACTIVE' FROM generate_series(0, {count} / 2000) AS i"
            ),
            format!(
                "INSERT INTO mirror_persons (generation, person, version, sex, birth_date, registry, digest)
                 SELECT 1, md5('p' || i)::uuid, 1, 1, '2010-01-01', CASE WHEN i % 800 = 400 THEN 3 ELSE 2 END, md5('d' || i)::uuid {each} WHERE i % 800 <> 700"
            ),
            format!(
                "INSERT INTO mirror_person_keys (generation, person, person_key, kind) SELECT 1, md5('p' || i)::uuid, md5('k' || i)::uuid, 1 {each} WHERE i % 800 <> 700"
            ),
            format!(
                "INSERT INTO mirror_person_names (generation, person, ordinal, name, name_comparable, kind) SELECT 1, md5('p' || i)::uuid, 0, {NAME}, {NAME}, 1 {each}
                 WHERE i % 800 <> 700"
            ),
            format!(
                "INSERT INTO mirror_enrollments (generation, enrollment, version, school, stage, claim_key, claim_name, sex, birth_date, person, entry_date, approved_day, digest)
                 SELECT 1, md5('e' || i)::uuid, 1, {SCHOOL}, CASE WHEN i % 800 = 700 THEN 1 ELSE 3 END, md5('k' || i)::uuid, {NAME}, 1, '2010-01-01',
                        CASE WHEN i % 800 <> 700 THEN md5('p' || i)::uuid END, '2026-03-01', CASE WHEN i % 800 <> 700 THEN date '2026-03-15' END, md5('d' || i)::uuid {each}"
            ),
            format!(
                "INSERT INTO mirror_periods (generation, enrollment, ordinal, from_date, to_date, state, class_name, major, study_form, household, residence)
                 SELECT 1, md5('e' || i)::uuid, 0, '2026-03-01', CASE WHEN i % 800 = 300 THEN date '2026-05-10' END, 1, '1班', '2010-010200', '全日制', '农业户口', '农村' {each}
                 WHERE i % 800 <> 700"
            ),
            format!(
                "INSERT INTO mirror_periods (generation, enrollment, ordinal, from_date, state, class_name, major, study_form, household, residence)
                 SELECT 1, md5('e' || i)::uuid, 1, '2026-05-10', 3, '1班', '2010-010200', '全日制', '农业户口', '农村' {each} WHERE i % 800 = 300"
            ),
            "INSERT INTO vouches (generation, person_key, enrollment, ordinal, person, school, name_comparable, from_date, to_date, approved_day)
             SELECT 1, k.person_key, e.enrollment, pe.ordinal, p.person, e.school, n.name_comparable, pe.from_date, coalesce(pe.to_date, date '9999-12-31'), e.approved_day
             FROM mirror_persons p JOIN mirror_person_keys k ON k.person = p.person JOIN mirror_person_names n ON n.person = p.person
             JOIN mirror_enrollments e ON e.person = p.person AND e.stage = 3 JOIN mirror_periods pe ON pe.enrollment = e.enrollment AND pe.state = 1
             WHERE p.registry IN (1, 2)"
                .into(),
            format!(
                "INSERT INTO award_lists (list, school, scheme, term, supplement, state, submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest,
                 approved_by_name, created_at_us)
                 SELECT md5('l' || scheme || (3643000000 + i))::uuid, (3643000000 + i)::text, scheme, '{TERM}', 0, {APPROVED}, true, 'clerk', '', '', '', '', 0
                 FROM generate_series(0, {count} / 2000 + 1) AS i, (VALUES ('GRANT'), ('TUITION_WAIVER')) AS schemes(scheme)"
            ),
            entries("GRANT", "a", false),
            entries("TUITION_WAIVER", "w", true),
            format!(
                "INSERT INTO award_lists (list, school, scheme, term, supplement, state, submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest,
                 approved_by_name, created_at_us)
                 SELECT md5('s' || school)::uuid, school, scheme, term, 1, {APPROVED}, true, 'clerk', '', '', '', '', 0 FROM award_lists WHERE scheme = 'GRANT'"
            ),
            format!(
                "INSERT INTO award_entries (entry, list, school, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, months, first_day, last_day,
                 amount_fen, month_fen, tier, card_tail, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us, recorded_by)
                 SELECT md5('b' || i)::uuid, md5('s' || {SCHOOL})::uuid, {SCHOOL}, 'GRANT', '{TERM}', md5('k' || i)::uuid, '居民身份证', '', '430102********0000', {NAME}, {NAME},
                 '202604,202605', '2026-04-01', '2026-05-01', 46000, 23000, '二档', '', '', {APPROVED}, '', '', '2026-04-01', {count} + i, 'clerk' {each} WHERE i % 800 = 500"
            ),
            // Whoever is on a list or in the mirror was judged when they came in, and has a lock row and a subject.
            "INSERT INTO person_locks (person_key, subject) SELECT person_key, md5(person_key::text)::uuid FROM
             (SELECT person_key FROM award_entries UNION SELECT person_key FROM mirror_person_keys UNION SELECT claim_key FROM mirror_enrollments) AS keys"
                .into(),
            "INSERT INTO person_subjects (person, subject) SELECT person, md5(person_key::text)::uuid FROM mirror_person_keys".into(),
        ],
    )
    .await;
    province::run(pool, &indexes).await;
    // Both sides find in memory what they read: the anti-join runs more than once, the first sweep does not.
    let warm = "SELECT pg_prewarm(c.oid::regclass) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')";
    province::run(pool, &["VACUUM ANALYZE".into(), "CREATE EXTENSION pg_prewarm".into(), warm.into()]).await;
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Measures a first and a repeated sweep over `count` students and twice as many entries.
pub async fn measure(count: i64) {
    let server: Vec<&str> = SERVER.into_iter().chain(["shared_preload_libraries=pg_stat_statements"]).collect();
    let cluster = tokio::task::spawn_blocking(move || Cluster::start(&server)).await.expect("a cluster starts");
    let url = cluster.create("aid").await;
    let db = Db::open(&url).await.expect("opens");
    db.migrate(&xuezhu_aid::MIGRATIONS).await.expect("migrates");
    let pool = PgPool::connect(&url).await.expect("connects");
    fill(&pool, count).await;
    let folder = tempfile::tempdir().expect("a folder");
    let (files, keys) = (key_files(folder.path()), Keyring::generate());
    files.save(&keys).expect("saves");
    // As after any day's wake: the due days that passed were looked at, by what is judged now.
    let today = system_clock().today();
    let policies = Policies::always(Policy::of_before());
    sqlx::query("INSERT INTO woken (only_row, through_day, policy) VALUES (1, $1, $2)")
        .bind(today)
        .bind(rules::standard(&policies, today, FIRST))
        .execute(&pool)
        .await
        .expect("is noted");
    let address = free_address();
    let process = start(&url, &files.aid, &address);
    let token = administrator(&keys.0);
    let mut client = answering(&address, &token).await;

    let plan = sqlx::query(sqlx::AssertSqlSafe(format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {ANTI_JOIN}"))).fetch_all(&pool).await.expect("a plan");
    println!("the bare anti-join over {count} enrollments and {} entries:", entries(&pool).await);
    for line in &plan {
        println!("  {}", line.get::<String, _>(0));
    }
    let mut joins = Vec::new();
    for _ in 0..RUNS {
        let begun = Instant::now();
        sqlx::query(ANTI_JOIN).fetch_one(&pool).await.expect("runs");
        joins.push(begun.elapsed());
    }
    joins.sort_unstable();
    let join = joins[RUNS / 2];
    println!("anti-join, median of {RUNS}   {:>8.3} s", seconds(join));
    for what in ["first", "repeated", "repeated"] {
        let (swept, done) = sweep(&mut client, &token).await;
        let flags: i32 = done.counts.iter().map(|count| count.flags).sum();
        assert_eq!(done.counts.len(), 8, "every rule fires: {:?}", done.counts);
        println!(
            "sweep, {what:<9} {:>8.3} s  {:.2} x the anti-join   {flags} flags, {} judged, {:.0} entries/s",
            seconds(swept),
            seconds(swept) / seconds(join),
            done.judged,
            rate(count * 2, swept)
        );
    }
    try_policies(&address, &keys.0, count).await;
    println!("most memory of the aid process {:.0} MB", peak_megabytes(process.0.id()));
    drop(process);
    // The same again by the policy that comes with the program, which lets in the entitled alone and asks for grants by right.
    let policies = Policies::built_in();
    sqlx::query("UPDATE policies SET content = $1").bind(policies.newest().policy.text()).execute(&pool).await.expect("is another");
    sqlx::query("UPDATE woken SET policy = $1").bind(rules::standard(&policies, today, FIRST)).execute(&pool).await.expect("is noted");
    // That policy asks for the grant to be applied for in writing: everybody has.
    let applied = "INSERT INTO student_statements (statement, school, scheme, term, person_key, name, name_comparable, kind, signer, signed_day, state,
                                                   recorded_day, recorded_at_us, recorded_by, recorded_by_name)
                   SELECT gen_random_uuid(), school, scheme, term, person_key, name, name_comparable, 1, 3, recorded_day, 11, recorded_day, recorded_at_us, '', ''
                   FROM award_entries ON CONFLICT DO NOTHING";
    province::run(&pool, &[applied.into(), "ANALYZE student_statements".into()]).await;
    entitled(&url, &files.aid, &token, ("by who is entitled", join)).await;
    // And with what provinces add: private schools of which some are on no list, in one region, and aid that stops with the month of leaving.
    let policies = Policies::always(Policy::parse(&of_a_province()).expect("is sound"));
    sqlx::query("UPDATE policies SET content = $1").bind(policies.newest().policy.text()).execute(&pool).await.expect("is another");
    sqlx::query("UPDATE woken SET policy = $1").bind(rules::standard(&policies, today, FIRST)).execute(&pool).await.expect("is noted");
    let private = "UPDATE mirror_schools SET kind = 'PRIVATE' WHERE right(school, 1) = '7'";
    province::run(&pool, &[private.into(), "CREATE EXTENSION pg_stat_statements".into(), "SELECT pg_stat_statements_reset()".into()]).await;
    entitled(&url, &files.aid, &token, ("as a province goes", join)).await;
    searches(&pool, join).await;
}

/// Two sweeps by what the database holds for a policy.
async fn entitled(url: &str, keys: &std::path::Path, token: &str, (what, join): (&str, Duration)) {
    let address = free_address();
    let _process = start(url, keys, &address);
    let mut client = answering(&address, token).await;
    for time in ["first", "repeated"] {
        let (swept, done) = sweep(&mut client, token).await;
        let flags: i32 = done.counts.iter().map(|count| count.flags).sum();
        println!(
            "sweep {what}, {time:<9} {:>8.3} s  {:.2} x the anti-join   {flags} flags, {} judged",
            seconds(swept),
            seconds(swept) / seconds(join),
            done.judged
        );
    }
}

/// What comes with the program, with what a province adds: one region, where every second private school is on the list.
fn of_a_province() -> String {
    let listed: Vec<String> = (0..80).filter(|at| at % 20 == 7).map(|at| format!("\"{}\"", 3_643_000_000_i64 + at)).collect();
    let private =
        format!("[[private]]\nschemes = [\"GRANT\"]\nregions = [\"43\"]\nfrom = \"2020-AUTUMN\"\nschools = [{}]\nsource = \"省名单\"\n\n", listed.join(", "));
    let season = "[[season]]\nseason = \"SPRING\"\nregion = \"43\"\nstop = \"SAME_MONTH\"\npayment_months = [3, 4, 5, 6, 7]\ncount_day = \"03-31\"\ndue = \"04-30\"\n\
                  source = \"省文件\"\n\n";
    BUILT_IN.replacen("[grace]", &format!("{season}[grace]"), 1).replacen("[[scheme]]", &format!("{private}[[scheme]]"), 1)
}

/// What each search took at the database, each a part of a sweep: by what it finds, and words that its statement alone has.
async fn searches(pool: &PgPool, join: Duration) {
    // A change of the policy wakes one more sweep: each asks once for whoever has a flag.
    let of_all = "SELECT coalesce(sum(calls), 0)::float8 FROM pg_stat_statements WHERE query LIKE 'WITH flagged%'";
    let sweeps: f64 = sqlx::query_scalar(of_all).fetch_one(pool).await.expect("is told");
    for (what, words) in [
        ("who is not there, elsewhere, or nobody", "%SELECT a.person_key FROM award_claims a%v.to_date > a.last_day)"),
        ("leaving in mid-month (NOT_VALID_IN_TERM)", "WITH stops%"),
        ("not entitled (NOT_ELIGIBLE)", "WITH asked%"),
        ("at a school that is not let in (NOT_ELIGIBLE)", "WITH listed%"),
        ("above the rate (OVER_RATE)", "WITH sure%"),
        ("one too many (OVER_QUOTA)", "%FROM quota_excess x JOIN%"),
        ("accounts (PAYEE_MISMATCH)", "%a.card_kind =%"),
        ("without an application (FILE_INCOMPLETE)", "WITH asking%"),
        ("twice (DUPLICATE_AWARD)", "%GROUP BY a.person_key, a.scheme, a.term%"),
        ("on no list (MISSING_AWARD)", "%SELECT v.person_key FROM vouches v%"),
        ("with a flag", "WITH flagged%"),
    ] {
        let asked = "SELECT coalesce(sum(calls), 0)::bigint, coalesce(sum(total_exec_time), 0)::float8, coalesce(sum(rows), 0)::bigint FROM pg_stat_statements WHERE query LIKE $1";
        let (calls, milliseconds, found): (i64, f64, i64) = sqlx::query_as(asked).bind(words).fetch_one(pool).await.expect("is told");
        let each = milliseconds / 1000.0 / sweeps;
        println!("  {what:<48} {each:>8.3} s a sweep  {:>6.2} x the anti-join   {calls} statements, {found} found", each / seconds(join));
    }
}

fn start(url: &str, keys: &std::path::Path, address: &str) -> Process {
    Process(
        Command::new(binary())
            .arg("aid")
            .env("XUEZHU_AID_DATABASE_URL", url)
            .env("XUEZHU_AID_KEYS_FILE", keys)
            .env("XUEZHU_AID_GRPC_ADDRESS", address)
            .env("XUEZHU_LOG", log_filter())
            .stdout(Stdio::null())
            .spawn()
            .expect("aid starts"),
    )
}

/// A token of an administrator.
fn administrator(keys: &Keyring) -> String {
    let admin = Actor {
        account: "admin".into(),
        display_name: String::new(),
        role: Role::Administrator,
        organisation: String::new(),
        must_change_password: false,
        must_set_factor: false,
        session_us: 0,
        stands_in: None,
        classes: Vec::new(),
    };
    Tokens::new(keys, system_clock()).issue(&admin, 36_000).expect("signs").0
}

async fn answering(address: &str, token: &str) -> ReconciliationServiceClient<Channel> {
    let client = ReconciliationServiceClient::new(channel(&format!("http://{address}")).expect("a channel"));
    let listening = client.clone();
    until("aid answers", async || listening.clone().get_mirror(signed(token, xuezhu_proto::aid::GetMirrorRequest {})).await.is_ok()).await;
    client
}

/// A full sweep, with how long it took.
async fn sweep(client: &mut ReconciliationServiceClient<Channel>, token: &str) -> (Duration, Reconciliation) {
    let begun = Instant::now();
    let run = client.create_reconciliation(signed(token, CreateReconciliationRequest::default())).await.expect("starts").into_inner().run;
    let done = loop {
        let state = client.get_reconciliation(signed(token, GetReconciliationRequest { run: run.clone() })).await.expect("a run").into_inner();
        let state = state.reconciliation.expect("a run");
        if state.state() != reconciliation::State::Running {
            break state;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(done.state(), reconciliation::State::Done);
    (begun.elapsed(), done)
}

/// What a policy would change: one that concerns nobody, and one by which everybody gets another amount.
async fn try_policies(address: &str, keys: &Keyring, count: i64) {
    let officer = Actor {
        account: "officer".into(),
        display_name: "officer".into(),
        role: Role::DepartmentOfficer,
        organisation: "430100".into(),
        must_change_password: false,
        must_set_factor: false,
        session_us: 0,
        stands_in: None,
        classes: Vec::new(),
    };
    let (token, _) = Tokens::new(keys, system_clock()).issue(&officer, 36_000).expect("signs");
    let channel = channel(&format!("http://{address}")).expect("a channel");
    let (mut policies, mut dossiers) = (PolicyServiceClient::new(channel.clone()), AidDossierServiceClient::new(channel));
    let from = (system_clock().today() + chrono::Days::new(1)).to_string();
    for (whom, content) in [("nobody", format!("{BEFORE}\n# as before\n")), ("everybody", BEFORE.replace("yuan = 2300", "yuan = 2500"))] {
        let asked = ProposePolicyRequest { content, from_date: from.clone(), note: "measured".into() };
        let proposed = policies.propose_policy(signed(&token, asked)).await.expect("is proposed").into_inner().policy.expect("a policy");
        let begun = Instant::now();
        policies.start_trial(signed(&token, StartTrialRequest { policy: proposed.policy.clone() })).await.expect("begins");
        let found = loop {
            let asked = GetTrialRequest { policy: proposed.policy.clone(), school: String::new() };
            let found = policies.get_trial(signed(&token, asked)).await.expect("is told").into_inner();
            if found.state() != get_trial_response::State::Running {
                break found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let tried = begun.elapsed();
        assert_eq!(found.state(), get_trial_response::State::Done);
        let changed: i64 = found.totals.iter().map(|tally| tally.gains + tally.loses + tally.more + tally.less + tally.otherwise).sum();
        println!("trial that concerns {whom:<9} {:>8.3} s   {changed} of {count} students, {:.0} students/s", seconds(tried), rate(count, tried));
        let recalled = RecallDossierRequest { dossier: proposed.dossier, reason: "measured".into() };
        dossiers.recall_dossier(signed(&token, recalled)).await.expect("is recalled");
    }
}

async fn entries(pool: &PgPool) -> i64 {
    sqlx::query_as::<_, (i64,)>("SELECT count(*) FROM award_entries").fetch_one(pool).await.expect("counts").0
}

fn signed<T>(token: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    request
}

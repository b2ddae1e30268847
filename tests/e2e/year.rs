//! Two whole school years against an independent reference, on both engines, with both drivers.

use std::collections::BTreeSet;

use indicatif::ProgressBar;
use xuezhu::demo::{calendar::day, expect::expected, play, policy, world::World};
use xuezhu_judge::case::Rule;
use xuezhu_service::settings::Settings;
use xuezhu_tests::{Engine, deployment_on, postgres};

async fn play_years(engine: Engine, students: usize, seed: u64, rate: f64) -> play::Outcome {
    let databases = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some((postgres::database().await, postgres::database().await)),
    };
    play_on(databases, World::make(students, seed, rate), &policy::text()).await
}

async fn play_on(databases: Option<(String, String)>, world: World, policy: &str) -> play::Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, policy).expect("writes");
    let settings = Settings { policy_file: Some(file), ..Settings::default() };
    let registry = folder.path().join("registry.csv");
    let rows: Vec<String> = world.registry.iter().map(|(number, name)| format!("{number},{name}")).collect();
    std::fs::write(&registry, format!("number,name\n{}\n", rows.join("\n"))).expect("writes");
    let deployment = deployment_on(databases, folder.path(), &registry.display().to_string(), settings).await;
    let password = deployment.admin_password().map(str::to_owned).expect("a first administrator");
    let outcome = play::play(&deployment, &world, &password, ProgressBar::hidden()).await.expect("the years are played");
    deployment.stop().await;
    outcome
}

fn assert_exact(outcome: &play::Outcome) {
    for checkpoint in &outcome.checkpoints {
        for (rule, score) in &checkpoint.scores {
            assert!(score.is_exact(), "{} {rule}: {score:?}", checkpoint.day);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_finding_is_found_on_sqlite_and_nothing_else() {
    assert_exact(&play_years(Engine::Sqlite, 320, 11, 0.01).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_finding_is_found_on_postgres_and_nothing_else() {
    assert_exact(&play_years(Engine::Postgres, 320, 12, 0.01).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_without_faults_ends_without_an_open_flag() {
    let outcome = play_years(Engine::Sqlite, 300, 13, 0.0).await;
    assert_exact(&outcome);
    let rules: BTreeSet<&String> = outcome.checkpoints.iter().flat_map(|checkpoint| checkpoint.scores.keys()).collect();
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), ["NOT_YET_REGISTERED"], "beyond it nothing is ever found");
    assert!(outcome.checkpoints.last().expect("an end").scores.is_empty());
}

/// Each rule is switched off in years of its own: what was planted for it is missed, and nothing else changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_is_switched_off_lowers_recall() {
    // Two beside each other: a small play mostly waits.
    let rules: Vec<Rule> = Rule::of_people().collect();
    let (one, other) = rules.split_at(rules.len() / 2);
    tokio::join!(without_each(one), without_each(other));
}

async fn without_each(rules: &[Rule]) {
    for rule in rules {
        without(rule.as_str()).await;
    }
}

async fn without(rule: &str) {
    let policy = format!("switched_off = [\"{rule}\"]\n{}", policy::text());
    let outcome = play_on(None, World::make(200, 21, 0.01), &policy).await;
    let mut missed = 0;
    for checkpoint in &outcome.checkpoints {
        for (of, score) in &checkpoint.scores {
            assert!(of == rule || score.is_exact(), "without {rule}, {} {of}: {score:?}", checkpoint.day);
            missed += if of == rule { score.expected - score.matched } else { 0 };
        }
    }
    assert!(missed > 0, "nothing of {rule} was planted, or it was found all the same");
}

#[test]
fn every_fault_and_every_clean_story_is_planted() {
    for (students, rate) in [(320, 0.01), (2000, 0.001)] {
        let world = World::make(students, 11, rate);
        assert!(world.planted.iter().all(|(_, count)| *count > 0), "{students}: {:?}", world.planted);
        assert!(world.clean.iter().all(|(_, count)| *count > 0), "{students}: {:?}", world.clean);
        assert!(world.doubled > 0, "{students}: some persons have two faults");
        let rules: BTreeSet<String> = play::checkpoints().flat_map(|checkpoint| expected(&world, day(checkpoint))).map(|flag| flag.rule).collect();
        assert_eq!(rules.len(), Rule::of_people().count(), "{students}: every rule is planted: {rules:?}");
    }
}

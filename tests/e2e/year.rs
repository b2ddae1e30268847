//! A whole school year against an independent reference, on both engines, with both drivers.

use std::collections::BTreeSet;

use indicatif::ProgressBar;
use xuezhu::demo::{
    compare,
    expect::expected,
    play,
    world::{World, day},
};
use xuezhu_tests::{Engine, deployment};

async fn play_a_year(engine: Engine, students: usize, seed: u64, rate: f64) -> play::Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::make(students, seed, rate);
    let registry = folder.path().join("registry.csv");
    let rows: Vec<String> = world.registry.iter().map(|(number, name)| format!("{number},{name}")).collect();
    std::fs::write(&registry, format!("number,name\n{}\n", rows.join("\n"))).expect("writes");
    let deployment = deployment(engine, folder.path(), &registry.display().to_string()).await;
    let password = deployment.admin_password.clone().expect("a first administrator");
    let outcome = play::play(&deployment, &world, &password, ProgressBar::hidden()).await.expect("the year is played");
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
    assert_exact(&play_a_year(Engine::Sqlite, 320, 11, 0.01).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_planted_finding_is_found_on_postgres_and_nothing_else() {
    assert_exact(&play_a_year(Engine::Postgres, 320, 12, 0.01).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_province_without_faults_ends_without_an_open_flag() {
    let outcome = play_a_year(Engine::Sqlite, 300, 13, 0.0).await;
    assert_exact(&outcome);
    let rules: BTreeSet<&String> = outcome.checkpoints.iter().flat_map(|checkpoint| checkpoint.scores.keys()).collect();
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), ["NOT_YET_REGISTERED"], "beyond it nothing is ever found");
    assert!(outcome.checkpoints.last().expect("an end").scores.is_empty());
}

#[test]
fn a_rule_that_found_nothing_would_lower_recall() {
    let world = World::make(320, 11, 0.01);
    let all: Vec<_> = play::CHECKPOINTS.iter().flat_map(|checkpoint| expected(&world, day(checkpoint))).collect();
    let rules: BTreeSet<&str> = all.iter().map(|flag| flag.rule.as_str()).collect();
    assert_eq!(rules.len(), 8, "every rule is planted: {rules:?}");
    for rule in rules {
        let without: Vec<_> = all.iter().filter(|flag| flag.rule != rule).cloned().collect();
        let scores = compare(&all, &without);
        assert!(!scores[rule].is_exact() && scores.iter().filter(|(other, _)| *other != rule).all(|(_, score)| score.is_exact()));
    }
}

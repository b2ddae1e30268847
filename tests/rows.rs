//! Records that are bound to what acts write of them, held against it.

use xuezhu::deployment::Deployment;
use xuezhu_audit::written::{
    Kind,
    verify::{Fault, Report, verify},
};
use xuezhu_service::{Keyring, runner::ROWS};
use xuezhu_store::{Db, run};

async fn look(db: &Db, keyring: &Keyring, kinds: &[&'static Kind]) -> Report {
    let mut tx = db.read().await.expect("begins");
    let report = verify(&mut tx, &keyring.chain(ROWS), kinds).await.expect("is looked at");
    tx.rollback().await.expect("ends");
    report
}

/// What is found in both databases: how many records of which kind, and what is not as it was written.
pub async fn found(deployment: &Deployment) -> Report {
    let (enrollment, aid) = (deployment.enrollment_parts(), deployment.aid_parts());
    let mut found = look(enrollment.runner.db(), &enrollment.keyring, &xuezhu_enrollment::BOUND).await;
    let of_aid = look(aid.runner.db(), &aid.keyring, &xuezhu_aid::BOUND).await;
    found.records.extend(of_aid.records);
    found.faults.extend(of_aid.faults);
    found
}

/// Asserts that each is as it was written, and that there is one of each of these kinds at least.
pub async fn assert_whole(deployment: &Deployment, kinds: &[&str], when: &str) {
    let found = found(deployment).await;
    assert!(found.faults.is_empty(), "{when}: {:?}", found.faults);
    for kind in kinds {
        let count: i64 = found.records.iter().filter(|(of, _)| of == kind).map(|(_, count)| count).sum();
        assert!(count > 0, "{when}: there is no {kind}");
    }
}

/// The records that are not as they were written, with what is wrong: `KIND WRONG`, in order.
pub fn named(report: &Report) -> Vec<String> {
    let mut named: Vec<String> = (report.faults.iter())
        .map(|fault| match fault {
            Fault::Record { kind, wrong, .. } => format!("{kind} {wrong:?}"),
            Fault::Written { .. } => "written".into(),
            Fault::Believed { .. } => "believed".into(),
        })
        .collect();
    named.sort();
    named
}

/// Asserts that there is one of a kind and all are whole; and that what somebody does to the database by hand, of enrollment (0) or aid (1), is named.
pub async fn assert_bound(deployment: &Deployment, kind: &'static str, (place, by_hand): (usize, &'static str)) {
    assert_whole(deployment, &[kind], by_hand).await;
    let mut tx = deployment.databases()[place].begin().await.expect("begins");
    run!(&mut tx, by_hand).expect("is done by hand");
    tx.commit().await.expect("commits");
    let named = named(&found(deployment).await);
    assert!(!named.is_empty() && named.iter().all(|wrong| wrong.starts_with(kind)), "{by_hand}: {named:?}");
}

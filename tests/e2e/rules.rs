//! The rules in words: each with a page of its own, and told to other systems.

use std::collections::BTreeSet;

use serde_json::json;
use xuezhu_judge::{
    case::Rule,
    rules::{LAW, Severity},
};
use xuezhu_service::settings::Settings;
use xuezhu_tests::{AT_ONCE, deployment_on, policy_file, schools};

use crate::{browser::Browser, console::usable};

#[test]
fn every_rule_has_its_words_and_no_two_have_the_same() {
    let words: BTreeSet<&str> = LAW.iter().flat_map(|law| [law.name, law.english, law.meaning, law.finds]).collect();
    assert_eq!(words.len(), LAW.len() * 4);
    assert!(LAW.iter().map(|law| law.rule).eq(Rule::ALL), "in the order of their codes");
    assert!(LAW.iter().all(|law| !law.basis.is_empty() && law.english.is_ascii() && law.finds.ends_with('.')));
    assert!(LAW.iter().all(|law| law.severity != Severity::Serious || law.rule.holds()), "what is serious holds money");
    for severity in Severity::ALL {
        assert!(LAW.iter().any(|law| law.severity == severity), "{severity:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_told_and_each_has_a_page() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let off = format!("switched_off = [\"OTHER_SCHOOL\"]\n{}", *AT_ONCE);
    let settings = Settings { policy_file: Some(policy_file("rules", &off)), ..Settings::default() };
    let deployment = deployment_on(None, folder.path(), "none", settings).await;
    let people = schools::open(&deployment).await;
    let told = people.clerk.get("/v1/rules").await?["rules"].as_array().cloned().unwrap_or_default();
    assert_eq!(told.iter().map(|rule| rule["rule"].as_str().unwrap_or_default()).collect::<Vec<_>>(), Rule::ALL.map(Rule::as_str));
    for (rule, law) in told.iter().zip(&LAW) {
        assert_eq!((&rule["holds"], &rule["severity"]), (&json!(law.rule.holds()), &json!(law.severity.as_str())), "{rule}");
        assert_eq!(rule["judges"], law.rule != Rule::OtherSchool, "{rule}");
    }
    let base = format!("http://{}", deployment.http);
    let browser = Browser::open(1280, 900).await?;
    browser.log_in(&base, "clerk").await?;
    browser.sees("待办").await?;
    browser.go(&format!("{base}/rules")).await?;
    browser.sees("本政策不查").await?;
    browser.picture("rules").await?;
    usable(&browser).await?;
    for law in &LAW {
        browser.go(&format!("{base}/rules/{}", law.rule.as_str())).await?;
        browser.sees(law.meaning).await?;
        browser.sees(law.finds).await?;
        usable(&browser).await?;
    }
    browser.go(&format!("{base}/rules/OVER_RATE")).await?;
    browser.picture("rule").await?;
    browser.phone().await?;
    browser.fits().await?;
    browser.go(&format!("{base}/rules/NO_SUCH_RULE")).await?;
    browser.sees("没有这条规则").await?;
    deployment.stop().await;
    Ok(())
}

//! Lists flags.

use clap::Args;
use serde_json::json;
use xuezhu::output;
use xuezhu_domain::Fen;

use super::{FOUND, Login, OK};

/// Lists flags.
#[derive(Args)]
#[command(after_help = "Example:\n  xuezhu flags --state OPEN --school 3643000001 --account officer --password-file p.txt --json")]
pub struct Flags {
    /// Rule, such as `NO_ENROLLMENT`
    #[arg(long, default_value = "")]
    rule: String,
    /// School
    #[arg(long, default_value = "")]
    school: String,
    /// Region
    #[arg(long, default_value = "")]
    region: String,
    /// State: OPEN, EXPLAINED, CONFIRMED, CLEARED or CLOSED
    #[arg(long, default_value = "OPEN")]
    state: String,
    /// Term
    #[arg(long, default_value = "")]
    term: String,
    #[command(flatten)]
    login: Login,
}

impl Flags {
    /// Lists all pages.
    pub async fn run(self) -> anyhow::Result<u8> {
        let json = self.login.json;
        let session = self.login.open().await?;
        let (mut all, mut page) = (Vec::new(), String::new());
        loop {
            let path = format!(
                "/v1/flags?rule={}&school={}&region={}&state={}&term={}&pageSize=1000&pageToken={page}",
                self.rule, self.school, self.region, self.state, self.term
            );
            let answer = session.get(&path).await?;
            all.extend(answer["flags"].as_array().cloned().unwrap_or_default());
            answer["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut page);
            if page.is_empty() {
                break;
            }
        }
        let found = !all.is_empty();
        let value = json!({ "flags": all });
        output::print(json, &value, || {
            let mut text = format!("{} flags", all.len());
            for flag in &all {
                let field = |name: &str| flag[name].as_str().unwrap_or_default().to_owned();
                text.push_str(&format!(
                    "\n{}  {:<20} {} {} {} {} yuan  {}",
                    field("flag"),
                    field("rule"),
                    field("school"),
                    field("term"),
                    field("name"),
                    Fen(field("amountFen").parse().unwrap_or_default()).yuan(),
                    field("state")
                ));
            }
            text
        });
        Ok(if found { FOUND } else { OK })
    }
}

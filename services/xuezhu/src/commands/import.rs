//! Uploads a workbook, and says how far the import is.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;
use xuezhu::{
    client::{Refused, Session},
    output,
};

use super::{FOUND, Login, OK, request_id};

/// Uploads a workbook of students, or of awards.
#[derive(Args)]
#[command(after_help = "Example:\n  xuezhu import students.xlsx --school 3643000001 --account lili --password-file p.txt --preview --marked marked.xlsx")]
#[expect(clippy::struct_excessive_bools, reason = "one for each option")]
pub struct Import {
    /// The workbook
    file: PathBuf,
    /// 10-digit code of the school
    #[arg(long)]
    school: String,
    /// Id of an award list: the file then holds awards
    #[arg(long)]
    list: Option<String>,
    /// Only tell what would happen
    #[arg(long)]
    preview: bool,
    /// Write nothing if one row is faulty
    #[arg(long)]
    all_or_nothing: bool,
    /// Take hidden sheets and rows in too
    #[arg(long)]
    include_hidden: bool,
    /// A blank cell clears what is stored
    #[arg(long)]
    blank_clears: bool,
    /// Where to put the workbook with its faulty cells marked
    #[arg(long)]
    marked: Option<PathBuf>,
    #[command(flatten)]
    login: Login,
}

impl Import {
    /// Uploads, and tells what is faulty.
    pub async fn run(self) -> anyhow::Result<u8> {
        let json = self.login.json;
        let bytes = std::fs::read(&self.file).with_context(|| format!("workbook {}", self.file.display()))?;
        let session = self.login.open().await?;
        let (sent_to, imports) = match &self.list {
            Some(list) => (format!("awardLists/{list}/import"), format!("awardLists/{list}/imports")),
            None => ("enrollments/import".to_owned(), "imports".to_owned()),
        };
        let name = self.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let path = format!(
            "/v1/schools/{}/{sent_to}?preview={}&allOrNothing={}&includeHidden={}&blankClears={}&wait=false&fileName={}",
            self.school,
            self.preview,
            self.all_or_nothing,
            self.include_hidden,
            self.blank_clears,
            in_query(&name)
        );
        let begun = session.upload(&path, bytes, &request_id()).await?;
        let import = format!("/v1/schools/{}/{imports}/{}", self.school, begun["importId"].as_str().unwrap_or_default());
        let report = followed(&session, &import, json).await?;
        if let Some(out) = &self.marked {
            let marked = session.download(&format!("{import}/markedWorkbook")).await?;
            std::fs::write(out, marked).with_context(|| format!("marked workbook {}", out.display()))?;
        }
        output::print(json, &report, || {
            let mut text = format!(
                "rows {}  new {}  changed {}  unchanged {}  faulty {}{}",
                report["rowsTotal"],
                report["rowsNew"],
                report["rowsChanged"],
                report["rowsUnchanged"],
                report["rowsFaulty"],
                if self.preview { "  (preview: nothing written)" } else { "" }
            );
            for problem in report["problems"].as_array().into_iter().flatten().take(50) {
                let field = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
                text.push_str(&format!(
                    "\n{} 第{}行 {} {} {}：{}{}",
                    field("sheet"),
                    problem["row"],
                    field("column"),
                    field("value"),
                    field("code"),
                    field("reason"),
                    if field("proposed").is_empty() { String::new() } else { format!("；建议改为：{}", field("proposed")) }
                ));
            }
            text
        });
        Ok(if report["rowsFaulty"].as_i64().unwrap_or(0) > 0 { FOUND } else { OK })
    }
}

/// How often is asked how far an import is.
const LOOK: Duration = Duration::from_millis(300);

/// Follows an import to its end.
async fn followed(session: &Session, import: &str, json: bool) -> anyhow::Result<Value> {
    let bar = output::bar(json, 1, "reading");
    loop {
        let report = session.get(import).await?;
        match report["state"].as_str().unwrap_or_default() {
            "RUNNING" => {
                bar.set_length(report["rowsTotal"].as_u64().unwrap_or(1).max(1));
                bar.set_position(report["rowsDone"].as_u64().unwrap_or(0));
                bar.set_message(report["stage"].as_str().unwrap_or_default().to_lowercase());
                tokio::time::sleep(LOOK).await;
            }
            "REFUSED" => {
                bar.finish_and_clear();
                let text = |field: &str| report[field].as_str().unwrap_or_default().to_owned();
                return Err(Refused { status: 400, reason: text("refusalReason"), message: text("refusal") }.into());
            }
            "LOST" => {
                bar.finish_and_clear();
                bail!("the service stopped under the import: nothing was written; send the file again");
            }
            _ => {
                bar.finish_and_clear();
                return Ok(report);
            }
        }
    }
}

/// A text as it stands in a query.
fn in_query(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

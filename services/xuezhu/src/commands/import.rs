//! Uploads a workbook.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use xuezhu::output;

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
        let bar = output::bar(json, 1, "uploading");
        let place = match &self.list {
            Some(list) => format!("awardLists/{list}"),
            None => "enrollments".to_owned(),
        };
        let path = format!(
            "/v1/schools/{}/{place}/import?preview={}&allOrNothing={}&includeHidden={}&blankClears={}",
            self.school, self.preview, self.all_or_nothing, self.include_hidden, self.blank_clears
        );
        let report = session.upload(&path, bytes, &request_id()).await?;
        bar.finish_and_clear();
        let id = report["importId"].as_str().unwrap_or_default();
        if let Some(out) = &self.marked {
            if self.list.is_some() {
                bail!("--marked goes with students, not with awards");
            }
            let marked = session.download(&format!("/v1/schools/{}/imports/{id}/markedWorkbook", self.school)).await?;
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
                    "\n{} 第{}行 {} {} {}：{}",
                    field("sheet"),
                    problem["row"],
                    field("column"),
                    field("value"),
                    field("code"),
                    field("reason")
                ));
            }
            text
        });
        Ok(if report["rowsFaulty"].as_i64().unwrap_or(0) > 0 { FOUND } else { OK })
    }
}

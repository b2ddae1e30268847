//! What people do around lists, and nothing is judged by: notices that the web shows, what somebody has against them, lists of special groups,
//! who is sought before a term locks, and the sums of a term.

use anyhow::Context;
use serde_json::{Value, json};

use super::{acts::text, calendar::AUTUMN, make::COUNTY, play::Play};
use crate::client::{Refused, Session};

/// Schools whose notices are shown on the web, and who seek those whom no list names.
const SCHOOLS: usize = 4;
/// Students on the department's lists of special groups.
const OF_GROUPS: usize = 24;
/// Kinds of special groups, in turn.
const GROUPS: [&str; 4] = ["低保", "特困供养", "孤儿", "残疾"];

impl Play<'_> {
    fn county(&self) -> anyhow::Result<&Session> {
        self.officers.get(COUNTY).context("the county has an officer")
    }

    /// Some schools show their notices on the web. At one somebody comes to the department about a student, and the school answers.
    pub async fn show(&self) -> anyhow::Result<()> {
        let mut heard = false;
        for (school, desk) in self.world.schools.iter().zip(&self.desks).take(SCHOOLS) {
            let shown = desk.clerk.get(&format!("/v1/notices?school={}", school.code)).await?;
            for notice in shown["notices"].as_array().into_iter().flatten().filter(|notice| notice["running"] == true && notice["published"] == false) {
                let id = text(notice, "notice")?;
                desk.clerk.post(&format!("/v1/notices/{id}/publish"), &json!({ "published": true }), &format!("publish {id}")).await?;
                if !heard && school.authority == COUNTY {
                    heard = self.object(&desk.clerk, &id).await?;
                }
            }
        }
        Ok(())
    }

    async fn object(&self, clerk: &Session, notice: &str) -> anyhow::Result<bool> {
        let whole = clerk.get(&format!("/v1/notices/{notice}")).await?;
        let Some(class) = whole["notice"]["classes"][0]["className"].as_str() else { return Ok(false) };
        let mut of_class = reqwest::Url::parse("http://notice/").context("an address")?;
        of_class.query_pairs_mut().append_pair("className", class);
        let lines = clerk.get(&format!("/v1/notices/{notice}?{}", of_class.query().unwrap_or_default())).await?;
        let Some(student) = lines["lines"][0]["name"].as_str() else { return Ok(false) };
        let body = json!({ "className": class, "student": student, "text": "听说该生家中经营商铺，请核实", "objector": "同村村民" });
        let made = self.county()?.post(&format!("/v1/notices/{notice}/objections"), &body, &format!("object {notice}")).await?;
        let objection = text(&made, "objection")?;
        let answer = json!({ "text": "已入户核实，商铺已于去年转让，有转让协议为证" });
        clerk.post(&format!("/v1/objections/{objection}/answer"), &answer, &format!("answer {objection}")).await?;
        Ok(true)
    }

    /// The department decides what was said of lists, before they are signed.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let officer = self.county()?;
        let told = officer.get("/v1/objections").await?;
        for objection in told["objections"].as_array().into_iter().flatten().filter(|objection| objection["state"] == "ANSWERED") {
            let id = text(objection, "objection")?;
            let decision = json!({ "upheld": false, "reason": "学校说明属实，该生符合条件" });
            officer.post(&format!("/v1/objections/{id}/decide"), &decision, &format!("decide {id}")).await?;
        }
        Ok(())
    }

    /// The county's bureau has the lists of special groups from other departments.
    pub async fn load_groups(&self) -> anyhow::Result<()> {
        let here = |school: usize| self.world.schools[school].authority == COUNTY;
        let listed = self.world.claims.iter().filter(|claim| here(claim.school) && claim.document == "居民身份证");
        let mut file = String::from("姓名,身份证件类型,身份证件号,类别,有效期至\n");
        let mut known = std::collections::HashSet::new();
        for (claim, group) in listed.filter(|claim| known.insert(claim.number.as_str())).take(OF_GROUPS).zip(GROUPS.iter().cycle()) {
            file.push_str(&format!("{},居民身份证,{},{group},\n", claim.name, claim.number));
        }
        self.county()?.upload("/v1/specialGroups/import", file.into_bytes(), "groups").await.map(drop)
    }

    /// Before the term locks some schools say why they listed whom not, and their principals sign it.
    pub async fn seek(&self) -> anyhow::Result<()> {
        for (school, desk) in self.world.schools.iter().zip(&self.desks).take(SCHOOLS) {
            let path = format!("/v1/schools/{}/omissionLists", school.code);
            let drawn = match desk.clerk.post(&path, &json!({ "term": AUTUMN.name }), &format!("seek {}", school.code)).await {
                Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.reason == "NOTHING_TO_DO") => continue,
                drawn => drawn?,
            };
            let unsaid: Vec<&Value> =
                drawn["omissions"].as_array().into_iter().flatten().filter(|row| row["cause"] == "CAUSE_UNSPECIFIED").map(|row| &row["item"]).collect();
            let at = format!("{path}/{}", text(&drawn, "list")?);
            if !unsaid.is_empty() {
                let cause = json!({ "items": unsaid, "cause": "TO_BE_LISTED" });
                desk.clerk.post(&format!("{at}/causes"), &cause, &format!("causes {}", school.code)).await?;
            }
            desk.clerk.post(&format!("{at}/submit"), &json!({}), &format!("submit omissions {}", school.code)).await?;
            let lies = desk.principal.get(&format!("{path}?term={}", AUTUMN.name)).await?;
            let dossier = format!("/v1/aidDossiers/{}", text(&lies, "dossier")?);
            let sheet = desk.principal.get(&dossier).await?;
            desk.principal.post(&format!("{dossier}/sign"), &json!({ "digest": sheet["digest"] }), &format!("sign omissions {}", school.code)).await?;
        }
        Ok(())
    }

    /// The county sums the first term up, and its head signs.
    pub async fn sum_up(&self) -> anyhow::Result<()> {
        let seen = self.county()?.get(&format!("/v1/termSummaryPreview?term={}", AUTUMN.name)).await?;
        let made = self.county()?.post("/v1/termSummaries", &json!({ "term": AUTUMN.name, "digest": seen["digest"] }), "sum up").await?;
        let dossier = format!("/v1/aidDossiers/{}", text(&made, "dossier")?);
        let chief = self.chief.as_ref().context("the county has a head")?;
        let sheet = chief.get(&dossier).await?;
        chief.post(&format!("{dossier}/sign"), &json!({ "digest": sheet["digest"] }), "sign the sums").await.map(drop)
    }
}

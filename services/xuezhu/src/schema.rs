//! The schema of the databases, where one role owns it and another runs: brought up to date by the owner, for who runs.

use anyhow::{Context, ensure};
use reqwest::Url;
use serde_json::{Value, json};
use xuezhu_service::{conversion, settings::Settings};
use xuezhu_store::{Db, sqlx::migrate::Migrator};

use crate::wires::Wires;

/// Tables that are only ever added to: who runs changes nothing there, and takes nothing away.
const ONLY_ADDED_TO: [&str; 2] = ["row_writes", "audit_witnesses"];

/// A service's database.
struct Of<'s> {
    name: &'static str,
    owner: &'s str,
    runs: &'s str,
    migrations: &'static Migrator,
}

/// What was done with a database.
#[derive(Debug)]
pub struct Migrated {
    /// Of which service.
    pub service: &'static str,
    /// Who runs on it.
    pub role: String,
}

impl Migrated {
    /// In words.
    pub fn text(&self) -> String {
        format!("{}: the schema is up to date; role {} reads and writes, and changes nothing of it", self.service, self.role)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "service": self.service, "role": self.role })
    }
}

/// Brings the schema of each database up to date whose owner is named in the settings, and lets in the role that the service runs as.
pub async fn migrate(settings: &Settings) -> anyhow::Result<Vec<Migrated>> {
    let each = [
        Of {
            name: "enrollment",
            owner: &settings.enrollment_owner_database_url,
            runs: &settings.enrollment_database_url,
            migrations: &xuezhu_enrollment::MIGRATIONS,
        },
        Of { name: "aid", owner: &settings.aid_owner_database_url, runs: &settings.aid_database_url, migrations: &xuezhu_aid::MIGRATIONS },
    ];
    ensure!(
        each.iter().any(|of| !of.owner.is_empty()),
        "no owner is named: set enrollment_owner_database_url or aid_owner_database_url, or the files that hold them"
    );
    let wires = Wires::to_databases(settings);
    let mut migrated = Vec::new();
    for of in each.iter().filter(|of| !of.owner.is_empty()) {
        wires.check_database(&format!("{}_owner_database_url", of.name), of.owner)?;
        migrated.push(of.migrate().await.with_context(|| format!("the database of {}", of.name))?);
    }
    Ok(migrated)
}

impl Of<'_> {
    async fn migrate(&self) -> anyhow::Result<Migrated> {
        let (role, password) = role_of(self.runs).with_context(|| format!("setting {}_database_url", self.name))?;
        let (owner, _) = role_of(self.owner).with_context(|| format!("setting {}_owner_database_url", self.name))?;
        ensure!(owner != role, "role {role} owns the schema: let the service run as another");
        let db = Db::open(self.owner).await?;
        let done = self.migrate_as_owner(&db, &role, &password).await;
        db.close().await;
        done.map(|()| Migrated { service: self.name, role })
    }

    async fn migrate_as_owner(&self, db: &Db, role: &str, password: &str) -> anyhow::Result<()> {
        db.migrate(self.migrations).await?;
        db.let_in(role, password, &ONLY_ADDED_TO).await?;
        // What a first start on a database of before converted left readable rows.
        let mut tx = db.read().await?;
        let has_left_rows = conversion::has_left_rows(&mut tx).await;
        tx.rollback().await?;
        match self.name {
            _ if !has_left_rows? => {}
            "enrollment" => xuezhu_enrollment::before::compact(db).await?,
            _ => xuezhu_aid::before::compact(db).await?,
        }
        Ok(())
    }
}

/// Role and password of a URL.
fn role_of(url: &str) -> anyhow::Result<(String, String)> {
    ensure!(url.starts_with("postgres:") || url.starts_with("postgresql:"), "roles are PostgreSQL's: the URL must begin with postgres:");
    // What the URL holds is a secret: what is wrong with it is told without it.
    let url = Url::parse(url).ok().context("it is no URL")?;
    let plain = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().map(std::borrow::Cow::into_owned).ok().context("it is not UTF-8");
    let (role, password) = (plain(url.username())?, plain(url.password().unwrap_or_default())?);
    ensure!(!role.is_empty(), "it names no role: postgres://ROLE:PASSWORD@HOST/DATABASE");
    Ok((role, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_and_its_password_are_read_as_they_are_meant_and_a_fault_tells_no_secret() {
        let read = |url: &str| role_of(url).map_err(|error| error.to_string());
        assert_eq!(read("postgres://run:p%40ss%2F1@db/aid"), Ok(("run".into(), "p@ss/1".into())));
        assert_eq!(read("postgresql://run@db/aid"), Ok(("run".into(), String::new())));
        for wrong in ["sqlite:data/aid.db", "postgres://db/aid", "postgres://:secret@db/aid", "postgres://run:secret@[", "postgres://run:%ff@db"] {
            let told = read(wrong).expect_err(wrong);
            assert!(!told.contains("secret"), "{told}");
        }
    }
}

//! Keeps schools, accounts and keys.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use xuezhu::{
    certificates::{self, Wanted},
    deployment::{key_files, recover, system_clock},
    output,
    schema::{self, Migrated},
    verify::{Asked, verify},
};
use xuezhu_audit::verify::KnownCut;
use xuezhu_service::{
    Keyring,
    keyring::{Service, hexadecimal},
    settings::Settings,
};

use super::{ALTERED, Login, OK, request_id};

/// Keeps schools, accounts and keys.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  xuezhu admin keyring new deploy/secrets\n  xuezhu admin keyring split keyring.json --out deploy/secrets\n  xuezhu admin follower-key deploy/secrets/enrollment-keys.json\n  xuezhu admin recover --data data\n  xuezhu admin verify --data data\n  xuezhu --config owner.toml admin migrate\n  xuezhu admin certificates deploy/secrets --host school.example --follower province\n  xuezhu admin confirm head1 head2 --account admin2 --password-file p.txt --code 123456\n  xuezhu admin password --account admin --password-file old.txt --new-password-file new.txt\n  xuezhu admin school 3643000001 长沙职业学校 --region 430102 --authority 430100 --major 2010-010200 --password-file p.txt\n  xuezhu admin account lili 李老师 --role SCHOOL_CLERK --organisation 3643000001 --password-file p.txt --json\n  xuezhu admin disable lili --password-file p.txt"
)]
pub struct Admin {
    #[command(subcommand)]
    command: AdminCommand,
    #[command(flatten)]
    login: Login,
}

#[derive(Subcommand)]
enum AdminCommand {
    /// Makes the key files, for services that run apart
    Keyring {
        #[command(subcommand)]
        command: KeyringCommand,
    },
    /// Prints what the handshake of an outside follower of the change feed needs; it is no secret
    FollowerKey {
        /// Enrollment's key file
        keys: PathBuf,
    },
    /// Gives an administrator a one-time password at the database itself, where nobody can log in any more
    Recover {
        /// Data folder of `xuezhu up`, which must not be running; else the settings `enrollment_database_url` and `enrollment_keys_file` say where
        #[arg(long)]
        data: Option<PathBuf>,
        /// Name of the account; it is opened where there is none
        #[arg(long, default_value = "admin")]
        name: String,
    },
    /// Brings the schema up to date where another role owns it than the one that runs: by the settings `enrollment_owner_database_url` and
    /// `aid_owner_database_url`; lets in the roles of `enrollment_database_url` and `aid_database_url`
    Migrate,
    /// Looks whether the audit, and accounts, approvals, amounts and places, are as the services wrote them; ends with 5 where they are not
    Verify {
        /// Data folder of `xuezhu up`; else the databases and key files that the settings name, of both services or of one
        #[arg(long)]
        data: Option<PathBuf>,
        /// File with heads that the other service's database keeps, where that is not at hand; several times
        #[arg(long)]
        heads: Vec<PathBuf>,
        /// Writes what the database at hand keeps of the other service into a file, for --heads there
        #[arg(long)]
        heads_out: Option<PathBuf>,
        /// Where a chain was cut by a database put back from a backup, as it is told (known as: POSITION@TIME): told, and not counted; several times
        #[arg(long)]
        known_cut: Vec<KnownCut>,
        /// A record that is known to have been altered, as it is told (known as: "account lili#0a1b2c3d"): told, and not counted; several times
        #[arg(long)]
        known_record: Vec<String>,
    },
    /// Makes certificates for a trial, and for services among themselves: an authority, and one for each of the services, the gateway and every name
    Certificates {
        /// Folder for the files
        out: PathBuf,
        /// Names and addresses under which the gateway is reached, beside localhost; several times
        #[arg(long)]
        host: Vec<String>,
        /// Somebody else who shows a certificate, such as a follower; several times
        #[arg(long)]
        follower: Vec<String>,
        /// Days that they hold; the authority holds ten years
        #[arg(long, default_value_t = 397)]
        days: u16,
    },
    /// Confirms accounts that somebody else opened
    Confirm {
        /// Names of the accounts
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Takes the second factor from an account whose owner lost it
    ResetSecondFactor {
        /// Name of the account
        name: String,
    },
    /// Changes the account's password
    Password {
        /// File with the new password
        #[arg(long)]
        new_password_file: PathBuf,
    },
    /// Enters a school
    School {
        /// 10-digit code
        code: String,
        /// Name
        name: String,
        /// Region code
        #[arg(long)]
        region: String,
        /// Region code of its department
        #[arg(long)]
        authority: String,
        /// PUBLIC or PRIVATE
        #[arg(long, default_value = "PUBLIC")]
        kind: String,
        /// Majors, such as 2010-010200; several times
        #[arg(long)]
        major: Vec<String>,
    },
    /// Opens an account; prints its one-time password
    Account {
        /// Name to log in with
        name: String,
        /// Name of the person
        display_name: String,
        /// `SCHOOL_CLERK`, PRINCIPAL, `DEPARTMENT_OFFICER`, ADMINISTRATOR or `MACHINE_READER`
        #[arg(long)]
        role: String,
        /// School or region code
        #[arg(long, default_value = "")]
        organisation: String,
    },
    /// Gives an account a new one-time password, which ends its sessions
    Reset {
        /// Name of the account
        name: String,
    },
    /// Closes an account, which ends its sessions
    Disable {
        /// Name of the account
        name: String,
    },
    /// Opens a closed account again
    Enable {
        /// Name of the account
        name: String,
    },
}

#[derive(Subcommand)]
enum KeyringCommand {
    /// Makes new keys: a file for each service
    New {
        /// Folder for both files
        out: PathBuf,
    },
    /// Makes the two files from the one keyring of before, which is only read
    Split {
        /// The keyring of before
        old: PathBuf,
        /// Folder for both files
        #[arg(long)]
        out: PathBuf,
    },
}

/// Writes the key files of both services into a folder.
fn write_keys(json: bool, folder: &Path, pair: &(Keyring, Keyring)) -> anyhow::Result<()> {
    let files = key_files(folder);
    for file in [&files.enrollment, &files.aid] {
        anyhow::ensure!(!file.exists(), "{} is there already: keys that a database uses must not be replaced", file.display());
    }
    files.save(pair)?;
    output::print(json, &json!({ "enrollmentKeys": files.enrollment, "aidKeys": files.aid }), || {
        format!("keys written to {} and {}; keep them secret, and back them up with the databases", files.enrollment.display(), files.aid.display())
    });
    Ok(())
}

impl Admin {
    /// Does what was asked.
    pub async fn run(self, settings: &Settings) -> anyhow::Result<u8> {
        let json = self.login.json;
        match self.command {
            AdminCommand::Keyring { command: KeyringCommand::New { out } } => write_keys(json, &out, &Keyring::generate())?,
            AdminCommand::Keyring { command: KeyringCommand::Split { old, out } } => write_keys(json, &out, &Keyring::split(&old)?)?,
            AdminCommand::FollowerKey { keys } => {
                let keyring = Keyring::load(&keys, Service::Enrollment)?;
                let check = hexadecimal(&keyring.hash_key_check());
                output::print(json, &json!({ "hashKeyId": keyring.hash_key_id(), "hashKeyCheck": check }), || {
                    format!("handshake.hash_key_id     {}\nhandshake.hash_key_check  {check} (16 bytes, in hexadecimal)", keyring.hash_key_id())
                });
            }
            AdminCommand::Recover { data, name } => {
                let password = recover(data.as_deref(), settings, &name).await?;
                output::print(json, &json!({ "account": name, "oneTimePassword": password }), || format!("account {name}, one-time password {password}"));
            }
            AdminCommand::Migrate => {
                let migrated = schema::migrate(settings).await?;
                output::print(json, &json!({ "migrated": migrated.iter().map(Migrated::json).collect::<Vec<_>>() }), || {
                    migrated.iter().map(Migrated::text).collect::<Vec<_>>().join("\n")
                });
            }
            AdminCommand::Verify { data, heads, heads_out, known_cut, known_record } => {
                let found = verify(settings, &Asked { data, heads, heads_out, known_cuts: known_cut, known_records: known_record }).await?;
                output::print(json, &found.json, || found.text.clone());
                return Ok(if found.is_whole { OK } else { ALTERED });
            }
            AdminCommand::Certificates { out, host, follower, days } => {
                let written = certificates::make(&Wanted { out, hosts: host, followers: follower, days }, system_clock().today())?;
                output::print(json, &json!({ "files": written }), || {
                    let lines: Vec<String> = written.iter().map(|file| file.display().to_string()).collect();
                    format!(
                        "{}
each with its key (.key) beside it; keep authority.key apart: whoever has it is anybody",
                        lines.join("\n")
                    )
                });
            }
            AdminCommand::Confirm { names } => {
                let confirmed = self.login.open().await?.post("/v1/unconfirmedAccounts/confirm", &json!({ "accounts": names }), &request_id()).await?;
                output::print(json, &confirmed, || format!("confirmed: {}", names.join(", ")));
            }
            AdminCommand::ResetSecondFactor { name } => {
                let account = self.login.open().await?.post(&format!("/v1/accounts/{name}/resetSecondFactor"), &json!({}), &request_id()).await?;
                output::print(json, &account, || format!("account {name} has no second factor any more; its sessions are over"));
            }
            AdminCommand::Password { new_password_file } => {
                let old = self.login.password_file.as_ref().context("--password-file is needed")?;
                let (old, new) = (std::fs::read_to_string(old)?, std::fs::read_to_string(&new_password_file)?);
                self.login.open().await?.change_password(old.trim(), new.trim()).await?;
                output::print(json, &json!({ "changed": true }), || "password changed".into());
            }
            AdminCommand::School { code, name, region, authority, kind, major } => {
                let majors: Vec<Value> = major
                    .iter()
                    .map(|major| match major.split_once('-') {
                        Some((catalogue, code)) => json!({ "catalogue": catalogue, "code": code }),
                        None => json!({ "catalogue": "2010", "code": major }),
                    })
                    .collect();
                let body = json!({ "code": code, "name": name, "region": region, "authority": authority, "kind": kind, "majors": majors });
                let school = self.login.open().await?.post("/v1/schools", &body, &request_id()).await?;
                output::print(json, &school, || format!("school {code} entered"));
            }
            AdminCommand::Account { name, display_name, role, organisation } => {
                let body = json!({ "account": name, "displayName": display_name, "role": role, "organisation": organisation });
                let made = self.login.open().await?.post("/v1/accounts", &body, &request_id()).await?;
                output::print(json, &made, || format!("account {name}, one-time password {}", made["oneTimePassword"].as_str().unwrap_or_default()));
            }
            AdminCommand::Reset { name } => {
                let made = self.login.open().await?.post(&format!("/v1/accounts/{name}/resetPassword"), &json!({}), &request_id()).await?;
                output::print(json, &made, || format!("account {name}, one-time password {}", made["oneTimePassword"].as_str().unwrap_or_default()));
            }
            AdminCommand::Disable { name } => {
                let account = self.login.open().await?.post(&format!("/v1/accounts/{name}/disable"), &json!({}), &request_id()).await?;
                output::print(json, &account, || format!("account {name} is closed; its sessions are over"));
            }
            AdminCommand::Enable { name } => {
                let account = self.login.open().await?.post(&format!("/v1/accounts/{name}/enable"), &json!({}), &request_id()).await?;
                output::print(json, &account, || format!("account {name} is open"));
            }
        }
        Ok(OK)
    }
}

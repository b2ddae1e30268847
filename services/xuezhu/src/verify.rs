//! Whether what stands in the databases is what the services wrote: for who stands at them, with their keys. It only reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xuezhu_audit::{
    verify::{Fault, Report},
    witness::{self, SignedHead},
    written::{
        Kind,
        verify::{self as written, Wrong},
    },
};
use xuezhu_chain::Broken;
use xuezhu_service::{
    Keyring,
    audits::is_signed,
    clock::rfc3339,
    keyring::{Service, from_hexadecimal, hexadecimal},
    proof,
    runner::{AUDIT, ROWS},
    settings::Settings,
};
use xuezhu_store::{Db, Tx};

use crate::deployment::key_files;

/// What is looked at.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// A data folder, with the databases of both services; none for those that the settings name.
    pub data: Option<PathBuf>,
    /// Files with heads that databases elsewhere keep.
    pub heads: Vec<PathBuf>,
    /// A file to write the heads to that the databases here keep of others.
    pub heads_out: Option<PathBuf>,
    /// Positions at which a chain is known to have been cut: of a database that was put back from a backup.
    pub known_cuts: Vec<i64>,
    /// Records that are known to have been altered: `KIND KEY`, as they are told.
    pub known_records: Vec<String>,
}

/// What was found, in words and for programs.
#[derive(Debug)]
pub struct Found {
    /// Whether everything is as it was written.
    pub is_whole: bool,
    /// In words.
    pub text: String,
    /// For programs.
    pub json: Value,
}

/// A head of a chain, in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct HeadText {
    of: String,
    position: i64,
    link: String,
    at_us: i64,
    key_id: String,
    signature: String,
}

/// A service whose database is at hand.
struct AtHand {
    service: Service,
    keyring: Keyring,
    db: Db,
}

const fn name(service: Service) -> &'static str {
    match service {
        Service::Enrollment => "enrollment",
        Service::Aid => "aid",
    }
}

/// Looks at the databases at hand.
pub async fn verify(settings: &Settings, asked: &Asked) -> anyhow::Result<Found> {
    let at_hand = open(settings, asked.data.as_deref()).await?;
    ensure!(!at_hand.is_empty(), "no database is at hand: name a folder with --data, or the settings of a service with its database and its keys");
    let mut told = told_elsewhere(&asked.heads)?;
    let mut lines = Vec::new();
    for here in &at_hand {
        let of = if here.service == Service::Enrollment { Service::Aid } else { Service::Enrollment };
        let mut tx = here.db.read().await?;
        let is_begun = proof::has_table(&mut tx, "row_writes").await?;
        let kept = if is_begun { witness::all(&mut tx).await? } else { Vec::new() };
        tx.rollback().await?;
        ensure!(is_begun, "the database of {} is of an earlier version: start the service on it once", name(here.service));
        told.extend(kept.into_iter().map(|head| (of, head)));
    }
    if let Some(path) = &asked.heads_out {
        let heads: Vec<HeadText> = told.iter().map(|(of, head)| written(*of, head)).collect();
        std::fs::write(path, serde_json::to_string_pretty(&heads)?).with_context(|| format!("file {}", path.display()))?;
    }
    let (mut is_whole, mut services) = (true, Vec::new());
    for here in &at_hand {
        let mut signed: Vec<SignedHead> =
            (told.iter()).filter(|(of, head)| *of == here.service && is_signed(&here.keyring, here.service, head)).map(|(_, head)| head.clone()).collect();
        signed.sort_by_key(|head| (head.position, head.at_us));
        let forged = told.iter().filter(|(of, _)| *of == here.service).count() - signed.len();
        let mut tx = here.db.read().await?;
        let report = xuezhu_audit::verify::verify(&mut tx, &here.keyring.chain(AUDIT), &signed).await?;
        let rows = Rows::of(here, &mut tx).await?;
        tx.rollback().await?;
        let known = |fault: &&Fault| matches!(fault, Fault::Cut { first, .. } if asked.known_cuts.contains(first));
        let unknown = report.faults.iter().filter(|fault| !known(fault)).count();
        is_whole &= unknown == 0 && rows.is_whole(&asked.known_records) && forged == 0;
        lines.push(summary(here.service, &report, &signed));
        lines.push(rows.summary());
        lines.extend(report.faults.iter().map(|fault| format!("  {}{}", said(fault), if known(&fault) { " (known)" } else { "" })));
        lines.extend(rows.lines(&asked.known_records));
        if forged > 0 {
            lines.push(format!("  {forged} heads that are kept of it were not signed by it"));
        }
        services.push(json!({
            "service": name(here.service), "lines": report.lines, "forgotten": report.forgotten, "waiting": report.waiting, "head": report.head,
            "witnessed": report.witnessed, "faults": report.faults.iter().map(of_fault).collect::<Vec<_>>(), "altered": rows.altered(), "rows": rows.json(), "forgedHeads": forged,
        }));
    }
    for here in at_hand {
        here.db.close().await;
    }
    lines.push(if is_whole { "everything is as it was written".into() } else { "NOT everything is as it was written".into() });
    Ok(Found { is_whole, text: lines.join("\n"), json: json!({ "whole": is_whole, "services": services }) })
}

/// How records stand that are bound to what acts wrote of them.
struct Rows {
    report: written::Report,
    /// Accounts that can't log in, because the check beside them does not fit them.
    unfit: Vec<String>,
}

impl Rows {
    async fn of(here: &AtHand, tx: &mut Tx) -> anyhow::Result<Self> {
        let rows = here.keyring.chain(ROWS);
        let (kinds, unfit): (&[&Kind], _) = match here.service {
            Service::Enrollment => (&xuezhu_enrollment::BOUND, xuezhu_enrollment::directory::altered(tx, &rows).await?),
            Service::Aid => (&xuezhu_aid::BOUND, Vec::new()),
        };
        Ok(Self { report: written::verify(tx, &rows, kinds).await?, unfit })
    }

    fn is_whole(&self, known: &[String]) -> bool {
        self.report.faults.iter().all(|fault| is_known(fault, known)) && self.unfit.is_empty()
    }

    fn summary(&self) -> String {
        let counts = self.report.records.iter().map(|(kind, count)| format!("{count} {}", plural(kind))).collect::<Vec<_>>();
        format!("  {} looked at", counts.join(", "))
    }

    fn lines<'r>(&'r self, known: &'r [String]) -> impl Iterator<Item = String> + 'r {
        let unfit = self.unfit.iter().map(|account| format!("  account {account} can't log in: its check is not that of what it may"));
        let told = |fault| format!("  {}{}", of_rows(fault), if is_known(fault, known) { " (known)" } else { "" });
        self.report.faults.iter().map(told).chain(unfit)
    }

    /// Records that are not as they were written: their kind, and which.
    fn altered(&self) -> BTreeSet<String> {
        let named = self.report.faults.iter().filter_map(|fault| match fault {
            written::Fault::Record { kind, key, .. } => Some(format!("{kind} {key}")),
            written::Fault::Written { .. } | written::Fault::Believed { .. } => None,
        });
        named.chain(self.unfit.iter().map(|account| format!("account {account}"))).collect()
    }

    fn json(&self) -> Value {
        let faults = self.report.faults.iter().map(|fault| {
            let text = of_rows(fault);
            match fault {
                written::Fault::Record { kind, key, wrong } => json!({ "kind": word(*wrong), "of": kind, "key": key.to_string(), "text": text }),
                written::Fault::Written { line, .. } => json!({ "kind": "WRITTEN", "line": line, "text": text }),
                written::Fault::Believed { line, .. } => json!({ "kind": "BELIEVED", "line": line, "text": text }),
            }
        });
        json!({ "looked": self.report.records.iter().copied().collect::<BTreeMap<_, _>>(), "faults": faults.collect::<Vec<_>>() })
    }
}

/// Whether a record is told to be known to have been altered.
fn is_known(fault: &written::Fault, known: &[String]) -> bool {
    matches!(fault, written::Fault::Record { kind, key, .. } if known.contains(&format!("{kind} {key}")))
}

fn plural(kind: &str) -> String {
    kind.strip_suffix('y').map_or_else(|| format!("{kind}s"), |stem| format!("{stem}ies"))
}

const fn word(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Added => "ADDED",
        Wrong::Gone => "GONE",
        Wrong::Changed => "CHANGED",
        Wrong::ChangedBetween => "CHANGED_BETWEEN",
    }
}

fn of_rows(fault: &written::Fault) -> String {
    match fault {
        written::Fault::Record { kind, key, wrong } => {
            let what = match wrong {
                Wrong::Added => "was not written by the service: it was added, or put back after its end",
                Wrong::Gone => "is gone, or was taken out of what is under way, and not by the service",
                Wrong::Changed => "is not as the service wrote it last: it was changed, or put back as it was before",
                Wrong::ChangedBetween => "was changed or put back between two acts of the service: what it says now was made from that",
            };
            format!("{kind} {key} {what}")
        }
        written::Fault::Written { line, at_us: 0, .. } => format!("what was written under line {line} is kept, and the line is not there"),
        written::Fault::Written { line, at_us, method } => {
            format!("what line {line} ({method}, {}) wrote of records is not kept as it was written", rfc3339(*at_us))
        }
        written::Fault::Believed { line, at_us } => {
            format!("records were believed as they stood by line {line} ({}), when the service had begun to write them down", rfc3339(*at_us))
        }
    }
}

/// The services whose database and keys are there.
async fn open(settings: &Settings, data: Option<&Path>) -> anyhow::Result<Vec<AtHand>> {
    let file = |folder: &Path, name: &str| format!("sqlite:{}", folder.join(name).display());
    let places = match data {
        Some(data) => {
            let keys = key_files(data);
            [(Service::Enrollment, file(data, "enrollment.db"), keys.enrollment), (Service::Aid, file(data, "aid.db"), keys.aid)]
        }
        None => [
            (Service::Enrollment, settings.enrollment_database_url.clone(), settings.enrollment_keys_file.clone()),
            (Service::Aid, settings.aid_database_url.clone(), settings.aid_keys_file.clone()),
        ],
    };
    let mut at_hand = Vec::new();
    for (service, url, keys) in places {
        let is_there = url.strip_prefix("sqlite:").is_none_or(|file| Path::new(file.trim_start_matches("//")).exists());
        if !is_there || !keys.exists() {
            if data.is_some() {
                bail!("{} or its database is not there", keys.display());
            }
            continue;
        }
        let keyring = Keyring::load(&keys, service)?;
        let db = Db::open(&url).await.with_context(|| format!("the database of {}", name(service)))?;
        match service {
            Service::Enrollment => xuezhu_enrollment::before::prove(&db, &keyring).await?,
            Service::Aid => xuezhu_aid::before::prove(&db, &keyring).await?,
        }
        at_hand.push(AtHand { service, keyring, db });
    }
    Ok(at_hand)
}

fn written(of: Service, head: &SignedHead) -> HeadText {
    HeadText {
        of: name(of).to_owned(),
        position: head.position,
        link: hexadecimal(&head.link),
        at_us: head.at_us,
        key_id: head.key_id.clone(),
        signature: hexadecimal(&head.signature),
    }
}

fn told_elsewhere(files: &[PathBuf]) -> anyhow::Result<Vec<(Service, SignedHead)>> {
    let mut told = Vec::new();
    for path in files {
        let text = std::fs::read_to_string(path).with_context(|| format!("file {}", path.display()))?;
        let heads: Vec<HeadText> = serde_json::from_str(&text).with_context(|| format!("file {} holds no heads", path.display()))?;
        for head in heads {
            let of = [Service::Enrollment, Service::Aid].into_iter().find(|service| name(*service) == head.of);
            let bytes = |text: &str| from_hexadecimal(text).with_context(|| format!("file {}: {text} is not hexadecimal", path.display()));
            let of = of.with_context(|| format!("file {}: {} is no service", path.display(), head.of))?;
            let (link, signature) = (bytes(&head.link)?, bytes(&head.signature)?);
            told.push((of, SignedHead { position: head.position, link, at_us: head.at_us, key_id: head.key_id, signature }));
        }
    }
    Ok(told)
}

fn summary(service: Service, report: &Report, told: &[SignedHead]) -> String {
    let witnessed = match told.last() {
        None => "not compared with the other service, which is not at hand: see --heads".to_owned(),
        Some(_) => format!("{} of {} heads that the other service keeps fit", report.witnessed, told.len()),
    };
    format!("{}: {} lines, {} whose time was over, {} not sealed as yet; {witnessed}", name(service), report.lines, report.forgotten, report.waiting)
}

fn said(fault: &Fault) -> String {
    match fault {
        Fault::Line { id, position, at_us, method } => {
            let at = position.map_or_else(|| "not sealed".to_owned(), |position| format!("position {position}"));
            format!("line {id} ({at}, {method}, {}) was changed, or was not written by the service", rfc3339(*at_us))
        }
        Fault::Chain(Broken::Missing { first, last }) if first == last => format!("the line at position {first} is missing"),
        Fault::Chain(Broken::Missing { first, last }) => format!("the lines at positions {first} to {last} are missing"),
        Fault::Chain(Broken::Relinked { position }) => format!("the line at position {position} is not the one that was sealed there"),
        Fault::Forgotten { position } => format!("the line at position {position} is gone, and was not forgotten by the service"),
        Fault::Head { noted, found } => format!("the chain is noted to end at position {noted}, and ends at {found}"),
        Fault::Cut { agreed, first, last, at_us } => {
            let agreed = agreed.map_or_else(|| "nowhere".to_owned(), |position| format!("up to position {position}"));
            format!("cut at {first}: on {} the other service was told of lines (up to position {last}) that are not here; they agree {agreed}", rfc3339(*at_us))
        }
    }
}

fn of_fault(fault: &Fault) -> Value {
    let text = said(fault);
    match fault {
        Fault::Line { id, position, .. } => json!({ "kind": "LINE", "line": id, "position": position, "text": text }),
        Fault::Chain(Broken::Missing { first, last }) => json!({ "kind": "MISSING", "first": first, "last": last, "text": text }),
        Fault::Chain(Broken::Relinked { position }) => json!({ "kind": "RELINKED", "position": position, "text": text }),
        Fault::Forgotten { position } => json!({ "kind": "FORGOTTEN", "position": position, "text": text }),
        Fault::Head { noted, found } => json!({ "kind": "HEAD", "noted": noted, "found": found, "text": text }),
        Fault::Cut { first, last, .. } => json!({ "kind": "CUT", "first": first, "last": last, "text": text }),
    }
}

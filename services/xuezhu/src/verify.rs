//! Whether what stands in the databases is what the services wrote: for who stands at them, with their keys. It only reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xuezhu_audit::{
    verify::{Fault, KnownCut, Report},
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
use xuezhu_store::{Db, Tx, sqlx::migrate::Migrator, strange};

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
    /// Where a chain is known to have been cut, as it is told: of a database that was put back from a backup.
    pub known_cuts: Vec<KnownCut>,
    /// Records that are known to have been altered: `KIND KEY#MARK`, as they are told.
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

impl AtHand {
    fn migrations(&self) -> &'static Migrator {
        match self.service {
            Service::Enrollment => &xuezhu_enrollment::MIGRATIONS,
            Service::Aid => &xuezhu_aid::MIGRATIONS,
        }
    }
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
    let (mut lines, mut gone_heads) = (Vec::new(), Vec::new());
    for here in &at_hand {
        let of = if here.service == Service::Enrollment { Service::Aid } else { Service::Enrollment };
        let mut tx = here.db.read().await?;
        let is_begun = proof::has_table(&mut tx, "row_writes").await?;
        ensure!(is_begun, "the database of {} is of an earlier version: start the service on it once", name(here.service));
        let kept = witness::all(&mut tx).await.with_context(|| format!("the heads that {} keeps", name(here.service)))?;
        let gone = witness::gone(&mut tx, &kept).await.with_context(|| format!("the audit of {}", name(here.service)))?;
        tx.rollback().await?;
        told.extend(kept.into_iter().map(|head| (of, head)));
        gone_heads.push(gone);
    }
    if let Some(path) = &asked.heads_out {
        let heads: Vec<HeadText> = told.iter().map(|(of, head)| written(*of, head)).collect();
        std::fs::write(path, serde_json::to_string_pretty(&heads)?).with_context(|| format!("file {}", path.display()))?;
    }
    let (mut is_whole, mut services) = (true, Vec::new());
    for (here, gone) in at_hand.iter().zip(gone_heads) {
        let looked = Looked::at(here, asked, &told, gone).await?;
        is_whole &= looked.is_whole(asked);
        lines.extend(looked.lines(asked, at_hand.len() > 1));
        services.push(looked.json());
    }
    for here in at_hand {
        here.db.close().await;
    }
    lines.push(if is_whole { "everything is as it was written".into() } else { "NOT everything is as it was written".into() });
    Ok(Found { is_whole, text: lines.join("\n"), json: json!({ "whole": is_whole, "services": services }) })
}

/// What was found of one service.
struct Looked {
    service: Service,
    /// What the program and its statements never put there.
    strange: Vec<String>,
    /// What could not be walked to its end, and why.
    unread: Vec<String>,
    report: Report,
    rows: Rows,
    /// Heads that are kept of it.
    told: usize,
    /// Of them, those that it did not sign.
    forged: usize,
    /// Positions of the other service of which it says in its audit that it keeps a head, and does not.
    gone: Vec<i64>,
}

impl Looked {
    async fn at(here: &AtHand, asked: &Asked, told: &[(Service, SignedHead)], gone: Vec<i64>) -> anyhow::Result<Self> {
        let of_it: Vec<&SignedHead> = told.iter().filter(|(of, _)| *of == here.service).map(|(_, head)| head).collect();
        let mut signed: Vec<SignedHead> = of_it.iter().filter(|head| is_signed(&here.keyring, here.service, head)).map(|head| (*head).clone()).collect();
        signed.sort_by_key(|head| (head.position, head.at_us));
        let mut unread = Vec::new();
        // Each in a state of its own: what can't be read ends one of them, and not the rest.
        let mut tx = here.db.read().await?;
        let strange = strange(&mut tx, here.migrations()).await;
        tx.rollback().await?;
        let strange = strange.unwrap_or_else(|error| {
            unread.push(format!("what stands in the tables: {error}"));
            Vec::new()
        });
        let mut tx = here.db.read().await?;
        let report = xuezhu_audit::verify::verify(&mut tx, &here.keyring.chain(AUDIT), &signed, &asked.known_cuts).await;
        tx.rollback().await?;
        let report = report.unwrap_or_else(|error| {
            unread.push(format!("the audit: {error}"));
            Report::default()
        });
        let mut tx = here.db.read().await?;
        let rows = Rows::of(here, &mut tx).await;
        tx.rollback().await?;
        let rows = rows.unwrap_or_else(|error| {
            unread.push(format!("the records: {error}"));
            Rows { report: written::Report::default(), unfit: Vec::new() }
        });
        let forged = of_it.len() - signed.len();
        Ok(Self { service: here.service, strange, unread, report, rows, told: signed.len(), forged, gone })
    }

    fn is_whole(&self, asked: &Asked) -> bool {
        let nothing = [self.strange.len(), self.unread.len(), self.report.faults.len(), self.forged, self.gone.len()] == [0; 5];
        nothing && self.rows.is_whole(&asked.known_records)
    }

    fn lines(&self, asked: &Asked, is_other_at_hand: bool) -> Vec<String> {
        let mut lines = vec![summary(self.service, &self.report, self.told, is_other_at_hand), self.rows.summary()];
        lines.extend(self.unread.iter().map(|what| format!("  can't be walked to the end: {what}")));
        lines.extend(self.strange.iter().map(|what| format!("  {what}")));
        if self.report.known > 0 {
            lines.push(format!("  {} heads of what was cut off (known)", self.report.known));
        }
        lines.extend(self.report.faults.iter().map(|fault| format!("  {}", said(fault))));
        lines.extend(self.rows.lines(&asked.known_records));
        if self.forged > 0 {
            lines.push(format!("  {} heads that are kept of it were not signed by it", self.forged));
        }
        if let (Some(first), count) = (self.gone.first(), self.gone.len()) {
            lines.push(format!(
                "  heads are gone that it kept of the other service ({count}, the first at position {first}): that one's audit may have been cut off"
            ));
        }
        lines
    }

    fn json(&self) -> Value {
        let Self { report, rows, .. } = self;
        json!({
            "service": name(self.service), "lines": report.lines, "forgotten": report.forgotten, "waiting": report.waiting, "head": report.head,
            "witnessed": report.witnessed, "faults": report.faults.iter().map(of_fault).collect::<Vec<_>>(), "altered": rows.altered(), "rows": rows.json(),
            "forgedHeads": self.forged, "goneHeads": self.gone, "strange": self.strange, "unread": self.unread,
        })
    }
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
        let told = |fault| match known_as(fault) {
            Some(_) if is_known(fault, known) => format!("  {} (known)", of_rows(fault)),
            Some(known) => format!("  {}; known as: {known}", of_rows(fault)),
            None => format!("  {}", of_rows(fault)),
        };
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
                written::Fault::Record { kind, key, wrong, .. } => {
                    json!({ "kind": word(*wrong), "of": kind, "key": key.to_string(), "knownAs": known_as(fault), "text": text })
                }
                written::Fault::Written { line, .. } => json!({ "kind": "WRITTEN", "line": line, "text": text }),
                written::Fault::Believed { line, .. } => json!({ "kind": "BELIEVED", "line": line, "text": text }),
            }
        });
        json!({ "looked": self.report.records.iter().copied().collect::<BTreeMap<_, _>>(), "faults": faults.collect::<Vec<_>>() })
    }
}

/// As what it is told to be known that a record was altered.
fn known_as(fault: &written::Fault) -> Option<String> {
    match fault {
        written::Fault::Record { kind, key, known_as, .. } => Some(format!("{kind} {key}#{known_as}")),
        written::Fault::Written { .. } | written::Fault::Believed { .. } => None,
    }
}

/// Whether a record is told to be known to have been altered, and was not altered further.
fn is_known(fault: &written::Fault, known: &[String]) -> bool {
    known_as(fault).is_some_and(|of| known.contains(&of))
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
        written::Fault::Record { kind, key, wrong, .. } => {
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

fn summary(service: Service, report: &Report, told: usize, is_other_at_hand: bool) -> String {
    let witnessed = match told {
        0 if is_other_at_hand => "the other service keeps no head of it as yet".to_owned(),
        0 => "not compared with the other service, which is not at hand: see --heads".to_owned(),
        told => format!("{} of {told} heads that the other service keeps fit", report.witnessed),
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
        Fault::Cut { agreed, first, last, at_us, until_us } => {
            let agreed = agreed.map_or_else(|| "nowhere".to_owned(), |position| format!("up to position {position}"));
            format!(
                "cut at {first}: on {} the other service was told of lines (up to position {last}) that are not here; they agree {agreed}; known as: {first}@{until_us}",
                rfc3339(*at_us)
            )
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
        Fault::Cut { first, last, until_us, .. } => {
            json!({ "kind": "CUT", "first": first, "last": last, "knownAs": format!("{first}@{until_us}"), "text": text })
        }
    }
}

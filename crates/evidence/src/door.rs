//! The door to evidence: adding a file, listing, opening and taking out, for whoever calls. Each service has one, with its own [`Holder`].

use tonic::{Code, Response, Status, Streaming};
use uuid::Uuid;
use xuezhu_proto::common as pb;
use xuezhu_service::{
    Context, Error, FieldErrors, Keyring, Reason, Refusal, Runner, refusal,
    runner::Call,
    uploads::{self, Uploads},
};
use xuezhu_store::Tx;

use crate::{
    Holder, Subject, bounds, digest,
    kind::{FILE_BYTES, Fault, Kind},
    rules::{FILES, LINES, NAME_CHARACTERS, PURPOSE_CHARACTERS, State, UNCLAIMED_US},
    store::{self, Leaving, Row},
    told::{self, Listed, NAME},
    vault::{ADDRESS_BYTES, Address, Vault, VaultError},
};

/// For what files are sealed.
const FILE: &str = "evidence";

/// What a call needs, and whose evidence it is.
#[derive(Debug, Clone, Copy)]
pub struct Door<'d, H> {
    /// Runs mutations.
    pub runner: &'d Runner,
    /// The service's keys.
    pub keyring: &'d Keyring,
    /// Where files lie.
    pub vault: &'d Vault,
    /// Who may.
    pub holder: H,
}

/// A file as it comes.
#[derive(Debug)]
pub struct New {
    /// What it is to lie with.
    pub subject: Subject,
    /// Its own name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A file that was looked at and sealed, with the line that asks for it.
struct Piece {
    row: Row,
    sealed: Vec<u8>,
}

impl<H: Holder> Door<'_, H> {
    /// Takes a file in as it comes, in pieces, and adds it. Whoever may not is told before anything of it is read.
    pub async fn take_in<M>(
        &self,
        ctx: &Context,
        uploads: &Uploads,
        (subject, name): (Subject, String),
        pieces: &mut Streaming<M>,
        piece: impl Fn(M) -> Option<Vec<u8>>,
    ) -> Result<Response<pb::Evidence>, Status> {
        self.may_add(ctx, subject).await?;
        let _turn = uploads.turn(&ctx.actor.account).await?;
        match uploads::collect(pieces, piece, FILE_BYTES).await {
            Ok(bytes) => self.add(ctx, New { subject, name, bytes }).await,
            Err(error) => {
                self.runner.record_refusal(ctx, "AddEvidence", &subject.id.to_string(), error.reason()).await;
                Err(error.into())
            }
        }
    }

    async fn may_add(&self, ctx: &Context, subject: Subject) -> Result<(), Status> {
        let with = (self.holder, subject);
        let asked = self.runner.read(ctx, "AddEvidence", &with, |ctx, tx, (holder, subject)| {
            Box::pin(async move {
                holder.readable(ctx, tx, *subject).await?;
                // What was added may be asked for again by whoever lost the answer, whatever became of the dossier since.
                if xuezhu_service::was_answered(ctx, tx).await? {
                    return Ok(());
                }
                holder.may_add(ctx, tx, *subject).await?;
                bounds::may_add(ctx, tx).await
            })
        });
        asked.await.map(drop)
    }

    /// Adds a file: it lies sealed in the vault before its line is written.
    pub async fn add(&self, ctx: &Context, new: New) -> Result<Response<pb::Evidence>, Status> {
        let subject = new.subject;
        let refused = async |error: Error| {
            self.runner.record_refusal(ctx, "AddEvidence", &subject.id.to_string(), error.reason()).await;
            Status::from(error)
        };
        let Piece { row, sealed } = match self.sealed(ctx, new).await {
            Ok(piece) => piece,
            Err(error) => return Err(refused(error).await),
        };
        if let Err(error) = self.put(ctx, &row, sealed).await {
            return Err(refused(error).await);
        }
        let id = row.evidence;
        // What is added again under the same key is known by its content; by a keyed hash, so that nobody can try contents.
        let told = [&row.content_hash[..], subject.id.as_bytes(), &self.keyring.hash_for(NAME, &[self.name(&row).as_bytes()])].concat();
        let call = Call::of_bytes("AddEvidence", id.to_string(), &told);
        let with = (self.holder, row, self.keyring.clone());
        let added =
            self.runner.mutate(ctx, call, &with, |ctx, tx, (holder, row, keyring)| Box::pin(async move { lodge(ctx, tx, *holder, row, keyring).await })).await;
        let is_certain = |status: &Status| !matches!(status.code(), Code::Unavailable | Code::Internal | Code::Unknown | Code::DeadlineExceeded);
        let is_mine = match &added {
            Ok(answer) => answer.get_ref().evidence == id.to_string(),
            // It may have been written nevertheless.
            Err(status) => !is_certain(status),
        };
        if !is_mine {
            self.give_up(id).await;
        } else if added.is_ok() {
            metrics::counter!("xuezhu_evidence_added_total").increment(1);
        }
        added
    }

    /// Looks at a file and seals it.
    async fn sealed(&self, ctx: &Context, new: New) -> Result<Piece, Error> {
        let New { subject, name, bytes } = new;
        let mut errors = FieldErrors::default();
        // A browser may say where on somebody's disk it was.
        let name = errors.text("name", name.rsplit(['/', '\\']).next().unwrap_or_default(), NAME_CHARACTERS);
        errors.check()?;
        let (ctx, keyring, name) = (ctx.clone(), self.keyring.clone(), name.unwrap_or_default());
        let sealed = tokio::task::spawn_blocking(move || seal(&ctx, &keyring, subject, &name, &bytes)).await;
        sealed.map_err(|error| Error::Internal(error.to_string()))?.map_err(|fault| refusal_of(fault).into())
    }

    /// Writes down that a file comes, and puts it into the vault.
    async fn put(&self, ctx: &Context, row: &Row, sealed: Vec<u8>) -> Result<(), Error> {
        let with = (row.evidence, row.address.clone(), ctx.now_us() + UNCLAIMED_US);
        let announced = self.runner.db().write(&with, |tx, (evidence, address, due_us)| {
            Box::pin(async move { store::announce(tx, *evidence, address, *due_us).await.map_err(Error::from) })
        });
        announced.await?;
        self.vault.put(address(&row.address)?, sealed).await.map_err(|error| away(&error))
    }

    /// No line will ask for a file.
    async fn give_up(&self, evidence: Uuid) {
        let given_up = self.runner.db().write(&evidence, |tx, evidence| Box::pin(async move { store::give_up(tx, *evidence).await.map_err(Error::from) }));
        if let Err(error) = given_up.await {
            // It is due in a day all the same.
            tracing::debug!(%error, "a file that no line asks for could not be given up at once");
        }
    }

    fn name(&self, row: &Row) -> String {
        row.name_sealed.as_ref().and_then(|sealed| self.keyring.open_text(NAME, &[row.evidence], sealed)).unwrap_or_default()
    }

    /// What lies with something.
    pub async fn list(&self, ctx: &Context, method: &'static str, subject: Subject) -> Result<Listed, Status> {
        let with = (self.holder, subject, self.keyring.clone());
        let listed = self.runner.read(ctx, method, &with, |ctx, tx, (holder, subject, keyring)| {
            Box::pin(async move {
                holder.readable(ctx, tx, *subject).await?;
                let mark = allowed(holder.may_add(ctx, tx, *subject).await)?;
                let may_open = allowed(holder.may_open(ctx, tx, *subject).await)?.is_some();
                let rows = store::of_subject(tx, subject.about, subject.id).await?;
                let evidence = rows.iter().map(|row| told::evidence(keyring, row, mark.is_some_and(|mark| is_removable(ctx, row, mark)))).collect();
                Ok(Listed { evidence, may_add: mark.is_some(), may_open })
            })
        });
        listed.await.map(Response::into_inner)
    }

    /// A file with its line, for a purpose that is kept before anything is handed out.
    pub async fn open(&self, ctx: &Context, evidence: &str, purpose: &str) -> Result<(pb::Evidence, Vec<u8>), Status> {
        let mut errors = FieldErrors::default();
        let (id, purpose) = (errors.id("evidence", evidence), errors.text("purpose", purpose, PURPOSE_CHARACTERS));
        errors.check()?;
        let (id, purpose) = (id.unwrap_or_default(), purpose.unwrap_or_default());
        let with = (self.holder, id);
        let read = self.runner.read(ctx, "OpenEvidence", &with, |ctx, tx, (holder, id)| {
            Box::pin(async move {
                let (row, subject) = known(ctx, tx, *holder, *id).await?;
                holder.may_open(ctx, tx, subject).await?;
                if row.state == State::Kept { Ok(row) } else { Err(gone(&row).into()) }
            })
        });
        let row = read.await?.into_inner();
        let bytes = self.unsealed(&row).await?;
        self.runner.record_reading(ctx, "OpenEvidence", &id.to_string(), &purpose).await?;
        metrics::counter!("xuezhu_evidence_opened_total").increment(1);
        Ok((told::evidence(self.keyring, &row, false), bytes))
    }

    async fn unsealed(&self, row: &Row) -> Result<Vec<u8>, Error> {
        let unopened = |why: &'static str| {
            metrics::counter!("xuezhu_evidence_unopened_total").increment(1);
            tracing::error!(evidence = %row.evidence, why, "a file that a line asks for can't be opened: was the vault put back to an older day?");
            Error::from(Refusal::new(Reason::Unavailable, "存储中的这份材料缺失或损坏，打不开：请通知运维人员从备份恢复"))
        };
        let sealed = match self.vault.get(address(&row.address)?).await {
            Ok(sealed) => sealed,
            Err(VaultError::Missing) => return Err(unopened("it is not there")),
            Err(VaultError::TooLarge) => return Err(unopened("it is larger than any that was put there")),
            Err(error) => return Err(away(&error)),
        };
        let (keyring, place) = (self.keyring.clone(), [row.evidence, row.subject]);
        let opened = tokio::task::spawn_blocking(move || keyring.open(FILE, &place, &sealed)).await;
        opened.map_err(|error| Error::Internal(error.to_string()))?.ok_or_else(|| unopened("it does not open"))
    }

    /// Takes a file out: whoever added it, until somebody decided on it.
    pub async fn remove(&self, ctx: &Context, evidence: &str, reason: &str, call: Call) -> Result<Response<pb::Evidence>, Status> {
        let mut errors = FieldErrors::default();
        let (id, reason) = (errors.id("evidence", evidence), errors.text("reason", reason, PURPOSE_CHARACTERS));
        errors.check()?;
        let with = (self.holder, id.unwrap_or_default(), reason.unwrap_or_default(), self.keyring.clone());
        self.runner
            .mutate(ctx, call, &with, |ctx, tx, (holder, id, reason, keyring)| {
                Box::pin(async move {
                    let row = take_out(ctx, tx, *holder, *id, reason).await?;
                    Ok(told::evidence(keyring, &row, false))
                })
            })
            .await
    }
}

/// What may be asked of a use case without being refused: whether it is allowed.
fn allowed<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(Error::Refused(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

fn seal(ctx: &Context, keyring: &Keyring, subject: Subject, name: &str, bytes: &[u8]) -> Result<Piece, Fault> {
    let (kind, evidence) = (Kind::of(bytes)?, ctx.new_id());
    let content_hash = keyring.hash_for(FILE, &[bytes]);
    let row = Row {
        evidence,
        about: subject.about,
        subject: subject.id,
        // Of its own line alone: what one line takes away, no other asks for.
        address: keyring.hash_for("evidence address", &[evidence.as_bytes(), &content_hash]).to_vec(),
        content_hash: content_hash.to_vec(),
        kind,
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        name_sealed: Some(keyring.seal(NAME, &[evidence], kind.named(name).as_bytes())),
        state: State::Kept,
        mark: 0,
        added_by: ctx.actor.account.clone(),
        added_by_name: ctx.actor.display_name.clone(),
        added_role: ctx.actor.role.as_str().to_owned(),
        added_day: ctx.today(),
        added_at_us: ctx.now_us(),
        left_by_name: String::new(),
        left_day: None,
        left_reason: String::new(),
    };
    Ok(Piece { row, sealed: keyring.seal(FILE, &[evidence, subject.id], bytes) })
}

/// Writes the line of a file that lies in the vault.
async fn lodge<H: Holder>(ctx: &Context, tx: &mut Tx, holder: H, row: &Row, keyring: &Keyring) -> Result<pb::Evidence, Error> {
    let subject = Subject { about: row.about, id: row.subject };
    let mark = holder.enter(ctx, tx, subject).await?;
    let mut rows = store::of_subject(tx, row.about, row.subject).await?;
    if rows.len() >= LINES {
        return Err(Refusal::wrong_state(format!("已添加过{LINES}份材料（含撤下的），不能再添加")).into());
    }
    rows.retain(|row| row.state == State::Kept);
    if rows.iter().any(|known| known.content_hash == row.content_hash) {
        return Err(Refusal::new(Reason::AlreadyExists, "这份材料已经在其中了，不必重复上传").into());
    }
    if rows.len() >= FILES {
        return Err(Refusal::wrong_state(format!("最多{FILES}份材料：请合并为较少的文件，或先撤下不需要的")).into());
    }
    let row = Row { mark, ..row.clone() };
    if !store::ask_for(tx, row.evidence).await? {
        return Err(Refusal::new(Reason::Unavailable, "上传用时过长，请重新上传").into());
    }
    store::insert(tx, &row).await?;
    let told = told::evidence(keyring, &row, true);
    rows.push(row);
    holder.enclose(tx, subject, &digest(&rows)).await?;
    Ok(told)
}

/// A line that whoever calls may know of.
async fn known<H: Holder>(ctx: &Context, tx: &mut Tx, holder: H, id: Uuid) -> Result<(Row, Subject), Error> {
    let not_found = || Error::from(Refusal::not_found("该份材料"));
    let row = store::row(tx, id).await?.ok_or_else(not_found)?;
    let subject = Subject { about: row.about, id: row.subject };
    match holder.readable(ctx, tx, subject).await {
        Ok(()) => Ok((row, subject)),
        // Who may not know of what it lies with learns not that it is there.
        Err(Error::Refused(refusal)) if matches!(refusal.reason, Reason::NotFound | Reason::Forbidden) => Err(not_found()),
        Err(other) => Err(other),
    }
}

fn is_removable(ctx: &Context, row: &Row, mark: i32) -> bool {
    row.state == State::Kept && row.mark == mark && row.added_by == ctx.actor.account
}

async fn take_out<H: Holder>(ctx: &Context, tx: &mut Tx, holder: H, id: Uuid, reason: &str) -> Result<Row, Error> {
    let (_, subject) = known(ctx, tx, holder, id).await?;
    let mark = holder.enter(ctx, tx, subject).await?;
    // As it is now that nobody else can act on it.
    let row = store::row(tx, id).await?.ok_or_else(|| Refusal::not_found("该份材料"))?;
    if row.state != State::Kept {
        return Err(gone(&row).into());
    }
    if row.added_by != ctx.actor.account {
        return Err(Refusal::new(Reason::Forbidden, format!("只有添加的人（{}）可以撤下", row.added_by_name)).into());
    }
    if !is_removable(ctx, &row, mark) {
        return Err(Refusal::wrong_state("添加之后已有人据此办理，不能再撤下；如有误，请另加一份说明").into());
    }
    store::leave(ctx, tx, &[id], Leaving { state: State::Removed, by_name: &ctx.actor.display_name, reason }).await?;
    let rows = store::of_subject(tx, subject.about, subject.id).await?;
    holder.enclose(tx, subject, &digest(&rows)).await?;
    rows.into_iter().find(|row| row.evidence == id).ok_or_else(|| Error::Internal("a line that was there".into()))
}

fn gone(row: &Row) -> Refusal {
    match row.state {
        State::Removed => Refusal::wrong_state(format!("该份材料已由{}撤下", row.left_by_name)),
        State::Kept | State::Lapsed => Refusal::wrong_state("该份材料保存期已满，文件已销毁，只留登记"),
    }
}

fn refusal_of(fault: Fault) -> Refusal {
    let reason = match fault {
        Fault::TooLarge => Reason::FileTooLarge,
        Fault::Encrypted => Reason::FileEncrypted,
        _ => Reason::FileUnreadable,
    };
    Refusal::new(reason, fault.to_string())
}

pub(crate) fn address(stored: &[u8]) -> Result<Address, Error> {
    let address: [u8; ADDRESS_BYTES] = stored.try_into().map_err(|_| Error::Internal("an address of evidence".into()))?;
    Ok(Address(address))
}

/// The vault does not do what is asked: told to operators; callers may try again.
pub(crate) fn away(error: &VaultError) -> Error {
    if error.is_full() {
        return Refusal::new(Reason::StorageFull, refusal::chinese(Reason::StorageFull)).into();
    }
    tracing::error!(%error, "the vault of evidence does not do what is asked");
    Refusal::new(Reason::Unavailable, "材料的存储暂时不可用，没有保存，请稍后重试").into()
}

#[cfg(test)]
mod tests {
    use xuezhu_service::{Actor, Clock, Ids};

    use super::*;

    const PDF: &[u8] = b"%PDF-1.4\n%%EOF";

    fn ctx() -> Context {
        let clock = Clock::new(|| chrono::DateTime::from_timestamp(1_480_000_000, 0).expect("an instant"));
        Context::new(Actor::system(), &clock, &Ids::seeded(1))
    }

    fn sealed(keyring: &Keyring) -> Piece {
        seal(&ctx(), keyring, Subject { about: 1, id: Uuid::from_u128(7) }, "收据", PDF).expect("is one")
    }

    #[test]
    fn a_file_opens_in_its_line_alone_and_unaltered() {
        let (keyring, other) = Keyring::generate();
        let Piece { row, mut sealed } = sealed(&keyring);
        let place = [row.evidence, row.subject];
        assert_eq!(keyring.open(FILE, &place, &sealed).as_deref(), Some(PDF));
        assert!(sealed.windows(4).all(|part| part != b"%PDF"));
        assert!(keyring.open(FILE, &[Uuid::from_u128(1), row.subject], &sealed).is_none(), "moved to another line");
        assert!(keyring.open(FILE, &[row.evidence, Uuid::from_u128(8)], &sealed).is_none(), "moved to another dossier");
        assert!(keyring.open("id", &place, &sealed).is_none() && other.open(FILE, &place, &sealed).is_none());
        let middle = sealed.len() / 2;
        sealed[middle] ^= 1;
        assert!(keyring.open(FILE, &place, &sealed).is_none(), "altered");
    }

    #[test]
    fn an_address_tells_nobody_what_lies_there_nor_whether_two_are_the_same() {
        let (keyring, other) = Keyring::generate();
        let ctx = ctx();
        let subject = Subject { about: 1, id: Uuid::from_u128(7) };
        let piece = |keyring: &Keyring| seal(&ctx, keyring, subject, "收据", PDF).expect("is one").row;
        let (one, two, theirs) = (piece(&keyring), piece(&keyring), piece(&other));
        assert_eq!(one.content_hash, two.content_hash, "one file");
        assert_ne!(one.address, two.address);
        assert_ne!(one.content_hash, theirs.content_hash);
        assert_ne!(one.content_hash, blake3::hash(PDF).as_bytes());
        assert_eq!(digest(&[one.clone(), two.clone()]), digest(&[two.clone(), one.clone()]));
        assert_ne!(digest(&[one.clone(), two]), digest(std::slice::from_ref(&one)));
        assert_eq!(digest(&[Row { state: State::Removed, ..one }]), "");
    }

    #[test]
    fn whoever_added_may_take_out_until_somebody_decided() {
        let ctx = ctx();
        let (keyring, _) = Keyring::generate();
        let row = Row { mark: 2, ..sealed(&keyring).row };
        assert!(is_removable(&ctx, &row, 2));
        for (row, mark) in [
            (row.clone(), 3),
            (Row { added_by: "other".into(), ..row.clone() }, 2),
            (Row { state: State::Removed, ..row.clone() }, 2),
            (Row { state: State::Lapsed, ..row }, 2),
        ] {
            assert!(!is_removable(&ctx, &row, mark), "{row:?}");
        }
    }
}

//! What goes from desk to desk: a **dossier** (业务单) of one kind of business, of one school or of a department itself, with one or many
//! items and a digest of their contents. *A kind proposes, a review decides over desks, the last signature lets the kind perform.*
//!
//! | module | what lives here |
//! | --- | --- |
//! | [`way`] | pure: chains, desks, states, which act is allowed where, digests |
//! | [`kind`] | what a kind of business gives: its words, its items as they are, what moving and performing means |
//! | this | the use cases: submit, order, sign, send back, refuse, recall, take note, hand over, nudge; each in the caller's transaction |
//! | [`bound`] | what a dossier says, bound to what acts write of it |
//! | [`chains`] | over which desks, by kind, school and day |
//! | [`enclosing`] | what papers are added to a dossier, by whom: a signature covers them |
//! | [`door`] | what every service does with them for whoever calls, of whatever kind |
//! | [`former`] | dossiers of before: taken over from a database that kept such things otherwise |
//! | [`inbox`] | what waits at whose desk, since when, until when, and what was finished |
//! | [`told`] | how clients are told of them, and who may read them |
//!
//! A signature covers id and content of each item that waits: a dossier keeps what was submitted, and a desk signs only what is
//! still that. Nobody signs what they submitted, nobody signs two steps, whoever signed a step may repeat it: what could not be
//! performed stays, with its reason. Items leave one by one, with a reason; a dossier is finished when nothing in it waits, and
//! stays readable as it was signed.
//!
//! To add a kind: a struct with what it needs, [`Kind`] for it, a row of [`kind::About`]. The tables (`dossiers`, `dossier_steps`, `dossier_items`,
//! `dossier_acts`, `chains`) come with the migrations of the service that keeps the kind.

pub mod bound;
pub mod chains;
pub mod door;
pub mod enclosing;
pub mod former;
pub mod inbox;
pub mod kind;
mod store;
pub mod takeout;
pub mod told;
pub mod way;

use std::collections::HashMap;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_audit::written::Key;
use xuezhu_service::{Context, Error, Permission, Place, Reason, Refusal, paging::Turn};
use xuezhu_store::{Bytes, Hex, StoreError, Tx};

pub use self::{
    kind::{About, Compared, Item, Kind, Mark, Moved, Present, Refused, Work},
    store::{ActAbout, ActRow, ChainRow, ClassRow, Counts, Filter, ItemRow, Signature},
};
use self::{
    store::{NewItem, NewStep, RefusedItem},
    way::{Act, Duty, ItemState, Seat, Stand, State, Waits},
};

/// Items of a dossier, at most.
pub const ITEMS: usize = 20_000;

/// A dossier.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Dossier {
    /// Id.
    pub dossier: Uuid,
    /// Its kind's code.
    pub kind: i32,
    /// School.
    pub school: String,
    /// Region code of the school's department when it was submitted.
    pub authority: String,
    /// What all of its items belong to, such as a list; none where there is no such thing.
    pub subject: Option<Uuid>,
    /// What it is, in Chinese.
    pub title: String,
    /// Where it stands.
    #[sqlx(try_from = "i32")]
    pub state: State,
    /// At which step it waits, or waited last.
    pub step: i32,
    /// Whose turn it is; empty where it waits nowhere.
    pub waits_at: String,
    /// The level above that; empty where there is none.
    pub above: String,
    /// Civil day since which it waits there.
    pub since_day: NaiveDate,
    /// Working days that it may wait there.
    pub working_days: i32,
    /// How often a desk has signed.
    pub signatures: i32,
    /// Account of who has it, where somebody took it or was handed it.
    pub holder: String,
    /// By name.
    pub holder_name: String,
    /// Civil day on which the school asked last to hurry.
    pub nudged_day: Option<NaiveDate>,
    /// How often it asked at this step.
    pub nudges: i32,
    /// Covers the items that are in it, and what is enclosed.
    pub digest: String,
    /// Digest of what is enclosed; empty where nothing is.
    pub enclosed: String,
    /// Items that wait.
    pub waiting: i32,
    /// Items that were performed.
    pub performed: i32,
    /// Items that left.
    pub left_count: i32,
    /// Who submitted it.
    pub submitted_by: String,
    /// By name.
    pub submitted_by_name: String,
    /// Civil day of that.
    pub submitted_day: NaiveDate,
    /// System time of that, in microseconds.
    pub submitted_at_us: i64,
    /// Civil day on which it was finished.
    pub ended_day: Option<NaiveDate>,
    /// Lines of its history: its version.
    pub acts: i32,
}

impl Dossier {
    /// Items in it.
    pub fn count(&self) -> i32 {
        self.waiting + self.performed
    }

    /// Its version.
    pub fn etag(&self) -> String {
        self.acts.to_string()
    }

    /// The seat where it waits.
    pub fn seat(&self) -> Option<Seat> {
        self.waits_at.parse().ok()
    }

    fn at(&self) -> usize {
        usize::try_from(self.step).unwrap_or(0)
    }
}

/// A school and who is responsible for it; of what is a department's own business the code is empty.
#[derive(Debug, Clone, Copy)]
pub struct OfSchool<'s> {
    /// Code.
    pub code: &'s str,
    /// Region code of its department.
    pub authority: &'s str,
}

/// What is submitted.
#[derive(Debug)]
pub struct Proposal {
    /// Id of the dossier.
    pub dossier: Uuid,
    /// What all of its items belong to.
    pub subject: Option<Uuid>,
    /// What it is, in Chinese.
    pub title: String,
    /// Why it is asked for, where that is said; kept on the first line of its history.
    pub reason: String,
    /// Items.
    pub items: Vec<Item>,
}

/// A dossier that is locked, with its steps.
#[derive(Debug)]
pub struct Open {
    /// The dossier.
    pub dossier: Dossier,
    /// Its steps, as they were when it began.
    pub stands: Vec<Stand>,
}

/// The school submits what its kind proposes. Whoever calls has authorised it.
pub async fn submit(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, school: OfSchool<'_>, proposal: Proposal) -> Result<Dossier, Error> {
    let chain = chains::chain_of(tx, kind.about(), school, ctx.today()).await?;
    let mut open = begin(ctx, tx, kind, school, proposal, chain.resolved(school.code, school.authority), Act::Submit).await?;
    if way::performing_step(&open.stands).is_none() {
        open.perform_all(ctx, tx, kind).await?;
        open.settle(ctx, tx).await?;
    }
    Ok(open.dossier)
}

/// A department orders what it decides itself: it is performed at once, and the school's principal takes note. Whoever calls has
/// authorised it. Where a department above decides too, nobody orders: the school asks.
pub async fn order(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, school: OfSchool<'_>, proposal: Proposal) -> Result<Dossier, Error> {
    let chain = chains::chain_of(tx, kind.about(), school, ctx.today()).await?;
    let own = Seat::Department(school.authority.to_owned());
    let other = |stand: &Stand| stand.duty == Duty::Decides && stand.seat.region().is_some() && stand.seat != own;
    if let Some(above) = chain.resolved(school.code, school.authority).into_iter().find(other) {
        let why = format!("“{}”还须经{}审核，不能直接办理：请由学校提出申请", kind.about().name, above.seat.name());
        return Err(Refusal::wrong_state(why).into());
    }
    let department = Stand { seat: own, duty: Duty::Decides, working_days: way::STEP_WORKING_DAYS };
    let told = Stand { seat: Seat::Principal(school.code.to_owned()), duty: Duty::Notes, working_days: way::STEP_WORKING_DAYS };
    let mut open = begin(ctx, tx, kind, school, proposal, vec![department, told], Act::Order).await?;
    open.perform_all(ctx, tx, kind).await?;
    open.settle(ctx, tx).await?;
    Ok(open.dossier)
}

async fn begin(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, school: OfSchool<'_>, proposal: Proposal, stands: Vec<Stand>, act: Act) -> Result<Open, Error> {
    if proposal.items.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有可以提交的内容").into());
    }
    if proposal.items.len() > ITEMS {
        return Err(Refusal::field(kind.about().items, format!("一次不能超过{ITEMS}条")).into());
    }
    let first = stands.first().ok_or_else(|| Error::Internal("a chain without desks".into()))?;
    let dossier = Dossier {
        dossier: proposal.dossier,
        kind: kind.about().code,
        school: school.code.to_owned(),
        authority: school.authority.to_owned(),
        subject: proposal.subject,
        title: proposal.title,
        state: State::UnderWay,
        step: 0,
        waits_at: first.seat.to_string(),
        above: first.seat.above(school.authority).map(|seat| seat.to_string()).unwrap_or_default(),
        since_day: ctx.today(),
        working_days: i32::try_from(first.working_days).unwrap_or(i32::MAX),
        signatures: 0,
        holder: String::new(),
        holder_name: String::new(),
        nudged_day: None,
        nudges: 0,
        enclosed: String::new(),
        digest: way::digest(proposal.items.iter().map(|item| (item.id, &item.content_hash[..]))),
        waiting: count(proposal.items.len()),
        performed: 0,
        left_count: 0,
        submitted_by: ctx.actor.account.clone(),
        submitted_by_name: ctx.actor.display_name.clone(),
        submitted_day: ctx.today(),
        submitted_at_us: ctx.now_us(),
        ended_day: None,
        acts: 0,
    };
    ctx.make(&bound::DOSSIER, [Key::Id(dossier.dossier)]);
    store::insert_dossier(tx, &dossier).await?;
    let steps = (0..).zip(&stands).map(|(step, stand)| NewStep {
        step,
        seat: stand.seat.to_string(),
        duty: stand.duty.code(),
        working_days: i32::try_from(stand.working_days).unwrap_or(i32::MAX),
    });
    store::insert_steps(tx, dossier.dossier, &steps.collect::<Vec<_>>()).await?;
    let mut lines = proposal.items;
    // Class by class; within one as they were given.
    lines.sort_by(|a, b| a.class_name.cmp(&b.class_name));
    let items = (0..).zip(lines).map(|(ordinal, item)| NewItem {
        item: Hex(item.id),
        ordinal,
        content_hash: Bytes(item.content_hash),
        name: item.name,
        line: serde_json::to_string(&item.line).unwrap_or_default(),
        class_name: item.class_name,
    });
    store::insert_items(tx, dossier.dossier, &items.collect::<Vec<_>>()).await?;
    let mut open = Open { dossier, stands };
    let items = usize::try_from(open.dossier.waiting).unwrap_or(0);
    open.note(ctx, tx, act, &proposal.reason, items, 0).await?;
    Ok(open)
}

/// The desk whose turn it is signs what waits. `said` is the digest that was read; `None` where the caller has compared one of its own.
pub async fn sign(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, dossier: Uuid, said: Option<&str>) -> Result<Dossier, Error> {
    let mut open = Open::enter(ctx, tx, dossier, Act::Sign).await?;
    open.not_signed_elsewhere(ctx, tx).await?;
    if said.is_some_and(|said| said != open.dossier.digest) {
        return Err(changed().into());
    }
    let waiting = open.unchanged(tx, kind).await?;
    let step = open.dossier.at();
    if way::performing_step(&open.stands) == Some(step) {
        let performed = open.perform(ctx, tx, kind, &waiting, open.dossier.acts).await?;
        open.note(ctx, tx, Act::Sign, "", waiting.len(), performed).await?;
    } else {
        kind.moved(ctx, tx, &open.dossier, &waiting, Moved::Signed { step }).await?;
        open.note(ctx, tx, Act::Sign, "", waiting.len(), 0).await?;
        open.go_to(ctx, step + 1);
    }
    open.dossier.signatures += 1;
    open.settle(ctx, tx).await?;
    Ok(open.dossier)
}

/// The desk whose turn it is sends items back, all that wait where none is named; they may come again in a later dossier.
pub async fn send_back(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, dossier: Uuid, reason: &str, items: &[Uuid]) -> Result<Dossier, Error> {
    leave(ctx, tx, kind, dossier, (Act::SendBack, ItemState::SentBack, Moved::SentBack { reason }), reason, items).await
}

/// The desk whose turn it is refuses items, all that wait where none is named.
pub async fn refuse(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, dossier: Uuid, reason: &str, items: &[Uuid]) -> Result<Dossier, Error> {
    leave(ctx, tx, kind, dossier, (Act::Refuse, ItemState::Refused, Moved::Refused { reason }), reason, items).await
}

async fn leave(
    ctx: &Context,
    tx: &mut Tx,
    kind: &dyn Kind,
    dossier: Uuid,
    (act, state, moved): (Act, ItemState, Moved<'_>),
    reason: &str,
    named: &[Uuid],
) -> Result<Dossier, Error> {
    let mut open = Open::enter(ctx, tx, dossier, act).await?;
    let waiting = open.waiting(tx).await?;
    let mut leaving = if named.is_empty() { waiting.clone() } else { named.to_vec() };
    leaving.sort_unstable();
    leaving.dedup();
    let there: std::collections::HashSet<Uuid> = waiting.iter().copied().collect();
    if let Some(stranger) = leaving.iter().find(|item| !there.contains(item)) {
        return Err(Refusal::field(kind.about().items, format!("{stranger}不在本级待办中")).into());
    }
    if kind.about().whole && leaving.len() < waiting.len() {
        return Err(Refusal::wrong_state(format!("“{}”要整份退回：请不勾选个别的行", kind.about().name)).into());
    }
    if leaving.is_empty() {
        return Err(Refusal::new(Reason::NothingToDo, "没有可以退回的记录").into());
    }
    open.take_out(ctx, tx, kind, &leaving, state, moved, reason).await?;
    open.note(ctx, tx, act, reason, leaving.len(), 0).await?;
    open.settle(ctx, tx).await?;
    Ok(open.dossier)
}

/// Why what a school asked for is not decided any more, where its department did it itself.
pub const DONE_BY_DEPARTMENT: &str = "已由主管部门直接办理";

/// What was asked for below leaves its dossiers, because somebody above does it themselves: wherever they wait, and kept in their history. Whoever
/// calls has authorised that, and comes here before anything is locked that a kind locks.
pub async fn overtake(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, school: &str, items: &[Uuid], reason: &'static str) -> Result<(), Error> {
    let mut under_way: Vec<Uuid> = store::under_way(tx, kind.about().code, items).await?.into_iter().map(|(_, dossier)| dossier).collect();
    under_way.sort_unstable();
    under_way.dedup();
    for dossier in under_way {
        let mut open = Open::locked(tx, dossier).await?;
        // What was decided until the dossier was locked waits no more.
        let leaving: Vec<Uuid> = open.waiting(tx).await?.into_iter().filter(|item| items.contains(item)).collect();
        if open.dossier.school != school || leaving.is_empty() {
            continue;
        }
        bound::touch(ctx, tx, dossier).await?;
        open.take_out(ctx, tx, kind, &leaving, ItemState::Refused, Moved::Refused { reason }, reason).await?;
        open.note(ctx, tx, Act::Refuse, reason, leaving.len(), 0).await?;
        open.settle(ctx, tx).await?;
    }
    Ok(())
}

/// The school takes a dossier back that nobody has signed. Whoever calls has authorised it for the school.
pub async fn recall(ctx: &Context, tx: &mut Tx, kind: &dyn Kind, dossier: Uuid, reason: &str) -> Result<Dossier, Error> {
    let mut open = Open::locked(tx, dossier).await?;
    open.allow(ctx, tx, Act::Recall).await?;
    let waiting = open.waiting(tx).await?;
    open.take_out(ctx, tx, kind, &waiting, ItemState::Recalled, Moved::Recalled, reason).await?;
    open.note(ctx, tx, Act::Recall, reason, waiting.len(), 0).await?;
    open.close(ctx, State::Recalled);
    store::save(tx, &open.dossier).await?;
    Ok(open.dossier)
}

/// The desk whose turn it is takes note of what was performed.
pub async fn take_note(ctx: &Context, tx: &mut Tx, dossier: Uuid, remark: &str) -> Result<Dossier, Error> {
    let mut open = Open::enter(ctx, tx, dossier, Act::Note).await?;
    let (step, performed) = (open.dossier.at(), usize::try_from(open.dossier.performed).unwrap_or(0));
    open.note(ctx, tx, Act::Note, remark, performed, 0).await?;
    match way::after(&open.stands, step, true) {
        Some(next) => open.go_to(ctx, next),
        None => open.close(ctx, State::Done),
    }
    store::save(tx, &open.dossier).await?;
    Ok(open.dossier)
}

/// The desk where a dossier waits, to somebody who sits there and may hand it over.
pub(crate) async fn own_desk(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<Seat, Error> {
    Ok(Open::enter(ctx, tx, dossier, Act::HandOver).await?.stand()?.seat.clone())
}

/// Somebody of the desk has it from now on: a colleague, or whoever takes it over. It grants nothing: all of the desk may act.
pub async fn hand_over(ctx: &Context, tx: &mut Tx, dossier: Uuid, account: &str, name: &str) -> Result<Dossier, Error> {
    let mut open = Open::enter(ctx, tx, dossier, Act::HandOver).await?;
    if account == open.dossier.submitted_by && open.stand()?.duty == Duty::Decides {
        return Err(Refusal::field("account", "是提交人，不能审签本人提交的内容").into());
    }
    account.clone_into(&mut open.dossier.holder);
    name.clone_into(&mut open.dossier.holder_name);
    open.note(ctx, tx, Act::HandOver, name, 0, 0).await?;
    store::save(tx, &open.dossier).await?;
    Ok(open.dossier)
}

/// The waiting school asks to hurry, once a day. Whoever calls has authorised it for the school.
pub async fn nudge(ctx: &Context, tx: &mut Tx, dossier: Uuid) -> Result<Dossier, Error> {
    let mut open = Open::locked(tx, dossier).await?;
    open.allow(ctx, tx, Act::Nudge).await?;
    if open.dossier.nudged_day == Some(ctx.today()) {
        return Err(Refusal::wrong_state("今天已经催办过，请明天再催").into());
    }
    open.dossier.nudged_day = Some(ctx.today());
    open.dossier.nudges += 1;
    open.note(ctx, tx, Act::Nudge, "", 0, 0).await?;
    store::save(tx, &open.dossier).await?;
    Ok(open.dossier)
}

impl Open {
    /// Locks a dossier and reads its steps.
    pub async fn locked(tx: &mut Tx, dossier: Uuid) -> Result<Self, Error> {
        let dossier = store::lock(tx, dossier).await?.ok_or_else(not_found)?;
        let stands = store::stands(tx, dossier.dossier).await?;
        Ok(Self { dossier, stands })
    }

    /// The same, for somebody at the desk whose turn it is.
    async fn enter(ctx: &Context, tx: &mut Tx, dossier: Uuid, act: Act) -> Result<Self, Error> {
        let open = Self::locked(tx, dossier).await?;
        open.sits_somewhere(ctx)?;
        if act == Act::Sign && open.dossier.submitted_by == ctx.actor.account {
            return Err(Refusal::new(Reason::OwnSubmission, "不能签核或审核本人提交的内容").into());
        }
        open.allow(ctx, tx, act).await?;
        let stand = open.stand()?;
        if open.sits(ctx, &stand.seat).is_err() {
            let why = match (&stand.seat, open.waits()) {
                (Seat::Principal(_), Waits::Unsigned) => "校长尚未签核，不能审核".to_owned(),
                (seat, _) => format!("现由{}办理，不在您的待办中", seat.name()),
            };
            return Err(Refusal::wrong_state(why).into());
        }
        Ok(open)
    }

    /// The step at which it stands.
    pub fn stand(&self) -> Result<&Stand, Error> {
        self.stands.get(self.dossier.at()).ok_or(Error::Store(StoreError::Corrupt("step of a dossier")))
    }

    /// Where it waits.
    pub fn waits(&self) -> Waits {
        if self.dossier.state != State::UnderWay {
            return Waits::Closed;
        }
        match self.stands.get(self.dossier.at()).map(|stand| stand.duty) {
            Some(Duty::Notes) => Waits::Performed,
            _ if self.dossier.signatures == 0 => Waits::Unsigned,
            _ => Waits::Signed,
        }
    }

    fn sits(&self, ctx: &Context, seat: &Seat) -> Result<(), Error> {
        let school = self.dossier.school.as_str();
        match seat {
            Seat::Clerk(code) => ctx.may(Permission::EnterForSchool, &Place::School { code, authority: &self.dossier.authority }),
            Seat::Review(code) => ctx.may(Permission::ReviewForSchool, &Place::School { code, authority: &self.dossier.authority }),
            Seat::Principal(code) => ctx.may(Permission::Attest, &Place::School { code, authority: &self.dossier.authority }),
            // A confirmer above the authority decides for this school as the authority does.
            Seat::Department(region) => ctx.may(Permission::Approve, &Place::School { code: school, authority: region }),
            Seat::Head(region) => ctx.may(Permission::SignForDepartment, &Place::School { code: school, authority: region }),
        }
    }

    /// Refuses who sits at no desk of this dossier.
    fn sits_somewhere(&self, ctx: &Context) -> Result<(), Error> {
        let mut refusal = None;
        for stand in &self.stands {
            match self.sits(ctx, &stand.seat) {
                Ok(()) => return Ok(()),
                Err(error) => refusal = Some(error),
            }
        }
        Err(refusal.unwrap_or_else(|| not_found().into()))
    }

    /// Refuses an act that is not allowed where the dossier waits, and says who was there before. What is allowed is about to change it.
    async fn allow(&self, ctx: &Context, tx: &mut Tx, act: Act) -> Result<(), Error> {
        if self.waits().allows(act) {
            return bound::touch(ctx, tx, self.dossier.dossier).await;
        }
        let last = store::acts(tx, self.dossier.dossier).await?.pop();
        let was = last.filter(|last| !last.name.is_empty()).map(|last| format!("：{}已{}", last.name, last.act.name())).unwrap_or_default();
        let stands = match self.waits() {
            Waits::Closed => self.dossier.state.name().to_owned(),
            _ => format!("由{}办理中", self.stand()?.seat.name()),
        };
        Err(Refusal::wrong_state(format!("该业务单现{stands}，不能{}{was}", act.name())).into())
    }

    /// Nobody signs two steps; the signer of a step may repeat it.
    async fn not_signed_elsewhere(&self, ctx: &Context, tx: &mut Tx) -> Result<(), Error> {
        let signers = store::signers(tx, self.dossier.dossier).await?;
        if signers.iter().any(|(step, account)| *account == ctx.actor.account && *step != self.dossier.step) {
            return Err(Refusal::new(Reason::OwnSubmission, "您已在本业务单的另一环节签过字，请由其他人办理本环节").into());
        }
        Ok(())
    }

    async fn waiting(&self, tx: &mut Tx) -> Result<Vec<Uuid>, Error> {
        let there = store::items_there(tx, self.dossier.dossier).await?;
        Ok(there.into_iter().filter(|(_, _, state)| *state == ItemState::Waiting.code()).map(|(item, ..)| item).collect())
    }

    /// The items that wait, if each of them is as it was submitted.
    async fn unchanged(&self, tx: &mut Tx, kind: &dyn Kind) -> Result<Vec<Uuid>, Error> {
        let there = store::items_there(tx, self.dossier.dossier).await?;
        let submitted: Vec<(Uuid, Vec<u8>)> =
            there.into_iter().filter(|(_, _, state)| *state == ItemState::Waiting.code()).map(|(item, content, _)| (item, content)).collect();
        let waiting: Vec<Uuid> = submitted.iter().map(|(item, _)| *item).collect();
        let now: HashMap<Uuid, Vec<u8>> =
            kind.present(tx, &self.dossier, &waiting).await?.into_iter().map(|present| (present.item, present.content_hash)).collect();
        if submitted.iter().all(|(item, content)| now.get(item) == Some(content)) { Ok(waiting) } else { Err(changed().into()) }
    }

    /// Lets the kind perform what waits, by an act of the history; what it can't do stays with its reason. Returns how many it did.
    async fn perform(&mut self, ctx: &Context, tx: &mut Tx, kind: &dyn Kind, waiting: &[Uuid], act: i32) -> Result<i32, Error> {
        let refused = kind.perform(ctx, tx, &self.dossier, waiting).await?;
        let left: HashMap<Uuid, &'static str> = refused.iter().map(|refused| (refused.item, refused.reason)).collect();
        let done: Vec<Uuid> = waiting.iter().copied().filter(|item| !left.contains_key(item)).collect();
        if !done.is_empty() {
            store::set_items(tx, self.dossier.dossier, &done, ItemState::Performed, act, "").await?;
        }
        let rows: Vec<RefusedItem> = refused.iter().map(|refused| RefusedItem { item: Hex(refused.item), refusal: refused.reason }).collect();
        store::set_refusals(tx, self.dossier.dossier, &rows).await?;
        let done = count(done.len());
        self.dossier.waiting -= done;
        self.dossier.performed += done;
        Ok(done)
    }

    /// The same by the act that began the dossier, all or nothing.
    async fn perform_all(&mut self, ctx: &Context, tx: &mut Tx, kind: &dyn Kind) -> Result<(), Error> {
        let waiting = self.waiting(tx).await?;
        self.perform(ctx, tx, kind, &waiting, 0).await?;
        if self.dossier.waiting == 0 {
            return Ok(());
        }
        let refused = store::sheet(tx, self.dossier.dossier, (Some(ItemState::Waiting), ""), &Turn::first(1)).await?.pop();
        let reason = refused.and_then(|row| Reason::from_str_name(&row.refusal)).unwrap_or(Reason::WrongState);
        Err(Refusal::new(reason, xuezhu_service::refusal::chinese(reason)).into())
    }

    /// Items leave: they are the clerk's again, or nobody's.
    #[expect(clippy::too_many_arguments, reason = "what happens to them, told to the kind and kept")]
    async fn take_out(
        &mut self,
        ctx: &Context,
        tx: &mut Tx,
        kind: &dyn Kind,
        items: &[Uuid],
        state: ItemState,
        moved: Moved<'_>,
        reason: &str,
    ) -> Result<(), Error> {
        kind.moved(ctx, tx, &self.dossier, items, moved).await?;
        store::set_items(tx, self.dossier.dossier, items, state, self.dossier.acts, reason).await?;
        self.dossier.waiting -= count(items.len());
        self.dossier.left_count += count(items.len());
        let there = store::items_there(tx, self.dossier.dossier).await?;
        self.dossier.digest = way::digest_with(there.iter().map(|(item, content, _)| (*item, &content[..])), &self.dossier.enclosed);
        Ok(())
    }

    /// After items were performed or left: goes on, or is finished.
    async fn settle(&mut self, ctx: &Context, tx: &mut Tx) -> Result<(), Error> {
        let decides = self.stands.get(self.dossier.at()).is_some_and(|stand| stand.duty == Duty::Decides);
        if self.dossier.waiting == 0 && decides {
            let notes = way::performing_step(&self.stands).and_then(|last| way::after(&self.stands, last, self.dossier.performed > 0));
            match (self.dossier.performed > 0, notes) {
                (true, Some(next)) => self.go_to(ctx, next),
                (true, None) => self.close(ctx, State::Done),
                (false, _) => self.close(ctx, State::Returned),
            }
        }
        store::save(tx, &self.dossier).await?;
        Ok(())
    }

    /// It waits at another step from today on.
    fn go_to(&mut self, ctx: &Context, step: usize) {
        let Some(stand) = self.stands.get(step) else { return };
        self.dossier.step = count(step);
        self.dossier.waits_at = stand.seat.to_string();
        self.dossier.above = stand.seat.above(&self.dossier.authority).map(|seat| seat.to_string()).unwrap_or_default();
        self.dossier.since_day = ctx.today();
        self.dossier.working_days = i32::try_from(stand.working_days).unwrap_or(i32::MAX);
        self.dossier.nudged_day = None;
        self.dossier.nudges = 0;
        self.dossier.holder.clear();
        self.dossier.holder_name.clear();
    }

    fn close(&mut self, ctx: &Context, state: State) {
        self.dossier.state = state;
        self.dossier.waits_at.clear();
        self.dossier.above.clear();
        self.dossier.ended_day = Some(ctx.today());
    }

    /// Adds a line to the history, with the digest as it is.
    async fn note(&mut self, ctx: &Context, tx: &mut Tx, act: Act, reason: &str, items: usize, performed: i32) -> Result<(), Error> {
        store::insert_act(ctx, tx, &self.dossier, act, reason, count(items), performed).await?;
        self.dossier.acts += 1;
        Ok(())
    }
}

fn not_found() -> Refusal {
    Refusal::not_found("该业务单")
}

fn changed() -> Refusal {
    Refusal::new(Reason::DigestMismatch, "摘要与当前内容不符：内容在您查看之后有变化，请重新核对后再操作")
}

fn count(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}

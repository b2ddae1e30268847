//! The door to dossiers of every kind: reading them, what waits at whose desk, what a desk does, and over which desks they go. The same in
//! every service; what is a service's own, its [`Keeper`] tells.

use std::collections::HashMap;

use uuid::Uuid;
use xuezhu_proto::common::{self as pb, dossier, dossier_item};
use xuezhu_service::{
    Context, Error, FieldErrors, Permission, Place, Reach, Reason, Refusal, Role,
    paging::{self, Turn},
    permission::covers,
    refusal,
};
use xuezhu_store::{StoreError, Tx};

use crate::{
    Dossier, Filter, ITEMS,
    chains::{self, NewChain},
    inbox::{self, After},
    kind::{About, Kind, Work},
    store::{ClassRow, ItemRow},
    told,
    way::Seat,
};

/// Longest reason or remark, in characters.
const REASON_CHARACTERS: usize = 500;
/// Chains that one call may set.
const CHAINS_SET: usize = 500;

/// A school, as much as the door says of it.
#[derive(Debug, Clone, Default)]
pub struct School {
    /// Name.
    pub name: String,
    /// Region code of its department.
    pub authority: String,
}

/// What is a service's own: its kinds, its schools, its people.
pub trait Keeper: Sync {
    /// Every kind that it has.
    fn kinds(&self) -> &'static [&'static About];

    /// A kind at work.
    fn kind<'k>(&'k self, about: &About) -> Result<Box<dyn Kind + Send + 'k>, Error>;

    /// Locks what a dossier is about, before the dossier, where others lock that first too.
    fn enter<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier) -> Work<'t, ()>;

    /// Schools by their codes; what is no school's code is left out.
    fn schools<'t>(&'t self, tx: &'t mut Tx, codes: Vec<&'t str>) -> Work<'t, HashMap<String, School>>;

    /// The authority of a school whose directory whoever calls keeps; refuses others.
    fn authority_kept<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, school: &'t str) -> Work<'t, String>;

    /// The name of whom whoever calls may hand something to that waits at a desk, by account; refuses who doesn't sit there.
    fn colleague<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, seat: &'t Seat, account: &'t str) -> Work<'t, String>;
}

/// What a kind is, by its code as stored.
pub fn about(kinds: &[&'static About], code: i32) -> Result<&'static About, Error> {
    kinds.iter().copied().find(|about| about.code == code).ok_or_else(|| StoreError::Corrupt("kind of a dossier").into())
}

/// What a kind is, by its word as clients say it.
pub fn by_word(kinds: &[&'static About], word: &str) -> Option<&'static About> {
    kinds.iter().copied().find(|about| about.word == word)
}

/// A reason or a remark.
pub fn said(field: &str, text: &str) -> Result<String, Error> {
    let mut errors = FieldErrors::default();
    let text = errors.text(field, text, REASON_CHARACTERS);
    errors.check()?;
    Ok(text.unwrap_or_default())
}

/// Items that a call names.
pub fn ids(texts: &[String]) -> Result<Vec<Uuid>, Error> {
    if texts.len() > ITEMS {
        return Err(Refusal::field("items", format!("一次不能超过{ITEMS}条")).into());
    }
    let mut errors = FieldErrors::default();
    let ids = texts.iter().enumerate().filter_map(|(index, text)| errors.id(&format!("items[{index}]"), text)).collect();
    errors.check()?;
    Ok(ids)
}

/// What somebody does with a dossier.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Signs what this digest covers.
    Sign(String),
    /// Sends these back, all where none is named.
    SendBack(String, Vec<Uuid>),
    /// Refuses these, all where none is named.
    Refuse(String, Vec<Uuid>),
    /// Takes it back.
    Recall(String),
    /// Takes note.
    Note(String),
    /// Hands it to an account.
    HandOver(String),
    /// Asks to hurry.
    Nudge,
}

/// One dossier with its desks and its history.
pub async fn one(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, id: Uuid) -> Result<pb::Dossier, Error> {
    let (dossier, stands, acts) = inbox::one(tx, id).await?.ok_or_else(|| Refusal::not_found("该业务单"))?;
    told::may_read(ctx, &dossier, &stands)?;
    let name = keeper.schools(tx, vec![&dossier.school]).await?.remove(&dossier.school).unwrap_or_default().name;
    let refused = if dossier.waiting > 0 { inbox::refused(tx, id).await?.len() } else { 0 };
    let about = about(keeper.kinds(), dossier.kind)?;
    let whole = told::whole(about, &dossier, &stands, &acts, &name, ctx.today());
    let (classes, compared_with) = by_class(tx, &*keeper.kind(about)?, &dossier).await?;
    let refused = i32::try_from(refused).unwrap_or(i32::MAX);
    Ok(pb::Dossier { refused, own: dossier.submitted_by == ctx.actor.account, classes, compared_with, ..whole })
}

/// A sheet by class, beside the same class a term before; nothing where its lines are of none.
async fn by_class(tx: &mut Tx, kind: &dyn Kind, dossier: &Dossier) -> Result<(Vec<pb::DossierClass>, String), Error> {
    let classes = inbox::classes(tx, dossier.dossier).await?;
    if classes.iter().all(|class| class.class_name.is_empty()) {
        return Ok((Vec::new(), String::new()));
    }
    let compared = kind.compared(tx, dossier).await?.unwrap_or_default();
    let told = |row: ClassRow| pb::DossierClass {
        before: paging::told(compared.counts.get(&row.class_name).copied().unwrap_or_default()),
        count: paging::told(row.lines),
        waiting: paging::told(row.waiting),
        class_name: row.class_name,
    };
    Ok((classes.into_iter().map(told).collect(), compared.with.clone()))
}

/// A dossier of whose sheet, and of what is enclosed with it, whoever calls may be told.
pub(crate) async fn told_whole(ctx: &Context, tx: &mut Tx, kinds: &'static [&'static About], id: Uuid) -> Result<Dossier, Error> {
    let dossier = inbox::bare(tx, id).await?.ok_or_else(|| Refusal::not_found("该业务单"))?;
    let stands = inbox::desks(tx, &[id]).await?.remove(&id).unwrap_or_default();
    told::may_read(ctx, &dossier, &stands)?;
    told::may_read_sheet(ctx, about(kinds, dossier.kind)?, &dossier, &stands)?;
    Ok(dossier)
}

/// A dossier that whoever calls may read, alone.
pub(crate) async fn readable(ctx: &Context, tx: &mut Tx, id: Uuid) -> Result<Dossier, Error> {
    let dossier = inbox::bare(tx, id).await?.ok_or_else(|| Refusal::not_found("该业务单"))?;
    let stands = inbox::desks(tx, &[id]).await?.remove(&id).unwrap_or_default();
    told::may_read(ctx, &dossier, &stands)?;
    Ok(dossier)
}

/// Does something with a dossier: whether it is whoever calls who may, its desks say; what the school does, the school's people.
pub async fn act(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, id: Uuid, deed: &Deed) -> Result<pb::Dossier, Error> {
    let dossier = readable(ctx, tx, id).await?;
    let kind = keeper.kind(about(keeper.kinds(), dossier.kind)?)?;
    keeper.enter(tx, &dossier).await?;
    match deed {
        Deed::Sign(digest) => crate::sign(ctx, tx, &*kind, id, Some(digest)).await?,
        Deed::SendBack(reason, items) => crate::send_back(ctx, tx, &*kind, id, reason, items).await?,
        Deed::Refuse(reason, items) => crate::refuse(ctx, tx, &*kind, id, reason, items).await?,
        Deed::Recall(reason) => {
            asked_for_it(ctx, &dossier)?;
            crate::recall(ctx, tx, &*kind, id, reason).await?
        }
        Deed::Note(remark) => crate::take_note(ctx, tx, id, remark).await?,
        Deed::HandOver(account) => {
            let seat = crate::own_desk(ctx, tx, id).await?;
            let name = keeper.colleague(ctx, tx, &seat, account).await?;
            crate::hand_over(ctx, tx, id, account, &name).await?
        }
        Deed::Nudge => {
            if ctx.actor.role == Role::Principal {
                ctx.may(Permission::Attest, &Place::School { code: &dossier.school, authority: &dossier.authority })?;
            } else {
                asked_for_it(ctx, &dossier)?;
            }
            crate::nudge(ctx, tx, id).await?
        }
    };
    one(ctx, tx, keeper, id).await
}

/// Refuses who is not of those who asked for what a dossier is about: its school, or, where it is of none, its department.
fn asked_for_it(ctx: &Context, dossier: &Dossier) -> Result<(), Error> {
    let permission = if dossier.school.is_empty() { Permission::Approve } else { Permission::EnterForSchool };
    ctx.may(permission, &Place::School { code: &dossier.school, authority: &dossier.authority })
}

/// Which dossiers are asked for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Of this school; empty for all that may be seen.
    pub school: String,
    /// Of this kind; 0 for all.
    pub kind: i32,
    /// In this state.
    pub state: dossier::State,
    /// With somebody of this name; empty for all.
    pub name: String,
    /// With this item.
    pub item: Option<Uuid>,
    /// About this.
    pub about: Option<Uuid>,
}

impl Asked {
    /// What a call asks for.
    pub fn of(keeper: &dyn Keeper, (school, kind, state): (&str, &str, i32), name: &str, (item, about): (&str, &str)) -> Result<Self, Error> {
        let mut errors = FieldErrors::default();
        let known = by_word(keeper.kinds(), kind);
        if known.is_none() && !kind.is_empty() {
            errors.add("kind", "没有这种业务单");
        }
        let item = if item.is_empty() { None } else { errors.id("item", item) };
        let about = if about.is_empty() { None } else { errors.id("about", about) };
        errors.check()?;
        let state = refusal::known::<dossier::State>("state", state)?;
        Ok(Self { school: school.to_owned(), kind: known.map_or(0, |known| known.code), state, name: name.trim().to_owned(), item, about })
    }
}

/// Dossiers that whoever calls may see, newest first.
/// With how many there are in all, where pages are numbered.
pub async fn list(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, asked: &Asked, turn: &Turn<Uuid>) -> Result<(Vec<pb::Dossier>, i32), Error> {
    let readable = told::readable(ctx, &asked.school)?;
    // Whose name stands on a sheet is told to nobody who may not read it.
    let by_sheet = asked.item.is_some() || !asked.name.is_empty();
    let hidden = keeper.kinds().iter().filter(|about| by_sheet && ctx.reach(about.reads) == Reach::Nowhere);
    let without = hidden.map(|about| format!(",{},", about.code)).collect::<Vec<_>>().concat();
    let filter = Filter {
        kind: asked.kind,
        without,
        state: told::asked_state(asked.state),
        item: asked.item,
        subject: asked.about,
        name: asked.name.clone(),
        ..readable
    };
    let found = inbox::search(tx, &filter, turn).await?;
    let total = if turn.is_numbered { inbox::count(tx, &filter).await? } else { 0 };
    Ok((tell_all(ctx, tx, keeper, &found).await?, paging::told(total)))
}

async fn tell_all(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, dossiers: &[Dossier]) -> Result<Vec<pb::Dossier>, Error> {
    let schools = keeper.schools(tx, dossiers.iter().map(|dossier| dossier.school.as_str()).collect()).await?;
    let name = |dossier: &Dossier| schools.get(&dossier.school).map_or("", |school| school.name.as_str());
    dossiers.iter().map(|dossier| Ok(told::dossier(about(keeper.kinds(), dossier.kind)?, dossier, name(dossier), ctx.today()))).collect()
}

/// Which lines of a sheet are asked for.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    /// In this state.
    pub state: dossier_item::State,
    /// Of this class; empty for all.
    pub class_name: String,
}

/// A page of a sheet, with how many lines there are in all, where pages are numbered.
pub async fn sheet(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, id: Uuid, asked: &Lines, turn: &Turn<i32>) -> Result<(Vec<pb::DossierItem>, i32), Error> {
    let dossier = told_whole(ctx, tx, keeper.kinds(), id).await?;
    let about = about(keeper.kinds(), dossier.kind)?;
    let of = (told::asked_item_state(asked.state), asked.class_name.as_str());
    let total = if turn.is_numbered { inbox::lines(tx, id, of).await? } else { 0 };
    let rows = inbox::sheet(tx, id, of, turn).await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.item).collect();
    let kind = keeper.kind(about)?;
    let mut marks = kind.marks(tx, &dossier, &ids).await?;
    let item = |row: &ItemRow| {
        let seen = marks.remove(&row.item).unwrap_or_default().into_iter().map(told::mark).collect();
        Ok(pb::DossierItem { marks: seen, ..told::item(row)? })
    };
    Ok((rows.iter().map(item).collect::<Result<_, Error>>()?, paging::told(total)))
}

/// What waits for whoever calls, with where the next page of it begins. What waits below, and what the school waits for, is told with the
/// first page.
pub async fn waiting(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, after: Option<After>, limit: i64) -> Result<(pb::Inbox, Option<After>), Error> {
    told::readable(ctx, "")?;
    let (first, counts) = (after.is_none(), inbox::counts(ctx, tx).await?);
    let mine = inbox::mine(ctx, tx, after.unwrap_or_else(inbox::beginning), limit).await?;
    let next = mine.last().filter(|_| i64::try_from(mine.len()).unwrap_or(0) == limit).map(|last| (last.since_day, last.dossier));
    let (mut below, mut asked) = (Vec::new(), Vec::new());
    if first {
        below = inbox::below(ctx, tx, inbox::beginning(), limit).await?;
        if ctx.actor.role.is_of_school() {
            asked = inbox::asked(tx, &ctx.actor.organisation, limit).await?;
        }
    }
    let (mine_end, below_end) = (mine.len(), mine.len() + below.len());
    // The names of all schools are asked for at once.
    let mut waiting = tell_all(ctx, tx, keeper, &[mine, below, asked].concat()).await?;
    let asked = waiting.split_off(below_end);
    let below = waiting.split_off(mine_end);
    let inbox = pb::Inbox {
        waiting,
        below,
        asked,
        waiting_count: paging::told(counts.dossiers),
        item_count: paging::told(counts.items),
        below_count: paging::told(counts.below),
    };
    Ok((inbox, next))
}

/// A chain to be set.
#[derive(Debug, Clone)]
pub struct Chained {
    /// Word of the kind.
    pub kind: String,
    /// For whom.
    pub scope: String,
    /// First day, as it was written.
    pub from_date: String,
    /// The desks, as they were written.
    pub steps: String,
    /// Why.
    pub reason: String,
}

/// Sets over which desks a kind's dossiers go.
pub async fn set_chain(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, asked: &Chained) -> Result<pb::DossierChain, Error> {
    let region = may_keep(ctx, tx, keeper, &asked.scope).await?;
    let mut errors = FieldErrors::default();
    let kind = by_word(keeper.kinds(), &asked.kind);
    if kind.is_none() {
        let known: Vec<&str> = keeper.kinds().iter().map(|about| about.word).collect();
        errors.add("kind", format!("应为{}之一", known.join("、")));
    }
    let from_day = errors.date("from_date", &asked.from_date);
    errors.check()?;
    let (Some(kind), Some(from_day)) = (kind, from_day) else { return Err(Error::Internal("a field is missing and not told".into())) };
    let new = NewChain { kind, scope: asked.scope.clone(), region, from_day, steps: asked.steps.clone(), reason: asked.reason.clone() };
    let id = chains::set(ctx, tx, new).await?;
    let row = chains::all(tx).await?.into_iter().find(|row| row.chain == id).ok_or_else(|| Error::Internal("a chain that was set".into()))?;
    Ok(told::chain(kind, &row))
}

/// Sets several chains, all or none: what is wrong is told of each by its place.
pub async fn set_chains(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, asked: &[Chained]) -> Result<Vec<pb::DossierChain>, Error> {
    if asked.is_empty() || asked.len() > CHAINS_SET {
        return Err(Refusal::field("chains", format!("一次应为1至{CHAINS_SET}条")).into());
    }
    let (mut errors, mut new) = (FieldErrors::default(), Vec::new());
    for (at, asked) in asked.iter().enumerate() {
        let field = |name: &str| format!("chains[{at}].{name}");
        let mut region = asked.scope.clone();
        match may_keep(ctx, tx, keeper, &asked.scope).await {
            Ok(of) => region = of,
            // Whoever may set no chains at all is told so, not of lines.
            Err(Error::Refused(refusal)) if refusal.reason == Reason::Forbidden && ctx.actor.role != Role::Administrator => return Err((*refusal).into()),
            Err(Error::Refused(refusal)) if refusal.fields.is_empty() => errors.add(&field("scope"), refusal.message.clone()),
            Err(Error::Refused(refusal)) => refusal.fields.iter().for_each(|(name, why)| errors.add(&field(name), why.clone())),
            Err(other) => return Err(other),
        }
        let kind = by_word(keeper.kinds(), &asked.kind);
        if kind.is_none() {
            errors.add(&field("kind"), "没有这种业务");
        }
        let from_day = errors.date(&field("from_date"), &asked.from_date);
        // What else is wrong with a line is told with the rest: none is set if anything is.
        let (kind, from_day) = (kind.unwrap_or(&chains::UNKNOWN), from_day.unwrap_or(ctx.today()));
        new.push((at, NewChain { kind, scope: asked.scope.clone(), region, from_day, steps: asked.steps.clone(), reason: asked.reason.clone() }));
    }
    let ids = chains::set_all(ctx, tx, new, errors).await?;
    let set: HashMap<Uuid, _> = chains::all(tx).await?.into_iter().map(|row| (row.chain, row)).collect();
    ids.iter().filter_map(|id| set.get(id)).map(|row| Ok(told::chain(about(keeper.kinds(), row.kind)?, row))).collect()
}

/// Every kind that this service has.
pub fn all_kinds(keeper: &dyn Keeper) -> Vec<pb::DossierKind> {
    keeper.kinds().iter().map(|about| told::kind(about)).collect()
}

/// Whoever keeps the directory of a scope says over which desks its dossiers go: of a school, whoever keeps its authority's region.
/// Returns the region that the scope is in.
async fn may_keep(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper, scope: &str) -> Result<String, Error> {
    if scope.is_empty() || scope.len() == 6 {
        if !scope.is_empty() && scope.parse::<xuezhu_domain::RegionCode>().is_err() {
            ctx.may(Permission::ManageDirectory, &Place::Region(&ctx.actor.organisation))?;
            return Err(Refusal::field("scope", "没有这个行政区划").into());
        }
        ctx.may(Permission::ManageDirectory, &Place::Region(scope))?;
        return Ok(scope.to_owned());
    }
    keeper.authority_kept(ctx, tx, scope).await
}

/// Chains that were set within the region of whoever calls, and above it: these hold for it too.
pub async fn list_chains(ctx: &Context, tx: &mut Tx, keeper: &dyn Keeper) -> Result<(Vec<pb::DossierChain>, Vec<pb::DossierKind>), Error> {
    let own = ctx.actor.organisation.as_str();
    ctx.may(Permission::ManageDirectory, &Place::Region(own))?;
    let all = chains::all(tx).await?;
    let schools = keeper.schools(tx, all.iter().map(|row| row.scope.as_str()).collect()).await?;
    let concerns = |scope: &str| {
        let region = schools.get(scope).map_or(scope, |school| school.authority.as_str());
        region.is_empty() || covers(own, region) || covers(region, own)
    };
    let told = all.iter().filter(|row| concerns(&row.scope)).map(|row| Ok(told::chain(about(keeper.kinds(), row.kind)?, row)));
    Ok((told.collect::<Result<_, Error>>()?, all_kinds(keeper)))
}

//! Dossiers over random chains, against a naive model: who may do what when, what leaves, what is performed, what is kept.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;
use xuezhu_review::{
    About, Dossier, Item, Kind, Moved, OfSchool, Present, Proposal, Refused, Work,
    chains::{self, NewChain},
    inbox,
    way::{Act, Chain, Duty, ItemState, Seat, Stand, State},
};
use xuezhu_service::{Actor, Clock, Context, Error, Ids, Permission, Reason, Role, paging::Turn};
use xuezhu_store::{Db, Tx, bulk_uuids, one, rows, run, sql};
use xuezhu_tests::Engine;

const SCHOOL: &str = "3643000001";
const AUTHORITY: &str = "430102";
const OF: OfSchool<'static> = OfSchool { code: SCHOOL, authority: AUTHORITY };

static ABOUT: About = About {
    code: 9_001,
    word: "TOY",
    name: "试验业务",
    columns: &["内容"],
    chain: "PRINCIPAL, AUTHORITY",
    floor: "",
    items: "items",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// A kind whose items are rows of one table: 0 the clerk's, 10 and more on their way, 1 performed, 2 sent back, 3 refused.
struct Toy;

impl Kind for Toy {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(async move {
            Ok(rows!(tx, Present, sql!("SELECT item, content AS content_hash FROM toys WHERE item" in_uuids 1), bulk_uuids(items.iter().copied()))?)
        })
    }

    fn moved<'t>(&'t self, _: &'t Context, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        let state = match moved {
            Moved::Signed { step } => 11 + i32::try_from(step).expect("is small"),
            Moved::SentBack { .. } => 2,
            Moved::Refused { .. } => 3,
            Moved::Recalled => 0,
        };
        set(tx, items, state)
    }

    fn perform<'t>(&'t self, _: &'t Context, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let held = rows!(tx, (Uuid,), sql!("SELECT item FROM toys WHERE held = 1 AND item" in_uuids 1), bulk_uuids(items.iter().copied()))?;
            let held: BTreeSet<Uuid> = held.into_iter().map(|(item,)| item).collect();
            let done: Vec<Uuid> = items.iter().copied().filter(|item| !held.contains(item)).collect();
            set(tx, &done, 1).await?;
            Ok(held.into_iter().map(|item| Refused { item, reason: Reason::PlaceTaken.as_str_name() }).collect())
        })
    }
}

fn set<'t>(tx: &'t mut Tx, items: &[Uuid], state: i32) -> Work<'t, ()> {
    let items = bulk_uuids(items.iter().copied());
    Box::pin(async move {
        run!(tx, sql!("UPDATE toys SET state = $2 WHERE item" in_uuids 1), items, state)?;
        Ok(())
    })
}

/// Who tries things: an account may have another role than it had.
const ACTORS: [(&str, Role, &str); 14] = [
    ("clerk", Role::SchoolClerk, SCHOOL),
    ("clerk two", Role::SchoolClerk, SCHOOL),
    ("principal", Role::Principal, SCHOOL),
    ("principal two", Role::Principal, SCHOOL),
    ("officer", Role::DepartmentOfficer, AUTHORITY),
    ("officer two", Role::DepartmentOfficer, AUTHORITY),
    ("principal two", Role::DepartmentOfficer, AUTHORITY),
    ("clerk two", Role::Principal, SCHOOL),
    ("city", Role::DepartmentOfficer, "430100"),
    ("officer two", Role::DepartmentOfficer, "430100"),
    ("province", Role::DepartmentOfficer, "430000"),
    ("reviewer", Role::SchoolReviewer, SCHOOL),
    ("bureau", Role::AuthorityHead, AUTHORITY),
    ("officer two", Role::AuthorityHead, AUTHORITY),
];
const STRANGERS: [(&str, Role, &str); 5] = [
    ("other principal", Role::Principal, "3643000002"),
    ("other officer", Role::DepartmentOfficer, "430103"),
    ("machine", Role::MachineReader, "430000"),
    ("other reviewer", Role::SchoolReviewer, "3643000002"),
    ("bureau above", Role::AuthorityHead, "430100"),
];
const CHAINS: [&str; 9] = [
    "PRINCIPAL, AUTHORITY",
    "PRINCIPAL, AUTHORITY, CITY",
    "AUTHORITY",
    "PRINCIPAL, AUTHORITY NOTES",
    "PRINCIPAL, AUTHORITY, CITY, PROVINCE NOTES",
    "AUTHORITY NOTES, CITY NOTES",
    "PRINCIPAL",
    "REVIEW, PRINCIPAL, AUTHORITY, HEAD",
    "AUTHORITY, REVIEW, HEAD NOTES",
];

fn context(actor: (&str, Role, &str), clock: &Clock, ids: &Ids) -> Context {
    let (account, role, organisation) = actor;
    let actor = Actor { account: account.into(), display_name: account.into(), role, organisation: organisation.into(), ..Actor::system() };
    Context::new(actor, clock, ids).with_rows(xuezhu_chain::Chain::under(vec![[7; 32]]))
}

/// What the model knows of a dossier.
#[derive(Debug, Clone)]
struct Model {
    stands: Vec<Stand>,
    state: State,
    step: usize,
    submitter: String,
    signers: BTreeMap<usize, BTreeSet<String>>,
    items: BTreeMap<Uuid, (Vec<u8>, ItemState)>,
    history: Vec<Act>,
    nudged: bool,
}

/// What the model knows of an item outside: its content now, and whether it can be performed.
type World = BTreeMap<Uuid, (Vec<u8>, bool)>;

impl Model {
    fn with(&self, state: ItemState) -> BTreeSet<Uuid> {
        self.items.iter().filter(|(_, item)| item.1 == state).map(|(id, _)| *id).collect()
    }

    fn digest(&self) -> String {
        let there = self.items.iter().filter(|(_, item)| item.1.is_there());
        xuezhu_review::way::digest(there.map(|(id, item)| (*id, &item.0[..])))
    }

    fn sits(actor: (&str, Role, &str), seat: &Seat) -> bool {
        match seat {
            Seat::Clerk(school) => actor.1 == Role::SchoolClerk && actor.2 == school,
            Seat::Review(school) => actor.1 == Role::SchoolReviewer && actor.2 == school,
            Seat::Principal(school) => actor.1 == Role::Principal && actor.2 == school,
            Seat::Department(region) => actor.1 == Role::DepartmentOfficer && actor.2 == region,
            Seat::Head(region) => actor.1 == Role::AuthorityHead && actor.2 == region,
        }
    }

    fn may_turn(&self, actor: (&str, Role, &str), duty: Duty) -> bool {
        self.state == State::UnderWay && self.stands[self.step].duty == duty && Self::sits(actor, &self.stands[self.step].seat)
    }

    fn finish(&mut self) {
        let performed = !self.with(ItemState::Performed).is_empty();
        self.nudged = false;
        if self.with(ItemState::Waiting).is_empty() && self.stands[self.step].duty == Duty::Decides {
            match self.stands.iter().position(|stand| stand.duty == Duty::Notes) {
                Some(notes) if performed => self.step = notes,
                _ => self.state = if performed { State::Done } else { State::Returned },
            }
        }
    }

    fn sign(&mut self, actor: (&str, Role, &str), said: &str, world: &World) -> bool {
        let own = self.submitter == actor.0 || self.signers.iter().any(|(step, who)| *step != self.step && who.contains(actor.0));
        let same = self.items.iter().filter(|(_, item)| item.1 == ItemState::Waiting).all(|(id, item)| world[id].0 == item.0);
        if !self.may_turn(actor, Duty::Decides) || own || said != self.digest() || !same {
            return false;
        }
        self.signers.entry(self.step).or_default().insert(actor.0.to_owned());
        self.history.push(Act::Sign);
        let last = self.stands.iter().rposition(|stand| stand.duty == Duty::Decides);
        if last == Some(self.step) {
            for (id, item) in &mut self.items {
                if item.1 == ItemState::Waiting && !world[id].1 {
                    item.1 = ItemState::Performed;
                }
            }
            let before = self.nudged;
            self.finish();
            self.nudged = before && self.state == State::UnderWay && Some(self.step) == last;
        } else {
            self.step += 1;
            self.nudged = false;
        }
        true
    }

    fn leave(&mut self, actor: (&str, Role, &str), act: Act, items: &[Uuid]) -> bool {
        let waiting = self.with(ItemState::Waiting);
        if !self.may_turn(actor, Duty::Decides) || !items.iter().all(|item| waiting.contains(item)) || waiting.is_empty() {
            return false;
        }
        let leaving: BTreeSet<Uuid> = if items.is_empty() { waiting } else { items.iter().copied().collect() };
        for id in leaving {
            self.items.get_mut(&id).expect("is there").1 = if act == Act::Refuse { ItemState::Refused } else { ItemState::SentBack };
        }
        self.history.push(act);
        let before = (self.nudged, self.step);
        self.finish();
        self.nudged = before.0 && before.1 == self.step;
        true
    }
}

/// Everything that is stored, as text: a refused act leaves it as it was.
async fn everything(db: &Db) -> String {
    let mut tx = db.read().await.expect("reads");
    let dossiers = rows!(&mut tx, Dossier, "SELECT * FROM dossiers ORDER BY dossier").expect("reads");
    let items = rows!(
        &mut tx,
        (Uuid, i32, Uuid, Vec<u8>, i32, String, String, i32),
        "SELECT dossier, ordinal, item, content_hash, state, refusal, reason, act FROM dossier_items ORDER BY dossier, ordinal"
    );
    let acts = rows!(&mut tx, (Uuid, i32, i32, i32, String, String), "SELECT dossier, ordinal, step, act, account, digest FROM dossier_acts ORDER BY 1, 2");
    let toys = rows!(&mut tx, (Uuid, i32), "SELECT item, state FROM toys ORDER BY item");
    let text = format!("{dossiers:?}\n{:?}\n{:?}\n{:?}", items.expect("reads"), acts.expect("reads"), toys.expect("reads"));
    tx.rollback().await.expect("ends");
    text
}

fn clock() -> Clock {
    let told = std::sync::atomic::AtomicI64::new(1_790_000_000_000_000);
    Clock::new(move || chrono::DateTime::from_timestamp_micros(told.fetch_add(1, std::sync::atomic::Ordering::Relaxed)).expect("an instant"))
}

async fn database(engine: Engine, folder: &std::path::Path) -> Db {
    xuezhu_tests::prepare();
    let db = Db::open(&engine.database(folder).await).await.expect("opens");
    db.migrate(&xuezhu_enrollment::MIGRATIONS).await.expect("migrates");
    db.write(&(), |tx, ()| {
        Box::pin(async move {
            run!(tx, "CREATE TABLE toys (item uuid PRIMARY KEY, content bytea NOT NULL, state integer NOT NULL, held integer NOT NULL)")?;
            Ok::<_, Error>(())
        })
    })
    .await
    .expect("makes the kind's table");
    db
}

/// Each history begins with nothing: what is compared stays small.
async fn clear(db: &Db) {
    db.write(&(), |tx, ()| {
        Box::pin(async move {
            for statement in ["DELETE FROM dossier_acts", "DELETE FROM dossier_items", "DELETE FROM dossier_steps", "DELETE FROM dossiers", "DELETE FROM toys"]
            {
                run!(tx, statement)?;
            }
            Ok::<_, Error>(())
        })
    })
    .await
    .expect("clears");
}

/// What is tried.
#[derive(Debug, Clone)]
enum Try {
    Sign(String),
    Leave(Act, Vec<Uuid>),
    Recall,
    Note,
    HandOver,
    Nudge,
}

async fn attempt(db: &Db, ctx: &Context, dossier: Uuid, what: &Try) -> Result<Dossier, Error> {
    let with = (ctx.clone(), dossier, what.clone());
    db.write(&with, |tx, (ctx, dossier, what)| {
        Box::pin(async move {
            match what {
                Try::Sign(said) => xuezhu_review::sign(ctx, tx, &Toy, *dossier, Some(said)).await,
                Try::Leave(Act::Refuse, items) => xuezhu_review::refuse(ctx, tx, &Toy, *dossier, "试验", items).await,
                Try::Leave(_, items) => xuezhu_review::send_back(ctx, tx, &Toy, *dossier, "试验", items).await,
                Try::Recall => xuezhu_review::recall(ctx, tx, &Toy, *dossier, "试验").await,
                Try::Note => xuezhu_review::take_note(ctx, tx, *dossier, "").await,
                Try::HandOver => xuezhu_review::hand_over(ctx, tx, *dossier, "officer two", "乙").await,
                Try::Nudge => xuezhu_review::nudge(ctx, tx, *dossier).await,
            }
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn random_chains_go_as_a_naive_model_says() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let db = database(engine, folder.path()).await;
        let (clock, mut reached) = (clock(), BTreeMap::<&str, usize>::new());
        for seed in 0..60 {
            history(&db, &clock, seed, &mut reached).await;
        }
        for must in [
            "signed",
            "performed",
            "held back",
            "sent back",
            "refused",
            "recalled",
            "noted",
            "nudged",
            "stale digest",
            "own",
            "two steps",
            "changed",
            "done",
            "returned",
        ] {
            assert!(reached.get(must).is_some_and(|times| *times > 0), "{engine:?}: {must} was never reached: {reached:?}");
        }
    }
}

async fn history(db: &Db, clock: &Clock, seed: u64, reached: &mut BTreeMap<&'static str, usize>) {
    clear(db).await;
    let mut random = StdRng::seed_from_u64(seed);
    let ids = Ids::seeded(seed + 1_000);
    let chain: Chain = CHAINS[usize::try_from(seed).expect("is small") % CHAINS.len()].parse().expect("a chain");
    let mut world = World::new();
    let items: Vec<Item> = (0..random.random_range(1..5))
        .map(|at| Item {
            id: ids.next(clock.now()),
            content_hash: vec![at; 4],
            name: format!("学生{at}"),
            line: vec![format!("内容{at}")],
            class_name: String::new(),
        })
        .collect();
    let submitter = *[ACTORS[0], ACTORS[1]].choose(&mut random).expect("one");
    let ctx = context(submitter, clock, &ids);
    let dossier = ctx.new_id();
    for item in &items {
        world.insert(item.id, (item.content_hash.clone(), random.random_bool(0.2)));
    }
    let mut model = Model {
        stands: chain.resolved(SCHOOL, AUTHORITY),
        state: State::UnderWay,
        step: 0,
        submitter: submitter.0.to_owned(),
        signers: BTreeMap::new(),
        items: items.iter().map(|item| (item.id, (item.content_hash.clone(), ItemState::Waiting))).collect(),
        history: vec![Act::Submit],
        nudged: false,
    };
    let begins = (ctx, chain.to_string(), dossier, items, world.clone());
    let begun = db
        .write(&begins, |tx, (ctx, chain, dossier, items, world)| {
            Box::pin(async move {
                let set = NewChain {
                    kind: &ABOUT,
                    scope: SCHOOL.into(),
                    region: AUTHORITY.into(),
                    from_day: ctx.today(),
                    steps: chain.clone(),
                    reason: "试验".into(),
                };
                chains::set(ctx, tx, set).await?;
                for (item, (content, held)) in world {
                    run!(tx, "INSERT INTO toys (item, content, state, held) VALUES ($1, $2, 10, $3)", *item, &content[..], i32::from(*held))?;
                }
                let proposal = Proposal { dossier: *dossier, subject: None, title: "试验".into(), reason: String::new(), items: items.clone() };
                xuezhu_review::submit(ctx, tx, &Toy, OF, proposal).await
            })
        })
        .await;
    if model.stands[0].duty == Duty::Notes {
        // Nobody decides: it is performed at once, all or nothing.
        if world.values().any(|(_, held)| *held) {
            assert!(begun.is_err());
            return;
        }
        model.items.values_mut().for_each(|item| item.1 = ItemState::Performed);
    }
    compare(db, &model, &begun.expect("is submitted"), seed).await;
    for _ in 0..60 {
        if random.random_bool(0.1) {
            // The world goes on: a content changes, something is held or mended.
            let id = *world.keys().collect::<Vec<_>>().choose(&mut random).copied().expect("one");
            let item = world.get_mut(&id).expect("is there");
            if random.random_bool(0.2) {
                item.0 = if item.0.len() == 4 { vec![9; 5] } else { model.items[&id].0.clone() };
            } else {
                item.1 = !item.1;
            }
            let with = (id, item.clone());
            db.write(&with, |tx, (id, (content, held))| {
                Box::pin(async move {
                    run!(tx, "UPDATE toys SET content = $2, held = $3 WHERE item = $1", *id, &content[..], i32::from(*held))?;
                    Ok::<_, Error>(())
                })
            })
            .await
            .expect("changes");
        }
        let stranger = random.random_bool(0.1);
        let sitting = ACTORS.into_iter().filter(|actor| model.state == State::UnderWay && Model::sits(*actor, &model.stands[model.step].seat));
        let sitting: Vec<_> = sitting.collect();
        let actor = match sitting.choose(&mut random) {
            _ if stranger => *STRANGERS.choose(&mut random).expect("one"),
            Some(actor) if random.random_bool(0.6) => *actor,
            _ => *ACTORS.choose(&mut random).expect("one"),
        };
        let named: Vec<Uuid> = model.items.keys().copied().filter(|_| random.random_bool(0.3)).collect();
        let what = match random.random_range(0..20) {
            0..8 => Try::Sign(if random.random_bool(0.9) { model.digest() } else { "0123456789abcdef".into() }),
            8..11 => Try::Leave(Act::SendBack, named),
            11 => Try::Leave(Act::Refuse, named),
            12 if random.random_bool(0.4) => Try::Recall,
            12..15 => Try::Note,
            15..17 => Try::HandOver,
            _ => Try::Nudge,
        };
        step(db, clock, &ids, (actor, dossier, &what), &mut model, &world, reached, seed).await;
    }
}

/// One attempt: allowed as the model says, with what it says, or refused with everything as it was.
#[expect(clippy::too_many_arguments, reason = "both worlds, and what is tried in them")]
async fn step(
    db: &Db,
    clock: &Clock,
    ids: &Ids,
    (actor, dossier, what): ((&str, Role, &str), Uuid, &Try),
    model: &mut Model,
    world: &World,
    reached: &mut BTreeMap<&'static str, usize>,
    seed: u64,
) {
    let before = everything(db).await;
    let old = model.clone();
    let unsigned = !model.history.contains(&Act::Sign);
    let open = model.state == State::UnderWay;
    let decides = open && model.stands[model.step].duty == Duty::Decides;
    let sits = open && Model::sits(actor, &model.stands[model.step].seat);
    let expected = match what {
        Try::Sign(said) => model.sign(actor, said, world),
        Try::Leave(act, items) => model.leave(actor, *act, items),
        // Whoever calls has authorised these two for the school.
        Try::Recall if decides && unsigned => {
            model.items.values_mut().filter(|item| item.1 == ItemState::Waiting).for_each(|item| item.1 = ItemState::Recalled);
            model.state = State::Recalled;
            model.history.push(Act::Recall);
            true
        }
        Try::Nudge if open && !model.nudged => {
            model.nudged = true;
            model.history.push(Act::Nudge);
            true
        }
        Try::Note if sits && !decides => {
            model.history.push(Act::Note);
            model.nudged = false;
            if model.step + 1 < model.stands.len() {
                model.step += 1;
            } else {
                model.state = State::Done;
            }
            true
        }
        Try::HandOver if sits => {
            model.history.push(Act::HandOver);
            true
        }
        Try::Recall | Try::Nudge | Try::Note | Try::HandOver => false,
    };
    let ctx = context(actor, clock, ids);
    let outcome = attempt(db, &ctx, dossier, what).await;
    assert_eq!(outcome.is_ok(), expected, "seed {seed}: {actor:?} tries {what:?} on {old:?}: {outcome:?}");
    let note = |reached: &mut BTreeMap<&'static str, usize>, what| *reached.entry(what).or_default() += 1;
    match outcome {
        Ok(after) => {
            compare(db, model, &after, seed).await;
            match what {
                Try::Sign(_) => note(reached, "signed"),
                Try::Leave(Act::Refuse, _) => note(reached, "refused"),
                Try::Leave(..) => note(reached, "sent back"),
                Try::Recall => note(reached, "recalled"),
                Try::Note => note(reached, "noted"),
                Try::Nudge => note(reached, "nudged"),
                Try::HandOver => {}
            }
            if model.with(ItemState::Performed).len() > old.with(ItemState::Performed).len() {
                note(reached, "performed");
                if !model.with(ItemState::Waiting).is_empty() {
                    note(reached, "held back");
                }
            }
            match model.state {
                State::Done => note(reached, "done"),
                State::Returned => note(reached, "returned"),
                State::UnderWay | State::Recalled => {}
            }
        }
        Err(error) => {
            assert!(matches!(error, Error::Refused(_)), "{error:?}");
            assert_eq!(everything(db).await, before, "seed {seed}: a refused {what:?} of {actor:?} changed something");
            if let Try::Sign(said) = what
                && old.may_turn(actor, Duty::Decides)
            {
                let why = match error.reason() {
                    Reason::DigestMismatch if *said == old.digest() => "changed",
                    Reason::DigestMismatch => "stale digest",
                    Reason::OwnSubmission if old.submitter == actor.0 => "own",
                    Reason::OwnSubmission => "two steps",
                    other => panic!("{other:?}"),
                };
                note(reached, why);
            }
        }
    }
}

async fn compare(db: &Db, model: &Model, dossier: &Dossier, seed: u64) {
    let mut tx = db.read().await.expect("reads");
    let (stored, stands, acts) = inbox::one(&mut tx, dossier.dossier).await.expect("reads").expect("is there");
    assert_eq!(stored, *dossier, "seed {seed}: what is answered is what is stored");
    assert_eq!(stands, model.stands, "seed {seed}: the chain is the one it began with");
    assert_eq!((stored.state, stored.step), (model.state, i32::try_from(model.step).expect("is small")), "seed {seed}: {model:?}");
    assert_eq!(stored.digest, model.digest(), "seed {seed}");
    let waits_at = if model.state == State::UnderWay { model.stands[model.step].seat.to_string() } else { String::new() };
    assert_eq!(stored.waits_at, waits_at, "seed {seed}");
    assert_eq!(acts.iter().map(|act| act.act).collect::<Vec<_>>(), model.history, "seed {seed}: the history is kept");
    let counts = inbox::counted(&mut tx, dossier.dossier).await.expect("counts");
    assert_eq!((counts.waiting, counts.performed, counts.left_count), (stored.waiting.into(), stored.performed.into(), stored.left_count.into()), "a recount");
    let sheet = inbox::sheet(&mut tx, dossier.dossier, (None, ""), &Turn::first(100)).await.expect("reads");
    let states: BTreeMap<Uuid, ItemState> = sheet.iter().map(|row| (row.item, row.state)).collect();
    assert_eq!(states, model.items.iter().map(|(id, item)| (*id, item.1)).collect(), "seed {seed}");
    assert!(sheet.iter().all(|row| row.content_hash == model.items[&row.item].0), "the sheet stays what was submitted");
    // Nothing is performed without a signature of every deciding step on what it covers.
    let signed: BTreeSet<i32> = acts.iter().filter(|act| act.act == Act::Sign).map(|act| act.step).collect();
    let deciding = (0..).zip(&stands).filter(|(_, stand)| stand.duty == Duty::Decides).map(|(step, _)| step);
    assert!(stored.performed == 0 || deciding.collect::<BTreeSet<i32>>().is_subset(&signed), "seed {seed}: {acts:?}");
    let signers: Vec<(i32, &str)> = acts.iter().filter(|act| act.act == Act::Sign).map(|act| (act.step, act.account.as_str())).collect();
    assert!(signers.iter().all(|(step, who)| signers.iter().all(|(other, whose)| who != whose || step == other)), "nobody signs two steps: {signers:?}");
    assert!(signers.iter().all(|(_, who)| *who != model.submitter), "nobody signs their own: {signers:?}");
    for (item, state) in &states {
        let toy = one!(&mut tx, (i32,), "SELECT state FROM toys WHERE item = $1", *item).expect("reads").expect("is there").0;
        let expected = match state {
            ItemState::Performed => 1,
            ItemState::SentBack => 2,
            ItemState::Refused => 3,
            ItemState::Recalled => 0,
            ItemState::Waiting => 10 + i32::try_from(model.step).expect("is small"),
        };
        assert_eq!(toy, expected, "seed {seed}: the kind was told");
    }
    tx.rollback().await.expect("ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_officers_at_once_one_wins_and_the_other_is_told_what_changed() {
    for engine in Engine::ALL {
        let folder = tempfile::tempdir().expect("a folder");
        let db = database(engine, folder.path()).await;
        let (clock, ids) = (clock(), Ids::seeded(7));
        let ctx = context(ACTORS[0], &clock, &ids);
        let (dossier, item) = (ctx.new_id(), ctx.new_id());
        let begun = db
            .write(&(ctx, dossier, item), |tx, (ctx, dossier, item)| {
                Box::pin(async move {
                    run!(tx, "INSERT INTO toys (item, content, state, held) VALUES ($1, $2, 10, 0)", *item, &[1_u8][..])?;
                    let one = Item { id: *item, content_hash: vec![1], name: "学生".into(), line: vec!["内容".into()], class_name: String::new() };
                    let proposal = Proposal { dossier: *dossier, subject: None, title: "试验".into(), reason: String::new(), items: vec![one] };
                    xuezhu_review::submit(ctx, tx, &Toy, OF, proposal).await
                })
            })
            .await
            .expect("is submitted");
        let digest = begun.digest;
        attempt(&db, &context(ACTORS[2], &clock, &ids), dossier, &Try::Sign(digest.clone())).await.expect("is signed");
        let (one, two) = (context(ACTORS[4], &clock, &ids), context(ACTORS[5], &clock, &ids));
        let (sign, back) = (Try::Sign(digest), Try::Leave(Act::SendBack, vec![item]));
        let outcomes = tokio::join!(attempt(&db, &one, dossier, &sign), attempt(&db, &two, dossier, &back));
        let (winner, lost) = match outcomes {
            (Ok(won), Err(lost)) => {
                assert_eq!(won.state, State::Done);
                ("officer已审签", lost)
            }
            (Err(lost), Ok(won)) => {
                assert_eq!(won.state, State::Returned);
                ("officer two已退回", lost)
            }
            both => panic!("{engine:?}: {both:?}"),
        };
        let Error::Refused(refusal) = lost else { panic!("{lost:?}") };
        assert_eq!(refusal.reason, Reason::WrongState);
        assert!(refusal.message.contains(winner), "{}", refusal.message);
    }
}

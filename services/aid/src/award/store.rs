//! SQL of award lists. Entries whose states are below 50 stand, those up to 10 are the clerk's ([`State`]).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xuezhu_audit::written::Key;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::{case::Stage, entry::State};
use xuezhu_review::Present;
use xuezhu_service::{Context, Error, paging::Turn};
use xuezhu_store::{Bytes, Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::bound;
use crate::reconciliation::Attending;

/// A list with its counts.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ListRow {
    pub list: Uuid,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub supplement: i32,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub submitted: bool,
    pub school_name: String,
    pub authority: String,
    /// The school's region.
    pub region: String,
    /// Who owns the school.
    pub kind: String,
    /// Version of the policy under which it was opened.
    pub policy: i32,
}

/// An entry, as much as counts and digests need of it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StandingRow {
    pub list: Uuid,
    pub entry: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub amount_fen: i64,
    pub content_hash: Vec<u8>,
}

/// Entries of a list, in one state, that flags hold.
#[derive(Debug, sqlx::FromRow)]
pub struct HeldRow {
    pub list: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub entries: i64,
}

/// An entry.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EntryRow {
    pub entry: Uuid,
    pub person_key: Uuid,
    pub name: String,
    pub id_sealed: Vec<u8>,
    pub months: String,
    pub amount_fen: i64,
    pub tier: String,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub card_sealed: Option<Vec<u8>>,
    pub card_holder: String,
    pub remark: String,
    pub sent_back_reason: String,
    pub content_hash: Vec<u8>,
    pub birth_date: Option<NaiveDate>,
}

/// An entry as it is written.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Entered {
    pub entry: Hex,
    pub person_key: Hex,
    pub id_document: String,
    pub id_sealed: Bytes,
    pub name: String,
    pub name_comparable: String,
    pub sex: Option<i32>,
    pub birth_date: Option<NaiveDate>,
    pub months: String,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub amount_fen: i64,
    pub month_fen: i64,
    pub tier: String,
    pub card_sealed: Option<Bytes>,
    #[serde(default)]
    pub card_key: Option<Hex>,
    #[serde(default)]
    pub card_kind: i32,
    #[serde(default)]
    pub card_holder: String,
    pub remark: String,
    pub content_hash: Bytes,
}

/// An award in a story.
#[derive(Debug, sqlx::FromRow)]
pub struct AwardRow {
    pub entry: Uuid,
    pub list: Uuid,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub months: String,
    pub amount_fen: i64,
    #[sqlx(try_from = "i32")]
    pub state: State,
}

pub async fn open_list(tx: &mut Tx, school: &str, scheme: &str, term: &str) -> Result<Option<(Uuid, i32, bool)>, StoreError> {
    one!(
        tx,
        (Uuid, i32, bool),
        "SELECT list, supplement, submitted FROM award_lists WHERE school = $1 AND scheme = $2 AND term = $3 ORDER BY supplement DESC LIMIT 1",
        school,
        scheme,
        term
    )
}

/// A list that is opened.
#[derive(Debug)]
pub struct NewList<'l> {
    pub list: Uuid,
    pub school: &'l str,
    pub scheme: &'l str,
    pub term: &'l str,
    pub supplement: i32,
    pub policy: i32,
}

pub async fn insert_list(tx: &mut Tx, new: &NewList<'_>, now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO award_lists (list, school, scheme, term, supplement, state, submitted, submitted_by, submitted_by_name, attested_by_name, attested_digest,
         approved_by_name, created_at_us, policy) VALUES ($1, $2, $3, $4, $5, $8, $6, '', '', '', '', '', $7, $9)",
        new.list,
        new.school,
        new.scheme,
        new.term,
        new.supplement,
        false,
        now_us,
        State::Draft.code(),
        new.policy
    )?;
    Ok(())
}

/// Lists that are asked for.
macro_rules! asked {
    ($run:ident!($tx:ident, $row:ty), $select:literal, $end:literal, $filter:ident $(, $more:expr)*) => {
        $run!(
            $tx,
            $row,
            concat!(
                $select,
                " FROM award_lists l LEFT JOIN mirror_schools s ON s.school = l.school AND s.generation = (SELECT generation FROM mirror_state)
                  WHERE ($1 = '' OR l.school = $1) AND ($2 = '' OR substr(s.authority, 1, length($2)) = $2) AND ($3 = '' OR l.term = $3)
                    AND ($4 = 0 OR l.state = $4) AND ($5 IS NULL OR l.list = $5) AND ($6 = 0 OR l.state <> $6) AND l.state <> $7",
                $end
            ),
            &$filter.school,
            &$filter.authority_prefix,
            &$filter.term,
            $filter.state.map_or(0, State::code),
            $filter.list,
            if $filter.waits { State::Approved.code() } else { 0 },
            State::Removed.code()
            $(, $more)*
        )
    };
}

/// Lists of a school, or of schools under an authority, newest first.
pub async fn lists(tx: &mut Tx, filter: &Filter, turn: &Turn<Uuid>) -> Result<Vec<ListRow>, StoreError> {
    asked!(
        rows!(tx, ListRow),
        "SELECT l.list, l.school, l.scheme, l.term, l.supplement, l.state, l.submitted, coalesce(s.name, '') AS school_name,
                coalesce(s.authority, '') AS authority, coalesce(s.region, '') AS region, coalesce(s.kind, '') AS kind, l.policy",
        " AND ($8 IS NULL OR l.list < $8) ORDER BY l.list DESC LIMIT $9 OFFSET $10",
        filter,
        turn.after,
        turn.rows,
        turn.skip
    )
}

/// How many lists these are.
pub async fn count_lists(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let count = asked!(one!(tx, (i64,)), "SELECT count(*)", "", filter)?;
    Ok(count.map(|(count,)| count).unwrap_or_default())
}

/// The lists of a school, scheme and term.
pub async fn lists_of(tx: &mut Tx, school: &str, scheme: &str, term: &str) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(tx, (Uuid,), "SELECT list FROM award_lists WHERE school = $1 AND scheme = $2 AND term = $3", school, scheme, term)?;
    Ok(found.into_iter().map(|(list,)| list).collect())
}

/// What a list of lists asks for.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    pub school: String,
    pub authority_prefix: String,
    pub term: String,
    pub state: Option<State>,
    pub list: Option<Uuid>,
    /// Only those in which something waits.
    pub waits: bool,
}

/// Locks a list: two who act on it at once take turns.
pub async fn lock_list(tx: &mut Tx, school: &str, list: Uuid) -> Result<bool, StoreError> {
    Ok(run!(tx, "UPDATE award_lists SET state = state WHERE school = $1 AND list = $2", school, list)? == 1)
}

/// What stands on lists.
pub async fn standing(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<StandingRow>, StoreError> {
    rows!(
        tx,
        StandingRow,
        sql!("SELECT list, entry, state, amount_fen, content_hash FROM award_entries WHERE state < 50 AND list" in_uuids 1),
        bulk_uuids(lists.iter().copied())
    )
}

/// How many entries of each of these lists a flag holds, by state; of lists without such entries nothing is told.
pub async fn held(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<HeldRow>, StoreError> {
    rows!(
        tx,
        HeldRow,
        // Each entry is looked up by its id: a join might walk all entries.
        sql!(
            "SELECT held.list, held.state, count(*) AS entries
             FROM (SELECT DISTINCT f.list, f.entry, (SELECT a.state FROM award_entries a WHERE a.entry = f.entry) AS state
                   FROM flags f WHERE f.holds AND f.entry IS NOT NULL AND f.list" in_uuids 1 ") AS held
             WHERE held.state < 50 GROUP BY held.list, held.state"
        ),
        bulk_uuids(lists.iter().copied())
    )
}

pub async fn entries(tx: &mut Tx, list: Uuid) -> Result<Vec<EntryRow>, StoreError> {
    rows!(
        tx,
        EntryRow,
        "SELECT entry, person_key, name, id_sealed, months, amount_fen, tier, state, card_sealed, card_holder, remark, sent_back_reason, content_hash, birth_date
         FROM award_entries WHERE list = $1 AND state < 50 ORDER BY name, entry",
        list
    )
}

/// A page of entries.
pub async fn entries_after(tx: &mut Tx, list: Uuid, state: Option<State>, held_only: bool, turn: &Turn<(String, Uuid)>) -> Result<Vec<EntryRow>, StoreError> {
    let (name, entry) = turn.after.clone().unwrap_or_default();
    rows!(
        tx,
        EntryRow,
        "SELECT a.entry, a.person_key, a.name, a.id_sealed, a.months, a.amount_fen, a.tier, a.state, a.card_sealed, a.card_holder, a.remark, a.sent_back_reason, a.content_hash, a.birth_date
         FROM award_entries a
         WHERE a.list = $1 AND a.state < 50 AND ($2 = 0 OR a.state = $2)
           AND ($3 = 0 OR EXISTS (SELECT 1 FROM flags f WHERE f.entry = a.entry AND f.holds))
           AND (a.name, a.entry) > ($4, $5) ORDER BY a.name, a.entry LIMIT $6 OFFSET $7",
        list,
        state.map_or(0, State::code),
        i32::from(held_only),
        name,
        entry,
        turn.rows,
        turn.skip
    )
}

/// How many entries these are.
pub async fn count_entries(tx: &mut Tx, list: Uuid, state: Option<State>, held_only: bool) -> Result<i64, StoreError> {
    let count = one!(
        tx,
        (i64,),
        "SELECT count(*) FROM award_entries a WHERE a.list = $1 AND a.state < 50 AND ($2 = 0 OR a.state = $2)
           AND ($3 = 0 OR EXISTS (SELECT 1 FROM flags f WHERE f.entry = a.entry AND f.holds))",
        list,
        state.map_or(0, State::code),
        i32::from(held_only)
    )?;
    Ok(count.map(|(count,)| count).unwrap_or_default())
}

pub async fn insert_entries(ctx: &Context, tx: &mut Tx, list: &ListRow, entered: &[Entered]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "INSERT INTO award_entries (entry, list, school, scheme, term, person_key, id_document, id_sealed, id_masked, name, name_comparable, sex, birth_date, months,
             first_day, last_day, amount_fen, month_fen, tier, card_sealed, card_key, card_kind, card_holder, card_tail, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us, recorded_by, policy)
             SELECT t.entry, $2, $3, $4, $5, t.person_key, t.id_document, t.id_sealed, '', t.name, t.name_comparable, t.sex, t.birth_date, t.months,
             t.first_day, t.last_day, t.amount_fen, t.month_fen, t.tier, t.card_sealed, t.card_key, t.card_kind, t.card_holder, '', t.remark, $9, '', t.content_hash, $6, $7, $8, $10
             FROM " table 1 (entry uuid, person_key uuid, id_document text, id_sealed bytea, name text, name_comparable text, sex integer, birth_date date,
                months text, first_day date, last_day date, amount_fen bigint, month_fen bigint, tier text, card_sealed bytea, card_key uuid, card_kind integer, card_holder text, remark text, content_hash bytea)
        ),
        bulk_rows(entered),
        list.list,
        &list.school,
        &list.scheme,
        &list.term,
        ctx.today(),
        ctx.now_us(),
        &ctx.actor.account,
        State::Draft.code(),
        list.policy
    )?;
    Ok(())
}

pub async fn update_entries(ctx: &Context, tx: &mut Tx, entered: &[Entered]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_entries SET id_document = t.id_document, id_sealed = t.id_sealed, id_masked = '', name = t.name, name_comparable = t.name_comparable,
             sex = t.sex, birth_date = t.birth_date, months = t.months, first_day = t.first_day, last_day = t.last_day, amount_fen = t.amount_fen, month_fen = t.month_fen,
             tier = t.tier, card_sealed = t.card_sealed, card_key = t.card_key, card_kind = t.card_kind, card_holder = t.card_holder, card_tail = '', remark = t.remark, state = $5, sent_back_reason = '', content_hash = t.content_hash,
             recorded_day = CASE WHEN award_entries.name = t.name AND award_entries.months = t.months THEN award_entries.recorded_day ELSE $2 END,
             recorded_at_us = CASE WHEN award_entries.name = t.name AND award_entries.months = t.months THEN award_entries.recorded_at_us ELSE $4 END, recorded_by = $3
             FROM " table 1 (entry uuid, id_document text, id_sealed bytea, name text, name_comparable text, sex integer, birth_date date,
                months text, first_day date, last_day date, amount_fen bigint, month_fen bigint, tier text, card_sealed bytea, card_key uuid, card_kind integer, card_holder text, remark text, content_hash bytea)
            " WHERE award_entries.entry = t.entry AND award_entries.state <= 10"
        ),
        bulk_rows(entered),
        ctx.today(),
        &ctx.actor.account,
        ctx.now_us(),
        State::Draft.code()
    )?;
    Ok(())
}

pub async fn set_states(ctx: &Context, tx: &mut Tx, entries: &[Uuid], state: State, reason: &str) -> Result<(), Error> {
    bound::touch(ctx, tx, entries).await?;
    run!(
        tx,
        sql!("UPDATE award_entries SET state = $2, sent_back_reason = $3 WHERE entry" in_uuids 1),
        bulk_uuids(entries.iter().copied()),
        state.code(),
        reason
    )?;
    Ok(())
}

/// An entry, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub struct BoundRow {
    pub entry: Uuid,
    pub list: Uuid,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub policy: i32,
    pub person_key: Uuid,
    pub name: String,
    pub months: String,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
    pub amount_fen: i64,
    pub month_fen: i64,
    pub tier: String,
    pub state: i32,
    pub gone: bool,
    pub card_key: Option<Uuid>,
    pub card_kind: i32,
    pub card_holder: String,
    pub card_sealed: Option<Vec<u8>>,
    pub id_sealed: Vec<u8>,
    pub content_hash: Vec<u8>,
}

/// Those of these entries that are bound: submitted, and not taken off.
pub async fn bound(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<BoundRow>, StoreError> {
    rows!(
        tx,
        BoundRow,
        sql!(
            "SELECT entry, list, school, scheme, term, policy, person_key, name, months, first_day, last_day, amount_fen, month_fen, tier, state, gone,
                    card_key, card_kind, card_holder, card_sealed, id_sealed, content_hash
             FROM award_entries WHERE state > 10 AND state < 50 AND entry" in_uuids 1
        ),
        bulk_uuids(entries.iter().copied())
    )
}

/// Bound entries after one, in order.
pub async fn bound_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    // Whoever adds one by hand may give it the first of all ids.
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT entry FROM award_entries WHERE state > 10 AND state < 50 AND entry >= $1 AND ($2 IS NULL OR entry <> $2) ORDER BY entry LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(entry,)| entry).collect())
}

/// A list that was removed is there again; another stays as it is.
pub async fn open_again(tx: &mut Tx, list: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE award_lists SET state = $2 WHERE list = $1 AND state = $3", list, State::Draft.code(), State::Removed.code())?;
    Ok(())
}

/// A list goes by another version of the policy.
pub async fn rebind(tx: &mut Tx, list: Uuid, policy: i32) -> Result<(), StoreError> {
    run!(tx, "UPDATE award_lists SET policy = $2 WHERE list = $1", list, policy)?;
    Ok(())
}

pub async fn set_list_state(tx: &mut Tx, list: Uuid, state: State) -> Result<(), StoreError> {
    run!(tx, "UPDATE award_lists SET state = $2 WHERE list = $1", list, state.code())?;
    Ok(())
}

/// From now on new students go on a supplementary list.
pub async fn note_submitted(tx: &mut Tx, list: Uuid) -> Result<(), StoreError> {
    run!(tx, "UPDATE award_lists SET submitted = $2 WHERE list = $1", list, true)?;
    Ok(())
}

/// What of entries a desk may sign, with their contents as they are now.
pub async fn present(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<Present>, StoreError> {
    rows!(
        tx,
        Present,
        sql!("SELECT entry AS item, content_hash FROM award_entries WHERE (state = $2 OR state = $3) AND entry" in_uuids 1),
        bulk_uuids(entries.iter().copied()),
        State::Submitted.code(),
        State::Attested.code()
    )
}

/// Entries by their ids.
pub async fn entries_of(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<EntryRow>, StoreError> {
    rows!(
        tx,
        EntryRow,
        sql!(
            "SELECT entry, person_key, name, id_sealed, months, amount_fen, tier, state, card_sealed, card_holder, remark, sent_back_reason, content_hash, birth_date
             FROM award_entries WHERE state < 50 AND entry" in_uuids 1
        ),
        bulk_uuids(entries.iter().copied())
    )
}

/// Locks cards: whoever else writes an entry that names one waits.
pub async fn lock_cards(tx: &mut Tx, cards: &[Uuid]) -> Result<(), StoreError> {
    let mut cards = cards.to_vec();
    cards.sort_unstable();
    cards.dedup();
    for card in cards {
        run!(tx, "INSERT INTO card_locks (card_key) VALUES ($1) ON CONFLICT (card_key) DO UPDATE SET card_key = excluded.card_key", card)?;
    }
    Ok(())
}

/// The keys of all who stand on lists with the card of one of these.
pub async fn keys_of_their_cards(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(
        tx,
        (Uuid,),
        sql!(
            "SELECT DISTINCT o.person_key FROM award_entries a JOIN award_entries o ON o.card_key = a.card_key AND o.card_key IS NOT NULL AND o.state < 50
             WHERE a.card_key IS NOT NULL AND a.entry" in_uuids 1
        ),
        bulk_uuids(entries.iter().copied())
    )?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// The keys of entries.
pub async fn keys_of(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(tx, (Uuid,), sql!("SELECT DISTINCT person_key FROM award_entries WHERE entry" in_uuids 1), bulk_uuids(entries.iter().copied()))?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// What stood in an entry before an import.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub struct Before {
    #[sqlx(flatten)]
    pub row: Entered,
    pub state: i32,
    pub sent_back_reason: String,
    pub recorded_day: NaiveDate,
    pub recorded_at_us: i64,
    pub recorded_by: String,
}

/// What stands in entries, whole.
pub async fn before(tx: &mut Tx, entries: &[Uuid]) -> Result<Vec<Before>, StoreError> {
    rows!(
        tx,
        Before,
        sql!(
            "SELECT entry, person_key, id_document, id_sealed, name, name_comparable, sex, birth_date, months, first_day, last_day, amount_fen, month_fen, tier,
                    card_sealed, card_key, card_kind, card_holder, remark, state, sent_back_reason, content_hash, recorded_day, recorded_at_us, recorded_by
             FROM award_entries WHERE entry" in_uuids 1
        ),
        bulk_uuids(entries.iter().copied())
    )
}

/// Whether an entry stands on a list.
pub async fn stands_on(tx: &mut Tx, list: Uuid, entry: Uuid) -> Result<bool, StoreError> {
    Ok(one!(tx, (i32,), "SELECT 1 FROM award_entries WHERE entry = $1 AND list = $2 AND state < 50", entry, list)?.is_some())
}

/// When and by whom an entry was recorded.
#[derive(Debug, Serialize)]
pub struct Recorded {
    pub entry: Hex,
    pub day: NaiveDate,
    pub at_us: i64,
    pub account: String,
}

/// Entries were recorded as before.
pub async fn recorded_again(tx: &mut Tx, recorded: &[Recorded]) -> Result<(), StoreError> {
    run!(
        tx,
        sql!(
            "UPDATE award_entries SET recorded_day = t.day, recorded_at_us = t.at_us, recorded_by = t.account
             FROM " table 1 (entry uuid, day date, at_us bigint, account text) " WHERE award_entries.entry = t.entry"
        ),
        bulk_rows(recorded)
    )?;
    Ok(())
}

pub async fn awards_of_keys(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<AwardRow>, StoreError> {
    rows!(
        tx,
        AwardRow,
        sql!("SELECT entry, list, school, scheme, term, months, amount_fen, state FROM award_entries WHERE state < 50 AND person_key" in_uuids 1 " ORDER BY first_day, scheme, entry"),
        bulk_uuids(keys.iter().copied())
    )
}

/// A class of a school.
#[derive(Debug, sqlx::FromRow)]
pub struct ClassRow {
    pub class_name: String,
    /// Who is in school there.
    pub students: i64,
    /// Who of them is on lists, by a number that is theirs.
    pub listed: i64,
}

/// Classes in which somebody attends, with how many are on lists of this one's kind.
pub async fn classes(tx: &mut Tx, attending: Attending<'_>, list: &ListRow) -> Result<Vec<ClassRow>, StoreError> {
    rows!(
        tx,
        ClassRow,
        // A student is counted in one class: the first of those days'. Who is on lists is looked up once: a join might look for each student.
        "SELECT class_name, count(*) AS students, count(CASE WHEN person IN (
             SELECT k.person FROM award_entries a
             JOIN mirror_person_keys k ON k.generation = $1 AND k.person_key = a.person_key AND k.end_recorded IS NULL
             WHERE a.school = $2 AND a.scheme = $7 AND a.term = $8 AND a.state < 50 AND NOT a.gone) THEN 1 END) AS listed
         FROM (SELECT e.person, p.class_name, row_number() OVER (PARTITION BY e.person ORDER BY p.from_date, e.entry_date DESC, e.enrollment DESC) AS nth
               FROM mirror_enrollments e JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation
               WHERE e.generation = $1 AND e.school = $2 AND e.stage = $3 AND p.state = $4 AND p.from_date < $6 AND (p.to_date IS NULL OR p.to_date > $5)) AS places
         WHERE nth = 1 AND class_name <> ''
         GROUP BY class_name ORDER BY class_name",
        attending.generation,
        attending.school,
        Stage::Approved.code(),
        PeriodState::InSchool.code(),
        attending.within[0],
        attending.within[1],
        &list.scheme,
        &list.term
    )
}

/// Entries of a list in one state, counted.
#[derive(Debug, sqlx::FromRow)]
pub struct CountRow {
    pub list: Uuid,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub entries: i64,
    pub amount_fen: i64,
}

/// How many entries of each of these lists stand in which state.
pub async fn counts(tx: &mut Tx, lists: &[Uuid]) -> Result<Vec<CountRow>, StoreError> {
    rows!(
        tx,
        CountRow,
        sql!(
            "SELECT list, state, count(*) AS entries, CAST(sum(amount_fen) AS bigint) AS amount_fen FROM award_entries
             WHERE state < 50 AND list" in_uuids 1 " GROUP BY list, state"
        ),
        bulk_uuids(lists.iter().copied())
    )
}

/// Lists that were opened again.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ReopeningRow {
    pub reopening: Uuid,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub until_day: NaiveDate,
    pub reason: String,
    pub opened_by: String,
    pub opened_by_name: String,
    pub opened_at_us: i64,
}

/// Opens lists again: such rows are only ever added.
pub async fn reopen(ctx: &Context, tx: &mut Tx, row: &ReopeningRow) -> Result<(), StoreError> {
    ctx.make(&bound::REOPENING, [Key::Id(row.reopening)]);
    run!(
        tx,
        "INSERT INTO award_reopenings (reopening, school, scheme, term, until_day, reason, opened_by, opened_by_name, opened_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        row.reopening,
        &row.school,
        &row.scheme,
        &row.term,
        row.until_day,
        &row.reason,
        &row.opened_by,
        &row.opened_by_name,
        row.opened_at_us
    )?;
    Ok(())
}

/// Ids of reopenings after one.
pub async fn reopenings_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT reopening FROM award_reopenings WHERE reopening >= $1 AND ($2 IS NULL OR reopening <> $2) ORDER BY reopening LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(reopening,)| reopening).collect())
}

pub async fn reopenings_of(tx: &mut Tx, reopenings: &[Uuid]) -> Result<Vec<ReopeningRow>, StoreError> {
    rows!(tx, ReopeningRow, sql!("SELECT * FROM award_reopenings WHERE reopening" in_uuids 1), bulk_uuids(reopenings.iter().copied()))
}

/// By which versions of the policy lists of a school, scheme and term go.
pub async fn versions_of(tx: &mut Tx, school: &str, scheme: &str, term: &str) -> Result<Vec<i32>, StoreError> {
    let versions = rows!(tx, (i32,), "SELECT DISTINCT policy FROM award_lists WHERE school = $1 AND scheme = $2 AND term = $3", school, scheme, term)?;
    Ok(versions.into_iter().map(|(version,)| version).collect())
}

/// Until when lists of a school, scheme and term are open again, if they are on a day.
pub async fn reopened_until(tx: &mut Tx, school: &str, scheme: &str, term: &str, day: NaiveDate) -> Result<Option<NaiveDate>, StoreError> {
    let found = one!(
        tx,
        (Option<NaiveDate>,),
        "SELECT max(until_day) FROM award_reopenings WHERE school = $1 AND scheme = $2 AND term = $3 AND until_day >= $4",
        school,
        scheme,
        term,
        day
    )?;
    Ok(found.and_then(|(day,)| day))
}

/// What was opened again of a school, the last first.
pub async fn reopenings(tx: &mut Tx, school: &str) -> Result<Vec<ReopeningRow>, StoreError> {
    rows!(
        tx,
        ReopeningRow,
        "SELECT reopening, school, scheme, term, until_day, reason, opened_by, opened_by_name, opened_at_us FROM award_reopenings
         WHERE school = $1 ORDER BY reopening DESC LIMIT 200",
        school
    )
}

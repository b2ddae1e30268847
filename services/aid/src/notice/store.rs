//! SQL of notices and objections.

use chrono::NaiveDate;
use serde::Serialize;
use uuid::Uuid;
use xuezhu_audit::written::Key;
use xuezhu_service::{Context, Error, paging::Turn};
use xuezhu_store::{Hex, StoreError, Tx, bulk_rows, bulk_uuids, one, rows, run, sql};

use super::{
    bound::OBJECTION,
    rules::{Stage, State},
};

/// A notice.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct NoticeRow {
    pub notice: Uuid,
    pub list: Uuid,
    pub dossier: Uuid,
    pub school: String,
    pub authority: String,
    pub title: String,
    #[sqlx(try_from = "i32")]
    pub stage: Stage,
    pub opened_day: NaiveDate,
    pub last_day: NaiveDate,
    pub published: bool,
    pub digest: String,
}

/// Who is shown.
#[derive(Debug, Clone, Serialize)]
pub struct NewLine {
    /// Of which entry.
    pub entry: Hex,
    /// Name.
    pub name: String,
    /// Class.
    pub class_name: String,
    /// Grade; 0 where it is not known.
    pub grade: i32,
    /// Major.
    pub major_name: String,
}

/// Who is shown, as it is told.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct LineRow {
    pub entry: Uuid,
    pub name: String,
    pub class_name: String,
    pub grade: i32,
    pub major_name: String,
}

/// An objection.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ObjectionRow {
    pub objection: Uuid,
    pub notice: Uuid,
    pub school: String,
    pub authority: String,
    pub entry: Option<Uuid>,
    pub student: String,
    pub by_form: bool,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub text_sealed: Vec<u8>,
    pub objector_sealed: Vec<u8>,
    pub filed_day: NaiveDate,
    pub answer_sealed: Option<Vec<u8>>,
    pub answered_by_name: String,
    pub decision: String,
    pub decided_by_name: String,
    pub title: String,
    pub list: Uuid,
}

pub async fn insert(tx: &mut Tx, row: &NoticeRow, lines: &[NewLine], now_us: i64) -> Result<(), StoreError> {
    run!(
        tx,
        "INSERT INTO notices (notice, list, dossier, school, authority, title, stage, opened_day, last_day, published, digest, opened_at_us)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        row.notice,
        row.list,
        row.dossier,
        &row.school,
        &row.authority,
        &row.title,
        row.stage.code(),
        row.opened_day,
        row.last_day,
        row.published,
        &row.digest,
        now_us
    )?;
    run!(
        tx,
        sql!(
            "INSERT INTO notice_entries (notice, entry, name, class_name, grade, major_name, gone)
             SELECT $2, t.entry, t.name, t.class_name, t.grade, t.major_name, $3 FROM " table 1 (entry uuid, name text, class_name text, grade integer, major_name text)
        ),
        bulk_rows(lines),
        row.notice,
        false
    )?;
    Ok(())
}

/// What is not decided of whom another notice of the list showed goes along with them to this one; what was said of the whole of a notice, once it shows
/// nobody any more.
pub async fn bring_along(tx: &mut Tx, list: Uuid, notice: Uuid) -> Result<(), StoreError> {
    // Whoever decides one meanwhile takes turns with this.
    run!(tx, "UPDATE notices SET published = published WHERE list = $1", list)?;
    run!(
        tx,
        "UPDATE objections SET notice = $2
         WHERE state < $3 AND notice IN (SELECT notice FROM notices WHERE list = $1 AND notice <> $2)
           AND (entry IN (SELECT entry FROM notice_entries WHERE notice = $2)
                OR (entry IS NULL AND NOT EXISTS (SELECT 1 FROM notice_entries e WHERE e.notice = objections.notice AND NOT e.gone)
                    AND EXISTS (SELECT 1 FROM notice_entries e JOIN notice_entries f ON f.entry = e.entry WHERE e.notice = objections.notice AND f.notice = $2)))",
        list,
        notice,
        State::FIRST_DECIDED
    )?;
    Ok(())
}

/// Takes entries off every notice.
pub async fn set_gone(tx: &mut Tx, entries: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE notice_entries SET gone = $2 WHERE entry" in_uuids 1), bulk_uuids(entries.iter().copied()), true)?;
    Ok(())
}

pub async fn notice(tx: &mut Tx, notice: Uuid) -> Result<Option<NoticeRow>, StoreError> {
    one!(
        tx,
        NoticeRow,
        "SELECT notice, list, dossier, school, authority, title, stage, opened_day, last_day, published, digest FROM notices WHERE notice = $1",
        notice
    )
}

/// Locks notices: who signs a round, and who objects to what it shows, take turns.
pub async fn lock(tx: &mut Tx, notices: &[Uuid]) -> Result<(), StoreError> {
    run!(tx, sql!("UPDATE notices SET published = published WHERE notice" in_uuids 1), bulk_uuids(notices.iter().copied()))?;
    Ok(())
}

/// The notices of rounds.
pub async fn of_dossiers(tx: &mut Tx, dossiers: &[Uuid]) -> Result<Vec<NoticeRow>, StoreError> {
    rows!(
        tx,
        NoticeRow,
        sql!(
            "SELECT notice, list, dossier, school, authority, title, stage, opened_day, last_day, published, digest FROM notices WHERE dossier" in_uuids 1
            " ORDER BY notice"
        ),
        bulk_uuids(dossiers.iter().copied())
    )
}

/// Notices of a school, of one of its lists where one is named, the last first.
pub async fn notices(tx: &mut Tx, school: &str, list: Option<Uuid>, turn: &Turn<Uuid>) -> Result<Vec<NoticeRow>, StoreError> {
    rows!(
        tx,
        NoticeRow,
        "SELECT notice, list, dossier, school, authority, title, stage, opened_day, last_day, published, digest FROM notices
         WHERE school = $1 AND ($2 IS NULL OR list = $2) AND ($3 IS NULL OR notice < $3) ORDER BY notice DESC LIMIT $4 OFFSET $5",
        school,
        list,
        turn.after,
        turn.rows,
        turn.skip
    )
}

pub async fn publish(tx: &mut Tx, notice: Uuid, published: bool) -> Result<(), StoreError> {
    run!(tx, "UPDATE notices SET published = $2 WHERE notice = $1", notice, published)?;
    Ok(())
}

/// How many are shown by notice and class, in order of classes.
pub async fn classes(tx: &mut Tx, notices: &[Uuid]) -> Result<Vec<(Uuid, String, i64)>, StoreError> {
    rows!(
        tx,
        (Uuid, String, i64),
        sql!("SELECT notice, class_name, count(*) FROM notice_entries WHERE NOT gone AND notice" in_uuids 1 " GROUP BY notice, class_name ORDER BY notice, class_name"),
        bulk_uuids(notices.iter().copied())
    )
}

/// Who is shown of a class, by name.
pub async fn lines(tx: &mut Tx, notice: Uuid, class_name: &str) -> Result<Vec<LineRow>, StoreError> {
    rows!(
        tx,
        LineRow,
        "SELECT entry, name, class_name, grade, major_name FROM notice_entries WHERE notice = $1 AND class_name = $2 AND NOT gone ORDER BY name, entry",
        notice,
        class_name
    )
}

/// How many objections stand in the way, by notice: of the notice, or of whom is still shown.
pub async fn in_the_way(tx: &mut Tx, notices: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
    rows!(
        tx,
        (Uuid, i64),
        sql!(
            "SELECT o.notice, count(*) FROM objections o WHERE o.state < 50 AND o.notice" in_uuids 1
            // Who names nobody, by the form, holds nobody up before the department finds it right.
            " AND ((o.entry IS NULL AND (NOT o.by_form OR o.state = $2)) OR EXISTS (SELECT 1 FROM notice_entries e WHERE e.notice = o.notice AND e.entry = o.entry AND NOT e.gone)) GROUP BY o.notice"
        ),
        bulk_uuids(notices.iter().copied()),
        State::Upheld.code()
    )
}

/// Whom of the notices of a round objections concern that stand in the way; none of an entry concerns all of it.
pub async fn objected(tx: &mut Tx, dossier: Uuid) -> Result<Vec<(Option<Uuid>,)>, StoreError> {
    rows!(
        tx,
        (Option<Uuid>,),
        "SELECT o.entry FROM objections o JOIN notices n ON n.notice = o.notice WHERE n.dossier = $1 AND n.stage = $2 AND o.state < 50
           AND (o.entry IS NOT NULL OR NOT o.by_form OR o.state = $3)",
        dossier,
        Stage::BeforeSignature.code(),
        State::Upheld.code()
    )
}

pub async fn object(ctx: &Context, tx: &mut Tx, row: &ObjectionRow, came_from: Option<Uuid>) -> Result<(), StoreError> {
    ctx.make(&OBJECTION, [Key::Id(row.objection)]);
    run!(
        tx,
        "INSERT INTO objections (objection, notice, school, authority, entry, student, by_form, state, text_sealed, objector_sealed, came_from, filed_day, filed_at_us,
                                 answered_by_name, decision, decided_by_name)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', '', '')",
        row.objection,
        row.notice,
        &row.school,
        &row.authority,
        row.entry,
        &row.student,
        row.by_form,
        row.state.code(),
        row.text_sealed.as_slice(),
        row.objector_sealed.as_slice(),
        came_from,
        row.filed_day,
        ctx.now_us()
    )?;
    Ok(())
}

/// An objection, as it is bound.
#[derive(Debug, sqlx::FromRow)]
pub struct BoundObjection {
    pub objection: Uuid,
    pub school: String,
    pub authority: String,
    pub entry: Option<Uuid>,
    pub student: String,
    pub by_form: bool,
    pub state: i32,
    pub text_sealed: Vec<u8>,
    pub answer_sealed: Option<Vec<u8>>,
    pub answered_by_name: String,
    pub decision: String,
    pub decided_by_name: String,
}

/// Ids of objections after one.
pub async fn bound_after(tx: &mut Tx, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let found = rows!(
        tx,
        (Uuid,),
        "SELECT objection FROM objections WHERE objection >= $1 AND ($2 IS NULL OR objection <> $2) ORDER BY objection LIMIT $3",
        after.unwrap_or_default(),
        after,
        limit
    )?;
    Ok(found.into_iter().map(|(objection,)| objection).collect())
}

pub async fn bound(tx: &mut Tx, objections: &[Uuid]) -> Result<Vec<BoundObjection>, StoreError> {
    rows!(
        tx,
        BoundObjection,
        sql!(
            "SELECT objection, school, authority, entry, student, by_form, state, text_sealed, answer_sealed, answered_by_name, decision, decided_by_name
             FROM objections WHERE objection" in_uuids 1
        ),
        bulk_uuids(objections.iter().copied())
    )
}

/// How many came by the form to a notice on a day, and how many of those from one place.
pub async fn came(tx: &mut Tx, notice: Uuid, day: NaiveDate, from: Uuid) -> Result<(i64, i64), StoreError> {
    let counts = one!(
        tx,
        (i64, i64),
        "SELECT count(*), count(CASE WHEN came_from = $3 THEN 1 END) FROM objections WHERE notice = $1 AND filed_day = $2 AND by_form",
        notice,
        day,
        from
    )?;
    Ok(counts.unwrap_or_default())
}

pub async fn objection(tx: &mut Tx, objection: Uuid) -> Result<Option<ObjectionRow>, StoreError> {
    one!(
        tx,
        ObjectionRow,
        "SELECT o.objection, o.notice, o.school, o.authority, o.entry, o.student, o.by_form, o.state, o.text_sealed, o.objector_sealed, o.filed_day, o.answer_sealed,
                o.answered_by_name, o.decision, o.decided_by_name, n.title, n.list
         FROM objections o JOIN notices n ON n.notice = o.notice WHERE o.objection = $1",
        objection
    )
}

/// Objections of a school, or of the schools under departments with these first digits, the last first.
pub async fn objections(tx: &mut Tx, school: &str, authority_prefix: &str, state: i32, turn: &Turn<Uuid>) -> Result<Vec<ObjectionRow>, StoreError> {
    rows!(
        tx,
        ObjectionRow,
        "SELECT o.objection, o.notice, o.school, o.authority, o.entry, o.student, o.by_form, o.state, o.text_sealed, o.objector_sealed, o.filed_day, o.answer_sealed,
                o.answered_by_name, o.decision, o.decided_by_name, n.title, n.list
         FROM objections o JOIN notices n ON n.notice = o.notice
         WHERE ($1 = '' OR o.school = $1) AND substr(o.authority, 1, length($2)) = $2 AND ($3 = 0 OR o.state = $3) AND ($4 IS NULL OR o.objection < $4)
         ORDER BY o.objection DESC LIMIT $5 OFFSET $6",
        school,
        authority_prefix,
        state,
        turn.after,
        turn.rows,
        turn.skip
    )
}

/// The school answers, under the lock of the notice.
pub async fn answer(ctx: &Context, tx: &mut Tx, objection: Uuid, answer: &[u8]) -> Result<(), Error> {
    ctx.touch(tx, &OBJECTION, [Key::Id(objection)]).await?;
    run!(
        tx,
        "UPDATE objections SET state = $2, answer_sealed = $3, answered_by_name = $4 WHERE objection = $1",
        objection,
        State::Answered.code(),
        answer,
        &ctx.actor.display_name
    )?;
    Ok(())
}

/// The department decides, under the lock of the notice.
pub async fn decide(ctx: &Context, tx: &mut Tx, objection: Uuid, state: State, decision: &str) -> Result<(), Error> {
    ctx.touch(tx, &OBJECTION, [Key::Id(objection)]).await?;
    let by = &ctx.actor.display_name;
    run!(tx, "UPDATE objections SET state = $2, decision = $3, decided_by_name = $4 WHERE objection = $1", objection, state.code(), decision, by)?;
    Ok(())
}

/// From which day entries may be paid, as far as notices after the audit say it, and whether an objection stands in the way.
pub async fn payable(tx: &mut Tx, list: Uuid) -> Result<Vec<(Uuid, NaiveDate, bool)>, StoreError> {
    rows!(
        tx,
        (Uuid, NaiveDate, bool),
        "SELECT e.entry, n.last_day, EXISTS (SELECT 1 FROM objections o WHERE o.notice = n.notice AND o.state < 50
                                            AND (o.entry = e.entry OR (o.entry IS NULL AND (NOT o.by_form OR o.state = $3))))
         FROM notices n JOIN notice_entries e ON e.notice = n.notice WHERE n.list = $1 AND n.stage = $2 AND NOT e.gone",
        list,
        Stage::AfterAudit.code(),
        State::Upheld.code()
    )
}

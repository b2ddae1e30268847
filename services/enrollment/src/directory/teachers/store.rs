//! SQL of whose class a class is.

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_audit::written::{Key, Kind};
use xuezhu_chain::Said;
use xuezhu_service::{Context, Error};
use xuezhu_store::{StoreError, Tx, bulk_texts, bulk_uuids, one, rows, run, sql};

use super::NewTeaching;

/// Whose classes are whose, as it is bound: a class teacher sees and signs for those alone.
pub static TEACHING: Kind = Kind {
    code: 6,
    name: "class teacher",
    at_once: 2_000,
    say: |tx, keys| {
        Box::pin(async move {
            let ids = keys.iter().map(Key::id).collect::<Result<Vec<_>, _>>()?;
            let found = rows!(
                tx,
                BoundRow,
                sql!("SELECT teaching, school, class_name, account, from_day, to_day, set_by FROM class_teachers WHERE teaching" in_uuids 1),
                bulk_uuids(ids)
            )?;
            Ok(found.iter().map(|row| (Key::Id(row.teaching), row.said())).collect())
        })
    },
    after: |tx, after, limit| {
        Box::pin(async move {
            let after = after.map(Key::id).transpose()?;
            let found = rows!(
                tx,
                (Uuid,),
                "SELECT teaching FROM class_teachers WHERE teaching >= $1 AND ($2 IS NULL OR teaching <> $2) ORDER BY teaching LIMIT $3",
                after.unwrap_or_default(),
                after,
                limit
            )?;
            Ok(found.into_iter().map(|(teaching,)| Key::Id(teaching)).collect())
        })
    },
};

/// Whose a class is, as it is bound.
#[derive(sqlx::FromRow)]
struct BoundRow {
    teaching: Uuid,
    school: String,
    class_name: String,
    account: String,
    from_day: NaiveDate,
    to_day: Option<NaiveDate>,
    set_by: String,
}

impl BoundRow {
    fn said(&self) -> Said {
        let Self { teaching, school, class_name, account, from_day, to_day, set_by } = self;
        let said = Said::of("class teacher").bytes(teaching.as_bytes()).text(school).text(class_name).text(account).text(set_by);
        [Some(*from_day), *to_day].into_iter().fold(said, |said, day| said.number(day.map_or(0, |day| day.num_days_from_ce().into())))
    }
}

/// That a class is somebody's.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct TeachingRow {
    /// Id.
    pub teaching: Uuid,
    /// School.
    pub school: String,
    /// Name of the class.
    pub class_name: String,
    /// Account of the teacher.
    pub account: String,
    /// Name of the person.
    pub display_name: String,
    /// First day.
    pub from_day: NaiveDate,
    /// First day on which it is not theirs any more.
    pub to_day: Option<NaiveDate>,
    /// Who said so.
    pub set_by_name: String,
    /// When, microseconds since 1970.
    pub set_at_us: i64,
}

/// What a list asks for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// School.
    pub school: String,
    /// Name of a class; empty for all.
    pub class_name: String,
    /// Account of a teacher; empty for all.
    pub account: String,
}

/// Whose classes are whose in a school is said one after the other.
pub async fn lock(tx: &mut Tx, school: &str) -> Result<(), StoreError> {
    run!(tx, "UPDATE schools SET name = name WHERE code = $1", school)?;
    Ok(())
}

pub async fn insert(ctx: &Context, tx: &mut Tx, teaching: Uuid, new: &NewTeaching) -> Result<(), StoreError> {
    ctx.make(&TEACHING, [Key::Id(teaching)]);
    run!(
        tx,
        "INSERT INTO class_teachers (teaching, school, class_name, account, from_day, to_day, set_by, set_by_name, set_at_us)
         VALUES ($1, $2, $3, $4, $5, NULL, $6, $7, $8)",
        teaching,
        &new.school,
        &new.class_name,
        &new.account,
        new.from,
        &ctx.actor.account,
        &ctx.actor.display_name,
        ctx.now_us()
    )?;
    Ok(())
}

/// Ends it, under the lock of its school.
pub async fn end(ctx: &Context, tx: &mut Tx, teaching: Uuid, day: NaiveDate) -> Result<(), Error> {
    ctx.touch(tx, &TEACHING, [Key::Id(teaching)]).await?;
    run!(tx, "UPDATE class_teachers SET to_day = $2 WHERE teaching = $1", teaching, day)?;
    Ok(())
}

/// What was said last of a class. One that was ended on the day on which it began never held.
pub async fn last(tx: &mut Tx, school: &str, class_name: &str) -> Result<Option<TeachingRow>, StoreError> {
    one!(
        tx,
        TeachingRow,
        "SELECT t.teaching, t.school, t.class_name, t.account, a.display_name, t.from_day, t.to_day, t.set_by_name, t.set_at_us
         FROM class_teachers t JOIN accounts a ON a.account = t.account
         WHERE t.school = $1 AND t.class_name = $2 AND (t.to_day IS NULL OR t.to_day > t.from_day) ORDER BY t.from_day DESC LIMIT 1",
        school,
        class_name
    )
}

/// Whose a class is on a day.
pub async fn on_day(tx: &mut Tx, school: &str, class_name: &str, day: NaiveDate) -> Result<Option<TeachingRow>, StoreError> {
    one!(
        tx,
        TeachingRow,
        "SELECT t.teaching, t.school, t.class_name, t.account, a.display_name, t.from_day, t.to_day, t.set_by_name, t.set_at_us
         FROM class_teachers t JOIN accounts a ON a.account = t.account
         WHERE t.school = $1 AND t.class_name = $2 AND t.from_day <= $3 AND (t.to_day IS NULL OR t.to_day > $3)",
        school,
        class_name,
        day
    )
}

/// The classes that are an account's on a day.
pub async fn classes_of(tx: &mut Tx, school: &str, account: &str, day: NaiveDate) -> Result<Vec<String>, StoreError> {
    let found = rows!(
        tx,
        (String,),
        "SELECT class_name FROM class_teachers WHERE account = $1 AND school = $2 AND from_day <= $3 AND (to_day IS NULL OR to_day > $3)
         ORDER BY class_name",
        account,
        school,
        day
    )?;
    Ok(found.into_iter().map(|(class,)| class).collect())
}

/// The classes that are an account's on a day, or will be, what was given last first: with the first day, and the first on which they are not.
pub async fn of_account(
    tx: &mut Tx,
    school: &str,
    account: &str,
    day: NaiveDate,
    most: i64,
) -> Result<Vec<(String, NaiveDate, Option<NaiveDate>)>, StoreError> {
    rows!(
        tx,
        (String, NaiveDate, Option<NaiveDate>),
        "SELECT class_name, from_day, to_day FROM class_teachers
         WHERE account = $1 AND school = $2 AND (to_day IS NULL OR (to_day > $3 AND to_day > from_day)) ORDER BY from_day DESC, class_name LIMIT $4",
        account,
        school,
        day,
        most
    )
}

/// A page, what was said last first.
pub async fn page(tx: &mut Tx, filter: &Filter, before: Option<Uuid>, limit: i64) -> Result<Vec<TeachingRow>, StoreError> {
    rows!(
        tx,
        TeachingRow,
        "SELECT t.teaching, t.school, t.class_name, t.account, a.display_name, t.from_day, t.to_day, t.set_by_name, t.set_at_us
         FROM class_teachers t JOIN accounts a ON a.account = t.account
         WHERE t.school = $1 AND ($2 = '' OR t.class_name = $2) AND ($3 = '' OR t.account = $3) AND ($4 IS NULL OR t.teaching < $4)
         ORDER BY t.teaching DESC LIMIT $5",
        &filter.school,
        &filter.class_name,
        &filter.account,
        before,
        limit
    )
}

/// Those of these accounts that ever had a class.
pub async fn named(tx: &mut Tx, accounts: &[String]) -> Result<Vec<String>, StoreError> {
    let found = rows!(tx, (String,), sql!("SELECT DISTINCT account FROM class_teachers WHERE account" in_texts 1), bulk_texts(accounts))?;
    Ok(found.into_iter().map(|(account,)| account).collect())
}

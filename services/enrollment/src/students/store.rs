//! SQL of lists of enrollments.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::State;
use xuezhu_store::{StoreError, Tx, bulk_texts, bulk_uuids, one, rows, sql};

use super::Order;

/// An enrollment as lists show it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub school: String,
    pub state: i32,
    pub state_since: Option<NaiveDate>,
    pub last_state: i32,
    pub last_since: Option<NaiveDate>,
    pub person: Option<Uuid>,
    pub id_sealed: Vec<u8>,
    pub name: String,
    pub sex: i32,
    pub school_number: String,
    pub class_name: String,
    pub major: String,
    pub entry_month: i32,
    pub study_form: String,
    pub sent_back_reason: String,
    pub refusal: String,
    pub approved_day: Option<NaiveDate>,
    pub registry: Option<i32>,
    pub student_number_sealed: Option<Vec<u8>>,
    pub etag: i64,
}

/// What a list asks for.
#[derive(Debug, Default, Clone)]
pub struct Filter {
    /// School.
    pub school: String,
    /// Code of a state; 0 for all.
    pub state: i32,
    /// Part of a comparable name, as a LIKE pattern; empty for all.
    pub name_pattern: String,
    /// Of a whole number: the keys that it may stand for, by the paper it was read from.
    pub keys: Option<Vec<Uuid>>,
    /// Hash of a whole 学籍号.
    pub student_number: Option<Uuid>,
    /// A whole 学号.
    pub school_number: String,
    /// Name of a class; empty for all.
    pub class_name: String,
    /// Key of a major; empty for all.
    pub major: String,
    /// Year of entry; 0 for all.
    pub entry_year: i32,
    /// One enrollment.
    pub enrollment: Option<Uuid>,
    /// A submission whose rows are meant.
    pub submission: Option<Uuid>,
    /// Day on which state and class are meant.
    pub day: NaiveDate,
    /// Position at which they were known, where not as they stand.
    pub known: Option<i64>,
}

/// Where a page begins: after this class, name and enrollment.
pub type After = (String, String, Uuid);

/// What is asked for of enrollments as they stand, by what an index finds: a planner that must plan for any filter would look at the
/// whole school. (Nor may it lead with the school where a number is given: `e.school || ''`.) A state recorded ahead does not hold on
/// day `$9`: what holds then is looked up, for those few only.
macro_rules! present {
    ($columns:literal, $($lead:literal $(in_uuids $keys:literal)?),+; $tail:literal) => {
        sql!(
            $columns
            " FROM enrollments e WHERE "
            $($lead $(in_uuids $keys)?)+
            " AND ($2 = 0 OR $2 = CASE WHEN e.state_since > $9 THEN coalesce((SELECT now.state FROM periods now WHERE now.enrollment = e.enrollment
                AND now.until_version IS NULL AND now.to_date > $9 ORDER BY now.from_date LIMIT 1), e.state) ELSE e.state END)
              AND ($8 IS NULL OR e.submission = $8) AND ($10 = '' OR e.class_name = $10)
              AND ($12 = '' OR e.major = $12) AND ($13 = 0 OR e.entry_month / 100 = $13)"
            $tail
        )
    };
}

/// The same of stories as they were known on day `$9`: what was told after position `$11` was not known. The highest position there can
/// be asks for what stands.
macro_rules! told {
    ($columns:literal, $($lead:literal $(in_uuids $keys:literal)?),+; $tail:literal) => {
        sql!(
            $columns
            " FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment AND p.from_date <= $9 AND (p.to_date IS NULL OR p.to_date > $9)
              WHERE "
            $($lead $(in_uuids $keys)?)+
            " AND ($2 = 0 OR $2 = p.state) AND ($8 IS NULL OR e.submission = $8) AND ($10 = '' OR p.class_name = $10)
              AND ($12 = '' OR p.major = $12) AND ($13 = 0 OR e.entry_month / 100 = $13)
              AND (p.until_version IS NULL OR $11 < 9223372036854775807 AND EXISTS (SELECT 1 FROM told_versions t WHERE t.kind = 12
                AND t.record = p.enrollment AND t.version = p.until_version AND (t.position IS NULL OR t.position > $11)))
              AND ($11 = 9223372036854775807 OR NOT EXISTS (SELECT 1 FROM told_versions t WHERE t.kind = 12
                AND t.record = p.enrollment AND t.version = p.version AND (t.position IS NULL OR t.position > $11)))"
            $tail
        )
    };
}

/// Either for a filter: one enrollment, a number, a class as it stands, or part of a name.
macro_rules! asked_by {
    ($of:ident, $filter:ident, $columns:literal, $tail:literal) => {
        if $filter.enrollment.is_some() {
            $of!($columns, "e.enrollment = $7 AND e.school = $1"; $tail)
        } else if $filter.keys.is_some() {
            $of!(
                $columns,
                "e.enrollment IN (SELECT x.enrollment FROM enrollments x WHERE x.claim_key" in_uuids 4,
                " UNION ALL SELECT x.enrollment FROM enrollments x JOIN person_keys k ON k.person = x.person WHERE k.person_key" in_uuids 4,
                " UNION ALL SELECT x.enrollment FROM enrollments x JOIN persons q ON q.person = x.person WHERE q.student_number_hash = $5
                  UNION ALL SELECT x.enrollment FROM enrollments x WHERE x.school = $1 AND x.school_number = $6)
                  AND e.school || '' = $1";
                $tail
            )
        } else if $filter.known.is_none() && !$filter.class_name.is_empty() {
            $of!($columns, "e.school = $1 AND e.class_name = $10 AND ($3 = '' OR e.name_comparable LIKE $3 ESCAPE '!' OR e.school_number = $6)"; $tail)
        } else {
            $of!($columns, "e.school = $1 AND ($3 = '' OR e.name_comparable LIKE $3 ESCAPE '!' OR e.school_number = $6)"; $tail)
        }
    };
}

/// Runs such a text: the filter's parameters first, then what else it takes.
macro_rules! ask {
    ($read:ident, $tx:ident, $row:ty, $text:expr, $filter:ident $(, $more:expr)*) => {
        $read!(
            $tx,
            $row,
            $text,
            &$filter.school,
            $filter.state,
            &$filter.name_pattern,
            bulk_uuids($filter.keys.iter().flatten().copied()),
            $filter.student_number,
            &$filter.school_number,
            $filter.enrollment,
            $filter.submission,
            $filter.day,
            &$filter.class_name,
            $filter.known.unwrap_or(i64::MAX),
            &$filter.major,
            $filter.entry_year
            $(, $more)*
        )
    };
}

/// How many there are that a list asks for.
pub async fn count(tx: &mut Tx, filter: &Filter) -> Result<i64, StoreError> {
    let counted = if filter.known.is_some() {
        ask!(one, tx, (i64,), asked_by!(told, filter, "SELECT count(*)", ""), filter)?
    } else {
        // Every parameter is named once: what a text does not name has no type.
        ask!(one, tx, (i64,), asked_by!(present, filter, "SELECT count(*)", " AND $11 > 0"), filter)?
    };
    Ok(counted.map_or(0, |(count,)| count))
}

/// How many of a school are with its clerk, by state. An index holds all that this reads.
pub async fn count_with_clerk(tx: &mut Tx, school: &str) -> Result<Vec<(i32, i64)>, StoreError> {
    let (draft, back) = (State::Draft.code(), State::SentBack.code());
    rows!(tx, (i32, i64), "SELECT state, count(*) FROM enrollments WHERE school = $1 AND (state = $2 OR state = $3) GROUP BY state", school, draft, back)
}

/// Who is in some classes of a school on a day, in school or on leave.
#[derive(Debug, Clone, Default)]
pub struct Within {
    /// School.
    pub school: String,
    /// The classes, by name.
    pub classes: Vec<String>,
    /// One of them; empty for all.
    pub class_name: String,
    /// Code of a state; 0 for both.
    pub state: i32,
    /// Part of a comparable name, as a LIKE pattern; empty for all.
    pub name_pattern: String,
    /// A whole 学号; empty for all.
    pub school_number: String,
    /// The day.
    pub day: NaiveDate,
}

/// Somebody who is in a class.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Member {
    /// Enrollment.
    pub enrollment: Uuid,
    /// Name of the class.
    pub class_name: String,
    /// Code of the state.
    pub state: i32,
}

/// A text about who is in classes on a day: its columns before, what else it asks after.
macro_rules! within {
    ($columns:literal, $tail:literal) => {
        sql!(
            $columns
            " FROM enrollments e JOIN periods p ON p.enrollment = e.enrollment AND p.until_version IS NULL AND p.from_date <= $3
                AND (p.to_date IS NULL OR p.to_date > $3)
              WHERE e.school = $1 AND (p.state = $4 OR p.state = $5) AND ($6 = 0 OR p.state = $6) AND ($7 = '' OR p.class_name = $7)
                AND ($8 = '' AND $9 = '' OR e.name_comparable LIKE $8 ESCAPE '!' OR $9 <> '' AND e.school_number = $9)
                AND p.class_name" in_texts 2
            $tail
        )
    };
}

/// Runs such a text: its parameters first, then what else it takes.
macro_rules! ask_within {
    ($read:ident, $tx:ident, $row:ty, $text:expr, $within:ident $(, $more:expr)*) => {
        $read!(
            $tx,
            $row,
            $text,
            &$within.school,
            bulk_texts(&$within.classes),
            $within.day,
            State::InSchool.code(),
            State::OnLeave.code(),
            $within.state,
            &$within.class_name,
            &$within.name_pattern,
            &$within.school_number
            $(, $more)*
        )
    };
}

/// Everybody who is in classes on a day.
pub async fn members(tx: &mut Tx, within: &Within) -> Result<Vec<Member>, StoreError> {
    ask_within!(rows, tx, Member, within!("SELECT e.enrollment, p.class_name, p.state", " ORDER BY p.class_name, e.enrollment"), within)
}

/// How many are in classes on a day.
pub async fn count_members(tx: &mut Tx, within: &Within) -> Result<i64, StoreError> {
    Ok(ask_within!(one, tx, (i64,), within!("SELECT count(*)", ""), within)?.map_or(0, |(count,)| count))
}

/// A page of who is in classes on a day.
pub async fn page_of_members(tx: &mut Tx, within: &Within, after: &After, limit: i64) -> Result<Vec<Member>, StoreError> {
    let text = within!(
        "SELECT e.enrollment, p.class_name, p.state",
        " AND (p.class_name, e.name, e.enrollment) > ($10, $11, $12) ORDER BY p.class_name, e.name, e.enrollment LIMIT $13"
    );
    ask_within!(rows, tx, Member, text, within, &after.0, &after.1, after.2, limit)
}

/// Ids of a page, with the class that each is listed under.
pub async fn page(tx: &mut Tx, filter: &Filter, after: &After, limit: i64) -> Result<Vec<(Uuid, String)>, StoreError> {
    if filter.known.is_some() {
        let text = asked_by!(
            told,
            filter,
            "SELECT e.enrollment, p.class_name",
            " AND (p.class_name, e.name, e.enrollment) > ($14, $15, $16) ORDER BY p.class_name, e.name, e.enrollment LIMIT $17"
        );
        return ask!(rows, tx, (Uuid, String), text, filter, &after.0, &after.1, after.2, limit);
    }
    let text = asked_by!(
        present,
        filter,
        "SELECT e.enrollment, e.class_name",
        " AND $11 > 0 AND (e.class_name, e.name, e.enrollment) > ($14, $15, $16) ORDER BY e.class_name, e.name, e.enrollment LIMIT $17"
    );
    ask!(rows, tx, (Uuid, String), text, filter, &after.0, &after.1, after.2, limit)
}

/// Ids of a page by its number, with the class that each is listed under, in an order by its code: less than 0 the other way round. All that it
/// sorts by stands in the index that lists a school.
pub async fn numbered(tx: &mut Tx, filter: &Filter, order: i32, offset: i64, limit: i64) -> Result<Vec<(Uuid, String)>, StoreError> {
    if filter.known.is_some() {
        let text = asked_by!(
            told,
            filter,
            "SELECT f.enrollment, f.class_name FROM (SELECT e.enrollment, p.class_name, e.name, e.school_number, e.entry_month, p.state AS stands",
            ") AS f ORDER BY CASE $14 WHEN 2 THEN f.name WHEN 3 THEN f.school_number END, CASE $14 WHEN 4 THEN f.entry_month WHEN 5 THEN f.stands END,
               CASE $14 WHEN -1 THEN f.class_name WHEN -2 THEN f.name WHEN -3 THEN f.school_number END DESC,
               CASE $14 WHEN -4 THEN f.entry_month WHEN -5 THEN f.stands END DESC, f.class_name, f.name, f.enrollment LIMIT $15 OFFSET $16"
        );
        return ask!(rows, tx, (Uuid, String), text, filter, order, limit, offset);
    }
    if order == Order::CLASS {
        // The index gives them in this order.
        let text = asked_by!(
            present,
            filter,
            "SELECT e.enrollment, e.class_name",
            " AND $11 > 0 AND $14 = 1 ORDER BY e.class_name, e.name, e.enrollment LIMIT $15 OFFSET $16"
        );
        return ask!(rows, tx, (Uuid, String), text, filter, order, limit, offset);
    }
    let text = asked_by!(
        present,
        filter,
        "SELECT f.enrollment, f.class_name FROM (SELECT e.enrollment, e.class_name, e.name, e.school_number, e.entry_month,
            CASE WHEN e.state_since > $9 THEN coalesce((SELECT now.state FROM periods now WHERE now.enrollment = e.enrollment
                AND now.until_version IS NULL AND now.to_date > $9 ORDER BY now.from_date LIMIT 1), e.state) ELSE e.state END AS stands",
        " AND $11 > 0) AS f ORDER BY CASE $14 WHEN 2 THEN f.name WHEN 3 THEN f.school_number END, CASE $14 WHEN 4 THEN f.entry_month WHEN 5 THEN f.stands END,
           CASE $14 WHEN -1 THEN f.class_name WHEN -2 THEN f.name WHEN -3 THEN f.school_number END DESC,
           CASE $14 WHEN -4 THEN f.entry_month WHEN -5 THEN f.stands END DESC, f.class_name, f.name, f.enrollment LIMIT $15 OFFSET $16"
    );
    ask!(rows, tx, (Uuid, String), text, filter, order, limit, offset)
}

/// What students of a school have: class, major, year of entry.
pub async fn occurring(tx: &mut Tx, school: &str) -> Result<Vec<(String, String, i32)>, StoreError> {
    rows!(tx, (String, String, i32), "SELECT DISTINCT class_name, major, entry_month / 100 FROM enrollments WHERE school = $1", school)
}

/// Enrollments as they stand on a day, in no order.
pub async fn enrollments(tx: &mut Tx, ids: &[Uuid], today: NaiveDate) -> Result<Vec<EnrollmentRow>, StoreError> {
    rows!(
        tx,
        EnrollmentRow,
        sql!(
            "SELECT e.enrollment, e.school, coalesce(now.state, e.state) AS state,
                    CASE WHEN now.state IS NULL THEN e.state_since ELSE coalesce((SELECT max(b.to_date) FROM periods b WHERE b.enrollment = e.enrollment
                        AND b.until_version IS NULL AND b.state <> now.state AND b.to_date <= now.from_date), e.entry_date) END AS state_since,
                    e.state AS last_state, e.state_since AS last_since, e.person, e.id_sealed, e.name, e.sex, e.school_number, e.class_name, e.major,
                    e.entry_month, e.study_form, e.sent_back_reason, e.refusal, e.approved_day, p.registry, p.student_number_sealed, e.etag
             FROM enrollments e LEFT JOIN persons p ON p.person = e.person
             LEFT JOIN periods now ON now.enrollment = e.enrollment AND now.until_version IS NULL AND e.state_since > $2
                AND (now.from_date <= $2 OR now.from_date = e.entry_date) AND now.to_date > $2
             WHERE e.enrollment" in_uuids 1
        ),
        bulk_uuids(ids.iter().copied()),
        today
    )
}

/// The sealed numbers of an enrollment.
#[derive(Debug, sqlx::FromRow)]
pub struct NumbersRow {
    pub id_sealed: Vec<u8>,
    pub person: Option<Uuid>,
    pub student_number_sealed: Option<Vec<u8>>,
}

pub async fn numbers(tx: &mut Tx, school: &str, enrollment: Uuid) -> Result<Option<NumbersRow>, StoreError> {
    one!(
        tx,
        NumbersRow,
        "SELECT e.id_sealed, e.person, p.student_number_sealed FROM enrollments e LEFT JOIN persons p ON p.person = e.person
         WHERE e.school = $1 AND e.enrollment = $2",
        school,
        enrollment
    )
}

//! SQL that counts a region: what is read is of rooms below, what is told is numbers.

use chrono::NaiveDate;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::entry;
use xuezhu_store::{StoreError, Tx, rows};

use super::numbers::{Asked, EntriesRow};

/// A school of the region.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct SchoolRow {
    pub school: String,
    pub name: String,
    pub authority: String,
    pub state: String,
}

/// Schools under departments of a region, by code.
pub async fn schools(tx: &mut Tx, prefix: &str) -> Result<Vec<SchoolRow>, StoreError> {
    rows!(
        tx,
        SchoolRow,
        "SELECT school, name, authority, state FROM mirror_schools
         WHERE generation = (SELECT generation FROM mirror_state) AND substr(authority, 1, length($1)) = $1 ORDER BY school",
        prefix
    )
}

/// Students of each school and day of entry who are there on a day, in school or on leave.
pub async fn students(tx: &mut Tx, prefix: &str, day: NaiveDate) -> Result<Vec<(String, NaiveDate, i64)>, StoreError> {
    rows!(
        tx,
        (String, NaiveDate, i64),
        "SELECT e.school, e.entry_date, count(*) FROM mirror_enrollments e
         JOIN mirror_schools s ON s.school = e.school AND s.generation = e.generation AND substr(s.authority, 1, length($1)) = $1
         JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation AND p.from_date <= $2 AND (p.to_date IS NULL OR p.to_date > $2)
         WHERE e.generation = (SELECT generation FROM mirror_state) AND e.person IS NOT NULL AND (p.state = $3 OR p.state = $4)
         GROUP BY e.school, e.entry_date",
        prefix,
        day,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

/// Entries of a term, by school and state.
pub async fn entries(tx: &mut Tx, prefix: &str, term: &str) -> Result<Vec<(String, i32, i64)>, StoreError> {
    rows!(
        tx,
        (String, i32, i64),
        "SELECT e.school, e.state, count(*) FROM award_entries e
         JOIN mirror_schools s ON s.school = e.school AND s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
         WHERE e.term = $2 AND e.state < 50 GROUP BY e.school, e.state",
        prefix,
        term
    )
}

/// What was approved in a term and stands, in fen, by school: without what corrections took, or another list had already. Units are found by their
/// entries: not by what stands, which is of all terms.
pub async fn standing(tx: &mut Tx, prefix: &str, term: &str) -> Result<Vec<(String, i64)>, StoreError> {
    rows!(
        tx,
        (String, i64),
        "SELECT e.school, CAST(sum(u.fen) AS bigint) FROM award_entries e
         JOIN mirror_schools s ON s.school = e.school AND s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
         JOIN award_units u ON u.entry = e.entry AND u.standing + 0 >= 11 AND u.standing + 0 < 20
         WHERE e.term = $2 AND e.state = $3 GROUP BY e.school",
        prefix,
        term,
        entry::State::Approved.code()
    )
}

/// What waits of lists and corrections, by school, its department, desk and since when it may wait how long.
pub async fn waiting(tx: &mut Tx, prefix: &str) -> Result<Vec<(String, String, String, NaiveDate, i32, i64)>, StoreError> {
    rows!(
        tx,
        (String, String, String, NaiveDate, i32, i64),
        "SELECT d.school, d.authority, d.waits_at, d.since_day, d.working_days, CAST(sum(d.waiting) AS bigint) FROM dossiers d
         JOIN mirror_schools s ON s.school = d.school AND s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
         WHERE d.state < 50 AND d.waiting > 0 GROUP BY d.school, d.authority, d.waits_at, d.since_day, d.working_days",
        prefix
    )
}

/// Flags that nobody closed, by school, rule, state and when they were opened (full days before `$3`, in four groups).
pub async fn flags(tx: &mut Tx, prefix: &str, [ten, thirty, ninety]: [i64; 3]) -> Result<Vec<(String, i32, i32, i32, i64, i64)>, StoreError> {
    rows!(
        tx,
        (String, i32, i32, i32, i64, i64),
        "SELECT f.school, f.rule, f.state, CASE WHEN f.opened_at_us > $2 THEN 0 WHEN f.opened_at_us > $3 THEN 1 WHEN f.opened_at_us > $4 THEN 2 ELSE 3 END,
                count(*), CAST(sum(f.amount_fen) AS bigint)
         FROM flags f
         JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
         WHERE f.state <= 10 GROUP BY 1, 2, 3, 4",
        prefix,
        ten,
        thirty,
        ninety
    )
}

/// Money of units that flags hold, by school and first month.
pub async fn held(tx: &mut Tx, prefix: &str) -> Result<Vec<(String, i32, i64)>, StoreError> {
    rows!(
        tx,
        (String, i32, i64),
        "SELECT h.school, u.first_month, CAST(sum(u.fen) AS bigint)
         FROM (SELECT DISTINCT f.entry, f.school FROM flags f
               JOIN mirror_schools s ON s.school = f.school AND s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
               WHERE f.holds AND f.entry IS NOT NULL AND f.state < 50) AS h
         JOIN award_entries a ON a.entry = h.entry AND a.state < 50
         JOIN award_units u ON u.entry = h.entry AND u.standing < 50
         GROUP BY h.school, u.first_month",
        prefix
    )
}

/// Students who are at the school on a day, in school or on leave, and have an approved entry of a term there that stands, by day of entry and
/// scheme: each once, whichever number the entry was under. Enrollments are found by the person: not by the school, which has a thousand.
pub async fn approved(tx: &mut Tx, prefix: &str, term: &str, day: NaiveDate) -> Result<Vec<(NaiveDate, String, i64)>, StoreError> {
    rows!(
        tx,
        (NaiveDate, String, i64),
        "SELECT m.entry_date, e.scheme, count(DISTINCT m.person) FROM award_entries e
         JOIN mirror_schools s ON s.school = e.school AND s.generation = (SELECT generation FROM mirror_state) AND substr(s.authority, 1, length($1)) = $1
         JOIN mirror_person_keys k ON k.person_key = e.person_key AND k.generation = s.generation
         JOIN mirror_enrollments m ON m.person = k.person AND m.generation = s.generation AND m.school || '' = e.school
         JOIN mirror_periods p ON p.enrollment = m.enrollment AND p.generation = m.generation AND p.from_date <= $4 AND (p.to_date IS NULL OR p.to_date > $4)
            AND (p.state = $5 OR p.state = $6)
         WHERE e.term = $2 AND e.state = $3 AND NOT e.gone GROUP BY m.entry_date, e.scheme",
        prefix,
        term,
        entry::State::Approved.code(),
        day,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

/// Students of a school who are there on a day, by day of entry and state.
pub async fn on_roll(tx: &mut Tx, school: &str, day: NaiveDate) -> Result<Vec<(NaiveDate, i32, i64)>, StoreError> {
    rows!(
        tx,
        (NaiveDate, i32, i64),
        "SELECT e.entry_date, p.state, count(DISTINCT e.person) FROM mirror_enrollments e
         JOIN mirror_periods p ON p.enrollment = e.enrollment AND p.generation = e.generation AND p.from_date <= $2 AND (p.to_date IS NULL OR p.to_date > $2)
         WHERE e.generation = (SELECT generation FROM mirror_state) AND e.school = $1 AND e.person IS NOT NULL AND (p.state = $3 OR p.state = $4)
         GROUP BY e.entry_date, p.state",
        school,
        day,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

/// Entries of a school and term on lists that were submitted, by when the student last entered there, scheme, state and whether a flag holds them.
pub async fn on_lists(tx: &mut Tx, school: &str, term: &str) -> Result<Vec<(Option<NaiveDate>, String, i32, bool, i64)>, StoreError> {
    rows!(
        tx,
        (Option<NaiveDate>, String, i32, bool, i64),
        "SELECT l.entered, l.scheme, l.state, l.held, count(*) FROM (
             SELECT e.scheme, e.state, EXISTS (SELECT 1 FROM flags f WHERE f.entry = e.entry AND f.holds) AS held,
                    (SELECT max(m.entry_date) FROM mirror_person_keys k
                     JOIN mirror_enrollments m ON m.person = k.person AND m.generation = k.generation AND m.school || '' = e.school
                     WHERE k.person_key = e.person_key AND k.generation = (SELECT generation FROM mirror_state)) AS entered
             FROM award_entries e WHERE e.school = $1 AND e.term = $2 AND e.state > 10 AND e.state < 50 AND NOT e.gone) AS l
         GROUP BY l.entered, l.scheme, l.state, l.held",
        school,
        term
    )
}

/// Entries of a term on lists that were submitted, of a school or of a region, by what they have in common. A student is as last seen at the school by
/// the last of the entry's months; what was approved counts with the units that stand.
pub async fn list_entries(tx: &mut Tx, asked: &Asked<'_>) -> Result<Vec<EntriesRow>, StoreError> {
    rows!(
        tx,
        EntriesRow,
        "WITH listed AS (
             SELECT e.entry, e.school, s.authority, e.scheme, e.state, e.person_key, e.first_day, e.last_day, e.name_comparable
             FROM award_entries e JOIN mirror_schools s ON s.school = e.school AND s.generation = (SELECT generation FROM mirror_state)
             WHERE e.term = $3 AND e.state > 10 AND e.state < 50 AND NOT e.gone AND ($1 = '' OR e.school = $1) AND substr(s.authority, 1, length($2)) = $2
               AND ($4 = '' OR e.scheme = $4)),
         placed AS (
             SELECT l.entry, m.entry_date, b.sex, p.major, p.urban_rural, p.household,
                    row_number() OVER (PARTITION BY l.entry ORDER BY CASE WHEN p.from_date <= l.last_day THEN 0 ELSE 1 END, p.from_date DESC, m.enrollment) AS turn
             FROM listed l
             JOIN mirror_person_keys k ON k.person_key = l.person_key AND k.generation = (SELECT generation FROM mirror_state)
             JOIN mirror_persons b ON b.person = k.person AND b.generation = k.generation
             JOIN mirror_enrollments m ON m.person = k.person AND m.generation = k.generation AND m.school || '' = l.school
             JOIN mirror_periods p ON p.enrollment = m.enrollment AND p.generation = m.generation AND (p.state = $5 OR p.state = $6)),
         paid AS (
             SELECT u.entry, count(*) AS units, sum(u.fen) AS fen FROM award_units u JOIN listed l ON l.entry = u.entry
             WHERE u.standing + 0 >= 11 AND u.standing + 0 < 20 GROUP BY u.entry),
         facts AS (
             SELECT l.school, l.authority, l.scheme, l.state, EXISTS (SELECT 1 FROM flags f WHERE f.entry = l.entry AND f.holds) AS held, p.entry_date AS entered,
                    p.sex, p.major, p.urban_rural, p.household,
                    (SELECT NULLIF(d.level, '') FROM determined_levels d WHERE d.person_key = l.person_key AND d.name_comparable = l.name_comparable
                       AND d.from_day <= l.first_day AND d.to_day > l.first_day ORDER BY d.determined_at_us DESC, d.determination DESC LIMIT 1) AS level,
                    coalesce(q.units, 0) AS units, coalesce(q.fen, 0) AS fen
             FROM listed l LEFT JOIN placed p ON p.entry = l.entry AND p.turn = 1 LEFT JOIN paid q ON q.entry = l.entry)
         SELECT school, authority, scheme, state, held, entered, sex, major, urban_rural, household, level, count(*) AS entries,
                CAST(sum(units) AS bigint) AS units, CAST(sum(fen) AS bigint) AS fen
         FROM facts GROUP BY school, authority, scheme, state, held, entered, sex, major, urban_rural, household, level",
        asked.school,
        asked.prefix,
        asked.term,
        asked.scheme,
        PeriodState::InSchool.code(),
        PeriodState::OnLeave.code()
    )
}

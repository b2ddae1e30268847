//! SQL of what a case is made of.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::enrollment::PeriodState;
use xuezhu_judge::{case::Stage, entry::State};
use xuezhu_store::{StoreError, Tx, bulk_uuids, rows, sql};

/// A person and a key that is or was theirs.
#[derive(Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub person: Uuid,
    pub person_key: Uuid,
    pub kind: i32,
    pub end_recorded: Option<NaiveDate>,
    /// What is held against the person, where they have been judged.
    pub subject: Option<Uuid>,
}

/// A person, or a name of one.
#[derive(Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub person: Uuid,
    /// Of a name itself.
    pub name: Option<String>,
    pub name_comparable: Option<String>,
    /// How a name belongs; of a person the sex.
    pub kind: i32,
    /// On which day the end of a name was recorded; of a person the day of birth.
    pub day: Option<NaiveDate>,
    pub registry: i32,
}

#[derive(Debug, sqlx::FromRow)]
pub struct EnrollmentRow {
    pub enrollment: Uuid,
    pub school: String,
    pub stage: i32,
    pub claim_key: Uuid,
    pub claim_name: String,
    pub person: Option<Uuid>,
    pub entry_date: NaiveDate,
    pub approved_day: Option<NaiveDate>,
    pub claimed_day: Option<NaiveDate>,
}

#[derive(Debug, sqlx::FromRow)]
pub struct PeriodRow {
    pub enrollment: Uuid,
    pub from_date: NaiveDate,
    pub to_date: Option<NaiveDate>,
    pub state: i32,
    pub class_name: String,
    pub major: String,
    pub study_form: String,
    pub household: String,
    pub residence: String,
    pub registered_region: String,
    pub urban_rural: String,
    pub special_groups: String,
}

#[derive(Debug, sqlx::FromRow)]
pub struct ClaimRow {
    pub entry: Uuid,
    pub list: Uuid,
    pub school: String,
    pub scheme: String,
    pub term: String,
    pub policy: i32,
    pub person_key: Uuid,
    pub name: String,
    pub name_comparable: String,
    pub sex: Option<i32>,
    pub birth_date: Option<NaiveDate>,
    pub months: String,
    pub month_fen: i64,
    pub amount_fen: i64,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub recorded_day: NaiveDate,
    pub recorded_at_us: i64,
    /// Whether corrections left nothing of it.
    pub gone: bool,
    pub card_key: Option<Uuid>,
    pub card_kind: i32,
    pub card_holder: String,
    /// That it is one too many, as was found when it was last weighed.
    pub excess: Option<String>,
    /// A unit that a correction took: first month, fen. A claim comes once for each of them.
    pub fallen_month: Option<i32>,
    pub fallen_fen: Option<i64>,
}

/// Every bond of the persons who hold or held one of these keys, also those by their other keys.
pub async fn bonds_beside(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<KeyRow>, StoreError> {
    rows!(
        tx,
        KeyRow,
        sql!(
            "SELECT k.person, k.person_key, k.kind, k.end_recorded, (SELECT s.subject FROM person_subjects s WHERE s.person = k.person) AS subject
             FROM mirror_person_keys k WHERE k.generation = $2 AND k.person "
            only(sqlite "IN (SELECT h.person FROM mirror_person_keys h WHERE h.generation = $2 AND h.person_key",
                 postgres "= ANY(ARRAY(SELECT h.person FROM mirror_person_keys h WHERE h.generation = $2 AND h.person_key")
            in_uuids 1 only(sqlite ")", postgres "))") " ORDER BY k.person, k.kind, k.person_key"
        ),
        bulk_uuids(keys.iter().copied()),
        generation
    )
}

/// Bonds by these keys alone.
pub async fn bonds_of_keys(tx: &mut Tx, generation: i64, keys: &[Uuid]) -> Result<Vec<KeyRow>, StoreError> {
    rows!(
        tx,
        KeyRow,
        sql!(
            "SELECT k.person, k.person_key, k.kind, k.end_recorded, (SELECT s.subject FROM person_subjects s WHERE s.person = k.person) AS subject
             FROM mirror_person_keys k WHERE k.generation = $2 AND k.person_key" in_uuids 1 " ORDER BY k.person, k.kind, k.person_key"
        ),
        bulk_uuids(keys.iter().copied()),
        generation
    )
}

/// Persons in the order of their ids, and their names in theirs: of a name what it is of a person, and of a person what they are. Each
/// table by its own index.
pub async fn persons(tx: &mut Tx, generation: i64, persons: &[Uuid]) -> Result<Vec<PersonRow>, StoreError> {
    rows!(
        tx,
        PersonRow,
        sql!(
            "SELECT person, CAST(NULL AS text) AS name, CAST(NULL AS text) AS name_comparable, sex AS kind, birth_date AS day, registry, -1 AS ordinal
             FROM mirror_persons WHERE generation = $2 AND person" in_uuids 1
            " UNION ALL SELECT person, name, name_comparable, kind, end_recorded, 0, ordinal FROM mirror_person_names WHERE generation = $2 AND person" in_uuids 1
            " ORDER BY person, ordinal"
        ),
        bulk_uuids(persons.iter().copied()),
        generation
    )
}

pub async fn enrollments(tx: &mut Tx, generation: i64, persons: &[Uuid], keys: &[Uuid]) -> Result<Vec<EnrollmentRow>, StoreError> {
    rows!(
        tx,
        EnrollmentRow,
        sql!(
            "SELECT enrollment, school, stage, claim_key, claim_name, person, entry_date, approved_day, claimed_day FROM mirror_enrollments
             WHERE generation = $3 AND person" in_uuids 1
            " UNION SELECT enrollment, school, stage, claim_key, claim_name, person, entry_date, approved_day, claimed_day FROM mirror_enrollments
             WHERE generation = $3 AND claim_key" in_uuids 2
        ),
        bulk_uuids(persons.iter().copied()),
        bulk_uuids(keys.iter().copied()),
        generation
    )
}

pub async fn periods(tx: &mut Tx, generation: i64, enrollments: &[Uuid]) -> Result<Vec<PeriodRow>, StoreError> {
    rows!(
        tx,
        PeriodRow,
        sql!(
            "SELECT enrollment, from_date, to_date, state, class_name, major, study_form, household, residence, registered_region, urban_rural, special_groups
             FROM mirror_periods
             WHERE generation = $2 AND enrollment" in_uuids 1 " ORDER BY enrollment, ordinal"
        ),
        bulk_uuids(enrollments.iter().copied()),
        generation
    )
}

/// Claims in the order of their ids.
pub async fn claims(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<ClaimRow>, StoreError> {
    rows!(
        tx,
        ClaimRow,
        sql!(
            "SELECT a.entry, a.list, a.school, a.scheme, a.term, a.policy, a.person_key, a.name, a.name_comparable, a.sex, a.birth_date, a.months, a.month_fen, a.amount_fen, a.state,
                    a.recorded_day, a.recorded_at_us, a.gone, a.card_key, a.card_kind, a.card_holder, x.excess, u.first_month AS fallen_month, u.fen AS fallen_fen
             FROM award_entries a LEFT JOIN quota_excess x ON x.entry = a.entry LEFT JOIN award_units u ON u.entry = a.entry AND u.standing >= 60
             WHERE a.state < 50 AND a.person_key" in_uuids 1 " ORDER BY a.entry"
        ),
        bulk_uuids(keys.iter().copied())
    )
}

/// Who names which card, of those who claim: whoever was sent back claims nothing.
pub async fn of_cards(tx: &mut Tx, cards: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
    rows!(
        tx,
        (Uuid, Uuid),
        sql!(
            "SELECT DISTINCT card_key, person_key FROM award_entries
             WHERE card_key IS NOT NULL AND state < 50 AND state <> $2 AND NOT gone AND card_key" in_uuids 1
        ),
        bulk_uuids(cards.iter().copied()),
        State::SentBack.code()
    )
}

/// What is known of somebody besides what the source says: a 困难等级 that was determined, or what they signed.
#[derive(Debug, sqlx::FromRow)]
pub struct KnownRow {
    pub person_key: Uuid,
    pub name_comparable: String,
    pub recorded_day: NaiveDate,
    pub level: Option<String>,
    pub from_day: Option<NaiveDate>,
    pub to_day: Option<NaiveDate>,
    pub school: Option<String>,
    pub scheme: Option<String>,
    pub term: Option<String>,
    pub kind: Option<i32>,
}

/// Levels that were determined and statements that stand, in the order in which they were.
pub async fn known(tx: &mut Tx, keys: &[Uuid]) -> Result<Vec<KnownRow>, StoreError> {
    rows!(
        tx,
        KnownRow,
        sql!(
            "SELECT person_key, name_comparable, recorded_day, level, from_day, to_day, CAST(NULL AS text) AS school, CAST(NULL AS text) AS scheme,
                    CAST(NULL AS text) AS term, CAST(NULL AS integer) AS kind, determined_at_us AS at_us, determination AS id
             FROM determined_levels WHERE person_key" in_uuids 1
            " UNION ALL SELECT person_key, name_comparable, recorded_day, CAST(NULL AS text), CAST(NULL AS date), CAST(NULL AS date), school, scheme, term, kind,
                               recorded_at_us, statement
             FROM standing_statements WHERE person_key" in_uuids 1 " ORDER BY at_us, id"
        ),
        bulk_uuids(keys.iter().copied())
    )
}

/// Keys that are or were a person's.
pub async fn keys_of_person(tx: &mut Tx, generation: i64, person: Uuid) -> Result<Vec<Uuid>, StoreError> {
    let keys = rows!(tx, (Uuid,), "SELECT person_key FROM mirror_person_keys WHERE generation = $1 AND person = $2", generation, person)?;
    Ok(keys.into_iter().map(|(key,)| key).collect())
}

/// Who was at a school in some days, in school or on leave, by the mirror.
#[derive(Debug, Clone, Copy)]
pub struct Attending<'s> {
    pub generation: i64,
    pub school: &'s str,
    /// From the first of these days until before the last.
    pub within: [NaiveDate; 2],
}

/// The keys of whoever attends and of whom `$which` holds, which speaks of the enrollment `e`.
macro_rules! keys {
    ($tx:ident, $attending:ident, [$($which:tt)*] $(, $value:expr)*) => {{
        let keys = rows!(
            $tx,
            (Uuid,),
            sql!(
                "SELECT DISTINCT k.person_key FROM mirror_enrollments e JOIN mirror_person_keys k ON k.generation = e.generation AND k.person = e.person
                 WHERE e.generation = $1 AND e.school = $2 AND e.stage = $3" $($which)*
                " AND EXISTS (SELECT 1 FROM mirror_periods p WHERE p.enrollment = e.enrollment AND p.generation = e.generation
                       AND p.state IN ($4, $5) AND p.from_date < $7 AND (p.to_date IS NULL OR p.to_date > $6))"
            ),
            $attending.generation,
            $attending.school,
            Stage::Approved.code(),
            PeriodState::InSchool.code(),
            PeriodState::OnLeave.code(),
            $attending.within[0],
            $attending.within[1]
            $(, $value)*
        )?;
        Ok(keys.into_iter().map(|(key,)| key).collect())
    }};
}

/// Keys of all who attend.
pub async fn keys_at_school(tx: &mut Tx, attending: Attending<'_>) -> Result<Vec<Uuid>, StoreError> {
    keys!(tx, attending, [])
}

/// Keys of those who are or were in school in a class.
pub async fn keys_of_class(tx: &mut Tx, attending: Attending<'_>, class_name: &str) -> Result<Vec<Uuid>, StoreError> {
    keys!(
        tx,
        attending,
        [
            " AND EXISTS (SELECT 1 FROM mirror_periods c WHERE c.enrollment = e.enrollment AND c.generation = e.generation AND c.state = $4 AND c.class_name = $8)"
        ],
        class_name
    )
}

/// Keys of some of them.
pub async fn keys_of_persons(tx: &mut Tx, attending: Attending<'_>, persons: impl IntoIterator<Item = Uuid>) -> Result<Vec<Uuid>, StoreError> {
    keys!(tx, attending, [" AND e.person" in_uuids 8], bulk_uuids(persons))
}

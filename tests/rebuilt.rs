//! A source that lost its past and was made anew.

use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use uuid::Uuid;
use xuezhu::deployment::system_clock;
use xuezhu_domain::{IdNumber, identity::NumberClass};
use xuezhu_enrollment::sharing;
use xuezhu_service::{Actor, Context, Ids, Keyring};
use xuezhu_store::{Db, Tx, one, rows, run, sql};

/// Makes the source anew, as from paper: persons and enrollments under other ids, in another history. With `losses`, half
/// of the numbers that were given up are forgotten, or are the present ones again where the paper is older than the
/// correction, and maybe one student with all that was known.
pub async fn rebuild(source: &Db, keyring: &Keyring, random: &mut StdRng, losses: bool) {
    let mut tx = source.begin().await.expect("begins");
    run!(&mut tx, sql!(only(sqlite "PRAGMA defer_foreign_keys = ON", postgres "SET LOCAL session_replication_role = replica"))).expect("checks come last");
    let former = rows!(&mut tx, (Uuid, Uuid), "SELECT person, person_key FROM person_keys WHERE kind <> 1 ORDER BY person_key, kind").expect("keys");
    for (person, key) in former {
        if losses && random.random_bool(0.25) && go_back(&mut tx, keyring, person, key).await {
            continue;
        }
        if losses && random.random_bool(0.5) {
            run!(&mut tx, "DELETE FROM person_keys WHERE person = $1 AND person_key = $2", person, key).expect("is forgotten");
        }
    }
    let persons = rows!(&mut tx, (Uuid,), "SELECT person FROM person_keys WHERE kind = 1 ORDER BY person_key").expect("persons");
    if losses
        && random.random_bool(0.5)
        && let Some((lost,)) = persons.choose(random)
    {
        lose(&mut tx, *lost).await;
    }
    for (old,) in persons {
        let new = Uuid::from_u128(random.random());
        run!(&mut tx, "UPDATE persons SET person = $2 WHERE person = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE person_keys SET person = $2 WHERE person = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE person_names SET person = $2 WHERE person = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE places SET person = $2 WHERE person = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE enrollments SET person = $2 WHERE person = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE identity_corrections SET person = $2 WHERE person = $1", old, new).expect("is another");
        seal_person(&mut tx, keyring, old, new).await;
    }
    for (old,) in rows!(&mut tx, (Uuid,), "SELECT enrollment FROM enrollments ORDER BY school, claim_key, entry_date, state, enrollment").expect("enrollments")
    {
        let new = Uuid::from_u128(random.random());
        run!(&mut tx, "UPDATE enrollments SET enrollment = $2 WHERE enrollment = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE periods SET enrollment = $2 WHERE enrollment = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE places SET enrollment = $2 WHERE enrollment = $1", old, new).expect("is another");
        run!(&mut tx, "UPDATE identity_corrections SET enrollment = $2 WHERE enrollment = $1", old, new).expect("is another");
        seal_enrollment(&mut tx, keyring, old, new).await;
    }
    // Paper says what stands, and nothing of when that was known: it is all told in the first version.
    run!(&mut tx, "DELETE FROM periods WHERE until_version IS NOT NULL").expect("what was replaced is forgotten");
    run!(&mut tx, "UPDATE periods SET version = 1").expect("is told first");
    run!(&mut tx, "DELETE FROM shared_records WHERE kind NOT IN (10, 13)").expect("what was shared is forgotten");
    run!(&mut tx, "UPDATE feed_sequencer SET history = $1", Uuid::from_u128(random.random())).expect("another history");
    let ctx = Context::new(Actor::system(), &system_clock(), &Ids::random());
    let ids = rows!(&mut tx, (Uuid,), "SELECT person FROM persons").expect("persons");
    sharing::share_persons(&ctx, &mut tx, &ids.into_iter().map(|(id,)| id).collect::<Vec<_>>()).await.expect("are shared");
    let ids = rows!(&mut tx, (Uuid,), "SELECT enrollment FROM enrollments WHERE state <> 1").expect("enrollments");
    sharing::share_enrollments(&ctx, &mut tx, &ids.into_iter().map(|(id,)| id).collect::<Vec<_>>()).await.expect("are shared");
    tx.commit().await.expect("commits");
}

/// The paper is older than a correction: the number that was given up is the present one, if nobody else has it.
async fn go_back(tx: &mut Tx, keyring: &Keyring, person: Uuid, key: Uuid) -> bool {
    let held = rows!(&mut *tx, (Uuid,), "SELECT person FROM person_keys WHERE person_key = $1 AND kind = 1", key).expect("keys");
    let claimed = rows!(
        &mut *tx,
        (Uuid,),
        "SELECT other.enrollment FROM enrollments other WHERE other.claim_key = $1 AND (other.person IS NULL OR other.person <> $2)",
        key,
        person
    );
    if !held.is_empty() || !claimed.expect("claims").is_empty() {
        return false;
    }
    run!(&mut *tx, "DELETE FROM person_keys WHERE person = $1 AND kind = 1", person).expect("was not known yet");
    run!(&mut *tx, "UPDATE person_keys SET kind = 1, end_recorded = NULL WHERE person = $1 AND person_key = $2", person, key).expect("is present");
    let sealed = one!(&mut *tx, (Vec<u8>,), "SELECT id_sealed FROM person_keys WHERE person = $1 AND person_key = $2", person, key);
    let (sealed,) = sealed.expect("a key").expect("is there");
    let number = IdNumber::stored(NumberClass::Resident, keyring.open_text("id", &[person, key], &sealed).expect("opens"));
    let (sex, birth) = (number.sex().expect("a resident's number says so").code(), number.birth_date().expect("that too"));
    run!(&mut *tx, "UPDATE persons SET sex = $2, birth_date = $3 WHERE person = $1", person, sex, birth).expect("is who the number says");
    run!(&mut *tx, "UPDATE enrollments SET claim_key = $2, sex = $3, birth_date = $4 WHERE person = $1", person, key, sex, birth).expect("is claimed");
    true
}

/// What is sealed is bound to its row: under another id it is sealed anew.
async fn seal_person(tx: &mut Tx, keyring: &Keyring, old: Uuid, new: Uuid) {
    let again = |purpose: &str, old: &[Uuid], new: &[Uuid], sealed: &[u8]| keyring.seal(purpose, new, &keyring.open(purpose, old, sealed).expect("opens"));
    let person = one!(&mut *tx, (Vec<u8>,), "SELECT student_number_sealed FROM persons WHERE person = $1", new).expect("a person");
    // Who was lost meanwhile has nothing to seal.
    let Some((sealed,)) = person else { return };
    let sealed = again("student_number", &[old], &[new], &sealed);
    run!(&mut *tx, "UPDATE persons SET student_number_sealed = $2 WHERE person = $1", new, sealed).expect("is sealed");
    for (key, sealed) in rows!(&mut *tx, (Uuid, Vec<u8>), "SELECT person_key, id_sealed FROM person_keys WHERE person = $1", new).expect("keys") {
        let sealed = again("id", &[old, key], &[new, key], &sealed);
        run!(&mut *tx, "UPDATE person_keys SET id_sealed = $3 WHERE person = $1 AND person_key = $2", new, key, sealed).expect("is sealed");
    }
}

async fn seal_enrollment(tx: &mut Tx, keyring: &Keyring, old: Uuid, new: Uuid) {
    let kept = one!(&mut *tx, (Vec<u8>, Vec<u8>), "SELECT id_sealed, details_sealed FROM enrollments WHERE enrollment = $1", new);
    let (id, details) = kept.expect("an enrollment").expect("is there");
    let again = |purpose: &str, sealed: &[u8]| keyring.seal(purpose, &[new], &keyring.open(purpose, &[old], sealed).expect("opens"));
    let (id, details) = (again("id", &id), again("details", &details));
    run!(&mut *tx, "UPDATE enrollments SET id_sealed = $2, details_sealed = $3 WHERE enrollment = $1", new, id, details).expect("is sealed");
}

async fn lose(tx: &mut Tx, person: Uuid) {
    run!(&mut *tx, "DELETE FROM places WHERE person = $1", person).expect("is lost");
    run!(&mut *tx, "DELETE FROM identity_corrections WHERE person = $1", person).expect("is lost");
    run!(&mut *tx, "DELETE FROM periods WHERE enrollment IN (SELECT enrollment FROM enrollments WHERE person = $1)", person).expect("is lost");
    run!(&mut *tx, "DELETE FROM enrollments WHERE person = $1", person).expect("is lost");
    run!(&mut *tx, "DELETE FROM person_names WHERE person = $1", person).expect("is lost");
    run!(&mut *tx, "DELETE FROM person_keys WHERE person = $1", person).expect("is lost");
    run!(&mut *tx, "DELETE FROM persons WHERE person = $1", person).expect("is lost");
}

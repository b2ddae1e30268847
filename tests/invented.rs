//! What no version says, said by a source.

use prost::Message;
use uuid::Uuid;
use xuezhu::deployment::system_clock;
use xuezhu_bridge::{Shared, publish};
use xuezhu_proto::bridge::{Record, record::Body};
use xuezhu_service::{Actor, Context, Error, Ids};
use xuezhu_store::{Db, one, run};

/// A kind of record that no version has.
const INVENTED_KIND: i32 = 77;
/// A state of a period that no version has.
const INVENTED_STATE: i32 = 99;

/// The source says of a student's last period what nobody knows, and of something of a kind that nobody knows.
pub async fn say_what_nobody_knows(enrollment: &Db, name: &str) {
    enrollment
        .write(&name.to_owned(), |tx, name| {
            Box::pin(async move {
                let (id, scope, body) = one!(
                    &mut *tx,
                    (Uuid, String, Vec<u8>),
                    "SELECT s.record, s.scope, s.body FROM shared_records s JOIN enrollments e ON e.enrollment = s.record WHERE s.kind = 12 AND e.name = $1",
                    name
                )?
                .expect("is shared");
                let mut record = Record::decode(&body[..]).expect("decodes");
                let Some(Body::Enrollment(told)) = &mut record.body else { panic!("an enrollment") };
                told.periods.last_mut().expect("a period").state = INVENTED_STATE;
                let ctx = Context::new(Actor::system(), &system_clock(), &Ids::random());
                publish(&ctx, tx, &[Shared { id, scope: scope.clone(), body: record.body.expect("a body") }]).await?;
                // Field 200 of a record: a body that no version has.
                let (change, invented, body) = (Uuid::from_u128(1), Uuid::from_u128(2), [0xc2, 0x0c, 0x00].as_slice());
                run!(
                    &mut *tx,
                    "INSERT INTO change_log (change, kind, record, version, scope_before, scope, body, at_us) VALUES ($1, $2, $3, 1, '', $4, $5, $6)",
                    change,
                    INVENTED_KIND,
                    invented,
                    &scope,
                    body,
                    ctx.now_us()
                )?;
                run!(
                    tx,
                    "INSERT INTO shared_records (kind, record, version, scope, body, at_us) VALUES ($1, $2, 1, $3, $4, $5)",
                    INVENTED_KIND,
                    invented,
                    &scope,
                    body,
                    ctx.now_us()
                )?;
                Ok::<_, Error>(())
            })
        })
        .await
        .expect("is said");
}

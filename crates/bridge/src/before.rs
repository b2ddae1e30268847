//! What was shared before numbers in the names of classes were refused, without them: as it is held, and as it was logged. What a
//! mirror holds of it changes in the same way, and so needs no new version.

use prost::Message;
use xuezhu_domain::text::{holds_long_number, mask_long_numbers};
use xuezhu_proto::bridge::{self as pb, record::Body};
use xuezhu_service::{Error, Keyring, conversion::after_id};
use xuezhu_store::{StoreError, Tx, TxFuture};

use crate::{log::Kind, store};

/// Records that one transaction looks at.
const ROWS: i64 = 500;

/// Records as they are held.
pub fn shared<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::bodies_after(tx, Kind::Enrollment as i32, after_id(after)?, ROWS).await?;
        for (record, body) in &rows {
            if let Some(body) = without_numbers(body)? {
                store::set_body(tx, Kind::Enrollment as i32, *record, &body).await?;
            }
        }
        Ok(rows.last().map(|(record, _)| record.to_string()))
    })
}

/// Changes as they were logged.
pub fn logged<'t>(_: &'t Keyring, tx: &'t mut Tx, after: &'t str) -> TxFuture<'t, Option<String>, Error> {
    Box::pin(async move {
        let rows = store::logged_after(tx, after_id(after)?, ROWS).await?;
        for (change, body) in &rows {
            if let Some(body) = without_numbers(body)? {
                store::set_logged(tx, *change, &body).await?;
            }
        }
        Ok(rows.last().map(|(change, _)| change.to_string()))
    })
}

/// The record without numbers in the names of its classes; none where there are none.
fn without_numbers(body: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let mut record = pb::Record::decode(body).map_err(|_| StoreError::Corrupt("a shared record"))?;
    let Some(Body::Enrollment(enrollment)) = &mut record.body else { return Ok(None) };
    let mut changed = false;
    for period in enrollment.periods.iter_mut().filter(|period| holds_long_number(&period.class_name)) {
        period.class_name = mask_long_numbers(&period.class_name);
        changed = true;
    }
    Ok(changed.then(|| record.encode_to_vec()))
}

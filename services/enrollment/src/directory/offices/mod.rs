//! Whom to call: the telephones of departments, kept here, and of schools, kept with them. An office's, and nobody's own.

mod store;

use xuezhu_domain::region;
use xuezhu_proto::enrollment as pb;
use xuezhu_service::{Context, Error, Permission, Place, Refusal};
use xuezhu_store::Tx;

use self::store::OfficeRow;
use super::schools;

/// Organisations that one call may ask for.
pub const ASKED_AT_ONCE: usize = 200;

/// Says whom to call at a region's department; an empty telephone says it no more.
pub async fn set(ctx: &Context, tx: &mut Tx, region: &str, telephone: &str) -> Result<pb::Contact, Error> {
    ctx.may(Permission::ManageDirectory, &Place::Region(region))?;
    if telephone.is_empty() {
        store::delete(tx, region).await?;
    } else {
        store::set(ctx, tx, region, telephone).await?;
    }
    Ok(pb::Contact {
        organisation: region.to_owned(),
        telephone: telephone.to_owned(),
        name: region::full_name(region),
        set_by: ctx.actor.display_name.clone(),
    })
}

/// Whom to call at these organisations, as far as something is known; where none is named, at every department of the caller's region.
/// Schools that the caller may not see are left out.
pub async fn contacts(ctx: &Context, tx: &mut Tx, organisations: &[String]) -> Result<Vec<pb::Contact>, Error> {
    if organisations.len() > ASKED_AT_ONCE {
        return Err(Refusal::field("organisations", format!("一次不能超过{ASKED_AT_ONCE}个")).into());
    }
    let contact =
        |row: OfficeRow| pb::Contact { name: region::full_name(&row.region), organisation: row.region, telephone: row.telephone, set_by: row.set_by_name };
    let own = ctx.actor.organisation.as_str();
    if organisations.is_empty() {
        ctx.may(Permission::ManageDirectory, &Place::Region(own))?;
        return Ok(store::below(tx, region::prefix_or_all(own)).await?.into_iter().map(contact).collect());
    }
    if ctx.actor.role.is_of_school() {
        schools::school_for(ctx, tx, own, Permission::ReadDirectory).await?;
    } else {
        ctx.may(Permission::ReadDirectory, &Place::Region(own))?;
    }
    // Who registered it is told to those who keep it.
    let found = store::of(tx, organisations).await?.into_iter();
    let mut contacts: Vec<pb::Contact> = found.map(|row| pb::Contact { set_by: String::new(), ..contact(row) }).collect();
    for (code, school) in schools::of_codes(tx, organisations.iter().map(String::as_str)).await? {
        if !school.telephone.is_empty() && ctx.may(Permission::ReadDirectory, &school.place()).is_ok() {
            contacts.push(pb::Contact { organisation: code, telephone: school.telephone, name: school.name, set_by: String::new() });
        }
    }
    contacts.sort_by(|a, b| a.organisation.cmp(&b.organisation));
    Ok(contacts)
}

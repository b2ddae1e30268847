//! Classes of a school, of one year of entry and one major each: open while anybody is in them. They follow from who studies where;
//! what hangs on a class hangs on its id.

mod store;

use uuid::Uuid;
use xuezhu_service::{Context, Error};
use xuezhu_store::{Hex, Tx};

// What other capabilities may ask.
pub use self::store::ClassRow;
pub(crate) use self::store::of_school;

/// Opens the classes in which students are now, where they were not open.
pub(super) async fn open(ctx: &Context, tx: &mut Tx, enrollments: impl Iterator<Item = Uuid>) -> Result<(), Error> {
    let rows: Vec<store::Within> = enrollments.map(|enrollment| store::Within { enrollment: Hex(enrollment), class: Hex(ctx.new_id()) }).collect();
    if !rows.is_empty() {
        store::open(tx, &rows).await?;
    }
    Ok(())
}

/// Closes the classes in which students were, where nobody is any more.
pub(super) async fn close(tx: &mut Tx, enrollments: &[Uuid]) -> Result<(), Error> {
    if enrollments.is_empty() {
        return Ok(());
    }
    // Decided is on what is read once nobody can enter beside this.
    let named = store::lock_named(tx, enrollments).await?;
    if !named.is_empty() {
        store::close(tx, &named).await?;
    }
    Ok(())
}

/// Opens, then closes, all classes of a school from the stories that stand: for a database of before.
pub(crate) async fn of_before(tx: &mut Tx, school: &str, id: impl Fn(&str) -> Uuid) -> Result<(), Error> {
    let class = |(name, entry_year, major): (String, i32, String)| {
        let class = Hex(id(&format!("{entry_year} {major} {name}")));
        store::Named { class, name, entry_year, major }
    };
    let classes: Vec<store::Named> = store::named_in(tx, school).await?.into_iter().map(class).collect();
    Ok(store::open_named(tx, school, &classes).await?)
}

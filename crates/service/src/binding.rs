//! Records that are bound to what acts write of them: those of before, once.

use xuezhu_audit::written::{Key, Kind, before};

use crate::{conversion, refusal::Error, runner::Runner};

impl Runner {
    /// Binds records of before, each kind once, in chunks, as they stand: with a line of the audit that says so. Before anything else is done.
    pub async fn bind_of_before(&self, kinds: &[&'static Kind]) -> Result<(), Error> {
        for kind in kinds {
            let ctx = self.system_context();
            loop {
                let with = (self, &ctx, *kind);
                let is_done = self.db().write(&with, |tx, (runner, ctx, kind)| {
                    Box::pin(async move {
                        let name = format!("rows {}", kind.code);
                        let Some(after) = conversion::come_to(tx, &name).await? else { return Ok(true) };
                        let after = Key::parse(&after)?;
                        let (parts, last) = before::believed(tx, ctx.rows()?, kind, after.as_ref()).await?;
                        if !parts.is_empty() {
                            runner.record_believed(ctx, tx, before::METHOD, kind.name, &parts).await?;
                        }
                        if last.is_none() {
                            runner.record_believed(ctx, tx, before::ENDED, kind.name, &[]).await?;
                        }
                        let last = last.map(|key| key.stored());
                        conversion::note(tx, &name, last.as_deref()).await?;
                        Ok::<_, Error>(last.is_none())
                    })
                });
                if is_done.await? {
                    break;
                }
                tracing::info!(kind = kind.name, "records are bound to what is written of them; this is done once");
            }
        }
        Ok(())
    }
}

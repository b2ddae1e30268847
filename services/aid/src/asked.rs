//! What many requests ask for alike, and what holds where they leave it out.

use xuezhu_domain::{Term, region::RegionCode};
use xuezhu_service::{Context, FieldErrors};

/// The term that is asked for; the present one where none is named.
pub fn term(ctx: &Context, text: &str, errors: &mut FieldErrors) -> Option<Term> {
    match text.trim() {
        "" => Some(Term::of(ctx.today())),
        term => errors.parse("term", term),
    }
}

/// The region that is asked for; the caller's own where none is named.
pub fn region(ctx: &Context, text: &str, errors: &mut FieldErrors) -> Option<String> {
    match text.trim() {
        "" => Some(ctx.actor.organisation.clone()),
        code => errors.parse::<RegionCode>("region", code).map(|code| code.as_str().to_owned()),
    }
}

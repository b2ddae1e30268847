//! Registration as a kind of dossier: rows of new students, each of which gets its person, its place and its 学籍号.

use std::collections::{HashMap, HashSet};

use chrono::Days;
use uuid::Uuid;
use xuezhu_domain::Term;
use xuezhu_review::{About, Compared, Dossier, Item, Kind, Moved, Present, Refused, Work, way::Seat};
use xuezhu_service::{Context, Error, Permission, Reason};
use xuezhu_store::{Hex, Tx};

use super::{
    rules::{self, Decision, Holder},
    store,
};
use crate::{
    Parts, directory,
    identity_check::registry::Asked,
    roll::{
        self, Claim, drafts,
        persons::{self, Entrant},
        places::{self, Placing, Who},
        sheet::{self, Line},
    },
};

/// What it is.
pub static ABOUT: About = About {
    code: 1,
    word: "REGISTRATION",
    name: "新生学籍注册",
    columns: &["性别", "班级", "专业", "入学年月", "学习形式"],
    chain: "PRINCIPAL, AUTHORITY",
    floor: "PRINCIPAL, AUTHORITY",
    items: "enrollments",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// The registration of new students.
#[derive(Debug)]
pub struct Registration<'p> {
    /// What writing needs.
    pub parts: &'p Parts,
}

impl Kind for Registration<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn present<'t>(&'t self, tx: &'t mut Tx, _: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Present>> {
        Box::pin(sheet::present(tx, items))
    }

    fn moved<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid], moved: Moved<'t>) -> Work<'t, ()> {
        Box::pin(async move {
            match moved {
                // What other desks sign changes nothing for the row: it waits for the one that decides last.
                Moved::Signed { .. } if matches!(dossier.seat(), Some(Seat::Principal(_))) => drafts::attested(tx, dossier.dossier).await,
                Moved::Signed { .. } => Ok(()),
                Moved::SentBack { reason } | Moved::Refused { reason } => drafts::sent_back(ctx, tx, items, reason).await,
                Moved::Recalled => drafts::recalled(ctx, tx, items).await,
            }
        })
    }

    fn perform<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, dossier: &'t Dossier, items: &'t [Uuid]) -> Work<'t, Vec<Refused>> {
        Box::pin(async move {
            let school = directory::school(tx, &dossier.school).await?;
            let claims = store::claims(tx, items).await?;
            let approval = Approval::decide(tx, self.parts, &school.code, &claims).await?;
            approval.write(ctx, tx, self.parts, &school.region).await
        })
    }

    /// Who was in the same class on the last day of the term before the one in which it was submitted.
    fn compared<'t>(&'t self, tx: &'t mut Tx, dossier: &'t Dossier) -> Work<'t, Option<Compared>> {
        Box::pin(async move {
            let day = Term::of(dossier.submitted_day).first_day() - Days::new(1);
            let counts = store::on_roll_by_class(tx, &dossier.school, day, dossier.dossier).await?.into_iter().collect();
            Ok(Some(Compared { with: format!("上学期末（{day}）在籍"), counts }))
        })
    }
}

/// A row as it stands on the sheet.
pub fn item(line: Line) -> Item {
    let cells = vec![line.sex(), line.class_name.clone(), line.major(), line.entry_month.to_string(), line.study_form.clone()];
    line.item(cells)
}

/// What an approval does, row by row.
struct Approval<'c> {
    placings: Vec<Placing<'c>>,
    refused: Vec<Refused>,
}

impl<'c> Approval<'c> {
    async fn decide(tx: &mut Tx, parts: &Parts, school: &str, claims: &'c [Claim]) -> Result<Self, Error> {
        // Decided is on what is read once whoever holds these keys can't be corrected beside this.
        let found = persons::holders(tx, claims.iter().map(|row| row.key)).await?;
        persons::lock_all(tx, found.iter().map(|row| row.person)).await?;
        let holders = persons::holders(tx, claims.iter().map(|row| row.key)).await?;
        let held: HashMap<Uuid, Holder> = holders
            .iter()
            .map(|row| (row.person_key, Holder { person: row.person, name: row.name.clone(), placed: row.placed, last_end: row.last_end }))
            .collect();
        let present: HashMap<Uuid, Uuid> = holders.iter().map(|row| (row.person, row.present_key)).collect();
        let live: HashSet<Uuid> = persons::live_keys(tx, school, present.values().copied()).await?.into_iter().collect();
        let mut approval = Self { placings: Vec::new(), refused: Vec::new() };
        let mut entering = HashSet::new();
        for claim in claims {
            let refusal = |reason: Reason| Refused { item: claim.enrollment, reason: reason.as_str_name() };
            match rules::decide(&claim.name, claim.entry_date, held.get(&claim.key)) {
                // Two rows of one person: that under the present number counts, of several under former ones the first.
                Decision::Again { person, .. }
                    if present.get(&person).is_some_and(|key| *key != claim.key && live.contains(key)) || !entering.insert(person) =>
                {
                    approval.refused.push(refusal(Reason::DuplicateRow));
                }
                Decision::NewPerson => {
                    let asked = Asked { number: claim.number(parts)?, name: claim.name_comparable.clone() };
                    let who = Who::New(Entrant { registry: parts.registry.ask(&asked) });
                    approval.placings.push(Placing { claim, who, entry: claim.entry_date });
                }
                Decision::Again { person, entry } => approval.placings.push(Placing { claim, who: Who::Known(person), entry }),
                Decision::Refused(reason) => approval.refused.push(refusal(reason)),
            }
        }
        Ok(approval)
    }

    /// Gives the places; returns the rows that got none. What is held against a row stands with the student too.
    async fn write(self, ctx: &Context, tx: &mut Tx, parts: &Parts, region: &str) -> Result<Vec<Refused>, Error> {
        places::place(ctx, tx, parts, region, self.placings).await?;
        if !self.refused.is_empty() {
            let noted = self.refused.iter().map(|row| roll::drafts::Refused { enrollment: Hex(row.item), refusal: row.reason });
            drafts::note_refused(tx, &noted.collect::<Vec<_>>()).await?;
        }
        Ok(self.refused)
    }
}

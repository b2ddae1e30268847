//! The workbook: what a file of students is ([`Students`]), whom its rows mean, and what becomes of their records. How a file is taken in,
//! told, previewed, written, marked and taken back is [`xuezhu_intake`].
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | the kind: columns, a row, what is written |
//! | [`rules`] | what each column may hold, and what a row must be |
//! | [`place`] | whom a row means, and what it does to what is there |
//! | [`taken_out`] | which columns leave when students are taken out |
//! | [`undo`] | what it did, taken back |

pub mod api;
pub mod place;
pub mod rules;
pub mod taken_out;
pub mod undo;

use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_domain::codes::Major;
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, Kind, Of, Options, Placed, Read, Sheet, Work};
use xuezhu_service::{Context, Permission};
use xuezhu_store::Tx;
use xuezhu_workbook::{Row, Table};

use crate::{
    Parts, directory,
    roll::{self, drafts::Draft},
};
pub use rules::{Parsed, SchoolRules};

/// A school's students, as a file.
#[derive(Debug, Clone)]
pub struct Students {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// The school.
    pub school: String,
}

/// What a school's rows are checked against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    majors: Vec<&'static Major>,
    today: NaiveDate,
}

/// A row with what it is found by.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// Key of its number.
    pub key: Uuid,
    /// Hash of its content.
    pub content: [u8; 32],
    /// What it says.
    pub row: Parsed,
}

impl Keyed {
    fn new(parts: &Parts, row: Parsed) -> Self {
        Self { key: parts.keyring.person_key(&row.id).0, content: parts.keyring.content_hash(row.content().as_bytes()), row }
    }

    /// As it is entered.
    fn draft(&self) -> Draft<'_> {
        let row = &self.row;
        Draft {
            key: self.key,
            content_hash: &self.content,
            content: row.content(),
            document: row.document,
            id: &row.id,
            name: &row.name,
            sex: row.sex,
            birth_date: row.birth_date,
            school_number: &row.school_number,
            class_name: &row.class_name,
            major: row.major.key(),
            entry_month: row.entry_month,
            study_form: &row.study_form,
            student_category: &row.student_category,
            household: &row.household,
            residence: &row.residence,
            registered_region: &row.registered_region,
            urban_rural: &row.urban_rural,
            special_groups: &row.special_groups,
            phone: &row.phone,
        }
    }
}

impl Kind for Students {
    const ABOUT: About = About {
        code: 1,
        import: "ImportEnrollments",
        commit: "CommitImport",
        report: "GetImport",
        list: "ListImports",
        marked: "DownloadMarkedWorkbook",
        take_back: "TakeBackImport",
    };
    type Rules = Rules;
    type Layout = rules::Layout;
    type Row = Keyed;

    fn sheet() -> Sheet {
        let (notes, columns) = rules::template();
        Sheet { title: rules::TITLE, notes, columns, marks: rules::MARKS, taken_out: false }
    }

    fn of(&self) -> Of {
        Of { school: self.school.clone(), subject: None }
    }

    fn may<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, act: Act) -> Work<'t, ()> {
        let permission = match act {
            Act::Enter => Permission::EnterForSchool,
            Act::Read => Permission::ReadSchool,
        };
        Box::pin(async move { directory::school_for(ctx, tx, &self.school, permission).await.map(drop) })
    }

    fn rules<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx) -> Work<'t, Rules> {
        Box::pin(async move { Ok(Rules { majors: directory::majors(tx, &self.school).await?, today: ctx.today() }) })
    }

    fn layout(&self, table: &Table, _: Options) -> rules::Layout {
        rules::Layout::new(table)
    }

    fn read(&self, rules: &Rules, layout: &rules::Layout, row: &Row) -> Read<Keyed> {
        let (parsed, faults, doubts) = rules::parse(layout, row, &SchoolRules { school: &self.school, majors: &rules.majors, today: rules.today });
        Read { row: parsed.map(|parsed| Keyed::new(&self.parts, parsed)), faults, doubts }
    }

    fn content(row: &Keyed) -> [u8; 32] {
        row.content
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        _: &'t Rules,
        rows: &'t [At<Keyed>],
        options: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Keyed>>> {
        Box::pin(place::place(self, ctx, tx, rows, options, found))
    }

    fn write<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: &'t Rules, new: &'t [(Uuid, &'t Keyed)], changed: &'t [(Uuid, &'t Keyed)]) -> Work<'t, ()> {
        let drafts = |rows: &[(Uuid, &'t Keyed)]| rows.iter().map(|(id, row)| (*id, row.draft())).collect::<Vec<_>>();
        Box::pin(async move { roll::drafts::enter(ctx, tx, &self.parts, &self.school, &drafts(new), &drafts(changed)).await })
    }

    fn take_back<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        Box::pin(undo::take_back(self, ctx, tx, effects))
    }
}

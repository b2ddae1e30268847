//! The workbook: what a file of students is ([`Students`]), whom its rows mean, and what becomes of their records. How a file is taken in,
//! told, previewed, written, marked and taken back is [`xuezhu_intake`].
//!
//! | module | what lives here |
//! | --- | --- |
//! | this | the kind: columns, a row, what is written |
//! | [`rules`] | what each column may hold, and what a row must be |
//! | [`row`] | a row that can be stored, and its content as it is kept |
//! | [`place`] | whom a row means, and what it does to what is there |
//! | [`by_hand`] | one row, typed on a page |
//! | [`taken_out`] | which columns leave when students are taken out |
//! | [`undo`] | what it did, taken back |

pub mod api;
pub mod by_hand;
pub mod place;
pub mod row;
pub mod rules;
pub mod taken_out;
pub mod undo;

use std::sync::Arc;

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, Kind, Of, Options, Placed, Read, Sheet, Work};
use xuezhu_service::{Context, Permission};
use xuezhu_store::Tx;
use xuezhu_workbook::{Row, Table};

use crate::{
    Parts,
    directory::{self, schools::Offered},
    roll::{self, drafts::Draft},
};
pub use row::Parsed;
pub use rules::SchoolRules;
pub use taken_out::Taken;

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
    majors: Vec<Offered>,
    today: NaiveDate,
}

/// A row of a file.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is of the larger one")]
pub enum Student {
    /// One that says whom it is about by a whole number.
    Whole(Keyed),
    /// One of a table that was taken out of here.
    Taken(Taken),
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
    type Row = Student;

    fn sheet() -> Sheet {
        let (notes, columns) = rules::template();
        Sheet { title: rules::TITLE, notes, columns, marks: rules::MARKS, taken_out: true }
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
        Box::pin(async move {
            // Who sends a file enters students; what was sent can be seen and taken back at a closed school too.
            directory::open_for_entry(ctx, tx, &self.school).await?;
            Ok(Rules { majors: directory::majors(tx, &self.school).await?, today: ctx.today() })
        })
    }

    fn layout(&self, table: &Table, _: Options) -> rules::Layout {
        rules::Layout::new(table)
    }

    fn read(&self, rules: &Rules, layout: &rules::Layout, row: &Row) -> Read<Student> {
        if layout.taken_out {
            return Taken::read(layout, row);
        }
        let (parsed, faults, doubts) = rules::parse(layout, row, &SchoolRules { school: &self.school, majors: &rules.majors, today: rules.today });
        Read { row: parsed.map(|parsed| Student::Whole(Keyed::new(&self.parts, parsed))), faults, doubts }
    }

    fn content(row: &Student) -> [u8; 32] {
        match row {
            Student::Whole(row) => row.content,
            Student::Taken(row) => row.content(),
        }
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        rules: &'t Rules,
        rows: &'t [&'t At<Student>],
        options: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Student>>> {
        Box::pin(taken_out::place(self, ctx, tx, rules, rows, options, found))
    }

    fn write<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: &'t Rules, new: &'t [(Uuid, &'t Student)], changed: &'t [(Uuid, &'t Student)]) -> Work<'t, ()> {
        // A row that was taken out is written as what it makes of its record.
        let draft = |(id, row): &(Uuid, &'t Student)| if let Student::Whole(row) = row { Some((*id, row.draft())) } else { None };
        let drafts = move |rows: &[(Uuid, &'t Student)]| rows.iter().filter_map(draft).collect::<Vec<_>>();
        Box::pin(async move { roll::drafts::enter(ctx, tx, &self.parts, &self.school, &drafts(new), &drafts(changed)).await })
    }

    fn take_back<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        Box::pin(undo::take_back(self, ctx, tx, effects))
    }
}

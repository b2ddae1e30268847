//! What a sheet holds, told before it is signed: how many of whom, what is unusual, what differs from before.

use std::collections::HashMap;

use xuezhu_proto::{
    aid::{AwardList, GetAwardListRequest},
    common::{Dossier, DossierClass},
    enrollment::{GetSubmissionRequest, HeadCount, Submission},
};

use super::Keeper;
use crate::{
    pages::{Desk, PageError, notices},
    parts::{Address, Cell, Figure, Figures, Note, Row, Table, Tone},
};

/// What a sheet holds.
#[derive(Default)]
pub struct Summary {
    /// Numbers of it.
    pub figures: Figures,
    /// What is unusual.
    pub notes: Vec<Note>,
    /// How many of whom, beside the same class a term before.
    pub counts: Option<Table>,
    /// The page of the business itself, where it has one.
    pub business: Option<(Address, &'static str)>,
}

/// What a dossier's sheet holds.
pub async fn of(desk: &Desk, keeper: Keeper, dossier: &Dossier) -> Result<Summary, PageError> {
    match keeper {
        Keeper::Enrollment if dossier.kind == "REGISTRATION" => {
            let asked = GetSubmissionRequest { school: dossier.school.clone(), submission: dossier.dossier.clone() };
            let submission = desk.submissions().get_submission(desk.request(asked)).await?.into_inner().submission.unwrap_or_default();
            Ok(of_registration(dossier, &submission))
        }
        Keeper::Aid if dossier.kind == "AWARD_LIST" && !dossier.subject.is_empty() => {
            let asked = GetAwardListRequest { school: dossier.school.clone(), list: dossier.subject.clone() };
            let list = desk.awards().get_award_list(desk.request(asked)).await?.into_inner().list.unwrap_or_default();
            let mut summary = of_list(dossier, &list);
            if list.announces {
                summary.notes.extend(notices::in_the_way(desk, dossier).await?);
            }
            Ok(summary)
        }
        Keeper::Aid if dossier.kind == "AID_POLICY" => {
            let business = Some((Address::of(format!("/policies/{}", dossier.subject)), "打开政策：原文、变动和试算"));
            Ok(Summary { business, ..Summary::default() })
        }
        Keeper::Aid if dossier.kind == "HARDSHIP" => {
            let reads = desk.user.is_clerk() || desk.user.is_principal() || desk.user.decides_aid();
            let business = reads.then(|| (Address::of(format!("/schools/{}/hardship", dossier.school)), "打开困难认定：逐人查看家庭经济信息"));
            Ok(Summary { counts: by_class(keeper, dossier), business, ..Summary::default() })
        }
        Keeper::Enrollment | Keeper::Aid => Ok(Summary { counts: by_class(keeper, dossier), ..Summary::default() }),
    }
}

/// The sheet by class, beside the same class a term before; none where it is of no class.
fn by_class(keeper: Keeper, dossier: &Dossier) -> Option<Table> {
    let compared = !dossier.compared_with.is_empty();
    let row = |class: &DossierClass| {
        let name = if class.class_name.is_empty() { Cell::text("（没有记录）") } else { class_link(keeper, dossier, &class.class_name) };
        Row::of([name, Cell::number(class.count), Cell::number(class.waiting)])
            .and_if(compared, || Cell::number(class.before))
            .and_if(compared, || difference(class.count - class.before))
    };
    let table = Table::of("按班级").column("班级").numbers(["本单人数", "其中待办"]);
    let table = if compared { table.number(&dossier.compared_with).number("增减") } else { table };
    // One line about one class says nothing that the sheet does not.
    let tells = compared || dossier.classes.len() > 1;
    tells.then(|| table.rows(dossier.classes.iter().map(row)))
}

/// The lines of a class.
fn class_link(keeper: Keeper, dossier: &Dossier, class_name: &str) -> Cell {
    Cell::link(Address::of(keeper.link(&dossier.dossier)).with("class", class_name).on("sheet"), class_name)
}

fn difference(count: i32) -> Cell {
    match count {
        0 => Cell::number(0),
        1.. => Cell::mark(Tone::Wait, format!("+{count}")),
        _ => Cell::mark(Tone::Wait, count.to_string()),
    }
}

fn of_registration(dossier: &Dossier, submission: &Submission) -> Summary {
    let before: HashMap<&str, i32> = dossier.classes.iter().map(|class| (class.class_name.as_str(), class.before)).collect();
    // What was submitted before classes were kept with it is compared with nothing.
    let compared = !dossier.compared_with.is_empty();
    let row = |line: &HeadCount| {
        Row::of([
            if compared { class_link(Keeper::Enrollment, dossier, &line.class_name) } else { Cell::from(&line.class_name) },
            Cell::from(&line.major_name),
            Cell::number(line.count),
            Cell::number(line.male),
            Cell::number(line.count - line.male),
        ])
        .and_if(compared, || Cell::number(before.get(line.class_name.as_str()).copied().unwrap_or_default()))
    };
    let counts = Table::of("按班级和专业").columns(["班级", "专业"]).numbers(["本批人数", "男", "女"]);
    let counts = if compared { counts.number(&format!("同班{}", dossier.compared_with)) } else { counts };
    let counts = counts.rows(submission.head_counts.iter().map(row));
    Summary {
        notes: submission.outliers.iter().map(|line| Note::of(Tone::Wait, format!("请特别留意：{line}"))).collect(),
        counts: (!submission.head_counts.is_empty()).then_some(counts),
        ..Summary::default()
    }
}

fn of_list(dossier: &Dossier, list: &AwardList) -> Summary {
    let path = Address::of(format!("/schools/{}/lists/{}", list.school, list.list));
    let held = Figure::count(list.held, "有疑点，暂缓").tone_if(list.held > 0, Tone::Bad).to(path.clone().with("held", "true"));
    let mut notes = Vec::new();
    if list.held_attested > 0 {
        let text = format!("待审的学生中有 {} 人有疑点：核定以前，审签只通过没有疑点的学生。", list.held_attested);
        notes.push(Note::of(Tone::Wait, text).way(path.clone().with("held", "true"), "看是谁"));
    }
    if list.forgotten_attested > 0 {
        let text = format!("待审的学生中有 {} 人的学籍记录被遗忘，重新登记或核定之前不能审核。", list.forgotten_attested);
        notes.push(Note::of(Tone::Bad, text).way("/forgotten", "核定"));
    }
    if list.taken_attested > 0 {
        notes.push(Note::of(Tone::Bad, format!("待审的学生中有 {} 人的同一月（或学期）已在另一名单中审核通过，不能重复审核。", list.taken_attested)));
    }
    Summary {
        figures: Figures(vec![Figure::yuan(list.amount_fen, "名单金额（元）"), held]),
        notes,
        counts: by_class(Keeper::Aid, dossier),
        business: Some((path, "名单与疑点")),
    }
}

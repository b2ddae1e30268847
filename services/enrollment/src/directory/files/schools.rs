//! A file of schools: new ones are entered, those that are there take a new name, a new telephone and more majors. What else differs is told.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;
use xuezhu_domain::region;
use xuezhu_intake::{About, Act, At, Effect, Fault, Findings, KEPT, Kind, Of, Options, Placed, Read, Sheet, What, Work};
use xuezhu_service::{Context, Error, Permission};
use xuezhu_store::Tx;
use xuezhu_workbook::{Row, Table};

use super::{
    item_of, may_in, refusal,
    rules::{self, Layout, Reader},
    store,
};
use crate::{
    Parts,
    directory::schools::{self, MAJORS, MajorRow, NewSchool, SchoolRow, api::new_school},
};

/// Schools as a file.
#[derive(Debug, Clone)]
pub struct Schools {
    /// What the use cases need.
    pub parts: Arc<Parts>,
    /// Region of who sends it; empty for all.
    pub region: String,
}

/// A row with the hash of what it says.
#[derive(Debug, Clone)]
pub struct Said {
    content: [u8; 32],
    school: NewSchool,
    /// Whether a blank telephone clears the one that is there.
    clears: bool,
}

impl Said {
    fn new(parts: &Parts, school: NewSchool, clears: bool) -> Self {
        let majors: Vec<String> = school.majors.iter().map(|major| major.key()).collect();
        let said = [school.code.as_str(), &school.name, school.region.as_str(), school.kind, school.authority.as_str(), &school.telephone, &majors.join(" ")];
        Self { content: parts.keyring.content_hash(said.join("\n").as_bytes()), school, clears }
    }
}

impl Kind for Schools {
    const ABOUT: About = About {
        code: 3,
        import: "ImportSchools",
        commit: "CommitSchoolImport",
        report: "GetSchoolImport",
        list: "ListSchoolImports",
        marked: "DownloadMarkedSchools",
        take_back: "TakeBackSchoolImport",
    };
    /// The civil day: names of regions are those of its year.
    type Rules = NaiveDate;
    type Layout = Layout;
    type Row = Said;

    fn sheet() -> Sheet {
        let notes = vec![
            "一校一行，从第4行起填写；列的顺序可以调整，表头文字不能改动。".to_owned(),
            "已登记的学校再次上传：更新名称和电话，增加专业；其他内容请在学校页面更改。".to_owned(),
        ];
        Sheet { title: rules::SCHOOLS, notes, columns: rules::SCHOOL_COLUMNS.to_vec(), marks: rules::SCHOOL_MARKS, taken_out: false }
    }

    fn of(&self) -> Of {
        Of { school: self.region.clone(), subject: None }
    }

    /// A code is one for all regions, and regions lie within one another.
    fn turn(&self) -> String {
        String::new()
    }

    fn may<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx, _: Act) -> Work<'t, ()> {
        Box::pin(async move { may_in(ctx, &self.region) })
    }

    fn rules<'t>(&'t self, ctx: &'t Context, _: &'t mut Tx) -> Work<'t, NaiveDate> {
        Box::pin(async move { Ok(ctx.today()) })
    }

    fn layout(&self, table: &Table, options: Options) -> Layout {
        Layout::new(table, &rules::SCHOOL_COLUMNS, options.blank_clears)
    }

    fn read(&self, today: &NaiveDate, layout: &Layout, row: &Row) -> Read<Said> {
        let mut reader = Reader::new(layout, row, &rules::SCHOOL_COLUMNS);
        let asked = reader.school(today.year());
        let school = new_school(&asked).map_err(|error| reader.refused(error, rules::school_column)).ok().filter(|_| reader.faults.is_empty());
        let doubt = |(column, code): (&str, &str)| Some(Fault::new(column, code, region::REGION_UNKNOWN, region::doubt(code)?));
        let doubts = school.iter().flat_map(|school| [("行政区划码", school.region.as_str()), ("主管部门行政区划码", school.authority.as_str())]);
        let doubts = doubts.filter_map(doubt).collect();
        Read { row: school.map(|school| Said::new(&self.parts, school, layout.clears("电话"))), faults: reader.faults, doubts }
    }

    fn content(row: &Said) -> [u8; 32] {
        row.content
    }

    fn place<'t>(
        &'t self,
        ctx: &'t Context,
        tx: &'t mut Tx,
        _: &'t NaiveDate,
        rows: &'t [&'t At<Said>],
        _: Options,
        found: &'t mut Findings,
    ) -> Work<'t, Vec<Placed<Said>>> {
        Box::pin(async move {
            let codes: Vec<String> = rows.iter().map(|at| at.row.school.code.as_str().to_owned()).collect();
            let known = schools::of_codes(tx, codes.iter().map(String::as_str)).await?;
            let majors = schools::majors_of(tx, &codes).await?;
            let (mut seen, mut placed): (HashMap<&str, u32>, Vec<Placed<Said>>) = (HashMap::new(), Vec::new());
            for (at, At { spot, row }) in rows.iter().enumerate() {
                let code = row.school.code.as_str();
                if let Some(first) = seen.insert(code, spot.row) {
                    let why = format!("与第{first}行的学校代码相同，请合并后只留一行");
                    found.fault(*spot, &Fault::new("学校代码", code, "DUPLICATE_IN_FILE", why));
                    continue;
                }
                let what = match known.get(code) {
                    None => match refusal(may_in(ctx, row.school.authority.as_str()))? {
                        None => Ok(What::New { item: item_of("school", code) }),
                        Some(_) => Err(Fault::new("主管部门行政区划码", row.school.authority.as_str(), "FORBIDDEN", "不在您管理的区划内，不能登记")),
                    },
                    Some(school) => self.again(ctx, row, school, majors.get(code).map_or(&[], Vec::as_slice))?,
                };
                match what {
                    Ok(what) => placed.push(Placed { at, what }),
                    Err(fault) => found.fault(*spot, &fault),
                }
            }
            Ok(placed)
        })
    }

    fn write<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, _: &'t NaiveDate, new: &'t [(Uuid, &'t Said)], changed: &'t [(Uuid, &'t Said)]) -> Work<'t, ()> {
        Box::pin(async move {
            let items: Vec<(Uuid, &str)> = new.iter().chain(changed).map(|(item, row)| (*item, row.school.code.as_str())).collect();
            store::note(tx, &items).await?;
            let of = |rows: &'t [(Uuid, &'t Said)]| rows.iter().map(|(_, row)| &row.school).collect::<Vec<_>>();
            if !new.is_empty() {
                schools::enter(ctx, tx, &of(new)).await?;
            }
            if !changed.is_empty() {
                schools::say_anew(ctx, tx, &of(changed)).await?;
            }
            Ok(())
        })
    }

    fn take_back<'t>(&'t self, _: &'t Context, _: &'t mut Tx, effects: &'t [Effect]) -> Work<'t, Vec<(Uuid, Fault)>> {
        // Others were told of a school at once, and nothing tells them that there never was one.
        let why = |effect: &Effect| match effect.before {
            None => "学校登记后不能撤回：不该有的，请在学校页面点“停办”",
            Some(_) => "学校的更改不能撤回：请在学校页面改回名称、电话，停止不该有的专业",
        };
        Box::pin(async move { Ok(effects.iter().map(|effect| (effect.item, Fault::new("", "", KEPT, why(effect)))).collect()) })
    }
}

impl Schools {
    /// What a row does to a school that is there.
    fn again(&self, ctx: &Context, row: &Said, known: &SchoolRow, majors: &[MajorRow]) -> Result<Result<What<Said>, Fault>, Error> {
        let said = &row.school;
        if refusal(ctx.may(Permission::ManageDirectory, &known.place()))?.is_some() {
            return Ok(Err(Fault::new("学校代码", &known.code, "FORBIDDEN", "该学校代码已登记，学校不在您管理的区划内")));
        }
        let differs = |column: &str, value: &str, told: String| Ok(Err(Fault::new(column, value, "ALREADY_THERE", told)));
        if known.region != said.region.as_str() {
            return differs("行政区划码", said.region.as_str(), format!("该校已登记在{}，所在地不能用文件更改", region::full_name(&known.region)));
        }
        if known.authority != said.authority.as_str() {
            let told = format!("该校的主管部门是{}，请在学校页面变更主管部门", region::full_name(&known.authority));
            return differs("主管部门行政区划码", said.authority.as_str(), told);
        }
        if known.kind != said.kind {
            return differs("办学性质", if said.kind == "PUBLIC" { "公办" } else { "民办" }, "与已登记的办学性质不同，请在学校页面更改".to_owned());
        }
        let held: HashSet<(&str, &str)> = majors.iter().map(|row| (row.catalogue.as_str(), row.code.as_str())).collect();
        let mut kept = said.clone();
        // What ended is begun again by name only: a file that lists it may be of before.
        kept.majors.retain(|major| !held.contains(&(major.catalogue, major.stored)));
        if held.len() + kept.majors.len() > MAJORS {
            return differs("专业", "", format!("一所学校的专业不能超过{MAJORS}个，现有{}个", held.len()));
        }
        if kept.telephone.is_empty() && !row.clears {
            kept.telephone.clone_from(&known.telephone);
        }
        if kept.name == known.name && kept.telephone == known.telephone && kept.majors.is_empty() {
            return Ok(Ok(What::Unchanged));
        }
        let mut held: Vec<String> = held.into_iter().map(|(catalogue, code)| format!("{catalogue}-{code}")).collect();
        held.sort_unstable();
        let stands = [&known.name, &known.telephone, &held.join(" ")].map(String::as_str).join("\n");
        let base = self.parts.keyring.content_hash(stands.as_bytes()).to_vec();
        Ok(Ok(What::Changed { item: item_of("school", &known.code), base, before: Vec::new(), row: Some(Said::new(&self.parts, kept, row.clears)) }))
    }
}

//! Dossiers, as they are taken out: the same in every service.

use uuid::Uuid;
use xuezhu_proto::common::{self as pb, dossier};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Refusal, paging::Turn};
use xuezhu_store::Tx;
use xuezhu_takeout::{About, Kind, Of, Table, Work};

use crate::{
    door::{self, Asked, Keeper},
    way::State,
};

/// Dossiers, as they are taken out.
pub static ABOUT: About =
    About {
        code: 4, word: "DOSSIERS", name: "业务单", call: "TakeOutDossiers", counted_by: &["类别", "状态", "现由何处办理"], unit: "张数", of_people: true
    };
/// What the list of dossiers shows.
const COLUMNS: [&str; 11] = ["业务单", "类别", "状态", "现由何处办理", "待办", "通过", "退出", "提交人", "提交日期", "期限", "办结日期"];
/// Dossiers that are read at once.
const AT_ONCE: i64 = 1_000;
/// Characters of a name that is looked for.
const NAME_CHARACTERS: usize = 60;

/// A school's dossiers.
pub struct Dossiers<'k> {
    keeper: &'k dyn Keeper,
    asked: Asked,
    narrowed: String,
    by_name: bool,
}

impl<'k> Dossiers<'k> {
    /// What a call asks for.
    pub fn of(keeper: &'k dyn Keeper, school: &str, kind: &str, state: dossier::State, name: &str) -> Result<Self, Error> {
        let mut errors = FieldErrors::default();
        let name = if name.trim().is_empty() { None } else { errors.text("name", name, NAME_CHARACTERS) };
        errors.check()?;
        let name = name.unwrap_or_default();
        let asked = Asked::of(keeper, (school, kind, state.into()), &name, ("", ""))?;
        let kind = door::by_word(keeper.kinds(), kind).map_or("", |about| about.name);
        let parts = [("类别", kind), ("状态", state_name(state)), ("涉及", if name.is_empty() { "" } else { "按姓名查找" })];
        let narrowed = parts.iter().filter(|(_, said)| !said.is_empty()).map(|(what, said)| format!("{what} {said}")).collect::<Vec<_>>().join("；");
        Ok(Self { keeper, asked, narrowed, by_name: !name.is_empty() })
    }
}

impl Kind for Dossiers<'_> {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn of(&self) -> Of {
        Of { school: self.asked.school.clone(), subject: None, by_name: self.by_name, narrowed: self.narrowed.clone() }
    }

    fn school<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, permission: Permission) -> Work<'t, String> {
        let code = self.asked.school.as_str();
        Box::pin(async move {
            let school = self.keeper.schools(tx, vec![code]).await?.remove(code);
            ctx.may(permission, &Place::School { code, authority: school.as_ref().map_or("", |school| &school.authority) })?;
            Ok(school.ok_or_else(|| Refusal::not_found("该学校"))?.name)
        })
    }

    fn table<'t>(&'t self, ctx: &'t Context, tx: &'t mut Tx, most: usize) -> Work<'t, Table> {
        Box::pin(async move {
            let (mut rows, mut turn) = (Vec::new(), Turn::first(AT_ONCE));
            loop {
                let (page, _) = door::list(ctx, tx, self.keeper, &self.asked, &turn).await?;
                let last = page.last().filter(|_| i64::try_from(page.len()).unwrap_or(0) == AT_ONCE);
                turn.after = last.and_then(|last| last.dossier.parse::<Uuid>().ok());
                rows.extend(page.iter().map(line));
                if turn.after.is_none() || rows.len() > most {
                    return Ok(Table { columns: COLUMNS.to_vec(), rows });
                }
            }
        })
    }
}

fn line(row: &pb::Dossier) -> Vec<String> {
    let count = |count: i32| count.to_string();
    vec![
        row.title.clone(),
        row.kind_name.clone(),
        state_name(row.state()).to_owned(),
        row.waits_at.clone(),
        count(row.waiting),
        count(row.performed),
        count(row.left),
        row.submitted_by.clone(),
        row.submit_date.clone(),
        row.due_date.clone(),
        row.end_date.clone(),
    ]
}

fn state_name(state: dossier::State) -> &'static str {
    State::ALL.into_iter().find(|known| known.as_str() == state.as_str_name()).map_or("", State::name)
}

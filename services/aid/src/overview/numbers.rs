//! Numbers of lists: whoever stands on the lists of a term that were submitted, counted by one thing at a time. The same entries are counted whatever
//! they are counted by, so that each table comes to the same sum.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use xuezhu_domain::{
    Sex, Term,
    codes::{self, Settlement},
    region,
};
use xuezhu_judge::entry::State;
use xuezhu_proto::aid::{self as pb, list_number::By};
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, Reason, Refusal};
use xuezhu_store::{StoreError, Tx};

use super::{small, store};
use crate::{
    Parts, asked, mirror,
    policy::{scheme_asked, scheme_told},
};

/// Entries that have all of this in common, counted.
#[derive(Debug, sqlx::FromRow)]
pub struct EntriesRow {
    pub school: String,
    pub authority: String,
    pub scheme: String,
    #[sqlx(try_from = "i32")]
    pub state: State,
    pub held: bool,
    /// None where the roll of the school knows nobody of the number; so the rest.
    pub entered: Option<NaiveDate>,
    pub sex: Option<i32>,
    pub major: Option<String>,
    pub urban_rural: Option<String>,
    pub household: Option<String>,
    /// Level that holds on the first of the entry's months.
    pub level: Option<String>,
    pub entries: i64,
    pub units: i64,
    pub fen: i64,
}

/// What is asked for.
pub struct Asked<'a> {
    pub school: &'a str,
    /// First digits of the regions of departments.
    pub prefix: &'a str,
    pub term: &'a str,
    /// Empty for all.
    pub scheme: &'a str,
}

/// By what is counted, in the order in which it is offered.
const WAYS: [(By, &str); 9] = [
    (By::Grade, "年级"),
    (By::School, "学校"),
    (By::Region, "主管部门"),
    (By::Scheme, "项目"),
    (By::Sex, "性别"),
    (By::Major, "专业类别"),
    (By::Address, "户口所在地"),
    (By::Level, "困难等级"),
    (By::Term, "学期"),
];
/// Terms that stand side by side.
const TERMS: usize = 6;

/// What something that is counted by is called.
pub fn way_name(by: By) -> &'static str {
    WAYS.into_iter().find(|(way, _)| *way == by).map_or("", |(_, name)| name)
}

/// What is counted.
pub struct Counted {
    /// As people call it.
    pub name: String,
    is_region: bool,
}

/// A school, or where none is named a region, for whoever sees its numbers.
pub async fn place(ctx: &Context, tx: &mut Tx, school: &str, region: &str) -> Result<Counted, Error> {
    if school.is_empty() {
        ctx.may(Permission::ReadMoney, &Place::Region(region))?;
        return Ok(Counted { name: region::full_name(region), is_region: true });
    }
    Ok(Counted { name: mirror::school_for(ctx, tx, school, Permission::ReadMoney).await?.name, is_region: false })
}

/// Whether whoever calls may know how many have which level: who knows of families there, or counts for a department.
async fn knows_of_levels(ctx: &Context, tx: &mut Tx, school: &str, region: &str) -> Result<bool, Error> {
    let found = if school.is_empty() { None } else { mirror::school(tx, school).await? };
    let place = match &found {
        Some(row) => Place::School { code: &row.school, authority: &row.authority },
        None => Place::Region(region),
    };
    Ok([Permission::ReadFamily, Permission::TakeOutCounts].into_iter().any(|permission| ctx.may(permission, &place).is_ok()))
}

/// All of them together.
fn sum(numbers: &[pb::ListNumber]) -> pb::ListNumber {
    numbers.iter().fold(pb::ListNumber::default(), |sum, number| pb::ListNumber {
        listed: sum.listed + number.listed,
        approved: sum.approved + number.approved,
        held: sum.held + number.held,
        units: sum.units + number.units,
        fen: sum.fen + number.fen,
        ..sum
    })
}

/// Numbers of a school, or of a region. By terms they are of several.
pub async fn of(ctx: &Context, tx: &mut Tx, parts: &Parts, request: &pb::GetListNumbersRequest) -> Result<pb::GetListNumbersResponse, Error> {
    let mut errors = FieldErrors::default();
    let policies = parts.policies.now();
    let term = asked::term(ctx, &request.term, &mut errors);
    if !request.scheme.is_empty() {
        scheme_asked(&policies, &request.scheme, &mut errors);
    }
    let by = By::try_from(request.by).unwrap_or_default();
    if by == By::Unspecified {
        errors.add("by", "请选择按什么统计");
    }
    let region = asked::region(ctx, &request.region, &mut errors);
    errors.check()?;
    let (Some(term), Some(region)) = (term, region) else { return Err(Error::Internal("a field is missing and not told".into())) };
    let place = place(ctx, tx, &request.school, &region).await?;
    let knows = knows_of_levels(ctx, tx, &request.school, &region).await?;
    if by == By::Level && !knows {
        return Err(Refusal::new(Reason::Forbidden, "困难等级的人数只由学校经办人、校长、评审人和主管部门查看").into());
    }
    let ways = WAYS.into_iter().filter(|(by, _)| (place.is_region || !matches!(by, By::School | By::Region)) && (knows || *by != By::Level));
    let mut told = pb::GetListNumbersResponse {
        place_name: place.name,
        term: term.to_string(),
        civil_date: ctx.today().to_string(),
        numbers: Vec::new(),
        sum: None,
        ways: ways.map(|(by, name)| pb::NumberWay { by: by.into(), name: name.to_owned() }).collect(),
    };
    let prefix = if place.is_region { region::prefix_or_all(&region) } else { "" };
    // What is counted by terms is of several, the earliest first; everything else is of the one.
    let before = std::iter::successors(Some(term), |term| Some(term.before()));
    let mut terms: Vec<Term> = before.take(if by == By::Term { TERMS } else { 1 }).collect();
    terms.reverse();
    let mut rows: Vec<(Term, EntriesRow)> = Vec::new();
    for term in terms {
        let asked = Asked { school: &request.school, prefix, term: &term.to_string(), scheme: &request.scheme };
        rows.extend(store::list_entries(tx, &asked).await?.into_iter().map(|row| (term, row)));
    }
    let names: BTreeMap<String, String> = match by {
        By::School => {
            let codes: Vec<String> = rows.iter().map(|(_, row)| row.school.clone()).collect();
            mirror::school_names(tx, &codes).await?.into_iter().collect()
        }
        _ => BTreeMap::new(),
    };
    let mut groups: BTreeMap<(Term, String), pb::ListNumber> = BTreeMap::new();
    for (term, row) in &rows {
        let key = if by == By::Term { term.to_string() } else { key(by, row)? };
        let number = groups.entry((*term, key.clone())).or_insert_with(|| {
            let name = match by {
                By::Term => term.name(),
                By::School => names.get(&key).cloned().unwrap_or_else(|| key.clone()),
                By::Region => region::full_name(&key),
                By::Scheme => scheme_told(&policies, &key).scheme_name,
                _ => name(by, &key),
            };
            pb::ListNumber { key, name, ..pb::ListNumber::default() }
        });
        number.listed += small(row.entries);
        if row.state == State::Approved {
            number.approved += small(row.entries);
        }
        if row.held {
            number.held += small(row.entries);
        }
        number.units += small(row.units);
        number.fen += row.fen;
    }
    told.numbers = groups.into_values().collect();
    told.sum = Some(sum(&told.numbers));
    Ok(told)
}

/// What is counted together; empty where the roll does not say.
fn key(by: By, row: &EntriesRow) -> Result<String, Error> {
    let major = || codes::major_of_key(row.major.as_deref().unwrap_or_default());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let key = match by {
        By::School => row.school.clone(),
        By::Region => row.authority.clone(),
        By::Scheme => row.scheme.clone(),
        By::Grade => row.entered.map(|day| day.year().to_string()).unwrap_or_default(),
        By::Sex => match row.sex.and_then(Sex::from_code) {
            Some(Sex::Male) => "M".to_owned(),
            Some(Sex::Female) => "F".to_owned(),
            None => String::new(),
        },
        By::Major => match major() {
            Some(major) if major.agricultural => "AGRICULTURAL".to_owned(),
            Some(major) if major.performing_arts => "PERFORMING_ARTS".to_owned(),
            Some(_) => "OTHER".to_owned(),
            None => String::new(),
        },
        By::Address => match codes::urban_rural(&text(&row.urban_rural)) {
            Some(class) => match class.settlement {
                Settlement::City => "CITY".to_owned(),
                Settlement::Town => "TOWN".to_owned(),
                Settlement::Village => "VILLAGE".to_owned(),
            },
            None => text(&row.household),
        },
        By::Level => match (&row.level, row.entered) {
            (Some(level), _) => level.clone(),
            (None, Some(_)) => "NONE".to_owned(),
            (None, None) => String::new(),
        },
        By::Unspecified | By::Term => return Err(StoreError::Corrupt("what is counted by").into()),
    };
    Ok(key)
}

/// How what is counted together is called.
fn name(by: By, key: &str) -> String {
    match (by, key) {
        (_, "") => "本校学籍中没有，或没有填".to_owned(),
        (By::Grade, year) => format!("{year}级"),
        (By::Sex, "M") => "男".to_owned(),
        (By::Sex, "F") => "女".to_owned(),
        (By::Major, "AGRICULTURAL") => "涉农专业".to_owned(),
        (By::Major, "PERFORMING_ARTS") => "艺术类相关表演专业".to_owned(),
        (By::Major, "OTHER") => "其他专业".to_owned(),
        (By::Address, "CITY") => "城市（按城乡分类代码）".to_owned(),
        (By::Address, "TOWN") => "镇（按城乡分类代码）".to_owned(),
        (By::Address, "VILLAGE") => "乡村（按城乡分类代码）".to_owned(),
        (By::Address, household) => format!("{household}（没有城乡分类代码）"),
        (By::Level, "NONE") => "没有困难等级".to_owned(),
        (_, key) => key.to_owned(),
    }
}

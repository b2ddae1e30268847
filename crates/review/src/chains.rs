//! Over which desks a kind's dossiers go: data by kind, school or region, and day. A dossier keeps the chain it began with.

use chrono::NaiveDate;
use uuid::Uuid;
use xuezhu_service::{Context, Error, FieldErrors, Permission, Place, permission::covers};
use xuezhu_store::{StoreError, Tx};

use crate::{
    OfSchool,
    kind::About,
    store::{self, ChainRow},
    way::{Chain, Desk, Duty},
};

/// Longest reason, in characters.
const REASON_CHARACTERS: usize = 500;

/// The scopes that a school lies in, the narrowest first: itself, its authority, the city, the province, everybody.
fn scopes(school: OfSchool<'_>) -> Vec<String> {
    let kept = |digits: usize| format!("{:0<6}", school.authority.get(..digits).unwrap_or(school.authority));
    let mut scopes = vec![school.code.to_owned(), school.authority.to_owned(), kept(4), kept(2), String::new()];
    scopes.dedup();
    // A department's own business is of no school, and no school's code is everybody's.
    if school.code.is_empty() {
        scopes.remove(0);
    }
    scopes
}

/// The scopes above one, the narrowest first. `region` is the scope's own, or the authority of the school that it is.
fn above(scope: &str, region: &str) -> Vec<String> {
    if scope.is_empty() { Vec::new() } else { scopes(OfSchool { code: scope, authority: region }).split_off(1) }
}

/// The desks of a chain that decide: a school's own where it is known, else as they are named.
fn deciding(chain: &Chain, school: Option<OfSchool<'_>>) -> Vec<String> {
    match school {
        Some(school) => {
            let stands = chain.resolved(school.code, school.authority);
            stands.iter().filter(|stand| stand.duty == Duty::Decides).map(|stand| stand.seat.to_string()).collect()
        }
        None => chain.steps().iter().filter(|step| step.duty == Duty::Decides).map(|step| step.desk.to_string()).collect(),
    }
}

fn parsed(steps: &str) -> Result<Chain, StoreError> {
    steps.parse().map_err(|_| StoreError::Corrupt("chain"))
}

/// The desks that must decide whatever was set, as a chain; none where the kind asks for none.
fn floor(about: &About) -> Result<Option<Chain>, StoreError> {
    if about.floor.is_empty() { Ok(None) } else { parsed(about.floor).map(Some) }
}

/// Whether these desks decide one after another, with whichever others between them.
fn in_order(asked: &[String], desks: &[String]) -> bool {
    let mut rest = desks.iter();
    asked.iter().all(|desk| rest.any(|other| other == desk))
}

/// Of what was set, the chain that holds on a day: the narrowest, unless a wider one that was set after it asks for a desk that it
/// leaves out. One that leaves out what the kind asks for at least holds nowhere.
fn holding<'r>(
    about: &About,
    rows: &'r [ChainRow],
    scopes: &[String],
    school: Option<OfSchool<'_>>,
    day: NaiveDate,
) -> Result<Option<&'r ChainRow>, StoreError> {
    let asked = floor(about)?.map(|floor| deciding(&floor, school)).unwrap_or_default();
    let mut found: Option<(&ChainRow, Vec<String>)> = None;
    for scope in scopes {
        // Of one scope the last that was set counts; one that was set to nothing leaves it to the wider ones.
        let of_scope = rows.iter().filter(|row| row.kind == about.code && row.scope == *scope && row.from_day <= day);
        let Some(row) = of_scope.max_by_key(|row| (row.from_day, row.recorded_at_us, row.chain)).filter(|row| !row.steps.is_empty()) else { continue };
        let desks = deciding(&parsed(&row.steps)?, school);
        let more = |(narrower, own): &(&ChainRow, Vec<String>)| {
            (row.recorded_at_us, row.chain) > (narrower.recorded_at_us, narrower.chain) && desks.iter().any(|desk| !own.contains(desk))
        };
        if in_order(&asked, &desks) && found.as_ref().is_none_or(more) {
            found = Some((row, desks));
        }
    }
    Ok(found.map(|(row, _)| row))
}

/// The chain of a kind for a school on a day: the one that was set and holds, else the kind's own.
pub async fn chain_of(tx: &mut Tx, about: &About, school: OfSchool<'_>, day: NaiveDate) -> Result<Chain, Error> {
    let scopes = scopes(school);
    let set = store::chains_for(tx, about.code, &scopes, day).await?;
    let held = holding(about, &set, &scopes, Some(school), day)?;
    Ok(parsed(held.map_or(about.chain, |row| row.steps.as_str()))?)
}

/// The kind of a chain whose kind nobody knows: what else is wrong with it is told all the same.
pub static UNKNOWN: About = About {
    code: 0,
    word: "",
    name: "",
    columns: &[],
    chain: "",
    floor: "",
    items: "",
    unit: "人",
    whole: false,
    of_school: true,
    reads: Permission::ReadSchool,
};

/// A chain that is to be set.
#[derive(Debug, Clone)]
pub struct NewChain {
    /// Of which kind.
    pub kind: &'static About,
    /// A school's code, a region's, or nothing for everybody.
    pub scope: String,
    /// The scope's region: of a school, its authority's.
    pub region: String,
    /// First day.
    pub from_day: NaiveDate,
    /// As it is written; empty where what holds above shall hold again.
    pub steps: String,
    /// Why.
    pub reason: String,
}

/// Sets a chain from a day on. Whoever calls has authorised it for the scope.
pub async fn set(ctx: &Context, tx: &mut Tx, chain: NewChain) -> Result<Uuid, Error> {
    let mut errors = FieldErrors::default();
    store::take_turn(tx).await?;
    let known = store::chains(tx).await?;
    let row = row(ctx, chain, "", &known, &mut errors)?;
    errors.check()?;
    let id = row.chain;
    store::insert_chains(ctx, tx, &[row]).await?;
    Ok(id)
}

/// Sets several, all or none; what else is known to be wrong is told with what is wrong with these, each by its place: `chains[2].steps`.
pub async fn set_all(ctx: &Context, tx: &mut Tx, chains: Vec<(usize, NewChain)>, mut errors: FieldErrors) -> Result<Vec<Uuid>, Error> {
    store::take_turn(tx).await?;
    let (mut known, mut rows) = (store::chains(tx).await?, Vec::with_capacity(chains.len()));
    for (at, chain) in chains {
        let row = row(ctx, chain, &format!("chains[{at}]."), &known, &mut errors)?;
        known.push(row.clone());
        rows.push(row);
    }
    errors.check()?;
    store::insert_chains(ctx, tx, &rows).await?;
    Ok(rows.into_iter().map(|row| row.chain).collect())
}

/// A chain as it is stored; notes what is wrong with it beside what is known.
fn row(ctx: &Context, chain: NewChain, place: &str, known: &[ChainRow], errors: &mut FieldErrors) -> Result<ChainRow, StoreError> {
    let field = |name: &str| format!("{place}{name}");
    let steps = if chain.steps.trim().is_empty() { None } else { errors.parse::<Chain>(&field("steps"), &chain.steps) };
    let keeps = |region: &str| region == ctx.actor.organisation || ctx.may(Permission::ManageDirectory, &Place::Region(region)).is_ok();
    let why = match &steps {
        Some(steps) => wrong(&chain, steps, known, keeps)?,
        None => undone(&chain, known, keeps),
    };
    if let Some(why) = why {
        errors.add(&field("steps"), why);
    }
    if chain.from_day < ctx.today() {
        errors.add(&field("from_date"), "不能早于今天：已提交的业务单按提交时的环节办理");
    }
    let reason = errors.text(&field("reason"), &chain.reason, REASON_CHARACTERS);
    Ok(ChainRow {
        chain: ctx.new_id(),
        kind: chain.kind.code,
        scope: chain.scope,
        from_day: chain.from_day,
        steps: steps.map(|steps| steps.to_string()).unwrap_or_default(),
        reason: reason.unwrap_or_default(),
        recorded_by: String::new(),
        recorded_by_name: String::new(),
        recorded_for: Some(ctx.actor.organisation.clone()),
        recorded_at_us: 0,
    })
}

/// Why a chain may not be set: it leaves out a desk that the kind asks for, or one that was set above by somebody whose word counts more
/// than that of whoever sets it, or names a department that has nothing to do with the scope. `keeps` tells whose scopes one keeps.
fn wrong(chain: &NewChain, steps: &Chain, set: &[ChainRow], keeps: impl Fn(&str) -> bool) -> Result<Option<String>, StoreError> {
    if !chain.kind.of_school
        && let Some(step) = steps.steps().iter().find(|step| matches!(step.desk, Desk::Review | Desk::Principal))
    {
        return Ok(Some(format!("“{}”是主管部门自己的业务，不经过{}", chain.kind.name, step.desk.name())));
    }
    let desks = deciding(steps, None);
    let missing = |asked: &Chain| {
        let names = asked.steps().iter().filter(|step| step.duty == Duty::Decides && !desks.contains(&step.desk.to_string())).map(|step| step.desk.name());
        names.collect::<Vec<_>>().join("、")
    };
    if let Some(floor) = floor(chain.kind)?
        && !in_order(&deciding(&floor, None), &desks)
    {
        let (missing, needed) = (missing(&floor), floor.name());
        let why = if missing.is_empty() {
            format!("“{}”应依次经{needed}审核", chain.kind.name)
        } else {
            format!("“{}”必须经{missing}审核，不能省去", chain.kind.name)
        };
        return Ok(Some(why));
    }
    for step in steps.steps() {
        if let Desk::Region(region) = &step.desk
            && !covers(region.as_str(), &chain.region)
            && !covers(&chain.region, region.as_str())
        {
            return Ok(Some(format!("“{}”与适用范围没有隶属关系", step.desk.name())));
        }
    }
    // What holds above on that day, and on each later day on which something else was set above; and what was set from above for the scope.
    let wider = above(&chain.scope, &chain.region);
    let later = set.iter().filter(|row| wider.contains(&row.scope) && row.from_day > chain.from_day).map(|row| row.from_day);
    let held: Vec<Option<&ChainRow>> =
        std::iter::once(chain.from_day).chain(later).map(|day| holding(chain.kind, set, &wider, None, day)).collect::<Result<_, _>>()?;
    let own = set_from_above(chain, set, &keeps).filter(|row| !row.steps.is_empty());
    for above in held.into_iter().flatten().filter(|row| !keeps(&row.scope)).chain(own) {
        let missing = missing(&parsed(&above.steps)?);
        if !missing.is_empty() {
            return Ok(Some(format!("上级规定自{}起须经{missing}审核，本级只能增加环节，不能省去", above.from_day)));
        }
    }
    Ok(None)
}

/// What somebody whose word counts more set for the very scope of a chain, as it holds on its day: whatever was set for the scope since by
/// others undoes nothing of it.
fn set_from_above<'r>(chain: &NewChain, set: &'r [ChainRow], keeps: &impl Fn(&str) -> bool) -> Option<&'r ChainRow> {
    let from_above = |row: &&ChainRow| row.recorded_for.as_deref().is_some_and(|region| !keeps(region));
    let of_scope = set.iter().filter(|row| row.kind == chain.kind.code && row.scope == chain.scope && row.from_day <= chain.from_day);
    of_scope.filter(from_above).max_by_key(|row| (row.from_day, row.recorded_at_us, row.chain))
}

/// Why a scope may not be left to what holds above: its chain was set from above.
fn undone(chain: &NewChain, set: &[ChainRow], keeps: impl Fn(&str) -> bool) -> Option<String> {
    let own = set_from_above(chain, set, &keeps).filter(|row| !row.steps.is_empty())?;
    Some(format!("本级现行环节由上级自{}起设定，本级不能取消", own.from_day))
}

/// Every chain that was set, by kind and scope, the latest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<ChainRow>, Error> {
    Ok(store::chains(tx).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_school_lies_in_its_regions() {
        assert_eq!(scopes(OfSchool { code: "3643000001", authority: "430102" }), ["3643000001", "430102", "430100", "430000", ""]);
        assert_eq!(scopes(OfSchool { code: "3643000001", authority: "430000" }), ["3643000001", "430000", ""]);
    }
    static STRICT: About = About {
        code: 1,
        word: "STRICT",
        name: "注册",
        columns: &[],
        chain: "PRINCIPAL, AUTHORITY",
        floor: "PRINCIPAL, AUTHORITY",
        items: "items",
        unit: "人",
        whole: false,
        of_school: true,
        reads: Permission::ReadSchool,
    };

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 10, day).expect("a date")
    }

    fn row(at: u32, scope: &str, from: u32, steps: &str) -> ChainRow {
        ChainRow {
            chain: Uuid::from_u128(u128::from(at)),
            kind: 1,
            scope: scope.into(),
            from_day: day(from),
            steps: steps.into(),
            reason: String::new(),
            recorded_by: String::new(),
            recorded_by_name: String::new(),
            recorded_for: None,
            recorded_at_us: i64::from(at),
        }
    }

    #[test]
    fn the_narrowest_holds_unless_it_leaves_out_what_must_decide() {
        let school = OfSchool { code: "3643000001", authority: "430102" };
        let city = "PRINCIPAL, AUTHORITY, CITY";
        for (rows, held) in [
            (vec![], None),
            (vec![row(1, "430102", 1, "PRINCIPAL/3, AUTHORITY")], Some(1)),
            (vec![row(1, "430102", 20, "PRINCIPAL/3, AUTHORITY")], None),
            // What a database of before holds below the floor is not used, what is wider is.
            (vec![row(1, "430102", 1, "PRINCIPAL")], None),
            (vec![row(1, "430102", 1, "AUTHORITY NOTES")], None),
            (vec![row(1, "430102", 1, "AUTHORITY, PRINCIPAL")], None),
            (vec![row(1, "430102", 1, "PRINCIPAL, CITY")], None),
            (vec![row(1, "430102", 1, "PRINCIPAL, 430102")], Some(1)),
            (vec![row(1, "430000", 1, city), row(2, "430102", 1, "PRINCIPAL")], Some(1)),
            // Who keeps the wider scope may make an exception; what is set above after it asks for more again.
            (vec![row(1, "430000", 1, city), row(2, "430102", 1, "PRINCIPAL, AUTHORITY")], Some(2)),
            (vec![row(1, "430102", 1, "PRINCIPAL/3, AUTHORITY"), row(2, "430000", 1, city)], Some(2)),
            (vec![row(1, "430102", 1, "PRINCIPAL, AUTHORITY, 430100, PROVINCE"), row(2, "430000", 1, city)], Some(1)),
            (vec![row(1, "430102", 1, city), row(2, "430102", 2, "")], None),
        ] {
            let found = holding(&STRICT, &rows, &scopes(school), Some(school), day(10)).expect("chains");
            assert_eq!(found.map(|row| row.recorded_at_us), held, "{rows:?}");
        }
    }

    #[test]
    fn a_chain_is_set_only_with_the_desks_that_the_kind_and_those_above_ask_for() {
        let set = [row(1, "430000", 1, "PRINCIPAL, AUTHORITY, CITY"), row(2, "430000", 20, "PRINCIPAL, AUTHORITY, PROVINCE")];
        let asked = |scope: &str, region: &str, from: u32, steps: &str, keeps: bool| {
            let chain = NewChain { kind: &STRICT, scope: scope.into(), region: region.into(), from_day: day(from), steps: steps.into(), reason: String::new() };
            wrong(&chain, &steps.parse().expect("a chain"), &set, |_| keeps).expect("chains")
        };
        for (scope, region, from, steps, keeps, why) in [
            ("", "", 5, "PRINCIPAL, AUTHORITY", false, ""),
            ("430000", "430000", 5, "PRINCIPAL, AUTHORITY", false, ""),
            ("430000", "430000", 5, "AUTHORITY NOTES", true, "必须经校长、学校主管部门审核"),
            ("430000", "430000", 5, "PRINCIPAL", true, "必须经学校主管部门审核"),
            ("430000", "430000", 5, "AUTHORITY, PRINCIPAL", true, "应依次经校长 → 学校主管部门审核"),
            ("430102", "430102", 5, "PRINCIPAL, AUTHORITY", false, "须经市级主管部门审核"),
            ("3643000001", "430102", 5, "PRINCIPAL, AUTHORITY", false, "须经市级主管部门审核"),
            ("3643000001", "430102", 5, "PRINCIPAL, AUTHORITY", true, ""),
            ("430102", "430102", 5, "PRINCIPAL, AUTHORITY, CITY", false, "自2026-10-20起须经省级主管部门审核"),
            ("430102", "430102", 5, "PRINCIPAL, AUTHORITY, CITY, PROVINCE", false, ""),
            ("430102", "430102", 20, "PRINCIPAL, AUTHORITY, PROVINCE", false, ""),
            ("440100", "440100", 5, "PRINCIPAL, AUTHORITY", false, ""),
            ("440100", "440100", 5, "PRINCIPAL, AUTHORITY, 430100", true, "没有隶属关系"),
            ("440000", "440000", 5, "PRINCIPAL, AUTHORITY, 440100", true, ""),
            ("440100", "440100", 5, "PRINCIPAL, AUTHORITY, 440000", true, ""),
        ] {
            let found = asked(scope, region, from, steps, keeps).unwrap_or_default();
            assert!(if why.is_empty() { found.is_empty() } else { found.contains(why) }, "{scope} {from} {steps}: {found}");
        }
    }

    #[test]
    fn what_was_set_from_above_for_a_scope_is_undone_from_above_alone() {
        let by = |region: &str, row: ChainRow| ChainRow { recorded_for: Some(region.into()), ..row };
        let strict = by("430000", row(1, "430102", 1, "PRINCIPAL, AUTHORITY, PROVINCE"));
        let asked = |set: &[ChainRow], steps: &str, keeper: &str| {
            let chain =
                NewChain { kind: &STRICT, scope: "430102".into(), region: "430102".into(), from_day: day(5), steps: steps.into(), reason: String::new() };
            let keeps = |region: &str| covers(keeper, region);
            if steps.is_empty() { undone(&chain, set, keeps) } else { wrong(&chain, &steps.parse().expect("a chain"), set, keeps).expect("chains") }
        };
        for (set, steps, keeper, why) in [
            (vec![strict.clone()], "PRINCIPAL, AUTHORITY", "430102", "自2026-10-01起须经省级主管部门审核"),
            (vec![strict.clone()], "", "430102", "由上级自2026-10-01起设定，本级不能取消"),
            (vec![strict.clone()], "PRINCIPAL, AUTHORITY, CITY, PROVINCE", "430102", ""),
            (vec![strict.clone()], "PRINCIPAL, AUTHORITY", "430000", ""),
            (vec![strict.clone()], "", "430000", ""),
            (vec![row(1, "430102", 1, "PRINCIPAL, AUTHORITY, PROVINCE")], "", "430102", ""),
            (vec![by("430102", row(1, "430102", 1, "PRINCIPAL, AUTHORITY, PROVINCE"))], "", "430102", ""),
            (vec![strict.clone(), by("430000", row(2, "430102", 2, ""))], "PRINCIPAL, AUTHORITY", "430102", ""),
            // What the scope added itself meanwhile undoes nothing.
            (vec![strict.clone(), by("430102", row(2, "430102", 2, "PRINCIPAL, AUTHORITY, CITY, PROVINCE"))], "PRINCIPAL, AUTHORITY", "430102", "省级主管部门"),
            (vec![strict.clone(), by("430102", row(2, "430102", 2, "PRINCIPAL, AUTHORITY, CITY, PROVINCE"))], "", "430102", "不能取消"),
            // What begins later holds from then on, whatever is set for the days before.
            (vec![strict, by("430000", row(2, "430102", 9, "PRINCIPAL, AUTHORITY"))], "PRINCIPAL, AUTHORITY", "430102", "省级主管部门"),
        ] {
            let found = asked(&set, steps, keeper).unwrap_or_default();
            assert!(if why.is_empty() { found.is_empty() } else { found.contains(why) }, "{set:?} {steps} {keeper}: {found}");
        }
    }
}

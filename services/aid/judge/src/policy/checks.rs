//! What is asked of a policy before it is taken: every fault is told with its place.

use std::collections::HashSet;

use toml::Spanned;
use xuezhu_domain::{
    Season, Term,
    codes::{self, Major},
    region,
    school::SchoolCode,
};

use super::{
    FIRST_TERM_YEAR,
    file::{Faults, File, NoticeRow, SchemeRow, SeasonRow},
    private::PrivateSchools,
    quota::Quota,
    scheme::{Ground, Rate, SchemeCode, Tier},
    sharing::Sharing,
};

/// Characters of a name, at most.
const NAME_CHARACTERS: usize = 60;
/// Schemes of a policy, and rates of a scheme, at most.
const ROWS: usize = 200;
/// Levels of government that share a cost, at most.
const SHARES: usize = 6;
/// Private schools of a list, at most.
const SCHOOLS: usize = 5_000;
/// Levels of hardship, at most.
const LEVELS: usize = 9;
/// Working days of a public notice: five are the least that the rules ask for.
const NOTICE_DAYS: std::ops::RangeInclusive<u32> = 5..=60;
/// Students of a quota, at most.
const PERSONS: u32 = 10_000_000;
/// Working days of grace, at most: a year's.
const GRACE: u32 = 250;
/// Years whose terms are tried: a leap year is among them, and three that are none.
const YEARS: std::ops::Range<i32> = FIRST_TERM_YEAR..FIRST_TERM_YEAR + 4;

/// Every fault of a policy.
pub(super) fn check(file: &File, faults: &mut Faults) {
    check_seasons(file, faults);
    check_areas(file, faults);
    check_majors(file, faults);
    check_hardship(file, faults);
    check_notices(file, faults);
    check_quotas(file, faults);
    check_sharings(file, faults);
    check_private(file, faults);
    if file.scheme.len() > ROWS {
        faults.at(0, format!("项目不能超过{ROWS}个"));
    }
    for scheme in &file.scheme {
        check_scheme(file, scheme, faults);
    }
    for code in SchemeCode::OF_STATE {
        if !file.scheme.iter().any(|scheme| scheme.code.get_ref() == code.as_str()) {
            faults.at(faults.text.len(), format!("缺少项目{}（[[scheme]] code = \"{0}\"）", code.as_str()));
        }
    }
}

/// Whether a text is the first digits of a region that there is or was, or all of them, or none. A province or city is its first digits: by
/// all six of them it would be the province or city alone, without what lies in it.
fn is_region(text: &str) -> bool {
    let digits = text.len() <= 6 && text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_digit());
    let by_all_six = text.len() == 6 && text.ends_with("00");
    digits && !by_all_six && (text.is_empty() || !region::spans(&format!("{text:0<6}")).is_empty())
}

/// What is said of one that is none.
fn no_region(text: &str) -> String {
    format!("“{text}”应为行政区划码的前2位（省）、前4位（市）或6位（县区）")
}

/// Whether a name can be shown: one line, not empty, not too long.
fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= NAME_CHARACTERS && !text.chars().any(char::is_control)
}

fn check_seasons(file: &File, faults: &mut Faults) {
    for season in [Season::Autumn, Season::Spring] {
        let name = if season == Season::Autumn { "AUTUMN（秋季）" } else { "SPRING（春季）" };
        if !file.season.iter().any(|row| row.get_ref().season == season && row.get_ref().region.is_empty()) {
            faults.at(faults.text.len(), format!("缺少{name}学期的日程（[[season]]，不写region的一行适用于所有地区）"));
        }
    }
    for (at, spanned) in file.season.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        if row.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if !is_region(&row.region) {
            faults.at(place, format!("region {}", no_region(&row.region)));
        }
        if file.season[..at].iter().map(Spanned::get_ref).any(|other| other.season == row.season && other.region == row.region) {
            faults.at(place, "同一地区同一学期的日程写了两次");
        }
        if let Some(fault) = YEARS.map(|year| Term::new(year, row.season)).find_map(|term| fault_of(row, term)) {
            faults.at(place, fault);
        }
    }
    if *file.grace.working_days.get_ref() > GRACE {
        faults.at(file.grace.working_days.span().start, format!("宽限不能超过{GRACE}个工作日"));
    }
}

/// What is wrong with the days of a term.
fn fault_of(row: &SeasonRow, term: Term) -> Option<&'static str> {
    let Some(days) = row.days(term) else {
        return Some("payment_months、count_day、due或lock不是每年都有的月份、日期（日期写作“09-30”）");
    };
    if days.months.windows(2).any(|pair| pair[0] >= pair[1]) {
        return Some("payment_months（发放月份）应按先后次序书写，不能重复");
    }
    if days.months.iter().any(|month| month.first_day() < term.first_day() || month.first_day() >= term.end()) {
        return Some("payment_months（发放月份）应在本学期以内：秋季8月至次年1月，春季2月至7月");
    }
    let (first, last) = (days.months[0].first_day(), days.months[days.months.len() - 1].first_day());
    if days.count_day < first || days.count_day > last {
        return Some("count_day（核定日）应在首个发放月份的第一天与末个发放月份的第一天之间");
    }
    if days.lock.is_some_and(|lock| lock < days.due || lock >= term.next().end()) {
        return Some("lock（名单锁定）应不早于due（名单期限）、在下一学期结束以前");
    }
    (days.due < first || days.due >= term.next().end()).then_some("due（名单期限）应在首个发放月份以后、下一学期结束以前")
}

fn check_areas(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.area.iter().enumerate() {
        let (area, place) = (spanned.get_ref(), spanned.span().start);
        if area.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if file.area[..at].iter().any(|other| other.get_ref().name == area.name) {
            faults.at(place, format!("地区名单“{}”写了两次", area.name));
        }
        if !is_name(&area.name) || area.codes.is_empty() {
            faults.at(place, "地区名单应有一行以内的名称（name）和行政区划码（codes）");
        }
        if let Some(wrong) = area.codes.iter().find(|code| code.is_empty() || !is_region(code)) {
            faults.at(place, no_region(wrong));
        }
    }
}

fn check_majors(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.major.iter().enumerate() {
        let (list, place) = (spanned.get_ref(), spanned.span().start);
        if list.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if file.major[..at].iter().any(|other| other.get_ref().name == list.name) {
            faults.at(place, format!("专业名单“{}”写了两次", list.name));
        }
        if !is_name(&list.name) || list.codes.is_empty() {
            faults.at(place, "专业名单应有一行以内的名称（name）和专业代码（codes）");
        }
        for (at, code) in list.codes.iter().enumerate() {
            match codes::major_of_key(code) {
                None => faults.at(place, format!("“{code}”不是专业目录中的代码，应写作“目录年份-代码”，如2021-750203")),
                Some(Major { catalogue, right: Some(right), name, .. }) => {
                    faults.at(place, format!("“{code}”（{name}）是已停用的代码，正确的代码是{catalogue}-{right}"));
                }
                Some(_) if list.codes[..at].contains(code) => faults.at(place, format!("专业“{code}”写了两次")),
                Some(_) => {}
            }
        }
    }
}

fn check_hardship(file: &File, faults: &mut Faults) {
    let Some(spanned) = &file.hardship else { return };
    let (hardship, place) = (spanned.get_ref(), spanned.span().start);
    if hardship.source.trim().is_empty() {
        faults.at(place, "source（文件依据）不能为空");
    }
    if hardship.papers_percent > 100 {
        faults.at(place, "抽查（papers_percent）是百分之几，不能超过100");
    }
    let levels = &hardship.levels;
    let repeats = levels.iter().enumerate().any(|(at, level)| levels[..at].contains(level));
    if levels.is_empty() || levels.len() > LEVELS || levels.iter().any(|level| !is_name(level)) || repeats {
        faults.at(place, format!("困难等级（levels）应从重到轻书写1至{LEVELS}个，名称不能为空，不能重复"));
    }
}

fn check_notices(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.notice.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        if row.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if !is_region(&row.region) {
            faults.at(place, format!("region {}", no_region(&row.region)));
        }
        if row.to.is_some_and(|to| to < row.from) {
            faults.at(place, "公示的to早于from");
        }
        if !NOTICE_DAYS.contains(&row.working_days) {
            faults.at(place, format!("公示（working_days）应为{}至{}个工作日", NOTICE_DAYS.start(), NOTICE_DAYS.end()));
        }
        let overlaps = |other: &NoticeRow| other.region == row.region && terms_meet((other.from, other.to), (row.from, row.to));
        if file.notice[..at].iter().any(|other| overlaps(other.get_ref())) {
            faults.at(place, "同一地区的公示规定学期重叠");
        }
    }
}

fn check_quotas(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.quota.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        let id = &row.id;
        let before = || file.quota[..at].iter().map(Spanned::get_ref);
        if row.source.trim().is_empty() {
            faults.at(place, format!("名额“{id}”的source（文件依据）不能为空"));
        }
        if !is_name(id) {
            faults.at(place, format!("名额应有一行以内的名称（id），不超过{NAME_CHARACTERS}个字"));
        }
        if before().any(|other| other.id == *id) {
            faults.at(place, format!("名额“{id}”写了两次"));
        }
        if !file.scheme.iter().any(|scheme| scheme.code.get_ref() == &row.scheme) {
            faults.at(place, format!("名额“{id}”的项目（scheme）“{}”没有写在[[scheme]]中", row.scheme));
        }
        if let Some(wrong) = row.regions.iter().find(|code| code.is_empty() || !is_region(code)) {
            faults.at(place, format!("名额“{id}”：{}", no_region(wrong)));
        }
        if row.each.digits().is_some_and(|digits| row.regions.iter().any(|region| region.len() > digits)) {
            faults.at(place, format!("名额“{id}”的regions小于它的范围（each）：给某地的名额，each应写该地或更小的范围"));
        }
        if row.base_without.contains(&Ground::Hardship) {
            faults.at(place, format!("名额“{id}”的base_without不能写HARDSHIP：基数按学籍数据核算"));
        }
        if row.to.is_some_and(|to| to < row.from) {
            faults.at(place, format!("名额“{id}”的to早于from"));
        }
        if row.percent.is_some() == row.persons.is_some() {
            faults.at(place, format!("名额“{id}”应写比例（percent）或人数（persons），写其中一个"));
        }
        if row.percent.is_some_and(|percent| percent > 100) || row.persons.is_some_and(|persons| persons > PERSONS) {
            faults.at(place, format!("名额“{id}”：比例（percent）不能超过100，人数（persons）不能超过{PERSONS}"));
        }
        if row.limits.is_empty() || row.limits.iter().any(|ground| row.base_without.contains(ground)) {
            faults.at(place, format!("名额“{id}”：limits（占名额的情形）至少写一种，不能又写在base_without（不计入基数的情形）里"));
        }
        let meets = |other: &Quota| {
            let terms = terms_meet((other.from, other.to), (row.from, row.to));
            other.scheme == row.scheme && other.each == row.each && terms && regions_meet(&other.regions, &row.regions)
        };
        if before().any(meets) {
            faults.at(place, format!("名额“{id}”与同一项目、同一范围（each）、同一地区的另一条学期重叠"));
        }
    }
}

/// Of which schemes, regions and terms a row is, and where it comes from: what rows of several kinds say alike.
struct About<'r> {
    what: &'static str,
    schemes: &'r [String],
    regions: &'r [String],
    terms: (Term, Option<Term>),
    source: &'r str,
}

impl<'r> About<'r> {
    fn sharing(row: &'r Sharing) -> Self {
        Self { what: "分担", schemes: &row.schemes, regions: &row.regions, terms: (row.from, row.to), source: &row.source }
    }

    fn private(row: &'r PrivateSchools) -> Self {
        Self { what: "民办学校名单", schemes: &row.schemes, regions: &row.regions, terms: (row.from, row.to), source: &row.source }
    }

    /// What is wrong with it, beside those of its kind that stand before it.
    fn check(&self, mut before: impl Iterator<Item = Self>, file: &File, place: usize, faults: &mut Faults) {
        let (what, (from, to)) = (self.what, self.terms);
        if self.source.trim().is_empty() {
            faults.at(place, "source（文件依据）不能为空");
        }
        if self.schemes.is_empty() {
            faults.at(place, format!("{what}的schemes至少写一个项目"));
        }
        if let Some(unknown) = self.schemes.iter().find(|code| !file.scheme.iter().any(|scheme| scheme.code.get_ref() == *code)) {
            faults.at(place, format!("{what}的项目（schemes）“{unknown}”没有写在[[scheme]]中"));
        }
        if let Some(wrong) = self.regions.iter().find(|code| code.is_empty() || !is_region(code)) {
            faults.at(place, no_region(wrong));
        }
        if to.is_some_and(|to| to < from) {
            faults.at(place, format!("{what}的to早于from"));
        }
        let meets = |other: &Self| {
            let of_one = other.schemes.iter().any(|scheme| self.schemes.contains(scheme));
            of_one && terms_meet(other.terms, self.terms) && regions_meet(other.regions, self.regions)
        };
        if before.any(|other| meets(&other)) {
            faults.at(place, format!("同一项目、同一地区的{what}学期重叠"));
        }
    }
}

fn check_sharings(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.sharing.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        About::sharing(row).check(file.sharing[..at].iter().map(|other| About::sharing(other.get_ref())), file, place, faults);
        let repeats = row.shares.iter().enumerate().any(|(at, share)| row.shares[..at].iter().any(|other| other.level == share.level));
        if row.shares.is_empty() || row.shares.len() > SHARES || row.shares.iter().any(|share| !is_name(&share.level)) || repeats {
            faults.at(place, format!("分担（shares）应从高到低写1至{SHARES}级，名称（level）不能为空，不能重复"));
        }
        if row.shares.iter().any(|share| share.percent > 100) || row.shares.iter().map(|share| share.percent).sum::<u32>() != 100 {
            faults.at(place, "分担的比例（percent）合计应为100");
        }
    }
}

fn check_private(file: &File, faults: &mut Faults) {
    for (at, spanned) in file.private.iter().enumerate() {
        let (row, place) = (spanned.get_ref(), spanned.span().start);
        About::private(row).check(file.private[..at].iter().map(|other| About::private(other.get_ref())), file, place, faults);
        if row.schools.len() > SCHOOLS {
            faults.at(place, format!("民办学校名单（schools）不能超过{SCHOOLS}所"));
        }
        // Told by where they stand: long numbers are masked in what is told.
        if let Some((at, why)) = row.schools.iter().zip(1..).find_map(|(code, at)| Some((at, code.parse::<SchoolCode>().err()?))) {
            faults.at(place, format!("民办学校名单（schools）中的第{at}个代码：{why}"));
        }
        let mut seen = HashSet::new();
        if let Some((_, at)) = row.schools.iter().zip(1..).find(|(code, _)| !seen.insert(code.as_str())) {
            faults.at(place, format!("民办学校名单（schools）中的第{at}个代码前面已经写过"));
        }
    }
}

/// Whether two spans of terms, each with its last or none, have a term in common.
fn terms_meet(a: (Term, Option<Term>), b: (Term, Option<Term>)) -> bool {
    b.1.is_none_or(|end| a.0 <= end) && a.1.is_none_or(|end| b.0 <= end)
}

/// Whether two rows, each for some regions or for all, are for one and the same.
fn regions_meet(a: &[String], b: &[String]) -> bool {
    (a.is_empty() && b.is_empty()) || a.iter().any(|region| b.contains(region))
}

fn check_scheme(file: &File, scheme: &SchemeRow, faults: &mut Faults) {
    let (code, at) = (scheme.code.get_ref().as_str(), scheme.code.span().start);
    if !SchemeCode::is_name(code) {
        faults.at(at, format!("“{code}”不是项目代码：应为大写字母开头，由大写字母、数字和下划线组成，不超过40个字符"));
    }
    if file.scheme.iter().filter(|other| other.code.get_ref() == code || other.name == scheme.name).count() > 1 {
        faults.at(at, format!("项目{code}（{}）的代码或名称写了两次", scheme.name));
    }
    if !is_name(&scheme.name) {
        faults.at(at, format!("项目{code}应有一行以内的名称（name），不超过{NAME_CHARACTERS}个字"));
    }
    if scheme.rate.is_empty() || scheme.rate.len() > ROWS {
        faults.at(at, format!("项目{code}的标准（[[scheme.rate]]）应有1至{ROWS}条"));
    }
    let of_state = SchemeCode::OF_STATE.into_iter().find(|known| known.as_str() == code);
    if of_state.and_then(SchemeCode::paid_by_state).is_some_and(|paid| paid != scheme.paid) {
        faults.at(at, format!("项目{code}的paid（按月或按学期）不能改变"));
    }
    for spanned in &scheme.rate {
        let (rate, place) = (spanned.get_ref(), spanned.span().start);
        check_rate(file, rate, place, faults);
        let overlaps =
            |other: &Rate| other.region == rate.region && other.from <= rate.from && other.to.is_none_or(|to| rate.from <= to) && !std::ptr::eq(other, rate);
        if scheme.rate.iter().map(Spanned::get_ref).any(overlaps) {
            faults.at(place, format!("标准“{}”与同一地区的另一条标准学期重叠", rate.id));
        }
        if scheme.rate.iter().filter(|other| other.get_ref().id == rate.id).count() > 1 {
            faults.at(place, format!("标准“{}”写了两次", rate.id));
        }
    }
}

fn check_rate(file: &File, rate: &Rate, place: usize, faults: &mut Faults) {
    let id = &rate.id;
    if rate.source.trim().is_empty() {
        faults.at(place, format!("标准“{id}”的source（文件依据）不能为空"));
    }
    if !is_name(id) {
        faults.at(place, format!("标准应有一行以内的名称（id），不超过{NAME_CHARACTERS}个字"));
    }
    if !is_region(&rate.region) {
        faults.at(place, format!("标准“{id}”的region {}", no_region(&rate.region)));
    }
    if rate.to.is_some_and(|to| to < rate.from) {
        faults.at(place, format!("标准“{id}”的to早于from"));
    }
    if rate.grades[0] < 1 || rate.grades[1] < rate.grades[0] {
        faults.at(place, format!("标准“{id}”的grades（年级）应为从小到大的两个数"));
    }
    if rate.tiers.is_empty() || rate.tiers.windows(2).any(|pair| pair[0].yuan >= pair[1].yuan) {
        faults.at(place, format!("标准“{id}”的tiers（档次）应从低到高书写，至少一档"));
    }
    if rate.tiers.iter().enumerate().any(|(at, tier)| !is_name(&tier.name) || rate.tiers[..at].iter().any(|other| other.name == tier.name)) {
        faults.at(place, format!("标准“{id}”的档次名称不能为空，不能重复"));
    }
    if rate.tiers.first().is_some_and(Tier::is_for_some) {
        faults.at(place, format!("标准“{id}”的最低一档应不限对象：不写levels和grounds"));
    }
    let levels = file.hardship.as_ref().map_or(&[][..], |hardship| &hardship.get_ref().levels);
    if let Some(unknown) = rate.tiers.iter().flat_map(|tier| &tier.levels).find(|level| !levels.contains(level)) {
        faults.at(place, format!("标准“{id}”：档次所限的困难等级“{unknown}”没有写在[hardship]中"));
    }
    if let Some(other) = rate.tiers.iter().flat_map(|tier| &tier.grounds).find(|ground| !rate.entitles.contains(ground)) {
        faults.at(place, format!("标准“{id}”：档次所限的情形“{}”不在entitles中", other.name()));
    }
    if !(1..=12).contains(&rate.months_a_year) {
        faults.at(place, format!("标准“{id}”的months_a_year（一年分几个月）应为1至12"));
    } else if rate.tiers.iter().any(|tier| tier.yuan < 1 || tier.yuan > 1_000_000 || (tier.yuan * 100) % rate.months_a_year != 0) {
        faults.at(place, format!("标准“{id}”的金额应为正数，每月应为整分：yuan除以months_a_year"));
    }
    if let Some(unknown) = rate.areas.iter().find(|name| !file.area.iter().any(|area| area.get_ref().name == **name)) {
        faults.at(place, format!("标准“{id}”引用的地区名单“{unknown}”没有写在[[area]]中"));
    }
    if rate.entitles.contains(&Ground::Hardship) && file.hardship.is_none() {
        faults.at(place, format!("标准“{id}”：entitles写了HARDSHIP的，应写明困难等级（[hardship]）"));
    }
    if rate.entitles.contains(&Ground::SpecialArea) == rate.areas.is_empty() {
        faults.at(place, format!("标准“{id}”：entitles写了SPECIAL_AREA的，应写areas（地区名单）；没有写的，不应写areas"));
    }
    if let Some(unknown) = rate.majors.iter().find(|name| !file.major.iter().any(|list| list.get_ref().name == **name)) {
        faults.at(place, format!("标准“{id}”引用的专业名单“{unknown}”没有写在[[major]]中"));
    }
    if rate.entitles.contains(&Ground::ListedMajor) == rate.majors.is_empty() {
        faults.at(place, format!("标准“{id}”：entitles写了LISTED_MAJOR的，应写majors（专业名单）；没有写的，不应写majors"));
    }
}

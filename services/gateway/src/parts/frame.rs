//! What stands around every page: the way to everything, with how much waits, and who is logged in.

use super::Tone;
use crate::pages::{Desk, session::User};

/// A part of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What waits for whom.
    Tasks,
    /// Students.
    Roll,
    /// Aid.
    Aid,
    /// Where both do not agree.
    Flags,
    /// How a region stands.
    Counts,
    /// What is set.
    Settings,
}

/// A page that the frame leads to.
#[derive(Debug)]
pub struct Way {
    /// Under which part it stands.
    pub section: Section,
    /// Where it is.
    pub path: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// Who is led there.
    may: fn(&User) -> bool,
}

const fn way(section: Section, path: &'static str, label: &'static str, may: fn(&User) -> bool) -> Way {
    Way { section, path, label, may }
}

fn all(_: &User) -> bool {
    true
}

/// Whoever has to do with students and their business: an administrator keeps schools and accounts, and reads no student.
fn works(user: &User) -> bool {
    user.reads_school()
}

/// Whoever sees lists and money.
fn pays(user: &User) -> bool {
    user.reads_school() || user.is_finance()
}

/// Whoever reads of families: where hardship is determined and audited.
fn families(user: &User) -> bool {
    keeps_school(user) || user.decides_aid()
}

/// Whoever sees classes: a school's own people.
fn teaches(user: &User) -> bool {
    user.is_school() && !user.is_finance()
}

/// Whoever counts for a region.
fn counts(user: &User) -> bool {
    user.decides_aid() || user.only_reads()
}

/// Whoever draws up a school's list of omissions, signs it, or counts them for a region.
fn omits(user: &User) -> bool {
    keeps_school(user) || counts(user)
}

/// Whoever sees award lists, of a school or of a region.
fn pays_here(user: &User) -> bool {
    (user.is_school() && !user.is_teacher()) || sums(user)
}

/// Whoever sums up a region, signs that, or pays by it.
fn sums(user: &User) -> bool {
    counts(user) || (user.is_finance() && !user.is_school())
}

/// Whoever works at a school, and sees more than a class.
fn keeps_school(user: &User) -> bool {
    user.is_school() && user.reads_school()
}

/// Every way, in its order; the first of a part is the part's own.
pub const WAYS: [Way; 33] = [
    way(Section::Tasks, "/", "待办", works),
    way(Section::Roll, "/students", "学生", works),
    way(Section::Roll, "/classes", "班级", teaches),
    way(Section::Roll, "/import", "导入学生", User::is_clerk),
    way(Section::Roll, "/imports", "导入记录", keeps_school),
    way(Section::Roll, "/dossiers?keeper=enrollment", "学籍业务单", works),
    way(Section::Aid, "/lists", "资助名单", pays),
    way(Section::Aid, "/hardship", "困难认定", keeps_school),
    way(Section::Aid, "/groups", "特殊群体", User::decides_aid),
    way(Section::Aid, "/statements", "申请与放弃", keeps_school),
    way(Section::Aid, "/omissions", "漏报清单", omits),
    way(Section::Aid, "/dossiers?keeper=aid", "资助业务单", works),
    way(Section::Aid, "/objections", "公示异议", families),
    way(Section::Aid, "/quotas", "资助名额", counts),
    way(Section::Aid, "/policies", "资助政策", pays),
    way(Section::Aid, "/double", "重复审核的月份", works),
    way(Section::Flags, "/flags", "疑点", works),
    way(Section::Flags, "/cases", "问题台账", works),
    way(Section::Flags, "/rules", "疑点规则", works),
    way(Section::Flags, "/forgotten", "被遗忘的学籍记录", works),
    way(Section::Counts, "/overview", "统计", counts),
    way(Section::Counts, "/numbers", "名单统计", pays_here),
    way(Section::Counts, "/summaries", "学期汇总表", sums),
    way(Section::Settings, "/schools", "学校", User::is_admin),
    way(Section::Settings, "/accounts", "账号", User::is_admin),
    way(Section::Settings, "/accounts/unconfirmed", "待确认账号", User::confirms_accounts),
    way(Section::Settings, "/chains", "审核环节", User::is_admin),
    way(Section::Settings, "/deputies", "校长委托", keeps_school),
    way(Section::Settings, "/audit", "审计记录", User::is_auditor),
    way(Section::Settings, "/takeOuts", "导出记录", works),
    way(Section::Settings, "/password", "修改密码", all),
    way(Section::Settings, "/security", "登录安全", all),
    way(Section::Settings, "/about/parts", "页面部件", User::is_admin),
];

impl Section {
    /// Every part, in its order.
    pub const ALL: [Self; 6] = [Self::Tasks, Self::Roll, Self::Aid, Self::Flags, Self::Counts, Self::Settings];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tasks => "待办",
            Self::Roll => "学籍",
            Self::Aid => "资助",
            Self::Flags => "疑点",
            Self::Counts => "统计",
            Self::Settings => "设置",
        }
    }

    /// Its pages, for whoever looks.
    pub fn ways(self, user: &User) -> Vec<&'static Way> {
        WAYS.iter().filter(|way| way.section == self && (way.may)(user)).collect()
    }
}

/// A part, as the frame shows it.
#[derive(Debug, Clone)]
pub struct Tab {
    /// Which.
    pub section: Section,
    /// Where it begins.
    pub path: &'static str,
    /// How much of it waits for whoever looks.
    pub waiting: i32,
    /// What that means.
    pub tone: Tone,
    /// Whether this page stands in it.
    pub is_here: bool,
}

/// In which part a page stands, by where it is: the longest way that it begins with, unless it is of a school's students or lists.
pub fn section_of(path: &str, query: &str) -> Section {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts[..] {
        ["" | "search"] => return Section::Tasks,
        ["schools", _, "enrollments" | "submissions" | "imports", ..] | ["dossiers", "enrollment", ..] => return Section::Roll,
        ["schools", _, "lists" | "hardship" | "notices" | "statements" | "omissions", ..] | ["dossiers", "aid", ..] => return Section::Aid,
        ["causes", ..] => return Section::Flags,
        ["schools", _, "inspection" | "headCount"] => return Section::Counts,
        _ => {}
    }
    let whole = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let leads = |way: &&Way| if way.path.contains('?') { whole.starts_with(way.path) } else { way.path != "/" && is_under(path, way.path) };
    match (WAYS.iter().filter(leads).max_by_key(|way| way.path.len()), parts.first()) {
        (Some(way), _) => way.section,
        (None, Some(&"dossiers")) => Section::Roll,
        (None, _) => Section::Settings,
    }
}

fn is_under(path: &str, way: &str) -> bool {
    path.strip_prefix(way).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Desk {
    /// The parts, for whoever looks.
    pub fn tabs(&self) -> Vec<Tab> {
        let here = self.section();
        let tab = |section: Section| {
            let path = section.ways(&self.user).first()?.path;
            let (waiting, tone) = match section {
                Section::Tasks => (self.waits.tasks, Tone::Wait),
                Section::Flags => (self.waits.flags, Tone::Bad),
                Section::Roll | Section::Aid | Section::Counts | Section::Settings => (0, Tone::Plain),
            };
            Some(Tab { section, path, waiting, tone, is_here: section == here })
        };
        Section::ALL.into_iter().filter_map(tab).collect()
    }

    /// The pages of the part in which this one stands, each with whether it is this.
    pub fn ways(&self) -> Vec<(&'static Way, bool)> {
        let here = self.here.to_string();
        let ways = self.section().ways(&self.user);
        let is_here = |way: &Way| if way.path.contains('?') { here.starts_with(way.path) } else { self.here.path() == way.path };
        if ways.len() < 2 { Vec::new() } else { ways.into_iter().map(|way| (way, is_here(way))).collect() }
    }

    fn section(&self) -> Section {
        let here = self.here.to_string();
        section_of(self.here.path(), here.split_once('?').map_or("", |(_, query)| query))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_stands_in_a_part() {
        for (path, query, section) in [
            ("/", "", Section::Tasks),
            ("/students", "class=1", Section::Roll),
            ("/students/4f", "", Section::Roll),
            ("/schools/3643000001/enrollments/4f", "", Section::Roll),
            ("/schools/3643000001/lists/4f/candidates", "", Section::Aid),
            ("/schools/3643000001/lists/4f", "", Section::Aid),
            ("/schools/3643000001", "", Section::Settings),
            ("/dossiers", "keeper=enrollment&state=DONE", Section::Roll),
            ("/dossiers", "keeper=aid", Section::Aid),
            ("/dossiers/enrollment/4f", "", Section::Roll),
            ("/flags/decide", "", Section::Flags),
            ("/cases/4f", "", Section::Flags),
            ("/overview", "region=430100", Section::Counts),
            ("/accountImports/4f", "", Section::Settings),
        ] {
            assert_eq!(section_of(path, query), section, "{path}?{query}");
        }
    }
}

//! What each page is for, and what comes next for whoever looks: a table, shown folded on the page itself.

use crate::pages::{Desk, session::User};

/// What is said on a page.
#[derive(Debug)]
pub struct Help {
    /// The page: `*` stands for one part of its path.
    page: &'static str,
    /// For whom.
    whom: fn(&User) -> bool,
    /// What is said.
    lines: &'static [&'static str],
}

const fn help(page: &'static str, whom: fn(&User) -> bool, lines: &'static [&'static str]) -> Help {
    Help { page, whom, lines }
}

fn all(_: &User) -> bool {
    true
}

fn signs(user: &User) -> bool {
    user.is_principal() || user.is_officer()
}

/// Every page, in the order in which people meet them.
pub const HELP: [Help; 76] = [
    help("/", all, &["“等我办理”是轮到您的事，点“办理”打开；“在办业务”是已经交给别人的，可以看到等谁、等到哪天。顶上的数字是轮到您的件数。"]),
    help("/", User::is_clerk, &["平常的次序：导入学生 → 预览并写入 → 提交给校长 → 校长和主管部门审签 → 建资助名单 → 提交。"]),
    help("/", User::is_head, &["打开要审签的业务单，先看各班人数（旁边是同班上学期的）和名单，再签；有问题的学生勾选后退回。"]),
    help("/", User::is_officer, &["“下级超期”是下一级超过期限没有办理的，请督促，办理仍由下级进行。"]),
    help("/students", all, &["上面按班级、状态筛选，地址可以收藏和转发；按姓名或号码查找的内容不会出现在地址里。点表头可以换次序。"]),
    help("/students", User::is_clerk, &["新生用“导入学生”成批录入。草稿提交后由校长签核、主管部门审核，批准后才算在籍。"]),
    help("/students/*", all, &["上一行是学籍，下一行是资助，按月对齐：有资助而没有在读的月份，就是疑点所在。"]),
    help("/schools/*/enrollments/*", all, &["这一页是一名学生的全部学籍。批准以后，异动逐条登记，原来的记录不会被改写。"]),
    help("/schools/*/enrollments/*", User::is_clerk, &["草稿可以改、可以删；已批准的，休学、复学、退学、调班、转专业在本页登记，姓名和证件号由主管部门更正。"]),
    help("/schools/*/enrollments/*", User::is_officer, &["更正姓名、证件号要有依据；“某日的学籍”可以查当时登记的是什么，用于核对以前的审批。"]),
    help("/import", all, &["先下载空白模板，照样填写；上传后先预览，确认了才写入。有问题的行不影响其他行，可以下载标注好的文件改了再传。"]),
    help("/imports", all, &["每一次上传都在这里：谁传的、写入了几行、哪几行没有写入。传错了的，30天内还没有提交的可以撤回。"]),
    help("/classes", all, &["按今天的学籍列出每个班的人数、班主任，以及班主任最近一次核对。"]),
    help("/classes", User::is_clerk, &["班主任说明“名单有误”的，打开班级看说明，在学生页办理调班、休学或退学，办完请班主任重新核对。"]),
    help("/classes/one", all, &["“本班资助”列出谁在哪份名单上、走到哪一步，供班主任提醒学生补申请、答疑；困难等级和家庭情况不在这里。"]),
    help("/classes/one", User::is_teacher, &["一人一人核对：都在班里的，点确认；有不在的、多出来的，写明是谁，学校经办人会看到。"]),
    help("/lists", all, &["每个项目每学期一份主名单。提交以后再有学生，列入补充名单。"]),
    help("/lists", User::is_clerk, &["“打开或新建”之后，可以让系统按学籍列出谁符合条件，也可以上传名单文件。"]),
    help("/schools/*/lists/*", all, &["有疑点的学生暂缓发放：学校说明，主管部门核定；排除后才能审核。签过的名单不再改动，要改的走更正。"]),
    help(
        "/schools/*/lists/*",
        User::is_clerk,
        &["被退回的学生：点“修改”改月份、档次、银行卡号，保存后是草稿；内容无误的，勾选后原样转为草稿；再提交。不该列入的移出。"],
    ),
    help("/schools/*/lists/*", signs, &["签核和审核都按名单摘要进行：内容有变化，要重新查看再签。"]),
    help(
        "/schools/*/lists/*/candidates",
        all,
        &[
            "系统按学籍和名单建立时的那一版政策逐人判断。政策换了版本而名单上已有学生的，先移出学生再打开名单，就按新的一版。不建议列入的也写明原因；不同意的，先改正学籍。可以只列入勾选的，也可以按班全部列入。",
        ],
    ),
    help("/schools/*/lists/*/entries/*", all, &["草稿和被退回的可以改月份、档次、银行卡号和备注；改动按名单文件同样的规则检查。姓名有误的先改正学籍。"]),
    help("/dossiers", all, &["每一次提交是一张业务单，走到哪一级、谁在哪天签的、签的是什么，办结以后也一直可以查到。"]),
    help("/dossiers/*/*", all, &["“环节”是这张单要经过谁；“名单”是提交时的内容；“经过”是每一步的人和时间。"]),
    help("/dossiers/*/*", User::is_clerk, &["校长签核以前可以整单撤回修改；超过期限可以催办，每天一次。"]),
    help(
        "/dossiers/*/*",
        signs,
        &["签之前先看“请特别留意”和各班人数：旁边是同一个班上学期的人数。点班级只看这个班。退回：请学校改好再报；不予通过：不同意这一项。"],
    ),
    help("/dossiers/*/*/print", all, &["用浏览器的打印；每页都有标题、摘要和页码，末尾留有签字盖章处，供存档。"]),
    help("/flags", all, &["每条疑点是名单与学籍对不上的一处，按原因归在一起。没有核定以前，所列月份暂缓发放。"]),
    help("/flags", User::is_school, &["打开一个原因，可以一起说明；要先办学籍（补办复学、更正身份等）的，办完后疑点会自行关闭。"]),
    help("/flags", User::is_officer, &["可以按原因一起核定，也可以勾选若干条；认定为问题的列入台账，排除的可以审核发放。"]),
    help("/flags/*", all, &["左边是名单怎么写，右边是学籍怎么写，不同的字标了出来；“下一步”写着谁该做什么。"]),
    help("/flags/*", User::is_officer, &["学校看不到其他学校的情况：点“与学校看到的并排”，可以知道学校那边显示的是什么。"]),
    help("/cases", all, &["认定为问题的都在这里：追回了没有、谁负责，逐条登记，长期留存。"]),
    help("/cases/*", all, &["处理结果由主管部门登记，可以附上退款回单等材料。"]),
    help("/forgotten", all, &["学籍系统从备份恢复以后，比备份新的记录会被遗忘：这里列出是哪些，由主管部门核定或由学校重新登记。"]),
    help("/double", all, &["升级以前同一月份审核通过两次的，先录入的有效；这里列出重复的，供核对和追回。"]),
    help("/overview", all, &["每格是在该环节等待的人数，逾期的标出天数；地区可以逐级打开，直到学校。"]),
    help("/takeOuts", all, &["谁在什么时候为什么导出了哪张表。文件上印有编号，查到外传的可以对上这里的一条。"]),
    help(
        "/audit",
        all,
        &["默认显示最近30天、从新到旧。查记录本身也会留下记录。“未准许”是有人想办而没有办成的：看来源地址、学校和文件摘要，相同的摘要就是同一份文件。"],
    ),
    help("/audit", all, &["“已进入”“未准许”按设定保存至少六个月，其余与业务同样长久。提示记录被截断时，请运维人员在服务器上运行核查命令。"]),
    help("/deputies", all, &["校长外出时委托一名经办人在一段日期内代签；本人提交的，仍不能由本人签。"]),
    help(
        "/schools",
        User::is_admin,
        &["先登记学校，再为实名人员开账号。名称、电话、专业、主管部门的变动在学校页办理，都留有记录。主管部门的电话登记在本页下方，学校在“在办业务”里看得到。"],
    ),
    help("/security", all, &["动态码只在您自己的手机里，管理员也看不到。换手机前先在这里更换；恢复码请与手机分开保管。"]),
    help(
        "/accounts/unconfirmed",
        User::confirms_accounts,
        &["两人制：开账号的人不能自己确认。确认的意思是：确有其人，岗位、单位都对。不认识的先打电话问清楚，不要代人确认。"],
    ),
    help("/accounts", User::is_admin, &["一人一号。离岗的及时停用；忘记密码的重置，一次性密码只显示一次。"]),
    help("/policies", all, &["名单按建立时生效的那一版政策办理，以后也不变；新的一版只管它生效以后建立的名单。"]),
    help("/policies", User::decides_aid, &["由管辖全部学校的主管部门拟订，本部门另一人审核；生效日期应在今天以后。写得不对的，会指出第几行。"]),
    help("/policies/*", all, &["上面是按行读出来的标准和日程，与上一版不同的另列一表；下面是原文。"]),
    help("/policies/*", User::decides_aid, &["审核之前先试算：哪些学校、哪些学生、多少钱会不同；点学校名称可以看到学生。"]),
    help("/schools/*/hardship", all, &["每学年认定一次；学生情况变好的，录入“不再困难”。认定生效或终止时，有关名单随即重新核对。"]),
    help("/schools/*/hardship", User::is_clerk, &["先选班级，再选学生录入；都录好了，一起提交给校长签核。被退回的改好后重新录入、提交。"]),
    help("/schools/*/hardship", User::is_school, &["“请找下列学生谈话”：点“录入”带出学生和类别；谈过而不需要的，在“申请与放弃”登记自愿放弃。"]),
    help(
        "/groups",
        all,
        &[
            "“没有等级”的学生由所在学校谈话、认定。“在校学生”是名单上在辖区学校就读的；在外地就读、或姓名与证件号同学籍不一致的找不到。列错的，在“有效期至”填“停止”再上传。",
        ],
    ),
    help("/schools/*/hardship/*", all, &["家庭经济信息只为认定而收集，查看记入审计。改变等级的，重新录入一条，原来的一条不改。"]),
    help("/schools/*/notices/*", all, &["按政策公示够工作日才能往下办。只公示姓名、年级、专业、班级；退回的学生自动撤下，改好再报的另行公示。"]),
    help("/schools/*/notices/*", User::is_clerk, &["逐班打印张贴，张贴到期满的次日。要在网上公示的，点“同时在网上公示”，把链接发给学生和家长。"]),
    help("/schools/*/inspection", all, &["打印出来带到学校：一行一个年级，右边空着的填现场清点的人数。“本校学籍中没有”的是列入名单而查不到学籍的。"]),
    help(
        "/schools/*/headCount",
        all,
        &["学籍系统每晚清点一次，资助系统按同一时点的数据核对；人数不一致的列为疑点，不影响发放。当天有变动的，等下一次清点再比。"],
    ),
    help("/rules", all, &["“暂缓发放”的，核定以前不能审核通过；“不影响发放”的只作提示。"]),
    help("/rules/*", all, &["按名单走到哪一步、由谁来看，列出该做什么；打开一条疑点时，页面上说的就是这里的话。"]),
    help("/schools/*/statements", all, &["先选学期和项目，再点班级。学期中离校的也在离校时的班里，离校以前的月份同样要有申请。"]),
    help("/schools/*/statements", User::is_clerk, &["全班都交了的，点“本班未登记的都已申请”；个别不要的，勾选后登记自愿放弃。登错的点撤销。"]),
    help("/omissions", all, &["名单锁定前十天起，各校校长应签一份漏报清单：应列入而未列入的学生，逐人写明原因；没有漏报的也要签。"]),
    help("/schools/*/omissions", all, &["清单按当前的“应助未助”疑点和自愿放弃的登记生成。能补报的尽量在锁定以前补报，补报以后重新生成。"]),
    help("/schools/*/omissions", User::is_clerk, &["逐人（可多选）填原因，全部填好再提交校长签字；提交后又有漏报的，校长签字时会提示重新生成。"]),
    help("/numbers", all, &["先选学期、项目，再选按什么统计。“已审核（月或学期）”扣除了更正和另一名单已有的月份。"]),
    help(
        "/summaries",
        all,
        &[
            "名单审核（按政策要求公示的，公示期满）以后列入。“暂不能发放”的（有疑点未核定、申请停发、公示中或有异议）和“待签核或审核”的不在数内，办完后另出一份。",
        ],
    ),
    help("/summaries", User::decides_aid, &["核对“现在的数”，再提交负责人签字；提交以后审核结果有变化的，负责人不能签，退回后重新提交。"]),
    help("/summaries/*", all, &["一行是一所学校的一个项目。与上一份签字的相差，就是这一份要补拨或扣回的。"]),
    help("/", User::only_reads, &["“等我办理”是要由负责人签字的，如学期汇总表；“在办业务”是审核人在办的，可以看，不用签。"]),
    help("/quotas", all, &["审核时先按困难等级从重到轻、再按名单上显示的次序，名额以内的通过，超出的冻结为“超过名额”；有学生更正作废的，名额随即空出。"]),
    help("/quotas", User::decides_aid, &["基数每天第一次用到时核算一次；当天学籍有较大变动的，在名单页点“重新核算基数”。名额本身由资助政策规定。"]),
    help("/objections", all, &["异议由学校答复，主管部门核定。核定以前不能签核；可以先把涉及的学生退回，其余的照常办理，改好以后列入补充名单。"]),
    help("/objections", User::decides_aid, &["异议人只有主管部门能看到。成立的，请校长或本部门把该生退回；不成立的，写明理由，名单照常办理。"]),
    help("/chains", User::is_admin, &["不另设的，按默认环节办理。新设的从起始日起提交的业务单适用，在办的不变。"]),
];

/// Whether a page is the one that a pattern means.
fn is_page(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    pattern.len() == path.len() && pattern.iter().zip(path).all(|(part, own)| *part == own || *part == "*" && !own.is_empty())
}

impl Desk {
    /// What is said on this page to whoever looks.
    pub fn help(&self) -> Vec<&'static str> {
        let path = self.here.path();
        HELP.iter().filter(|help| is_page(help.page, path) && (help.whom)(&self.user)).flat_map(|help| help.lines).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_parts() {
        for (pattern, path, is) in [
            ("/", "/", true),
            ("/students", "/students", true),
            ("/students/*", "/students", false),
            ("/students/*", "/students/4f", true),
            ("/students/*", "/students/", false),
            ("/schools/*/lists/*", "/schools/1/lists/2", true),
            ("/schools/*/lists/*", "/schools/1/lists/2/candidates", false),
            ("/schools/*/lists/*", "/schools/1/imports/2", false),
        ] {
            assert_eq!(is_page(pattern, path), is, "{pattern} {path}");
        }
    }
}

//! What a flag asks of whoever looks at it: one table of rule × where the entry stands × who looks. Every text of a flag's page that says
//! what to do comes from here, so that no two can say contrary things: what can't be edited, nobody is told to edit.

use xuezhu_proto::aid::{Flag, award_entry, flag};

/// Where the entry stands that a flag is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// With the school's clerk, who may edit it: a draft, or sent back.
    WithClerk,
    /// Submitted: the principal may send it back.
    Submitted,
    /// Attested: the department may send it back.
    Attested,
    /// Approved: the list keeps what was signed.
    Approved,
    /// There is none: a student who is on no list.
    Missing,
    /// There is none: it is about a school as a whole.
    School,
}

impl Stands {
    /// Everywhere that an entry may stand.
    #[cfg(test)]
    const ALL: [Self; 6] = [Self::WithClerk, Self::Submitted, Self::Attested, Self::Approved, Self::Missing, Self::School];

    /// As a flag tells it. What was removed is like what is missing: nothing is there to be edited.
    pub fn of(flag: &Flag) -> Self {
        use award_entry::State as E;
        match flag.entry_state() {
            _ if flag.rule == "HEADCOUNT_DIFFERS" => Self::School,
            E::Draft | E::SentBack => Self::WithClerk,
            E::Submitted => Self::Submitted,
            E::Attested => Self::Attested,
            E::Approved => Self::Approved,
            E::Unspecified => Self::Missing,
        }
    }
}

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looks {
    /// The school's clerk.
    Clerk,
    /// The school's principal.
    Principal,
    /// An officer of the department that decides.
    Officer,
    /// Anybody else who may see it.
    Other,
}

impl Looks {
    /// Everybody who may look.
    #[cfg(test)]
    const ALL: [Self; 4] = [Self::Clerk, Self::Principal, Self::Officer, Self::Other];
}

/// A lawful act that may mend a flag, as a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Take the entry off the list.
    Remove,
    /// Upload the list again, corrected.
    Upload,
    /// Register the student.
    Register,
    /// Open a list on which the student is entered late.
    Supplement,
    /// Send the entry back.
    SendBack,
    /// Record a return from leave, or another change of status.
    ChangeStatus,
    /// Correct the identity.
    CorrectIdentity,
    /// Determine a hardship.
    Hardship,
    /// Look at the list, where a correction is asked for.
    OpenList,
    /// Look at both counts of the school, and count again.
    Count,
    /// Record what the student signed.
    Statement,
}

/// What is advised about a flag by: its rule, or what of that rule wants advice of its own.
pub fn about(flag: &Flag) -> &str {
    let first = flag.evidence.as_ref().and_then(|evidence| evidence.excluded.first());
    if first.is_some_and(|excluded| excluded.reason == SCHOOL) { SCHOOL } else { &flag.rule }
}

/// That a student's school is private, and not on the list of those that may be given aid.
const SCHOOL: &str = "SCHOOL_NOT_LISTED";

/// What a rule found, in one sentence.
pub fn finding(rule: &str) -> &'static str {
    match rule {
        "NO_ENROLLMENT" => "本校没有该证件号的学籍（含已提交待审的），其他学校也没有有效学籍。",
        "NOT_YET_REGISTERED" => "本校已提交学籍，主管部门尚未批准。",
        "NOT_VALID_IN_TERM" => "在本校有学籍，但所列月份处于休学、退学等不享受资助的状态。",
        "OTHER_SCHOOL" => "所列月份该生在另一所学校有效就读。",
        "IDENTITY_MISMATCH" => "证件号相同，但姓名、性别或出生日期从来不是该生的。",
        "IDENTITY_UNVERIFIED" => "人口库查无此号，或姓名与人口库不一致。",
        "DUPLICATE_AWARD" => "同一学生同一项目同一月份列了不止一次。",
        "MISSING_AWARD" => "按现有信息应当享受，名单上报期限已过，却不在本校任何已提交的名单上。",
        "NOT_ELIGIBLE" => "在本校在读，但按名单所依的政策，所列月份不享受该项目。",
        SCHOOL => "学校是民办学校，不在名单所依政策的民办学校名单上，学生不享受该项目。",
        "OVER_RATE" => "所列档次高于该生可以享受的最高档次，或者金额高于政策的标准。",
        "OVER_QUOTA" => "享受人数已达到政策规定的名额，该生排在名额以外。",
        "PAYEE_MISMATCH" => "资助卡不是该生本人的，或者一卡列给几人，或者不是银行卡号。",
        "FILE_INCOMPLETE" => "名单已签核，但没有登记该生本人签名的书面材料，或者该生已书面放弃。",
        "HEADCOUNT_DIFFERS" => "学籍系统清点的人数，与资助系统按同一时点数据清点的不一致。",
        _ => "",
    }
}

/// What is looked up beside the list, and mended in the roll.
fn beside(rule: &str) -> &'static str {
    match rule {
        "NO_ENROLLMENT" => "核对证件号；确系本校学生的，办理学籍注册",
        "NOT_YET_REGISTERED" => "等待主管部门批准学籍，批准后自动关闭",
        "NOT_VALID_IN_TERM" => "核对学籍异动；学生实际在读的，补办复学等异动",
        "OTHER_SCHOOL" => "核实学生去向；学籍有误的，先改正学籍",
        "IDENTITY_MISMATCH" => "对照证件；学籍登记有误的，由主管部门办理信息变更",
        "IDENTITY_UNVERIFIED" => "核对户口簿；登记有误的，由主管部门更正后重新核验",
        "DUPLICATE_AWARD" => "核对相重的其他记录",
        "MISSING_AWARD" => "核对该生是否应当享受",
        "NOT_ELIGIBLE" => "核对专业、户口等学籍信息，有误的先更正；家庭经济困难的，办理困难认定",
        SCHOOL => "与学生个人无关：名单由省级主管部门公布，应在名单上的，请主管部门修改资助政策",
        "OVER_RATE" => "核对该生的困难等级和类别",
        "OVER_QUOTA" => "等名额空出后重新审核；名额不足的，由主管部门调整",
        "PAYEE_MISMATCH" => "请学生出示本人的资助卡，核对卡号和户名",
        "FILE_INCOMPLETE" => "查找该生的书面申请（承诺），找到的补行登记",
        "HEADCOUNT_DIFFERS" => "打开人数核对，重新清点一次；仍不一致的，告知系统运行人员查明",
        _ => "核对两边的记录",
    }
}

/// What is mended in the list, by whoever may edit it.
fn in_list(rule: &str) -> &'static str {
    match rule {
        "NO_ENROLLMENT" => "更正证件号，或把查无此人的移出名单",
        "NOT_VALID_IN_TERM" | "OTHER_SCHOOL" | "NOT_ELIGIBLE" => "修改月份或移出名单",
        "IDENTITY_MISMATCH" | "IDENTITY_UNVERIFIED" => "更正名单上写错的信息",
        "DUPLICATE_AWARD" => "移除重复的月份或学生",
        SCHOOL => "移出名单",
        "OVER_RATE" => "修改档次",
        "PAYEE_MISMATCH" => "更正卡号和户名",
        "FILE_INCOMPLETE" => "把没有申请或已放弃的移出名单",
        _ => "",
    }
}

/// How what is wrong in the list is mended, from where the entry stands.
fn mending(rule: &str, stands: Stands, looks: Looks) -> String {
    let edit = in_list(rule);
    match (stands, looks) {
        (Stands::Missing, Looks::Clerk) => "新建（补充）名单补报该生".to_owned(),
        (Stands::Missing, _) => "由学校经办人新建（补充）名单补报该生".to_owned(),
        (Stands::Approved, Looks::Officer) => "本条已审核，名单不再修改；确需停发或更正的，责成学校申请更正".to_owned(),
        (Stands::Approved, _) => "本条已审核，名单不再修改；确需停发或更正的，向主管部门申请更正".to_owned(),
        // Nobody in particular is meant.
        (Stands::School, _) => String::new(),
        // Nothing in the list is wrong: it waits for the roll.
        (Stands::WithClerk | Stands::Submitted | Stands::Attested, _) if edit.is_empty() => String::new(),
        (Stands::WithClerk, Looks::Clerk) => format!("名单有误的，{edit}"),
        (Stands::WithClerk, _) => format!("名单有误的，由学校经办人{edit}"),
        (Stands::Submitted, Looks::Principal) => format!("名单已提交：名单有误的，退回这一条，由经办人{edit}后重新提交"),
        (Stands::Submitted, _) => format!("名单已提交：名单有误的，由校长退回这一条，再由经办人{edit}后重新提交"),
        (Stands::Attested, Looks::Officer) => format!("名单已签核：名单有误的，退回这一条，由学校{edit}后重新提交"),
        (Stands::Attested, _) => format!("名单已签核：名单有误的，请主管部门退回这一条，再由经办人{edit}后重新提交"),
    }
}

/// Parts of a text that says something.
fn joined(parts: &[&str]) -> String {
    parts.iter().copied().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("；")
}

/// What to do next, in words.
pub fn next(state: flag::State, rule: &str, stands: Stands, looks: Looks) -> String {
    use flag::State as S;
    let is_school = matches!(looks, Looks::Clerk | Looks::Principal);
    let mending = mending(rule, stands, looks);
    match state {
        S::Unspecified | S::Closed => "对不上的地方已经消失，无需处理".to_owned(),
        S::Cleared if stands == Stands::School => "主管部门已排除；依据变化时会重新打开".to_owned(),
        S::Cleared if stands == Stands::Missing => "主管部门已排除，无需补报；依据变化时会重新打开".to_owned(),
        S::Cleared => "主管部门已排除，不再因此暂缓发放；依据变化时会重新打开".to_owned(),
        S::Confirmed => {
            let held = match stands {
                Stands::Missing => "主管部门已认定漏报",
                Stands::School => "主管部门已认定为问题",
                _ => "主管部门已认定为问题，所列月份不予发放",
            };
            let word = if is_school { "有新情况的，可以补充说明，认定由主管部门改变" } else { "" };
            joined(&[held, &mending, word])
        }
        S::Explained => {
            let decides = if looks == Looks::Officer { "学校已说明，请您核定" } else { "学校已说明，等主管部门核定" };
            joined(&[decides, &mending])
        }
        S::Open => {
            let word = match looks {
                Looks::Clerk | Looks::Principal => "名单无误的，说明情况，由主管部门核定",
                Looks::Officer => "等学校说明；情况清楚的，可以直接核定",
                Looks::Other => "等学校说明",
            };
            let word = if stands == Stands::School && is_school { "情况清楚的，说明情况，由主管部门核定" } else { word };
            // Nothing to explain: it is about time.
            let word = if rule == "NOT_YET_REGISTERED" && is_school { "" } else { word };
            joined(&[beside(rule), &mending, word])
        }
    }
}

/// The acts that may mend it, for who looks: those that their role allows where the entry stands.
pub fn ways(state: flag::State, rule: &str, stands: Stands, looks: Looks) -> Vec<Way> {
    use flag::State as S;
    if !matches!(state, S::Open | S::Explained | S::Confirmed) {
        return Vec::new();
    }
    let mut ways = Vec::new();
    let is_wrong_in_list = !in_list(rule).is_empty();
    match (stands, looks) {
        (Stands::WithClerk, Looks::Clerk) if is_wrong_in_list => ways.extend([Way::Remove, Way::Upload]),
        (Stands::Submitted, Looks::Principal) | (Stands::Attested, Looks::Officer) if is_wrong_in_list => ways.push(Way::SendBack),
        (Stands::Approved, Looks::Clerk | Looks::Principal | Looks::Officer) => ways.push(Way::OpenList),
        (Stands::Missing, Looks::Clerk) if rule == "MISSING_AWARD" => ways.push(Way::Supplement),
        (Stands::School, _) => ways.push(Way::Count),
        _ => {}
    }
    match (rule, looks) {
        ("NO_ENROLLMENT", Looks::Clerk) => ways.push(Way::Register),
        ("NOT_VALID_IN_TERM", Looks::Clerk) => ways.push(Way::ChangeStatus),
        ("NOT_ELIGIBLE" | "OVER_RATE", Looks::Clerk) => ways.push(Way::Hardship),
        ("FILE_INCOMPLETE" | "MISSING_AWARD", Looks::Clerk) => ways.push(Way::Statement),
        ("IDENTITY_MISMATCH" | "IDENTITY_UNVERIFIED", Looks::Officer) => ways.push(Way::CorrectIdentity),
        _ => {}
    }
    ways
}

#[cfg(test)]
mod tests {
    use flag::State as S;

    use super::{super::RULES, *};

    const STATES: [S; 5] = [S::Open, S::Explained, S::Confirmed, S::Cleared, S::Closed];
    /// Words that ask for an edit of the list.
    const EDITS: [&str; 5] = ["修改月份", "移出名单", "移除重复", "更正证件号", "更正名单"];

    fn walk(look: impl Fn(S, &str, Stands, Looks)) {
        for state in STATES {
            for rule in RULES {
                for stands in Stands::ALL {
                    for looks in Looks::ALL {
                        look(state, rule, stands, looks);
                    }
                }
            }
        }
    }

    #[test]
    fn nobody_is_told_to_edit_what_can_not_be_edited() {
        walk(|state, rule, stands, looks| {
            let cell = format!("{state:?} {rule} {stands:?} {looks:?}");
            let (text, ways) = (next(state, rule, stands, looks), ways(state, rule, stands, looks));
            let edits = EDITS.iter().any(|word| text.contains(word));
            match stands {
                Stands::WithClerk => {}
                Stands::Submitted | Stands::Attested => assert!(!edits || text.contains("退回这一条"), "{cell}: {text}"),
                Stands::Approved | Stands::Missing | Stands::School => assert!(!edits && !text.contains("退回"), "{cell}: {text}"),
            }
            let edits_at_once = ways.iter().any(|way| matches!(way, Way::Remove | Way::Upload));
            assert!(!edits_at_once || (stands == Stands::WithClerk && looks == Looks::Clerk), "{cell}: {ways:?}");
            let sends_back = (stands == Stands::Submitted && looks == Looks::Principal) || (stands == Stands::Attested && looks == Looks::Officer);
            assert!(!ways.contains(&Way::SendBack) || sends_back, "{cell}: {ways:?}");
        });
    }

    #[test]
    fn every_cell_says_something_and_what_is_approved_is_corrected() {
        walk(|state, rule, stands, looks| {
            let cell = format!("{state:?} {rule} {stands:?} {looks:?}");
            let (text, ways) = (next(state, rule, stands, looks), ways(state, rule, stands, looks));
            assert!(text.chars().count() > 5 && !text.ends_with('；') && !text.contains("；；"), "{cell}: {text}");
            let is_over = matches!(state, S::Cleared | S::Closed);
            assert!(!is_over || (ways.is_empty() && !text.contains('请')), "{cell}: {text}");
            assert_eq!(!is_over && stands == Stands::Approved, text.contains("申请更正"), "{cell}: {text}");
            assert!(state != S::Confirmed || text.contains("已认定"), "{cell}: {text}");
            assert!(looks == Looks::Officer || !text.contains("责成"), "{cell}: {text}");
        });
        assert!(RULES.iter().all(|rule| !finding(rule).is_empty() && !finding(rule).contains('请')), "a finding asks for nothing");
    }
}

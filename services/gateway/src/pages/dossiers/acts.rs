//! What is done with a dossier: what the page offers whom, and what was asked for.

use axum::{Form as Sent, extract::Path, response::Response};
use tonic::Status;
use xuezhu_proto::{
    aid::SignDossierRequest,
    common::{
        Dossier, dossier_act,
        dossier_step::{self, Whose},
    },
};

use super::{Keeper, keeper::Deed, kept_by};
use crate::{
    pages::{Desk, PageError, reasons, session, unknown_act},
    parts::{Act, Field, Form, Note, Tone},
};

/// What whoever looks may do: what the page offers. The service decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each act")]
pub struct May {
    /// Sign, send back, refuse.
    pub decide: bool,
    note: bool,
    recall: bool,
    nudge: bool,
    nudged_today: bool,
    take: bool,
}

impl May {
    /// For whoever looks, today.
    pub fn of(user: &session::User, keeper: Keeper, dossier: &Dossier, today: &str) -> Self {
        let Some(present) = dossier.steps.iter().find(|step| step.present) else { return Self::default() };
        // What is a department's own business, its officers asked for.
        let of_department = dossier.school.is_empty() && keeper.is_decided_by(user, &dossier.authority);
        let of_school = user.is_school() && user.org == dossier.school;
        let here = match present.whose() {
            Whose::Principal => of_school && user.is_principal(),
            Whose::Review => of_school && user.is_reviewer(),
            Whose::Department => keeper.is_decided_by(user, &present.authority),
            Whose::Head => user.heads(&present.authority),
            Whose::Clerk | Whose::Unspecified => false,
        };
        let notes = present.duty() == dossier_step::Duty::Notes;
        let signed = dossier.history.iter().any(|act| matches!(act.act(), dossier_act::Act::Sign | dossier_act::Act::Order));
        // A deputy who submitted it waits like the school does.
        let here = here && (notes || !dossier.own);
        let asks = of_school && (user.is_clerk() || user.is_principal()) && !here;
        let nudged_today = dossier.nudged_date == today;
        Self {
            decide: here && !notes,
            note: here && notes,
            recall: ((of_school && user.is_clerk()) || (of_department && dossier.own)) && !signed && !notes,
            nudge: asks && !nudged_today,
            nudged_today: asks && nudged_today,
            take: here,
        }
    }

    /// What can be done, each by its form.
    pub fn acts(self, desk: &Desk, keeper: Keeper, dossier: &Dossier) -> Vec<Act> {
        let path = keeper.link(&dossier.dossier);
        let form = |id: &str| Form::of::<SignDossierRequest>(desk, id, path.as_str());
        let mut acts = Vec::new();
        if self.decide {
            acts.push(sign(desk, dossier, form("sign")));
        }
        if self.note {
            let word = format!("备案 {} {}", dossier.performed, dossier.unit);
            acts.push(Act::of("备案", form("note").row().with(Field::line("reason").called("备注（可不填）").limit(500)).act(word, "note")));
        }
        if self.nudge {
            acts.push(Act::of("催办", form("nudge").row().plain("催办", "nudge")).says(format!("提醒{}尽快办理，每天一次。", dossier.waits_at)));
        }
        if self.nudged_today {
            acts.push(Act::of("催办", form("nudged").says("今天已经催办过，请明天再催。")));
        }
        if self.recall {
            let field = Field::line("reason").called("撤回原因").limit(500).required();
            let recall = form("recall").row().with(field).danger("撤回整单", "recall").asks(format!("撤回整单 {} {}。", dossier.waiting, dossier.unit));
            acts.push(Act::of("撤回", recall).says("还没有人签核，可以撤回修改后再提交。"));
        }
        if self.take {
            let over = Field::line("account").called("移交给（能办理本环节的账号）").limit(60).required();
            let hand_over = keeper.knows_accounts().then(|| form("handOver").row().with(over).plain("移交经办", "handOver"));
            let take = (!desk.user.is_account(&dossier.holder)).then(|| form("take").row().plain("由我接手", "take"));
            let mut forms = hand_over.into_iter().chain(take);
            if let Some(first) = forms.next() {
                let act = Act::of("移交经办、接手", first).says("写明由谁经办，便于分工；同一环节的其他人仍可办理。");
                acts.push(forms.fold(act, Act::or));
            }
        }
        acts
    }
}

/// What signs: with what is signed said before, and asked once.
fn sign(desk: &Desk, dossier: &Dossier, form: Form) -> Act {
    let mut says = format!("将审签 {} {}。", dossier.waiting, dossier.unit);
    if dossier.refused > 0 {
        says.push_str(&format!("其中 {} {}上次未能通过（原因见名单）：原因消除的这次通过，没有消除的仍留在单上。", dossier.refused, dossier.unit));
    }
    let form = if desk.user.is_principal() {
        form.note(Note::of(Tone::Plain, "本人是学校数据第一责任人，确认以下学生的信息真实。"))
    } else {
        form
    };
    let form = form.hidden("digest", &dossier.digest).act(format!("审签 {} {}", dossier.waiting, dossier.unit), "sign").asks(says);
    Act::of("审签", form).says(if dossier.unit == "人" {
        "请先看完下面的构成、疑点和名单；有问题的学生，在名单中勾选后退回或不予通过。"
    } else {
        "请先看完下面的内容；有问题的，退回或不予通过。"
    })
}

/// The form under the sheet, for whom somebody ticked.
pub fn returning(desk: &Desk, keeper: Keeper, dossier: &Dossier) -> Form {
    let reasons: &[&str] = match keeper {
        Keeper::Enrollment => &reasons::OF_STUDENTS,
        Keeper::Aid => &reasons::OF_LISTS,
    };
    let reasons = reasons.iter().map(|reason| (*reason).to_owned());
    let form = Form::of::<SignDossierRequest>(desk, "back", keeper.link(&dossier.dossier))
        .row()
        .with(Field::picked("reason", reasons).called("退回或不予通过的原因").limit(500).required().wide());
    // What goes as one is not sent back line by line.
    let form = if dossier.whole { form } else { form.danger("退回勾选的", "sendBack").danger("勾选的不予通过", "refuse") };
    form.danger("全部退回", "sendBackAll").asks(format!("退回全部 {} {}。", dossier.waiting, dossier.unit))
}

#[derive(Debug, Default)]
struct ActForm {
    request_id: String,
    act: String,
    digest: String,
    reason: String,
    account: String,
    items: Vec<String>,
}

impl ActForm {
    /// A form whose check boxes bear one name.
    fn of(pairs: Vec<(String, String)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            match name.as_str() {
                "request_id" => form.request_id = value,
                "act" => form.act = value,
                "digest" => form.digest = value,
                "reason" => form.reason = value,
                "account" => form.account = value.trim().to_owned(),
                "item" => form.items.push(value),
                _ => {}
            }
        }
        form
    }

    /// What is done, and what is told then.
    fn deed(self, own: &str) -> Result<(&'static str, Deed), PageError> {
        let ticked = |items: Vec<String>| if items.is_empty() { Err(PageError::Refused(Status::invalid_argument("请先勾选学生"))) } else { Ok(items) };
        Ok(match self.act.as_str() {
            "sign" => ("已审签。", Deed::Sign(self.digest)),
            // Nobody ticked: that must not send everybody back.
            "sendBack" => ("已退回。", Deed::SendBack(self.reason, ticked(self.items)?)),
            "sendBackAll" => ("已退回。", Deed::SendBack(self.reason, Vec::new())),
            "refuse" => ("已登记为不予通过。", Deed::Refuse(self.reason, ticked(self.items)?)),
            "refuseAll" => ("已登记为不予通过。", Deed::Refuse(self.reason, Vec::new())),
            "recall" => ("已撤回。", Deed::Recall(self.reason)),
            "note" => ("已备案。", Deed::Note(self.reason)),
            "handOver" => ("已移交经办。", Deed::HandOver(self.account)),
            "take" => ("已由您接手。", Deed::HandOver(own.to_owned())),
            "nudge" => ("已催办，对方的待办中会显示。", Deed::Nudge),
            unknown => return Err(unknown_act(unknown)),
        })
    }
}

/// What is done.
pub async fn act(desk: Desk, Path((keeper, id)): Path<(String, String)>, Sent(pairs): Sent<Vec<(String, String)>>) -> Result<Response, PageError> {
    let keeper = kept_by(&keeper)?;
    let back = keeper.link(&id);
    let form = ActForm::of(pairs);
    let request_id = form.request_id.clone();
    let (done, deed) = form.deed(&desk.user.sub)?;
    keeper.act(&desk, &request_id, id, deed).await?;
    Ok(desk.done(done, back))
}

#[cfg(test)]
mod tests {
    use xuezhu_proto::common::{DossierAct, DossierStep};

    use super::*;

    fn user(role: &str, org: &str) -> session::User {
        session::User { role: role.into(), org: org.into(), sub: "me".into(), ..session::User::default() }
    }

    fn dossier(step: i32, duty: dossier_step::Duty, (whose, authority): (Whose, &str), signed: bool) -> Dossier {
        let step = DossierStep { step, duty: duty.into(), authority: authority.into(), present: true, whose: whose.into(), ..DossierStep::default() };
        let sign = DossierAct { act: dossier_act::Act::Sign.into(), name: "校长".into(), ..DossierAct::default() };
        Dossier {
            school: "1".into(),
            step: step.step,
            steps: vec![step],
            history: signed.then_some(sign).into_iter().collect(),
            performed: 1,
            ..Dossier::default()
        }
    }

    #[test]
    fn each_desk_is_offered_what_it_may_do() {
        use dossier_step::Duty::{Decides, Notes};
        let decides = May { decide: true, take: true, ..May::default() };
        let unsigned = dossier(0, Decides, (Whose::Principal, ""), false);
        let signed = dossier(1, Decides, (Whose::Department, "430100"), true);
        let noted = dossier(2, Notes, (Whose::Department, "430000"), true);
        let reviewed = dossier(0, Decides, (Whose::Review, ""), false);
        let headed = dossier(3, Decides, (Whose::Head, "430100"), true);
        let nudge = May { nudge: true, ..May::default() };
        for (who, dossier, may) in [
            (user("SCHOOL_CLERK", "1"), &unsigned, May { recall: true, nudge: true, ..May::default() }),
            (user("PRINCIPAL", "1"), &unsigned, decides),
            (user("PRINCIPAL", "2"), &unsigned, May::default()),
            (user("DEPARTMENT_OFFICER", "430100"), &unsigned, May::default()),
            (user("SCHOOL_CLERK", "1"), &signed, nudge),
            (user("PRINCIPAL", "1"), &signed, nudge),
            (user("DEPARTMENT_OFFICER", "430100"), &signed, decides),
            (user("DEPARTMENT_OFFICER", "430000"), &signed, May::default()),
            (user("DEPARTMENT_OFFICER", "430000"), &noted, May { note: true, take: true, ..May::default() }),
            (user("ADMINISTRATOR", "430000"), &signed, May::default()),
            (user("AID_OFFICER", "430100"), &signed, decides),
            (user("ENROLLMENT_OFFICER", "430100"), &signed, May::default()),
            (user("AUTHORITY_HEAD", "430100"), &signed, May::default()),
            (user("AUTHORITY_HEAD", "430100"), &headed, decides),
            (user("AUTHORITY_HEAD", "430000"), &headed, May::default()),
            (user("AID_OFFICER", "430100"), &headed, May::default()),
            (user("SCHOOL_REVIEWER", "1"), &reviewed, decides),
            (user("SCHOOL_REVIEWER", "2"), &reviewed, May::default()),
            (user("SCHOOL_REVIEWER", "1"), &unsigned, May::default()),
            (user("PRINCIPAL", "1"), &reviewed, nudge),
        ] {
            assert_eq!(May::of(&who, Keeper::Aid, dossier, "2026-11-01"), may, "{who:?} {dossier:?}");
        }
        let nudged = Dossier { nudged_date: "2026-11-01".into(), ..signed };
        assert_eq!(May::of(&user("PRINCIPAL", "1"), Keeper::Aid, &nudged, "2026-11-01"), May { nudged_today: true, ..May::default() });
        let deputy = session::User { stands_in_today: true, ..user("SCHOOL_CLERK", "1") };
        assert!(May::of(&deputy, Keeper::Aid, &unsigned, "2026-11-02").decide);
    }

    #[test]
    fn nothing_ticked_sends_nobody_back() {
        let form = |act: &str, items: &[&str]| ActForm {
            act: act.into(),
            items: items.iter().map(|item| (*item).to_owned()).collect(),
            reason: "错".into(),
            ..ActForm::default()
        };
        assert!(form("sendBack", &[]).deed("me").is_err() && form("refuse", &[]).deed("me").is_err() && form("other", &["a"]).deed("me").is_err());
        let deed = |form: ActForm| form.deed("me").ok().expect("is one");
        assert_eq!(deed(form("sendBack", &["a"])), ("已退回。", Deed::SendBack("错".into(), vec!["a".into()])));
        assert_eq!(deed(form("sendBackAll", &["a"])), ("已退回。", Deed::SendBack("错".into(), Vec::new())));
        assert_eq!(deed(form("take", &[])), ("已由您接手。", Deed::HandOver("me".into())));
    }
}

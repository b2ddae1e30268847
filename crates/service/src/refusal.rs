//! Why a call was refused, and how that is told: `google.rpc.Status` with a stable reason, the fields at fault, and a
//! Chinese message. One place maps reasons to codes.

use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};
use xuezhu_domain::text::{is_invisible, mask_long_numbers};
pub use xuezhu_proto::common::refusal::Reason;
use xuezhu_store::{Retryable, StoreError};

/// Domain of our reasons in `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "xuezhu";

/// What is wrong with a call, told to the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Stable reason.
    pub reason: Reason,
    /// What to do, in Chinese. Never personal data.
    pub message: String,
    /// Fields at fault: path and what is wrong.
    pub fields: Vec<(String, String)>,
    /// What a program needs to know beside the reason: metadata of the `google.rpc.ErrorInfo`.
    pub facts: Vec<(&'static str, String)>,
    /// After how many seconds it may go better; none where time does not help.
    pub again_seconds: Option<u64>,
}

impl Refusal {
    /// A refusal.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), fields: Vec::new(), facts: Vec::new(), again_seconds: None }
    }

    /// The same, of whoever may come again after so many seconds.
    #[must_use]
    pub fn again_after(self, seconds: u64) -> Self {
        Self { again_seconds: Some(seconds), ..self }
    }

    /// Something that is not there, or not the caller's to see.
    pub fn not_found(what: &str) -> Self {
        Self::new(Reason::NotFound, format!("找不到{what}，或无权查看"))
    }

    /// A state that does not allow the act.
    pub fn wrong_state(message: impl Into<String>) -> Self {
        Self::new(Reason::WrongState, message)
    }

    /// An act on as many as were seen, where there are others by now: nothing is done to whom nobody saw counted. 0 was not counted.
    pub fn unless_seen(seen: i32, found: usize) -> Result<(), Self> {
        if seen == 0 || usize::try_from(seen) == Ok(found) {
            return Ok(());
        }
        Err(Self::new(Reason::Conflict, format!("打开页面以后，符合条件的由{seen}人变为{found}人，请看过现在的内容再办理")))
    }

    /// One field at fault.
    pub fn field(field: &str, message: impl Into<String>) -> Self {
        let mut fields = FieldErrors::default();
        fields.add(field, message);
        fields.refusal()
    }
}

/// What an enumerated field says; a number that is none of its values is refused, not taken for nothing said.
pub fn known<E: TryFrom<i32>>(field: &str, number: i32) -> Result<E, Error> {
    E::try_from(number).map_err(|_| Refusal::field(field, format!("没有取值{number}")).into())
}

/// The id in a field.
pub fn id(field: &str, text: &str) -> Result<uuid::Uuid, Error> {
    let mut errors = FieldErrors::default();
    let id = errors.id(field, text);
    errors.check()?;
    id.ok_or_else(|| Error::Internal("an id is missing and not told".into()))
}

/// Collects every field that is wrong, so that all are told at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<(String, String)>);

impl FieldErrors {
    /// Notes a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.0.push((field.to_owned(), message.into()));
    }

    /// Parses a field; notes what is wrong with it.
    pub fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, field: &str, text: &str) -> Option<T> {
        text.parse().map_err(|error: T::Err| self.add(field, error.to_string())).ok()
    }

    /// An id.
    pub fn id(&mut self, field: &str, text: &str) -> Option<uuid::Uuid> {
        text.parse().map_err(|_| self.add(field, "应为UUID")).ok()
    }

    /// A text that must be there, of at most `limit` characters, with numbers that may be somebody's masked.
    pub fn text(&mut self, field: &str, text: &str, limit: usize) -> Option<String> {
        let text = text.trim();
        if text.chars().any(is_invisible) {
            self.add(field, "不能含有控制字符或看不见的字符");
            None
        } else if text.is_empty() {
            self.add(field, "不能为空");
            None
        } else if text.chars().count() > limit {
            self.add(field, format!("不能超过{limit}个字符"));
            None
        } else {
            // What people write may hold somebody's number, and is shown to others.
            Some(mask_long_numbers(text))
        }
    }

    /// `YYYY-MM-DD`.
    pub fn date(&mut self, field: &str, text: &str) -> Option<chrono::NaiveDate> {
        let written = text.len() == 10 && text.bytes().enumerate().all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
        let date = written.then(|| text.parse().ok()).flatten();
        if date.is_none() {
            self.add(field, "日期应写作YYYY-MM-DD，如2026-09-01");
        }
        date
    }

    /// Fails if anything was noted.
    pub fn check(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(self.refusal().into()) }
    }

    fn refusal(self) -> Refusal {
        let message = self.0.iter().map(|(field, why)| format!("{field}：{why}")).collect::<Vec<_>>().join("；");
        Refusal { fields: self.0, ..Refusal::new(Reason::InvalidArgument, message) }
    }
}

/// What a use case can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can do something about it.
    #[error("refused: {}", .0.reason.as_str_name())]
    Refused(Box<Refusal>),
    /// The database can't go on.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys are not those of the database: told to who starts a service.
    #[error("{0}")]
    Keys(String),
    /// Something that can't be: a fault of ours.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Retryable for Error {
    fn is_retryable(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_retryable())
    }

    fn is_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_full())
    }
}

impl Error {
    /// The reason, as told to callers and kept in the audit.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Refused(refusal) => refusal.reason,
            Self::Store(StoreError::Unique(_)) => Reason::Conflict,
            Self::Store(StoreError::Text) => Reason::InvalidArgument,
            Self::Store(StoreError::Full(_)) => Reason::StorageFull,
            Self::Store(StoreError::Retry(_) | StoreError::Unavailable(_) | StoreError::Replaced) => Reason::Unavailable,
            Self::Store(_) | Self::Keys(_) | Self::Internal(_) => Reason::Internal,
        }
    }
}

/// The gRPC code of a reason.
pub fn code(reason: Reason) -> Code {
    use Reason as R;
    match reason {
        R::InvalidArgument
        | R::FileUnreadable
        | R::FileEncrypted
        | R::HeaderMissing
        | R::HeaderDuplicated
        | R::PasswordWeak
        | R::FileTooLarge
        | R::TakenOut => Code::InvalidArgument,
        R::Unauthenticated | R::WrongPassword | R::SecondFactorRequired | R::WrongCode => Code::Unauthenticated,
        R::Forbidden
        | R::MustChangePassword
        | R::MustSetSecondFactor
        | R::MachineEntryForbidden
        | R::OwnSubmission
        | R::AccountLocked
        | R::AccountDisabled
        | R::AccountUnconfirmed => Code::PermissionDenied,
        R::NotFound => Code::NotFound,
        R::AlreadyExists | R::RequestIdReused => Code::AlreadyExists,
        R::WrongState
        | R::DigestMismatch
        | R::PlaceTaken
        | R::DuplicateRow
        | R::IdentityConflict
        | R::RowsFaulty
        | R::NothingToDo
        | R::HashKeyMismatch
        | R::CursorUnknown
        | R::SourceForgot
        | R::MirrorStale
        | R::LastAdministrator
        | R::MonthTaken
        | R::FlagHolds
        | R::NoticeRunning
        | R::ObjectionOpen
        | R::QuotaFull
        | R::TermLocked
        | R::FeedBehind
        | R::PlaceOverlaps => Code::FailedPrecondition,
        R::CursorTooOld => Code::OutOfRange,
        R::RowAltered => Code::DataLoss,
        R::Conflict => Code::Aborted,
        R::Unavailable | R::StorageFull => Code::Unavailable,
        R::TooManyRequests => Code::ResourceExhausted,
        R::Internal | R::Unspecified => Code::Internal,
    }
}

/// What a reason says in Chinese where nothing better is known.
pub fn chinese(reason: Reason) -> &'static str {
    use Reason as R;
    match reason {
        R::Unspecified => "未说明",
        R::InvalidArgument => "填写有误",
        R::Unauthenticated => "请先登录，或登录已过期",
        R::Forbidden => "无权进行此操作",
        R::NotFound => "找不到，或无权查看",
        R::AlreadyExists => "已经存在",
        R::WrongState => "当前状态不允许此操作",
        R::DigestMismatch => "内容已有变化，请重新核对后再操作",
        R::Conflict => "他人刚刚修改了同一记录，请刷新后重试",
        R::RequestIdReused => "同一请求编号曾用于不同内容",
        R::MustChangePassword => "首次登录请先修改一次性密码",
        R::WrongPassword => "账号或密码错误",
        R::AccountLocked => "密码连续错误次数过多，账号已临时锁定",
        R::MachineEntryForbidden => "系统账号不能录入",
        R::PlaceTaken => "该生已在其他学校有有效学籍",
        R::IdentityConflict => "该证件号已登记在另一姓名之下，请先由主管部门核正",
        R::FileUnreadable => "文件无法读取",
        R::FileTooLarge => "文件过大",
        R::FileEncrypted => "文件已加密，请取消密码保护后重新上传",
        R::HeaderMissing => "找不到表头行",
        R::HeaderDuplicated => "表头有重复的列",
        R::RowsFaulty => "有问题行，已按要求全部不写入",
        R::NothingToDo => "没有可处理的记录",
        R::HashKeyMismatch => "两个服务的密钥环不一致",
        R::CursorUnknown => "订阅位置不属于当前历史，需要重新取快照",
        R::CursorTooOld => "订阅位置过旧，需要重新取快照",
        R::OwnSubmission => "不能签核或审核本人提交的内容",
        R::Unavailable => "服务繁忙，请稍后重试",
        R::Internal => "系统内部错误，已记录，请稍后重试",
        R::PasswordWeak => "新密码强度不够",
        R::PlaceOverlaps => "与该生原有学籍的时间重叠",
        R::AccountDisabled => "账号已停用，请联系管理员",
        R::RowAltered => "数据与系统写入的不一致，可能被人在数据库中改动，请联系系统管理员核查",
        R::SecondFactorRequired => "该账号登录时还须填写动态码",
        R::WrongCode => "动态码不对，或已经用过",
        R::MustSetSecondFactor => "该账号须先设置动态码，才能办理业务",
        R::AccountUnconfirmed => "该账号由一人开设，须经另一人确认后才能登录",
        R::SourceForgot => "学籍系统恢复到了较早的备份，遗忘了该生的记录，须重新登记或由主管部门核定后才能审核",
        R::MirrorStale => "资助系统较长时间没有收到学籍数据，暂不能审核，请稍后重试",
        R::StorageFull => "磁盘空间已满，未能写入；请通知运维人员，腾出空间后重试",
        R::LastAdministrator => "这是最后一个能登录的管理员账号，不能停用",
        R::MonthTaken => "该生同一项目的该月（或学期）已在另一名单中审核通过，不能重复享受",
        R::TakenOut => "这是从本系统导出的文件，证件号已遮盖，不能再导入",
        R::NoticeRunning => "公示尚未期满",
        R::ObjectionOpen => "公示有异议尚未办结",
        R::TermLocked => "该学期的名单已锁定，只能申请更正",
        R::FeedBehind => "变更还没有全部发出，请稍后再试",
        R::QuotaFull => "名额已满：有名额空出后重新审核，或由主管部门调整名额",
        R::TooManyRequests => "提交过于频繁，请以后再试，或直接联系主管部门",
        R::FlagHolds => "有疑点未核定，暂缓审核：请学校说明情况，由主管部门核定",
        R::DuplicateRow => "本校另有该生的一条记录（现用证件号或先录入的一条），请退回并删除多余的一条",
    }
}

/// Fields at fault that an answer names: what is told travels in headers, whose room all calls of a connection share.
const FIELDS_TOLD: usize = 10;
/// Characters of a message, at most.
const MESSAGE_CHARACTERS: usize = 300;
/// Characters of what is told of one field, and of its path.
const FIELD_CHARACTERS: usize = 80;

/// A text within a bound.
fn bounded(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}……", &text[..end]),
        None => text.to_owned(),
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        let reason = error.reason();
        let code = code(reason);
        let mut details = ErrorDetails::new();
        let facts = if let Error::Refused(refusal) = &error { &refusal.facts[..] } else { &[] };
        details.set_error_info(reason.as_str_name(), DOMAIN, facts.iter().map(|(name, fact)| ((*name).to_owned(), fact.clone())).collect::<HashMap<_, _>>());
        let message = match error {
            Error::Refused(refusal) => {
                if let Some(seconds) = refusal.again_seconds {
                    details.set_retry_info(Some(Duration::from_secs(seconds)));
                }
                if !refusal.fields.is_empty() {
                    let told = refusal.fields.iter().take(FIELDS_TOLD);
                    let told =
                        told.map(|(field, why)| FieldViolation::new(bounded(field, FIELD_CHARACTERS), mask_long_numbers(&bounded(why, FIELD_CHARACTERS))));
                    details.set_bad_request(told.collect::<Vec<_>>());
                }
                let more = refusal.fields.len().saturating_sub(FIELDS_TOLD);
                let message = mask_long_numbers(&bounded(&refusal.message, MESSAGE_CHARACTERS));
                if more > 0 { format!("{message}（另有{more}处有误，改正后重试）") } else { message }
            }
            hidden => {
                // A database that is away or full fails every request until it is back: that it is not ready is said once, by what
                // looks at it again and again.
                match code {
                    Code::Unavailable | Code::Aborted => tracing::debug!(error = %hidden, detail = ?hidden, "request failed"),
                    _ => tracing::error!(error = %hidden, detail = ?hidden, "request failed"),
                }
                chinese(reason).to_owned()
            }
        };
        details.set_localized_message("zh-CN", &message);
        Self::with_error_details(code, message, details)
    }
}

/// Reads a fact beside the reason back from a status.
pub fn fact_of(status: &Status, name: &str) -> Option<String> {
    status.get_details_error_info()?.metadata.remove(name)
}

/// Reads the stable reason back from a status.
pub fn reason_of(status: &Status) -> Option<Reason> {
    status.get_details_error_info().and_then(|info| Reason::from_str_name(&info.reason))
}

/// After how many seconds it may go better, as a status says.
pub fn again_of(status: &Status) -> Option<u64> {
    status.get_details_retry_info()?.retry_delay.map(|delay| delay.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_chinese_text() {
        for reason in (0..=60).filter_map(|number| Reason::try_from(number).ok()) {
            assert!(chinese(reason).chars().any(|c| c > '\u{4e00}'), "{reason:?}");
        }
    }

    #[test]
    fn a_refusal_carries_reason_fields_and_message() {
        let status = Status::from(Error::from(Refusal::field("effective_date", "日期应写作YYYY-MM-DD")));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(reason_of(&status), Some(Reason::InvalidArgument));
        let bad = status.get_details_bad_request().expect("fields");
        assert_eq!(bad.field_violations[0].field, "effective_date");
    }

    #[test]
    fn however_much_is_wrong_what_is_told_stays_small() {
        let mut errors = FieldErrors::default();
        for index in 0..5_000 {
            errors.add(&format!("entries[{index}]"), "应为UUID，".repeat(50));
        }
        let status = Status::from(errors.check().expect_err("all are wrong"));
        let told = status.get_details_bad_request().expect("fields");
        assert_eq!(told.field_violations.len(), FIELDS_TOLD);
        assert!(status.message().contains("另有4990处"), "{}", status.message());
        // As headers: what is not ASCII takes three bytes for each of its own, the details four for three.
        let bytes = status.message().len() * 3 + status.details().len() * 4 / 3;
        assert!(bytes < 12 * 1024, "{bytes}");
    }

    #[test]
    fn dates_and_texts_are_taken_only_as_they_are_seen() {
        for (text, good) in [
            ("2026-09-01", true),
            ("2026-9-1", false),
            ("+12026-01-01", false),
            ("2026-02-30", false),
            ("2026-09-01 ", false),
            ("20260901", false),
            ("2026-0９-1", false),
        ] {
            let mut errors = FieldErrors::default();
            assert_eq!(errors.date("effective_date", text).is_some(), good, "{text}");
            assert_eq!(errors.check().is_ok(), good, "{text}");
        }
        for (text, good) in [("王老师", true), ("买买提·艾力", true), ("王\u{202e}师老", false), ("王\u{2067}师", false), ("王\u{0}", false), (" ", false)]
        {
            assert_eq!(FieldErrors::default().text("display_name", text, 60).is_some(), good, "{text:?}");
        }
    }

    #[test]
    fn a_fault_of_the_database_shows_no_sql() {
        let status = Status::from(Error::Store(StoreError::Corrupt("uuid")));
        assert_eq!(status.code(), Code::Internal);
        assert!(!status.message().contains("uuid"));
    }
}

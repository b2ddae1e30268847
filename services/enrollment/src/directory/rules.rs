//! What a password, an account name and the region of somebody who oversees must be (GB/T 22239-2019 level 3, identity).

use xuezhu_service::{Error, Reason, Refusal};

use super::common;

/// Characters of a new password at least.
pub const PASSWORD_CHARACTERS: usize = 8;
/// Kinds of characters (upper, lower, digit, other) at least.
pub const PASSWORD_KINDS: usize = 3;
/// Characters of a one-time password.
pub const ONE_TIME_CHARACTERS: usize = 12;

/// Whether a region is one that somebody oversees: a city or a province, not a county.
pub fn is_supervised(region: &str) -> bool {
    region.ends_with("00")
}

/// What the password of an account is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordUse {
    /// Any number of log-ins, until it is changed.
    Always,
    /// One log-in: it stands on paper.
    Once,
    /// No log-in any more; the session that it opened may change it.
    Spent,
}

impl PasswordUse {
    /// Every use.
    pub const ALL: [Self; 3] = [Self::Always, Self::Once, Self::Spent];

    /// As stored.
    pub fn code(self) -> i32 {
        match self {
            Self::Always => 0,
            Self::Once => 1,
            Self::Spent => 2,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// What is left of it after a log-in; none where it lets nobody in.
    pub fn after_log_in(self) -> Option<Self> {
        match self {
            Self::Always => Some(Self::Always),
            Self::Once => Some(Self::Spent),
            Self::Spent => None,
        }
    }
}

/// Says that a new password is too weak.
pub fn weak(why: impl Into<String>) -> Refusal {
    let why = why.into();
    Refusal { fields: vec![("new_password".into(), why.clone())], ..Refusal::new(Reason::PasswordWeak, why) }
}

/// Checks a new password of an account.
pub fn check_new_password(account: &str, old: &str, new: &str) -> Result<(), Error> {
    let weak = |why: String| Err(Error::from(self::weak(why)));
    if new == old {
        return weak("新密码不能与旧密码相同".into());
    }
    if new.chars().count() < PASSWORD_CHARACTERS || kinds(new) < PASSWORD_KINDS {
        return weak(format!("新密码至少{PASSWORD_CHARACTERS}位，并含大写字母、小写字母、数字、符号中的至少{PASSWORD_KINDS}种"));
    }
    if new.len() > 128 {
        return weak("新密码不能超过128个字节".into());
    }
    if common::holds(new, account) {
        return weak("新密码含有账号，或是常见的密码：请不要用常见单词、拼音、键盘顺序或连续数字加减几位组成".into());
    }
    Ok(())
}

fn kinds(password: &str) -> usize {
    let tests: [fn(char) -> bool; 4] = [|c| c.is_ascii_uppercase(), |c| c.is_ascii_lowercase(), |c| c.is_ascii_digit(), |c| !c.is_ascii_alphanumeric()];
    tests.iter().filter(|test| password.chars().any(*test)).count()
}

/// A password for one log-in, from random bytes, without characters that look alike.
pub fn one_time_password(random: &[u8; ONE_TIME_CHARACTERS]) -> String {
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";
    random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// Checks the name of an account: 3 to 32 lower-case letters, digits, dots, dashes.
pub fn check_account_name(name: &str) -> Result<(), &'static str> {
    // What the system does by itself is signed with its own name, and nobody else's.
    if name == "system" {
        return Err("该名称为系统保留，请另取");
    }
    if xuezhu_domain::text::holds_long_number(name) {
        return Err("账号不能是证件号或电话号码");
    }
    let fits = (3..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._-".contains(&b));
    if fits { Ok(()) } else { Err("账号应为3至32位小写字母、数字、点或短横线") }
}

/// Longest telephone, in characters.
const TELEPHONE_CHARACTERS: usize = 30;
/// Digits of a telephone in a row: an area with its number.
const TELEPHONE_DIGITS: usize = 13;

/// The telephone of an office as it was typed: digits, and what parts them; empty for none.
pub fn check_telephone(typed: &str) -> Result<String, String> {
    let typed = typed.trim();
    // A number of a person, or of a card, is no telephone.
    let longest = typed.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    let is_of_one = typed.chars().all(|c| c.is_ascii_digit() || "+-() 转、/".contains(c));
    if typed.chars().count() > TELEPHONE_CHARACTERS || longest > TELEPHONE_DIGITS || !is_of_one {
        return Err(format!("应为办公电话：区号-号码，可加“转”和分机，不超过{TELEPHONE_CHARACTERS}位"));
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_telephone_is_digits_and_what_parts_them() {
        for (typed, is_one) in
            [(" 0731-8888 0000转1 ", true), ("", true), ("+86 (731) 88880000", true), ("八八八八", false), ("0731<b>", false), ("430181199001011234", false)]
        {
            assert_eq!(check_telephone(typed).is_ok(), is_one, "{typed}");
        }
        assert!(check_telephone(&"1-".repeat(15)).is_ok() && check_telephone(&"1-".repeat(16)).is_err());
        assert!(check_telephone(&"1".repeat(13)).is_ok() && check_telephone(&"1".repeat(14)).is_err());
    }

    #[test]
    fn passwords_are_checked_at_their_limits() {
        for (new, good) in
            [("Gzikpf1", false), ("Gzikpf12", true), ("gzikpf12", false), ("gzik-f12", true), ("oldOld11", false), ("Zhangsan1", false), ("Passw0rd!", false)]
        {
            assert_eq!(check_new_password("zhangsan", "oldOld11", new).is_ok(), good, "{new}");
        }
    }

    #[test]
    fn a_password_for_one_log_in_is_spent_by_it() {
        assert_eq!(PasswordUse::ALL.map(PasswordUse::after_log_in), [Some(PasswordUse::Always), Some(PasswordUse::Spent), None]);
        assert_eq!(PasswordUse::ALL.map(|one| PasswordUse::from_code(one.code())), PasswordUse::ALL.map(Some));
        assert_eq!(PasswordUse::from_code(3), None);
    }

    #[test]
    fn account_names_are_checked_at_their_limits() {
        assert!(check_account_name("ab").is_err() && check_account_name("abc").is_ok());
        assert!(check_account_name(&"a".repeat(32)).is_ok() && check_account_name(&"a".repeat(33)).is_err());
        assert!(check_account_name("张三丰").is_err());
    }
}

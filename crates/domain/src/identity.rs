//! Identity numbers: what a number is, whatever paper it was read from, and the keyed hash that stands for it.
//!
//! Formats and check vectors: `domain.md` 8.1 of the project's sources (GB 11643-1999 for resident numbers).

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{codes, person::Sex, region, text};

/// What kind of number it is. 户口簿 and 居民身份证 with one number are one class, so one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NumberClass {
    /// Resident number, GB 11643.
    Resident,
    /// Residence permit of Hong Kong, Macau and Taiwan residents: prefix 81, 82 or 83, same check character.
    ResidencePermit,
    /// Foreigner's permanent residence card: 18 digits beginning with 9, or 3 letters and 12 digits.
    ForeignPermanent,
    /// Hong Kong and Macau permit: H or M and 8 or 10 digits.
    HongKongMacau,
    /// Taiwan permit: 8 digits.
    Taiwan,
    /// Passport: 5 to 17 letters and digits. Award lists name no country, so the class has none.
    Passport,
    /// Another paper.
    Other,
}

impl NumberClass {
    /// Every class.
    pub const ALL: [Self; 7] = [Self::Resident, Self::ResidencePermit, Self::ForeignPermanent, Self::HongKongMacau, Self::Taiwan, Self::Passport, Self::Other];

    /// As stored.
    pub const fn code(self) -> i32 {
        match self {
            Self::Resident => 1,
            Self::ResidencePermit => 2,
            Self::ForeignPermanent => 3,
            Self::HongKongMacau => 4,
            Self::Taiwan => 5,
            Self::Passport => 6,
            Self::Other => 7,
        }
    }

    /// From what was stored.
    pub fn from_code(code: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.code() == code)
    }

    /// As it was stored before classes had codes.
    pub fn of_before(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| format!("{class:?}") == text)
    }
}

/// A number that its class allows. It has no `Display`, and its `Debug` is masked.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdNumber {
    class: NumberClass,
    number: String,
}

/// Why a number was refused. The text says what to do; [`IdError::code`] is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing there.
    #[error("身份证件号为空")]
    Empty,
    /// The document type is none of the table's.
    #[error("身份证件类型不在代码表中，应为：居民身份证、户口薄、护照、境外永久居住证、其他等")]
    UnknownDocument,
    /// 15 digits, of the first generation.
    #[error("15位号码已停用，请填写18位身份证号")]
    FifteenDigits,
    /// Not 18 characters.
    #[error("居民身份证号应为18位")]
    Length,
    /// A letter where a digit stands, and it looks like a zero.
    #[error("号码中有字母O，请改为数字0后重新上传")]
    LetterO,
    /// Another character than a digit, or an X before the end.
    #[error("号码中有不允许的字符")]
    Character,
    /// A spreadsheet has rounded it.
    #[error("单元格是数值格式，号码末几位已丢失；请将该列设为文本格式后重新录入")]
    Rounded,
    /// `999…` stand-in of the old system.
    #[error("999开头的是旧系统临时号，不能用于新录入")]
    Temporary,
    /// Of a province that is in no edition of GB/T 2260.
    #[error("号码前2位不是省级行政区划，请核对")]
    Region,
    /// No such day, or after today.
    #[error("号码中的出生日期不存在或晚于今天")]
    BirthDate,
    /// The last character does not fit.
    #[error("末位校验码不符，至少有一位录错，请对照证件核对")]
    CheckCharacter,
    /// Prefix 9: the paper is another one.
    #[error("9开头的是外国人永久居留身份证，证件类型请选“境外永久居住证”")]
    ForeignerAsResident,
    /// Prefix 81-83: the paper is another one.
    #[error("81、82、83开头的是港澳台居民居住证，证件类型请选“其他”")]
    PermitAsResident,
    /// Not the form of this paper.
    #[error("号码格式与证件类型不符")]
    Form,
}

impl IdError {
    /// Stable machine reason.
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty => "REQUIRED",
            Self::UnknownDocument => "NOT_IN_LIST",
            Self::FifteenDigits => "ID_FIFTEEN_DIGITS",
            Self::Length => "ID_LENGTH",
            Self::LetterO => "ID_LETTER_O",
            Self::Character => "ID_CHARACTER",
            Self::Rounded => "ID_ROUNDED",
            Self::Temporary => "ID_TEMPORARY",
            Self::Region => "ID_REGION",
            Self::BirthDate => "ID_BIRTH_DATE",
            Self::CheckCharacter => "ID_CHECK_CHARACTER",
            Self::ForeignerAsResident => "ID_FOREIGNER_AS_RESIDENT",
            Self::PermitAsResident => "ID_PERMIT_AS_RESIDENT",
            Self::Form => "ID_FORM",
        }
    }
}

impl IdNumber {
    /// Reads a number from a paper of the named type (`data/codes/identity_document.csv`), on `today`.
    ///
    /// Full-width characters, blanks, a leading apostrophe and a lower-case x are put right; a letter O, a rounded
    /// number, a missing digit are told.
    pub fn parse(document: &str, typed: &str, today: NaiveDate) -> Result<Self, IdError> {
        let document = codes::document(document).ok_or(IdError::UnknownDocument)?;
        let number = text::clean_number(typed);
        if number.is_empty() {
            return Err(IdError::Empty);
        }
        if is_scientific(&number) {
            return Err(IdError::Rounded);
        }
        let class = match document {
            "居民身份证" | "户口薄" => return Self::resident(&number, today),
            "境外永久居住证" => foreign_permanent(&number, today)?,
            "香港特区护照/身份证明" | "澳门特区护照/身份证明" => {
                if is_hong_kong_macau(&number) {
                    NumberClass::HongKongMacau
                } else {
                    alphanumeric(&number, 5..=20, NumberClass::Other)?
                }
            }
            "台湾居民来往大陆通行证" => {
                if number.len() == 8 && digits(&number) {
                    NumberClass::Taiwan
                } else {
                    return Err(IdError::Form);
                }
            }
            "护照" => alphanumeric(&number, 5..=17, NumberClass::Passport)?,
            // The class is what the number is: a permit or a resident number entered as 其他 keeps its own class, and so
            // does what else its form tells apart. Eight digits alone, or a passport, it does not.
            "其他" if number.is_ascii() && number.len() == 18 && digits(&number[..17]) => {
                if number.starts_with('9') && !number.starts_with("999") {
                    foreign_permanent(&number, today)?
                } else if is_permit(&number) {
                    check_eighteen(&number, today)?;
                    NumberClass::ResidencePermit
                } else {
                    return Self::resident(&number, today);
                }
            }
            "其他" if is_hong_kong_macau(&number) => NumberClass::HongKongMacau,
            "其他" if foreign_permanent(&number, today).is_ok() => NumberClass::ForeignPermanent,
            _ => alphanumeric(&number, 3..=20, NumberClass::Other)?,
        };
        Ok(Self { class, number })
    }

    /// Restores a number that was checked when it was stored.
    pub fn stored(class: NumberClass, number: String) -> Self {
        Self { class, number }
    }

    fn resident(number: &str, today: NaiveDate) -> Result<Self, IdError> {
        if number.len() == 15 && digits(number) {
            return Err(IdError::FifteenDigits);
        }
        if number.starts_with("999") {
            return Err(IdError::Temporary);
        }
        if number.chars().count() != 18 || !number.is_ascii() {
            return Err(IdError::Length);
        }
        if number.contains('O') {
            return Err(IdError::LetterO);
        }
        check_characters(number)?;
        if number.starts_with('9') {
            return Err(IdError::ForeignerAsResident);
        }
        if is_permit(number) {
            return Err(IdError::PermitAsResident);
        }
        if !region::is_of_a_province(number) {
            return Err(IdError::Region);
        }
        check_eighteen(number, today)?;
        Ok(Self { class: NumberClass::Resident, number: number.to_owned() })
    }

    /// What it is.
    pub fn class(&self) -> NumberClass {
        self.class
    }

    /// The number itself: only to be sealed, hashed, or shown under a permission.
    pub fn reveal(&self) -> &str {
        &self.number
    }

    /// With its middle hidden.
    pub fn masked(&self) -> String {
        text::mask(&self.number)
    }

    /// The sex that the number says, where its class does.
    pub fn sex(&self) -> Option<Sex> {
        match self.class {
            NumberClass::Resident | NumberClass::ResidencePermit => {
                let digit = self.number.as_bytes()[16] - b'0';
                Some(if digit % 2 == 1 { Sex::Male } else { Sex::Female })
            }
            _ => None,
        }
    }

    /// The birth date that the number says, where its class does.
    pub fn birth_date(&self) -> Option<NaiveDate> {
        match self.class {
            NumberClass::Resident | NumberClass::ResidencePermit => birth_date(&self.number),
            NumberClass::ForeignPermanent if self.number.len() == 18 => birth_date(&self.number),
            _ => None,
        }
    }

    /// Worth a second look, though lawful: the region was gone before the person was born (rule ID-2).
    pub fn region_ended_before_birth(&self) -> bool {
        let Some(birth) = self.birth_date() else { return false };
        let spans = region::spans(&self.number[..6]);
        self.class == NumberClass::Resident && !spans.is_empty() && spans.iter().all(|span| span.to.is_some_and(|to| to < birth.year()))
    }

    /// Worth a second look: no table knows the region, though its province exists. Regions are made every year, and tables come later.
    pub fn region_is_unknown(&self) -> bool {
        self.class == NumberClass::Resident && region::spans(&self.number[..6]).is_empty()
    }

    /// What is hashed to make a [`PersonKey`].
    pub fn key_text(&self) -> String {
        format!("{:?}:{}", self.class, self.number)
    }
}

impl fmt::Debug for IdNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdNumber({:?} {})", self.class, self.masked())
    }
}

/// Sixteen bytes of a keyed hash over class and number: joins records without carrying a number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PersonKey(pub Uuid);

impl PersonKey {
    /// The key of a number under a hash key of the deployment's keyring.
    pub fn of(number: &IdNumber, hash_key: &[u8; 32]) -> Self {
        Self::of_text(&number.key_text(), hash_key)
    }

    /// The key of what [`IdNumber::key_text`] wrote.
    pub fn of_text(key_text: &str, hash_key: &[u8; 32]) -> Self {
        let hash = blake3::keyed_hash(hash_key, key_text.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_bytes()[..16]);
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonKey({:.8})", self.0.simple())
    }
}

const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const CHECK_CHARACTERS: &[u8; 11] = b"10X98765432";

/// The check character of 17 digits (GB 11643, ISO 7064 MOD 11-2); `None` where they are not digits.
pub fn check_character(seventeen: &str) -> Option<char> {
    if seventeen.len() != 17 || !digits(seventeen) {
        return None;
    }
    let sum: u32 = seventeen.bytes().zip(WEIGHTS).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    Some(char::from(CHECK_CHARACTERS[(sum % 11) as usize]))
}

fn digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

/// `1.10105E+17`: what a spreadsheet makes of a long number.
fn is_scientific(number: &str) -> bool {
    number.split_once("E+").is_some_and(|(mantissa, exponent)| mantissa.contains('.') && digits(exponent))
}

fn is_permit(number: &str) -> bool {
    ["81", "82", "83"].iter().any(|prefix| number.starts_with(prefix))
}

fn is_hong_kong_macau(number: &str) -> bool {
    (number.len() == 9 || number.len() == 11) && (number.starts_with('H') || number.starts_with('M')) && digits(&number[1..])
}

fn check_characters(number: &str) -> Result<(), IdError> {
    let bytes = number.as_bytes();
    let fits = digits_at(bytes, 17) && (bytes[17].is_ascii_digit() || bytes[17] == b'X');
    if fits { Ok(()) } else { Err(IdError::Character) }
}

fn digits_at(bytes: &[u8], count: usize) -> bool {
    bytes.len() > count && bytes[..count].iter().all(u8::is_ascii_digit)
}

fn birth_date(number: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(&number[6..14], "%Y%m%d").ok()
}

/// Characters, birth date and check character of an 18-character number.
fn check_eighteen(number: &str, today: NaiveDate) -> Result<(), IdError> {
    check_characters(number)?;
    if birth_date(number).is_none_or(|birth| birth > today) {
        return Err(IdError::BirthDate);
    }
    if check_character(&number[..17]) == number.chars().last() { Ok(()) } else { Err(IdError::CheckCharacter) }
}

/// Highest code of a country in ISO 3166-1.
const LAST_COUNTRY: u32 = 894;

/// 外国人永久居留身份证: three letters and twelve digits, or, since 2017, 18 characters: a 9, the province that took the application, the country
/// (ISO 3166-1, three digits), the birth date, a serial and the check character of GB 11643.
fn foreign_permanent(number: &str, today: NaiveDate) -> Result<NumberClass, IdError> {
    if !number.is_ascii() {
        return Err(IdError::Form);
    }
    let old = number.len() == 15 && number.bytes().take(3).all(|b| b.is_ascii_uppercase()) && digits(&number[3..]);
    let new = number.len() == 18 && number.starts_with('9') && digits(&number[..17]);
    if new {
        let country = number[3..6].parse().unwrap_or(0);
        if region::spans(&format!("{}0000", &number[1..3])).is_empty() || !(1..=LAST_COUNTRY).contains(&country) {
            return Err(IdError::Form);
        }
        check_eighteen(number, today)?;
    }
    if old || new { Ok(NumberClass::ForeignPermanent) } else { Err(IdError::Form) }
}

fn alphanumeric(number: &str, length: std::ops::RangeInclusive<usize>, class: NumberClass) -> Result<NumberClass, IdError> {
    let fits = length.contains(&number.len()) && number.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if fits { Ok(class) } else { Err(IdError::Form) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 9, 1).expect("a date")
    }

    #[test]
    fn numbers_pass_or_say_why_not() {
        use IdError::*;
        for (document, typed, verdict) in [
            ("居民身份证", "11010519491231002X", Ok(NumberClass::Resident)),
            ("居民身份证", "440524188001010014", Ok(NumberClass::Resident)),
            ("户口薄", " １１010519491231002x ", Ok(NumberClass::Resident)),
            ("居民身份证", "'11010519491231002X", Ok(NumberClass::Resident)),
            ("居民身份证", "110105194912310021", Err(CheckCharacter)),
            ("居民身份证", "11010519491231OO2X", Err(LetterO)),
            ("居民身份证", "1.10105E+17", Err(Rounded)),
            ("居民身份证", "110105491231002", Err(FifteenDigits)),
            ("居民身份证", "11010519491331002X", Err(BirthDate)),
            ("居民身份证", "11010520991231002X", Err(BirthDate)),
            ("居民身份证", "99910519491231002X", Err(Temporary)),
            ("居民身份证", "16019919491231002X", Err(Region)),
            ("居民身份证", "11019919491231002X", Ok(NumberClass::Resident)),
            ("居民身份证", "1101051949123100", Err(Length)),
            ("居民身份证", "", Err(Empty)),
            ("军籍", "1", Err(UnknownDocument)),
            ("居民身份证", "810000199408230021", Err(PermitAsResident)),
            ("其他", "810000199408230021", Ok(NumberClass::ResidencePermit)),
            ("其他", "11010519491231002X", Ok(NumberClass::Resident)),
            ("其他", "H12345678", Ok(NumberClass::HongKongMacau)),
            ("其他", "CAN110106097501", Ok(NumberClass::ForeignPermanent)),
            ("其他", "12345678", Ok(NumberClass::Other)),
            ("境外永久居住证", "CAN110106097501", Ok(NumberClass::ForeignPermanent)),
            ("境外永久居住证", "CAN110106097501X", Err(Form)),
            ("境外永久居住证", "93184020100412003X", Ok(NumberClass::ForeignPermanent)),
            ("境外永久居住证", "931840201004120031", Err(CheckCharacter)),
            ("境外永久居住证", "931840201013320033", Err(BirthDate)),
            ("境外永久居住证", "931840203004120033", Err(BirthDate)),
            ("境外永久居住证", "999840201004120038", Err(Form)),
            ("境外永久居住证", "900840201004120033", Err(Form)),
            ("境外永久居住证", "931000201004120033", Err(Form)),
            ("其他", "买买提艾力江", Err(Form)),
            ("境外永久居住证", "9买买提艾力", Err(Form)),
            ("台湾居民来往大陆通行证", "12345678", Ok(NumberClass::Taiwan)),
            ("护照", "E12345678", Ok(NumberClass::Passport)),
            ("护照", "E1", Err(Form)),
            ("香港特区护照/身份证明", "H12345678", Ok(NumberClass::HongKongMacau)),
        ] {
            let read = IdNumber::parse(document, typed, today()).map(|id| id.class());
            assert_eq!(read, verdict, "{document} {typed}");
        }
    }

    #[test]
    fn nothing_prints_the_number() {
        let id = IdNumber::parse("居民身份证", "11010519491231002X", today()).expect("valid");
        assert!(!format!("{id:?}").contains("19491231"));
        assert_eq!(id.sex(), Some(Sex::Female));
        let unknown = IdNumber::parse("居民身份证", "11019919491231002X", today()).expect("valid");
        assert!(unknown.region_is_unknown() && !id.region_is_unknown());
    }

    proptest! {
        #[test]
        fn one_wrong_digit_never_passes(serial in 0u32..1000, day in 0i64..7000, place in 0usize..17, shift in 1u8..10) {
            let birth = NaiveDate::from_ymd_opt(1990, 1, 1).expect("a date") + chrono::Days::new(day.unsigned_abs());
            let body = format!("430102{}{serial:03}", birth.format("%Y%m%d"));
            let number = format!("{body}{}", check_character(&body).expect("digits"));
            prop_assert!(IdNumber::parse("居民身份证", &number, today()).is_ok());
            let mut wrong = number.into_bytes();
            wrong[place] = b'0' + (wrong[place] - b'0' + shift) % 10;
            let wrong = String::from_utf8(wrong).expect("digits");
            prop_assert!(IdNumber::parse("居民身份证", &wrong, today()).is_err());
        }

        #[test]
        fn any_text_is_refused_or_read_without_panic(typed in ".*", document in "居民身份证|其他|护照|境外永久居住证|台湾居民来往大陆通行证") {
            let _ = IdNumber::parse(&document, &typed, today());
        }
    }
}

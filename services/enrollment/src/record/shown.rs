//! How a column is shown, and what comes back as it was shown.

use xuezhu_domain::{
    record::{self, Sight},
    text::{self, mask, mask_long_numbers},
};

use xuezhu_service::{Error, FieldErrors};

use super::Said;

/// What stands for a value that is there and is not shown.
const HIDDEN: &str = "******";

/// A value as it is shown, and whether something of it is not. `all`: to somebody who sees what leads to a student.
pub fn shown(header: &str, value: &str, all: bool) -> (String, bool) {
    if value.is_empty() {
        return (String::new(), false);
    }
    let sight = record::of(header).map_or(Sight::Hidden, |kept| kept.sight);
    let shown = match sight {
        Sight::Plain => value.to_owned(),
        Sight::Telephone if all => value.to_owned(),
        Sight::Open => mask_long_numbers(value),
        Sight::Private if all => mask_long_numbers(value),
        Sight::Tail if all => mask(value),
        Sight::Number => mask(value),
        Sight::Year => value.chars().take(4).chain("****".chars()).collect(),
        Sight::Hidden | Sight::Private | Sight::Telephone | Sight::Tail => HIDDEN.to_owned(),
    };
    let masked = shown != value;
    (shown, masked)
}

/// Stars that stand for what is not shown: no value of a column that is masked has so many.
const STARS: &str = "***";

/// What was typed of columns, without what came back masked as it was shown: that stays what it is. What came back masked and was changed
/// beside its stars is refused: it would be kept with them.
pub fn unmasked<'s>(said: Said, stored: impl Fn(&str) -> &'s str, all: bool) -> Result<Said, Error> {
    let is_as_shown = |header: &str, typed: &str| {
        let (shown, masked) = shown(header, stored(header), all);
        masked && text::clean(typed) == shown
    };
    let said: Said = said.into_iter().filter(|(header, typed)| !is_as_shown(header, typed)).collect();
    let mut errors = FieldErrors::default();
    let masks = |header: &str| record::of(header).is_none_or(|kept| kept.sight != Sight::Plain);
    for (header, _) in said.iter().filter(|(header, typed)| masks(header) && typed.contains(STARS)) {
        errors.add(header, "遮盖的内容不能部分修改：请整栏重新填写，或保持原样");
    }
    errors.check()?;
    Ok(said)
}

#[cfg(test)]
mod tests {
    use xuezhu_domain::record::KEPT;

    use super::*;

    #[test]
    fn what_leads_to_somebody_is_shown_to_whom_it_may_be_and_no_number_whole() {
        for (header, value, to_all, to_others) in [
            ("学号", "20260901001", "20260901001", "20260901001"),
            ("身份证件号", "11010519491231002X", "**************002X", "**************002X"),
            ("出生日期", "20100312", "2010****", "2010****"),
            ("联系电话", "13912345678", "13912345678", "******"),
            ("家庭电话", "0731-88881234", "*********1234", "******"),
            ("成员1身份证件号", "11010519491231002X", "******", "******"),
            ("家庭现地址", "某街3号，电话13912345678", "某街3号，电话*******5678", "******"),
            ("班级名称", "1班", "1班", "1班"),
            ("班级名称", "", "", ""),
        ] {
            assert_eq!(shown(header, value, true), (to_all.to_owned(), to_all != value), "{header}");
            assert_eq!(shown(header, value, false), (to_others.to_owned(), to_others != value), "{header}");
        }
        for kept in KEPT.iter().filter(|kept| kept.sight != Sight::Plain && kept.sight != Sight::Telephone) {
            assert!(!shown(kept.header, "11010519491231002X", true).0.contains("19491231"), "{}", kept.header);
        }
    }

    #[test]
    fn what_comes_back_masked_stays_what_it_is() {
        let said = |typed: &[(&'static str, &str)]| typed.iter().map(|(header, typed)| (*header, (*typed).to_owned())).collect::<Said>();
        let stored = |header: &str| match header {
            "出生日期" => "20100312",
            "成员1联系电话" => "13912345678",
            "班级名称" => "1班",
            _ => "",
        };
        let typed = said(&[("出生日期", " 2010****"), ("成员1联系电话", "*******5678"), ("班级名称", "1班"), ("家庭电话", "")]);
        assert_eq!(unmasked(typed, stored, true).ok(), Some(said(&[("班级名称", "1班"), ("家庭电话", "")])));
        let typed = said(&[("出生日期", "20110312"), ("班级名称", "*2班")]);
        assert_eq!(unmasked(typed.clone(), stored, true).ok(), Some(typed));
        for masked in [("成员1联系电话", "*******5679"), ("家庭现地址", "某街5号，电话*******5678"), ("班级名称", "***班")] {
            assert!(unmasked(said(&[masked]), stored, true).is_err(), "{masked:?}");
        }
    }
}

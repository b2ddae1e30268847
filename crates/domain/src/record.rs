//! A student's record (一生一档): to which group each column of the workbook belongs, what may change it once the student is approved, and who
//! sees it.
//!
//! Sources: 教职成〔2014〕12号 §16 (what changes, on evidence, within which days), 教基一〔2014〕8号 (name, sex, birth date and number are key
//! fields, which the authority corrects; others the school keeps itself), 教职成〔2010〕7号 chapter 4 (class and major change by 异动). What aid
//! decides by (户口性质, 居住地类型, 户口所在地, 城乡分类, special groups) carries money: it changes by a dossier, with evidence.

use std::sync::LazyLock;

use crate::tables::{self, keep};

/// What may change a column of an approved student. Of a draft its clerk may change any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// The school keeps it itself.
    Contact,
    /// The department corrects it.
    Correction,
    /// A dossier, over the desks.
    Dossier,
    /// 调班 or 转专业.
    StatusChange,
    /// Nothing: it says how the student came.
    Fixed,
}

impl Way {
    /// Every way.
    pub const ALL: [Self; 5] = [Self::Contact, Self::Correction, Self::Dossier, Self::StatusChange, Self::Fixed];

    /// As the table spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Correction => "correction",
            Self::Dossier => "dossier",
            Self::StatusChange => "status_change",
            Self::Fixed => "fixed",
        }
    }

    /// How whoever wants to change such a column goes about it, in Chinese.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Contact => "由学校自行维护：请用“修改联系信息”",
            Self::Correction => "属于身份信息：请报主管部门办理信息更正",
            Self::Dossier => "涉及资助：请用“涉助信息变更”报批",
            Self::StatusChange => "属于学籍异动：请办理调班或转专业",
            Self::Fixed => "批准后不再变更",
        }
    }
}

/// How a column is shown. No two columns together lead to a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sight {
    /// As it is: numbers that are somebody's can't stand in it.
    Plain,
    /// As it is, but for numbers that somebody typed into it.
    Open,
    /// The same, for those who may see whole numbers there; others see that there is something.
    Private,
    /// As it is for those who may see whole numbers there.
    Telephone,
    /// Its end, for those who may see whole numbers there.
    Tail,
    /// Nobody sees more than that there is something: beside it stands what would complete it.
    Hidden,
    /// The year.
    Year,
    /// As lists show the student's number.
    Number,
}

impl Sight {
    /// Every way of showing.
    pub const ALL: [Self; 8] = [Self::Plain, Self::Open, Self::Private, Self::Telephone, Self::Tail, Self::Hidden, Self::Year, Self::Number];

    /// As the table spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Open => "open",
            Self::Private => "private",
            Self::Telephone => "telephone",
            Self::Tail => "tail",
            Self::Hidden => "hidden",
            Self::Year => "year",
            Self::Number => "number",
        }
    }
}

/// What holds for a column of the workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its header.
    pub header: &'static str,
    /// The group that it is shown in.
    pub group: &'static str,
    /// What may change it.
    pub way: Way,
    /// How it is shown.
    pub sight: Sight,
}

/// Every column, in the order of the workbook (`data/column_ways.csv`).
pub static KEPT: LazyLock<Vec<Kept>> = LazyLock::new(|| {
    let lines = tables::read(include_str!("../data/column_ways.csv"), &["column", "group", "way", "sight"]).expect("a test reads the columns");
    let kept = |line: &tables::Line| {
        Some(Kept {
            header: keep(line.get("column")),
            group: keep(line.get("group")),
            way: Way::ALL.into_iter().find(|way| way.as_str() == line.get("way"))?,
            sight: Sight::ALL.into_iter().find(|sight| sight.as_str() == line.get("sight"))?,
        })
    };
    lines.iter().filter_map(kept).collect()
});

/// What holds for a column.
pub fn of(header: &str) -> Option<&'static Kept> {
    KEPT.iter().find(|kept| kept.header == header)
}

/// Groups, in the order of their first columns.
pub fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&'static str> = Vec::new();
    for kept in KEPT.iter() {
        if !groups.contains(&kept.group) {
            groups.push(kept.group);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::{COLUMNS, SPECIAL_GROUPS};

    #[test]
    fn every_column_has_exactly_one_group_and_one_way_in_the_order_of_the_workbook() {
        let known: Vec<&str> = COLUMNS.iter().map(|column| column.header).collect();
        assert_eq!(KEPT.iter().map(|kept| kept.header).collect::<Vec<_>>(), known);
        assert_eq!(groups(), ["身份信息", "学籍信息", "招生入学", "个人情况", "联系方式", "户籍与居住", "家庭成员1", "家庭成员2"]);
        assert!(KEPT.iter().all(|kept| !kept.group.is_empty()));
        assert!(
            Way::ALL.iter().all(|way| KEPT.iter().any(|kept| kept.way == *way)) && Sight::ALL.iter().all(|sight| KEPT.iter().any(|kept| kept.sight == *sight))
        );
    }

    #[test]
    fn what_carries_money_or_identity_is_not_the_schools_alone() {
        let way = |header: &str| of(header).map(|kept| kept.way);
        for header in ["户口性质", "学生居住地类型", "户口所在地行政区划码", "城乡分类代码"].into_iter().chain(SPECIAL_GROUPS.map(|(column, _)| column))
        {
            assert_eq!(way(header), Some(Way::Dossier), "{header}");
        }
        for header in ["姓名", "性别", "出生日期", "身份证件号"] {
            assert_eq!(way(header), Some(Way::Correction), "{header}");
        }
        for header in ["学习形式", "学生类别", "入学年月", "学制", "身份证件类型", "民族"] {
            assert_eq!(way(header), Some(Way::Fixed), "{header}");
        }
    }

    #[test]
    fn telephones_numbers_and_birth_dates_are_not_shown_as_they_are() {
        for kept in KEPT.iter() {
            let wanted: &[Sight] = match kept.header {
                "学号" => &[Sight::Plain],
                "身份证件号" => &[Sight::Number],
                "出生日期" => &[Sight::Year],
                "联系电话" => &[Sight::Telephone],
                header if header.ends_with("电话") => &[Sight::Tail],
                header if header.ends_with("身份证件号") => &[Sight::Hidden],
                header if header.contains("地址") || header.starts_with("成员") || header.contains("健康") || header.contains("贫困") => {
                    &[Sight::Private]
                }
                _ => &[Sight::Open, Sight::Private],
            };
            assert!(wanted.contains(&kept.sight), "{}", kept.header);
        }
    }
}

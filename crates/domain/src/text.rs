//! What people really type into cells, made comparable where that is safe.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Middle dots as keyboards and systems write them; names compare with the first.
/// Source: observed variants of minority names, e.g. 买买提·艾力.
const MIDDLE_DOTS: [char; 9] = ['·', '•', '．', '.', '‧', '∙', '⋅', '・', '･'];

/// A cell as typed, without what no value has: outer blanks, a leading apostrophe, invisible
/// characters; full-width letters, digits and signs become half-width.
pub fn clean(cell: &str) -> String {
    let half: String = cell.chars().map(half_width).filter(|c| !is_invisible(*c)).collect();
    let trimmed = half.trim();
    trimmed.strip_prefix('\'').unwrap_or(trimmed).trim().to_owned()
}

/// A number-like cell: [`clean`], without any blank, letters in upper case.
pub fn clean_number(cell: &str) -> String {
    clean(cell).chars().filter(|c| !c.is_whitespace()).flat_map(char::to_uppercase).collect()
}

/// A date as people type it (`20100312`, `2010-3-12`, `2010/03/12`, `2010.3.12`, `2010年3月12日`, `二〇一〇年三月十二日`, with a time or a day of the
/// week behind) as `YYYYMMDD`; anything else only cleaned, so that it is told as it was typed.
pub fn clean_date(cell: &str) -> String {
    let typed = clean(cell);
    let plain = arabic(&without_time(&typed));
    match date_parts(&plain)[..] {
        [year, month, day] => format!("{year}{month:0>2}{day:0>2}"),
        _ => typed,
    }
}

/// A month as people type it (`201609`, `2016-9`, `2016/09`, `2016年9月`, or any date in it) as `YYYYMM`; anything else only
/// cleaned. Not `2016.9`: a sheet that took it for a number has made the tenth month the first.
pub fn clean_month(cell: &str) -> String {
    let typed = clean(cell);
    match date_parts(&typed)[..] {
        [year, month, _] => format!("{year}{month:0>2}"),
        [year, month] if !typed.contains('.') => format!("{year}{month:0>2}"),
        _ => typed,
    }
}

/// A date without the time that a program wrote behind it, without a day of the week, with one kind of dash.
fn without_time(typed: &str) -> String {
    let dashed: String = typed.chars().map(|c| if matches!(c, '–' | '—' | '‐' | '‑' | '−' | '－') { '-' } else { c }).collect();
    let dashed = dashed.strip_suffix(".0").unwrap_or(&dashed);
    let (day, rest) = match dashed.find(['T', ' ']) {
        Some(at) => (&dashed[..at], dashed[at + 1..].trim()),
        None => (dashed, ""),
    };
    // In another zone the day may be another: only midnight is taken.
    let has_zone = rest.contains(['Z', '+']);
    let is_time = rest.contains(':') && rest.chars().all(|c| c == '0' || !has_zone && c.is_ascii_digit() || ":.Z".contains(c));
    let is_weekday = ["星期", "周", "礼拜"].iter().any(|word| rest.strip_prefix(word).is_some_and(|day| day.chars().count() == 1));
    if is_time || is_weekday { day.to_owned() } else { dashed.to_owned() }
}

/// Chinese figures of a date as Arabic ones: 二〇一〇年三月十二日. Anything else as it is.
fn arabic(typed: &str) -> String {
    const FIGURES: &str = "〇一二三四五六七八九";
    let figure = |c: char| if matches!(c, '零' | '○' | 'O') { Some(0) } else { FIGURES.chars().position(|known| known == c) };
    let Some((year, rest)) = typed.split_once('年').filter(|(year, _)| year.chars().count() == 4 && year.chars().all(|c| figure(c).is_some())) else {
        return typed.to_owned();
    };
    let number = |text: &str| -> Option<usize> {
        match text.split_once('十') {
            Some((tens, ones)) => {
                let tens = if tens.is_empty() { 1 } else { tens.chars().next().and_then(figure).filter(|_| tens.chars().count() == 1)? };
                let ones = if ones.is_empty() { 0 } else { ones.chars().next().and_then(figure).filter(|_| ones.chars().count() == 1)? };
                Some(tens * 10 + ones)
            }
            None => text.chars().next().and_then(figure).filter(|_| text.chars().count() == 1),
        }
    };
    let year: String = year.chars().filter_map(figure).map(|figure| figure.to_string()).collect();
    let parts = rest.split_once('月').and_then(|(month, day)| Some((number(month)?, number(day.trim_end_matches(['日', '号']))?)));
    parts.map_or_else(|| typed.to_owned(), |(month, day)| format!("{year}-{month}-{day}"))
}

/// Year, month and maybe day of a date or month: written together, with one sign between them, or in Chinese.
fn date_parts(typed: &str) -> Vec<&str> {
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits(typed) {
        return match typed.len() {
            8 => vec![&typed[..4], &typed[4..6], &typed[6..]],
            6 => vec![&typed[..4], &typed[4..]],
            _ => Vec::new(),
        };
    }
    let parts: Vec<&str> = if typed.contains('年') {
        let typed = typed.strip_suffix('日').or_else(|| typed.strip_suffix('月')).unwrap_or(typed);
        typed.split(['年', '月']).map(str::trim).collect()
    } else {
        let sign = typed.chars().find(|c| matches!(c, '-' | '/' | '.' | ' '));
        sign.map(|sign| typed.split(sign).map(str::trim).collect()).unwrap_or_default()
    };
    let fits = |(index, part): (usize, &&str)| all_digits(part) && if index == 0 { part.len() == 4 } else { matches!(part.len(), 1 | 2) };
    if matches!(parts.len(), 2 | 3) && parts.iter().enumerate().all(fits) { parts } else { Vec::new() }
}

/// A name as people compare it: NFKC, without blanks, with one kind of middle dot, letters in upper case.
pub fn comparable_name(name: &str) -> String {
    name.chars()
        .map(|c| if MIDDLE_DOTS.contains(&c) { '·' } else { c })
        .nfkc()
        .filter(|c| !c.is_whitespace() && !is_invisible(*c))
        // NFKC turns some dots into others
        .map(|c| if MIDDLE_DOTS.contains(&c) { '·' } else { c })
        .flat_map(char::to_uppercase)
        .collect()
}

/// A name as it is kept: without outer blanks and invisible characters, with single inner blanks.
pub fn tidy_name(name: &str) -> String {
    let visible: String = name.chars().filter(|c| !is_invisible(*c) && !is_variation(*c)).flat_map(in_names).nfc().collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A character as names hold it: a radical as the character that it shows, one kind of blank, apostrophe and hyphen.
fn in_names(c: char) -> impl Iterator<Item = char> {
    let plain = match c {
        '\u{3000}' | '\u{a0}' => ' ',
        '’' | '‘' | '′' | '＇' => '\'',
        '‐' | '‑' | '–' | '−' | '－' => '-',
        other => other,
    };
    // 康熙部首 look like the characters that they stand for, and are others.
    let radical = ('\u{2f00}'..='\u{2fdf}').contains(&plain).then(|| std::iter::once(plain).nfkc().next()).flatten();
    std::iter::once(radical.unwrap_or(plain))
}

/// Selects another shape of the character before it.
fn is_variation(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Why a name can't be kept, with the characters that are at fault: what a screen doesn't show is told by its code.
pub fn name_fault(name: &str) -> Option<String> {
    /// Characters that are told.
    const TOLD: usize = 5;
    match check_name(name) {
        Ok(()) => None,
        Err(NameError::Length) => Some(NameError::Length.to_string()),
        Err(NameError::Character) => {
            let shown = |c: char| match c {
                '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. => format!("自造字 U+{:04X}", u32::from(c)),
                '\u{2e80}'..='\u{2fdf}' => format!("部首“{c}”（U+{:04X}）", u32::from(c)),
                _ => format!("“{c}”"),
            };
            let faults: Vec<String> = name.chars().filter(|c| !fits_names(*c)).take(TOLD).map(shown).collect();
            Some(format!("姓名中含有数字或符号：{}，请按身份证件填写", faults.join("、")))
        }
    }
}

/// Why a name can't be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Shorter than two or longer than 36 characters (JY/T 1001).
    #[error("姓名应为2至36个字符，请核对")]
    Length,
    /// A digit or a sign that no name holds.
    #[error("姓名中含有数字或符号，请按身份证件填写")]
    Character,
}

/// Checks a tidied name: 2 to 36 characters, letters of any script, blanks and middle dots.
pub fn check_name(name: &str) -> Result<(), NameError> {
    let length = comparable_name(name).chars().count();
    if !(2..=36).contains(&length) {
        return Err(NameError::Length);
    }
    if name.chars().all(fits_names) { Ok(()) } else { Err(NameError::Character) }
}

/// Letters of any script with their marks, and what stands between the parts of a name. Radicals are no letters.
fn fits_names(c: char) -> bool {
    let is_letter = c.is_alphabetic() || is_combining_mark(c) || c == '\u{f0b}';
    is_letter && !('\u{2e80}'..='\u{2fdf}').contains(&c) || c == ' ' || c == '\'' || c == '-' || MIDDLE_DOTS.contains(&c)
}

/// A number with all but its end hidden: the last four characters, of a short one the last two. What stands beside a number
/// counts: its region and birth date are no secret, so nothing else of it is shown.
pub fn mask(number: &str) -> String {
    let length = number.chars().count();
    let shown = match length {
        0..=4 => 0,
        5..=9 => 2,
        _ => 4,
    };
    number.chars().enumerate().map(|(index, c)| if index + shown < length { '*' } else { c }).collect()
}

/// Digits in a row from which on they may be somebody's number: telephones have eleven.
const LONG_NUMBER: usize = 11;

/// A text in which every number that may be somebody's is masked, whatever it was typed into: eleven or more digits in a row (and
/// a last X), and an identity number or a telephone number that is written in groups.
pub fn mask_long_numbers(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (mut masked, mut at) = (String::with_capacity(text.len()), 0);
    while at < chars.len() {
        if let Some(length) = long_number(&chars[at..]) {
            masked.push_str(&mask(&chars[at..at + length].iter().collect::<String>()));
            at += length;
        } else {
            // What follows a digit within a shorter row is no beginning of another.
            let row = chars[at..].iter().take_while(|c| digit(**c).is_some()).count().max(1);
            masked.extend(&chars[at..at + row]);
            at += row;
        }
    }
    masked
}

/// A cell as the problem of its row tells it: of a birth date the year, of a number its end. Both stand beside the end of the row's
/// identity number.
pub fn told_cell(column: &str, value: &str) -> String {
    if column == "出生日期" { value.chars().take(4).collect() } else { mask_long_numbers(value) }
}

/// Whether a text holds a number that may be somebody's.
pub fn holds_long_number(text: &str) -> bool {
    mask_long_numbers(text) != text
}

/// The one of these values that somebody who typed this probably meant; none where none is near, or several are as near.
pub fn nearest<'v>(typed: &str, values: impl IntoIterator<Item = &'v str>) -> Option<&'v str> {
    /// Longer texts are none of a list.
    const CHARACTERS: usize = 20;
    let typed: Vec<char> = clean(typed).chars().collect();
    if typed.is_empty() || typed.len() > CHARACTERS {
        return None;
    }
    let mut best: Option<(usize, &str, bool)> = None;
    for value in values {
        let wanted: Vec<char> = value.chars().collect();
        let steps = steps_between(&typed, &wanted);
        let shorter = typed.len().min(wanted.len());
        let begins = wanted.starts_with(&typed) || typed.starts_with(&wanted);
        let is_within = typed.len().abs_diff(wanted.len()) == steps && (steps == 1 || steps < shorter);
        // Its beginning, within it, or a typing error: one step in two characters or more, of long ones a third.
        if shorter > 0 && (begins || is_within || (steps == 1 && shorter > 1) || steps * 3 <= shorter) {
            best = match best {
                Some((fewest, _, _)) if fewest < steps => best,
                Some((fewest, known, _)) if fewest == steps && known != value => Some((steps, known, false)),
                _ => Some((steps, value, true)),
            };
        }
    }
    best.filter(|(.., alone)| *alone).map(|(_, value, _)| value)
}

/// Characters to put in, take out or replace until one text is the other.
fn steps_between(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (at, one) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (place, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(one != other);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[to.len()]
}

/// Signs that may stand between two groups of a number.
const BETWEEN_GROUPS: usize = 2;

/// How many characters the number takes that a text begins with, if that may be somebody's.
fn long_number(chars: &[char]) -> Option<usize> {
    let row = chars.iter().take_while(|c| digit(**c).is_some()).count();
    let is_x = |c: Option<&char>| c.is_some_and(|c| matches!(half_width(*c), 'x' | 'X'));
    if row == 0 {
        return None;
    }
    if row >= LONG_NUMBER {
        return Some(row + usize::from(is_x(chars.get(row))));
    }
    // In groups, whatever stands between them; days, months and other small numbers in a row are none.
    let (mut groups, mut end, mut between) = (vec![String::new()], 0, 0);
    for (index, c) in chars.iter().enumerate() {
        if let Some(digit) = digit(*c) {
            if between > 0 {
                groups.push(String::new());
            }
            groups.last_mut()?.push(digit);
            (end, between) = (index + 1, 0);
        } else if is_between(*c) && between < BETWEEN_GROUPS {
            between += 1;
        } else {
            break;
        }
    }
    let digits = groups.iter().map(String::len).sum::<usize>();
    if without_days(&groups).iter().map(String::len).sum::<usize>() < LONG_NUMBER {
        return None;
    }
    Some(end + usize::from(digits == 17 && is_x(chars.get(end))))
}

/// Groups of digits without the days, months and counts before them; none where all are such.
fn without_days(groups: &[String]) -> &[String] {
    let is = |group: &str, range: std::ops::RangeInclusive<u32>| group.parse().is_ok_and(|number| range.contains(&number));
    let is_day = |group: &String| match group.len() {
        1 | 2 => is(group, 0..=31),
        4 => is(group, 1900..=2100),
        6 => is(&group[..4], 1900..=2100) && is(&group[4..], 1..=12),
        8 => is(&group[..4], 1900..=2100) && is(&group[4..6], 1..=12) && is(&group[6..], 1..=31),
        _ => false,
    };
    // Digit by digit nobody writes days.
    if groups.iter().all(|group| group.len() == 1) {
        return groups;
    }
    // The end of a number may look like a year: only what stands before it is taken away.
    groups.iter().position(|group| !is_day(group)).map_or(&[], |first| &groups[first..])
}

fn is_between(c: char) -> bool {
    let c = half_width(c);
    c.is_whitespace() || is_invisible(c) || matches!(c, '-' | '.' | '_' | '/' | '\\' | ',' | ':' | '|' | '~' | '·' | '•' | '‐'..='―' | '−' | '、')
}

/// A digit, in whatever writing.
fn digit(c: char) -> Option<char> {
    let offset = |base: char, first: u32| char::from_digit(u32::from(c) - u32::from(base) + first, 10);
    match half_width(c) {
        ascii @ '0'..='9' => Some(ascii),
        '\u{660}'..='\u{669}' => offset('\u{660}', 0),
        '\u{6f0}'..='\u{6f9}' => offset('\u{6f0}', 0),
        '①'..='⑨' => offset('①', 1),
        '⑴'..='⑼' => offset('⑴', 1),
        '⓪' | '〇' | '零' => Some('0'),
        numeral => "一二三四五六七八九".chars().position(|known| known == numeral).and_then(|at| char::from_digit(u32::try_from(at).ok()? + 1, 10)),
    }
}

fn half_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c,
    }
}

/// Whether nobody sees a character: control characters, marks of width and of direction.
pub fn is_invisible(c: char) -> bool {
    c.is_control() && !c.is_whitespace()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{180e}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_miss_has_one_value_that_was_meant() {
        let values = ["汉族", "满族", "回族", "三年制", "三年以上", "居民身份证", "群众", "农业户口", "非农业户口"];
        for (typed, meant) in [
            ("汉", Some("汉族")),
            ("汉 族", Some("汉族")),
            ("三年", Some("三年制")),
            ("身份证", Some("居民身份证")),
            ("居民身分证", Some("居民身份证")),
            ("农业", Some("农业户口")),
            ("非农业", Some("非农业户口")),
            // Several are as near, or none is.
            ("族", None),
            ("户口", None),
            ("考古", None),
            ("", None),
            ("1", None),
        ] {
            assert_eq!(nearest(typed, values), meant, "{typed}");
        }
    }

    #[test]
    fn cells_lose_what_no_value_has() {
        for (typed, meant) in [("　３６　", "36"), ("'012345", "012345"), ("\u{feff}男 ", "男"), ("（一）班", "(一)班")] {
            assert_eq!(clean(typed), meant, "{typed:?}");
        }
        assert_eq!(clean_number(" 1101 0519 4912 3100 2x"), "11010519491231002X");
    }

    #[test]
    fn dates_and_months_are_read_in_every_usual_form_and_nothing_else() {
        for typed in ["20100312", "2010-03-12", "2010-3-12", "2010/3/12", "2010.3.12", "2010年3月12日", " ２０１０/3/12 ", "'20100312"] {
            assert_eq!(clean_date(typed), "20100312", "{typed}");
            assert_eq!(clean_month(typed), "201003", "{typed}");
        }
        for typed in [
            "2010-03-12 00:00:00",
            "2010/3/12 0:00",
            "2010-03-12T00:00:00",
            "2010-03-12T00:00:00.000Z",
            "2010 03 12",
            "2010–03–12",
            "2010-03-12.0",
            "20100312.0",
            "2010/03/12 星期五",
            "2010年3月12日 周五",
            "二〇一〇年三月十二日",
            "二○一○年三月十二日",
        ] {
            assert_eq!(clean_date(typed), "20100312", "{typed}");
        }
        for typed in [
            "12/3/2010",
            "10.3.12",
            "40249",
            "2010-03-11T16:00:00.000Z",
            "2010-03-12T00:00:00+08:00",
            "2010-03-12 午",
            "二〇一〇年三月",
            "二〇一〇年十三日",
            "一〇年三月十二日",
        ] {
            assert_eq!(clean_date(typed), clean(typed), "is told as typed");
        }
        for typed in ["201003", "2010-03", "2010-3", "2010/3", "2010年3月", "2010年03月"] {
            assert_eq!(clean_month(typed), "201003", "{typed}");
        }
        for typed in ["-20100312", "20-10-03-12", "2010-03/12", "2010--12", "10-3-12", "2010312", "20100312x", "202609.5", "2010.3", "2010年", "+201003"] {
            assert_eq!(clean_month(typed), typed, "is told as typed");
            assert_eq!(clean_date(typed), typed, "is told as typed");
        }
    }

    #[test]
    fn names_compare_across_blanks_and_dots() {
        for variant in ["王　伟", "王 伟", "王伟", " 王伟"] {
            assert_eq!(comparable_name(variant), "王伟");
        }
        for dot in MIDDLE_DOTS {
            assert_eq!(comparable_name(&format!("买买提{dot}艾力")), "买买提·艾力", "{dot:?}");
        }
        assert_ne!(comparable_name("陈莉"), comparable_name("陈丽"));
    }

    #[test]
    fn names_are_checked_at_both_limits() {
        assert_eq!(check_name("王"), Err(NameError::Length));
        assert_eq!(check_name("王伟"), Ok(()));
        assert_eq!(check_name(&"阿".repeat(36)), Ok(()));
        assert_eq!(check_name(&"阿".repeat(37)), Err(NameError::Length));
        assert_eq!(check_name("王伟2"), Err(NameError::Character));
        assert_eq!(check_name("买买提·艾力"), Ok(()));
        // What people and their input methods write: put right where that is safe, else told by what it is.
        for (typed, kept) in [
            ("王⼤⽂", "王大文"),
            ("李\u{f9e1}", "李李"),
            ("葛\u{e0100}伟", "葛伟"),
            ("王\u{fe0f}伟", "王伟"),
            ("Jose\u{301} Maria", "José Maria"),
            ("O’Brien Sean", "O'Brien Sean"),
            ("Anne‐Marie", "Anne-Marie"),
            ("王\u{a0}伟", "王 伟"),
            ("བཀྲ་ཤིས", "བཀྲ་ཤིས"),
            ("张〇", "张〇"),
        ] {
            assert_eq!((tidy_name(typed).as_str(), check_name(&tidy_name(typed))), (kept, Ok(())), "{typed}");
        }
        for (typed, told) in [("王\u{e863}", "自造字 U+E863"), ("王⻰", "部首“⻰”（U+2EF0）"), ("王?", "“?”"), ("张○", "“○”"), ("王〓伟", "“〓”")]
        {
            let fault = name_fault(&tidy_name(typed)).expect("a fault");
            assert!(fault.contains(told), "{fault}");
        }
    }

    #[test]
    fn masks_hide_the_middle() {
        assert_eq!(mask("11010519491231002X"), "**************002X");
        assert_eq!(mask("G11010519491231002X"), "***************002X");
        assert_eq!(mask("1234"), "****");
        assert_eq!(mask("E12345"), "****45");
        for (text, masked) in [
            ("号11010519491231002X完", "号**************002X完"),
            ("电话13912345678，号１１010519491231002x", "电话*******5678，号**************002x"),
            ("110105 19491231 002X", "****************002X"),
            ("110105-1949-1231-002X", "*****************002X"),
            ("139 1234 5678或139-1234-5678", "*********5678或*********5678"),
            ("430102.20100203.8029", "****************8029"),
            ("430102/2010/0203/8029与", "*****************8029与"),
            ("430102—20100321—8486", "****************8486"),
            ("430102\n20100303\n8303", "****************8303"),
            ("138.1234.7030 1381234 7031", "**********************7031"),
            ("1 3 8 1 2 3 4 7 0 9 9", "***************** 9 9"),
            ("电话0731-82221111", "电话*********1111"),
            ("6222 0212 3456 7890 123", "******************* 123"),
            ("四三〇一〇二二〇一〇〇二〇三八〇二九", "**************八〇二九"),
            ("٤٣٠١٠٢٢٠١٠٠٢٠٣٨٠٢٩", "**************٨٠٢٩"),
            // Dates, months, amounts and codes are no numbers of anybody.
            ("20160901 20161001、3643000001", "20160901 20161001、3643000001"),
            ("2016-09-01至2016-10-01", "2016-09-01至2016-10-01"),
            ("201609 201610 201611", "201609 201610 201611"),
            ("1 200 000.00元", "1 200 000.00元"),
        ] {
            assert_eq!(mask_long_numbers(text), masked, "{text}");
            assert_eq!(holds_long_number(text), text != masked, "{text}");
        }
    }
}

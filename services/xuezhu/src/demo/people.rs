//! Realistic names and valid numbers.

use chrono::{Datelike, NaiveDate};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};
use xuezhu_domain::identity::check_character;

const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
const GIVEN: &str = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰萍红玲芬燕彬凯浩宇轩子涵欣怡梓雨佳思琪俊婷雪倩文博鑫慧晨阳志远嘉诚天乐晓春秋冬海波建国庆丹露瑶琳颖珊蕾莹洁梅晶媛倩云飞鹏程昊然";
/// Characters that sound alike.
pub const HOMOPHONES: [(char, char); 12] = [
    ('丽', '莉'),
    ('伟', '炜'),
    ('娟', '鹃'),
    ('婷', '亭'),
    ('阳', '杨'),
    ('浩', '皓'),
    ('杰', '捷'),
    ('敏', '闵'),
    ('佳', '嘉'),
    ('雨', '宇'),
    ('静', '婧'),
    ('琳', '林'),
];
const MINORITY: [(&str, &str); 6] =
    [("买买提", "艾力"), ("阿依古丽", "吐尔逊"), ("古丽娜", "买买提"), ("艾尼瓦尔", "卡德尔"), ("热娜", "阿不都"), ("巴特尔", "苏和")];

/// A name; about one in three ends in a character that has a homophone.
pub fn name(random: &mut StdRng) -> String {
    let pick = |random: &mut StdRng, from: &str| from.chars().collect::<Vec<_>>().choose(random).copied().unwrap_or('王');
    let mut name = String::from(pick(random, SURNAMES));
    if random.random_bool(0.7) {
        name.push(pick(random, GIVEN));
    }
    name.push(if random.random_bool(0.35) { HOMOPHONES[random.random_range(0..HOMOPHONES.len())].0 } else { pick(random, GIVEN) });
    name
}

/// A name with a middle dot.
pub fn minority_name(random: &mut StdRng) -> String {
    let (own, father) = MINORITY[random.random_range(0..MINORITY.len())];
    format!("{own}·{father}")
}

/// The name with its last character replaced by one that sounds alike; none where it has none.
pub fn homophone(name: &str) -> Option<String> {
    let last = name.chars().last()?;
    let (_, other) = HOMOPHONES.iter().find(|(one, _)| *one == last)?;
    let mut changed: String = name.chars().take(name.chars().count() - 1).collect();
    changed.push(*other);
    Some(changed)
}

/// A valid number of a region, birth date and serial; odd serials are male.
pub fn number(region: &str, birth: NaiveDate, serial: u32) -> String {
    let body = format!("{region}{}{serial:03}", birth.format("%Y%m%d"));
    let check = check_character(&body).unwrap_or('0');
    format!("{body}{check}")
}

/// A birth date of somebody who turns `age` in the school year that begins in `year`.
pub fn birth(random: &mut StdRng, year: i32, age: i32) -> NaiveDate {
    let begin = NaiveDate::from_ymd_opt(year - age, 9, 1).unwrap_or_default();
    let day = begin + chrono::Days::new(random.random_range(0..365));
    debug_assert!(day.year() >= 1900);
    day
}

//! Realistic names and valid numbers.

use chrono::{Datelike, NaiveDate};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use xuezhu_domain::identity::check_character;

const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤";
/// Characters of given names: boys', girls', and those of either.
const BOYS: &str = "强磊军勇涛超刚彬凯轩俊博鑫志远诚海波建国飞鹏程昊然斌辉峰龙亮武毅恒睿泽宏";
const GIRLS: &str = "芳娜艳秀霞桂英玉兰萍红玲芬燕欣怡琪雪倩慧丹露瑶颖珊蕾莹洁梅晶媛云莲蓉菲悦";
const EITHER: &str = "明平华宇子涵梓思文晨嘉天乐晓春秋庆洋安宁欢瑞";
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
/// Those of them that boys are called by.
const BOYS_ALIKE: &str = "伟阳浩杰";
const MINORITY: [(&str, &str); 6] =
    [("买买提", "艾力"), ("阿依古丽", "吐尔逊"), ("古丽娜", "买买提"), ("艾尼瓦尔", "卡德尔"), ("热娜", "阿不都"), ("巴特尔", "苏和")];

/// A name, of a boy or of a girl; about one in three ends in a character that has a homophone.
pub fn name(random: &mut StdRng, male: bool) -> String {
    let pick = |random: &mut StdRng, from: &str| from.chars().collect::<Vec<_>>().choose(random).copied().unwrap_or('王');
    let own = if male { BOYS } else { GIRLS };
    let mut name = String::from(pick(random, SURNAMES));
    if random.random_bool(0.7) {
        let from = if random.random_bool(0.5) { own } else { EITHER };
        name.push(pick(random, from));
    }
    let alike: Vec<char> = HOMOPHONES.iter().filter(|(one, _)| BOYS_ALIKE.contains(*one) == male).map(|(one, _)| *one).collect();
    name.push(if random.random_bool(0.35) { alike[random.random_range(0..alike.len())] } else { pick(random, own) });
    name
}

/// Somebody who works somewhere, whose name is always the same.
pub fn staff(organisation: &str, account: &str) -> String {
    let seed = organisation.bytes().chain(account.bytes()).fold(7_u64, |seed, byte| seed.wrapping_mul(131).wrapping_add(u64::from(byte)));
    let mut random = StdRng::seed_from_u64(seed);
    let male = random.random_bool(0.5);
    name(&mut random, male)
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

/// The number of a card: it begins so, and ends in its check digit.
pub fn card(random: &mut StdRng, begin: &str) -> String {
    let mut digits: Vec<u32> = begin.chars().filter_map(|digit| digit.to_digit(10)).collect();
    while digits.len() < 18 {
        digits.push(random.random_range(0..10));
    }
    let doubled = |(index, digit): (usize, &u32)| if index % 2 == 0 { digit * 2 - if *digit > 4 { 9 } else { 0 } } else { *digit };
    let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
    digits.push((10 - sum % 10) % 10);
    digits.into_iter().map(|digit| digit.to_string()).collect()
}

/// A birth date of somebody who turns `age` in the school year that begins in `year`.
pub fn birth(random: &mut StdRng, year: i32, age: i32) -> NaiveDate {
    let begin = NaiveDate::from_ymd_opt(year - age, 9, 1).unwrap_or_default();
    let day = begin + chrono::Days::new(random.random_range(0..365));
    debug_assert!(day.year() >= 1900);
    day
}

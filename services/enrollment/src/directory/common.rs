//! Passwords that everybody thinks of. Pure.
//!
//! What people do to a common word so that a rule is content (capitals, digits behind, `@` for `a`) is undone, and what is left is looked up: among the
//! words of the passwords that are most common in leaks (`data/common_passwords.txt`, with its source), as a whole; and among some more, English and
//! Chinese, with hardly anything beside them; and along the rows of a keyboard.

use std::{collections::HashSet, sync::LazyLock};

/// Words of common passwords.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../data/common_passwords.txt").lines().filter(|line| !line.starts_with('#')).collect());

/// Words that make no password, in small letters; what is beside them is not counted.
const WORDS: [&str; 79] = [
    "password",
    "passwd",
    "passw",
    "admin",
    "administrator",
    "root",
    "user",
    "guest",
    "test",
    "login",
    "welcome",
    "letmein",
    "master",
    "monkey",
    "dragon",
    "shadow",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "superman",
    "batman",
    "iloveyou",
    "loveyou",
    "trustno",
    "whatever",
    "freedom",
    "hello",
    "hellow",
    "secret",
    "changeme",
    "default",
    "system",
    "server",
    "database",
    "oracle",
    "mysql",
    "postgres",
    "windows",
    "computer",
    "internet",
    "qwerty",
    "qwertyuiop",
    "qwert",
    "asdf",
    "asdfgh",
    "asdfghjkl",
    "zxcv",
    "zxcvbn",
    "zxcvbnm",
    "qazwsx",
    "qazwsxedc",
    "qweasd",
    "qweasdzxc",
    "qwe",
    "asd",
    "zxc",
    "abc",
    "abcd",
    "abcde",
    "abcdef",
    "woaini",
    "woaiwojia",
    "nihao",
    "zhongguo",
    "mima",
    "ceshi",
    "guanliyuan",
    "xuexiao",
    "xuesheng",
    "laoshi",
    "xuezhu",
    "xueji",
    "zizhu",
    "huawei",
    "taobao",
    "baidu",
    "weixin",
    "tencent",
];
/// Letters that must be left when such a word is taken away, and digits or signs do not count: else it is all that the password is.
const LEFT: usize = 4;
/// Letters of an account's name that are looked for.
const NAME: usize = 4;

/// The letter that a sign or digit stands for.
fn letter(sign: char) -> char {
    match sign {
        '@' | '4' => 'a',
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Whether a password is a common one, or the account's name, with something beside it.
pub fn holds(password: &str, account: &str) -> bool {
    let small = password.to_lowercase();
    // As it is written, and with signs read as letters: `P@ssw0rd`; digits behind are digits all the same.
    let readings = [small.clone(), small.trim_end_matches(|sign: char| !sign.is_alphabetic()).chars().map(letter).collect()];
    let is_name = account.chars().count() >= NAME && readings.iter().any(|reading| reading.contains(&account.to_lowercase()));
    is_name || readings.iter().any(|reading| is_common(reading)) || is_keyboard(&small)
}

fn is_common(reading: &str) -> bool {
    let letters: String = reading.chars().filter(|sign| sign.is_alphabetic()).collect();
    if letters.is_empty() {
        return true;
    }
    COMMON.contains(letters.as_str()) || WORDS.iter().any(|word| letters.contains(word) && letters.chars().count() < word.len() + LEFT)
}

/// Whether it walks over the keys, or counts: `1qaz@WSX`, `Abcd1234`, with hardly anything else.
fn is_keyboard(small: &str) -> bool {
    const WALKS: [&str; 8] =
        ["1qaz2wsx3edc4rfv", "1q2w3e4r5t6y7u8i", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "0987654321", "abcdefghijklmnopqrstuvwxyz"];
    // The signs of a keyboard's first row are its digits.
    const ROW: [(char, char); 10] = [('!', '1'), ('@', '2'), ('#', '3'), ('$', '4'), ('%', '5'), ('^', '6'), ('&', '7'), ('*', '8'), ('(', '9'), (')', '0')];
    let keys: Vec<char> = small.chars().map(|sign| ROW.iter().find(|(on_top, _)| *on_top == sign).map_or(sign, |(_, digit)| *digit)).collect();
    let mut walked = 0;
    let mut at = 0;
    while at < keys.len() {
        let longest = (3..=keys.len() - at).rev().find(|length| {
            let part: String = keys[at..at + length].iter().collect();
            WALKS.iter().any(|walk| walk.contains(&part)) || keys[at..at + length].iter().all(|key| *key == keys[at])
        });
        walked += longest.unwrap_or(0);
        at += longest.unwrap_or(1);
    }
    keys.len() - walked < LEFT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_thinks_of_is_found_and_what_somebody_made_up_is_not() {
        for common in [
            "Password1!",
            "P@ssw0rd",
            "p@$$w0rd2024",
            "Admin@123",
            "Admin123456",
            "Qwerty123!",
            "1qaz@WSX",
            "1qaz2wsx#EDC",
            "Abcd1234",
            "Abc123456!",
            "Aa123456",
            "Aa@12345678",
            "Woaini1314",
            "Mima@2024",
            "Welcome2024",
            "ILoveYou520",
            "zhangsan@1A",
            "A1234567a",
            "!QAZ2wsx",
            "Xuezhu@2026",
            "Test@1234",
            "QWEasd123",
            "Charlie1!",
            "Starwars1!",
            "Summer1!",
            "$ummer2026",
            "Huawei@123",
            "Zhang123!",
            "School@123",
        ] {
            assert!(holds(common, "zhangsan"), "{common}");
        }
        for own in [
            "Anderer-Weg-1",
            "first-Password1",
            "Demo-2016",
            "gruene9-Wiese",
            "3Kraniche_im_Nebel",
            "Correct7horse",
            "Hx7-kv2Lm!q",
            "春江花月夜aB9",
            "Testament-41-Buch",
        ] {
            assert!(!holds(own, "zhangsan"), "{own}");
        }
        assert!(!holds("Leela-2019x", "li"), "a short name stands in many words");
    }
}

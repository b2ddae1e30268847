//! Codes of a second factor: what an authenticator shows (RFC 6238), and codes to come back by. Pure: time and randomness are given.

use totp_rs::{Builder, Secret, Totp};

/// Bytes of a secret, as RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
/// Recovery codes that are given at once.
pub const RECOVERY_CODES: usize = 10;
/// Characters of a recovery code: 50 bits.
pub const RECOVERY_CHARACTERS: usize = 10;
/// Digits that an authenticator shows.
const DIGITS: usize = 6;

/// As every authenticator has it: SHA-1, six digits, thirty seconds, one step early or late.
fn totp(secret: &[u8]) -> Totp {
    Builder::new().with_secret(Secret::from(secret)).build_noncompliant()
}

/// The step of time whose code this is, around a time in microseconds since 1970; none where it is none.
pub fn step_of(secret: &[u8], code: &str, now_us: i64) -> Option<i64> {
    let seconds = u64::try_from(now_us / 1_000_000).ok()?;
    totp(secret).check(code, seconds).and_then(|step| i64::try_from(step).ok())
}

/// A secret as it is typed.
pub fn base32(secret: &[u8]) -> String {
    Secret::from(secret).to_base32()
}

/// A secret as authenticators read it from a picture, under the name of the system (学助) and of the account.
pub fn uri(secret: &[u8], account: &str) -> String {
    const ISSUER: &str = "%E5%AD%A6%E5%8A%A9";
    format!("otpauth://totp/{ISSUER}:{account}?secret={}&issuer={ISSUER}", base32(secret))
}

/// What somebody typed, without what parts it.
pub fn plain(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether this looks like what an authenticator shows.
pub fn is_of_authenticator(plain: &str) -> bool {
    plain.len() == DIGITS && plain.bytes().all(|byte| byte.is_ascii_digit())
}

/// A recovery code from random bytes, without characters that look alike.
pub fn recovery_code(random: [u8; RECOVERY_CHARACTERS]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let code: String = random.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect();
    let (first, second) = code.split_at(RECOVERY_CHARACTERS / 2);
    format!("{first}-{second}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, for SHA-1; the last six of its eight digits.
    const SECRET: &[u8] = b"12345678901234567890";

    #[test]
    fn codes_are_those_of_the_standard_a_step_early_or_late_and_no_more() {
        for (second, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000_i64, "353130")] {
            let step = second / 30;
            let step_at = |at: i64| step_of(SECRET, code, at * 1_000_000);
            assert_eq!([step_at(second), step_at(second + 30), step_at(second - 30)], [Some(step); 3], "{code}");
            assert_eq!([step_at(second + 60), step_at(second - 60)], [None; 2], "{code}");
        }
        for wrong in ["", "28708", "2870822", "28708a", "000000"] {
            assert_eq!(step_of(SECRET, wrong, 59_000_000), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_is_read_as_it_is_printed() {
        let code = recovery_code([0, 1, 2, 3, 4, 255, 254, 33, 32, 31]);
        assert_eq!((code.as_str(), plain(&code.to_uppercase()).as_str()), ("abcde-09ba0", "abcde09ba0"));
        assert!(is_of_authenticator(&plain(" 287 082 ")) && !is_of_authenticator(&plain(&code)) && !is_of_authenticator("２８７０８２"));
        assert_eq!(base32(SECRET), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(uri(SECRET, "head").starts_with("otpauth://totp/%E5%AD%A6%E5%8A%A9:head?secret=GEZDGNBV"));
    }
}

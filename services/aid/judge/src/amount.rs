//! What months come to in fen: the one place where fen are multiplied by months and divided by them.

use xuezhu_domain::{Fen, Month};

use crate::policy::Paid;

/// What some months come to, at so much a month.
pub fn of_months(month: Fen, months: &[Month]) -> Fen {
    Fen(month.0.saturating_mul(count(months)))
}

/// What a month came to of an amount that was given for some months; all of it where there are none.
pub fn a_month(amount: Fen, months: &[Month]) -> Fen {
    Fen(amount.0 / count(months).max(1))
}

/// What is at stake in some months of a claim: so much a month, or all of it where the term is paid as a whole.
pub fn at_stake(paid: Paid, month: Fen, whole: Fen, months: &[Month]) -> Fen {
    match paid {
        Paid::Month => of_months(month, months),
        Paid::Term => whole,
    }
}

fn count(months: &[Month]) -> i64 {
    i64::try_from(months.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(count: usize) -> Vec<Month> {
        [202_609, 202_610, 202_611, 202_612, 202_701].into_iter().take(count).map(|month| Month::try_from(month).expect("a month")).collect()
    }

    #[test]
    fn months_come_to_so_much_each_and_a_month_to_what_it_was() {
        for (count, amount) in [(0, 0), (1, 23_000), (2, 46_000), (5, 115_000)] {
            assert_eq!(of_months(Fen(23_000), &months(count)), Fen(amount), "{count}");
        }
        for count in 1..=5 {
            assert_eq!(a_month(of_months(Fen(23_000), &months(count)), &months(count)), Fen(23_000), "{count}");
        }
        assert_eq!(a_month(Fen(23_000), &[]), Fen(23_000));
        assert_eq!(of_months(Fen(i64::MAX), &months(2)), Fen(i64::MAX), "more than can be written is no small amount");
    }

    #[test]
    fn a_term_that_is_paid_as_a_whole_is_at_stake_as_a_whole() {
        for (paid, amount) in [(Paid::Month, 46_000), (Paid::Term, 115_000)] {
            assert_eq!(at_stake(paid, Fen(23_000), Fen(115_000), &months(2)), Fen(amount), "{paid:?}");
        }
    }
}

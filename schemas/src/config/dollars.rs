//! Dollars as people write them, in exact millionths: no amount passes through floating point.

use super::decimal::{self, NotExact};

/// Digits behind the point that a millionth can hold.
const DECIMALS_MAX: usize = 6;
/// Largest amount accepted, in dollars.
const DOLLARS_MAX: u64 = 1_000_000_000;

/// Why a number is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DollarsError {
    /// Not plain digits with at most one point.
    #[error("is not a plain decimal number of US dollars that is not negative")]
    NotDecimal,
    /// Finer than a millionth.
    #[error("has more than {DECIMALS_MAX} decimals")]
    TooFine,
    /// More than [`DOLLARS_MAX`].
    #[error("is more than {DOLLARS_MAX} dollars")]
    TooLarge,
}

impl From<NotExact> for DollarsError {
    fn from(why: NotExact) -> Self {
        match why {
            NotExact::NotDecimal => Self::NotDecimal,
            NotExact::TooFine => Self::TooFine,
            NotExact::TooLarge => Self::TooLarge,
        }
    }
}

/// Millionths of a dollar from a decimal number such as `1.25`.
pub(crate) fn parse_microusd(text: &str) -> Result<u64, DollarsError> {
    let (whole, millionths) = decimal::parse(text, DECIMALS_MAX)?;
    if whole > DOLLARS_MAX {
        return Err(DollarsError::TooLarge);
    }
    Ok(whole * 1_000_000 + millionths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_exact_to_the_millionth() {
        for (text, microusd) in
            [("0", 0), ("1", 1_000_000), ("0.1", 100_000), ("1.25", 1_250_000), ("0.000001", 1)]
        {
            assert_eq!(parse_microusd(text), Ok(microusd), "{text}");
        }
    }

    #[test]
    fn what_is_no_exact_amount_is_refused() {
        for (text, error) in [
            ("-1", DollarsError::NotDecimal),
            ("1e3", DollarsError::NotDecimal),
            (".5", DollarsError::NotDecimal),
            ("5.", DollarsError::NotDecimal),
            ("0x10", DollarsError::NotDecimal),
            ("0.0000001", DollarsError::TooFine),
            ("1000000001", DollarsError::TooLarge),
            ("99999999999999999999999", DollarsError::TooLarge),
        ] {
            assert_eq!(parse_microusd(text), Err(error), "{text}");
        }
    }
}

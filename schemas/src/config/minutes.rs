//! Minutes as people write them, exact to a thousandth: no limit passes through floating point on its way to the clock.

use std::{fmt, time::Duration};

use serde::{Serialize, Serializer};

use super::decimal;

/// Digits behind the point that a thousandth can hold.
const DECIMALS_MAX: usize = 3;
/// Thousandths in a minute.
const THOUSANDTHS: u64 = 1_000;
/// Milliseconds in a thousandth of a minute.
const MILLISECONDS: u64 = 60;
/// Fewest minutes accepted: a thousandth.
pub(super) const MINUTES_MIN: f64 = 0.001;
/// Most minutes accepted: a week.
pub(super) const MINUTES_MAX: u64 = 10_080;

/// A length of time, more than none and at most a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes {
    thousandths: u64,
}

/// Why a number is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not a number of minutes from {MINUTES_MIN} to {MINUTES_MAX} with at most {DECIMALS_MAX} decimals"
)]
pub struct NotMinutes;

impl Minutes {
    /// Thirty seconds.
    pub(crate) const HALF: Self = Self { thousandths: THOUSANDTHS / 2 };

    /// Whole minutes; more than a week is a week, and none is one.
    pub(crate) fn whole(minutes: u64) -> Self {
        Self { thousandths: minutes.clamp(1, MINUTES_MAX) * THOUSANDTHS }
    }

    /// As the clock counts it.
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.thousandths * MILLISECONDS)
    }
}

impl std::str::FromStr for Minutes {
    type Err = NotMinutes;

    fn from_str(text: &str) -> Result<Self, NotMinutes> {
        let (whole, rest) = decimal::parse(text, DECIMALS_MAX).map_err(|_| NotMinutes)?;
        let thousandths =
            whole.checked_mul(THOUSANDTHS).and_then(|n| n.checked_add(rest)).ok_or(NotMinutes)?;
        if (1..=MINUTES_MAX * THOUSANDTHS).contains(&thousandths) {
            Ok(Self { thousandths })
        } else {
            Err(NotMinutes)
        }
    }
}

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.thousandths / THOUSANDTHS, self.thousandths % THOUSANDTHS);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        f.write_str(format!("{whole}.{rest:0DECIMALS_MAX$}").trim_end_matches('0'))
    }
}

impl Serialize for Minutes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.thousandths.is_multiple_of(THOUSANDTHS) {
            return serializer.serialize_u64(self.thousandths / THOUSANDTHS);
        }
        // Rounded once, to the number nearest to the decimal, which is what the decimal is read as.
        #[expect(clippy::cast_precision_loss, reason = "a week in thousandths is far below 2^53")]
        serializer.serialize_f64(self.thousandths as f64 / THOUSANDTHS as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_exact_to_the_thousandth() {
        for (text, milliseconds) in [("1", 60_000), ("0.001", 60), ("1.5", 90_000), ("10080", 604_800_000)] {
            let minutes: Minutes = text.parse().unwrap();
            assert_eq!(minutes.duration(), Duration::from_millis(milliseconds), "{text}");
            assert_eq!(serde_json::to_string(&minutes).unwrap(), text);
            assert_eq!(minutes.to_string(), text);
        }
    }

    #[test]
    fn a_length_that_was_written_comes_back() {
        let largest = MINUTES_MAX * THOUSANDTHS;
        for thousandths in (1..=100_000).chain(largest - 10_000..=largest) {
            let written = serde_json::to_string(&Minutes { thousandths }).unwrap();
            assert_eq!(written.parse(), Ok(Minutes { thousandths }), "{written}");
        }
        assert_eq!(MINUTES_MIN.to_string().parse(), Ok(Minutes { thousandths: 1 }));
    }

    #[test]
    fn what_is_no_exact_length_is_refused() {
        for text in ["0", "0.0", "-1", "1e2", ".5", "5.", "0.0001", "10080.001", "99999999999999999999"] {
            assert_eq!(text.parse::<Minutes>(), Err(NotMinutes), "{text}");
        }
    }
}

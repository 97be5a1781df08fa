//! Minutes as people write them, exact to a thousandth: no limit passes through floating point on its way to the clock.

use std::{borrow::Cow, fmt, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

/// Digits behind the point that a thousandth can hold.
const DECIMALS_MAX: usize = 3;
/// Thousandths in a minute.
const THOUSANDTHS: u64 = 1_000;
/// Milliseconds in a thousandth of a minute.
const MILLISECONDS: u64 = 60;
/// Most minutes accepted: a week.
const MINUTES_MAX: u64 = 10_080;

/// A length of time, more than none and at most a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Minutes {
    thousandths: u64,
}

/// Why a number is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a number of minutes from 0.001 to {MINUTES_MAX} with at most {DECIMALS_MAX} decimals")]
pub struct NotMinutes;

impl Minutes {
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
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let is_decimal = !whole.is_empty() && digits(whole) && digits(decimals) && !text.ends_with('.');
        if !is_decimal || decimals.len() > DECIMALS_MAX {
            return Err(NotMinutes);
        }
        let whole: u64 = whole.parse().map_err(|_| NotMinutes)?;
        let rest: u64 = format!("{decimals:0<DECIMALS_MAX$}").parse().map_err(|_| NotMinutes)?;
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
        // Below 2^53 in thousandths, so that reading it back gives the same.
        serializer.serialize_f64(self.duration().as_secs_f64() / 60.0)
    }
}

impl<'de> Deserialize<'de> for Minutes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Number::deserialize(deserializer)?.to_string().parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Minutes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Minutes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0.001, "maximum": MINUTES_MAX })
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
            assert_eq!(serde_json::from_str::<Minutes>(text).unwrap(), minutes);
        }
    }

    #[test]
    fn what_is_no_exact_length_is_refused() {
        for text in ["0", "0.0", "-1", "1e2", ".5", "5.", "0.0001", "10080.001", "99999999999999999999"] {
            assert_eq!(text.parse::<Minutes>(), Err(NotMinutes), "{text}");
        }
    }
}

//! One machine's part of a run. Every machine makes the same partition, of scenarios by their identity.

use std::{fmt, str::FromStr};

use super::identity::Identity;

/// Part `index` of `total`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    index: usize,
    total: usize,
}

/// The text names no part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no shard; write I/N with I from 1 to N, for example 1/3")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (index, total) = text.split_once('/').ok_or_else(wrong)?;
        let number = |digits: &str| {
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| digits.parse().ok())
                .flatten()
                .ok_or_else(wrong)
        };
        let (index, total) = (number(index)?, number(total)?);
        if index == 0 || index > total { Err(wrong()) } else { Ok(Self { index, total }) }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.total)
    }
}

impl Shard {
    const REASON: &'static str = "shard ";

    /// Why a run of this part is only a part, as its description says it.
    pub fn reason(self) -> String {
        format!("{}{self}", Self::REASON)
    }

    /// The part that such a reason speaks of.
    pub fn of_reason(reason: &str) -> Option<Self> {
        reason.strip_prefix(Self::REASON)?.parse().ok()
    }

    /// How many parts there are.
    pub fn total(self) -> usize {
        self.total
    }

    /// All parts of this partition.
    pub fn all(self) -> impl Iterator<Item = Self> {
        (1..=self.total).map(move |index| Self { index, total: self.total })
    }

    /// Keeps this part: the scenarios are dealt in an order that no file decides, so that neighbours, which often take
    /// equally long, are spread and no part has more than one scenario more than another.
    pub(super) fn keep<T>(self, scenarios: Vec<(Identity, T)>) -> Vec<T> {
        let mut dealt: Vec<(String, usize)> =
            scenarios.iter().enumerate().map(|(place, (identity, _))| (identity.digest(), place)).collect();
        dealt.sort();
        let mut mine = vec![false; scenarios.len()];
        for (_, place) in dealt.into_iter().skip(self.index - 1).step_by(self.total) {
            mine[place] = true;
        }
        scenarios
            .into_iter()
            .zip(mine)
            .filter_map(|((_, scenario), is_mine)| is_mine.then_some(scenario))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_its_number() {
        for text in ["1/1", "2/3", "3/3"] {
            let shard: Shard = text.parse().unwrap();
            assert_eq!(shard.to_string(), text);
            assert_eq!(Shard::of_reason(&shard.reason()), Some(shard));
        }
        for text in ["", "1", "0/2", "3/2", "1/0", "a/2", "1/2/3", "-1/2", "+1/2", " 1/2", "/"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
        assert_eq!(Shard::of_reason("limited by --tags"), None);
    }
}

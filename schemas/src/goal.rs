//! Goals and what people decide about them: the files of `traceability/` (design 4.1, 4.3), each read strictly, all
//! problems at once and each with its place. This file holds the words in which goals are named: ids and tiers.

pub mod backlog;
pub mod baselines;
pub mod declared;
pub mod denominator;
pub mod gates;
pub mod links;
pub mod quarantine;
pub mod spec;

mod file_schema;
mod read;

pub(crate) use file_schema::file_schema;
pub use read::says_something;

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// How much a goal weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Tier {
    /// Safety: never negotiable.
    Zero,
    /// Core workflow of an operator.
    One,
    /// Hardening and edge cases.
    Two,
}

impl Tier {
    /// Every tier, the weightiest first.
    pub const ALL: [Self; 3] = [Self::Zero, Self::One, Self::Two];

    /// The tier as its number.
    pub fn number(self) -> u8 {
        match self {
            Self::Zero => 0,
            Self::One => 1,
            Self::Two => 2,
        }
    }

    /// What the tier is about, in two words.
    pub fn label(self) -> &'static str {
        match self {
            Self::Zero => "safety",
            Self::One => "core workflow",
            Self::Two => "hardening",
        }
    }
}

/// The number is not a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a tier; the tiers are 0, 1 and 2")]
pub struct TierError(u8);

impl TryFrom<u8> for Tier {
    type Error = TierError;

    fn try_from(number: u8) -> Result<Self, TierError> {
        Self::ALL.into_iter().find(|tier| tier.number() == number).ok_or(TierError(number))
    }
}

impl From<Tier> for u8 {
    fn from(tier: Tier) -> u8 {
        tier.number()
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl JsonSchema for Tier {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Tier".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "enum": [0, 1, 2] })
    }
}

/// The id of a goal, for example `G0.1`: its tier and its number within it. Sorted by tier, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GoalId {
    tier: Tier,
    number: u16,
}

/// The text is not the id of a goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a goal id; one reads G<tier>.<number>, for example G0.1")]
pub struct GoalIdError;

impl GoalId {
    /// The tier that the id names.
    pub fn tier(self) -> Tier {
        self.tier
    }
}

impl FromStr for GoalId {
    type Err = GoalIdError;

    fn from_str(text: &str) -> Result<Self, GoalIdError> {
        let (tier, number) =
            text.strip_prefix('G').and_then(|rest| rest.split_once('.')).ok_or(GoalIdError)?;
        // One spelling an id: without this, `G0.1` and `G0.01` would be two files and one goal.
        let plain = |digits: &str| !digits.starts_with(['0', '+']) || digits == "0";
        if !plain(tier) || !plain(number) {
            return Err(GoalIdError);
        }
        let tier = tier.parse::<u8>().ok().and_then(|tier| Tier::try_from(tier).ok()).ok_or(GoalIdError)?;
        let number = number.parse::<u16>().ok().filter(|number| *number > 0).ok_or(GoalIdError)?;
        Ok(Self { tier, number })
    }
}

impl TryFrom<String> for GoalId {
    type Error = GoalIdError;

    fn try_from(text: String) -> Result<Self, GoalIdError> {
        text.parse()
    }
}

impl From<GoalId> for String {
    fn from(id: GoalId) -> String {
        id.to_string()
    }
}

impl fmt::Display for GoalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("G{}.{}", self.tier, self.number))
    }
}

impl JsonSchema for GoalId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GoalId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^G[0-2]\\.[1-9][0-9]*$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        for bad in
            ["", "G", "G0", "G0.", "G0.0", "G0.01", "G00.1", "G3.1", "g0.1", "G0.1 ", "G0.+1", "G0.99999"]
        {
            assert!(bad.parse::<GoalId>().is_err(), "{bad:?} was accepted");
        }
        for good in ["G0.1", "G1.12", "G2.300"] {
            assert_eq!(good.parse::<GoalId>().unwrap().to_string(), good);
        }
    }

    #[test]
    fn ids_sort_by_number_and_not_by_text() {
        let mut ids: Vec<GoalId> = ["G1.12", "G1.2", "G0.7"].map(|id| id.parse().unwrap()).to_vec();
        ids.sort();
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["G0.7", "G1.2", "G1.12"]);
    }
}

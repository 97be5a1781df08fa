//! What the gates said about a matrix (design 4.3).

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::goal::Tier;

/// A criterion that a profile may require.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Enough goals of each tier are verified.
    TierCoverage,
    /// Every kind of block is proved to keep work off the integration branch.
    NoMergeSafety,
    /// A run that stopped goes on where it stood.
    ResumeCorrectness,
    /// Every line of every artifact of every scenario is valid by its schema.
    ArtifactSchema,
    /// Every scenario serves a goal.
    Orphans,
    /// No goal vanished, moved to another tier or promises less, unless somebody signed for it.
    Denominator,
    /// Goals and scenarios are as they were when somebody last reviewed them together.
    SuspectLinks,
    /// Every quarantined scenario is fixed in time.
    Quarantine,
    /// The whole suite ran: no filter, shard or interruption.
    WholeRun,
    /// The results are about this tree and this program.
    CurrentResults,
    /// The program under test is built as it is released.
    Program,
    /// The suite ran often enough without a flake.
    Flake,
    /// Every seeded fault is found by the scenarios of its goal.
    Saboteurs,
    /// The tests of the safety modules find mutated code.
    Mutation,
    /// Nothing became slower than its baseline allows.
    Performance,
}

impl Gate {
    /// Every gate, in the order in which reports show them.
    pub const ALL: [Self; 15] = [
        Self::TierCoverage,
        Self::NoMergeSafety,
        Self::ResumeCorrectness,
        Self::ArtifactSchema,
        Self::Orphans,
        Self::Denominator,
        Self::SuspectLinks,
        Self::Quarantine,
        Self::WholeRun,
        Self::CurrentResults,
        Self::Program,
        Self::Flake,
        Self::Saboteurs,
        Self::Mutation,
        Self::Performance,
    ];

    /// Its name in `gates.yaml` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TierCoverage => "tier-coverage",
            Self::NoMergeSafety => "no-merge-safety",
            Self::ResumeCorrectness => "resume-correctness",
            Self::ArtifactSchema => "artifact-schema",
            Self::Orphans => "orphans",
            Self::Denominator => "denominator",
            Self::SuspectLinks => "suspect-links",
            Self::Quarantine => "quarantine",
            Self::WholeRun => "whole-run",
            Self::CurrentResults => "current-results",
            Self::Program => "program",
            Self::Flake => "flake",
            Self::Saboteurs => "saboteurs",
            Self::Mutation => "mutation",
            Self::Performance => "performance",
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The answer of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What the gate asks for is proved.
    Green,
    /// It is not proved.
    Red,
    /// The profile does not ask for it. Never to be read as green.
    NotRequired,
}

impl Verdict {
    /// The verdict as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Red => "red",
            Self::NotRequired => "not-required",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What one gate said, under which profile, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GateVerdict {
    /// The gate.
    pub gate: Gate,
    /// The profile that it was judged under.
    pub profile: String,
    /// Its answer.
    pub verdict: Verdict,
    /// Why: whole sentences, at least one.
    pub reasons: Vec<String>,
    /// What to do about a red one.
    pub mend: Option<String>,
}

/// How much of a tier is verified, against what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TierCoverage {
    /// The tier.
    pub tier: Tier,
    /// Goals with the status *verified*.
    pub verified: usize,
    /// Goals of the tier in `goals/`: the denominator.
    pub total: usize,
    /// The percentage asked for; none where the tier has no threshold.
    pub required_percent: Option<u8>,
    /// Whether the tier holds: its threshold is met, and it is not empty where it may not be.
    pub met: bool,
}

impl TierCoverage {
    /// The verified share, rounded down, so that 79.6 % is never shown as 80 %. An empty tier has none.
    pub fn percent(&self) -> Option<usize> {
        (self.verified * 100).checked_div(self.total)
    }
}

/// What the gates come to together: the exit code of `accept gate`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every gate that the profile requires is green.
    Green,
    /// At least one is red.
    Red,
    /// The data cannot be judged, for example because a tier that must have goals is empty.
    BadInput,
}

impl Outcome {
    /// The exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Green => 0,
            Self::Red => 1,
            Self::BadInput => 2,
        }
    }
}

/// All gates under one profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evaluation {
    /// The profile.
    pub profile: String,
    /// What the gates come to together.
    pub outcome: Outcome,
    /// Each tier, the weightiest first.
    pub coverage: Vec<TierCoverage>,
    /// Every gate in the order of [`Gate::ALL`], those not required among them.
    pub verdicts: Vec<GateVerdict>,
}

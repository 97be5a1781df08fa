//! The kill matrix: which seeded fault is noticed by the scenarios of which goal, and by what (docs/saboteurs.md). Written
//! by `accept sabotage`, read by the gate `saboteurs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{goal::GoalId, matrix::ScenarioKey};

/// Name of the file in the output folder.
pub const SABOTAGE: &str = "sabotage.json";

/// What the seeded faults came to, for one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sabotage {
    /// Version of this layout.
    pub schema_version: u32,
    /// Tree id of the repository that the program was built from; none outside git.
    pub tree: Option<String>,
    /// Digest of that tree and of everything in which the working tree differed from it; none outside git.
    pub source_digest: Option<String>,
    /// SHA-256 of the sabotaged program.
    pub binary_digest: String,
    /// Why not everything was tried, in sentences; empty where it was.
    pub partial: Vec<String>,
    /// Every saboteur that the program knows, sorted.
    pub known: Vec<String>,
    /// Each saboteur of each goal, sorted by goal.
    pub trials: Vec<Trial>,
}

/// A saboteur at work under the scenarios of a goal that declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Trial {
    /// The goal.
    pub goal: GoalId,
    /// The saboteur.
    pub saboteur: String,
    /// Whether it was noticed as it has to be.
    pub outcome: TrialOutcome,
    /// Scenarios of the goal that pass without a saboteur, and so can notice one.
    pub scenarios: usize,
    /// Every declared assertion that did not hold.
    pub noticed: Vec<Noticed>,
    /// What else stands in the way of a verdict, in sentences: scenarios that failed otherwise, or without any saboteur.
    pub remarks: Vec<String>,
}

/// Whether a saboteur was noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TrialOutcome {
    /// A scenario of the goal failed on an assertion that the goal declares.
    Killed,
    /// None did, whatever else failed.
    Survived,
}

impl TrialOutcome {
    /// The outcome as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Survived => "survived",
        }
    }
}

/// A declared assertion that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Noticed {
    /// The scenario.
    pub scenario: ScenarioKey,
    /// Name of the assertion, for example `git.branch_unmoved`.
    pub assertion: String,
    /// What it was about.
    pub subject: String,
}

//! What a scenario run attaches to its Cucumber Messages, so that matrix and gates can be recomputed from the stream
//! alone (design 4.2, 4.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Media type of the [`RunInfo`] attachment, one a run, attached to the run.
pub const RUN_INFO_MEDIA_TYPE: &str = "application/vnd.mycelium.run+json";
/// Media type of the [`ScenarioInfo`] attachment, one a scenario attempt.
pub const SCENARIO_INFO_MEDIA_TYPE: &str = "application/vnd.mycelium.scenario+json";
/// Media type of an [`Assertion`] attachment, one an executed assertion, attached to its step.
pub const ASSERTION_MEDIA_TYPE: &str = "application/vnd.mycelium.assertion+json";
/// Media type of an [`EvidenceFile`] attachment.
pub const EVIDENCE_MEDIA_TYPE: &str = "application/vnd.mycelium.evidence+json";

/// What each reason begins with for which a run is a part because it was asked for a part.
pub const LIMITED: &str = "limited ";

/// What was run, on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunInfo {
    /// Tree id of the repository under test; none outside git.
    pub tree: Option<String>,
    /// True where the working tree differs from that tree.
    pub dirty: bool,
    /// Digest of that tree and of everything in which the working tree differs from it; none outside git.
    #[serde(default)]
    pub source_digest: Option<String>,
    /// SHA-256 of the program under test.
    pub binary_digest: String,
    /// Its `--version --json` answer.
    pub binary_version: serde_json::Value,
    /// Seed of the scenario order.
    pub seed: u64,
    /// Why this run cannot satisfy a gate (filters, a shard, an interruption); empty for a whole run.
    pub partial: Vec<String>,
    /// Lanes that this run was asked for, for example `mock`.
    pub lanes: Vec<String>,
    /// Every scenario that should have run: `uri:line` of the pickle and its lane.
    pub planned: Vec<Planned>,
}

/// A scenario that a run is expected to execute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Planned {
    /// Id of its pickle in the stream.
    pub pickle_id: String,
    /// Lane it runs in.
    pub lane: String,
}

/// Where a scenario attempt ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioInfo {
    /// `mock` or `docker`.
    pub lane: String,
}

/// What an assertion looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssertionKind {
    /// Refs, commits, trees of a repository.
    Git,
    /// `state.json`.
    State,
    /// A journal.
    Event,
    /// Files of the run folder, the workspace or the checkout.
    Fs,
    /// An exit code.
    Exit,
    /// Standard output or error.
    Output,
    /// The plan.
    Plan,
    /// Containers, as their engine tells of them.
    Container,
    /// What a model was asked.
    Model,
}

/// Which way an assertion points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Something must be so.
    Must,
    /// Something must not have happened.
    MustNot,
}

/// One executed assertion: the ledger from which a goal's proof is judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assertion {
    /// What it looked at.
    pub kind: AssertionKind,
    /// Stable name of the check within its kind, for example `branch_unmoved`.
    pub check: String,
    /// Which way it points.
    pub polarity: Polarity,
    /// What it was about, for example `budget.block for task 001`.
    pub subject: String,
    /// The artifact of this run that it read, for example `state.json`.
    pub artifact: String,
    /// What was expected.
    pub expected: String,
    /// SHA-256 of what was found.
    pub actual_digest: String,
    /// Whether it held.
    pub held: bool,
}

impl Assertion {
    /// The name that goals refer to, for example `git.branch_unmoved`.
    pub fn name(&self) -> String {
        let kind = match self.kind {
            AssertionKind::Git => "git",
            AssertionKind::State => "state",
            AssertionKind::Event => "event",
            AssertionKind::Fs => "fs",
            AssertionKind::Exit => "exit",
            AssertionKind::Output => "output",
            AssertionKind::Plan => "plan",
            AssertionKind::Container => "container",
            AssertionKind::Model => "model",
        };
        format!("{kind}.{}", self.check)
    }
}

/// A file kept as evidence, stored by digest as `evidence/<sha256>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceFile {
    /// What it was, for example `state.json`.
    pub name: String,
    /// SHA-256 of its content: the file's name below `evidence/`.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

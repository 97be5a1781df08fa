//! What models answered, kept to be answered again without them: a line of a cassette. What was asked stands in it as
//! digests alone: no prompt and no file of the project is kept, nor any vendor's words to its own agent.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the format that this version writes, and the newest that it reads.
pub const CASSETTE_VERSION: u32 = 1;

/// A line of a cassette. The first says what it is of, the last that it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CassetteLine {
    /// The first.
    Begin(CassetteBegin),
    /// A request and its answer.
    Interaction(Box<Interaction>),
    /// The last, where what was recorded came to its end.
    End(CassetteEnd),
}

/// What a cassette is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CassetteBegin {
    /// Version of the format.
    pub v: u32,
    /// The run that was recorded; none for a plan.
    pub run_id: Option<String>,
}

/// How a cassette ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CassetteEnd {
    /// Interactions before it: one that was taken out is missed.
    pub interactions: u64,
}

/// Whose request an interaction answers. Replayed, it answers that one's alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Asker {
    /// The task; `plan` for a planner.
    pub task: String,
    /// Which of the task's attempts, those not counted that were lost with their orchestrator.
    pub turn: u32,
    /// Who of the attempt: its agent, a validator, the planner.
    pub by: String,
    /// The interface, or the path of what is no model's answer.
    pub interface: String,
}

/// A request and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interaction {
    /// Place of the request among all of the cassette: equal ones are answered in this order.
    pub number: u64,
    /// Who asked.
    #[serde(flatten)]
    pub asker: Asker,
    /// The attempt by the run's own count. Of those with the same turn the last one counts.
    pub attempt: u32,
    /// The parts of the request, each its name and a digest of what is the same whenever it is asked again.
    pub request: Vec<String>,
    /// Status of the answer.
    pub status: u16,
    /// Those of its headers that an agent acts on.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: RecordedBody,
    /// How it ended.
    pub end: RecordedEnd,
    /// True where a secret in the body was replaced by its mark: then these are not the very bytes.
    pub redacted: bool,
}

/// The bytes of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedBody {
    /// Piece by piece as they came, but that no character is torn.
    Text(Vec<String>),
    /// What is no text, in hexadecimal digits.
    Hex(String),
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordedEnd {
    /// By itself.
    Whole,
    /// Its connection broke off.
    Broken,
    /// Whoever asked heard no more of it.
    Left,
}

//! What a command answers that cannot do what it should.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The document: one key, which no other answer has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// What went wrong.
    pub error: Refusal,
}

/// What went wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// Whose fault it is.
    pub kind: RefusalKind,
    /// The error and what caused it, on one line.
    pub message: String,
    /// What to do next; none where the message or the problems say it.
    pub help: Option<String>,
    /// The flaws of what the user wrote, where it is about those.
    pub problems: Vec<Place>,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The command line: exit 2.
    Usage,
    /// Configuration, plan or request, or a lock that another process holds: exit 2.
    Input,
    /// What was run did not succeed: exit 1.
    Failed,
    /// Disk, git or another part of the machine: exit 4.
    Environment,
    /// Mycelium itself: exit 70.
    Bug,
}

/// One flaw, with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong and why.
    pub message: String,
    /// What to do.
    pub help: String,
}

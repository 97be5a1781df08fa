//! What the tests of the gates notice: which changes of the code that decides were tried, and which of them nobody noticed
//! (docs/ci.md). Written by `.ci/mutants`, read by the gate `mutation`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Name of the file, from the root of the checkout.
pub const MUTATION: &str = "target/mutants/mutation.json";

/// What changing the code one place at a time came to, for one tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mutation {
    /// Version of this layout.
    pub schema_version: u32,
    /// Tree id of the repository whose code was changed; none outside git, and where the working tree differed from it.
    pub tree: Option<String>,
    /// Why not everything was asked, in sentences; empty where it was.
    pub partial: Vec<String>,
    /// Every file that was changed, sorted.
    pub files: Vec<ChangedFile>,
    /// Every change that nobody noticed or that is named as such, sorted.
    pub survivors: Vec<Survivor>,
}

/// A file and what became of the changes in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedFile {
    /// From the root of the repository.
    pub file: String,
    /// Changes that a test noticed.
    pub noticed: u64,
    /// Changes that do not compile, so that there was nothing to notice.
    pub not_code: u64,
    /// Changes that no test noticed.
    pub survived: u64,
}

/// A change that no test noticed, or that is said to be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Survivor {
    /// The file and what was changed in it, without the place.
    pub change: String,
    /// How often it survived.
    pub survived: u64,
    /// How often it is named.
    pub named: u64,
    /// Why it cannot be noticed; empty where nobody said so.
    pub reason: String,
}

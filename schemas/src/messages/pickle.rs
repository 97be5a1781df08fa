//! Pickles: scenarios made executable, with backgrounds, examples and tags folded in.

use serde::{Deserialize, Serialize};

use super::Location;

/// An executable example: one for a scenario, one for each row of a scenario outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pickle {
    /// Identity within the stream.
    pub id: String,
    /// Where its source was read.
    pub uri: String,
    /// The scenario's place, or that of the row of examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The scenario's name, placeholders replaced.
    pub name: String,
    /// Code of the spoken language.
    pub language: String,
    /// What to execute, in order.
    pub steps: Vec<PickleStep>,
    /// All tags that apply, from the feature downwards.
    pub tags: Vec<PickleTag>,
    /// The scenario, then the row of examples if there is one.
    pub ast_node_ids: Vec<String>,
}

/// A step to execute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PickleStep {
    /// Its doc string or table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument: Option<PickleStepArgument>,
    /// The step, then the row of examples if there is one.
    pub ast_node_ids: Vec<String>,
    /// Identity within the stream.
    pub id: String,
    /// Its meaning, conjunctions resolved.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub step_type: Option<PickleStepType>,
    /// Its text, placeholders replaced.
    pub text: String,
}

/// The meaning of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum PickleStepType {
    /// Written with a keyword of several meanings, such as `*`.
    Unknown,
    /// `Given`: the state before.
    Context,
    /// `When`: what is done.
    Action,
    /// `Then`: what is expected.
    Outcome,
}

/// What is passed to a step besides its text. The protocol allows both kinds at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PickleStepArgument {
    /// A block of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_string: Option<PickleDocString>,
    /// A table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_table: Option<PickleTable>,
}

/// A block of text, placeholders replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PickleDocString {
    /// Its place, from 1, where a step has both a doc string and a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument_index: Option<u32>,
    /// Its media type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The text.
    pub content: String,
}

/// A table, placeholders replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PickleTable {
    /// Its place, from 1, where a step has both a doc string and a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub argument_index: Option<u32>,
    /// Its rows.
    pub rows: Vec<PickleTableRow>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickleTableRow {
    /// Its cells.
    pub cells: Vec<PickleTableCell>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickleTableCell {
    /// Its text.
    pub value: String,
}

/// A tag that applies to a pickle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PickleTag {
    /// Its name, with the `@`.
    pub name: String,
    /// The tag in the syntax tree.
    pub ast_node_id: String,
}

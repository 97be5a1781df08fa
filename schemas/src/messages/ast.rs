//! The abstract syntax tree of a feature file.

use serde::{Deserialize, Serialize};

use super::Location;

/// A parsed feature file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GherkinDocument {
    /// Where its source was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Its feature; a file of nothing but comments has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature: Option<Feature>,
    /// All its comments, in order.
    pub comments: Vec<Comment>,
}

/// A comment line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    /// Where it begins.
    pub location: Location,
    /// The whole line.
    pub text: String,
}

/// The feature of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feature {
    /// Where its keyword stands.
    pub location: Location,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Code of the spoken language, such as `en`.
    pub language: String,
    /// The keyword as written.
    pub keyword: String,
    /// The text behind the keyword.
    pub name: String,
    /// The free text below.
    pub description: String,
    /// Background, scenarios and rules, in order.
    pub children: Vec<FeatureChild>,
}

/// A part of a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FeatureChild {
    /// A rule with its own scenarios.
    Rule(Rule),
    /// Steps before each scenario.
    Background(Background),
    /// A scenario or scenario outline.
    Scenario(Scenario),
}

/// A business rule that groups scenarios.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Where its keyword stands.
    pub location: Location,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The keyword as written.
    pub keyword: String,
    /// The text behind the keyword.
    pub name: String,
    /// The free text below.
    pub description: String,
    /// Background and scenarios, in order.
    pub children: Vec<RuleChild>,
    /// Identity within the stream.
    pub id: String,
}

/// A part of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RuleChild {
    /// Steps before each scenario of the rule.
    Background(Background),
    /// A scenario or scenario outline.
    Scenario(Scenario),
}

/// Steps that run before each scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Background {
    /// Where its keyword stands.
    pub location: Location,
    /// The keyword as written.
    pub keyword: String,
    /// The text behind the keyword.
    pub name: String,
    /// The free text below.
    pub description: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Identity within the stream.
    pub id: String,
}

/// A scenario, or with examples a scenario outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    /// Where its keyword stands.
    pub location: Location,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The keyword as written.
    pub keyword: String,
    /// The text behind the keyword.
    pub name: String,
    /// The free text below.
    pub description: String,
    /// Its steps.
    pub steps: Vec<Step>,
    /// Its tables of examples.
    pub examples: Vec<Examples>,
    /// Identity within the stream.
    pub id: String,
}

/// A table of examples of a scenario outline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Examples {
    /// Where its keyword stands.
    pub location: Location,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// The keyword as written.
    pub keyword: String,
    /// The text behind the keyword.
    pub name: String,
    /// The free text below.
    pub description: String,
    /// The row that names the placeholders; absent where there is no table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_header: Option<TableRow>,
    /// The rows of values.
    pub table_body: Vec<TableRow>,
    /// Identity within the stream.
    pub id: String,
}

/// A step as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Where its keyword stands.
    pub location: Location,
    /// The keyword as written, with the space behind it.
    pub keyword: String,
    /// What the keyword means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyword_type: Option<StepKeywordType>,
    /// The text behind the keyword.
    pub text: String,
    /// Its doc string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc_string: Option<DocString>,
    /// Its table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_table: Option<DataTable>,
    /// Identity within the stream.
    pub id: String,
}

/// The meaning of a step's keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StepKeywordType {
    /// A keyword with several meanings, such as `*`.
    Unknown,
    /// `Given`.
    Context,
    /// `When`.
    Action,
    /// `Then`.
    Outcome,
    /// `And`, `But`: whatever the step before means.
    Conjunction,
}

/// A block of text below a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocString {
    /// Where its opening delimiter stands.
    pub location: Location,
    /// The media type behind the opening delimiter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// The text, without indentation.
    pub content: String,
    /// The delimiter as written.
    pub delimiter: String,
}

/// A table below a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataTable {
    /// Where its first row stands.
    pub location: Location,
    /// Its rows, all of one width.
    pub rows: Vec<TableRow>,
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableRow {
    /// Where its first `|` stands.
    pub location: Location,
    /// Its cells.
    pub cells: Vec<TableCell>,
    /// Identity within the stream.
    pub id: String,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCell {
    /// Where its text begins.
    pub location: Location,
    /// Its text, trimmed and with escapes resolved.
    pub value: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// Where it stands.
    pub location: Location,
    /// Its name, with the `@`.
    pub name: String,
    /// Identity within the stream.
    pub id: String,
}

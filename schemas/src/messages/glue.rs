//! Glue code as the runner found it: step definitions, hooks, parameter types and what is missing of them.

use serde::{Deserialize, Serialize};

use super::SourceReference;

/// Code that executes the steps whose text matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepDefinition {
    /// Identity within the stream.
    pub id: String,
    /// What it matches.
    pub pattern: StepDefinitionPattern,
    /// Where it is declared.
    pub source_reference: SourceReference,
}

/// What a step definition matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDefinitionPattern {
    /// The expression as written.
    pub source: String,
    /// Its language.
    #[serde(rename = "type")]
    pub pattern_type: StepDefinitionPatternType,
}

/// The language of a step definition's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StepDefinitionPatternType {
    /// A Cucumber expression.
    CucumberExpression,
    /// A regular expression.
    RegularExpression,
}

/// Code that runs around a run, a test case or a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hook {
    /// Identity within the stream.
    pub id: String,
    /// Its name, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where it is declared.
    pub source_reference: SourceReference,
    /// The scenarios it is limited to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_expression: Option<String>,
    /// When it runs.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub hook_type: Option<HookType>,
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum HookType {
    /// Once, before everything.
    BeforeTestRun,
    /// Once, after everything.
    AfterTestRun,
    /// Before each test case.
    BeforeTestCase,
    /// After each test case.
    AfterTestCase,
    /// Before each step.
    BeforeTestStep,
    /// After each step.
    AfterTestStep,
}

/// A parameter of Cucumber expressions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParameterType {
    /// The name between braces.
    pub name: String,
    /// What it matches; at least one.
    pub regular_expressions: Vec<String>,
    /// Whether it wins over others with the same regular expression.
    pub prefer_for_regular_expression_match: bool,
    /// Whether suggested code uses it.
    pub use_for_snippets: bool,
    /// Identity within the stream.
    pub id: String,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_reference: Option<SourceReference>,
}

/// A step definition names a parameter type that nothing declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndefinedParameterType {
    /// The expression that names it.
    pub expression: String,
    /// The name.
    pub name: String,
}

/// Code that would define an undefined step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Suggestion {
    /// Identity within the stream.
    pub id: String,
    /// The undefined step.
    pub pickle_step_id: String,
    /// The code; at least one piece.
    pub snippets: Vec<Snippet>,
}

/// A piece of suggested code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snippet {
    /// Its programming language.
    pub language: String,
    /// The code.
    pub code: String,
}

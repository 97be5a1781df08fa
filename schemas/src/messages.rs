//! The Cucumber Messages protocol: the standard stream in which a runner tells what it ran and how it went.
//!
//! One [`Envelope`] a line. Names, optional fields and enumerations are those of the official JSON Schemas;
//! an absent optional field is left out of the line, never written as `null`.

mod ast;
mod execution;
mod glue;
mod pickle;

pub use ast::*;
pub use execution::*;
pub use glue::*;
pub use pickle::*;

use serde::{Deserialize, Serialize};

/// The version of the protocol that these types describe, for [`Meta::protocol_version`].
pub const PROTOCOL_VERSION: &str = "33.0.4";

/// One message: a line of a `messages.ndjson` file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Envelope {
    /// Bytes that a step or hook attached.
    Attachment(Attachment),
    /// A pointer to an attachment that is kept outside the stream.
    ExternalAttachment(ExternalAttachment),
    /// A parsed feature file.
    GherkinDocument(GherkinDocument),
    /// A hook that the glue code declares.
    Hook(Hook),
    /// What produced the stream, and where.
    Meta(Meta),
    /// A parameter type that the glue code declares.
    ParameterType(ParameterType),
    /// A feature file that does not parse.
    ParseError(ParseError),
    /// An executable example.
    Pickle(Pickle),
    /// Code that would define an undefined step.
    Suggestion(Suggestion),
    /// The text of a feature file.
    Source(Source),
    /// A step definition that the glue code declares.
    StepDefinition(StepDefinition),
    /// A pickle matched with its hooks and step definitions.
    TestCase(TestCase),
    /// An attempt at a test case ended.
    TestCaseFinished(TestCaseFinished),
    /// An attempt at a test case began.
    TestCaseStarted(TestCaseStarted),
    /// The whole run ended.
    TestRunFinished(TestRunFinished),
    /// The whole run began.
    TestRunStarted(TestRunStarted),
    /// A step of an attempt ended.
    TestStepFinished(TestStepFinished),
    /// A step of an attempt began.
    TestStepStarted(TestStepStarted),
    /// A hook around the whole run began.
    TestRunHookStarted(TestRunHookStarted),
    /// A hook around the whole run ended.
    TestRunHookFinished(TestRunHookFinished),
    /// A step definition names a parameter type that nothing declares.
    UndefinedParameterType(UndefinedParameterType),
}

/// A place in a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// A moment: seconds and nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timestamp {
    /// Whole seconds since the Unix epoch.
    pub seconds: i64,
    /// Nanoseconds within that second, below 1,000,000,000.
    pub nanos: u32,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Duration {
    /// Whole seconds.
    pub seconds: i64,
    /// Nanoseconds within the next second, below 1,000,000,000.
    pub nanos: u32,
}

impl From<std::time::Duration> for Duration {
    fn from(elapsed: std::time::Duration) -> Self {
        Self { seconds: i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX), nanos: elapsed.subsec_nanos() }
    }
}

/// What produced the stream, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Meta {
    /// Version of the protocol, see [`PROTOCOL_VERSION`].
    pub protocol_version: String,
    /// The runner.
    pub implementation: Product,
    /// The language runtime that it ran on.
    pub runtime: Product,
    /// The operating system.
    pub os: Product,
    /// The processor's architecture.
    pub cpu: Product,
    /// The CI build, where it ran in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<Ci>,
}

/// A named thing with a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    /// Its name.
    pub name: String,
    /// Its version, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// A CI build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ci {
    /// Name of the CI product.
    pub name: String,
    /// Link to the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Number of the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_number: Option<String>,
    /// What was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<Git>,
}

/// The commit that a CI build works on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Git {
    /// Address of the repository.
    pub remote: String,
    /// Commit id.
    pub revision: String,
    /// Branch, where the build is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Tag, where the build is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// The text of a feature file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Where it was read, relative to the root of the run.
    pub uri: String,
    /// Its whole content.
    pub data: String,
    /// Its dialect.
    pub media_type: SourceMediaType,
}

/// The dialect of a feature file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SourceMediaType {
    /// Plain Gherkin.
    #[serde(rename = "text/x.cucumber.gherkin+plain")]
    Plain,
    /// Gherkin in Markdown.
    #[serde(rename = "text/x.cucumber.gherkin+markdown")]
    Markdown,
}

/// Where something is declared: a place in a file, or in Java code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceReference {
    /// The file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The Java method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub java_method: Option<JavaMethod>,
    /// The Java stack frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub java_stack_trace_element: Option<JavaStackTraceElement>,
    /// The place in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

/// A Java method; only ever read from other runners' streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JavaMethod {
    /// Class that holds it.
    pub class_name: String,
    /// Its name.
    pub method_name: String,
    /// Types of its parameters.
    pub method_parameter_types: Vec<String>,
}

/// A Java stack frame; only ever read from other runners' streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JavaStackTraceElement {
    /// Class of the frame.
    pub class_name: String,
    /// Its source file.
    pub file_name: String,
    /// Its method.
    pub method_name: String,
}

/// A feature file that does not parse: one message for each error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParseError {
    /// Where.
    pub source: SourceReference,
    /// What is wrong, with the place in front.
    pub message: String,
}

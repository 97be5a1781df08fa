//! What ran and how it went: the run, its test cases, their attempts, steps and attachments.

use serde::{Deserialize, Serialize};

use super::{Duration, Source, Timestamp};

/// The whole run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestRunStarted {
    /// When.
    pub timestamp: Timestamp,
    /// Identity within the stream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The whole run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestRunFinished {
    /// Why it ended early, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Whether everything that had to pass did.
    pub success: bool,
    /// When.
    pub timestamp: Timestamp,
    /// The error that ended it early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_run_started_id: Option<String>,
}

/// A hook around the whole run began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestRunHookStarted {
    /// Identity within the stream.
    pub id: String,
    /// The run.
    pub test_run_started_id: String,
    /// The hook.
    pub hook_id: String,
    /// The worker that runs it, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// When.
    pub timestamp: Timestamp,
}

/// A hook around the whole run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestRunHookFinished {
    /// The execution that ended.
    pub test_run_hook_started_id: String,
    /// How it went.
    pub result: TestStepResult,
    /// When.
    pub timestamp: Timestamp,
}

/// A pickle matched with its hooks and step definitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCase {
    /// Identity within the stream.
    pub id: String,
    /// The pickle.
    pub pickle_id: String,
    /// What will be executed, in order.
    pub test_steps: Vec<TestStep>,
    /// The run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_run_started_id: Option<String>,
}

/// One execution within a test case: of a hook, or of a pickle's step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestStep {
    /// The hook, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook_id: Option<String>,
    /// Identity within the stream.
    pub id: String,
    /// The pickle's step, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickle_step_id: Option<String>,
    /// The step definitions that match: none is undefined, several are ambiguous. Absent for a hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_definition_ids: Option<Vec<String>>,
    /// For each matching step definition, what its parameters matched. Absent for a hook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_match_arguments_lists: Option<Vec<StepMatchArgumentsList>>,
}

/// What the parameters of one step definition matched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepMatchArgumentsList {
    /// One for each parameter.
    pub step_match_arguments: Vec<StepMatchArgument>,
}

/// What one parameter matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepMatchArgument {
    /// The outermost capture group.
    pub group: Group,
    /// The parameter's type, where it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameter_type_name: Option<String>,
}

/// A capture group of a match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The groups within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub children: Option<Vec<Group>>,
    /// Where it begins in the step's text, from 0; absent where the group took no part in the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<u32>,
    /// What it matched; absent where the group took no part in the match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// An attempt at a test case began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCaseStarted {
    /// Number of the attempt, from 0.
    pub attempt: u32,
    /// Identity within the stream.
    pub id: String,
    /// The test case.
    pub test_case_id: String,
    /// The worker that runs it, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker_id: Option<String>,
    /// When.
    pub timestamp: Timestamp,
}

/// An attempt at a test case ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestCaseFinished {
    /// The attempt.
    pub test_case_started_id: String,
    /// When.
    pub timestamp: Timestamp,
    /// Whether another attempt follows.
    pub will_be_retried: bool,
}

/// A step of an attempt began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestStepStarted {
    /// The attempt.
    pub test_case_started_id: String,
    /// The step.
    pub test_step_id: String,
    /// When.
    pub timestamp: Timestamp,
}

/// A step of an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestStepFinished {
    /// The attempt.
    pub test_case_started_id: String,
    /// The step.
    pub test_step_id: String,
    /// How it went.
    pub test_step_result: TestStepResult,
    /// When.
    pub timestamp: Timestamp,
}

/// How an execution went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestStepResult {
    /// How long it took.
    pub duration: Duration,
    /// More in words, such as the error with its stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The outcome.
    pub status: TestStepResultStatus,
    /// The error, taken apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
}

/// The outcome of an execution, from the best to the worst: the worst step decides a test case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TestStepResultStatus {
    /// Nothing was executed.
    Unknown,
    /// It did what it says.
    Passed,
    /// It was not executed, because an earlier step did not pass or the code asked to skip.
    Skipped,
    /// Its code says that it is not written yet.
    Pending,
    /// No step definition matches.
    Undefined,
    /// Several step definitions match.
    Ambiguous,
    /// Its code failed.
    Failed,
}

/// An error of the code under execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exception {
    /// Its kind.
    #[serde(rename = "type")]
    pub exception_type: String,
    /// What it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_trace: Option<String>,
}

/// Bytes that a step or hook attached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// The content, encoded.
    pub body: String,
    /// How it is encoded.
    pub content_encoding: AttachmentContentEncoding,
    /// The name to keep it under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// What the content is.
    pub media_type: String,
    /// Deprecated by the protocol; kept so that older streams read back whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The attempt that attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_case_started_id: Option<String>,
    /// The step that attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_step_id: Option<String>,
    /// Deprecated by the protocol in favour of [`ExternalAttachment`]; kept for older streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Deprecated by the protocol in favour of `test_run_hook_started_id`; kept for older streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_run_started_id: Option<String>,
    /// The hook around the whole run that attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_run_hook_started_id: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

/// How the body of an attachment is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttachmentContentEncoding {
    /// UTF-8 text as it is.
    Identity,
    /// Base64 with the standard alphabet.
    Base64,
}

/// A pointer to an attachment that is kept outside the stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalAttachment {
    /// Where it is kept.
    pub url: String,
    /// What it is.
    pub media_type: String,
    /// The attempt that attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_case_started_id: Option<String>,
    /// The step that attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_step_id: Option<String>,
    /// The hook around the whole run that attached it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_run_hook_started_id: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
}

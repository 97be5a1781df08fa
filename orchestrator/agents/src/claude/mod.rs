//! Claude Code: `claude -p --output-format stream-json --verbose`. The last `result` line ends an invocation; it says
//! `success` for a failed request too, with `is_error` beside it.

mod failure;
pub(crate) mod invocation;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    reader::{Report, Terminal, text_at},
    tokens::Tokens,
};

/// What one model used since the session began, as Anthropic's interfaces tell it: `inputTokens` excludes cached ones.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are the agent's")]
struct ModelUsage {
    input_tokens: u64,
    #[serde(default)]
    cache_read_input_tokens: u64,
    #[serde(default)]
    cache_creation_input_tokens: u64,
    output_tokens: u64,
}

impl From<ModelUsage> for Tokens {
    fn from(usage: ModelUsage) -> Self {
        let cached = usage.cache_read_input_tokens.saturating_add(usage.cache_creation_input_tokens);
        Self {
            input: usage.input_tokens.saturating_add(cached),
            cached_input: usage.cache_read_input_tokens,
            cache_write_input: usage.cache_creation_input_tokens,
            output: usage.output_tokens,
            reasoning_output: 0,
        }
    }
}

pub(crate) fn read(report: &mut Report, kind: &str, event: &Value) {
    match (kind, text_at(event, "/subtype")) {
        ("system", Some("init")) => {
            note_session(report, event);
            // A command in the background woke it: what it had said of its end was not the last.
            report.terminal = None;
        }
        ("system", Some("api_retry")) => report.trouble = Some(failure::of_retry(event)),
        ("system", Some("permission_denied")) => {
            let tool = text_at(event, "/tool_name").unwrap_or("a tool");
            report.warn(&format!("{tool} was not permitted"));
        }
        ("result", _) => read_result(report, event),
        _ => {}
    }
}

fn note_session(report: &mut Report, event: &Value) {
    if let Some(session) = text_at(event, "/session_id") {
        report.session = Some(session.to_owned());
    }
}

fn read_result(report: &mut Report, event: &Value) {
    note_session(report, event);
    // The usage beside it is this invocation's alone, without its sub-agents.
    match event.get("modelUsage").map(BTreeMap::<String, ModelUsage>::deserialize) {
        Some(Ok(models)) => {
            report.models = models.into_iter().map(|(model, usage)| (model, usage.into())).collect();
            report.session_tokens =
                Some(report.models.values().copied().fold(Tokens::default(), Tokens::plus));
        }
        _ => report.usage_is_unreadable = true,
    }
    report.say(text_at(event, "/result").unwrap_or_default());
    report.structured = event.get("structured_output").filter(|value| !value.is_null()).cloned();
    report.terminal = Some(match failure::of_result(event) {
        Some(failure) => Terminal::Failed(failure),
        None => Terminal::Completed,
    });
}

/// Whether it could not go on with a conversation because there is none of that name.
pub(crate) fn lost_session(report: &Report) -> bool {
    matches!(&report.terminal, Some(Terminal::Failed(failure)) if failure.message.starts_with(failure::NO_SESSION))
}

//! What of a request is the same whenever it is asked again, part by part: the model, the names of the tools, the form of
//! the answer, and the conversation but for what its agent says of itself and of the machine.

use mycelium_schemas::digest::sha256;
use serde_json::Value;

use super::volatile::{Kept, Volatile};

/// Hexadecimal digits of a part's digest: chance does not make two parts alike.
const DIGEST_DIGITS: usize = 16;
/// Characters of a part that a refusal shows.
const SHOWN_MAX: usize = 160;
/// How Codex begins what it says of folder, shell, day and time zone.
const OF_THE_MACHINE: &str = "<environment_context>";

/// A part of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its name and its digest, as a cassette keeps it.
    pub(super) kept: String,
    /// Its beginning, for people.
    pub(super) shown: String,
}

impl Part {
    fn of(name: &str, text: &str) -> Self {
        let digest = sha256(text.as_bytes());
        let digest = digest.get(..DIGEST_DIGITS).unwrap_or_default();
        Self { kept: format!("{name} {digest}"), shown: text.chars().take(SHOWN_MAX).collect() }
    }
}

/// The name of a part.
pub(super) fn name_of(kept: &str) -> &str {
    kept.rsplit_once(' ').map_or(kept, |(name, _)| name)
}

/// The parts of a request.
pub(super) fn of(body: &[u8], volatile: &Volatile) -> Vec<Part> {
    let Ok(Value::Object(request)) = serde_json::from_slice::<Value>(body) else {
        let text = String::from_utf8_lossy(body);
        return vec![Part::of("body", &volatile.without(&text, Kept::Words))];
    };
    let mut parts = Vec::new();
    if let Some(model) = request.get("model").and_then(Value::as_str) {
        parts.push(Part::of("model", model));
    }
    parts.push(Part::of("tools", &tools(request.get("tools"))));
    for form in ["text", "response_format"] {
        let form = request.get(form).map(|form| form.get("format").unwrap_or(form));
        parts.extend(form.filter(|form| form.is_object()).map(|form| Part::of("form", &form.to_string())));
    }
    match request.get("input").or_else(|| request.get("messages")) {
        Some(Value::Array(items)) => parts.extend(items.iter().filter_map(|item| said(item, volatile))),
        Some(Value::String(text)) => parts.push(Part::of("user", &volatile.without(text, Kept::Words))),
        _ => {}
    }
    parts
}

/// The names of the tools, which tell an agent's requests apart that have the same conversation. What a tool says of
/// itself may name the machine.
fn tools(tools: Option<&Value>) -> String {
    let tools = tools.and_then(Value::as_array).into_iter().flatten();
    let name = |tool: &Value| {
        let named = tool.get("name").or_else(|| tool.pointer("/function/name")).or_else(|| tool.get("type"));
        named.and_then(Value::as_str).map(str::to_owned)
    };
    let mut names: Vec<String> = tools.filter_map(name).collect();
    names.sort_unstable();
    names.join(" ")
}

/// A part of the conversation; none for what an agent tells the model of itself and of the machine.
fn said(item: &Value, volatile: &Volatile) -> Option<Part> {
    let role = item.get("role").and_then(Value::as_str);
    let text = item.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
    if matches!(role, Some("system" | "developer")) || text.starts_with(OF_THE_MACHINE) {
        return None;
    }
    let name = role.or_else(|| item.get("type").and_then(Value::as_str)).unwrap_or("item");
    Some(Part::of(name, &without_volatile(item, Kept::Words, volatile).to_string()))
}

/// The item without what differs each time, wherever it stands.
fn without_volatile(value: &Value, kept: Kept, volatile: &Volatile) -> Value {
    match value {
        Value::String(text) => volatile.without(text, kept).into(),
        Value::Array(items) => items.iter().map(|item| without_volatile(item, kept, volatile)).collect(),
        Value::Object(entries) => {
            let kept = if is_output(value) { Kept::OfOutput } else { kept };
            let entries = entries.iter().filter(|(key, _)| !is_of_the_moment(key));
            entries.map(|(key, value)| (key.clone(), without_volatile(value, kept, volatile))).collect()
        }
        Value::Number(_) if kept == Kept::OfOutput => Value::Null,
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// What a command said: times, sizes, numbers of processes stand in it.
fn is_output(item: &Value) -> bool {
    let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
    let kind = text("type");
    kind.ends_with("_output") || kind == "tool_result" || text("role") == "tool"
}

/// Ids that an agent makes, and marks for the provider's cache, which wander as a conversation goes on.
fn is_of_the_moment(key: &str) -> bool {
    matches!(key, "id" | "cache_control" | "internal_chat_message_metadata_passthrough")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(body: &Value) -> Vec<String> {
        of(body.to_string().as_bytes(), &Volatile::default()).into_iter().map(|part| part.kept).collect()
    }

    fn codex(asked: &str, thread: &str, said: &str) -> Value {
        json!({
            "model": "m", "prompt_cache_key": thread, "tools": [{"name": "exec_command", "description": thread}],
            "input": [
                {"type": "message", "role": "developer", "content": [{"text": thread}]},
                {"type": "message", "role": "user", "content": [{"text": format!("<environment_context> {thread}")}]},
                {"type": "message", "role": "user", "content": [{"text": asked}], "id": format!("msg_{thread}")},
                {"type": "function_call_output", "call_id": "call_1", "output": said},
            ],
        })
    }

    fn claude(asked: &str, user: &str, said: &str) -> Value {
        json!({
            "model": "m", "metadata": {"user_id": user}, "system": [{"type": "text", "text": user}], "tools": [],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": asked, "cache_control": {"type": user}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": said}]},
            ],
        })
    }

    #[test]
    fn the_same_question_is_the_same_whoever_asks_it_again_and_another_one_is_another() {
        for of in [codex, claude] {
            let first = kept(&of("Write 3 lines.", "a", "3 files, 0.1 s"));
            assert_eq!(kept(&of("Write 3 lines.", "b", "4 files, 20.1 s")), first);
            assert_ne!(kept(&of("Write 4 lines.", "a", "3 files, 0.1 s")), first);
            assert_ne!(kept(&of("Write 3 lines.", "a", "no files, 0.1 s")), first);
        }
    }

    #[test]
    fn the_model_the_tools_and_the_form_of_the_answer_are_parts() {
        let question =
            json!({"model": "m", "tools": [{"name": "a"}], "input": "x", "text": {"format": {"name": "p"}}});
        let names: Vec<String> = kept(&question).iter().map(|part| name_of(part).to_owned()).collect();
        assert_eq!(names, ["model", "tools", "form", "user"]);
        for (pointer, other) in [("/model", "n"), ("/tools/0/name", "b"), ("/text/format/name", "q")] {
            let mut changed = question.clone();
            *changed.pointer_mut(pointer).unwrap() = other.into();
            assert_ne!(kept(&changed), kept(&question), "{pointer}");
        }
        assert_eq!(kept(&json!("no object")).len(), 1);
    }
}

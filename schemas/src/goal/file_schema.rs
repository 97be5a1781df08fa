//! The JSON Schema of a goal file, for editors and for whoever checks goals without this program. It is made from the
//! words that the reader knows; what takes more than one key to see (file name and id, id and tier) the reader alone
//! refuses.

use schemars::Schema;
use serde_json::{Value, json};

use super::{
    Tier,
    spec::{ASSERTION_KINDS, KEYS, LANES, OPTIONAL_KEYS, SCOPES},
};
use crate::{event::EventKind, matrix::FlakeRisk};

/// The schema.
pub(crate) fn file_schema() -> Schema {
    let required: Vec<&str> = KEYS.into_iter().filter(|key| !OPTIONAL_KEYS.contains(key)).collect();
    let kinds = ASSERTION_KINDS.join("|");
    let claim = json!({
        "type": "object",
        "properties": {
            "text": text("The sentence."),
            "assertion": {"type": "string", "pattern": format!("^({kinds})\\.[a-z0-9_]+$"),
                "description": "The assertion that shows it, <kind>.<check>."},
        },
        "required": ["text", "assertion"],
        "additionalProperties": false,
    });
    let risks = [FlakeRisk::Low, FlakeRisk::Medium, FlakeRisk::High].map(FlakeRisk::name);
    let value = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Mycelium goal file",
        "type": "object",
        "properties": {
            "id": {"type": "string", "pattern": "^G[0-2]\\.[1-9][0-9]*$", "description": "G<tier>.<number>."},
            "tier": {"type": "integer", "enum": Tier::ALL.map(Tier::number)},
            "title": text("Its short name."),
            "statement": text("The promise itself."),
            "scope": some_of(&SCOPES, 1, "Commands that it is about."),
            "config": list(&text("A key."), 0, "Configuration keys that matter."),
            "scenario": section(&["given", "when", "then"], &text("In prose."), true),
            "artifacts": artifacts(),
            "must_not": list(&claim, 1, "What must not happen."),
            "witness": list(&claim, 0, "What proves that the work was done at all. Tier 0 has one."),
            "control": list(&claim, 0, "What happens where the knob is off. Tier 0 has one."),
            "hook": text("Fixtures and mocks that it needs."),
            "owner": text("Who looks after it."),
            "flake_risk": {"type": "string", "enum": risks},
            "lanes": some_of(&LANES, 1, "Lanes that it has to be proved in."),
            "ci_jobs": list(&text("A job."), 1, "CI jobs that run it."),
            "saboteurs": list(&text("A fault."), 0, "Seeded faults that its scenarios must find."),
        },
        "required": required,
        "additionalProperties": false,
        "if": {"properties": {"tier": {"const": Tier::Zero.number()}}, "required": ["tier"]},
        "then": {
            "properties": {"witness": {"type": "array", "minItems": 1}, "control": {"type": "array", "minItems": 1}},
            "required": ["witness", "control"],
        },
    });
    match value {
        Value::Object(schema) => Schema::from(schema),
        _ => Schema::default(),
    }
}

fn text(description: &str) -> Value {
    json!({"type": "string", "pattern": "\\S", "description": description})
}

/// A list; one that may be empty may be nothing at all.
fn list(item: &Value, at_least: usize, description: &str) -> Value {
    let kinds = if at_least == 0 { json!(["array", "null"]) } else { json!("array") };
    json!({"type": kinds, "items": item, "minItems": at_least, "description": description})
}

fn some_of(words: &[&str], at_least: usize, description: &str) -> Value {
    let mut schema = list(&json!({"type": "string", "enum": words}), at_least, description);
    schema["uniqueItems"] = json!(true);
    schema
}

fn section(keys: &[&str], value: &Value, required: bool) -> Value {
    let properties: Value = keys.iter().map(|key| ((*key).to_owned(), value.clone())).collect();
    let required = if required { keys } else { &[] };
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// Each kind of artifact may be missing, but not all of them.
fn artifacts() -> Value {
    let keys = ["state", "events", "git"];
    let mut schema = section(&keys, &list(&text("In a few words."), 0, "What it leaves behind."), false);
    schema["properties"]["events"] = some_of(EventKind::TYPES, 0, "Types of log events.");
    let named = |key: &str| json!({"properties": {key: {"type": "array", "minItems": 1}}, "required": [key]});
    schema["anyOf"] = Value::from(keys.map(named).to_vec());
    schema
}

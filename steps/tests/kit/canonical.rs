//! A stream without what may differ between two runners.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
};

use mycelium_schemas::messages::Envelope;
use serde_json::{Value, json};

/// Reads an official stream.
pub(crate) fn read(path: &Path) -> Vec<Envelope> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The stream with scenarios in the order of their places, ids by first appearance, and without what is not compared.
pub(crate) fn canonical(stream: &[Envelope]) -> Vec<Value> {
    let mut stream: Vec<Value> =
        stream.iter().map(|envelope| serde_json::to_value(envelope).unwrap()).filter(is_compared).collect();
    in_order_of_places(&mut stream);
    let mut ids = HashMap::new();
    for message in &mut stream {
        strip(message);
        renumber(message, "", &mut ids);
    }
    stream
}

/// The first difference between two streams, to be read.
pub(crate) fn difference(wanted: &[Value], found: &[Value]) -> Option<String> {
    let length = wanted.len().max(found.len());
    let at = (0..length).find(|index| wanted.get(*index) != found.get(*index))?;
    let show = |message: Option<&Value>| message.map_or_else(|| "nothing".to_owned(), Value::to_string);
    Some(format!("message {at}\n  expected {}\n  found    {}", show(wanted.get(at)), show(found.get(at))))
}

/// Changes what the end of the run says.
pub(crate) fn set_success(stream: &mut [Value], success: bool) {
    for message in stream {
        if let Some(finished) = message.get_mut("testRunFinished") {
            finished["success"] = success.into();
        }
    }
}

/// Removes that scenarios began and ended.
pub(crate) fn drop_started_cases(stream: &mut Vec<Value>) {
    stream.retain(|message| message.get("testCaseStarted").or(message.get("testCaseFinished")).is_none());
}

/// Removes every attempt but the first, and that another would come.
pub(crate) fn drop_retries(stream: &mut Vec<Value>) {
    let started = stream.iter().filter_map(|message| message.get("testCaseStarted"));
    let retries: Vec<Value> =
        started.filter(|started| started["attempt"] != 0).map(|started| started["id"].clone()).collect();
    let is_of_retry = |message: &Value| {
        let started = message.get("testCaseStarted").map(|started| &started["id"]);
        let content = message.as_object().and_then(|object| object.values().next());
        let attempt = started.or(content.and_then(|content| content.get("testCaseStartedId")));
        attempt.is_some_and(|attempt| retries.contains(attempt))
    };
    stream.retain(|message| !is_of_retry(message));
    let mut ids = HashMap::new();
    for message in stream {
        if let Some(finished) = message.get_mut("testCaseFinished") {
            finished["willBeRetried"] = false.into();
        }
        renumber(message, "", &mut ids);
    }
}

/// Removes all hooks, and that they ran.
pub(crate) fn drop_hooks(stream: &mut Vec<Value>) {
    let steps = |message: &Value| message["testCase"]["testSteps"].as_array().cloned().unwrap_or_default();
    let is_hook = |step: &Value| step.get("hookId").is_some();
    let hooks: Vec<Value> =
        stream.iter().flat_map(steps).filter(is_hook).map(|step| step["id"].clone()).collect();
    let is_of_hook = |message: &Value| {
        let Some((kind, content)) = message.as_object().and_then(|object| object.iter().next()) else {
            return false;
        };
        matches!(kind.as_str(), "hook" | "testRunHookStarted" | "testRunHookFinished")
            || content.get("testRunHookStartedId").is_some()
            || content.get("testStepId").is_some_and(|step| hooks.contains(step))
    };
    stream.retain(|message| !is_of_hook(message));
    let mut ids = HashMap::new();
    for message in stream {
        if let Some(steps) = message.pointer_mut("/testCase/testSteps").and_then(Value::as_array_mut) {
            steps.retain(|step| !is_hook(step));
        }
        renumber(message, "", &mut ids);
    }
}

fn is_compared(message: &Value) -> bool {
    let of_this_runner = message["attachment"]["mediaType"]
        .as_str()
        .is_some_and(|media_type| media_type.starts_with("application/vnd.mycelium."));
    message.get("meta").is_none() && !of_this_runner
}

/// Puts test cases, and what happened in each, in the order in which their scenarios stand in the files.
fn in_order_of_places(stream: &mut [Value]) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut pickles = HashMap::new();
    let mut cases = HashMap::new();
    let mut attempts = HashMap::new();
    for message in stream.iter() {
        if let Some(pickle) = message.get("pickle") {
            let line = pickle["location"]["line"].as_u64().unwrap_or_default();
            pickles.insert(text(&pickle["id"]), (text(&pickle["uri"]), line));
        } else if let Some(case) = message.get("testCase") {
            cases.insert(text(&case["id"]), pickles.get(&text(&case["pickleId"])).cloned());
        } else if let Some(started) = message.get("testCaseStarted") {
            attempts
                .insert(text(&started["id"]), cases.get(&text(&started["testCaseId"])).cloned().flatten());
        }
    }
    let mut last = None;
    // What is not of a scenario keeps its place: before, between and behind are phases.
    let phase = |message: &Value| match message
        .as_object()
        .and_then(|object| object.keys().next())
        .map(String::as_str)
    {
        Some("testCase") => 1,
        Some("testRunFinished") => 3,
        Some(
            "testCaseStarted" | "testStepStarted" | "testStepFinished" | "testCaseFinished" | "attachment"
            | "suggestion",
        ) => 2,
        _ => 0,
    };
    let keys: Vec<_> = stream
        .iter()
        .map(|message| {
            let phase = phase(message);
            let content =
                message.as_object().and_then(|object| object.values().next()).cloned().unwrap_or_default();
            let place = match phase {
                1 => cases.get(&text(&content["id"])).cloned().flatten(),
                2 => {
                    let id =
                        content.get("testCaseStartedId").or(message.get("testCaseStarted").map(|s| &s["id"]));
                    // A suggestion names no attempt; it belongs to the one that is being told.
                    if let Some(id) = id {
                        last = attempts.get(&text(id)).cloned().flatten();
                    }
                    last.clone()
                }
                _ => None,
            };
            (phase, place)
        })
        .collect();
    let mut order: Vec<usize> = (0..stream.len()).collect();
    order.sort_by(|a, b| keys[*a].cmp(&keys[*b]));
    let sorted: Vec<Value> = order.into_iter().map(|index| stream[index].clone()).collect();
    stream.clone_from_slice(&sorted);
}

/// Removes what is not compared.
fn strip(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for name in ["timestamp", "duration", "sourceReference"] {
                object.remove(name);
            }
            if let Some(uri) = object.get_mut("uri") {
                let name = uri.as_str().and_then(|uri| uri.rsplit('/').next()).unwrap_or_default();
                *uri = name.into();
            }
            if let Some(Value::Object(finished)) = object.get_mut("testRunFinished") {
                finished.remove("message");
                if let Some(exception) = finished.get_mut("exception") {
                    exception["message"] = "told".into();
                }
            }
            if let Some(Value::Object(exception)) = object.get_mut("exception") {
                exception.insert("type".to_owned(), "told".into());
                let is_told = exception.get("stackTrace").is_some();
                exception.insert("stackTrace".to_owned(), is_told.into());
            }
            if let Some(Value::Array(snippets)) = object.get_mut("snippets") {
                snippets.fill(json!({"language": "told", "code": "told"}));
            }
            object.values_mut().for_each(strip);
        }
        Value::Array(values) => values.iter_mut().for_each(strip),
        _ => {}
    }
}

/// Replaces ids by their order of appearance.
fn renumber(value: &mut Value, key: &str, ids: &mut HashMap<String, usize>) {
    match value {
        // In the order of their names, whatever the map's own order.
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &mut Value> = object.iter_mut().collect();
            for (name, value) in sorted {
                renumber(value, name, ids);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| renumber(value, key, ids)),
        // One that has its number gets its number among those that are left.
        Value::String(_) | Value::Number(_) if key == "id" || key.ends_with("Id") || key.ends_with("Ids") => {
            let next = ids.len();
            let number = *ids.entry(value.to_string()).or_insert(next);
            *value = number.into();
        }
        _ => {}
    }
}

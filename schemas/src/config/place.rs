//! Which key of a configuration a byte of its text belongs to, and where the bytes of a key are.

use std::ops::Range;

use crate::{
    problem::Source,
    yaml::{self, Node, Value},
};

/// The path of the key whose value holds the byte, for example `worker.env`; none for one that is in no value, as in a
/// comment.
pub fn key_at(source: &Source, at: usize) -> Option<String> {
    find(&yaml::parse(source).ok()?, at, "")
}

/// Where the first of these keys stands that is set, as `worker.program`: its value, or where that is no single one its
/// name, as in every other problem of a configuration. Where none is set, the innermost section around the first one that
/// is there; where there is none either, the beginning.
pub fn place_of(source: &Source, keys: &[&str]) -> Range<usize> {
    let Ok(root) = yaml::parse(source) else { return 0..0 };
    let whole = keys.iter().find_map(|key| Some(place(entry(&root, key)?)));
    let around = || {
        let path = *keys.first()?;
        let dots = path.match_indices('.').map(|(at, _)| at).collect::<Vec<_>>();
        dots.into_iter().rev().find_map(|at| Some(place(entry(&root, path.get(..at)?)?)))
    };
    whole.or_else(around).unwrap_or(0..0)
}

/// A key's name and value.
fn entry<'n>(node: &'n Node, path: &str) -> Option<(&'n Node, &'n Node)> {
    let Value::Map(entries) = &node.value else { return None };
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let (key, value) =
        entries.iter().find(|(key, _)| matches!(&key.value, Value::Text(key) if key == name))?;
    rest.map_or(Some((key, value)), |rest| entry(value, rest))
}

fn place((key, value): (&Node, &Node)) -> Range<usize> {
    let node = match value.value {
        Value::Bool(_) | Value::Number(_) | Value::Text(_) => value,
        Value::Null | Value::List(_) | Value::Map(_) => key,
    };
    node.span.clone()
}

fn find(node: &Node, at: usize, path: &str) -> Option<String> {
    match &node.value {
        Value::Map(entries) => entries.iter().find_map(|(key, value)| {
            let Value::Text(name) = &key.value else { return None };
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            find(value, at, &path)
        }),
        Value::List(items) => items.iter().find_map(|item| find(item, at, path)),
        _ => node.span.contains(&at).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_its_key() {
        let text = "doctor: here\n# aside\nworker: { env: [A, B=inner] }\nbootstrap:\n  - |\n    last\n";
        let source = Source::new("config.yaml", text);
        for (word, key) in [
            ("here", Some("doctor")),
            ("aside", None),
            ("inner", Some("worker.env")),
            ("last", Some("bootstrap")),
        ] {
            let at = text.find(word).unwrap();
            assert_eq!(key_at(&source, at).as_deref(), key, "{word}");
        }
    }
    #[test]
    fn a_key_has_its_place_or_that_of_what_it_would_stand_in() {
        let text = "worker:\n  agent: codex\n  \"program\": ./codex\n  env: [A]\ngateway: { openai: { key: K } }\ncleanup:\n";
        let source = Source::new("config.yaml", text);
        for (keys, place) in [
            (&["worker.program"][..], (3, 14, "./codex")),
            (&["worker.args", "worker.agent"], (2, 10, "codex")),
            (&["gateway.openai.key", "worker.agent"], (5, 27, "K")),
            (&["gateway.openai.base_url"], (5, 12, "openai")),
            (&["gateway.replay"], (5, 1, "gateway")),
            (&["worker.env"], (4, 3, "env")),
            (&["worker.env.more"], (4, 3, "env")),
            (&["cleanup.workspaces"], (6, 1, "cleanup")),
            (&["planner.provider"], (1, 1, "")),
        ] {
            let span = place_of(&source, keys);
            let (line, column) = source.line_column(span.start);
            assert_eq!((line, column, &text[span]), place, "{keys:?}");
        }
        assert_eq!(place_of(&Source::new("config.yaml", "a: b: c"), &["a"]), 0..0);
    }
}

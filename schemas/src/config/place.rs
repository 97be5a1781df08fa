//! Which key of a configuration a byte of its text belongs to.

use crate::{
    problem::Source,
    yaml::{self, Node, Value},
};

/// The path of the key whose value holds the byte, for example `worker.env`; none for one that is in no value, as in a
/// comment.
pub fn key_at(source: &Source, at: usize) -> Option<String> {
    find(&yaml::parse(source).ok()?, at, "")
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
}

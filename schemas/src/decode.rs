//! From a tree of values to typed ones. Every problem is collected with its place; none ends the decoding, so that a
//! user sees all of them at once.

use std::{fmt::Display, ops::Range, str::FromStr};

use crate::{
    problem::{Problem, Source, did_you_mean},
    yaml::{Node, Value, shorten},
};

/// Collects the problems of one text.
pub(crate) struct Decoder<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

/// A mapping whose keys were checked.
pub(crate) struct Section<'n> {
    /// Where it is: `worker`, `tasks[2]`; empty for the whole text.
    path: String,
    /// Where it begins.
    pub(crate) span: Range<usize>,
    fields: Vec<(&'n str, &'n Node)>,
}

/// A value with the name by which messages call it.
pub(crate) struct Field<'n> {
    /// For example `worker.agent`.
    pub(crate) label: String,
    /// The value.
    pub(crate) node: &'n Node,
}

impl<'n> Section<'n> {
    /// The name of a key of this section in messages.
    pub(crate) fn label(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The key's value, if it is there.
    pub(crate) fn get(&self, key: &str) -> Option<Field<'n>> {
        let (_, node) = self.fields.iter().find(|(name, _)| *name == key)?;
        Some(Field { label: self.label(key), node })
    }

    /// Every key with its value, in the order of the text.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'n str, Field<'n>)> {
        self.fields.iter().map(|(key, node)| (*key, Field { label: self.label(key), node }))
    }
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, problems: Vec::new() }
    }

    /// The problems found, in the order of their places.
    pub(crate) fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.span.start);
        self.problems
    }

    /// Adds a problem.
    pub(crate) fn report(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem {
            source: self.source.clone(),
            span: span.clone(),
            message: message.into(),
            help: help.into(),
        });
    }

    /// Adds the problem that a value is of the wrong kind.
    pub(crate) fn mismatch(&mut self, field: &Field<'_>, expected: &str, help: impl Into<String>) {
        let message = format!("`{}` must be {expected}, but is {}", field.label, field.node.value.describe());
        self.report(&field.node.span, message, help);
    }

    /// Adds the problem that a required key is missing.
    pub(crate) fn missing(&mut self, section: &Section<'_>, key: &str, help: impl Into<String>) {
        self.report(&section.span, format!("the required key `{}` is missing", section.label(key)), help);
    }

    /// Reads a mapping and checks its keys against the allowed ones; none allowed means any. Nothing at all counts as
    /// an empty mapping: a key whose entries are all commented out is not an error.
    pub(crate) fn section<'n>(&mut self, path: &str, node: &'n Node, allowed: &[&str]) -> Section<'n> {
        let mut section = Section { path: path.to_owned(), span: node.span.clone(), fields: Vec::new() };
        let entries = match &node.value {
            Value::Null => return section,
            Value::Map(entries) => entries,
            other => {
                let name = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
                let message =
                    format!("{name} must be a mapping of keys to values, but is {}", other.describe());
                self.report(&node.span, message, known_keys(allowed));
                return section;
            }
        };
        for (key, value) in entries {
            let Value::Text(name) = &key.value else {
                let message = format!("a key must be text, but is {}", key.value.describe());
                self.report(&key.span, message, known_keys(allowed));
                continue;
            };
            if !allowed.is_empty() && !allowed.contains(&name.as_str()) {
                let help = did_you_mean(name, allowed.iter().copied())
                    .map_or_else(|| known_keys(allowed), |near| format!("did you mean `{near}`?"));
                self.report(&key.span, format!("unknown key `{}`", shorten(&section.label(name))), help);
            } else if section.fields.iter().any(|(seen, _)| seen == name) {
                let message = format!("the key `{}` stands here twice", section.label(name));
                self.report(&key.span, message, "remove one of the two");
            } else {
                section.fields.push((name, value));
            }
        }
        section
    }

    /// Reads text that is not empty.
    pub(crate) fn text<'n>(&mut self, field: &Field<'n>, help: &str) -> Option<&'n str> {
        match &field.node.value {
            Value::Text(text) if text.trim().is_empty() => {
                self.report(&field.node.span, format!("`{}` is empty", field.label), help);
                None
            }
            Value::Text(text) => Some(text),
            Value::Number(text) => {
                self.mismatch(field, "text", format!("put it in quotes: \"{text}\""));
                None
            }
            Value::Bool(value) => {
                self.mismatch(field, "text", format!("put it in quotes: \"{value}\""));
                None
            }
            _ => {
                self.mismatch(field, "text", help);
                None
            }
        }
    }

    /// Reads text that its type accepts; a path that escapes, for example, is refused by its type.
    pub(crate) fn parsed<T>(&mut self, field: &Field<'_>, help: &str) -> Option<T>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.text(field, help)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let message = format!("`{}`: {:?} {error}", field.label, shorten(text));
                self.report(&field.node.span, message, help);
                None
            }
        }
    }

    /// Reads a list, each item with the name by which messages call it. Nothing at all counts as an empty list.
    pub(crate) fn items<'n>(&mut self, field: &Field<'n>, help: &str) -> Vec<Field<'n>> {
        match &field.node.value {
            Value::Null => Vec::new(),
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| Field { label: format!("{}[{index}]", field.label), node })
                .collect(),
            _ => {
                self.mismatch(field, "a list", help);
                Vec::new()
            }
        }
    }

    /// Reads a boolean.
    pub(crate) fn flag(&mut self, field: &Field<'_>, help: &str) -> Option<bool> {
        if let Value::Bool(value) = field.node.value {
            return Some(value);
        }
        self.mismatch(field, "`true` or `false`", help);
        None
    }

    /// Reads a whole number within its bounds.
    pub(crate) fn whole(&mut self, field: &Field<'_>, min: u64, max: u64, help: &str) -> Option<u64> {
        if let Value::Number(text) = &field.node.value
            && let Ok(number) = text.parse::<u64>()
            && (min..=max).contains(&number)
        {
            return Some(number);
        }
        self.mismatch(field, &format!("a whole number from {min} to {max}"), help);
        None
    }
}

fn known_keys(allowed: &[&str]) -> String {
    if allowed.is_empty() {
        return "write `key: value` lines".to_owned();
    }
    format!("the keys known here are {}", quoted(allowed))
}

/// `a`, `b`, `c`: for messages.
pub(crate) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

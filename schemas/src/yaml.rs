//! YAML (and so JSON) as a tree in which every value knows its place. The only module that knows the YAML library;
//! what the values mean is decided by its callers.

use std::{fmt, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::{Location, Options, Spanned, UserMessageFormatter, options::DuplicateKeyPolicy};

use crate::problem::{Problem, Source};

/// Deepest nesting accepted. Keeps every walk over the tree within the stack.
const DEPTH_MAX: usize = 32;
/// Most values accepted in one text: a plan of the largest size fits.
const NODES_MAX: usize = 4_000_000;
/// Most bytes accepted in one text.
const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A value and the bytes it stands in.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Its place; for a list or mapping at least where it begins.
    pub(crate) span: Range<usize>,
    /// What it is.
    pub(crate) value: Value,
}

/// A value as YAML's core schema reads it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// `true` or `false`; never `yes`, `no`, `on` or `off`.
    Bool(bool),
    /// A number, as it is spelled, so that decimals stay exact.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping in the order of the text; a key may stand in it twice.
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// What it is, for messages, with its article.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "nothing".to_owned(),
            Self::Bool(value) => format!("the boolean {value}"),
            Self::Number(text) => format!("the number {text}"),
            Self::Text(text) => format!("the text {:?}", shorten(text)),
            Self::List(_) => "a list".to_owned(),
            Self::Map(_) => "a mapping".to_owned(),
        }
    }
}

/// At most 40 characters of a text, so that a message stays one line.
pub(crate) fn shorten(text: &str) -> String {
    const CHARS_MAX: usize = 40;
    if text.chars().count() <= CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(CHARS_MAX).chain(['…']).collect()
}

/// Reads a text as one YAML document.
pub(crate) fn parse(source: &Source) -> Result<Node, Problem> {
    if source.text.len() > TEXT_BYTES_MAX {
        return Err(Problem {
            source: source.clone(),
            span: 0..0,
            message: format!("the text has more than {TEXT_BYTES_MAX} bytes"),
            help: "split it, or remove what does not belong in it".to_owned(),
        });
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&source.text, options()) {
        Ok(raw) => Ok(place(source, raw)),
        Err(error) => Err(syntax_problem(source, &error)),
    }
}

fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: NODES_MAX,
            max_events: NODES_MAX * 2,
        },
        // Reported by the decoder, all of them and with both places.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    }
}

fn syntax_problem(source: &Source, error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let span = error.location().map_or(0..0, |location| byte_range(source, location));
    let message = error.render_with_formatter(&UserMessageFormatter);
    let message = message.lines().next().unwrap_or_default();
    // The place is shown by the problem itself.
    let message = message.rsplit_once(" at line ").map_or(message, |(text, _)| text);
    Problem {
        source: source.clone(),
        span,
        message: format!("not valid YAML: {message}"),
        help: "correct the syntax at this place; text with special characters goes in quotes".to_owned(),
    }
}

/// The bytes of a location: exact where the library knows them, else found by line and column.
fn byte_range(source: &Source, location: Location) -> Range<usize> {
    let len = source.text.len();
    if let (Some(start), Some(bytes)) = (location.span().byte_offset(), location.span().byte_len()) {
        let start = usize::try_from(start).unwrap_or(len).min(len);
        let bytes = usize::try_from(bytes).unwrap_or(0);
        return start..start.saturating_add(bytes).min(len);
    }
    let row = usize::try_from(location.line()).unwrap_or(0).saturating_sub(1);
    let column = usize::try_from(location.column()).unwrap_or(0).saturating_sub(1);
    let line_start: usize = source.text.split_inclusive('\n').take(row).map(str::len).sum();
    let in_line = source.text[line_start..].chars().take(column).map(char::len_utf8).sum::<usize>();
    let start = (line_start + in_line).min(len);
    start..start
}

fn place(source: &Source, raw: Spanned<Raw>) -> Node {
    let span = byte_range(source, raw.referenced);
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Number => {
            Value::Number(source.text.get(byte_range(source, raw.defined)).unwrap_or_default().to_owned())
        }
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(|item| place(source, item)).collect()),
        Raw::Map(entries) => Value::Map(
            entries.into_iter().map(|(key, value)| (place(source, key), place(source, value))).collect(),
        ),
    };
    Node { span, value }
}

/// What the library hands over, before numbers are read from the text.
enum Raw {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Number)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Raw::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        parse(&Source::new("x", text)).unwrap_err().to_string()
    }

    fn entries(node: &Node) -> &[(Node, Node)] {
        match &node.value {
            Value::Map(entries) => entries,
            other => panic!("not a mapping: {other:?}"),
        }
    }

    #[test]
    fn every_value_knows_its_bytes_and_every_number_its_spelling() {
        let source = Source::new("x", "ü: 2.50\nb: [on, 007, 1_0, ~, true, 'q']\n");
        let root = parse(&source).unwrap();
        let [(key, number), (_, list)] = entries(&root) else { panic!() };
        assert_eq!((key.span.clone(), number.span.clone()), (0..2, 4..8));
        assert!(matches!(&number.value, Value::Number(text) if text == "2.50"));
        let Value::List(items) = &list.value else { panic!() };
        let described: Vec<_> = items.iter().map(|item| item.value.describe()).collect();
        let expected = [
            "the text \"on\"",
            "the text \"007\"",
            "the text \"1_0\"",
            "nothing",
            "the boolean true",
            "the text \"q\"",
        ];
        assert_eq!(described, expected);
        assert_eq!(&source.text[items[5].span.clone()], "'q'");
    }

    #[test]
    fn json_is_read_with_tabs_escapes_and_surrogate_pairs() {
        let root = parse(&Source::new("x", "{\"a\":\n\t\"\\ud83d\\ude00 \\/\"}")).unwrap();
        assert!(matches!(&entries(&root)[0].1.value, Value::Text(text) if text == "😀 /"));
        let long = format!("{{\"tasks\":[{{\"spec\":\"{}\"}}]}}", "x y: ".repeat(5000));
        assert!(parse(&Source::new("x", long)).is_ok());
    }

    #[test]
    fn an_alias_is_placed_where_it_is_used() {
        let source = Source::new("x", "x: &a 1.5\ny: *a\n");
        let root = parse(&source).unwrap();
        let aliased = &entries(&root)[1].1;
        assert_eq!(&source.text[aliased.span.clone()], "*a");
        assert!(matches!(&aliased.value, Value::Number(text) if text == "1.5"));
    }

    #[test]
    fn a_repeated_key_is_kept_for_the_decoder() {
        assert_eq!(entries(&parse(&Source::new("x", "a: 1\na: 2\n")).unwrap()).len(), 2);
    }

    #[test]
    fn a_syntax_error_has_its_place_and_a_message_without_it() {
        assert_eq!(
            problem("a: b: c\n"),
            "x:1:5: not valid YAML: mapping values are not allowed in this context"
        );
        assert!(problem("a:\n\t- b\n").starts_with("x:2:2: not valid YAML: tabs disallowed"));
        assert!(problem("a: 'b\n").starts_with("x:1:4: not valid YAML: unclosed quote"));
        assert!(problem("a: 1\n---\nb: 2\n").starts_with("x:3:1: not valid YAML: only single YAML document"));
        assert!(problem("a: *nope\n").starts_with("x:1:4: "));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(DEPTH_MAX + 1) + &"]".repeat(DEPTH_MAX + 1);
        assert!(problem(&deep).contains("too complex"), "{}", problem(&deep));
        let flat = "[".repeat(DEPTH_MAX) + &"]".repeat(DEPTH_MAX);
        assert!(parse(&Source::new("x", flat)).is_ok());
    }
}

//! What the readers of all goal files share.

use std::{collections::BTreeSet, fmt::Display, str::FromStr};

use crate::{
    decode::{Decoder, Field, Section, quoted},
    problem::{Problem, Source, did_you_mean},
    yaml::{self, Node, Value},
};

/// Reads a file that holds a list of mappings; an empty file is an empty list. `entry` reads one of them.
pub(super) fn list<T>(
    source: &Source,
    name: &str,
    mut entry: impl FnMut(&mut Decoder<'_>, &Field<'_>) -> Option<T>,
) -> Result<Vec<T>, Vec<Problem>> {
    let node = yaml::parse(source).map_err(|problem| vec![problem])?;
    let mut decoder = Decoder::new(source);
    let root = Field { label: name.to_owned(), node: &node };
    let items = decoder.items(&root, "write one `- …` entry for each");
    let entries = items.iter().filter_map(|item| entry(&mut decoder, item)).collect();
    done(decoder, Some(entries))
}

/// The value, if nothing was wrong with it. A reader that has no value has reported why.
pub(super) fn done<T>(decoder: Decoder<'_>, value: Option<T>) -> Result<T, Vec<Problem>> {
    let problems = decoder.finish();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => Err(problems),
    }
}

/// A mapping that may not be empty: nothing at all is as wrong as a number.
pub(super) fn mapping<'n>(
    decoder: &mut Decoder<'_>,
    path: &str,
    node: &'n Node,
    keys: &[&str],
) -> Section<'n> {
    if matches!(node.value, Value::Null) {
        let name = if path.is_empty() { "the document".to_owned() } else { format!("`{path}`") };
        decoder.report(
            &node.span,
            format!("{name} is empty"),
            format!("the keys it needs are {}", quoted(keys)),
        );
    }
    decoder.section(path, node, keys)
}

/// A key that must be there.
pub(super) fn required<'n>(
    decoder: &mut Decoder<'_>,
    section: &Section<'n>,
    key: &str,
    help: &str,
) -> Option<Field<'n>> {
    let field = section.get(key);
    if field.is_none() {
        decoder.missing(section, key, help);
    }
    field
}

/// Text that must be there; runs of white space count as one space, so that folding lines changes nothing.
pub(super) fn text(
    decoder: &mut Decoder<'_>,
    section: &Section<'_>,
    key: &str,
    help: &str,
) -> Option<String> {
    let field = required(decoder, section, key, help)?;
    let found = decoder.text(&field, help).map(squash)?;
    if says_something(&found) {
        return Some(found);
    }
    decoder.report(
        &field.node.span,
        format!("`{}` says nothing: it has no letter and no digit", field.label),
        help,
    );
    None
}

/// Whether a text has anything that can be read: a letter or a digit. Many a character is not white and not seen either.
pub fn says_something(text: &str) -> bool {
    // Letters by their class, which fill a place and show nothing.
    const FILLERS: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
    text.chars().any(|c| c.is_alphanumeric() && !FILLERS.contains(&c))
}

/// A value that must be there and that its type accepts.
pub(super) fn parsed<T: FromStr<Err: Display>>(
    decoder: &mut Decoder<'_>,
    section: &Section<'_>,
    key: &str,
    help: &str,
) -> Option<T> {
    let field = required(decoder, section, key, help)?;
    decoder.parsed(&field, help)
}

/// One of a few words.
pub(super) fn word<T: Copy>(decoder: &mut Decoder<'_>, field: &Field<'_>, words: &[(&str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let help = format!("the words known here are {}", quoted(&names));
    let found = decoder.text(field, &help)?;
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == found) {
        return Some(*value);
    }
    let help = did_you_mean(found, names).map_or(help, |near| format!("did you mean `{near}`?"));
    decoder.report(&field.node.span, format!("`{}` cannot be {found:?}", field.label), help);
    None
}

/// A list of texts; a missing key is an empty list. No text may stand in it twice.
pub(super) fn texts(decoder: &mut Decoder<'_>, section: &Section<'_>, key: &str, help: &str) -> Vec<String> {
    let Some(field) = section.get(key) else { return Vec::new() };
    let mut seen = BTreeSet::new();
    let mut texts = Vec::new();
    for item in decoder.items(&field, help) {
        let Some(text) = decoder.text(&item, help).map(squash) else { continue };
        if seen.insert(text.clone()) {
            texts.push(text);
        } else {
            decoder.report(
                &item.node.span,
                format!("`{}` repeats {text:?}", item.label),
                "remove one of the two",
            );
        }
    }
    texts
}

/// The text with every run of white space as one space.
pub(super) fn squash(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

//! The catalogue as a page. It holds what changes when the vocabulary changes, and no counts and lines of code.

use std::fmt::Write as _;

use super::{Entry, ParameterEntry};
use crate::catalogue::Keyword;

const HEAD: &str = "# Steps

Every step that features are written from. Made by `cargo accept steps --write`; `cargo accept steps WORD` searches it.
A step marked **must not** says what must not happen: every scenario needs one.
";

/// The whole page.
pub(in crate::cli) fn markdown(entries: &[Entry]) -> String {
    let mut page = HEAD.to_owned();
    for (keyword, what) in [
        (Keyword::Given, "Puts the world in a state."),
        (Keyword::When, "Does what the operator does."),
        (Keyword::Then, "Looks at what came of it."),
    ] {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {keyword}\n\n{what}\n");
        for entry in entries.iter().filter(|entry| entry.keyword == keyword) {
            step(&mut page, entry);
        }
    }
    page
}

fn step(page: &mut String, entry: &Entry) {
    let mark = if entry.negative { " – **must not**" } else { "" };
    let _ = write!(page, "\n### `{}`{mark}\n\n{}\n", entry.expression, entry.doc);
    if !entry.parameters.is_empty() {
        page.push('\n');
    }
    for ParameterEntry { name, doc, values } in &entry.parameters {
        let values = values.as_ref().map(|values| {
            let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
            format!(" One of {}.", values.join(", "))
        });
        let _ = writeln!(page, "- `{{{name}}}`: {doc}{}", values.unwrap_or_default());
    }
    if let Some(example) = &entry.example {
        let _ = write!(page, "\n````gherkin\n{}\n````\n", example.text);
    }
}

//! The formatter of feature files: layout changes, meaning does not.
//!
//! * A title stands below its parent by two columns, steps by two more, tables and doc strings by two more again; tags
//!   and comments stand where what follows them stands.
//! * Columns of a table are as wide as their widest cell on a terminal. Cells are written as they were, escapes included.
//! * One blank line before each `Background`, `Scenario`, `Rule` and `Examples` with its tags and comments; never two
//!   blank lines, and none below a title, within a table or between a step and what it is given.
//! * The content of a doc string stays byte for byte; it moves with its fence.
//! * All lines end as the first one does. A byte order mark goes; the last line is ended.

mod role;
mod table;

use std::iter;

use mycelium_schemas::messages::GherkinDocument;

use self::role::{Role, roles};
use crate::{IdGenerator, ParseError, line::Line, parse};

/// Formats the text of one feature file. What does not parse is not touched, but reported as [`parse`] does.
pub fn format(source: &str) -> Result<String, Vec<ParseError>> {
    let document = parse("", source, &mut IdGenerator::new())?;
    Ok(layout(source, &document))
}

fn layout(source: &str, document: &GherkinDocument) -> String {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(index, line)| Line::new(index, line)).collect();
    let roles = roles(&lines, document);
    let mut written = write_lines(&lines, &roles);
    while written.last().is_some_and(String::is_empty) {
        written.pop();
    }
    let ending = line_ending(text, &written);
    written.iter().flat_map(|line| [line.as_str(), ending]).collect()
}

/// The ending of the first line. A content that ends with a carriage return of its own needs the longer one: behind it
/// a line feed alone would be read as an ending of two characters.
fn line_ending(text: &str, written: &[String]) -> &'static str {
    let first = text.find('\n').is_some_and(|end| text[..end].ends_with('\r'));
    if first || written.iter().any(|line| line.ends_with('\r')) { "\r\n" } else { "\n" }
}

fn write_lines(lines: &[Line<'_>], roles: &[Role]) -> Vec<String> {
    let tables = table::widths(lines, roles);
    let starts = block_starts(roles);
    let mut written: Vec<String> = Vec::with_capacity(lines.len());
    let mut before: Option<Role> = None;
    let mut blank = false;
    for (index, (line, role)) in lines.iter().zip(roles).enumerate() {
        if *role == Role::Blank {
            blank = true;
            continue;
        }
        let separated = starts[index] || (blank && role.may_be_separated_from(before));
        if separated && before.is_some() {
            written.push(String::new());
        }
        written.push(write_line(*line, *role, &tables));
        before = Some(*role);
        blank = false;
    }
    written
}

fn write_line(line: Line<'_>, role: Role, tables: &[Vec<usize>]) -> String {
    let trimmed = line.trimmed.trim_end();
    match role {
        Role::Blank => String::new(),
        Role::Language => trimmed.to_owned(),
        Role::Comment { indent } | Role::Title { indent, .. } | Role::Fence { indent, .. } => {
            indented(indent, trimmed)
        }
        Role::Step { indent, keyword } => {
            indented(indent, line.trimmed.get(..keyword.max(trimmed.len())).unwrap_or(trimmed))
        }
        Role::Tags { indent } => indented(indent, &tags(line)),
        Role::Description { indent, shift } => {
            let own = line.indent().saturating_sub(shift);
            indented(indent + own, trimmed)
        }
        Role::Row { indent, table } => indented(indent, &table::row(line, &tables[table])),
        Role::Content { indent, fence } => {
            let content = line.without_indent(fence);
            if content.is_empty() { String::new() } else { indented(indent, content) }
        }
    }
}

fn indented(indent: usize, text: &str) -> String {
    iter::repeat_n(' ', indent).chain(text.chars()).collect()
}

/// The tags of a line, each behind one space, and its comment.
fn tags(line: Line<'_>) -> String {
    // The document was parsed, so no tag is wrong; the line is kept if one were.
    let Ok(tags) = line.tags() else { return line.trimmed.trim_end().to_owned() };
    let comment = line.tag_comment().trim();
    let names = tags.iter().map(|tag| tag.name.as_str());
    names.chain((!comment.is_empty()).then_some(comment)).collect::<Vec<_>>().join(" ")
}

/// Where a blank line has to stand before: each part of the file, with the tags and comments directly above it.
fn block_starts(roles: &[Role]) -> Vec<bool> {
    let mut starts = vec![false; roles.len()];
    for (index, role) in roles.iter().enumerate() {
        if !matches!(role, Role::Title { block: true, .. }) {
            continue;
        }
        let mut start = index;
        for above in (0..index).rev() {
            match roles[above] {
                Role::Tags { .. } | Role::Comment { .. } => start = above,
                // Blank lines between tags and their title go, so they separate nothing; behind a comment they do.
                Role::Blank if matches!(roles[start], Role::Tags { .. } | Role::Title { .. }) => {
                    if !above_is_tags(roles, above) {
                        break;
                    }
                }
                _ => break,
            }
        }
        starts[start] = true;
    }
    starts
}

/// Whether the nearest line above that is not blank holds tags.
fn above_is_tags(roles: &[Role], index: usize) -> bool {
    roles[..index].iter().rfind(|role| **role != Role::Blank).is_some_and(|r| matches!(r, Role::Tags { .. }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(source: &str) -> String {
        format(source).unwrap_or_else(|errors| panic!("{errors:?}"))
    }

    #[test]
    fn parts_are_indented_and_separated() {
        let source = "\n@b   @a # why\n\nFeature: F\n\n\n   told\n     more\nBackground:\nGiven a\n\n\nAnd b\nRule: R\n  \
                      # about\n@x\nScenario Outline: S\n* <n>\nExamples:\n|n|\n|1|\n\n\n";
        let wanted = "@b @a # why\nFeature: F\n  told\n    more\n\n  Background:\n    Given a\n\n    And b\n\n  Rule: R\n\n    \
                      # about\n    @x\n    Scenario Outline: S\n      * <n>\n\n      Examples:\n        | n |\n        | 1 |\n";
        assert_eq!(formatted(source), wanted);
    }

    #[test]
    fn columns_are_as_wide_as_a_terminal_shows_them() {
        let source = "Feature: F\nScenario: S\nGiven t\n| id | 名前 | x |\n\n# note\n|1|a\\|b\\\\ | | rest\n";
        let wanted = "Feature: F\n\n  Scenario: S\n    Given t\n      | id | 名前   | x |\n      # note\n      \
                      | 1  | a\\|b\\\\ |   | rest\n";
        assert_eq!(formatted(source), wanted);
    }

    #[test]
    fn the_content_of_a_doc_string_stays_byte_for_byte() {
        let source = "Feature: F\nScenario: S\nGiven d\n\n  \"\"\"  json \n    in  \n  \n\n out\n  \\\"\"\"\n     \n  \"\"\"\n";
        let wanted = "Feature: F\n\n  Scenario: S\n    Given d\n      \"\"\"  json\n        in  \n\n\n      out\n      \
                      \\\"\"\"\n         \n      \"\"\"\n";
        assert_eq!(formatted(source), wanted);
    }

    #[test]
    fn all_lines_end_as_the_first_one_and_the_mark_goes() {
        assert_eq!(formatted("\u{feff}Feature: F\r\n  a\n  b"), "Feature: F\r\n  a\r\n  b\r\n");
        assert_eq!(formatted("Feature: F\n  a\r\n"), "Feature: F\n  a\n");
        assert_eq!(formatted(""), "");
    }

    #[test]
    fn a_comment_stands_with_what_follows_it() {
        let source = "# first\n#language:en\nFeature: F\nScenario: S\nGiven a\n# next\nThen b\n# of T\n\nScenario: T\nGiven a\n# last\n";
        let wanted = "# first\n#language:en\nFeature: F\n\n  Scenario: S\n    Given a\n    # next\n    Then b\n  # of T\n\n  \
                      Scenario: T\n    Given a\n# last\n";
        assert_eq!(formatted(source), wanted);
    }

    #[test]
    fn what_does_not_parse_is_reported_with_its_place() {
        let errors = format("Feature: F\nScenario: S\nGiven a\noops\n").unwrap_err();
        assert_eq!((errors[0].location.line, errors[0].location.column), (4, Some(1)));
    }
}

//! One line of a feature file, taken apart. Columns count characters, from 1.

use mycelium_schemas::messages::{Location, TableCell};

use crate::section::TagToken;

/// One line of a feature file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'s> {
    /// Number within the file, from 1.
    pub(crate) number: u32,
    /// The line without its ending.
    pub(crate) text: &'s str,
    /// The line without the white space it begins with.
    pub(crate) trimmed: &'s str,
}

impl<'s> Line<'s> {
    /// The line at an index, from 0.
    pub(crate) fn new(index: usize, text: &'s str) -> Self {
        Self { number: saturate(index + 1), text, trimmed: text.trim_start() }
    }

    /// How many characters of white space it begins with.
    pub(crate) fn indent(self) -> usize {
        self.text.chars().count() - self.trimmed.chars().count()
    }

    /// Where its text begins.
    pub(crate) fn location(self) -> Location {
        self.location_at(self.indent() + 1)
    }

    /// A place on this line.
    pub(crate) fn location_at(self, column: usize) -> Location {
        Location { line: self.number, column: Some(saturate(column)) }
    }

    /// The line without at most so much indentation; one that is indented less keeps none.
    pub(crate) fn without_indent(self, indent: usize) -> &'s str {
        if indent > self.indent() {
            return self.trimmed;
        }
        self.text.char_indices().nth(indent).map_or("", |(start, _)| &self.text[start..])
    }

    /// The language that a `# language: …` comment names.
    pub(crate) fn language(self) -> Option<&'s str> {
        let rest = self.trimmed.strip_prefix('#')?.trim_start().strip_prefix("language")?;
        let language = rest.trim_start().strip_prefix(':')?.trim();
        let is_code = |c: char| c.is_ascii_alphabetic() || c == '-' || c == '_';
        (!language.is_empty() && language.chars().all(is_code)).then_some(language)
    }

    /// The tags of a tag line, or the place of the one that holds white space.
    pub(crate) fn tags(self) -> Result<Vec<TagToken>, Location> {
        let mut column = self.indent() + 1;
        let mut tags = Vec::new();
        for item in before_comment(self.trimmed).split('@').skip(1) {
            let name = item.trim_end();
            let location = self.location_at(column);
            if name.contains(char::is_whitespace) {
                return Err(location);
            }
            if !name.is_empty() {
                tags.push(TagToken { location, name: format!("@{name}") });
            }
            column += item.chars().count() + 1;
        }
        Ok(tags)
    }

    /// The comment behind the tags of a tag line.
    pub(crate) fn tag_comment(self) -> &'s str {
        &self.trimmed[before_comment(self.trimmed).len()..]
    }

    /// The cells of a table row: what stands between two `|` that are not escaped.
    pub(crate) fn cells(self) -> Vec<TableCell> {
        let mut cells = Vec::new();
        let mut cell: Option<OpenCell> = None;
        let mut column = self.indent() + 1;
        let mut chars = self.trimmed.chars();
        while let Some(c) = chars.next() {
            column += 1;
            if c == '|' {
                cells.extend(
                    cell.replace(OpenCell { column, text: String::new() }).map(|cell| cell.close(self)),
                );
                continue;
            }
            let escaped = if c == '\\' { chars.next() } else { None };
            column += usize::from(escaped.is_some());
            let Some(cell) = &mut cell else { continue };
            match escaped {
                None => cell.text.push(c),
                Some('n') => cell.text.push('\n'),
                Some(symbol @ ('|' | '\\')) => cell.text.push(symbol),
                Some(other) => cell.text.extend([c, other]),
            }
        }
        cells
    }
}

/// A cell whose closing `|` has not come yet.
struct OpenCell {
    /// Column behind the opening `|`.
    column: usize,
    text: String,
}

impl OpenCell {
    /// Takes off the padding; line breaks were written on purpose and stay.
    fn close(self, line: Line<'_>) -> TableCell {
        let is_padding = |c: char| c.is_whitespace() && c != '\n';
        let value = self.text.trim_start_matches(is_padding);
        let padding = self.text.chars().count() - value.chars().count();
        TableCell {
            location: line.location_at(self.column + padding),
            value: value.trim_end_matches(is_padding).to_owned(),
        }
    }
}

/// Cuts a tag line before its comment: a `#` behind white space.
fn before_comment(text: &str) -> &str {
    let mut space = None;
    for (at, c) in text.char_indices() {
        if c == '#'
            && let Some(end) = space
        {
            return &text[..end];
        }
        space = c.is_whitespace().then_some(at);
    }
    text
}

/// Lines and columns are 32 bits wide on the wire; a file beyond that keeps the last number.
pub(crate) fn saturate(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

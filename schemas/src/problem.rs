//! A problem in a text that a user wrote: where, what, why and the mend. Loaders return all of them at once.

use std::{fmt, ops::Range, sync::Arc};

/// A text with its name, shared by the problems found in it.
#[derive(Debug, Clone)]
pub struct Source {
    /// File name as the user knows it, or the variable the text came from.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
}

impl Source {
    /// A named text.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// One-based line and column (in characters) of a byte offset; past the end counts as the end.
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The line that holds a byte offset, without its end.
    pub fn line_at(&self, offset: usize) -> &str {
        let (line, _) = self.line_column(offset);
        self.text.lines().nth(line - 1).unwrap_or_default()
    }
}

/// One problem of an input, with its place.
#[derive(Debug, Clone)]
pub struct Problem {
    /// The text it is in.
    pub source: Source,
    /// Byte range of the offending part; empty where the whole text is meant.
    pub span: Range<usize>,
    /// What is wrong and why, as a sentence fragment without a period.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl Problem {
    /// `file:line:column` of the offending part.
    pub fn location(&self) -> String {
        let (line, column) = self.source.line_column(self.span.start);
        format!("{}:{line}:{column}", self.source.name)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location(), self.message)
    }
}

/// The nearest of the allowed words, if one is near enough to be a typo.
pub fn did_you_mean<'a>(word: &str, allowed: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    allowed
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(word.len()).div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let source = Source::new("x.yaml", "a: ü\nbb: 2\n");
        assert_eq!(source.line_column(0), (1, 1));
        assert_eq!(source.line_column(5), (1, 5));
        assert_eq!(source.line_column(6), (2, 1));
        assert_eq!(source.line_column(999), (3, 1));
        assert_eq!(source.line_at(7), "bb: 2");
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let keys = ["max_parallel", "doctor", "budgets"];
        assert_eq!(did_you_mean("max_paralel", keys), Some("max_parallel"));
        assert_eq!(did_you_mean("zzz", keys), None);
    }
}

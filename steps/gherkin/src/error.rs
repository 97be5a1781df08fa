//! What can be wrong with a feature file, in the words of the official parsers.

use mycelium_schemas::messages::{self, Location, SourceReference};
use thiserror::Error;

use crate::grammar::TokenKind;

/// One error of a feature file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
#[error("({}:{}): {kind}", location.line, location.column.unwrap_or(0))]
pub struct ParseError {
    /// Where it is. The end of the file has no column.
    pub location: Location,
    /// What it is.
    pub kind: ParseErrorKind,
}

impl ParseError {
    /// The message that reports this error in a stream.
    pub fn to_message(&self, uri: &str) -> messages::ParseError {
        messages::ParseError {
            source: SourceReference {
                uri: Some(uri.to_owned()),
                location: Some(self.location),
                ..SourceReference::default()
            },
            message: self.to_string(),
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Error)]
pub enum ParseErrorKind {
    /// A line of a kind that may not stand here.
    #[error("expected: {}, got '{got}'", list(expected))]
    UnexpectedToken {
        /// What may stand here.
        expected: Vec<TokenKind>,
        /// The line, trimmed.
        got: String,
        /// What the line is where it may stand.
        kind: TokenKind,
    },
    /// The file ends where more must follow.
    #[error("unexpected end of file, expected: {}", list(expected))]
    UnexpectedEndOfFile {
        /// What must follow.
        expected: Vec<TokenKind>,
        /// The doc string that is still open.
        open: Option<OpenDocString>,
    },
    /// A row has another number of cells than the first row of its table.
    #[error("inconsistent cell count within the table")]
    InconsistentCellCount,
    /// A tag holds a space.
    #[error("A tag may not contain whitespace")]
    WhitespaceInTag,
    /// The `# language:` line names a language that has no keywords.
    #[error("Language not supported: {language}")]
    UnsupportedLanguage {
        /// The name as written.
        language: String,
    },
    /// The file is not text at this place, or cannot be read: what whoever read it found.
    #[error("{0}")]
    Unreadable(String),
}

/// A doc string that nothing closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OpenDocString {
    /// Where it begins.
    pub location: Location,
    /// What it begins with and would end with.
    pub delimiter: &'static str,
}

fn list(kinds: &[TokenKind]) -> String {
    kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

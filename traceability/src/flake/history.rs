//! The history as it stands in its file: one execution a line, only ever added to.

use mycelium_schemas::{SCHEMA_VERSION, flake::Execution};
use serde::Deserialize;

/// What the history holds.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Every execution, in the order in which they were written.
    pub executions: Vec<Execution>,
    /// Lines that were cut off while they were written.
    pub torn: u64,
}

/// Why a history is not read. Whoever counts on past what is not understood, counts wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Written by a newer version of this program.
    #[error(
        "line {line} has format version {version}, and this program knows {SCHEMA_VERSION}: use a newer one"
    )]
    Newer {
        /// One-based.
        line: usize,
        /// The version.
        version: u32,
    },
    /// Not what was written.
    #[error("line {line} is no execution of a scenario: {why}")]
    Damaged {
        /// One-based.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

impl History {
    /// Reads the text of a history. A line that ends too early is what a crash leaves, at the end of the file or where
    /// somebody went on behind it: such lines are counted and passed over. Anything else that is no line is an error.
    pub fn read(text: &str) -> Result<Self, HistoryError> {
        let mut history = Self::default();
        for (index, text) in text.lines().enumerate().filter(|(_, text)| !text.is_empty()) {
            let line = index + 1;
            if let Ok(Version { v: version }) = serde_json::from_str(text)
                && version > SCHEMA_VERSION
            {
                return Err(HistoryError::Newer { line, version });
            }
            match serde_json::from_str(text) {
                Ok(execution) => history.executions.push(execution),
                Err(error) if error.is_eof() => history.torn += 1,
                Err(error) => return Err(HistoryError::Damaged { line, why: error.to_string() }),
            }
        }
        Ok(history)
    }
}

/// An execution as its line, with the end of the line.
pub fn line(execution: &Execution) -> Result<String, serde_json::Error> {
    serde_json::to_string(execution).map(|line| line + "\n")
}

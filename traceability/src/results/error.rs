//! What can be wrong with a stream of messages.

use std::fmt;

use crate::catalogue::CatalogueError;

/// One problem of a stream, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadProblem {
    /// One-based line; the last one where something is missing at the end.
    pub line: usize,
    /// What is wrong.
    pub error: ReadError,
}

impl fmt::Display for ReadProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.error)
    }
}

impl std::error::Error for ReadProblem {}

/// What is wrong with a stream of messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// There is nothing in it.
    #[error("the stream is empty")]
    Empty,
    /// Not JSON, or cut off.
    #[error("this is not a message: {0}")]
    NotAMessage(String),
    /// A message kind that is known, in a shape that is not.
    #[error("this is not a valid `{kind}` message: {reason}")]
    Malformed {
        /// Kind of the message.
        kind: String,
        /// Why.
        reason: String,
    },
    /// A protocol or an attachment of another version.
    #[error("{what} is {found:?}, and this version reads {known}")]
    UnknownVersion {
        /// What has a version.
        what: &'static str,
        /// The version found.
        found: String,
        /// What is read.
        known: &'static str,
    },
    /// Something that stands in a stream once, or with an id of its own, stands here again.
    #[error("{0} stands here a second time")]
    Duplicate(String),
    /// A reference to something that was not told before.
    #[error("{what} {id:?} was not told before")]
    UnknownReference {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Something that every stream has is not in this one.
    #[error("the stream has no {0}: it is cut off, or was not written by `accept run`")]
    Missing(&'static str),
    /// A message behind the end of its run or attempt.
    #[error("{0} goes on after its end")]
    AfterEnd(&'static str),
    /// A test case leaves out steps of its scenario.
    #[error("the test case {0:?} does not have exactly the steps of its scenario")]
    OtherSteps(String),
    /// An attempt without the lane that it ran in.
    #[error("an attempt at {0} does not say its lane")]
    NoLane(String),
    /// An attempt that did not end.
    #[error("an attempt at {0} did not end")]
    NotEnded(String),
    /// Attempts of a scenario in a lane that do not count 0, 1, 2 …
    #[error("the attempts at {0} in one lane do not count 0, 1, 2: results are doubled or left out")]
    Attempts(String),
    /// A scenario ran that was not planned.
    #[error("{0} ran without being planned")]
    NotPlanned(String),
    /// The run says that it succeeded, and its steps say otherwise.
    #[error("the run says that it succeeded, but {0} did not pass")]
    FalseSuccess(String),
    /// A scenario that cannot be told from another one.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
}

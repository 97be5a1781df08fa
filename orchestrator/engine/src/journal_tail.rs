//! Reads a journal that a crash may have torn (`mycelium_schemas::journal`), with the file's name in every refusal.

use std::path::Path;

use mycelium_schemas::journal::{self, TailError};

pub use mycelium_schemas::journal::Tail;

use crate::error::Error;

/// Reads the bytes of a journal up to its last whole group of events.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Tail, Error> {
    let path = || path.to_owned();
    journal::read(bytes).map_err(|error| match error {
        TailError::Hole { .. } => Error::Damaged { path: path(), reason: error.to_string() },
        TailError::Newer { version } => Error::Newer { path: path(), version },
    })
}

//! Long work that a signal ends: it asks between one object or file and the next.

use super::error::GitError;

/// Whether the work is to end before it is done.
pub type Ends<'a> = &'a dyn Fn() -> bool;

/// An error once the work is to end.
pub(super) fn go_on(ends: Ends<'_>) -> Result<(), GitError> {
    if ends() { Err(GitError::Stopped) } else { Ok(()) }
}

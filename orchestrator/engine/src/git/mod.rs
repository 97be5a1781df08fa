//! Everything that Mycelium does with git, through libgit2: it starts no `git` process.
//!
//! Two rules run through it. A **workspace is hostile**: its `.git` is never opened after an agent ran, and its files
//! enter the run's own object database, the [`Quarantine`], one by one. The **user's repository is sacred**: it is
//! read through [`Upstream`], and written by [`land()`] (objects and one ref, after the test passed) and
//! [`fast_forward()`] (files of a clean checkout of that branch) alone.
//!
//! ```text
//! Upstream ── head ──> workspace::create ── agent ──> snapshot ──> commit ──> candidate ── doctor ──> land ──> fast_forward
//!                                                     └──────── in the Quarantine ────────┘
//! ```

mod alternates;
mod ancestry;
mod checkout;
mod commit;
mod conflict;
mod connectivity;
mod ends;
mod error;
mod fast_forward;
mod filters;
mod gather;
mod ignore_rules;
mod index_lock;
mod land;
mod link;
mod merge;
mod oid;
mod pack;
mod patch;
mod quarantine;
mod ref_lock;
mod scan;
mod setup;
mod snapshot;
mod staging;
mod tree;
mod unfinished;
mod upstream;
pub mod workspace;

#[cfg(test)]
mod tests;

pub use checkout::{dirty, dirty_unless};
pub use commit::commit;
pub use conflict::{Conflict, ConflictFile, Side};
pub use ends::Ends;
pub use error::{ErrorKind, GitError};
pub use fast_forward::{FastForward, fast_forward};
pub use filters::filtered;
pub use index_lock::left as left_of_index_lock;
pub use land::{LandError, Landing, clear_abandoned, land};
pub use merge::{Candidate, MergeError, candidate};
pub use patch::{PATCH_BYTES_MAX, patch};
pub use quarantine::{QUARANTINE_DIR, Quarantine};
pub use scan::FILE_BYTES_MAX;
pub use setup::setup;
pub use snapshot::{Change, Refused, Snapshot, snapshot};
pub use upstream::{Branch, CheckedOut, Upstream};

//! The difference of two trees as text, for people and validators. It decides nothing.

use git2::{DiffFormat, DiffLineType, DiffOptions};
use mycelium_schemas::id::CommitId;

use super::{
    ends::{Ends, go_on},
    error::GitError,
    oid::find_tree,
    quarantine::Quarantine,
};

/// Longest patch made, in bytes, without the line that says so.
pub const PATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Larger files are shown as binary ones are: by name alone.
const TEXT_BYTES_MAX: i64 = 1024 * 1024;

/// The unified diff from one tree to the other. Binary files are named, not shown; a patch of more than
/// [`PATCH_BYTES_MAX`] bytes is cut off at a line and says so in its last one.
pub fn patch(
    quarantine: &Quarantine,
    old: &CommitId,
    new: &CommitId,
    ends: Ends<'_>,
) -> Result<Vec<u8>, GitError> {
    let repo = quarantine.open()?;
    let (old, new) = (find_tree(&repo, old)?, find_tree(&repo, new)?);
    let mut options = DiffOptions::new();
    options.max_size(TEXT_BYTES_MAX);
    let diff = repo
        .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))
        .map_err(GitError::git("compare two trees"))?;
    let mut text = Vec::new();
    let mut cut = false;
    let printed = diff.print(DiffFormat::Patch, |_, _, line| {
        let origin = match line.origin_value() {
            DiffLineType::Context | DiffLineType::Addition | DiffLineType::Deletion => {
                Some(line.origin() as u8)
            }
            _ => None,
        };
        cut = text.len() + line.content().len() + 1 > PATCH_BYTES_MAX;
        if !cut {
            text.extend(origin);
            text.extend_from_slice(line.content());
        }
        !cut && !ends()
    });
    go_on(ends)?;
    if cut {
        text.extend_from_slice(format!("\n[cut off after {} bytes]\n", text.len()).as_bytes());
    } else {
        printed.map_err(GitError::git("print a patch"))?;
    }
    Ok(text)
}

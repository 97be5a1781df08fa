//! What a write that was killed leaves in a repository of the run's own: locks and temporary files of libgit2, whose
//! locks outlive their process and refuse every later write.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::error::GitError;
use crate::fault;

/// Removes it. Only for a repository that nobody else writes to: the caller holds the run's lock, and no attempt has
/// begun.
pub(super) fn clear(repository: &Path) -> Result<(), GitError> {
    let mut folders = vec![repository.to_owned()];
    while let Some(folder) = folders.pop() {
        for (path, is_folder) in list(&folder)? {
            if is_folder {
                folders.push(path);
            } else if is_unfinished(&path) {
                tracing::warn!(path = %path.display(), "removing what a write that was killed has left");
                fault::point!("quarantine.clear", fs::remove_file(&path))
                    .map_err(GitError::io("remove", &path))?;
            }
        }
    }
    Ok(())
}

/// The entries of a folder, and which of them are folders; links are none.
fn list(folder: &Path) -> Result<Vec<(PathBuf, bool)>, GitError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(GitError::io("list", folder)(error)),
    };
    let known = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.path(), entry.file_type()?.is_dir()))
    };
    entries.map(known).collect::<Result<_, _>>().map_err(GitError::io("list", folder))
}

/// No ref of ours ends with `.lock`, and no finished file of libgit2 has one of these names.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".lock") || name.starts_with("tmp_") || name.contains("_git2_")
}

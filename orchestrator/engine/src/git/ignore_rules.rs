//! Which files of a workspace are ignored: by the `.gitignore` files of the base commit alone.
//!
//! What the agent writes into a `.gitignore` decides nothing, and neither do global or repository-wide excludes.

use std::collections::BTreeMap;

use git2::Repository;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::{
    error::GitError,
    tree::{Files, Mode, as_path},
};

const FILE_NAME: &[u8] = b".gitignore";

/// One matcher for each folder of the base that has rules.
pub(super) struct IgnoreRules {
    by_folder: BTreeMap<Vec<u8>, Gitignore>,
}

impl IgnoreRules {
    /// Reads the rules of the base. As in git, a `.gitignore` that is a link has none.
    pub(super) fn of(repo: &Repository, base: &Files) -> Result<Self, GitError> {
        let mut by_folder = BTreeMap::new();
        for (path, entry) in base {
            let (folder, name) = split(path);
            if name != FILE_NAME || !matches!(entry.mode, Mode::File | Mode::Executable) {
                continue;
            }
            let blob =
                repo.find_blob(entry.id).map_err(GitError::git(format!("read the blob {}", entry.id)))?;
            by_folder.insert(folder.to_vec(), parse(blob.content()));
        }
        Ok(Self { by_folder })
    }

    /// True where the rules name this path. The caller asks folders before what is in them, and does not ask below
    /// an ignored folder: as in git, nothing there can be un-ignored.
    pub(super) fn ignores(&self, path: &[u8], is_folder: bool) -> bool {
        let mut folder = split(path).0;
        loop {
            if let Some(rules) = self.by_folder.get(folder) {
                let below = if folder.is_empty() { path } else { &path[folder.len() + 1..] };
                let verdict = rules.matched(as_path(below), is_folder);
                if !verdict.is_none() {
                    return verdict.is_ignore();
                }
            }
            if folder.is_empty() {
                return false;
            }
            folder = split(folder).0;
        }
    }
}

fn parse(text: &[u8]) -> Gitignore {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut builder = GitignoreBuilder::new("");
    for line in String::from_utf8_lossy(text).lines() {
        // A pattern that cannot be read matches nothing, as in git.
        let _ = builder.add_line(None, line);
    }
    builder.build().unwrap_or_else(|_| Gitignore::empty())
}

/// Folder and name of a path; the folder of a top-level name is empty.
pub(super) fn split(path: &[u8]) -> (&[u8], &[u8]) {
    match path.iter().rposition(|byte| *byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&[], path),
    }
}

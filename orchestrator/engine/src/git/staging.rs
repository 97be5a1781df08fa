//! The files of a landing, written whole aside before they take their place in the checkout: whatever is killed, and
//! however full the disk is, a file of the user's is the old one or the new one and never half of one.

use std::{
    fs::{self, Metadata},
    io::{self, ErrorKind},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use git2::{Index, Repository, build::CheckoutBuilder};

use super::{error::GitError, tree::as_path, upstream::Upstream};
use crate::{fault, private, remove};

/// In the git folder of the checkout; at its root where the two lie on different file systems, since a file takes its place
/// by a rename. A landing that was killed leaves it to the next one, which begins by removing it.
const IN_GIT: &str = "mycelium.checkout";
const IN_CHECKOUT: &str = ".mycelium-checkout";

/// Files that are ready to take their place.
pub(super) struct Staging<'a> {
    parent: PathBuf,
    name: &'static str,
    worktree: &'a Path,
}

impl<'a> Staging<'a> {
    /// Writes the files of an index as a checkout does, line ends included.
    pub(super) fn fill(
        upstream: &'a Upstream,
        repo: &Repository,
        files: &mut Index,
    ) -> Result<Self, GitError> {
        let worktree = upstream.worktree();
        let device = |path: &Path| fs::metadata(path).map(|found| found.dev());
        let in_git = device(repo.path()).map_err(GitError::io("read", repo.path()))?;
        let together = device(worktree).map_err(GitError::io("read", worktree))? == in_git;
        let (parent, name) = if together { (repo.path(), IN_GIT) } else { (worktree, IN_CHECKOUT) };
        let this = Self { parent: parent.to_owned(), name, worktree };
        this.remove()?;
        let folder = this.parent.join(name);
        fault::point!("checkout.staging", private::make_dir(&folder))
            .map_err(GitError::io("create", &folder))?;
        let mut checkout = CheckoutBuilder::new();
        checkout.force().update_index(false).target_dir(&folder);
        #[cfg(feature = "faults")]
        checkout.progress(|_, _, _| fault::point!("checkout.file"));
        fault::point!("checkout.files", repo.checkout_index(Some(files), Some(&mut checkout)))
            .map_err(GitError::git("write the files of a landing"))?;
        Ok(this)
    }

    /// Puts a file in its place and tells its times and size; none where something of the user's stands in its way.
    pub(super) fn place(&self, path: &[u8]) -> Result<Option<Metadata>, GitError> {
        let target = self.worktree.join(as_path(path));
        if !self.make_parents(path)? {
            return Ok(None);
        }
        // What the landing removed can leave folders that git does not know, one in another.
        if target.symlink_metadata().is_ok_and(|found| found.is_dir()) && remove_empty(&target).is_err() {
            return Ok(None);
        }
        let staged = self.parent.join(self.name).join(as_path(path));
        fault::point!("checkout.place", fs::rename(&staged, &target))
            .map_err(GitError::io("write", &target))?;
        target.symlink_metadata().map(Some).map_err(GitError::io("read", &target))
    }

    /// Removes what is left aside.
    pub(super) fn remove(&self) -> Result<(), GitError> {
        fault::point!("checkout.unstage", remove::remove(&self.parent, &[self.name]))
            .map_err(GitError::io("remove", self.parent.join(self.name)))
    }

    /// Makes the folders above a file; false where one of them is something else, such as a link.
    fn make_parents(&self, path: &[u8]) -> Result<bool, GitError> {
        for (slash, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let folder = self.worktree.join(as_path(&path[..slash]));
            match folder.symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Ok(false),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    fault::point!("checkout.folder", fs::create_dir(&folder))
                        .map_err(GitError::io("create", &folder))?;
                }
                Err(error) => return Err(GitError::io("read", folder)(error)),
            }
        }
        Ok(true)
    }
}

/// Removes a folder that holds nothing but such folders.
fn remove_empty(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        remove_empty(&entry.path())?;
    }
    remove_folder(folder)
}

/// Removes a folder of the checkout that must be empty.
pub(super) fn remove_folder(folder: &Path) -> io::Result<()> {
    fault::point!("checkout.remove_folder", fs::remove_dir(folder))
}

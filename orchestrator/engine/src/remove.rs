//! Removes a tree that an agent may have made: links are never followed, folders that nobody may write are opened up
//! first, and no depth exhausts memory or file descriptors.
//!
//! Every step is taken relative to an open folder, so that a name exchanged for a link meanwhile changes nothing.

use std::{
    ffi::{CStr, CString, OsStr},
    io,
    os::{
        fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, chmod, fstat, open, openat, renameat, unlinkat},
    io::Errno,
};

use crate::{fault, git::Ends};

/// Folders open at once; deeper ones are moved up.
const DEPTH_MAX: usize = 64;

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

/// Removes what lies at `parts` below `base`. What is not there is removed already.
pub(crate) fn remove(base: &Path, parts: &[impl AsRef<OsStr>]) -> io::Result<()> {
    remove_unless(base, parts, &|| false).map(drop)
}

/// As [`remove`], but gives up between one name and the next once it is to end: false then, and what is left is for
/// another call.
pub(crate) fn remove_unless(base: &Path, parts: &[impl AsRef<OsStr>], ends: Ends<'_>) -> io::Result<bool> {
    let Some((parent, name)) = parent_of(base, parts)? else { return Ok(true) };
    let Some(folder) = unlink(parent.as_fd(), &name)? else { return Ok(true) };
    let mut tree = Tree { top: folder, ends, moved: 0 };
    loop {
        let moved = tree.moved;
        let top = tree.top.try_clone()?;
        if !tree.empty(top.as_fd(), 1)? {
            return Ok(false);
        }
        if tree.moved == moved {
            break;
        }
    }
    gone(fault::point!("clean.remove_top", unlinkat(&parent, &name, AtFlags::REMOVEDIR)))?;
    Ok(true)
}

/// Gives what lies at `parts` below `base` another name in its folder.
pub(crate) fn rename(base: &Path, parts: &[impl AsRef<OsStr>], name: &str) -> io::Result<()> {
    match parent_of(base, parts)? {
        Some((parent, old)) => gone(fault::point!("clean.rename", renameat(&parent, &old, &parent, name))),
        None => Ok(()),
    }
}

/// Opens the folder that holds the last of the parts; none where it is not there.
fn parent_of(base: &Path, parts: &[impl AsRef<OsStr>]) -> io::Result<Option<(OwnedFd, CString)>> {
    let Some((last, folders)) = parts.split_last() else { return Ok(None) };
    let mut folder = match open(base, FOLDER, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        result => result?,
    };
    for part in folders {
        folder = match openat(&folder, part.as_ref(), FOLDER | OFlags::NOFOLLOW, Mode::empty()) {
            Err(Errno::NOENT) => return Ok(None),
            result => result?,
        };
    }
    Ok(Some((folder, CString::new(last.as_ref().as_bytes())?)))
}

struct Tree<'a> {
    top: OwnedFd,
    ends: Ends<'a>,
    /// Folders that were moved up so far; each is a reason to look at the top again.
    moved: u32,
}

impl Tree<'_> {
    /// False where it is to end before the folder is empty.
    fn empty(&mut self, folder: BorrowedFd<'_>, depth: usize) -> io::Result<bool> {
        for name in names(folder)? {
            if (self.ends)() {
                return Ok(false);
            }
            let Some(inside) = unlink(folder, &name)? else { continue };
            if depth == DEPTH_MAX {
                self.move_up(folder, &name)?;
                continue;
            }
            if !self.empty(inside.as_fd(), depth + 1)? {
                return Ok(false);
            }
            gone(fault::point!("clean.remove_folder", unlinkat(folder, &name, AtFlags::REMOVEDIR)))?;
        }
        Ok(true)
    }

    fn move_up(&mut self, folder: BorrowedFd<'_>, name: &CStr) -> io::Result<()> {
        self.moved += 1;
        // A name that is taken may be an agent's: the next one is tried.
        while let Err(error) =
            fault::point!("clean.move_up", renameat(folder, name, &self.top, format!(".deep-{}", self.moved)))
        {
            if !matches!(error, Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) {
                return Err(error.into());
            }
            self.moved += 1;
        }
        Ok(())
    }
}

fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<CString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let name = entry?.file_name().to_owned();
        if !matches!(name.as_bytes(), b"." | b"..") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Removes a name that is no folder; a folder is opened instead, and may be written then.
fn unlink(parent: BorrowedFd<'_>, name: &CStr) -> io::Result<Option<OwnedFd>> {
    match fault::point!("clean.unlink", unlinkat(parent, name, AtFlags::empty())) {
        Ok(()) | Err(Errno::NOENT) => return Ok(None),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(error.into()),
    }
    // Opened as a mere place first: that needs no permission on the folder itself.
    let place = match openat(parent, name, FOLDER | OFlags::NOFOLLOW | OFlags::PATH, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(None),
        result => result?,
    };
    let found = fstat(&place)?;
    let mode = Mode::from_raw_mode(found.st_mode);
    if FileType::from_raw_mode(found.st_mode) == FileType::Directory && !mode.contains(Mode::RWXU) {
        // Where it is somebody else's, what follows says so.
        let _ = chmod(format!("/proc/self/fd/{}", place.as_raw_fd()), Mode::RWXU);
    }
    Ok(Some(openat(&place, c".", FOLDER, Mode::empty())?))
}

fn gone(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => Ok(result?),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::{PermissionsExt, symlink},
    };

    use super::*;

    fn parts(path: &str) -> Vec<String> {
        path.split('/').map(str::to_owned).collect()
    }

    #[test]
    fn links_are_removed_and_what_they_point_to_stays() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::create_dir_all(dir.path().join("top/in")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("file"), "kept").unwrap();
        fs::set_permissions(&outside, fs::Permissions::from_mode(0o555)).unwrap();
        symlink(&outside, dir.path().join("top/in/folder")).unwrap();
        symlink(outside.join("file"), dir.path().join("top/file")).unwrap();
        remove(dir.path(), &parts("top")).unwrap();
        assert!(!dir.path().join("top").exists());
        assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "kept");
        assert_eq!(fs::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o555);
        remove(dir.path(), &parts("top")).unwrap();
    }

    #[test]
    fn a_link_on_the_way_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("outside/inner")).unwrap();
        symlink(dir.path().join("outside"), dir.path().join("link")).unwrap();
        assert!(remove(dir.path(), &parts("link/inner")).is_err());
        assert!(dir.path().join("outside/inner").exists());
    }

    #[test]
    fn folders_that_nobody_may_write_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut modes = Vec::new();
        for (name, mode) in [("top/none", 0o000), ("top/read", 0o555), ("top", 0o500)] {
            fs::create_dir_all(dir.path().join(name).join("in")).unwrap();
            fs::write(dir.path().join(name).join("in/file"), "x").unwrap();
            modes.push((dir.path().join(name), mode));
        }
        for (path, mode) in modes {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        remove(dir.path(), &parts("top")).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_removal_that_is_told_to_end_does_and_another_one_removes_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let mut asked = 0_usize;
        for last in 0_usize.. {
            for path in ["top/a/b/1", "top/a/2", "top/a/3", "top/4"] {
                let path = dir.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "x").unwrap();
            }
            let left = std::cell::Cell::new(last);
            let ends = || left.replace(left.get().saturating_sub(1)) == 0;
            let done = remove_unless(dir.path(), &parts("top"), &ends).unwrap();
            assert_eq!(walk(dir.path()) == 0, done, "{last}");
            if done {
                asked = last;
                break;
            }
            remove(dir.path(), &parts("top")).unwrap();
            assert_eq!(walk(dir.path()), 0, "{last}");
        }
        assert_eq!(asked, 6, "it asks before each file and each folder");
    }

    /// How many files and folders there are below a folder.
    fn walk(folder: &Path) -> usize {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| 1 + if path.is_dir() { walk(&path) } else { 0 }).sum()
    }

    #[test]
    fn depth_is_no_limit() {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = open(dir.path(), FOLDER, Mode::empty()).unwrap();
        for _ in 0..DEPTH_MAX * 50 {
            rustix::fs::mkdirat(&folder, c".deep-1", Mode::RWXU).unwrap();
            folder = openat(&folder, c".deep-1", FOLDER, Mode::empty()).unwrap();
        }
        drop(folder);
        remove(dir.path(), &parts(".deep-1")).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}

//! Where a repository of ours reads the objects that it does not hold itself.
//!
//! An alternates file names object folders, one a line. The chain is written flat and absolute, since git and
//! libgit2 differ in how they read relative and quoted lines, and both ignore what is nested more than five deep.

use std::{
    fs,
    io::ErrorKind as Io,
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::{Path, PathBuf},
};

use super::error::GitError;

/// `objects` and all that it reads from itself. Ends, since each folder is taken once.
pub(super) fn chain(objects: &Path) -> Result<Vec<PathBuf>, GitError> {
    let mut found = vec![canonical(objects)?];
    let mut next = 0;
    while next < found.len() {
        let folder = found[next].clone();
        for line in read_lines(&folder)? {
            // `join` takes an absolute line as it is, and a relative one from the folder that names it.
            let path = canonical(&folder.join(line))?;
            if !found.contains(&path) {
                found.push(path);
            }
        }
        next += 1;
    }
    Ok(found)
}

/// The text of an alternates file that names these folders.
pub(super) fn render(folders: &[PathBuf]) -> Result<Vec<u8>, GitError> {
    let mut text = Vec::new();
    for folder in folders {
        let bytes = folder.as_os_str().as_bytes();
        if bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
            let reason = "its path has a line break, which git cannot name as an alternate".to_owned();
            return Err(GitError::Unsupported { path: folder.clone(), reason });
        }
        text.extend_from_slice(bytes);
        text.push(b'\n');
    }
    Ok(text)
}

fn canonical(folder: &Path) -> Result<PathBuf, GitError> {
    folder.canonicalize().map_err(GitError::io("find the object folder", folder))
}

fn read_lines(objects: &Path) -> Result<Vec<PathBuf>, GitError> {
    let file = objects.join("info/alternates");
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == Io::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(GitError::io("read", file)(error)),
    };
    let mut lines = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        match line.first() {
            None | Some(b'#') => {}
            Some(b'"') => {
                let reason = format!("{} has a quoted line; write the path unquoted", file.display());
                return Err(GitError::Unsupported { path: objects.to_owned(), reason });
            }
            Some(_) => lines.push(PathBuf::from(std::ffi::OsString::from_vec(line.to_vec()))),
        }
    }
    Ok(lines)
}

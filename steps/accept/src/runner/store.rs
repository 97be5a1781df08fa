//! The output folder of a run: the message stream, evidence by digest and the kept folders of scenarios.

use std::{
    fs::{self, File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use mycelium_schemas::{digest, evidence::EvidenceFile};
use serde::Serialize;
use walkdir::WalkDir;

use super::case::Place;

/// Name of the message stream.
pub const MESSAGES: &str = "messages.ndjson";
/// Folder of evidence.
pub const EVIDENCE: &str = "evidence";
/// Folder of what scenarios left that failed, or of all of them where that is asked for.
pub const KEPT: &str = "kept";
/// Folder of repetitions, each a run of its own.
pub const REPETITIONS: &str = "repetitions";
/// What is derived from the stream, each a file.
pub const DERIVED: [&str; 5] = ["matrix.json", "report.html", "junit.xml", "summary.md", "matrix.csv"];

/// Name of the message stream while it is written; it stays where the process was killed. It holds all that is to run.
pub const UNFINISHED: &str = "messages.ndjson.unfinished";
/// Name of the message stream before it holds all that is to run.
pub const PLANNING: &str = "messages.ndjson.planning";

/// Bytes of messages that are written together.
const BUFFER: usize = 64 * 1024;

/// Writing to the output folder failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {path}")]
pub struct StoreError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError { action, path, source }
}

/// The output folder while a run writes to it.
#[derive(Debug)]
pub struct Store {
    out: PathBuf,
    stream: File,
    /// Where the stream stands.
    path: PathBuf,
    /// Messages that are not written yet.
    buffer: Vec<u8>,
}

impl Store {
    /// Opens the folder. What an earlier run left goes first.
    pub fn open(out: &Path) -> Result<Self, StoreError> {
        clear(out)?;
        fs::create_dir_all(out).map_err(failed("create", out))?;
        let evidence = out.join(EVIDENCE);
        fs::create_dir(&evidence).map_err(failed("create", &evidence))?;
        let path = out.join(PLANNING);
        let stream = File::create(&path).map_err(failed("create", &path))?;
        Ok(Self { out: out.to_owned(), stream, path, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Appends a message: an `Envelope`, or what is written like one.
    pub fn emit(&mut self, envelope: &impl Serialize) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.buffer, envelope)
            .map_err(|error| failed("write", &self.path)(error.into()))?;
        self.buffer.push(b'\n');
        if self.buffer.len() < BUFFER { Ok(()) } else { self.flush() }
    }

    /// Writes what was told so far.
    pub fn flush(&mut self) -> Result<(), StoreError> {
        let written = self.stream.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| failed("write", &self.path)(error))
    }

    /// Says that all that is to run was told. Before the first of it begins: it may end this process.
    pub fn planned(&mut self) -> Result<(), StoreError> {
        self.flush()?;
        self.rename(UNFINISHED)
    }

    fn rename(&mut self, name: &str) -> Result<(), StoreError> {
        let path = self.out.join(name);
        fs::rename(&self.path, &path).map_err(failed("write", &path))?;
        self.path = path;
        Ok(())
    }

    /// Keeps a file of evidence under its digest.
    pub fn keep_evidence(&mut self, name: &str, bytes: &[u8]) -> Result<EvidenceFile, StoreError> {
        let sha256 = digest::sha256(bytes);
        let path = self.out.join(EVIDENCE).join(&sha256);
        if !path.exists() {
            fs::write(&path, bytes).map_err(failed("write", &path))?;
        }
        Ok(EvidenceFile { name: name.to_owned(), sha256, bytes: bytes.len() as u64 })
    }

    /// Keeps a scenario's folder under its file and its line, and says where it is now.
    pub fn keep_folder(&mut self, place: &Place, folder: &Path) -> Result<PathBuf, StoreError> {
        // A file outside of the checkout is named from the root of all.
        let parent = self.out.join(KEPT).join(place.uri.trim_start_matches('/'));
        fs::create_dir_all(&parent).map_err(failed("create", &parent))?;
        let mut kept = parent.join(place.line.to_string());
        for number in 2.. {
            if fs::symlink_metadata(&kept).is_err() {
                break;
            }
            // Nothing is mixed with what is there, whatever that is.
            kept = parent.join(format!("{}-{number}", place.line));
        }
        if fs::rename(folder, &kept).is_err() {
            // Another file system: copy, then remove.
            copy_folder(folder, &kept).map_err(failed("keep the scenario's folder as", &kept))?;
            fs::remove_dir_all(folder).map_err(failed("remove", folder))?;
        }
        Ok(kept)
    }

    /// Keeps the folders of scenarios that another run kept.
    pub fn copy_kept(&mut self, from: &Path) -> Result<(), StoreError> {
        if !from.exists() {
            return Ok(());
        }
        let kept = self.out.join(KEPT);
        copy_folder(from, &kept).map_err(failed("keep the scenarios' folders in", &kept))
    }

    /// Completes the stream: from now on it stands under its own name.
    pub fn finish(mut self) -> Result<PathBuf, StoreError> {
        self.flush()?;
        self.stream.sync_all().map_err(failed("write", &self.path))?;
        self.rename(MESSAGES)?;
        Ok(self.path)
    }
}

/// Removes what an earlier run left in an output folder, and nothing else.
pub fn clear(out: &Path) -> Result<(), StoreError> {
    // The results go last: where a folder cannot be removed, they are still there.
    for name in [EVIDENCE, KEPT, REPETITIONS] {
        remove(&out.join(name), remove_folder)?;
    }
    withdraw(out)
}

/// Removes a folder. A scenario may have left folders in it that nobody may write to; they are made writable first.
fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            for entry in WalkDir::new(folder).follow_links(false) {
                // What cannot be looked into is told by the removal.
                if let Ok(entry) = entry
                    && entry.file_type().is_dir()
                {
                    fs::set_permissions(entry.path(), Permissions::from_mode(0o700))?;
                }
            }
            fs::remove_dir_all(folder)
        }
        removed => removed,
    }
}

/// Removes what says how an earlier run went. What it kept to be looked at stays.
pub fn withdraw(out: &Path) -> Result<(), StoreError> {
    for name in DERIVED.into_iter().chain([MESSAGES, UNFINISHED, PLANNING]) {
        remove(&out.join(name), |path| fs::remove_file(path))?;
    }
    Ok(())
}

/// Writes a run that is complete into an output folder, by a function that is told where to write it. What was there
/// stays until all of it is written.
pub fn replace<E: From<StoreError>>(out: &Path, write: impl FnOnce(&Path) -> Result<(), E>) -> Result<(), E> {
    let new = tempfile::Builder::new().prefix(".new-").tempdir_in(out).map_err(failed("write to", out))?;
    write(new.path())?;
    clear(out)?;
    // The stream comes last: it is what makes the rest results.
    for name in [EVIDENCE, KEPT, MESSAGES] {
        let (from, to) = (new.path().join(name), out.join(name));
        match fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("write", &to)(error))?,
            _ => {}
        }
    }
    Ok(())
}

fn remove(path: &Path, remove: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), StoreError> {
    match remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Copies files, folders and links, and replaces none; sockets and pipes are of no use to a reader.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    for entry in WalkDir::new(from).follow_links(false) {
        let entry = entry?;
        let target = match entry.path().strip_prefix(from) {
            Ok(relative) => to.join(relative),
            Err(_) => continue,
        };
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            let mut copy = File::create_new(&target)?;
            io::copy(&mut File::open(entry.path())?, &mut copy)?;
            copy.set_permissions(entry.metadata()?.permissions())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_run_leaves_nothing_to_be_taken_for_this_one() {
        let out = tempfile::tempdir().unwrap();
        for name in DERIVED.into_iter().chain([MESSAGES]) {
            fs::write(out.path().join(name), "old").unwrap();
        }
        let mut store = Store::open(out.path()).unwrap();
        let file = store.keep_evidence("state.json", b"{}").unwrap();
        assert_eq!(fs::read(out.path().join(EVIDENCE).join(&file.sha256)).unwrap(), b"{}");
        for name in DERIVED.into_iter().chain([MESSAGES]) {
            assert!(!out.path().join(name).exists(), "{name} is still there");
        }
        assert!(store.finish().unwrap().ends_with(MESSAGES));
        assert!(!out.path().join(UNFINISHED).exists());
    }

    #[test]
    fn what_is_to_run_is_known_as_soon_as_that_is_said() {
        let out = tempfile::tempdir().unwrap();
        let mut store = Store::open(out.path()).unwrap();
        store.emit(&"planned").unwrap();
        assert!(out.path().join(PLANNING).exists() && !out.path().join(UNFINISHED).exists());
        store.planned().unwrap();
        store.emit(&"begun").unwrap();
        assert_eq!(fs::read_to_string(out.path().join(UNFINISHED)).unwrap(), "\"planned\"\n");
        let path = store.finish().unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "\"planned\"\n\"begun\"\n");
        let left: Vec<_> =
            fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "beside the evidence the stream alone: {left:?}");
    }

    #[test]
    fn a_kept_folder_holds_files_links_and_modes() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(from.path().join("sub")).unwrap();
        fs::write(from.path().join("sub/file"), "x").unwrap();
        std::os::unix::fs::symlink("sub/file", from.path().join("link")).unwrap();
        copy_folder(from.path(), &to.path().join("kept")).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("kept/link")).unwrap(), "x");
        let again = copy_folder(&from.path().join("sub"), &to.path().join("kept/sub")).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_folder_is_never_kept_into_another_one() {
        let out = tempfile::tempdir().unwrap();
        let mut store = Store::open(out.path()).unwrap();
        let mut keep = || {
            let folder = tempfile::tempdir_in(out.path()).unwrap().keep();
            fs::write(folder.join("file"), "x").unwrap();
            store.keep_folder(&Place { uri: "/a/b.feature".to_owned(), line: 4 }, &folder).unwrap()
        };
        let parent = out.path().join("kept/a/b.feature");
        assert_eq!([keep(), keep(), keep()], ["4", "4-2", "4-3"].map(|name| parent.join(name)));
    }
}

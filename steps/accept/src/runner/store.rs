//! The output folder of a run: the message stream, evidence by digest and the kept folders of failed scenarios.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use mycelium_schemas::{digest, evidence::EvidenceFile};
use serde::Serialize;
use walkdir::WalkDir;

/// Name of the message stream.
pub const MESSAGES: &str = "messages.ndjson";
/// Folder of evidence.
pub const EVIDENCE: &str = "evidence";
/// Folder of failed scenarios.
pub const FAILED: &str = "failed";
/// Folder of repetitions, each a run of its own.
pub const REPETITIONS: &str = "repetitions";
/// What is derived from the stream, each a file.
pub const DERIVED: [&str; 5] = ["matrix.json", "report.html", "junit.xml", "summary.md", "matrix.csv"];

/// Name of the message stream while it is written; it stays where the process was killed.
pub const UNFINISHED: &str = "messages.ndjson.unfinished";

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
        let path = out.join(UNFINISHED);
        let file = File::create(&path).map_err(failed("create", &path))?;
        Ok(Self { out: out.to_owned(), stream: file, buffer: Vec::with_capacity(BUFFER) })
    }

    /// Appends a message: an `Envelope`, or what is written like one.
    pub fn emit(&mut self, envelope: &impl Serialize) -> Result<(), StoreError> {
        serde_json::to_writer(&mut self.buffer, envelope)
            .map_err(|error| failed("write", &self.out.join(UNFINISHED))(error.into()))?;
        self.buffer.push(b'\n');
        if self.buffer.len() < BUFFER { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let written = self.stream.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|error| failed("write", &self.out.join(UNFINISHED))(error))
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

    /// Keeps a scenario's folder and says where it is now.
    pub fn keep_folder(&mut self, name: &str, folder: &Path) -> Result<PathBuf, StoreError> {
        let kept = self.out.join(FAILED).join(name);
        let parent = self.out.join(FAILED);
        fs::create_dir_all(&parent).map_err(failed("create", &parent))?;
        if fs::rename(folder, &kept).is_err() {
            // Another file system: copy, then remove.
            copy_folder(folder, &kept).map_err(failed("keep the scenario's folder as", &kept))?;
            fs::remove_dir_all(folder).map_err(failed("remove", folder))?;
        }
        Ok(kept)
    }

    /// Keeps the folders of failed scenarios that another run kept.
    pub fn copy_failed(&mut self, from: &Path) -> Result<(), StoreError> {
        if !from.exists() {
            return Ok(());
        }
        let kept = self.out.join(FAILED);
        copy_folder(from, &kept).map_err(failed("keep the failed scenarios in", &kept))
    }

    /// Completes the stream: from now on it stands under its own name.
    pub fn finish(mut self) -> Result<PathBuf, StoreError> {
        let unfinished = self.out.join(UNFINISHED);
        let path = self.out.join(MESSAGES);
        self.flush()?;
        self.stream.sync_all().map_err(failed("write", &unfinished))?;
        fs::rename(&unfinished, &path).map_err(failed("write", &path))?;
        Ok(path)
    }
}

/// Removes what an earlier run left in an output folder, and nothing else.
pub fn clear(out: &Path) -> Result<(), StoreError> {
    for name in DERIVED.into_iter().chain([MESSAGES, UNFINISHED]) {
        remove(&out.join(name), |path| fs::remove_file(path))?;
    }
    for name in [EVIDENCE, FAILED, REPETITIONS] {
        remove(&out.join(name), |path| fs::remove_dir_all(path))?;
    }
    Ok(())
}

fn remove(path: &Path, remove: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), StoreError> {
    match remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Copies files, folders and links; sockets and pipes are of no use to a reader.
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
            fs::copy(entry.path(), &target)?;
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
    fn a_kept_folder_holds_files_links_and_modes() {
        let from = tempfile::tempdir().unwrap();
        let to = tempfile::tempdir().unwrap();
        fs::create_dir(from.path().join("sub")).unwrap();
        fs::write(from.path().join("sub/file"), "x").unwrap();
        std::os::unix::fs::symlink("sub/file", from.path().join("link")).unwrap();
        copy_folder(from.path(), &to.path().join("kept")).unwrap();
        assert_eq!(fs::read_to_string(to.path().join("kept/link")).unwrap(), "x");
    }
}

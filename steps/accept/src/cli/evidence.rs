//! The files of evidence behind a stream: each has to be there, as it was when it was kept. A proof that nobody can look
//! at again proves nothing.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use mycelium_schemas::{digest, evidence::EvidenceFile};

use crate::runner::store::EVIDENCE;

/// What is wrong with a file of evidence.
#[derive(Debug, thiserror::Error)]
pub(super) enum EvidenceError {
    #[error("{path} ({name}) cannot be read: {source}")]
    Unreadable { path: PathBuf, name: String, source: io::Error },
    #[error(
        "{path} ({name}) was changed: it has {found} bytes with the SHA-256 {digest}, and {kept} were kept"
    )]
    Changed { path: PathBuf, name: String, digest: String, found: u64, kept: u64 },
    #[error("the evidence {name:?} has no file: {sha256:?} is not a SHA-256")]
    NotADigest { name: String, sha256: String },
}

/// Compares every file with its digest and its size; returns all that is wrong.
pub(super) fn check<'a>(
    out: &Path,
    files: impl IntoIterator<Item = &'a EvidenceFile>,
) -> Result<(), Vec<EvidenceError>> {
    let mut seen = BTreeSet::new();
    // Scenarios keep much that is equal: the same file is read once.
    let once = files.into_iter().filter(|file| seen.insert((&file.sha256, file.bytes)));
    let errors: Vec<EvidenceError> = once.filter_map(|file| problem(out, file)).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn problem(out: &Path, file: &EvidenceFile) -> Option<EvidenceError> {
    let EvidenceFile { name, sha256, bytes: kept } = file.clone();
    // The stream is data: what it calls a digest must not lead out of the folder.
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(EvidenceError::NotADigest { name, sha256 });
    }
    let path = out.join(EVIDENCE).join(&sha256);
    match fs::read(&path) {
        Err(source) => Some(EvidenceError::Unreadable { path, name, source }),
        Ok(content) => {
            let (digest, found) = (digest::sha256(&content), content.len() as u64);
            let changed = digest != sha256 || found != kept;
            changed.then_some(EvidenceError::Changed { path, name, digest, found, kept })
        }
    }
}

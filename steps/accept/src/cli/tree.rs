//! Which tree is checked out, and in what the files of the working tree differ from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs, io,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

use git2::{
    IndexEntryExtendedFlag, IndexEntryFlag, ObjectType, Oid, Repository, StatusOptions, TreeWalkMode,
    TreeWalkResult,
};
use mycelium_schemas::digest::sha256;

use super::project::{FEATURES, TRACEABILITY};

/// What `accept` itself reads: files of these names are compared whatever git says of them.
const READ: [&str; 2] = ["feature", "yaml"];

/// The commit's tree, and whether the working tree differs from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    pub(super) id: Option<String>,
    pub(super) dirty: bool,
    /// A digest of the tree and of everything in which the working tree differs from it. None where that cannot be read.
    pub(super) source_digest: Option<String>,
}

impl Tree {
    /// The tree of the checkout with this root. What cannot be read is no proof of a clean tree.
    pub(super) fn of(root: &Path) -> Self {
        let none = Self { id: None, dirty: true, source_digest: None };
        let Ok(repository) = Repository::discover(root) else { return none };
        let Ok(tree) = repository.head().and_then(|head| head.peel_to_tree()) else { return none };
        let id = tree.id().to_string();
        let Some(changes) = changes(&repository, &tree, root) else {
            return Self { id: Some(id), ..none };
        };
        let text: Vec<&str> =
            std::iter::once(id.as_str()).chain(changes.iter().map(String::as_str)).collect();
        let source_digest = Some(sha256(text.join("\n").as_bytes()));
        Self { dirty: !changes.is_empty(), source_digest, id: Some(id) }
    }
}

/// Each file that differs from the tree, with what is in it now.
fn changes(repository: &Repository, tree: &git2::Tree<'_>, root: &Path) -> Option<Vec<String>> {
    let work = repository.workdir()?;
    let mut options = StatusOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false);
    let statuses = repository.statuses(Some(&mut options)).ok()?;
    let mut paths: BTreeMap<Vec<u8>, u32> =
        statuses.iter().map(|entry| (entry.path_bytes().to_vec(), entry.status().bits())).collect();
    for path in unseen(repository, tree, work, root)?.into_iter().chain(overlooked(repository, tree, work)?) {
        paths.entry(path).or_insert(0);
    }
    let change = |(path, status): (Vec<u8>, u32)| {
        // What is gone, or no file, is told by its status and its target.
        let content = content(&work.join(OsStr::from_bytes(&path)));
        let digest = content.map_or_else(|_| "-".to_owned(), |bytes| sha256(&bytes));
        format!("{} {status} {digest}", path.escape_ascii())
    };
    Some(paths.into_iter().map(change).collect())
}

/// Goals and features that differ from the tree, whether or not git was told to overlook them (`--skip-worktree`,
/// `--assume-unchanged`, ignored files).
fn unseen(
    repository: &Repository,
    tree: &git2::Tree<'_>,
    work: &Path,
    root: &Path,
) -> Option<BTreeSet<Vec<u8>>> {
    let (work, root) = (fs::canonicalize(work).ok()?, fs::canonicalize(root).ok()?);
    let mut differing = BTreeSet::new();
    for folder in [FEATURES, TRACEABILITY].map(|name| root.join(name)) {
        let prefix = folder.strip_prefix(&work).ok()?.to_owned();
        let mut here = BTreeSet::new();
        files(&folder, &mut here).ok()?;
        let committed = committed(repository, tree, &prefix)?;
        for (path, blob) in &committed {
            let same = content(&work.join(path)).is_ok_and(|bytes| is_blob(*blob, &bytes));
            here.remove(&work.join(path));
            if !same {
                differing.insert(path.clone().into_os_string().into_vec());
            }
        }
        let loaded =
            here.iter().filter(|path| path.extension().is_some_and(|e| READ.iter().any(|r| e == *r)));
        let added = loaded.filter_map(|path| path.strip_prefix(&work).ok());
        differing.extend(added.map(|path| path.as_os_str().as_bytes().to_vec()));
    }
    Some(differing)
}

/// Tracked files that git was told to overlook and that are not as committed.
fn overlooked(repository: &Repository, tree: &git2::Tree<'_>, work: &Path) -> Option<BTreeSet<Vec<u8>>> {
    let mut differing = BTreeSet::new();
    for entry in repository.index().ok()?.iter() {
        let is_left_out = entry.flags_extended & IndexEntryExtendedFlag::SKIP_WORKTREE.bits() != 0;
        if !is_left_out && entry.flags & IndexEntryFlag::VALID.bits() == 0 {
            continue;
        }
        let path = Path::new(OsStr::from_bytes(&entry.path));
        let blob = tree.get_path(path).ok().map(|entry| entry.id());
        let here = content(&work.join(path));
        let same = here.is_ok_and(|bytes| blob.is_some_and(|blob| is_blob(blob, &bytes)));
        if !same {
            differing.insert(entry.path);
        }
    }
    Some(differing)
}

/// The files below a folder of a tree, by their paths from its root.
fn committed(repository: &Repository, tree: &git2::Tree<'_>, folder: &Path) -> Option<Vec<(PathBuf, Oid)>> {
    let Ok(entry) = tree.get_path(folder) else { return Some(Vec::new()) };
    let mut blobs = Vec::new();
    let object = entry.to_object(repository).ok()?;
    let below = object.as_tree()?;
    let walked = below.walk(TreeWalkMode::PreOrder, |parent, entry| {
        if entry.kind() == Some(ObjectType::Blob) {
            let parent = OsStr::from_bytes(parent.as_bytes());
            blobs.push((folder.join(parent).join(OsStr::from_bytes(entry.name_bytes())), entry.id()));
        }
        TreeWalkResult::Ok
    });
    walked.ok()?;
    Some(blobs)
}

/// Whether a file's content is that of a blob, as it is or with the ends of lines that git may have put into it.
fn is_blob(blob: Oid, bytes: &[u8]) -> bool {
    let is = |bytes: &[u8]| Oid::hash_object(ObjectType::Blob, bytes).is_ok_and(|found| found == blob);
    is(bytes) || bytes.contains(&b'\r') && is(&without_returns(bytes))
}

fn without_returns(bytes: &[u8]) -> Vec<u8> {
    let follows = bytes.iter().skip(1).map(Some).chain([None]);
    let kept = bytes.iter().zip(follows).filter(|(byte, next)| !(**byte == b'\r' && *next == Some(&b'\n')));
    kept.map(|(byte, _)| *byte).collect()
}

/// What is in a file, or where a link leads.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    fs::read_link(path).map(|target| target.into_os_string().into_vec()).or_else(|_| fs::read(path))
}

/// Every file and link below a folder; none where it is not there.
fn files(folder: &Path, found: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files(&entry.path(), found)?;
        } else {
            found.insert(entry.path());
        }
    }
    Ok(())
}

//! Trees as flat lists of files, and the tree that a list of edits makes of another.

use std::{
    collections::{BTreeMap, btree_map},
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::Path,
};

use git2::{FileMode, ObjectType, Oid, Repository, Tree};
use mycelium_schemas::path::is_git_dir_name;

use super::{error::GitError, gather::Gather};
use crate::fault;

/// Folders below each other at most, in trees and in workspaces: far above what projects have, and low enough that
/// neither the stack nor the file descriptors of a process run out.
pub(super) const DEPTH_MAX: usize = 100;

/// What an entry takes in a tree, about: mode, name and id.
const ENTRY_BYTES: usize = 64;

/// Kind of a tree's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    File,
    Executable,
    Link,
    Submodule,
}

impl Mode {
    /// The mode that libgit2 reports; obsolete modes of files count as what they mean.
    pub(super) fn from_raw(raw: i32) -> Self {
        match raw & 0o170_000 {
            0o120_000 => Self::Link,
            0o160_000 => Self::Submodule,
            _ if raw & 0o100 != 0 => Self::Executable,
            _ => Self::File,
        }
    }

    /// The mode as git stores it.
    pub(super) fn stored(self) -> FileMode {
        match self {
            Self::File => FileMode::Blob,
            Self::Executable => FileMode::BlobExecutable,
            Self::Link => FileMode::Link,
            Self::Submodule => FileMode::Commit,
        }
    }
}

/// A file, link or submodule of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) mode: Mode,
    pub(super) id: Oid,
}

/// Entries by path, as bytes: a tree may hold names that are no UTF-8.
pub(super) type Files = BTreeMap<Vec<u8>, Entry>;

/// All files of a tree; refuses names that could escape the folder the tree is written to.
pub(super) fn flatten(repo: &Repository, tree: &Tree<'_>) -> Result<Files, GitError> {
    let mut files = Files::new();
    collect(repo, tree, &mut Vec::new(), 0, &mut files)?;
    Ok(files)
}

fn collect(
    repo: &Repository,
    tree: &Tree<'_>,
    prefix: &mut Vec<u8>,
    depth: usize,
    files: &mut Files,
) -> Result<(), GitError> {
    for entry in tree {
        let name = entry.name_bytes();
        let length = prefix.len();
        prefix.extend_from_slice(name);
        if let Some(why) = unsafe_name(name) {
            return Err(refuse(prefix, why));
        }
        if entry.kind() == Some(ObjectType::Tree) {
            if depth == DEPTH_MAX {
                return Err(refuse(prefix, "lies too deep"));
            }
            let subtree = subtree(repo, entry.id())?;
            prefix.push(b'/');
            collect(repo, &subtree, prefix, depth + 1, files)?;
        } else {
            let found = Entry { mode: Mode::from_raw(entry.filemode_raw()), id: entry.id() };
            if files.insert(prefix.clone(), found).is_some() {
                return Err(refuse(prefix, "occurs twice"));
            }
        }
        prefix.truncate(length);
    }
    Ok(())
}

/// Why a file of that name must not be created, if so.
fn unsafe_name(name: &[u8]) -> Option<&'static str> {
    if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
        Some("has a component that leaves its folder")
    } else if is_git_dir_name(&String::from_utf8_lossy(name)) {
        Some("names git's own folder")
    } else {
        None
    }
}

fn refuse(path: &[u8], why: &str) -> GitError {
    GitError::UnsafeTree { path: printable(path), why: why.to_owned() }
}

/// A path as text that can be printed.
pub(super) fn printable(path: &[u8]) -> String {
    String::from_utf8_lossy(path)
        .chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
        .collect()
}

/// A path of a tree as a path of the file system.
pub(super) fn as_path(path: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(path))
}

/// What to do with a path: the new entry, or none to remove it.
pub(super) type Edits = BTreeMap<Vec<u8>, Option<Entry>>;

#[derive(Debug)]
enum Node {
    Remove,
    Put(Entry),
    Folder(BTreeMap<Vec<u8>, Node>),
}

/// Writes the tree that `edits` make of `base`. Subtrees without an edit are taken as they are.
pub(super) fn edit(gather: &Gather<'_>, base: &Tree<'_>, edits: &Edits) -> Result<Oid, GitError> {
    let mut root = BTreeMap::new();
    // Removals first, so that a file can take the place of a folder and the other way round.
    let (removals, puts): (Vec<_>, Vec<_>) = edits.iter().partition(|(_, entry)| entry.is_none());
    for (path, entry) in removals.into_iter().chain(puts) {
        plan(&mut root, path, *entry);
    }
    match write(gather, Some(base), root)? {
        Some(id) => Ok(id),
        None => empty(gather),
    }
}

fn plan(folder: &mut BTreeMap<Vec<u8>, Node>, path: &[u8], entry: Option<Entry>) {
    let Some(slash) = path.iter().position(|byte| *byte == b'/') else {
        folder.insert(path.to_vec(), entry.map_or(Node::Remove, Node::Put));
        return;
    };
    let child = match folder.entry(path[..slash].to_vec()) {
        btree_map::Entry::Vacant(place) => place.insert(Node::Folder(BTreeMap::new())),
        btree_map::Entry::Occupied(place) => {
            let node = place.into_mut();
            if !matches!(node, Node::Folder(_)) {
                *node = Node::Folder(BTreeMap::new());
            }
            node
        }
    };
    if let Node::Folder(inner) = child {
        plan(inner, &path[slash + 1..], entry);
    }
}

/// Writes one folder; none where nothing is left in it, as git keeps no empty folder.
fn write(
    gather: &Gather<'_>,
    base: Option<&Tree<'_>>,
    nodes: BTreeMap<Vec<u8>, Node>,
) -> Result<Option<Oid>, GitError> {
    let failed = || GitError::git("write a tree");
    let mut builder = gather.repo.treebuilder(base).map_err(failed())?;
    for (name, node) in nodes {
        let old = base.and_then(|tree| tree.get_name_bytes(&name));
        let new = match node {
            Node::Remove => None,
            Node::Put(entry) => Some((entry.id, entry.mode.stored().into())),
            Node::Folder(inner) => {
                let below = match old.as_ref().filter(|entry| entry.kind() == Some(ObjectType::Tree)) {
                    Some(entry) => Some(subtree(gather.repo, entry.id())?),
                    None => None,
                };
                write(gather, below.as_ref(), inner)?.map(|id| (id, FileMode::Tree.into()))
            }
        };
        match new {
            Some((id, mode)) => drop(builder.insert(&name[..], id, mode).map_err(failed())?),
            None if old.is_some() => builder.remove(&name[..]).map_err(failed())?,
            None => {}
        }
    }
    if builder.is_empty() {
        return Ok(None);
    }
    let id = fault::point!("git.tree", builder.write()).map_err(failed())?;
    if base.is_none_or(|base| base.id() != id) {
        gather.note(id, builder.len() * ENTRY_BYTES)?;
    }
    Ok(Some(id))
}

fn empty(gather: &Gather<'_>) -> Result<Oid, GitError> {
    let builder = gather.repo.treebuilder(None).map_err(GitError::git("write a tree"))?;
    let id = builder.write().map_err(GitError::git("write a tree"))?;
    gather.note(id, 0)?;
    Ok(id)
}

fn subtree(repo: &Repository, id: Oid) -> Result<Tree<'_>, GitError> {
    repo.find_tree(id).map_err(GitError::git(format!("read the tree {id}")))
}

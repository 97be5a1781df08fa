//! Objects that are made by the thousand, durably: they are gathered in memory and written as packs, so that what an
//! fsync costs is paid once a pack and not once an object.

use std::cell::{Cell, RefCell};

use git2::{Mempack, Odb, Oid, Repository};

use super::{
    ends::{Ends, go_on},
    error::GitError,
    pack,
};
use crate::fault;

/// Content that is gathered before a pack is written, in bytes; one file more may come on top.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// Above libgit2's own places for objects: it is asked, and written to, first.
const PRIORITY: i32 = 1000;

/// Objects that a repository gathers. What was not written by [`Gather::finish`] is gone with it.
pub(super) struct Gather<'a> {
    pub(super) repo: &'a Repository,
    pub(super) ends: Ends<'a>,
    odb: &'a Odb<'a>,
    memory: Mempack<'a>,
    ids: RefCell<Vec<Oid>>,
    bytes: Cell<usize>,
}

impl<'a> Gather<'a> {
    /// From now on nothing else may write objects through this `repo`, whose object database `odb` is.
    pub(super) fn begin(repo: &'a Repository, odb: &'a Odb<'a>, ends: Ends<'a>) -> Result<Self, GitError> {
        let memory = odb.add_new_mempack_backend(PRIORITY).map_err(GitError::git("gather objects"))?;
        Ok(Self { repo, ends, odb, memory, ids: RefCell::default(), bytes: Cell::new(0) })
    }

    /// Adds the blob of this id, unless it is there already.
    pub(super) fn add(&self, id: Oid, data: &[u8]) -> Result<(), GitError> {
        if self.odb.exists(id) {
            return go_on(self.ends);
        }
        fault::point!("git.blob", self.repo.blob(data)).map_err(GitError::git("write a blob"))?;
        self.note(id, data.len())
    }

    /// Notes an object that was just made, of about so many bytes.
    pub(super) fn note(&self, id: Oid, bytes: usize) -> Result<(), GitError> {
        self.ids.borrow_mut().push(id);
        self.bytes.set(self.bytes.get().saturating_add(bytes));
        if self.bytes.get() > BYTES_MAX { self.write() } else { go_on(self.ends) }
    }

    /// Makes everything durable.
    pub(super) fn finish(self) -> Result<(), GitError> {
        self.write()
    }

    fn write(&self) -> Result<(), GitError> {
        self.bytes.set(0);
        let ids = self.ids.take();
        if !ids.is_empty() {
            let folder = self.repo.path().join("objects/pack");
            pack::write(self.repo, &ids, self.odb, &folder, self.ends)?;
        }
        self.memory.reset().map_err(GitError::git("gather objects"))
    }
}

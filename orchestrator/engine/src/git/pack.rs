//! Brings the objects of a tested commit into the user's object database, as one verified pack.
//!
//! The pack is written and checked in a folder beside the user's objects that git itself treats as temporary
//! (`tmp_objdir-*`, removed by `git prune`), and enters `objects/pack` by rename alone.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use git2::{Indexer, ObjectType, Odb, Oid, Repository, Tree};
use tempfile::TempDir;

use super::{
    ancestry, connectivity,
    ends::{Ends, go_on},
    error::GitError,
};
use crate::fault;

/// Begin of the name of the folder that a pack is made in.
const FOLDER_PREFIX: &str = "tmp_objdir-mycelium-";

/// What our `.keep` files say.
const KEEP_TEXT: &[u8] = b"mycelium: landing\n";

/// A pack that is complete on disk but not yet part of the object database.
pub(super) struct PreparedPack {
    folder: TempDir,
    stem: String,
    objects_dir: PathBuf,
}

/// A pack that git's maintenance must not drop, since no ref names its commits yet. Maintenance may have it as soon as
/// this is dropped.
#[must_use = "keep it until a ref names its commits"]
pub(super) struct KeptPack {
    keep_file: PathBuf,
}

impl Drop for KeptPack {
    fn drop(&mut self) {
        // Harmless where it fails: the pack is then never repacked, until `clear_abandoned` finds the file.
        if let Err(error) = fault::point!("pack.release", fs::remove_file(&self.keep_file)) {
            tracing::warn!(path = %self.keep_file.display(), %error, "a .keep file stays behind");
        }
    }
}

/// Removes what a landing that was killed left in the object database. Nothing else lands meanwhile: the caller holds
/// the repository's landing lock.
pub(super) fn clear_abandoned(objects_dir: &Path) -> Result<(), GitError> {
    for path in list(objects_dir)? {
        if file_name(&path).starts_with(FOLDER_PREFIX) {
            fault::point!("pack.clear_folder", fs::remove_dir_all(&path))
                .map_err(GitError::io("remove", &path))?;
        }
    }
    for path in list(&objects_dir.join("pack"))? {
        let is_keep = path.extension().is_some_and(|extension| extension == "keep");
        if is_keep && fs::read(&path).is_ok_and(|text| text == KEEP_TEXT) {
            fault::point!("pack.clear_keep", fs::remove_file(&path))
                .map_err(GitError::io("remove", &path))?;
        }
    }
    Ok(())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>, GitError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(GitError::io("list", folder)(error)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    paths.collect::<Result<_, _>>().map_err(GitError::io("list", folder))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Packs what `new` needs and the history of `old` does not hold.
pub(super) fn prepare(
    quarantine: &Repository,
    upstream: &Repository,
    objects_dir: &Path,
    old: Oid,
    new: Oid,
    ends: Ends<'_>,
) -> Result<PreparedPack, GitError> {
    let failed = || GitError::git("pack the objects of a landing");
    let objects = missing_objects(quarantine, upstream, old, new, ends)?;
    let odb = upstream.odb().map_err(failed())?;
    connectivity::check(quarantine, &objects, &odb).map_err(failed())?;
    let mut folder = tempfile::Builder::new();
    folder.prefix(FOLDER_PREFIX);
    let folder = fault::point!("pack.folder", folder.tempdir_in(objects_dir))
        .map_err(GitError::io("create a folder in", objects_dir))?;
    let stem = write(quarantine, &objects, &odb, folder.path(), ends)?;
    Ok(PreparedPack { folder, stem, objects_dir: objects_dir.to_owned() })
}

/// Writes objects of `source` as one pack into a folder, durably, and gives the begin of its files' names. `odb` is
/// where the pack will belong.
pub(super) fn write(
    source: &Repository,
    objects: &[Oid],
    odb: &Odb<'_>,
    folder: &Path,
    ends: Ends<'_>,
) -> Result<String, GitError> {
    let failed = || GitError::git(format!("write a pack in {}", folder.display()));
    let mut builder = source.packbuilder().map_err(failed())?;
    for id in objects {
        go_on(ends)?;
        builder.insert_object(*id, None).map_err(failed())?;
    }
    // Now and then asked while deltas are looked for, which takes longest.
    builder.set_progress_callback(|_, _, _| !ends()).map_err(failed())?;
    let mut indexer = Indexer::new(Some(odb), folder, 0, false).map_err(failed())?;
    let mut refusal: Option<io::Error> = None;
    let written = builder.foreach(|bytes| match fault::write_all!("pack.write", &mut indexer, bytes) {
        Ok(()) => !ends(),
        Err(error) => {
            refusal = Some(error);
            false
        }
    });
    if let Some(error) = refusal {
        return Err(GitError::io("write a pack in", folder)(error));
    }
    if written.is_err() {
        go_on(ends)?;
    }
    written.map_err(failed())?;
    Ok(format!("pack-{}", fault::point!("pack.index", indexer.commit()).map_err(failed())?))
}

impl PreparedPack {
    /// Moves the pack into the object database, durably. The index comes last: git looks for it first.
    pub(super) fn install(self) -> Result<KeptPack, GitError> {
        let packs = self.objects_dir.join("pack");
        fault::point!("pack.folder_of_packs", fs::create_dir_all(&packs))
            .map_err(GitError::io("create", &packs))?;
        let keep_file = packs.join(format!("{}.keep", self.stem));
        fault::point!("pack.keep", fs::write(&keep_file, KEEP_TEXT))
            .map_err(GitError::io("write", &keep_file))?;
        let kept = KeptPack { keep_file };
        for extension in ["pack", "idx"] {
            let name = format!("{}.{extension}", self.stem);
            let (from, to) = (self.folder.path().join(&name), packs.join(&name));
            if !to.exists() {
                fault::point!("pack.install", fs::rename(&from, &to))
                    .map_err(GitError::io("move a pack to", &to))?;
            }
        }
        fault::point!("pack.sync", File::open(&packs).and_then(|folder| folder.sync_all()))
            .map_err(GitError::io("sync", &packs))?;
        Ok(kept)
    }
}

/// Commits that `new` reaches and `old` does not, and of each what its first parent's tree does not hold.
fn missing_objects(
    quarantine: &Repository,
    upstream: &Repository,
    old: Oid,
    new: Oid,
    ends: Ends<'_>,
) -> Result<Vec<Oid>, GitError> {
    let mut objects = Objects::default();
    let mut seen = HashSet::from([old, new]);
    let mut todo = vec![new];
    while let Some(id) = todo.pop() {
        go_on(ends)?;
        let failed = || GitError::git(format!("read the commit {id}"));
        let commit = quarantine.find_commit(id).map_err(failed())?;
        objects.add(id);
        let base = match commit.parent_ids().next() {
            Some(_) => Some(commit.parent(0).and_then(|parent| parent.tree()).map_err(failed())?),
            None => None,
        };
        objects.add_tree(quarantine, &commit.tree().map_err(failed())?, base.as_ref())?;
        for parent in commit.parent_ids() {
            let landed =
                upstream.find_commit(parent).is_ok() && ancestry::is_ancestor(upstream, parent, old)?;
            if !landed && seen.insert(parent) {
                todo.push(parent);
            }
        }
    }
    Ok(objects.list)
}

#[derive(Default)]
struct Objects {
    list: Vec<Oid>,
    seen: HashSet<Oid>,
}

impl Objects {
    fn add(&mut self, id: Oid) -> bool {
        let new = self.seen.insert(id);
        if new {
            self.list.push(id);
        }
        new
    }

    /// Adds what `tree` holds and `base`, name by name, does not. That an object of this id happens to exist upstream
    /// proves nothing: it may be unreachable there, and pruned tomorrow.
    fn add_tree(
        &mut self,
        repo: &Repository,
        tree: &Tree<'_>,
        base: Option<&Tree<'_>>,
    ) -> Result<(), GitError> {
        if base.is_some_and(|base| base.id() == tree.id()) || !self.add(tree.id()) {
            return Ok(());
        }
        let subtree = |id: Oid| repo.find_tree(id).map_err(GitError::git(format!("read the tree {id}")));
        for entry in tree {
            let old = base.and_then(|base| base.get_name_bytes(entry.name_bytes()));
            if old.as_ref().is_some_and(|old| old.id() == entry.id()) {
                continue;
            }
            match entry.kind() {
                Some(ObjectType::Tree) => {
                    let old = old.filter(|old| old.kind() == Some(ObjectType::Tree));
                    let old = old.map(|old| subtree(old.id())).transpose()?;
                    self.add_tree(repo, &subtree(entry.id())?, old.as_ref())?;
                }
                Some(ObjectType::Blob) => drop(self.add(entry.id())),
                // A submodule's commit lives in another repository.
                _ => {}
            }
        }
        Ok(())
    }
}

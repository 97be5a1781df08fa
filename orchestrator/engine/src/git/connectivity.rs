//! Whether a pack is whole: what its objects name is in it or in the object database that it is meant for.
//!
//! Not the check of libgit2's indexer: that one takes the commit of a submodule, which lives in another repository, for
//! an object that is missing.

use std::collections::HashSet;

use git2::{Error, ErrorClass, ErrorCode, Odb, Oid, Repository};

/// Checks the objects of a pack, which are read from `source`.
pub(super) fn check(source: &Repository, objects: &[Oid], target: &Odb<'_>) -> Result<(), Error> {
    let packed: HashSet<&Oid> = objects.iter().collect();
    let there = |id: Oid| {
        if packed.contains(&id) || target.exists(id) {
            return Ok(());
        }
        let message = format!("the object {id} is neither in the pack nor in the repository");
        Err(Error::new(ErrorCode::NotFound, ErrorClass::Odb, message))
    };
    for id in objects {
        if let Ok(commit) = source.find_commit(*id) {
            there(commit.tree_id())?;
            commit.parent_ids().try_for_each(there)?;
        } else if let Ok(tree) = source.find_tree(*id) {
            let own = tree.iter().filter(|entry| entry.kind() != Some(git2::ObjectType::Commit));
            own.map(|entry| entry.id()).try_for_each(there)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_must_be_in_the_pack_or_the_target_but_for_submodules() {
        let folder = tempfile::tempdir().unwrap();
        let source = Repository::init_bare(folder.path().join("source")).unwrap();
        let target = Repository::init_bare(folder.path().join("target")).unwrap();
        let target = target.odb().unwrap();
        let blob = source.blob(b"text").unwrap();
        let foreign = Oid::from_str("0123456789012345678901234567890123456789").unwrap();
        let mut builder = source.treebuilder(None).unwrap();
        builder.insert("file", blob, 0o100_644).unwrap();
        builder.insert("sub", foreign, 0o160_000).unwrap();
        let tree = builder.write().unwrap();
        assert!(check(&source, &[tree], &target).is_err());
        assert!(check(&source, &[tree, blob], &target).is_ok());
        target.write(git2::ObjectType::Blob, b"text").unwrap();
        assert!(check(&source, &[tree], &target).is_ok());
    }
}

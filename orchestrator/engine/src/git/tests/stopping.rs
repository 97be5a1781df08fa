//! Work that is told to end ends between one object or file and the next, and leaves nothing half done; and what a
//! snapshot makes costs no fsync an object.

use std::{cell::Cell, fs, path::Path};

use super::rig::{GO_ON, Rig, task, time, write};
use crate::{
    git::{
        Ends, GitError, LandError, MergeError, QUARANTINE_DIR, candidate, fast_forward, land, patch,
        snapshot, workspace,
    },
    remove::{remove, remove_unless},
};

const FILES: usize = 12;

/// Does the work once to count how often it asks, then again and again, told to end at each of these.
fn at_each_question<T>(mut work: impl FnMut(Ends<'_>) -> T, mut check: impl FnMut(T)) {
    let asked = Cell::new(0_usize);
    work(&|| {
        asked.set(asked.get() + 1);
        false
    });
    assert!(asked.get() > 0, "it never asks");
    for last in 0..asked.get() {
        let (left, told) = (Cell::new(last), Cell::new(false));
        let done = work(&|| {
            told.set(left.replace(left.get().saturating_sub(1)) == 0);
            told.get()
        });
        // How often git's own packing asks depends on how long it takes: who was not told has nothing to heed.
        if told.get() {
            check(done);
        }
    }
}

fn fill(dir: &Path) {
    for number in 0..FILES {
        write(&dir.join(format!("new/{}/{number}.txt", number % 7)), number.to_string());
    }
}

/// Files of a repository's objects, by the folder that they are in.
fn objects(repository: &Path) -> (usize, usize) {
    let folder = repository.join("objects");
    let names =
        |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let (packs, others): (Vec<_>, Vec<_>) =
        names(&folder).into_iter().partition(|path| path.ends_with("pack"));
    let loose = others.iter().filter(|path| path.file_name().unwrap().len() == 2);
    (loose.flat_map(|path| names(path)).count(), packs.iter().flat_map(|path| names(path)).count())
}

#[test]
fn a_snapshot_writes_one_pack_however_many_files_there_are() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("ws", &base);
    fill(&dir);
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(shot.changes.len(), FILES);
    let folder = rig.run.join("objects.git");
    assert_eq!(objects(&folder), (0, 2), "a pack and its index");
    // What is there already is not written again.
    let untouched = rig.workspace("untouched", &base);
    assert_eq!(rig.snapshot(&untouched, &base).changes, []);
    assert_eq!(objects(&folder), (0, 2));
}

#[test]
fn a_snapshot_that_is_told_to_end_leaves_nothing() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("ws", &base);
    fill(&dir);
    let count = Cell::new(0);
    at_each_question(
        |ends| {
            fs::remove_dir_all(rig.run.join("objects.git")).ok();
            let quarantine = rig.quarantine();
            count.set(count.get() + 1);
            snapshot(&dir, &base, &quarantine, ends)
        },
        |shot| {
            assert!(matches!(shot, Err(GitError::Stopped)), "{shot:?}");
            assert_eq!(objects(&rig.run.join("objects.git")), (0, 0));
        },
    );
    assert!(count.get() > 3 * FILES, "it asks at each file and each object: {count:?}");
}

#[test]
fn a_workspace_and_a_patch_that_are_told_to_end_do() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.run.join("ws");
    let objects = rig.upstream().objects_dir();
    at_each_question(
        |ends| {
            fs::remove_dir_all(&dir).ok();
            workspace::create(&dir, &base, &objects, workspace::Reach::Shared, ends)
        },
        |made| assert!(matches!(made, Err(GitError::Stopped)), "{made:?}"),
    );
    let commit = rig.task("work", &base, fill);
    let quarantine = rig.quarantine();
    let (old, new) = (quarantine.tree_of(&base).unwrap(), quarantine.tree_of(&commit).unwrap());
    at_each_question(
        |ends| patch(&quarantine, &old, &new, ends),
        |made| assert!(matches!(made, Err(GitError::Stopped)), "{made:?}"),
    );
}

#[test]
fn a_landing_that_is_told_to_end_moves_nothing_and_leaves_nothing() {
    let rig = Rig::new();
    let old = rig.head("work");
    let tasks = [
        (task("001"), rig.task("one", &old, fill)),
        (
            task("002"),
            rig.task("two", &old, |dir| {
                write(&dir.join("b.txt"), "two\n");
            }),
        ),
    ];
    let quarantine = rig.quarantine();
    let new = candidate(&quarantine, &old, &tasks, "m", time(), GO_ON).unwrap().commit;
    let stopped = candidate(&quarantine, &old, &tasks, "m", time(), &|| true);
    assert!(matches!(stopped, Err(MergeError::Git(GitError::Stopped))), "{stopped:?}");
    let before = rig.git_dir_content();
    let (upstream, branch) = (rig.upstream(), rig.branch("work"));
    let asked = Cell::new(0);
    for last in 0.. {
        asked.set(0);
        let ends = || asked.replace(asked.get() + 1) >= last;
        match land(&upstream, &quarantine, &branch, &old, &new, &ends) {
            Err(LandError::Git(GitError::Stopped)) => assert_eq!(rig.git_dir_content(), before, "{last}"),
            landed => {
                landed.unwrap();
                break;
            }
        }
    }
    assert!(asked.get() > FILES, "{asked:?}");
    assert_eq!(rig.head("work"), new);
}

#[test]
fn objects_that_are_removed_in_part_can_be_used_and_removed_again() {
    let rig = Rig::new();
    let base = rig.head("main");
    at_each_question(
        |ends| {
            let dir = rig.workspace("ws", &base);
            fill(&dir);
            rig.snapshot(&dir, &base);
            remove(&rig.run, &["ws"]).unwrap();
            remove_unless(&rig.run, &[QUARANTINE_DIR], ends).unwrap()
        },
        |done| {
            assert!(!done);
            let dir = rig.workspace("ws", &base);
            fill(&dir);
            assert_eq!(rig.snapshot(&dir, &base).changes.len(), FILES);
            remove(&rig.run, &["ws"]).unwrap();
        },
    );
}

#[test]
fn a_checkout_that_another_git_holds_is_left_behind_once_the_wait_ends() {
    let rig = Rig::new();
    let old = rig.head("main");
    let new = rig.task("work", &old, |dir| write(&dir.join("a.txt"), "new\n"));
    let (upstream, branch) = (rig.upstream(), rig.branch("main"));
    land(&upstream, &rig.quarantine(), &branch, &old, &new, GO_ON).unwrap();
    let lock = rig.repo.join(".git/index.lock");
    write(&lock, "");
    let held = fast_forward(&upstream, &branch, &old, &new, &|| true);
    assert!(matches!(&held, Err(GitError::Locked { path }) if *path == lock), "{held:?}");
    assert_eq!(fs::read_to_string(rig.repo.join("a.txt")).unwrap(), "a\n");
    fs::remove_file(&lock).unwrap();
    fast_forward(&upstream, &branch, &old, &new, GO_ON).unwrap();
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
}

//! The lock of the user's index: ours is known after a kill, another's is never touched.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use mycelium_schemas::{event::CheckoutUpdate, id::CommitId};

use super::rig::{GO_ON, Rig, write};
use crate::git::{GitError, clear_abandoned, dirty_unless, fast_forward, land};

/// What a killed fast-forward leaves in the git folder: the note and libgit2's half of a new index.
const LEFT: [&str; 3] = ["mycelium.index-lock", "mycelium.index", "mycelium.index.lock"];

/// A repository whose branch has moved and whose checkout has not followed.
fn landed() -> (Rig, CommitId, CommitId) {
    let rig = Rig::new();
    let old = rig.head("main");
    let new = rig.task("w", &old, |dir| {
        write(&dir.join("a.txt"), "new a\n");
        write(&dir.join("b.txt"), "new b\n");
    });
    land(&rig.upstream(), &rig.quarantine(), &rig.branch("main"), &old, &new, GO_ON).unwrap();
    (rig, old, new)
}

fn lock(rig: &Rig) -> PathBuf {
    rig.repo.join(".git/index.lock")
}

/// Leaves what a kill does that comes while the lock is held.
fn be_killed(rig: &Rig) {
    for name in LEFT {
        write(&rig.repo.join(".git").join(name), "");
    }
    fs::hard_link(rig.repo.join(".git").join(LEFT[0]), lock(rig)).unwrap();
}

fn is_clear(rig: &Rig) {
    for name in LEFT {
        assert!(!rig.repo.join(".git").join(name).exists(), "{name} is left");
    }
}

#[test]
fn the_lock_of_a_killed_fast_forward_is_cleared_by_the_next() {
    let (rig, old, new) = landed();
    be_killed(&rig);
    // Nobody is waited for: whoever waits ends at once.
    let found = fast_forward(&rig.upstream(), &rig.branch("main"), &old, &new, &|| true).unwrap();
    assert_eq!((found.update, found.left), (CheckoutUpdate::FastForwarded, vec![]));
    is_clear(&rig);
    assert!(!lock(&rig).exists());
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
}

#[test]
fn the_lock_of_a_killed_fast_forward_is_cleared_where_none_follows_and_keeps_nobody_from_looking() {
    let (rig, old, _) = landed();
    rig.git(&["update-ref", "refs/heads/main", old.as_str()]);
    be_killed(&rig);
    assert_eq!(dirty_unless(&rig.upstream(), None, || true).unwrap(), [] as [&str; 0]);
    clear_abandoned(&rig.upstream(), &rig.branch("main"), GO_ON).unwrap();
    is_clear(&rig);
    assert!(!lock(&rig).exists());
}

#[test]
fn the_lock_of_another_git_is_left_whatever_a_kill_left_beside_it() {
    let (rig, old, new) = landed();
    be_killed(&rig);
    fs::remove_file(lock(&rig)).unwrap();
    write(&lock(&rig), "");
    let found = fast_forward(&rig.upstream(), &rig.branch("main"), &old, &new, &|| true);
    assert!(matches!(&found, Err(GitError::Locked { path }) if *path == lock(&rig)), "{found:?}");
    clear_abandoned(&rig.upstream(), &rig.branch("main"), GO_ON).unwrap();
    is_clear(&rig);
    assert!(lock(&rig).exists());
    assert_eq!(fs::read_to_string(rig.repo.join("a.txt")).unwrap(), "a\n", "nothing was changed");
}

#[test]
fn what_could_not_be_let_go_is_let_go_by_the_next() {
    let (rig, old, new) = landed();
    let git = rig.repo.join(".git");
    let before = fs::read(git.join("index")).unwrap();
    // In the place of a file that is written and removed.
    fs::create_dir(git.join("mycelium.index")).unwrap();
    fast_forward(&rig.upstream(), &rig.branch("main"), &old, &new, GO_ON).unwrap_err();
    assert_eq!(fs::read(git.join("index")).unwrap(), before);
    assert!(git.join("mycelium.index-lock").exists() && lock(&rig).exists());
    fs::remove_dir(git.join("mycelium.index")).unwrap();
    let found = fast_forward(&rig.upstream(), &rig.branch("main"), &old, &new, &|| true).unwrap();
    assert_eq!(found.update, CheckoutUpdate::FastForwarded);
    is_clear(&rig);
    assert!(!lock(&rig).exists());
}

/// Gives a file that time.
fn set_time(path: &Path, time: SystemTime) {
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

#[test]
fn a_file_that_changed_as_fast_as_its_time_is_told_by_its_content() {
    let (rig, old, new) = landed();
    let (file, index) = (rig.repo.join("b.txt"), rig.repo.join(".git/index"));
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    // The time of the last change of its status cannot be set back.
    rig.git(&["config", "core.trustctime", "false"]);
    set_time(&file, time);
    rig.git(&["update-index", "--refresh"]);
    set_time(&index, time);
    fs::write(&file, "B\n").unwrap();
    set_time(&file, time);
    let found = fast_forward(&rig.upstream(), &rig.branch("main"), &old, &new, GO_ON).unwrap();
    assert_eq!(found.left, ["b.txt"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "B\n");
    assert_eq!(rig.git(&["diff", "--name-only"]), "b.txt\n");
}

//! Landing: compare-and-swap, durable, and nothing else touched.

use std::{fs, os::unix::fs::symlink};

use mycelium_schemas::id::CommitId;

use super::rig::{GO_ON, Rig, make_executable, task, time, write};
use crate::git::{GitError, LandError, Landing, candidate, clear_abandoned, land};

/// Two tasks merged onto the head of `work`.
fn merged(rig: &Rig) -> (CommitId, CommitId) {
    let head = rig.head("work");
    let one = rig.task("w1", &head, |dir| {
        write(&dir.join("a.txt"), "one\n");
        write(&dir.join("new/deep/x.sh"), "x");
        make_executable(&dir.join("new/deep/x.sh"));
        symlink("../a.txt", dir.join("new/link")).unwrap();
    });
    let two = rig.task("w2", &head, |dir| {
        // The content of another file: an object that the user's repository already has.
        write(&dir.join("copy-of-b"), "b\n");
        fs::remove_file(dir.join("dir/c.txt")).unwrap();
    });
    let tasks = [(task("001"), one), (task("002"), two)];
    let found = candidate(&rig.quarantine(), &head, &tasks, "m", time(), GO_ON).unwrap();
    (head, found.commit)
}

fn landed(rig: &Rig, old: &CommitId, new: &CommitId) -> Result<Landing, LandError> {
    land(&rig.upstream(), &rig.quarantine(), &rig.branch("work"), old, new, GO_ON)
}

#[test]
fn a_landing_moves_the_branch_and_leaves_a_repository_that_git_finds_sound() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    assert_eq!(landed(&rig, &old, &new).unwrap(), Landing::Moved);
    rig.fsck();
    assert_eq!(rig.git(&["rev-parse", "work"]).trim(), new.as_str());
    assert_eq!(rig.git(&["show", "work:a.txt"]), "one\n");
    assert_eq!(rig.git(&["ls-tree", "work", "new/link"]).split(' ').next(), Some("120000"));
    assert!(rig.git(&["reflog", "work"]).contains("mycelium: land"));
    // The quarantine is not needed for anything that landed.
    fs::remove_dir_all(&rig.run).unwrap();
    rig.fsck();
    let leftovers = |dir: &str| {
        let entries = fs::read_dir(rig.repo.join(dir)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    assert!(!leftovers(".git/objects").iter().any(|name| name.starts_with("tmp")));
    assert!(!leftovers(".git/objects/pack").iter().any(|name| name.contains("keep")));
    assert!(!leftovers(".git/refs/heads").iter().any(|name| name.contains("lock")));
}

#[test]
fn a_repository_with_a_submodule_takes_landings() {
    let rig = Rig::new();
    rig.git(&["checkout", "-q", "work"]);
    rig.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},sub", "a1".repeat(20))]);
    rig.git(&["commit", "-q", "-m", "a submodule"]);
    let old = rig.head("work");
    let new = rig.task("w1", &old, |dir| write(&dir.join("a.txt"), "one\n"));
    assert_eq!(landed(&rig, &old, &new).unwrap(), Landing::Moved);
    assert!(rig.git(&["ls-tree", "work", "sub"]).starts_with("160000 commit a1a1"));
    rig.fsck();
}

#[test]
fn landing_again_finds_it_done() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    landed(&rig, &old, &new).unwrap();
    let before = rig.git_dir_content();
    assert_eq!(landed(&rig, &old, &new).unwrap(), Landing::AlreadyThere);
    assert_eq!(rig.git_dir_content(), before);
}

#[test]
fn a_landing_on_a_landing_needs_only_what_is_new() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    landed(&rig, &old, &new).unwrap();
    let next = rig.task("w3", &new, |dir| write(&dir.join("new/deep/y"), "y"));
    assert_eq!(landed(&rig, &new, &next).unwrap(), Landing::Moved);
    rig.fsck();
}

#[test]
fn a_branch_that_moved_refuses_the_landing_and_keeps_the_foreign_commit() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    rig.git(&["checkout", "-q", "work"]);
    let foreign = rig.commit(&[("a.txt", "a colleague\n")], "foreign");
    let before = rig.git_dir_content();
    let refused = landed(&rig, &old, &new);
    assert!(
        matches!(&refused, Err(LandError::HeadMoved { found: Some(found), .. }) if *found == foreign),
        "{refused:?}"
    );
    assert_eq!(rig.git_dir_content(), before, "no object, ref or lock of the refused landing may stay");
}

#[test]
fn a_branch_that_was_deleted_or_became_symbolic_refuses_the_landing() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    let branch = rig.branch("work");
    rig.git(&["branch", "-D", "-q", "work"]);
    let refused = land(&rig.upstream(), &rig.quarantine(), &branch, &old, &new, GO_ON);
    assert!(matches!(refused, Err(LandError::HeadMoved { found: None, .. })));
    rig.git(&["symbolic-ref", "refs/heads/work", "refs/heads/main"]);
    let refused = land(&rig.upstream(), &rig.quarantine(), &branch, &old, &new, GO_ON);
    assert!(matches!(refused, Err(LandError::HeadMoved { found: None, .. })));
    assert_eq!(rig.head("main"), old);
}

#[test]
fn a_commit_that_was_not_built_on_the_head_is_not_landed() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    rig.git(&["checkout", "-q", "work"]);
    let head = rig.commit(&[("a.txt", "x\n")], "meanwhile");
    let refused = landed(&rig, &head, &new);
    assert!(matches!(refused, Err(LandError::NotBuiltOnHead { .. })), "{refused:?}");
    assert_eq!(rig.head("work"), head);
    assert_ne!(head, old);
}

#[test]
fn a_held_lock_is_an_environment_error_that_names_it() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    write(&rig.repo.join(".git/refs/heads/work.lock"), "");
    let before = rig.git_dir_content();
    let refused = landed(&rig, &old, &new);
    let Err(LandError::Git(GitError::Locked { path })) = refused else { panic!("{refused:?}") };
    assert!(path.ends_with("refs/heads/work.lock"));
    assert_eq!(rig.git_dir_content(), before);
}

#[test]
fn a_stop_ends_the_wait_for_a_held_lock_and_nothing_is_left() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    let lock = rig.repo.join(".git/refs/heads/work.lock");
    write(&lock, "");
    let before = rig.git_dir_content();
    // The note is there from just before the lock is waited for.
    let note = rig.repo.join(".git/mycelium.ref-lock");
    let ends = || note.exists();
    let stopped = land(&rig.upstream(), &rig.quarantine(), &rig.branch("work"), &old, &new, &ends);
    assert!(matches!(stopped, Err(LandError::Git(GitError::Stopped))), "{stopped:?}");
    assert_eq!(rig.git_dir_content(), before);
}

#[test]
fn nothing_of_the_user_is_touched_and_no_hook_runs() {
    let rig = Rig::new();
    write(&rig.repo.join("a.txt"), "stashed\n");
    rig.git(&["stash", "-q"]);
    write(&rig.repo.join("a.txt"), "unstaged\n");
    write(&rig.repo.join("b.txt"), "staged\n");
    rig.git(&["add", "b.txt"]);
    write(&rig.repo.join("untracked"), "u");
    let proof = rig.run.join("hook ran");
    for hook in ["reference-transaction", "post-update", "update", "post-checkout", "post-commit"] {
        write(&rig.repo.join(".git/hooks").join(hook), format!("#!/bin/sh\ntouch '{}'\n", proof.display()));
        make_executable(&rig.repo.join(".git/hooks").join(hook));
    }
    let (old, new) = merged(&rig);
    let seen = |rig: &Rig| {
        (
            fs::read(rig.repo.join(".git/index")).unwrap(),
            fs::read(rig.repo.join(".git/HEAD")).unwrap(),
            fs::read(rig.repo.join(".git/config")).unwrap(),
            fs::read(rig.repo.join(".git/logs/HEAD")).unwrap(),
            fs::read(rig.repo.join(".git/refs/stash")).unwrap(),
            fs::read(rig.repo.join(".git/refs/heads/main")).unwrap(),
            ["a.txt", "b.txt", "untracked"].map(|file| fs::read(rig.repo.join(file)).unwrap()),
        )
    };
    let before = seen(&rig);
    landed(&rig, &old, &new).unwrap();
    assert_eq!(seen(&rig), before);
    assert!(!proof.exists(), "a hook ran");
}

#[test]
fn maintenance_with_pruning_finds_nothing_to_drop() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    landed(&rig, &old, &new).unwrap();
    rig.git(&["gc", "-q", "--prune=now"]);
    rig.fsck();
    assert_eq!(rig.git(&["show", "work:new/deep/x.sh"]), "x");
}

#[test]
fn what_a_killed_landing_left_behind_is_cleared_by_the_next() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    let git = rig.repo.join(".git");
    for left_in_lock in [String::new(), format!("{new}\n")] {
        write(&git.join("mycelium.ref-lock"), format!("refs/heads/work\n{new}\n"));
        write(&git.join("refs/heads/work.lock"), &left_in_lock);
        write(&git.join("objects/tmp_objdir-mycelium-1/pack-x.pack"), "half a pack");
        write(&git.join("objects/pack/pack-1.keep"), "mycelium: landing\n");
        write(&git.join("objects/pack/pack-2.keep"), "the user's own\n");
        landed(&rig, &old, &new).unwrap();
        assert!(!git.join("objects/tmp_objdir-mycelium-1").exists());
        assert!(!git.join("objects/pack/pack-1.keep").exists());
        assert!(!git.join("mycelium.ref-lock").exists() && !git.join("refs/heads/work.lock").exists());
        assert!(git.join("objects/pack/pack-2.keep").exists());
        assert_eq!(rig.head("work"), new);
        rig.git(&["update-ref", "refs/heads/work", old.as_str()]);
    }
}

#[test]
fn the_lock_of_another_is_never_removed() {
    let rig = Rig::new();
    let (old, new) = merged(&rig);
    let git = rig.repo.join(".git");
    write(&git.join("mycelium.ref-lock"), format!("refs/heads/work\n{new}\n"));
    write(&git.join("refs/heads/work.lock"), format!("{old}\n"));
    let refused = landed(&rig, &old, &new);
    assert!(matches!(refused, Err(LandError::Git(GitError::Locked { .. }))), "{refused:?}");
    assert!(git.join("refs/heads/work.lock").exists());
}

#[test]
fn a_stop_ends_the_look_at_what_a_killed_landing_left() {
    let rig = Rig::new();
    let (_, new) = merged(&rig);
    let git = rig.repo.join(".git");
    write(&git.join("mycelium.ref-lock"), format!("refs/heads/work\n{new}\n"));
    write(&git.join("refs/heads/work.lock"), "");
    let stopped = clear_abandoned(&rig.upstream(), &rig.branch("work"), &|| true);
    assert!(matches!(stopped, Err(GitError::Stopped)), "{stopped:?}");
    assert!(git.join("mycelium.ref-lock").exists(), "whose the lock is must be known to the next");
    clear_abandoned(&rig.upstream(), &rig.branch("work"), GO_ON).unwrap();
    assert!(!git.join("mycelium.ref-lock").exists() && !git.join("refs/heads/work.lock").exists());
}

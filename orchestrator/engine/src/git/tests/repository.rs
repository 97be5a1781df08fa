//! Repositories of the user that are set up in unusual ways.

use std::fs;

use super::rig::{GO_ON, Rig, changes, git_command, git_in, task, time, write};
use crate::git::{
    GitError, Landing, MergeError, Quarantine, Upstream, candidate, commit, land, snapshot, workspace,
};

/// The whole way in a repository: workspace, snapshot, commit, candidate, landing on `work`.
fn whole_way(repo: &std::path::Path, run: &std::path::Path) {
    let upstream = Upstream::discover(repo).unwrap();
    let branch = upstream.branch("work").unwrap();
    let base = upstream.head(&branch).unwrap();
    let quarantine = Quarantine::create(run, &upstream).unwrap();
    let dir = run.join("w");
    workspace::create(&dir, &base, &upstream.objects_dir(), workspace::Reach::Shared, GO_ON).unwrap();
    git_in(&dir, &["log"]);
    git_in(&dir, &["fsck", "--connectivity-only"]);
    write(&dir.join("new.txt"), "n");
    let shot = snapshot(&dir, &base, &quarantine, GO_ON).unwrap();
    assert_eq!(changes(&shot), ["A new.txt"]);
    let made = commit(&quarantine, &shot.tree, std::slice::from_ref(&base), "t", time()).unwrap();
    let tasks = [(task("001"), made)];
    let candidate = candidate(&quarantine, &base, &tasks, "m", time(), GO_ON).unwrap();
    let landing = land(&upstream, &quarantine, &branch, &base, &candidate.commit, GO_ON).unwrap();
    assert_eq!(landing, Landing::Moved);
    git_in(repo, &["fsck", "--full", "--strict"]);
    assert_eq!(git_in(repo, &["show", "work:new.txt"]), "n");
}

#[test]
fn a_linked_working_tree() {
    let rig = Rig::new();
    let linked = rig.run.join("linked");
    rig.git(&["worktree", "add", "-q", "-b", "other", linked.to_str().unwrap()]);
    whole_way(&linked, &rig.run);
}

#[test]
fn a_clone_that_borrows_its_objects() {
    let rig = Rig::new();
    let clone = rig.run.join("clone");
    git_in(&rig.run, &["clone", "-q", "--shared", rig.repo.to_str().unwrap(), "clone"]);
    git_in(&clone, &["branch", "work"]);
    whole_way(&clone, &rig.run);
}

#[test]
fn a_clone_that_borrows_by_a_relative_path() {
    let rig = Rig::new();
    git_in(&rig.run, &["clone", "-q", "--shared", rig.repo.to_str().unwrap(), "clone"]);
    let clone = rig.run.join("clone");
    write(&clone.join(".git/objects/info/alternates"), "# a comment\n../../../../user repo/.git/objects\n");
    git_in(&clone, &["branch", "work"]);
    whole_way(&clone, &rig.run);
}

#[test]
fn a_shallow_clone() {
    let rig = Rig::new();
    rig.commit(&[("a.txt", "2\n")], "second");
    rig.commit(&[("a.txt", "3\n")], "third");
    let url = format!("file://{}", rig.repo.display());
    git_in(&rig.run, &["clone", "-q", "--depth", "1", &url, "clone"]);
    let clone = rig.run.join("clone");
    git_in(&clone, &["branch", "work"]);
    whole_way(&clone, &rig.run);
}

#[test]
fn a_shallow_clone_knows_where_its_history_ends() {
    let rig = Rig::new();
    rig.commit(&[("a.txt", "2\n")], "second");
    let url = format!("file://{}", rig.repo.display());
    git_in(&rig.run, &["clone", "-q", "--depth", "1", &url, "clone"]);
    let clone = rig.run.join("clone");
    git_in(&clone, &["commit", "-q", "--allow-empty", "-m", "to be rewound"]);
    let upstream = Upstream::discover(&clone).unwrap();
    let taken_off = upstream.head(&upstream.branch("main").unwrap()).unwrap();
    git_in(&clone, &["reset", "-q", "--hard", "HEAD~1"]);
    let head = upstream.head(&upstream.branch("main").unwrap()).unwrap();
    let quarantine = Quarantine::create(&rig.run, &upstream).unwrap();
    let tree = upstream.tree_of(&head).unwrap();
    let made = commit(&quarantine, &tree, &[taken_off], "t", time()).unwrap();
    let merged = candidate(&quarantine, &head, &[(task("001"), made)], "m", time(), GO_ON);
    assert!(matches!(merged, Err(MergeError::BaseGone { .. })), "{merged:?}");
}

#[test]
fn clones_that_borrow_from_each_other_as_deep_as_git_allows() {
    let rig = Rig::new();
    let mut from = rig.repo.clone();
    for n in 0..5 {
        let name = format!("clone{n}");
        git_in(&rig.run, &["clone", "-q", "--shared", from.to_str().unwrap(), &name]);
        from = rig.run.join(name);
    }
    git_in(&from, &["branch", "work"]);
    whole_way(&from, &rig.run);
    let dir = rig.run.join("doctor");
    let upstream = Upstream::discover(&from).unwrap();
    let head = upstream.head(&upstream.branch("work").unwrap()).unwrap();
    let quarantine = Quarantine::create(&rig.run, &upstream).unwrap();
    workspace::create(&dir, &head, &quarantine.objects_dir(), workspace::Reach::Shared, GO_ON).unwrap();
    git_in(&dir, &["fsck", "--full"]);
}

#[test]
fn a_quoted_alternate_is_refused() {
    let rig = Rig::new();
    write(&rig.repo.join(".git/objects/info/alternates"), "\"/quoted\"\n");
    let refused = Quarantine::create(&rig.run, &rig.upstream());
    assert!(matches!(refused, Err(GitError::Unsupported { .. })), "{refused:?}");
}

#[test]
fn a_repository_with_all_objects_and_refs_packed() {
    let rig = Rig::new();
    rig.git(&["gc", "-q"]);
    rig.git(&["pack-refs", "--all"]);
    whole_way(&rig.repo, &rig.run);
}

#[test]
fn a_path_with_a_line_break_is_refused() {
    let rig = Rig::new();
    let odd = rig.run.join("line\nbreak");
    fs::rename(&rig.repo, &odd).unwrap();
    let upstream = Upstream::discover(&odd).unwrap();
    let refused = Quarantine::create(&rig.run, &upstream);
    assert!(matches!(refused, Err(GitError::Unsupported { .. })), "{refused:?}");
}

#[test]
fn configuration_and_hooks_of_the_user_have_no_part_in_commits() {
    let rig = Rig::new();
    let base = rig.head("work");
    let plain = rig.task("one", &base, |dir| write(&dir.join("n"), "x\r\n"));
    write(&rig.repo.join(".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n");
    git_command(&rig.repo).args(["config", "core.autocrlf", "input"]).status().unwrap();
    git_command(&rig.repo).args(["config", "user.name", "Somebody"]).status().unwrap();
    git_command(&rig.repo).args(["config", "commit.gpgsign", "true"]).status().unwrap();
    let other = rig.run.join("other run");
    fs::create_dir(&other).unwrap();
    let quarantine = Quarantine::create(&other, &rig.upstream()).unwrap();
    let dir = rig.workspace("two", &base);
    write(&dir.join("n"), "x\r\n");
    let shot = snapshot(&dir, &base, &quarantine, GO_ON).unwrap();
    let again = commit(&quarantine, &shot.tree, &[base], "one", time()).unwrap();
    assert_eq!(plain, again, "equal input, equal id");
}

#[test]
fn kept_commits_are_found_again() {
    let rig = Rig::new();
    let base = rig.head("work");
    let quarantine = rig.quarantine();
    for id in ["001", "a..b", "x.lock", "a.b"] {
        assert_eq!(quarantine.task_commit(&task(id), 1).unwrap(), None);
        let commit = rig.task(&format!("w-{id}"), &base, |dir| write(&dir.join("n"), id));
        quarantine.keep_task(&task(id), 1, &commit).unwrap();
        assert_eq!(rig.quarantine().task_commit(&task(id), 1).unwrap(), Some(commit.clone()));
        quarantine.keep_candidate(1, &commit).unwrap();
        assert_eq!(quarantine.candidate_commit(1).unwrap(), Some(commit));
    }
}

#[test]
fn what_a_killed_write_left_in_the_quarantine_is_cleared() {
    let rig = Rig::new();
    let (head, git_dir) = (rig.head("main"), rig.run.join("objects.git"));
    rig.quarantine().keep_candidate(1, &head).unwrap();
    let left = [
        "HEAD.lock",
        "config.lock",
        "refs/mycelium/candidates/2.lock",
        "refs/mycelium/candidates/1.lock",
        "objects/tmp_object_git2_abc123",
        "objects/pack/pack_git2_abc123",
    ];
    for path in left {
        write(&git_dir.join(path), "");
    }
    let quarantine = rig.quarantine();
    assert!(left.iter().all(|path| !git_dir.join(path).exists()));
    assert_eq!(quarantine.candidate_commit(1).unwrap(), Some(head.clone()));
    quarantine.keep_candidate(2, &head).unwrap();
}

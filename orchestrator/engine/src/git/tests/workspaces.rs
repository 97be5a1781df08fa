//! Workspaces and snapshots of honest agents.

use std::{fs, os::unix::fs::symlink, path::Path};

use super::rig::{GO_ON, Rig, changes, git_in, make_executable, write};
use crate::git::{GitError, snapshot, workspace};

fn odd_repository() -> Rig {
    let rig = Rig::new();
    for name in ["ü/naïve.txt", "a b/c'd\".txt", "-dash", "*star?", "deep/er/and/deeper/x", "crlf.txt"] {
        write(&rig.repo.join(name), format!("{name}\r\n"));
    }
    write(&rig.repo.join("run.sh"), "#!/bin/sh\n");
    make_executable(&rig.repo.join("run.sh"));
    symlink("a.txt", rig.repo.join("link")).unwrap();
    symlink("no/such", rig.repo.join("ü/dangling")).unwrap();
    write(&rig.repo.join(".gitattributes"), "# nothing\n");
    rig.commit(&[], "odd names");
    rig
}

/// Hooks that git would run; libgit2 leaves a sample.
fn hooks(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir.join(".git/hooks")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !name.ends_with(".sample")).collect()
}

#[test]
fn a_fresh_workspace_holds_the_commit_exactly_and_git_sees_no_change_in_it() {
    let rig = odd_repository();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    assert_eq!(git_in(&dir, &["status", "--porcelain", "--ignored"]), "");
    assert_eq!(git_in(&dir, &["rev-parse", "HEAD"]).trim(), base.as_str());
    assert_eq!(git_in(&dir, &["branch", "--show-current"]).trim(), "mycelium");
    assert_eq!(git_in(&dir, &["remote"]), "");
    assert_eq!(git_in(&dir, &["log", "--format=%s"]), "odd names\nfirst\n");
    assert_eq!(hooks(&dir), [] as [String; 0]);
    assert_eq!(fs::read_link(dir.join("link")).unwrap().to_str(), Some("a.txt"));

    let shot = rig.snapshot(&dir, &base);
    assert_eq!((changes(&shot), shot.refused), (vec![], vec![]));
    assert_eq!(shot.tree, rig.upstream().tree_of(&base).unwrap());
}

#[test]
fn a_snapshot_sees_every_kind_of_change() {
    let rig = odd_repository();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    write(&dir.join("ü/new ☃.txt"), "snow");
    write(&dir.join("b.txt"), "other");
    make_executable(&dir.join("a.txt"));
    fs::remove_file(dir.join("run.sh")).unwrap();
    fs::remove_file(dir.join("link")).unwrap();
    write(&dir.join("link"), "a.txt");
    fs::remove_file(dir.join("-dash")).unwrap();
    write(&dir.join("-dash/now a folder"), "x");
    fs::remove_dir_all(dir.join("dir")).unwrap();
    write(&dir.join("dir"), "now a file");
    fs::remove_dir_all(dir.join("deep/er/and")).unwrap();
    fs::create_dir_all(dir.join("empty/folder")).unwrap();
    symlink("../b.txt", dir.join("a b/up")).unwrap();

    let shot = rig.snapshot(&dir, &base);
    let expected = [
        "D -dash",
        "A -dash/now a folder",
        "A a b/up",
        "T a.txt",
        "M b.txt",
        "D deep/er/and/deeper/x",
        "A dir",
        "D dir/c.txt",
        "T link",
        "D run.sh",
        "A ü/new ☃.txt",
    ];
    assert_eq!(changes(&shot), expected);
    assert_eq!(shot.refused, []);

    // The judge: git itself, adding the same folder.
    git_in(&dir, &["add", "-A"]);
    assert_eq!(git_in(&dir, &["write-tree"]).trim(), shot.tree.as_str());
}

#[test]
fn a_forged_time_hides_no_change() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    let before = fs::metadata(dir.join("a.txt")).unwrap().modified().unwrap();
    fs::write(dir.join("a.txt"), "b\n").unwrap();
    fs::File::options().write(true).open(dir.join("a.txt")).unwrap().set_modified(before).unwrap();
    assert_eq!(changes(&rig.snapshot(&dir, &base)), ["M a.txt"]);
}

#[test]
fn ignore_rules_are_those_of_the_base_alone() {
    let rig = Rig::with(&[
        (".gitignore", "*.log\n/build/\n!keep.log\nnode_modules/\n"),
        ("src/.gitignore", "!wanted.log\n/only-here\n"),
        ("src/x", ""),
    ]);
    write(&rig.repo.join("build/tracked.txt"), "t\n");
    rig.git(&["add", "-f", "build/tracked.txt"]);
    let base = rig.commit(&[], "a tracked file in an ignored folder");
    let dir = rig.workspace("w", &base);
    for path in [
        "a.log",
        "keep.log",
        "src/b.log",
        "src/wanted.log",
        "src/only-here",
        "only-here",
        "build/new.txt",
        "node_modules/m/.git/config",
        "deep/node_modules/x",
        "planted.txt",
    ] {
        write(&dir.join(path), "x");
    }
    write(&dir.join("build/tracked.txt"), "changed");
    write(&dir.join(".gitignore"), "planted.txt\n");
    write(&dir.join(".git/info/exclude"), "*\n");
    let shot = rig.snapshot(&dir, &base);
    let expected = [
        "M .gitignore",
        "M build/tracked.txt",
        "A keep.log",
        "A only-here",
        "A planted.txt",
        "A src/wanted.log",
    ];
    assert_eq!(changes(&shot), expected);
    assert_eq!(shot.refused, []);
}

#[test]
fn changes_below_mycelium_are_reported_for_the_caller_to_judge() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    write(&dir.join(".mycelium/config.yaml"), "x");
    let shot = rig.snapshot(&dir, &base);
    assert!(shot.changes[0].path.is_mycelium());
}

#[test]
fn a_tree_of_two_thousand_files_goes_round() {
    let rig = Rig::new();
    for n in 0..2000 {
        write(&rig.repo.join(format!("d{}/f{n}.txt", n % 40)), format!("{n}\n"));
    }
    let base = rig.commit(&[], "many");
    let dir = rig.workspace("w", &base);
    assert_eq!(git_in(&dir, &["status", "--porcelain"]), "");
    write(&dir.join("d7/f7.txt"), "changed");
    assert_eq!(changes(&rig.snapshot(&dir, &base)), ["M d7/f7.txt"]);
}

#[test]
fn a_submodule_becomes_an_empty_folder_and_stays_as_it_is() {
    let rig = Rig::new();
    let head = rig.head("main");
    let entry = format!("160000,{head},vendor/sub");
    rig.git(&["update-index", "--add", "--cacheinfo", &entry]);
    rig.git(&["commit", "-q", "-m", "a submodule"]);
    let base = rig.head("main");

    let dir = rig.workspace("w", &base);
    assert_eq!(fs::read_dir(dir.join("vendor/sub")).unwrap().count(), 0);
    assert_eq!(git_in(&dir, &["status", "--porcelain"]), "");
    assert_eq!(changes(&rig.snapshot(&dir, &base)), [] as [&str; 0]);
    fs::remove_dir_all(dir.join("vendor")).unwrap();
    assert_eq!(changes(&rig.snapshot(&dir, &base)), [] as [&str; 0]);
    write(&dir.join("vendor/sub/x"), "x");
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(
        (shot.tree, shot.refused[0].path.as_str()),
        (rig.upstream().tree_of(&base).unwrap(), "vendor/sub")
    );
}

#[test]
fn a_workspace_is_made_only_where_nothing_is() {
    let rig = Rig::new();
    let dir = rig.workspace("w", &rig.head("main"));
    let again = workspace::create(
        &dir,
        &rig.head("main"),
        &rig.upstream().objects_dir(),
        workspace::Reach::Shared,
        GO_ON,
    );
    assert!(matches!(again, Err(GitError::Io { .. })));
}

#[test]
fn a_workspace_that_vanished_or_became_a_link_is_an_error() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    fs::rename(&dir, rig.run.join("moved")).unwrap();
    let gone = snapshot(&dir, &base, &rig.quarantine(), GO_ON);
    assert!(matches!(gone, Err(GitError::WorkspaceGone { .. })));
    symlink(rig.run.join("moved"), &dir).unwrap();
    let linked = snapshot(&dir, &base, &rig.quarantine(), GO_ON);
    assert!(matches!(linked, Err(GitError::WorkspaceGone { .. })));
}

#[test]
fn the_doctors_workspace_reads_candidates_from_the_quarantine() {
    let rig = Rig::new();
    let base = rig.head("main");
    let commit = rig.task("t", &base, |dir| write(&dir.join("new/file"), "n"));
    let dir = rig.run.join("doctor");
    workspace::create(&dir, &commit, &rig.quarantine().objects_dir(), workspace::Reach::Shared, GO_ON)
        .unwrap();
    assert_eq!(fs::read(dir.join("new/file")).unwrap(), b"n");
    assert_eq!(git_in(&dir, &["status", "--porcelain"]), "");
    assert_eq!(git_in(&dir, &["rev-parse", "HEAD~1"]).trim(), base.as_str());
}

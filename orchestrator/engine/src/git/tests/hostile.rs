//! Workspaces that an agent prepared to mislead.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener},
    path::Path,
    process::Command,
};

use super::rig::{GO_ON, Rig, changes, git_in, make_executable, refused, write};
use crate::git::{FILE_BYTES_MAX, GitError, workspace};

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_planted_git_folder_runs_nothing_and_changes_nothing() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    let proof = rig.run.join("executed");
    let script = format!("#!/bin/sh\ntouch '{}'\ncat\n", proof.display());
    let hooks = ["post-index-change", "pre-commit", "post-commit", "reference-transaction", "post-checkout"];
    for hook in hooks {
        write(&dir.join(".git/hooks").join(hook), &script);
        make_executable(&dir.join(".git/hooks").join(hook));
    }
    write(&rig.run.join("evil.sh"), &script);
    make_executable(&rig.run.join("evil.sh"));
    let evil = rig.run.join("evil.sh");
    let evil = evil.display();
    let config = format!(
        "[core]\n\tfsmonitor = {evil}\n\tworktree = /\n\tignoreCase = true\n\texcludesFile = /x\n[filter \"x\"]\n\tclean = \
         {evil}\n\tsmudge = {evil}\n\trequired = true\n[diff]\n\texternal = {evil}\n[alias]\n\tst = !{evil}\n"
    );
    write(&dir.join(".git/config"), config);
    write(&dir.join(".git/info/attributes"), "* filter=x\n");
    write(&dir.join(".git/info/grafts"), format!("{base}\n"));
    write(&dir.join(".git/objects/info/alternates"), "/nonexistent\n");
    write(&dir.join(".git/objects/info/commit-graph"), "forged");
    write(&dir.join(".git/refs/replace").join(base.as_str()), format!("{base}\n"));
    write(&dir.join(".gitattributes"), "* filter=x\n");
    fs::remove_file(dir.join(".git/index")).unwrap();
    mkfifo(&dir.join(".git/index"));
    write(&dir.join("a.txt"), "changed\n");

    let shot = rig.snapshot(&dir, &base);
    assert_eq!((changes(&shot), refused(&shot)), (vec!["A .gitattributes".into(), "M a.txt".into()], vec![]));
    assert!(!proof.exists(), "something that the agent planted was run");
}

#[test]
fn what_is_no_file_is_refused_and_never_opened() {
    let rig = Rig::with(&[("tracked", "t"), (".gitignore", "ignored\n")]);
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    fs::remove_file(dir.join("tracked")).unwrap();
    fs::remove_file(dir.join(".gitignore")).unwrap();
    for fifo in ["tracked", "sub-fifo", ".gitignore", "ignored"] {
        mkfifo(&dir.join(fifo));
    }
    let _socket = UnixListener::bind(dir.join("socket")).unwrap();
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(refused(&shot), [".gitignore", "socket", "sub-fifo", "tracked"]);
    assert_eq!(shot.tree, rig.upstream().tree_of(&base).unwrap(), "a refused path keeps its base");
}

#[test]
fn a_nested_repository_of_any_spelling_is_refused() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    for path in [".GIT/config", "sub/.git/config", "other/.git", "x/git~1/y", "z/.git. "] {
        write(&dir.join(path), "x");
    }
    write(&dir.join("sub/fine"), "x");
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(refused(&shot), [".GIT", "other/.git", "sub/.git", "x/git~1", "z/.git. "]);
    assert_eq!(changes(&shot), ["A sub/fine"]);
}

#[test]
fn a_link_out_of_the_folder_is_refused_and_one_inside_is_taken() {
    let rig = Rig::new();
    symlink("/etc/hostname", rig.repo.join("already-there")).unwrap();
    let base = rig.commit(&[], "the user's own link");
    let dir = rig.workspace("w", &base);
    for (path, target) in [
        ("absolute", "/etc/passwd"),
        ("up", "../x"),
        ("dir/up-up", "../../x"),
        ("zigzag", "dir/../../x"),
        ("git", ".git/config"),
        (".gitmodules", "a.txt"),
        ("fine", "dir/c.txt"),
        ("dir/fine", "../a.txt"),
    ] {
        symlink(target, dir.join(path)).unwrap();
    }
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(refused(&shot), [".gitmodules", "absolute", "dir/up-up", "git", "up", "zigzag"]);
    assert_eq!(changes(&shot), ["A dir/fine", "A fine"]);
}

#[test]
fn a_folder_replaced_by_a_link_is_not_followed() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    let outside = rig.run.join("outside");
    write(&outside.join("c.txt"), "stolen");
    fs::remove_dir_all(dir.join("dir")).unwrap();
    symlink(&outside, dir.join("dir")).unwrap();
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(refused(&shot), ["dir"]);
    assert_eq!(shot.tree, rig.upstream().tree_of(&base).unwrap());
}

#[test]
fn a_name_that_mycelium_cannot_hold_is_refused_in_printable_form() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    for name in [&b"bad\xff"[..], b"new\nline", b"back\\slash", b"esc\x1b[2J", b"C:drive"] {
        fs::write(dir.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(refused(&shot), ["C:drive", "back\\slash", "bad\u{fffd}", "esc\\u{1b}[2J", "new\\nline"]);
    assert_eq!(changes(&shot), [] as [&str; 0]);
}

#[test]
fn an_odd_name_of_the_base_stays_as_long_as_it_is_not_changed() {
    let rig = Rig::new();
    fs::write(rig.repo.join(OsStr::from_bytes(b"bad\xff")), "x").unwrap();
    let base = rig.commit(&[("back\\slash", "x")], "odd");
    let dir = rig.workspace("w", &base);
    assert_eq!(git_in(&dir, &["status", "--porcelain"]), "");
    let shot = rig.snapshot(&dir, &base);
    assert_eq!((changes(&shot).len(), refused(&shot).len()), (0, 0));
    fs::remove_file(dir.join("back\\slash")).unwrap();
    fs::write(dir.join(OsStr::from_bytes(b"bad\xff")), "y").unwrap();
    let shot = rig.snapshot(&dir, &base);
    assert_eq!(refused(&shot), ["back\\slash", "bad\u{fffd}"]);
    assert_eq!(shot.tree, rig.upstream().tree_of(&base).unwrap());
}

#[test]
fn what_would_spoil_the_repository_for_others_is_refused() {
    let rig = Rig::new();
    let base = rig.head("main");
    let dir = rig.workspace("w", &base);
    write(&dir.join(".gitmodules"), "[submodule \"x\"]\n\tpath = -x\n\turl = ext::sh\n");
    write(&dir.join("sub/.gitattributes"), "x".repeat(5000));
    fs::File::create(dir.join("huge")).unwrap().set_len(FILE_BYTES_MAX + 1).unwrap();
    let mut deep = dir.clone();
    deep.extend(std::iter::repeat_n("d", 150));
    write(&deep.join("x"), "x");
    let shot = rig.snapshot(&dir, &base);
    let paths = refused(&shot);
    assert_eq!([paths[0], paths[2], paths[3]], [".gitmodules", "huge", "sub/.gitattributes"]);
    assert!(paths[1].starts_with("d/d/d"));
    assert_eq!(changes(&shot), [] as [&str; 0]);
}

#[test]
fn a_tree_whose_names_escape_is_refused_before_anything_is_written() {
    let rig = Rig::new();
    let blob = rig.git(&["rev-parse", "HEAD:a.txt"]).trim().to_owned();
    for name in ["..", ".git", ".GIT"] {
        let inner = make_tree(&rig, &format!("100644 blob {blob}\thooks"));
        let tree = make_tree(&rig, &format!("040000 tree {inner}\t{name}"));
        let commit = rig.git(&["commit-tree", "-m", "poison", &tree]);
        let dir = rig.run.join(format!("w{name}"));
        let made = workspace::create(
            &dir,
            &commit.trim().parse().unwrap(),
            &rig.upstream().objects_dir(),
            workspace::Reach::Shared,
            GO_ON,
        );
        assert!(matches!(made, Err(GitError::UnsafeTree { .. })), "{name}: {made:?}");
        assert!(!dir.join(".git/hooks").is_file() && !rig.run.join("hooks").exists());
    }
}

/// A tree object written byte for byte, since git's own tools refuse the name.
fn make_tree(rig: &Rig, line: &str) -> String {
    let (entry, name) = line.split_once('\t').unwrap();
    let words: Vec<&str> = entry.split(' ').collect();
    let mut data = format!("{} {name}\0", words[0].trim_start_matches('0')).into_bytes();
    data.extend(
        words[2]
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()),
    );
    write(&rig.run.join("tree.bin"), data);
    let file = rig.run.join("tree.bin");
    let args = ["hash-object", "-t", "tree", "-w", "--literally", file.to_str().unwrap()];
    rig.git(&args).trim().to_owned()
}

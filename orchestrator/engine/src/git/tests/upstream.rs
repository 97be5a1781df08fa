//! Which repositories and branches are accepted, and what a refusal says.

use std::fs;

use super::rig::{Rig, git_in, write};
use crate::git::{CheckedOut, ErrorKind, GitError, Upstream, dirty, setup};

#[test]
fn the_nearest_repository_upward_is_found() {
    let rig = Rig::new();
    let upstream = Upstream::discover(&rig.repo.join("dir")).unwrap();
    assert_eq!(upstream.worktree(), rig.repo.canonicalize().unwrap());
    assert_eq!(upstream.current_branch().unwrap().as_deref(), Some("main"));
    assert_eq!(upstream.objects_dir(), rig.repo.canonicalize().unwrap().join(".git/objects"));
}

#[test]
fn a_git_folder_kept_elsewhere_does_not_choose_the_root() {
    let rig = Rig::new();
    let other = rig.run.join("other");
    fs::create_dir_all(&other).unwrap();
    git_in(&other, &["init", "-q"]);
    for place in [other.join("kept.git"), rig.run.join("kept.git")] {
        let clone =
            rig.run.join(format!("clone of {}", place.parent().unwrap().file_name().unwrap().display()));
        let separate = format!("--separate-git-dir={}", place.display());
        rig.git(&["clone", "-q", &separate, rig.repo.to_str().unwrap(), clone.to_str().unwrap()]);
        let upstream = Upstream::discover(&clone.join("dir")).unwrap();
        assert_eq!(upstream.worktree(), clone.canonicalize().unwrap());
        assert_eq!(upstream.common_dir(), place.canonicalize().unwrap());
        assert_eq!(dirty(&upstream, None).unwrap(), [] as [String; 0]);
        write(&clone.join("a.txt"), "changed\n");
        assert_eq!(dirty(&upstream, None).unwrap(), ["a.txt"]);
    }
}

#[test]
fn the_root_is_the_one_that_git_shows() {
    let rig = Rig::new();
    let (tree, linked) = (rig.run.join("tree"), rig.run.join("linked"));
    rig.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "work"]);
    let module = format!("file://{}", rig.repo.display());
    rig.git(&["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &module, "module"]);
    let shown = |folder: &std::path::Path| {
        let top = git_in(folder, &["rev-parse", "--show-toplevel"]);
        assert_eq!(Upstream::discover(folder).unwrap().worktree().to_str(), Some(top.trim()));
    };
    shown(&linked.join("dir"));
    shown(&rig.repo.join("module/dir"));
    fs::create_dir_all(&tree).unwrap();
    rig.git(&["config", "core.worktree", tree.canonicalize().unwrap().to_str().unwrap()]);
    shown(&rig.repo.join("dir"));
}

#[test]
fn outside_a_repository_is_an_input_error() {
    setup().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = Upstream::discover(folder.path()).unwrap_err();
    assert!(matches!(error, GitError::NotARepository { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Input);
}

#[test]
fn a_bare_repository_is_refused() {
    setup().unwrap();
    let folder = tempfile::tempdir().unwrap();
    git_in(folder.path(), &["init", "-q", "--bare"]);
    assert!(matches!(Upstream::discover(folder.path()), Err(GitError::Bare { .. })));
}

#[test]
fn formats_that_cannot_be_read_are_refused_by_name() {
    setup().unwrap();
    for (option, word) in
        [("--object-format=sha256", "object format"), ("--ref-format=reftable", "refstorage")]
    {
        let folder = tempfile::tempdir().unwrap();
        git_in(folder.path(), &["init", "-q", option]);
        let error = Upstream::discover(folder.path()).unwrap_err();
        assert!(matches!(&error, GitError::Unsupported { .. }), "{error:?}");
        assert!(error.to_string().to_lowercase().contains(word), "{error}");
    }
}

#[test]
fn an_unborn_branch_is_refused() {
    setup().unwrap();
    let folder = tempfile::tempdir().unwrap();
    git_in(folder.path(), &["init", "-q", "-b", "main"]);
    let error = Upstream::discover(folder.path()).unwrap().branch("main").unwrap_err();
    assert!(matches!(error, GitError::Unborn { .. }), "{error:?}");
}

#[test]
fn a_misspelt_branch_is_an_error_with_a_suggestion_and_never_a_new_branch() {
    let rig = Rig::new();
    let before = rig.git_dir_content();
    let error = rig.upstream().branch("mian").unwrap_err();
    assert_eq!(error.to_string(), "there is no local branch \"mian\"; did you mean \"main\"?");
    assert!(error.help().contains("integration_branch: main"));
    for name in ["", "-", "a..b", "no such", "nothing-like-it", "a\0b"] {
        let refused = rig.upstream().branch(name);
        assert!(
            matches!(refused, Err(GitError::BranchMissing { nearest: None, .. })),
            "{name:?} {refused:?}"
        );
    }
    assert_eq!(rig.git_dir_content(), before);
}

#[test]
fn a_symbolic_branch_is_refused_with_what_it_stands_for() {
    let rig = Rig::new();
    rig.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    let error = rig.upstream().branch("alias").unwrap_err();
    assert!(error.help().contains("main"), "{error}");
    assert!(matches!(error, GitError::BranchSymbolic { .. }));
}

#[test]
fn another_working_tree_that_holds_the_branch_is_named() {
    let rig = Rig::new();
    let linked = rig.run.join("linked");
    rig.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "work"]);
    let from_main = rig.upstream();
    assert_eq!(from_main.checked_out(&rig.branch("main")).unwrap(), CheckedOut::Here);
    let error = from_main.refuse_elsewhere(&rig.branch("work")).unwrap_err();
    assert!(error.to_string().contains("linked"), "{error}");

    let from_linked = Upstream::discover(&linked).unwrap();
    assert_eq!(from_linked.common_dir(), from_main.common_dir());
    assert_eq!(from_linked.checked_out(&rig.branch("work")).unwrap(), CheckedOut::Here);
    let main = from_linked.checked_out(&rig.branch("main")).unwrap();
    assert!(matches!(main, CheckedOut::Elsewhere(path) if path.ends_with("user repo")));

    fs::remove_dir_all(&linked).unwrap();
    assert_eq!(from_main.checked_out(&rig.branch("work")).unwrap(), CheckedOut::No);
}

#[test]
fn a_rebase_of_the_branch_counts_as_checked_out() {
    let rig = Rig::new();
    rig.git(&["checkout", "-q", "--detach"]);
    assert_eq!(rig.upstream().checked_out(&rig.branch("main")).unwrap(), CheckedOut::No);
    write(&rig.repo.join(".git/rebase-merge/head-name"), "refs/heads/main\n");
    assert_eq!(rig.upstream().checked_out(&rig.branch("main")).unwrap(), CheckedOut::Here);
}

/// Names the repository to the copy of this test that runs with a home folder of its own.
const CHILD: &str = "MYCELIUM_TEST_REPOSITORY";

#[test]
fn configuration_of_the_home_folder_is_not_read() {
    if let Some(repo) = std::env::var_os(CHILD) {
        setup().unwrap();
        let config = git2::Repository::open(repo).unwrap().config().unwrap();
        assert!(config.get_string("user.name").is_err());
        return;
    }
    let rig = Rig::new();
    write(&rig.run.join(".gitconfig"), "[user]\n\tname = Somebody\n");
    write(&rig.run.join("git/config"), "[user]\n\tname = Somebody\n");
    let module = module_path!().split_once("::").unwrap().1;
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::configuration_of_the_home_folder_is_not_read")])
        .env("HOME", &rig.run)
        .env("XDG_CONFIG_HOME", &rig.run)
        .env(CHILD, &rig.repo)
        .output()
        .unwrap();
    let report = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && report.contains("1 passed"), "{report}");
}

//! The one exception: a clean checkout of the integration branch is fast-forwarded.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{MetadataExt, symlink},
    path::Path,
};

use mycelium_schemas::{event::CheckoutUpdate, id::CommitId};
use tempfile::TempDir;

use super::rig::{GO_ON, Rig, git_command, git_in, make_executable, write};
use crate::git::{ErrorKind, FastForward, GitError, Upstream, dirty, fast_forward, land};

const FILES: [(&str, &str); 5] =
    [("a.txt", "a\n"), ("b.txt", "b\n"), ("gone/only", "g\n"), ("file", "f\n"), ("folder/x", "x\n")];

/// A repository with `main` checked out, and a commit on it that changes in every way.
fn prepared() -> (Rig, CommitId, CommitId) {
    let rig = Rig::with(&FILES);
    let old = rig.head("main");
    let new = rig.task("w", &old, |dir| {
        write(&dir.join("a.txt"), "new a\n");
        make_executable(&dir.join("b.txt"));
        fs::remove_dir_all(dir.join("gone")).unwrap();
        fs::remove_file(dir.join("file")).unwrap();
        write(&dir.join("file/inside"), "i\n");
        fs::remove_dir_all(dir.join("folder")).unwrap();
        write(&dir.join("folder"), "now a file\n");
        write(&dir.join("new/deep/n"), "n\n");
        symlink("a.txt", dir.join("link")).unwrap();
    });
    (rig, old, new)
}

fn move_ref(rig: &Rig, old: &CommitId, new: &CommitId) {
    land(&rig.upstream(), &rig.quarantine(), &rig.branch("main"), old, new, GO_ON).unwrap();
}

fn update(rig: &Rig, old: &CommitId, new: &CommitId) -> FastForward {
    fast_forward(&rig.upstream(), &rig.branch("main"), old, new, GO_ON).unwrap()
}

fn done() -> FastForward {
    FastForward { update: CheckoutUpdate::FastForwarded, left: vec![] }
}

/// What stands in the way of landing `new`.
fn in_the_way(rig: &Rig, new: &CommitId) -> Vec<String> {
    dirty(&rig.upstream(), Some((&rig.quarantine(), new))).unwrap()
}

#[test]
fn a_clean_checkout_follows_the_branch() {
    let (rig, old, new) = prepared();
    write(&rig.repo.join("untracked"), "u");
    write(&rig.repo.join(".mycelium/home/x"), "m");
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), [] as [&str; 0]);
    move_ref(&rig, &old, &new);
    assert_eq!(update(&rig, &old, &new), done());
    assert_eq!(rig.git(&["status", "--porcelain"]), "?? .mycelium/\n?? untracked\n");
    assert_eq!(fs::read_to_string(rig.repo.join("folder")).unwrap(), "now a file\n");
    assert!(!rig.repo.join("gone").exists());
    assert_eq!(update(&rig, &old, &new), done(), "a second call finds it done");
    assert_eq!(rig.git(&["status", "--porcelain"]), "?? .mycelium/\n?? untracked\n");
}

#[test]
fn a_file_is_the_old_one_until_it_is_the_new_one() {
    let (rig, old, new) = prepared();
    let left_by_a_kill = rig.repo.join(".git/mycelium.checkout/half");
    write(&left_by_a_kill, "ha");
    let mut opened = fs::File::open(rig.repo.join("a.txt")).unwrap();
    move_ref(&rig, &old, &new);
    assert_eq!(update(&rig, &old, &new), done());
    let mut read = String::new();
    opened.read_to_string(&mut read).unwrap();
    assert_eq!(read, "a\n", "what was there is not written into");
    assert!(!left_by_a_kill.parent().unwrap().exists());
}

/// A folder on another file system than a path is, if this machine has one that anybody may write to.
fn on_another_disk(path: &Path) -> Option<TempDir> {
    let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
    let folders = ["/dev/shm", "/tmp", "/var/tmp"].map(Path::new).into_iter();
    let mut others = folders.filter(|other| device(other).is_some_and(|other| Some(other) != device(path)));
    others.find_map(|folder| tempfile::tempdir_in(folder).ok())
}

#[test]
fn a_checkout_on_another_disk_than_its_git_folder_is_staged_beside_its_files() {
    let (rig, old, new) = prepared();
    let Some(disk) = on_another_disk(&rig.repo) else {
        // Not by the macro, whose output only a test that fails shows.
        writeln!(std::io::stderr(), "skipped: no second file system to write to").unwrap();
        return;
    };
    let (from, here) = (rig.repo.to_str().unwrap(), rig.run.join("here"));
    let git_dir = format!("--separate-git-dir={}", disk.path().join("git").display());
    rig.git(&["clone", "-q", &git_dir, from, here.to_str().unwrap()]);
    let upstream = Upstream::discover(&here).unwrap();
    let branch = upstream.branch("main").unwrap();
    let left_by_a_kill = here.join(".mycelium-checkout/half");
    write(&left_by_a_kill, "ha");
    let mut opened = fs::File::open(here.join("a.txt")).unwrap();
    assert_eq!(dirty(&upstream, None).unwrap(), [] as [&str; 0]);
    land(&upstream, &rig.quarantine(), &branch, &old, &new, GO_ON).unwrap();
    assert_eq!(fast_forward(&upstream, &branch, &old, &new, GO_ON).unwrap(), done());
    let mut read = String::new();
    opened.read_to_string(&mut read).unwrap();
    assert_eq!(read, "a\n", "what was there is not written into");
    assert_eq!(fs::read_to_string(here.join("a.txt")).unwrap(), "new a\n");
    assert!(!left_by_a_kill.parent().unwrap().exists());
    assert_eq!(git_in(&here, &["status", "--porcelain"]), "");
}

#[test]
fn a_folder_that_holds_only_folders_makes_way_for_a_file() {
    let (rig, old, new) = prepared();
    fs::create_dir_all(rig.repo.join("folder/of/folders")).unwrap();
    move_ref(&rig, &old, &new);
    assert_eq!(update(&rig, &old, &new), done());
    assert_eq!(fs::read_to_string(rig.repo.join("folder")).unwrap(), "now a file\n");
}

#[test]
fn a_checkout_of_another_branch_is_not_touched() {
    let (rig, old, new) = prepared();
    rig.git(&["checkout", "-q", "work"]);
    let before = fs::read(rig.repo.join(".git/index")).unwrap();
    move_ref(&rig, &old, &new);
    let found = update(&rig, &old, &new);
    assert_eq!(found.update, CheckoutUpdate::NotCheckedOut);
    assert_eq!(fs::read(rig.repo.join(".git/index")).unwrap(), before);
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_differs_from_head_is_dirty() {
    let (rig, _, _) = prepared();
    write(&rig.repo.join("a.txt"), "edited\n");
    write(&rig.repo.join("staged"), "s");
    rig.git(&["add", "staged"]);
    fs::remove_file(rig.repo.join("file")).unwrap();
    make_executable(&rig.repo.join("b.txt"));
    write(&rig.repo.join("untracked"), "u");
    write(&rig.repo.join(".mycelium/config.yaml"), "m");
    rig.git(&["add", ".mycelium"]);
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), ["a.txt", "b.txt", "file", "staged"]);
}

#[test]
fn a_merge_in_progress_is_dirty() {
    let (rig, old, _) = prepared();
    write(&rig.repo.join(".git/MERGE_HEAD"), format!("{old}\n"));
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), ["a merge is in progress"]);
}

#[test]
fn an_index_that_another_git_holds_is_neither_clean_nor_dirty() {
    let (rig, _, new) = prepared();
    let lock = rig.repo.join(".git/index.lock");
    write(&lock, "");
    for incoming in [None, Some((&rig.quarantine(), &new))] {
        let error = dirty(&rig.upstream(), incoming).unwrap_err();
        assert!(matches!(&error, GitError::Locked { path } if *path == lock), "{error:?}");
        assert_eq!(error.kind(), ErrorKind::Environment);
    }
}

#[test]
fn an_untracked_file_is_dirty_only_where_something_lands() {
    let (rig, _, new) = prepared();
    write(&rig.repo.join("harmless"), "u");
    assert_eq!(in_the_way(&rig, &new), [] as [&str; 0]);
    write(&rig.repo.join("new"), "a file where a folder lands");
    write(&rig.repo.join("folder/mine"), "in a folder where a file lands");
    symlink("nowhere", rig.repo.join("link")).unwrap();
    assert_eq!(in_the_way(&rig, &new), ["folder", "link", "new/deep/n"]);
}

#[test]
fn what_git_was_told_not_to_look_at_is_looked_at() {
    let (rig, _, new) = prepared();
    rig.git(&["update-index", "--assume-unchanged", "a.txt", "gone/only"]);
    rig.git(&["update-index", "--skip-worktree", "file", "folder/x"]);
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), [] as [&str; 0]);
    let hidden = |path: &str, by: &str| format!("{path} (hidden from git by {by})");
    let lands = [
        hidden("a.txt", "assume-unchanged"),
        hidden("file", "skip-worktree"),
        hidden("folder/x", "skip-worktree"),
        hidden("gone/only", "assume-unchanged"),
    ];
    assert_eq!(in_the_way(&rig, &new), lands, "nobody may overwrite them");

    // As in a sparse checkout: it is not there, and that is meant so.
    fs::remove_file(rig.repo.join("file")).unwrap();
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), [] as [&str; 0]);
    write(&rig.repo.join("a.txt"), "hidden edit\n");
    write(&rig.repo.join("folder/x"), "y\n");
    let changed = [
        "a.txt (changed, and hidden from git by assume-unchanged)",
        "folder/x (changed, and hidden from git by skip-worktree)",
    ];
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), changed);
    assert_eq!(in_the_way(&rig, &new)[0], changed[0]);
}

#[test]
fn files_that_changed_meanwhile_are_left_alone_and_reported() {
    let (rig, old, new) = prepared();
    move_ref(&rig, &old, &new);
    write(&rig.repo.join("a.txt"), "mine\n");
    write(&rig.repo.join("new/deep/n"), "mine too\n");
    write(&rig.repo.join("gone/only"), "and mine\n");
    write(&rig.repo.join("folder/untracked"), "u\n");
    let found = update(&rig, &old, &new);
    assert_eq!(found.update, CheckoutUpdate::LeftPartly);
    assert_eq!(found.left, ["a.txt", "folder", "gone/only", "new/deep/n"]);
    let text = |path: &str| fs::read_to_string(rig.repo.join(path)).unwrap();
    assert_eq!(
        [text("a.txt"), text("new/deep/n"), text("gone/only"), text("folder/untracked")],
        ["mine\n", "mine too\n", "and mine\n", "u\n"]
    );
    assert_eq!(text("file/inside"), "i\n", "the rest is brought up to date");
}

#[test]
fn staged_changes_are_left_alone() {
    let (rig, old, new) = prepared();
    move_ref(&rig, &old, &new);
    write(&rig.repo.join("a.txt"), "staged\n");
    rig.git(&["add", "a.txt"]);
    write(&rig.repo.join("a.txt"), "a\n");
    write(&rig.repo.join("b.txt"), "staged as well\n");
    rig.git(&["add", "b.txt"]);
    rig.git(&["rm", "-q", "--cached", "gone/only"]);
    assert_eq!(update(&rig, &old, &new).left, ["a.txt", "b.txt", "gone/only"]);
    assert_eq!(rig.git(&["show", ":a.txt"]), "staged\n");
    assert_eq!(fs::read_to_string(rig.repo.join("b.txt")).unwrap(), "staged as well\n");
    assert!(rig.repo.join("gone/only").exists());
}

#[test]
fn an_update_that_was_interrupted_anywhere_is_completed() {
    // Some of the files are already new, with an index that is still old: none, all, each alone, all but each.
    let each = (0..6).map(|bit| 1 << bit);
    for done_already in each.flat_map(|bit: u32| [bit, 63 ^ bit]).chain([0, 63]) {
        let (rig, old, new) = prepared();
        move_ref(&rig, &old, &new);
        let had = |bit: u32| done_already & (1 << bit) != 0;
        if had(0) {
            write(&rig.repo.join("a.txt"), "new a\n");
        }
        if had(1) {
            make_executable(&rig.repo.join("b.txt"));
        }
        if had(2) {
            fs::remove_dir_all(rig.repo.join("gone")).unwrap();
        }
        if had(3) {
            fs::remove_file(rig.repo.join("file")).unwrap();
            write(&rig.repo.join("file/inside"), "i\n");
        }
        if had(4) {
            fs::remove_dir_all(rig.repo.join("folder")).unwrap();
            write(&rig.repo.join("folder"), "now a file\n");
        }
        if had(5) {
            symlink("a.txt", rig.repo.join("link")).unwrap();
        }
        assert_eq!(update(&rig, &old, &new), done(), "{done_already:b}");
        assert_eq!(rig.git(&["status", "--porcelain"]), "", "{done_already:b}");
    }
}

#[test]
fn a_merge_in_progress_stops_the_update() {
    let (rig, old, new) = prepared();
    move_ref(&rig, &old, &new);
    write(&rig.repo.join(".git/MERGE_HEAD"), format!("{old}\n"));
    let found = update(&rig, &old, &new);
    assert_eq!(found.update, CheckoutUpdate::LeftPartly);
    assert_eq!(fs::read_to_string(rig.repo.join("a.txt")).unwrap(), "a\n");
}

#[test]
fn a_linked_working_tree_is_brought_up_to_date_where_the_run_began_in_it() {
    let (rig, old, _) = prepared();
    let linked = rig.run.join("linked");
    rig.git(&["worktree", "add", "-q", linked.to_str().unwrap(), "work"]);
    let upstream = Upstream::discover(&linked).unwrap();
    let branch = upstream.branch("work").unwrap();
    let new = rig.task("w2", &old, |dir| write(&dir.join("a.txt"), "linked\n"));
    assert_eq!(dirty(&upstream, None).unwrap(), [] as [&str; 0]);
    land(&upstream, &rig.quarantine(), &branch, &old, &new, GO_ON).unwrap();
    assert_eq!(fast_forward(&upstream, &branch, &old, &new, GO_ON).unwrap(), done());
    assert_eq!(git_in(&linked, &["status", "--porcelain"]), "");
    assert_eq!(fs::read_to_string(linked.join("a.txt")).unwrap(), "linked\n");
    assert_eq!(fs::read_to_string(rig.repo.join("a.txt")).unwrap(), "a\n");
}

#[test]
fn line_endings_follow_the_repositorys_own_rules() {
    let rig = Rig::with(&[(".gitattributes", "*.txt text eol=crlf\n"), ("a.txt", "a\r\n")]);
    assert_eq!(rig.git(&["show", "HEAD:a.txt"]), "a\n");
    let old = rig.head("main");
    let new = rig.task("w", &old, |dir| write(&dir.join("a.txt"), "b\n"));
    touch(&rig.repo.join("a.txt"));
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), [] as [&str; 0]);
    move_ref(&rig, &old, &new);
    assert_eq!(update(&rig, &old, &new), done());
    assert_eq!(fs::read_to_string(rig.repo.join("a.txt")).unwrap(), "b\r\n");
    assert_eq!(rig.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_checkout_made_with_a_global_autocrlf_is_clean() {
    let rig = Rig::with(&[("a.txt", "a\n")]);
    fs::remove_file(rig.repo.join("a.txt")).unwrap();
    // As `core.autocrlf` in `~/.gitconfig` would: the repository itself does not know of it.
    let checkout = ["-c", "core.autocrlf=true", "checkout", "-q", "--", "a.txt"];
    assert!(git_command(&rig.repo).args(checkout).status().unwrap().success());
    assert_eq!(fs::read_to_string(rig.repo.join("a.txt")).unwrap(), "a\r\n");
    age(&rig, "a.txt");
    assert_eq!(dirty(&rig.upstream(), None).unwrap(), [] as [&str; 0]);
}

/// Gives a file a new time and leaves its content.
fn touch(path: &Path) {
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// Makes a file older than the index that knows it, as it is but for the first moment after a checkout.
fn age(rig: &Rig, path: &str) {
    touch(&rig.repo.join(path));
    let refresh = ["-c", "core.autocrlf=true", "update-index", "--refresh"];
    assert!(git_command(&rig.repo).args(refresh).status().unwrap().success());
}

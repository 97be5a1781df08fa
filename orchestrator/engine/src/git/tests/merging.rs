//! Candidates: merged in memory, in the order of tasks.

use super::rig::{GO_ON, Rig, git_in, task, time, write};
use crate::git::{MergeError, PATCH_BYTES_MAX, Side, candidate, patch};

#[test]
fn one_task_made_on_the_head_is_its_own_candidate() {
    let rig = Rig::new();
    let head = rig.head("work");
    let commit = rig.task("w1", &head, |dir| write(&dir.join("new"), "n"));
    let found =
        candidate(&rig.quarantine(), &head, &[(task("001"), commit.clone())], "m", time(), GO_ON).unwrap();
    assert_eq!(found.commit, commit);
    assert_eq!(found.tree, rig.quarantine().tree_of(&commit).unwrap());
}

#[test]
fn tasks_that_touch_different_places_merge_and_equal_input_gives_equal_ids() {
    let rig = Rig::new();
    let head = rig.head("work");
    let lines = |first: &str, last: &str| format!("{first}\n2\n3\n4\n5\n6\n7\n8\n{last}\n");
    let one = rig.task("w1", &head, |dir| write(&dir.join("dir/c.txt"), lines("one", "9")));
    let two = rig.task("w2", &head, |dir| write(&dir.join("dir/c.txt"), lines("1", "two")));
    let tasks = [(task("001"), one.clone()), (task("002"), two.clone())];
    let found = candidate(&rig.quarantine(), &head, &tasks, "land 001, 002", time(), GO_ON).unwrap();
    assert_eq!(found, candidate(&rig.quarantine(), &head, &tasks, "land 001, 002", time(), GO_ON).unwrap());
    let objects = rig.run.join("objects.git");
    let text = git_in(&objects, &["show", &format!("{}:dir/c.txt", found.commit)]);
    assert_eq!(text, lines("one", "two"));
    let parents = git_in(
        &objects,
        &["log", "-1", "--format=%P%n%an <%ae>%n%cd", "--date=iso-strict", found.commit.as_str()],
    );
    let who = "Mycelium <mycelium@localhost>\n2026-01-02T03:04:05+00:00";
    assert_eq!(parents.trim(), format!("{head} {one} {two}\n{who}").replace("+00:00", "Z").as_str());
}

#[test]
fn a_task_made_on_an_older_head_is_merged_onto_the_new_one() {
    let rig = Rig::new();
    let old = rig.head("work");
    let commit = rig.task("w1", &old, |dir| write(&dir.join("a.txt"), "task\n"));
    rig.git(&["checkout", "-q", "work"]);
    let head = rig.commit(&[("b.txt", "user\n")], "meanwhile");
    let found = candidate(&rig.quarantine(), &head, &[(task("001"), commit)], "m", time(), GO_ON).unwrap();
    let objects = rig.run.join("objects.git");
    assert_eq!(git_in(&objects, &["show", &format!("{}:b.txt", found.commit)]), "user\n");
    assert_eq!(git_in(&objects, &["show", &format!("{}:a.txt", found.commit)]), "task\n");
    assert_eq!(git_in(&objects, &["rev-parse", &format!("{}^1", found.commit)]).trim(), head.as_str());
}

#[test]
fn the_same_change_by_two_tasks_merges() {
    let rig = Rig::new();
    let head = rig.head("work");
    let edit = |dir: &std::path::Path| write(&dir.join("same"), "same\n");
    let tasks = [(task("001"), rig.task("w1", &head, edit)), (task("002"), rig.task("w2", &head, edit))];
    candidate(&rig.quarantine(), &head, &tasks, "m", time(), GO_ON).unwrap();
}

#[test]
fn a_conflict_names_the_task_the_files_and_both_sides() {
    let rig = Rig::new();
    let base = rig.head("work");
    let two = rig.task("w2", &base, |dir| {
        write(&dir.join("a.txt"), "two\n");
        write(&dir.join("new.bin"), b"\0\x02");
        write(&dir.join("b.txt"), "changed\n");
    });
    let one = rig.task("w1", &base, |dir| write(&dir.join("one"), "one\n"));
    rig.git(&["checkout", "-q", "work"]);
    std::fs::remove_file(rig.repo.join("b.txt")).unwrap();
    write(&rig.repo.join("new.bin"), b"\0\x01");
    let head = rig.commit(&[("a.txt", "one\n")], "meanwhile");
    let tasks = [(task("001"), one), (task("002"), two.clone())];
    let error = candidate(&rig.quarantine(), &head, &tasks, "m", time(), GO_ON).unwrap_err();
    let MergeError::Conflict(conflict) = error else { panic!("{error:?}") };
    assert_eq!((conflict.task.as_str(), &conflict.commit, &conflict.onto), ("002", &two, &head));
    assert_eq!(conflict.onto_tree, rig.upstream().tree_of(&head).unwrap());
    let paths: Vec<_> = conflict.paths().iter().map(|path| path.as_str().to_owned()).collect();
    assert_eq!(paths, ["a.txt", "b.txt", "new.bin"]);
    let [a, b, new] = conflict.files.as_slice() else { panic!() };
    assert_eq!((&a.base, &a.ours), (&Side::Text("a\n".into()), &Side::Text("one\n".into())));
    assert_eq!(a.hunks.as_deref(), Some("<<<<<<< branch\none\n=======\ntwo\n>>>>>>> task\n"));
    assert_eq!((&b.ours, &b.theirs), (&Side::Absent, &Side::Text("changed\n".into())));
    assert_eq!((&new.base, &new.theirs, &new.hunks), (&Side::Absent, &Side::Binary(2), &None));
}

#[test]
fn a_conflict_with_work_that_has_not_landed_cuts_the_candidate_before_it() {
    let rig = Rig::new();
    let head = rig.head("work");
    let work = |id: &str, file: &str| (task(id), rig.task(id, &head, |dir| write(&dir.join(file), id)));
    let tasks = [work("001", "x"), work("002", "y"), work("003", "y"), work("004", "z")];
    let found = candidate(&rig.quarantine(), &head, &tasks, "m", time(), GO_ON).unwrap();
    assert_eq!(found.tasks, [task("001"), task("002")]);
    assert_eq!(found, candidate(&rig.quarantine(), &head, &tasks[..2], "m", time(), GO_ON).unwrap());
    // What is left of one task made on the head is its own candidate, as it would be alone.
    let found = candidate(&rig.quarantine(), &head, &tasks[1..], "m", time(), GO_ON).unwrap();
    assert_eq!((found.tasks, found.commit), (vec![task("002")], tasks[1].1.clone()));
}

#[test]
fn attributes_of_the_tree_choose_no_merge_driver() {
    let rig = Rig::with(&[("list", "1\n"), (".gitattributes", "list merge=union\n")]);
    let head = rig.head("work");
    let one = rig.task("w1", &head, |dir| write(&dir.join("list"), "1\none\n"));
    let two = rig.task("w2", &head, |dir| write(&dir.join("list"), "1\ntwo\n"));
    let tasks = [(task("001"), one), (task("002"), two)];
    let merged = candidate(&rig.quarantine(), &head, &tasks, "m", time(), GO_ON).unwrap();
    assert_eq!(merged.tasks, [task("001")]);
}

#[test]
fn a_rename_is_not_followed_into_a_file_that_the_task_did_not_name() {
    let rig = Rig::new();
    let head = rig.head("work");
    let one = rig.task("w1", &head, |dir| std::fs::rename(dir.join("dir/c.txt"), dir.join("moved")).unwrap());
    let two = rig.task("w2", &head, |dir| write(&dir.join("dir/c.txt"), "1\n2\n3\n4\n5\n6\n7\n8\nnine\n"));
    let tasks = [(task("001"), one), (task("002"), two)];
    let merged = candidate(&rig.quarantine(), &head, &tasks, "m", time(), GO_ON).unwrap();
    assert_eq!(merged.tasks, [task("001")]);
}

#[test]
fn a_task_whose_base_was_taken_off_the_branch_does_not_bring_it_back() {
    let rig = Rig::new();
    rig.git(&["checkout", "-q", "work"]);
    let first = rig.head("work");
    let taken_off = rig.commit(&[("secret", "s")], "to be rewound");
    let commit = rig.task("w1", &taken_off, |dir| write(&dir.join("a.txt"), "task\n"));
    let tasks = [(task("001"), commit)];
    let merged = candidate(&rig.quarantine(), &first, &tasks, "m", time(), GO_ON);
    assert!(matches!(merged, Err(MergeError::BaseGone { base, .. }) if base == taken_off));
}

#[test]
fn a_patch_shows_text_names_binaries_and_is_bounded() {
    let rig = Rig::new();
    let head = rig.head("work");
    let quarantine = rig.quarantine();
    let old = quarantine.tree_of(&head).unwrap();
    let small = rig.task("w1", &head, |dir| {
        write(&dir.join("a.txt"), "A\n");
        write(&dir.join("bin"), b"\0\x01");
    });
    let text = patch(&quarantine, &old, &quarantine.tree_of(&small).unwrap(), GO_ON).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+A\n"), "{text}");
    assert!(text.contains("Binary files /dev/null and b/bin differ"), "{text}");

    let large = rig.task("w2", &head, |dir| {
        for n in 0..8 {
            write(&dir.join(format!("large{n}")), "0123456789abcde\n".repeat(60_000));
        }
    });
    let text = patch(&quarantine, &old, &quarantine.tree_of(&large).unwrap(), GO_ON).unwrap();
    assert!(text.len() < PATCH_BYTES_MAX + 100);
    assert!(String::from_utf8_lossy(&text).lines().last().unwrap().starts_with("[cut off after"));
}

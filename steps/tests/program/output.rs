//! The output folder: what is written there, what is kept, and that nothing goes but what `accept` made itself.

use std::{fs, os::unix::fs::symlink};

use crate::checkout::{Checkout, FEATURE};

const FILE: &str = "features/tier1/G1.3-a-run-executes.feature";

#[test]
fn a_folder_that_accept_did_not_make_is_refused_whole() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    let files = ["mydocs/evidence/mine.txt", "mydocs/kept/y", "mydocs/summary.md", "mydocs/sabotage/z"];
    for file in files {
        checkout.write(file, "mine");
    }
    for arguments in [
        "run --bin program --out mydocs",
        "run --bin program --out mydocs features/typo.feature",
        "run --bin program --out mydocs --repeat 2",
        "sabotage --bin program --out mydocs",
    ] {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        assert!(answer.err.contains("mydocs holds what accept did not write"), "{arguments}: {}", answer.err);
        for file in files {
            assert!(checkout.path(file).is_file(), "{arguments}: {file} is gone");
        }
    }
    assert_eq!(checkout.accept("run --bin program --out one").code, Some(0));
    let answer = checkout.accept("merge one --out mydocs");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert!(answer.err.contains("mydocs holds what accept did not write"), "{}", answer.err);
    assert!(files.iter().all(|file| checkout.path(file).is_file()));
    // An empty folder is nobody's, and what accept has made is its own.
    fs::create_dir(checkout.path("empty")).unwrap();
    for _ in 0..2 {
        assert_eq!(checkout.accept("run --bin program --out empty").code, Some(0));
    }
}

#[test]
fn an_output_folder_that_is_a_file_is_bad_input() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.write("file", "mine");
    for out in ["file", "file/below"] {
        let answer = checkout.accept(&format!("run --bin program --out {out}"));
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(answer.err.contains("is no folder; give another one with --out DIR"), "{}", answer.err);
    }
}

#[test]
fn what_a_run_kept_stays_where_the_next_one_is_refused() {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(1));
    let is_kept = |name: &str| checkout.path("out").join(name).exists();
    for arguments in ["features/typo.feature", "--bin missing", &format!("{FILE}:9999"), "--tags @a(b"] {
        let answer = checkout.accept(&format!("run --bin program --out out {arguments}"));
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        for name in ["kept", "evidence", "messages.ndjson", "report.html"] {
            assert!(is_kept(name), "{arguments}: {name} is gone");
        }
    }
    // Features that are no good make the results old, but not what is there to look at.
    checkout.change("Given the repository", "Given the repositry");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(1));
    assert!(is_kept("kept") && !is_kept("messages.ndjson"));
    checkout.change("Given the repository", "Given the repository");
    checkout.program("exit 0");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    assert!(!is_kept("kept"));
}

#[test]
fn a_merge_destroys_nothing_that_it_reads() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    assert_eq!(checkout.accept("run --bin program --out o --repeat 2").code, Some(0));
    symlink(checkout.path("o"), checkout.path("link")).unwrap();
    for (arguments, out) in [
        ("merge o/repetitions/1 --out o", "o"),
        ("merge link/repetitions/1 --out o", "o"),
        ("merge o/repetitions/1 --out o/repetitions/1/merged", "o/repetitions/1/merged"),
        ("merge o/repetitions/1 --out o/repetitions/2/../1/merged", "o/repetitions/2/../1/merged"),
    ] {
        let answer = checkout.accept(arguments);
        assert_eq!(answer.code, Some(2), "{arguments}: {}", answer.err);
        let why = format!("the output folder {out} and o");
        assert!(answer.err.contains(&why) || answer.err.contains("and link"), "{arguments}: {}", answer.err);
        assert!(checkout.path("o/repetitions/1/messages.ndjson").is_file(), "{arguments}");
    }
    // Beside one of them is a place.
    assert_eq!(checkout.accept("merge o/repetitions/1 --out o/repetitions/merged").code, Some(0));
}

#[test]
fn a_merge_that_fails_leaves_the_merge_before() {
    let checkout = Checkout::new();
    checkout.program("exit 9");
    assert_eq!(checkout.accept("run --bin program --out one").code, Some(1));
    assert_eq!(checkout.accept("merge one --out merged").code, Some(0));
    let before = fs::read(checkout.path("merged/messages.ndjson")).unwrap();
    // Where a folder is to be, a file stands.
    fs::remove_dir_all(checkout.path("one/kept")).unwrap();
    checkout.write("one/kept", "no folder");
    let answer = checkout.accept("merge one --out merged");
    assert_eq!(answer.code, Some(3), "{}", answer.err);
    assert_eq!(fs::read(checkout.path("merged/messages.ndjson")).unwrap(), before);
    assert!(checkout.path("merged/kept").is_dir() && checkout.path("merged/report.html").is_file());
    let names: Vec<_> =
        fs::read_dir(checkout.path("merged")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains("new")), "{names:?}");
}

#[test]
fn two_scenarios_of_files_with_one_name_keep_a_folder_each() {
    let checkout = Checkout::new();
    checkout.program("ln -s nowhere \"$HOME/link\"; exit 9");
    let place = |folder: &str| format!("features/tier1/{folder}/G1.3-x.feature");
    fs::remove_file(checkout.path(FILE)).unwrap();
    for folder in ["a", "b"] {
        checkout.write(&place(folder), &FEATURE.replace("A run executes", folder));
    }
    let answer = checkout.accept("run --bin program --out out --json");
    assert_eq!(answer.code, Some(1), "{}", answer.err);
    for folder in ["a", "b"] {
        let kept = format!("out/kept/{}/4", place(folder));
        assert!(answer.err.contains(&kept), "no {kept} in {}", answer.err);
        assert!(checkout.path(&kept).join("home/link").is_symlink());
    }
    // Those of the parts stay apart in the whole, too.
    for (shard, folder) in [(1, "a"), (2, "b")] {
        checkout.accept(&format!("run --bin program --out s{shard} --shard {shard}/2"));
        assert!(checkout.path(&format!("out/kept/{}/4", place(folder))).is_dir());
    }
    assert_eq!(checkout.accept("merge s1 s2 --out merged").code, Some(0));
    for folder in ["a", "b"] {
        assert!(checkout.path(&format!("merged/kept/{}/4", place(folder))).is_dir(), "{folder}");
    }
}

//! Files of a run that are not what the program wrote: it says so in bounded time, keeps the evidence, moves no ref, and
//! goes on where the journal still tells everything.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{held::HeldRun, place::Place, plans::ONE};

/// A run that was killed while its agent worked.
fn killed() -> (Place, PathBuf) {
    let (place, run) = HeldRun::start();
    run.kill_for_good(&place);
    let run_dir = place.project_dir().join("runs/held");
    (place, run_dir)
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn a_frozen_copy_that_is_gone_is_called_that() {
    for (file, what) in [
        ("config.snapshot.yaml", "the configuration"),
        ("plan.snapshot.json", "the plan"),
        ("doctor", "the doctor script"),
    ] {
        let (mut place, run_dir) = killed();
        fs::remove_file(run_dir.join(file)).unwrap();
        let said = format!("the copy of {what} that the run froze when it began is gone");
        place.run(&["resume"]).exits(4).complains(&[&said, file, "put the copy back", "`mycelium run`"]);
    }
}

#[test]
fn a_state_that_is_not_one_is_told_from_the_journal() {
    let deep = "[".repeat(100_000);
    let newer = r#"{"schema_version": 4711}"#;
    let cases: [(&str, Option<&[u8]>); 9] = [
        ("empty", Some(b"")),
        ("nul", Some(&[0; 4096])),
        ("truncated", Some(br#"{"schema_version": 1, "run_id": "he"#)),
        ("garbage", Some(b"\xff\xfe not json")),
        ("array", Some(b"[]")),
        ("deep", Some(deep.as_bytes())),
        ("newer", Some(newer.as_bytes())),
        ("missing", None),
        ("a pipe", None),
    ];
    let (mut place, run_dir) = killed();
    let state = run_dir.join("state.json");
    let told = |place: &mut Place| place.run(&["status", "--run-id", "held", "--json"]).exits(0).json();
    let expected = told(&mut place);
    assert_eq!(expected["status"], "interrupted");
    for (what, content) in cases {
        // It may not be there any more.
        let _absent = fs::remove_file(&state);
        match content {
            Some(content) => fs::write(&state, content).unwrap(),
            None if what == "a pipe" => fifo(&state),
            None => {}
        }
        assert_eq!(told(&mut place), expected, "{what}");
    }
    place.run(&["resume"]).exits(0);
    assert_eq!(told(&mut place)["status"], "complete");
}

#[test]
fn a_state_that_is_older_than_the_journal_is_not_believed() {
    let (mut place, run_dir) = killed();
    place.run(&["resume"]).exits(0);
    let state = run_dir.join("state.json");
    let mut older: Value = serde_json::from_slice(&fs::read(&state).unwrap()).unwrap();
    older["status"] = "failed".into();
    older["updated_at"] = "2026-01-01T00:00:00Z".into();
    fs::write(&state, older.to_string()).unwrap();
    assert_eq!(place.run(&["status", "--json"]).exits(0).json()["status"], "complete");
}

#[test]
fn a_folder_in_place_of_the_state_is_named_and_stays() {
    let (mut place, run_dir) = killed();
    let state = run_dir.join("state.json");
    fs::remove_file(&state).unwrap();
    fs::create_dir(&state).unwrap();
    fs::write(state.join("evidence"), "kept").unwrap();
    let head = place.head();
    place.run(&["resume"]).exits(4).complains(&["state.json"]);
    assert_eq!(fs::read(state.join("evidence")).unwrap(), b"kept");
    assert_eq!(place.head(), head);
    fs::remove_dir_all(&state).unwrap();
    place.run(&["resume"]).exits(0);
    assert_ne!(place.head(), head);
}

#[test]
fn a_torn_end_of_the_journal_is_cut_off_and_nothing_is_glued_to_it() {
    for tail in [&b"{\"v\":1,\"seq\":"[..], &[0; 4096], b"{\"v\":1,\"x\":\"\xc3", b"\xff\n\xfe"] {
        let (mut place, run_dir) = killed();
        let journal = run_dir.join("orchestrator.jsonl");
        let whole = fs::read(&journal).unwrap();
        fs::write(&journal, [&whole, tail].concat()).unwrap();
        place.run(&["resume"]).exits(0);
        let text = fs::read_to_string(&journal).unwrap();
        assert!(text.as_bytes().starts_with(&whole));
        let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(events.windows(2).all(|pair| pair[0]["seq"].as_u64() < pair[1]["seq"].as_u64()));
        assert!(events.iter().any(|event| event["type"] == "journal.truncated"), "{tail:?}");
    }
}

#[test]
fn a_journal_that_cannot_be_gone_on_with_is_refused_and_kept() {
    let (mut place, run_dir) = killed();
    let journal = run_dir.join("orchestrator.jsonl");
    let whole = fs::read(&journal).unwrap();
    let head = place.head();
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    let hole = [lines[0], &[0; 4096], b"\n", &lines[1..].concat()].concat();
    let newer = [&whole, &b"{\"v\":4711}\n"[..]].concat();
    for content in [&b""[..], b"[]\n", &[0; 4096], &hole, &newer] {
        fs::write(&journal, content).unwrap();
        let refused = place.run(&["resume", "--run-id", "held"]);
        assert!([2, 4].contains(&refused.code), "{refused:#?}");
        assert!(refused.stderr.contains("orchestrator.jsonl"), "{refused:#?}");
        assert_eq!(fs::read(&journal).unwrap(), content);
    }
    fs::remove_file(&journal).unwrap();
    place.run(&["resume", "--run-id", "held"]).exits(4).complains(&["orchestrator.jsonl"]);
    assert!(!journal.exists());
    for make in [fifo, |path: &Path| fs::create_dir(path).unwrap()] {
        make(&journal);
        place.run(&["resume", "--run-id", "held"]).exits(4).complains(&["it is not a file"]);
        // A folder or a pipe: one of the two goes.
        let _other = fs::remove_file(&journal).or_else(|_| fs::remove_dir(&journal));
    }
    assert_eq!(place.head(), head);
    fs::write(&journal, whole).unwrap();
    place.run(&["resume"]).exits(0);
}

#[test]
fn a_journal_that_is_gone_is_named_and_the_run_is_kept() {
    let (mut place, run_dir) = killed();
    fs::remove_file(run_dir.join("orchestrator.jsonl")).unwrap();
    let state = fs::read(run_dir.join("state.json")).unwrap();
    for words in
        [vec!["status"], vec!["resume"], vec!["status", "--run-id", "held"], vec!["review"], vec!["logs"]]
    {
        place
            .run(&words)
            .exits(4)
            .complains(&["orchestrator.jsonl", "it is missing, though run held had begun"]);
    }
    place.run(&["run", "--run-id", "held"]).exits(2).complains(&["the run held exists already"]);
    place.run(&["clean", "--run-id", "held"]).exits(2).complains(&["its journal is missing"]);
    assert_eq!(fs::read(run_dir.join("state.json")).unwrap(), state);
    place.run(&["run", "--run-id", "other"]).exits(0);
    let status = place.run(&["status", "--json"]).exits(0).complains(&["run held is left out"]);
    assert_eq!(status.json()["run_id"], "other");
}

#[test]
fn what_was_killed_in_its_first_line_is_no_run_to_anybody() {
    let (mut place, run_dir) = killed();
    place.run(&["resume"]).exits(0);
    let torn = run_dir.with_file_name("torn");
    fs::create_dir(&torn).unwrap();
    for begin in ["", "{\"v\":1,\"ts\":"] {
        fs::write(torn.join("orchestrator.jsonl"), begin).unwrap();
        for words in [["status"], ["resume"], ["doctor"]] {
            let done = place.run(&words).exits(0);
            assert!(!done.stderr.contains("torn") && !done.stdout.contains("torn"), "{done:#?}");
        }
        let cleaned = place.run(&["clean", "--json", "--dry-run"]).exits(0).json();
        let gone = cleaned["removed"].as_array().unwrap().iter().any(|item| item["run_id"] == "torn");
        assert!(gone, "{begin:?}: {cleaned:#}");
    }
    place.run(&["clean", "--run-id", "torn"]).exits(0);
    assert!(!torn.exists());
}

#[test]
fn a_journal_that_was_emptied_or_replaced_is_not_taken_for_a_run_that_never_began() {
    let (mut place, run_dir) = killed();
    let journal = run_dir.join("orchestrator.jsonl");
    let state = fs::read(run_dir.join("state.json")).unwrap();
    for make in [|path: &Path| fs::write(path, "").unwrap(), fifo] {
        fs::remove_file(&journal).unwrap();
        make(&journal);
        place.run(&["clean", "--run-id", "held"]).exits(2).complains(&["its state cannot be read"]);
        let kept = place.run(&["clean", "--json"]).exits(0).json();
        assert_eq!(kept["kept"][0]["run_id"], "held", "{kept:#}");
        let again = place.run(&["run", "--run-id", "held"]);
        assert!([2, 4].contains(&again.code), "{again:#?}");
        assert_eq!(fs::read(run_dir.join("state.json")).unwrap(), state);
    }
}

#[test]
fn a_lock_file_that_is_removed_during_a_run_stops_it_before_anything_lands() {
    let (mut place, run) = HeldRun::start();
    let head = place.head();
    fs::remove_file(place.repository.path().join(".git/mycelium.lock")).unwrap();
    assert_eq!(run.release(), Some(4));
    assert_eq!(place.head(), head);
    let failed = place.run(&["status", "--json"]).exits(0).json();
    assert_eq!((&failed["status"], &failed["stop_reason"]), (&"interrupted".into(), &"environment".into()));
    place.run(&["resume"]).exits(0);
}

#[test]
fn nobody_waits_for_what_people_write_where_it_is_no_file() {
    let mut place = Place::with_plan("worker:\n  agent: command\n  command: echo one > src/one.js\n", ONE);
    let folder = place.repository.path().join(".mycelium");
    let tasks = folder.join("tasks");
    let task = fs::read_dir(&tasks).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let task = task.unwrap();
    for path in [
        folder.join("config.yaml"),
        tasks.join("plan.json"),
        task.join("manifest.json"),
        task.join("spec.md"),
    ] {
        let kept = place.outside().join("kept");
        fs::rename(&path, &kept).unwrap();
        let name = path.strip_prefix(place.repository.path()).unwrap().display().to_string();
        fifo(&path);
        place.run(&["run"]).exits(2).complains(&[&name, "neither a file nor a link to one"]);
        fs::remove_file(&path).unwrap();
        symlink("/dev/zero", &path).unwrap();
        place.run(&["run"]).exits(2).complains(&[&name, "neither a file nor a link to one"]);
        fs::remove_file(&path).unwrap();
        File::create(&path).unwrap().set_len(16 * 1024 * 1024 + 1).unwrap();
        place.run(&["run"]).exits(2).complains(&[&name, "longer than 16777216 bytes"]);
        fs::remove_file(&path).unwrap();
        symlink(&kept, &path).unwrap();
        place.run(&["run", "--dry-run"]).exits(0);
        fs::remove_file(&path).unwrap();
        fs::rename(&kept, &path).unwrap();
    }
}

//! Signals at their edges: one that is ignored, one that comes before the run does, a terminal that goes away; and what
//! outlives nothing.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    held::{HeldRun, file_of_held, open_when_read, start, wait_until},
    place::{Place, program},
    plans::ONE,
};

/// The signals that a process handles itself, a bit each.
fn caught(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
}

/// Those that stop a run.
const STOPPING: u64 = bit(Signal::HUP) | bit(Signal::INT) | bit(Signal::TERM);

const fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

#[test]
fn a_signal_that_is_ignored_from_the_start_does_not_stop_a_run() {
    for (name, signal) in [("HUP", Signal::HUP), ("INT", Signal::INT)] {
        let place = HeldRun::place();
        let script = format!("trap '' {name}; exec \"$0\" run --run-id held");
        let words = ["-c".to_owned(), script, program().display().to_string()];
        let run = HeldRun::begin(
            &place,
            place.sandbox.command(Path::new("/bin/sh"), &words, place.repository.path()),
        );
        run.signal(signal);
        assert_eq!(run.release(), Some(0), "{name}");
    }
}

#[test]
fn a_run_listens_for_signals_before_it_reads_its_settings() {
    let place = HeldRun::place();
    let config = place.outside().join("slow-config");
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    place.git(&format!("config include.path {}", config.display()));
    for word in ["run", "resume"] {
        let mut command = place.command(&[word]);
        let errors = place.outside().join("stderr");
        let said = File::create(&errors).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
        // It waits for git's settings as soon as this can be opened.
        let open = open_when_read(&config, &child, || fs::read_to_string(&errors).unwrap());
        let caught = caught(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        drop(open);
        assert!(caught & STOPPING == STOPPING, "{word}: {caught:x}");
    }
}

#[test]
fn a_daemon_without_mark_session_or_folder_of_its_attempt_does_not_outlive_the_run() {
    // What it is known by is its command line, whose number is nobody else's.
    let marker = format!("6{}", std::process::id());
    let begun = tempfile::tempdir().unwrap();
    let begun = begun.path().join("begun").display().to_string();
    let daemon = format!(
        "(cd /; exec env -i setsid sh -c 'touch {begun}; exec sleep {marker}' >/dev/null 2>&1 </dev/null) &"
    );
    let agent = format!("{daemon} until test -e {begun}; do :; done; echo one > src/one.js");
    let mut place = Place::with_plan(&format!("worker:\n  agent: command\n  command: {agent:?}\n"), ONE);
    place.run(&["run"]).exits(0);
    let words = format!("sleep\0{marker}\0");
    let lives = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|found| found == words.as_bytes()));
    assert!(!lives, "the daemon lives");
}

/// A place where the agent or the doctor once does what a git that holds the index does, and the lock of that.
fn place_whose_index_is_held_by(holder: &str) -> (Place, PathBuf) {
    let place = Place::with_plan("", ONE);
    let index = place.repository.path().join(".git/index.lock");
    let once = place.outside().join("done");
    let hold = format!("if mkdir '{}' 2>/dev/null; then : >'{}'; fi", once.display(), index.display());
    let (agent, doctor) = if holder == "agent" { (&*hold, "") } else { ("true", &*hold) };
    place.write(".mycelium/doctor.sh", &format!("#!/bin/sh\n{doctor}\ntest -e src/one.js\n"));
    let worker = Value::from(format!("{agent}; echo one > src/one.js"));
    let config = "integration_branch: main\ndoctor: .mycelium/doctor.sh\nworker:\n  agent: command\n";
    place.write(".mycelium/config.yaml", &format!("{config}  command: {worker}\n"));
    (place, index)
}

#[test]
fn a_signal_is_heard_while_a_landing_waits_for_another_git() {
    // What is there once the landing is about to wait.
    for (holder, path, text) in [
        ("agent", "landing/1/candidate.json", "old_head"),
        ("doctor", "orchestrator.jsonl", "landing.intent"),
    ] {
        let (mut place, index) = place_whose_index_is_held_by(holder);
        let mut child = start(&place, &["run", "--run-id", "held"]);
        wait_until(&mut child, || file_of_held(&place, path).is_some_and(|found| found.contains(text)));
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        // The lock is held still: who waits for it to the end says that it is held.
        assert_eq!(child.wait().unwrap().code(), Some(130), "{holder}");
        let state = place.run(&["status", "--json"]).json();
        assert_eq!(state["stop_reason"], "signal", "{holder}: {state:#}");
        fs::remove_file(&index).unwrap();
        place.run(&["resume"]).exits(0);
        assert_eq!(place.read("src/one.js"), "one\n", "{holder}");
    }
}

#[test]
fn a_signal_is_heard_while_a_run_waits_for_another_git_before_it_begins() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut place =
            Place::with_plan("worker:\n  agent: command\n  command: echo one > src/one.js\n", ONE);
        let index = place.repository.path().join(".git/index.lock");
        fs::write(&index, "").unwrap();
        let mut child = start(&place, &["run"]);
        let pid = child.id();
        wait_until(&mut child, || caught(pid) & STOPPING == STOPPING);
        kill_process(Pid::from_child(&child), signal).unwrap();
        // The lock is held still: who waits for it to the end says that it is held.
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(!place.ran(), "a run began");
        fs::remove_file(&index).unwrap();
        place.run(&["run"]).exits(0);
    }
}

#[test]
fn a_signal_is_heard_while_resume_waits_for_another_git_to_follow_a_landing() {
    let (mut place, index) = place_whose_index_is_held_by("doctor");
    let mut child = start(&place, &["run", "--run-id", "held"]);
    wait_until(&mut child, || {
        file_of_held(&place, "orchestrator.jsonl").is_some_and(|text| text.contains("landing.intent"))
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // What a kill right after the branch moved leaves: the branch at the candidate, the checkout behind it.
    let candidate = file_of_held(&place, "landing/1/candidate.json").unwrap();
    let candidate: Value = serde_json::from_str(&candidate).unwrap();
    let commit = candidate["commit"].as_str().unwrap();
    let objects = place.project_dir().join("runs/held/objects.git");
    place.git(&format!("fetch --quiet {} refs/*:refs/kept/*", objects.display()));
    place.git(&format!("update-ref refs/heads/main {commit}"));

    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut child = start(&place, &["resume"]);
        let pid = child.id();
        wait_until(&mut child, || caught(pid) & STOPPING == STOPPING);
        kill_process(Pid::from_child(&child), signal).unwrap();
        // The lock is held still: who waits for it to the end says that it is held, and exits with 4.
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(!place.repository.path().join("src/one.js").exists());
    }
    fs::remove_file(&index).unwrap();
    place.run(&["resume"]).exits(0);
    assert_eq!(place.read("src/one.js"), "one\n");
    assert_eq!(place.git("status --porcelain --untracked-files=no"), "");
    place.landed_once("001");
}

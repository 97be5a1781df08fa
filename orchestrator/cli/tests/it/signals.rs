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
    plans::{ONE, TWO},
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

/// Starts a process that nothing ties to its attempt: neither mark nor session nor folder. Its id is in the file once it
/// is there.
fn hidden(pid: &Path) -> String {
    let pid = pid.display();
    let made = format!("echo $$ >{pid}.new; mv {pid}.new {pid}; exec sleep 600");
    format!(
        "(cd /; exec env -i setsid sh -c '{made}' >/dev/null 2>&1 </dev/null) & until test -e {pid}; do :; done"
    )
}

/// A condition of the shell: it is at work, not ended and waiting to be reaped.
fn is_at_work(pid: &Path) -> String {
    format!("grep -q sleep /proc/$(cat {})/cmdline 2>/dev/null", pid.display())
}

#[test]
fn a_daemon_without_mark_session_or_folder_ends_before_the_only_attempts_work_is_judged() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let seen = format!("! {}", is_at_work(&pid));
    let plan =
        ONE.replace(r#""spec":"#, &format!(r#""verify": {{"doctor": {}}}, "spec":"#, Value::from(seen)));
    let agent = format!("{}; {} && echo one > src/one.js", hidden(&pid), is_at_work(&pid));
    let worker = format!("max_retries: 0\nworker: {{ agent: command, command: {} }}\n", Value::from(agent));
    let mut place = Place::with_plan(&worker, &plan);
    place.run(&["run"]).exits(0);
}

#[test]
fn a_daemon_without_mark_session_or_folder_is_left_to_an_attempt_that_goes_on_and_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let first = "until test -e {pid}; do sleep 0.05; done; echo one > src/one.js";
    let waits = "until grep -q '\"task_id\":\"001\".*\"type\":\"task.validated\"' $(dirname $MYCELIUM_TASK_SPEC)/../../../orchestrator.jsonl; do sleep 0.05; done";
    let second = format!("{}; {waits}; {} && echo two > src/two.js", hidden(&pid), is_at_work(&pid));
    let agent = format!("case $MYCELIUM_TASK_ID in 001) {first};; *) {second};; esac");
    let agent = agent.replace("{pid}", &pid.display().to_string());
    // Both agents are at work at once.
    let config = format!("max_retries: 0\nworker: {{ agent: command, command: {} }}\n", Value::from(agent));
    let mut place = Place::with_plan(&config, TWO);
    place.run(&["run", "--run-id", "r1"]).exits(0);
    let left = Command::new("sh").args(["-c", &is_at_work(&pid)]).status().unwrap();
    assert!(!left.success(), "the daemon lives");
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

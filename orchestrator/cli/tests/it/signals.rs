//! Signals at their edges: one that is ignored, one that comes before the run does, a terminal that goes away; and what
//! outlives nothing.

use std::{
    fs::{self, File},
    path::Path,
    process::{Command, Stdio},
};

use rustix::process::Signal;

use crate::{
    held::{HeldRun, open_when_read},
    place::{ONE, Place, program},
};

/// The signals that a process handles itself, a bit each.
fn caught(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap()
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
    let config = place.repository.path().join("slow.yaml");
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    for words in [vec!["run"], vec!["resume"]] {
        let words = [&["--config", "slow.yaml"], &words[..]].concat();
        let mut command = place.command(&words);
        let errors = place.outside().join("stderr");
        let said = File::create(&errors).unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
        // It waits for its settings as soon as this can be opened.
        let open = open_when_read(&config, &child, || fs::read_to_string(&errors).unwrap());
        let wanted = [Signal::HUP, Signal::INT, Signal::TERM].map(|signal| 1u64 << (signal.as_raw() - 1));
        let caught = caught(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        drop(open);
        assert!(wanted.iter().all(|bit| caught & bit != 0), "{words:?}: {caught:x}");
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

//! Several runs of one project: none does again what another one has landed since.

use std::{
    fs,
    io::{self, PipeReader, Read, Write},
    process::{Child, Stdio},
};

use rustix::fs::OFlags;

use crate::{held::HeldRun, place::Place, plans::ONE};

/// A place where the run `held` was killed and the run `r2` has landed its work.
fn superseded() -> Place {
    let (mut place, held) = HeldRun::start();
    held.kill_for_good(&place);
    let second = place.run(&["run", "--run-id", "r2"]).exits(0);
    second.complains(&[
        "run held is unfinished (interrupted) since",
        "`mycelium resume --run-id held` continues it",
    ]);
    place
}

#[test]
fn a_run_whose_work_another_run_has_landed_is_not_gone_on_with() {
    let mut place = superseded();
    let (head, run) = (place.head(), place.project_dir().join("runs/held"));
    let files = || ["orchestrator.jsonl", "state.json"].map(|name| std::fs::read(run.join(name)).unwrap());
    let before = files();
    place.run(&["resume", "--run-id", "held"]).exits(2).complains(&[
        "run held would do again what has landed since: task 001 in run r2",
        "`mycelium run` does what is left",
        "`mycelium clean --run-id held --force` removes this run",
    ]);
    for decision in ["approve", "retry"] {
        place.run(&["review", "--run-id", "held", decision, "001"]).exits(2).complains(&["landed since"]);
    }
    assert_eq!((place.head(), files()), (head, before));
}

#[test]
fn resume_without_a_name_passes_over_it_and_says_so() {
    let mut place = superseded();
    let head = place.head();
    let none = place.run(&["resume"]).exits(0).complains(&["run held is unfinished", "task 001 in run r2"]);
    assert_eq!((none.stdout.as_str(), place.head()), ("no run to resume\n", head));
}

#[test]
fn a_task_that_was_named_to_be_done_again_is() {
    let mut place = superseded();
    // Its task had landed when this run began, so that going on with it does what was asked for.
    HeldRun::again(&place, &["run", "--run-id", "again", "--tasks", "001"]).kill_for_good(&place);
    let resumed = place.run(&["resume", "--run-id", "again"]);
    assert!(!resumed.stderr.contains("landed since"), "{resumed:#?}");
    resumed.complains(&["run again: goes on"]);
}

/// The journal of a run as one leaves it that is killed after the ref moved and before it said so.
#[test]
fn what_a_run_landed_and_did_not_come_to_say_is_not_done_again() {
    let mut place = Place::with_plan("", ONE);
    place.run(&["run", "--run-id", "r1"]).exits(0);
    let (head, run) = (place.head(), place.project_dir().join("runs/r1"));
    let journal = fs::read_to_string(run.join("orchestrator.jsonl")).unwrap();
    let (before, after) = journal.split_once("\"type\":\"landing.intent\"").unwrap();
    let intent = after.split_once('\n').unwrap().0;
    fs::write(run.join("orchestrator.jsonl"), format!("{before}\"type\":\"landing.intent\"{intent}\n"))
        .unwrap();
    fs::remove_file(run.join("state.json")).unwrap();
    place.run(&["run", "--run-id", "r2"]).exits(0).complains(&["task 001: landed already, in run r1"]);
    assert_eq!(place.head(), head);
    // Its checkout may not have followed: what then differs is not the user's to commit.
    place.write("README.md", "as if the checkout had stayed behind\n");
    place
        .run(&["run", "--run-id", "r3", "--tasks", "001"])
        .exits(2)
        .complains(&["not clean", "`mycelium resume --run-id r1` first"]);
}

/// A place with two runs that failed and still are to be shown as ended, so that each further one has two things to say
/// before it begins.
fn twice_failed(worker: &str) -> Place {
    let worker = format!("max_retries: 0\nworker:\n  agent: command\n  command: {worker}\n");
    let mut place = Place::with_plan(&worker, ONE);
    for run in ["r1", "r2"] {
        place.run(&["run", "--run-id", run]).exits(1);
        fs::remove_file(place.project_dir().join("runs").join(run).join("state.json")).unwrap();
    }
    place
}

/// A run that has made its checks and has not begun: it cannot say what it has to say before.
struct Checked {
    child: Child,
    heard: PipeReader,
}

impl Checked {
    fn start(place: &Place, words: &[&str]) -> Self {
        const PAGE: usize = 4096;
        // As much as takes one of the two things.
        const ROOM: usize = 160;
        let (mut heard, mut said) = io::pipe().unwrap();
        rustix::fs::fcntl_setfl(&said, OFlags::NONBLOCK).unwrap();
        while said.write(&[b'.'; PAGE]).is_ok() {}
        rustix::fs::fcntl_setfl(&said, OFlags::empty()).unwrap();
        heard.read_exact(&mut [0; PAGE]).unwrap();
        said.write_all(&[b'.'; PAGE - ROOM]).unwrap();
        let full = rustix::io::ioctl_fionread(&heard).unwrap();
        let mut command = place.command(words);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
        while rustix::io::ioctl_fionread(&heard).unwrap() == full {
            std::thread::yield_now();
        }
        Self { child, heard }
    }

    /// What it says in the end, and its exit code.
    fn go_on(mut self) -> (String, Option<i32>) {
        let mut said = String::new();
        self.heard.read_to_string(&mut said).unwrap();
        (said.trim_start_matches('.').to_owned(), self.child.wait().unwrap().code())
    }
}

#[test]
fn what_another_run_landed_after_the_checks_is_not_done_again() {
    let go = tempfile::tempdir().unwrap();
    let go = go.path().join("go");
    let mut place = twice_failed(&format!("test -e '{}' && echo one >> src/one.js", go.display()));
    fs::write(&go, "").unwrap();
    let slow = Checked::start(&place, &["run", "--run-id", "slow"]);
    place.run(&["run", "--run-id", "fast"]).exits(0);
    let head = place.head();
    let (said, code) = slow.go_on();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("another run has just landed: task 001 in run fast"), "{said}");
    assert!(said.contains("start again"), "{said}");
    assert_eq!(place.head(), head);
    assert!(!place.project_dir().join("runs/slow").exists());
}

#[test]
fn a_run_of_the_same_name_that_began_after_the_checks_stays() {
    let mut place = twice_failed("exit 7");
    let slow = Checked::start(&place, &["run", "--run-id", "same"]);
    place.run(&["run", "--run-id", "same"]).exits(1);
    let run = place.project_dir().join("runs/same");
    fs::remove_file(run.join("orchestrator.jsonl")).unwrap();
    let (said, code) = slow.go_on();
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the run same exists already"), "{said}");
    assert!(run.join("state.json").is_file());
}

//! A run that is held in the middle of its agent for as long as a test wants.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
};

use mycelium_fixtures::{Fixture, pipe::open_while_alive};
use rustix::process::{Pid, Signal, kill_process};

use crate::{place::Place, plans::ONE};

/// The run, named `held`; its agent waits until [`HeldRun::release`].
pub(crate) struct HeldRun {
    child: Child,
    gate: File,
}

impl HeldRun {
    /// A place whose only task waits, and its run, which has reached the agent and says so in its journal.
    pub(crate) fn start() -> (Place, Self) {
        let place = Self::place();
        let mut run = Self::begin(&place, place.command(&["run", "--run-id", "held"]));
        let is_told = || {
            let journal = file_of_held(&place, "orchestrator.jsonl");
            journal.is_some_and(|journal| journal.contains(r#""type":"worker.start""#))
        };
        wait_until(&mut run.child, is_told);
        (place, run)
    }

    /// Such a place without a run.
    pub(crate) fn place() -> Place {
        let mut place = Place::new();
        place.run(&["init"]).exits(0);
        let gate = gate(&place);
        assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
        let config = format!(
            "integration_branch: main\ndoctor: {}\nworker:\n  agent: command\n  command: cat '{}' && echo one > src/one.js\n",
            Fixture::Toy.doctor(),
            gate.display()
        );
        place.write(".mycelium/config.yaml", &config);
        place.sandbox.set("MOCK_LLM_OUTPUT", ONE);
        place.run(&["plan", "--input", ".mycelium/plan.md"]).exits(0);
        place
    }

    /// Another run in the place of one that was killed for good.
    pub(crate) fn again(place: &Place, words: &[&str]) -> Self {
        let gate = gate(place);
        fs::remove_file(&gate).unwrap();
        assert!(Command::new("mkfifo").arg(&gate).status().unwrap().success());
        Self::begin(place, place.command(words))
    }

    /// Starts a run whose agent waits at the gate, and waits until it has reached it.
    #[track_caller]
    pub(crate) fn begin(place: &Place, mut run: Command) -> Self {
        let errors = place.outside().join("held-stderr");
        let said = File::create(&errors).unwrap();
        let child = run.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
        // The agent reads until the gate is closed again.
        let gate = open_when_read(&gate(place), &child, || fs::read_to_string(&errors).unwrap());
        Self { child, gate }
    }

    /// Sends a signal to the program alone.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Lets the agent go on and waits for the end of the run.
    pub(crate) fn release(mut self) -> Option<i32> {
        drop(self.gate);
        self.child.wait().unwrap().code()
    }

    /// Kills the run and lets its agent go on; the agents of `resume` do not wait any more.
    pub(crate) fn kill_for_good(self, place: &Place) {
        let gate = gate(place);
        let open = self.kill();
        fs::remove_file(&gate).unwrap();
        fs::write(&gate, "").unwrap();
        drop(open);
    }

    /// Kills the run, not its agent; that goes on waiting as long as what is returned lives.
    pub(crate) fn kill(mut self) -> File {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.gate
    }
}

/// Where the agent of such a run waits.
pub(crate) fn gate(place: &Place) -> PathBuf {
    place.outside().join("gate")
}

/// Opens a pipe to write as soon as the child, or what it started, opens it to read; panics with what the child said
/// where it ends before.
#[track_caller]
pub(crate) fn open_when_read(pipe: &Path, child: &Child, said: impl FnOnce() -> String) -> File {
    let opened = open_while_alive(pipe, child).unwrap();
    opened.unwrap_or_else(|| panic!("it ended before it read {}: {}", pipe.display(), said()))
}

/// A file of the run `held`; none where it is not there yet.
pub(crate) fn file_of_held(place: &Place, path: &str) -> Option<String> {
    let mut projects = fs::read_dir(place.sandbox.mycelium_home().join("projects")).ok()?;
    fs::read_to_string(projects.next()?.ok()?.path().join("runs/held").join(path)).ok()
}

/// Starts the program in the repository; nobody reads what it says.
pub(crate) fn start(place: &Place, words: &[&str]) -> Child {
    let mut command = place.command(words);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits, without a pause, until something is so; the program must not end before.
#[track_caller]
pub(crate) fn wait_until(child: &mut Child, so: impl Fn() -> bool) {
    while !so() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::yield_now();
    }
}

/// A watching command, whose lines are read one by one.
pub(crate) struct Watcher {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watcher {
    pub(crate) fn start(place: &Place, words: &[&str]) -> Self {
        let mut child = place
            .command(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Reads lines until one holds the text.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        let mut all = String::new();
        while !all.contains(text) {
            let read = self.lines.read_line(&mut all).unwrap();
            assert!(read > 0, "{text:?} was never said: {all}");
        }
        all
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// What else it says, and its exit code.
    pub(crate) fn end(mut self) -> (String, Option<i32>) {
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().code())
    }
}

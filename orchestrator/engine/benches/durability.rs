//! What a durable transition costs: `cargo bench -p mycelium-engine --bench durability [-- ROUNDS]`.
//!
//! A transition is a group of events appended to the journal, and `state.json` replaced. Beside it, in the same process
//! and taking turns with it, the least that keeps as much over a power cut: append, fdatasync; write beside, fsync,
//! rename. The goal is at most 1.5 times that. No test depends on it.
#![expect(clippy::print_stdout, reason = "a benchmark talks on standard output")]

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use mycelium_core::settle::Draft;
use mycelium_engine::{
    clock::Clock,
    journal::{EventFile, Journal},
    redact::Redactor,
    store,
};
use mycelium_schemas::{
    event::{EventKind, Local, RunStart, UsageUpdate, World},
    id::TaskId,
    state::Usage,
};

type Failed = Box<dyn std::error::Error>;

const ROUNDS: usize = 2000;
const TASKS: usize = 50;
const EVENTS: usize = 3;
const GOAL: f64 = 1.5;

fn main() -> Result<(), Failed> {
    let rounds = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(ROUNDS).max(1);
    // On the disk that holds the build: a folder for temporary files often lies in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let (ours, least) = (folder.path().join("ours"), folder.path().join("least"));
    fs::create_dir(&ours)?;
    fs::create_dir(&least)?;
    let (journal_path, state_path) = (ours.join("orchestrator.jsonl"), ours.join("state.json"));
    let tasks =
        (0..TASKS).map(|number| format!("{number:03}").parse()).collect::<Result<Vec<TaskId>, _>>()?;
    let mut journal = begin(&journal_path, &tasks)?;
    let mut appended = OpenOptions::new().create(true).append(true).open(least.join("journal"))?;

    let (mut ours_times, mut least_times) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
    let mut length = 0;
    for round in 0..rounds {
        let task = &tasks[round % TASKS];
        let begin = Instant::now();
        journal.append((0..EVENTS).map(|_| usage(task)).collect())?;
        store::write_view(&state_path, &journal.state().view())?;
        ours_times.push(begin.elapsed());

        let whole = fs::read(&journal_path)?;
        let (group, state) = (&whole[length..], fs::read(&state_path)?);
        length = whole.len();
        let begin = Instant::now();
        appended.write_all(group)?;
        appended.sync_data()?;
        replace(&least, &state)?;
        least_times.push(begin.elapsed());
    }
    let (ours, least) = (middle(ours_times), middle(least_times));
    let ratio = ours.as_secs_f64() / least.as_secs_f64();
    let shown = |time: Duration| format!("{:.3} ms", time.as_secs_f64() * 1e3);
    println!("a transition of {EVENTS} events and a state of {TASKS} tasks, {rounds} times");
    println!("journal and state   p50 {}", shown(ours));
    println!("the least           p50 {}", shown(least));
    println!("ratio               {ratio:.2} (at most {GOAL})");
    if ratio > GOAL { Err("a durable transition costs too much".into()) } else { Ok(()) }
}

fn begin(path: &Path, tasks: &[TaskId]) -> Result<Journal, Failed> {
    let (commit, digest) = ("1".repeat(40), "2".repeat(64));
    let start = Draft::run(EventKind::RunStart(RunStart {
        tasks: tasks.to_vec(),
        landed_before: Vec::new(),
        number: None,
        integration_branch: "main".to_owned(),
        base_commit: commit.parse()?,
        max_parallel: 4,
        config_digest: digest.clone(),
        doctor_digest: digest,
        world: World::Local,
        local: Local::default(),
    }));
    let file = EventFile::create(path, "bench".parse()?, Clock::Real, Redactor::default())?;
    Ok(Journal::begin(file, "bench".parse()?, start)?.0)
}

fn usage(task: &TaskId) -> Draft {
    let usage = Usage { input_tokens: 1200, output_tokens: 80, ..Usage::default() };
    let kind = EventKind::UsageUpdate(UsageUpdate {
        usage,
        validators: std::collections::BTreeMap::new(),
        agent_is_silent: false,
        task_total: usage,
        run_total: usage,
    });
    Draft { task: Some(task.clone()), attempt: Some(1), ..Draft::run(kind) }
}

fn replace(folder: &Path, content: &[u8]) -> std::io::Result<()> {
    let (temporary, path) = (folder.join("tmp"), folder.join("state.json"));
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, &path)
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

//! How long questions to a long log take: `cargo bench -p mycelium-engine --bench logs [-- LINES]`.
//!
//! Half of the lines are the journal's, half stand in the agents' own files. Each question is asked a few times over the
//! same files, in one process; the least and the middle time are told. The middle one of a narrow question is below a
//! second, or this is exit code 1. No test depends on them.
#![expect(clippy::print_stdout, reason = "a benchmark talks on standard output")]

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use mycelium_engine::{
    logs::{self, Filter, Query, Reader},
    project::Project,
    store::RunPaths,
};

type Failed = Box<dyn std::error::Error>;

const LINES: usize = 1_000_000;
const TASKS: usize = 100;
const ROUNDS: usize = 5;
/// What the middle time of a narrow question stays below.
const GOAL: Duration = Duration::from_secs(1);

fn main() -> Result<ExitCode, Failed> {
    let lines = std::env::args().find_map(|word| word.parse().ok()).unwrap_or(LINES);
    let home = tempfile::tempdir()?;
    let project = Project {
        root: home.path().to_owned(),
        config_path: home.path().join("config.yaml"),
        name: "bench".parse()?,
        home: home.path().to_owned(),
        home_in_checkout: false,
    };
    let run = "big".parse()?;
    let paths = RunPaths::new(&project, &run);
    let (written, bytes) = write_run(&paths, lines)?;
    println!("{written} lines, {} MB", bytes / 1_000_000);
    println!("{:<40} {:>9} {:>9} {:>9}", "question", "least", "middle", "found");

    let all = Query::default();
    let of_type = |glob: &str| Query { types: Some(glob.to_owned()), ..Query::default() };
    let of_task = Query { task: Some("042".parse()?), ..of_type("worker.exit") };
    let grep = Query { grep: Some("module_77 ".to_owned()), ..Query::default() };
    let mut missed = false;
    for (name, query, is_narrow) in [
        ("query --type run.complete", of_type("run.complete"), true),
        ("query --type '*.exit'", of_type("*.exit"), true),
        ("query --task 042 --type worker.exit", of_task, true),
        ("query --grep 'module_77 '", grep, true),
        ("query, every event", all.clone(), false),
    ] {
        let middle = measure(name, || {
            let mut reader = Reader::open(paths.clone(), Filter::new(&query, Timestamp::UNIX_EPOCH)?)?;
            let mut found = 0;
            while reader.next_entry()?.is_some() {
                found += 1;
            }
            Ok(found + reader.finish()?.0.len())
        })?;
        missed |= is_narrow && middle >= GOAL;
    }
    let filter = Filter::new(&all, Timestamp::UNIX_EPOCH)?;
    let failures = measure("failures", || Ok(logs::failures(&paths, &run, &filter, None)?.0.failures.len()))?;
    missed |= failures >= GOAL;
    measure("timeline", || Ok(logs::timeline(&paths, &run, &filter, None)?.0.spans.len()))?;
    if missed {
        println!("missed: a narrow question or `failures` takes {} s or more", GOAL.as_secs());
    }
    Ok(ExitCode::from(u8::from(missed)))
}

/// Asks a few times, tells the times and gives the middle one.
fn measure(name: &str, mut ask: impl FnMut() -> Result<usize, Failed>) -> Result<Duration, Failed> {
    let mut times = Vec::with_capacity(ROUNDS);
    let mut found = 0;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        found = ask()?;
        times.push(begin.elapsed());
    }
    times.sort();
    let shown = |time: Duration| format!("{:.3} s", time.as_secs_f64());
    println!("{name:<40} {:>9} {:>9} {found:>9}", shown(times[0]), shown(times[ROUNDS / 2]));
    Ok(times[ROUNDS / 2])
}

/// Writes a run of that many lines; one task in ten fails. Gives lines and bytes.
fn write_run(paths: &RunPaths, lines: usize) -> Result<(usize, u64), Failed> {
    let of_task = (lines / TASKS / 2).saturating_sub(3).max(1);
    fs::create_dir_all(&paths.run_dir)?;
    let mut journal = Log::create(&paths.journal)?;
    let mut written = 0;
    let commit = "1".repeat(40);
    journal.line(
        "run.start",
        "",
        &format!(
            r#"{{"tasks":[],"integration_branch":"main","base_commit":"{commit}","max_parallel":1,"config_digest":"{commit}","doctor_digest":"{commit}","local":{{}}}}"#
        ),
    )?;
    let mut bytes = 0;
    for task in 0..TASKS {
        let id = format!("{task:03}");
        let who = format!(r#""task_id":"{id}","attempt":1,"#);
        let dir = paths.attempt(&id.parse()?, 1);
        fs::create_dir_all(&dir)?;
        let mut own = Log::create(&dir.join("events.jsonl"))?;
        own.time = journal.time;
        journal.line("task.start", &who, &format!(r#"{{"base_commit":"{commit}"}}"#))?;
        journal.line("worker.start", &who, r#"{"agent":"mock","local":{}}"#)?;
        for number in 0..of_task {
            own.line(
                "agent.event",
                &who,
                &format!(r#"{{"event":{{"type":"item.completed","text":"reading src/module_{number} and changing the function that parses a header"}}}}"#),
            )?;
            journal.line(
                "usage.update",
                &who,
                r#"{"usage":{"input_tokens":100,"cached_input_tokens":0,"output_tokens":5},"local":{}}"#,
            )?;
        }
        let code = u8::from(task % 10 == 0);
        journal.line(
            "worker.exit",
            &who,
            &format!(r#"{{"reason":"exited","exit_code":{code},"local":{{}}}}"#),
        )?;
        written += own.seq;
        bytes += own.close()?;
    }
    journal.line("run.complete", "", &format!(r#"{{"head_commit":"{commit}"}}"#))?;
    written += journal.seq;
    bytes += journal.close()?;
    Ok((written, bytes))
}

/// A file of events a millisecond apart.
struct Log {
    file: BufWriter<File>,
    seq: usize,
    time: Timestamp,
}

impl Log {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), seq: 0, time: Timestamp::UNIX_EPOCH })
    }

    fn line(&mut self, kind: &str, who: &str, payload: &str) -> Result<(), Failed> {
        self.seq += 1;
        self.time = self.time.checked_add(SignedDuration::from_millis(1))?;
        let (time, seq) = (self.time, self.seq);
        writeln!(
            self.file,
            r#"{{"v":1,"ts":"{time:.3}","seq":{seq},"run_id":"big",{who}"type":"{kind}","payload":{payload}}}"#
        )?;
        Ok(())
    }

    fn close(self) -> io::Result<u64> {
        Ok(self.file.into_inner().map_err(io::IntoInnerError::into_error)?.metadata()?.len())
    }
}

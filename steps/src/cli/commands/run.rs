//! `accept run`: lint, build, run, report.

use std::{
    num::NonZeroUsize,
    path::PathBuf,
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mycelium_schemas::{goal::gates::ProfileName, messages::TestStepResultStatus as Status};

use super::{
    lint::{self, counted},
    report,
};
use crate::{
    catalogue::CATALOGUE,
    cli::{
        args::{FilterArgs, RunArgs},
        console::{Console, Tone},
        error::CliError,
        judge::{Question, Wanted, judge},
        program::Program,
        project::Project,
        summary::{RunSummary, rerun, status_word},
    },
    context::Lane,
    runner::{
        self, Facts, Filter, Interrupt, Library, OutLock, RunError, RunResult, ScenarioResult, Settings,
        signal, store,
    },
    world::MyceliumWorld,
};

/// Limit of a step without a `@timeout` tag.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);
/// Limit of a scenario without that tag.
const SCENARIO_TIMEOUT: Duration = Duration::from_secs(300);

/// What to run, decided.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) filter: FilterArgs,
    pub(super) lane: Lane,
    pub(super) jobs: Option<NonZeroUsize>,
    pub(super) seed: Option<u64>,
    pub(super) fail_fast: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) bin: Option<PathBuf>,
    pub(super) keep: bool,
    pub(super) scratch: PathBuf,
    pub(super) out: PathBuf,
}

/// How far a run came.
#[derive(Debug)]
pub(super) enum Ran {
    /// The lint refused it.
    Refused { exit_code: u8 },
    /// It took place.
    Done(Box<Done>),
}

/// A run that took place.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) exit_code: u8,
    pub(super) program: Program,
    pub(super) out: PathBuf,
    pub(super) seed: u64,
    pub(super) result: RunResult,
    /// Held until the reports are written, too.
    pub(super) lock: OutLock,
}

pub(in crate::cli) fn run(console: &Console, args: RunArgs, scratch: PathBuf) -> Result<u8, CliError> {
    if let Some(option) = args.later.given() {
        return Err(CliError::Unavailable(format!("accept run {option}")));
    }
    let project = Project::locate()?;
    let request = Request {
        filter: args.filter,
        lane: args.world,
        jobs: args.jobs,
        seed: args.seed,
        fail_fast: args.fail_fast,
        timeout: args.timeout,
        bin: args.bin.map(|path| project.resolve(&path)),
        keep: args.keep,
        scratch,
        out: project.resolve(&args.out.out),
    };
    match conduct(console, &project, request)? {
        Ran::Refused { exit_code } => Ok(exit_code),
        Ran::Done(done) => {
            let Done { exit_code, program, out, seed, result, lock: _lock } = *done;
            let question = Question {
                out: &out,
                profile: ProfileName::Local,
                binary_digest: Some(program.digest),
                results: Wanted::Required,
            };
            let written = report::write(&judge(&project, question)?, &out)?;
            console.say(format_args!("report: {}", written.display()));
            console.document(&RunSummary::of_run(&result, exit_code, seed, &out))?;
            Ok(exit_code)
        }
    }
}

/// Lints, builds and runs; tells how it goes.
pub(super) fn conduct(console: &Console, project: &Project, request: Request) -> Result<Ran, CliError> {
    let mut lock = OutLock::take(&request.out)?;
    // Before anything can be refused: nobody may take an earlier run for this one.
    store::clear(&request.out).map_err(RunError::from)?;
    let targets = project.targets(request.filter.targets);
    let paths: Vec<PathBuf> = targets.iter().map(|target| target.path.clone()).collect();
    let suite = project.suite(&paths)?;
    let library = Library::<MyceliumWorld>::load(CATALOGUE)?;
    let problems = lint::check(project, &suite, &library)?;
    if !problems.is_empty() {
        let exit_code = lint::exit_code(&problems);
        lint::tell(console, &problems);
        console.say("nothing was run");
        console.document(&RunSummary::of_lint(&problems, exit_code))?;
        return Ok(Ran::Refused { exit_code });
    }
    let filter = Filter { targets, tags: request.filter.tags, name: request.filter.name, any_lane: false };
    filter.check_lines(&suite)?;
    let program = Program::take(&project.root, request.bin, &request.scratch)?;
    let tree = project.tree();
    lock.create()?;
    let seed = request.seed.unwrap_or_else(new_seed);
    let settings = Settings {
        bin: program.path.clone(),
        lane: request.lane,
        jobs: request.jobs.unwrap_or_else(default_jobs),
        seed,
        step_timeout: STEP_TIMEOUT,
        scenario_timeout: SCENARIO_TIMEOUT,
        run_timeout: request.timeout,
        fail_fast: request.fail_fast,
        keep: request.keep,
        scratch: request.scratch,
        out: request.out.clone(),
        facts: Facts {
            tree: tree.id,
            dirty: tree.dirty,
            binary_digest: program.digest.clone(),
            binary_version: program.version.clone(),
        },
    };
    console.say(format_args!("seed {seed}, {} at a time", counted(settings.jobs.get(), "scenario")));
    let tell = |scenario: &ScenarioResult, to_come: usize| tell_progress(console, scenario, to_come);
    let result = runner::run(&library, &suite, &filter, &settings, signal::listen, tell)?;
    tell_result(console, &result, seed);
    let exit_code = result.interrupted.map_or_else(|| u8::from(!result.passed()), Interrupt::exit_code);
    Ok(Ran::Done(Box::new(Done { exit_code, program, out: request.out, seed, result, lock })))
}

fn tell_progress(console: &Console, scenario: &ScenarioResult, to_come: usize) {
    let tone = if scenario.status == Status::Passed { Tone::Good } else { Tone::Bad };
    let seconds = scenario.duration.as_secs_f64();
    console.say(format_args!(
        "{:<6} {}  {} {}",
        console.paint(tone, status_word(scenario)),
        scenario.place,
        scenario.name,
        console.paint(Tone::Dim, &format!("({seconds:.1} s, {to_come} to come)")),
    ));
}

fn tell_result(console: &Console, result: &RunResult, seed: u64) {
    for scenario in &result.scenarios {
        if scenario.failure.is_some() {
            console.say(failure_card(console, scenario, seed));
        }
    }
    let passed = result.scenarios.iter().filter(|scenario| scenario.status == Status::Passed).count();
    console.say(format_args!("\n{} ran, {passed} passed", counted(result.scenarios.len(), "scenario")));
    for note in &result.notes {
        console.say(format_args!("note: {note}"));
    }
    for cause in &result.causes {
        console.say(format_args!("{} {cause}", console.paint(Tone::Bad, "failed:")));
    }
    if let Some(interrupt) = result.interrupted {
        console.say(format_args!("ended by {interrupt}; what is known so far was written"));
    }
}

/// All that somebody needs who did not see it happen.
fn failure_card(console: &Console, scenario: &ScenarioResult, seed: u64) -> String {
    let Some(failure) = &scenario.failure else { return String::new() };
    let mut lines = vec![
        String::new(),
        format!("{} {}", console.paint(Tone::Bad, "FAILED"), scenario.name),
        format!("  at {}", failure.place),
        format!("     {}", failure.step),
        String::new(),
    ];
    lines.extend(failure.message.lines().map(|line| format!("  {line}")));
    if let Some(place) = &failure.code_place {
        lines.push(format!("  in the step's code: {place}"));
    }
    if !failure.log.is_empty() {
        lines.extend([String::new(), "  last lines of its log:".to_owned()]);
        lines.extend(failure.log.iter().map(|line| format!("  | {line}")));
    }
    lines.push(String::new());
    if let Some(kept) = &scenario.kept {
        lines.push(format!("  its folder: {}", kept.display()));
    }
    lines.push(format!("  run it again: {}", rerun(scenario, seed)));
    lines.join("\n")
}

fn default_jobs() -> NonZeroUsize {
    // Scenarios mostly wait for processes.
    thread::available_parallelism()
        .unwrap_or(NonZeroUsize::MIN)
        .saturating_mul(NonZeroUsize::MIN.saturating_add(1))
}

/// Short enough to be typed, and another one each time.
fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_micros()) % 100_000
}

//! One scenario on a thread and a single-threaded runtime that no other uses meanwhile, with a world of its own, so that
//! its steps may block without holding up any other. A thread whose scenario left nothing behind takes the next one.

use std::{
    ffi::OsString,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Instant, SystemTime},
};

use mycelium_fixtures::{containers::Containers, sandbox::Locality};
use mycelium_schemas::evidence::Polarity;
use tokio::runtime::Runtime;

use super::{
    any_world::{AnyWorld, Worlds},
    attempt::Begun,
    case::{Binding, Call, Case, CaseStep},
    events::Desk,
    leftovers,
    limits::Limits,
    panic,
};
use crate::{
    catalogue::Keyword,
    context::{Context, Ending, Ground, Lane, Record, Recorder, Scratch},
};

/// When something happened: for the stream, and for what is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) clock: SystemTime,
    pub(super) instant: Instant,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { clock: SystemTime::now(), instant: Instant::now() }
    }
}

/// What a scenario's thread tells.
#[derive(Debug)]
pub(super) enum Progress {
    /// The scenario begins.
    Begun(Begun),
    /// It has no step to begin with.
    Empty,
    /// A step begins.
    StepStarted { step: usize, at: Moment },
    /// A step ended.
    StepFinished { step: usize, report: StepReport, at: Moment },
    /// The scenario ended.
    Ended(Ended),
}

impl Progress {
    /// Whether it holds more than a few words.
    pub(super) fn is_heavy(&self) -> bool {
        matches!(self, Self::StepFinished { report, .. } if !report.records.is_empty())
    }
}

/// How a scenario ended: its world is gone.
#[derive(Debug)]
pub(super) struct Ended {
    /// What went wrong while the world was dropped.
    pub(super) teardown: Option<String>,
    /// Whether the thread takes another scenario.
    pub(super) goes_on: bool,
    /// What it began and did not wait for.
    pub(super) unended: Vec<String>,
    /// The command lines of processes that outlived it, and were ended.
    pub(super) left: Vec<String>,
    /// What stood beside the scenarios' folders then.
    pub(super) beside: Vec<OsString>,
}

/// How a step went.
#[derive(Debug)]
pub(super) struct StepReport {
    pub(super) outcome: StepOutcome,
    pub(super) duration: std::time::Duration,
    pub(super) records: Vec<Record>,
    /// Whether the next step is run, whatever came out of this one.
    pub(super) goes_on: bool,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StepOutcome {
    Passed,
    Undefined,
    Ambiguous(String),
    Pending(Option<String>),
    Skipped(Option<String>),
    NotRun(String),
    Failed { message: String, place: Option<String> },
}

impl StepOutcome {
    fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into(), place: None }
    }
}

/// What every scenario of a run works with.
#[derive(Debug)]
pub(super) struct Surroundings {
    pub(super) bin: PathBuf,
    pub(super) lane: Lane,
    /// Where scenarios get their folders.
    pub(super) ground: Ground,
    /// What programs find around them.
    pub(super) locality: Locality,
    /// How long steps and scenarios may take.
    pub(super) limits: Limits,
    /// What containers run at, in their lane; or why there is nothing.
    pub(super) containers: Option<Result<Containers, String>>,
    /// Starts no further scenario after one failed.
    pub(super) fail_fast: bool,
    /// Also runs the Thens directly behind one that failed.
    pub(super) every_then: bool,
}

/// A thread that runs scenarios, one after the other, as long as the desk has one for it.
pub(super) struct Worker {
    pub(super) desk: Desk,
    pub(super) worlds: Arc<dyn Worlds>,
    pub(super) cases: Arc<Vec<Case>>,
    pub(super) surroundings: Arc<Surroundings>,
}

impl Worker {
    /// Starts the thread.
    pub(super) fn start(self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("scenarios".to_owned()).spawn(move || self.work(&runtime))?;
        Ok(())
    }

    fn work(self, runtime: &Runtime) {
        panic::watch_this_thread();
        let mut context = self.context();
        let mut next = self.desk.begin(|number| self.begun(number, &context));
        while let Some(number) = next {
            let case = &self.cases[number];
            let (scratch, recorder) = (context.scratch.clone(), context.recorder.clone());
            let limit = self.surroundings.limits.of(case.timeout).step;
            Context { limit, ..context }.enter();
            let report = |progress| self.desk.report(number, progress);
            let Ran { failed, passed, teardown } = run_steps(
                runtime,
                self.worlds.as_ref(),
                case,
                self.surroundings.every_then,
                &recorder,
                &report,
            );
            let records = recorder.take();
            let teardown = teardown.or_else(|| left_behind(&records));
            // A task that outlives its scenario must not meet the next one; it goes with its runtime.
            let goes_on = teardown.is_none() && runtime.metrics().num_alive_tasks() == 0;
            // One that failed did not come to the steps that end what it began.
            let unended = if passed { unended(records) } else { Vec::new() };
            let folder = scratch.made();
            let left = folder.as_deref().map_or_else(Vec::new, |folder| end_processes(folder, passed));
            // One that did not ask for its folder does not know where the others are.
            let beside = folder.map_or_else(Vec::new, |_| self.surroundings.ground.beside());
            let ended = Ended { teardown, goes_on, unended, left, beside };
            context = self.context();
            let stop = failed && self.surroundings.fail_fast;
            next = self.desk.go_on(number, ended, stop, |number| self.begun(number, &context));
        }
    }

    fn begun(&self, number: usize, context: &Context) -> Progress {
        if self.cases[number].steps.is_empty() {
            return Progress::Empty;
        }
        let (scratch, recorder) = (context.scratch.clone(), context.recorder.clone());
        Progress::Begun(Begun { scratch, recorder, at: Moment::now() })
    }

    /// That of a new scenario.
    fn context(&self) -> Context {
        Context {
            bin: self.surroundings.bin.clone(),
            lane: self.surroundings.lane,
            scratch: Scratch::within(self.surroundings.ground.clone()),
            locality: self.surroundings.locality.clone(),
            containers: self.surroundings.containers.clone(),
            recorder: Recorder::default(),
            limit: self.surroundings.limits.of(None).step,
        }
    }
}

/// What a world said of what it began and did not wait for.
fn unended(records: Vec<Record>) -> Vec<String> {
    let unended = |record| if let Record::Unended(what) = record { Some(what) } else { None };
    records.into_iter().filter_map(unended).collect()
}

/// Ends what still runs in the folder of a scenario that is over. Where that passed, the processes have time to end by
/// themselves; returns the command lines of those that did not.
fn end_processes(folder: &Path, passed: bool) -> Vec<String> {
    let lasting = if passed { leftovers::lasting(folder) } else { Vec::new() };
    if !passed || !lasting.is_empty() {
        leftovers::kill_inside(folder);
    }
    lasting.into_iter().map(|process| process.command).collect()
}

/// How the steps of a scenario went.
struct Ran {
    /// One of them failed, which is more than not to pass.
    failed: bool,
    passed: bool,
    /// What went wrong while the world was dropped.
    teardown: Option<String>,
}

/// Runs the steps up to the first that does not pass, or the last Then behind it, and drops the world.
fn run_steps(
    runtime: &Runtime,
    worlds: &dyn Worlds,
    case: &Case,
    every_then: bool,
    recorder: &Recorder,
    report: &impl Fn(Progress) -> bool,
) -> Ran {
    let mut world = None;
    let (mut failed, mut all_passed) = (false, true);
    for (number, step) in case.steps.iter().enumerate() {
        if !report(Progress::StepStarted { step: number, at: Moment::now() }) {
            break;
        }
        let started = Instant::now();
        let (outcome, definition) = run_step(runtime, worlds, &mut world, step);
        let records = recorder.take();
        let outcome = match (outcome, definition, not_run(&records)) {
            (_, _, Some(why)) => StepOutcome::NotRun(why),
            (StepOutcome::Passed, Some(definition), None) => judge_ledger(definition, &records),
            (outcome, _, None) => outcome,
        };
        all_passed &= outcome == StepOutcome::Passed;
        failed |= !matches!(outcome, StepOutcome::Passed | StepOutcome::NotRun(_));
        // Behind a failed Then the world is what it was; behind anything else nothing can be looked at.
        let is_then = |step: &CaseStep| step.meaning.binding.is_then();
        let looked = is_then(step) && matches!(outcome, StepOutcome::Passed | StepOutcome::Failed { .. });
        let goes_on = all_passed || (every_then && looked && case.steps.get(number + 1).is_some_and(is_then));
        let finished = StepReport { outcome, duration: started.elapsed(), records, goes_on };
        if !report(Progress::StepFinished { step: number, report: finished, at: Moment::now() }) || !goes_on {
            break;
        }
    }
    let _in_runtime = runtime.enter();
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(world)));
    let noted = panic::take_noted();
    let teardown = (dropped.is_err() || !noted.is_empty()).then(|| {
        noted.first().map_or_else(
            || "the world panicked while it was dropped".to_owned(),
            |panic| format!("{} ({})", panic.message, panic.place),
        )
    });
    Ran { failed, passed: all_passed, teardown }
}

type Definition = &'static crate::catalogue::Definition;

fn run_step(
    runtime: &Runtime,
    worlds: &dyn Worlds,
    world: &mut Option<Box<dyn AnyWorld>>,
    step: &CaseStep,
) -> (StepOutcome, Option<Definition>) {
    let call = match &step.meaning.binding {
        Binding::Undefined => return (StepOutcome::Undefined, None),
        Binding::Ambiguous(definitions) => {
            let places: Vec<String> = definitions
                .iter()
                .map(|d| format!("{} {} ({})", d.keyword, d.expression, d.place()))
                .collect();
            return (StepOutcome::Ambiguous(places.join("\n")), None);
        }
        Binding::Call(call) => call,
    };
    let definition = call.definition;
    let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(call_step(worlds, world, step, call))));
    let noted = panic::take_noted();
    let outcome = match (result, noted.last()) {
        (Ok(Ok(())), None) => StepOutcome::Passed,
        (Ok(Err(message)), _) => StepOutcome::failed(format!("the world could not be made: {message}")),
        // A task that the step spawned panicked: the runtime swallowed it, the hook did not.
        (Ok(Ok(())), Some(panic)) => StepOutcome::Failed {
            message: format!("a task that the step started panicked: {}", panic.message),
            place: Some(panic.place.clone()),
        },
        (Err(_), Some(panic)) => {
            StepOutcome::Failed { message: panic.message.clone(), place: Some(panic.place.clone()) }
        }
        // Unwinding without a panic: `resume_unwind` runs no hook.
        (Err(payload), None) => match payload.downcast_ref::<Ending>() {
            Some(Ending::Pending(why)) => StepOutcome::Pending(why.clone()),
            Some(Ending::Skipped(why)) => StepOutcome::Skipped(why.clone()),
            None => StepOutcome::failed(panic::message(payload.as_ref())),
        },
    };
    (outcome, Some(definition))
}

async fn call_step(
    worlds: &dyn Worlds,
    world: &mut Option<Box<dyn AnyWorld>>,
    step: &CaseStep,
    call: &Call,
) -> Result<(), String> {
    let world = match world {
        Some(world) => world,
        None => world.insert(worlds.make().await?),
    };
    world.carry_out(call.function, step.context(call)).await;
    Ok(())
}

/// What outlives the world, where it said so.
fn left_behind(records: &[Record]) -> Option<String> {
    let left: Vec<&str> = records
        .iter()
        .filter_map(|record| match record {
            Record::LeftBehind(what) => Some(what.as_str()),
            _ => None,
        })
        .collect();
    (!left.is_empty()).then(|| format!("it left behind {}", left.join(", ")))
}

/// Why the machine cannot run the scenario, where a step said so.
fn not_run(records: &[Record]) -> Option<String> {
    records.iter().find_map(|record| match record {
        Record::NotRun(why) => Some(why.clone()),
        _ => None,
    })
}

/// A step that passed is held to its assertions: a `Then` proves nothing unless it recorded one, a negative one unless
/// one of them is negative, and none may have failed unnoticed.
fn judge_ledger(definition: Definition, records: &[Record]) -> StepOutcome {
    let assertions = || {
        records.iter().filter_map(|record| {
            if let Record::Assertion(assertion) = record { Some(assertion) } else { None }
        })
    };
    if let Some(broken) = assertions().find(|assertion| !assertion.held) {
        return StepOutcome::failed(format!(
            "the step passed although its assertion {} did not hold",
            broken.name()
        ));
    }
    if definition.keyword == Keyword::Then && assertions().next().is_none() {
        return StepOutcome::failed("the step recorded no assertion, so it proves nothing");
    }
    if definition.is_negative() && !assertions().any(|assertion| assertion.polarity == Polarity::MustNot) {
        return StepOutcome::failed(format!(
            "the step is named {}, but recorded no assertion of what must not happen",
            definition.function
        ));
    }
    StepOutcome::Passed
}

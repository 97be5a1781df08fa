//! One scenario on a thread and a single-threaded runtime that no other uses meanwhile, with a world of its own, so that
//! its steps may block without holding up any other. A thread whose scenario left nothing behind takes the next one.

use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{self, Sender},
    thread,
    time::{Instant, SystemTime},
};

use cucumber::World;
use mycelium_schemas::evidence::Polarity;
use tokio::runtime::Runtime;

use super::{
    case::{Binding, Call},
    events::Reporter,
    panic,
};
use crate::{
    catalogue::Keyword,
    context::{Context, Ending, Record, Recorder},
};

/// What a scenario's thread tells.
#[derive(Debug)]
pub(super) enum Progress {
    /// A step begins.
    StepStarted { step: usize, at: SystemTime },
    /// A step ended.
    StepFinished { step: usize, report: StepReport, at: SystemTime },
    /// The world is gone; with what went wrong while it was dropped, and whether the thread takes another scenario.
    Ended { teardown: Option<String>, goes_on: bool },
}

/// How a step went.
#[derive(Debug)]
pub(super) struct StepReport {
    pub(super) outcome: StepOutcome,
    pub(super) duration: std::time::Duration,
    pub(super) records: Vec<Record>,
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

/// A scenario to run.
pub(super) struct Job<W> {
    pub(super) number: usize,
    pub(super) bindings: Vec<Binding<W>>,
    pub(super) context: Context,
}

/// A thread that runs scenarios, one after the other. It ends when this is dropped and it has nothing to do.
pub(super) struct Worker<W>(Sender<Job<W>>);

impl<W: World> Worker<W> {
    /// Starts the thread; it reports through the channel, each report with the scenario's number.
    pub(super) fn start(reporter: Reporter) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (sender, jobs) = mpsc::channel::<Job<W>>();
        let work = move || {
            panic::watch_this_thread();
            for Job { number, bindings, context } in jobs {
                let recorder = context.recorder.clone();
                context.enter();
                // The collector is gone only when the run is over; then nobody waits for this scenario.
                let send = |progress| reporter.send(number, progress);
                let teardown = run_steps::<W>(&runtime, bindings, &recorder, &send);
                // A task that outlives its scenario must not meet the next one; it goes with its runtime.
                let goes_on = teardown.is_none() && runtime.metrics().num_alive_tasks() == 0;
                send(Progress::Ended { teardown, goes_on });
                if !goes_on {
                    break;
                }
            }
        };
        thread::Builder::new().name("scenarios".to_owned()).spawn(work)?;
        Ok(Self(sender))
    }

    /// Hands it a scenario.
    pub(super) fn run(&self, job: Job<W>) -> io::Result<()> {
        self.0.send(job).map_err(|_| io::Error::other("the thread of the scenario is gone"))
    }
}

/// Runs the steps up to the first that does not pass; returns what went wrong while the world was dropped.
fn run_steps<W: World>(
    runtime: &Runtime,
    bindings: Vec<Binding<W>>,
    recorder: &Recorder,
    send: &impl Fn(Progress) -> bool,
) -> Option<String> {
    let mut world: Option<W> = None;
    for (step, binding) in bindings.into_iter().enumerate() {
        if !send(Progress::StepStarted { step, at: SystemTime::now() }) {
            break;
        }
        let started = Instant::now();
        let outcome = run_step(runtime, &mut world, binding);
        let records = recorder.take();
        let (outcome, definition) = outcome;
        let outcome = match (outcome, definition, not_run(&records)) {
            (_, _, Some(why)) => StepOutcome::NotRun(why),
            (StepOutcome::Passed, Some(definition), None) => judge_ledger(definition, &records),
            (outcome, _, None) => outcome,
        };
        let passed = outcome == StepOutcome::Passed;
        let report = StepReport { outcome, duration: started.elapsed(), records };
        if !send(Progress::StepFinished { step, report, at: SystemTime::now() }) || !passed {
            break;
        }
    }
    let _in_runtime = runtime.enter();
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(world)));
    let noted = panic::take_noted();
    (dropped.is_err() || !noted.is_empty()).then(|| {
        noted.first().map_or_else(
            || "the world panicked while it was dropped".to_owned(),
            |panic| format!("{} ({})", panic.message, panic.place),
        )
    })
}

type Definition = &'static crate::catalogue::Definition;

fn run_step<W: World>(
    runtime: &Runtime,
    world: &mut Option<W>,
    binding: Binding<W>,
) -> (StepOutcome, Option<Definition>) {
    let call = match binding {
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
    let result = catch_unwind(AssertUnwindSafe(|| runtime.block_on(call_step(world, call))));
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

async fn call_step<W: World>(world: &mut Option<W>, call: Call<W>) -> Result<(), String> {
    let world = match world {
        Some(world) => world,
        // `{:#}` prints an error with its causes.
        None => world.insert(W::new().await.map_err(|error| format!("{error:#}"))?),
    };
    (call.function)(world, call.context).await;
    Ok(())
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
        records.iter().filter_map(|record| match record {
            Record::Assertion(assertion) => Some(assertion),
            Record::Evidence { .. } | Record::Shown(_) | Record::Log(_) | Record::NotRun(_) => None,
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

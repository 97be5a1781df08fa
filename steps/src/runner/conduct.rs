//! Conducts a run: starts scenarios up to the number of jobs, listens to their threads, gives up those that hang, and
//! tells everything to the message stream, which is completed whatever happens.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ffi::OsString,
    fs, io,
    num::NonZeroUsize,
    os::unix::ffi::OsStrExt,
    path::PathBuf,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use cucumber::World;
use mycelium_gherkin::IdGenerator;
use mycelium_schemas::{
    evidence::{Planned, RunInfo},
    messages::TestStepResultStatus as Status,
};
use tempfile::TempDir;

use super::{
    attempt::{Attempt, Limits},
    case::{Binding, Case, Place},
    events::{self, Event, Interrupter, Reporter},
    leftovers,
    order::shuffle,
    outcome::{Cause, RunResult, ScenarioResult},
    panic,
    scenario::{Job, Progress, Worker},
    select::Filter,
    store::{Store, StoreError},
    suite::Suite,
    transcript::{self, CaseIds},
    vocabulary::Library,
};
use crate::context::{Context, Lane};

/// What the names of scenarios' folders begin with.
const SCENARIO_PREFIX: &str = "scenario-";

/// What a run is told about its surroundings and put into its stream.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Tree of the repository under test.
    pub tree: Option<String>,
    /// Whether the working tree differs from it.
    pub dirty: bool,
    /// SHA-256 of the program under test.
    pub binary_digest: String,
    /// Its `--version --json` answer.
    pub binary_version: serde_json::Value,
}

/// How to run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program under test.
    pub bin: PathBuf,
    /// Where scenarios run.
    pub lane: Lane,
    /// Scenarios at a time.
    pub jobs: NonZeroUsize,
    /// Seed of their order.
    pub seed: u64,
    /// Limit of a step, where its scenario has no `@timeout` tag.
    pub step_timeout: Duration,
    /// Limit of a scenario without such a tag.
    pub scenario_timeout: Duration,
    /// Limit of the run.
    pub run_timeout: Option<Duration>,
    /// Starts no further scenario after one failed.
    pub fail_fast: bool,
    /// Keeps the folders of scenarios that passed, too.
    pub keep: bool,
    /// Where scenarios get their folders: outside of any repository.
    pub scratch: PathBuf,
    /// The output folder.
    pub out: PathBuf,
    /// What the stream says of the surroundings.
    pub facts: Facts,
}

/// The run could not be conducted; a failure of scenarios is a result, not an error.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Writing the output failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A scenario's folder, thread or runtime could not be made.
    #[error("cannot start the scenario at {place}")]
    Start {
        /// The scenario.
        place: Place,
        /// Why.
        source: io::Error,
    },
    /// The signals of this process cannot be listened to.
    #[error("cannot listen to signals")]
    Signals(#[source] io::Error),
}

/// Runs the selected scenarios of a suite. `prepare` gets the means to end the run early, `tell` each scenario's result
/// as it comes, with the number of those to come.
pub fn run<W: World>(
    library: &Library<W>,
    suite: &Suite,
    filter: &Filter,
    settings: &Settings,
    prepare: impl FnOnce(Interrupter) -> io::Result<()>,
    tell: impl FnMut(&ScenarioResult, usize),
) -> Result<RunResult, RunError> {
    panic::install_hook();
    // What panicked before belongs to no run.
    panic::take_stray();
    let (interrupter, reporter, events) = events::channel();
    let prepared = prepare(interrupter.clone()).map_err(RunError::Signals);
    let mut store = Store::open(&settings.out)?;
    let mut ids = suite.ids.clone();
    let cases: Vec<Case<W>> = filter
        .select(suite, settings.lane)
        .into_iter()
        .map(|(feature, pickle)| Case::new(library, feature, pickle))
        .collect();
    let definition_ids = transcript::prologue(&mut store, &mut ids, suite, library.vocabulary())?;
    let run_id = transcript::begin(&mut store, &mut ids)?;
    if let Err(error) = prepared {
        transcript::abort(&mut store, &run_id, &error)?;
        store.finish()?;
        return Err(error);
    }
    let case_ids =
        transcript::cases(&mut store, &mut ids, library.vocabulary(), &definition_ids, &run_id, &cases)?;
    let mut queue: Vec<usize> = (0..cases.len()).collect();
    shuffle(&mut queue, settings.seed);
    let mut conductor = Conductor {
        settings,
        cases,
        case_ids,
        ids,
        queue: queue.into(),
        running: BTreeMap::new(),
        busy: BTreeMap::new(),
        idle: Vec::new(),
        store,
        interrupter,
        reporter,
        result: RunResult {
            scenarios: Vec::new(),
            not_started: Vec::new(),
            causes: Vec::new(),
            interrupted: None,
            notes: Vec::new(),
        },
        stopped_by_failure: false,
        ended: BTreeMap::new(),
        beside: BTreeSet::new(),
        tell,
    };
    match conductor.conduct(&events) {
        Ok(()) => conductor.conclude(&events, &run_id, filter),
        Err(error) => Err(conductor.abort(&run_id, error)),
    }
}

struct Conductor<'a, W, T> {
    settings: &'a Settings,
    cases: Vec<Case<W>>,
    case_ids: Vec<CaseIds>,
    ids: IdGenerator,
    queue: VecDeque<usize>,
    running: BTreeMap<usize, Attempt>,
    /// The threads of the running scenarios.
    busy: BTreeMap<usize, Worker<W>>,
    /// Threads that wait for a scenario.
    idle: Vec<Worker<W>>,
    store: Store,
    interrupter: Interrupter,
    reporter: Reporter,
    result: RunResult,
    stopped_by_failure: bool,
    /// The folders of scenarios that passed.
    ended: BTreeMap<OsString, Place>,
    /// What stands beside the scenarios' folders and is known.
    beside: BTreeSet<OsString>,
    tell: T,
}

impl<W: World, T: FnMut(&ScenarioResult, usize)> Conductor<'_, W, T> {
    fn conduct(&mut self, events: &Receiver<Event>) -> Result<(), RunError> {
        self.beside.extend(self.strangers());
        let end = self.settings.run_timeout.map(|limit| (Instant::now() + limit, limit));
        loop {
            if let Some((_, limit)) = end.filter(|(end, _)| *end <= Instant::now()) {
                self.result.causes.push(Cause::RunTimedOut(limit));
                return self
                    .give_up_all(&format!("not finished: the run timed out after {}", seconds(limit)));
            }
            while self.running.len() < self.settings.jobs.get() && !self.stopped_by_failure {
                let Some(number) = self.queue.pop_front() else { break };
                self.start(number)?;
            }
            let Some(deadline) = self.running.values().map(Attempt::deadline).min() else { return Ok(()) };
            let deadline = end.map_or(deadline, |(end, _)| end.min(deadline));
            match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Event::Report(number, progress)) => self.take(number, progress)?,
                Ok(Event::Interrupted(interrupt)) => {
                    self.result.interrupted = Some(interrupt);
                    return self.give_up_all(&format!("not finished: the run was ended by {interrupt}"));
                }
                // Disconnected is impossible, because the conductor holds a reporter.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => self.give_up_late()?,
            }
        }
    }

    fn start(&mut self, number: usize) -> Result<(), RunError> {
        let case = &self.cases[number];
        if case.steps.is_empty() {
            self.result.causes.push(Cause::NoSteps(case.place.clone()));
            return Ok(());
        }
        let cannot_start = |source| RunError::Start { place: case.place.clone(), source };
        let scratch = tempfile::Builder::new()
            .prefix(SCENARIO_PREFIX)
            .tempdir_in(&self.settings.scratch)
            .map_err(cannot_start)?;
        let attempt = Attempt::start(
            &mut self.store,
            self.ids.next_id(),
            case,
            &self.case_ids[number],
            self.settings.lane,
            scratch,
            Limits { step: self.settings.step_timeout, scenario: self.settings.scenario_timeout },
        )?;
        let context = Context {
            bin: self.settings.bin.clone(),
            lane: self.settings.lane,
            scratch: attempt.scratch(),
            recorder: attempt.recorder.clone(),
        };
        let bindings: Vec<Binding<W>> = case.steps.iter().map(|step| step.binding.clone()).collect();
        let worker = match self.idle.pop() {
            Some(worker) => worker,
            None => Worker::start(self.reporter.clone()).map_err(cannot_start)?,
        };
        worker.run(Job { number, bindings, context }).map_err(cannot_start)?;
        self.busy.insert(number, worker);
        self.running.insert(number, attempt);
        Ok(())
    }

    fn take(&mut self, number: usize, progress: Progress) -> Result<(), RunError> {
        let (case, ids) = (&self.cases[number], &self.case_ids[number]);
        // A scenario that was given up may still talk.
        let Some(attempt) = self.running.get_mut(&number) else { return Ok(()) };
        match progress {
            Progress::StepStarted { step, at } => attempt.step_started(&mut self.store, ids, step, at)?,
            Progress::StepFinished { step, report, at } => {
                attempt.step_finished(&mut self.store, case, ids, step, report, at)?;
            }
            Progress::Ended { teardown, goes_on } => {
                self.idle.extend(self.busy.remove(&number).filter(|_| goes_on));
                if let Some(message) = teardown {
                    self.result.causes.push(Cause::Teardown(case.place.clone(), message));
                }
                self.finish(number, Folder::Unused)?;
            }
        }
        Ok(())
    }

    /// Gives up the scenarios whose time is over. Their threads cannot be stopped; they are left alone.
    fn give_up_late(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        let late: Vec<usize> =
            self.running.iter().filter(|(_, attempt)| attempt.deadline() <= now).map(|(n, _)| *n).collect();
        for number in late {
            let (case, ids) = (&self.cases[number], &self.case_ids[number]);
            if let Some(attempt) = self.running.get_mut(&number) {
                let message = attempt.late();
                if attempt.all_told(ids) {
                    self.result.causes.push(Cause::Teardown(case.place.clone(), message));
                } else {
                    attempt.give_up(&mut self.store, case, ids, Status::Failed, &message)?;
                }
            }
            self.finish(number, Folder::InUse)?;
        }
        Ok(())
    }

    fn give_up_all(&mut self, message: &str) -> Result<(), RunError> {
        for number in self.running.keys().copied().collect::<Vec<_>>() {
            let (case, ids) = (&self.cases[number], &self.case_ids[number]);
            if let Some(attempt) = self.running.get_mut(&number)
                && !attempt.all_told(ids)
            {
                attempt.give_up(&mut self.store, case, ids, Status::Unknown, message)?;
            }
            self.finish(number, Folder::InUse)?;
        }
        Ok(())
    }

    fn finish(&mut self, number: usize, folder: Folder) -> Result<(), RunError> {
        let Some(attempt) = self.running.remove(&number) else { return Ok(()) };
        // One that was given up keeps its thread; no other scenario gets it.
        self.busy.remove(&number);
        let case = &self.cases[number];
        let (mut result, scratch) = attempt.finish(&mut self.store, case)?;
        let passed = result.status == Status::Passed;
        // One that failed did not come to the steps that end what it started.
        if let (true, Folder::Unused, Some(name)) = (passed, folder, scratch.path().file_name()) {
            self.ended.insert(name.to_owned(), case.place.clone());
        }
        for name in self.strangers() {
            let shown = name.to_string_lossy().into_owned();
            self.result.causes.push(Cause::FileLeft(case.place.clone(), shown));
            self.beside.insert(name);
        }
        let not_run = result.not_run;
        if not_run && let Some(failure) = result.failure.take() {
            self.result.notes.push(format!("{} was {}", case.place, failure.message));
        }
        match folder {
            // Processes of the scenario may still run in it; it is kept when they are gone.
            Folder::InUse => result.kept = Some(scratch.keep()),
            Folder::Unused if (passed || not_run) && !self.settings.keep => self.remove(scratch),
            Folder::Unused => {
                result.kept = Some(self.store.keep_folder(&folder_name(&case.place), &scratch.keep())?);
            }
        }
        self.stopped_by_failure |= self.settings.fail_fast && !passed && !not_run;
        (self.tell)(&result, self.queue.len() + self.running.len());
        self.result.scenarios.push(result);
        Ok(())
    }

    fn remove(&mut self, scratch: TempDir) {
        let path = scratch.path().to_owned();
        if let Err(error) = scratch.close() {
            self.result.notes.push(format!("cannot remove the folder {}: {error}", path.display()));
        }
    }

    /// What stands beside the scenarios' folders and is not known.
    fn strangers(&self) -> Vec<OsString> {
        // What cannot be read now could not be read when the scenarios began; then none of them had a folder.
        let entries = fs::read_dir(&self.settings.scratch).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.file_name())
            .filter(|name| !name.as_bytes().starts_with(SCENARIO_PREFIX.as_bytes()))
            .filter(|name| !self.beside.contains(name))
            .collect()
    }

    /// Ends what scenarios left running and keeps the folders that were in use. A scenario that passed has no process
    /// any more, or it is to blame.
    fn clear_up(&mut self) -> Result<(), RunError> {
        let left = leftovers::lasting(&self.settings.scratch, |entry| self.ended.contains_key(entry));
        for process in left {
            if let Some(place) = self.ended.get(&process.entry) {
                self.result.causes.push(Cause::ProcessLeft(place.clone(), process.command));
            }
        }
        let killed = leftovers::kill_inside(&self.settings.scratch);
        if killed > 0 {
            self.result.notes.push(format!("{killed} processes that scenarios left running were killed"));
        }
        for scenario in &mut self.result.scenarios {
            if let Some(folder) = scenario.kept.take_if(|folder| folder.starts_with(&self.settings.scratch)) {
                scenario.kept = Some(self.store.keep_folder(&folder_name(&scenario.place), &folder)?);
            }
        }
        Ok(())
    }

    /// Completes the stream of a run that cannot go on, as far as that is possible.
    fn abort(mut self, run_id: &str, error: RunError) -> RunError {
        let told = self
            .give_up_all("not finished: the run could not go on")
            .and_then(|()| self.clear_up())
            .and_then(|()| Ok(transcript::abort(&mut self.store, run_id, &error)?))
            .and_then(|()| Ok(self.store.finish()?));
        // What ended the run says more than that its end could not be written either.
        drop(told);
        error
    }

    /// An interruption that came when the last scenario had ended is one of this run, because whoever sent it was told
    /// that it is heard. From now on they are told that the run is over.
    fn hear_the_last(&mut self, events: &Receiver<Event>) {
        self.interrupter.close();
        let mut interrupts = events.try_iter().filter_map(|event| match event {
            Event::Interrupted(interrupt) => Some(interrupt),
            Event::Report(..) => None,
        });
        self.result.interrupted = self.result.interrupted.or_else(|| interrupts.next());
    }

    /// Judges the run, and tells its end to the stream.
    fn conclude(
        mut self,
        events: &Receiver<Event>,
        run_id: &str,
        filter: &Filter,
    ) -> Result<RunResult, RunError> {
        self.hear_the_last(events);
        self.clear_up()?;
        let result = &mut self.result;
        result.not_started = self.queue.iter().map(|number| self.cases[*number].place.clone()).collect();
        result.causes.extend(panic::take_stray().into_iter().map(Cause::StrayPanic));
        if self.cases.is_empty() {
            result.causes.push(Cause::NothingSelected);
        }
        let not_run = result.scenarios.iter().filter(|scenario| scenario.not_run).count();
        if not_run > 0 && not_run == self.cases.len() {
            // Nothing was proved.
            result.causes.push(Cause::ScenariosNotRun(not_run));
        }
        for status in [Status::Failed, Status::Undefined, Status::Ambiguous, Status::Pending, Status::Skipped]
        {
            let count = result
                .scenarios
                .iter()
                .filter(|scenario| scenario.status == status && !scenario.not_run)
                .count();
            if count > 0 {
                result.causes.push(Cause::Scenarios(status, count));
            }
        }
        let unfinished = result.scenarios.iter().filter(|s| s.status == Status::Unknown).count();
        if unfinished + result.not_started.len() > 0 {
            result.causes.push(Cause::ScenariosNotRun(unfinished + result.not_started.len()));
        }
        let mut partial = filter.partial_reasons();
        partial.extend(result.interrupted.map(|interrupt| format!("ended by {interrupt}")));
        if self.stopped_by_failure && !result.not_started.is_empty() {
            partial.push("stopped at the first failure".to_owned());
        }
        // What is wrong beside the steps shows in no step's status, so the stream says it here.
        partial.extend(
            result.causes.iter().filter(|cause| cause.is_beside_the_steps()).map(ToString::to_string),
        );
        let facts = self.settings.facts.clone();
        let lane = self.settings.lane.as_str().to_owned();
        let info = RunInfo {
            tree: facts.tree,
            dirty: facts.dirty,
            binary_digest: facts.binary_digest,
            binary_version: facts.binary_version,
            seed: self.settings.seed,
            partial,
            lanes: vec![lane.clone()],
            planned: self
                .cases
                .iter()
                .map(|case| Planned { pickle_id: case.pickle_id.clone(), lane: lane.clone() })
                .collect(),
        };
        let causes: Vec<String> = self.result.causes.iter().map(ToString::to_string).collect();
        let message = (!causes.is_empty()).then(|| causes.join("; "));
        transcript::end(&mut self.store, run_id, &info, self.result.passed(), message)?;
        self.store.finish()?;
        Ok(self.result)
    }
}

/// Whether a scenario's thread may still use its folder.
#[derive(Clone, Copy)]
enum Folder {
    Unused,
    InUse,
}

/// `features/tier0/G0.1-x.feature:12` as `G0.1-x-12`.
fn folder_name(place: &Place) -> String {
    let file = place.uri.rsplit('/').next().unwrap_or(&place.uri);
    format!("{}-{}", file.trim_end_matches(".feature"), place.line)
}

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

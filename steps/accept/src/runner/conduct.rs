//! Conducts a run: starts threads up to the number of jobs, hears from them how scenarios go, gives up those that hang,
//! and tells everything to the message stream, which is completed whatever happens.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    io,
    num::NonZeroUsize,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use mycelium_fixtures::{containers::Containers, sandbox::Locality};
use mycelium_gherkin::IdGenerator;
use mycelium_schemas::{
    evidence::{Planned, RunInfo},
    messages::TestStepResultStatus as Status,
};
use tempfile::TempDir;

use super::{
    any_world::Worlds,
    attempt::{Attempt, Begun},
    case::{Case, Reader},
    events::{Desk, Interrupter, Report},
    leftovers,
    limits::Limits,
    order::shuffle,
    outcome::{Cause, RunResult, ScenarioResult},
    panic,
    scenario::{Ended, Progress, Surroundings, Worker},
    select::Filter,
    store::{Store, StoreError},
    suite::Suite,
    transcript::{self, CaseIds},
    vocabulary::{Library, VocabularyError},
};
use crate::context::{Ground, Lane};

/// What a run is told about its surroundings and put into its stream.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Tree of the repository under test.
    pub tree: Option<String>,
    /// Whether the working tree differs from it.
    pub dirty: bool,
    /// Digest of the tree and of everything in which the working tree differs from it.
    pub source_digest: Option<String>,
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
    /// How long steps and scenarios may take.
    pub limits: Limits,
    /// Limit of the run.
    pub run_timeout: Option<Duration>,
    /// Starts no further scenario after one failed.
    pub fail_fast: bool,
    /// Also tries the Thens that stand directly behind one that failed. Such a run counts as partial.
    pub every_then: bool,
    /// Keeps the folders of scenarios that passed, too.
    pub keep: bool,
    /// Where scenarios get their folders: outside of any repository.
    pub scratch: PathBuf,
    /// What programs find around them, where a scenario does not say otherwise.
    pub locality: Locality,
    /// What containers run at, in their lane; or why there is nothing.
    pub containers: Option<Result<Containers, String>>,
    /// The output folder.
    pub out: PathBuf,
}

/// The run could not be conducted; a failure of scenarios is a result, not an error.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Writing the output failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The step library cannot be used.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// A thread for scenarios or its runtime could not be made.
    #[error("cannot start a thread for scenarios")]
    Start(#[source] io::Error),
    /// The signals of this process cannot be listened to.
    #[error("cannot listen to signals")]
    Signals(#[source] io::Error),
}

/// Runs the selected scenarios of a suite. `prepare` gets the means to end the run early, `tell` each scenario's result
/// as it comes, with the number of those to come. The stream says the `facts` at its end: they are asked for then.
pub fn run(
    library: &Library,
    suite: &Suite,
    filter: &Filter,
    settings: &Settings,
    prepare: impl FnOnce(Interrupter) -> io::Result<()>,
    tell: impl FnMut(&ScenarioResult, usize),
    facts: impl FnOnce() -> Facts,
) -> Result<RunResult, RunError> {
    panic::install_hook();
    // What panicked before belongs to no run.
    panic::take_stray();
    let desk = Desk::default();
    let _open = desk.open();
    let prepared = prepare(desk.interrupter()).map_err(RunError::Signals);
    let mut store = Store::open(&settings.out)?;
    let mut ids = IdGenerator::new();
    let cases = read(library, suite, filter, settings.lane, &mut store, &mut ids)?;
    let definition_ids = transcript::definitions(&mut store, &mut ids, library.vocabulary())?;
    let run_id = transcript::begin(&mut store, &mut ids)?;
    if let Err(error) = prepared {
        transcript::abort(&mut store, &run_id, &error)?;
        store.finish()?;
        return Err(error);
    }
    let case_ids = transcript::cases(&mut store, &mut ids, &definition_ids, &run_id, &cases)?;
    store.planned()?;
    let mut queue: Vec<usize> = (0..cases.len()).collect();
    shuffle(&mut queue, settings.seed);
    desk.lay_out(queue);
    let ground = Ground::new(settings.scratch.clone());
    let mut conductor = Conductor {
        settings,
        worlds: library.worlds().clone(),
        to_come: cases.len(),
        cases: Arc::new(cases),
        case_ids,
        ids,
        desk,
        threads: 0,
        running: BTreeMap::new(),
        store,
        result: RunResult {
            scenarios: Vec::new(),
            not_started: Vec::new(),
            causes: Vec::new(),
            interrupted: None,
            notes: Vec::new(),
        },
        stopped_by_failure: false,
        beside: ground.beside().into_iter().collect(),
        ground,
        tell,
    };
    match conductor.conduct() {
        Ok(()) => conductor.conclude(&run_id, filter, facts()),
        Err(error) => Err(conductor.abort(&run_id, error)),
    }
}

/// Tells the stream what the files say, and makes the cases of the selected scenarios. One file after the other: what was
/// told of a file is not kept.
fn read(
    library: &Library,
    suite: &Suite,
    filter: &Filter,
    lane: Lane,
    store: &mut Store,
    ids: &mut IdGenerator,
) -> Result<Vec<Case>, RunError> {
    transcript::introduce(store)?;
    let mut reader = Reader::new(library);
    let mut cases = Vec::new();
    for file in &suite.files {
        let feature = file.parse(ids).ok();
        transcript::file(store, file, feature.as_ref())?;
        let Some(feature) = feature else { continue };
        for (identity, pickle) in filter.select_of(&feature, lane) {
            cases.push((identity, reader.case(&feature, pickle)?));
        }
    }
    Ok(filter.part(cases))
}

struct Conductor<'a, T> {
    settings: &'a Settings,
    worlds: Arc<dyn Worlds>,
    cases: Arc<Vec<Case>>,
    case_ids: Vec<CaseIds>,
    ids: IdGenerator,
    desk: Desk,
    /// Those that take scenarios.
    threads: usize,
    running: BTreeMap<usize, Attempt>,
    /// Scenarios that did not end yet.
    to_come: usize,
    store: Store,
    result: RunResult,
    stopped_by_failure: bool,
    ground: Ground,
    /// What stands beside the scenarios' folders and is known.
    beside: BTreeSet<OsString>,
    tell: T,
}

impl<T: FnMut(&ScenarioResult, usize)> Conductor<'_, T> {
    fn conduct(&mut self) -> Result<(), RunError> {
        let end = self.settings.run_timeout.map(|limit| (Instant::now() + limit, limit));
        let surroundings = Arc::new(Surroundings {
            bin: self.settings.bin.clone(),
            lane: self.settings.lane,
            ground: self.ground.clone(),
            locality: self.settings.locality.clone(),
            limits: self.settings.limits,
            containers: self.settings.containers.clone(),
            fail_fast: self.settings.fail_fast,
            every_then: self.settings.every_then,
        });
        loop {
            if let Some((_, limit)) = end.filter(|(end, _)| *end <= Instant::now()) {
                self.result.causes.push(Cause::RunTimedOut(limit));
                return self
                    .give_up_all(&format!("not finished: the run timed out after {}", seconds(limit)));
            }
            self.start_threads(&surroundings)?;
            let deadlines = self.running.values().map(Attempt::deadline);
            let heard = self.desk.wait(deadlines.chain(end.map(|(end, _)| end)).min());
            self.take_all(heard.reports)?;
            // Should a step end the process, the stream says what ran.
            self.store.flush()?;
            if heard.at_rest {
                return Ok(());
            }
            if let Some(interrupt) = heard.interrupted {
                self.result.interrupted = Some(interrupt);
                return self.give_up_all(&format!("not finished: the run was ended by {interrupt}"));
            }
            self.give_up_late()?;
        }
    }

    /// Starts threads up to the number of jobs, where there are as many scenarios.
    fn start_threads(&mut self, surroundings: &Arc<Surroundings>) -> Result<(), RunError> {
        let jobs = self.settings.jobs.get().min(self.to_come);
        for _ in 0..jobs.saturating_sub(self.threads).min(self.desk.waiting()) {
            let worker = Worker {
                desk: self.desk.clone(),
                worlds: self.worlds.clone(),
                cases: self.cases.clone(),
                surroundings: surroundings.clone(),
            };
            worker.start().map_err(RunError::Start)?;
            self.threads += 1;
        }
        Ok(())
    }

    fn take_all(&mut self, reports: Vec<Report>) -> Result<(), RunError> {
        reports.into_iter().try_for_each(|(number, progress)| self.take(number, progress))
    }

    fn take(&mut self, number: usize, progress: Progress) -> Result<(), RunError> {
        let (case, ids) = (&self.cases[number], &self.case_ids[number]);
        match (progress, self.running.get_mut(&number)) {
            (Progress::Begun(begun), _) => self.begin(number, begun)?,
            (Progress::Empty, _) => {
                self.to_come -= 1;
                self.result.causes.push(Cause::NoSteps(case.place.clone()));
            }
            (Progress::StepStarted { step, at }, Some(attempt)) => {
                attempt.step_started(&mut self.store, ids, step, at)?;
            }
            (Progress::StepFinished { step, report, at }, Some(attempt)) => {
                attempt.step_finished(&mut self.store, case, ids, step, report, at)?;
            }
            (Progress::Ended(ended), _) => {
                self.threads -= usize::from(!ended.goes_on);
                self.end(number, ended)?;
            }
            // A scenario that was given up may have talked before it was.
            (Progress::StepStarted { .. } | Progress::StepFinished { .. }, None) => {}
        }
        Ok(())
    }

    /// Takes in what a scenario left; one whose steps have all passed has failed by it.
    fn end(&mut self, number: usize, ended: Ended) -> Result<(), RunError> {
        let Ended { teardown, goes_on: _, unended, left, beside } = ended;
        let place = || self.cases[number].place.clone();
        let mut causes: Vec<Cause> =
            teardown.map(|message| Cause::Teardown(place(), message)).into_iter().collect();
        causes.extend(unended.into_iter().map(|what| Cause::Unended(place(), what)));
        causes.extend(left.into_iter().map(|command| Cause::ProcessLeft(place(), command)));
        causes.extend(self.files_left(number, beside));
        if let Some(attempt) = self.running.get_mut(&number) {
            let (case, ids) = (&self.cases[number], &self.case_ids[number]);
            if attempt.is_held() && causes.is_empty() && !self.settings.keep {
                let removed = attempt.take_folder().map_or(Ok(()), TempDir::close);
                causes.extend(
                    removed.err().map(|error| Cause::FolderLeft(case.place.clone(), error.to_string())),
                );
            }
            let told: Vec<String> = causes.iter().map(ToString::to_string).collect();
            attempt.settle(&mut self.store, case, ids, &told)?;
        }
        self.result.causes.extend(causes);
        self.finish(number, Folder::Unused)
    }

    /// What stands beside the scenarios' folders since one of them ended.
    fn files_left(&mut self, number: usize, beside: Vec<OsString>) -> Vec<Cause> {
        let mut causes = Vec::new();
        for name in beside {
            let shown = name.to_string_lossy().into_owned();
            if self.beside.insert(name) {
                let others = self.running.keys().filter(|other| **other != number);
                let others = others.map(|other| self.cases[*other].place.clone()).collect();
                causes.push(Cause::FileLeft(self.cases[number].place.clone(), shown, others));
            }
        }
        causes
    }

    fn begin(&mut self, number: usize, begun: Begun) -> Result<(), RunError> {
        let attempt = Attempt::start(
            &mut self.store,
            self.ids.next_id(),
            &self.cases[number],
            &self.case_ids[number],
            self.settings.lane,
            begun,
            self.settings.limits,
        )?;
        self.running.insert(number, attempt);
        Ok(())
    }

    /// Gives up the scenarios whose time is over. Their threads cannot be stopped; they are left alone.
    fn give_up_late(&mut self) -> Result<(), RunError> {
        let now = Instant::now();
        let late: Vec<usize> =
            self.running.iter().filter(|(_, attempt)| attempt.deadline() <= now).map(|(n, _)| *n).collect();
        for number in late {
            if !self.desk.give_up(number) {
                continue;
            }
            // No other scenario gets its thread.
            self.threads -= 1;
            let (case, ids) = (&self.cases[number], &self.case_ids[number]);
            if let Some(attempt) = self.running.get_mut(&number) {
                let message = attempt.late();
                if attempt.is_held() || attempt.all_told(ids) {
                    self.result.causes.push(Cause::Teardown(case.place.clone(), message.clone()));
                }
                if !attempt.all_told(ids) {
                    attempt.give_up(&mut self.store, case, ids, Status::Failed, &message)?;
                }
            }
            self.finish_in_use(number)?;
        }
        Ok(())
    }

    fn give_up_all(&mut self, message: &str) -> Result<(), RunError> {
        let heard = self.desk.give_up_all();
        self.take_all(heard.reports)?;
        for number in self.running.keys().copied().collect::<Vec<_>>() {
            let (case, ids) = (&self.cases[number], &self.case_ids[number]);
            if let Some(attempt) = self.running.get_mut(&number)
                && !attempt.all_told(ids)
            {
                attempt.give_up(&mut self.store, case, ids, Status::Unknown, message)?;
            }
            self.finish_in_use(number)?;
        }
        Ok(())
    }

    fn finish_in_use(&mut self, number: usize) -> Result<(), RunError> {
        let left = self.files_left(number, self.ground.beside());
        self.result.causes.extend(left);
        self.finish(number, Folder::InUse)
    }

    fn finish(&mut self, number: usize, folder: Folder) -> Result<(), RunError> {
        let Some(attempt) = self.running.remove(&number) else { return Ok(()) };
        self.to_come -= 1;
        let case = &self.cases[number];
        let (mut result, scratch) = attempt.finish(&mut self.store, case)?;
        let scratch = scratch.take();
        let passed = result.status == Status::Passed;
        let not_run = result.not_run;
        if not_run && let Some(failure) = result.failure.take() {
            self.result.notes.push(format!("{} was {}", case.place, failure.message));
        }
        match (folder, scratch) {
            (_, None) => {}
            // Processes of the scenario may still run in it; it is kept when they are gone.
            (Folder::InUse, Some(scratch)) => result.kept = Some(scratch.keep()),
            (Folder::Unused, Some(scratch)) if (passed || not_run) && !self.settings.keep => {
                self.remove(number, scratch);
            }
            (Folder::Unused, Some(scratch)) => {
                result.kept = Some(self.store.keep_folder(&case.place, &scratch.keep())?);
            }
        }
        if self.settings.fail_fast && !passed && !not_run {
            self.stopped_by_failure = true;
            self.desk.stop();
        }
        (self.tell)(&result, self.to_come);
        self.result.scenarios.push(result);
        Ok(())
    }

    fn remove(&mut self, number: usize, scratch: TempDir) {
        if let Err(error) = scratch.close() {
            let place = self.cases[number].place.clone();
            self.result.causes.push(Cause::FolderLeft(place, error.to_string()));
        }
    }

    /// Ends what scenarios that were given up left running, and keeps the folders that were in use.
    fn clear_up(&mut self) -> Result<(), RunError> {
        let killed = leftovers::kill_inside(&self.settings.scratch);
        if killed > 0 {
            self.result.notes.push(format!("{killed} processes that scenarios left running were killed"));
        }
        for scenario in &mut self.result.scenarios {
            if let Some(folder) = scenario.kept.take_if(|folder| folder.starts_with(&self.settings.scratch)) {
                scenario.kept = Some(self.store.keep_folder(&scenario.place, &folder)?);
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

    /// Judges the run, and tells its end to the stream.
    fn conclude(mut self, run_id: &str, filter: &Filter, facts: Facts) -> Result<RunResult, RunError> {
        // An interruption that came when the last scenario had ended is one of this run, because whoever sent it was told
        // that it is heard. From now on they are told that the run is over.
        self.result.interrupted = self.desk.close();
        self.clear_up()?;
        let stray: Vec<Cause> = panic::take_stray().into_iter().map(Cause::StrayPanic).collect();
        for cause in &stray {
            transcript::beside(&mut self.store, run_id, &cause.to_string())?;
        }
        let result = &mut self.result;
        result.not_started =
            self.desk.left().into_iter().map(|number| self.cases[number].place.clone()).collect();
        result.causes.extend(stray);
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
        if self.settings.every_then {
            partial.push("the Thens behind one that failed were tried, too".to_owned());
        }
        if self.stopped_by_failure && !result.not_started.is_empty() {
            partial.push("stopped at the first failure".to_owned());
        }
        // What is wrong beside the steps shows in no step's status, so the stream says it here.
        partial.extend(
            result.causes.iter().filter(|cause| cause.is_beside_the_steps()).map(ToString::to_string),
        );
        let lane = self.settings.lane.as_str().to_owned();
        let info = RunInfo {
            tree: facts.tree,
            dirty: facts.dirty,
            source_digest: facts.source_digest,
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

fn seconds(limit: Duration) -> String {
    format!("{} s", limit.as_secs_f64())
}

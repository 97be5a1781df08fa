//! `accept flake`: the same scenarios again and again, in other orders and surroundings. The first attempt is the result:
//! nothing is tried again until it is green.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use mycelium_schemas::{
    flake::{Environment, Execution},
    goal::gates::ProfileName,
    matrix::{ScenarioKey, StepStatus, Subject},
    messages::Pickle,
};
use mycelium_traceability::{
    Catalogue,
    flake::{Decision, Sprt, Subjects},
};

use crate::{
    cli::{
        args::{FlakeArgs, today},
        conduct::{Done, Prepared, Ready, Request, default_jobs, new_seed, prepare},
        console::{Console, Tone},
        error::CliError,
        excused::is_excused,
        flake::{
            history,
            perturb::{self, Umask},
            record::{self, About},
            summary::{Findings, FirstFailure, FlakeSummary, Repetition, again},
        },
        history::History,
        judge::{Judged, Question, Wanted, judge_with},
        project::{Project, catalogue},
        tell::Detail,
    },
    context::Lane,
    runner::{Cause, Identity, Loader, identities, store::REPETITIONS},
};

/// The folder of the runs, from the root of the checkout.
const OUT: &str = "target/flake";
/// Runs of everything unless told otherwise: what the gate `flake` asks for.
const RUNS: usize = 10;
/// Runs after which a sequential test has not ended ever; the mean is below 100.
const SPRT_RUNS_MAX: usize = 1000;

pub(in crate::cli) fn run(
    console: &Console,
    load: Loader,
    args: FlakeArgs,
    scratch: &Path,
) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = project.root.join(OUT);
    let history = match &args.history {
        None => history::default_path(&project),
        Some(path) => project.resolve(path),
    };
    // Before anything runs for an hour: what cannot be read cannot be added to.
    let before = history::read(&history)?.executions;
    let request = Request {
        filter: args.filter,
        lane: args.world,
        bin: args.bin.map(|path| project.resolve(&path)),
        ..Request::everything(load, scratch.to_owned())
    };
    let mut prepared = match prepare(console, &project, request, &out)? {
        Ready::Refused { exit_code } => return Ok(exit_code),
        Ready::Go(prepared) => prepared,
    };
    let judged = judge_before(&project, &prepared, &out, &history)?;
    let catalogue = catalogue(&prepared.suite)?;
    let selection = select(&project, &mut prepared, &catalogue, args.since.as_deref())?;
    let mut session = Session {
        console,
        scratch,
        out,
        history: &history,
        judged: &judged,
        catalogue: &catalogue,
        seed: args.seed.unwrap_or_else(new_seed),
        environment: args.environment,
        began: Timestamp::now(),
        executions: Vec::new(),
        repetitions: Vec::new(),
        first_failure: None,
        failed: false,
        interrupted: None,
    };
    let mut decisions = BTreeMap::new();
    let (mut notes, mut exit_code) = (Vec::new(), 0);
    match selection {
        Selection::Nothing { why, exit_code: code } => {
            notes.push(why);
            exit_code = code;
        }
        Selection::Some if args.sprt => decisions = session.until_decided(&mut prepared)?,
        Selection::Some => session.repeat(&mut prepared, args.repeat.map_or(RUNS, NonZeroUsize::get))?,
    }
    let undecided = decisions.values().filter(|decision| **decision == Decision::GoOn).count();
    if undecided > 0 {
        notes.push(format!("{undecided} scenarios are neither accepted nor rejected"));
    }
    if session.first_failure.is_some() && !session.failed {
        notes.push("all that failed is in quarantine, so this is no failure".to_owned());
    }
    let failed = session.failed || undecided > 0;
    exit_code = session.interrupted.unwrap_or(exit_code.max(u8::from(failed)));
    let subject = subject(&prepared);
    let summary = FlakeSummary::new(Findings {
        history: &history,
        catalogue: &catalogue,
        session: &session.executions,
        earlier: &same_subject(before, &subject, &catalogue),
        repetitions: session.repetitions,
        first_failure: session.first_failure,
        decisions,
        notes,
        exit_code,
    });
    console.print(&summary)?;
    console.document(&summary)?;
    Ok(summary.exit_code)
}

/// The gates before anything runs: of them the quarantine alone is asked about, what runs is written down by itself.
fn judge_before(
    project: &Project,
    prepared: &Prepared,
    out: &Path,
    history: &Path,
) -> Result<Judged, CliError> {
    let question = Question {
        vocabulary: prepared.stage.library.vocabulary(),
        out,
        profile: ProfileName::Local,
        binary_digest: Some(prepared.stage.program.digest.clone()),
        today: today(),
        results: Wanted::IfThere,
    };
    judge_with(project, question, history)
}

/// What all runs are about.
fn subject(prepared: &Prepared) -> Subject {
    Subject {
        tree: prepared.stage.tree.id.clone(),
        dirty: prepared.stage.tree.dirty,
        binary_digest: Some(prepared.stage.program.digest.clone()),
        source_digest: prepared.stage.tree.source_digest.clone(),
    }
}

/// What there is to run.
enum Selection {
    Some,
    /// Nothing, and whether that is as it should be.
    Nothing {
        why: String,
        exit_code: u8,
    },
}

/// Limits the scenarios to those that are new or changed, where that is asked for.
fn select(
    project: &Project,
    prepared: &mut Prepared,
    catalogue: &Catalogue,
    since: Option<&str>,
) -> Result<Selection, CliError> {
    if prepared.selected().is_empty() {
        return Ok(Selection::Nothing { why: Cause::NothingSelected.to_string(), exit_code: 1 });
    }
    let Some(rev) = since else { return Ok(Selection::Some) };
    let new = History::of(project)?.new_or_changed(catalogue, rev)?;
    prepared.limit_to(of_keys(prepared, &new));
    if prepared.selected().is_empty() {
        let why = format!("no scenario is new or changed since {rev}, so nothing was run");
        return Ok(Selection::Nothing { why, exit_code: 0 });
    }
    Ok(Selection::Some)
}

/// Earlier executions of the same tree, program and texts.
fn same_subject(earlier: Vec<Execution>, subject: &Subject, catalogue: &Catalogue) -> Vec<Execution> {
    let about = Subjects { subject, catalogue, lanes: &[], excused: &BTreeSet::new() };
    earlier.into_iter().filter(|execution| about.counts(execution)).collect()
}

/// The identities of scenarios at places.
fn of_keys(prepared: &Prepared, keys: &BTreeSet<ScenarioKey>) -> BTreeSet<Identity> {
    let named = named(prepared);
    named.into_iter().filter(|(key, _)| keys.contains(key)).map(|(_, identity)| identity).collect()
}

/// Every scenario by its place.
fn named(prepared: &Prepared) -> BTreeMap<ScenarioKey, Identity> {
    let pickles: Vec<Pickle> = prepared.suite.pickles().collect();
    let all = identities(&pickles).into_iter().zip(&pickles);
    all.filter_map(|(identity, pickle)| Some((key_of(pickle)?, identity))).collect()
}

fn key_of(pickle: &Pickle) -> Option<ScenarioKey> {
    Some(ScenarioKey { uri: pickle.uri.clone(), line: u64::from(pickle.location?.line) })
}

/// The runs of one command.
struct Session<'a> {
    console: &'a Console,
    /// The folder that this process has for everything.
    scratch: &'a Path,
    out: PathBuf,
    history: &'a Path,
    /// The quarantine, as the gates see it.
    judged: &'a Judged,
    catalogue: &'a Catalogue,
    /// Of the first order.
    seed: u64,
    /// The surroundings of all runs, where they are given.
    environment: Option<Environment>,
    began: Timestamp,
    executions: Vec<Execution>,
    repetitions: Vec<Repetition>,
    first_failure: Option<FirstFailure>,
    /// Whether anything failed that no quarantine excuses.
    failed: bool,
    /// The exit code of an interruption.
    interrupted: Option<u8>,
}

impl Session<'_> {
    /// Runs everything so many times.
    fn repeat(&mut self, prepared: &mut Prepared, times: usize) -> Result<(), CliError> {
        for number in 0..times {
            self.once(prepared, number)?;
            if self.interrupted.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Runs each scenario until the sequential test has an answer. What this machine cannot run has none.
    fn until_decided(
        &mut self,
        prepared: &mut Prepared,
    ) -> Result<BTreeMap<ScenarioKey, Decision>, CliError> {
        let selected = prepared.selected().into_iter().filter_map(|pickle| key_of(&pickle));
        let mut tests: BTreeMap<ScenarioKey, Sprt> =
            selected.map(|key| (key, Sprt::of_a_scenario())).collect();
        for number in 0..SPRT_RUNS_MAX {
            let open = tests.iter().filter(|(_, test)| test.decision() == Decision::GoOn);
            let open: BTreeSet<ScenarioKey> = open.map(|(key, _)| key.clone()).collect();
            if open.is_empty() || self.interrupted.is_some() {
                break;
            }
            prepared.limit_to(of_keys(prepared, &open));
            let first = self.executions.len();
            self.once(prepared, number)?;
            for execution in &self.executions[first..] {
                match (execution.outcome, tests.get_mut(&execution.scenario)) {
                    (StepStatus::Skipped, _) => {
                        tests.remove(&execution.scenario);
                    }
                    (outcome, Some(test)) => {
                        test.add(outcome == StepStatus::Passed);
                    }
                    (_, None) => {}
                }
            }
        }
        Ok(tests.into_iter().map(|(key, test)| (key, test.decision())).collect())
    }

    /// Runs once, and writes down what came out.
    fn once(&mut self, prepared: &mut Prepared, number: usize) -> Result<(), CliError> {
        let usual = perturb::of_repetition(number, default_jobs());
        let environment = self.environment.clone().unwrap_or(usual);
        let jobs = NonZeroUsize::new(environment.jobs).unwrap_or(NonZeroUsize::MIN);
        let folder = perturb::folder(environment.folder, self.scratch)?;
        prepared.stage.put_into(jobs, folder, perturb::locality(&environment));
        let out = self.out.join(REPETITIONS).join((number + 1).to_string());
        let detail = if self.first_failure.is_none() { Detail::Cards } else { Detail::Nothing };
        let mut done = {
            let _umask = Umask::set(&environment.umask);
            prepared.run(self.console, self.seed.wrapping_add(number as u64), out, detail)?
        };
        let run = format!("{:x}-{}-{}", self.began.as_millisecond(), std::process::id(), number + 1);
        let about = About {
            at: self.began,
            run: run.clone(),
            tree: &prepared.stage.tree,
            program: &prepared.stage.program,
            lane: prepared.stage.lane,
            environment: &environment,
            catalogue: self.catalogue,
            scratch: prepared.stage.scratch(),
        };
        let executions = record::executions(&about, &done);
        history::append(self.history, &executions)?;
        self.executions.extend(executions);
        done.excuse(self.judged);
        self.tell(number, run, &done, prepared.stage.lane, &environment);
        if done.result.passed() {
            // The history says all that there is to say of it.
            remove(&done.out)?;
        }
        Ok(())
    }

    fn tell(&mut self, number: usize, run: String, done: &Done, lane: Lane, environment: &Environment) {
        let passed = done.result.passed();
        let (tone, word) = if passed { (Tone::Good, "passed") } else { (Tone::Bad, "failed") };
        let (word, seed) = (self.console.paint(tone, word), done.seed);
        self.console.say(format_args!("run {}: {word} (seed {seed}, {environment})", number + 1));
        let causes: Vec<String> = done.result.causes.iter().map(ToString::to_string).collect();
        for cause in &causes {
            self.console.say(format_args!("  {cause}"));
        }
        done.tell_excused(self.console);
        self.interrupted = done.result.interrupted.map(|_| done.exit_code);
        let is_failure = done.exit_code != 0 && self.interrupted.is_none();
        // One that nobody waits for is told rather than one that is known.
        let is_first = self.first_failure.is_none() || (is_failure && !self.failed);
        self.failed |= is_failure;
        if !passed && self.interrupted.is_none() && is_first {
            let failed = done.result.scenarios.iter().filter(|scenario| scenario.failure.is_some());
            let scenario = failed.min_by_key(|scenario| is_excused(self.judged, &scenario.place));
            let scenario = scenario.map(|scenario| scenario.place.to_string());
            self.first_failure = Some(FirstFailure {
                run: run.clone(),
                seed,
                environment: environment.to_string(),
                out: done.out.display().to_string(),
                again: again(scenario.as_deref().unwrap_or_default(), lane, seed, environment),
                scenario,
            });
        }
        self.repetitions.push(Repetition { run, seed, environment: environment.to_string(), passed, causes });
    }
}

fn remove(folder: &Path) -> Result<(), CliError> {
    fs::remove_dir_all(folder).map_err(|source| CliError::File {
        action: "remove",
        path: folder.to_owned(),
        source,
    })
}

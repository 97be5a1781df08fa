//! The way to a run: lint, build, run. What was made ready can run more than once.

use std::{
    collections::BTreeSet,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mycelium_fixtures::{containers::Containers, sandbox::Locality};
use mycelium_schemas::messages::Pickle;

use super::{
    again::Again,
    args::FilterArgs,
    commands::lint,
    console::{Console, counted},
    death,
    error::CliError,
    excused::Excused,
    judge::Judged,
    program::{Build, Program, ProgramError},
    project::{Beside, Project},
    summary::RunSummary,
    supervise,
    tell::{Detail, Teller},
    tree::Tree,
};
use crate::{
    context::Lane,
    lint::LintProblem,
    runner::{
        self, Facts, Filter, Identity, Interrupt, Library, Limits, Loader, OutLock, RunError, RunResult,
        Settings, Shard, signal::Listener, store, suite::Suite,
    },
};

/// Limit of a step without a `@timeout` tag.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);
/// Limit of a scenario without that tag.
const SCENARIO_TIMEOUT: Duration = Duration::from_secs(300);

/// What to run, decided.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) library: Loader,
    pub(super) filter: FilterArgs,
    pub(super) again: Option<BTreeSet<Identity>>,
    pub(super) shard: Option<Shard>,
    pub(super) lane: Lane,
    pub(super) jobs: Option<NonZeroUsize>,
    pub(super) fail_fast: bool,
    pub(super) timeout: Option<Duration>,
    pub(super) bin: Option<PathBuf>,
    pub(super) keep: bool,
    pub(super) scratch: PathBuf,
}

impl Request {
    /// Everything that this machine can run.
    pub(super) fn everything(library: Loader, scratch: PathBuf) -> Self {
        Self {
            library,
            filter: FilterArgs::default(),
            again: None,
            shard: None,
            lane: Lane::Mock,
            jobs: None,
            fail_fast: false,
            timeout: None,
            bin: None,
            keep: false,
            scratch,
        }
    }
}

/// How far a request came.
pub(super) enum Ready {
    /// The lint refused it.
    Refused { exit_code: u8 },
    /// It can run.
    Go(Box<Prepared>),
}

/// Features that were linted, and all that runs them.
pub(super) struct Prepared {
    pub(super) stage: Stage,
    pub(super) suite: Suite,
    filter: Filter,
    /// Held until the reports are written, too.
    _lock: OutLock,
}

impl Prepared {
    /// The scenarios that it runs.
    pub(super) fn selected(&self) -> Vec<Pickle> {
        self.filter.select(&self.suite, self.stage.lane)
    }

    /// Limits it further, to some of the scenarios.
    pub(super) fn limit_to(&mut self, scenarios: BTreeSet<Identity>) {
        self.filter.again = Some(scenarios);
    }

    /// Runs once, in the order of the seed, into a folder; tells how it goes.
    pub(super) fn run(
        &self,
        console: &Console,
        seed: u64,
        out: PathBuf,
        detail: Detail,
    ) -> Result<Done, CliError> {
        self.stage.run(console, &self.suite, &self.filter, seed, out, detail)
    }
}

/// A program that was built, and how to run scenarios against it.
pub(super) struct Stage {
    pub(super) program: Program,
    pub(super) library: Library,
    pub(super) listener: Listener,
    pub(super) tree: Beside<Tree>,
    pub(super) lane: Lane,
    jobs: NonZeroUsize,
    fail_fast: bool,
    pub(super) every_then: bool,
    timeout: Option<Duration>,
    keep: bool,
    scratch: PathBuf,
    locality: Locality,
    again: Again,
}

/// A run that took place.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) exit_code: u8,
    pub(super) out: PathBuf,
    pub(super) seed: u64,
    pub(super) result: RunResult,
    /// Failed scenarios that a quarantine excuses, one sentence each.
    pub(super) excused: Vec<String>,
    again: Again,
}

impl Done {
    /// Takes note of what a quarantine excuses: a run that fails by nothing else is no failure, as the gates see it.
    pub(super) fn excuse(&mut self, judged: &Judged) {
        let excused = Excused::of(&self.result, judged);
        if excused.is_all {
            self.exit_code = 0;
        }
        self.excused = excused.told;
    }

    /// Tells that.
    pub(super) fn tell_excused(&self, console: &Console) {
        for sentence in &self.excused {
            console.say(format_args!("excused: {sentence}"));
        }
        if !self.excused.is_empty() && self.exit_code == 0 {
            let excused = counted(self.excused.len(), "excused failure");
            console.say(format_args!("{excused} and no other, so this is no failed run"));
        }
    }

    /// What `--json` says of it.
    pub(super) fn summary(&self) -> RunSummary {
        RunSummary::of_run(self, &self.again)
    }
}

/// Lints and builds. The output folder is cleared once nothing can refuse the run any more; where the features or the
/// program are no good, what says how they were is removed, so that nobody takes an earlier run for this one. Only what
/// is to be run again stays then.
pub(super) fn prepare(
    console: &Console,
    project: &Project,
    request: Request,
    out: &Path,
) -> Result<Ready, CliError> {
    let mut lock = OutLock::take(out)?;
    let is_rerun = request.again.is_some();
    let targets = project.targets(request.filter.targets);
    let paths: Vec<PathBuf> = match &request.again {
        Some(again) if targets.is_empty() => project.files_of(again),
        _ => targets.iter().map(|target| target.path.clone()).collect(),
    };
    let suite = project.suite(&paths)?;
    let library = (request.library)()?;
    let problems = project.check_history().and_then(|()| lint::check(project, &suite, &library));
    let mut problems = match problems {
        Err(error) => {
            if !is_rerun {
                withdraw(&mut lock, out)?;
            }
            return Err(error);
        }
        Ok(problems) => problems,
    };
    // What may be meant so stops nobody.
    problems.retain(LintProblem::is_error);
    if !problems.is_empty() {
        let exit_code = lint::exit_code(&problems);
        lint::tell(console, &problems);
        console.say("nothing was run");
        if !is_rerun {
            withdraw(&mut lock, out)?;
        }
        console.document(&RunSummary::of_lint(&problems, exit_code))?;
        return Ok(Ready::Refused { exit_code });
    }
    let filter = Filter {
        targets,
        tags: request.filter.tags,
        name: request.filter.name,
        again: request.again,
        shard: request.shard,
        any_lane: false,
    };
    filter.check_lines(&suite)?;
    filter.check_again(&suite, request.lane)?;
    let stage = match Stage::set_up(project, library, request.bin, request.jobs, request.scratch) {
        Err(error @ CliError::Program(ProgramError::DoesNotBuild)) => {
            if !is_rerun {
                withdraw(&mut lock, out)?;
            }
            return Err(error);
        }
        stage => Stage {
            lane: request.lane,
            fail_fast: request.fail_fast,
            timeout: request.timeout,
            keep: request.keep,
            ..stage?
        },
    };
    lock.create()?;
    store::clear(out)?;
    Ok(Ready::Go(Box::new(Prepared { stage, suite, filter, _lock: lock })))
}

/// Removes what says how an earlier run went, where there is an output folder.
fn withdraw(lock: &mut OutLock, out: &Path) -> Result<(), CliError> {
    if lock.is_held() {
        // Without its stream the folder is known by its mark alone.
        lock.create()?;
        store::withdraw(out)?;
    }
    Ok(())
}

impl Stage {
    /// Everything but features, to run as a watch does.
    pub(super) fn set_up(
        project: &Project,
        library: Library,
        bin: Option<PathBuf>,
        jobs: Option<NonZeroUsize>,
        scratch: PathBuf,
    ) -> Result<Self, CliError> {
        let program = Program::take(&project.root, bin.clone(), Build::Ordinary, &scratch)?;
        let stage = Self::with(project, library, program, jobs, scratch)?;
        Ok(Self { again: stage.again.clone().with(bin), ..stage })
    }

    /// The same with a program that is there.
    pub(super) fn with(
        project: &Project,
        library: Library,
        program: Program,
        jobs: Option<NonZeroUsize>,
        scratch: PathBuf,
    ) -> Result<Self, CliError> {
        Ok(Self {
            program,
            library,
            listener: Listener::start().map_err(RunError::Signals)?,
            tree: project.tree_beside(),
            lane: Lane::Mock,
            jobs: jobs.unwrap_or_else(default_jobs),
            fail_fast: false,
            every_then: false,
            timeout: None,
            keep: false,
            scratch,
            locality: Locality::default(),
            again: Again::new(project),
        })
    }

    /// Where it runs from now on: how many scenarios at a time, in a folder of which shape, with what around them.
    pub(super) fn put_into(&mut self, jobs: NonZeroUsize, scratch: PathBuf, locality: Locality) {
        (self.jobs, self.scratch, self.locality) = (jobs, scratch, locality);
    }

    /// The folder in which scenarios get theirs.
    pub(super) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Runs once, in the order of the seed, into a folder; tells how it goes.
    pub(super) fn run(
        &self,
        console: &Console,
        suite: &Suite,
        filter: &Filter,
        seed: u64,
        out: PathBuf,
        detail: Detail,
    ) -> Result<Done, CliError> {
        let settings = Settings {
            bin: self.program.path.clone(),
            lane: self.lane,
            jobs: self.jobs,
            seed,
            limits: Limits { step: STEP_TIMEOUT, scenario: SCENARIO_TIMEOUT, times: crowding(self.jobs) },
            run_timeout: self.timeout,
            fail_fast: self.fail_fast,
            every_then: self.every_then,
            keep: self.keep,
            scratch: self.scratch.clone(),
            locality: self.locality.clone(),
            // Looked for before the first scenario, once: the image is made then.
            containers: (self.lane == Lane::Docker).then(Containers::find),
            out: out.clone(),
        };
        if let Some(scratch) = supervise::scratch() {
            death::leave_word(&scratch, &out)?;
        }
        let scenarios = filter.select(suite, self.lane).len();
        let teller = Teller::start(console, detail, seed, self.jobs, scenarios);
        let listen = |interrupter| {
            self.listener.attach(interrupter);
            Ok(())
        };
        let tell = |scenario: &_, to_come: usize| teller.scenario(scenario, to_come);
        let facts = || Facts {
            tree: self.tree.id.clone(),
            dirty: self.tree.dirty,
            source_digest: self.tree.source_digest.clone(),
            binary_digest: self.program.digest.clone(),
            binary_version: self.program.version.clone(),
        };
        let result = runner::run(&self.library, suite, filter, &settings, listen, tell, facts)?;
        let again = self.again.of_run(self.lane, seed);
        teller.end(&result, &again);
        let exit_code = result.interrupted.map_or_else(|| u8::from(!result.passed()), Interrupt::exit_code);
        Ok(Done { exit_code, out, seed, result, excused: Vec::new(), again })
    }
}

/// Scenarios at a time unless told otherwise.
pub(super) fn default_jobs() -> NonZeroUsize {
    // Scenarios mostly wait for processes.
    thread::available_parallelism()
        .unwrap_or(NonZeroUsize::MIN)
        .saturating_mul(NonZeroUsize::MIN.saturating_add(1))
}

/// How many times as many scenarios run at a time as is usual: each takes so many times as long.
fn crowding(jobs: NonZeroUsize) -> u32 {
    jobs.get().div_ceil(default_jobs().get()).try_into().unwrap_or(u32::MAX)
}

/// Short enough to be typed, and another one each time.
pub(super) fn new_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_micros()) % 100_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_more_than_the_usual_number_at_a_time() {
        let usual = default_jobs();
        let times = |jobs: usize| crowding(NonZeroUsize::new(jobs).unwrap());
        assert_eq!([times(1), times(usual.get()), times(usual.get() + 1)], [1, 1, 2]);
        assert_eq!(times(4 * usual.get()), 4);
    }
}

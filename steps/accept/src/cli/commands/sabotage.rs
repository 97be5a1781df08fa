//! `accept sabotage`: builds the program with its seeded faults, runs each goal's scenarios against each fault that the goal
//! declares, and prints which are noticed.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use mycelium_schemas::{
    SCHEMA_VERSION,
    goal::spec::Goal,
    sabotage::{Sabotage, Trial, TrialOutcome},
};
use mycelium_traceability::{Results, trial};

use crate::{
    cli::{
        args::SabotageArgs,
        conduct::{Stage, new_seed},
        console::{Console, counted},
        error::CliError,
        program::{Build, Program},
        project::Project,
        sabotage::{self, Pair, SabotageError, with_saboteur},
        stream,
        tell::Detail,
        tree::Tree,
    },
    runner::{Filter, Interrupt, Loader, OutLock, suite::Suite},
};

/// Folder of the runs of survivors, in the output folder.
const RUNS: &str = "sabotage";

/// What every trial works with.
struct Bench<'a> {
    console: &'a Console,
    stage: Stage,
    suite: Suite,
    program: Program,
    scratch: PathBuf,
    runs: PathBuf,
}

/// A run came to its end, or was told to.
enum Ran {
    Whole { results: Box<Results>, out: PathBuf },
    Interrupted(Interrupt),
}

pub(in crate::cli) fn run(
    console: &Console,
    load: Loader,
    args: &SabotageArgs,
    scratch: PathBuf,
) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = args.out.folder(&project);
    // Before anything of them is read.
    let Tree { id: tree, source_digest, .. } = project.tree();
    let registry = project.registry()?;
    let suite = project.parsed_suite(&[])?;
    let mut lock = OutLock::take(&out)?;
    sabotage::clear(&out)?;
    lock.create()?;
    let bin = args.bin.as_ref().map(|path| project.resolve(path));
    let program = Program::take(&project.root, bin, Build::Sabotaged, &scratch)?;
    let known = sabotage::known(&program)?;
    let (pairs, mut partial) = sabotage::plan(&registry.goals, &known, args.goal, args.only.as_deref())?;
    partial
        .extend(args.bin.as_ref().map(|_| "The program was given, not built from these sources.".to_owned()));
    let library = load()?;
    let mut stage = Stage::with(&project, library, program.clone(), args.jobs, scratch.clone())?;
    stage.every_then = true;
    let mut bench = Bench { console, stage, suite, program, scratch, runs: out.join(RUNS) };
    let trials = match bench.trials(&pairs)? {
        Ok(trials) => trials,
        Err(interrupt) => return Ok(interrupt.exit_code()),
    };
    if project.tree().source_digest != source_digest {
        partial.push("The sources changed while the saboteurs were tried.".to_owned());
    }
    let sabotage = Sabotage {
        schema_version: SCHEMA_VERSION,
        tree,
        source_digest,
        binary_digest: bench.program.digest.clone(),
        partial,
        known,
        trials,
    };
    let path = sabotage::keep(&out, &sabotage)?;
    console.print(sabotage::table(console, &sabotage))?;
    console.document(&sabotage)?;
    console.say(format_args!("kill matrix: {}", path.display()));
    let survived = |trial: &Trial| trial.outcome == TrialOutcome::Survived;
    Ok(u8::from(sabotage.trials.iter().any(survived)))
}

impl Bench<'_> {
    /// All trials in order, or the signal that ended them.
    fn trials(&mut self, pairs: &[Pair<'_>]) -> Result<Result<Vec<Trial>, Interrupt>, CliError> {
        remove(&self.runs)?;
        let mut goals: Vec<&Goal> = pairs.iter().map(|pair| pair.goal).collect();
        goals.dedup_by_key(|goal| goal.id);
        let honest = match self.scenarios(&goals, None)? {
            Ran::Interrupted(interrupt) => return Ok(Err(interrupt)),
            Ran::Whole { results, out } => {
                remove(&out)?;
                results
            }
        };
        let mut trials = Vec::new();
        for (number, Pair { goal, name }) in (1..).zip(pairs) {
            let (results, out) = match self.scenarios(&[*goal], Some(name))? {
                Ran::Interrupted(interrupt) => return Ok(Err(interrupt)),
                Ran::Whole { results, out } => (results, out),
            };
            let trial = trial(goal, name, &honest, &results);
            let word = trial.outcome.name();
            self.console.say(format_args!("{number} of {}: {} {name} {word}", pairs.len(), goal.id));
            if trial.scenarios == 0 {
                return Err(SabotageError::BrokenWithout(trial.remarks).into());
            }
            // What a survivor did is looked at.
            if trial.outcome == TrialOutcome::Killed {
                remove(&out)?;
            }
            trials.push(trial);
        }
        Ok(Ok(trials))
    }

    /// Runs the scenarios of goals with a saboteur at work, or with none.
    fn scenarios(&mut self, goals: &[&Goal], name: Option<&str>) -> Result<Ran, CliError> {
        self.stage.program = with_saboteur(&self.program, name, &self.scratch)?;
        let tags: Vec<String> = goals.iter().map(|goal| format!("@{}", goal.id)).collect();
        let filter = Filter {
            targets: Vec::new(),
            // Goal ids are tags; they always parse.
            tags: tags.join(" or ").parse().ok(),
            name: None,
            again: None,
            shard: None,
            any_lane: false,
        };
        if name.is_none() {
            let without = counted(goals.len(), "goal");
            self.console.say(format_args!("the scenarios of {without} without a saboteur first"));
        }
        let folder = match (name, goals) {
            (Some(name), [goal, ..]) => self.runs.join(format!("{}-{name}", goal.id)),
            _ => self.runs.join("honest"),
        };
        let done = self.stage.run(
            self.console,
            &self.suite,
            &filter,
            new_seed(),
            folder.clone(),
            Detail::Nothing,
        )?;
        if let Some(interrupt) = done.result.interrupted {
            return Ok(Ran::Interrupted(interrupt));
        }
        let results = Box::new(stream::required_run(&folder)?.results);
        Ok(Ran::Whole { results, out: folder })
    }
}

/// Removes a folder; one that is not there is fine.
fn remove(folder: &Path) -> Result<(), CliError> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != ErrorKind::NotFound => {
            Err(CliError::File { action: "remove", path: folder.to_owned(), source })
        }
        _ => Ok(()),
    }
}

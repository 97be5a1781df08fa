//! `accept watch`: a saved feature is linted at once, and its changed scenarios run. The program is built once.

use std::{
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::lint;
use crate::{
    cli::{
        args::WatchArgs,
        conduct::{Stage, new_seed},
        console::Console,
        error::CliError,
        project::Project,
        tell::Detail,
        watch::{Change, Look},
    },
    lint::LintProblem,
    runner::{Filter, OutLock, suite::Suite},
};

/// Between two looks. An editor that writes in several moves is done by the second look that sees the same.
const PAUSE: Duration = Duration::from_millis(150);

pub(in crate::cli) fn run(console: &Console, args: WatchArgs, scratch: PathBuf) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = project.resolve(&args.out);
    let mut lock = OutLock::take(&out)?;
    lock.create()?;
    let paths: Vec<PathBuf> = args.paths.iter().map(|path| project.relative_to_root(path)).collect();
    let suite = project.suite(&paths)?;
    let bin = args.bin.map(|path| project.resolve(&path));
    let stage = Stage::set_up(&project, bin, args.jobs, scratch)?;
    let mut seen = Look::at(&suite);
    lint_files(console, &project, &stage, &suite, None)?;
    console
        .say(format_args!("watching {}; Ctrl-C ends it", lint::counted(suite.files.len(), "feature file")));
    loop {
        if let Some(interrupt) = stage.listener.pending() {
            return Ok(interrupt.exit_code());
        }
        thread::sleep(PAUSE);
        // A file that is being replaced may not be there for a moment.
        let Some((suite, look)) = settled(&project, &paths, &seen) else { continue };
        let change = look.since(&seen);
        console.say(format_args!("\nsaved: {}", change.files.iter().cloned().collect::<Vec<_>>().join(", ")));
        let problems = lint_files(console, &project, &stage, &suite, Some(&change))?;
        if problems.iter().any(LintProblem::is_error) {
            seen = look.without_meanings(seen);
            continue;
        }
        seen = look;
        if change.scenarios.is_empty() {
            console.say("no scenario means anything else than before");
            continue;
        }
        if let Some(code) = rerun(console, &stage, &suite, change, &out)? {
            return Ok(code);
        }
    }
}

/// Runs what changed; the exit code, where a signal ended it.
fn rerun(
    console: &Console,
    stage: &Stage,
    suite: &Suite,
    change: Change,
    out: &Path,
) -> Result<Option<u8>, CliError> {
    let filter = Filter { again: Some(change.scenarios), ..Filter::default() };
    let done = stage.run(console, suite, &filter, new_seed(), out.to_owned(), Detail::Everything)?;
    Ok(done.result.interrupted.map(|_| done.exit_code))
}

/// The features where one of them was saved, once two looks see the same.
fn settled(project: &Project, paths: &[PathBuf], seen: &Look) -> Option<(Suite, Look)> {
    let mut look = Look::at(&project.suite(paths).ok()?);
    if look.since(seen).files.is_empty() {
        return None;
    }
    loop {
        thread::sleep(PAUSE);
        let suite = project.suite(paths).ok()?;
        let again = Look::at(&suite);
        if again.has_texts_of(&look) {
            return Some((suite, again));
        }
        look = again;
    }
}

/// Lints everything, and tells what is wrong in the files that changed. What is wrong elsewhere was told before.
fn lint_files(
    console: &Console,
    project: &Project,
    stage: &Stage,
    suite: &Suite,
    change: Option<&Change>,
) -> Result<Vec<LintProblem>, CliError> {
    let mut problems = lint::check(project, suite, &stage.library)?;
    problems.retain(|problem| change.is_none_or(|change| change.files.contains(&problem.uri)));
    lint::tell(console, &problems);
    if problems.is_empty() && change.is_some() {
        console.say("no problem");
    }
    Ok(problems)
}

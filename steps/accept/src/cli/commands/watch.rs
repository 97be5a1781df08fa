//! `accept watch`: a saved feature is linted at once, and its changed scenarios run. The program is built once.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::lint;
use crate::{
    cli::{
        args::WatchArgs,
        conduct::{Stage, new_seed},
        console::{Console, counted},
        error::CliError,
        project::Project,
        tell::Detail,
        watch::Look,
    },
    runner::{Filter, Identity, Loader, OutLock, suite::Suite},
};

/// Between two looks. An editor that writes in several moves is done by the second look that sees the same.
const PAUSE: Duration = Duration::from_millis(150);

pub(in crate::cli) fn run(
    console: &Console,
    load: Loader,
    args: WatchArgs,
    scratch: PathBuf,
) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let out = project.resolve(&args.out);
    let mut lock = OutLock::take(&out)?;
    lock.create()?;
    let paths: Vec<PathBuf> = args.paths.iter().map(|path| project.relative_to_root(path)).collect();
    let suite = project.suite(&paths)?;
    let bin = args.bin.map(|path| project.resolve(&path));
    let stage = Stage::set_up(&project, load()?, bin, args.jobs, scratch)?;
    let mut seen = Look::at(&suite);
    lint_files(console, &project, &stage, &suite, None)?;
    console.say(format_args!("watching {}; Ctrl-C ends it", counted(suite.files.len(), "feature file")));
    loop {
        if let Some(interrupt) = stage.listener.pending() {
            return Ok(interrupt.exit_code());
        }
        thread::sleep(PAUSE);
        // A file that is being replaced may not be there for a moment.
        let Some((suite, look)) = settled(&project, &paths, &seen) else { continue };
        let files = look.since(&seen).files;
        console.say(format_args!("\nsaved: {}", files.iter().cloned().collect::<Vec<_>>().join(", ")));
        let refused = lint_files(console, &project, &stage, &suite, Some(&files))?;
        let look = look.without(&refused, &seen);
        let scenarios = look.since(&seen).scenarios;
        seen = look;
        if scenarios.is_empty() {
            if files.is_disjoint(&refused) {
                console.say("no scenario means anything else than before");
            }
            continue;
        }
        if let Some(code) = rerun(console, &stage, &suite, scenarios, &out)? {
            return Ok(code);
        }
    }
}

/// Runs what changed; the exit code, where a signal ended it.
fn rerun(
    console: &Console,
    stage: &Stage,
    suite: &Suite,
    scenarios: BTreeSet<Identity>,
    out: &Path,
) -> Result<Option<u8>, CliError> {
    let filter = Filter { again: Some(scenarios), ..Filter::default() };
    let done = stage.run(console, suite, &filter, new_seed(), out.to_owned(), Detail::Everything)?;
    Ok(done.result.interrupted.map(|_| done.exit_code))
}

/// The features where one of them was saved, once two looks see the same. What is as it was is not even parsed.
fn settled(project: &Project, paths: &[PathBuf], seen: &Look) -> Option<(Suite, Look)> {
    let mut texts = project.sources(paths).ok()?;
    while !seen.saved(&texts).is_empty() {
        thread::sleep(PAUSE);
        let again = project.sources(paths).ok()?;
        if again == texts {
            let suite = project.suite(paths).ok()?;
            let look = Look::at(&suite);
            // It may have been saved once more, and be as it was.
            return (!look.since(seen).files.is_empty()).then_some((suite, look));
        }
        texts = again;
    }
    None
}

/// Lints everything, and tells what is wrong in the files that changed. What is wrong elsewhere was told before. Returns
/// all files with an error.
fn lint_files(
    console: &Console,
    project: &Project,
    stage: &Stage,
    suite: &Suite,
    changed: Option<&BTreeSet<String>>,
) -> Result<BTreeSet<String>, CliError> {
    let mut problems = lint::check(project, suite, &stage.library)?;
    let errors = problems.iter().filter(|problem| problem.is_error());
    let refused = errors.map(|problem| problem.uri.clone()).collect();
    problems.retain(|problem| changed.is_none_or(|changed| changed.contains(&problem.uri)));
    lint::tell(console, &problems);
    if problems.is_empty() && changed.is_some() {
        console.say("no problem");
    }
    Ok(refused)
}

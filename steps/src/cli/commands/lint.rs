//! `accept lint`: every problem of the feature files at once.

use std::path::PathBuf;

use crate::{
    catalogue::CATALOGUE,
    cli::{
        args::LintArgs,
        console::{Console, Tone},
        error::{BAD_INPUT, CliError},
        project::Project,
        summary::RunSummary,
    },
    lint::{LintProblem, Promises, lint},
    runner::{Library, suite::Suite},
    world::MyceliumWorld,
};

pub(in crate::cli) fn run(console: &Console, args: &LintArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let paths: Vec<PathBuf> = args.paths.iter().map(|path| project.relative_to_root(path)).collect();
    let suite = project.suite(&paths)?;
    let library = Library::<MyceliumWorld>::load(CATALOGUE)?;
    let problems = check(&project, &suite, &library)?;
    let code = exit_code(&problems);
    tell(console, &problems);
    if problems.is_empty() {
        let scenarios = suite.pickles().count();
        console.say(format_args!("{} feature files, {scenarios} scenarios, no problem", suite.files.len()));
    }
    console.document(&RunSummary::of_lint(&problems, code))?;
    Ok(code)
}

/// Lints a suite against the goals of its project.
pub(in crate::cli) fn check(
    project: &Project,
    suite: &Suite,
    library: &Library<MyceliumWorld>,
) -> Result<Vec<LintProblem>, CliError> {
    let registry = project.registry()?;
    let goals: Vec<_> = registry.goals.iter().map(|goal| goal.id).collect();
    let promises = Promises { goals: &goals, backlog: &registry.backlog };
    Ok(lint(suite, library.vocabulary(), promises))
}

/// Says what is wrong.
pub(in crate::cli) fn tell(console: &Console, problems: &[LintProblem]) {
    for problem in problems {
        console.say(format_args!("{} {problem}", console.paint(Tone::Bad, "error:")));
    }
    if !problems.is_empty() {
        console.say(format_args!("{} in the feature files", counted(problems.len(), "problem")));
    }
}

/// 0 without problems, 2 where the input itself is wrong, else 1.
pub(in crate::cli) fn exit_code(problems: &[LintProblem]) -> u8 {
    if problems.iter().any(|problem| problem.rule.is_bad_input()) {
        BAD_INPUT
    } else {
        u8::from(!problems.is_empty())
    }
}

/// `1 problem`, `2 problems`.
pub(in crate::cli) fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

//! `accept lint`: every problem of the feature files at once.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    cli::{
        args::{LintArgs, LintFormat},
        console::{Console, Tone, counted},
        error::{BAD_INPUT, CliError},
        findings,
        project::{Project, replace},
        summary::RunSummary,
    },
    lint::{LintProblem, Promises, Severity, fixed, lint, lint_goals},
    runner::{Library, Loader, suite::Suite},
};

/// What `accept lint --format json` prints.
#[derive(Debug, Serialize)]
struct Findings<'a> {
    #[serde(flatten)]
    summary: RunSummary,
    problems: Vec<Finding<'a>>,
}

#[derive(Debug, Serialize)]
struct Finding<'a> {
    rule: &'static str,
    severity: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    help: &'a str,
}

pub(in crate::cli) fn run(console: &Console, load: Loader, args: &LintArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let paths: Vec<PathBuf> = args.paths.iter().map(|path| project.relative_to_root(path)).collect();
    let library = load()?;
    let mut suite = project.suite(&paths)?;
    let mut problems = check(&project, &suite, &library)?;
    if args.fix && fix(console, &project, &suite, &problems)? {
        suite = project.suite(&paths)?;
        problems = check(&project, &suite, &library)?;
    }
    let code = exit_code(&problems);
    match if console.json { LintFormat::Json } else { args.format } {
        LintFormat::Text => tell(console, &problems),
        LintFormat::Json => {
            tell(console, &problems);
            console.as_document(&Findings::new(&problems, code))?;
        }
        LintFormat::Sarif => console.as_document(&findings::sarif(&problems))?,
        LintFormat::Github if problems.is_empty() => {}
        LintFormat::Github => console.print(findings::github(&problems))?,
    }
    if problems.is_empty() {
        let (files, scenarios) = (suite.files.len(), suite.pickles().count());
        console.say(format_args!(
            "{}, {}, no problem",
            counted(files, "feature file"),
            counted(scenarios, "scenario")
        ));
    }
    Ok(code)
}

/// Mends what can be; whether that was anything.
fn fix(
    console: &Console,
    project: &Project,
    suite: &Suite,
    problems: &[LintProblem],
) -> Result<bool, CliError> {
    let mut mended = false;
    for file in &suite.files {
        if let Some(text) = fixed(file, problems) {
            replace(&project.root.join(&file.uri), &text)?;
            console.say(format_args!("fixed {}", file.uri));
            mended = true;
        }
    }
    Ok(mended)
}

impl<'a> Findings<'a> {
    fn new(problems: &'a [LintProblem], code: u8) -> Self {
        let finding = |problem: &'a LintProblem| Finding {
            rule: problem.rule.name(),
            severity: problem.rule.severity().name(),
            file: &problem.uri,
            line: problem.line,
            column: problem.column,
            message: &problem.message,
            help: &problem.help,
        };
        let errors: Vec<LintProblem> = problems.iter().filter(|p| p.is_error()).cloned().collect();
        Self { summary: RunSummary::of_lint(&errors, code), problems: problems.iter().map(finding).collect() }
    }
}

/// Lints a suite against the goals of its project, and these against the steps.
pub(in crate::cli) fn check(
    project: &Project,
    suite: &Suite,
    library: &Library,
) -> Result<Vec<LintProblem>, CliError> {
    let registry = project.registry()?;
    let goals: Vec<_> = registry.goals.iter().map(|goal| goal.id).collect();
    let promises = Promises { goals: &goals, backlog: &registry.backlog };
    let mut problems = lint(suite, library.vocabulary(), promises);
    problems.extend(lint_goals(&registry.goals, &project.goal_sources()?, library.vocabulary()));
    problems.sort();
    Ok(problems)
}

/// Says what is wrong.
pub(in crate::cli) fn tell(console: &Console, problems: &[LintProblem]) {
    for problem in problems {
        let label = match problem.rule.severity() {
            Severity::Error => console.paint(Tone::Bad, "error:"),
            Severity::Warning => console.paint(Tone::Warn, "warning:"),
        };
        console.say(format_args!("{label} {problem}"));
    }
    if !problems.is_empty() {
        let errors = problems.iter().filter(|problem| problem.is_error()).count();
        let warnings = problems.len() - errors;
        console.say(format_args!(
            "{} and {} in features and goals",
            counted(errors, "error"),
            counted(warnings, "warning")
        ));
    }
}

/// 0 without errors, 2 where the input itself is wrong, else 1.
pub(in crate::cli) fn exit_code(problems: &[LintProblem]) -> u8 {
    if problems.iter().any(|problem| problem.rule.is_bad_input()) {
        BAD_INPUT
    } else {
        u8::from(problems.iter().any(LintProblem::is_error))
    }
}

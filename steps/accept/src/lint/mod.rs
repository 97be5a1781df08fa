//! The lint of feature files and of what goals ask of them: everything that can be said without running anything, all of
//! it at once, each with its place and its mend.

mod claims;
mod fix;
mod layout;
mod lost;
mod order;
mod outline;
mod rule;
mod scaffold;
mod shape;
mod steps;
mod tags;

pub use claims::{Unmade, lint_goals, unmade};
pub use fix::fixed;
pub use rule::{Rule, Severity};
pub use scaffold::PLACEHOLDER;

use std::{
    collections::{HashMap, HashSet},
    fmt,
};

use mycelium_gherkin::{ParseError, ParseErrorKind};
use mycelium_schemas::{goal::GoalId, matrix::BacklogGoal, messages::Location};

use crate::{
    runner::{
        Vocabulary,
        suite::{FeatureFile, Suite},
    },
    visible::visible,
};

/// One problem of a feature file, or of a goal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LintProblem {
    /// The file.
    pub uri: String,
    /// One-based line.
    pub line: u32,
    /// One-based column.
    pub column: u32,
    /// What it is about.
    pub rule: Rule,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// The line itself, or what it begins with.
    pub excerpt: String,
}

/// Characters of a line that are shown.
const EXCERPT_MAX: usize = 400;
/// Characters of a message, which may quote a line.
const MESSAGE_MAX: usize = 2000;

impl LintProblem {
    /// Whether it refuses a run.
    pub fn is_error(&self) -> bool {
        self.rule.severity() == Severity::Error
    }

    /// Its place and what is wrong, on one line.
    pub fn summary(&self) -> String {
        let Self { uri, line, column, rule, message, .. } = self;
        format!("{uri}:{line}:{column}: {message} [{}]", rule.name())
    }
}

impl fmt::Display for LintProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, help, excerpt, .. } = self;
        writeln!(f, "{}", visible(&self.summary()))?;
        if !excerpt.trim().is_empty() {
            let margin = " ".repeat(line.to_string().len());
            let before: String = excerpt.chars().take((*column as usize).saturating_sub(1)).collect();
            let indent = " ".repeat(visible(&before).chars().count());
            let mark = if *column as usize <= EXCERPT_MAX { "^" } else { "" };
            writeln!(f, " {line} | {}\n {margin} | {indent}{mark}", visible(excerpt))?;
        }
        write!(f, "   = {}", visible(help))
    }
}

/// The promises that a scenario can name.
#[derive(Debug, Clone, Copy)]
pub struct Promises<'a> {
    /// The goals of `traceability/goals/`.
    pub goals: &'a [GoalId],
    /// Those of `traceability/backlog.yaml`: promised, and no scenario's goal yet.
    pub backlog: &'a [BacklogGoal],
}

/// Finds every problem of the suite, sorted by place.
pub fn lint(suite: &Suite, vocabulary: &Vocabulary, promises: Promises<'_>) -> Vec<LintProblem> {
    let mut problems = Vec::new();
    let mut names = HashMap::new();
    for (file, parsed) in suite.parsed() {
        match parsed {
            Err(errors) => problems.extend(syntax(file, &errors)),
            Ok(feature) => {
                let mut report = Report::new(file, &mut problems);
                tags::check(&mut report, &feature, promises);
                shape::check(&mut report, &feature, vocabulary);
                shape::feature_name(&mut report, &feature, &mut names);
                steps::check(&mut report, &feature, vocabulary);
                lost::check(&mut report, &feature, vocabulary);
                outline::check(&mut report, &feature);
                scaffold::check(&mut report, &feature);
                order::check(&mut report, &feature);
                layout::check(&mut report);
            }
        }
    }
    // The rows of an outline share their steps, and so their problems.
    problems.sort();
    problems.dedup();
    problems
}

/// The problems of a file that does not parse.
pub fn syntax(file: &FeatureFile, errors: &[ParseError]) -> Vec<LintProblem> {
    let mut problems = Vec::new();
    let mut report = Report::new(file, &mut problems);
    let mut lacks_feature = false;
    let is_bad_tag = |error: &ParseError| error.kind == ParseErrorKind::WhitespaceInTag;
    let bad_tags: HashSet<u32> =
        errors.iter().filter(|error| is_bad_tag(error)).map(|error| error.location.line).collect();
    for error in errors {
        // Without a feature each line is an error, and the same one; a bad tag makes its line one that cannot stand there.
        let is_same = error.lacks_feature() && std::mem::replace(&mut lacks_feature, true);
        if is_same || (!is_bad_tag(error) && bad_tags.contains(&error.location.line)) {
            continue;
        }
        report.add(Rule::Syntax, error.place(), error.kind.sentence(), error.kind.help());
    }
    problems
}

/// So many characters of a text, and a sign where that is not all of it.
fn beginning(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Collects the problems of one file.
struct Report<'a> {
    file: &'a FeatureFile,
    /// Its lines, split once: a file may be long and have a problem in each of them.
    lines: Vec<&'a str>,
    problems: &'a mut Vec<LintProblem>,
}

impl<'a> Report<'a> {
    fn new(file: &'a FeatureFile, problems: &'a mut Vec<LintProblem>) -> Self {
        Self { file, lines: file.source.lines().collect(), problems }
    }

    fn add(&mut self, rule: Rule, at: Location, message: impl Into<String>, help: impl Into<String>) {
        let line = at.line.max(1);
        let excerpt = self.lines.get(line as usize - 1).copied().unwrap_or_default();
        self.problems.push(LintProblem {
            uri: self.file.uri.clone(),
            line,
            column: at.column.unwrap_or(1).max(1),
            rule,
            message: beginning(&message.into(), MESSAGE_MAX),
            help: beginning(&help.into(), MESSAGE_MAX),
            excerpt: beginning(excerpt, EXCERPT_MAX),
        });
    }
}

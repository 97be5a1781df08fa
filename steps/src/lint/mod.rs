//! The lint of feature files: everything that can be said without running anything, all of it at once, each with its
//! place and its mend.

mod shape;
mod steps;
mod tags;

use std::fmt;

use mycelium_gherkin::ParseError;
use mycelium_schemas::{goal::GoalId, matrix::BacklogGoal, messages::Location};

use crate::runner::{
    Vocabulary,
    suite::{FeatureFile, Suite},
};

/// What a problem is about; decides what a run exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The file is not Gherkin.
    Syntax,
    /// The file's name does not begin with its goal.
    FileName,
    /// A goal that nobody declared.
    UnknownGoal,
    /// No goal at all: the scenario proves nothing that was promised.
    NoGoal,
    /// The tier's tag is missing or is not that of the goal.
    Tier,
    /// No lane, so it would run nowhere.
    NoLane,
    /// A tag that hides failures.
    ForbiddenTag,
    /// A malformed `@timeout`.
    Timeout,
    /// A step that means nothing.
    Undefined,
    /// A step that means several things.
    Ambiguous,
    /// A scenario that does nothing.
    NoSteps,
    /// A scenario that checks nothing.
    NoThen,
    /// A scenario that does not say what must not happen.
    NoNegative,
    /// Two scenarios that reports cannot tell apart.
    DuplicateName,
    /// A Tier-0 goal without the scenario that shows what happens with the knob off.
    NoControl,
    /// A feature file without a scenario.
    NoScenario,
}

impl Rule {
    /// True where the input itself is wrong (exit 2), false where it fails its purpose (exit 1).
    pub fn is_bad_input(self) -> bool {
        match self {
            Self::Syntax
            | Self::FileName
            | Self::UnknownGoal
            | Self::NoGoal
            | Self::Tier
            | Self::NoLane
            | Self::ForbiddenTag
            | Self::Timeout => true,
            Self::Undefined
            | Self::Ambiguous
            | Self::NoSteps
            | Self::NoThen
            | Self::NoNegative
            | Self::DuplicateName
            | Self::NoControl
            | Self::NoScenario => false,
        }
    }

    /// Its name in messages and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::FileName => "file-name",
            Self::UnknownGoal => "unknown-goal",
            Self::NoGoal => "no-goal",
            Self::Tier => "tier",
            Self::NoLane => "no-lane",
            Self::ForbiddenTag => "forbidden-tag",
            Self::Timeout => "timeout",
            Self::Undefined => "undefined-step",
            Self::Ambiguous => "ambiguous-step",
            Self::NoSteps => "no-steps",
            Self::NoThen => "no-then",
            Self::NoNegative => "no-negative-assertion",
            Self::DuplicateName => "duplicate-name",
            Self::NoControl => "no-control-twin",
            Self::NoScenario => "no-scenario",
        }
    }
}

/// One problem of a feature file.
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
    /// The line itself.
    pub excerpt: String,
}

impl LintProblem {
    /// Its place and what is wrong, on one line.
    pub fn summary(&self) -> String {
        let Self { uri, line, column, rule, message, .. } = self;
        format!("{uri}:{line}:{column}: {message} [{}]", rule.name())
    }
}

impl fmt::Display for LintProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, help, excerpt, .. } = self;
        writeln!(f, "{}", self.summary())?;
        if !excerpt.trim().is_empty() {
            let margin = " ".repeat(line.to_string().len());
            let indent = " ".repeat((*column as usize).saturating_sub(1));
            writeln!(f, " {line} | {excerpt}\n {margin} | {indent}^")?;
        }
        write!(f, "   = {help}")
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
    for file in &suite.files {
        match &file.parsed {
            Err(errors) => problems.extend(syntax(file, errors)),
            Ok(feature) => {
                let mut report = Report { file, problems: &mut problems };
                tags::check(&mut report, feature, promises);
                shape::check(&mut report, feature, vocabulary);
                steps::check(&mut report, feature, vocabulary);
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
    let mut report = Report { file, problems: &mut problems };
    for error in errors {
        report.add(
            Rule::Syntax,
            error.location,
            error.kind.to_string(),
            "correct the Gherkin at this place",
        );
    }
    problems
}

/// Collects the problems of one file.
struct Report<'a> {
    file: &'a FeatureFile,
    problems: &'a mut Vec<LintProblem>,
}

impl Report<'_> {
    fn add(&mut self, rule: Rule, at: Location, message: impl Into<String>, help: impl Into<String>) {
        let line = at.line.max(1);
        self.problems.push(LintProblem {
            uri: self.file.uri.clone(),
            line,
            column: at.column.unwrap_or(1).max(1),
            rule,
            message: message.into(),
            help: help.into(),
            excerpt: self.file.source.lines().nth(line as usize - 1).unwrap_or_default().to_owned(),
        });
    }
}

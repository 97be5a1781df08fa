//! The rules: what each is about, how bad it is to break it, and what it is called.

/// What a problem is about; decides what a run exits with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// The file is not Gherkin.
    Syntax,
    /// The file's name does not begin with its goal.
    FileName,
    /// A goal that nobody declared.
    UnknownGoal,
    /// A goal that declares an assertion which no step makes.
    UnknownAssertion,
    /// No goal at all: the scenario proves nothing that was promised.
    NoGoal,
    /// The tier's tag is missing or is not that of the goal.
    Tier,
    /// No lane, so it would run nowhere.
    NoLane,
    /// A tag that hides failures.
    ForbiddenTag,
    /// A quarantine without an end.
    QuarantineTag,
    /// A malformed `@timeout`.
    Timeout,
    /// A step that means nothing.
    Undefined,
    /// A step that means several things.
    Ambiguous,
    /// A table or text that its step does not take, or a step that has not got the one it needs.
    Argument,
    /// A step that is none, because its keyword is misspelt or missing.
    LostStep,
    /// A placeholder of `accept new` that nobody replaced.
    Scaffold,
    /// A scenario that does nothing.
    NoSteps,
    /// A scenario that checks nothing.
    NoThen,
    /// A check in a background.
    BackgroundThen,
    /// A deed that nobody looks at afterwards.
    UncheckedWhen,
    /// A scenario that does not say what must not happen.
    NoNegative,
    /// Two scenarios or features that reports cannot tell apart.
    DuplicateName,
    /// A Tier-0 goal without the scenario that shows what happens with the knob off.
    NoControl,
    /// A feature file without a scenario.
    NoScenario,
    /// A placeholder that no column of the examples fills.
    UnknownPlaceholder,
    /// A column of examples that no step uses.
    UnusedColumn,
    /// A scenario that begins anew in its middle.
    StepOrder,
    /// A tag that says nothing new.
    RedundantTag,
    /// A tag that is nearly one that means something.
    MisspeltTag,
    /// A file that is laid out otherwise than `accept fmt` writes it.
    Layout,
}

/// Whether a problem refuses a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// It does.
    Error,
    /// It is worth a look.
    Warning,
}

impl Severity {
    /// Its name in every format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What it means to break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// The input itself is wrong: exit 2.
    BadInput,
    /// It fails its purpose: exit 1.
    Failure,
    /// It may be meant so: exit 0.
    Doubt,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 29] = [
        Self::Syntax,
        Self::FileName,
        Self::UnknownGoal,
        Self::UnknownAssertion,
        Self::NoGoal,
        Self::Tier,
        Self::NoLane,
        Self::ForbiddenTag,
        Self::QuarantineTag,
        Self::Timeout,
        Self::Undefined,
        Self::Ambiguous,
        Self::Argument,
        Self::LostStep,
        Self::Scaffold,
        Self::NoSteps,
        Self::NoThen,
        Self::BackgroundThen,
        Self::UncheckedWhen,
        Self::NoNegative,
        Self::DuplicateName,
        Self::NoControl,
        Self::NoScenario,
        Self::UnknownPlaceholder,
        Self::UnusedColumn,
        Self::StepOrder,
        Self::RedundantTag,
        Self::MisspeltTag,
        Self::Layout,
    ];

    /// True where the input itself is wrong (exit 2).
    pub fn is_bad_input(self) -> bool {
        self.entry().0 == Weight::BadInput
    }

    /// Whether breaking it refuses a run.
    pub fn severity(self) -> Severity {
        if self.entry().0 == Weight::Doubt { Severity::Warning } else { Severity::Error }
    }

    /// Its name in messages and in every format.
    pub fn name(self) -> &'static str {
        self.entry().1
    }

    /// What it is about, in a sentence.
    pub fn description(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> (Weight, &'static str, &'static str) {
        use Weight::{BadInput, Doubt, Failure};
        match self {
            Self::Syntax => (BadInput, "syntax", "The file is not Gherkin."),
            Self::FileName => (BadInput, "file-name", "The file's name does not begin with its goal."),
            Self::UnknownGoal => (BadInput, "unknown-goal", "A goal that nobody declared."),
            Self::UnknownAssertion => {
                (BadInput, "unknown-assertion", "A goal that declares an assertion which no step makes.")
            }
            Self::NoGoal => {
                (BadInput, "no-goal", "No goal at all: the scenario proves nothing that was promised.")
            }
            Self::Tier => (BadInput, "tier", "The tier's tag is missing or is not that of the goal."),
            Self::NoLane => (BadInput, "no-lane", "No lane, so it would run nowhere."),
            Self::ForbiddenTag => (BadInput, "forbidden-tag", "A tag that hides failures."),
            Self::QuarantineTag => (BadInput, "quarantine-tag", "A quarantine without an end."),
            Self::Timeout => (BadInput, "timeout", "A malformed `@timeout`."),
            Self::Undefined => (Failure, "undefined-step", "A step that means nothing."),
            Self::Ambiguous => (Failure, "ambiguous-step", "A step that means several things."),
            Self::Argument => (
                Failure,
                "step-argument",
                "A table or text that its step does not take, or a step that has not got the one it needs.",
            ),
            Self::LostStep => {
                (Failure, "lost-step", "A step that is none, because its keyword is misspelt or missing.")
            }
            Self::Scaffold => {
                (Failure, "replace-this", "A placeholder of `accept new` that nobody replaced.")
            }
            Self::NoSteps => (Failure, "no-steps", "A scenario that does nothing."),
            Self::NoThen => (Failure, "no-then", "A scenario that checks nothing."),
            Self::BackgroundThen => (Failure, "background-then", "A check in a background."),
            Self::UncheckedWhen => (Failure, "unchecked-when", "A deed that nobody looks at afterwards."),
            Self::NoNegative => {
                (Failure, "no-negative-assertion", "A scenario that does not say what must not happen.")
            }
            Self::DuplicateName => {
                (Failure, "duplicate-name", "Two scenarios or features that reports cannot tell apart.")
            }
            Self::NoControl => (
                Failure,
                "no-control-twin",
                "A Tier-0 goal without the scenario that shows what happens with the knob off.",
            ),
            Self::NoScenario => (Failure, "no-scenario", "A feature file without a scenario."),
            Self::UnknownPlaceholder => {
                (Failure, "unknown-placeholder", "A placeholder that no column of the examples fills.")
            }
            Self::UnusedColumn => (Doubt, "unused-column", "A column of examples that no step uses."),
            Self::StepOrder => (Doubt, "step-order", "A scenario that begins anew in its middle."),
            Self::RedundantTag => (Doubt, "redundant-tag", "A tag that says nothing new."),
            Self::MisspeltTag => (Doubt, "misspelt-tag", "A tag that is nearly one that means something."),
            Self::Layout => {
                (Doubt, "layout", "A file that is laid out otherwise than `accept fmt` writes it.")
            }
        }
    }
}

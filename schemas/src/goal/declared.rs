//! What a goal declares, as its lock and the sign-offs name it: `must_not git.branch_unmoved`, `lane docker`. Each of these
//! makes its proof harder, so that a goal that lost one promises less. Two claims with one assertion are two.

use std::{collections::BTreeMap, fmt, str::FromStr};

use super::spec::{AssertionName, AssertionNameError};

/// A part of a goal that declares something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// An assertion of what must not happen.
    MustNot,
    /// An assertion that the work was done.
    Witness,
    /// An assertion of the control twin.
    Control,
    /// A lane that it has to be proved in.
    Lane,
    /// A seeded fault that its scenarios have to notice.
    Saboteur,
    /// A command that it is about; the gates ask more of some.
    Scope,
    /// A type of log event that it leaves behind; the gates ask more of some.
    Event,
    /// A lane that a scenario of it runs in: as many of these as scenarios.
    Scenario,
    /// A lane that a control twin of it runs in.
    Twin,
}

impl Part {
    const ALL: [Self; 9] = [
        Self::MustNot,
        Self::Witness,
        Self::Control,
        Self::Lane,
        Self::Saboteur,
        Self::Scope,
        Self::Event,
        Self::Scenario,
        Self::Twin,
    ];

    /// The part as a word of a declaration.
    fn name(self) -> &'static str {
        match self {
            Self::MustNot => "must_not",
            Self::Witness => "witness",
            Self::Control => "control",
            Self::Lane => "lane",
            Self::Saboteur => "saboteur",
            Self::Scope => "scope",
            Self::Event => "event",
            Self::Scenario => "scenario",
            Self::Twin => "twin",
        }
    }

    fn declares_assertions(self) -> bool {
        matches!(self, Self::MustNot | Self::Witness | Self::Control)
    }
}

/// A part of a goal and one thing that it declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Declaration(String);

impl Declaration {
    /// What a part of a goal declares.
    pub fn new(part: Part, what: impl fmt::Display) -> Self {
        Self(format!("{} {what}", part.name()))
    }
}

/// A declaration with how often it is made, as an item of a list: `lane docker`, `3x scenario mock`.
pub(super) struct Repeated {
    declaration: Declaration,
    times: usize,
}

impl FromStr for Repeated {
    type Err = DeclarationError;

    fn from_str(text: &str) -> Result<Self, DeclarationError> {
        let counted =
            text.split_once("x ").and_then(|(times, rest)| Some((times.parse::<u16>().ok()?, rest)));
        let (times, rest) = counted.filter(|(times, _)| *times > 0).unwrap_or((1, text));
        Ok(Self { declaration: rest.parse()?, times: times.into() })
    }
}

impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { declaration: Declaration(text), times } = self;
        let text = if *times > 1 { format!("{times}x {text}") } else { text.clone() };
        let is_plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.'));
        // A JSON string is a YAML string in which nothing can break out.
        if is_plain { f.write_str(&text) } else { serde_json::Value::from(text).fmt(f) }
    }
}

/// The text is not a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// It names no part of a goal.
    #[error(
        "does not begin with must_not, witness, control, lane, saboteur, scope, event, scenario or twin and a space"
    )]
    Part,
    /// It names nothing of that part.
    #[error("names nothing behind that")]
    Nothing,
    /// It names no assertion.
    #[error(transparent)]
    Assertion(#[from] AssertionNameError),
}

impl FromStr for Declaration {
    type Err = DeclarationError;

    /// What stands behind a part that is no assertion is not looked up: a lock outlives the lists.
    fn from_str(text: &str) -> Result<Self, DeclarationError> {
        let (name, what) = text.split_once(' ').ok_or(DeclarationError::Part)?;
        let part = Part::ALL.into_iter().find(|part| part.name() == name).ok_or(DeclarationError::Part)?;
        if part.declares_assertions() {
            what.parse::<AssertionName>()?;
        } else if what.trim().is_empty() {
            return Err(DeclarationError::Nothing);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Declaration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Declarations, each with how often it is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared(BTreeMap<Declaration, usize>);

impl Declared {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each declaration once, sorted.
    pub fn each(&self) -> impl Iterator<Item = &Declaration> {
        self.0.keys()
    }

    /// How often a declaration is made.
    pub fn count(&self, declaration: &Declaration) -> usize {
        self.0.get(declaration).copied().unwrap_or_default()
    }

    /// What is declared here more often than there, with how much more often.
    pub fn beyond<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (&'a Declaration, usize)> {
        let more = |declaration, count: usize| count.saturating_sub(other.count(declaration));
        let all = self.0.iter().map(move |(declaration, count)| (declaration, more(declaration, *count)));
        all.filter(|(_, more)| *more > 0)
    }

    /// Adds what the other one declares more often.
    pub fn grow(&mut self, other: Self) {
        for (declaration, count) in other.0 {
            let here = self.0.entry(declaration).or_default();
            *here = count.max(*here);
        }
    }

    /// The declarations as a YAML list.
    pub(super) fn list(&self) -> String {
        let items = self.0.iter().map(|(declaration, times)| {
            Repeated { declaration: declaration.clone(), times: *times }.to_string()
        });
        format!("[{}]", items.collect::<Vec<_>>().join(", "))
    }
}

impl FromIterator<Repeated> for Declared {
    fn from_iter<T: IntoIterator<Item = Repeated>>(declarations: T) -> Self {
        let mut declared = Self::default();
        for Repeated { declaration, times } in declarations {
            *declared.0.entry(declaration).or_default() += times;
        }
        declared
    }
}

impl FromIterator<Declaration> for Declared {
    fn from_iter<T: IntoIterator<Item = Declaration>>(declarations: T) -> Self {
        declarations.into_iter().map(|declaration| Repeated { declaration, times: 1 }).collect()
    }
}

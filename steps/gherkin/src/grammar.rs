//! The grammar: which kinds of line may follow which. No text and no tree here.

use std::fmt;

/// The kinds of line, in the order in which they are tried and listed in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// The end of the file.
    Eof,
    /// `# language: en`.
    Language,
    /// A row of a table.
    TableRow,
    /// Begins or ends a doc string.
    DocStringSeparator,
    /// A step.
    StepLine,
    /// Tags.
    TagLine,
    /// `Feature:`.
    FeatureLine,
    /// `Background:`.
    BackgroundLine,
    /// `Examples:`.
    ExamplesLine,
    /// `Scenario:` or `Scenario Outline:`.
    ScenarioLine,
    /// `Rule:`.
    RuleLine,
    /// A comment.
    Comment,
    /// A blank line.
    Empty,
    /// Any line at all: a description, or the content of a doc string.
    Other,
}

impl TokenKind {
    const ALL: [Self; 14] = [
        Self::Eof,
        Self::Language,
        Self::TableRow,
        Self::DocStringSeparator,
        Self::StepLine,
        Self::TagLine,
        Self::FeatureLine,
        Self::BackgroundLine,
        Self::ExamplesLine,
        Self::ScenarioLine,
        Self::RuleLine,
        Self::Comment,
        Self::Empty,
        Self::Other,
    ];
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Eof => "#EOF",
            Self::Language => "#Language",
            Self::TableRow => "#TableRow",
            Self::DocStringSeparator => "#DocStringSeparator",
            Self::StepLine => "#StepLine",
            Self::TagLine => "#TagLine",
            Self::FeatureLine => "#FeatureLine",
            Self::BackgroundLine => "#BackgroundLine",
            Self::ExamplesLine => "#ExamplesLine",
            Self::ScenarioLine => "#ScenarioLine",
            Self::RuleLine => "#RuleLine",
            Self::Comment => "#Comment",
            Self::Empty => "#Empty",
            Self::Other => "#Other",
        })
    }
}

/// The parts of a feature file that begin with a title line: a keyword, a colon and a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Title {
    Feature,
    Rule,
    Background,
    Scenario,
    Examples,
}

/// What a tag line may belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tagged {
    Feature,
    Rule,
    Scenario,
    Examples,
}

/// What a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StepOwner {
    Background,
    Scenario,
}

/// What a step has been given so far; at most one table and one doc string, in either order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Argument {
    None,
    Table,
    /// A doc string; a table may follow, or has begun to.
    DocString,
    /// A table, then a doc string: nothing more.
    TableThenDocString,
}

/// The line that encloses a doc string at both ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fence {
    /// `"""` or three backticks.
    pub(crate) delimiter: &'static str,
    /// Columns before the opening delimiter; they are taken off each line within.
    pub(crate) indent: usize,
}

/// Where in the grammar the reader stands: what the line before was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing but comments and blank lines so far.
    Start,
    /// Behind the language line.
    Language,
    /// Behind tags.
    Tags(Tagged),
    /// Behind a title line.
    Title(Title),
    /// Within the free text below a title.
    Description(Title),
    /// Behind a step and what it has been given.
    Step(StepOwner, Argument),
    /// Within a doc string, with what the step will have when it ends.
    DocString(StepOwner, Argument, Fence),
    /// Within the table of examples.
    ExamplesTable,
}

impl State {
    /// The kinds of line that may come next.
    pub(crate) fn expected(self) -> impl Iterator<Item = TokenKind> {
        TokenKind::ALL.into_iter().filter(move |kind| self.expects(*kind))
    }

    /// Whether a line of this kind may come next.
    pub(crate) fn expects(self, kind: TokenKind) -> bool {
        use State::{Description, DocString, ExamplesTable, Language, Start, Step, Tags};
        let within_doc_string = matches!(self, DocString(..));
        match kind {
            TokenKind::Eof => self.is_in_body() || self == Start,
            TokenKind::Language => self == Start,
            TokenKind::TableRow => {
                self.is_below(&[Title::Examples])
                    || self == ExamplesTable
                    || matches!(self, Step(_, Argument::None | Argument::Table | Argument::DocString))
            }
            TokenKind::DocStringSeparator => {
                within_doc_string || matches!(self, Step(_, Argument::None | Argument::Table))
            }
            TokenKind::StepLine => {
                self.is_below(&[Title::Background, Title::Scenario]) || matches!(self, Step(..))
            }
            TokenKind::TagLine | TokenKind::Comment => !within_doc_string,
            TokenKind::FeatureLine => matches!(self, Start | Language | Tags(Tagged::Feature)),
            TokenKind::BackgroundLine => self.is_below(&[Title::Feature, Title::Rule]),
            TokenKind::ExamplesLine => {
                self.is_below(&[Title::Scenario, Title::Examples])
                    || matches!(self, Step(StepOwner::Scenario, _) | ExamplesTable | Tags(Tagged::Examples))
            }
            TokenKind::ScenarioLine => self.is_in_body() || self == Tags(Tagged::Scenario),
            TokenKind::RuleLine => self.is_in_body() || self == Tags(Tagged::Rule),
            // Within a description a blank line belongs to the text.
            TokenKind::Empty => !within_doc_string && !matches!(self, Description(_)),
            TokenKind::Other => within_doc_string || matches!(self, State::Title(_) | Description(_)),
        }
    }

    /// Whether the feature has begun and the part before is complete, so that a new one may begin.
    fn is_in_body(self) -> bool {
        matches!(self, Self::Title(_) | Self::Description(_) | Self::Step(..) | Self::ExamplesTable)
    }

    /// Whether the line before is the title, or the description, of one of these.
    fn is_below(self, titles: &[Title]) -> bool {
        matches!(self, Self::Title(title) | Self::Description(title) if titles.contains(&title))
    }

    /// The state behind a row of a table.
    pub(crate) fn after_row(self) -> Self {
        match self {
            Self::Step(owner, Argument::None) => Self::Step(owner, Argument::Table),
            Self::Step(..) => self,
            _ => Self::ExamplesTable,
        }
    }

    /// The state behind a line of free text, or a comment between such lines.
    pub(crate) fn after_text(self) -> Self {
        match self {
            Self::Title(title) => Self::Description(title),
            _ => self,
        }
    }
}

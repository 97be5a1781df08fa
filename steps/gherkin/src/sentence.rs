//! The same errors for people who write features: what is wrong in a sentence, where it is to be mended, and how.

use mycelium_schemas::messages::Location;

use crate::{
    error::{OpenDocString, ParseError, ParseErrorKind},
    grammar::TokenKind,
};

impl ParseError {
    /// Where the mend belongs: that of a text which nothing closes is where it was opened.
    pub fn place(&self) -> Location {
        match &self.kind {
            ParseErrorKind::UnexpectedEndOfFile { open: Some(open), .. } => open.location,
            _ => self.location,
        }
    }

    /// Whether the file has no feature so far, of which every line behind it is a new error.
    pub fn lacks_feature(&self) -> bool {
        match &self.kind {
            ParseErrorKind::UnexpectedToken { expected, .. }
            | ParseErrorKind::UnexpectedEndOfFile { expected, .. } => {
                expected.contains(&TokenKind::FeatureLine)
            }
            _ => false,
        }
    }
}

impl ParseErrorKind {
    /// What is wrong.
    pub fn sentence(&self) -> String {
        match self {
            Self::UnexpectedToken { expected, got, kind } => unexpected(expected, got, *kind),
            Self::UnexpectedEndOfFile { open: Some(OpenDocString { delimiter, .. }), .. } => {
                format!("the text that begins here with {delimiter} is never closed")
            }
            Self::UnexpectedEndOfFile { expected, .. } if expected.contains(&TokenKind::FeatureLine) => {
                "the file ends before its Feature".to_owned()
            }
            Self::UnexpectedEndOfFile { .. } => "the file ends with tags that belong to nothing".to_owned(),
            Self::InconsistentCellCount => {
                "this row has another number of cells than the first row of its table".to_owned()
            }
            Self::WhitespaceInTag => "a tag is one word that begins with @".to_owned(),
            Self::UnsupportedLanguage { language } => format!("{language:?} is no language of Gherkin"),
            Self::Unreadable(why) => why.clone(),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::UnexpectedToken { expected, kind, .. } => unexpected_help(expected, *kind).to_owned(),
            Self::UnexpectedEndOfFile { open: Some(OpenDocString { delimiter, .. }), .. } => {
                format!("close it with a line that holds {delimiter} and nothing else")
            }
            Self::UnexpectedEndOfFile { expected, .. } if expected.contains(&TokenKind::FeatureLine) => {
                NO_FEATURE.to_owned()
            }
            Self::UnexpectedEndOfFile { .. } => "write the scenario below them, or remove them".to_owned(),
            Self::InconsistentCellCount => {
                "give each row a cell for each column; a | within a cell is written \\|".to_owned()
            }
            Self::WhitespaceInTag => "write each tag as one word, and a comment behind ` #`".to_owned(),
            Self::UnsupportedLanguage { .. } => {
                "write for example `# language: de`, or remove the line for English".to_owned()
            }
            Self::Unreadable(_) => "correct the file at this place".to_owned(),
        }
    }
}

const NO_FEATURE: &str = "begin the file with `Feature:` and its name, below its tags";

fn unexpected(expected: &[TokenKind], got: &str, kind: TokenKind) -> String {
    if kind != TokenKind::Other && expected.contains(&TokenKind::FeatureLine) {
        return "the file has no Feature above this line".to_owned();
    }
    match kind {
        TokenKind::TableRow => {
            "a row of a table stands below the step or the Examples that it belongs to, and this one does not"
        }
        TokenKind::DocStringSeparator => {
            return format!(
                "a text in {} stands below the step that takes it, and this one does not",
                got.get(..3).unwrap_or(got)
            );
        }
        TokenKind::StepLine => "this step stands in no Scenario and no Background",
        TokenKind::TagLine => "these tags stand above nothing that can have tags",
        TokenKind::FeatureLine => "a file has one Feature, and this is another one",
        TokenKind::BackgroundLine => {
            "a Background stands before the first scenario of its Feature or Rule, once"
        }
        TokenKind::ExamplesLine => "Examples belong to a Scenario Outline, and none stands above them",
        TokenKind::ScenarioLine => "a scenario cannot begin here",
        TokenKind::RuleLine => "a Rule cannot begin here",
        _ => return format!("`{got}` begins with no keyword"),
    }
    .to_owned()
}

fn unexpected_help(expected: &[TokenKind], kind: TokenKind) -> &'static str {
    if expected.contains(&TokenKind::FeatureLine) {
        return NO_FEATURE;
    }
    match kind {
        TokenKind::TableRow | TokenKind::DocStringSeparator => {
            "put it directly below that step; a step takes one table and one text"
        }
        TokenKind::StepLine => "put it below a `Scenario:` or a `Background:`, above the Examples",
        TokenKind::TagLine => "put them directly above a Feature, a Rule, a Scenario or Examples",
        TokenKind::FeatureLine => "put it into a file of its own",
        TokenKind::BackgroundLine => "put its steps into the Background above the scenarios",
        TokenKind::ExamplesLine => "put them below the steps of the outline whose rows they hold",
        TokenKind::ScenarioLine | TokenKind::RuleLine => "end first what stands above it",
        _ if expected.contains(&TokenKind::StepLine) => {
            "begin a step with Given, When, Then, And or But, and a comment with #"
        }
        _ => "begin it with the keyword of what it is, and a comment with #",
    }
}

//! What became of goals and their scenarios between two states of the repository: what `accept impact` and `accept
//! review` answer.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::goal::GoalId;

/// Goals that changed since a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Impact {
    /// Version of this layout.
    pub schema_version: u32,
    /// The commit that is compared with, in full.
    pub since: String,
    /// Every goal whose text or scenarios changed, sorted by id, and no other.
    pub goals: Vec<ChangedGoal>,
}

/// Goals that somebody reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reviewed {
    /// Version of this layout.
    pub schema_version: u32,
    /// Whether the review was recorded, or only what it would be about was shown.
    pub recorded: bool,
    /// Who reviews.
    pub by: String,
    /// The day of the review.
    #[schemars(with = "String")]
    pub on: Date,
    /// What is reviewed.
    pub goals: Vec<ReviewedGoal>,
}

/// A goal that somebody reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReviewedGoal {
    /// The goal.
    pub goal: GoalId,
    /// What the last review is to this one.
    pub since: Since,
    /// What changed since the last review, as far as that is known.
    pub changed: Option<ChangedGoal>,
}

/// What the last review of a goal is to this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Since {
    /// Nobody reviewed it before.
    FirstReview,
    /// Goal and scenarios are as they were reviewed.
    Unchanged,
    /// They changed, and what was reviewed stands in the history of the repository.
    Changed,
    /// They changed, and what was reviewed is in no commit that can be reached.
    NotInHistory,
}

/// A goal, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedGoal {
    /// The goal.
    pub goal: GoalId,
    /// Its short name; the present one where it has two.
    pub title: String,
    /// Whether it is new, gone or another one.
    pub change: Change,
    /// Every part of its text that changed, in the order of a goal file. Empty where only scenarios did.
    pub text: Vec<ChangedPart>,
    /// Every scenario that changed. Empty where only the text did.
    pub scenarios: Vec<ChangedScenario>,
}

/// What became of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It says something else.
    Changed,
}

impl Change {
    /// The change as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// A part of a goal's text that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedPart {
    /// Its key in the goal file, for example `statement`.
    pub part: String,
    /// Its old and its new text, word by word.
    pub words: Vec<Words>,
}

/// A scenario that changed. One that only moved did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChangedScenario {
    /// Where it stands, as `file:line`; where it stood, if it is gone.
    pub place: String,
    /// Its name.
    pub name: String,
    /// What became of it.
    pub change: Change,
    /// Its old and its new text, word by word.
    pub words: Vec<Words>,
}

/// Words that stand in both texts or in one of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Words {
    /// Where they stand.
    #[serde(rename = "in")]
    pub place: Place,
    /// The words, with the white space around them.
    pub text: String,
}

/// Which of two texts has something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Both.
    Both,
    /// The old one alone.
    Old,
    /// The new one alone.
    New,
}

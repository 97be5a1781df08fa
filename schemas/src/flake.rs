//! How often scenarios flake: the lines of the history, and what the matrix says of them (design 4.3).

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::matrix::{ScenarioKey, StepStatus};

/// One line of the history: one execution of one scenario, at the first attempt. Lines are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// Version of this layout.
    pub v: u32,
    /// When the run of the suite that it belongs to began.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Names that run of the suite; no two have the same name.
    pub run: String,
    /// Tree id of the repository; none outside git.
    pub tree: Option<String>,
    /// Whether the working tree differed from it, so that the tree does not say what ran.
    pub dirty: bool,
    /// SHA-256 of the program under test.
    pub binary_digest: String,
    /// Where the scenario stands.
    pub scenario: ScenarioKey,
    /// Fingerprint of what the scenario says.
    pub fingerprint: String,
    /// The lane that it ran in.
    pub lane: String,
    /// What came out of its first attempt.
    pub outcome: StepStatus,
    /// Seed of the order of the scenarios.
    pub seed: u64,
    /// What the run was put into.
    pub environment: Environment,
    /// Why it did not pass; none where it did.
    pub failure: Option<FailureMark>,
    /// What was wrong with the run beside its scenarios, for example a process that was left.
    pub flaws: Vec<String>,
}

/// Why a scenario did not pass, in a form that is the same for the same cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct FailureMark {
    /// Digest of step and message without numbers and paths: what failures of one cause share.
    pub cluster: String,
    /// The step.
    pub step: String,
    /// The first line of the message, without numbers and paths.
    pub message: String,
}

/// What a run of the suite is put into, so that what depends on it by accident shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Environment {
    /// Scenarios at a time.
    pub jobs: usize,
    /// The path of the scenarios' folders.
    pub folder: FolderShape,
    /// `TZ` of the program under test.
    pub timezone: String,
    /// `LANG` of the program under test.
    pub locale: String,
    /// The umask, in octal digits.
    pub umask: String,
}

/// What the path of the scenarios' folders is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FolderShape {
    /// Short, of letters alone.
    Plain,
    /// With blanks.
    Blanks,
    /// Long.
    Long,
}

impl FolderShape {
    /// Every shape.
    pub const ALL: [Self; 3] = [Self::Plain, Self::Blanks, Self::Long];

    /// The shape as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Blanks => "blanks",
            Self::Long => "long",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { jobs, folder, timezone, locale, umask } = self;
        write!(f, "jobs={jobs},folder={},tz={timezone},locale={locale},umask={umask}", folder.name())
    }
}

/// The text is no environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no environment; one reads jobs=4,folder=plain|blanks|long,tz=UTC,locale=C,umask=022, each of them once"
)]
pub struct EnvironmentError;

impl FromStr for Environment {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, EnvironmentError> {
        let parts: Vec<(&str, &str)> = text
            .split(',')
            .map(|part| part.split_once('=').ok_or(EnvironmentError))
            .collect::<Result<_, _>>()?;
        let [("jobs", jobs), ("folder", folder), ("tz", timezone), ("locale", locale), ("umask", umask)] =
            parts[..]
        else {
            return Err(EnvironmentError);
        };
        let jobs = jobs.parse().ok().filter(|jobs| *jobs > 0).ok_or(EnvironmentError)?;
        let folder =
            FolderShape::ALL.into_iter().find(|shape| shape.name() == folder).ok_or(EnvironmentError)?;
        let is_umask = umask.len() == 3 && umask.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
        if !is_umask || timezone.contains('\0') || locale.contains('\0') {
            return Err(EnvironmentError);
        }
        Ok(Self {
            jobs,
            folder,
            timezone: timezone.to_owned(),
            locale: locale.to_owned(),
            umask: umask.to_owned(),
        })
    }
}

/// What the history says about the tree and the program that a matrix is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Flakes {
    /// Executions that count: of this tree, this program, and the scenarios as they are now.
    pub executions: u64,
    /// Lines that do not: of another tree or program, of a dirty tree, of a scenario that reads otherwise now.
    pub others: u64,
    /// Lines that were cut off while they were written.
    pub torn: u64,
    /// The lanes that the profile requires, with the runs of the suite in each.
    pub lanes: Vec<LaneFlakes>,
    /// Each scenario that was executed, by place and lane.
    pub scenarios: Vec<ScenarioFlakes>,
    /// Failures that share a cause, the most frequent first.
    pub clusters: Vec<FailureCluster>,
}

impl Flakes {
    /// The counts of a scenario, over all lanes: executions and failures among them.
    pub fn of(&self, key: &ScenarioKey) -> (u64, u64) {
        let found = self.scenarios.iter().filter(|scenario| scenario.key == *key);
        found.fold((0, 0), |(n, failed), scenario| (n + scenario.n, failed + scenario.failed))
    }
}

/// A lane and the runs of the suite in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaneFlakes {
    /// The lane.
    pub lane: String,
    /// How many scenarios have to run in it.
    pub scenarios: usize,
    /// The runs, oldest first.
    pub runs: Vec<SuiteRun>,
}

/// A run of the suite in a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteRun {
    /// Its name.
    pub run: String,
    /// Seed of the order.
    pub seed: u64,
    /// What it was put into.
    pub environment: String,
    /// What it is worth.
    pub kind: RunKind,
    /// Scenarios that passed.
    pub passed: usize,
    /// Scenarios that did not, and that no living quarantine excuses.
    pub failed: Vec<ScenarioKey>,
    /// Scenarios that a living quarantine excuses.
    pub excused: Vec<ScenarioKey>,
    /// Scenarios that had to run and did not.
    pub missing: usize,
    /// What was wrong beside the scenarios.
    pub flaws: Vec<String>,
}

/// What a run of the suite is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// Every scenario ran and passed at the first attempt.
    Clean,
    /// Something failed.
    Failed,
    /// Nothing failed, but not everything ran.
    Incomplete,
    /// Nearly all failed at once: that says something about the machine and nothing about a scenario. Not counted.
    Infrastructure,
}

/// How often a scenario was executed in a lane and did not pass, and what that proves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioFlakes {
    /// Where it stands.
    pub key: ScenarioKey,
    /// The lane.
    pub lane: String,
    /// Executions.
    pub n: u64,
    /// Those that did not pass.
    pub failed: u64,
    /// The rate of failures lies below this with 95 % confidence: parts per million, rounded up.
    pub bound_ppm: u32,
    /// The same as a grade.
    pub rating: Rating,
}

/// A grade of the upper bound of the rate of failures. No data is the worst of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Rating {
    /// At most 0.5 %.
    A,
    /// At most 1 %.
    B,
    /// At most 5 %.
    C,
    /// More than 5 %.
    D,
    /// Too few executions to say anything.
    #[serde(rename = "unrated")]
    Unrated,
}

impl fmt::Display for Rating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::Unrated => "unrated",
        })
    }
}

/// Failures that share a cause, as far as step and message tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureCluster {
    /// What they share.
    pub mark: FailureMark,
    /// How many runs of the suite it showed in: however many scenarios fail of one cause at once, it is one incident.
    pub incidents: u64,
    /// All failures.
    pub failures: u64,
    /// The scenarios that it showed in.
    pub scenarios: Vec<ScenarioKey>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_read_as_it_is_written() {
        let text = "jobs=4,folder=blanks,tz=Asia/Kathmandu,locale=tr_TR.UTF-8,umask=077";
        assert_eq!(text.parse::<Environment>().unwrap().to_string(), text);
        for bad in [
            "",
            "jobs=4",
            "jobs=0,folder=plain,tz=UTC,locale=C,umask=022",
            "jobs=4,folder=round,tz=UTC,locale=C,umask=022",
            "jobs=4,folder=plain,tz=UTC,locale=C,umask=0022",
            "jobs=4,folder=plain,tz=UTC,locale=C,umask=089",
            "jobs=4,jobs=4,tz=UTC,locale=C,umask=022",
        ] {
            assert!(bad.parse::<Environment>().is_err(), "{bad:?} was accepted");
        }
    }
}

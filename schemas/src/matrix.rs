//! The traceability matrix: which goal is proved by which scenario, and how far (design 4.3). Every report and every
//! gate reads this one value.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    bench::Measure,
    evidence::{Assertion, EvidenceFile},
    flake::Flakes,
    goal::{GoalId, Tier},
    sabotage::TrialOutcome,
};

/// All that is known about goals and their proof, at one moment, for one tree and one program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// Version of this layout.
    pub schema_version: u32,
    /// Profile whose lanes and criteria the statuses were judged by.
    pub profile: String,
    /// The day that deadlines were compared with.
    #[schemars(with = "String")]
    pub today: Date,
    /// What the results must be about.
    pub subject: Subject,
    /// The run that the results come from; none where nothing ran.
    pub run: Option<RunFacts>,
    /// One row a goal, sorted by id.
    pub rows: Vec<Row>,
    /// Every scenario, sorted by place: the backward view.
    pub scenarios: Vec<Scenario>,
    /// Scenarios that serve no goal.
    pub orphans: Vec<Orphan>,
    /// Steps and fixtures that no scenario uses.
    #[serde(default)]
    pub unused: Unused,
    /// Quarantine entries that excuse nothing: they fit no scenario, or their dates are not allowed. In sentences.
    pub dead_quarantine: Vec<String>,
    /// Reviewed links that fit no goal, in sentences.
    pub dead_links: Vec<String>,
    /// Whether the goals are those that were locked.
    #[serde(default)]
    pub lock: Lock,
    /// How often scenarios of this tree and program failed when they were run again and again.
    #[serde(default)]
    pub flakes: Flakes,
    /// What became of the seeded faults as a whole; none where none was tried.
    #[serde(default)]
    pub sabotage: Option<SabotageFacts>,
    /// How fast the program is beside its baselines; none where nothing was measured.
    #[serde(default)]
    pub performance: Option<PerformanceFacts>,
    /// What the tests of the gates notice; none where nobody asked.
    #[serde(default)]
    pub mutation: Option<MutationFacts>,
    /// Goals that are promised and not automated yet. Never counted as covered.
    pub backlog: Vec<BacklogGoal>,
}

impl Matrix {
    /// The scenario at a place.
    pub fn scenario(&self, key: &ScenarioKey) -> Option<&Scenario> {
        let found = self.scenarios.binary_search_by(|scenario| scenario.key.cmp(key)).ok()?;
        self.scenarios.get(found)
    }

    /// The row of a goal.
    pub fn row(&self, goal: GoalId) -> Option<&Row> {
        self.rows.iter().find(|row| row.goal == goal)
    }

    /// How many goals have each status, in the order of [`Status::ALL`], zeros included.
    pub fn totals(&self) -> Vec<(Status, usize)> {
        Status::ALL
            .into_iter()
            .map(|status| (status, self.rows.iter().filter(|row| row.status == status).count()))
            .collect()
    }
}

/// The goals against `traceability/denominator.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    /// How many goals are locked.
    pub goals: usize,
    /// What vanished, moved or was weakened without a sign-off, and what is not locked, in sentences.
    pub problems: Vec<String>,
    /// What was given up, with who signed for it and why, in sentences.
    pub signed: Vec<String>,
}

/// What is to be known of the seeded faults beside those of each goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SabotageFacts {
    /// Why they were not tried on the subject, in sentences; empty where they were.
    pub stale: Vec<String>,
    /// Why not all of them were tried, in sentences.
    pub partial: Vec<String>,
    /// What goals, program and trials say against each other, in sentences.
    pub problems: Vec<String>,
}

/// What was measured of the program, beside what it may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PerformanceFacts {
    /// Class of the machine that it was measured on.
    pub machine: String,
    /// Why it was not measured of the subject, in sentences; empty where it was.
    pub stale: Vec<String>,
    /// Why not everything was measured, in sentences.
    pub partial: Vec<String>,
    /// What makes the figures no figures, in sentences.
    pub problems: Vec<String>,
    /// Baselines that an earlier commit has lower, each with both values.
    #[serde(default)]
    pub raised: Vec<String>,
    /// Every figure that was measured or has a baseline, sorted by name and measure.
    pub comparisons: Vec<Comparison>,
}

/// What became of the changes of the code that decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MutationFacts {
    /// Why it was not the subject's code that was changed, in sentences; empty where it was.
    pub stale: Vec<String>,
    /// Why not everything was asked, in sentences.
    pub partial: Vec<String>,
    /// What nobody noticed, what is named wrongly, and which code nobody asked about, in sentences.
    pub problems: Vec<String>,
    /// Changes that a test noticed.
    pub noticed: u64,
    /// Changes that no test can notice, each with its reason.
    pub named: Vec<NamedSurvivor>,
}

/// A change that no test can notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamedSurvivor {
    /// The file and what was changed in it.
    pub change: String,
    /// Why no test can.
    pub reason: String,
}

/// A figure beside its baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Comparison {
    /// Name of the figure.
    pub figure: String,
    /// In which way it is measured; values of a ratio are in thousandths.
    pub measure: Measure,
    /// What was measured; none where it was not.
    pub value: Option<u64>,
    /// What it was when somebody last looked; none where nobody did on such a machine.
    pub baseline: Option<u64>,
    /// The most that it may be.
    pub limit: Option<u64>,
}

/// A seeded fault that a goal declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SaboteurMark {
    /// Its name.
    pub name: String,
    /// Whether a scenario of the goal notices it; none where it was not tried.
    pub outcome: Option<TrialOutcome>,
    /// The declared assertions that noticed it, each once.
    pub noticed_by: Vec<String>,
}

/// What the results must be about: the tree that is checked out and the program that is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Subject {
    /// Tree id of the repository; none outside git.
    pub tree: Option<String>,
    /// Whether the working tree differs from it.
    pub dirty: bool,
    /// SHA-256 of the program under test; none where it is not built.
    pub binary_digest: Option<String>,
    /// Digest of the tree and of everything in which the working tree differs from it; none outside git.
    #[serde(default)]
    pub source_digest: Option<String>,
}

/// The run that the results come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunFacts {
    /// Tree id that it ran on.
    pub tree: Option<String>,
    /// Whether the working tree differed from it.
    pub dirty: bool,
    /// SHA-256 of the program that it ran.
    pub binary_digest: String,
    /// What the program said about itself.
    pub binary_version: serde_json::Value,
    /// Seed of the scenario order.
    pub seed: u64,
    /// Lanes that it was asked for.
    pub lanes: Vec<String>,
    /// Why it cannot satisfy a gate; empty for a whole run.
    pub partial: Vec<String>,
    /// Scenarios that should have run and did not, as `place in lane`.
    pub missing: Vec<String>,
    /// Why the results are not about the subject, in sentences; empty where they are.
    pub stale: Vec<String>,
}

/// A goal and how far it is proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The goal.
    pub goal: GoalId,
    /// Its tier.
    pub tier: Tier,
    /// Its short name.
    pub title: String,
    /// The promise itself.
    pub statement: String,
    /// SHA-256 of what it promises and how that is to be proved; another one is another promise.
    #[serde(default)]
    pub fingerprint: String,
    /// Parts of the product it is about, for example `run`.
    pub scope: Vec<String>,
    /// Configuration keys that matter.
    pub config: Vec<String>,
    /// Log events it promises.
    pub events: Vec<String>,
    /// How far it is proved: exactly one answer.
    pub status: Status,
    /// Why it has that status, and what else stands in its way: whole sentences.
    pub reasons: Vec<String>,
    /// The scenarios linked to it, sorted by place.
    pub scenarios: Vec<ScenarioKey>,
    /// What must not happen.
    pub must_not: Vec<Declared>,
    /// What proves that the work was done at all.
    pub witness: Vec<Declared>,
    /// What happens in its control twin, where the knob is off.
    pub control: Vec<Declared>,
    /// Lanes that it has to be proved in.
    pub lanes: Vec<LaneCell>,
    /// How easily its scenarios could flake.
    pub flake_risk: FlakeRisk,
    /// CI jobs that run its scenarios.
    pub ci_jobs: Vec<String>,
    /// Who looks after it.
    pub owner: String,
    /// Whether somebody reviewed it together with its scenarios.
    pub link: Link,
    /// Its scenarios in quarantine.
    pub quarantine: Vec<QuarantineMark>,
    /// The seeded faults that its scenarios have to notice.
    #[serde(default)]
    pub saboteurs: Vec<SaboteurMark>,
}

/// Whether a goal and its scenarios are as somebody last reviewed them together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum Link {
    /// Nothing changed since.
    Reviewed {
        /// The day of the review.
        #[schemars(with = "String")]
        on: Date,
        /// Who reviewed.
        by: String,
    },
    /// Something did, or nobody ever looked.
    Suspect {
        /// Why, as a sentence.
        reason: String,
    },
    /// There are no scenarios to review.
    NoScenarios,
}

/// A scenario of a goal in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuarantineMark {
    /// The scenario's name.
    pub scenario: String,
    /// Where its cause is looked for.
    pub issue: String,
    /// What is thought to be the cause.
    #[serde(default)]
    pub hypothesis: String,
    /// Who looks for it.
    pub owner: String,
    /// The last day on which it does not fail the gate.
    #[schemars(with = "String")]
    pub expires: Date,
    /// Days until then; negative once it has expired.
    pub days_left: i32,
    /// Days of the last 90 on which it was in quarantine.
    #[serde(default)]
    pub days_in: i32,
    /// Whether its one renewal is used up.
    #[serde(default)]
    pub renewed: bool,
}

/// How far a goal is proved. Exactly one applies; the first that matches, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// What the data files say about it contradicts itself.
    Invalid,
    /// A scenario failed.
    Failing,
    /// A scenario is known to be unreliable and waits to be fixed before a deadline.
    Quarantined,
    /// That deadline has passed.
    QuarantineExpired,
    /// A scenario passed once and failed once on the same tree.
    Flaky,
    /// A scenario did not run to its end where it had to.
    NotRun,
    /// The results are about another tree, program or text.
    Stale,
    /// The goal or its scenarios changed since somebody last reviewed them together.
    Suspect,
    /// Its scenarios passed without proving what the goal declares.
    Weak,
    /// It was proved in part only, for example by a filtered run.
    Partial,
    /// No scenario is linked to it.
    NotAutomated,
    /// Proved. The only status that counts.
    Verified,
}

impl Status {
    /// Every status in order of precedence.
    pub const ALL: [Self; 12] = [
        Self::Invalid,
        Self::Failing,
        Self::Quarantined,
        Self::QuarantineExpired,
        Self::Flaky,
        Self::NotRun,
        Self::Stale,
        Self::Suspect,
        Self::Weak,
        Self::Partial,
        Self::NotAutomated,
        Self::Verified,
    ];

    /// The status as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Failing => "failing",
            Self::Quarantined => "quarantined",
            Self::QuarantineExpired => "quarantine-expired",
            Self::Flaky => "flaky",
            Self::NotRun => "not-run",
            Self::Stale => "stale",
            Self::Suspect => "suspect",
            Self::Weak => "weak",
            Self::Partial => "partial",
            Self::NotAutomated => "not-automated",
            Self::Verified => "verified",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How easily the scenarios of a goal could flake, as its author judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FlakeRisk {
    /// Nothing in it depends on time or order.
    Low,
    /// Something does, behind a bound.
    Medium,
    /// Processes are killed, networks cut, containers raced.
    High,
}

impl FlakeRisk {
    /// The risk as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for FlakeRisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An assertion that a goal declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Declared {
    /// What it says, for people.
    pub text: String,
    /// Name of the assertion, for example `git.branch_unmoved`.
    pub assertion: String,
    /// Whether it was executed and held, in every lane that is required, where it counts.
    pub executed: bool,
}

/// A lane that a goal has to be proved in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaneCell {
    /// The lane.
    pub lane: String,
    /// Whether the profile asks for it.
    pub required: bool,
    /// What came out; never `passed` where a scenario of the goal did not run in it.
    pub result: LaneResult,
}

/// What came out for a goal in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LaneResult {
    /// Every scenario that ran in it passed at the first attempt, and at least one did.
    Passed,
    /// At least one failed.
    Failed,
    /// At least one did not run to its end.
    NotRun,
}

impl LaneResult {
    /// The result as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotRun => "not-run",
        }
    }
}

/// Where a scenario stands: the file and the line of the scenario, or of its examples row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioKey {
    /// Path of the feature file.
    pub uri: String,
    /// One-based line.
    pub line: u64,
}

impl fmt::Display for ScenarioKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}:{}", self.uri, self.line))
    }
}

/// A scenario and what came out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Scenario {
    /// Where it stands.
    pub key: ScenarioKey,
    /// Its name.
    pub name: String,
    /// Its tags, each with its `@`.
    pub tags: Vec<String>,
    /// Goals that its tags name and that exist.
    pub goals: Vec<GoalId>,
    /// SHA-256 of its name, tags and steps, wherever it stands.
    #[serde(default)]
    pub fingerprint: String,
    /// Whether it is a control twin.
    pub control: bool,
    /// Its steps in words, those of the background included.
    pub steps: Vec<String>,
    /// What came out, by lane; empty where it did not run.
    pub lanes: Vec<LaneRun>,
}

/// A scenario in one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LaneRun {
    /// The lane.
    pub lane: String,
    /// Every attempt, in order. The first one is the result; the others only tell a flake from a failure.
    pub attempts: Vec<Attempt>,
}

impl LaneRun {
    /// The result: what came out of the first attempt.
    pub fn outcome(&self) -> StepStatus {
        self.attempts.first().map_or(StepStatus::Unknown, |attempt| attempt.outcome)
    }
}

/// One attempt at a scenario.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// The worst of its steps.
    pub outcome: StepStatus,
    /// How long its steps took together, in nanoseconds.
    pub duration_nanos: u64,
    /// Its steps in order, hooks included.
    pub steps: Vec<StepRun>,
    /// Files kept, that belong to no step.
    pub evidence: Vec<EvidenceFile>,
}

impl Attempt {
    /// Every assertion of the attempt, in order.
    pub fn assertions(&self) -> impl Iterator<Item = &Assertion> {
        self.steps.iter().flat_map(|step| &step.assertions)
    }

    /// Every file kept by the attempt, those of its steps included.
    pub fn evidence_files(&self) -> impl Iterator<Item = &EvidenceFile> {
        self.steps.iter().flat_map(|step| &step.evidence).chain(&self.evidence)
    }
}

/// A step as it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StepRun {
    /// What it is in the scenario.
    pub role: StepRole,
    /// Its text.
    pub text: String,
    /// What came out of it.
    pub status: StepStatus,
    /// Why it failed.
    pub message: Option<String>,
    /// How long it took, in nanoseconds.
    pub duration_nanos: u64,
    /// Assertions it executed.
    pub assertions: Vec<Assertion>,
    /// Files kept while it ran.
    pub evidence: Vec<EvidenceFile>,
}

/// What a step is in its scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepRole {
    /// `Given`: puts the world in a state.
    Given,
    /// `When`: does something.
    When,
    /// `Then`: asserts.
    Then,
    /// `*`, which could be any of them.
    Any,
    /// Not written in the feature.
    Hook,
}

impl StepRole {
    /// The role as a word of a feature.
    pub fn name(self) -> &'static str {
        match self {
            Self::Given => "Given",
            Self::When => "When",
            Self::Then => "Then",
            Self::Any => "*",
            Self::Hook => "Hook",
        }
    }
}

/// What came out of a step, from best to worst, so that the worst of many is their maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepStatus {
    /// It ran and held.
    Passed,
    /// It did not run.
    Skipped,
    /// It is written and not done yet.
    Pending,
    /// No step definition fits.
    Undefined,
    /// More than one fits.
    Ambiguous,
    /// Nobody knows: it did not end.
    Unknown,
    /// It ran and did not hold.
    Failed,
}

impl StepStatus {
    /// The status as a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped => "skipped",
            Self::Pending => "pending",
            Self::Undefined => "undefined",
            Self::Ambiguous => "ambiguous",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for StepStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A scenario that serves no goal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Orphan {
    /// Where it stands.
    pub key: ScenarioKey,
    /// Its name.
    pub name: String,
    /// Why it serves none, as a whole sentence.
    pub reason: String,
}

/// What is there for scenarios and used by none of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unused {
    /// Step definitions, by keyword and expression.
    pub steps: Vec<UnusedStep>,
    /// Names of fixture repositories.
    pub fixtures: Vec<String>,
}

/// A step definition that no scenario uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UnusedStep {
    /// Its keyword and its expression.
    pub step: String,
    /// Its source file and line.
    pub place: String,
}

/// A goal that is promised and not automated yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BacklogGoal {
    /// The goal.
    pub goal: GoalId,
    /// Its short name.
    pub title: String,
    /// Where the work is planned.
    pub ticket: String,
    /// Why it is not automated yet.
    pub reason: String,
    /// Who looks after it.
    pub owner: String,
}

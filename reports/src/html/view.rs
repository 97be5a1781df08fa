//! The matrix in the shape of the page: what its template walks over without deciding anything.

use mycelium_schemas::{
    evidence::{Assertion, Polarity},
    matrix::{
        Attempt, Declared, LaneResult, Link, Matrix, Orphan, Row, Scenario, Status, StepRun, StepStatus,
    },
    verdict::{GateVerdict, Outcome, TierCoverage, Verdict},
};

use crate::report::{
    assertion_names, files_of, outcome, outcome_name, owner_and_follow_up, passed_of, saboteurs,
    scenarios_of, sign, verdict_sign,
};

/// A tier's bar, cut into the tones of its goals.
pub(super) struct TierView {
    pub(super) tier: TierCoverage,
    pub(super) tone: &'static str,
    pub(super) segments: Vec<Segment>,
}

/// A part of a bar of 1000 units.
pub(super) struct Segment {
    pub(super) tone: &'static str,
    pub(super) start: usize,
    pub(super) width: usize,
}

impl TierView {
    pub(super) fn new(matrix: &Matrix, tier: &TierCoverage) -> Self {
        let tones = ["ok", "warn", "off", "bad"];
        let count = |tone: &str| {
            matrix.rows.iter().filter(|row| row.tier == tier.tier && status_tone(row.status) == tone).count()
        };
        let mut before = 0;
        let mut segments = Vec::new();
        for tone in tones {
            let (start, end) = (before * 1000, (before + count(tone)) * 1000);
            let place = |units: usize| units.checked_div(tier.total).unwrap_or(0);
            if end > start {
                segments.push(Segment { tone, start: place(start), width: place(end) - place(start) });
            }
            before += count(tone);
        }
        let tone = if tier.met { "ok" } else { "bad" };
        Self { tier: *tier, tone: if tier.required_percent.is_none() { "off" } else { tone }, segments }
    }

    /// Where the threshold stands on the bar.
    pub(super) fn threshold(&self) -> Option<usize> {
        self.tier.required_percent.map(|percent| usize::from(percent) * 10)
    }
}

/// A gate's line.
pub(super) struct GateView<'a> {
    pub(super) verdict: &'a GateVerdict,
    pub(super) tone: &'static str,
    pub(super) sign: &'static str,
}

impl<'a> GateView<'a> {
    pub(super) fn new(verdict: &'a GateVerdict) -> Self {
        let tone = match verdict.verdict {
            Verdict::Green => "ok",
            Verdict::Red => "bad",
            Verdict::NotRequired => "off",
        };
        Self { verdict, tone, sign: verdict_sign(verdict.verdict) }
    }
}

/// A goal's line and its details.
pub(super) struct GoalView<'a> {
    pub(super) row: &'a Row,
    pub(super) tone: &'static str,
    pub(super) sign: &'static str,
    pub(super) passed: usize,
    pub(super) total: usize,
    pub(super) files: Vec<&'a str>,
    pub(super) assertions: Vec<&'a str>,
    pub(super) owner: String,
    pub(super) review: String,
    pub(super) claims: Vec<(&'static str, &'a [Declared])>,
    pub(super) saboteurs: Vec<String>,
    pub(super) scenarios: Vec<ScenarioView<'a>>,
}

impl<'a> GoalView<'a> {
    pub(super) fn new(matrix: &'a Matrix, row: &'a Row) -> Self {
        let (passed, total) = passed_of(matrix, row);
        let claims: [(&str, &[Declared]); 3] = [
            ("Must not happen", &row.must_not),
            ("Witness: the work was really done", &row.witness),
            ("Control twin: with the knob off", &row.control),
        ];
        Self {
            row,
            tone: status_tone(row.status),
            sign: sign(row.status),
            passed,
            total,
            files: files_of(row),
            assertions: assertion_names(row),
            owner: owner_and_follow_up(row),
            review: review(&row.link),
            claims: claims.into_iter().filter(|(_, claims)| !claims.is_empty()).collect(),
            saboteurs: saboteurs(row),
            scenarios: scenarios_of(matrix, row)
                .map(|scenario| ScenarioView::new(matrix, scenario))
                .collect(),
        }
    }

    /// How many declared assertions were executed and held, of how many.
    pub(super) fn proved(&self) -> (usize, usize) {
        let declared = || self.claims.iter().flat_map(|(_, claims)| claims.iter());
        (declared().filter(|claim| claim.executed).count(), declared().count())
    }

    /// Why the goal is not verified; nothing where it is.
    pub(super) fn obstacles(&self) -> &'a [String] {
        if self.row.status == Status::Verified { &[] } else { &self.row.reasons }
    }

    /// What the filter searches, beyond what the line shows.
    pub(super) fn keywords(&self) -> String {
        let Row { goal, tier, status, owner, flake_risk, .. } = self.row;
        let lanes: Vec<String> = self.row.lanes.iter().map(|cell| format!("lane:{}", cell.lane)).collect();
        format!("{goal} tier:{tier} status:{status} owner:{owner} flake:{flake_risk} {}", lanes.join(" "))
    }
}

fn review(link: &Link) -> String {
    match link {
        Link::Reviewed { on, by } => format!("Reviewed together with its scenarios on {on} by {by}."),
        Link::Suspect { reason } => reason.clone(),
        Link::NoScenarios => "There are no scenarios to review.".to_owned(),
    }
}

/// A scenario with its results.
pub(super) struct ScenarioView<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) tone: &'static str,
    pub(super) result: &'static str,
    pub(super) orphan: Option<&'a Orphan>,
    pub(super) lanes: Vec<LaneView<'a>>,
}

/// A scenario's attempts in a lane.
pub(super) struct LaneView<'a> {
    pub(super) name: &'a str,
    pub(super) attempts: Vec<AttemptView<'a>>,
}

/// One attempt with its steps.
pub(super) struct AttemptView<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) number: usize,
    pub(super) duration: String,
    pub(super) steps: Vec<StepView<'a>>,
}

/// One step.
pub(super) struct StepView<'a> {
    pub(super) step: &'a StepRun,
    pub(super) tone: &'static str,
    pub(super) sign: &'static str,
}

impl<'a> ScenarioView<'a> {
    pub(super) fn new(matrix: &'a Matrix, scenario: &'a Scenario) -> Self {
        let lanes = scenario.lanes.iter().map(|run| LaneView {
            name: &run.lane,
            attempts: run
                .attempts
                .iter()
                .zip(1..)
                .map(|(attempt, number)| AttemptView::new(attempt, number))
                .collect(),
        });
        Self {
            scenario,
            tone: outcome(scenario).map_or("off", step_tone),
            result: outcome_name(scenario),
            orphan: matrix.orphans.iter().find(|orphan| orphan.key == scenario.key),
            lanes: lanes.collect(),
        }
    }
}

impl<'a> AttemptView<'a> {
    fn new(attempt: &'a Attempt, number: usize) -> Self {
        let steps = attempt.steps.iter().map(|step| StepView {
            step,
            tone: step_tone(step.status),
            sign: step_sign(step.status),
        });
        Self { attempt, number, duration: duration(attempt.duration_nanos), steps: steps.collect() }
    }
}

/// What an assertion says, in words.
pub(super) fn polarity(assertion: &Assertion) -> &'static str {
    match assertion.polarity {
        Polarity::Must => "must",
        Polarity::MustNot => "must not",
    }
}

/// Milliseconds below ten seconds, else seconds.
fn duration(nanos: u64) -> String {
    let millis = nanos / 1_000_000;
    if millis < 10_000 { format!("{millis} ms") } else { format!("{} s", millis / 1000) }
}

/// The tone of a status: one of the page's four.
pub(super) fn status_tone(status: Status) -> &'static str {
    match status {
        Status::Verified => "ok",
        Status::Invalid | Status::Failing | Status::QuarantineExpired => "bad",
        Status::Flaky
        | Status::Quarantined
        | Status::Stale
        | Status::Suspect
        | Status::Weak
        | Status::Partial => "warn",
        Status::NotRun | Status::NotAutomated => "off",
    }
}

/// The tone of the answer.
pub(super) fn outcome_tone(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Green => "ok",
        Outcome::Red | Outcome::BadInput => "bad",
    }
}

/// The tone of a lane's result.
pub(super) fn lane_tone(result: LaneResult) -> &'static str {
    match result {
        LaneResult::Passed => "ok",
        LaneResult::Failed => "bad",
        LaneResult::NotRun => "off",
    }
}

fn step_tone(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Passed => "ok",
        StepStatus::Failed => "bad",
        StepStatus::Undefined | StepStatus::Ambiguous | StepStatus::Unknown => "warn",
        StepStatus::Skipped | StepStatus::Pending => "off",
    }
}

fn step_sign(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Passed => "✓",
        StepStatus::Failed => "✗",
        StepStatus::Undefined | StepStatus::Ambiguous | StepStatus::Unknown => "!",
        StepStatus::Skipped | StepStatus::Pending => "○",
    }
}

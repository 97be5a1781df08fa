//! The matrix in the shape of the page: what its template walks over without deciding anything.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use mycelium_schemas::{
    evidence::EvidenceFile,
    goal::GoalId,
    matrix::{
        Attempt, Declared, LaneCell, LaneResult, Link, Matrix, Orphan, Row, Scenario, Status, StepStatus,
    },
    verdict::{GateVerdict, Outcome, TierCoverage, Verdict},
};

use crate::{
    failure::{Failure, is_failure, reproduce},
    report::{
        evidence_of, files_kept, outcome, owner_and_follow_up, passed_of, proved_of, saboteurs, sign,
        tier_line, verdict_sign,
    },
    text::{counted, cut},
};

/// Most characters of what a failed step said, where it stands open.
const MESSAGE_MAX: usize = 2000;
/// Most files of evidence in one list.
const FILES_MAX: usize = 12;
/// From how many bytes on a file is named as a big one.
const BIG_BYTES: u64 = 5 * 1024 * 1024;

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

    /// The bar in words, for who does not see it.
    pub(super) fn label(&self) -> String {
        tier_line(&self.tier)
    }

    /// What is asked of the tier.
    pub(super) fn need(&self) -> String {
        let TierCoverage { total, required_percent, met, .. } = self.tier;
        let percent = self.tier.percent().map_or_else(|| "no goal yet".to_owned(), |p| format!("{p} %"));
        match required_percent {
            None => format!("{percent}, no threshold"),
            Some(required) if met => format!("✓ {percent}, {required} % required"),
            Some(required) if total == 0 => format!("✗ {percent}, {required} % required"),
            Some(required) => format!("✗ {percent}, below the {required} % that are required"),
        }
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

/// How many goals have a status.
pub(super) struct Total {
    pub(super) status: Status,
    pub(super) tone: &'static str,
    pub(super) sign: &'static str,
    pub(super) count: usize,
}

impl Total {
    pub(super) fn new((status, count): (Status, usize)) -> Self {
        Self { status, tone: status_tone(status), sign: sign(status), count }
    }
}

/// A failure, with the way to see it again.
pub(super) struct FailureView<'a> {
    pub(super) failure: Failure<'a>,
    pub(super) said: Cow<'a, str>,
    pub(super) reproduce: String,
    pub(super) evidence: Vec<&'a EvidenceFile>,
}

impl<'a> FailureView<'a> {
    pub(super) fn new(matrix: &'a Matrix, failure: Failure<'a>) -> Self {
        let kept = failure.attempt.into_iter().flat_map(Attempt::evidence_files);
        Self {
            said: cut(failure.message(), MESSAGE_MAX),
            reproduce: reproduce(matrix.run.as_ref(), failure.scenario, failure.lane),
            evidence: kept.filter(|file| is_digest(&file.sha256)).take(FILES_MAX).collect(),
            failure,
        }
    }
}

/// A goal's line and its details.
pub(super) struct GoalView<'a> {
    pub(super) row: &'a Row,
    pub(super) tone: &'static str,
    pub(super) sign: &'static str,
    pub(super) passed: usize,
    pub(super) total: usize,
    pub(super) proved: usize,
    pub(super) declared: usize,
    pub(super) evidence: usize,
    pub(super) owner: String,
    pub(super) review: String,
    pub(super) claims: Vec<(&'static str, &'a [Declared])>,
    pub(super) saboteurs: Vec<String>,
    pub(super) lanes: Vec<LaneView<'a>>,
}

/// A lane of a goal.
pub(super) struct LaneView<'a> {
    pub(super) cell: &'a LaneCell,
    pub(super) tone: &'static str,
    pub(super) sign: &'static str,
}

impl<'a> GoalView<'a> {
    pub(super) fn new(matrix: &'a Matrix, row: &'a Row) -> Self {
        let (passed, total) = passed_of(matrix, row);
        let (proved, declared) = proved_of(row);
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
            proved,
            declared,
            evidence: evidence_of(matrix, row).count(),
            owner: owner_and_follow_up(row),
            review: review(&row.link),
            claims: claims.into_iter().filter(|(_, claims)| !claims.is_empty()).collect(),
            saboteurs: saboteurs(row),
            lanes: row.lanes.iter().map(LaneView::new).collect(),
        }
    }

    /// The tone of a share: whether all of it is there.
    pub(super) fn share_tone(part: usize, whole: usize) -> &'static str {
        if part == whole && whole > 0 { "ok" } else { "bad" }
    }

    /// Why the goal is not verified; nothing where it is.
    pub(super) fn obstacles(&self) -> &'a [String] {
        if self.row.status == Status::Verified { &[] } else { &self.row.reasons }
    }
}

impl<'a> LaneView<'a> {
    fn new(cell: &'a LaneCell) -> Self {
        let (tone, sign) = match cell.result {
            LaneResult::Passed => ("ok", "✓"),
            LaneResult::Failed => ("bad", "✗"),
            LaneResult::NotRun => ("off", "○"),
        };
        Self { cell, tone, sign }
    }
}

fn review(link: &Link) -> String {
    match link {
        Link::Reviewed { on, by } => format!("together with its scenarios, on {on} by {by}"),
        Link::Suspect { reason } => reason.clone(),
        Link::NoScenarios => "There are no scenarios to review.".to_owned(),
    }
}

/// A feature file, seen from its scenarios: the way back from tests to goals.
pub(super) struct FileView<'a> {
    pub(super) uri: &'a str,
    pub(super) goals: BTreeSet<GoalId>,
    pub(super) scenarios: usize,
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) orphans: Vec<&'a Orphan>,
}

impl<'a> FileView<'a> {
    /// Every file with scenarios, sorted.
    pub(super) fn all(matrix: &'a Matrix) -> Vec<Self> {
        let mut files: BTreeMap<&str, Vec<&Scenario>> = BTreeMap::new();
        for scenario in &matrix.scenarios {
            files.entry(&scenario.key.uri).or_default().push(scenario);
        }
        let count = |scenarios: &[&Scenario], is: fn(StepStatus) -> bool| {
            scenarios.iter().filter(|scenario| outcome(scenario).is_some_and(is)).count()
        };
        files
            .into_iter()
            .map(|(uri, scenarios)| Self {
                uri,
                goals: scenarios.iter().flat_map(|scenario| scenario.goals.iter().copied()).collect(),
                scenarios: scenarios.len(),
                passed: count(&scenarios, |outcome| outcome == StepStatus::Passed),
                failed: count(&scenarios, is_failure),
                orphans: matrix.orphans.iter().filter(|orphan| orphan.key.uri == uri).collect(),
            })
            .collect()
    }

    /// Scenarios that neither passed nor failed.
    pub(super) fn not_run(&self) -> usize {
        self.scenarios - self.passed - self.failed
    }
}

/// Entries of the data files that fit nothing, in sentences.
pub(super) fn problems(matrix: &Matrix) -> Vec<&str> {
    let all = matrix.dead_quarantine.iter().chain(&matrix.dead_links).chain(&matrix.lock.problems);
    all.map(String::as_str).collect()
}

/// What was kept, all scenarios together.
pub(super) struct EvidenceView<'a> {
    pub(super) files: usize,
    pub(super) different: usize,
    pub(super) bytes: String,
    /// The biggest files, where they are too big to be looked at in passing.
    pub(super) big: Vec<(&'a EvidenceFile, String)>,
}

impl<'a> EvidenceView<'a> {
    pub(super) fn new(matrix: &'a Matrix) -> Self {
        let mut once: BTreeMap<&str, &EvidenceFile> = BTreeMap::new();
        let mut files = 0;
        for file in matrix.scenarios.iter().flat_map(files_kept) {
            files += 1;
            once.insert(&file.sha256, file);
        }
        let mut big: Vec<&EvidenceFile> =
            once.values().copied().filter(|file| file.bytes > BIG_BYTES && is_digest(&file.sha256)).collect();
        big.sort_by_key(|file| std::cmp::Reverse(file.bytes));
        big.truncate(FILES_MAX);
        let bytes = once.values().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
        Self {
            files,
            different: once.len(),
            bytes: size(bytes),
            big: big.into_iter().map(|file| (file, size(file.bytes))).collect(),
        }
    }
}

/// Whether a text can be the name of a file of evidence. What is none gets no link.
fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A size with the unit that fits, rounded up.
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => counted(usize::try_from(bytes).unwrap_or_default(), "byte", "bytes"),
        1024..1_048_576 => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{} MiB", bytes.div_ceil(1_048_576)),
    }
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

/// The answer in one word.
pub(super) fn answer(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Green => "✓ Yes",
        Outcome::Red => "✗ No",
        Outcome::BadInput => "✗ Cannot be judged",
    }
}

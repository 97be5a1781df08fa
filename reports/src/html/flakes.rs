//! How the suite came out when it was run again and again: a strip of its runs, what they prove, and what failed in them.

use mycelium_schemas::{
    flake::{FailureCluster, Flakes, LaneFlakes, RunKind, ScenarioFlakes, SuiteRun},
    matrix::Matrix,
};
use mycelium_traceability::flake::{Counts, percent, sentences};

/// Most runs on a strip, the newest ones.
const RUNS_MAX: usize = 40;
/// Most scenarios, causes and failed runs that are listed.
const LISTED_MAX: usize = 10;
/// Units from one run to the next, of which a run fills all but a gap.
const STEP: usize = 10;

/// The section of the page.
pub(super) struct FlakesView<'a> {
    pub(super) flakes: &'a Flakes,
    /// Lanes with runs.
    pub(super) lanes: Vec<LaneView<'a>>,
    /// Scenarios that failed at least once, the worst first.
    pub(super) unreliable: Vec<&'a ScenarioFlakes>,
    pub(super) unreliable_left_out: usize,
    pub(super) causes: Vec<&'a FailureCluster>,
    pub(super) causes_left_out: usize,
}

/// A lane's strip.
pub(super) struct LaneView<'a> {
    pub(super) lane: &'a str,
    /// Its runs, one shape for each tone.
    pub(super) shapes: Vec<Shape>,
    /// How wide the strip is.
    pub(super) width: usize,
    /// Runs that are older than the strip.
    pub(super) older: usize,
    /// The newest runs that failed.
    pub(super) failed: Vec<&'a SuiteRun>,
    /// What the counts prove.
    pub(super) proved: [String; 2],
    /// The strip in words, for who does not see it.
    pub(super) label: String,
}

/// The runs of one tone on a strip, as the path of a picture.
pub(super) struct Shape {
    pub(super) tone: &'static str,
    pub(super) path: String,
}

impl<'a> FlakesView<'a> {
    pub(super) fn new(matrix: &'a Matrix) -> Self {
        let flakes = &matrix.flakes;
        let mut unreliable: Vec<&ScenarioFlakes> =
            flakes.scenarios.iter().filter(|scenario| scenario.failed > 0).collect();
        unreliable.sort_by_key(|scenario| std::cmp::Reverse((scenario.bound_ppm, scenario.failed)));
        let unreliable_left_out = unreliable.len().saturating_sub(LISTED_MAX);
        unreliable.truncate(LISTED_MAX);
        let with_runs = flakes.lanes.iter().filter(|lane| !lane.runs.is_empty());
        Self {
            flakes,
            lanes: with_runs.map(|lane| LaneView::new(flakes, lane)).collect(),
            unreliable,
            unreliable_left_out,
            causes: flakes.clusters.iter().take(LISTED_MAX).collect(),
            causes_left_out: flakes.clusters.len().saturating_sub(LISTED_MAX),
        }
    }

    /// The bound of a scenario as people read it.
    #[expect(clippy::unused_self, reason = "templates call methods")]
    pub(super) fn bound(&self, scenario: &ScenarioFlakes) -> String {
        percent(scenario.bound_ppm)
    }
}

impl<'a> LaneView<'a> {
    fn new(flakes: &Flakes, lane: &'a LaneFlakes) -> Self {
        let of_kind = |kind: RunKind| lane.runs.iter().filter(|run| run.kind == kind).count();
        let (clean, failed) = (of_kind(RunKind::Clean), of_kind(RunKind::Failed));
        let counted = flakes.scenarios.iter().filter(|scenario| scenario.lane == lane.lane);
        let (executions, failures) = counted.fold((0, 0), |(n, failed), s| (n + s.n, failed + s.failed));
        let older = lane.runs.len().saturating_sub(RUNS_MAX);
        let drawn = &lane.runs[older..];
        let newest_failed = lane.runs.iter().rev().filter(|run| run.kind == RunKind::Failed);
        Self {
            lane: &lane.lane,
            shapes: shapes(drawn),
            width: drawn.len() * STEP,
            older,
            failed: newest_failed.take(LISTED_MAX).collect(),
            proved: sentences(Counts {
                runs: (clean + failed) as u64,
                runs_failed: failed as u64,
                executions,
                failures,
                scenarios: lane.scenarios,
            }),
            label: format!(
                "{} runs: {clean} clean, {failed} failed, {} not whole, {} not counted",
                lane.runs.len(),
                of_kind(RunKind::Incomplete),
                of_kind(RunKind::Infrastructure)
            ),
        }
    }
}

/// The runs, oldest first. What failed stands taller, so that it is seen without colours.
fn shapes(runs: &[SuiteRun]) -> Vec<Shape> {
    let kinds = [
        (RunKind::Clean, "ok", 12),
        (RunKind::Failed, "bad", 24),
        (RunKind::Incomplete, "off", 6),
        (RunKind::Infrastructure, "warn", 18),
    ];
    let shape = |(kind, tone, height)| {
        let of_kind = runs.iter().enumerate().filter(|(_, run)| run.kind == kind);
        let path = of_kind.map(|(at, _)| format!("M{} 24v-{height}h8v{height}", at * STEP));
        Shape { tone, path: path.collect::<Vec<_>>().concat() }
    };
    kinds.map(shape).into_iter().filter(|shape| !shape.path.is_empty()).collect()
}

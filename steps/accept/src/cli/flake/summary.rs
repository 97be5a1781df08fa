//! What running again and again came to: for people, and as one JSON document.

use std::{cmp::Reverse, collections::BTreeMap, fmt, path::Path};

use mycelium_schemas::{
    SCHEMA_VERSION,
    flake::{Environment, Execution, FailureCluster, Rating, ScenarioFlakes},
    matrix::{ScenarioKey, StepStatus},
};
use mycelium_traceability::{
    Catalogue,
    flake::{Counts, Decision, clusters, infrastructure, percent, scenarios, sentences},
};
use serde::Serialize;

use crate::{
    cli::{again::world_option, console::counted},
    context::Lane,
};

/// A run of the suite, as it is told.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct Repetition {
    pub(in crate::cli) run: String,
    pub(in crate::cli) seed: u64,
    pub(in crate::cli) environment: String,
    pub(in crate::cli) passed: bool,
    /// Why not.
    pub(in crate::cli) causes: Vec<String>,
}

/// The first failure, and how to see it again.
#[derive(Debug, Clone, Serialize)]
pub(in crate::cli) struct FirstFailure {
    pub(in crate::cli) run: String,
    /// None where something was wrong beside the scenarios.
    pub(in crate::cli) scenario: Option<String>,
    pub(in crate::cli) seed: u64,
    pub(in crate::cli) environment: String,
    pub(in crate::cli) out: String,
    /// The command that runs the same again.
    pub(in crate::cli) again: String,
}

/// What `accept flake` prints.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct FlakeSummary {
    schema_version: u32,
    pub(in crate::cli) exit_code: u8,
    passed: bool,
    history: String,
    repetitions: Vec<Repetition>,
    scenarios: Vec<ScenarioLine>,
    clusters: Vec<FailureCluster>,
    /// Runs in which nearly all failed at once; their executions are not counted.
    infrastructure: Vec<String>,
    /// What the counts prove, in sentences.
    bounds: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_failure: Option<FirstFailure>,
    /// Why nothing was run, or why it is no success though no scenario failed.
    notes: Vec<String>,
}

/// A scenario and what is known of it.
#[derive(Debug, Serialize)]
struct ScenarioLine {
    place: String,
    name: String,
    fingerprint: String,
    lane: String,
    n: u64,
    failed: u64,
    bound_ppm: u32,
    rating: Rating,
    /// What the sequential test says: `accept`, `reject` or `go-on`.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
}

/// All that a summary is made of.
pub(in crate::cli) struct Findings<'a> {
    pub(in crate::cli) history: &'a Path,
    pub(in crate::cli) catalogue: &'a Catalogue,
    /// The executions of this command.
    pub(in crate::cli) session: &'a [Execution],
    /// Those of the history that are about the same.
    pub(in crate::cli) earlier: &'a [Execution],
    pub(in crate::cli) repetitions: Vec<Repetition>,
    pub(in crate::cli) first_failure: Option<FirstFailure>,
    /// What the sequential test says of each scenario, where it was asked.
    pub(in crate::cli) decisions: BTreeMap<ScenarioKey, Decision>,
    pub(in crate::cli) notes: Vec<String>,
    pub(in crate::cli) exit_code: u8,
}

impl FlakeSummary {
    pub(in crate::cli) fn new(findings: Findings<'_>) -> Self {
        let all: Vec<&Execution> = findings.earlier.iter().chain(findings.session).collect();
        let session: Vec<&Execution> = findings.session.iter().collect();
        let infrastructure = infrastructure(&session);
        let bounds = bounds(&findings, &session, &infrastructure);
        let line = |flakes| ScenarioLine::new(flakes, &findings);
        let mut lines: Vec<ScenarioLine> = scenarios(&all).into_iter().map(line).collect();
        // The worst first: that is what one looks for.
        lines.sort_by_key(|line| Reverse((line.failed, line.bound_ppm)));
        Self {
            schema_version: SCHEMA_VERSION,
            exit_code: findings.exit_code,
            passed: findings.exit_code == 0,
            history: findings.history.display().to_string(),
            scenarios: lines,
            clusters: clusters(&all),
            infrastructure,
            bounds,
            repetitions: findings.repetitions,
            first_failure: findings.first_failure,
            notes: findings.notes,
        }
    }
}

/// The honest sentences. Where each scenario runs as often as it needs, there are no runs of the whole to speak of.
fn bounds(findings: &Findings<'_>, session: &[&Execution], infrastructure: &[String]) -> Vec<String> {
    let executed = |e: &&&Execution| {
        !infrastructure.contains(&e.run) && !matches!(e.outcome, StepStatus::Skipped | StepStatus::Unknown)
    };
    let executions: Vec<&&Execution> = session.iter().filter(executed).collect();
    if executions.is_empty() {
        return Vec::new();
    }
    let failures = executions.iter().filter(|e| e.outcome != StepStatus::Passed).count();
    let mut places: Vec<&ScenarioKey> = executions.iter().map(|e| &e.scenario).collect();
    places.sort();
    places.dedup();
    let counted: Vec<&Repetition> =
        findings.repetitions.iter().filter(|repetition| !infrastructure.contains(&repetition.run)).collect();
    let [suite, mean] = sentences(Counts {
        runs: counted.len() as u64,
        runs_failed: counted.iter().filter(|repetition| !repetition.passed).count() as u64,
        executions: executions.len() as u64,
        failures: failures as u64,
        scenarios: places.len(),
    });
    if findings.decisions.is_empty() { vec![suite, mean] } else { vec![mean] }
}

impl ScenarioLine {
    fn new(flakes: ScenarioFlakes, findings: &Findings<'_>) -> Self {
        let spec = findings.catalogue.get(&flakes.key);
        let decision = findings.decisions.get(&flakes.key).map(|decision| match decision {
            Decision::Accept => "accept",
            Decision::Reject => "reject",
            Decision::GoOn => "go-on",
        });
        Self {
            place: flakes.key.to_string(),
            name: spec.map(|spec| spec.name.clone()).unwrap_or_default(),
            fingerprint: spec.map(|spec| spec.fingerprint().to_string()).unwrap_or_default(),
            lane: flakes.lane,
            n: flakes.n,
            failed: flakes.failed,
            bound_ppm: flakes.bound_ppm,
            rating: flakes.rating,
            decision,
        }
    }
}

/// The command that runs a scenario again as it ran, or what was selected where none is named.
pub(in crate::cli) fn again(what: &str, lane: Lane, seed: u64, environment: &Environment) -> String {
    let what = if what.is_empty() { String::new() } else { format!(" {what}") };
    let world = world_option(lane);
    format!("cargo accept flake{what}{world} --repeat 1 --seed {seed} --environment {environment}")
}

impl fmt::Display for FlakeSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scenarios.is_empty() {
            writeln!(f, "{:>6} {:>6} {:>8}  {:<8} scenario", "n", "failed", "at most", "rating")?;
        }
        for line in &self.scenarios {
            let ScenarioLine { place, name, n, failed, bound_ppm, rating, decision, .. } = line;
            let bound = percent(*bound_ppm);
            write!(f, "{n:>6} {failed:>6} {bound:>8}  {rating:<8} {place}  {name}")?;
            writeln!(f, "{}", decision.map(|decision| format!("  ({decision})")).unwrap_or_default())?;
        }
        for line in self.scenarios.iter().filter(|line| line.failed > 0) {
            writeln!(f, "fingerprint of {}: {}", line.place, line.fingerprint)?;
        }
        for FailureCluster { mark, incidents, failures, scenarios } in &self.clusters {
            let (failures, runs) = (counted(size(*failures), "failure"), counted(size(*incidents), "run"));
            let scenarios = counted(scenarios.len(), "scenario");
            writeln!(
                f,
                "{failures} of {scenarios} in {runs} share a cause: {:?}: {}",
                mark.step, mark.message
            )?;
        }
        for run in &self.infrastructure {
            writeln!(f, "not counted, because nearly all failed at once: run {run}")?;
        }
        if let Some(FirstFailure { run, scenario, seed, environment, out, again }) = &self.first_failure {
            let what = scenario.as_deref().unwrap_or("something beside the scenarios");
            writeln!(f, "first failure: {what}, run {run}, seed {seed}, {environment}, {out}\n  {again}")?;
        }
        for sentence in self.bounds.iter().chain(&self.notes) {
            writeln!(f, "{sentence}")?;
        }
        write!(f, "history: {}", self.history)
    }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

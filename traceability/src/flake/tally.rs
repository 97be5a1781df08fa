//! From the lines of the history to counts: which lines are about what is there now, how often each scenario failed, and
//! what each run of the suite is worth.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use mycelium_schemas::{
    flake::{Execution, FailureCluster, FailureMark, Flakes, LaneFlakes, RunKind, ScenarioFlakes, SuiteRun},
    matrix::{ScenarioKey, StepStatus, Subject},
};

use super::{
    History,
    bound::{bound_ppm, rate},
};
use crate::catalogue::{Catalogue, ScenarioSpec};

/// Above this share of failures, in percent, a run says something about the machine and nothing about its scenarios.
const INFRASTRUCTURE_PERCENT: usize = 80;
/// Executions that a run needs for that: of few, many fail easily.
const INFRASTRUCTURE_MIN: usize = 10;

/// What lines of the history have to be about.
pub struct Subjects<'a> {
    /// The tree that is checked out and the program that is built.
    pub subject: &'a Subject,
    /// The scenarios as they are now.
    pub catalogue: &'a Catalogue,
    /// The lanes in which the suite has to run.
    pub lanes: &'a [String],
    /// Scenarios that are in quarantine: their failures are counted, and spoil no run.
    pub excused: &'a BTreeSet<ScenarioKey>,
}

impl Subjects<'_> {
    /// Whether a line counts. A dirty tree has no name, so nothing shows that two lines of it are about the same.
    pub fn counts(&self, execution: &Execution) -> bool {
        let (ran, now) = (execution, self.subject);
        let same_tree = ran.tree.is_some() && ran.tree == now.tree && !ran.dirty && !now.dirty;
        let same_program = now.binary_digest.as_ref() == Some(&ran.binary_digest);
        let same_text = || {
            let spec = self.catalogue.get(&ran.scenario);
            spec.is_some_and(|spec| spec.fingerprint().as_str() == ran.fingerprint)
        };
        same_tree && same_program && same_text()
    }
}

/// Counts what the history says about a subject.
pub fn tally(history: &History, about: &Subjects<'_>) -> Flakes {
    let counting: Vec<&Execution> =
        history.executions.iter().filter(|execution| about.counts(execution)).collect();
    let runs = runs(&counting);
    Flakes {
        executions: counting.len() as u64,
        others: (history.executions.len() - counting.len()) as u64,
        torn: history.torn,
        lanes: about.lanes.iter().map(|lane| of_lane(about, &runs, lane)).collect(),
        scenarios: scenarios(&counting),
        clusters: clusters(&counting),
    }
}

/// How often each scenario was executed and failed, by place and lane.
pub fn scenarios(executions: &[&Execution]) -> Vec<ScenarioFlakes> {
    let mut counts: BTreeMap<(&ScenarioKey, &str), (u64, u64)> = BTreeMap::new();
    for run in runs(executions).iter().filter(|run| !run.is_infrastructure()) {
        for (key, passed) in &run.results {
            let (n, failed) = counts.entry((key, run.lane)).or_default();
            *n += 1;
            *failed += u64::from(!passed);
        }
    }
    let counts = counts.into_iter();
    counts
        .map(|((key, lane), (n, failed))| ScenarioFlakes {
            key: key.clone(),
            lane: lane.to_owned(),
            n,
            failed,
            bound_ppm: bound_ppm(n, failed),
            rating: rate(n, failed),
        })
        .collect()
}

/// The failures by their cause, the most frequent first.
pub fn clusters(executions: &[&Execution]) -> Vec<FailureCluster> {
    struct Found<'e> {
        mark: &'e FailureMark,
        runs: BTreeSet<&'e str>,
        failures: u64,
        scenarios: BTreeSet<&'e ScenarioKey>,
    }
    let mut found: BTreeMap<&str, Found<'_>> = BTreeMap::new();
    for run in runs(executions).iter().filter(|run| !run.is_infrastructure()) {
        let of_run =
            executions.iter().filter(|execution| execution.run == run.name && execution.lane == run.lane);
        for (execution, mark) in of_run.filter_map(|execution| Some((execution, execution.failure.as_ref()?)))
        {
            let cluster = found.entry(&mark.cluster).or_insert_with(|| Found {
                mark,
                runs: BTreeSet::new(),
                failures: 0,
                scenarios: BTreeSet::new(),
            });
            cluster.runs.insert(&execution.run);
            cluster.failures += 1;
            cluster.scenarios.insert(&execution.scenario);
        }
    }
    let mut clusters: Vec<FailureCluster> = found
        .into_values()
        .map(|Found { mark, runs, failures, scenarios }| FailureCluster {
            mark: mark.clone(),
            incidents: runs.len() as u64,
            failures,
            scenarios: scenarios.into_iter().cloned().collect(),
        })
        .collect();
    clusters.sort_by_key(|cluster| Reverse((cluster.incidents, cluster.failures)));
    clusters
}

/// The names of the runs in which nearly all failed at once.
pub fn infrastructure(executions: &[&Execution]) -> Vec<String> {
    let runs = runs(executions);
    runs.iter().filter(|run| run.is_infrastructure()).map(|run| run.name.to_owned()).collect()
}

/// A run of the suite in a lane.
struct Run<'e> {
    name: &'e str,
    lane: &'e str,
    first: &'e Execution,
    /// Whether each scenario that was executed passed. One that stands there twice has been tried again: it passed only
    /// where it did so each time.
    results: BTreeMap<&'e ScenarioKey, bool>,
    flaws: BTreeSet<&'e str>,
}

impl Run<'_> {
    fn is_infrastructure(&self) -> bool {
        let failed = self.results.values().filter(|passed| !**passed).count();
        let all = self.results.len();
        all >= INFRASTRUCTURE_MIN && failed * 100 > all * INFRASTRUCTURE_PERCENT
    }
}

/// The runs in the order in which they were written.
fn runs<'e>(executions: &[&'e Execution]) -> Vec<Run<'e>> {
    let mut runs: Vec<Run<'e>> = Vec::new();
    let mut places: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for execution in executions {
        let place = *places.entry((&execution.run, &execution.lane)).or_insert_with(|| {
            runs.push(Run {
                name: &execution.run,
                lane: &execution.lane,
                first: execution,
                results: BTreeMap::new(),
                flaws: BTreeSet::new(),
            });
            runs.len() - 1
        });
        let run = &mut runs[place];
        run.flaws.extend(execution.flaws.iter().map(String::as_str));
        if was_executed(execution.outcome) {
            let passed = execution.outcome == StepStatus::Passed;
            *run.results.entry(&execution.scenario).or_insert(true) &= passed;
        }
    }
    runs
}

/// Whether it came to an answer. What was skipped or cut off did not, for better or worse.
fn was_executed(outcome: StepStatus) -> bool {
    match outcome {
        StepStatus::Passed
        | StepStatus::Failed
        | StepStatus::Pending
        | StepStatus::Undefined
        | StepStatus::Ambiguous => true,
        StepStatus::Skipped | StepStatus::Unknown => false,
    }
}

fn of_lane(about: &Subjects<'_>, runs: &[Run<'_>], lane: &str) -> LaneFlakes {
    let wanted: Vec<&ScenarioSpec> = about.catalogue.iter().filter(|spec| spec.needs_lane(lane)).collect();
    let runs = runs.iter().filter(|run| run.lane == lane);
    LaneFlakes {
        lane: lane.to_owned(),
        scenarios: wanted.len(),
        runs: runs.map(|run| suite_run(about, run, &wanted)).collect(),
    }
}

fn suite_run(about: &Subjects<'_>, run: &Run<'_>, wanted: &[&ScenarioSpec]) -> SuiteRun {
    let failures = run.results.iter().filter(|(_, passed)| !**passed).map(|(key, _)| (*key).clone());
    let (excused, failed): (Vec<_>, Vec<_>) = failures.partition(|key| about.excused.contains(key));
    let missing = wanted.iter().filter(|spec| !run.results.contains_key(&spec.key)).count();
    let kind = if run.is_infrastructure() {
        RunKind::Infrastructure
    } else if !failed.is_empty() || !run.flaws.is_empty() {
        RunKind::Failed
    } else if missing > 0 {
        RunKind::Incomplete
    } else {
        RunKind::Clean
    };
    SuiteRun {
        run: run.name.to_owned(),
        seed: run.first.seed,
        environment: run.first.environment.to_string(),
        kind,
        passed: run.results.len() - failed.len() - excused.len(),
        failed,
        excused,
        missing,
        flaws: run.flaws.iter().map(|flaw| (*flaw).to_owned()).collect(),
    }
}

//! How fast the program is, beside what it was: each figure that was measured or has a baseline, and its limit.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::{
    bench::{Bench, Figure, Measure},
    goal::baselines::{self, Baseline, Baselines},
    matrix::{Comparison, PerformanceFacts},
    problem::Source,
};

use crate::matrix::Inputs;

/// What is promised to become no slower, each in both measures. Whoever measures less of it has not measured.
pub const FIGURES: [&str; 11] = [
    "logs/10000",
    "logs/1000000",
    "plan/10",
    "plan/100",
    "plan/1000",
    "resume/finished",
    "run/1",
    "run/10",
    "run/50",
    "workspace/create",
    "workspace/remove",
];

/// What was measured and what it was; one of the two is there.
#[derive(Default)]
struct Sides {
    value: Option<u64>,
    baseline: Option<u64>,
}

/// Puts each figure beside its baseline on that class of machine.
pub fn compare(machine: &str, figures: &[Figure], baselines: &Baselines) -> Vec<Comparison> {
    let mut sides: BTreeMap<(&str, Measure), Sides> = BTreeMap::new();
    for figure in figures {
        sides.entry((&figure.name, figure.measure)).or_default().value = Some(figure.value);
    }
    for baseline in baselines.of(machine) {
        sides.entry((&baseline.figure, baseline.measure)).or_default().baseline = Some(baseline.value);
    }
    let compared = sides.into_iter().map(|((figure, measure), Sides { value, baseline })| Comparison {
        figure: figure.to_owned(),
        measure,
        value,
        baseline,
        limit: baseline.map(|baseline| limit(baseline, baselines.tolerance.percent(measure))),
    });
    compared.collect()
}

/// What a figure is as a baseline.
pub fn baseline(figure: &Figure) -> Baseline {
    Baseline { figure: figure.name.clone(), measure: figure.measure, value: figure.value }
}

/// So many percent above a baseline, rounded down.
fn limit(baseline: u64, percent: u64) -> u64 {
    let limit = u128::from(baseline) * u128::from(100 + percent) / 100;
    u64::try_from(limit).unwrap_or(u64::MAX)
}

/// What is to be said of a measurement as the sources are now.
pub(crate) fn facts(inputs: &Inputs<'_>, bench: &Bench) -> PerformanceFacts {
    let comparisons = compare(&bench.machine, &bench.figures, &inputs.registry.baselines);
    let mut problems = problems(bench);
    problems.extend(missing(&bench.machine, &comparisons));
    PerformanceFacts {
        machine: bench.machine.clone(),
        stale: stale(inputs, bench),
        partial: bench.partial.clone(),
        problems,
        raised: raised(&bench.machine, &inputs.registry.baselines, inputs.measured),
        comparisons,
    }
}

/// Baselines that an earlier commit has lower, by more than a measurement may differ. Whoever raises one allows the program
/// to be slower than it was: that may be meant, and is told as long as there is a history.
fn raised(machine: &str, baselines: &Baselines, earlier: &[Source]) -> Vec<String> {
    // The least that each figure was, and the newest version that has it.
    let mut least: BTreeMap<(String, Measure), (u64, &str)> = BTreeMap::new();
    for version in earlier {
        // What nobody can read any more was no limit.
        let before = baselines::parse(version).unwrap_or_default();
        for Baseline { figure, measure, value } in before.of(machine) {
            let known = least.entry((figure.clone(), *measure)).or_insert((*value, &version.name));
            if *value < known.0 {
                *known = (*value, &version.name);
            }
        }
    }
    let told = baselines.of(machine).iter().filter_map(|Baseline { figure, measure, value }| {
        let (before, version) = least.get(&(figure.clone(), *measure))?;
        let shown = |value: u64| measure.shown(value);
        let is_raised = *value > limit(*before, baselines.tolerance.percent(*measure));
        is_raised.then(|| {
            format!("{figure} ({measure}) from {} in {version} to {}", shown(*before), shown(*value))
        })
    });
    told.collect()
}

/// Figures of which nobody knows anything. One that was measured or has a baseline is missed where the two are compared.
fn missing(machine: &str, comparisons: &[Comparison]) -> Vec<String> {
    if comparisons.is_empty() {
        // The gate says that.
        return Vec::new();
    }
    let wanted = FIGURES.into_iter().flat_map(|name| Measure::ALL.map(|measure| (name, measure)));
    let is_known = |(name, measure): &(&str, Measure)| {
        comparisons.iter().any(|found| (found.figure.as_str(), found.measure) == (*name, *measure))
    };
    let missing = wanted.filter(|figure| !is_known(figure));
    missing
        .map(|(name, measure)| {
            format!("{name} ({measure}) was not measured, and has no baseline on {machine}.")
        })
        .collect()
}

fn stale(inputs: &Inputs<'_>, bench: &Bench) -> Vec<String> {
    let now = inputs.subject;
    if bench.tree.is_none() || bench.source_digest.is_none() || now.source_digest.is_none() {
        return vec!["The figures cannot be bound to a commit: this is not a git repository.".to_owned()];
    }
    if bench.source_digest != now.source_digest || bench.tree != now.tree {
        return vec!["The figures are about other sources than those that are here now.".to_owned()];
    }
    Vec::new()
}

fn problems(bench: &Bench) -> Vec<String> {
    let built =
        bench.features.iter().map(|name| format!("The measured program was built with the feature {name}."));
    let mut problems: Vec<String> = built.collect();
    let mut seen = BTreeSet::new();
    for Figure { name, measure, value, least, most, rounds } in &bench.figures {
        if !seen.insert((name, measure)) {
            problems.push(format!("{name} ({measure}) was measured more than once."));
        }
        if *value == 0 || *rounds == 0 {
            problems.push(format!("{name} ({measure}) measured nothing."));
        }
        if value < least || value > most {
            problems.push(format!("{name} ({measure}) is not between its least and its most."));
        }
    }
    problems
}

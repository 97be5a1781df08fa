//! Performance: every figure that has a baseline on this class of machine was measured of what is there now, and none is
//! over its limit.

use mycelium_schemas::matrix::{Comparison, Matrix};

use super::judge::Judgement;

pub(super) fn judge(matrix: &Matrix) -> Judgement {
    const MEND: &str = "run `accept bench` on what is there now and find out what became slower; where that is meant, \
                        `accept bench --save` writes what is measured as the new baseline";
    let Some(facts) = &matrix.performance else {
        return Judgement::red(vec!["Nothing was measured, so there is no verdict.".to_owned()], MEND);
    };
    let mut reasons: Vec<String> =
        [&facts.stale, &facts.partial, &facts.problems].into_iter().flatten().cloned().collect();
    reasons.extend(too_slow(&facts.machine, &facts.comparisons));
    if reasons.is_empty() {
        let raised = match &facts.raised[..] {
            [] => String::new(),
            raised => format!(" Baselines were raised: {}.", raised.join("; ")),
        };
        return Judgement::Green(format!(
            "All {} figures are within their limits on {}.{raised}",
            facts.comparisons.len(),
            facts.machine
        ));
    }
    Judgement::red(reasons, MEND)
}

/// What stands between the figures and a green verdict, in sentences.
pub fn too_slow(machine: &str, comparisons: &[Comparison]) -> Vec<String> {
    if comparisons.is_empty() {
        return vec!["No figure was measured, so there is no verdict.".to_owned()];
    }
    if comparisons.iter().all(|comparison| comparison.baseline.is_none()) {
        return vec![format!(
            "Nobody saved baselines on a machine of the class {machine}, so there is no verdict."
        )];
    }
    comparisons.iter().filter_map(|comparison| objection(machine, comparison)).collect()
}

/// Why a figure is not within its limit; none where it is.
fn objection(machine: &str, comparison: &Comparison) -> Option<String> {
    let Comparison { figure, measure, value, baseline, limit } = comparison;
    let shown = |value: u64| measure.shown(value);
    match (value, baseline.zip(*limit)) {
        (Some(value), Some((_, limit))) if *value <= limit => None,
        (Some(value), Some((baseline, limit))) => Some(format!(
            "{figure} ({measure}) is {}, over its limit {}; its baseline is {}.",
            shown(*value),
            shown(limit),
            shown(baseline)
        )),
        (Some(value), None) => {
            Some(format!("{figure} ({measure}) is {}, and has no baseline on {machine}.", shown(*value)))
        }
        (None, _) => Some(format!("{figure} ({measure}) has a baseline on {machine} and was not measured.")),
    }
}

//! The order of steps: a state, a deed, a look at what came of it. A scenario may go round again, but not backwards.

use mycelium_schemas::messages::{Step, StepKeywordType};

use super::{Report, Rule};
use crate::runner::suite::Feature;

pub(super) fn check(report: &mut Report<'_>, feature: &Feature) {
    for scenario in feature.scenarios() {
        if let Some(step) = scenario.steps.iter().find(|step| is_context_after_outcome(&scenario.steps, step))
        {
            report.add(
                Rule::StepOrder,
                step.location,
                "a Given stands behind a Then, so the scenario begins anew in its middle",
                "put it before the When, or make two scenarios of this one",
            );
        }
    }
}

fn is_context_after_outcome(steps: &[Step], step: &Step) -> bool {
    step.keyword_type == Some(StepKeywordType::Context)
        && steps
            .iter()
            .take_while(|earlier| earlier.location < step.location)
            .any(|earlier| earlier.keyword_type == Some(StepKeywordType::Outcome))
}

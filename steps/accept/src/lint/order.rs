//! The order of steps: a state, a deed, a look at what came of it. A scenario may go round again, but not backwards.

use mycelium_schemas::messages::{Step, StepKeywordType};

use super::{Report, Rule};
use crate::runner::suite::Feature;

pub(super) fn check(report: &mut Report<'_>, feature: &Feature) {
    for scenario in feature.scenarios() {
        if let Some(step) = context_after_outcome(&scenario.steps) {
            report.add(
                Rule::StepOrder,
                step.location,
                "a Given stands behind a Then, so the scenario begins anew in its middle",
                "put it before the When, or make two scenarios of this one",
            );
        }
    }
}

/// The first such step, found in one pass: a scenario may be very long.
fn context_after_outcome(steps: &[Step]) -> Option<&Step> {
    let mut from_outcome =
        steps.iter().skip_while(|step| step.keyword_type != Some(StepKeywordType::Outcome));
    from_outcome.find(|step| step.keyword_type == Some(StepKeywordType::Context))
}

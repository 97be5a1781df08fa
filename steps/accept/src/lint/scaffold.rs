//! What `accept new` left to be written: it must not pass by accident, nor be taken for a typo.

use mycelium_schemas::messages::{Location, Step};

use super::{Report, Rule};
use crate::runner::suite::Feature;

/// What a placeholder begins with.
pub const PLACEHOLDER: &str = "replace this:";

/// Whether the text was left by `accept new`.
pub(super) fn is_placeholder(text: &str) -> bool {
    text.trim_start().to_lowercase().starts_with(PLACEHOLDER)
}

pub(super) fn check(report: &mut Report<'_>, feature: &Feature) {
    for scenario in feature.scenarios() {
        if is_placeholder(&scenario.name) {
            add(report, scenario.location, "the scenario has no name yet", "say in it what is proved");
        }
        let steps: Vec<&Step> = scenario.steps.iter().filter(|step| is_placeholder(&step.text)).collect();
        for step in steps {
            let help = "write what it says with steps of `accept steps WORD`";
            add(report, step.location, "the step is not written yet", help);
        }
    }
}

fn add(report: &mut Report<'_>, at: Location, message: &str, help: &str) {
    report.add(Rule::Scaffold, at, message, help);
}

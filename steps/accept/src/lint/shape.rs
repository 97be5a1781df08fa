//! Scenarios: each does something, checks it, and says what must not happen.

use std::collections::HashMap;

use mycelium_schemas::messages::{Location, Pickle, PickleStepType};

use super::{Report, Rule};
use crate::runner::{Resolution, Vocabulary, suite::Feature};

pub(super) fn check(report: &mut Report<'_>, feature: &Feature, vocabulary: &Vocabulary) {
    let start =
        feature.document.feature.as_ref().map_or(Location { line: 1, column: Some(1) }, |f| f.location);
    if feature.scenarios().is_empty() {
        report.add(Rule::NoScenario, start, "the file has no scenario", "write one, or remove the file");
    }
    names(report, feature);
    for scenario in feature.scenarios() {
        let pickles: Vec<&Pickle> =
            feature.pickles.iter().filter(|pickle| pickle.ast_node_ids.contains(&scenario.id)).collect();
        if scenario.steps.is_empty() {
            report.add(
                Rule::NoSteps,
                scenario.location,
                "the scenario has no step",
                "write its steps; a line that begins with no keyword is only a description",
            );
            continue;
        }
        if pickles.is_empty() {
            report.add(
                Rule::NoSteps,
                scenario.location,
                "the outline has no row of examples, so it never runs",
                "give it an Examples table with at least one row",
            );
        }
        for pickle in pickles {
            outcomes(report, vocabulary, pickle, scenario.location);
        }
    }
    control_twin(report, feature, start);
}

fn outcomes(report: &mut Report<'_>, vocabulary: &Vocabulary, pickle: &Pickle, at: Location) {
    if !pickle.steps.iter().any(|step| step.step_type == Some(PickleStepType::Outcome)) {
        report.add(
            Rule::NoThen,
            at,
            "the scenario has no Then, so it checks nothing",
            "say what comes of it in a Then step",
        );
        return;
    }
    let mut unknown = false;
    let negative = pickle.steps.iter().any(|step| match vocabulary.resolve(step) {
        Resolution::Defined(matched) => matched.definition.is_negative(),
        Resolution::Undefined | Resolution::Ambiguous(_) => {
            unknown |= step.step_type == Some(PickleStepType::Outcome);
            false
        }
    });
    // A step that means nothing may be meant as the negative one; it is reported on its own.
    if !negative && !unknown {
        report.add(
            Rule::NoNegative,
            at,
            "the scenario does not say what must not happen",
            "add a Then that does; `accept steps` marks those that count",
        );
    }
}

/// One file a goal: two features of one name are one promise told twice. `first` holds the file of each name so far.
pub(super) fn feature_name(report: &mut Report<'_>, feature: &Feature, first: &mut HashMap<String, String>) {
    let Some(node) = &feature.document.feature else { return };
    let uri = first.entry(node.name.clone()).or_insert_with(|| report.file.uri.clone());
    if *uri != report.file.uri {
        report.add(
            Rule::DuplicateName,
            node.location,
            format!("the feature of {uri} has the same name"),
            "give each feature its own name",
        );
    }
}

fn names(report: &mut Report<'_>, feature: &Feature) {
    let mut first: HashMap<&str, u32> = HashMap::new();
    for scenario in feature.scenarios() {
        if let Some(line) = first.get(scenario.name.as_str()) {
            report.add(
                Rule::DuplicateName,
                scenario.location,
                format!("the scenario of line {line} has the same name"),
                "give each scenario of a file its own name",
            );
        } else {
            first.insert(&scenario.name, scenario.location.line);
        }
    }
}

/// "HEAD has not moved" also holds where nothing ran, so a safety goal shows as well that with the knob off HEAD does
/// move.
fn control_twin(report: &mut Report<'_>, feature: &Feature, start: Location) {
    let has = |pickle: &Pickle, name: &str| pickle.tags.iter().any(|tag| tag.name == name);
    let safety: Vec<&Pickle> = feature.pickles.iter().filter(|pickle| has(pickle, "@tier0")).collect();
    if safety.is_empty() {
        return;
    }
    let twins = safety.iter().filter(|pickle| has(pickle, "@control")).count();
    if twins == 0 {
        report.add(
            Rule::NoControl,
            start,
            "the Tier-0 feature has no control twin",
            "add a scenario tagged @control with the same background and the knob off, in which the merge does happen",
        );
    } else if twins == safety.len() {
        report.add(
            Rule::NoControl,
            start,
            "the Tier-0 feature has nothing but control twins",
            "add the scenarios that prove the goal, without @control",
        );
    }
}

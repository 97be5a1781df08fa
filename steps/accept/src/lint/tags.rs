//! Tags: they link a scenario to its goal, tier and lane, so a wrong one makes a proof vanish or appear.

use std::path::Path;

use mycelium_schemas::{
    goal::GoalId,
    matrix::BacklogGoal,
    messages::{FeatureChild, Location, Pickle, RuleChild, Scenario, Tag},
    problem::did_you_mean,
};

use super::{Promises, Report, Rule};
use crate::{
    context::Lane,
    runner::{suite::Feature, timeout_of},
};

pub(super) fn check(report: &mut Report<'_>, feature: &Feature, promises: Promises<'_>) {
    for tag in all_tags(feature) {
        check_tag(report, tag, promises);
    }
    for scenario in feature.scenarios() {
        for pickle in feature.pickles.iter().filter(|pickle| pickle.ast_node_ids.contains(&scenario.id)) {
            check_links(report, pickle, scenario);
        }
    }
    check_file_name(report, feature);
    check_redundant(report, feature);
}

fn check_tag(report: &mut Report<'_>, tag: &Tag, promises: Promises<'_>) {
    if let Some(Err(error)) = timeout_of(&tag.name) {
        report.add(Rule::Timeout, tag.location, error.to_string(), "write a whole number of ms, s or m");
    }
    if hides_failures(&tag.name) {
        report.add(
            Rule::ForbiddenTag,
            tag.location,
            format!("{} would hide a failure", tag.name),
            "remove it; an unreliable scenario belongs into traceability/quarantine.yaml",
        );
    }
    if tag.name.starts_with("@quarantine") {
        report.add(
            Rule::QuarantineTag,
            tag.location,
            format!("{} has no end, so it would hide the scenario for ever", tag.name),
            "remove it; enter the scenario in traceability/quarantine.yaml with its issue, owner and expiry",
        );
    }
    let is_goal = promises.goals.iter().any(|goal| goal.to_string() == tag.name[1..]);
    if is_goal_like(&tag.name) && !is_goal {
        check_unknown_goal(report, tag, promises);
    }
}

/// Whether other runners take a tag for the wish to try again, as in `@retry(3).after(1s)`, or to let pass what was skipped.
/// A tag that only begins like one is an ordinary tag.
fn hides_failures(tag: &str) -> bool {
    ["@retry", "@allow.skipped"]
        .iter()
        .filter_map(|name| tag.strip_prefix(name))
        .any(|rest| rest.is_empty() || rest.starts_with(['(', '.']))
}

fn check_unknown_goal(report: &mut Report<'_>, tag: &Tag, promises: Promises<'_>) {
    if let Some(planned) = promises.backlog.iter().find(|planned| planned.goal.to_string() == tag.name[1..]) {
        let BacklogGoal { goal, ticket, .. } = planned;
        report.add(
            Rule::UnknownGoal,
            tag.location,
            format!("{goal} stands in traceability/backlog.yaml ({ticket}) and is no goal yet"),
            format!(
                "a goal enters with its feature: write traceability/goals/{goal}.yaml and remove it from the backlog"
            ),
        );
        return;
    }
    let known: Vec<String> = promises.goals.iter().map(|goal| format!("@{goal}")).collect();
    let nearest = did_you_mean(&tag.name, known.iter().map(String::as_str));
    let help = nearest.map_or_else(
        || "declare the goal in traceability/goals/, or correct the tag".to_owned(),
        |nearest| format!("did you mean {nearest}? Goals are declared in traceability/goals/"),
    );
    report.add(Rule::UnknownGoal, tag.location, format!("{} is no declared goal", tag.name), help);
}

/// `@G` and a digit: meant as a goal, whether or not it is one.
fn is_goal_like(tag: &str) -> bool {
    tag.strip_prefix("@G").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

fn check_links(report: &mut Report<'_>, pickle: &Pickle, scenario: &Scenario) {
    let tags: Vec<&str> = pickle.tags.iter().map(|tag| tag.name.as_str()).collect();
    let at = scenario.location;
    let goal_tags: Vec<&str> = tags.iter().copied().filter(|tag| is_goal_like(tag)).collect();
    if goal_tags.is_empty() {
        report.add(
            Rule::NoGoal,
            at,
            "the scenario has no goal",
            "tag it (or its feature) with the goal that it proves, for example @G0.1",
        );
    }
    let lanes = [Lane::Mock, Lane::Docker];
    if !tags.iter().any(|tag| lanes.iter().any(|lane| tag.strip_prefix('@') == Some(lane.as_str()))) {
        report.add(
            Rule::NoLane,
            at,
            "the scenario has no lane, so it would run nowhere",
            "tag it @mock or @docker",
        );
    }
    let tiers: Vec<&str> = tags.iter().copied().filter(|tag| tag.starts_with("@tier")).collect();
    for goal in goal_tags.iter().filter_map(|tag| tag[1..].parse::<GoalId>().ok()) {
        let wanted = format!("@tier{}", goal.tier().number());
        if tiers.is_empty() {
            report.add(
                Rule::Tier,
                at,
                "the scenario has no tier",
                format!("tag it (or its feature) with {wanted}"),
            );
        } else if tiers != [wanted.as_str()] {
            let found = tiers.join(" ");
            report.add(
                Rule::Tier,
                at,
                format!("{goal} is not of {found}"),
                format!("tag it with {wanted} alone"),
            );
        }
    }
}

fn check_file_name(report: &mut Report<'_>, feature: &Feature) {
    let stem = Path::new(&report.file.uri).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let goal = stem.as_deref().and_then(|stem| stem.split('-').next()).unwrap_or_default();
    let tag = format!("@{goal}");
    let linked = feature.pickles.iter().any(|pickle| pickle.tags.iter().any(|t| t.name == tag));
    if !feature.pickles.is_empty() && !linked {
        report.add(
            Rule::FileName,
            Location { line: 1, column: Some(1) },
            format!("the file's name begins with {goal:?}, which is the goal of none of its scenarios"),
            "name the file by its goal, for example G0.1-budget-block-never-merges.feature",
        );
    }
}

/// A tag that the scenario has already, from itself or from what it stands in.
fn check_redundant(report: &mut Report<'_>, feature: &Feature) {
    let Some(node) = &feature.document.feature else { return };
    let outer = fresh(report, &[], &node.tags);
    for child in &node.children {
        match child {
            FeatureChild::Background(_) => {}
            FeatureChild::Scenario(scenario) => redundant_in(report, &outer, scenario),
            FeatureChild::Rule(rule) => {
                let within = fresh(report, &outer, &rule.tags);
                for child in &rule.children {
                    if let RuleChild::Scenario(scenario) = child {
                        redundant_in(report, &within, scenario);
                    }
                }
            }
        }
    }
}

fn redundant_in<'f>(report: &mut Report<'_>, outer: &[&'f str], scenario: &'f Scenario) {
    let own = fresh(report, outer, &scenario.tags);
    for examples in &scenario.examples {
        fresh(report, &own, &examples.tags);
    }
}

/// Reports the tags that are there already; returns all that hold here.
fn fresh<'f>(report: &mut Report<'_>, outer: &[&'f str], tags: &'f [Tag]) -> Vec<&'f str> {
    let mut known = outer.to_vec();
    for tag in tags {
        if known.contains(&tag.name.as_str()) {
            let message = format!("{} is there already, here or on what this stands in", tag.name);
            report.add(Rule::RedundantTag, tag.location, message, "remove it, or run `accept lint --fix`");
        } else {
            known.push(&tag.name);
        }
    }
    known
}

fn all_tags(feature: &Feature) -> Vec<&Tag> {
    let Some(node) = &feature.document.feature else { return Vec::new() };
    let rules = node.children.iter().filter_map(|child| match child {
        FeatureChild::Rule(rule) => Some(&rule.tags),
        FeatureChild::Background(_) | FeatureChild::Scenario(_) => None,
    });
    let scenarios = feature.scenarios();
    let of_scenarios = scenarios.iter().flat_map(|scenario| {
        scenario.tags.iter().chain(scenario.examples.iter().flat_map(|examples| &examples.tags))
    });
    node.tags.iter().chain(rules.flatten()).chain(of_scenarios).collect()
}

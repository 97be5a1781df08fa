//! For every CI system: one test case a scenario and lane. A scenario that did not run is there as skipped; one without
//! a result is an error, never a pass. Goals, their tiers and the fingerprints of promise and scenario are properties.

use std::{collections::BTreeMap, time::Duration};

use mycelium_schemas::matrix::{Attempt, LaneRun, Matrix, Scenario, StepStatus};
use quick_junit::{
    FlakyOrRerun, NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite,
};

use crate::RenderError;

/// Renders the results as JUnit XML.
pub fn junit(matrix: &Matrix) -> Result<String, RenderError> {
    let mut suites: BTreeMap<&str, TestSuite> = BTreeMap::new();
    for scenario in &matrix.scenarios {
        let uri = scenario.key.uri.as_str();
        let suite = suites.entry(uri).or_insert_with(|| TestSuite::new(uri));
        if scenario.lanes.is_empty() {
            let mut status = TestCaseStatus::skipped();
            status.set_message("did not run");
            suite.add_test_case(test_case(matrix, scenario, "none", status));
        }
        for run in &scenario.lanes {
            suite.add_test_case(ran(matrix, scenario, run));
        }
    }
    let mut report = Report::new("mycelium acceptance");
    report.add_test_suites(suites.into_values());
    Ok(well_formed(&report.to_string()?))
}

/// XML without the two characters that it may not have anywhere, however they are written (XML 1.0, 2.2), and that the
/// writer lets pass: it leaves out the other ones.
fn well_formed(xml: &str) -> String {
    xml.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}")
}

fn test_case(matrix: &Matrix, scenario: &Scenario, lane: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(format!("{} [{lane}]", scenario.name), status);
    case.set_classname(scenario.key.uri.as_str());
    case.extra.insert("file".into(), scenario.key.uri.as_str().into());
    case.extra.insert("line".into(), scenario.key.line.to_string().into());
    case.add_property(Property::new("lane", lane));
    case.add_property(Property::new("fingerprint", scenario.fingerprint.as_str()));
    for row in scenario.goals.iter().filter_map(|goal| matrix.row(*goal)) {
        case.add_property(Property::new("goal", row.goal.to_string()));
        case.add_property(Property::new("tier", row.tier.to_string()));
        case.add_property(Property::new("status", row.status.name()));
        case.add_property(Property::new("goal-fingerprint", row.fingerprint.as_str()));
    }
    case
}

fn ran(matrix: &Matrix, scenario: &Scenario, run: &LaneRun) -> TestCase {
    let Some((first, later)) = run.attempts.split_first() else {
        return test_case(matrix, scenario, &run.lane, error("no attempt was told"));
    };
    let mut status = status(first);
    for attempt in later {
        if let Some(kind) = failure_kind(attempt.outcome) {
            let mut rerun = TestRerun::new(kind);
            rerun.set_message(message(attempt));
            status.add_rerun(rerun);
        }
    }
    // The first attempt is the result: one that fails and passes later stays a failure, with its later attempts told.
    if matches!(status, TestCaseStatus::NonSuccess { .. }) {
        status.set_rerun_kind(FlakyOrRerun::Rerun);
    }
    let mut case = test_case(matrix, scenario, &run.lane, status);
    case.set_time(Duration::from_nanos(first.duration_nanos));
    case.set_assertions(first.assertions().count());
    case.add_property(Property::new("attempts", run.attempts.len().to_string()));
    case
}

fn status(attempt: &Attempt) -> TestCaseStatus {
    let mut status = match failure_kind(attempt.outcome) {
        Some(kind) => TestCaseStatus::non_success(kind),
        None if attempt.outcome == StepStatus::Passed => return TestCaseStatus::success(),
        None => TestCaseStatus::skipped(),
    };
    status.set_message(message(attempt));
    status.set_type(attempt.outcome.name());
    status
}

fn failure_kind(outcome: StepStatus) -> Option<NonSuccessKind> {
    match outcome {
        StepStatus::Passed | StepStatus::Skipped | StepStatus::Pending => None,
        StepStatus::Failed => Some(NonSuccessKind::Failure),
        StepStatus::Undefined | StepStatus::Ambiguous | StepStatus::Unknown => Some(NonSuccessKind::Error),
    }
}

fn error(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_message(message);
    status
}

/// The step that decided the attempt, and what it said.
fn message(attempt: &Attempt) -> String {
    let step = attempt.steps.iter().find(|step| step.status == attempt.outcome);
    let said = step.and_then(|step| step.message.as_deref()).unwrap_or_default();
    let text = step.map(|step| step.text.as_str()).unwrap_or_default();
    format!(
        "{text}: {}{}",
        attempt.outcome,
        if said.is_empty() { String::new() } else { format!("\n{said}") }
    )
}

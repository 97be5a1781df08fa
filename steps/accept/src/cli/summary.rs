//! The result of a run as one JSON document.

use serde::Serialize;

use super::{again::Again, conduct::Done, death::Death};
use crate::{
    lint::LintProblem,
    runner::{Cause, Interrupt, ScenarioResult},
};

/// How a scenario went that was ended before its end.
const NOT_FINISHED: &str = "not finished";

/// What `accept run --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct RunSummary {
    pub(super) schema_version: u32,
    pub(super) exit_code: u8,
    pub(super) passed: bool,
    /// Everything that makes it a failure; empty where it passed.
    pub(super) causes: Vec<CauseSummary>,
    /// Failed scenarios that a quarantine excuses, one sentence each; alone they make no run a failure.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) excused: Vec<String>,
    pub(super) seed: Option<u64>,
    pub(super) out: Option<String>,
    pub(super) scenarios: Vec<ScenarioSummary>,
    pub(super) not_started: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct CauseSummary {
    pub(super) code: String,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct ScenarioSummary {
    place: String,
    name: String,
    status: String,
    duration_ms: u128,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<FailureSummary>,
}

#[derive(Debug, Serialize)]
struct FailureSummary {
    step: String,
    place: String,
    message: String,
    code_place: Option<String>,
    kept: Option<String>,
    rerun: String,
}

impl RunSummary {
    /// The summary of a run that took place.
    pub(super) fn of_run(done: &Done, again: &Again) -> Self {
        let Done { exit_code, out, seed, result, excused, .. } = done;
        let passed = *exit_code == 0;
        let mut causes: Vec<CauseSummary> = result
            .causes
            .iter()
            .filter(|_| !passed)
            .map(|cause| CauseSummary {
                code: cause.code().to_owned(),
                message: cause.to_string(),
                place: None,
            })
            .collect();
        causes.extend(result.interrupted.map(|interrupt| CauseSummary {
            code: "interrupted".to_owned(),
            message: format!("the run was ended by {interrupt}"),
            place: None,
        }));
        Self {
            schema_version: mycelium_schemas::SCHEMA_VERSION,
            exit_code: *exit_code,
            passed,
            causes,
            excused: excused.clone(),
            seed: Some(*seed),
            out: Some(out.display().to_string()),
            scenarios: result
                .scenarios
                .iter()
                .map(|scenario| ScenarioSummary::new(scenario, again))
                .collect(),
            not_started: result.not_started.iter().map(ToString::to_string).collect(),
        }
    }

    /// The summary of a run that the lint refused.
    pub(super) fn of_lint(problems: &[LintProblem], exit_code: u8) -> Self {
        let causes = problems.iter().map(|problem| CauseSummary {
            code: problem.rule.name().to_owned(),
            message: format!("{}; {}", problem.message, problem.help),
            place: Some(format!("{}:{}:{}", problem.uri, problem.line, problem.column)),
        });
        Self::without_run(causes.collect(), exit_code)
    }

    /// The summary of a run that ended before it began.
    pub(super) fn of_cause(cause: &Cause, exit_code: u8) -> Self {
        let cause = CauseSummary { code: cause.code().to_owned(), message: cause.to_string(), place: None };
        Self::without_run(vec![cause], exit_code)
    }

    /// The summary of a run whose process died, with what it was at.
    pub(super) fn of_death(message: String, death: Option<&Death>, exit_code: u8) -> Self {
        let cause = CauseSummary { code: "run_died".to_owned(), message, place: None };
        let running = death.into_iter().flat_map(|death| &death.running);
        let scenarios = running.map(|running| ScenarioSummary {
            place: running.place.to_string(),
            name: running.name.clone(),
            status: NOT_FINISHED.to_owned(),
            duration_ms: 0,
            failure: None,
        });
        Self {
            out: death.map(|death| death.out.display().to_string()),
            scenarios: scenarios.collect(),
            ..Self::without_run(vec![cause], exit_code)
        }
    }

    /// The summary of a run that was ended before it could tell anything.
    pub(super) fn of_interrupt(interrupt: Interrupt) -> Self {
        let cause = CauseSummary {
            code: "interrupted".to_owned(),
            message: format!("the run was ended by {interrupt}"),
            place: None,
        };
        Self::without_run(vec![cause], interrupt.exit_code())
    }

    fn without_run(causes: Vec<CauseSummary>, exit_code: u8) -> Self {
        Self {
            schema_version: mycelium_schemas::SCHEMA_VERSION,
            exit_code,
            passed: causes.is_empty(),
            causes,
            excused: Vec::new(),
            seed: None,
            out: None,
            scenarios: Vec::new(),
            not_started: Vec::new(),
        }
    }
}

impl ScenarioSummary {
    fn new(scenario: &ScenarioResult, again: &Again) -> Self {
        let failure = scenario.failure.as_ref().map(|failure| FailureSummary {
            step: failure.step.clone(),
            place: failure.place.to_string(),
            message: failure.message.clone(),
            code_place: failure.code_place.clone(),
            kept: scenario.kept.as_ref().map(|path| path.display().to_string()),
            rerun: again.command(scenario),
        });
        Self {
            place: scenario.place.to_string(),
            name: scenario.name.clone(),
            status: status_word(scenario).to_owned(),
            duration_ms: scenario.duration.as_millis(),
            failure,
        }
    }
}

/// How a scenario went, in a word.
pub(super) fn status_word(scenario: &ScenarioResult) -> &'static str {
    use mycelium_schemas::messages::TestStepResultStatus as Status;
    match scenario.status {
        Status::Passed => "passed",
        Status::Failed => "failed",
        Status::Undefined => "undefined",
        Status::Ambiguous => "ambiguous",
        Status::Pending => "pending",
        Status::Skipped if scenario.not_run => "not run",
        Status::Skipped => "skipped",
        Status::Unknown => NOT_FINISHED,
    }
}

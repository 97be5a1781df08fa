//! The result of a run as one JSON document.

use serde::Serialize;

use crate::{
    lint::LintProblem,
    runner::{Cause, Interrupt, RunResult, ScenarioResult},
};

/// What `accept run --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct RunSummary {
    pub(super) schema_version: u32,
    pub(super) exit_code: u8,
    pub(super) passed: bool,
    /// Everything that makes it a failure; empty where it passed.
    pub(super) causes: Vec<CauseSummary>,
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
    pub(super) fn of_run(result: &RunResult, exit_code: u8, seed: u64, out: &std::path::Path) -> Self {
        let mut causes: Vec<CauseSummary> = result
            .causes
            .iter()
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
            exit_code,
            passed: result.passed(),
            causes,
            seed: Some(seed),
            out: Some(out.display().to_string()),
            scenarios: result.scenarios.iter().map(|scenario| ScenarioSummary::new(scenario, seed)).collect(),
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

    /// The summary of a run whose process died.
    pub(super) fn of_death(message: String, exit_code: u8) -> Self {
        Self::without_run(vec![CauseSummary { code: "run_died".to_owned(), message, place: None }], exit_code)
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
            seed: None,
            out: None,
            scenarios: Vec::new(),
            not_started: Vec::new(),
        }
    }
}

impl ScenarioSummary {
    fn new(scenario: &ScenarioResult, seed: u64) -> Self {
        let failure = scenario.failure.as_ref().map(|failure| FailureSummary {
            step: failure.step.clone(),
            place: failure.place.to_string(),
            message: failure.message.clone(),
            code_place: failure.code_place.clone(),
            kept: scenario.kept.as_ref().map(|path| path.display().to_string()),
            rerun: rerun(scenario, seed),
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

/// The command that runs one scenario again.
pub(super) fn rerun(scenario: &ScenarioResult, seed: u64) -> String {
    format!("cargo accept run {} --seed {seed}", scenario.place)
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
        Status::Unknown => "not finished",
    }
}

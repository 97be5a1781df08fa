//! The JSON Schemas of everything that is persisted or read by others, generated from the types.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use crate::{
    answer, bench, cassette, config, event, flake, goal, impact, manifest, matrix, mutation, response,
    sabotage, state, verdict,
};

/// Every schema by its name; `schemas/generated/<name>.schema.json` holds it.
///
/// `config` describes `config.yaml` as people write it, and its frozen copy; `goal` a file of `traceability/goals/`. What a command answers under `--json` has
/// the command's name, with that of the view behind it where `logs` has several; `error` is what any of them answers
/// where it cannot do what it should.
pub fn schemas() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        ("bench", of::<bench::Bench>()),
        ("candidate", of::<event::LandingIntent>()),
        ("cassette", of::<cassette::CassetteLine>()),
        ("clean", of::<answer::Cleaned>()),
        ("completions", of::<answer::Completions>()),
        ("compliance", of::<event::Violations>()),
        ("config", config::file_schema()),
        ("conflict", of::<event::LandingConflict>()),
        ("demo", of::<answer::Demonstrated>()),
        ("doctor", of::<answer::Checkup>()),
        ("error", of::<answer::Refused>()),
        ("evaluation", of::<verdict::Evaluation>()),
        ("event", of::<event::Event>()),
        ("execution", of::<flake::Execution>()),
        ("goal", goal::file_schema()),
        ("goal-review", of::<impact::Reviewed>()),
        ("impact", of::<impact::Impact>()),
        ("init", of::<answer::Initialized>()),
        ("logs", of::<Vec<event::RawEvent>>()),
        ("logs-failures", of::<answer::Logged<answer::Failures>>()),
        ("logs-timeline", of::<answer::Logged<answer::Timeline>>()),
        ("manifest", of::<manifest::Manifest>()),
        ("matrix", of::<matrix::Matrix>()),
        ("model-response", of::<response::ModelResponse>()),
        ("mutation", of::<mutation::Mutation>()),
        ("plan", of::<answer::Planned>()),
        ("plan-index", of::<manifest::PlanIndex>()),
        ("plan-snapshot", of::<manifest::PlanSnapshot>()),
        ("resume", of::<answer::ResumeAnswer>()),
        ("review", of::<answer::ReviewAnswer>()),
        ("run", of::<answer::RunAnswer>()),
        ("sabotage", of::<sabotage::Sabotage>()),
        ("schema", of::<answer::SchemaAnswer>()),
        ("state", of::<state::RunView>()),
        ("status", of::<answer::StatusAnswer>()),
        ("validator-report", of::<event::ValidatorReport>()),
        ("version", of::<answer::BuildVersion>()),
    ])
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

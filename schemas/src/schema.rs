//! The JSON Schemas of everything that is persisted or read by others, generated from the types.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, generate::SchemaSettings};

use crate::{answer, config, event, manifest, matrix, state, verdict};

/// Every schema by its name; `schemas/generated/<name>.schema.json` holds it.
///
/// `config` describes `config.yaml` as people write it, and its frozen copy.
pub fn schemas() -> BTreeMap<&'static str, Schema> {
    BTreeMap::from([
        ("candidate", of::<event::LandingIntent>()),
        ("clean", of::<answer::Cleaned>()),
        ("compliance", of::<event::Violations>()),
        ("config", config::file_schema()),
        ("conflict", of::<event::LandingConflict>()),
        ("doctor", of::<answer::Checkup>()),
        ("evaluation", of::<verdict::Evaluation>()),
        ("event", of::<event::Event>()),
        ("logs", of::<Vec<event::RawEvent>>()),
        ("logs-failures", of::<answer::Failures>()),
        ("logs-timeline", of::<answer::Timeline>()),
        ("manifest", of::<manifest::Manifest>()),
        ("matrix", of::<matrix::Matrix>()),
        ("plan-index", of::<manifest::PlanIndex>()),
        ("plan-snapshot", of::<manifest::PlanSnapshot>()),
        ("state", of::<state::RunView>()),
        ("validator-report", of::<event::ValidatorReport>()),
    ])
}

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>()
}

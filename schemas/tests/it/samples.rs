//! Kept samples of every version: what was once written can be read for ever, and the schemas describe it.

use std::{collections::BTreeSet, fmt::Debug, fs};

use mycelium_schemas::{
    answer::{
        BuildVersion, Checkup, Cleaned, Completions, Demonstrated, Failures, Initialized, Logged, Planned,
        Refused, ResumeAnswer, ReviewAnswer, RunAnswer, SchemaAnswer, StatusAnswer, Timeline,
    },
    bench::Bench,
    cassette::CassetteLine,
    config,
    event::{Event, EventKind, LandingConflict, LandingIntent, RawEvent, ValidatorReport, Violations},
    flake::Execution,
    impact::{Impact, Reviewed},
    manifest::{Manifest, PlanIndex, PlanSnapshot},
    matrix::Matrix,
    mutation::Mutation,
    problem::Source,
    response::ModelResponse,
    sabotage::Sabotage,
    state::RunView,
    verdict::Evaluation,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

fn sample(name: &str) -> String {
    fs::read_to_string(crate::file("samples/v1").join(name)).unwrap()
}

fn assert_valid(schema: &str, value: &Value) {
    let schema = mycelium_schemas::schemas().remove(schema).unwrap();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let flaws: Vec<String> =
        validator.iter_errors(value).map(|flaw| format!("{}: {flaw}", flaw.instance_path())).collect();
    assert!(flaws.is_empty(), "{flaws:#?}\n{value:#}");
}

/// Reads a sample with its type, writes it again and compares; the schema accepts it, and refuses it when a required
/// key is gone.
fn assert_kept<T: Serialize + DeserializeOwned>(name: &str, schema: &str) {
    let value: Value = serde_json::from_str(&sample(name)).unwrap();
    assert_valid(schema, &value);
    let typed: T = serde_json::from_value(value.clone()).unwrap();
    assert_eq!(serde_json::to_value(typed).unwrap(), value, "{name}");
    let schema = mycelium_schemas::schemas().remove(schema).unwrap();
    assert!(
        jsonschema::validate(schema.as_value(), &serde_json::json!({})).is_err(),
        "{name} requires nothing"
    );
}

#[test]
fn every_sample_of_a_document_is_read_and_described() {
    assert_kept::<RunView>("state.json", "state");
    assert_kept::<Manifest>("manifest.json", "manifest");
    assert_kept::<PlanIndex>("plan.json", "plan-index");
    assert_kept::<PlanSnapshot>("plan.snapshot.json", "plan-snapshot");
    assert_kept::<ValidatorReport>("validator-test.json", "validator-report");
    assert_kept::<Violations>("compliance.json", "compliance");
    assert_kept::<LandingIntent>("candidate.json", "candidate");
    assert_kept::<LandingConflict>("conflict.json", "conflict");
    assert_kept::<Vec<RawEvent>>("logs.json", "logs");
    assert_kept::<Failures>("logs-failures.json", "logs-failures");
    assert_kept::<Timeline>("logs-timeline.json", "logs-timeline");
    assert_kept::<Cleaned>("clean.json", "clean");
    assert_kept::<Checkup>("doctor.json", "doctor");
    assert_kept::<Sabotage>("sabotage.json", "sabotage");
    assert_kept::<Bench>("bench.json", "bench");
    assert_kept::<Mutation>("mutation.json", "mutation");
    assert_kept::<Logged<Failures>>("logs-no-runs.json", "logs-failures");
    assert_kept::<Logged<Timeline>>("logs-no-runs.json", "logs-timeline");
    assert_kept::<Impact>("impact.json", "impact");
    assert_kept::<Reviewed>("goal-review.json", "goal-review");
    // Kept beside what renders them.
    assert_kept::<Matrix>("../../../reports/samples/v1/matrix.json", "matrix");
    assert_kept::<Evaluation>("../../../reports/samples/v1/evaluation.json", "evaluation");
}

#[test]
fn every_sample_of_a_commands_answer_is_read_and_described() {
    for (sample, is) in
        [("run.json", "Ran"), ("run-nothing-to-do.json", "NothingToDo"), ("run-dry-run.json", "DryRun")]
    {
        assert_kept_as::<RunAnswer>(sample, "run", is);
    }
    for (sample, is) in [("resume.json", "Ended"), ("resume-nothing.json", "NothingToResume")] {
        assert_kept_as::<ResumeAnswer>(sample, "resume", is);
    }
    for (sample, is) in
        [("status.json", "Stands"), ("status-planned.json", "Stands"), ("status-no-runs.json", "NoRuns")]
    {
        assert_kept_as::<StatusAnswer>(sample, "status", is);
    }
    for (sample, is) in [
        ("review.json", "Decided"),
        ("review-show.json", "Task"),
        ("review-list.json", "List"),
        ("review-no-runs.json", "List"),
    ] {
        assert_kept_as::<ReviewAnswer>(sample, "review", is);
    }
    for (sample, is) in [("schema-names.json", "Names"), ("schema.json", "Schema")] {
        let found: SchemaAnswer = serde_json::from_str(&self::sample(sample)).unwrap();
        assert!(format!("{found:?}").starts_with(is), "{sample}: {found:?}");
        assert_valid("schema", &serde_json::from_str(&self::sample(sample)).unwrap());
    }
    assert_kept::<Initialized>("init.json", "init");
    assert_kept::<Planned>("plan-answer.json", "plan");
    assert_kept::<Planned>("plan-asked.json", "plan");
    assert_kept::<BuildVersion>("version.json", "version");
    assert_kept::<Completions>("completions.json", "completions");
    assert_kept::<Demonstrated>("demo.json", "demo");
    assert_kept::<Refused>("error.json", "error");
}

/// The same of one of several answers: it is taken for that one, and passes for no other with a key of its own gone.
fn assert_kept_as<T: Serialize + DeserializeOwned + Debug>(name: &str, schema: &str, variant: &str) {
    assert_kept::<T>(name, schema);
    let value: Value = serde_json::from_str(&sample(name)).unwrap();
    let found: T = serde_json::from_value(value.clone()).unwrap();
    assert!(format!("{found:?}").starts_with(variant), "{name}: {found:?}");
    let schema = mycelium_schemas::schemas().remove(schema).unwrap();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    for key in value.as_object().unwrap().keys() {
        let mut cut = value.clone();
        cut.as_object_mut().unwrap().remove(key);
        let optional = T::deserialize(&cut).is_ok();
        assert!(optional || !validator.is_valid(&cut), "{name} without {key} was accepted");
    }
}

#[test]
fn the_sample_configuration_is_accepted_by_decoder_and_schema() {
    let text = sample("config.yaml");
    assert_valid("config", &serde_saphyr::from_str(&text).unwrap());
    config::parse(&Source::new("config.yaml", text)).unwrap();
}

#[test]
fn every_event_type_has_a_sample_that_is_read_and_described() {
    let mut seen = BTreeSet::new();
    for (index, line) in sample("events.jsonl").lines().enumerate() {
        let event: Event = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&event).unwrap(), line, "line {}", index + 1);
        assert_valid("event", &serde_json::from_str(line).unwrap());
        let raw: RawEvent = serde_json::from_str(line).unwrap();
        assert_eq!(raw.kind, event.kind.type_name());
        seen.insert(event.kind.type_name());
    }
    let known: BTreeSet<_> = EventKind::TYPES.iter().copied().collect();
    let missing: Vec<_> = known.difference(&seen).collect();
    assert!(missing.is_empty(), "no sample of {missing:?}");
}

#[test]
fn every_kind_of_line_of_the_flake_history_has_a_sample() {
    let text = sample("flake-history.jsonl");
    for line in text.lines() {
        let execution: Execution = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&execution).unwrap(), line);
        let value: Value = serde_json::from_str(line).unwrap();
        assert_valid("execution", &value);
        for required in ["v", "run", "scenario", "fingerprint", "outcome", "environment"] {
            let mut cut = value.clone();
            cut.as_object_mut().unwrap().remove(required);
            let schema = mycelium_schemas::schemas().remove("execution").unwrap();
            assert!(!jsonschema::is_valid(schema.as_value(), &cut), "missing {required} was accepted");
        }
    }
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn every_response_of_a_model_is_read_and_described() {
    let text = sample("models.jsonl");
    for line in text.lines() {
        let response: ModelResponse = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&response).unwrap(), line);
        assert_valid("model-response", &serde_json::from_str(line).unwrap());
    }
    let schema = mycelium_schemas::schemas().remove("model-response").unwrap();
    assert!(!jsonschema::is_valid(schema.as_value(), &serde_json::json!({})), "it requires nothing");
    assert_eq!(text.lines().count(), 2);
}

#[test]
fn every_kind_of_line_of_a_cassette_has_a_sample() {
    let text = sample("cassette.jsonl");
    let schema = mycelium_schemas::schemas().remove("cassette").unwrap();
    for line in text.lines() {
        let typed: CassetteLine = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&typed).unwrap(), line);
        let value: Value = serde_json::from_str(line).unwrap();
        assert_valid("cassette", &value);
        for required in value.as_object().unwrap().keys().filter(|key| *key != "run_id") {
            let mut cut = value.clone();
            cut.as_object_mut().unwrap().remove(required);
            assert!(!jsonschema::is_valid(schema.as_value(), &cut), "missing {required} was accepted");
        }
    }
    assert_eq!(text.lines().count(), 4);
}

#[test]
fn the_schema_of_an_event_refuses_what_no_event_is() {
    let line = sample("events.jsonl").lines().next().unwrap().to_owned();
    let schema = mycelium_schemas::schemas().remove("event").unwrap();
    let validator = jsonschema::validator_for(schema.as_value()).unwrap();
    let good: Value = serde_json::from_str(&line).unwrap();
    for (pointer, bad) in [
        ("/type", "from.the.future".into()),
        ("/ts", Value::from(1)),
        ("/run_id", "../x".into()),
        ("/payload/base_commit", "HEAD".into()),
        ("/seq", "1".into()),
    ] {
        let mut event = good.clone();
        *event.pointer_mut(pointer).unwrap() = bad;
        assert!(!validator.is_valid(&event), "{pointer} was accepted");
    }
    for required in ["v", "ts", "seq", "type", "run_id", "payload"] {
        let mut event = good.clone();
        event.as_object_mut().unwrap().remove(required);
        assert!(!validator.is_valid(&event), "missing {required} was accepted");
    }
}

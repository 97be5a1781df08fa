//! The stream: valid by the official schemas, complete, and with everything that a reader judges by.

use std::{env, fs, path::PathBuf};

use mycelium_schemas::{
    evidence::{
        ASSERTION_MEDIA_TYPE, Assertion, EVIDENCE_MEDIA_TYPE, EvidenceFile, SCENARIO_INFO_MEDIA_TYPE,
    },
    messages::{Attachment, Envelope},
};

use crate::bench::Bench;

const SCENARIOS: &str = "\
Scenario: passes
  Given the number 12 and the text \"x y\"
  And a good mood
  And an argument:
    | a | b\\|c |
  And an argument:
    \"\"\"json
    {\"a\": 1}
    \"\"\"
  Then it is so
  But it never happens

Scenario: fails
  When it panics
  Then it never happens

Scenario: is undefined
  When it does what nobody knows
  Then it never happens

Scenario: is ambiguous
  When it means two things
  Then it never happens
";

fn attachments(bench: &Bench, media_type: &str) -> Vec<Attachment> {
    bench
        .messages()
        .into_iter()
        .filter_map(|envelope| match envelope {
            Envelope::Attachment(attachment) if attachment.media_type == media_type => Some(attachment),
            _ => None,
        })
        .collect()
}

#[test]
fn every_message_is_valid_by_the_official_schema() {
    let Some(folder) = env::var_os("MYCELIUM_CONFORMANCE_DIR") else {
        println!("skipped: MYCELIUM_CONFORMANCE_DIR is not set");
        return;
    };
    // Whoever sets the variable means this schema: that it is not there is no reason to skip.
    let schema = PathBuf::from(folder).join("messages-jsonschema/messages.schema.json");
    let schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(&schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let bench = Bench::with(SCENARIOS);
    bench.run();
    let text = fs::read_to_string(bench.out().join("messages.ndjson")).unwrap();
    assert!(text.lines().count() > 50);
    for line in text.lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let errors: Vec<String> = validator.iter_errors(&message).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{line}: {errors:?}");
    }
    let invalid = serde_json::json!({"pickle": {"id": 1}});
    assert!(!validator.is_valid(&invalid), "the schema accepts anything");
}

#[test]
fn ids_are_unique_and_every_started_thing_finishes() {
    let bench = Bench::with(SCENARIOS);
    bench.run();
    let mut ids = std::collections::HashSet::new();
    let (mut open_cases, mut open_steps, mut finished) = (0, 0, 0);
    for envelope in bench.messages() {
        let id = match &envelope {
            Envelope::Pickle(pickle) => Some(pickle.id.clone()),
            Envelope::StepDefinition(definition) => Some(definition.id.clone()),
            Envelope::TestCase(case) => Some(case.id.clone()),
            Envelope::TestCaseStarted(started) => {
                open_cases += 1;
                Some(started.id.clone())
            }
            Envelope::TestCaseFinished(_) => {
                open_cases -= 1;
                None
            }
            Envelope::TestStepStarted(_) => {
                open_steps += 1;
                None
            }
            Envelope::TestStepFinished(_) => {
                open_steps -= 1;
                finished += 1;
                None
            }
            _ => None,
        };
        assert!(id.is_none_or(|id| ids.insert(id)));
    }
    assert_eq!((open_cases, open_steps, finished), (0, 0, 12));
}

#[test]
fn assertions_evidence_and_the_lane_are_attached_where_they_belong() {
    let bench = Bench::with(SCENARIOS);
    bench.run();
    let assertions: Vec<Assertion> = attachments(&bench, ASSERTION_MEDIA_TYPE)
        .iter()
        .map(|attachment| {
            assert!(attachment.test_case_started_id.is_some() && attachment.test_step_id.is_some());
            serde_json::from_str(&attachment.body).unwrap()
        })
        .collect();
    assert_eq!(assertions.iter().filter(|assertion| assertion.held).count(), 2);
    let contents: Vec<String> = attachments(&bench, EVIDENCE_MEDIA_TYPE)
        .iter()
        .map(|attachment| {
            let file: EvidenceFile = serde_json::from_str(&attachment.body).unwrap();
            fs::read_to_string(bench.out().join("evidence").join(file.sha256)).unwrap()
        })
        .collect();
    assert_eq!(contents, ["a,b|c", "{\"a\": 1}"]);
    assert_eq!(attachments(&bench, SCENARIO_INFO_MEDIA_TYPE).len(), 4);
}

#[test]
fn a_matched_step_says_where_its_arguments_stand() {
    let bench = Bench::with(SCENARIOS);
    bench.run();
    let case = bench.messages().into_iter().find_map(|envelope| match envelope {
        Envelope::TestCase(case) => Some(case),
        _ => None,
    });
    let arguments: Vec<_> = case
        .unwrap()
        .test_steps
        .into_iter()
        .flat_map(|step| step.step_match_arguments_lists.unwrap())
        .flat_map(|list| list.step_match_arguments)
        .map(|a| (a.parameter_type_name.unwrap(), a.group.start.unwrap(), a.group.value.unwrap()))
        .collect();
    let expected = [("int", 11, "12"), ("string", 27, "\"x y\""), ("mood", 2, "good")];
    assert_eq!(arguments, expected.map(|(name, start, value)| (name.to_owned(), start, value.to_owned())));
}

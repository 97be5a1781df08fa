//! A run told in Cucumber Messages: everything that a reader needs before the first step, and the end.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, engine::general_purpose::STANDARD};
use mycelium_gherkin::IdGenerator;
use mycelium_schemas::{
    evidence::{RUN_INFO_MEDIA_TYPE, RunInfo},
    messages::{
        Attachment, AttachmentContentEncoding, Envelope, Exception, GherkinDocument, Location, Meta,
        PROTOCOL_VERSION, ParameterType, Pickle, Product, Source, SourceMediaType, SourceReference,
        StepDefinition, StepDefinitionPattern, StepDefinitionPatternType, StepMatchArgumentsList, TestCase,
        TestRunFinished, TestRunStarted, TestStep, Timestamp,
    },
};
use serde::Serialize;

use super::{
    case::Case,
    conduct::RunError,
    store::{Store, StoreError},
    suite::{Feature, FeatureFile},
    vocabulary::Vocabulary,
};
use crate::catalogue::Pattern;

/// Media type of what went wrong in a run beside its scenarios.
pub(crate) const BESIDE_MEDIA_TYPE: &str = "text/x.mycelium.beside+plain";

/// The ids of a test case and of its steps.
#[derive(Debug)]
pub(super) struct CaseIds {
    pub(super) case: String,
    pub(super) steps: Vec<String>,
    /// For each step, that of its suggestion, where it is undefined.
    pub(super) suggestions: Vec<Option<String>>,
}

/// The larger part of a stream, written like an [`Envelope`] without being copied into one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum Parsed<'a> {
    GherkinDocument(&'a GherkinDocument),
    Pickle(&'a Pickle),
}

/// Writes what produces the stream.
pub(super) fn introduce(store: &mut Store) -> Result<(), StoreError> {
    store.emit(&Envelope::Meta(meta()))
}

/// Writes a file and what it says, where it parses.
pub(super) fn file(
    store: &mut Store,
    file: &FeatureFile,
    feature: Option<&Feature>,
) -> Result<(), StoreError> {
    store.emit(&Envelope::Source(Source {
        uri: file.uri.clone(),
        data: file.source.clone(),
        media_type: SourceMediaType::Plain,
    }))?;
    let Some(feature) = feature else { return Ok(()) };
    store.emit(&Parsed::GherkinDocument(&feature.document))?;
    feature.pickles.iter().try_for_each(|pickle| store.emit(&Parsed::Pickle(pickle)))
}

/// Writes the step definitions. Returns their ids, in the vocabulary's order.
pub(super) fn definitions(
    store: &mut Store,
    ids: &mut IdGenerator,
    vocabulary: &Vocabulary,
) -> Result<Vec<String>, StoreError> {
    for parameter in vocabulary.catalogue().parameters {
        store.emit(&Envelope::ParameterType(ParameterType {
            name: parameter.name.to_owned(),
            regular_expressions: vec![parameter.regex.to_owned()],
            prefer_for_regular_expression_match: false,
            use_for_snippets: true,
            id: ids.next_id(),
            source_reference: Some(source_reference(parameter.file, None)),
        }))?;
    }
    let mut definition_ids = Vec::new();
    for definition in vocabulary.definitions() {
        let id = ids.next_id();
        let (source, pattern_type) = match definition.pattern {
            Pattern::Expression => {
                (definition.expression.to_owned(), StepDefinitionPatternType::CucumberExpression)
            }
            Pattern::Regex => {
                (definition.expression.to_owned(), StepDefinitionPatternType::RegularExpression)
            }
            Pattern::Literal => (
                format!("^{}$", regex::escape(definition.expression)),
                StepDefinitionPatternType::RegularExpression,
            ),
        };
        store.emit(&Envelope::StepDefinition(StepDefinition {
            id: id.clone(),
            pattern: StepDefinitionPattern { source, pattern_type },
            source_reference: source_reference(definition.file, Some(definition.line)),
        }))?;
        definition_ids.push(id);
    }
    Ok(definition_ids)
}

/// Writes that the run begins. Returns its id.
pub(super) fn begin(store: &mut Store, ids: &mut IdGenerator) -> Result<String, StoreError> {
    let run = ids.next_id();
    store.emit(&Envelope::TestRunStarted(TestRunStarted { timestamp: now(), id: Some(run.clone()) }))?;
    Ok(run)
}

/// Writes the test cases of the run. Returns their ids.
pub(super) fn cases(
    store: &mut Store,
    ids: &mut IdGenerator,
    definition_ids: &[String],
    run: &str,
    cases: &[Case],
) -> Result<Vec<CaseIds>, StoreError> {
    let mut all = Vec::with_capacity(cases.len());
    for case in cases {
        let mut steps = Vec::with_capacity(case.steps.len());
        let mut case_ids = CaseIds { case: ids.next_id(), steps: Vec::new(), suggestions: Vec::new() };
        for step in &case.steps {
            let matches = &step.meaning.matches;
            let definitions = matches.iter().map(|(index, _)| definition_ids[*index].clone()).collect();
            let arguments = matches
                .iter()
                .map(|(_, arguments)| StepMatchArgumentsList { step_match_arguments: arguments.clone() })
                .collect();
            let id = ids.next_id();
            steps.push(TestStep {
                hook_id: None,
                id: id.clone(),
                pickle_step_id: Some(step.pickle_step_id.clone()),
                step_definition_ids: Some(definitions),
                step_match_arguments_lists: Some(arguments),
            });
            case_ids.steps.push(id);
            case_ids.suggestions.push((!step.snippets.is_empty()).then(|| ids.next_id()));
        }
        store.emit(&Envelope::TestCase(TestCase {
            id: case_ids.case.clone(),
            pickle_id: case.pickle_id.clone(),
            test_steps: steps,
            test_run_started_id: Some(run.to_owned()),
        }))?;
        all.push(case_ids);
    }
    Ok(all)
}

/// Writes what was run, and that the run is over.
pub(super) fn end(
    store: &mut Store,
    run: &str,
    info: &RunInfo,
    success: bool,
    message: Option<String>,
) -> Result<(), StoreError> {
    let mut attachment = json_attachment(RUN_INFO_MEDIA_TYPE, info);
    attachment.test_run_started_id = Some(run.to_owned());
    store.emit(&Envelope::Attachment(attachment))?;
    store.emit(&Envelope::TestRunFinished(TestRunFinished {
        message,
        success,
        timestamp: now(),
        exception: None,
        test_run_started_id: Some(run.to_owned()),
    }))
}

/// Writes what went wrong and belongs to no scenario.
pub(super) fn beside(store: &mut Store, run: &str, what: &str) -> Result<(), StoreError> {
    let mut attachment = text_attachment(BESIDE_MEDIA_TYPE, what.to_owned());
    attachment.test_run_started_id = Some(run.to_owned());
    store.emit(&Envelope::Attachment(attachment))
}

/// Writes that the run could not be conducted any further.
pub(super) fn abort(store: &mut Store, run: &str, error: &RunError) -> Result<(), StoreError> {
    let message = error_text(error);
    store.emit(&Envelope::TestRunFinished(TestRunFinished {
        exception: Some(Exception {
            exception_type: "error".to_owned(),
            message: Some(message.clone()),
            stack_trace: Some(message.clone()),
        }),
        message: Some(message),
        success: false,
        timestamp: now(),
        test_run_started_id: Some(run.to_owned()),
    }))
}

/// An error with its causes.
fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// An attachment of a value as JSON, to nothing yet.
pub(super) fn json_attachment(media_type: &str, value: &impl Serialize) -> Attachment {
    // Our own types have string keys and no fallible serializer, so this cannot fail; if it did, the reader would refuse
    // the empty body.
    text_attachment(media_type, serde_json::to_string(value).unwrap_or_default())
}

/// An attachment of a text, to nothing yet.
pub(super) fn text_attachment(media_type: &str, body: String) -> Attachment {
    attachment(media_type, body, AttachmentContentEncoding::Identity)
}

/// An attachment of bytes, to nothing yet.
pub(super) fn bytes_attachment(media_type: &str, bytes: &[u8]) -> Attachment {
    attachment(media_type, STANDARD.encode(bytes), AttachmentContentEncoding::Base64)
}

fn attachment(media_type: &str, body: String, content_encoding: AttachmentContentEncoding) -> Attachment {
    Attachment {
        body,
        content_encoding,
        file_name: None,
        media_type: media_type.to_owned(),
        source: None,
        test_case_started_id: None,
        test_step_id: None,
        url: None,
        test_run_started_id: None,
        test_run_hook_started_id: None,
        timestamp: Some(now()),
    }
}

pub(super) fn now() -> Timestamp {
    timestamp(SystemTime::now())
}

pub(super) fn timestamp(at: SystemTime) -> Timestamp {
    // A clock before 1970 is wrong anyway.
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp { seconds: i64::try_from(since.as_secs()).unwrap_or(i64::MAX), nanos: since.subsec_nanos() }
}

fn meta() -> Meta {
    let product = |name: &str, version: Option<&str>| Product {
        name: name.to_owned(),
        version: version.map(str::to_owned),
    };
    Meta {
        protocol_version: PROTOCOL_VERSION.to_owned(),
        implementation: product("mycelium-accept", Some(env!("CARGO_PKG_VERSION"))),
        runtime: product("rust", None),
        os: product(std::env::consts::OS, None),
        cpu: product(std::env::consts::ARCH, None),
        ci: None,
    }
}

fn source_reference(file: &str, line: Option<u32>) -> SourceReference {
    SourceReference {
        uri: Some(file.to_owned()),
        location: line.map(|line| Location { line, column: None }),
        ..SourceReference::default()
    }
}

//! The reader: one pass over the lines, then what can only be judged at the end.

mod attempt;
mod finish;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use mycelium_schemas::{
    evidence::{
        ASSERTION_MEDIA_TYPE, Assertion, EVIDENCE_MEDIA_TYPE, EvidenceFile, RUN_INFO_MEDIA_TYPE, RunInfo,
        SCENARIO_INFO_MEDIA_TYPE, ScenarioInfo,
    },
    messages::{
        Attachment, AttachmentContentEncoding, GherkinDocument, Meta, PROTOCOL_VERSION, ParseError, Pickle,
        TestCase, TestCaseFinished, TestCaseStarted, TestRunFinished, TestRunStarted, TestStepFinished,
        UndefinedParameterType,
    },
};
use serde_json::{Map, Value};

use self::attempt::OpenAttempt;
use super::{ReadError, ReadProblem, Results};
use crate::catalogue::{Catalogue, Keywords, ScenarioSpec};

/// Media types that `accept run` writes; one of them that is not known here comes from another version.
const OWN_MEDIA_TYPES: &str = "application/vnd.mycelium.";

pub(super) fn read(text: &str) -> Result<Results, Vec<ReadProblem>> {
    let mut reader = Reader::default();
    let mut problems = Vec::new();
    let mut last = 1;
    for (index, line) in text.lines().enumerate() {
        last = index + 1;
        if let Err(error) = reader.line(line) {
            problems.push(ReadProblem { line: last, error });
        }
    }
    if text.is_empty() {
        problems.push(ReadProblem { line: last, error: ReadError::Empty });
    }
    // What a broken line left out would be reported again as missing.
    if !problems.is_empty() {
        return Err(problems);
    }
    reader
        .finish()
        .map_err(|errors| errors.into_iter().map(|error| ReadProblem { line: last, error }).collect())
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    meta: Option<Meta>,
    started: Option<TestRunStarted>,
    finished: Option<TestRunFinished>,
    info: Option<RunInfo>,
    keywords: Keywords,
    catalogue: Catalogue,
    pickles: BTreeMap<String, Pickle>,
    cases: BTreeMap<String, TestCase>,
    attempts: BTreeMap<String, OpenAttempt>,
    broken: Vec<String>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), ReadError> {
        let message: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| ReadError::NotAMessage(error.to_string()))?;
        let mut parts = message.into_iter();
        let (Some((kind, body)), None) = (parts.next(), parts.next()) else {
            return Err(ReadError::NotAMessage("a message is an object with one key, its kind".to_owned()));
        };
        if self.meta.is_none() && kind != "meta" {
            return Err(ReadError::Missing("`meta` message at its beginning"));
        }
        if self.finished.is_some() {
            return Err(ReadError::AfterEnd("the run"));
        }
        self.message(&kind, body)
    }

    fn message(&mut self, kind: &str, body: Value) -> Result<(), ReadError> {
        match kind {
            "meta" => self.on_meta(typed(kind, body)?),
            "gherkinDocument" => {
                self.keywords.add(&typed::<GherkinDocument>(kind, body)?);
                Ok(())
            }
            "pickle" => self.on_pickle(typed(kind, body)?),
            "testRunStarted" => once(&mut self.started, typed(kind, body)?, "the run"),
            "testCase" => self.on_case(typed(kind, body)?),
            "testCaseStarted" => self.on_case_started(typed(kind, body)?),
            "testStepFinished" => self.on_step_finished(typed(kind, body)?),
            "testCaseFinished" => self.on_case_finished(&typed(kind, body)?),
            "attachment" => self.on_attachment(&typed(kind, body)?),
            "testRunFinished" => once(&mut self.finished, typed(kind, body)?, "the end of the run"),
            "parseError" => {
                let error: ParseError = typed(kind, body)?;
                self.broken.push(format!("A feature file does not parse: {}", error.message));
                Ok(())
            }
            "undefinedParameterType" => {
                let undefined: UndefinedParameterType = typed(kind, body)?;
                self.broken.push(format!("A step uses the unknown parameter type {:?}.", undefined.name));
                Ok(())
            }
            // Sources, step definitions, hooks, suggestions, and whatever later versions of the protocol add, say
            // nothing about what passed.
            _ => Ok(()),
        }
    }

    fn on_meta(&mut self, meta: Meta) -> Result<(), ReadError> {
        let major = |version: &str| version.split('.').next().map(str::to_owned);
        if major(&meta.protocol_version) != major(PROTOCOL_VERSION) {
            return Err(ReadError::UnknownVersion {
                what: "the protocol version",
                found: meta.protocol_version,
                known: PROTOCOL_VERSION,
            });
        }
        once(&mut self.meta, meta, "the `meta` message")
    }

    fn on_pickle(&mut self, pickle: Pickle) -> Result<(), ReadError> {
        if self.pickles.contains_key(&pickle.id) {
            return Err(ReadError::Duplicate(format!("the scenario {:?}", pickle.id)));
        }
        self.catalogue.insert(ScenarioSpec::new(&pickle, &self.keywords)?)?;
        self.pickles.insert(pickle.id.clone(), pickle);
        Ok(())
    }

    fn on_case(&mut self, case: TestCase) -> Result<(), ReadError> {
        if self.cases.contains_key(&case.id) {
            return Err(ReadError::Duplicate(format!("the test case {:?}", case.id)));
        }
        let pickle = known(&self.pickles, "the scenario", &case.pickle_id)?;
        let of_pickle = pickle.steps.iter().map(|step| step.id.as_str());
        let of_case = case.test_steps.iter().filter_map(|step| step.pickle_step_id.as_deref());
        if !of_pickle.eq(of_case) {
            return Err(ReadError::OtherSteps(case.id));
        }
        self.cases.insert(case.id.clone(), case);
        Ok(())
    }

    fn on_case_started(&mut self, started: TestCaseStarted) -> Result<(), ReadError> {
        known(&self.cases, "the test case", &started.test_case_id)?;
        if self.attempts.contains_key(&started.id) {
            return Err(ReadError::Duplicate(format!("the attempt {:?}", started.id)));
        }
        self.attempts.insert(started.id.clone(), OpenAttempt::new(started));
        Ok(())
    }

    fn on_step_finished(&mut self, finished: TestStepFinished) -> Result<(), ReadError> {
        let (attempt, case) = self.attempt(&finished.test_case_started_id)?;
        attempt.finish_step(case, finished)
    }

    fn on_case_finished(&mut self, finished: &TestCaseFinished) -> Result<(), ReadError> {
        let (attempt, _) = self.attempt(&finished.test_case_started_id)?;
        attempt.end()
    }

    fn on_attachment(&mut self, attachment: &Attachment) -> Result<(), ReadError> {
        let media_type = attachment.media_type.as_str();
        if !media_type.starts_with(OWN_MEDIA_TYPES) {
            return Ok(());
        }
        let body = body(attachment)?;
        if media_type == RUN_INFO_MEDIA_TYPE {
            return once(&mut self.info, typed(media_type, body)?, "the description of the run");
        }
        if ![SCENARIO_INFO_MEDIA_TYPE, ASSERTION_MEDIA_TYPE, EVIDENCE_MEDIA_TYPE].contains(&media_type) {
            return Err(ReadError::UnknownVersion {
                what: "the media type",
                found: media_type.to_owned(),
                known: "run, scenario, assertion and evidence",
            });
        }
        let id = attachment.test_case_started_id.as_deref().unwrap_or_default();
        let (attempt, case) = self.attempt(id)?;
        let step = attachment.test_step_id.as_deref();
        match media_type {
            SCENARIO_INFO_MEDIA_TYPE => attempt.set_lane(typed::<ScenarioInfo>(media_type, body)?.lane),
            ASSERTION_MEDIA_TYPE => attempt.add_assertion(case, step, typed::<Assertion>(media_type, body)?),
            _ => attempt.add_evidence(case, step, typed::<EvidenceFile>(media_type, body)?),
        }
    }

    /// An attempt that has not ended, and its test case.
    fn attempt(&mut self, id: &str) -> Result<(&mut OpenAttempt, &TestCase), ReadError> {
        let unknown = || ReadError::UnknownReference { what: "the attempt", id: id.to_owned() };
        let attempt = self.attempts.get_mut(id).ok_or_else(unknown)?;
        let case = known(&self.cases, "the test case", &attempt.started.test_case_id)?;
        Ok((attempt, case))
    }
}

/// The body of a message in its type.
fn typed<T: serde::de::DeserializeOwned>(kind: &str, body: Value) -> Result<T, ReadError> {
    serde_json::from_value(body)
        .map_err(|error| ReadError::Malformed { kind: kind.to_owned(), reason: error.to_string() })
}

/// The JSON that an attachment carries.
fn body(attachment: &Attachment) -> Result<Value, ReadError> {
    let malformed = |reason: String| ReadError::Malformed { kind: attachment.media_type.clone(), reason };
    let bytes = match attachment.content_encoding {
        AttachmentContentEncoding::Identity => attachment.body.clone().into_bytes(),
        AttachmentContentEncoding::Base64 => {
            STANDARD.decode(&attachment.body).map_err(|error| malformed(error.to_string()))?
        }
    };
    serde_json::from_slice(&bytes).map_err(|error| malformed(error.to_string()))
}

/// Keeps a value that stands in a stream once.
fn once<T>(slot: &mut Option<T>, value: T, what: &str) -> Result<(), ReadError> {
    if slot.is_some() {
        return Err(ReadError::Duplicate(what.to_owned()));
    }
    *slot = Some(value);
    Ok(())
}

/// The value that a reference means.
fn known<'m, T>(map: &'m BTreeMap<String, T>, what: &'static str, id: &str) -> Result<&'m T, ReadError> {
    map.get(id).ok_or_else(|| ReadError::UnknownReference { what, id: id.to_owned() })
}

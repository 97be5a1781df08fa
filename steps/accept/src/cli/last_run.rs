//! What an earlier run left to be run again: scenarios that failed, did not end or were never started.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};

use mycelium_schemas::{
    evidence::{RUN_INFO_MEDIA_TYPE, RunInfo, SCENARIO_INFO_MEDIA_TYPE, ScenarioInfo},
    messages::{Envelope, Pickle, TestStepResultStatus as Status},
};

use super::{error::CliError, stream};
use crate::context::Lane;
use crate::runner::{
    BESIDE_MEDIA_TYPE, Identity, identities,
    store::{MESSAGES, PLANNING, REPETITIONS, UNFINISHED},
};

/// What is to be run again.
#[derive(Debug)]
pub(super) struct Left {
    /// The scenarios that did not pass; all of them where the run failed by what belongs to none of them.
    pub(super) scenarios: BTreeSet<Identity>,
    /// What that was.
    pub(super) beside: Option<String>,
    /// Where they ran; none where that is not known.
    pub(super) lane: Option<Lane>,
}

/// What is left to be run again; an error where nothing was planned, or where what was planned is not known.
pub(super) fn left(out: &Path) -> Result<Left, CliError> {
    let stream = stream(out)?;
    if !stream.iter().any(|message| matches!(message, Envelope::TestCase(_))) {
        return Err(CliError::NothingPlanned(out.join(MESSAGES)));
    }
    let lanes = lanes(&stream);
    if lanes.len() > 1 {
        return Err(CliError::SeveralLanes(out.join(MESSAGES)));
    }
    let lane = lanes.first().and_then(|lane| Lane::of(lane));
    let scenarios = planned(&stream, |passed| !passed);
    let beside = beside(&stream).or_else(|| failure(&stream).filter(|_| scenarios.is_empty()));
    // Nobody can say whether one of them does that alone.
    let scenarios = if beside.is_some() { planned(&stream, |_| true) } else { scenarios };
    Ok(Left { scenarios, beside, lane })
}

/// The lanes in which the scenarios of a stream ran, or were to run.
fn lanes(stream: &[Envelope]) -> BTreeSet<String> {
    let attachments = stream.iter().filter_map(|envelope| match envelope {
        Envelope::Attachment(attachment) => Some((attachment.media_type.as_str(), attachment.body.as_str())),
        _ => None,
    });
    attachments
        .flat_map(|(kind, body)| match kind {
            SCENARIO_INFO_MEDIA_TYPE => {
                serde_json::from_str::<ScenarioInfo>(body).map(|info| vec![info.lane]).unwrap_or_default()
            }
            RUN_INFO_MEDIA_TYPE => {
                serde_json::from_str::<RunInfo>(body).map(|info| info.lanes).unwrap_or_default()
            }
            _ => Vec::new(),
        })
        .collect()
}

/// What went wrong and belongs to no scenario.
fn beside(stream: &[Envelope]) -> Option<String> {
    stream.iter().find_map(|envelope| match envelope {
        Envelope::Attachment(attachment) if attachment.media_type == BESIDE_MEDIA_TYPE => {
            Some(attachment.body.clone())
        }
        _ => None,
    })
}

/// Why a run failed that came to its end.
fn failure(stream: &[Envelope]) -> Option<String> {
    stream.iter().find_map(|envelope| match envelope {
        Envelope::TestRunFinished(finished) if !finished.success => {
            Some(finished.message.clone().unwrap_or_default())
        }
        _ => None,
    })
}

/// The stream of the last run. One whose process was killed left an unfinished stream, which counts too, as soon as it
/// holds everything that was to run.
pub(super) fn stream(out: &Path) -> Result<Vec<Envelope>, CliError> {
    let path = out.join(MESSAGES);
    if let Some(text) = stream::text(&path)? {
        return stream::messages(&path, &text);
    }
    let unfinished = out.join(UNFINISHED);
    let Some(text) = stream::text(&unfinished)? else {
        let planning = out.join(PLANNING);
        let repetitions = out.join(REPETITIONS);
        return Err(if planning.exists() {
            CliError::NoPlan(planning)
        } else if repetitions.exists() {
            CliError::Repeated(repetitions)
        } else {
            CliError::NoResults(path)
        });
    };
    // Only the last line can be torn, and only where the run never came to its end.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    stream::messages(&unfinished, whole)
}

/// The scenarios that were to run, as far as they are wanted: asked with whether it passed.
fn planned(stream: &[Envelope], is_wanted: impl Fn(bool) -> bool) -> BTreeSet<Identity> {
    let pickles: Vec<&Pickle> = stream
        .iter()
        .filter_map(|envelope| match envelope {
            Envelope::Pickle(pickle) => Some(pickle),
            _ => None,
        })
        .collect();
    let named = identities(pickles.iter().copied());
    let mut progress = Progress::default();
    for envelope in stream {
        progress.take(envelope);
    }
    let passed = |pickle: &Pickle| progress.planned.get(pickle.id.as_str()).copied();
    let wanted = pickles.iter().zip(named).filter(|(pickle, _)| passed(pickle).is_some_and(&is_wanted));
    wanted.map(|(_, identity)| identity).collect()
}

/// Follows a stream: which planned scenario passed so far.
#[derive(Default)]
struct Progress<'s> {
    /// By the id of its pickle.
    planned: HashMap<&'s str, bool>,
    pickle_of_case: HashMap<&'s str, &'s str>,
    case_of_attempt: HashMap<&'s str, &'s str>,
    /// Attempts with a step that did not pass.
    spoiled: BTreeSet<&'s str>,
}

impl<'s> Progress<'s> {
    fn take(&mut self, envelope: &'s Envelope) {
        match envelope {
            Envelope::TestCase(case) => {
                self.planned.insert(&case.pickle_id, false);
                self.pickle_of_case.insert(&case.id, &case.pickle_id);
            }
            Envelope::TestCaseStarted(started) => {
                self.case_of_attempt.insert(&started.id, &started.test_case_id);
            }
            Envelope::TestStepFinished(finished) if finished.test_step_result.status != Status::Passed => {
                self.spoiled.insert(&finished.test_case_started_id);
            }
            Envelope::TestCaseFinished(finished) => {
                let attempt = finished.test_case_started_id.as_str();
                let case = self.case_of_attempt.get(attempt);
                if let Some(pickle) = case.and_then(|case| self.pickle_of_case.get(case)) {
                    self.planned.insert(pickle, !self.spoiled.contains(attempt));
                }
            }
            _ => {}
        }
    }
}

//! A scenario while it runs, as the conductor sees it: what its thread reported, what is due, what it told the stream.

use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant, SystemTime},
};

use mycelium_schemas::{
    evidence::{ASSERTION_MEDIA_TYPE, EVIDENCE_MEDIA_TYPE, SCENARIO_INFO_MEDIA_TYPE, ScenarioInfo},
    messages::{
        Attachment, Envelope, TestCaseFinished, TestCaseStarted, TestStepFinished, TestStepResult,
        TestStepResultStatus as Status, TestStepStarted,
    },
};
use tempfile::TempDir;

use super::{
    case::Case,
    outcome::{Failure, ScenarioResult},
    scenario::{StepOutcome, StepReport},
    store::{Store, StoreError},
    transcript::{CaseIds, json_attachment, now, text_attachment, timestamp},
};
use crate::context::{Lane, Record, Recorder};

/// Lines of a scenario's log that a failure shows.
const LOG_LINES_MAX: usize = 20;
const LOG_MEDIA_TYPE: &str = "text/x.cucumber.log+plain";

/// A running scenario.
pub(super) struct Attempt {
    id: String,
    pub(super) recorder: Recorder,
    scratch: TempDir,
    started: Instant,
    scenario_deadline: Option<Instant>,
    step_limit: Duration,
    /// The step that runs now.
    current: Option<usize>,
    /// When its thread last told something.
    heard: Instant,
    /// Steps that were told to the stream.
    told: usize,
    status: Status,
    failure: Option<Failure>,
    log: VecDeque<String>,
}

impl Attempt {
    /// Tells the stream that the scenario starts.
    pub(super) fn start<W>(
        store: &mut Store,
        id: String,
        case: &Case<W>,
        ids: &CaseIds,
        lane: Lane,
        scratch: TempDir,
        step_timeout: Duration,
    ) -> Result<Self, StoreError> {
        store.emit(&Envelope::TestCaseStarted(TestCaseStarted {
            attempt: 0,
            id: id.clone(),
            test_case_id: ids.case.clone(),
            worker_id: None,
            timestamp: now(),
        }))?;
        let info = ScenarioInfo { lane: lane.as_str().to_owned() };
        let mut attachment = json_attachment(SCENARIO_INFO_MEDIA_TYPE, &info);
        attachment.test_case_started_id = Some(id.clone());
        store.emit(&Envelope::Attachment(attachment))?;
        let started = Instant::now();
        Ok(Self {
            id,
            recorder: Recorder::default(),
            scratch,
            started,
            scenario_deadline: case.timeout.map(|timeout| started + timeout),
            // A scenario that asks for its own time may spend it on one step.
            step_limit: case.timeout.unwrap_or(step_timeout),
            current: None,
            heard: started,
            told: 0,
            status: Status::Passed,
            failure: None,
            log: VecDeque::new(),
        })
    }

    /// Where the scenario works.
    pub(super) fn scratch(&self) -> PathBuf {
        self.scratch.path().to_owned()
    }

    /// When the scenario has to be given up, unless its thread tells something before: that it made its world and a step
    /// ended, or that its world is dropped.
    pub(super) fn deadline(&self) -> Instant {
        let step = self.heard + self.step_limit;
        self.scenario_deadline.map_or(step, |scenario| scenario.min(step))
    }

    /// The limit that a scenario broke when its deadline passed.
    pub(super) fn limit(&self) -> Duration {
        self.step_limit
    }

    pub(super) fn step_started(
        &mut self,
        store: &mut Store,
        ids: &CaseIds,
        step: usize,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        self.current = Some(step);
        self.heard = Instant::now();
        store.emit(&Envelope::TestStepStarted(TestStepStarted {
            test_case_started_id: self.id.clone(),
            test_step_id: ids.steps[step].clone(),
            timestamp: timestamp(at),
        }))
    }

    pub(super) fn step_finished<W>(
        &mut self,
        store: &mut Store,
        case: &Case<W>,
        ids: &CaseIds,
        step: usize,
        report: StepReport,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        self.current = None;
        self.heard = Instant::now();
        let (status, message, code_place) = match report.outcome {
            StepOutcome::Passed => (Status::Passed, None, None),
            StepOutcome::Undefined => {
                (Status::Undefined, Some("no step definition matches this step".to_owned()), None)
            }
            StepOutcome::Ambiguous(definitions) => {
                (Status::Ambiguous, Some(format!("several step definitions match:\n{definitions}")), None)
            }
            StepOutcome::NotRun(why) => (Status::Skipped, Some(format!("not run: {why}")), None),
            StepOutcome::Failed { message, place } => (Status::Failed, Some(message), place),
        };
        self.keep(store, &ids.steps[step], report.records)?;
        if let Some(message) = &message {
            let log: Vec<String> = self.log.iter().cloned().collect();
            if !log.is_empty() {
                let attachment = text_attachment(LOG_MEDIA_TYPE, log.join("\n"));
                self.attach(store, &ids.steps[step], attachment)?;
            }
            self.status = status;
            self.failure = Some(Failure {
                step: case.steps[step].text.clone(),
                place: case.steps[step].place.clone(),
                message: message.clone(),
                code_place: code_place.clone(),
                log,
            });
        }
        let message = message.map(|message| match code_place {
            Some(place) => format!("{message}\n  at {place}"),
            None => message,
        });
        let result = TestStepResult { duration: report.duration.into(), message, status, exception: None };
        store.emit(&Envelope::TestStepFinished(TestStepFinished {
            test_case_started_id: self.id.clone(),
            test_step_id: ids.steps[step].clone(),
            test_step_result: result,
            timestamp: timestamp(at),
        }))?;
        self.told = step + 1;
        if status == Status::Passed { Ok(()) } else { self.skip_rest(store, ids) }
    }

    /// True once every step was told: only the world is still to be dropped.
    pub(super) fn all_told(&self, ids: &CaseIds) -> bool {
        self.told == ids.steps.len()
    }

    /// Ends the scenario at the step where it stands, with this status; the rest is skipped.
    pub(super) fn give_up<W>(
        &mut self,
        store: &mut Store,
        case: &Case<W>,
        ids: &CaseIds,
        status: Status,
        message: &str,
    ) -> Result<(), StoreError> {
        // Between two steps, the next one is the one that never came.
        let step = self.current.unwrap_or(self.told);
        if self.current.is_none() {
            self.step_started(store, ids, step, SystemTime::now())?;
        }
        self.current = None;
        let since = self.heard;
        self.keep(store, &ids.steps[step], self.recorder.take())?;
        self.status = status;
        self.failure = Some(Failure {
            step: case.steps[step].text.clone(),
            place: case.steps[step].place.clone(),
            message: message.to_owned(),
            code_place: None,
            log: self.log.iter().cloned().collect(),
        });
        store.emit(&Envelope::TestStepFinished(TestStepFinished {
            test_case_started_id: self.id.clone(),
            test_step_id: ids.steps[step].clone(),
            test_step_result: TestStepResult {
                duration: since.elapsed().into(),
                message: Some(message.to_owned()),
                status,
                exception: None,
            },
            timestamp: now(),
        }))?;
        self.told = step + 1;
        self.skip_rest(store, ids)
    }

    /// Tells the stream that the scenario is over; hands back how it went and its folder.
    pub(super) fn finish<W>(
        self,
        store: &mut Store,
        case: &Case<W>,
    ) -> Result<(ScenarioResult, TempDir), StoreError> {
        store.emit(&Envelope::TestCaseFinished(TestCaseFinished {
            test_case_started_id: self.id,
            timestamp: now(),
            will_be_retried: false,
        }))?;
        let result = ScenarioResult {
            name: case.name.clone(),
            place: case.place.clone(),
            status: self.status,
            duration: self.started.elapsed(),
            failure: self.failure,
            kept: None,
        };
        Ok((result, self.scratch))
    }

    fn skip_rest(&mut self, store: &mut Store, ids: &CaseIds) -> Result<(), StoreError> {
        for step in &ids.steps[self.told..] {
            store.emit(&Envelope::TestStepStarted(TestStepStarted {
                test_case_started_id: self.id.clone(),
                test_step_id: step.clone(),
                timestamp: now(),
            }))?;
            store.emit(&Envelope::TestStepFinished(TestStepFinished {
                test_case_started_id: self.id.clone(),
                test_step_id: step.clone(),
                test_step_result: TestStepResult {
                    duration: Duration::ZERO.into(),
                    message: None,
                    status: Status::Skipped,
                    exception: None,
                },
                timestamp: now(),
            }))?;
        }
        self.told = ids.steps.len();
        Ok(())
    }

    /// Keeps what a step recorded.
    fn keep(&mut self, store: &mut Store, step_id: &str, records: Vec<Record>) -> Result<(), StoreError> {
        for record in records {
            match record {
                Record::Assertion(assertion) => {
                    let attachment = json_attachment(ASSERTION_MEDIA_TYPE, &assertion);
                    self.attach(store, step_id, attachment)?;
                }
                Record::Evidence { name, bytes } => {
                    let file = store.keep_evidence(&name, &bytes)?;
                    self.attach(store, step_id, json_attachment(EVIDENCE_MEDIA_TYPE, &file))?;
                }
                Record::Log(line) => {
                    if self.log.len() == LOG_LINES_MAX {
                        self.log.pop_front();
                    }
                    self.log.push_back(line);
                }
                // It is the outcome of its step.
                Record::NotRun(_) => {}
            }
        }
        Ok(())
    }

    fn attach(&self, store: &mut Store, step_id: &str, mut attachment: Attachment) -> Result<(), StoreError> {
        attachment.test_case_started_id = Some(self.id.clone());
        attachment.test_step_id = Some(step_id.to_owned());
        store.emit(&Envelope::Attachment(attachment))
    }
}

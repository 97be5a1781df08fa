//! A scenario while it runs, as the conductor sees it: what its thread reported, what is due, what it told the stream.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use mycelium_schemas::{
    evidence::{ASSERTION_MEDIA_TYPE, EVIDENCE_MEDIA_TYPE, SCENARIO_INFO_MEDIA_TYPE, ScenarioInfo},
    messages::{
        Attachment, Envelope, Exception, Suggestion, TestCaseFinished, TestCaseStarted, TestStepFinished,
        TestStepResult, TestStepResultStatus as Status, TestStepStarted,
    },
};
use tempfile::TempDir;

use super::{
    case::{Binding, Case},
    limits::{Limits, ScenarioLimits},
    outcome::{Failure, ScenarioResult},
    scenario::{Moment, StepOutcome, StepReport},
    store::{Store, StoreError},
    transcript::{CaseIds, bytes_attachment, json_attachment, now, text_attachment, timestamp},
};
use crate::context::{Content, LOG_MEDIA_TYPE, Lane, Record, Recorder, Scratch, Shown};

/// Lines of a scenario's log that a failure shows.
const LOG_LINES_MAX: usize = 20;
/// Bytes of what a command said that are looked at for them.
const TAIL_BYTES_MAX: u64 = 64 * 1024;

/// What a scenario began with.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) scratch: Scratch,
    pub(super) recorder: Recorder,
    pub(super) at: Moment,
}

/// A running scenario.
pub(super) struct Attempt {
    id: String,
    recorder: Recorder,
    scratch: Scratch,
    started: Instant,
    limits: ScenarioLimits,
    /// The step that runs now.
    current: Option<usize>,
    /// The last step, which passed: whether the scenario did shows when its world is gone.
    held: Option<(StepReport, Moment)>,
    /// When its thread last told something.
    heard: Instant,
    /// Steps that were told to the stream.
    told: usize,
    status: Status,
    /// Whether a step said that this machine cannot run the scenario.
    not_run: bool,
    failure: Option<Failure>,
    log: VecDeque<String>,
    /// The commands that run, with the files that they write what they say into.
    writing: Vec<(String, PathBuf)>,
}

impl Attempt {
    /// Tells the stream that the scenario starts.
    pub(super) fn start(
        store: &mut Store,
        id: String,
        case: &Case,
        ids: &CaseIds,
        lane: Lane,
        begun: Begun,
        limits: Limits,
    ) -> Result<Self, StoreError> {
        store.emit(&Envelope::TestCaseStarted(TestCaseStarted {
            attempt: 0,
            id: id.clone(),
            test_case_id: ids.case.clone(),
            worker_id: None,
            timestamp: timestamp(begun.at.clock),
        }))?;
        let info = ScenarioInfo { lane: lane.as_str().to_owned() };
        let mut attachment = json_attachment(SCENARIO_INFO_MEDIA_TYPE, &info);
        attachment.test_case_started_id = Some(id.clone());
        store.emit(&Envelope::Attachment(attachment))?;
        let started = begun.at.instant;
        Ok(Self {
            id,
            recorder: begun.recorder,
            scratch: begun.scratch,
            started,
            limits: limits.of(case.timeout),
            current: None,
            held: None,
            heard: started,
            told: 0,
            status: Status::Passed,
            not_run: false,
            failure: None,
            log: VecDeque::new(),
            writing: Vec::new(),
        })
    }

    /// When the scenario has to be given up, unless its thread tells something before: that it made its world and a step
    /// ended, or that its world is dropped.
    pub(super) fn deadline(&self) -> Instant {
        (self.heard + self.limits.step).min(self.started + self.limits.scenario)
    }

    /// What to say of a scenario whose deadline passed: which limit it broke.
    pub(super) fn late(&self) -> String {
        let ScenarioLimits { step, scenario } = self.limits;
        // Of two limits that are the same, the author set that of the scenario.
        let (what, limit) = if self.started + scenario <= self.heard + step {
            ("the scenario", scenario)
        } else {
            ("the step", step)
        };
        format!("{what} timed out after {} s and was given up", limit.as_secs_f64())
    }

    pub(super) fn step_started(
        &mut self,
        store: &mut Store,
        ids: &CaseIds,
        step: usize,
        at: Moment,
    ) -> Result<(), StoreError> {
        self.current = Some(step);
        self.heard = at.instant;
        store.emit(&Envelope::TestStepStarted(TestStepStarted {
            test_case_started_id: self.id.clone(),
            test_step_id: ids.steps[step].clone(),
            timestamp: timestamp(at.clock),
        }))
    }

    pub(super) fn step_finished(
        &mut self,
        store: &mut Store,
        case: &Case,
        ids: &CaseIds,
        step: usize,
        report: StepReport,
        at: Moment,
    ) -> Result<(), StoreError> {
        self.current = None;
        self.heard = at.instant;
        if report.outcome == StepOutcome::Passed && step + 1 == ids.steps.len() && self.failure.is_none() {
            self.held = Some((report, at));
            return Ok(());
        }
        self.tell_finished(store, case, ids, step, report, at)
    }

    /// Says how a scenario went whose steps have all passed, now that its world is gone: what it left makes its last step
    /// a failure.
    pub(super) fn settle(
        &mut self,
        store: &mut Store,
        case: &Case,
        ids: &CaseIds,
        left: &[String],
    ) -> Result<(), StoreError> {
        let Some((mut report, at)) = self.held.take() else { return Ok(()) };
        if !left.is_empty() {
            report.outcome = StepOutcome::Failed { message: left.join("\n"), place: None };
        }
        self.tell_finished(store, case, ids, self.told, report, at)
    }

    /// Whether its steps have all passed; what it leaves is not known yet.
    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Takes the folder of a scenario that is over.
    pub(super) fn take_folder(&self) -> Option<TempDir> {
        self.scratch.take()
    }

    fn tell_finished(
        &mut self,
        store: &mut Store,
        case: &Case,
        ids: &CaseIds,
        step: usize,
        report: StepReport,
        at: Moment,
    ) -> Result<(), StoreError> {
        self.not_run |= matches!(report.outcome, StepOutcome::NotRun(_));
        let goes_on = report.goes_on;
        let outcome = match report.outcome {
            StepOutcome::Failed { message, place } => {
                StepOutcome::Failed { message: self.seen_from_its_folder(&message), place }
            }
            outcome => outcome,
        };
        let Ended { status, card, exception } = Ended::of(outcome, case, step);
        self.keep(store, &ids.steps[step], report.records)?;
        if let Some((message, code_place)) = &card {
            self.attach_log(store, &ids.steps[step])?;
            // The first failure is the scenario's.
            if self.failure.is_none() {
                self.status = status;
                self.failure = Some(Failure {
                    step: case.steps[step].text(),
                    place: case.place_of(step),
                    message: message.clone(),
                    code_place: code_place.clone(),
                    log: self.log_lines(),
                });
            }
        }
        suggest(store, case, ids, step)?;
        let message = exception.as_ref().and_then(|exception| exception.message.clone());
        let result = TestStepResult { duration: report.duration.into(), message, status, exception };
        store.emit(&Envelope::TestStepFinished(TestStepFinished {
            test_case_started_id: self.id.clone(),
            test_step_id: ids.steps[step].clone(),
            test_step_result: result,
            timestamp: timestamp(at.clock),
        }))?;
        self.told = step + 1;
        if goes_on { Ok(()) } else { self.skip_rest(store, case, ids) }
    }

    /// True once every step was told: only the world is still to be dropped.
    pub(super) fn all_told(&self, ids: &CaseIds) -> bool {
        self.told == ids.steps.len()
    }

    /// Ends the scenario at the step where it stands, with this status; the rest is skipped.
    pub(super) fn give_up(
        &mut self,
        store: &mut Store,
        case: &Case,
        ids: &CaseIds,
        status: Status,
        message: &str,
    ) -> Result<(), StoreError> {
        // Between two steps, the next one is the one that never came.
        let step = self.current.unwrap_or(self.told);
        match self.held.take() {
            Some((report, _)) => self.keep(store, &ids.steps[step], report.records)?,
            None if self.current.is_none() => self.step_started(store, ids, step, Moment::now())?,
            None => {}
        }
        self.current = None;
        let since = self.heard;
        self.keep(store, &ids.steps[step], self.recorder.take())?;
        self.log_unfinished();
        self.attach_log(store, &ids.steps[step])?;
        self.status = status;
        self.failure = Some(Failure {
            step: case.steps[step].text(),
            place: case.place_of(step),
            message: message.to_owned(),
            code_place: None,
            log: self.log_lines(),
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
        self.skip_rest(store, case, ids)
    }

    /// Tells the stream that the scenario is over; hands back how it went and its folder.
    pub(super) fn finish(
        self,
        store: &mut Store,
        case: &Case,
    ) -> Result<(ScenarioResult, Scratch), StoreError> {
        store.emit(&Envelope::TestCaseFinished(TestCaseFinished {
            test_case_started_id: self.id,
            timestamp: now(),
            will_be_retried: false,
        }))?;
        let result = ScenarioResult {
            name: case.name.clone(),
            place: case.place.clone(),
            status: self.status,
            not_run: self.not_run,
            duration: self.started.elapsed(),
            failure: self.failure,
            kept: None,
        };
        Ok((result, self.scratch))
    }

    /// Tells the steps that were not reached. One that could not have run shows that anyhow, so that all of a scenario's
    /// undefined steps are known at once; behind a step that skipped the scenario nothing was meant to run.
    fn skip_rest(&mut self, store: &mut Store, case: &Case, ids: &CaseIds) -> Result<(), StoreError> {
        for (index, step) in ids.steps.iter().enumerate().skip(self.told) {
            let status = match case.steps[index].meaning.binding {
                _ if self.status == Status::Skipped => Status::Skipped,
                Binding::Call(_) => Status::Skipped,
                Binding::Undefined => Status::Undefined,
                Binding::Ambiguous(_) => Status::Ambiguous,
            };
            store.emit(&Envelope::TestStepStarted(TestStepStarted {
                test_case_started_id: self.id.clone(),
                test_step_id: step.clone(),
                timestamp: now(),
            }))?;
            if status == Status::Undefined {
                suggest(store, case, ids, index)?;
            }
            store.emit(&Envelope::TestStepFinished(TestStepFinished {
                test_case_started_id: self.id.clone(),
                test_step_id: step.clone(),
                test_step_result: TestStepResult {
                    duration: Duration::ZERO.into(),
                    message: None,
                    status,
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
                Record::Shown(shown) => self.attach(store, step_id, attachment_of(shown))?,
                Record::Log(line) => self.log(line),
                Record::Writes { what, path } => self.writing.push((what, path)),
                Record::Wrote(path) => self.writing.retain(|(_, writing)| *writing != path),
                // It is the outcome of its step, or of its scenario.
                Record::NotRun(_) | Record::Unended(_) | Record::LeftBehind(_) => {}
            }
        }
        Ok(())
    }

    fn log(&mut self, line: String) {
        if self.log.len() == LOG_LINES_MAX {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    /// Logs what the commands said that still run: nobody waits for it any more.
    fn log_unfinished(&mut self) {
        for (what, path) in std::mem::take(&mut self.writing) {
            self.log(format!("$ {what} (still running)"));
            match tail(&path) {
                Ok(said) => said.lines().for_each(|line| self.log(line.to_owned())),
                Err(error) => self.log(format!("what it said cannot be read: {error}")),
            }
        }
    }

    fn attach_log(&self, store: &mut Store, step_id: &str) -> Result<(), StoreError> {
        if self.log.is_empty() {
            return Ok(());
        }
        self.attach(store, step_id, text_attachment(LOG_MEDIA_TYPE, self.log_lines().join("\n")))
    }

    fn log_lines(&self) -> Vec<String> {
        self.log.iter().map(|line| self.seen_from_its_folder(line)).collect()
    }

    /// A text with the paths in the scenario's folder as they are from there: that is removed or kept elsewhere before
    /// anybody reads it.
    fn seen_from_its_folder(&self, text: &str) -> String {
        let Some(folder) = self.scratch.made() else { return text.to_owned() };
        let folder = folder.to_string_lossy();
        text.replace(&format!("{folder}/"), "").replace(&*folder, ".")
    }

    fn attach(&self, store: &mut Store, step_id: &str, mut attachment: Attachment) -> Result<(), StoreError> {
        attachment.test_case_started_id = Some(self.id.clone());
        attachment.test_step_id = Some(step_id.to_owned());
        store.emit(&Envelope::Attachment(attachment))
    }
}

/// The last lines of a file that somebody may still write to, at most [`TAIL_BYTES_MAX`].
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL_BYTES_MAX);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    // The first line begins before that.
    let whole =
        if from == 0 { 0 } else { bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
    Ok(String::from_utf8_lossy(&bytes[whole..]).into_owned())
}

/// How a step ended: its status, what the failure card says with the place in the code, and what the stream says.
struct Ended {
    status: Status,
    card: Option<(String, Option<String>)>,
    exception: Option<Exception>,
}

impl Ended {
    fn of(outcome: StepOutcome, case: &Case, step: usize) -> Self {
        match outcome {
            StepOutcome::Passed => Self { status: Status::Passed, card: None, exception: None },
            StepOutcome::Undefined => {
                let code = case.steps[step].snippets.first().map_or("", |snippet| snippet.code.as_str());
                let text = format!("no step definition matches this step; one would be:\n\n{code}");
                Self { status: Status::Undefined, card: Some((text, None)), exception: None }
            }
            StepOutcome::Ambiguous(definitions) => {
                let text = format!("several step definitions match:\n{definitions}");
                Self { status: Status::Ambiguous, card: Some((text, None)), exception: None }
            }
            StepOutcome::Pending(why) => Self::by_itself(Status::Pending, "pending", why),
            StepOutcome::Skipped(why) => Self::by_itself(Status::Skipped, "skipped", why),
            StepOutcome::NotRun(why) => {
                let text = format!("not run: {why}");
                let exception = Some(exception("not run", &text, None));
                Self { status: Status::Skipped, card: Some((text, None)), exception }
            }
            StepOutcome::Failed { message, place } => Self {
                status: Status::Failed,
                exception: Some(exception("error", &message, place.as_deref())),
                card: Some((message, place)),
            },
        }
    }

    /// A step that ended itself without passing or failing.
    fn by_itself(status: Status, name: &str, why: Option<String>) -> Self {
        let text =
            format!("the step ended as {name}{}", why.as_ref().map_or(String::new(), |w| format!(": {w}")));
        Self { status, card: Some((text, None)), exception: why.map(|why| exception(name, &why, None)) }
    }
}

fn exception(kind: &str, message: &str, place: Option<&str>) -> Exception {
    Exception {
        exception_type: kind.to_owned(),
        message: Some(message.to_owned()),
        stack_trace: Some(
            place.map_or_else(|| message.to_owned(), |place| format!("{message}\n  at {place}")),
        ),
    }
}

/// Tells the code that would define a step, where it is undefined.
fn suggest(store: &mut Store, case: &Case, ids: &CaseIds, step: usize) -> Result<(), StoreError> {
    let Some(id) = &ids.suggestions[step] else { return Ok(()) };
    store.emit(&Envelope::Suggestion(Suggestion {
        id: id.clone(),
        pickle_step_id: case.steps[step].pickle_step_id.clone(),
        snippets: case.steps[step].snippets.clone(),
    }))
}

fn attachment_of(shown: Shown) -> Attachment {
    let attachment = match shown.content {
        Content::Text(text) => text_attachment(&shown.media_type, text),
        Content::Bytes(bytes) => bytes_attachment(&shown.media_type, &bytes),
    };
    Attachment { file_name: shown.file_name, ..attachment }
}

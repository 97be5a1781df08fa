//! What went wrong in a run, each thing once: the event that says it first, what followed from it, and the file that
//! shows it.

use std::path::PathBuf;

use mycelium_core::budget::spoken;
use mycelium_schemas::{
    answer::{Failure, Failures},
    event::{
        BudgetScope, BudgetVerdict, DoctorResult, EventKind, ExitReason, LandingRefused, RawEvent,
        RefusalReason, RunStop, ValidatorVerdict, Violations, WorkerExit,
    },
    id::{RunId, TaskId},
    state::StopReason,
};

use super::{Filter, Unread, fold};
use crate::{attempt::AGENT_FAILED, error::Error, store::RunPaths};

/// The failures of a run, its last `limit` where one is given.
pub fn failures(
    paths: &RunPaths,
    run: &RunId,
    filter: &Filter,
    limit: Option<usize>,
) -> Result<(Failures, Unread), Error> {
    let mut collector = Collector { paths, found: Vec::new() };
    let unread = fold(&paths.journal, &KINDS, |event| collector.see(&event))?;
    let mut found = collector.found;
    found.retain(|failure| {
        filter.admits_type(&failure.kind) && filter.admits_row(failure.ts, &failure.tasks, &failure.what)
    });
    let spare = found.len().saturating_sub(limit.unwrap_or(usize::MAX));
    found.drain(..spare);
    Ok((Failures { run_id: run.clone(), failures: found }, unread))
}

/// How the run stopped, where it did and has not gone on since.
pub fn last_stop(paths: &RunPaths) -> Result<Option<RunStop>, Error> {
    let mut last = None;
    fold(&paths.journal, &["run.stop", "run.resume", "run.complete"], |event| match event.known() {
        Some(EventKind::RunStop(stop)) => last = Some(stop),
        Some(EventKind::RunResume(_) | EventKind::RunComplete(_)) => last = None,
        _ => {}
    })?;
    Ok(last)
}

/// The types that say that something went wrong, or what followed from that.
const KINDS: [&str; 15] = [
    "worker.exit",
    "worker.lost",
    "manifest.block",
    "path.refused",
    "validator.block",
    "budget.block",
    "landing.conflict",
    "landing.doctor_fail",
    "landing.refused",
    "landing.bisect",
    "journal.truncated",
    "task.retry",
    "task.fail",
    "task.review",
    "run.stop",
];

struct Collector<'a> {
    paths: &'a RunPaths,
    found: Vec<Failure>,
}

impl Collector<'_> {
    fn see(&mut self, event: &RawEvent) {
        let Some(kind) = event.known() else { return };
        match kind {
            EventKind::WorkerExit(exit) if !is_success(&exit) => {
                self.add(event, worker(&exit), self.in_attempt(event, "agent.log"));
            }
            EventKind::ManifestBlock(found) => {
                self.add(event, manifest(&found), self.in_attempt(event, "compliance.json"));
            }
            EventKind::PathRefused(refused) => {
                let what = format!("{} cannot be taken: {}", refused.path, refused.why);
                self.add(event, what, self.in_attempt(event, "compliance.json"));
            }
            EventKind::ValidatorBlock(verdict) => {
                let log = self.in_attempt(event, &format!("validator-{}.json", verdict.validator));
                self.add(event, validator(&verdict), log);
            }
            EventKind::BudgetBlock(budget) => {
                self.add(event, over(&budget), self.in_attempt(event, "events.jsonl"));
            }
            EventKind::LandingConflict(conflict) => {
                let paths = conflict.paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let onto = conflict.onto.short();
                let what = match paths.as_str() {
                    "" => format!("its base is no longer in the history of {onto}"),
                    paths => format!("conflicts with {onto} in {paths}"),
                };
                self.add(event, what, self.in_landing(conflict.landing, "conflict.json"));
            }
            EventKind::LandingDoctorFail(result) => {
                let log = self.in_landing(result.landing, "doctor.log");
                self.add_for(event, result.tasks.clone(), doctor(&result), log);
            }
            EventKind::LandingRefused(refused) => {
                let log = self.in_landing(refused.landing, "candidate.json");
                let what = refusal(&refused);
                self.add_for(event, refused.tasks, what, log);
            }
            EventKind::WorkerLost(lost) => self.add(event, lost.reason, self.in_attempt(event, "agent.log")),
            EventKind::JournalTruncated(cut) => {
                self.add(
                    event,
                    format!("the journal's end was torn; {} bytes were cut off", cut.bytes),
                    None,
                );
            }
            EventKind::LandingBisect(_) => {
                self.follow(event, "the tasks are tried apart");
            }
            EventKind::TaskRetry(retry) => {
                let then = format!("tried again ({} left)", retry.attempts_left);
                self.conclude(event, &retry.reason, &then);
            }
            EventKind::TaskFail(reason) => self.conclude(event, &reason.message, "the task failed"),
            EventKind::TaskReview(reason) => {
                self.conclude(event, &reason.message, "the task needs a human");
            }
            EventKind::RunStop(stop) if is_cause(&stop) => {
                self.add(event, format!("{} ({}): {}", stop.status, stop.stop_reason, stop.message), None);
            }
            _ => {}
        }
    }

    fn add(&mut self, event: &RawEvent, what: String, log: Option<PathBuf>) {
        self.add_for(event, event.task_id.iter().cloned().collect(), what, log);
    }

    fn add_for(&mut self, event: &RawEvent, tasks: Vec<TaskId>, what: String, log: Option<PathBuf>) {
        self.found.push(Failure {
            ts: event.ts,
            seq: event.seq,
            kind: event.kind.clone(),
            tasks,
            attempt: event.attempt,
            what,
            then: None,
            log: log.map(|path| path.display().to_string()),
        });
    }

    /// A task was moved because of something. Where that was told, this is what followed; else it is told now.
    fn conclude(&mut self, event: &RawEvent, why: &str, then: &str) {
        if let Some(cause) = why.strip_prefix(AGENT_FAILED) {
            self.explain(event, cause);
        }
        if !self.follow(event, then) {
            self.add(event, why.to_owned(), self.last_of_attempt(event));
            self.follow(event, then);
        }
    }

    /// What an agent that asks a model failed of says more than how its program ended.
    fn explain(&mut self, event: &RawEvent, cause: &str) {
        let ended = self.found.iter_mut().rev().find(|failure| {
            failure.kind == "worker.exit"
                && failure.tasks.as_slice() == event.task_id.as_slice()
                && failure.attempt == event.attempt
        });
        let Some(failure) = ended else { return };
        failure.what = match failure.what.strip_prefix("the agent ") {
            // Where it was ended, the cause begins with that.
            Some(how) if cause.starts_with(how) => format!("the agent {cause}"),
            _ => format!("{}: {cause}", failure.what),
        };
    }

    /// Notes what followed from the failures that an event is the answer to. False where there are none.
    fn follow(&mut self, event: &RawEvent, then: &str) -> bool {
        let mut any = false;
        for failure in self.found.iter_mut().rev() {
            let is_his = match &event.task_id {
                Some(task) => {
                    failure.tasks.as_slice() == std::slice::from_ref(task)
                        && (failure.attempt.is_none() || failure.attempt == event.attempt)
                }
                None => failure.seq + 1 == event.seq,
            };
            if is_his && failure.then.is_none() {
                failure.then = Some(then.to_owned());
                any = true;
            }
        }
        any
    }

    fn in_attempt(&self, event: &RawEvent, name: &str) -> Option<PathBuf> {
        let dir = self.paths.attempt(event.task_id.as_ref()?, event.attempt?);
        Some(dir.join(name)).filter(|path| path.is_file())
    }

    fn in_landing(&self, landing: u32, name: &str) -> Option<PathBuf> {
        Some(self.paths.landing(landing).join(name)).filter(|path| path.is_file())
    }

    /// Of an attempt that failed without an event of its own: the log of the last command that it ran.
    fn last_of_attempt(&self, event: &RawEvent) -> Option<PathBuf> {
        let bootstrap = |number| self.in_attempt(event, &format!("bootstrap-{number}.log"));
        self.in_attempt(event, "verify.log")
            .or_else(|| self.in_attempt(event, "agent.log"))
            .or_else(|| (1..).map_while(bootstrap).last())
    }
}

fn is_success(exit: &WorkerExit) -> bool {
    exit.reason == ExitReason::Exited && exit.exit_code == Some(0)
}

/// What stops a run without a failure of a task before it.
fn is_cause(stop: &RunStop) -> bool {
    matches!(stop.stop_reason, StopReason::Environment | StopReason::Signal | StopReason::BranchRewound)
}

fn worker(exit: &WorkerExit) -> String {
    let detail = exit.local.detail.as_deref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("the agent {}{detail}", ended(exit.reason, exit.exit_code, exit.signal))
}

fn ended(reason: ExitReason, code: Option<i32>, signal: Option<i32>) -> String {
    match (reason, code, signal) {
        (ExitReason::Exited, Some(code), _) => format!("exited with {code}"),
        (ExitReason::Signaled, _, Some(signal)) => format!("was ended by signal {signal}"),
        (ExitReason::Exited | ExitReason::Signaled, ..) => "ended without a code".to_owned(),
        (ExitReason::Timeout, ..) => "ran out of time".to_owned(),
        (ExitReason::IdleTimeout, ..) => "was silent for too long".to_owned(),
        (ExitReason::FirstEventTimeout, ..) => "said nothing after it was started".to_owned(),
        (ExitReason::Stopped, ..) => "was stopped with the run".to_owned(),
        (ExitReason::NotStarted, ..) => "could not be started".to_owned(),
        (ExitReason::Lingered, ..) => "had said that it was done, and stayed".to_owned(),
        (ExitReason::OutOfMemory, ..) => "needed more memory than it may".to_owned(),
    }
}

fn manifest(found: &Violations) -> String {
    let paths: Vec<&str> = found.violations.iter().map(|violation| violation.path.as_str()).collect();
    format!("outside its manifest: {}", paths.join(", "))
}

fn validator(verdict: &ValidatorVerdict) -> String {
    let kind = if verdict.error { "gave no report" } else { "did not pass" };
    format!("the {} validator {kind}: {}", verdict.validator, verdict.summary)
}

fn over(budget: &BudgetVerdict) -> String {
    let whose = match budget.scope {
        BudgetScope::Task => "task",
        BudgetScope::Run => "run",
    };
    format!("the {whose} used {}", spoken(budget))
}

fn doctor(result: &DoctorResult) -> String {
    format!("the doctor {} on {}", ended(result.reason, result.exit_code, None), result.commit.short())
}

fn refusal(refused: &LandingRefused) -> String {
    match refused.reason {
        RefusalReason::HeadMoved => "the branch was moved by somebody else".to_owned(),
        RefusalReason::Interrupted => "the orchestrator ended before the branch moved".to_owned(),
        RefusalReason::CheckoutDirty => {
            format!("the checkout of the branch is not clean: {}", refused.paths.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::samples;

    #[test]
    fn every_type_that_says_something_is_asked_for() {
        let project = samples::project();
        let paths = RunPaths::new(&project, &"r1".parse().unwrap());
        for event in samples::events() {
            // Something that went wrong just before, to which nothing was said yet.
            let before = Failure {
                ts: event.ts,
                seq: event.seq - 1,
                kind: "worker.exit".into(),
                tasks: event.task_id.iter().cloned().collect(),
                attempt: event.attempt,
                what: String::new(),
                then: None,
                log: None,
            };
            let mut collector = Collector { paths: &paths, found: vec![before.clone()] };
            collector.see(&event);
            let said = format!("{:?}", collector.found) != format!("{:?}", [before]);
            assert!(!said || KINDS.contains(&event.kind.as_str()), "{} is passed over", event.kind);
        }
    }
}

//! How the time of a run went: a span an attempt and a span a landing, from the journal alone.

use jiff::Timestamp;
use mycelium_schemas::{
    answer::{Span, SpanKind, Timeline},
    event::{DoctorResult, EventKind, RawEvent},
    id::{RunId, TaskId},
    state::RunStatus,
};

use super::{Filter, Unread, fold};
use crate::{error::Error, store::RunPaths};

/// The timeline of a run, of its last `limit` spans where one is given.
pub fn timeline(
    paths: &RunPaths,
    run: &RunId,
    filter: &Filter,
    limit: Option<usize>,
) -> Result<(Timeline, Unread), Error> {
    let mut building = Timeline {
        run_id: run.clone(),
        started_at: None,
        updated_at: None,
        status: RunStatus::Running,
        spans: Vec::new(),
    };
    let unread = fold(&paths.journal, &KINDS, |event| see(&mut building, &event))?;
    building.spans.retain(|span| {
        filter.admits_row(span.started_at, &span.tasks, span.outcome.as_deref().unwrap_or_default())
    });
    let spare = building.spans.len().saturating_sub(limit.unwrap_or(usize::MAX));
    building.spans.drain(..spare);
    Ok((building, unread))
}

/// The types that begin or end a span, or the run.
const KINDS: [&str; 17] = [
    "run.start",
    "run.resume",
    "run.complete",
    "run.stop",
    "task.start",
    "worker.exit",
    "worker.lost",
    "task.validated",
    "task.retry",
    "task.rescope",
    "task.fail",
    "task.review",
    "landing.doctor_pass",
    "landing.doctor_fail",
    "landing.done",
    "landing.refused",
    "landing.conflict",
];

fn see(timeline: &mut Timeline, event: &RawEvent) {
    timeline.started_at.get_or_insert(event.ts);
    timeline.updated_at = Some(event.ts);
    let Some(kind) = event.known() else { return };
    match kind {
        EventKind::RunStart(_) | EventKind::RunResume(_) => timeline.status = RunStatus::Running,
        EventKind::RunComplete(_) => timeline.status = RunStatus::Complete,
        EventKind::RunStop(stop) => timeline.status = stop.status,
        EventKind::TaskStart(_) => {
            if let (Some(task), Some(number)) = (&event.task_id, event.attempt) {
                let span = begin(SpanKind::Attempt, vec![task.clone()], number, event);
                timeline.spans.push(span);
            }
        }
        EventKind::WorkerExit(exit) => {
            if let Some(span) = attempt(timeline, event) {
                span.work_ms = exit.local.duration_ms;
            }
        }
        EventKind::WorkerLost(lost) => end_attempt(timeline, event, &format!("lost: {}", lost.reason)),
        EventKind::TaskValidated(_) => end_attempt(timeline, event, "passed its gates"),
        EventKind::TaskRetry(retry) => {
            end_attempt(timeline, event, &format!("to try again: {}", retry.reason));
        }
        EventKind::TaskRescope(_) => end_attempt(timeline, event, "to try again with a wider manifest"),
        EventKind::TaskFail(reason) => end_attempt(timeline, event, &format!("failed: {}", reason.message)),
        EventKind::TaskReview(reason) => {
            end_attempt(timeline, event, &format!("needs a human: {}", reason.message));
        }
        EventKind::LandingDoctorPass(doctor) => begin_landing(timeline, event, doctor),
        EventKind::LandingDoctorFail(doctor) => {
            begin_landing(timeline, event, doctor);
            end_last_landing(timeline, event.ts, "refused by the doctor");
        }
        EventKind::LandingDone(done) => {
            end_last_landing(timeline, event.ts, &format!("landed as {}", done.commit.short()));
        }
        EventKind::LandingRefused(refused) => {
            let last = timeline.spans.iter().rev().find(|span| span.kind == SpanKind::Landing);
            if last.is_none_or(|span| span.number != refused.landing) {
                let span = begin(SpanKind::Landing, refused.tasks, refused.landing, event);
                timeline.spans.push(span);
            }
            end_last_landing(timeline, event.ts, "not landed: the branch or its checkout was in the way");
        }
        EventKind::LandingConflict(conflict) => {
            let span = begin(SpanKind::Landing, vec![conflict.task], conflict.landing, event);
            timeline.spans.push(span);
            end_last_landing(timeline, event.ts, "conflict");
        }
        _ => {}
    }
}

fn begin_landing(timeline: &mut Timeline, event: &RawEvent, doctor: DoctorResult) {
    let mut span = begin(SpanKind::Landing, doctor.tasks, doctor.landing, event);
    span.work_ms = doctor.local.duration_ms;
    timeline.spans.push(span);
}

/// The attempt that an event is about, while it goes on.
fn attempt<'a>(timeline: &'a mut Timeline, event: &RawEvent) -> Option<&'a mut Span> {
    let is_his = |span: &&mut Span| {
        span.kind == SpanKind::Attempt
            && span.tasks.first() == event.task_id.as_ref()
            && Some(span.number) == event.attempt
            && span.ended_at.is_none()
    };
    timeline.spans.iter_mut().rev().find(is_his)
}

fn end_attempt(timeline: &mut Timeline, event: &RawEvent, outcome: &str) {
    if let Some(span) = attempt(timeline, event) {
        span_end(span, event.ts, outcome);
    }
}

fn end_last_landing(timeline: &mut Timeline, ts: Timestamp, outcome: &str) {
    if let Some(span) = timeline.spans.iter_mut().rev().find(|span| span.kind == SpanKind::Landing) {
        span_end(span, ts, outcome);
    }
}

fn span_end(span: &mut Span, ts: Timestamp, outcome: &str) {
    span.ended_at = Some(ts);
    span.duration_ms = u64::try_from(ts.duration_since(span.started_at).as_millis()).ok();
    span.outcome = Some(outcome.to_owned());
}

fn begin(kind: SpanKind, tasks: Vec<TaskId>, number: u32, event: &RawEvent) -> Span {
    Span {
        kind,
        tasks,
        number,
        batch: event.batch,
        started_at: event.ts,
        ended_at: None,
        duration_ms: None,
        work_ms: None,
        outcome: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::samples;

    #[test]
    fn every_type_that_says_something_is_asked_for() {
        for event in samples::events() {
            let open = |kind, number| begin(kind, event.task_id.iter().cloned().collect(), number, &event);
            let mut timeline = Timeline {
                run_id: event.run_id.clone(),
                started_at: Some(event.ts),
                updated_at: Some(event.ts),
                // Never that of an event: a change shows.
                status: RunStatus::Interrupted,
                spans: vec![
                    open(SpanKind::Landing, u32::MAX),
                    open(SpanKind::Attempt, event.attempt.unwrap_or_default()),
                ],
            };
            let before = format!("{timeline:?}");
            see(&mut timeline, &event);
            let said = format!("{timeline:?}") != before;
            assert!(!said || KINDS.contains(&event.kind.as_str()), "{} is passed over", event.kind);
        }
    }
}

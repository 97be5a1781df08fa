//! Events, timelines and failures as people read them.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use mycelium_schemas::{
    answer::{Failures, Span, SpanKind, Timeline},
    event::{RawEvent, RunStop},
    id::RunId,
};

use super::{brief, duration, ids, lines, problem::plain, progress, stamp};

/// Characters shown of a payload that has no words of its own.
const PAYLOAD_CHARS_MAX: usize = 200;
const TYPE_WIDTH: usize = 19;

/// An event in one line: when, who, which type, what.
pub(crate) fn event(event: &RawEvent) -> String {
    let who = match (&event.task_id, event.attempt, event.batch) {
        (Some(task), Some(attempt), _) => format!("{task}#{attempt}"),
        (Some(task), None, _) => task.to_string(),
        (None, _, Some(batch)) => format!("batch {batch}"),
        (None, _, None) => "run".to_owned(),
    };
    let known = event.known().as_ref().and_then(progress::what);
    let what = known.unwrap_or_else(|| payload(event));
    let line = format!("{} {who:<8} {:<TYPE_WIDTH$} {what}", stamp(event.ts), plain(&event.kind));
    plain(&line).replace('\n', " ").trim_end().to_owned()
}

fn payload(event: &RawEvent) -> String {
    // What an agent printed says more than the name of the field that holds it.
    let value = event.payload.get("event").unwrap_or(&event.payload);
    if value.is_null() {
        return String::new();
    }
    let text = value.to_string();
    match text.char_indices().nth(PAYLOAD_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A line for the run and one for each span.
pub(crate) fn timeline(timeline: &Timeline) -> String {
    let mut text = format!("run {}: {}", timeline.run_id, timeline.status);
    if let (Some(start), Some(last)) = (timeline.started_at, timeline.updated_at) {
        // Writing to a string cannot fail.
        let _ = write!(text, " · began {} · {}", stamp(start), duration(between(start, last)));
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["AFTER", "TASK", "WHAT", "TOOK", "WORK", "OUTCOME"]);
    for span in &timeline.spans {
        table.add_row(row(span, timeline.started_at.unwrap_or(span.started_at)));
    }
    for numbers in [0, 3, 4] {
        if let Some(column) = table.column_mut(numbers) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{text}\n\n{}", lines(table.lines().map(|row| row.trim_end().to_owned())))
}

fn row(span: &Span, start: Timestamp) -> [String; 6] {
    let kind = match span.kind {
        SpanKind::Attempt => "attempt",
        SpanKind::Landing => "landing",
    };
    let time = |length: Option<u64>| length.map_or_else(|| "-".to_owned(), duration);
    [
        format!("+{}", duration(between(start, span.started_at))),
        ids(&span.tasks),
        format!("{kind} {}", span.number),
        time(span.duration_ms),
        time(span.work_ms),
        plain(span.outcome.as_deref().unwrap_or("not ended")).replace('\n', " "),
    ]
}

fn between(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(end.duration_since(start).as_millis()).unwrap_or(0)
}

/// No failure is told: whether none was found or none asked for, and how the run ended where it did not complete.
pub(crate) fn no_failures(run: &RunId, filtered: bool, end: Option<&RunStop>) -> String {
    let none = match (filtered, end) {
        (true, _) => "no failure matches",
        (false, None) => "nothing went wrong",
        (false, Some(_)) => "no failure is on record",
    };
    let end =
        end.map(|stop| format!("; it ended as {} ({}): {}", stop.status, stop.stop_reason, stop.message));
    let text = plain(&format!("run {run}: {none}{}", end.unwrap_or_default()));
    format!("{}\n", text.replace('\n', " "))
}

/// A list of paths of any length is shortened; what others wrote is not.
fn shown(kind: &str, text: &str) -> String {
    if ["manifest.", "landing."].iter().any(|family| kind.starts_with(family)) {
        brief(text)
    } else {
        text.to_owned()
    }
}

/// One paragraph a failure: when and whose, what, what followed, and where to look.
pub(crate) fn failures(failures: &Failures) -> String {
    let paragraphs = failures.failures.iter().map(|failure| {
        let who = match (failure.tasks.as_slice(), failure.attempt) {
            ([], _) => format!("run {}", failures.run_id),
            (tasks, Some(attempt)) => format!("task {}, attempt {attempt}", ids(tasks)),
            ([task], None) => format!("task {task}"),
            (tasks, None) => format!("tasks {}", ids(tasks)),
        };
        let mut text = format!("{} {who}: {}\n", stamp(failure.ts), failure.kind);
        let rows =
            [("what", Some(&failure.what)), ("then", failure.then.as_ref()), ("log", failure.log.as_ref())];
        for (name, value) in rows {
            if let Some(value) = value {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "  {name:<5} {}", shown(&failure.kind, value).replace('\n', " "));
            }
        }
        plain(&text)
    });
    paragraphs.collect::<Vec<_>>().join("\n")
}

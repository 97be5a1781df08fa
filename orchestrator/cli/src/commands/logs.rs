//! `mycelium logs`: what a run wrote. Reads only.

use std::{collections::VecDeque, io};

use jiff::Timestamp;
use mycelium_engine::{
    logs::{self, Entry, Filter, Query, Reader, Unread},
    poll::Poll,
    project::Project,
    store::{self, RunPaths},
};
use mycelium_schemas::{answer::Logged, event::EventKind, id::RunId};
use serde::Serialize;

use super::Context;
use crate::{
    args::{LogsArgs, LogsView},
    error::CliError,
    exit::Exit,
    output::{self, Output, Stream},
    render::{self, problem::Paint},
};

/// Events that `follow` begins with unless told.
const BEFORE: usize = 10;

/// Shows what was asked for of the run that was named, or of the latest.
pub(crate) fn run(context: &Context, args: LogsArgs) -> Result<Exit, CliError> {
    let project = context.project()?;
    let output = context.output;
    if args.view == LogsView::Timeline && args.types.is_some() {
        return Err(CliError::TypeOfTimeline);
    }
    let now = context.environment.now().map_err(mycelium_engine::Error::from)?.unwrap_or_else(Timestamp::now);
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok());
    let query = Query { task: args.task, types: args.types, since: args.since, grep: args.grep };
    let filter = Filter::new(&query, now)?;
    if let Some(glob) = &query.types
        && !EventKind::TYPES.iter().any(|kind| filter.admits_type(kind))
    {
        output.say(&format!("no type of event that this version knows matches {glob:?}"));
    }
    let run_id = match args.run_id {
        Some(run_id) => Some(run_id),
        None => store::latest(&project)?.map(|view| view.run_id),
    };
    let Some(run_id) = run_id else {
        output.data(&Logged::<()>::NoRuns([]), String::new)?;
        output.say("no runs yet");
        return Ok(Exit::Done);
    };
    let paths = logs::find(&project, &run_id)?;
    if let Some(task) = &query.task {
        logs::check_task(&project, &run_id, task)?;
    }
    match args.view {
        LogsView::Query => query_events(output, paths, filter, limit),
        LogsView::Follow => follow(output, &project, &run_id, Reader::open(paths, filter)?, limit),
        LogsView::Timeline => {
            let (found, unread) = logs::timeline(&paths, &run_id, &filter, limit)?;
            show(output, &found, unread, render::logs::timeline)
        }
        LogsView::Failures => {
            let (found, unread) = logs::failures(&paths, &run_id, &filter, limit)?;
            if !found.failures.is_empty() {
                return show(output, &found, unread, render::logs::failures);
            }
            let filtered = !query.is_empty();
            let end = logs::last_stop(&paths)?;
            show(output, &found, unread, |found| {
                render::logs::no_failures(&found.run_id, filtered, end.as_ref())
            })
        }
    }
}

fn show<T: Serialize>(
    output: Output,
    found: &T,
    unread: Unread,
    text: impl FnOnce(&T) -> String,
) -> Result<Exit, CliError> {
    output.data(found, || text(found))?;
    say_unread(output, unread);
    Ok(Exit::Done)
}

fn query_events(
    output: Output,
    paths: RunPaths,
    filter: Filter,
    limit: Option<usize>,
) -> Result<Exit, CliError> {
    let mut reader = Reader::open(paths, filter)?;
    let mut last = Last::new(limit);
    let printed = print(output, |printer| {
        while let Some(entry) = reader.next_entry()? {
            if let Some(entry) = last.push(entry) {
                printer.entry(&entry)?;
            }
        }
        let (rest, unread) = reader.finish()?;
        for entry in rest {
            if let Some(entry) = last.push(entry) {
                printer.entry(&entry)?;
            }
        }
        for entry in last.kept {
            printer.entry(&entry)?;
        }
        Ok(unread)
    })?;
    Ok(match printed {
        Ok(unread) => {
            say_unread(output, unread);
            Exit::Done
        }
        Err(exit) => exit,
    })
}

fn follow(
    output: Output,
    project: &Project,
    run_id: &RunId,
    mut reader: Reader,
    limit: Option<usize>,
) -> Result<Exit, CliError> {
    let mut poll = Poll::new()?;
    let mut last = Last::new(Some(limit.unwrap_or(BEFORE)));
    let printed = print(output, |printer| {
        // Asked before reading: what the run wrote up to its end is read after it.
        let mut live = store::is_live(project, run_id)?;
        while let Some(entry) = reader.next_entry()? {
            last.push(entry);
        }
        for entry in last.kept {
            printer.entry(&entry)?;
        }
        while live {
            printer.flush()?;
            if let Some(signal) = poll.wait() {
                return Ok(Err(signal));
            }
            live = store::is_live(project, run_id)?;
            reader.wake();
            while let Some(entry) = reader.next_entry()? {
                printer.entry(&entry)?;
            }
        }
        let (rest, unread) = reader.finish()?;
        for entry in rest {
            printer.entry(&entry)?;
        }
        Ok(Ok(unread))
    })?;
    Ok(match printed {
        Ok(Ok(unread)) => {
            say_unread(output, unread);
            output.say(&format!("run {run_id} does not work any more"));
            Exit::Done
        }
        Ok(Err(signal)) => signal.into(),
        Err(exit) => exit,
    })
}

/// Prints what a stream of events gives, and what it ends with. Where it breaks off under `--json` after it has begun, its
/// array is ended, so that standard output holds one document; why is told on standard error alone, and how the command
/// ends is what comes back.
fn print<T>(
    output: Output,
    stream: impl FnOnce(&mut Printer) -> Result<T, CliError>,
) -> Result<Result<T, Exit>, CliError> {
    let mut printer = Printer::new(output);
    match stream(&mut printer) {
        Ok(end) => {
            printer.close()?;
            Ok(Ok(end))
        }
        Err(error) if output.json && printer.printed && !error.is_broken_pipe() => {
            printer.close()?;
            output::complain(&render::error::text(&error, Paint(output.color)));
            Ok(Err(error.exit()))
        }
        Err(error) => Err(error),
    }
}

fn say_unread(output: Output, unread: Unread) {
    if unread.damaged > 0 {
        output.say(&format!("lines that are no events and were skipped: {}", unread.damaged));
    }
    if unread.unfinished > 0 {
        output.say(&format!("last lines that have no end and were skipped: {}", unread.unfinished));
    }
}

/// The last entries, where not all are wanted.
struct Last {
    limit: Option<usize>,
    kept: VecDeque<Entry>,
}

impl Last {
    fn new(limit: Option<usize>) -> Self {
        Self { limit, kept: VecDeque::new() }
    }

    /// Gives the entry back at once where all are wanted, else keeps it as long as it is among the last.
    fn push(&mut self, entry: Entry) -> Option<Entry> {
        let Some(limit) = self.limit else { return Some(entry) };
        if self.kept.len() == limit {
            self.kept.pop_front();
        }
        self.kept.push_back(entry);
        None
    }
}

/// Prints events one by one: as lines, or as the elements of one JSON array.
struct Printer {
    out: Stream,
    json: bool,
    printed: bool,
}

impl Printer {
    fn new(output: Output) -> Self {
        Self { out: Stream::open(), json: output.json, printed: false }
    }

    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        if !self.json {
            return self.out.text(&render::logs::event(&entry.event));
        }
        // Each element ends its line at once, so that who follows has it whole.
        self.out.raw(if self.printed { "," } else { "[" })?;
        self.printed = true;
        self.out.json(&String::from_utf8_lossy(&entry.line))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn close(mut self) -> io::Result<()> {
        if self.json {
            self.out.raw(if self.printed { "]\n" } else { "[]\n" })?;
        }
        self.out.flush()
    }
}

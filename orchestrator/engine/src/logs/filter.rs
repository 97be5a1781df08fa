//! Which events are wanted: all conditions at once. What can be ruled out from the bytes of a line is, before the line
//! is read as JSON.

use globset::{GlobBuilder, GlobMatcher};
use jiff::{SignedDuration, Timestamp};
use memchr::memmem::Finder;
use mycelium_schemas::{
    event::{EventKind, RawEvent},
    id::TaskId,
};
use regex::bytes::{Regex, RegexBuilder};

use crate::error::Error;

/// Bytes of a stamp down to its second, as in `2026-01-02T03:04:05`.
const SECOND_BYTES: usize = 19;

/// Conditions as the command line says them.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// About this task, or naming it in the payload.
    pub task: Option<TaskId>,
    /// Glob over the type, for example `landing.*`.
    pub types: Option<String>,
    /// A time, or how long ago, for example `90m`.
    pub since: Option<String>,
    /// Regular expression over the line as it is stored.
    pub grep: Option<String>,
}

impl Query {
    /// True where it asks for everything.
    pub fn is_empty(&self) -> bool {
        self.task.is_none() && self.types.is_none() && self.since.is_none() && self.grep.is_none()
    }
}

/// Wanted types. Those that are known are matched once, not once a line.
#[derive(Debug, Clone)]
struct Types {
    glob: GlobMatcher,
    known: Vec<&'static str>,
}

impl Types {
    fn admit(&self, kind: &str) -> bool {
        self.known.contains(&kind) || (!EventKind::TYPES.contains(&kind) && self.glob.is_match(kind))
    }
}

/// Conditions ready to be asked.
#[derive(Debug, Clone)]
pub struct Filter {
    task: Option<(TaskId, Finder<'static>)>,
    types: Option<Types>,
    since: Option<(Timestamp, String)>,
    grep: Option<Regex>,
}

impl Filter {
    /// Reads the conditions; `now` is what `since` counts back from.
    pub fn new(query: &Query, now: Timestamp) -> Result<Self, Error> {
        let quoted = |id: &TaskId| Finder::new(&format!("\"{id}\"")).into_owned();
        let since = query.since.as_deref().map(|text| since(text, now)).transpose()?;
        Ok(Self {
            task: query.task.as_ref().map(|task| (task.clone(), quoted(task))),
            types: query.types.as_deref().map(types).transpose()?,
            since: since.map(|since| (since, since.strftime("%Y-%m-%dT%H:%M:%S").to_string())),
            grep: query.grep.as_deref().map(expression).transpose()?,
        })
    }

    /// False where no event in this line can be wanted, given its type where that is known without reading the line.
    pub(super) fn may_admit(&self, line: &[u8], kind: Option<&str>) -> bool {
        kind.is_none_or(|kind| self.admits_type(kind))
            && self.task.as_ref().is_none_or(|(_, quoted)| quoted.find(line).is_some())
            && self.since.as_ref().is_none_or(|(_, since)| !is_before(line, since))
            && self.grep.as_ref().is_none_or(|grep| grep.is_match(line))
    }

    /// Whether an event is wanted, given that its line may be.
    pub(super) fn admits(&self, event: &RawEvent) -> bool {
        self.admits_type(&event.kind)
            && self.since.as_ref().is_none_or(|(since, _)| event.ts >= *since)
            && self.task.as_ref().is_none_or(|(task, _)| is_about(event, task))
    }

    /// Whether something that was made of events is wanted.
    pub(super) fn admits_row(&self, ts: Timestamp, tasks: &[TaskId], text: &str) -> bool {
        self.since.as_ref().is_none_or(|(since, _)| ts >= *since)
            && self.task.as_ref().is_none_or(|(task, _)| tasks.contains(task))
            && self.grep.as_ref().is_none_or(|grep| grep.is_match(text.as_bytes()))
    }

    /// Whether a type is wanted.
    pub fn admits_type(&self, kind: &str) -> bool {
        self.types.as_ref().is_none_or(|types| types.admit(kind))
    }

    /// False where no event of this task can be wanted.
    pub(super) fn admits_task(&self, task: &TaskId) -> bool {
        self.task.as_ref().is_none_or(|(wanted, _)| wanted == task)
    }
}

/// True for an event of the task, and for one of a batch or landing whose payload names it.
fn is_about(event: &RawEvent, task: &TaskId) -> bool {
    let is_it = |value: &serde_json::Value| value.as_str() == Some(task.as_str());
    event.task_id.as_ref() == Some(task)
        || event.payload.get("task").is_some_and(is_it)
        || ["tasks", "landed", "not_landed", "left", "right"].iter().any(|list| {
            event.payload.get(list).and_then(|list| list.as_array()).is_some_and(|ids| ids.iter().any(is_it))
        })
}

/// True where the line begins as ours do, with a stamp of an earlier second than `since`.
fn is_before(line: &[u8], since: &str) -> bool {
    let stamp = memchr::memmem::find(&line[..line.len().min(40)], b"\"ts\":\"").map(|at| &line[at + 6..]);
    stamp
        .and_then(|stamp| stamp.get(..SECOND_BYTES))
        .is_some_and(|second| second[0].is_ascii_digit() && second < since.as_bytes())
}

fn types(glob: &str) -> Result<Types, Error> {
    let glob = GlobBuilder::new(glob).build().map_err(|error| Error::Request {
        message: format!("--type {glob:?} is not a glob: {}", error.kind()),
        help: "write for example 'landing.*' or '*.block'".into(),
    })?;
    let glob = glob.compile_matcher();
    let known = EventKind::TYPES.iter().copied().filter(|kind| glob.is_match(kind)).collect();
    Ok(Types { glob, known })
}

fn expression(text: &str) -> Result<Regex, Error> {
    RegexBuilder::new(text).build().map_err(|error| {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        Error::Request {
            message: format!("--grep {text:?} is not a regular expression: {why}"),
            help: "escape special characters with \\".into(),
        }
    })
}

fn since(text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago: Option<SignedDuration> = text.parse().ok();
    ago.filter(|ago| !ago.is_negative()).and_then(|ago| now.checked_sub(ago).ok()).ok_or_else(|| {
        Error::Request {
            message: format!("--since {text:?} is neither a time nor a duration"),
            help: "write a time like 2026-01-02T03:04:05Z, or how long ago: 90m, 2h, 1h30m".into(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logs::head;

    const LINE: &str = r#"{"v":1,"ts":"2026-01-02T03:04:05.250Z","seq":7,"run_id":"r1","batch":1,"type":"landing.done","payload":{"tasks":["001","003"],"landing":2}}"#;

    fn admits(query: &Query) -> bool {
        let filter = Filter::new(query, "2026-01-02T03:05:05Z".parse().unwrap()).unwrap();
        let event: RawEvent = serde_json::from_str(LINE).unwrap();
        let admitted =
            filter.admits(&event) && filter.may_admit(LINE.as_bytes(), head::kind(LINE.as_bytes()));
        let ruled_out = !filter.may_admit(LINE.as_bytes(), head::kind(LINE.as_bytes()));
        assert!(!ruled_out || query.grep.is_some() || !filter.admits(&event), "{query:?} rules out too much");
        admitted
    }

    #[test]
    fn each_condition_is_asked() {
        let text = |text: &str| Some(text.to_owned());
        for (query, wanted) in [
            (Query::default(), true),
            (Query { task: Some("001".parse().unwrap()), ..Query::default() }, true),
            (Query { task: Some("002".parse().unwrap()), ..Query::default() }, false),
            (Query { types: text("landing.*"), ..Query::default() }, true),
            (Query { types: text("*.done"), ..Query::default() }, true),
            (Query { types: text("{landing,task}.d?ne"), ..Query::default() }, true),
            (Query { types: text("landing"), ..Query::default() }, false),
            (Query { types: text("*.doc*"), ..Query::default() }, false),
            (Query { since: text("2026-01-02T03:04:05Z"), ..Query::default() }, true),
            (Query { since: text("2026-01-02T03:04:05.250Z"), ..Query::default() }, true),
            (Query { since: text("2026-01-02T03:04:05.251Z"), ..Query::default() }, false),
            (Query { since: text("2026-01-02T05:04:05.2+02:00"), ..Query::default() }, true),
            (Query { since: text("1m"), ..Query::default() }, true),
            (Query { since: text("59s"), ..Query::default() }, false),
            (Query { grep: text(r#""landing":\d"#), ..Query::default() }, true),
            (Query { grep: text("doctor"), ..Query::default() }, false),
            (Query { types: text("landing.*"), grep: text("doctor"), ..Query::default() }, false),
        ] {
            assert_eq!(admits(&query), wanted, "{query:?}");
        }
    }

    #[test]
    fn a_condition_that_is_nonsense_is_said_so() {
        let now = Timestamp::UNIX_EPOCH;
        for (query, said) in [
            (Query { types: Some("[".into()), ..Query::default() }, "is not a glob"),
            (Query { since: Some("yesterday".into()), ..Query::default() }, "neither a time nor a duration"),
            (Query { since: Some("-5m".into()), ..Query::default() }, "neither a time nor a duration"),
            (Query { grep: Some("(".into()), ..Query::default() }, "unclosed group"),
        ] {
            let error = Filter::new(&query, now).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}

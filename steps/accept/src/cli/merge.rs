//! Makes one run of the runs of several shards: one stream, as if one machine had run everything.
//!
//! What comes before the run (features, pickles, step definitions) has to be the same everywhere and is written once; the
//! ids behind it are made disjoint by the number of their run.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    path::PathBuf,
};

use mycelium_schemas::{
    evidence::{RUN_INFO_MEDIA_TYPE, RunInfo},
    messages::{Envelope, Pickle, TestRunFinished},
};

use crate::runner::Shard;

/// Missing shards that are named; who lacks more of them has lost no single one.
const MISSING_LISTED: usize = 20;

/// The whole stream of one run.
#[derive(Debug)]
pub(super) struct Part {
    /// Its folder.
    pub(super) folder: PathBuf,
    /// What it says of itself.
    pub(super) info: RunInfo,
    /// Its messages.
    pub(super) stream: Vec<Envelope>,
}

/// Why runs are not parts of one.
#[derive(Debug, thiserror::Error)]
pub(super) enum MergeError {
    #[error("{} and {} are about different {what}: {one} and {other}", first.display(), second.display())]
    Different { what: &'static str, first: PathBuf, second: PathBuf, one: String, other: String },
    #[error(
        "{} and {} read different features or steps; run all shards from the same checkout with the same paths",
        first.display(),
        second.display()
    )]
    OtherSuite { first: PathBuf, second: PathBuf },
    #[error("{} scenario(s) ran in more than one of these runs:\n{}", .0.len(), list(.0))]
    Doubled(Vec<Doubled>),
    #[error("the output folder {} and {}, one of the runs to merge, are the same or stand in each other", out.display(), folder.display())]
    OutputIsInput { out: PathBuf, folder: PathBuf },
    #[error("{} is no stream of one run", .0.display())]
    NoRun(PathBuf),
}

/// A scenario of two runs.
#[derive(Debug)]
pub(super) struct Doubled {
    place: String,
    name: String,
    lane: String,
    folders: [PathBuf; 2],
}

impl fmt::Display for Doubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, name, lane, folders: [first, second] } = self;
        write!(f, "  {place} {name:?} in {lane}: {} and {}", first.display(), second.display())
    }
}

fn list(doubled: &[Doubled]) -> String {
    doubled.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The stream of the whole run, and what it says of itself.
pub(super) fn merge(parts: Vec<Part>) -> Result<(Vec<Envelope>, RunInfo), MergeError> {
    let mut pieces: Vec<Pieces> = Vec::with_capacity(parts.len());
    for (number, part) in parts.into_iter().enumerate() {
        pieces.push(Pieces::of(number + 1, part)?);
    }
    let (first, others) = pieces.split_first().ok_or_else(|| MergeError::NoRun(PathBuf::new()))?;
    for other in others {
        same_subject(first, other)?;
        // The first message tells the machine, which may be another one.
        if first.prologue.get(1..) != other.prologue.get(1..) {
            return Err(MergeError::OtherSuite { first: first.folder.clone(), second: other.folder.clone() });
        }
    }
    let doubled = doubled(&pieces);
    if !doubled.is_empty() {
        return Err(MergeError::Doubled(doubled));
    }
    let info = merged_info(&pieces);
    let end = merged_end(&pieces);
    let mut stream = first.prologue.clone();
    stream.push(first.begin.clone());
    for piece in &mut pieces {
        stream.append(&mut piece.body);
    }
    stream.push(info_message(&pieces, &info));
    stream.push(Envelope::TestRunFinished(end));
    Ok((stream, info))
}

/// A run taken apart.
struct Pieces {
    folder: PathBuf,
    info: RunInfo,
    prologue: Vec<Envelope>,
    begin: Envelope,
    body: Vec<Envelope>,
    info_message: Envelope,
    end: TestRunFinished,
}

impl Pieces {
    fn of(number: usize, part: Part) -> Result<Self, MergeError> {
        let Part { folder, info, mut stream } = part;
        let no_run = || MergeError::NoRun(folder.clone());
        let begin = stream.iter().position(|message| matches!(message, Envelope::TestRunStarted(_)));
        let mut body = stream.split_off(begin.ok_or_else(no_run)?);
        let is_info = |message: &Envelope| matches!(message, Envelope::Attachment(attachment) if attachment.media_type == RUN_INFO_MEDIA_TYPE);
        let info_at = body.iter().position(is_info).ok_or_else(no_run)?;
        let mut info_message = body.remove(info_at);
        let Some(Envelope::TestRunFinished(end)) = body.pop() else { return Err(no_run()) };
        let begin = body.remove(0);
        for message in body.iter_mut().chain([&mut info_message]) {
            renumber(message, number);
        }
        Ok(Self { folder, info, prologue: stream, begin, body, info_message, end })
    }

    fn pickle(&self, id: &str) -> Option<&Pickle> {
        self.prologue.iter().find_map(|message| match message {
            Envelope::Pickle(pickle) if pickle.id == id => Some(pickle),
            _ => None,
        })
    }
}

/// Makes the ids of what a run made itself differ from those of every other run. What it refers to before the run keeps
/// its id, and so does the run, which becomes one.
fn renumber(message: &mut Envelope, number: usize) {
    let new = |id: &mut String| *id = format!("{number}-{id}");
    let new_if_any = |id: &mut Option<String>| {
        if let Some(id) = id {
            *id = format!("{number}-{id}");
        }
    };
    match message {
        Envelope::TestCase(case) => {
            new(&mut case.id);
            case.test_steps.iter_mut().for_each(|step| new(&mut step.id));
        }
        Envelope::TestCaseStarted(started) => {
            new(&mut started.id);
            new(&mut started.test_case_id);
        }
        Envelope::TestCaseFinished(finished) => new(&mut finished.test_case_started_id),
        Envelope::TestStepStarted(started) => {
            new(&mut started.test_case_started_id);
            new(&mut started.test_step_id);
        }
        Envelope::TestStepFinished(finished) => {
            new(&mut finished.test_case_started_id);
            new(&mut finished.test_step_id);
        }
        Envelope::Attachment(attachment) => {
            new_if_any(&mut attachment.test_case_started_id);
            new_if_any(&mut attachment.test_step_id);
        }
        _ => {}
    }
}

fn same_subject(first: &Pieces, second: &Pieces) -> Result<(), MergeError> {
    let facts = |info: &RunInfo| {
        [
            ("trees", info.tree.clone().unwrap_or_else(|| "no tree".to_owned())),
            ("states of the working tree", if info.dirty { "changed" } else { "as committed" }.to_owned()),
            ("contents of the working tree", info.source_digest.clone().unwrap_or_default()),
            ("programs", info.binary_digest.clone()),
        ]
    };
    for ((what, one), (_, other)) in facts(&first.info).into_iter().zip(facts(&second.info)) {
        if one != other {
            let (first, second) = (first.folder.clone(), second.folder.clone());
            return Err(MergeError::Different { what, first, second, one, other });
        }
    }
    Ok(())
}

fn doubled(pieces: &[Pieces]) -> Vec<Doubled> {
    let mut seen: HashMap<(&str, &str), &Pieces> = HashMap::new();
    let mut doubled = Vec::new();
    for piece in pieces {
        for planned in &piece.info.planned {
            let Some(other) = seen.insert((&planned.pickle_id, &planned.lane), piece) else { continue };
            let pickle = piece.pickle(&planned.pickle_id);
            let line = pickle.and_then(|pickle| pickle.location).map_or(0, |location| location.line);
            doubled.push(Doubled {
                place: format!("{}:{line}", pickle.map_or("", |pickle| pickle.uri.as_str())),
                name: pickle.map(|pickle| pickle.name.clone()).unwrap_or_default(),
                lane: planned.lane.clone(),
                folders: [other.folder.clone(), piece.folder.clone()],
            });
        }
    }
    doubled
}

/// The parts are no reason any more why the whole would be partial, unless one is missing.
fn merged_info(pieces: &[Pieces]) -> RunInfo {
    let reasons: BTreeSet<&String> = pieces.iter().flat_map(|piece| &piece.info.partial).collect();
    let mut partial: Vec<String> =
        reasons.iter().filter(|reason| Shard::of_reason(reason).is_none()).map(|r| (*r).clone()).collect();
    // Each lane is parted by itself: half of one and half of another are no whole.
    let mut parted: BTreeMap<(&[String], usize), BTreeSet<Shard>> = BTreeMap::new();
    for RunInfo { partial, lanes, .. } in pieces.iter().map(|piece| &piece.info) {
        for shard in partial.iter().filter_map(|reason| Shard::of_reason(reason)) {
            parted.entry((lanes, shard.total())).or_default().insert(shard);
        }
    }
    for ((lanes, total), shards) in &parted {
        let missing = shards.iter().take(1).flat_map(|shard| shard.all()).filter(|s| !shards.contains(s));
        let lanes = lanes.join(" and ");
        partial
            .extend(missing.take(MISSING_LISTED).map(|shard| format!("shard {shard} of {lanes} is missing")));
        let unlisted = (total - shards.len()).saturating_sub(MISSING_LISTED);
        if unlisted > 0 {
            partial.push(format!("{unlisted} more of {total} shards of {lanes} are missing"));
        }
    }
    let lanes: BTreeSet<&String> = pieces.iter().flat_map(|piece| &piece.info.lanes).collect();
    let mut planned: Vec<_> = pieces.iter().flat_map(|piece| piece.info.planned.clone()).collect();
    planned.sort();
    RunInfo { partial, lanes: lanes.into_iter().cloned().collect(), planned, ..pieces[0].info.clone() }
}

fn info_message(pieces: &[Pieces], info: &RunInfo) -> Envelope {
    let mut message = pieces[0].info_message.clone();
    if let Envelope::Attachment(attachment) = &mut message {
        // Our own type has string keys and no fallible serializer; the reader refuses an empty body.
        attachment.body = serde_json::to_string(info).unwrap_or_default();
    }
    message
}

fn merged_end(pieces: &[Pieces]) -> TestRunFinished {
    let mut end = pieces[0].end.clone();
    end.success = pieces.iter().all(|piece| piece.end.success);
    end.timestamp = pieces.iter().map(|piece| piece.end.timestamp).max().unwrap_or(end.timestamp);
    let messages: Vec<&str> = pieces.iter().filter_map(|piece| piece.end.message.as_deref()).collect();
    end.message = (!messages.is_empty()).then(|| messages.join("; "));
    end
}

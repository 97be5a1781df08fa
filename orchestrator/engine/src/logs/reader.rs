//! The events of a run as one stream: the journal's in their order, and those of each attempt's own file between its
//! `worker.start` and `worker.exit`, by their stamps. Can be read on when the files have grown.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::PathBuf,
};

use jiff::Timestamp;
use mycelium_schemas::{event::RawEvent, id::TaskId};

use super::{Filter, Unread, head, lines::Lines};
use crate::{
    error::{Error, IoContext},
    store::{self, RunPaths},
};

/// How the types of a process's events begin.
const WORKER: &str = "worker.";
const EVENTS_FILE: &str = "events.jsonl";
/// The journal's number among the sources.
const JOURNAL: usize = 0;

/// One event with its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// As read; its type may be one that this build does not know.
    pub event: RawEvent,
    /// As stored, without the end of line.
    pub line: Vec<u8>,
}

/// Which attempt a file belongs to.
type Key = (TaskId, u32);

#[derive(Debug)]
struct Source {
    lines: Lines<File>,
    /// None for the journal.
    attempt: Option<Key>,
}

/// What comes next of a source.
#[derive(Debug)]
enum Next {
    /// An event of the source of this number.
    Entry(usize, Box<Entry>),
    /// The file of an attempt, not opened yet: no more files are open than attempts ran at once.
    File(Key),
}

/// Reads the events of a run that a filter wants.
#[derive(Debug)]
pub struct Reader {
    paths: RunPaths,
    filter: Filter,
    sources: Vec<Option<Source>>,
    /// Sources whose next event is to be looked for.
    hungry: Vec<usize>,
    /// Sources that have been read to their present end.
    ended: Vec<usize>,
    /// By stamp; among equal stamps events come before files, then by when they were found.
    queue: BTreeMap<(Timestamp, bool, u64), Next>,
    found: u64,
    /// Attempts whose file was announced by the journal.
    begun: BTreeSet<Key>,
    /// Attempts whose end the journal holds: their own file says it a second time.
    exited: BTreeSet<Key>,
    /// What attempts say of their processes and the journal does not, yet.
    deferred: Vec<Entry>,
    unread: Unread,
}

impl Reader {
    /// Opens the journal of a run.
    pub fn open(paths: RunPaths, filter: Filter) -> Result<Self, Error> {
        let file = store::open_file(&paths.journal).at("open", &paths.journal)?;
        let journal = Source { lines: Lines::new(file, paths.journal.clone()), attempt: None };
        Ok(Self {
            paths,
            filter,
            sources: vec![Some(journal)],
            hungry: vec![JOURNAL],
            ended: Vec::new(),
            queue: BTreeMap::new(),
            found: 0,
            begun: BTreeSet::new(),
            exited: BTreeSet::new(),
            deferred: Vec::new(),
            unread: Unread::default(),
        })
    }

    /// The next event; none at the present end of all files.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        loop {
            while let Some(number) = self.hungry.pop() {
                self.feed(number)?;
            }
            match self.pop() {
                None => return Ok(None),
                Some(Next::Entry(number, entry)) => {
                    self.hungry.push(number);
                    return Ok(Some(*entry));
                }
                Some(Next::File(key)) => self.open_attempt(key)?,
            }
        }
    }

    /// What comes next by its stamp. The journal's next event lies behind the ends of all attempts that it has told of:
    /// what is left of them goes before it, also where a clock that was set back stamps it later.
    fn pop(&mut self) -> Option<Next> {
        let (first, next) = self.queue.first_key_value()?;
        let is_journal = matches!(next, Next::Entry(JOURNAL, _));
        let of_ended = || self.queue.iter().find(|(_, next)| self.has_exited(next)).map(|(key, _)| *key);
        let key = is_journal.then(of_ended).flatten().unwrap_or(*first);
        self.queue.remove(&key)
    }

    /// Whether it is of an attempt whose end the journal holds.
    fn has_exited(&self, next: &Next) -> bool {
        let key = match next {
            Next::Entry(number, _) => {
                self.sources.get(*number).and_then(Option::as_ref).and_then(|source| source.attempt.as_ref())
            }
            Next::File(key) => Some(key),
        };
        key.is_some_and(|key| self.exited.contains(key))
    }

    /// After the end: looks again whether there is more.
    pub fn wake(&mut self) {
        self.hungry.append(&mut self.ended);
    }

    /// After the end, where nothing will be written any more: what attempts told and the journal does not know of comes
    /// too. What the files held that could not be read is counted.
    pub fn finish(&mut self) -> Result<(Vec<Entry>, Unread), Error> {
        let mut rest = Vec::new();
        for key in self.attempts_on_disk()? {
            if self.filter.admits_task(&key.0) && self.begun.insert(key.clone()) {
                self.open_attempt(key)?;
            }
        }
        while let Some(entry) = self.next_entry()? {
            rest.push(entry);
        }
        rest.append(&mut self.deferred);
        let mut unread = self.unread;
        for source in self.sources.iter().flatten() {
            unread.unfinished += u64::from(source.lines.is_unfinished());
            unread.damaged += source.lines.too_long;
        }
        Ok((rest, unread))
    }

    /// Reads a source up to its next wanted event.
    fn feed(&mut self, number: usize) -> Result<(), Error> {
        let Some(mut source) = self.sources.get_mut(number).and_then(Option::take) else { return Ok(()) };
        let entry = self.look(&mut source);
        let closed = match (&source.attempt, &entry) {
            (Some(key), Ok(None)) => self.exited.contains(key) && !source.lines.is_unfinished(),
            _ => false,
        };
        if closed {
            self.unread.damaged += source.lines.too_long;
            return Ok(());
        }
        self.sources[number] = Some(source);
        match entry? {
            Some(entry) => self.enqueue(entry.event.ts, Next::Entry(number, Box::new(entry))),
            None => self.ended.push(number),
        }
        Ok(())
    }

    fn look(&mut self, source: &mut Source) -> Result<Option<Entry>, Error> {
        while let Some(line) = source.lines.next_line()? {
            let kind = head::kind(line);
            if source.attempt.is_none() && kind.is_none_or(|kind| kind.starts_with(WORKER)) {
                self.notice(line);
            }
            if !self.filter.may_admit(line, kind) {
                continue;
            }
            let Ok(event) = serde_json::from_slice::<RawEvent>(line) else {
                self.unread.damaged += 1;
                continue;
            };
            if !self.filter.admits(&event) {
                continue;
            }
            let entry = Entry { event, line: line.to_owned() };
            match &source.attempt {
                Some(key) if entry.event.kind.starts_with(WORKER) => {
                    if !self.exited.contains(key) {
                        self.deferred.push(entry);
                    }
                }
                _ => return Ok(Some(entry)),
            }
        }
        Ok(None)
    }

    /// What the journal says of an attempt's process decides when its file is read, wanted or not.
    fn notice(&mut self, line: &[u8]) {
        let Ok(event) = serde_json::from_slice::<RawEvent>(line) else { return };
        let (Some(task), Some(attempt)) = (event.task_id, event.attempt) else { return };
        if !self.filter.admits_task(&task) {
            return;
        }
        let key = (task, attempt);
        match event.kind.as_str() {
            "worker.start" if self.begun.insert(key.clone()) => self.enqueue(event.ts, Next::File(key)),
            "worker.exit" => {
                let is_his = |entry: &Entry| {
                    entry.event.task_id.as_ref() == Some(&key.0) && entry.event.attempt == Some(key.1)
                };
                self.deferred.retain(|entry| !is_his(entry));
                self.exited.insert(key);
            }
            _ => {}
        }
    }

    fn enqueue(&mut self, ts: Timestamp, next: Next) {
        self.found += 1;
        self.queue.insert((ts, matches!(next, Next::File(_)), self.found), next);
    }

    fn open_attempt(&mut self, key: Key) -> Result<(), Error> {
        let path = self.events_of(&key);
        let file = match store::open_file(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            result => result.at("open", &path)?,
        };
        self.hungry.push(self.sources.len());
        self.sources.push(Some(Source { lines: Lines::new(file, path), attempt: Some(key) }));
        Ok(())
    }

    fn events_of(&self, (task, attempt): &Key) -> PathBuf {
        self.paths.attempt(task, *attempt).join(EVENTS_FILE)
    }

    fn attempts_on_disk(&self) -> Result<BTreeSet<Key>, Error> {
        let mut keys = BTreeSet::new();
        for task in names(&self.paths.tasks)? {
            let Ok(id) = task.parse::<TaskId>() else { continue };
            for attempt in names(&self.paths.tasks.join(&task))? {
                let number = attempt.strip_prefix("attempt-").and_then(|number| number.parse().ok());
                keys.extend(number.map(|number| (id.clone(), number)));
            }
        }
        Ok(keys)
    }
}

/// The names in a folder; none where it is not there.
fn names(folder: &std::path::Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        result => result.at("list", folder)?,
    };
    entries.map(|entry| Ok(entry.at("list", folder)?.file_name().to_string_lossy().into_owned())).collect()
}

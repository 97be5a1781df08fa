//! Reading what a run wrote: its journal and the agents' own events (design 3.5). Readers never write, take any type of
//! event, and survive lines that are torn or damaged. Memory is bounded by the longest line and by the number of
//! attempts, never by the length of a log. There is no index (docs/adr/0005-log-reading.md).

mod failures;
mod filter;
mod lines;
mod reader;
mod timeline;

use std::{fs::File, path::Path};

use mycelium_schemas::{event::RawEvent, id::RunId};

pub use failures::failures;
pub use filter::{Filter, Query};
pub use reader::{Entry, Reader};
pub use timeline::timeline;

use crate::{
    error::{Error, IoContext},
    project::Project,
    store::RunPaths,
};

/// What a reader could not read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unread {
    /// Lines that are no events, or longer than any event.
    pub damaged: u64,
    /// Last lines without an end: of a process that writes, or was killed while it wrote.
    pub unfinished: u64,
}

/// The places of a run that has a journal.
pub fn find(project: &Project, run: &RunId) -> Result<RunPaths, Error> {
    let paths = RunPaths::new(project, run);
    match paths.journal.symlink_metadata() {
        Ok(_) => Ok(paths),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::UnknownRun { run_id: run.clone() })
        }
        Err(error) => Err(error).at("read", &paths.journal),
    }
}

/// Hands each event of a journal to a fold.
fn fold(journal: &Path, mut each: impl FnMut(RawEvent)) -> Result<Unread, Error> {
    let file = File::open(journal).at("open", journal)?;
    let mut lines = lines::Lines::new(file, journal.to_owned());
    let mut unread = Unread::default();
    while let Some(line) = lines.next_line()? {
        match serde_json::from_slice(line) {
            Ok(event) => each(event),
            Err(_) => unread.damaged += 1,
        }
    }
    unread.damaged += lines.too_long;
    unread.unfinished += u64::from(lines.is_unfinished());
    Ok(unread)
}

//! What is known of a run whose process died: where it wrote, and which scenarios it was at.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use mycelium_schemas::messages::{Envelope, Pickle};

use super::{error::CliError, project};
use crate::runner::{Place, store::UNFINISHED};

/// The file that says where the run writes, in the run's folder of scenarios.
const OUT: &str = "out";

/// A run that died.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Death {
    /// Its output folder.
    pub(super) out: PathBuf,
    /// The scenarios that had begun and not ended.
    pub(super) running: Vec<Running>,
}

/// A scenario that ran when its run died.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) place: Place,
    pub(super) name: String,
}

/// Leaves word of where a run writes from now on.
pub(super) fn leave_word(scratch: &Path, out: &Path) -> Result<(), CliError> {
    project::write(&scratch.join(OUT), out.as_os_str().as_bytes())
}

/// What a run that died has left; none where it had not begun to write, or had written all.
pub(super) fn look(scratch: &Path) -> Option<Death> {
    let word = fs::read(scratch.join(OUT)).ok()?;
    let out = PathBuf::from(OsStr::from_bytes(&word));
    let stream = fs::read(out.join(UNFINISHED)).ok()?;
    Some(Death { out, running: running(&String::from_utf8_lossy(&stream)) })
}

/// The scenarios that a stream without an end has begun and not ended.
fn running(stream: &str) -> Vec<Running> {
    let mut pickles: BTreeMap<String, Pickle> = BTreeMap::new();
    let mut pickle_of_case = BTreeMap::new();
    let mut open = BTreeMap::new();
    // The last line may be torn: what is behind it is not known.
    for message in stream.lines().map_while(|line| serde_json::from_str(line).ok()) {
        match message {
            Envelope::Pickle(pickle) => drop(pickles.insert(pickle.id.clone(), pickle)),
            Envelope::TestCase(case) => drop(pickle_of_case.insert(case.id, case.pickle_id)),
            Envelope::TestCaseStarted(started) => drop(open.insert(started.id, started.test_case_id)),
            Envelope::TestCaseFinished(finished) => drop(open.remove(&finished.test_case_started_id)),
            _ => {}
        }
    }
    let pickle = |case: &String| pickle_of_case.get(case).and_then(|pickle| pickles.get(pickle));
    let mut running: Vec<Running> = open
        .values()
        .filter_map(pickle)
        .map(|pickle| Running {
            place: Place {
                uri: pickle.uri.clone(),
                line: pickle.location.map_or(0, |location| location.line),
            },
            name: pickle.name.clone(),
        })
        .collect();
    running.sort_by(|one, other| one.place.cmp(&other.place));
    running
}

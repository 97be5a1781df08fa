//! What the runner hands to the world of one scenario, and what the world hands back.
//!
//! The runner drives each scenario on a thread of its own, so the context is bound to the thread: worlds are built by
//! the `cucumber` crate's `World::new`, which takes no arguments.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    ffi::OsString,
    fs, io,
    panic::resume_unwind,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mycelium_fixtures::{containers::Containers, sandbox::Locality};
use mycelium_schemas::evidence::Assertion;
use tempfile::TempDir;

/// Media type of a log.
pub(crate) const LOG_MEDIA_TYPE: &str = "text/x.cucumber.log+plain";

/// Where a scenario runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Local processes, mock planner and agents.
    Mock,
    /// Containers.
    Docker,
}

impl Lane {
    /// Its tag and its name in every report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mock => "mock",
            Self::Docker => "docker",
        }
    }

    /// The lane of a name.
    pub fn of(name: &str) -> Option<Self> {
        [Self::Mock, Self::Docker].into_iter().find(|lane| lane.as_str() == name)
    }
}

/// A file or text that a step shows to who reads the results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// What the content is, for example `image/png`.
    pub media_type: String,
    /// The name to keep it under.
    pub file_name: Option<String>,
    /// The content.
    pub content: Content,
}

/// The content of something shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text, told as it is.
    Text(String),
    /// Bytes of any kind.
    Bytes(Vec<u8>),
}

impl Shown {
    /// A text.
    pub fn text(media_type: &str, text: impl Into<String>) -> Self {
        Self { media_type: media_type.to_owned(), file_name: None, content: Content::Text(text.into()) }
    }

    /// Bytes.
    pub fn bytes(media_type: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { media_type: media_type.to_owned(), file_name: None, content: Content::Bytes(bytes.into()) }
    }

    /// A line of a log.
    pub fn log(text: impl Into<String>) -> Self {
        Self::text(LOG_MEDIA_TYPE, text)
    }

    /// The address of something elsewhere.
    pub fn link(uri: impl Into<String>) -> Self {
        Self::text("text/uri-list", uri)
    }

    /// The same under a name.
    #[must_use]
    pub fn named(self, file_name: impl Into<String>) -> Self {
        Self { file_name: Some(file_name.into()), ..self }
    }
}

/// One thing that a world hands back while its scenario runs.
#[derive(Debug, Clone)]
pub enum Record {
    /// An executed assertion.
    Assertion(Assertion),
    /// A file worth keeping.
    Evidence {
        /// What it is, for example `state.json`.
        name: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// Something to show beside the step.
    Shown(Shown),
    /// A line for the failure card.
    Log(String),
    /// A command was started that writes what it says into a file: the failure card of a step that is given up shows the end
    /// of it.
    Writes {
        /// The command line.
        what: String,
        /// The file.
        path: PathBuf,
    },
    /// The command that writes into this file has ended.
    Wrote(PathBuf),
    /// This machine cannot run the scenario, and why: it counts neither as passed nor as failed.
    NotRun(String),
    /// What the scenario began and did not wait for; the world says so when it is dropped.
    Unended(String),
    /// Something of the scenario's outlives its world, which says so while it is dropped: the run fails.
    LeftBehind(String),
}

/// How a step ends that neither passes nor fails; the scenario and the run are no success either way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is not written yet.
    Pending(Option<String>),
    /// It is of no use here.
    Skipped(Option<String>),
}

/// Ends the step: it is not written yet. The run fails and names it *pending*.
pub fn pending(why: Option<&str>) -> ! {
    resume_unwind(Box::new(Ending::Pending(why.map(str::to_owned))))
}

/// Ends the step and its scenario: it is of no use here. The run fails and names it *skipped*, because what was skipped is
/// not proved.
pub fn skip(why: Option<&str>) -> ! {
    resume_unwind(Box::new(Ending::Skipped(why.map(str::to_owned))))
}

/// Collects the records of one scenario; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<Vec<Record>>>);

impl Recorder {
    /// Adds a record.
    pub fn push(&self, record: Record) {
        // A panic while the lock was held cannot leave a half-pushed record.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }

    /// Takes what was recorded since the last call.
    pub fn take(&self) -> Vec<Record> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What the names of scenarios' folders begin with.
const SCENARIO_PREFIX: &str = "scenario-";

/// Where scenarios get their folders. Clones share what is known of it.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    path: PathBuf,
    /// The names of the folders that were made.
    made: Arc<Mutex<BTreeSet<OsString>>>,
}

impl Ground {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, made: Arc::default() }
    }

    /// Makes a scenario's folder.
    fn make(&self) -> io::Result<TempDir> {
        // Nobody looks meanwhile: it would be taken for somebody else's.
        let mut names = self.made();
        let made = tempfile::Builder::new().prefix(SCENARIO_PREFIX).tempdir_in(&self.path)?;
        names.extend(made.path().file_name().map(OsString::from));
        Ok(made)
    }

    /// What stands beside the scenarios' folders.
    pub(crate) fn beside(&self) -> Vec<OsString> {
        // What cannot be read now could not be read when the scenarios began; then none of them had a folder.
        let found: Vec<OsString> =
            fs::read_dir(&self.path).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
        let made = self.made();
        found.into_iter().filter(|name| !made.contains(name)).collect()
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<OsString>> {
        // A panic while the lock was held cannot leave half a name.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The folder of one scenario, made when it is first asked for: most of what a trivial scenario would cost is a folder
/// that it does not use. Clones share it.
#[derive(Debug, Clone)]
pub struct Scratch(Arc<Mutex<Folder>>);

#[derive(Debug)]
enum Folder {
    /// Nobody asked; it would be made in this one.
    Unmade(Ground),
    Made(TempDir),
    /// One that is none of the runner's.
    Given(PathBuf),
    /// The runner took it: the scenario is over.
    Taken,
}

impl Scratch {
    /// One that will be made on this ground.
    pub(crate) fn within(ground: Ground) -> Self {
        Self(Arc::new(Mutex::new(Folder::Unmade(ground))))
    }

    /// This very folder.
    pub fn at(folder: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(Folder::Given(folder))))
    }

    /// Takes the folder from whoever has it still, where it was made; none is made any more.
    pub(crate) fn take(&self) -> Option<TempDir> {
        match std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), Folder::Taken) {
            Folder::Made(made) => Some(made),
            Folder::Unmade(_) | Folder::Given(_) | Folder::Taken => None,
        }
    }

    /// Where it is, where somebody asked for it.
    pub(crate) fn made(&self) -> Option<PathBuf> {
        match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Folder::Made(made) => Some(made.path().to_owned()),
            Folder::Unmade(_) | Folder::Given(_) | Folder::Taken => None,
        }
    }

    fn path(&self) -> io::Result<PathBuf> {
        let mut folder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Folder::Unmade(ground) = &*folder {
            *folder = Folder::Made(ground.make()?);
        }
        match &*folder {
            Folder::Made(made) => Ok(made.path().to_owned()),
            Folder::Given(path) => Ok(path.clone()),
            Folder::Unmade(_) | Folder::Taken => Err(io::Error::other("the scenario is over")),
        }
    }
}

/// What a scenario's world works with.
#[derive(Debug, Clone)]
pub struct Context {
    /// The program under test.
    pub bin: PathBuf,
    /// Where the scenario runs.
    pub lane: Lane,
    /// The folder of the scenario.
    pub scratch: Scratch,
    /// What programs find around them, where the scenario does not say otherwise.
    pub locality: Locality,
    /// What the scenario's containers run at, in their lane; or why there is nothing.
    pub containers: Option<Result<Containers, String>>,
    /// Where records go.
    pub recorder: Recorder,
    /// How long each of its steps may take.
    pub limit: Duration,
}

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

impl Context {
    /// A folder of this scenario alone, empty when it is first asked for; the runner removes it.
    pub fn scratch(&self) -> io::Result<PathBuf> {
        self.scratch.path()
    }

    /// Binds the context to this thread.
    pub fn enter(self) {
        CURRENT.with_borrow_mut(|current| *current = Some(self));
    }

    /// The context of the scenario on this thread; none outside the runner.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Clone::clone)
    }
}

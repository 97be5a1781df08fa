//! The run's folder: names, atomic writes, and reading back (design 3.6).

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, ErrorKind, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use mycelium_schemas::{
    SCHEMA_VERSION,
    answer::{Paths, PlanAsked, RunShown},
    config,
    id::{RunId, TaskId},
    problem::Source,
    state::{RunStatus, RunView},
};
use rustix::fs::{Mode, OFlags};
use serde::Serialize;

use crate::{
    error::{Error, IoContext},
    fault,
    git::{Ends, GitError, Upstream},
    journal::{self, Journal},
    live::LiveReader,
    private,
    project::Project,
    redact::Redactor,
    remove, runlock, saboteur,
};

/// Where a run's artifacts lie.
#[derive(Debug, Clone)]
pub struct RunPaths {
    /// The run's folder.
    pub run_dir: PathBuf,
    /// `orchestrator.jsonl`.
    pub journal: PathBuf,
    /// `state.json`.
    pub state: PathBuf,
    /// `config.snapshot.yaml`.
    pub config: PathBuf,
    /// `plan.snapshot.json`.
    pub plan: PathBuf,
    /// The frozen doctor script.
    pub doctor: PathBuf,
    /// A folder a task, with one an attempt.
    pub tasks: PathBuf,
    /// A folder a landing.
    pub landing: PathBuf,
    /// A folder a task.
    pub workspaces: PathBuf,
}

impl RunPaths {
    /// The places of a run, existing or not.
    pub fn new(project: &Project, run: &RunId) -> Self {
        let run_dir = project.runs_dir().join(run.as_str());
        Self {
            journal: run_dir.join("orchestrator.jsonl"),
            state: run_dir.join("state.json"),
            config: run_dir.join("config.snapshot.yaml"),
            plan: run_dir.join("plan.snapshot.json"),
            doctor: run_dir.join("doctor"),
            tasks: run_dir.join("tasks"),
            landing: run_dir.join("landing"),
            workspaces: project.workspaces_dir(run),
            run_dir,
        }
    }

    /// As commands show them.
    pub fn shown(&self) -> Paths {
        let shown = |path: &Path| path.display().to_string();
        Paths {
            run_dir: shown(&self.run_dir),
            journal: shown(&self.journal),
            state: shown(&self.state),
            config: shown(&self.config),
            plan: shown(&self.plan),
            doctor: shown(&self.doctor),
            tasks: shown(&self.tasks),
            landing: shown(&self.landing),
            workspaces: shown(&self.workspaces),
        }
    }

    /// The day of the prices by the configuration in force; none where it has none, or cannot be read any more.
    pub fn prices_as_of(&self) -> Option<String> {
        let bytes = read_file(&self.config).ok()?;
        let source = Source::new(self.config.display().to_string(), String::from_utf8(bytes).ok()?);
        config::parse(&source).ok()?.budgets.prices_as_of
    }

    /// What the planner of the run's tasks used; none where nobody was asked for them.
    fn planned_by(&self) -> Option<PlanAsked> {
        serde_json::from_slice(&read_file(&self.planned()).ok()?).ok()
    }

    /// A run with its places, as commands show it.
    pub fn show(&self, view: RunView) -> RunShown {
        let live = LiveReader::new(self).look(&view);
        let (prices_as_of, planned) = (self.prices_as_of(), self.planned_by());
        RunShown { view, paths: self.shown(), live, prices_as_of, planned }
    }

    /// The account of the planner of the run's tasks.
    pub(crate) fn planned(&self) -> PathBuf {
        self.run_dir.join("planned.json")
    }

    /// A configuration that a human's decision brings into force, until `resume` puts it in the old one's place.
    pub fn next_config(&self) -> PathBuf {
        self.run_dir.join("config.next.yaml")
    }

    /// Folder of an attempt.
    pub fn attempt(&self, task: &TaskId, attempt: u32) -> PathBuf {
        self.tasks.join(task.as_str()).join(format!("attempt-{attempt}"))
    }

    /// The note of a conversation that a task's attempt is, or was, in the middle of.
    pub(crate) fn conversation(&self, task: &TaskId) -> PathBuf {
        self.workspaces.join(".conversations").join(format!("{task}.json"))
    }

    /// Folder of the prompts of validators, as the run has frozen them.
    pub(crate) fn prompts(&self) -> PathBuf {
        self.run_dir.join("prompts")
    }

    /// What the run's agents used of their models, response by response.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.run_dir.join("models.jsonl")
    }

    /// The folder of the model gateway's socket, which containers mount.
    pub(crate) fn gateway(&self) -> PathBuf {
        self.workspaces.join(".gateway")
    }

    /// An agent's own folder: no task is called like the folder that they lie in.
    pub(crate) fn agent_home(&self, task: &TaskId) -> PathBuf {
        self.workspaces.join(".agents").join(task.as_str())
    }

    /// Folder of a landing.
    pub fn landing(&self, number: u32) -> PathBuf {
        self.landing.join(number.to_string())
    }
}

/// Makes a folder and its parents, which the user may share.
pub fn make_dir(path: &Path) -> Result<(), Error> {
    fault::point!("folder.create", fs::create_dir_all(path)).at("create", path)
}

/// Makes a folder of the home and its parents.
pub(crate) fn make_private_dir(path: &Path) -> Result<(), Error> {
    fault::point!("folder.create_private", private::make_dirs(path)).at("create", path)
}

/// Replaces a file that nobody but its owner may read: see [`replace_file`].
pub fn write_atomic(path: &Path, content: &[u8]) -> Result<(), Error> {
    replace_file(path, content, private::FILE)
}

/// Makes a file what it was, durably; one that still is costs no fsync.
pub(crate) fn restore(path: &Path, content: &[u8]) -> Result<(), Error> {
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    if is_file && fs::read(path).is_ok_and(|found| found == content) {
        return Ok(());
    }
    write_atomic(path, content)
}

/// Replaces a file so that a reader sees the old or the new content, also after a power cut: temporary file, fsync,
/// rename, fsync of the folder.
pub fn replace_file(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    exchange(path, content, mode)?;
    sync_dir(folder_of(path))
}

/// Replaces `state.json` by what the journal says now. A power cut may bring the older view back, whole: who reads it asks
/// the journal whether that went on, so the folder need not be synced.
pub fn write_view(path: &Path, view: &RunView) -> Result<(), Error> {
    exchange(path, &json(view)?, private::FILE)
}

/// Replaces a file by another one with the same name and whole content. The temporary file has one name for each file, so
/// that one which a crash left goes with the next write.
fn exchange(path: &Path, content: &[u8], mode: u32) -> Result<(), Error> {
    let dir = folder_of(path);
    let temporary = temporary(path);
    remove_file(&temporary)?;
    let named = temporary.file_name().unwrap_or_default();
    let mut builder = tempfile::Builder::new();
    builder.prefix(named).rand_bytes(0);
    let mut file = fault::point!("file.create", builder.tempfile_in(dir)).at("write in", dir)?;
    fault::write_all!("file.write", &mut file, content).at("write", path)?;
    let permissions = fs::Permissions::from_mode(mode);
    fault::point!("file.mode", file.as_file().set_permissions(permissions)).at("set the mode of", path)?;
    fault::point!("file.sync", file.as_file().sync_all()).at("sync", path)?;
    fault::point!("file.replace", file.persist(path).map_err(|error| error.error)).at("replace", path)?;
    Ok(())
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

/// Where a file is written before it takes its place.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".tmp-");
    name.push(path.file_name().unwrap_or_default());
    path.with_file_name(name)
}

/// Opens a file of the run's folder to read. What is no regular file is refused: a named pipe in its place would keep its
/// reader waiting for ever.
pub(crate) fn open_file(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a file")) }
}

/// Reads such a file whole.
pub(crate) fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_file(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Removes a file; one that is not there is fine.
pub(crate) fn remove_file(path: &Path) -> Result<(), Error> {
    match fault::point!("file.remove", fs::remove_file(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.at("remove", path),
    }
}

/// Makes the entries of a folder survive a power cut.
pub fn sync_dir(dir: &Path) -> Result<(), Error> {
    fault::point!("folder.sync", File::open(dir).and_then(|dir| dir.sync_all())).at("sync", dir)
}

/// Writes a value as readable JSON, durably. It must hold no secret: a state is folded from redacted events, a plan is
/// redacted before it is used.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    write_atomic(path, &json(value)?)
}

/// Writes an artifact as readable JSON. What is decided from it stands in the journal, so that it need not survive a
/// power cut and costs no fsync. Secrets are kept out of it.
pub(crate) fn write_artifact(path: &Path, value: &impl Serialize, redactor: &Redactor) -> Result<(), Error> {
    let content = redactor.json(path, value)?;
    fault::point!("artifact.write", private::write(path, content)).at("write", path)
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Removes a folder with everything in it, also where an agent left folders that may not be written; one that is not
/// there is fine.
pub fn remove_dir(path: &Path) -> Result<(), Error> {
    remove_dir_unless(path, &|| false)
}

/// As [`remove_dir`], but stops between one file and the next where it is to end, which is the error
/// [`GitError::Stopped`]; another call removes what is left.
pub fn remove_dir_unless(path: &Path, ends: Ends<'_>) -> Result<(), Error> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ErrorKind::InvalidInput.into()).at("remove", path);
    };
    let removed = fault::point!("folder.remove", remove::remove_unless(parent, &[name], ends));
    if removed.at("remove", path)? { Ok(()) } else { Err(GitError::Stopped.into()) }
}

/// Removes what is no longer needed. That it cannot be removed decides no outcome: it is said, and `clean` tries again.
pub fn tidy_dir(path: &Path) {
    tidy_dir_unless(path, &|| false);
}

/// As [`tidy_dir`], but stops where it is to end: what is left goes with the run, or with `clean`.
pub fn tidy_dir_unless(path: &Path, ends: Ends<'_>) {
    match remove_dir_unless(path, ends) {
        Ok(()) | Err(Error::Git(GitError::Stopped)) => {}
        Err(error) => tracing::warn!(%error, "a folder that is no longer needed could not be removed"),
    }
}

/// The runs of a project, oldest first by their start. One that cannot be read is left out, and that is said.
pub fn list_runs(project: &Project) -> Result<Vec<RunView>, Error> {
    let Survey { runs, unreadable } = survey(project)?;
    for (run, error) in unreadable {
        tracing::warn!("run {run} is left out: {}", error.chain());
    }
    Ok(runs)
}

/// The latest run of a project. Where none can be read, why not.
pub fn latest(project: &Project) -> Result<Option<RunView>, Error> {
    match list_runs(project)?.pop() {
        None => first_lost(project)?.map_or(Ok(None), Err),
        latest => Ok(latest),
    }
}

/// Why a run cannot be read that has lost its journal before it ended, and of which nothing says that others came after
/// it.
pub(crate) fn first_lost(project: &Project) -> Result<Option<Error>, Error> {
    let Survey { runs, unreadable } = survey(project)?;
    let place = |run: &RunView| (run.number, run.updated_at);
    let newest = runs.iter().map(place).max();
    let waits = |run: &RunId| match view_on_disk(&RunPaths::new(project, run).state) {
        Some(view) => {
            !matches!(view.status, RunStatus::Complete | RunStatus::Failed)
                && newest.is_none_or(|newest| place(&view) > newest)
        }
        None => runs.is_empty(),
    };
    Ok(unreadable.into_iter().find(|(run, _)| waits(run)).map(|(_, error)| error))
}

/// The runs of a project.
#[derive(Default)]
struct Survey {
    /// Oldest first.
    runs: Vec<RunView>,
    /// Those that cannot be read, with the reason.
    unreadable: Vec<(RunId, Error)>,
}

/// Reads all runs. What was killed before it began is no run.
fn survey(project: &Project) -> Result<Survey, Error> {
    let dir = project.runs_dir();
    let entries = match fs::read_dir(&dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Survey::default()),
        result => result.at("list", &dir)?,
    };
    let Survey { mut runs, mut unreadable } = Survey::default();
    for run in entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<RunId>().ok()) {
        match read_view(project, &run) {
            Ok(view) => runs.push(view),
            Err(_) if !has_begun(&RunPaths::new(project, &run)).unwrap_or(true) => {}
            Err(error) => unreadable.push((run, error)),
        }
    }
    // By their numbers: clocks are set back. Those of before runs were counted come first, by what clocks said.
    runs.sort_by(|a, b| (a.number, a.started_at, &a.run_id).cmp(&(b.number, b.started_at, &b.run_id)));
    unreadable.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Survey { runs, unreadable })
}

/// Whether a run has begun: its journal holds a whole event, or there is a state, which is written from the journal
/// alone. What was cut off in its first event has not.
pub(crate) fn has_begun(paths: &RunPaths) -> Result<bool, Error> {
    Ok(!is_missing(&paths.state) || Journal::has_begun(&paths.journal)?)
}

/// A state is written from the journal: where it is alone, somebody removed the journal.
pub(crate) fn has_lost_journal(paths: &RunPaths) -> bool {
    is_missing(&paths.journal) && !is_missing(&paths.state)
}

fn is_missing(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The state of a run, as it is: the view, unless it is missing, its writer is gone, or the journal went on since; then
/// what the journal says. Reading never writes.
pub fn read_view(project: &Project, run: &RunId) -> Result<RunView, Error> {
    let paths = RunPaths::new(project, run);
    if !paths.run_dir.is_dir() {
        return Err(Error::UnknownRun { run_id: run.clone() });
    }
    if has_lost_journal(&paths) {
        let reason = format!("it is missing, though run {run} had begun");
        return Err(Error::Damaged { path: paths.journal, reason });
    }
    let mut is_dead = false;
    if let Some(view) = view_on_disk(&paths.state) {
        let holds = match view.status {
            RunStatus::Running => {
                is_dead = !is_live(project, run)?;
                !is_dead
            }
            _ => journal::last_stamp(&paths.journal).is_some_and(|last| last == view.updated_at),
        };
        if holds {
            return Ok(view);
        }
    }
    let view = Journal::peek(&paths.journal, project.name.clone())?.view();
    if saboteur::is!("write-while-looking") {
        write_json(&paths.state, &view)?;
    }
    // A run that says it is running but whose process is gone was interrupted.
    let interrupted = view.status == RunStatus::Running && (is_dead || !is_live(project, run)?);
    Ok(if interrupted { RunView { status: RunStatus::Interrupted, ..view } } else { view })
}

/// Whether the view on disk is older than the journal says: the process ended between the two.
pub(crate) fn view_lags(paths: &RunPaths, view: &RunView) -> bool {
    view_on_disk(&paths.state).as_ref() != Some(view)
}

/// The view in `state.json`; none where it is missing or cannot be read, since the journal has it all.
fn view_on_disk(path: &Path) -> Option<RunView> {
    let view: RunView = serde_json::from_slice(&read_file(path).ok()?).ok()?;
    if view.schema_version > SCHEMA_VERSION {
        tracing::warn!(version = view.schema_version, "the state was written by a newer mycelium");
    }
    Some(view)
}

/// Refuses to go on with a run whose view was written by a newer format: replacing it could lose what it says.
pub(crate) fn refuse_newer_view(paths: &RunPaths) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let path = &paths.state;
    // One that cannot be read says nothing that could be lost.
    let version = read_file(path).ok().and_then(|bytes| serde_json::from_slice::<Version>(&bytes).ok());
    match version {
        Some(Version { schema_version: version }) if version > SCHEMA_VERSION => {
            Err(Error::Newer { path: path.clone(), version })
        }
        _ => Ok(()),
    }
}

/// Whether a living process works on the run.
pub fn is_live(project: &Project, run: &RunId) -> Result<bool, Error> {
    let holder = runlock::holder(Upstream::discover(&project.root)?.common_dir())?;
    Ok(holder.is_some_and(|holder| holder.doing == runlock::doing(run)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_atomic_write_replaces_the_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_is_made_what_it_was_also_where_a_link_stands_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let (path, other) = (dir.path().join("doctor"), dir.path().join("other"));
        let found = || (fs::read(&path).unwrap(), path.symlink_metadata().unwrap().is_file());
        fs::write(&path, "changed").unwrap();
        restore(&path, b"frozen").unwrap();
        assert_eq!(found(), (b"frozen".to_vec(), true));
        fs::write(&other, "frozen").unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        restore(&path, b"frozen").unwrap();
        assert_eq!(found(), (b"frozen".to_vec(), true));
    }

    #[test]
    fn a_write_that_fails_keeps_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), b"kept").unwrap();
        assert!(write_atomic(&path, b"new").is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::read(path.join("inside")).unwrap(), b"kept");
    }
}

//! `mycelium plan`: a planner's output becomes one folder a task below `.mycelium/tasks` (design 3.5, 3.6).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use mycelium_core::{plan::Plan, schedule::batch_plan};
use mycelium_schemas::{
    SCHEMA_VERSION,
    answer::{PlanOutcome, Planned},
    config::Answerer,
    id::LockName,
    manifest::{Manifest, PlanIndex, PlanIndexEntry},
    path::RepoPath,
    plan,
};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::{
    environment::Environment,
    error::{Error, IoContext},
    fault,
    git::Upstream,
    mock, planned,
    planner::Planner,
    project::Project,
    redact::{self, Redactor},
    runlock::RunLock,
    settings::{Settings, read_written, text_of},
    signals::Listening,
    store::{make_dir, remove_dir, sync_dir},
};

/// Folder beside the tasks in which they are written before they take their place.
const NEW_TASKS: &str = ".tasks-new";

/// The list of the tasks.
const INDEX: &str = "plan.json";

/// What the command line asks for.
#[derive(Debug, Clone)]
pub struct PlanRequest {
    /// The description of the work.
    pub input: PathBuf,
    /// Show, write nothing.
    pub dry_run: bool,
    /// Replace other tasks that are there.
    pub force: bool,
}

/// One file that a new plan would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// Below `.mycelium/tasks`.
    pub path: String,
    /// Content now; none where the file would be added.
    pub old: Option<String>,
    /// Content then; none where the file would be removed.
    pub new: Option<String>,
}

/// Plans.
pub fn plan(
    project: &Project,
    environment: &Environment,
    settings: &Settings,
    request: &PlanRequest,
    listening: &mut Listening,
) -> Result<Planned, Error> {
    let input = environment.current_dir.join(&request.input);
    let work = match fs::read(&input) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::Request {
                message: format!("the input {} is not there", request.input.display()),
                help: "name the file that describes the work with --input".into(),
            });
        }
        // It may be a pipe: whoever names one means it, and a signal ends the wait.
        read => text_of(project, &input, read.at("read", &input)?)?,
    };
    let (redactor, _) = Redactor::new(&settings.config, environment);
    let (manifests, asked, lock) = if settings.config.planner.asked.provider == Answerer::Mock {
        (read_mock(environment, settings)?, None, None)
    } else {
        // Whoever could not be written is not asked: that costs.
        let lock = if request.dry_run { None } else { Some(lock(project)?) };
        let planner = Planner::new(project, environment, settings, &redactor, listening)?;
        let (manifests, asked) = planner.plan(&work.text, listening)?;
        (manifests, Some(asked), lock)
    };
    let manifests: Vec<Manifest> =
        manifests.into_iter().map(|manifest| redact::redact_prose(&redactor, manifest)).collect();
    let limit = usize::try_from(settings.config.max_parallel).unwrap_or(usize::MAX);
    let files = render(&manifests)?;
    let plan = Plan::new(manifests.iter().map(|manifest| mycelium_schemas::manifest::PlannedTask {
        dir: dir_of(manifest),
        manifest: manifest.clone(),
        spec_text: manifest.spec.clone(),
    }));
    let batches = batch_plan(&plan, &BTreeSet::new(), limit);
    let outcome = if request.dry_run {
        PlanOutcome::DryRun
    } else {
        let outcome = write(project, &files, request.force, lock)?;
        let index = files.get(INDEX).map_or("", String::as_str);
        planned::keep(project, index, asked.as_ref(), &redactor)?;
        outcome
    };
    Ok(Planned { outcome, batches, tasks: manifests, asked })
}

fn lock(project: &Project) -> Result<RunLock, Error> {
    RunLock::acquire(Upstream::discover(&project.root)?.common_dir(), "plan".to_owned())
}

fn read_mock(environment: &Environment, settings: &Settings) -> Result<Vec<Manifest>, Error> {
    let text = mock::llm_output(environment).map_err(|error| Error::Request {
        message: format!("the mock planner has no answer: {error}"),
        help: "set MOCK_LLM_OUTPUT to a plan in JSON, or MOCK_LLM_OUTPUT_PATH to a file that holds one"
            .into(),
    })?;
    let locks: Vec<LockName> = settings.config.resources.iter().map(|r| r.name.clone()).collect();
    plan::parse(&text).and_then(|draft| draft.check(&locks)).map_err(|problems| Error::Problems { problems })
}

/// `<id>-<name>`, with the name reduced to small letters, digits and dashes.
fn dir_of(manifest: &Manifest) -> RepoPath {
    let mut slug = String::new();
    for c in manifest.name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
        if slug.len() >= 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    let name = if slug.is_empty() { manifest.id.to_string() } else { format!("{}-{slug}", manifest.id) };
    // An id followed by small letters and dashes is a plain component, whatever the name was.
    name.parse().unwrap_or_else(|_| unreachable!("{name:?} is a plain component"))
}

/// Every file below `tasks`, by its path.
fn render(manifests: &[Manifest]) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    let mut index = PlanIndex { schema_version: SCHEMA_VERSION, tasks: Vec::new() };
    for manifest in manifests {
        let dir = dir_of(manifest);
        let on_disk = Manifest { spec: "spec.md".to_owned(), ..manifest.clone() };
        files.insert(format!("{dir}/manifest.json"), pretty(&on_disk)?);
        files.insert(format!("{dir}/spec.md"), with_newline(&manifest.spec));
        index.tasks.push(PlanIndexEntry { id: manifest.id.clone(), dir });
    }
    files.insert(INDEX.to_owned(), pretty(&index)?);
    Ok(files)
}

/// Readable JSON with a newline at its end.
pub(crate) fn pretty(value: &impl serde::Serialize) -> Result<String, Error> {
    Ok(with_newline(&serde_json::to_string_pretty(value)?))
}

fn with_newline(text: &str) -> String {
    format!("{}\n", text.trim_end_matches('\n'))
}

fn write(
    project: &Project,
    files: &BTreeMap<String, String>,
    force: bool,
    held: Option<RunLock>,
) -> Result<PlanOutcome, Error> {
    let _lock = held.map_or_else(|| lock(project), Ok)?;
    let tasks = project.tasks_dir();
    // Left by a plan that was cut off, before or after it took its place.
    remove_dir(&project.dir().join(NEW_TASKS))?;
    let old = read_tree(project, &tasks)?;
    let differences = diff(&old, files);
    if differences.is_empty() {
        return Ok(PlanOutcome::Unchanged);
    }
    if !old.is_empty() && !force {
        return Err(Error::PlanDiffers { files: differences });
    }
    replace(&project.dir(), &tasks, files)?;
    Ok(PlanOutcome::Written)
}

/// Builds the new folder beside the old one and exchanges the two, so that a crash leaves one of them whole.
fn replace(dir: &Path, tasks: &Path, files: &BTreeMap<String, String>) -> Result<(), Error> {
    make_dir(dir)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(NEW_TASKS).rand_bytes(0);
    let new = fault::point!("plan.folder", builder.tempdir_in(dir)).at("create a folder in", dir)?;
    for (name, content) in files {
        let path = new.path().join(name);
        make_dir(path.parent().unwrap_or(dir))?;
        let mut file = fault::point!("plan.create", fs::File::create(&path)).at("create", &path)?;
        fault::write_all!("plan.write", &mut file, content.as_bytes()).at("write", &path)?;
        fault::point!("plan.sync", file.sync_all()).at("sync", &path)?;
    }
    make_readable(new.path())?;
    if tasks.symlink_metadata().is_ok() {
        let (flags, failed) = (RenameFlags::EXCHANGE, std::io::Error::from);
        fault::point!("plan.exchange", renameat_with(CWD, new.path(), CWD, tasks, flags).map_err(failed))
            .at("replace", tasks)?;
        sync_dir(dir)?;
        remove_dir(new.path())
    } else {
        fault::point!("plan.rename", fs::rename(new.path(), tasks)).at("create", tasks)?;
        sync_dir(dir)
    }
}

fn make_readable(dir: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt;
    fault::point!("plan.mode", fs::set_permissions(dir, fs::Permissions::from_mode(0o755)))
        .at("set the mode of", dir)
}

/// Every file below a folder, by its path; binary ones as lossy text.
fn read_tree(project: &Project, root: &Path) -> Result<BTreeMap<String, String>, Error> {
    let mut files = BTreeMap::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && dir == root => break,
            result => result.at("list", &dir)?,
        };
        for entry in entries {
            let entry = entry.at("list", &dir)?;
            let path = entry.path();
            if entry.file_type().at("look at", &path)?.is_dir() {
                dirs.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                let Some(content) = read_written(project, &path)? else { continue };
                files.insert(name, String::from_utf8_lossy(&content).into_owned());
            }
        }
    }
    Ok(files)
}

fn diff(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<FileDiff> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .map(|name| FileDiff { path: name.clone(), old: old.get(name).cloned(), new: new.get(name).cloned() })
        .filter(|file| file.old != file.new)
        .collect()
}

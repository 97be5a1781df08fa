//! Loads the configuration and the planned tasks from the operator's checkout, with every problem at once.

use std::{
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use mycelium_core::plan::Plan;
use mycelium_schemas::{
    config::{self, Config},
    id::LockName,
    manifest::{Manifest, PlanIndex, PlannedTask},
    path::RepoPath,
    plan::{self, PlanDraft},
    problem::{Problem, Source},
};

use crate::{
    error::{Error, IoContext},
    project::Project,
    store,
};

/// A configuration with the text it came from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// As written.
    pub source: Source,
    /// As in effect.
    pub config: Config,
}

impl Settings {
    /// Reads the project's configuration.
    pub fn load(project: &Project) -> Result<Self, Error> {
        let source = read_source(project, &project.config_path, || Error::Request {
            message: format!("there is no configuration {}", project.display(&project.config_path)),
            help: "write one with `mycelium init`, or name it with --config".into(),
        })?;
        let config = config::parse(&source).map_err(|problems| Error::Problems { problems })?;
        Ok(Self { source, config })
    }

    /// A problem with the first of these keys that is set, as [`config::place_of`] has it.
    pub fn problem(&self, keys: &[&str], message: String, help: &str) -> Problem {
        let span = config::place_of(&self.source, keys);
        Problem { source: self.source.clone(), span, message, help: help.to_owned() }
    }

    /// The same as an error.
    pub(crate) fn wrong(&self, keys: &[&str], message: String, help: &str) -> Error {
        Error::Problems { problems: vec![self.problem(keys, message, help)] }
    }

    /// Where the doctor script lies, if it is there.
    pub fn doctor(&self, project: &Project) -> Result<PathBuf, Problem> {
        let path = project.root.join(self.config.doctor.as_str());
        if path.is_file() {
            return Ok(path);
        }
        let message =
            format!("the doctor {} is not there, so nothing could ever be tested", self.config.doctor);
        Err(self.problem(
            &["doctor"],
            message,
            "write the script, or correct the path; it is relative to the repository's root",
        ))
    }
}

/// Longest text that is read of what people write, in bytes.
const TEXT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Reads what people write: only a file, or what a link to one names, so that nobody waits for a pipe or reads a device
/// without end. None where it is not there.
pub(crate) fn read_written(project: &Project, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let refused = |why: String, help| Err(missing(project, path, why, help));
    let file = match store::open_file(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        // No answer of the system has this kind.
        Err(error) if error.kind() == ErrorKind::Other => {
            return refused("this is neither a file nor a link to one".to_owned(), "put a file in its place");
        }
        Err(error) => return Err(error).at("read", path),
    };
    let mut bytes = Vec::new();
    file.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes).at("read", path)?;
    if bytes.len() as u64 > TEXT_BYTES_MAX {
        return refused(format!("the file is longer than {TEXT_BYTES_MAX} bytes"), "shorten it");
    }
    Ok(Some(bytes))
}

/// Reads a text that the user may have written.
pub(crate) fn read_source_if_there(project: &Project, path: &Path) -> Result<Option<Source>, Error> {
    read_written(project, path)?.map(|bytes| text_of(project, path, bytes)).transpose()
}

/// Reads a text that the user wrote.
pub(crate) fn read_source(
    project: &Project,
    path: &Path,
    missing: impl FnOnce() -> Error,
) -> Result<Source, Error> {
    let Some(bytes) = read_written(project, path)? else { return Err(missing()) };
    text_of(project, path, bytes)
}

/// The text that was read from a path.
pub(crate) fn text_of(project: &Project, path: &Path, bytes: Vec<u8>) -> Result<Source, Error> {
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Source::new(project.display(path), text)),
        Err(error) => Err(not_utf8(project, path, &error)),
    }
}

fn not_utf8(project: &Project, path: &Path, error: &std::string::FromUtf8Error) -> Error {
    let valid = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    Error::Problems {
        problems: vec![Problem {
            source: Source::new(project.display(path), text),
            span: valid..valid,
            message: "a byte here is not valid UTF-8".into(),
            help: "save the file as UTF-8".into(),
        }],
    }
}

/// Reads every planned task and checks the plan as a whole.
pub fn load_plan(project: &Project, config: &Config) -> Result<Plan, Error> {
    let path = project.tasks_dir().join("plan.json");
    let index_source = read_source(project, &path, || {
        missing(
            project,
            &path,
            "nothing is planned yet".into(),
            "plan first, with `mycelium plan --input FILE`",
        )
    })?;
    let index: PlanIndex =
        plan::parse_index(&index_source).map_err(|problems| Error::Problems { problems })?;
    let (mut sources, mut problems) = (Vec::with_capacity(index.tasks.len()), Vec::new());
    for entry in &index.tasks {
        let path = project.tasks_dir().join(entry.dir.as_str()).join("manifest.json");
        let read = read_source(project, &path, || {
            missing(
                project,
                &path,
                format!("task {} is planned, but its manifest is not there", entry.id),
                PLAN_AGAIN,
            )
        });
        match read {
            Ok(source) => sources.push(source),
            Err(Error::Problems { problems: found }) => problems.extend(found),
            Err(error) => return Err(error),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Problems { problems });
    }
    let locks: Vec<LockName> = config.resources.iter().map(|resource| resource.name.clone()).collect();
    let manifests = PlanDraft::from_manifests(&index_source, &sources)
        .check(&locks)
        .map_err(|problems| Error::Problems { problems })?;
    let tasks = manifests
        .into_iter()
        .map(|manifest| {
            let dir = index.tasks.iter().find(|entry| entry.id == manifest.id).map(|entry| entry.dir.clone());
            let dir = dir.ok_or_else(|| {
                let message = format!("task {} has another id here than in its manifest", manifest.id);
                missing(project, &path, message, PLAN_AGAIN)
            })?;
            with_spec(project, dir, manifest)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    Ok(Plan::new(tasks))
}

const PLAN_AGAIN: &str = "restore it, or plan again with `mycelium plan --input FILE --force`";

/// A file of the plan that is not as it must be: reported together with everything else that is wrong.
fn missing(project: &Project, path: &Path, message: String, help: &str) -> Error {
    let source = Source::new(project.display(path), "");
    Error::Problems { problems: vec![Problem { source, span: 0..0, message, help: help.to_owned() }] }
}

/// Reads the specification beside the manifest.
fn with_spec(project: &Project, dir: RepoPath, manifest: Manifest) -> Result<PlannedTask, Error> {
    let path = project.tasks_dir().join(dir.as_str()).join("spec.md");
    let message = format!("task {} is planned, but its specification is not there", manifest.id);
    let source = read_source(project, &path, || missing(project, &path, message, PLAN_AGAIN))?;
    let spec_text = source.text.to_string();
    Ok(PlannedTask { dir, manifest, spec_text })
}

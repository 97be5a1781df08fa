//! The cassette of a run or of a plan: where it lies, whether it can be used, and what must not get into it.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use mycelium_gateway::cassette::{CassetteError, Known, Player, Recorder, Standing, Tape};
use mycelium_schemas::{
    config::{Cassette, Config},
    id::{CassetteName, RunId},
};

use crate::{
    environment::Environment,
    error::Error,
    fault,
    project::Project,
    redact::Redactor,
    store::{self, RunPaths},
};

/// What is recorded, or was.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    /// A plan.
    Plan,
    /// A run.
    Run(&'a RunId),
}

impl<'a> Of<'a> {
    fn file(self, project: &Project, name: &CassetteName) -> PathBuf {
        let folder = project.dir().join("cassettes").join(name.as_str());
        folder.join(match self {
            Self::Plan => "plan.jsonl",
            Self::Run(_) => "run.jsonl",
        })
    }

    /// What it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plan => "cassette of the plan",
            Self::Run(_) => "cassette of the run",
        }
    }

    fn run_id(self) -> Option<&'a str> {
        match self {
            Self::Plan => None,
            Self::Run(run) => Some(run.as_str()),
        }
    }
}

/// Whether the configured cassette can be used, before anything begins or goes on, and in what way; none where there is
/// none.
pub(crate) fn check(
    project: &Project,
    config: &Config,
    of: Of<'_>,
    problem: impl Fn(String, &str) -> Error,
) -> Result<Option<String>, Error> {
    let Some(cassette) = &config.gateway.cassette else { return Ok(None) };
    let checked = match cassette {
        Cassette::Record(name) => {
            let file = of.file(project, name);
            Recorder::standing(&file, of.run_id()).map(|standing| match standing {
                Standing::Begins => format!("recorded to {}", project.display(&file)),
                Standing::GoesOn => format!("recorded to {}, which goes on", project.display(&file)),
            })
        }
        Cassette::Replay(name) => {
            let file = of.file(project, name);
            let known = Known::new(Arc::new(|_| None), []);
            Player::open(&file, known).map(|_player| format!("replayed from {}", project.display(&file)))
        }
    };
    checked.map(Some).map_err(|error| match help(&error) {
        Some(help) => problem(error.to_string(), help),
        None => Error::Gateway(error.into()),
    })
}

/// What to do about a cassette that cannot be used; none where the machine is at fault.
fn help(error: &CassetteError) -> Option<&'static str> {
    Some(match error {
        CassetteError::Io { .. } => return None,
        CassetteError::Missing(_) => "record it first, with `record` in the place of `replay`",
        CassetteError::Whole(_) => "replay it, remove it to record anew, or record under another name",
        CassetteError::CutOff(_) => {
            "bring what was recorded to its end with `mycelium resume`, or record it anew"
        }
        CassetteError::Newer { .. } => "replay it with the mycelium that made it, or record it anew",
        CassetteError::Damaged { .. } => "restore the file, or remove it and record it anew",
    })
}

/// What happens to the answers of models, by the configuration.
pub(crate) fn tape(
    project: &Project,
    config: &Config,
    environment: &Environment,
    redactor: &Redactor,
    of: Of<'_>,
) -> Result<Tape, Error> {
    let Some(cassette) = &config.gateway.cassette else { return Ok(Tape::Off) };
    let known = known(project, environment, redactor, of);
    let opened = match cassette {
        Cassette::Record(name) => {
            let file = of.file(project, name);
            store::make_private_dir(store::folder_of(&file))?;
            Recorder::open(&file, of.run_id(), known, Arc::new(keep)).map(Tape::Record)
        }
        Cassette::Replay(name) => Player::open(&of.file(project, name), known).map(Tape::Replay),
    };
    opened.map_err(|error| Error::Gateway(error.into()))
}

/// The secrets, and the places of this machine and this run that stand in what agents say.
fn known(project: &Project, environment: &Environment, redactor: &Redactor, of: Of<'_>) -> Known {
    let redactor = redactor.clone();
    let clean = move |text: &str| match redactor.text(text) {
        std::borrow::Cow::Borrowed(_) => None,
        std::borrow::Cow::Owned(clean) => Some(clean),
    };
    let text = |path: &Path| path.display().to_string();
    let mut places = vec![(text(&project.root), "<repository>"), (text(&project.home), "<home>")];
    if let Some(home) = environment.get("HOME") {
        places.push((home.to_owned(), "<user>"));
    }
    if let Of::Run(run) = of {
        let paths = RunPaths::new(project, run);
        places.push((text(&paths.workspaces), "<workspaces>"));
        places.push((text(&paths.run_dir), "<run-folder>"));
        places.push((run.to_string(), "<run>"));
    }
    Known::new(Arc::new(clean), places)
}

/// What was answered is durable before the end of the cassette says that it is whole.
fn keep(file: &mut File, line: &[u8]) -> io::Result<()> {
    fault::write_all!("cassette.write", file, line)?;
    fault::point!("cassette.sync", file.sync_data())
}

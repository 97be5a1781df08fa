//! Where everything lies: repository, configuration, project and home (design 3.6, 3.7).

use std::path::{Path, PathBuf};

use mycelium_schemas::{
    digest::sha256,
    id::{ProjectName, RunId},
};

use crate::{
    environment::Environment,
    error::{Error, IoContext},
    git::Upstream,
};

/// What the command line says about places.
#[derive(Debug, Clone, Default)]
pub struct Locator {
    /// `-C`/`--repo`: where to look for the repository; default the current folder.
    pub repo: Option<PathBuf>,
    /// `--config`: the configuration file; default `<repo>/.mycelium/config.yaml`.
    pub config: Option<PathBuf>,
    /// `--project`; default the folder's name and a hash of its path.
    pub project: Option<ProjectName>,
}

/// The places of one project.
#[derive(Debug, Clone)]
pub struct Project {
    /// Root of the user's checkout.
    pub root: PathBuf,
    /// The configuration file.
    pub config_path: PathBuf,
    /// Its name.
    pub name: ProjectName,
    /// `MYCELIUM_HOME`.
    pub home: PathBuf,
    /// True where home is the default below the checkout.
    pub home_in_checkout: bool,
}

impl Project {
    /// Finds the nearest git root upward from the given or current folder.
    pub fn locate(locator: &Locator, environment: &Environment) -> Result<Self, Error> {
        let absolute = |path: &Path| environment.current_dir.join(path);
        let start = locator.repo.as_deref().map_or_else(|| environment.current_dir.clone(), absolute);
        let start = start.canonicalize().map_err(|why| Error::Request {
            message: format!("the folder {} cannot be looked into: {why}", start.display()),
            help: "name a folder inside the repository with --repo".into(),
        })?;
        let upstream = Upstream::discover(&start)?;
        let root = upstream.worktree().canonicalize().at("find the folder", upstream.worktree())?;
        let home = environment.get("MYCELIUM_HOME").map(|home| absolute(Path::new(home)));
        Ok(Self {
            config_path: locator
                .config
                .as_deref()
                .map_or_else(|| root.join(".mycelium/config.yaml"), absolute),
            name: match &locator.project {
                Some(name) => name.clone(),
                None => default_name(&root)?,
            },
            home_in_checkout: home.is_none(),
            home: home.unwrap_or_else(|| root.join(".mycelium/home")),
            root,
        })
    }

    /// `<repo>/.mycelium`.
    pub fn dir(&self) -> PathBuf {
        self.root.join(".mycelium")
    }

    /// `<repo>/.mycelium/tasks`.
    pub fn tasks_dir(&self) -> PathBuf {
        self.dir().join("tasks")
    }

    /// Folder that holds the runs.
    pub fn runs_dir(&self) -> PathBuf {
        self.home.join("projects").join(self.name.as_str()).join("runs")
    }

    /// Folder of the workspaces of all runs.
    pub fn all_workspaces_dir(&self) -> PathBuf {
        self.home.join("projects").join(self.name.as_str()).join("workspaces")
    }

    /// Folder of the workspaces of a run.
    pub fn workspaces_dir(&self, run: &RunId) -> PathBuf {
        self.all_workspaces_dir().join(run.as_str())
    }

    /// A path as the user would write it: relative to the checkout where it lies in it.
    pub fn display(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// The folder's name, reduced to what an id may hold, and eight hex digits of the path's hash.
fn default_name(root: &Path) -> Result<ProjectName, Error> {
    let folder = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut stem: String = folder
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' })
        .collect::<String>()
        .trim_start_matches(['.', '_', '-'])
        .chars()
        .take(48)
        .collect();
    if stem.is_empty() {
        stem.push_str("repo");
    }
    let digest = sha256(root.as_os_str().as_encoded_bytes());
    format!("{stem}-{}", &digest[..8]).parse().map_err(|why| Error::Request {
        message: format!("no project name can be made of the folder's name {folder:?}: it {why}"),
        help: "name the project with --project".into(),
    })
}

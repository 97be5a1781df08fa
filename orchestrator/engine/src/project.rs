//! Where everything lies: repository, configuration, project and home (design 3.6, 3.7).

use std::path::{Component, Path, PathBuf};

use mycelium_schemas::{
    digest::sha256,
    id::{ProjectName, RunId},
};

use crate::{
    claim,
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
    /// `MYCELIUM_HOME`, however it was spelled: processes of a run are known by paths in it.
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
        let home = environment.path("MYCELIUM_HOME").map(absolute);
        let project = Self {
            config_path: locator
                .config
                .as_deref()
                .map_or_else(|| root.join(".mycelium/config.yaml"), absolute),
            name: match &locator.project {
                Some(name) => name.clone(),
                None => default_name(&root)?,
            },
            home_in_checkout: home.is_none(),
            home: resolved(&home.unwrap_or_else(|| root.join(".mycelium/home"))),
            root,
        };
        refuse_unspeakable("repository", &project.root, MOVE)?;
        refuse_unspeakable("repository", upstream.common_dir(), MOVE)?;
        refuse_unspeakable("home", &project.home, "set MYCELIUM_HOME to another folder")?;
        refuse_unspeakable("configuration", &project.config_path, "name another file with --config")?;
        claim::check(&project, upstream.common_dir())?;
        Ok(project)
    }

    /// `<repo>/.mycelium`.
    pub fn dir(&self) -> PathBuf {
        self.root.join(".mycelium")
    }

    /// `<repo>/.mycelium/tasks`.
    pub fn tasks_dir(&self) -> PathBuf {
        self.dir().join("tasks")
    }

    /// The project's folder in the home.
    pub fn home_dir(&self) -> PathBuf {
        self.home.join("projects").join(self.name.as_str())
    }

    /// Folder that holds the runs.
    pub fn runs_dir(&self) -> PathBuf {
        self.home_dir().join("runs")
    }

    /// Folder of the workspaces of all runs.
    pub fn all_workspaces_dir(&self) -> PathBuf {
        self.home_dir().join("workspaces")
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

const MOVE: &str = "rename the folder, or work in a clone at another path";

/// Refuses a path that cannot be handed on: agents get theirs in variables and JSON, which hold text alone, and git
/// knows object folders by lines.
fn refuse_unspeakable(what: &str, path: &Path, help: &str) -> Result<(), Error> {
    let why = match path.to_str() {
        None => "is not valid UTF-8",
        Some(text) if text.contains(['\n', '\r']) => "has a line break",
        Some(_) => return Ok(()),
    };
    let shown = path.as_os_str().as_encoded_bytes().escape_ascii();
    Err(Error::Request { message: format!("the path of the {what} {why}: {shown}"), help: help.to_owned() })
}

/// An absolute path without links and dots, also where its end is not there yet.
fn resolved(path: &Path) -> PathBuf {
    let found =
        |ancestor: &Path| Some((ancestor.canonicalize().ok()?, path.strip_prefix(ancestor).ok()?.to_owned()));
    let Some((mut resolved, rest)) = path.ancestors().find_map(found) else { return path.to_owned() };
    for part in rest.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            part => resolved.push(part),
        }
    }
    resolved
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

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_path_has_one_spelling_also_before_it_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("real/home")).unwrap();
        symlink("real", top.join("link")).unwrap();
        for (spelled, path) in [
            ("real/home/", "real/home"),
            ("link/home", "real/home"),
            ("link/../real/./home", "real/home"),
            ("link/new/deep/", "real/new/deep"),
            ("link/new/../other", "real/other"),
            ("gone/../../x", "../x"),
        ] {
            let path = if let Some(outside) = path.strip_prefix("../") {
                top.parent().unwrap().join(outside)
            } else {
                top.join(path)
            };
            assert_eq!(resolved(&top.join(spelled)), path, "{spelled}");
        }
    }
}

//! The folder that the commands of a scenario run in, with its configuration and scripts.

use std::path::{Path, PathBuf};

use mycelium_fixtures::{
    Fixture, FixtureError,
    config::ConfigDraft,
    files::{copy_folder, write_file},
    repository::{BRANCH, FixtureRepository},
    script::Scripts,
};

use super::WorldError;

/// Where a doctor that a feature writes is kept, relative to the root.
const OWN_DOCTOR: &str = ".mycelium/doctor.sh";

/// A folder, usually a repository.
#[derive(Debug)]
pub(crate) struct Stage {
    path: PathBuf,
    fixture: Option<Fixture>,
    repository: Option<FixtureRepository>,
    config: ConfigDraft,
    scripts: Scripts,
}

impl Stage {
    /// A fixture repository, configured to work.
    pub(crate) fn fixture(root: &Path, fixture: Fixture) -> Result<Self, WorldError> {
        let repository = fixture.build(&root.join(fixture.name()))?;
        let stage = Self::new(root, repository.path().to_owned(), Some(repository), fixture.doctor())?;
        Ok(Self { fixture: Some(fixture), ..stage })
    }

    /// A repository without a commit.
    pub(crate) fn unborn(root: &Path) -> Result<Self, WorldError> {
        let repository = FixtureRepository::create_unborn(&root.join("unborn-repo"))?;
        Self::with_own_doctor(root, repository.path().to_owned(), Some(repository))
    }

    /// A folder without git.
    pub(crate) fn plain_folder(root: &Path) -> Result<Self, WorldError> {
        Self::with_own_doctor(root, root.join("plain-folder"), None)
    }

    fn with_own_doctor(
        root: &Path,
        path: PathBuf,
        repository: Option<FixtureRepository>,
    ) -> Result<Self, WorldError> {
        let mut stage = Self::new(root, path, repository, OWN_DOCTOR)?;
        stage.set_doctor("exit 0")?;
        Ok(stage)
    }

    fn new(
        root: &Path,
        path: PathBuf,
        repository: Option<FixtureRepository>,
        doctor: &str,
    ) -> Result<Self, WorldError> {
        let scripts = Scripts::new(&root.join("scripts"), &path, BRANCH);
        let stage = Self { path, fixture: None, repository, config: ConfigDraft::new(doctor), scripts };
        stage.write_config()?;
        stage.write(".mycelium/plan.md", "# Plan\n\nDo what the tasks say.\n")?;
        Ok(stage)
    }

    /// The same fixture with the same configuration, plan and tasks below another root.
    pub(crate) fn copy_to(&self, root: &Path) -> Result<Self, WorldError> {
        let fixture = self.fixture.ok_or(WorldError::NoRepository)?;
        let stage = Self::fixture(root, fixture)?;
        copy_folder(&self.path.join(".mycelium"), &stage.path.join(".mycelium"))?;
        Ok(Self { config: self.config.clone(), ..stage })
    }

    /// Makes its commands run in containers of an image, which reach no network unless the scenario says otherwise.
    pub(super) fn move_into_containers(&mut self, image: &str) -> Result<(), WorldError> {
        self.config.set(&["docker", "image"], image);
        self.config.set(&["docker", "network_mode"], "none");
        self.scripts.move_into_containers();
        self.write_config()
    }

    /// Its root.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Its repository; none outside git.
    pub(crate) fn repository(&self) -> Option<&FixtureRepository> {
        self.repository.as_ref()
    }

    /// Its repository, or the error of a step that needs one.
    pub(crate) fn git(&self) -> Result<&FixtureRepository, WorldError> {
        self.repository.as_ref().ok_or(WorldError::NoGit)
    }

    /// The scripted agents and doctors.
    pub(crate) fn scripts(&self) -> &Scripts {
        &self.scripts
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), FixtureError> {
        write_file(&self.path.join(path), text.as_bytes(), false)
    }

    /// Merges settings into the configuration and writes it.
    pub(crate) fn configure(&mut self, yaml: &str) -> Result<(), WorldError> {
        self.config.merge_yaml(yaml)?;
        self.write_config()
    }

    /// Replaces the configuration's text as it stands, right or wrong.
    pub(crate) fn replace_configuration(&self, text: &str) -> Result<(), WorldError> {
        Ok(self.write(".mycelium/config.yaml", text)?)
    }

    /// Makes the agent run a script: of one task, or of every task without one of its own.
    pub(crate) fn set_agent(&mut self, task: Option<&str>, body: &str) -> Result<(), WorldError> {
        self.scripts.write_agent(task, body)?;
        self.config.set(&["worker", "agent"], "command");
        self.config.set(&["worker", "command"], &self.scripts.agent_command()?);
        self.write_config()
    }

    /// Sets one key of the configuration, its path given as keys, and writes it.
    pub(crate) fn set(&mut self, keys: &[&str], value: &str) -> Result<(), WorldError> {
        self.config.set(keys, value);
        self.write_config()
    }

    /// Removes one key of the configuration, its path given as keys, and writes it.
    pub(crate) fn remove(&mut self, keys: &[&str]) -> Result<(), WorldError> {
        self.config.remove(keys);
        self.write_config()
    }

    /// Makes the doctor run a script.
    pub(crate) fn set_doctor(&mut self, body: &str) -> Result<(), WorldError> {
        let text = self.scripts.doctor(body)?;
        write_file(&self.path.join(OWN_DOCTOR), text.as_bytes(), true)?;
        self.config.set(&["doctor"], OWN_DOCTOR);
        self.write_config()
    }

    fn write_config(&self) -> Result<(), WorldError> {
        Ok(self.write(".mycelium/config.yaml", &self.config.to_yaml()?)?)
    }
}

//! The program under test: built here unless it is given, and identified by its digest and by what it says of itself.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mycelium_schemas::digest::sha256;

use super::supervise::{self, SCRATCH_VARIABLE};
use crate::runner::leftovers;

/// The profile of the workspace that benchmarks measure.
const FAST_PROFILE: &str = "perf";

/// The program under test.
#[derive(Debug, Clone)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) digest: String,
    pub(super) version: serde_json::Value,
}

/// There is no program to test.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgramError {
    #[error(
        "this accept does not stand in a cargo target folder, so it cannot build mycelium; give --bin PATH"
    )]
    NotInTarget,
    #[error("cannot start cargo to build mycelium")]
    Cargo(#[source] io::Error),
    #[error("mycelium does not build; nothing was run")]
    DoesNotBuild,
    #[error("cannot read the program {path}")]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("cannot start the program {path}")]
    DoesNotStart { path: PathBuf, source: io::Error },
    #[error("{path} does not answer `--version --json` with a JSON document; is it mycelium?")]
    NotOurs { path: PathBuf },
}

impl ProgramError {
    /// The same of the program that a copy was made of: nobody knows the copy.
    fn about(self, original: &Path) -> Self {
        match self {
            Self::DoesNotStart { source, .. } => Self::DoesNotStart { path: original.to_owned(), source },
            Self::NotOurs { .. } => Self::NotOurs { path: original.to_owned() },
            other => other,
        }
    }
}

impl Program {
    /// Takes a copy of the program that was given, or of the one built here, and identifies it. A copy, because a build
    /// beside a run replaces the original, and then what ran would not be what the results say.
    pub(super) fn take(
        root: &Path,
        given: Option<PathBuf>,
        build: Build,
        folder: &Path,
    ) -> Result<Self, ProgramError> {
        let original = match given {
            Some(path) => path,
            None => build.make(root)?,
        };
        Self::copy(&original, folder)
    }

    fn copy(original: &Path, folder: &Path) -> Result<Self, ProgramError> {
        let path = folder.join(format!("mycelium{}", env::consts::EXE_SUFFIX));
        let unreadable = |source| ProgramError::Unreadable { path: original.to_owned(), source };
        fs::copy(original, &path).map_err(unreadable)?;
        let digest = Self::digest(&path)?;
        // Inside the folder of scenarios: like all that has its home there, it does not outlive the run.
        let version = Self::version(&path, Some(&folder.join("home")));
        let version = version.map_err(|error| error.about(original))?;
        Ok(Self { path, digest, version })
    }

    /// What a program says of itself, in a home of its own where one is given.
    pub(super) fn version(path: &Path, home: Option<&Path>) -> Result<serde_json::Value, ProgramError> {
        let answer = Command::new(path)
            .args(["--version", "--json"])
            .envs(home.map(|home| ("HOME", home)))
            .stdin(Stdio::null())
            .output()
            .map_err(|source| ProgramError::DoesNotStart { path: path.to_owned(), source })?;
        serde_json::from_slice(&answer.stdout)
            .ok()
            .filter(|_| answer.status.success())
            .ok_or_else(|| ProgramError::NotOurs { path: path.to_owned() })
    }

    /// Where the program would be built.
    pub(super) fn place() -> Result<PathBuf, ProgramError> {
        Target::of_this_program().map(|target| target.binary()).ok_or(ProgramError::NotInTarget)
    }

    /// SHA-256 of a program.
    pub(super) fn digest(path: &Path) -> Result<String, ProgramError> {
        fs::read(path)
            .map(|bytes| sha256(&bytes))
            .map_err(|source| ProgramError::Unreadable { path: path.to_owned(), source })
    }

    /// The digest of the program as it is built now; none where it is not built.
    pub(super) fn built_digest() -> Option<String> {
        let target = Target::of_this_program()?;
        fs::read(target.binary()).ok().map(|bytes| sha256(&bytes))
    }
}

/// How a program is built.
#[derive(Debug, Clone, Copy)]
pub(super) enum Build {
    /// In the same profile and target folder as this very program.
    Ordinary,
    /// With seeded faults, where it never takes the place of the ordinary one.
    Sabotaged,
    /// As fast as a release, for benchmarks.
    Fast,
}

impl Build {
    fn make(self, root: &Path) -> Result<PathBuf, ProgramError> {
        let mut target = Target::of_this_program().ok_or(ProgramError::NotInTarget)?;
        let features: &[&str] = match self {
            Self::Ordinary => &[],
            Self::Sabotaged => {
                target.folder.push("sabotage");
                &["--features", "saboteur"]
            }
            Self::Fast => {
                FAST_PROFILE.clone_into(&mut target.profile_folder);
                &[]
            }
        };
        build_in(root, &target, features)
    }
}

fn build_in(root: &Path, target: &Target, features: &[&str]) -> Result<PathBuf, ProgramError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--package", "mycelium", "--bin", "mycelium"])
        .args(features)
        .args(["--profile", target.profile()])
        .arg("--target-dir")
        .arg(&target.folder)
        .arg("--manifest-path")
        .arg(root.join("Cargo.toml"))
        // What it starts is no run of scenarios. It ends with the run all the same, but for a build server.
        .env_remove(SCRATCH_VARIABLE)
        .envs(supervise::scratch().map(|scratch| (leftovers::BUILD_VARIABLE, scratch.join("build"))))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(ProgramError::Cargo)?;
    if status.success() { Ok(target.binary()) } else { Err(ProgramError::DoesNotBuild) }
}

/// A cargo target folder and the folder of a profile in it.
struct Target {
    folder: PathBuf,
    profile_folder: String,
}

impl Target {
    fn of_this_program() -> Option<Self> {
        let program = env::current_exe().ok()?;
        let profile = program.parent()?;
        // Cargo's own mark of a profile's folder.
        if !profile.join(".fingerprint").is_dir() {
            return None;
        }
        let profile_folder = profile.file_name()?.to_str()?.to_owned();
        Some(Self { folder: profile.parent()?.to_owned(), profile_folder })
    }

    fn profile(&self) -> &str {
        if self.profile_folder == "debug" { "dev" } else { &self.profile_folder }
    }

    fn binary(&self) -> PathBuf {
        self.folder.join(&self.profile_folder).join(format!("mycelium{}", env::consts::EXE_SUFFIX))
    }
}

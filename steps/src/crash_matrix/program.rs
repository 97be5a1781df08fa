//! The program with its fault points.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mycelium_fixtures::containers::Containers;
use serde::Deserialize;

use crate::MatrixError;

/// A place at which the program can be made to fail.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Point {
    pub(crate) name: String,
    /// Whether it is an operation, so that it can fail.
    pub(crate) fails: bool,
    /// Whether it writes bytes, so that the write can be torn.
    pub(crate) writes: bool,
    /// Whether a library holds a lock file meanwhile, so that it can be left.
    pub(crate) locks: bool,
}

/// The program under test.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) points: Vec<Point>,
    /// Where it runs commands in containers; none where there is no engine.
    pub(crate) engine: Option<Containers>,
}

impl Program {
    /// The program that was given, or one built now.
    pub(crate) fn take(given: Option<PathBuf>, engine: Option<Containers>) -> Result<Self, MatrixError> {
        let path = match given {
            Some(path) => path,
            None => build()?,
        };
        let path =
            path.canonicalize().map_err(|source| MatrixError::File { action: "find", path, source })?;
        let points = points_of(&path)?;
        if let Some(pair) = points.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(MatrixError::SharedPoint { name: pair[0].name.clone() });
        }
        Ok(Self { path, points, engine })
    }

    pub(crate) fn point(&self, name: &str) -> Option<&Point> {
        self.points.iter().find(|point| point.name == name)
    }
}

fn points_of(path: &Path) -> Result<Vec<Point>, MatrixError> {
    let output = Command::new(path)
        .args(["fault-points", "--json"])
        .stdin(Stdio::null())
        .output()
        .map_err(|source| MatrixError::File { action: "start", path: path.to_owned(), source })?;
    let points: Option<Vec<Point>> = serde_json::from_slice(&output.stdout).ok();
    points.filter(|points| !points.is_empty()).ok_or_else(|| MatrixError::NoPoints { path: path.to_owned() })
}

/// Builds it in the folder `faults` of this program's target folder, where it never takes the place of the ordinary one.
fn build() -> Result<PathBuf, MatrixError> {
    let own = env::current_exe().map_err(MatrixError::Cargo)?;
    let profile = own.parent().filter(|profile| profile.join(".fingerprint").is_dir());
    let target = profile.and_then(Path::parent).ok_or(MatrixError::NotInTarget)?.join("faults");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--quiet", "--locked", "--package", "mycelium", "--bin", "mycelium"])
        .args(["--features", "faults", "--target-dir"])
        .arg(&target)
        .arg("--manifest-path")
        .arg(manifest)
        .stdin(Stdio::null())
        .status()
        .map_err(MatrixError::Cargo)?;
    if !status.success() {
        return Err(MatrixError::DoesNotBuild);
    }
    Ok(target.join("debug").join(format!("mycelium{}", env::consts::EXE_SUFFIX)))
}

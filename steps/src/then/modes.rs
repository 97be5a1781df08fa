//! Who may look into what the program keeps.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use cucumber::then;
use mycelium_fixtures::FixtureError;
use mycelium_schemas::evidence::AssertionKind::Fs;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

/// No file and no folder that the program keeps in its home may be read, written or entered by anybody but its owner;
/// files of a run and a workspace are among them. What is inside a workspace and inside the run's own object database has
/// git's modes; both folders are closed.
#[then(expr = "nobody but the owner may look into what is kept")]
fn never_open(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let projects = world.sandbox().mycelium_home().join("projects");
    let mut looked = Looked::default();
    looked.collect(&projects, 0)?;
    let Looked { run_files, workspaces, mut flaws } = looked;
    if run_files == 0 || workspaces == 0 {
        flaws.push(format!("of files of a run there are {run_files}, of workspaces {workspaces}"));
    }
    let verdict = Verdict::equal("", lines(flaws));
    world.never(Claim::new(Fs, "private", "the modes of what is kept", "MYCELIUM_HOME"), verdict)
}

/// `projects/P/workspaces/R/T` and `projects/P/runs/R/objects.git` are as deep below `projects`.
const OTHERS_BEGIN: usize = 4;

/// What was looked at.
#[derive(Debug, Default)]
struct Looked {
    run_files: usize,
    workspaces: usize,
    /// What others may look into.
    flaws: Vec<String>,
}

impl Looked {
    fn collect(&mut self, path: &Path, depth: usize) -> Result<(), FixtureError> {
        let found = path.symlink_metadata().map_err(FixtureError::file("look at", path))?;
        let mode = found.permissions().mode() & 0o777;
        let is_of = |kind| depth == OTHERS_BEGIN && path.iter().rev().nth(2).is_some_and(|name| name == kind);
        if mode & 0o077 != 0 {
            self.flaws.push(format!("{mode:03o} {}", path.display()));
        }
        if is_of("workspaces") {
            self.workspaces += usize::from(found.is_dir());
            return Ok(());
        }
        self.run_files += usize::from(is_of("runs") && found.is_file());
        if !found.is_dir() || (depth == OTHERS_BEGIN && path.ends_with("objects.git")) {
            return Ok(());
        }
        for entry in fs::read_dir(path).map_err(FixtureError::file("list", path))? {
            self.collect(&entry.map_err(FixtureError::file("list", path))?.path(), depth + 1)?;
        }
        Ok(())
    }
}

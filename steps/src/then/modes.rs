//! Who may look into what the program keeps.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use cucumber::then;
use mycelium_fixtures::FixtureError;
use mycelium_schemas::evidence::AssertionKind::Fs;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

/// No file and no folder that the program keeps in its home may be read, written or entered by anybody but its owner.
/// Inside a workspace and inside the run's own object database files have git's modes; their folders are closed.
#[then(expr = "nobody but the owner may look into what is kept")]
fn never_open(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let projects = world.sandbox().mycelium_home().join("projects");
    let (mut looked_at, mut open) = (0, Vec::new());
    collect(&projects, 0, &mut looked_at, &mut open)?;
    let verdict = Verdict::of(looked_at > 1 && open.is_empty(), "", lines(open));
    world.never(Claim::new(Fs, "private", "the modes of what is kept", "MYCELIUM_HOME"), verdict)
}

/// `projects/P/workspaces/R/T` and `projects/P/runs/R/objects.git` are as deep below `projects`.
const OTHERS_BEGIN: usize = 4;

fn collect(
    path: &Path,
    depth: usize,
    looked_at: &mut usize,
    open: &mut Vec<String>,
) -> Result<(), FixtureError> {
    let found = path.symlink_metadata().map_err(FixtureError::file("look at", path))?;
    let mode = found.permissions().mode() & 0o777;
    *looked_at += 1;
    let is_workspace =
        depth == OTHERS_BEGIN && path.iter().rev().nth(2).is_some_and(|name| name == "workspaces");
    if is_workspace {
        return Ok(());
    }
    if mode & 0o077 != 0 {
        open.push(format!("{mode:03o} {}", path.display()));
    }
    if !found.is_dir() || (depth == OTHERS_BEGIN && path.ends_with("objects.git")) {
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(FixtureError::file("list", path))? {
        collect(&entry.map_err(FixtureError::file("list", path))?.path(), depth + 1, looked_at, open)?;
    }
    Ok(())
}

//! What lies in Mycelium's home and is none of Mycelium's.

use std::{fs, io::ErrorKind, os::unix::fs::symlink};

use cucumber::when;
use mycelium_fixtures::{FixtureError, files::write_file};

use crate::world::{MyceliumWorld, WorldError};

/// A file that is not Mycelium's lies in the project's folder of its home.
#[when(expr = "a foreign file {string} lies in the project's home")]
fn foreign_file(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.project_home()?.join(path);
    write_file(&path, b"a foreign file\n", false)?;
    // What it holds is no flaw of the program's.
    world.damage(path, b"a foreign file\n".to_vec())
}

/// A link in the project's folder of Mycelium's home leads to the user's checkout.
#[when(expr = "a link {string} in the project's home leads to the checkout")]
fn foreign_link(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.project_home()?.join(path);
    let target = world.stage()?.path().to_owned();
    Ok(symlink(target, &path).map_err(FixtureError::file("make the link", path))?)
}

/// A folder of the project's folder in Mycelium's home is not there, with all that was in it.
#[when(expr = "the project's home has no folder {string}")]
fn no_folder(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let path = world.project_home()?.join(path);
    match fs::remove_dir_all(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => Ok(result.map_err(FixtureError::file("remove", path))?),
    }
}

//! Which program runs, and in which environment.

use cucumber::given;

use crate::world::{MyceliumWorld, WorldError};

/// The program is a copy in a folder of its own, away from where it was built.
#[given(expr = "the program is installed elsewhere")]
fn installed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.install()
}

/// The program is started with this umask, for example 000.
#[given(expr = "the umask is {word}")]
fn started_with_umask(world: &mut MyceliumWorld, umask: String) -> Result<(), WorldError> {
    world.start_with(&format!("umask {umask}"))
}

/// Programs get no environment variable at all: no `PATH`, no `HOME`; in containers the engine's address alone.
#[given(expr = "an empty environment")]
fn empty_environment(world: &mut MyceliumWorld) {
    world.sandbox().strip_environment();
}

/// Programs get this environment variable.
#[given(expr = "the environment variable {word} is {string}")]
fn variable(world: &mut MyceliumWorld, name: String, value: String) {
    world.sandbox().set(&name, value);
}

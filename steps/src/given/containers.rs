//! What is at the engine before a run.

use cucumber::given;

use crate::world::{FOREIGN, MyceliumWorld, WorldError};

/// Somebody else's container is at the same engine: of a project of another name, which runs tasks of the same ids.
#[given(expr = "a container of another project")]
fn foreign_container(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let root = world.sandbox().root().to_owned();
    let chance = root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let labels = [("mycelium.project", FOREIGN), ("mycelium.run_id", "first"), ("mycelium.task_id", "001")];
    let name = format!("mycelium-foreign-{chance}");
    world.engine()?.make_foreign(&name, &labels, &root).map_err(WorldError::Engine)
}

/// The scenario has a container engine of its own, which it can stop. It stands before the repository, since the
/// configuration names its image.
#[given(expr = "a container engine of its own")]
fn own_engine(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.get_own_engine(None)
}

/// The same as if it were on another machine: it is reached by TLS alone and sees nothing of where workspaces are. Scripts
/// reach nothing outside there: none of the words `signal`, `await`, `once` and their like.
#[given(expr = "a container engine of its own on another machine")]
fn far_engine(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    world.get_far_engine()
}

/// The same with a disk of its own, on which there is that much room for images and containers.
#[given(expr = "a container engine of its own with room for {int} KiB")]
fn small_engine(world: &mut MyceliumWorld, kib: u32) -> Result<(), WorldError> {
    world.get_own_engine(Some(kib))
}

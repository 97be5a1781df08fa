//! The container engine, where the project has anything to do with one.

use std::fs;

use mycelium_schemas::{answer::CheckArea::Environment as Machine, event::World};

use super::Checks;
use crate::{
    clean,
    docker::{Connection, Container, Labels},
    environment::Environment,
    error::Error,
    launcher::Launcher,
    project::Project,
    quantity::bytes,
    settings::Settings,
    signals::Listening,
};

/// Whether it answers, and what runs left there. While a run works its containers are no leftovers.
/// The image is looked into by the configuration that is given. A signal ends it, since an engine may stand still.
pub(super) fn check(
    checks: &mut Checks,
    settings: Option<&Settings>,
    project: &Project,
    environment: &Environment,
    is_free: bool,
    listening: &mut Listening,
) -> Result<(), Error> {
    match listening.wait(clean::containers(project, environment)) {
        Ok(None) => {}
        Err(error @ Error::Signalled { .. }) => return Err(error),
        Err(error) => checks.error("container engine", &error),
        Ok(Some((engine, containers))) => {
            checks.ok("container engine", Machine, engine);
            if let Some(settings) = settings {
                image(checks, settings, project, environment, listening)?;
            }
            if !containers.is_empty() && is_free {
                let names: Vec<String> =
                    containers.iter().map(|found| format!("{} ({})", found.name, found.status)).collect();
                checks.warn(
                    "containers",
                    Machine,
                    format!(
                        "runs left {}, with {} on the engine's disk: {}",
                        names.len(),
                        disk_use(&containers),
                        crate::start::some_of(&names)
                    ),
                    "`mycelium resume` follows or removes those of an interrupted run, `mycelium clean` removes the rest",
                );
            }
        }
    }
    Ok(())
}

/// What containers take there, as far as an engine tells it.
fn disk_use(containers: &[Container]) -> String {
    let taken = bytes(containers.iter().filter_map(|found| found.bytes).sum());
    match containers.iter().filter(|found| found.carries).count() {
        0 => taken,
        workspaces => format!("{taken} and {workspaces} copied workspaces"),
    }
}

/// Whether the image that is configured is there, and has what every run needs. None is pulled for that.
fn image(
    checks: &mut Checks,
    settings: &Settings,
    project: &Project,
    environment: &Environment,
    listening: &mut Listening,
) -> Result<(), Error> {
    let Some(name) = settings.config.docker.image.as_deref() else { return Ok(()) };
    let looked = listening.wait(async {
        if Connection::open(environment).await?.find_image(name).await?.is_none() {
            return Ok(false);
        }
        launcher(settings, project, environment).await.map(|_launcher| true)
    });
    match looked {
        Ok(true) => checks.ok("image", Machine, name),
        Ok(false) => checks.warn(
            "image",
            Machine,
            format!("there is no image {name} at the container engine yet; a run pulls it"),
            "build or pull it",
        ),
        Err(error @ Error::Signalled { .. }) => return Err(error),
        Err(error) => checks.error("image", &error),
    }
    Ok(())
}

/// What starts commands in containers, of an image that has what every run needs.
pub(super) async fn launcher(
    settings: &Settings,
    project: &Project,
    environment: &Environment,
) -> Result<Launcher, Error> {
    let doctor = settings.doctor(project).ok().and_then(|path| fs::read(path).ok()).unwrap_or_default();
    let labels = || Labels::first(project);
    let launcher = Launcher::open(World::Docker, environment, &settings.config, labels).await?;
    launcher.look_into_image(&doctor).await?;
    Ok(launcher)
}

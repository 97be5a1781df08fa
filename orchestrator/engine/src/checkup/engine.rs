//! The container engine, where the project has anything to do with one.

use mycelium_schemas::answer::CheckArea::Environment as Machine;

use super::Checks;
use crate::{clean, environment::Environment, project::Project};

/// Whether it answers, and what runs left there. While a run works its containers are no leftovers.
pub(super) fn check(checks: &mut Checks, project: &Project, environment: &Environment, is_free: bool) {
    match clean::containers(project, environment) {
        Ok(None) => {}
        Err(error) => checks.error("container engine", &error),
        Ok(Some((engine, containers))) => {
            checks.ok("container engine", Machine, engine);
            if !containers.is_empty() && is_free {
                let names: Vec<String> =
                    containers.iter().map(|found| format!("{} ({})", found.name, found.status)).collect();
                checks.warn(
                    "containers",
                    Machine,
                    format!("runs left {}: {}", names.len(), crate::start::some_of(&names)),
                    "`mycelium resume` follows or removes those of an interrupted run, `mycelium clean` removes the rest",
                );
            }
        }
    }
}

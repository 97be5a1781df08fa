//! Who does the work, plans it and judges it: programs, keys, models, cassettes. What is asked for is what nothing begins
//! without, in the words of `run` and `plan`.

use mycelium_schemas::{
    answer::CheckArea::{Configuration, Environment as Machine},
    config::{Agent, Answerer, Answering},
    event::World,
};

use super::{Checks, engine};
use crate::{
    candidates::Look, environment::Environment, error::Error, hiring::Found, project::Project,
    settings::Settings, signals::Listening, start::new_run_id,
};

/// Everybody whom a run in this world asks, and whoever is asked for a plan.
pub(super) fn check(
    checks: &mut Checks,
    settings: &Settings,
    project: &Project,
    environment: &Environment,
    world: World,
    listening: &mut Listening,
) -> Result<(), Error> {
    let config = &settings.config;
    let here = Here { project, environment, world };
    match config.worker.agent {
        Agent::Mock => checks.ok("worker", Configuration, "the scripted agent"),
        Agent::Command => here.check_command(checks, "worker", config.worker.command.as_deref()),
        Agent::Codex | Agent::Claude => {}
    }
    for (name, judge) in config.judges() {
        here.check_answerer(checks, &format!("{name}_validator"), &judge.asked);
    }
    let wrong = |keys: &[&str], message, help: &str| settings.wrong(keys, message, help);
    let mut look = Look { project, config, environment, listening, wrong: &wrong };
    // Of a run that would begin now; a clock that is none is told of elsewhere.
    let run = new_run_id(environment.now().unwrap_or_default())?;
    look.at_run(world, &run, &mut |name, found| note(checks, name, found))?;
    if world == World::Docker {
        match look.listening.wait(engine::launcher(settings, project, environment)) {
            Ok(launcher) => {
                checks.ok("image", Machine, config.docker.image.as_deref().unwrap_or_default());
                look.at_image(&launcher, &mut |name, found| note(checks, name, found))?;
            }
            Err(error) => note(checks, "image", Err(error))?,
        }
    }
    // Where there is a plan, a run works without whoever could make another one.
    let before = checks.0.len();
    Here { world: World::Local, ..here }.check_answerer(checks, "planner", &config.planner.asked);
    look.at_plan(&mut |name, found| note(checks, name, found))?;
    if project.tasks_dir().join("plan.json").exists() {
        checks.soften_from(before);
    }
    Ok(())
}

fn note(checks: &mut Checks, name: &str, found: Result<Found, Error>) -> Result<(), Error> {
    match found {
        Ok(Found { said, warning: None }) => checks.ok(name, Configuration, said),
        Ok(Found { warning: Some((what, mend)), .. }) => checks.warn(name, Configuration, what, &mend),
        Err(error @ Error::Signalled { .. }) => return Err(error),
        Err(error) => checks.error(name, &error),
    }
    Ok(())
}

/// Where commands are looked for.
struct Here<'a> {
    project: &'a Project,
    environment: &'a Environment,
    world: World,
}

impl Here<'_> {
    /// One that is a command, or scripted.
    fn check_answerer(&self, checks: &mut Checks, section: &str, asked: &Answering) {
        match asked.provider {
            Answerer::Mock => {
                checks.ok(&section.replace('_', " "), Configuration, "answers what MOCK_LLM_OUTPUT says");
            }
            Answerer::Command => self.check_command(checks, section, asked.command.as_deref()),
            _ => {}
        }
    }

    /// The first word of a command, where it is one that can be looked for.
    fn check_command(&self, checks: &mut Checks, section: &str, command: Option<&str>) {
        let name = &section.replace('_', " ");
        if self.world == World::Docker {
            return checks.ok(
                name,
                Configuration,
                "a command in containers; what it starts is not looked for",
            );
        }
        let mut words = command.unwrap_or_default().split_whitespace().skip_while(|word| *word == "exec");
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-+".contains(c));
        match words.next().filter(plain) {
            Some(word) if word.contains('/') && !word.starts_with('/') => {
                if self.project.root.join(word).exists() {
                    checks.ok(name, Configuration, word);
                } else {
                    checks.warn(
                        name,
                        Configuration,
                        format!("{word} is not in the checkout; it is looked for in each workspace"),
                        &format!("commit it, or name the program by an absolute path in {section}.command"),
                    );
                }
            }
            Some(word) => super::machine::check_program(checks, name, word.as_ref(), self.environment),
            None => checks.ok(name, Configuration, "a shell command; what it starts is not looked for"),
        }
    }
}

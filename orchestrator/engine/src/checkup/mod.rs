//! `mycelium doctor`: whether a run would work here, and what to do where it would not. Looks, and changes nothing but that
//! an engine pulls an image that it lacks, where runs in containers are asked about.

mod engine;
mod machine;
mod people;
mod project;
mod script;

use mycelium_schemas::{
    answer::{Check, CheckArea, CheckStatus, Checkup},
    event::World,
};

use crate::{
    environment::Environment,
    error::{Error, ErrorKind},
    project::{Locator, Project},
    signals::Listening,
};

/// Makes every check that can be made, for runs in this world. A signal ends it.
pub fn checkup(
    locator: &Locator,
    environment: &Environment,
    world: World,
    listening: &mut Listening,
) -> Result<Checkup, Error> {
    let mut checks = Checks::default();
    match Project::locate(locator, environment) {
        Ok(found) => {
            checks.ok("repository", CheckArea::Configuration, found.root.display().to_string());
            project::check(&mut checks, &found, environment, world, listening)?;
            machine::check(&mut checks, &found, environment);
        }
        Err(error) => checks.error("repository", &error),
    }
    machine::check_programs(&mut checks, environment);
    let status = checks.0.iter().map(|check| check.status).max().unwrap_or(CheckStatus::Ok);
    Ok(Checkup { status, checks: checks.0 })
}

/// What was found so far.
#[derive(Debug, Default)]
struct Checks(Vec<Check>);

impl Checks {
    fn add(
        &mut self,
        name: &str,
        area: CheckArea,
        status: CheckStatus,
        message: String,
        mend: Option<String>,
    ) {
        self.0.push(Check { name: name.to_owned(), area, status, message, mend });
    }

    fn ok(&mut self, name: &str, area: CheckArea, message: impl Into<String>) {
        self.add(name, area, CheckStatus::Ok, message.into(), None);
    }

    fn warn(&mut self, name: &str, area: CheckArea, message: impl Into<String>, mend: &str) {
        self.add(name, area, CheckStatus::Warn, message.into(), Some(mend.to_owned()));
    }

    fn fail(&mut self, name: &str, area: CheckArea, message: impl Into<String>, mend: &str) {
        self.add(name, area, CheckStatus::Fail, message.into(), Some(mend.to_owned()));
    }

    /// Failures from here on are none that keep a run from working.
    fn soften_from(&mut self, first: usize) {
        for check in self.0.iter_mut().skip(first) {
            check.status = check.status.min(CheckStatus::Warn);
        }
    }

    /// An error of the engine, in as many checks as it has problems.
    fn error(&mut self, name: &str, error: &Error) {
        let area = match error.kind() {
            ErrorKind::Input => CheckArea::Configuration,
            ErrorKind::Environment | ErrorKind::Bug => CheckArea::Environment,
        };
        if let Error::Problems { problems } = error {
            for problem in problems {
                self.add(name, area, CheckStatus::Fail, problem.to_string(), Some(problem.help.clone()));
            }
            return;
        }
        self.add(name, area, CheckStatus::Fail, error.chain(), error.help());
    }
}

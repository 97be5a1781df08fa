//! Who is asked for a plan and in a run, and whether each of them can be asked here: what nothing begins without, and what
//! `mycelium doctor` shows.

use std::collections::BTreeSet;

use mycelium_agents::agent::Agent as Adapter;
use mycelium_schemas::{
    config::{Agent, Answerer, Answering, Config, Provider},
    event::World,
    id::RunId,
    problem::Problem,
};

use crate::{
    asking,
    cassette::{self, Of},
    environment::Environment,
    error::Error,
    hired,
    hiring::{self, Found},
    launcher::Launcher,
    project::Project,
    signals::Listening,
};

/// Makes an error of a problem with the first of these keys of the configuration that is set.
pub(crate) type Wrong<'a> = &'a dyn Fn(&[&str], String, &str) -> Error;

/// Hears what was found of somebody, or of the cassette. An error of its own ends the looking.
pub(crate) type Hear<'a> = &'a mut dyn FnMut(&str, Result<Found, Error>) -> Result<(), Error>;

/// Where and with what is looked.
pub(crate) struct Look<'a> {
    /// The project.
    pub(crate) project: &'a Project,
    /// Its configuration.
    pub(crate) config: &'a Config,
    /// The operator's environment.
    pub(crate) environment: &'a Environment,
    /// A signal ends it.
    pub(crate) listening: &'a mut Listening,
    /// Makes errors of problems.
    pub(crate) wrong: Wrong<'a>,
}

/// Somebody who asks a model.
#[derive(Debug)]
struct Candidate<'a> {
    /// The section of the configuration.
    section: String,
    /// The key there that says who it is.
    word: &'static str,
    /// Its section in `gateway`.
    vendor: &'static str,
    model: &'a str,
    /// Of an agent.
    adapter: Option<Adapter>,
    program: Option<&'a str>,
}

impl<'a> Candidate<'a> {
    fn worker(config: &'a Config) -> Option<Self> {
        let worker = &config.worker;
        let vendor = match worker.agent {
            Agent::Mock | Agent::Command => return None,
            Agent::Codex => "openai",
            Agent::Claude => "anthropic",
        };
        Some(Self {
            section: "worker".to_owned(),
            word: "agent",
            vendor,
            model: &worker.model,
            adapter: hired::adapter(worker.agent),
            program: worker.program.as_deref(),
        })
    }

    fn answerer(section: String, answering: &'a Answering) -> Option<Self> {
        let vendor = match answering.provider {
            Answerer::Mock | Answerer::Command => return None,
            Answerer::Openai | Answerer::Compatible | Answerer::Codex => "openai",
            Answerer::Anthropic | Answerer::Claude => "anthropic",
        };
        Some(Self {
            section,
            word: "provider",
            vendor,
            model: answering.model.as_deref().unwrap_or_default(),
            adapter: asking::adapter(answering.provider),
            program: answering.program.as_deref(),
        })
    }

    /// Everybody in a run, in the order in which they are asked.
    fn of_run(config: &'a Config) -> impl Iterator<Item = Self> {
        let judges = config
            .judges()
            .filter_map(|(name, judge)| Self::answerer(format!("{name}_validator"), &judge.asked));
        Self::worker(config).into_iter().chain(judges)
    }

    /// What it is called.
    fn name(&self) -> String {
        self.section.replace('_', " ")
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.section)
    }

    fn provider(&self, config: &'a Config) -> &'a Provider {
        if self.vendor == "anthropic" { &config.gateway.anthropic } else { &config.gateway.openai }
    }

    /// Whether the gateway has its key.
    fn look_at_model(&self, look: &Look<'_>) -> Result<Found, Error> {
        let provider = self.provider(look.config);
        let keys = [format!("gateway.{}.key", self.vendor), self.key(self.word)];
        hiring::check_key(provider, look.config, look.environment, |message, help| {
            (look.wrong)(&[&keys[0], &keys[1]], message, help)
        })?;
        let how = match &provider.key {
            _ if look.config.gateway.is_replayed() => {
                return Ok(Found::fine(format!("{}, replayed", self.model)));
            }
            Some(key) => format!("with the key in {key}"),
            None => "without a key".to_owned(),
        };
        Ok(Found::fine(format!("{} at {}, {how}", self.model, provider.base_url)))
    }

    /// Makes an error of a problem with its program.
    fn wrong_program(&self, wrong: Wrong<'_>) -> impl Fn(String, &str) -> Error {
        let keys = ["program", self.word].map(|name| self.key(name));
        move |message, help| wrong(&[&keys[0], &keys[1]], message, help)
    }
}

impl Look<'_> {
    /// Whether everybody can be asked whom a run in this world asks, and its cassette can be used.
    pub(crate) fn at_run(&mut self, world: World, run: &RunId, hear: Hear<'_>) -> Result<(), Error> {
        let config = self.config;
        for candidate in Candidate::of_run(config) {
            self.at(&candidate, world, hear)?;
        }
        if config.run_asks_a_model() { self.at_cassette(Of::Run(run), hear) } else { Ok(()) }
    }

    /// The same for a plan, which is made on this machine.
    pub(crate) fn at_plan(&mut self, hear: Hear<'_>) -> Result<(), Error> {
        let Some(candidate) = Candidate::answerer("planner".to_owned(), &self.config.planner.asked) else {
            return Ok(());
        };
        self.at(&candidate, World::Local, hear)?;
        self.at_cassette(Of::Plan, hear)
    }

    /// Whether the image of a run in containers holds the agents of the run, once its engine answers.
    pub(crate) fn at_image(&mut self, launcher: &Launcher, hear: Hear<'_>) -> Result<(), Error> {
        let Some(engine) = launcher.engine() else { return Ok(()) };
        let image = self.config.docker.image.as_deref().unwrap_or_default();
        let mut asked = BTreeSet::new();
        for candidate in Candidate::of_run(self.config) {
            let Some(adapter) = candidate.adapter else { continue };
            let program = hiring::name(adapter, candidate.program);
            if !asked.insert((adapter.name(), program)) {
                continue;
            }
            let wrong = candidate.wrong_program(self.wrong);
            let found = match self.listening.wait(engine.version_of(program, hiring::VERSION_PATIENCE)) {
                Ok(Some(printed)) => {
                    let shown = format!("{program} of the image {image}");
                    hiring::judge_version(adapter, &shown, &printed, wrong)
                }
                Ok(None) => {
                    let message = format!("the image {image} has no program {program}");
                    Err(wrong(message, &hiring::install(adapter)))
                }
                Err(error) => Err(error),
            };
            hear(&candidate.name(), found)?;
        }
        Ok(())
    }

    fn at(&mut self, candidate: &Candidate<'_>, world: World, hear: Hear<'_>) -> Result<(), Error> {
        let name = candidate.name();
        let Some(adapter) = candidate.adapter else { return hear(&name, candidate.look_at_model(self)) };
        match world {
            // Its program is the image's.
            World::Docker => {
                let key = candidate.key(candidate.word);
                let way =
                    hiring::check_way(self.environment, |message, help| (self.wrong)(&[&key], message, help));
                way.or_else(|error| hear(&name, Err(error)))?;
            }
            World::Local => {
                let wrong = candidate.wrong_program(self.wrong);
                let program = hiring::look_at_program(adapter, candidate.program, self.environment, wrong);
                hear(&name, self.listening.wait(program))?;
            }
        }
        hear(&format!("{name}'s model"), candidate.look_at_model(self))
    }

    fn at_cassette(&self, of: Of<'_>, hear: Hear<'_>) -> Result<(), Error> {
        let keys = ["gateway.record", "gateway.replay"];
        let checked = cassette::check(self.project, self.config, of, |message, help| {
            (self.wrong)(&keys, message, help)
        });
        match checked {
            Ok(None) => Ok(()),
            Ok(Some(said)) => hear(of.name(), Ok(Found::fine(said))),
            Err(error) => hear(of.name(), Err(error)),
        }
    }
}

/// Collects all that is in the way of beginning, and says what should be looked at all the same.
pub(crate) fn nothing_wrong(look: impl FnOnce(Hear<'_>) -> Result<(), Error>) -> Result<(), Error> {
    let mut problems: Vec<Problem> = Vec::new();
    look(&mut |_name, found| match found {
        Ok(Found { warning: Some((what, _mend)), .. }) => {
            tracing::warn!("{what}");
            Ok(())
        }
        Ok(_) => Ok(()),
        Err(Error::Problems { problems: found }) => {
            problems.extend(found);
            Ok(())
        }
        Err(error) => Err(error),
    })?;
    problems.sort_by_key(|problem| problem.span.start);
    if problems.is_empty() { Ok(()) } else { Err(Error::Problems { problems }) }
}

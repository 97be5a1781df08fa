//! The model that a scenario's agents ask: a scripted server, and a scripted agent that every machine has.

use std::{env, path::PathBuf};

use mycelium_fixtures::{
    FixtureError,
    files::{copy_folder, write_file},
    models::{Asked, ModelServer, Script, Track, Turn, agent},
};

use super::{HiredAgent, ModelInterface, MyceliumWorld, WorldError};
use mycelium_accept::context::{Lane, Record};

/// The variable of the operator that holds the key.
const KEY_VARIABLE: &str = "OPERATORS_MODEL_KEY";
/// What it holds where a scenario does not say otherwise.
const KEY: &str = "sk-of-the-operator-0123456789abcdef";
/// Where cassettes are, below the checkout.
const CASSETTES: &str = ".mycelium/cassettes";
/// The folder that the real agents are installed in.
const REAL_AGENTS: &str = "MYCELIUM_AGENTS_DIR";

/// The model of planners and validators, by the configuration's name.
const MODEL: &str = "scripted-model";

/// The scripted model of a scenario.
#[derive(Debug)]
pub(crate) enum Models {
    /// It answers.
    Serving(ModelServer),
    /// Nobody listens at its address any more; what it was asked before.
    Gone(Vec<Asked>),
}

impl MyceliumWorld {
    /// From now on the agent is a scripted one that asks a scripted model through the gateway.
    pub(crate) fn hire(&mut self, agent: HiredAgent) -> Result<(), WorldError> {
        let program = self.scripted_program(agent)?;
        self.hire_program(agent, &program)
    }

    /// From now on that section of the configuration asks such an agent for an answer.
    pub(crate) fn judge_by(&mut self, section: &str, agent: HiredAgent) -> Result<(), WorldError> {
        let program = self.scripted_program(agent)?;
        let base_url = self.serve_models()?;
        self.sandbox.set(KEY_VARIABLE, KEY);
        let stage = self.stage_mut()?;
        for (keys, value) in [
            ([section, "provider"].as_slice(), agent.name()),
            (&[section, "model"], agent.model()),
            (&[section, "program"], &program),
            (&["gateway", agent.provider(), "base_url"], &base_url),
            (&["gateway", agent.provider(), "key"], KEY_VARIABLE),
        ] {
            stage.set(keys, value)?;
        }
        Ok(())
    }

    /// The scripted agent: in a container it is the image's, of that name.
    fn scripted_program(&self, agent: HiredAgent) -> Result<String, WorldError> {
        match self.context.lane {
            Lane::Docker => Ok(agent.name().to_owned()),
            Lane::Mock => self.scripted_agent(agent.name()),
        }
    }

    /// From now on the agent is the real one, if this machine has it.
    pub(crate) fn hire_real(&mut self, agent: HiredAgent) -> Result<(), WorldError> {
        let folder = env::var_os(REAL_AGENTS).map(PathBuf::from);
        let program = folder.map(|folder| folder.join("node_modules/.bin").join(agent.name()));
        let Some(program) = program.filter(|program| program.exists()) else {
            let why = format!("{REAL_AGENTS} names no folder with {}: `.ci/agents` makes one", agent.name());
            self.context.recorder.push(Record::NotRun(why.clone()));
            return Err(WorldError::NotHere(why));
        };
        self.hire_program(agent, &program.to_string_lossy())
    }

    fn hire_program(&mut self, agent: HiredAgent, program: &str) -> Result<(), WorldError> {
        let base_url = self.serve_models()?;
        let (name, provider) = (agent.name(), agent.provider());
        self.sandbox.set(KEY_VARIABLE, KEY);
        let stage = self.stage_mut()?;
        for (keys, value) in [
            (["worker", "agent"].as_slice(), name),
            (&["worker", "model"], agent.model()),
            (&["worker", "program"], program),
            (&["gateway", provider, "base_url"], &base_url),
            (&["gateway", provider, "key"], KEY_VARIABLE),
        ] {
            stage.set(keys, value)?;
        }
        Ok(())
    }

    /// From now on a section of the configuration asks a scripted model by that interface.
    pub(crate) fn ask_by(&mut self, section: &str, interface: ModelInterface) -> Result<(), WorldError> {
        let base_url = self.serve_models()?;
        self.sandbox.set(KEY_VARIABLE, KEY);
        let stage = self.stage_mut()?;
        for (keys, value) in [
            ([section, "provider"].as_slice(), interface.name()),
            (&[section, "model"], MODEL),
            (&["gateway", interface.provider(), "base_url"], &base_url),
            (&["gateway", interface.provider(), "key"], KEY_VARIABLE),
        ] {
            stage.set(keys, value)?;
        }
        Ok(())
    }

    /// The address of the scenario's model server, which is started with whoever asks it first.
    fn serve_models(&mut self) -> Result<String, WorldError> {
        if self.models.is_none() {
            let server = ModelServer::start(Script::default()).map_err(WorldError::Models)?;
            self.models = Some(Models::Serving(server));
        }
        Ok(self.model_server()?.base_url())
    }

    /// A program that is called like the real one.
    fn scripted_agent(&self, name: &str) -> Result<String, WorldError> {
        let path = self.sandbox.root().join("agents").join(name);
        let text = agent::launcher(name, &self.context.bin);
        write_file(&path, text.as_bytes(), true)?;
        Ok(path.display().to_string())
    }

    /// The operator's key is another one, or empty.
    pub(crate) fn set_model_key(&mut self, key: &str) {
        self.sandbox.set(KEY_VARIABLE, key);
    }

    /// What the model answers to the requests in which a text stands, or to all others.
    pub(crate) fn model_answers(&self, when: Option<&str>, yaml: &str) -> Result<(), WorldError> {
        let refuse = |error: serde_saphyr::Error| FixtureError::Configuration(error.to_string());
        let mut turns: Vec<Turn> = serde_saphyr::from_str(yaml).map_err(refuse)?;
        for turn in &mut turns {
            if let Some(command) = &turn.shell {
                turn.shell = Some(self.stage()?.scripts().command(command)?);
            }
        }
        self.model_server()?.change(|script| match when {
            None => script.turns = turns,
            Some(text) => {
                script.tracks.retain(|track| track.when != text);
                script.tracks.push(Track { when: text.to_owned(), turns });
            }
        });
        Ok(())
    }

    /// What the model was asked so far.
    pub(crate) fn asked(&self) -> Result<Vec<Asked>, WorldError> {
        match self.models.as_ref().ok_or(WorldError::NoModels)? {
            Models::Serving(server) => Ok(server.asked()),
            Models::Gone(asked) => Ok(asked.clone()),
        }
    }

    fn model_server(&self) -> Result<&ModelServer, WorldError> {
        match &self.models {
            Some(Models::Serving(server)) => Ok(server),
            Some(Models::Gone(_)) | None => Err(WorldError::NoModels),
        }
    }

    /// From now on nobody listens where the model was, and the operator has no key.
    pub(crate) fn end_models(&mut self) -> Result<(), WorldError> {
        let asked = self.asked()?;
        self.models = Some(Models::Gone(asked));
        self.sandbox.unset(KEY_VARIABLE);
        if let Ok(place) = self.second_place_mut() {
            place.sandbox.unset(KEY_VARIABLE);
        }
        Ok(())
    }

    /// From now on a run of the second place is recorded under that name.
    pub(crate) fn record_in_second_place(&mut self, name: &str) -> Result<(), WorldError> {
        self.second_place_mut()?.stage_mut()?.set(&["gateway", "record"], name)
    }

    /// This place has the second one's cassettes, and replays the one of that name.
    pub(crate) fn replay_from_second_place(&mut self, name: &str) -> Result<(), WorldError> {
        let from = self.second_place()?.stage()?.path().join(CASSETTES);
        copy_folder(&from, &self.stage()?.path().join(CASSETTES))?;
        self.replay(name)
    }

    /// From now on the cassette of that name is replayed here.
    pub(crate) fn replay(&mut self, name: &str) -> Result<(), WorldError> {
        let stage = self.stage_mut()?;
        stage.remove(&["gateway", "record"])?;
        stage.set(&["gateway", "replay"], name)
    }

    /// The last command's account of what models used, a line each response, in any order of parallel tasks.
    pub(crate) fn account_of_models(&self) -> Result<String, WorldError> {
        let account = self.run_folder()?.file("models.jsonl").unwrap_or_default();
        let mut lines: Vec<&str> = account.lines().collect();
        lines.sort_unstable();
        Ok(lines.join("\n"))
    }
}

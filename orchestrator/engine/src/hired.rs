//! An agent that asks a model: what it is started with for one attempt, and what became of it by all that is known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use mycelium_agents::{
    agent::{Agent as Adapter, StopSignal},
    invocation::{Answer, Invocation, Session, Start},
    outcome::{Ending, Facts, FailureClass, Outcome, judge},
    reader::Reader,
};
use mycelium_core::settle;
use mycelium_gateway::{Lease, Signs};
use mycelium_schemas::{
    config::{Agent, Config},
    digest::sha256,
    event::ExitReason,
};
use tokio::time::Instant;

use crate::{
    agent::AttemptKey,
    attempt::AGENT_FAILED,
    docker,
    environment::Environment,
    error::Error,
    hiring,
    job::{Exit, Program, Relay},
    models::{Models, Used},
    orphans, saboteur, store,
};

/// Bytes of an agent's standard error that are looked at: its end.
const STDERR_MAX: usize = 16 * 1024;
/// The file of an agent's own folder that says in which form it is to answer.
const FORM: &str = "answer.schema.json";

/// The adapter of a configured agent; none for one that asks no model of ours.
pub(crate) fn adapter(agent: Agent) -> Option<Adapter> {
    match agent {
        Agent::Codex => Some(Adapter::Codex),
        Agent::Claude => Some(Adapter::Claude),
        Agent::Mock | Agent::Command => None,
    }
}

/// An agent hired for one attempt.
#[derive(Debug)]
pub(crate) struct Hired {
    adapter: Adapter,
    lease: Lease,
    conversation: Conversation,
    /// What it is started with.
    pub(crate) call: Call,
}

/// The conversation of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Conversation {
    /// One that begins; its id where that is chosen here.
    New(Option<String>),
    /// One that is gone on with.
    GoesOn(String),
}

/// What an agent is started with, in the world that it works in.
#[derive(Debug)]
pub(crate) struct Call {
    /// Its program with its arguments.
    pub(crate) program: Program,
    /// Its environment, beside what every command there gets.
    pub(crate) env: BTreeMap<String, String>,
    /// How it reaches its model from a container.
    pub(crate) relay: Option<Relay>,
}

/// What is asked of an agent.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Its program, where one is configured.
    pub(crate) program: Option<&'a str>,
    /// The model.
    pub(crate) model: &'a str,
    /// Its conversation.
    pub(crate) session: Session<'a>,
    /// The JSON Schema of the answer that is wanted.
    pub(crate) answer: Option<&'a str>,
    /// More arguments, of the operator's.
    pub(crate) more: &'a [String],
}

/// What it said.
#[derive(Debug)]
pub(crate) struct Said {
    adapter: Adapter,
    reader: Reader,
    stderr: Vec<u8>,
    has_begun: bool,
    signs: Signs,
    /// The conversation that it was asked to go on with.
    asked: Option<String>,
    /// The name of its address behind the gateway's own, and the provider's address.
    addresses: [String; 2],
}

/// How an attempt failed.
#[derive(Debug)]
pub(crate) struct Failing {
    why: String,
    /// None where it is none of the agent's.
    class: Option<FailureClass>,
}

impl Hired {
    /// Gets everything ready: its own folder, its address, its command line.
    pub(crate) fn new(
        adapter: Adapter,
        config: &Config,
        environment: &Environment,
        models: &Models,
        key: &AttemptKey,
        place: &Place,
        continues: Option<&str>,
    ) -> Result<Self, Error> {
        store::make_private_dir(&place.home)?;
        let lease = models.admit(key)?;
        let new = session_of(&format!("{}\0{}\0{}", place.home.display(), key.task, key.attempt));
        let wanted = Wanted {
            program: config.worker.program.as_deref(),
            model: &config.worker.model,
            session: continues.map_or(Session::New(&new), Session::Resume),
            answer: None,
            more: &config.worker.args,
        };
        let mut call = Call::of(adapter, config, environment, &lease, place, &wanted)?;
        if saboteur::is!("hand-on-the-key") {
            let name = hiring::provider(adapter, config).key.clone().unwrap_or_default();
            call.env.extend(environment.get(&name).map(|key| (name.clone(), key.to_owned())));
        }
        let conversation = match continues {
            Some(session) => Conversation::GoesOn(session.to_owned()),
            None => Conversation::New(adapter.lets_session_be_chosen().then_some(new)),
        };
        Ok(Self { adapter, lease, conversation, call })
    }

    /// Its adapter.
    pub(crate) fn adapter(&self) -> Adapter {
        self.adapter
    }

    /// Its conversation.
    pub(crate) fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// The signal at which it ends its own commands too.
    pub(crate) fn stop_signal(&self) -> rustix::process::Signal {
        stop_signal(self.adapter)
    }

    /// Reads what it prints.
    pub(crate) fn listen(&self, config: &Config) -> Said {
        let asked = match &self.conversation {
            Conversation::New(_) => None,
            Conversation::GoesOn(session) => Some(session.clone()),
        };
        Said { asked, ..Said::of(self.adapter, config, &self.lease) }
    }

    /// It has ended: what it used, all of it.
    pub(crate) async fn dismiss(self, models: &Models, key: &AttemptKey) -> Result<Used, Error> {
        self.lease.close().await;
        models.used(key)
    }
}

impl Call {
    /// How an agent is started for what is asked of it.
    pub(crate) fn of(
        adapter: Adapter,
        config: &Config,
        environment: &Environment,
        lease: &Lease,
        place: &Place,
        wanted: &Wanted<'_>,
    ) -> Result<Self, Error> {
        let contained = place.gateway.as_ref();
        let base_url = contained.map_or_else(
            || lease.base_url().to_owned(),
            |_| lease.base_url_at(&format!("127.0.0.1:{}", docker::RELAY_PORT)),
        );
        let home = contained.map_or(place.home.as_path(), |_| Path::new(docker::AGENT_HOME));
        let workspace = contained.map_or(place.workspace.as_path(), |_| Path::new(docker::WORKSPACE));
        // What each of its commands gets, which does not hand on its environment.
        let mut marks = place.env.clone();
        marks.insert(orphans::MARK.to_owned(), workspace.display().to_string());
        if let Some(schema) = wanted.answer {
            store::write_atomic(&place.home.join(FORM), schema.as_bytes())?;
        }
        let form = home.join(FORM);
        let invocation = Invocation::of(
            adapter,
            &Start {
                model: wanted.model,
                workspace,
                home,
                base_url: &base_url,
                session: wanted.session,
                marks: &marks,
                as_root: is_root(config, contained.is_some()),
                answer: wanted.answer.map(|schema| Answer { schema, file: &form }),
                more: wanted.more,
            },
        );
        for (name, text) in &invocation.files {
            store::write_atomic(&place.home.join(name), text.as_bytes())?;
        }
        let path = match contained {
            // That of its image.
            Some(_) => PathBuf::from(hiring::name(adapter, wanted.program)),
            None => hiring::find_program(adapter, wanted.program, environment)?,
        };
        let relay = contained.map(|gateway| Relay {
            program: environment.program.clone(),
            gateway: gateway.clone(),
            home: place.home.clone(),
        });
        let program = Program::Found { path, args: invocation.args };
        Ok(Self { program, env: invocation.env, relay })
    }
}

/// The signal at which an agent ends its own commands too.
pub(crate) fn stop_signal(adapter: Adapter) -> rustix::process::Signal {
    match adapter.stop_signal() {
        StopSignal::Interrupt => rustix::process::Signal::INT,
        StopSignal::Terminate => rustix::process::Signal::TERM,
    }
}

/// Where an agent works.
#[derive(Debug)]
pub(crate) struct Place {
    /// The task's workspace.
    pub(crate) workspace: PathBuf,
    /// The agent's own folder, outside of it.
    pub(crate) home: PathBuf,
    /// The environment that everything has that runs there.
    pub(crate) env: BTreeMap<String, String>,
    /// The folder of the gateway's socket, where it works in a container.
    pub(crate) gateway: Option<PathBuf>,
}

impl Said {
    /// Nothing yet, of one that reaches its model at this address.
    pub(crate) fn of(adapter: Adapter, config: &Config, lease: &Lease) -> Self {
        let of_attempt = lease.base_url_at("");
        let of_attempt = of_attempt.strip_prefix("http://").unwrap_or(&of_attempt).to_owned();
        Self {
            addresses: [of_attempt, hiring::provider(adapter, config).base_url.clone()],
            adapter,
            reader: Reader::new(adapter),
            stderr: Vec::new(),
            has_begun: false,
            signs: lease.signs(),
            asked: None,
        }
    }

    /// What became of it by all that is known, also by the tokens that the gateway counted.
    pub(crate) fn outcome(&self, exit: &Exit, changed: bool, counted: u64) -> Outcome {
        let stderr = String::from_utf8_lossy(&self.stderr);
        let (counted, asked_session) = (Some(counted), self.asked.as_deref());
        let facts = Facts { ending: ending(exit), changed, asked_session, counted, stderr: &stderr };
        judge(self.adapter, self.reader.report(), facts)
    }

    /// Says where it tells another use than was counted. The gateway's count stands: an agent leaves out what it asked
    /// beside its conversation and what broke off.
    pub(crate) fn compare(&self, who: &str, counted: u64) {
        // A conversation that goes on tells what was counted before it, too; where nothing was counted, that is a failure.
        if self.asked.is_some() || counted == 0 {
            return;
        }
        if let Some(told) = self.reader.report().told().filter(|told| *told != counted) {
            let agent = self.adapter.name();
            tracing::warn!(
                "{who}: {agent} told {told} tokens, and the gateway counted {counted}, which stands"
            );
        }
    }

    /// What it says with the provider's address in the place of the gateway's, which tells nobody anything.
    pub(crate) fn shown(&self, message: &str) -> String {
        let [of_attempt, of_provider] = &self.addresses;
        let mut shown = message.to_owned();
        while let Some(at) = shown.find(of_attempt.as_str()) {
            let Some(begin) = shown[..at].rfind("http://") else { break };
            shown.replace_range(begin..at + of_attempt.len(), of_provider);
        }
        shown
    }

    /// Takes one of its events.
    pub(crate) fn event(&mut self, event: &serde_json::Value) {
        self.has_begun = true;
        self.reader.event(event);
    }

    /// Whether it has said or asked something.
    pub(crate) fn has_begun(&self) -> bool {
        self.has_begun || self.signs.last().is_some()
    }

    /// When it last asked its model, or was answered.
    pub(crate) fn sign_of_life(&self) -> Option<Instant> {
        self.signs.last().map(Instant::from_std)
    }

    pub(crate) fn error_output(&mut self, chunk: &[u8]) {
        self.stderr.extend_from_slice(chunk);
        let excess = self.stderr.len().saturating_sub(STDERR_MAX);
        self.stderr.drain(..excess);
    }

    /// True once it said how it ended, or that it went on with another conversation than the one that it was asked for:
    /// then it should end.
    pub(crate) fn has_ended(&self) -> bool {
        let report = self.reader.report();
        let is_another = self.asked.is_some() && report.session.is_some() && self.asked != report.session;
        report.terminal.is_some() || is_another
    }

    /// The id of its conversation, once it told it.
    pub(crate) fn session(&self) -> Option<&str> {
        self.reader.report().session.as_deref()
    }

    /// Whether the conversation that it was asked to go on with is gone, or it went on with another one.
    pub(crate) fn has_lost_its_conversation(&self, exit: &Exit) -> bool {
        self.outcome(exit, true, 0) == Outcome::SessionLost
    }

    /// How its attempt failed, if it did.
    pub(crate) fn failure(&self, exit: &Exit, changed: bool, counted: u64) -> Option<Failing> {
        if exit.reason == ExitReason::NotStarted {
            return Some(Failing { why: exit.describe(), class: None });
        }
        if saboteur::is!("believe-the-agent") {
            return None;
        }
        match self.outcome(exit, changed, counted) {
            Outcome::Completed => None,
            Outcome::SessionLost => Some(Failing { why: "the conversation is lost".to_owned(), class: None }),
            Outcome::Failed(failure) => {
                let why = format!("{}{} ({})", ended(exit), self.shown(&failure.message), failure.class);
                Some(Failing { why, class: Some(failure.class) })
            }
        }
    }
}

impl Failing {
    /// What follows for its attempt, of which so many tokens were counted.
    pub(crate) fn outcome(self, counted: u64) -> settle::Outcome {
        let why = format!("{AGENT_FAILED}{}", self.why);
        match self.class {
            // A model that answered knows the agent as it is configured: what it then refuses lies in the task.
            Some(FailureClass::Config) => settle::Outcome::Hopeless { why, for_all: counted == 0 },
            Some(class) if class.is_lasting() => settle::Outcome::Hopeless { why, for_all: true },
            _ => settle::Outcome::Failed(why),
        }
    }
}

/// How it ended, to be said before what it said; nothing where it ended by itself.
pub(crate) fn ended(exit: &Exit) -> String {
    match exit.reason {
        ExitReason::Exited | ExitReason::Lingered => String::new(),
        _ => format!("{}: ", exit.describe()),
    }
}

fn ending(exit: &Exit) -> Ending {
    match (exit.reason, exit.code, exit.signal) {
        (ExitReason::Lingered, ..) => Ending::Lingered,
        (ExitReason::Exited, Some(code), _) => Ending::Exited(code),
        (ExitReason::Signaled, _, Some(signal)) => Ending::Signalled(signal),
        _ => Ending::Stopped,
    }
}

/// Whether it runs as root: in a container as its configured user, or as whoever runs Mycelium.
fn is_root(config: &Config, contained: bool) -> bool {
    let user = config.docker.user.as_deref().filter(|_| contained);
    user.map_or_else(
        || rustix::process::geteuid().is_root(),
        |user| matches!(user.split(':').next(), Some("0" | "root")),
    )
}

/// A conversation's id that is the same for the same seed: it is known before the agent is started.
pub(crate) fn session_of(seed: &str) -> String {
    let digest = sha256(seed.as_bytes());
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

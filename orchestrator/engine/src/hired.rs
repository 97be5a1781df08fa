//! An agent that asks a model: what it is started with for one attempt, and what became of it by all that is known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use mycelium_agents::{
    agent::{Agent as Adapter, StopSignal},
    invocation::{Invocation, Session, Start},
    outcome::{Ending, Facts, Outcome, judge},
    reader::Reader,
    version::{Standing, Version},
};
use mycelium_gateway::{Lease, Signs};
use mycelium_schemas::{
    config::{Agent, Config, Provider},
    digest::sha256,
    event::{ExitReason, World},
};
use tokio::time::Instant;

use crate::{
    agent::AttemptKey,
    docker,
    environment::Environment,
    error::{Error, IoContext},
    job::{Exit, Program, Relay},
    models::{Models, Used},
    saboteur,
    signals::Listening,
    store,
};

/// Bytes of an agent's standard error that are looked at: its end.
const STDERR_MAX: usize = 16 * 1024;
/// How long it may take to say its version.
const VERSION_PATIENCE: Duration = Duration::from_secs(30);

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
    /// Its program with its arguments.
    pub(crate) program: Program,
    /// Its environment, beside the attempt's.
    pub(crate) env: BTreeMap<String, String>,
    /// How it reaches its model from a container.
    pub(crate) relay: Option<Relay>,
}

/// What it said.
#[derive(Debug)]
pub(crate) struct Said {
    adapter: Adapter,
    reader: Reader,
    stderr: Vec<u8>,
    has_begun: bool,
    signs: Signs,
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
    ) -> Result<Self, Error> {
        store::make_private_dir(&place.home)?;
        let lease = models.admit(key)?;
        let session = session_of(&format!("{}\0{}\0{}", place.home.display(), key.task, key.attempt));
        let contained = place.gateway.as_ref();
        let base_url = contained.map_or_else(
            || lease.base_url().to_owned(),
            |_| lease.base_url_at(&format!("127.0.0.1:{}", docker::RELAY_PORT)),
        );
        let invocation = Invocation::of(
            adapter,
            &Start {
                model: &config.worker.model,
                workspace: contained.map_or(&place.workspace, |_| Path::new(docker::WORKSPACE)),
                home: contained.map_or(&place.home, |_| Path::new(docker::AGENT_HOME)),
                base_url: &base_url,
                session: Session::New(&session),
                marks: &place.marks,
                as_root: is_root(config, contained.is_some()),
                answer: None,
                more: &config.worker.args,
            },
        );
        let path = match contained {
            // That of its image.
            Some(_) => PathBuf::from(name(adapter, config.worker.program.as_deref())),
            None => find_program(adapter, config.worker.program.as_deref(), environment)?,
        };
        let program = Program::Found { path, args: invocation.args };
        let relay = contained.map(|gateway| Relay {
            program: environment.program.clone(),
            gateway: gateway.clone(),
            home: place.home.clone(),
        });
        let mut env = invocation.env;
        if saboteur::is!("hand-on-the-key") {
            let name = provider(adapter, config).key.clone().unwrap_or_default();
            env.extend(environment.get(&name).map(|key| (name.clone(), key.to_owned())));
        }
        Ok(Self { adapter, lease, program, env, relay })
    }

    /// The signal at which it ends its own commands too.
    pub(crate) fn stop_signal(&self) -> rustix::process::Signal {
        stop_signal(self.adapter)
    }

    /// Reads what it prints.
    pub(crate) fn listen(&self) -> Said {
        Said::of(self.adapter, &self.lease)
    }

    /// It has ended: what it used, all of it.
    pub(crate) async fn dismiss(self, models: &Models, key: &AttemptKey) -> Result<Used, Error> {
        self.lease.close().await;
        models.used(key)
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
    /// What each of its commands gets in its environment.
    pub(crate) marks: BTreeMap<String, String>,
    /// The folder of the gateway's socket, where it works in a container.
    pub(crate) gateway: Option<PathBuf>,
}

impl Said {
    /// Nothing yet, of one that reaches its model at this address.
    pub(crate) fn of(adapter: Adapter, lease: &Lease) -> Self {
        Self {
            adapter,
            reader: Reader::new(adapter),
            stderr: Vec::new(),
            has_begun: false,
            signs: lease.signs(),
        }
    }

    /// What became of it by all that is known.
    pub(crate) fn outcome(&self, exit: &Exit, changed: bool) -> Outcome {
        let stderr = String::from_utf8_lossy(&self.stderr);
        let facts = Facts { ending: ending(exit), changed, asked_session: None, stderr: &stderr };
        judge(self.adapter, self.reader.report(), facts)
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

    /// True once it said how it ended: then it should end.
    pub(crate) fn has_ended(&self) -> bool {
        self.reader.report().terminal.is_some()
    }

    /// Why its attempt failed, if it did.
    pub(crate) fn failure(&self, exit: &Exit, changed: bool) -> Option<String> {
        if exit.reason == ExitReason::NotStarted {
            return Some(exit.describe());
        }
        match self.outcome(exit, changed) {
            Outcome::Completed => None,
            Outcome::SessionLost => Some("the conversation is lost".to_owned()),
            Outcome::Failed(failure) => {
                let how = exit.reason != ExitReason::Exited && exit.reason != ExitReason::Lingered;
                let how = if how { format!("{}: ", exit.describe()) } else { String::new() };
                Some(format!("{how}{} ({})", failure.message, failure.class))
            }
        }
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

/// Whether there is the key that a provider is asked with.
pub(crate) fn check_key(
    provider: &Provider,
    environment: &Environment,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    match provider.key.as_deref().filter(|name| environment.get(name).is_none()) {
        Some(name) => {
            let message = format!("the gateway has no key for {}: {name} is not set", provider.base_url);
            Err(problem(message, "set the variable, or name another one in `gateway`"))
        }
        None => Ok(()),
    }
}

/// Whose model it asks.
pub(crate) fn provider(adapter: Adapter, config: &Config) -> &Provider {
    match adapter {
        Adapter::Codex => &config.gateway.openai,
        Adapter::Claude => &config.gateway.anthropic,
    }
}

/// Whether the configured agent can be hired here: program, version and key, before anything begins or goes on.
pub(crate) fn check(
    config: &Config,
    environment: &Environment,
    world: World,
    listening: &mut Listening,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    let Some(adapter) = adapter(config.worker.agent) else { return Ok(()) };
    let refuse = |message: String, help: &str| Err(problem(message, help));
    check_key(provider(adapter, config), environment, &problem)?;
    if world == World::Docker {
        let mode = config.docker.network_mode.as_str();
        if mode == "host" || mode.starts_with("container:") {
            let message = format!("an agent that asks a model needs a network of its own, not `{mode}`");
            return refuse(message, "set `docker.network_mode: none`");
        }
        if let Some(host) = environment.get("DOCKER_HOST").filter(|host| !host.starts_with("unix://")) {
            let message =
                format!("an agent that asks a model cannot reach its gateway from containers of {host}");
            return refuse(message, "use an engine of this machine, by its socket (DOCKER_HOST=unix://…)");
        }
        // Its program is the image's: it is found, or not, when it is started.
        return Ok(());
    }
    let program = find_program(adapter, config.worker.program.as_deref(), environment)?;
    check_version(adapter, &program, environment, listening, problem)
}

/// Whether a program is the agent in a version that is known, or a newer one, which is said.
pub(crate) fn check_version(
    adapter: Adapter,
    program: &Path,
    environment: &Environment,
    listening: &mut Listening,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    let refuse = |message: String, help: &str| Err(problem(message, help));
    let printed = listening.wait(version_of(program, environment))?;
    let tested = adapter.tested();
    match Version::find(&printed).map(|version| (version, tested.standing(version))) {
        Some((_, Standing::Tested)) => Ok(()),
        Some((version, Standing::Newer)) => {
            tracing::warn!("{} {version} is newer than the tested ones ({tested})", adapter.name());
            Ok(())
        }
        Some((version, Standing::TooOld)) => {
            let message =
                format!("{} is {} {version}; tested are {tested}", program.display(), adapter.name());
            refuse(message, "install a newer one")
        }
        None => {
            let message =
                format!("{} does not say which version of {} it is", program.display(), adapter.name());
            refuse(message, "set `program` to the agent's program")
        }
    }
}

/// What a program prints when it is asked for its version.
async fn version_of(program: &Path, environment: &Environment) -> Result<String, Error> {
    let command = tokio::process::Command::new(program)
        .arg("--version")
        .env_clear()
        .envs(environment.for_children(&[]))
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(VERSION_PATIENCE, command).await {
        Ok(output) => Ok(String::from_utf8_lossy(&output.at("start", program)?.stdout).into_owned()),
        Err(_) => Ok(String::new()),
    }
}

fn name(adapter: Adapter, configured: Option<&str>) -> &str {
    configured.unwrap_or(adapter.program())
}

/// Whether it runs as root: in a container as its configured user, or as whoever runs Mycelium.
fn is_root(config: &Config, contained: bool) -> bool {
    let user = config.docker.user.as_deref().filter(|_| contained);
    user.map_or_else(
        || rustix::process::geteuid().is_root(),
        |user| matches!(user.split(':').next(), Some("0" | "root")),
    )
}

/// Its program: the one that is configured, or the first of its name in the operator's `PATH`.
pub(crate) fn find_program(
    adapter: Adapter,
    configured: Option<&str>,
    environment: &Environment,
) -> Result<PathBuf, Error> {
    let name = name(adapter, configured);
    if name.contains('/') {
        return std::path::absolute(environment.current_dir.join(name)).at("find", name);
    }
    let folders = environment.get("PATH").unwrap_or_default().split(':');
    let found = folders.map(|folder| PathBuf::from(folder).join(name)).find(|path| path.is_file());
    found.ok_or_else(|| Error::Request {
        message: format!("the agent {name} is not installed: no folder of PATH holds it"),
        help: format!(
            "install it (`npm install -g {}@{}`), or set `program`",
            adapter.package(),
            adapter.tested().to
        ),
    })
}

/// A conversation's id that is the same for the same seed: it is known before the agent is started.
pub(crate) fn session_of(seed: &str) -> String {
    let digest = sha256(seed.as_bytes());
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

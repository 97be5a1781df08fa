//! Whether agents that ask a model can be hired: key, way to the model, program and its version, before anything begins or
//! goes on.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use mycelium_agents::{
    agent::Agent as Adapter,
    version::{Standing, Version},
};
use mycelium_schemas::{
    config::{Config, Provider},
    event::World,
};

use crate::{
    asking,
    environment::Environment,
    error::{Error, IoContext},
    hired,
    launcher::Launcher,
    signals::Listening,
};

/// How long it may take to say its version.
const VERSION_PATIENCE: Duration = Duration::from_secs(30);

/// Whether there is the key that a provider is asked with.
pub(crate) fn check_key(
    provider: &Provider,
    config: &Config,
    environment: &Environment,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    // A cassette wants none.
    let wanted = provider.key.as_deref().filter(|_| !config.gateway.is_replayed());
    match wanted.filter(|name| environment.get(name).is_none()) {
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

/// Whether the configured worker can be hired here, if it is an agent that asks a model.
pub(crate) fn check_worker(
    config: &Config,
    environment: &Environment,
    world: World,
    listening: &mut Listening,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    let Some(adapter) = hired::adapter(config.worker.agent) else { return Ok(()) };
    let agent = (adapter, config.worker.program.as_deref());
    check(agent, config, environment, world, listening, problem)
}

/// Whether an agent can be hired here, by the program that is configured for it. In containers its program is the image's,
/// which is asked once the engine answers: see [`check_image`].
pub(crate) fn check(
    (adapter, program): (Adapter, Option<&str>),
    config: &Config,
    environment: &Environment,
    world: World,
    listening: &mut Listening,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    check_key(provider(adapter, config), config, environment, &problem)?;
    match world {
        World::Docker => check_way(environment, problem),
        World::Local => {
            let program = find_program(adapter, program, environment)?;
            let printed = listening.wait(version_of(&program, environment))?;
            judge_version(adapter, &program.display().to_string(), &printed, problem)
        }
    }
}

/// Whether a container of the run can be given a way to the gateway, and no other one.
fn check_way(environment: &Environment, problem: impl Fn(String, &str) -> Error) -> Result<(), Error> {
    if let Some(host) = environment.get("DOCKER_HOST").filter(|host| !host.starts_with("unix://")) {
        let message =
            format!("an agent that asks a model cannot reach its gateway from containers of {host}");
        let help = "use an engine of this machine, by its socket (DOCKER_HOST=unix://…)";
        return Err(problem(message, help));
    }
    Ok(())
}

/// Whether the image of a run in containers holds the agents of the run, in versions that are known. A problem is told with
/// the section of the configuration that names the agent.
pub(crate) fn check_image(
    config: &Config,
    launcher: &Launcher,
    listening: &mut Listening,
    problem: impl Fn(&str, String, &str) -> Error,
) -> Result<(), Error> {
    let Some(engine) = launcher.engine() else { return Ok(()) };
    let worker = hired::adapter(config.worker.agent)
        .map(|adapter| ("worker.agent".to_owned(), adapter, config.worker.program.as_deref()));
    let judges = config.judges().filter_map(|(name, judge)| {
        let adapter = asking::adapter(judge.asked.provider)?;
        Some((format!("{name}_validator"), adapter, judge.asked.program.as_deref()))
    });
    let image = config.docker.image.as_deref().unwrap_or_default();
    let mut asked = BTreeSet::new();
    for (section, adapter, program) in worker.into_iter().chain(judges) {
        let program = name(adapter, program);
        if !asked.insert((adapter.name(), program)) {
            continue;
        }
        let printed = listening.wait(engine.version_of(program, VERSION_PATIENCE))?;
        let Some(printed) = printed else {
            let message = format!("the image {image} has no program {program}");
            return Err(problem(&section, message, &install(adapter)));
        };
        let shown = format!("{program} of the image {image}");
        judge_version(adapter, &shown, &printed, |message, help| problem(&section, message, help))?;
    }
    Ok(())
}

/// Whether what a program prints says that it is the agent in a version that is known, or in a newer one, which is said.
fn judge_version(
    adapter: Adapter,
    program: &str,
    printed: &str,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    let tested = adapter.tested();
    match Version::find(printed).map(|version| (version, tested.standing(version))) {
        Some((_, Standing::Tested)) => Ok(()),
        Some((version, Standing::Newer)) => {
            tracing::warn!("{} {version} is newer than the tested ones ({tested})", adapter.name());
            Ok(())
        }
        Some((version, Standing::TooOld)) => {
            let message = format!("{program} is {} {version}; tested are {tested}", adapter.name());
            Err(problem(message, "install a newer one"))
        }
        None => {
            let message = format!("{program} does not say which version of {} it is", adapter.name());
            Err(problem(message, "set `program` to the agent's program"))
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

/// The name or path of its program.
pub(crate) fn name(adapter: Adapter, configured: Option<&str>) -> &str {
    configured.unwrap_or(adapter.program())
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
        help: install(adapter),
    })
}

fn install(adapter: Adapter) -> String {
    let (package, version) = (adapter.package(), adapter.tested().to);
    format!("install it (`npm install -g {package}@{version}`), or set `program`")
}

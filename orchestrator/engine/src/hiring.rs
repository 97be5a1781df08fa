//! Whether an agent that asks a model can be hired: key, way to the model, program and its version. Who is hired is known
//! in [`crate::candidates`].

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use mycelium_agents::{
    agent::Agent as Adapter,
    version::{Standing, Version},
};
use mycelium_gateway::{BadKey, Key};
use mycelium_schemas::config::{Config, Provider};
use rustix::io::Errno;

use crate::{
    environment::Environment,
    error::{Error, IoContext},
};

/// How long it may take to say its version.
pub(crate) const VERSION_PATIENCE: Duration = Duration::from_secs(30);

/// What was found of somebody who can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// In a few words.
    pub(crate) said: String,
    /// What somebody should look at all the same, and what to do about it.
    pub(crate) warning: Option<(String, String)>,
}

impl Found {
    /// Nothing that anybody need look at.
    pub(crate) fn fine(said: impl Into<String>) -> Self {
        Self { said: said.into(), warning: None }
    }
}

/// The key that a provider is asked with; none where it wants none. Otherwise what is wrong with its variable.
pub(crate) fn key(provider: &Provider, environment: &Environment) -> Result<Option<Key>, String> {
    let Some(name) = &provider.key else { return Ok(None) };
    let why = match environment.get(name).map(|text| Key::new(name, text)) {
        Some(Ok(key)) => return Ok(Some(key)),
        Some(Err(why)) => why.to_string(),
        None => match environment.path(name) {
            // It is no text.
            Some(_) => BadKey::Unsendable.to_string(),
            None if environment.is_set(name) => BadKey::Empty.to_string(),
            None => "is not set".to_owned(),
        },
    };
    Err(format!("{name} {why}"))
}

/// Whether there is the key that a provider is asked with.
pub(crate) fn check_key(
    provider: &Provider,
    config: &Config,
    environment: &Environment,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    // A cassette wants none.
    if config.gateway.is_replayed() {
        return Ok(());
    }
    key(provider, environment).map(drop).map_err(|why| {
        let message = format!("the gateway has no key for {}: {why}", provider.base_url);
        problem(message, "set the variable, or name another one in `gateway`")
    })
}

/// Whose model it asks.
pub(crate) fn provider(adapter: Adapter, config: &Config) -> &Provider {
    match adapter {
        Adapter::Codex => &config.gateway.openai,
        Adapter::Claude => &config.gateway.anthropic,
    }
}

/// Whether a container of the run can be given a way to the gateway.
pub(crate) fn check_way(
    environment: &Environment,
    problem: impl Fn(String, &str) -> Error,
) -> Result<(), Error> {
    if let Some(host) = environment.get("DOCKER_HOST").filter(|host| !host.starts_with("unix://")) {
        let message =
            format!("an agent that asks a model cannot reach its gateway from containers of {host}");
        let help = "use an engine of this machine, by its socket (DOCKER_HOST=unix://…)";
        return Err(problem(message, help));
    }
    Ok(())
}

/// The agent as a program of this machine, in a version that is known.
pub(crate) async fn look_at_program(
    adapter: Adapter,
    configured: Option<&str>,
    environment: &Environment,
    problem: impl Fn(String, &str) -> Error,
) -> Result<Found, Error> {
    let program = match find_program(adapter, configured, environment) {
        Err(Error::Request { message, help }) => return Err(problem(message, &help)),
        found => found?,
    };
    let shown = program.display().to_string();
    match version_of(&program, environment).await {
        Ok(printed) => judge_version(adapter, &shown, &printed, problem),
        Err(Error::Io { source, .. }) if is_no_program(&source) => {
            Err(problem(format!("the agent {shown} cannot be started: {source}"), &install(adapter)))
        }
        Err(error) => Err(error),
    }
}

/// Whether the system says that a file is there and is none that it can start, as a script whose interpreter is not there.
fn is_no_program(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied)
        || Errno::from_io_error(error) == Some(Errno::NOEXEC)
}

/// Whether what a program prints says that it is the agent in a version that is known. A newer one is tried.
pub(crate) fn judge_version(
    adapter: Adapter,
    program: &str,
    printed: &str,
    problem: impl Fn(String, &str) -> Error,
) -> Result<Found, Error> {
    let (tested, name) = (adapter.tested(), adapter.name());
    match Version::find(printed).map(|version| (version, tested.standing(version))) {
        Some((version, Standing::Tested)) => Ok(Found::fine(format!("{name} {version}, {program}"))),
        Some((version, Standing::Newer)) => {
            let said = format!("{name} {version} is newer than the tested ones ({tested})");
            let mend = format!("where it does not work, {}", install(adapter));
            Ok(Found { said: said.clone(), warning: Some((said, mend)) })
        }
        Some((version, Standing::TooOld)) => {
            let message = format!("{program} is {name} {version}; tested are {tested}");
            Err(problem(message, &install(adapter).replace("install it", "install a newer one")))
        }
        None => {
            let message = format!("{program} does not say which version of {name} it is");
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
    environment.find_program(name.as_ref()).ok_or_else(|| {
        let message = if name.contains('/') {
            format!("the agent {name} is not there, or may not be executed")
        } else {
            format!("the agent {name} is not installed: no folder of PATH holds it")
        };
        Error::Request { message, help: install(adapter) }
    })
}

/// What to do where it is not there.
pub(crate) fn install(adapter: Adapter) -> String {
    let (package, version) = (adapter.package(), adapter.tested().to);
    format!("install it (`npm install -g {package}@{version}`), or set `program`")
}

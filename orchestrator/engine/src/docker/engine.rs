//! The connection to a container engine, and what a run needs of it.

use bollard::{API_DEFAULT_VERSION, Docker as Client, errors::Error as Cause};
use mycelium_schemas::config::{CleanupWhen, Docker as Config};

use super::{
    error::{Asked, EngineError},
    found::Labels,
};
use crate::environment::Environment;

/// Where an engine is unless `DOCKER_HOST` says otherwise.
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
/// Seconds that an engine may take to begin its answer.
const TIMEOUT_S: u64 = 60;
/// Versions of its interface below this lack what is needed.
const OLDEST: (usize, usize) = (1, 41);

/// A container engine, and how containers of one run are made there.
#[derive(Debug)]
pub struct Engine {
    pub(super) connection: Connection,
    pub(super) config: Config,
    pub(super) cleanup: CleanupWhen,
    pub(super) labels: Labels,
    /// The image's id, looked up once: a run does not change its image on the way.
    pub(super) image: String,
    pub(super) user: String,
}

/// An engine that answers.
#[derive(Debug)]
pub struct Connection {
    pub(super) client: Client,
    pub(super) host: String,
    secured: bool,
}

impl Connection {
    /// Connects to the engine that the environment names and agrees with it on a version.
    pub async fn open(environment: &Environment) -> Result<Self, EngineError> {
        let host = host(environment);
        let secured = environment.get("DOCKER_TLS_VERIFY").is_some();
        let client = dial(&host, secured).map_err(|source| address(&host, source))?;
        let client = client.negotiate_version().await.asked(&host, "tell its version")?;
        let found = client.client_version();
        if (found.major_version, found.minor_version) < OLDEST {
            let found = format!("{}.{}", found.major_version, found.minor_version);
            return Err(EngineError::TooOld { host, found });
        }
        Ok(Self { client, host, secured })
    }

    /// Connects to an engine of this machine, where workspaces can be mounted: without its own a command would judge, or do,
    /// nothing.
    pub async fn open_here(environment: &Environment) -> Result<Self, EngineError> {
        let host = host(environment);
        if !host.starts_with("unix://") {
            return Err(EngineError::Remote { host });
        }
        Self::open(environment).await
    }

    /// Makes it ready for a run: its image is there.
    pub async fn prepare(
        self,
        config: &Config,
        cleanup: CleanupWhen,
        labels: Labels,
    ) -> Result<Engine, EngineError> {
        let image = self.image(config.image.as_deref().ok_or(EngineError::NoImage)?).await?;
        let caller =
            || format!("{}:{}", rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        Ok(Engine {
            connection: self,
            cleanup,
            labels,
            image,
            user: config.user.clone().unwrap_or_else(caller),
            config: config.clone(),
        })
    }

    /// What it is, for people.
    pub async fn describe(&self) -> Result<String, EngineError> {
        let version = self.client.version().await.asked(&self.host, "tell its version")?;
        let of = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
        Ok(format!("{} (interface {}) at {}", of(version.version), of(version.api_version), self.host))
    }
}

impl Engine {
    /// Whether it still answers whoever comes anew: one that is being stopped serves old connections to their end.
    pub(super) async fn is_there(&self) -> bool {
        match dial(&self.connection.host, self.connection.secured) {
            Ok(client) => client.ping().await.is_ok(),
            Err(_) => false,
        }
    }
}

fn host(environment: &Environment) -> String {
    environment.get("DOCKER_HOST").unwrap_or(DEFAULT_HOST).to_owned()
}

fn dial(host: &str, secured: bool) -> Result<Client, Cause> {
    match host.split_once("://") {
        Some(("unix", _)) => Client::connect_with_unix(host, TIMEOUT_S, API_DEFAULT_VERSION),
        Some(("ssh", _)) => Client::connect_with_ssh(host, TIMEOUT_S, API_DEFAULT_VERSION, None),
        Some(("tcp" | "http", _)) if !secured => {
            Client::connect_with_http(host, TIMEOUT_S, API_DEFAULT_VERSION)
        }
        _ => Client::connect_with_host(host),
    }
}

fn address(host: &str, source: Cause) -> EngineError {
    let host = host.to_owned();
    match source {
        source @ Cause::SocketNotFoundError(_) => EngineError::Away { host, source: Some(Box::new(source)) },
        source => EngineError::Address { host, source: Box::new(source) },
    }
}

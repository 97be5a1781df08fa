//! The connection to a container engine, and what a run needs of it.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use bollard::{API_DEFAULT_VERSION, Docker as Client, errors::Error as Cause, models::MountPoint};
use mycelium_schemas::config::{CleanupWhen, Docker as Config};

use super::{
    error::{Asked, EngineError},
    found::Labels,
    recipe::WORKSPACE,
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
    /// Where the certificates are, of an engine that shows and asks for some.
    certificates: Option<PathBuf>,
}

/// How a workspace gets into a container. Whoever finds one again asks the container itself: the engine may be reached by
/// another address than when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The engine is one of this machine, whose folders it mounts.
    Mounts,
    /// The engine may be on another machine: what a workspace holds is carried there, and back.
    Carries,
}

impl Reach {
    /// As a container has its workspace that is there already; none where it has none.
    pub(super) fn of(mounts: Option<&[MountPoint]>) -> Option<Self> {
        let is_workspace = |mount: &&MountPoint| mount.destination.as_deref() == Some(WORKSPACE);
        match mounts?.iter().find(is_workspace)?.typ.as_deref() {
            Some("bind") => Some(Self::Mounts),
            Some("volume") => Some(Self::Carries),
            _ => None,
        }
    }
}

impl Connection {
    /// Connects to the engine that the environment names and agrees with it on a version.
    pub async fn open(environment: &Environment) -> Result<Self, EngineError> {
        let host = host(environment);
        if host.strip_prefix("ssh://").is_some_and(|place| place.contains(':')) {
            return Err(EngineError::SshPort { host });
        }
        let certificates = certificates(environment);
        let client = dial(&host, certificates.as_deref()).map_err(|source| address(&host, source))?;
        let client = client.negotiate_version().await.asked(&host, "tell its version")?;
        let found = client.client_version();
        if (found.major_version, found.minor_version) < OLDEST {
            let found = format!("{}.{}", found.major_version, found.minor_version);
            return Err(EngineError::TooOld { host, found });
        }
        Ok(Self { client, host, certificates })
    }

    /// How workspaces get there.
    pub(super) fn reach(&self) -> Reach {
        if self.host.starts_with("unix://") { Reach::Mounts } else { Reach::Carries }
    }

    /// Makes it ready for a run: its image is there.
    pub async fn prepare(
        self,
        config: &Config,
        cleanup: CleanupWhen,
        labels: Labels,
    ) -> Result<Engine, EngineError> {
        let caller =
            || format!("{}:{}", rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let user = config.user.clone().unwrap_or_else(caller);
        if self.reach() == Reach::Carries && numbers(&user).is_none() {
            return Err(EngineError::UserByName { user });
        }
        let image = self.image(config.image.as_deref().ok_or(EngineError::NoImage)?).await?;
        Ok(Engine { connection: self, cleanup, labels, image, user, config: config.clone() })
    }

    /// What it is, for people.
    pub async fn describe(&self) -> Result<String, EngineError> {
        let version = self.client.version().await.asked(&self.host, "tell its version")?;
        let of = |text: Option<String>| text.unwrap_or_else(|| "unknown".to_owned());
        Ok(format!("{} (interface {}) at {}", of(version.version), of(version.api_version), self.host))
    }
}

impl Engine {
    /// Where it is.
    pub(crate) fn host(&self) -> &str {
        &self.connection.host
    }

    /// Whether it still answers whoever comes anew: one that is being stopped serves old connections to their end.
    pub(super) async fn is_there(&self) -> bool {
        match dial(&self.connection.host, self.connection.certificates.as_deref()) {
            Ok(client) => client.ping().await.is_ok(),
            Err(_) => false,
        }
    }
}

fn host(environment: &Environment) -> String {
    environment.get("DOCKER_HOST").unwrap_or(DEFAULT_HOST).to_owned()
}

/// User and group of `U` or `U:G`.
pub(super) fn numbers(user: &str) -> Option<(u64, u64)> {
    let (user, group) = user.split_once(':').unwrap_or((user, "0"));
    Some((user.parse().ok()?, group.parse().ok()?))
}

/// Where certificates are, if the engine is to be asked for its own: as the engine's own command line has it.
fn certificates(environment: &Environment) -> Option<PathBuf> {
    environment.get("DOCKER_TLS_VERIFY").filter(|value| !value.is_empty())?;
    let folder = environment.get("DOCKER_CERT_PATH").map(PathBuf::from);
    let of_home = || Path::new(environment.get("HOME").unwrap_or_default()).join(".docker");
    Some(folder.unwrap_or_else(of_home))
}

/// Ports of an engine that is named without one, in the clear and with certificates: as the engine's own command line has
/// it.
const PORTS: [u16; 2] = [2375, 2376];

/// An address with its port, where it is one that has ports.
fn with_port(host: &str, is_secured: bool) -> Cow<'_, str> {
    match host.strip_prefix("tcp://") {
        // What is in brackets has colons of its own.
        Some(place)
            if !place.rsplit(']').next().unwrap_or_default().contains([':', '/']) && !place.is_empty() =>
        {
            format!("{host}:{}", PORTS[usize::from(is_secured)]).into()
        }
        _ => host.into(),
    }
}

fn dial(host: &str, certificates: Option<&Path>) -> Result<Client, Cause> {
    let host = &*with_port(host, certificates.is_some());
    let secured = |folder: &Path| {
        let file = |name: &str| folder.join(name);
        let (key, own, authority) = (file("key.pem"), file("cert.pem"), file("ca.pem"));
        Client::connect_with_ssl(host, &key, &own, &authority, TIMEOUT_S, API_DEFAULT_VERSION)
    };
    match (host.split_once("://"), certificates) {
        (Some(("unix", _)), _) => Client::connect_with_unix(host, TIMEOUT_S, API_DEFAULT_VERSION),
        (Some(("ssh", _)), _) => Client::connect_with_ssh(host, TIMEOUT_S, API_DEFAULT_VERSION, None),
        (Some(("tcp" | "http" | "https", _)), Some(folder)) => secured(folder),
        (Some(("tcp" | "http", _)), None) => Client::connect_with_http(host, TIMEOUT_S, API_DEFAULT_VERSION),
        _ => Err(Cause::UnsupportedURISchemeError { uri: host.to_owned() }),
    }
}

fn address(host: &str, source: Cause) -> EngineError {
    let host = host.to_owned();
    match source {
        source @ Cause::SocketNotFoundError(_) => EngineError::Away { host, source: Some(Box::new(source)) },
        source => EngineError::Address { host, source: Box::new(source) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_named_without_a_port_has_the_usual_one() {
        for (host, plain, secured) in [
            ("tcp://engine", "tcp://engine:2375", "tcp://engine:2376"),
            ("tcp://[::1]", "tcp://[::1]:2375", "tcp://[::1]:2376"),
            ("tcp://[::1]:1", "tcp://[::1]:1", "tcp://[::1]:1"),
            ("tcp://engine:1", "tcp://engine:1", "tcp://engine:1"),
            ("tcp://", "tcp://", "tcp://"),
            ("unix:///run/engine", "unix:///run/engine", "unix:///run/engine"),
            ("ssh://me@engine", "ssh://me@engine", "ssh://me@engine"),
        ] {
            assert_eq!((&*with_port(host, false), &*with_port(host, true)), (plain, secured));
        }
    }

    #[test]
    fn a_socket_that_is_not_ones_own_is_not_said_to_be_silent() {
        use std::{os::unix::fs::PermissionsExt as _, os::unix::net::UnixListener, thread};

        use rustix::thread::{CapabilitySet, capabilities, set_capabilities};

        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let _listener = UnixListener::bind(&socket).unwrap();
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o000)).unwrap();
        let environment = Environment::default().with("DOCKER_HOST", format!("unix://{}", socket.display()));
        // A thread of its own, without what lets the superuser in everywhere.
        let opened = thread::spawn(move || {
            let mut may = capabilities(None).unwrap();
            may.effective.remove(CapabilitySet::DAC_OVERRIDE);
            set_capabilities(None, may).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(Connection::open(&environment)).map(drop)
        });
        let error = opened.join().unwrap().unwrap_err();
        assert!(matches!(error, EngineError::Denied { .. }), "{error}");
        assert!(error.help().contains("group") && !error.is_input());
    }

    #[test]
    fn a_container_says_itself_how_it_has_its_workspace() {
        let mount = |typ: &str, destination: &str| MountPoint {
            typ: Some(typ.to_owned()),
            destination: Some(destination.to_owned()),
            ..MountPoint::default()
        };
        let tmp = mount("tmpfs", "/tmp");
        let of = |typ: &str| Reach::of(Some(&[tmp.clone(), mount(typ, WORKSPACE)]));
        assert_eq!(
            [of("bind"), of("volume"), of("npipe")],
            [Some(Reach::Mounts), Some(Reach::Carries), None]
        );
        assert_eq!((Reach::of(Some(std::slice::from_ref(&tmp))), Reach::of(None)), (None, None));
    }

    #[test]
    fn a_user_by_numbers_is_known_on_every_machine() {
        assert_eq!(numbers("1000:100"), Some((1000, 100)));
        assert_eq!(numbers("1000"), Some((1000, 0)));
        for named in ["builder", "1000:staff", "", ":", "-1:0", "1:2:3"] {
            assert_eq!(numbers(named), None, "{named}");
        }
    }
}

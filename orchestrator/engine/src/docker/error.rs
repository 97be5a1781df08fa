//! What can go wrong with a container engine, each with its mend.

use std::io;

use bollard::errors::Error as Cause;

/// An error of the container engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// `docker.image` is not set.
    #[error("`docker.image` is not set, so that there is no image to run commands in")]
    NoImage,
    /// `DOCKER_HOST` or its certificates cannot be used.
    #[error("the container engine's address {host} cannot be used")]
    Address {
        /// Where it was looked for.
        host: String,
        /// Why not.
        #[source]
        source: Box<Cause>,
    },
    /// A port is named where `ssh` is to be given a host.
    #[error("the container engine's address {host} names a port")]
    SshPort {
        /// Where it was looked for.
        host: String,
    },
    /// Nobody answers.
    #[error("the container engine at {host} does not answer")]
    Away {
        /// Where it was looked for.
        host: String,
        /// Why not.
        #[source]
        source: Option<Box<Cause>>,
    },
    /// Its socket is there, and is not this user's to use.
    #[error("the container engine at {host} may not be used by this user")]
    Denied {
        /// Where it was looked for.
        host: String,
        /// Why not.
        #[source]
        source: Box<Cause>,
    },
    /// It speaks only an older version of its interface.
    #[error("the container engine at {host} is too old: it speaks version {found} of its interface")]
    TooOld {
        /// Where it is.
        host: String,
        /// What it speaks.
        found: String,
    },
    /// It no longer speaks a version of its interface that is known here.
    #[error("the container engine at {host} is too new: {reason}")]
    TooNew {
        /// Where it is.
        host: String,
        /// What the engine says.
        reason: String,
    },
    /// No image can have that name.
    #[error("`docker.image` is {image}, which names no image: {reason}")]
    ImageName {
        /// The name.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// Neither it nor a registry has such an image.
    #[error("there is no image {image}, neither at the container engine nor at its registry: {reason}")]
    NoSuchImage {
        /// Its name.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// It has no such image, and the registry could not be asked or does not let it have it.
    #[error("the container engine has no image {image} and could not pull it: {reason}")]
    PullRefused {
        /// Its name.
        image: String,
        /// What the engine says.
        reason: String,
    },
    /// The image is for other machines.
    #[error("the image {image} is made for {found}, the container engine runs on {expected}")]
    OtherMachine {
        /// Its name.
        image: String,
        /// What it is made for.
        found: String,
        /// What the engine runs on.
        expected: String,
    },
    /// The image has no shell, or none that runs.
    #[error("the image {image} has no `sh` that commands could be run with: {reason}")]
    LacksShell {
        /// Its name.
        image: String,
        /// What is said of it.
        reason: String,
    },
    /// The image lacks a program that the doctor is run with.
    #[error("the image {image} has no program {program}, which the doctor's first line names")]
    LacksProgram {
        /// Its name.
        image: String,
        /// The program.
        program: String,
    },
    /// The image has no such user or group.
    #[error("`docker.user` is {user}, which the image does not know: {reason}")]
    NoSuchUser {
        /// The user.
        user: String,
        /// What the engine says.
        reason: String,
    },
    /// The engine has no such network.
    #[error("`docker.network_mode` is {network}, which the container engine does not know: {reason}")]
    NoSuchNetwork {
        /// The network.
        network: String,
        /// What the engine says.
        reason: String,
    },
    /// The user's name says nothing to an engine that this machine's files are carried to.
    #[error(
        "`docker.user` is {user}, which the files that are carried to the container engine cannot be given to"
    )]
    UserByName {
        /// The user.
        user: String,
    },
    /// It is taken for one of this machine, and does not see a folder of it.
    #[error("the container engine at {host} does not see the folders of this machine: {reason}")]
    Blind {
        /// Where it is.
        host: String,
        /// What the engine says.
        reason: String,
    },
    /// The engine refused something.
    #[error("the container engine could not {action}")]
    Refused {
        /// What was asked of it.
        action: &'static str,
        /// What it says.
        #[source]
        source: Box<Cause>,
    },
    /// A file that a command needs could not be packed.
    #[error("{path} could not be packed for a container")]
    Bundle {
        /// The file.
        path: String,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl EngineError {
    /// Whether it is what somebody asked for that is wrong, rather than the machine.
    pub fn is_input(&self) -> bool {
        matches!(
            self,
            Self::NoImage
                | Self::UserByName { .. }
                | Self::SshPort { .. }
                | Self::ImageName { .. }
                | Self::LacksShell { .. }
                | Self::LacksProgram { .. }
                | Self::NoSuchUser { .. }
                | Self::NoSuchNetwork { .. }
        )
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            Self::NoImage => "set it in the configuration, or run in the local world".into(),
            Self::Address { .. } => {
                "correct DOCKER_HOST (unix:///path, tcp://host:port, ssh://user@host) and DOCKER_CERT_PATH".into()
            }
            Self::SshPort { .. } => {
                "name the port in your SSH configuration (`Host` and `Port`), and that host in DOCKER_HOST".into()
            }
            Self::Away { .. } => {
                "start it, or set DOCKER_HOST to where it listens; `mycelium resume` goes on with a run that has begun"
                    .into()
            }
            Self::Denied { .. } => {
                "join the group that its socket belongs to, as a rule `docker`, and log in anew; or set DOCKER_HOST to an \
                 engine of your own"
                    .into()
            }
            Self::TooOld { .. } => "update it to version 20.10 or later".into(),
            Self::TooNew { .. } => "update mycelium, or use an older engine".into(),
            Self::ImageName { .. } => "correct `docker.image`, for example `debian:stable`".into(),
            Self::LacksShell { .. } => "add a shell to the image, or name another one in `docker.image`".into(),
            Self::LacksProgram { .. } => {
                "add it to the image, name another image in `docker.image`, or correct the doctor's first line".into()
            }
            Self::NoSuchUser { .. } => "correct it, set it by numbers, or leave it out".into(),
            Self::NoSuchNetwork { .. } => {
                "correct it (`none`, `bridge` or a network's name), or make it: `docker network create`".into()
            }
            Self::NoSuchImage { image, .. } => {
                format!("correct `docker.image`, or build it there: `docker build --tag {image} .`")
            }
            Self::PullRefused { image, .. } => format!(
                "pull it yourself (`docker pull {image}`), with your access and where there is a network; or build it there"
            ),
            Self::OtherMachine { .. } => "build or pull the image for that machine".into(),
            Self::UserByName { .. } => "set it by numbers, for example `1000:1000`".into(),
            Self::Blind { .. } => {
                "reach it as one of another machine (DOCKER_HOST=ssh://user@host or tcp://host:port), to which workspaces \
                 are carried, or set MYCELIUM_HOME to a folder that it sees; then `mycelium resume`"
                    .into()
            }
            Self::Refused { .. } => {
                "look into the engine's own log; then `mycelium resume` goes on with a run that has begun".into()
            }
            Self::Bundle { .. } => "look at the file".into(),
        }
    }
}

/// Says of a request what was asked, and whether nobody answered.
pub(super) trait Asked<T> {
    /// The answer, or what is wrong.
    fn asked(self, host: &str, action: &'static str) -> Result<T, EngineError>;
}

impl<T> Asked<T> for Result<T, Cause> {
    fn asked(self, host: &str, action: &'static str) -> Result<T, EngineError> {
        self.map_err(|source| match source {
            Cause::DockerResponseServerError { status_code: 400, message: reason }
                if reason.contains("client version") && reason.contains("too old") =>
            {
                EngineError::TooNew { host: host.to_owned(), reason }
            }
            Cause::DockerResponseServerError { status_code: 400, message: reason }
                if reason.contains("bind source path does not exist") =>
            {
                EngineError::Blind { host: host.to_owned(), reason }
            }
            source if host.starts_with("unix://") && is_denied(&source) => {
                EngineError::Denied { host: host.to_owned(), source: Box::new(source) }
            }
            Cause::DockerResponseServerError { .. }
            | Cause::DockerStreamError { .. }
            | Cause::DockerContainerWaitError { .. }
            | Cause::APIVersionParseError {}
            | Cause::JsonDataError { .. }
            | Cause::JsonSerdeError { .. } => EngineError::Refused { action, source: Box::new(source) },
            source => EngineError::Away { host: host.to_owned(), source: Some(Box::new(source)) },
        })
    }
}

/// Whether the system kept this user from its socket.
fn is_denied(error: &Cause) -> bool {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>()
            && error.kind() == io::ErrorKind::PermissionDenied
        {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What an engine says where it refuses something, in its own words alone.
pub(super) fn words(error: &Cause) -> String {
    match error {
        Cause::DockerResponseServerError { message, .. } => message.clone(),
        error => error.to_string(),
    }
}

/// The status of an answer that refused something.
pub(super) fn status(error: &Cause) -> Option<u16> {
    match error {
        Cause::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

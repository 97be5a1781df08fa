//! The world of containers: each command runs in one of its own, at the engine that `DOCKER_HOST` names (design 3.4).
//!
//! An engine keeps what a command prints and how it ended, so that a command outlives the orchestrator that started it
//! and a resumed run follows it again. Nothing is brought into an image but what a command needs, and nothing is mounted
//! but its workspace; for an agent that asks a model its own folder and that of the gateway's socket, too.

mod bundle;
mod carry;
mod engine;
mod error;
mod follow;
mod found;
mod heard;
mod image;
mod look;
mod output;
mod recipe;
mod stuck;
mod unpack;
mod version;

pub use engine::{Connection, Engine};
pub use error::EngineError;
pub use found::{Container, Labels, Standing};
pub(crate) use recipe::{AGENT_HOME, RELAY_PORT, SOCKET, WORKSPACE};
pub(crate) use stuck::unless_stuck;

//! Every byte another process reads or writes: ids, paths, configuration, plan, state, events, messages,
//! evidence, matrix. Types and their validation only; no files, no clock, no environment.

pub mod answer;
pub mod bench;
pub mod cassette;
pub mod config;
mod decode;
pub mod digest;
pub mod event;
pub mod evidence;
pub mod flake;
pub mod goal;
pub mod id;
pub mod impact;
pub mod journal;
pub mod manifest;
pub mod matrix;
pub mod messages;
pub mod mutation;
mod newtype;
pub mod path;
pub mod plan;
pub mod problem;
pub mod response;
pub mod sabotage;
mod schema;
pub mod state;
pub mod verdict;
mod yaml;

pub use schema::schemas;

/// Version written into every persisted artifact. A reader that meets a newer one may read, never write.
pub const SCHEMA_VERSION: u32 = 1;

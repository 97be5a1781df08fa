//! The runner: takes a step library and a suite of features, runs the selected scenarios in parallel and tells the run as
//! Cucumber Messages.
//!
//! Nothing here knows which world the steps work on; the runner's own tests bring a tiny one.

mod any_world;
mod attempt;
mod case;
mod conduct;
mod events;
mod groups;
mod identity;
pub mod leftovers;
mod limits;
mod lock;
mod order;
mod outcome;
mod panic;
mod scenario;
mod select;
mod shard;
pub mod signal;
mod snippet;
pub mod store;
pub mod suite;
mod tags;
mod transcript;
mod vocabulary;

pub use case::Place;
pub(crate) use case::keyword_of;
pub use conduct::{Facts, RunError, Settings, run};
pub use events::Interrupter;
pub use identity::{Identity, identities};
pub use limits::Limits;
pub use lock::{LockError, OutLock};
pub use outcome::{Cause, Failure, Interrupt, RunResult, ScenarioResult};
pub use panic::Panic;
pub use select::{Filter, GoneError, LineError, Target, TargetError};
pub use shard::{Shard, ShardError};
pub use tags::{
    DurationError, TagExpression, TagExpressionError, TimeoutTagError, parse_duration, timeout_of,
};
pub(crate) use transcript::BESIDE_MEDIA_TYPE;
pub use vocabulary::{FixedEnds, Library, Loader, Matched, Resolution, Vocabulary, VocabularyError};

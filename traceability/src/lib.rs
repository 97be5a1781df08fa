//! What is promised, what is proved, and whether that is enough: goals, results, matrix and gates (design 4.3).
//!
//! Everything here is a function of its arguments: no files, no clock, no environment. The texts come in as values and
//! the day as an argument, so that every rule can be tested, above all against lies.
//!
//! ```text
//! files of traceability/ -> Registry ─┐
//! feature files          -> Catalogue ├-> Matrix -> Evaluation
//! messages.ndjson        -> Results   │
//! flake-history.jsonl    -> History   │
//! bench.json             -> Bench     │
//! mutation.json          -> Mutation ─┘
//! ```

mod catalogue;
mod denominator;
mod fingerprint;
pub mod flake;
mod gates;
mod impact;
mod matrix;
mod mutation;
mod performance;
mod registry;
mod results;
mod sabotage;

pub use catalogue::{Catalogue, CatalogueError, ScenarioSpec};
pub use denominator::{LockHistory, differences, lock};
pub use fingerprint::{ReviewError, goal_fingerprint, review, scenarios_fingerprint};
pub use gates::{deadlines, evaluate, too_slow};
pub use impact::{Promises, Side, changed, impact};
pub use matrix::{Inputs, build, entries_of, excused_for_all};
pub use performance::{FIGURES, baseline, compare};
pub use registry::{Files, Registry};
pub use results::{ReadError, ReadProblem, Results};
pub use sabotage::trial;

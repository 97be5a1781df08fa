//! The core in a simulated world (docs/resume.md): real decisions, and everything around them played by dice.
//!
//! The orchestrator may die before, within and after every effect, by a kill or a power cut, also while it recovers;
//! colleagues push, rewind and rewrite the branch; agents fail and report; a human decides at rest. After every step
//! the promises are checked by eye-witnesses that share no code with the core. A failure is a row of dice, shrunk to a
//! minimum, and replays everywhere.

mod agent;
mod crowd;
mod dice;
mod disk;
mod human;
mod landing;
mod ledger;
mod live;
mod locks;
mod mind;
mod mutant;
mod play;
mod promises;
mod resume;
mod retries;
mod scene;
mod shrink;
mod sim;
mod world;

pub use crowd::{Played, play_seeds};
pub use dice::Dice;
pub use mutant::Mutant;
pub use play::{Failure, Summary, canary, play};
pub use shrink::shrink;

//! From dice to a whole run: lives, crashes, colleagues and humans, until it ends for good.

use std::{
    any::Any,
    collections::BTreeMap,
    panic::{self, AssertUnwindSafe},
};

use crate::{
    dice::Dice,
    mutant::Mutant,
    sim::{Halt, Sim, Step},
};

/// How a simulated run went.
#[derive(Debug, Default)]
pub struct Summary {
    /// What happened how often: event types, and what resume found.
    pub seen: BTreeMap<&'static str, u64>,
}

/// A promise that was broken.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// Which, and how.
    pub why: String,
    /// How many of the dice were used.
    pub used: usize,
    /// The journal with crashes and reads, one a line.
    pub story: Vec<String>,
}

/// A seed in whose run the power goes.
const CANARY_SEED: u64 = 6;

/// Most times that a human looks at the run.
const ROUNDS_MAX: u32 = 5;

/// Plays a run with these dice, of an orchestrator that is as it should be or wrong in one way.
pub fn play(dice: Vec<u8>, mutant: Option<Mutant>) -> Result<Summary, Failure> {
    let Some((mut sim, first)) = Sim::new(Dice::new(dice), mutant) else {
        let why = "the simulation's own samples cannot be read".to_owned();
        return Err(Failure { why, used: 0, story: Vec::new() });
    };
    let over = not_panicking(|| {
        let begun = sim.write(&[first], true).and_then(|()| sim.live()).map(|()| true);
        sim.go_on_until_over(begun)
    });
    match over {
        Ok(()) => Ok(Summary { seen: sim.seen }),
        Err(why) => Err(Failure { why, used: sim.dice.used(), story: sim.story }),
    }
}

/// A panic of the core or of the simulation is a failure like any other: it has a seed, and is shrunk.
fn not_panicking(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    // Whatever it leaves behind is not played on, only told.
    panic::catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(format!("panicked: {}", words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a word")
}

/// A run that must fail, or nothing here proves anything: its orchestrator never syncs the journal.
pub fn canary() -> Result<Summary, Failure> {
    play(Dice::bytes_of_seed(CANARY_SEED), Some(Mutant::JournalNotSynced))
}

impl Sim {
    fn go_on_until_over(&mut self, mut life: Step<bool>) -> Result<(), String> {
        let mut rounds = 0;
        loop {
            life = match life {
                Err(Halt::Broken(why)) => return Err(why),
                Err(Halt::Crash(crash)) => {
                    self.crash(crash);
                    self.again()
                }
                Err(Halt::Stopped) => self.again(),
                Ok(false) => return Ok(()),
                Ok(true) => {
                    if let Err(Halt::Broken(why)) = self.check_rest() {
                        return Err(why);
                    }
                    rounds += 1;
                    if rounds > ROUNDS_MAX {
                        return self.at_the_end();
                    }
                    match self.human() {
                        Ok(false) => return self.at_the_end(),
                        decided => decided.and_then(|_| self.resume()),
                    }
                }
            }
        }
    }

    /// The next life, before which colleagues go on and a human may decide.
    fn again(&mut self) -> Step<bool> {
        (0..self.dice.roll(3)).for_each(|_| self.world.colleague(&mut self.dice));
        if self.dice.once_in(8) {
            self.human()?;
        }
        self.resume()
    }

    /// Resuming once more changes nothing.
    fn at_the_end(&mut self) -> Result<(), String> {
        let before = (self.state.view().tasks, self.file.bytes().to_vec());
        let resumable = self.state.end.as_ref().is_some_and(mycelium_core::state::RunEnd::is_resumable);
        self.dice = Dice::new(Vec::new());
        if resumable {
            return Ok(());
        }
        match self.resume() {
            Err(Halt::Broken(why)) => Err(why),
            _ if before != (self.state.view().tasks, self.file.bytes().to_vec()) => {
                Err("resuming a finished run changed it".to_owned())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_failure_that_says_what_it_was() {
        let seed = 7;
        assert_eq!(not_panicking(|| panic!("on purpose")), Err("panicked: on purpose".to_owned()));
        assert_eq!(not_panicking(|| panic!("seed {seed}")), Err("panicked: seed 7".to_owned()));
        assert_eq!(not_panicking(|| Ok(())), Ok(()));
    }
}

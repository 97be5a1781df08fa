//! The clock that the program sees.

use mycelium_fixtures::clock::SettableClock;

use super::{MyceliumWorld, WorldError};
use mycelium_accept::context::Record;

impl MyceliumWorld {
    /// From now on the program sees a clock of the scenario's own, which this machine may not be able to give it.
    pub(crate) fn get_own_clock(&mut self) -> Result<(), WorldError> {
        match SettableClock::new(&self.sandbox.root().join("clock")) {
            Ok(clock) => {
                for (name, value) in clock.environment() {
                    self.sandbox.set(name, value);
                }
                self.clock = Some(clock);
                Ok(())
            }
            Err(why) => {
                self.context.recorder.push(Record::NotRun(why.clone()));
                Err(WorldError::NotHere(why))
            }
        }
    }

    /// The scenario's clock, to be set.
    pub(crate) fn own_clock(&mut self) -> Result<&mut SettableClock, WorldError> {
        let none = || WorldError::Argument("the scenario has no clock of its own".to_owned());
        self.clock.as_mut().ok_or_else(none)
    }
}

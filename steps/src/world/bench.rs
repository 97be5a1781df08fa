//! Measures the program under test, by the very program that runs the scenario.

use std::{env, path::Path};

use mycelium_fixtures::FixtureError;

use super::{MyceliumWorld, WorldError};

impl MyceliumWorld {
    /// Runs `accept bench` for one figure, as a command of a When.
    pub(crate) fn run_bench(&mut self, figure: &str) -> Result<(), WorldError> {
        let accept = env::current_exe().map_err(FixtureError::file("find", Path::new("accept")))?;
        let folder = self.stage()?.path().to_owned();
        let program = self.context.bin.display().to_string();
        let arguments = ["bench", "--quick", "--bin", &program, figure].map(str::to_owned);
        let (before, number) = (self.observe()?, self.next_number());
        let patience = self.patience();
        let finished = self.sandbox.start(&accept, &arguments, &folder)?.finish(patience)?;
        self.keep_command(&format!("accept bench {figure}"), number, before, finished)
    }
}

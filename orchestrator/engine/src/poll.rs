//! Waiting in a command that only watches: a bounded interval, ended early by a signal.

use std::time::Duration;

use crate::{
    error::{Error, IoContext},
    signals::{Signals, StopSignal},
};

/// How long a watcher waits before it looks again; short for a human, long for a machine.
const INTERVAL: Duration = Duration::from_millis(200);

/// Waits between two looks.
#[derive(Debug)]
pub struct Poll {
    runtime: tokio::runtime::Runtime,
    signals: Signals,
}

impl Poll {
    /// From now on signals no longer end the process; [`Poll::wait`] gives them.
    pub fn new() -> Result<Self, Error> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().at("start", "the runtime")?;
        let signals = {
            let _inside = runtime.enter();
            Signals::listen()?
        };
        Ok(Self { runtime, signals })
    }

    /// Waits a moment. Gives the signal that came meanwhile, if one did.
    pub fn wait(&mut self) -> Option<StopSignal> {
        self.runtime.block_on(async { tokio::time::timeout(INTERVAL, self.signals.next()).await.ok() })
    }
}

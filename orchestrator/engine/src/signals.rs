//! The signals that stop a run.

use std::{fmt, io};

use rustix::process;
use tokio::{
    runtime,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::error::{Error, IoContext};

/// A signal that asks to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// Ctrl-C.
    Interrupt,
    /// A polite kill.
    Terminate,
    /// The terminal was closed.
    HangUp,
}

impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
        })
    }
}

/// From now on a write beyond the limit on the size of files fails, as one to a full disk does, in place of ending the
/// process. What this process starts has the signal's ordinary effect.
pub fn outlive_file_size_limit() -> io::Result<()> {
    // A signal that was listened to once is never handed back to the system.
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let _entered = runtime.enter();
    signal(SignalKind::from_raw(process::Signal::XFSZ.as_raw())).map(drop)
}

/// Listens for them.
#[derive(Debug)]
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on the signals no longer end the process. Needs a runtime.
    pub fn listen() -> Result<Self, Error> {
        let listen = |kind| signal(kind).at("listen for signals at", "the process");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.interrupt.recv() => StopSignal::Interrupt,
            _ = self.terminate.recv() => StopSignal::Terminate,
            _ = self.hang_up.recv() => StopSignal::HangUp,
        }
    }
}

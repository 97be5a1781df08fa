//! SIGINT and SIGTERM end a run early, but never without its message stream.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::signal::unix::{SignalKind, signal};

use super::{Interrupter, outcome::Interrupt};

/// Listens to signals until the process ends, for one run after the other. One that comes between two runs ends the
/// next.
#[derive(Debug, Clone)]
pub struct Listener(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    run: Option<Interrupter>,
    pending: Option<Interrupt>,
}

impl Listener {
    /// Listens on a thread of its own.
    pub fn start() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (mut int, mut term) = {
            let _in_runtime = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
        };
        let listener = Self(Arc::default());
        let heard = listener.clone();
        let listen = move || {
            runtime.block_on(async {
                loop {
                    let interrupt = tokio::select! {
                        Some(()) = int.recv() => Interrupt::Sigint,
                        Some(()) = term.recv() => Interrupt::Sigterm,
                        else => return,
                    };
                    heard.take(interrupt);
                }
            });
        };
        thread::Builder::new().name("signals".to_owned()).spawn(listen)?;
        Ok(listener)
    }

    /// From now on it is this run that a signal ends.
    pub fn attach(&self, interrupter: Interrupter) {
        let mut state = self.state();
        if let Some(interrupt) = state.pending.take() {
            interrupter.interrupt(interrupt);
        }
        state.run = Some(interrupter);
    }

    /// The signal that came while nothing ran.
    pub fn pending(&self) -> Option<Interrupt> {
        self.state().pending
    }

    fn take(&self, interrupt: Interrupt) {
        let mut state = self.state();
        let heard = state.run.as_ref().is_some_and(|run| run.interrupt(interrupt));
        if !heard {
            state.pending = Some(interrupt);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! SIGINT and SIGTERM end a run early, but never without its message stream.

use std::{
    future, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
};

use super::{Interrupter, outcome::Interrupt};

/// The signals that ask a run to end.
#[derive(Debug)]
pub struct Signals {
    int: Signal,
    term: Signal,
}

impl Signals {
    /// From now on they end no process by themselves.
    pub fn listen(runtime: &Runtime) -> io::Result<Self> {
        let _in_runtime = runtime.enter();
        Ok(Self { int: signal(SignalKind::interrupt())?, term: signal(SignalKind::terminate())? })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Interrupt {
        tokio::select! {
            Some(()) = self.int.recv() => Interrupt::Sigint,
            Some(()) = self.term.recv() => Interrupt::Sigterm,
            // Signals end with the process.
            else => future::pending().await,
        }
    }
}

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
        let mut signals = Signals::listen(&runtime)?;
        let listener = Self(Arc::default());
        let heard = listener.clone();
        let listen = move || {
            runtime.block_on(async {
                loop {
                    heard.take(signals.next().await);
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

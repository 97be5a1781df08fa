//! SIGINT, SIGTERM and a hang-up end a run early, but never without its message stream.

use std::{
    fs, future, io,
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
    hup: Option<HangUp>,
}

#[derive(Debug)]
struct HangUp {
    signal: Signal,
    /// As under `nohup`.
    is_ignored: bool,
}

impl Signals {
    /// From now on SIGINT and SIGTERM end no process by themselves.
    pub fn listen(runtime: &Runtime) -> io::Result<Self> {
        let _in_runtime = runtime.enter();
        let (int, term) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { int, term, hup: None })
    }

    /// SIGHUP neither. A command inherits that a signal is ignored, not that it is listened to: so the commands of scenarios
    /// hear it whatever this process was started under.
    fn and_hang_up(mut self, runtime: &Runtime) -> io::Result<Self> {
        let is_ignored = ignores_hup(&fs::read_to_string("/proc/self/status")?);
        let _in_runtime = runtime.enter();
        self.hup = Some(HangUp { signal: signal(SignalKind::hangup())?, is_ignored });
        Ok(self)
    }

    /// Waits for the next one.
    pub async fn next(&mut self) -> Interrupt {
        tokio::select! {
            Some(()) = self.int.recv() => Interrupt::Sigint,
            Some(()) = self.term.recv() => Interrupt::Sigterm,
            () = hung_up(&mut self.hup) => Interrupt::Sigterm,
            // Signals end with the process.
            else => future::pending().await,
        }
    }
}

async fn hung_up(hup: &mut Option<HangUp>) {
    match hup {
        Some(HangUp { signal, is_ignored: false }) => drop(signal.recv().await),
        _ => future::pending().await,
    }
}

/// Whether SIGHUP is ignored, by a process's status as the kernel writes it.
fn ignores_hup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
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
        let mut signals = Signals::listen(&runtime)?.and_hang_up(&runtime)?;
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

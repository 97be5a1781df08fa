//! The signals that stop a run.

use std::{
    cell::{Cell, RefCell},
    fmt, fs, future, io,
    pin::pin,
    sync::{Arc, OnceLock},
    task::{Context, Poll, Waker},
    time::Duration,
};

use rustix::process;
use tokio::{
    runtime::{self, Runtime},
    signal::unix::{Signal, SignalKind, signal},
    time::sleep,
};

use crate::error::{Error, IoContext};

/// How long what is under way before there is a run may go on after a signal.
const MOMENT: Duration = Duration::from_secs(3);

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
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hang_up: Option<Signal>,
}

impl Signals {
    /// From now on the signals no longer end the process. One that whoever started the process had it ignore, as
    /// `nohup` and a shell's background jobs do, stays ignored. Needs a runtime.
    pub fn listen() -> Result<Self, Error> {
        let status = fs::read_to_string("/proc/self/status").at("read", "/proc/self/status")?;
        let ignored = ignored(&status);
        let listen = |kind: SignalKind| {
            let bit = 1u64 << (kind.as_raw_value() - 1);
            let heard = (ignored & bit == 0).then(|| signal(kind));
            heard.transpose().at("listen for signals at", "the process")
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> StopSignal {
        tokio::select! {
            () = heard(&mut self.interrupt) => StopSignal::Interrupt,
            () = heard(&mut self.terminate) => StopSignal::Terminate,
            () = heard(&mut self.hang_up) => StopSignal::HangUp,
        }
    }
}

async fn heard(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => future::pending().await,
    }
}

/// The signals that a process ignores, a bit each, from its status as the kernel tells it.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// A run's runtime, which listens for signals before there is a run: from then on one stops the run in order, however
/// early it comes.
#[derive(Debug)]
pub struct Listening {
    pub(crate) runtime: Runtime,
    pub(crate) signals: Signals,
}

impl Listening {
    /// Begins to listen. Also has every process that a command of the run leaves behind become a child of this one, so
    /// that it can be ended.
    pub fn begin() -> Result<Self, Error> {
        process::set_child_subreaper(Some(process::getpid()))
            .map_err(io::Error::from)
            .at("take over what is left behind at", "the process")?;
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .at("start", "the runtime")?;
        let signals = {
            let _inside = runtime.enter();
            Signals::listen()?
        };
        Ok(Self { runtime, signals })
    }

    /// Does what may wait for another process, before there is a run. It asks now and then whether a signal came; where
    /// one did, nothing begins.
    pub(crate) fn unless_signalled<T>(
        &mut self,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let heard = Cell::new(None);
        let listening = RefCell::new(self);
        let result = work(&|| {
            if heard.get().is_none() {
                heard.set(listening.borrow_mut().came());
            }
            heard.get().is_some()
        });
        match heard.get() {
            Some(signal) => Err(Error::Signalled { signal }),
            None => result,
        }
    }

    /// Waits for something of the world outside, before there is a run; where a signal comes first, nothing begins. What was
    /// under way then has a moment to take away what it made, unless a second signal comes.
    pub(crate) fn wait<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let Self { runtime, signals } = self;
        runtime.block_on(async {
            let mut work = pin!(work);
            let signal = tokio::select! {
                done = &mut work => return done,
                signal = signals.next() => signal,
            };
            tokio::select! {
                _ = work => {}
                () = sleep(MOMENT) => {}
                _ = signals.next() => {}
            }
            Err(Error::Signalled { signal })
        })
    }

    /// Hears signals beside work that asks for the first of them between one thing and the next. Where a second one comes,
    /// `at_once` is called with the first.
    pub fn watch(self, at_once: impl FnOnce(StopSignal) + Send + 'static) -> Watch {
        let Self { runtime, mut signals } = self;
        let first = Arc::new(OnceLock::new());
        let heard = Arc::clone(&first);
        {
            let _inside = runtime.enter();
            tokio::spawn(async move {
                let signal = signals.next().await;
                heard.get_or_init(|| signal);
                signals.next().await;
                at_once(signal);
            });
        }
        Watch { first, _runtime: runtime }
    }

    /// A signal that came and was not heard yet.
    fn came(&mut self) -> Option<StopSignal> {
        let _inside = self.runtime.enter();
        match pin!(self.signals.next()).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(signal) => Some(signal),
            Poll::Pending => None,
        }
    }
}

/// Hears signals while something else is done.
#[derive(Debug)]
pub struct Watch {
    first: Arc<OnceLock<StopSignal>>,
    /// Listens as long as it lives.
    _runtime: Runtime,
}

impl Watch {
    /// The first signal, once it came.
    pub fn signal(&self) -> Option<StopSignal> {
        self.first.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_is_ignored_is_read_as_the_kernel_writes_it() {
        let status = "Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\nSigCgt:\t0\n";
        assert_eq!(ignored(status), 0x1001);
        assert_eq!(ignored(""), 0);
    }

    #[test]
    fn the_first_signal_is_told_and_the_second_is_acted_on() {
        let (send, receive) = mpsc::channel();
        let watch = Listening::begin().unwrap().watch(move |first| send.send(first).unwrap());
        let terminate = || process::kill_process(process::getpid(), process::Signal::TERM).unwrap();
        assert_eq!(watch.signal(), None);
        terminate();
        while watch.signal().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(watch.signal(), Some(StopSignal::Terminate));
        assert!(receive.try_recv().is_err(), "one signal does not end anything at once");
        terminate();
        assert_eq!(receive.recv(), Ok(StopSignal::Terminate));
    }
}

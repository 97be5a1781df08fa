//! What the conductor of a run listens to, and those who tell it.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    mpsc::{self, Receiver, Sender},
};

use super::{outcome::Interrupt, scenario::Progress};

/// What the conductor listens to.
#[derive(Debug)]
pub(super) enum Event {
    Report(usize, Progress),
    Interrupted(Interrupt),
}

/// The ends of a run's channel.
pub(super) fn channel() -> (Interrupter, Reporter, Receiver<Event>) {
    let (sender, events) = mpsc::channel();
    (Interrupter(Arc::new(Mutex::new(Some(sender.clone())))), Reporter(sender), events)
}

/// Ends a run early, from any thread.
#[derive(Debug, Clone)]
pub struct Interrupter(Arc<Mutex<Option<Sender<Event>>>>);

impl Interrupter {
    /// Asks the run to end; false where it is over.
    pub fn interrupt(&self, interrupt: Interrupt) -> bool {
        self.sender().as_ref().is_some_and(|sender| sender.send(Event::Interrupted(interrupt)).is_ok())
    }

    /// From now on the run is over: whoever asked it to end before is in its channel, and nobody after that.
    pub(super) fn close(&self) {
        *self.sender() = None;
    }

    fn sender(&self) -> MutexGuard<'_, Option<Sender<Event>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a scenario's thread where to report.
#[derive(Debug, Clone)]
pub(super) struct Reporter(Sender<Event>);

impl Reporter {
    /// Reports; false where nobody listens any more.
    pub(super) fn send(&self, number: usize, progress: Progress) -> bool {
        self.0.send(Event::Report(number, progress)).is_ok()
    }
}

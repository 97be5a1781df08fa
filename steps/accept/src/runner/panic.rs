//! Where a panic happened. The unwinding payload has no place, so a hook notes it: for a scenario's own thread beside its
//! step, for any other thread as a stray panic, which fails the run because no step would.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    panic,
    sync::{Mutex, Once, PoisonError},
};

/// A panic that the hook saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    /// Its message.
    pub message: String,
    /// `file:line:column`.
    pub place: String,
}

thread_local! {
    /// Present on a scenario's thread only.
    static NOTED: RefCell<Option<Vec<Panic>>> = const { RefCell::new(None) };
    /// True on the thread that conducts a run.
    static CONDUCTS: Cell<bool> = const { Cell::new(false) };
}

static STRAY: Mutex<Vec<Panic>> = Mutex::new(Vec::new());

/// Installs the hook, once per process, and marks this thread as the one that conducts the run: its own panics are bugs
/// of the runner, not of a step.
pub(super) fn install_hook() {
    static ONCE: Once = Once::new();
    CONDUCTS.set(true);
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let noted = Panic {
                message: message(info.payload()),
                place: info.location().map(ToString::to_string).unwrap_or_default(),
            };
            let of_scenario =
                NOTED.with_borrow_mut(|list| list.as_mut().map(|list| list.push(noted.clone())).is_some());
            if of_scenario {
                return;
            }
            usual(info);
            if !CONDUCTS.get() {
                STRAY.lock().unwrap_or_else(PoisonError::into_inner).push(noted);
            }
        }));
    });
}

/// Marks this thread as a scenario's.
pub(super) fn watch_this_thread() {
    NOTED.set(Some(Vec::new()));
}

/// The panics on this thread since the last call.
pub(super) fn take_noted() -> Vec<Panic> {
    NOTED.with_borrow_mut(|list| list.as_mut().map(std::mem::take)).unwrap_or_default()
}

/// The panics on threads of no scenario since the last call.
pub(super) fn take_stray() -> Vec<Panic> {
    std::mem::take(&mut *STRAY.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The text of a panic's payload.
pub(super) fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic whose payload is not text".to_owned())
}

//! When an attempt last asked its model, or was answered: a sign of life where it says nothing itself.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// The last sign of an attempt, for whoever keeps it.
#[derive(Debug, Clone, Default)]
pub struct Signs(Arc<Mutex<Option<Instant>>>);

impl Signs {
    pub(crate) fn note(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// When it was; none where it has asked nothing yet.
    pub fn last(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Wall time for stamps: real, or stepped from `MYCELIUM_NOW` (design 3.1). Durations never come from here.

use jiff::{SignedDuration, Timestamp};

/// Where stamps come from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    Real,
    /// Starts at a given time and advances one millisecond a stamp, so that equal runs have equal stamps.
    Stepped {
        /// The next stamp.
        next: Timestamp,
    },
}

impl Clock {
    /// A stepped clock if a start is given, else the machine's.
    pub fn new(start: Option<Timestamp>) -> Self {
        start.map_or(Self::Real, |next| Self::Stepped { next })
    }

    /// A stepped clock that goes on behind a stamp.
    pub fn after(last: Timestamp) -> Self {
        let mut clock = Self::Stepped { next: last };
        clock.stamp();
        clock
    }

    /// The next stamp.
    pub fn stamp(&mut self) -> Timestamp {
        match self {
            Self::Real => Timestamp::now(),
            Self::Stepped { next } => {
                let stamp = *next;
                *next = stamp.checked_add(SignedDuration::from_millis(1)).unwrap_or(stamp);
                stamp
            }
        }
    }
}

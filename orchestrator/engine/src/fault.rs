//! Named places at which a test makes the program die, or an operation fail.
//!
//! Every write, rename, fsync, move of a ref and start of a process of the engine is wrapped in [`point!`]. They are
//! compiled with the cargo feature `faults` alone, which no release has: without it the macros are the operation and
//! nothing else. With it each use registers its name by itself, so that no list can forget one, and `cargo crash-matrix`
//! tries them all.

#[cfg(feature = "faults")]
mod inject;

#[cfg(feature = "faults")]
pub(crate) use inject::{Injected, enter, enter_lock, reach, write};
#[cfg(feature = "faults")]
pub use inject::{Point, points};
#[cfg(feature = "faults")]
pub(crate) use inventory::submit;

/// A place without an operation, where the program can die; or an operation, before and after which it can die, and
/// which can fail in place of being done.
#[cfg(feature = "faults")]
macro_rules! point {
    ($name:literal) => {{
        $crate::fault::submit! { $crate::fault::Point { name: $name, fails: false, writes: false, locks: false } }
        $crate::fault::reach($name);
    }};
    ($name:literal, $operation:expr) => {{
        $crate::fault::submit! { $crate::fault::Point { name: $name, fails: true, writes: false, locks: false } }
        match $crate::fault::enter($name) {
            Ok(entered) => {
                let result = $operation;
                entered.leave();
                result
            }
            Err(error) => Err($crate::fault::Injected::injected(error)),
        }
    }};
}

/// The operation alone.
#[cfg(not(feature = "faults"))]
macro_rules! point {
    ($name:literal, $operation:expr) => {
        $operation
    };
}

/// Writes all bytes; can be torn in the middle.
#[cfg(feature = "faults")]
macro_rules! write_all {
    ($name:literal, $file:expr, $bytes:expr) => {{
        $crate::fault::submit! { $crate::fault::Point { name: $name, fails: true, writes: true, locks: false } }
        $crate::fault::write($name, &mut *$file, $bytes)
    }};
}

/// Writes all bytes.
#[cfg(not(feature = "faults"))]
macro_rules! write_all {
    ($name:literal, $file:expr, $bytes:expr) => {
        ::std::io::Write::write_all(&mut *$file, $bytes)
    };
}

/// An operation inside which another library holds a lock file, which is left where it dies there.
#[cfg(feature = "faults")]
macro_rules! lock {
    ($name:literal, $lock:expr, $operation:expr) => {{
        $crate::fault::submit! { $crate::fault::Point { name: $name, fails: true, writes: false, locks: true } }
        match $crate::fault::enter_lock($name, &$lock) {
            Ok(entered) => {
                let result = $operation;
                entered.leave();
                result
            }
            Err(error) => Err($crate::fault::Injected::injected(error)),
        }
    }};
}

/// The operation alone.
#[cfg(not(feature = "faults"))]
macro_rules! lock {
    ($name:literal, $lock:expr, $operation:expr) => {
        $operation
    };
}

pub(crate) use {lock, point, write_all};

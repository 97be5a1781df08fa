//! Named faults of the orchestrator itself, one line each where the right behaviour is decided, so that `accept sabotage`
//! can show that the scenarios of a goal notice them (docs/saboteurs.md).
//!
//! They are compiled with the cargo feature `saboteur` alone, which no release has: without it [`is!`] is `false` and the
//! names are not in the program. With it `MYCELIUM_SABOTEUR=<name>` chooses one, and each use registers its name by itself,
//! so that no list can forget one.

#[cfg(feature = "saboteur")]
mod chosen;

#[cfg(feature = "saboteur")]
pub(crate) use chosen::{Saboteur, is_chosen};
#[cfg(feature = "saboteur")]
pub use chosen::{names, unknown_choice};
#[cfg(feature = "saboteur")]
pub(crate) use inventory::submit;

/// Whether this saboteur is at work.
#[cfg(feature = "saboteur")]
macro_rules! is {
    ($name:literal) => {{
        $crate::saboteur::submit! { $crate::saboteur::Saboteur($name) }
        $crate::saboteur::is_chosen($name)
    }};
}

/// None is.
#[cfg(not(feature = "saboteur"))]
macro_rules! is {
    ($name:literal) => {
        false
    };
}

pub(crate) use is;

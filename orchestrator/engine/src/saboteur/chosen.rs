//! Which saboteur is at work: `MYCELIUM_SABOTEUR`, read once.

use std::{collections::BTreeSet, env, sync::LazyLock};

/// A registered name.
pub(crate) struct Saboteur(pub(crate) &'static str);

inventory::collect!(Saboteur);

static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| {
    env::var_os("MYCELIUM_SABOTEUR")
        .map(|name| name.to_string_lossy().into_owned())
        .filter(|name| !name.is_empty())
});

/// Every name, sorted; a saboteur may have more than one place.
pub fn names() -> BTreeSet<&'static str> {
    inventory::iter::<Saboteur>.into_iter().map(|saboteur| saboteur.0).collect()
}

/// The name that was chosen and is none: a program that then did everything right would be taken for one whose saboteur
/// nobody notices.
pub fn unknown_choice() -> Option<&'static str> {
    CHOSEN.as_deref().filter(|chosen| !names().contains(chosen))
}

pub(crate) fn is_chosen(name: &str) -> bool {
    CHOSEN.as_deref() == Some(name)
}

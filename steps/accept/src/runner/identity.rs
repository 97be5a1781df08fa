//! Which scenario is which across runs and edits: by file and name, not by line, which every edit above it moves.

use std::collections::HashMap;

use mycelium_schemas::{digest::sha256, messages::Pickle};

/// A scenario, as a later run or another machine finds it again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    uri: String,
    name: String,
    /// Counts the scenarios of one file with one name, as rows of an outline are, from 0.
    nth: usize,
}

impl Identity {
    /// Its file.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// A number that looks random and is the same everywhere.
    pub(super) fn digest(&self) -> String {
        sha256(format!("{}\0{}\0{}", self.uri, self.name, self.nth).as_bytes())
    }
}

/// The identities of all scenarios of a suite, in its order.
pub fn identities<'a>(pickles: impl IntoIterator<Item = &'a Pickle>) -> Vec<Identity> {
    let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
    pickles
        .into_iter()
        .map(|pickle| {
            let count = seen.entry((&pickle.uri, &pickle.name)).or_default();
            let nth = *count;
            *count += 1;
            Identity { uri: pickle.uri.clone(), name: pickle.name.clone(), nth }
        })
        .collect()
}

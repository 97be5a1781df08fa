//! Which scenario is which across runs and edits: by file and name, not by line, which every edit above it moves.

use std::{collections::HashMap, fmt};

use mycelium_schemas::{
    digest::sha256,
    messages::{Pickle, PickleStep},
};

/// A scenario, as a later run or another machine finds it again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    uri: String,
    name: String,
    /// What its steps say, where it is one of several rows of an outline that have one name: a row that is put before it
    /// does not make it another one.
    row: Option<String>,
    /// Counts the scenarios of one file that are alike in all of this, from 0.
    nth: usize,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uri, name, row, nth } = self;
        write!(f, "{uri} {name:?}")?;
        if let Some(row) = row {
            const SHOWN: usize = 120;
            let shown: String = row.chars().take(SHOWN).collect();
            let more = if shown.len() < row.len() { "…" } else { "" };
            write!(f, ", of the row that says {shown:?}{more}")?;
        }
        if *nth > 0 { write!(f, ", number {} of this name", nth + 1) } else { Ok(()) }
    }
}

impl Identity {
    /// Its file.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// A number that looks random and is the same everywhere.
    pub(super) fn digest(&self) -> String {
        let row = self.row.as_deref().unwrap_or_default();
        sha256(format!("{}\0{}\0{row}\0{}", self.uri, self.name, self.nth).as_bytes())
    }
}

/// The identities of all scenarios of a suite, in its order.
pub fn identities<'a>(pickles: impl IntoIterator<Item = &'a Pickle>) -> Vec<Identity> {
    let pickles: Vec<&Pickle> = pickles.into_iter().collect();
    let mut named: HashMap<(&str, &str), usize> = HashMap::new();
    for pickle in &pickles {
        *named.entry((&pickle.uri, &pickle.name)).or_default() += 1;
    }
    let mut seen: HashMap<Identity, usize> = HashMap::new();
    let identity = |pickle: &Pickle| {
        let (uri, name) = (pickle.uri.clone(), pickle.name.clone());
        let is_row = pickle.ast_node_ids.len() > 1 && named[&(uri.as_str(), name.as_str())] > 1;
        let first = Identity { uri, name, row: is_row.then(|| says(pickle)), nth: 0 };
        let count = seen.entry(first.clone()).or_default();
        *count += 1;
        Identity { nth: *count - 1, ..first }
    };
    pickles.into_iter().map(identity).collect()
}

/// What the steps of a scenario say, with what they take.
fn says(pickle: &Pickle) -> String {
    let step = |step: &PickleStep| match &step.argument {
        Some(argument) => format!("{} {argument:?}", step.text),
        None => step.text.clone(),
    };
    pickle.steps.iter().map(step).collect::<Vec<_>>().join("; ")
}

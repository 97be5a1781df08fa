//! What changed between two looks at the features.

use std::collections::{BTreeMap, BTreeSet};

use mycelium_schemas::messages::Pickle;

use crate::runner::{Identity, identities, suite::Suite};

/// The features as they were at one look.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    texts: BTreeMap<String, String>,
    meanings: BTreeMap<Identity, Vec<String>>,
}

/// What is other than at the look before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Files that were saved with another text.
    pub(super) files: BTreeSet<String>,
    /// Scenarios that mean something else, or are new.
    pub(super) scenarios: BTreeSet<Identity>,
}

impl Look {
    pub(super) fn at(suite: &Suite) -> Self {
        let named = identities(suite.pickles().map(|(_, pickle)| pickle));
        let meanings = named.into_iter().zip(suite.pickles().map(|(_, pickle)| meaning(pickle))).collect();
        let texts = suite.files.iter().map(|file| (file.uri.clone(), file.source.clone())).collect();
        Self { texts, meanings }
    }

    /// These texts, with what scenarios meant before: as if none of them had changed, so that they run once their file is
    /// mended, if it is then other than what ran last.
    pub(super) fn without_meanings(self, before: Self) -> Self {
        Self { meanings: before.meanings, ..self }
    }

    /// Whether every file reads as it did there.
    pub(super) fn has_texts_of(&self, other: &Self) -> bool {
        self.texts == other.texts
    }

    /// What is other here than it was before.
    pub(super) fn since(&self, before: &Self) -> Change {
        let files = self.texts.iter().filter(|(uri, text)| before.texts.get(*uri) != Some(text));
        let scenarios = self.meanings.iter().filter(|(id, meaning)| before.meanings.get(id) != Some(meaning));
        Change {
            files: files.map(|(uri, _)| uri.clone()).collect(),
            scenarios: scenarios.map(|(identity, _)| identity.clone()).collect(),
        }
    }
}

/// A scenario without its places and ids.
fn meaning(pickle: &Pickle) -> Vec<String> {
    let tags = pickle.tags.iter().map(|tag| tag.name.clone());
    let steps =
        pickle.steps.iter().map(|step| format!("{:?} {} {:?}", step.step_type, step.text, step.argument));
    tags.chain(steps).collect()
}

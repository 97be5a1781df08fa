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
        let pickles: Vec<Pickle> = suite.pickles().collect();
        let meanings = identities(&pickles).into_iter().zip(pickles.iter().map(meaning)).collect();
        let texts = suite.files.iter().map(|file| (file.uri.clone(), file.source.clone())).collect();
        Self { texts, meanings }
    }

    /// These texts, but scenarios of the refused files mean what they meant before: as if none of them had changed, so
    /// that they run once their file is mended, if they are then other than what ran last.
    pub(super) fn without(mut self, refused: &BTreeSet<String>, before: &Self) -> Self {
        self.meanings.retain(|identity, _| !refused.contains(identity.uri()));
        let kept = before.meanings.iter().filter(|(identity, _)| refused.contains(identity.uri()));
        self.meanings.extend(kept.map(|(identity, meaning)| (identity.clone(), meaning.clone())));
        self
    }

    /// The files that read otherwise now, or are new.
    pub(super) fn saved(&self, texts: &BTreeMap<String, String>) -> BTreeSet<String> {
        let saved = texts.iter().filter(|(uri, text)| self.texts.get(*uri) != Some(text));
        saved.map(|(uri, _)| uri.clone()).collect()
    }

    /// What is other here than it was before.
    pub(super) fn since(&self, before: &Self) -> Change {
        let scenarios = self.meanings.iter().filter(|(id, meaning)| before.meanings.get(id) != Some(meaning));
        Change {
            files: before.saved(&self.texts),
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn look(root: &Path, one: &str, other: &str) -> Look {
        let text = |step: &str| format!("Feature: F\n\n  Scenario: S\n    Given {step}\n");
        fs::write(root.join("one.feature"), text(one)).unwrap();
        fs::write(root.join("other.feature"), text(other)).unwrap();
        Look::at(&Suite::load(root, &["".into()]).unwrap())
    }

    /// The files of the scenarios that would run.
    fn changed(look: &Look, before: &Look) -> Vec<String> {
        look.since(before).scenarios.iter().map(|identity| identity.uri().to_owned()).collect()
    }

    #[test]
    fn a_scenario_of_a_refused_file_runs_once_that_is_mended_and_holds_up_no_other() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let first = look(root, "a", "a");
        let refused = BTreeSet::from(["one.feature".to_owned()]);
        let both = look(root, "oops", "b");
        let seen = both.without(&refused, &first);
        assert_eq!(changed(&seen, &first), ["other.feature"]);
        // The other file is saved again; the refused one is as it was.
        let again = look(root, "oops", "c").without(&refused, &seen);
        assert_eq!(changed(&again, &seen), ["other.feature"]);
        assert_eq!(again.since(&seen).files, BTreeSet::from(["other.feature".to_owned()]));
        assert_eq!(changed(&look(root, "a", "c"), &again), Vec::<String>::new(), "mended to what ran last");
        assert_eq!(changed(&look(root, "b", "c"), &again), ["one.feature"]);
    }

    #[test]
    fn texts_tell_what_was_saved() {
        let root = tempfile::tempdir().unwrap();
        let before = look(root.path(), "a", "a");
        let texts = || Suite::sources(root.path(), &["".into()]).unwrap();
        assert_eq!(before.saved(&texts()), BTreeSet::new());
        look(root.path(), "a", "b");
        assert_eq!(before.saved(&texts()), BTreeSet::from(["other.feature".to_owned()]));
    }
}

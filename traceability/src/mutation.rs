//! What the tests of the gates notice: whether the code that decides was changed as it is now, all of it, and what of that
//! nobody noticed.

use std::collections::BTreeSet;

use mycelium_schemas::{
    matrix::{MutationFacts, NamedSurvivor},
    mutation::{ChangedFile, Mutation, Survivor},
};

use crate::matrix::Inputs;

/// The code that decides what may land and what passes for proved. Whoever asks about less of it has not asked.
const CODE: [&str; 16] = [
    "orchestrator/core/src/budget.rs",
    "orchestrator/core/src/manifest.rs",
    "orchestrator/core/src/permit.rs",
    "orchestrator/core/src/settle.rs",
    "traceability/src/catalogue.rs",
    "traceability/src/denominator.rs",
    "traceability/src/fingerprint.rs",
    "traceability/src/flake/",
    "traceability/src/gates.rs",
    "traceability/src/gates/",
    "traceability/src/matrix.rs",
    "traceability/src/matrix/",
    "traceability/src/mutation.rs",
    "traceability/src/performance.rs",
    "traceability/src/results/",
    "traceability/src/sabotage.rs",
];

/// What is to be said of the changes as the sources are now.
pub(crate) fn facts(inputs: &Inputs<'_>, mutation: &Mutation) -> MutationFacts {
    let named = mutation.survivors.iter().filter(|survivor| survivor.survived > 0 && survivor.named > 0);
    MutationFacts {
        stale: stale(inputs, mutation),
        partial: mutation.partial.clone(),
        problems: problems(mutation),
        noticed: mutation.files.iter().map(|file| file.noticed).sum(),
        named: named
            .map(|survivor| NamedSurvivor {
                change: survivor.change.clone(),
                reason: survivor.reason.clone(),
            })
            .collect(),
    }
}

fn stale(inputs: &Inputs<'_>, mutation: &Mutation) -> Vec<String> {
    let now = inputs.subject;
    let reason = match (&mutation.tree, &now.tree) {
        (None, _) | (_, None) => {
            "The changes of the code cannot be bound to a commit: there were uncommitted ones, or this is not a git repository."
        }
        (Some(_), Some(_)) if now.dirty => {
            "The working tree has uncommitted changes, and nobody asked what the tests notice there."
        }
        (Some(asked), Some(here)) if asked == here => return Vec::new(),
        (Some(_), Some(_)) => "The code that was changed is another than what is here now.",
    };
    vec![reason.to_owned()]
}

fn problems(mutation: &Mutation) -> Vec<String> {
    let mut problems = Vec::new();
    for code in CODE {
        let asked = |file: &&ChangedFile| {
            file.file.strip_prefix(code).is_some_and(|rest| rest.is_empty() || code.ends_with('/'))
                && file.noticed + file.survived > 0
        };
        if !mutation.files.iter().any(|file| asked(&file)) {
            problems.push(format!("Nothing was changed in {code}, so nobody knows what its tests notice."));
        }
    }
    let mut files = BTreeSet::new();
    let twice = mutation.files.iter().filter(|file| !files.insert(&file.file));
    problems.extend(twice.map(|file| format!("{} is counted more than once.", file.file)));
    let counted: u64 = mutation.files.iter().map(|file| file.survived).sum();
    let told: u64 = mutation.survivors.iter().map(|survivor| survivor.survived).sum();
    if counted != told {
        problems.push(format!("{counted} changes survived, and {told} of them are told."));
    }
    problems.extend(mutation.survivors.iter().filter_map(objection));
    problems
}

/// What is wrong with a survivor; nothing where it is named with a reason as often as it survived.
fn objection(survivor: &Survivor) -> Option<String> {
    let Survivor { change, survived, named, reason } = survivor;
    if survived > named {
        Some(format!("No test notices {} of: {change}", survived - named))
    } else if survived < named {
        Some(format!("{} of these are named as survivors and are none: {change}", named - survived))
    } else if reason.trim().is_empty() {
        Some(format!("Nobody says why no test can notice: {change}"))
    } else {
        None
    }
}

//! The one place where a Then is decided: it judges, writes the ledger and fails with a diff.

use std::fmt::{Display, Write};

use mycelium_schemas::{
    digest::sha256,
    evidence::{Assertion, AssertionKind, Polarity},
};
use similar::TextDiff;

use super::{MyceliumWorld, WorldError};
use mycelium_accept::context::Record;

/// What an assertion looks at. `kind` and `check` are the name that goals refer to, so they are stable.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    kind: AssertionKind,
    check: &'static str,
    subject: String,
    artifact: String,
}

impl Claim {
    /// An assertion about a subject, read from an artifact.
    pub(crate) fn new(
        kind: AssertionKind,
        check: &'static str,
        subject: impl Into<String>,
        artifact: impl Into<String>,
    ) -> Self {
        Self { kind, check, subject: subject.into(), artifact: artifact.into() }
    }
}

/// What was expected, what was found, and whether that is what was wanted.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    expected: String,
    found: String,
    held: bool,
}

impl Verdict {
    /// Holds where both are equal.
    pub(crate) fn equal(expected: impl Into<String>, found: impl Into<String>) -> Self {
        let (expected, found) = (expected.into(), found.into());
        let held = expected == found;
        Self { expected, found, held }
    }

    /// Holds where the caller says so.
    pub(crate) fn of(held: bool, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: expected.into(), found: found.into(), held }
    }
}

impl MyceliumWorld {
    /// Something must be so.
    pub(crate) fn must(&self, claim: Claim, verdict: Verdict) -> Result<(), WorldError> {
        self.judge(claim, Polarity::Must, verdict)
    }

    /// Something must not have happened. Steps that call it are named `never_…`.
    pub(crate) fn never(&self, claim: Claim, verdict: Verdict) -> Result<(), WorldError> {
        self.judge(claim, Polarity::MustNot, verdict)
    }

    /// So many of something must be there. That there is none says what must not have happened, and witnesses nothing.
    pub(crate) fn count(&self, claim: Claim, wanted: u64, verdict: Verdict) -> Result<(), WorldError> {
        let polarity = if wanted == 0 { Polarity::MustNot } else { Polarity::Must };
        self.judge(claim, polarity, verdict)
    }

    fn judge(&self, claim: Claim, polarity: Polarity, verdict: Verdict) -> Result<(), WorldError> {
        let Claim { kind, check, subject, artifact } = claim;
        let Verdict { expected, found, held } = verdict;
        self.context.recorder.push(Record::Assertion(Assertion {
            kind,
            check: check.to_owned(),
            polarity,
            subject: subject.clone(),
            artifact: artifact.clone(),
            expected: expected.clone(),
            actual_digest: sha256(found.as_bytes()),
            held,
        }));
        if held {
            return Ok(());
        }
        Err(WorldError::Mismatch { subject, artifact, diff: diff(&expected, &found) })
    }
}

/// One line an item.
pub(crate) fn lines<T: Display>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().fold(String::new(), |mut text, item| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{item}");
        text
    })
}

fn diff(expected: &str, found: &str) -> String {
    // Both end with a line end, so that no hint about a missing one hides the difference.
    let (expected, found) = (with_line_end(expected), with_line_end(found));
    TextDiff::from_lines(expected.as_str(), found.as_str())
        .unified_diff()
        .context_radius(3)
        .header("expected", "found")
        .to_string()
}

fn with_line_end(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

#[cfg(test)]
mod tests {
    use mycelium_fixtures::sandbox::Locality;

    use super::*;
    use mycelium_accept::context::{Context, Lane, Recorder, Scratch};

    fn world(scratch: &std::path::Path) -> (MyceliumWorld, Recorder) {
        let recorder = Recorder::default();
        let bin = "/bin/true".into();
        Context {
            bin,
            lane: Lane::Mock,
            scratch: Scratch::at(scratch.to_owned()),
            locality: Locality::default(),
            containers: None,
            recorder: recorder.clone(),
            limit: std::time::Duration::ZERO,
        }
        .enter();
        (MyceliumWorld::new().unwrap(), recorder)
    }

    fn claim() -> Claim {
        Claim::new(AssertionKind::State, "status", "the run's status", "state.json")
    }

    #[test]
    fn what_holds_and_what_does_not_are_both_in_the_ledger() {
        let scratch = tempfile::tempdir().unwrap();
        let (world, recorder) = world(scratch.path());
        assert!(world.must(claim(), Verdict::equal("failed", "failed")).is_ok());
        assert!(world.never(claim(), Verdict::equal("failed", "complete")).is_err());
        let ledger: Vec<(String, Polarity, bool)> = recorder
            .take()
            .into_iter()
            .filter_map(|record| match record {
                Record::Assertion(a) => Some((a.name(), a.polarity, a.held)),
                _ => None,
            })
            .collect();
        let name = "state.status".to_owned();
        assert_eq!(ledger, [(name.clone(), Polarity::Must, true), (name, Polarity::MustNot, false)]);
    }

    #[test]
    fn a_mismatch_shows_a_diff_of_expected_and_found() {
        let scratch = tempfile::tempdir().unwrap();
        let (world, _) = world(scratch.path());
        let error = world.must(claim(), Verdict::equal("a\nb", "a\nc")).unwrap_err().to_string();
        assert_eq!(
            error,
            "the run's status\n  looked at: state.json\n--- expected\n+++ found\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
        );
    }
}

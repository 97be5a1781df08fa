//! The steps of the samples, each file after the official one of its name.

#![expect(
    clippy::used_underscore_binding,
    clippy::needless_pass_by_value,
    reason = "a step function takes what its expression names, by value"
)]

pub(crate) mod all_statuses;
pub(crate) mod ambiguous;
pub(crate) mod attachments;
pub(crate) mod backgrounds;
pub(crate) mod cdata;
pub(crate) mod data_tables;
pub(crate) mod doc_strings;
pub(crate) mod examples_tables;
pub(crate) mod examples_tables_attachment;
pub(crate) mod examples_tables_undefined;
pub(crate) mod failedish_combinations;
pub(crate) mod minimal;
pub(crate) mod multiple_features;
pub(crate) mod nothing;
pub(crate) mod parameter_types;
pub(crate) mod passes;
pub(crate) mod passes_or_fails;
pub(crate) mod pending;
pub(crate) mod pending_exception;
pub(crate) mod regular_expression;
pub(crate) mod retry;
pub(crate) mod retry_ambiguous;
pub(crate) mod retry_pending;
pub(crate) mod rules;
pub(crate) mod skipped;
pub(crate) mod skipped_exception;
pub(crate) mod stack_traces;
pub(crate) mod test_run_exception;
pub(crate) mod undefined;
pub(crate) mod unused_steps;

use std::fs;

use mycelium_accept::context::{Context, Record, Shown};
use mycelium_schemas::evidence::{Assertion, AssertionKind, Polarity};

/// Shows something beside the step.
fn show(shown: Shown) {
    Context::current().unwrap().recorder.push(Record::Shown(shown));
}

/// A file of the sample; the sample's folder stands where others have the program under test.
fn file_beside(name: &str) -> Vec<u8> {
    fs::read(Context::current().unwrap().bin.join(name)).unwrap()
}

/// Fails where it is not so, and records that it was looked at: a `Then` without an assertion proves nothing here.
fn holds(is_so: bool) {
    assert!(is_so);
    Context::current().unwrap().recorder.push(Record::Assertion(Assertion {
        kind: AssertionKind::State,
        check: "sample".to_owned(),
        polarity: Polarity::Must,
        subject: "the sample".to_owned(),
        artifact: "world".to_owned(),
        expected: "as it says".to_owned(),
        actual_digest: "0".repeat(64),
        held: true,
    }));
}

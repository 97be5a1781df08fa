//! What is done with each sample of the kit.

use std::path::Path;

use mycelium_schemas::messages::Envelope;
use serde_json::Value;

use crate::{
    canonical::{drop_hooks, drop_retries, drop_started_cases, set_success},
    run::{run, run_that_cannot_begin},
    samples::*,
};

/// Runs a sample's features; returns the messages.
type Run = fn(&Path) -> Vec<Envelope>;
/// What this runner does otherwise on purpose, and the same change in the official stream.
type Difference = (&'static str, fn(&mut Vec<Value>));

/// What is done with a sample.
pub(crate) enum Treatment {
    /// It runs.
    Run { run: Run, differs: Option<Difference> },
    /// It is of something that this runner does not have.
    LeftOut(&'static str),
}

const HOOKS: &str = "no hooks: what every scenario needs is built by its world and cleared away with it, so that a \
                     feature says all that happens";
/// Where hooks change nothing of the scenarios, these can be compared without them.
const WITHOUT_HOOKS: Difference = (HOOKS, drop_hooks);
const SKIPPED: Difference =
    ("a run with a skipped scenario is no success", |stream| set_success(stream, false));

fn equal(run: Run) -> Treatment {
    Treatment::Run { run, differs: None }
}

fn equal_but(run: Run, difference: Difference) -> Treatment {
    Treatment::Run { run, differs: Some(difference) }
}

/// What is done with the sample of this name; none where nobody has decided.
pub(crate) fn treatment(name: &str) -> Option<Treatment> {
    Some(match name {
        "all-statuses" => equal(run::<all_statuses::Statuses>),
        "ambiguous" => equal(run::<ambiguous::Ambiguous>),
        "attachments" => equal(run::<attachments::Attachments>),
        "backgrounds" | "rules-backgrounds" => equal(run::<backgrounds::Backgrounds>),
        "cdata" => equal(run::<cdata::Cdata>),
        "data-tables" => equal(run::<data_tables::DataTables>),
        "doc-strings" => equal(run::<doc_strings::DocStrings>),
        "empty" => equal_but(
            run::<nothing::Nothing>,
            ("a scenario without steps is not started, and the run is no success", |stream| {
                drop_started_cases(stream);
                set_success(stream, false);
            }),
        ),
        "examples-tables" => equal(run::<examples_tables::ExamplesTables>),
        "examples-tables-attachment" => equal(run::<examples_tables_attachment::Images>),
        "examples-tables-undefined" | "examples-tables-undefined-multiple" => {
            equal(run::<examples_tables_undefined::Cucumbers>)
        }
        "failedish-combinations" => equal(run::<failedish_combinations::Failedish>),
        "minimal" => equal(run::<minimal::Minimal>),
        "multiple-features" | "multiple-features-reversed" => equal(run::<multiple_features::Orders>),
        "parameter-types" => equal(run::<parameter_types::Flights>),
        "pending" => equal(run::<pending::Pending>),
        "pending-exception" => equal(run::<pending_exception::PendingException>),
        "regular-expression" => equal(run::<regular_expression::Vegetables>),
        "retry" => {
            equal_but(run::<retry::Retry>, ("no retries: the first attempt is the result", drop_retries))
        }
        "retry-ambiguous" => equal(run::<retry_ambiguous::Twice>),
        "retry-pending" => equal(run::<retry_pending::Pending>),
        "retry-undefined" => equal(run::<nothing::Nothing>),
        "rules" => equal(run::<rules::Chocolates>),
        "skipped" => equal_but(run::<skipped::Skipped>, SKIPPED),
        "skipped-exception" => equal_but(run::<skipped_exception::SkippedException>, SKIPPED),
        "stack-traces" => equal(run::<stack_traces::StackTraces>),
        "test-run-exception" => equal(run_that_cannot_begin::<test_run_exception::Step>),
        "undefined" | "undefined-multiple" => equal(run::<undefined::Undefined>),
        "unused-steps" => equal(run::<unused_steps::Used>),
        "global-hooks" | "hooks" => equal_but(run::<passes_or_fails::PassesOrFails>, WITHOUT_HOOKS),
        "global-hooks-attachments" | "hooks-attachment" | "hooks-named" => {
            equal_but(run::<passes::Passes>, WITHOUT_HOOKS)
        }
        "hooks-undefined" => equal_but(run::<nothing::Nothing>, WITHOUT_HOOKS),
        "global-hooks-afterall-error"
        | "global-hooks-beforeall-error"
        | "hooks-conditional"
        | "hooks-skipped"
        | "skipped-failing-hook" => Treatment::LeftOut(HOOKS),
        "markdown" => Treatment::LeftOut("no Gherkin in Markdown: features are .feature files"),
        "unknown-parameter-type" => Treatment::LeftOut(
            "an expression with an unknown parameter type does not compile, so it never reaches a run",
        ),
        _ => return None,
    })
}

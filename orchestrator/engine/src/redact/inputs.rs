//! What a run takes in and keeps: prose is redacted, so that no agent is told a secret either; what is executed must
//! stay as it is, so that a secret in it stops the run before it begins.

use mycelium_core::plan::Plan;
use mycelium_schemas::{
    config,
    manifest::{Manifest, PlannedTask},
    problem::{Problem, Source},
};

use super::{Redactor, span::Span};
use crate::error::Error;

/// The manifest with its prose redacted.
pub(crate) fn prose(redactor: &Redactor, manifest: Manifest) -> Manifest {
    let clean = |text: String| redactor.text(&text).into_owned();
    Manifest {
        name: clean(manifest.name),
        description: clean(manifest.description),
        spec: clean(manifest.spec),
        ..manifest
    }
}

/// The plan with its prose redacted.
pub(crate) fn plan(redactor: &Redactor, plan: &Plan) -> Plan {
    Plan::new(plan.tasks().cloned().map(|task| PlannedTask {
        manifest: prose(redactor, task.manifest),
        spec_text: redactor.text(&task.spec_text).into_owned(),
        dir: task.dir,
    }))
}

/// Refuses known values in what the run keeps unchanged, given with what it is called; warns of shapes.
pub(crate) fn check<'t>(
    redactor: &Redactor,
    kept: impl IntoIterator<Item = (String, &'t [u8])>,
) -> Result<(), Error> {
    for (what, content) in kept {
        for span in redactor.secrets.spans(content, None) {
            if span.known {
                return Err(Error::Request {
                    message: holds_value(&what, span.name),
                    help: use_variable(span.name),
                });
            }
            tracing::warn!(
                "{what} holds what looks like a secret ({}); the run keeps it as it is",
                span.name
            );
        }
    }
    Ok(())
}

/// Refuses known values and shapes of keys in the configuration: a run keeps it byte for byte, and no part of it is a
/// place for them.
pub(crate) fn check_config(redactor: &Redactor, source: &Source) -> Result<(), Error> {
    let found = redactor.secrets.spans(source.text.as_bytes(), None);
    let shown = masked(source, &found);
    let problems: Vec<Problem> = found.iter().map(|span| problem(source, &shown, span)).collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Problems { problems }) }
}

/// The text with stars for what is secret: the line that a problem shows may be cut in the midst of a key, where no
/// shape is known any more.
fn masked(source: &Source, spans: &[Span<'_>]) -> Source {
    let mut text = source.text.as_bytes().to_vec();
    for byte in spans.iter().flat_map(|span| span.start..span.end) {
        if text[byte] != b'\n' {
            text[byte] = b'*';
        }
    }
    Source::new(source.name.to_string(), String::from_utf8_lossy(&text).into_owned())
}

fn problem(source: &Source, shown: &Source, span: &Span<'_>) -> Problem {
    let what = match config::key_at(source, span.start) {
        Some(key) => format!("`{key}` in the configuration {}", source.name),
        None => format!("the configuration {}", source.name),
    };
    let (message, help) = if span.known {
        (holds_value(&what, span.name), use_variable(span.name))
    } else {
        let message =
            format!("{what} holds what looks like a secret ({}), and a run keeps a copy of it", span.name);
        let help = "put it into a variable, list the variable in `worker.env` to hand it to commands, and use it there";
        (message, help.to_owned())
    };
    Problem { source: shown.clone(), span: span.start..span.end, message, help }
}

fn holds_value(what: &str, name: &str) -> String {
    format!("{what} holds the value of {name}, and a run keeps a copy of it")
}

fn use_variable(name: &str) -> String {
    format!("use the variable instead, and list {name} in `worker.env` to hand it to commands")
}

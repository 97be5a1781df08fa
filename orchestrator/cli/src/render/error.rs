//! Errors: for people on standard error, for scripts as one JSON document on standard output.

use std::error::Error as _;

use mycelium_schemas::{
    answer::{Place, Refusal, Refused},
    problem::Problem,
};

use super::{
    diff,
    problem::{Paint, plain, problem},
};
use crate::error::CliError;

/// For people, without a newline at the end.
pub(crate) fn text(error: &CliError, paint: Paint) -> String {
    if let CliError::Usage(usage) = error {
        // Clap shows the usage and the nearest word too.
        return if paint.0 { usage.render().ansi().to_string() } else { usage.render().to_string() }
            .trim_end()
            .to_owned();
    }
    let problems = error.problems();
    let mut parts: Vec<String> = problems.iter().map(|found| problem(found, paint)).collect();
    if !error.differences().is_empty() {
        parts.push(diff::files(error.differences()).trim_end().to_owned());
    }
    let last = if problems.is_empty() {
        format!("{}: {}", paint.bad("error"), plain(&chain(error)))
    } else {
        plain(&error.to_string())
    };
    parts.push(match error.help() {
        Some(help) => format!("{last}\n  {} {}", paint.good("= help:"), plain(&help)),
        None => last,
    });
    parts.join("\n\n")
}

/// For scripts.
pub(crate) fn document(error: &CliError) -> Refused {
    let place = |found: &Problem| {
        let (line, column) = found.source.line_column(found.span.start);
        Place {
            file: found.source.name.to_string(),
            line,
            column,
            message: found.message.clone(),
            help: found.help.clone(),
        }
    };
    Refused {
        error: Refusal {
            kind: error.kind(),
            message: chain(error),
            help: error.help(),
            problems: error.problems().iter().map(place).collect(),
        },
    }
}

/// The error and what caused it, on one line.
fn chain(error: &CliError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}

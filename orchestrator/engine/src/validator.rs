//! Asks a validator for its report (design 3.6): a mock model's answer, or what a command prints.

use mycelium_schemas::{
    config::{Validator, ValidatorProvider},
    event::{EventKind, ValidatorReport},
};
use tokio::sync::watch;

use crate::{
    agent::Notes,
    environment::Environment,
    error::Error,
    job::{Job, StopLevel, Watcher},
    launcher::Launcher,
    mock,
};

/// Bytes of standard output that a report may have.
const REPORT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Where and how a validator's command runs.
pub struct Surroundings<'a> {
    /// For the mock's variables.
    pub environment: &'a Environment,
    /// Starts the command.
    pub launcher: &'a Launcher,
    /// Makes the job of a command.
    pub job: &'a (dyn Fn(&str) -> Job + Send + Sync),
    /// When it must end.
    pub stop: watch::Receiver<StopLevel>,
    /// Hears of its container.
    pub notes: Notes,
}

/// The report, or why there is none.
pub async fn ask(
    validator: &Validator,
    around: Surroundings<'_>,
) -> Result<Result<ValidatorReport, String>, Error> {
    match (validator.provider, &validator.command) {
        (ValidatorProvider::Command, Some(command)) => run(command, around).await,
        _ => Ok(match mock::llm_output(around.environment) {
            Ok(source) => read(&source.text),
            Err(error) => Err(format!("the mock validator has no answer: {error}")),
        }),
    }
}

/// What is kept of a validator that gave no valid report: that it did not pass the work, and why.
pub fn no_report(why: &str) -> ValidatorReport {
    ValidatorReport { pass: false, summary: format!("no valid report: {why}"), issues: Vec::new() }
}

async fn run(command: &str, around: Surroundings<'_>) -> Result<Result<ValidatorReport, String>, Error> {
    let job = (around.job)(command);
    let mut output = Output { notes: Some(around.notes), ..Output::default() };
    let exit = around.launcher.run(job, around.stop, &mut output).await?;
    if !exit.is_success() {
        return Ok(Err(format!("the validator's command {}", exit.describe())));
    }
    if output.overflow {
        return Ok(Err(format!(
            "the validator printed more than {REPORT_BYTES_MAX} bytes, which is no report"
        )));
    }
    Ok(match std::str::from_utf8(&output.bytes) {
        Ok(text) => read(text),
        Err(_) => Err("the validator's output is not UTF-8".to_owned()),
    })
}

fn read(text: &str) -> Result<ValidatorReport, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("the validator's output is not one report {{\"pass\", \"summary\", \"issues\"}}: {error}")
    })
}

/// Collects standard output. What does not fit makes it invalid: a part of an output is no report.
#[derive(Default)]
struct Output {
    bytes: Vec<u8>,
    overflow: bool,
    notes: Option<Notes>,
}

impl Watcher for Output {
    fn line(&mut self, line: &[u8]) -> Result<(), Error> {
        if self.bytes.len() + line.len() < REPORT_BYTES_MAX {
            self.bytes.extend_from_slice(line);
            self.bytes.push(b'\n');
        } else {
            self.overflow = true;
        }
        Ok(())
    }

    fn too_long(&mut self) {
        self.overflow = true;
    }

    fn container(&mut self, kind: EventKind) {
        if let Some(notes) = &mut self.notes {
            notes.container(kind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_does_not_fit_is_no_report_whatever_comes_after() {
        let mut output = Output::default();
        output.line(&vec![b' '; REPORT_BYTES_MAX]).unwrap();
        output.line(br#"{"pass": true}"#).unwrap();
        assert!(output.overflow);
        let mut output = Output::default();
        output.too_long();
        assert!(output.overflow);
    }
}

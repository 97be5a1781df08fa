//! Asks a validator for its report (design 3.6): a mock model's answer, what a command prints, or what a model says of the
//! diff that would land.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use mycelium_gateway::{Client, Form};
use mycelium_schemas::{
    config::{Answerer, Config, Validator},
    event::ValidatorReport,
    manifest::PlannedTask,
};
use serde_json::json;

use crate::{
    agent::AttemptKey,
    asking::Asking,
    error::{Error, IoContext},
    mock,
    models::Used,
    project::Project,
    prompt, store,
};

/// Bytes of a diff that a model is told; which files were left out is told, too.
const DIFF_BYTES_MAX: usize = 256 * 1024;

/// The short name of the one that judges the doctor.
pub(crate) const DOCTOR: &str = "doctor";

/// What the validators that ask a model are asked with, by their short names.
pub(crate) type Prompts = BTreeMap<&'static str, String>;

/// What a validator said, and used.
pub(crate) struct Judged {
    /// Its report, or why there is none.
    pub(crate) report: Result<ValidatorReport, String>,
    /// What it used of a model.
    pub(crate) used: Used,
}

/// The prompts of the validators that are on and ask a model: the run's own copies, where it has them already, or else the
/// project's.
pub(crate) fn prompts(project: &Project, config: &Config, frozen: &Path) -> Result<Prompts, Error> {
    let mut prompts = Prompts::new();
    for (name, validator) in config.judges() {
        if !validator.asked.provider.asks_a_model() {
            continue;
        }
        let copy = copy_in(frozen, name);
        let text = match store::read_file(&copy) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                prompt::of_validator(name).load(project)?.text.to_string()
            }
            Err(error) => return Err(error).at("read", copy),
        };
        prompts.insert(name, text);
    }
    Ok(prompts)
}

/// Keeps them with the run, so that nobody changes how its work is judged.
pub(crate) fn freeze(prompts: &Prompts, folder: &Path) -> Result<(), Error> {
    if prompts.is_empty() {
        return Ok(());
    }
    store::make_private_dir(folder)?;
    for (name, text) in prompts {
        store::restore(&copy_in(folder, name), text.as_bytes())?;
    }
    Ok(())
}

fn copy_in(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}_validator.md"))
}

/// Who asks for a validator, in the account of the run's gateway.
pub(crate) fn client(key: &AttemptKey, name: &str, validator: &Validator) -> Client {
    Client {
        task: key.task.to_string(),
        attempt: key.attempt,
        turn: key.turn,
        by: name.to_owned(),
        model: validator.asked.model.clone().unwrap_or_default(),
    }
}

/// What a model is told about the work: the prompt with the task, the doctor and the diff in it.
pub(crate) fn question(prompt: &str, task: &PlannedTask, writes: &str, doctor: &str, diff: &str) -> String {
    let name = format!("{} {}", task.manifest.id, task.manifest.name);
    let (spec, doctor, diff) = (task.spec_text.trim_end(), doctor.trim_end(), bounded(diff));
    let values =
        [("task", name.as_str()), ("spec", spec), ("manifest", writes), ("doctor", doctor), ("diff", &diff)];
    prompt::fill(prompt, &values)
}

/// Asks.
pub(crate) async fn ask(asking: Asking<'_>, question: &str) -> Result<Judged, Error> {
    if asking.answering.provider == Answerer::Mock {
        let report = match mock::llm_output(asking.environment) {
            Ok(source) => read(&source.text),
            Err(error) => Err(format!("the mock validator has no answer: {error}")),
        };
        return Ok(Judged { report, used: Used::default() });
    }
    let answered = asking.ask(question, &form()).await?;
    let report = match answered.answer {
        Ok(text) => read(&text),
        Err(none) => Err(none.message),
    };
    Ok(Judged { report, used: answered.used })
}

/// What is kept of a validator that gave no valid report: that it did not pass the work, and why.
pub(crate) fn no_report(why: &str) -> ValidatorReport {
    ValidatorReport { pass: false, summary: format!("no valid report: {why}"), issues: Vec::new() }
}

fn read(text: &str) -> Result<ValidatorReport, String> {
    serde_json::from_str(text).map_err(|error| {
        format!("the validator's output is not one report {{\"pass\", \"summary\", \"issues\"}}: {error}")
    })
}

/// A report as a strict provider wants its schema.
fn form() -> Form {
    let issue = json!({
        "type": "object",
        "properties": {
            "file": {"type": ["string", "null"]},
            "line": {"type": ["integer", "null"]},
            "message": {"type": "string"},
        },
        "required": ["file", "line", "message"],
        "additionalProperties": false,
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "pass": {"type": "boolean"},
            "summary": {"type": "string"},
            "issues": {"type": "array", "items": issue},
        },
        "required": ["pass", "summary", "issues"],
        "additionalProperties": false,
    });
    Form { name: "report", schema }
}

/// The files of a diff that fit, whole, and the names of those that do not.
fn bounded(diff: &str) -> String {
    let (mut kept, mut left_out) = (String::new(), Vec::new());
    for file in files_of(diff) {
        if kept.len() + file.len() <= DIFF_BYTES_MAX {
            kept.push_str(file);
        } else {
            let name = file.lines().next().unwrap_or_default();
            left_out.push(format!("{name} ({} bytes)", file.len()));
        }
    }
    if !left_out.is_empty() {
        let all = left_out.join("\n");
        kept.push_str("\n[Left out for their size, though they would be merged, too:]\n");
        kept.push_str(&all);
        kept.push('\n');
    }
    kept
}

/// A part for each file: no line of a file's text begins like the line before it.
fn files_of(diff: &str) -> impl Iterator<Item = &str> {
    let starts = diff.match_indices("diff --git ").map(|(at, _)| at);
    let mut starts: Vec<usize> = starts.filter(|at| *at == 0 || diff[..*at].ends_with('\n')).collect();
    starts.push(diff.len());
    let ends: Vec<usize> = starts.iter().skip(1).copied().collect();
    starts.into_iter().zip(ends).map(|(start, end)| diff.get(start..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_that_is_too_long_leaves_whole_files_out_and_names_them() {
        let file =
            |name: &str, bytes: usize| format!("diff --git a/{name} b/{name}\n+{}\n", "x".repeat(bytes));
        let (small, large, last) = (file("a", 10), file("b", DIFF_BYTES_MAX), file("c", 10));
        assert_eq!(bounded(&format!("{small}{last}")), format!("{small}{last}"));
        let shown = bounded(&format!("{small}{large}{last}"));
        assert!(shown.starts_with(&format!("{small}{last}\n[Left out for their size")), "{shown:.200}");
        assert!(shown.contains(&format!("diff --git a/b b/b ({} bytes)", large.len())));
        assert_eq!(bounded(""), "");
    }

    #[test]
    fn a_report_in_the_form_that_is_asked_for_is_one() {
        let text =
            r#"{"pass": false, "summary": "no", "issues": [{"file": null, "line": null, "message": "m"}]}"#;
        assert!(!read(text).unwrap().pass);
        assert!(read("{}").is_err());
    }
}

//! What `accept sabotage` tries and keeps: which saboteur of which goal, the program with one of them at work, and the
//! kill matrix as a file.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mycelium_schemas::{
    SCHEMA_VERSION,
    goal::{GoalId, Tier, spec::Goal},
    sabotage::{SABOTAGE, Sabotage, TrialOutcome},
};

use super::{
    console::{Console, Stream, Tone, counted},
    error::CliError,
    program::Program,
    project::write,
};

/// Variable that chooses a saboteur.
const CHOICE: &str = "MYCELIUM_SABOTEUR";

/// The saboteurs cannot be tried.
#[derive(Debug, thiserror::Error)]
pub(super) enum SabotageError {
    #[error("{} names no saboteurs; it was built without the feature `saboteur`", .0.display())]
    NoSaboteurs(PathBuf),
    #[error("goals and program do not agree:\n{}", .0.join("\n"))]
    Disagree(Vec<String>),
    #[error("no goal declares such a saboteur: nothing was tried")]
    NothingSelected,
    #[error("{} was written in the format version {version}; this accept reads {SCHEMA_VERSION}", path.display())]
    OtherVersion { path: PathBuf, version: u32 },
    #[error("the scenarios do not pass without a saboteur, so they can show nothing; see accept run:\n{}", .0.join("\n"))]
    BrokenWithout(Vec<String>),
}

/// The kill matrix in an output folder; none where nothing was tried.
pub(super) fn read(out: &Path) -> Result<Option<Sabotage>, CliError> {
    let path = out.join(SABOTAGE);
    let failed = |action, source| CliError::File { action, path: path.clone(), source };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(|source| failed("read", source))?,
    };
    let sabotage: Sabotage =
        serde_json::from_str(&text).map_err(|error| failed("understand", error.into()))?;
    if sabotage.schema_version != SCHEMA_VERSION {
        return Err(SabotageError::OtherVersion { path, version: sabotage.schema_version }.into());
    }
    Ok(Some(sabotage))
}

/// Removes it: nobody may take an earlier one for what is being tried.
pub(super) fn clear(out: &Path) -> Result<(), CliError> {
    match fs::remove_file(out.join(SABOTAGE)) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(CliError::File { action: "remove", path: out.join(SABOTAGE), source })
        }
        _ => Ok(()),
    }
}

/// Writes it.
pub(super) fn keep(out: &Path, sabotage: &Sabotage) -> Result<PathBuf, CliError> {
    let path = out.join(SABOTAGE);
    let text = serde_json::to_string_pretty(sabotage).map_err(|error| CliError::Output(error.into()))?;
    write(&path, format!("{text}\n").as_bytes())?;
    Ok(path)
}

/// Every saboteur that a program knows.
pub(super) fn known(program: &Program) -> Result<Vec<String>, CliError> {
    let answer = Command::new(&program.path)
        .args(["saboteurs", "--json"])
        .env_remove(CHOICE)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| CliError::File { action: "start", path: program.path.clone(), source })?;
    let names: Option<Vec<String>> = serde_json::from_slice(&answer.stdout).ok();
    let names = names.filter(|names| answer.status.success() && !names.is_empty());
    names.ok_or_else(|| SabotageError::NoSaboteurs(program.path.clone()).into())
}

/// A saboteur of a goal.
#[derive(Debug)]
pub(super) struct Pair<'g> {
    pub(super) goal: &'g Goal,
    pub(super) name: &'g str,
}

/// What is to be tried, sorted by goal; and why that is not everything.
pub(super) fn plan<'g>(
    goals: &'g [Goal],
    known: &[String],
    goal: Option<GoalId>,
    only: Option<&str>,
) -> Result<(Vec<Pair<'g>>, Vec<String>), SabotageError> {
    let declared =
        || goals.iter().flat_map(|goal| goal.saboteurs.iter().map(move |name| Pair { goal, name }));
    let unknown = declared().filter(|pair| !known.iter().any(|name| name == pair.name)).map(|pair| {
        format!("{} declares the saboteur {}, which the program does not know", pair.goal.id, pair.name)
    });
    let idle = known
        .iter()
        .filter(|name| !declared().any(|pair| pair.name == **name))
        .map(|name| format!("the program knows the saboteur {name}, and no goal declares it"));
    let without = goals
        .iter()
        .filter(|goal| goal.tier() == Tier::Zero && goal.saboteurs.is_empty())
        .map(|goal| format!("{} is a Tier-0 goal without a saboteur", goal.id));
    let problems: Vec<String> = unknown.chain(idle).chain(without).collect();
    if !problems.is_empty() {
        return Err(SabotageError::Disagree(problems));
    }
    let wanted = |pair: &Pair<'_>| {
        goal.is_none_or(|id| pair.goal.id == id) && only.is_none_or(|name| pair.name == name)
    };
    let pairs: Vec<Pair<'g>> = declared().filter(wanted).collect();
    if pairs.is_empty() {
        return Err(SabotageError::NothingSelected);
    }
    let of_goal = goal.map(|goal| format!("Only saboteurs of {goal} were tried."));
    let of_name = only.map(|name| format!("Only the saboteur {name} was tried."));
    Ok((pairs, of_goal.into_iter().chain(of_name).collect()))
}

/// The program with a saboteur at work, or with none: a script that sets the variable, since scenarios choose the
/// environment themselves.
pub(super) fn with_saboteur(
    program: &Program,
    name: Option<&str>,
    folder: &Path,
) -> Result<Program, CliError> {
    let path = folder.join(format!("mycelium-{}", name.unwrap_or("honest")));
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let (name, real) = (quoted(name.unwrap_or_default()), quoted(&program.path.to_string_lossy()));
    let text = format!("#!/bin/sh\n{CHOICE}={name} exec {real} \"$@\"\n");
    write(&path, text.as_bytes())?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(|source| CliError::File {
        action: "set the mode of",
        path: path.clone(),
        source,
    })?;
    Ok(Program { path, ..program.clone() })
}

/// The kill matrix for a terminal.
pub(super) fn table(console: &Console, sabotage: &Sabotage) -> String {
    let trials = &sabotage.trials;
    let goals = trials.iter().map(|trial| trial.goal.to_string().len()).max().unwrap_or(0);
    let names = trials.iter().map(|trial| trial.saboteur.len()).max().unwrap_or(0);
    let mut lines = Vec::new();
    for trial in trials {
        let (tone, word) = match trial.outcome {
            TrialOutcome::Killed => (Tone::Good, "killed  "),
            TrialOutcome::Survived => (Tone::Bad, "SURVIVED"),
        };
        let outcome = console.paint_for(Stream::Out, tone, word);
        let by: BTreeSet<&str> = trial.noticed.iter().map(|noticed| noticed.assertion.as_str()).collect();
        let scenarios: BTreeSet<_> = trial.noticed.iter().map(|noticed| &noticed.scenario).collect();
        let line = format!(
            "{:goals$}  {:names$}  {outcome}  {} of {}  {}",
            trial.goal.to_string(),
            trial.saboteur,
            scenarios.len(),
            counted(trial.scenarios, "scenario"),
            by.into_iter().collect::<Vec<_>>().join(", "),
        );
        lines.push(line.trim_end().to_owned());
        if trial.outcome == TrialOutcome::Survived {
            lines.extend(trial.remarks.iter().map(|remark| format!("    {remark}")));
        }
    }
    let killed = trials.iter().filter(|trial| trial.outcome == TrialOutcome::Killed).count();
    lines.push(format!("{killed} of {} killed", counted(trials.len(), "saboteur")));
    lines.join("\n")
}

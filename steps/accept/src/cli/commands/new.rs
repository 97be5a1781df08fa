//! `accept new`: the feature of a goal, as far as the goal says it. What only its author knows is a placeholder, and the
//! lint is red until none is left.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
};

use mycelium_schemas::goal::GoalId;
use mycelium_traceability::Registry;

use crate::cli::{
    args::NewArgs,
    console::Console,
    error::CliError,
    project::Project,
    scaffold::{Draft, feature, file_name},
};

pub(in crate::cli) fn run(console: &Console, args: &NewArgs) -> Result<u8, CliError> {
    let project = Project::locate()?;
    let registry = project.registry()?;
    let id = args.goal;
    let draft = draft(&registry, id).ok_or_else(|| CliError::UnknownGoal(id.to_string()))?;
    if let Some(uri) = existing(&project, id)? {
        return Err(CliError::FeatureExists { goal: id.to_string(), path: uri.into() });
    }
    let uri = format!("features/tier{}/{}", id.tier().number(), file_name(&draft));
    let path = project.root.join(&uri);
    let cannot_write = |source| CliError::File { action: "write", path: path.clone(), source };
    fs::create_dir_all(path.parent().unwrap_or(&project.root)).map_err(cannot_write)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            CliError::FeatureExists { goal: id.to_string(), path: uri.clone().into() }
        } else {
            cannot_write(source)
        }
    })?;
    file.write_all(feature(&draft).as_bytes()).map_err(cannot_write)?;
    console.print(&uri)?;
    console.document(&serde_json::json!({"goal": id, "feature": uri}))?;
    if registry.goal(id).is_none() {
        console.say(format_args!(
            "{id} is in the backlog: write traceability/goals/{id}.yaml and remove it from traceability/backlog.yaml"
        ));
    }
    console.say(format_args!("next: replace what says \"replace this\", then `cargo accept lint {uri}`"));
    Ok(0)
}

/// What is known of a goal, automated or not.
fn draft(registry: &Registry, id: GoalId) -> Option<Draft> {
    let planned = || registry.backlog.iter().find(|planned| planned.goal == id).map(Draft::of_backlog);
    registry.goal(id).map(Draft::of_goal).or_else(planned)
}

/// The feature that this goal has already, by its name or by a tag.
fn existing(project: &Project, id: GoalId) -> Result<Option<String>, CliError> {
    let suite = match project.suite(&[]) {
        Ok(suite) => suite,
        // No feature was written yet.
        Err(_) if !project.root.join("features").exists() => return Ok(None),
        Err(error) => return Err(error),
    };
    let tag = format!("@{id}");
    let has_tag = |pickle: &mycelium_schemas::messages::Pickle| pickle.tags.iter().any(|t| t.name == tag);
    let tagged = suite.pickles().find(has_tag).map(|pickle| pickle.uri);
    let named = || {
        let prefix = format!("{id}-");
        let name = |uri: &str| uri.rsplit('/').next().unwrap_or_default().to_owned();
        suite.files.iter().find(|file| name(&file.uri).starts_with(&prefix)).map(|file| file.uri.clone())
    };
    Ok(tagged.or_else(named))
}

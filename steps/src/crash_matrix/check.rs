//! What must hold once the program has recovered: the same as if nothing had happened, and nothing left behind.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    process::{Command, Stdio},
};

use git2::Repository;
use mycelium_accept::runner::leftovers::kill_inside;
use mycelium_fixtures::{
    FixtureError,
    checkout::{Checkout, listing},
    process::Ending,
    repository::BRANCH,
    sandbox::Finished,
};
use serde_json::Value;

use crate::{
    scene::{Outcome, Scene, TASKS},
    world::World,
};

/// What a scene comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// What the integration branch holds.
    tree: String,
    /// Everything of the checkout that is its user's.
    checkout: String,
    /// What the program wrote below `.mycelium`, runs left out; of `clean` what it left of the runs.
    project: String,
}

/// Compares with the undisturbed scene, if it is known already.
pub(crate) fn check(
    world: &mut World<'_>,
    last: &Finished,
    undisturbed: Option<&Facts>,
) -> Result<(Facts, Vec<String>), FixtureError> {
    let mut wrong = Vec::new();
    if last.ending != Ending::Exited(world.scene.outcome().exit) {
        let said = String::from_utf8_lossy(&last.stderr);
        wrong.push(format!("does not recover: {:?}; {}", last.ending, said.trim().replace('\n', " | ")));
    }
    let root = world.repository.path().to_owned();
    let killed = kill_inside(world.sandbox.root());
    if killed > 0 {
        wrong.push(format!("{killed} processes live on"));
    }
    match world.containers() {
        Ok(left) => {
            wrong.extend(
                left.iter().map(|left| format!("the container {} ({}) is left", left.name, left.state)),
            );
        }
        Err(why) => wrong.push(why),
    }
    if world.scene.is_run() {
        check_run(world, &mut wrong)?;
    }
    leftovers(world.sandbox.root(), &mut wrong)
        .map_err(FixtureError::file("look through", world.sandbox.root()))?;
    fsck(&root, &mut wrong);
    let facts = facts(world)?;
    if let Some(expected) = undisturbed {
        let pairs = [
            ("the branch's tree", &facts.tree, &expected.tree),
            ("the user's checkout", &facts.checkout, &expected.checkout),
            ("the project's folder", &facts.project, &expected.project),
        ];
        for (what, found, expected) in pairs {
            if found != expected {
                wrong.push(format!("{what} differs: {}", difference(expected, found)));
            }
        }
    }
    Ok((facts, wrong))
}

fn facts(world: &World<'_>) -> Result<Facts, FixtureError> {
    let repository = &world.repository;
    let tree = match repository.head_of(BRANCH)? {
        Some(head) => repository.tree_of(&head)?,
        None => String::new(),
    };
    let folder = match world.scene {
        Scene::Init | Scene::InitForce => repository.path().join(".mycelium"),
        Scene::Clean => world.sandbox.mycelium_home(),
        _ => repository.path().join(".mycelium/tasks"),
    };
    // The project's own folder has another name in each place.
    let name = format!("projects/{}", world.project_name()?);
    Ok(Facts {
        tree,
        checkout: Checkout::of(repository.path())?.to_text(),
        project: listing(&folder)?.replace(&name, "projects/project"),
    })
}

/// The lines that one side alone has.
fn difference(expected: &str, found: &str) -> String {
    let only = |a: &str, b: &str, sign: &str| {
        let lines = a.lines().filter(|line| !b.lines().any(|other| other == *line));
        lines.map(|line| format!("{sign}{line}")).collect::<Vec<_>>()
    };
    [only(expected, found, "-"), only(found, expected, "+")].concat().join(", ")
}

fn check_run(world: &mut World<'_>, wrong: &mut Vec<String>) -> Result<(), FixtureError> {
    let told = world.status()?;
    let outcome = world.scene.outcome();
    if told["status"] != outcome.status {
        wrong.push(format!("the run is {}, not {}", told["status"], outcome.status));
    }
    match told["paths"]["state"].as_str() {
        Some(view) => check_view(world, &told, Path::new(view), wrong)?,
        None => wrong.push(format!("status names no state.json: {told}")),
    }
    match told["paths"]["journal"].as_str() {
        Some(journal) => check_journal(Path::new(journal), outcome, wrong)?,
        None => wrong.push(format!("status names no journal: {told}")),
    }
    let root = world.repository.path();
    let landed = commits_by_task(root).map_err(FixtureError::git("walk the history of", root))?;
    for task in TASKS {
        let commits = landed.get(task).copied().unwrap_or_default();
        if commits != u32::from(outcome.landed.contains(&task)) {
            wrong.push(format!("{commits} commits of task {task} are in the branch"));
        }
    }
    Ok(())
}

/// Without its view the program folds the journal: both must say the same.
fn check_view(
    world: &mut World<'_>,
    told: &Value,
    view: &Path,
    wrong: &mut Vec<String>,
) -> Result<(), FixtureError> {
    if !view.exists() {
        wrong.push("state.json is missing".to_owned());
        return Ok(());
    }
    let aside = view.with_extension("aside");
    let moved = |from: &Path, to: &Path| fs::rename(from, to).map_err(FixtureError::file("move", from));
    moved(view, &aside)?;
    let folded = world.status()?;
    moved(&aside, view)?;
    if folded != *told {
        wrong.push("state.json is not what the journal folds into".to_owned());
    }
    Ok(())
}

fn check_journal(path: &Path, outcome: Outcome, wrong: &mut Vec<String>) -> Result<(), FixtureError> {
    let text = fs::read_to_string(path).map_err(FixtureError::file("read", path))?;
    let (mut last, mut done, mut completed) = (0, BTreeMap::<String, u32>::new(), 0);
    for (number, line) in (1..).zip(text.lines()) {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            wrong.push(format!("line {number} of the journal is no JSON"));
            continue;
        };
        let seq = event["seq"].as_u64().unwrap_or_default();
        if seq <= last {
            wrong.push(format!("line {number} of the journal has seq {seq} after {last}"));
        }
        last = seq;
        match event["type"].as_str() {
            Some("run.complete") => completed += 1,
            Some("landing.done") => {
                for task in event["payload"]["tasks"].as_array().into_iter().flatten() {
                    *done.entry(task.as_str().unwrap_or_default().to_owned()).or_default() += 1;
                }
            }
            _ => {}
        }
    }
    if completed != u32::from(outcome.status == "complete") {
        wrong.push(format!("the journal completes the run {completed} times"));
    }
    if done.len() != outcome.landed.len() || done.values().any(|times| *times != 1) {
        wrong.push(format!("the journal lands the tasks {done:?} times"));
    }
    Ok(())
}

fn commits_by_task(root: &Path) -> Result<BTreeMap<String, u32>, git2::Error> {
    let repository = Repository::open(root)?;
    let mut walk = repository.revwalk()?;
    walk.push_ref(&format!("refs/heads/{BRANCH}"))?;
    let mut found = BTreeMap::new();
    for id in walk {
        let commit = repository.find_commit(id?)?;
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        for task in message.lines().filter_map(|line| line.strip_prefix("Mycelium-Task: ")) {
            *found.entry(task.to_owned()).or_default() += 1;
        }
    }
    Ok(found)
}

/// Locks, temporary files and notes that should have gone.
fn leftovers(root: &Path, wrong: &mut Vec<String>) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy();
        let in_git = entry.path().components().any(|part| part.as_os_str() == ".git");
        let temporary = [".tmp-", "tmp_", ".tasks-", ".landing-", ".new-", ".removing-"]
            .iter()
            .any(|begin| name.starts_with(begin));
        // The lock of the one writer is a file that stays; what is locked is its open handle.
        let lock = in_git && name.ends_with(".lock") && name != "mycelium.lock";
        let ours = in_git && name.starts_with("mycelium.") && name != "mycelium.lock";
        let note = ours || name.ends_with(".keep") && name.starts_with("pack-");
        if temporary || lock || note {
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            wrong.push(format!("{} is left", path.display()));
        }
    }
    Ok(())
}

fn fsck(root: &Path, wrong: &mut Vec<String>) {
    let checked = Command::new("git")
        .args(["fsck", "--full", "--strict", "--no-dangling"])
        .current_dir(root)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::null())
        .output();
    match checked {
        Ok(output) if output.status.success() && output.stdout.is_empty() => {}
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            wrong.push(format!("git fsck: {}", String::from_utf8_lossy(&said).trim().replace('\n', " | ")));
        }
        Err(error) => wrong.push(format!("git fsck does not start: {error}")),
    }
}

//! What the repository's refs and commits say. "Has moved" compares with the moment before the scenario's first command.

use std::{collections::BTreeSet, process::Command};

use cucumber::then;
use mycelium_fixtures::{
    FixtureError,
    repository::{BRANCH, COLLEAGUE},
};
use mycelium_schemas::{evidence::AssertionKind::Git, id::CommitId};

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

const REFS: &str = "git refs";

/// The integration branch points at another commit than before the first command.
#[then(expr = "the integration branch has moved")]
fn branch_moved(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (before, after) = heads(world)?;
    let claim = Claim::new(Git, "branch_moved", "the head of the integration branch", REFS);
    world.must(
        claim,
        Verdict::of(before != after, format!("not {}", text(before.as_ref())), text(after.as_ref())),
    )
}

/// The integration branch points at the same commit as before the first command.
#[then(expr = "the integration branch has not moved")]
fn never_branch_moved(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (before, after) = heads(world)?;
    let claim = Claim::new(Git, "branch_unmoved", "the head of the integration branch", REFS);
    // A branch that is gone, before or after, is no branch that has not moved.
    let held = before.is_some() && before == after;
    world.never(claim, Verdict::of(held, text(before.as_ref()), text(after.as_ref())))
}

/// What was on the integration branch before the first command, and what a colleague's script pushed since, is still in its
/// history.
#[then(expr = "the integration branch has lost no commit")]
fn never_history_lost(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (before, after) = heads(world)?;
    let pushed = world.stage()?.scripts().pushed_commits()?;
    // One that is no commit counts as lost.
    let pushed = pushed.lines().map(|line| line.parse::<CommitId>().ok());
    let had: Vec<Option<CommitId>> = std::iter::once(before).chain(pushed).collect();
    let git = world.stage()?.git()?;
    let mut lost = Vec::new();
    for commit in &had {
        let held = match (commit, &after) {
            (Some(commit), Some(after)) => git.is_ancestor(commit, after)?,
            _ => false,
        };
        if !held {
            lost.push(text(commit.as_ref()));
        }
    }
    let claim = Claim::new(Git, "history_kept", "the history of the integration branch", REFS);
    world.never(claim, Verdict::equal("", lines(lost)))
}

/// The head of the integration branch holds that file.
#[then(expr = "the integration branch holds the file {string}")]
fn file_landed(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let content = landed(world, &path)?;
    let claim = Claim::new(Git, "file_present", format!("{path} on the integration branch"), REFS);
    let found = content.map_or("no file", |_| "a file");
    world.must(claim, Verdict::equal("a file", found))
}

/// The head of the integration branch does not hold that file.
#[then(expr = "the integration branch does not hold the file {string}")]
fn never_file_landed(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let content = landed(world, &path)?;
    let claim = Claim::new(Git, "file_absent", format!("{path} on the integration branch"), REFS);
    world.never(claim, Verdict::equal("no file", content.unwrap_or_else(|| "no file".to_owned())))
}

/// That file at the head of the integration branch contains the text.
#[then(expr = "the file {string} on the integration branch contains {string}")]
fn landed_contains(world: &mut MyceliumWorld, path: String, wanted: String) -> Result<(), WorldError> {
    let content = landed(world, &path)?;
    let claim = Claim::new(Git, "file_contains", format!("{path} on the integration branch"), REFS);
    let held = content.as_ref().is_some_and(|content| content.contains(&wanted));
    world.must(claim, Verdict::of(held, wanted, content.unwrap_or_else(|| "no file".to_owned())))
}

/// That file at the head of the integration branch does not contain the text.
#[then(expr = "the file {string} on the integration branch does not contain {string}")]
fn never_landed_contains(
    world: &mut MyceliumWorld,
    path: String,
    unwanted: String,
) -> Result<(), WorldError> {
    let content = landed(world, &path)?;
    let claim = Claim::new(Git, "file_lacks", format!("{path} on the integration branch"), REFS);
    // The file must be there: what does not exist lacks everything.
    let held = content.as_ref().is_some_and(|content| !content.contains(&unwanted));
    let expected = format!("a file without {unwanted:?}");
    world.never(claim, Verdict::of(held, expected, content.unwrap_or_else(|| "no file".to_owned())))
}

/// The head of the integration branch has the same at that path, mode included, as before the first command: a file, a
/// folder or the link of a submodule.
#[then(expr = "the path {string} on the integration branch has not changed")]
fn never_path_changed(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let (before, after) = heads(world)?;
    let git = world.stage()?.git()?;
    let entry = |commit: &CommitId| git.entry_in(commit, &path);
    let before = before.as_ref().map(entry).transpose()?.flatten();
    let after = after.as_ref().map(entry).transpose()?.flatten();
    let claim = Claim::new(Git, "path_unchanged", format!("{path} on the integration branch"), REFS);
    // What was not there cannot have stayed.
    let held = before.is_some() && before == after;
    let text = |entry: Option<String>| entry.unwrap_or_else(|| "nothing".to_owned());
    world.never(claim, Verdict::of(held, text(before), text(after)))
}

/// There is no local branch of that name.
#[then(expr = "there is no branch {string}")]
fn never_branch_created(world: &mut MyceliumWorld, branch: String) -> Result<(), WorldError> {
    let found = world.last()?.after.head_of(&branch);
    let claim = Claim::new(Git, "branch_absent", format!("the branch {branch}"), REFS);
    world.never(claim, Verdict::equal("none", text(found.as_ref())))
}

/// `git fsck --strict` finds nothing wrong in the user's repository.
#[then(expr = "git finds nothing wrong in the repository")]
fn never_unsound(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    // Where nothing ran, there is nothing to find.
    world.last()?;
    let path = world.stage()?.path().to_owned();
    let output = Command::new("git")
        .args(["fsck", "--full", "--strict", "--no-progress", "--no-dangling"])
        .current_dir(&path)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .map_err(FixtureError::file("check with git", &path))?;
    let said = [output.stdout, output.stderr].concat();
    let found = String::from_utf8_lossy(&said).into_owned();
    let held = output.status.success() && found.is_empty();
    world.never(Claim::new(Git, "sound", "the repository", "git fsck"), Verdict::of(held, "", found))
}

/// No ref changed since before the first command, whatever its name.
#[then(expr = "no ref has changed")]
fn never_ref_changed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let found = all.last().map_or_else(String::new, |last| last.after.refs_text());
    let claim = Claim::new(Git, "refs_unchanged", "every ref", REFS);
    world.never(claim, Verdict::equal(first.before.refs_text(), found))
}

/// The last command changed no ref, whatever its name.
#[then(expr = "the last command has changed no ref")]
fn never_ref_changed_by_last(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let last = world.last()?;
    let claim = Claim::new(Git, "last_left_refs", "every ref", REFS);
    world.never(claim, Verdict::equal(last.before.refs_text(), last.after.refs_text()))
}

/// Every commit that Mycelium put on the integration branch is one that the log calls tested, and has a tree that the
/// doctor itself noted with `see_tree`.
#[then(expr = "no untested commit is on the integration branch")]
fn never_untested_commit(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (before, after) = heads(world)?;
    let stage = world.stage()?;
    let repository = stage.git()?;
    let seen = stage.scripts().seen_trees()?;
    let seen: BTreeSet<&str> = seen.lines().collect();
    let mut passed = BTreeSet::new();
    // A scenario may have had several runs, each with its own doctor.
    for run in world.run_folders()? {
        let journal = run.journal()?;
        let passes = journal.iter().filter(|line| line.is("landing.doctor_pass", None));
        passed.extend(passes.filter_map(|line| line.payload["commit"].as_str().map(str::to_owned)));
    }
    let commits = after.map(|after| repository.first_parents(&after, before.as_ref())).transpose()?;
    let mut untested = Vec::new();
    for commit in commits.unwrap_or_default() {
        let tree = repository.tree_of(&commit)?;
        let tested = passed.contains(commit.as_str()) && seen.contains(tree.as_str());
        if repository.author_of(&commit)? != COLLEAGUE && !tested {
            untested.push(format!("commit {commit} with tree {tree}"));
        }
    }
    let claim = Claim::new(Git, "no_untested_commit", "commits that no doctor has seen", REFS);
    world.never(claim, Verdict::equal("", lines(untested)))
}

fn heads(world: &MyceliumWorld) -> Result<(Option<CommitId>, Option<CommitId>), WorldError> {
    let (first, all) = world.commands()?;
    Ok((first.before.head_of(BRANCH), all.last().and_then(|last| last.after.head_of(BRANCH))))
}

fn landed(world: &MyceliumWorld, path: &str) -> Result<Option<String>, WorldError> {
    let (_, head) = heads(world)?;
    let head = head.ok_or(WorldError::NoBranch)?;
    let content = world.stage()?.git()?.file_in(&head, path)?;
    Ok(content.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

fn text(commit: Option<&CommitId>) -> String {
    commit.map_or_else(|| "none".to_owned(), ToString::to_string)
}

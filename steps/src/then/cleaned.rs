//! What `clean` removed, and what it did not.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use cucumber::then;
use mycelium_fixtures::FixtureError;
use mycelium_schemas::{
    answer::Cleaned,
    evidence::AssertionKind::{Fs, Git, Output},
};
use walkdir::WalkDir;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

const HOME: &str = "MYCELIUM_HOME and .mycelium";
/// Begins of the names of what a process replaces or removes.
const HALF_DONE: [&str; 3] = [".tmp-", ".tasks-", ".removing-"];

/// The last two commands answered with the same things to remove.
#[then(expr = "the dry run listed exactly what was removed")]
fn same_listing(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (_, commands) = world.commands()?;
    let mut answers = commands.iter().rev().take(2).map(|run| answer(&run.finished.stdout));
    let removed = answers.next().ok_or(WorldError::NothingRan)??;
    let listed = answers.next().ok_or(WorldError::NothingRan)??;
    let text = |cleaned: &Cleaned| {
        lines(
            cleaned.removed.iter().map(|item| format!("{:?} {} bytes {}", item.kind, item.bytes, item.path)),
        )
    };
    let held =
        listed.dry_run && !removed.dry_run && !removed.removed.is_empty() && text(&listed) == text(&removed);
    let claim = Claim::new(Output, "dry_run_true", "what a dry run lists", "stdout");
    world.must(claim, Verdict::of(held, text(&listed), text(&removed)))
}

/// Of everything that Mycelium keeps, the last command removed what it lists, all of that, and nothing else; it made
/// nothing.
#[then(expr = "nothing but what the command lists is gone")]
fn never_more(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let last = world.last()?;
    let listed: Vec<PathBuf> =
        answer(&last.finished.stdout)?.removed.into_iter().map(|item| PathBuf::from(item.path)).collect();
    let none = BTreeSet::new();
    let look = |kept: &Option<BTreeSet<PathBuf>>| kept.clone().unwrap_or_else(|| none.clone());
    let (before, after) = (look(&last.before.kept), look(&last.after.kept));
    let is_listed = |path: &&PathBuf| listed.iter().any(|item| path.starts_with(item));
    let mut flaws: Vec<String> = Vec::new();
    flaws.extend(
        before
            .difference(&after)
            .filter(|path| !is_listed(path))
            .map(|path| format!("{} is gone", path.display())),
    );
    flaws.extend(after.iter().filter(is_listed).map(|path| format!("{} is still there", path.display())));
    flaws.extend(after.difference(&before).map(|path| format!("{} is new", path.display())));
    let looked = !before.is_empty() && !listed.is_empty();
    let claim = Claim::new(Fs, "only_listed_gone", "what clean removed", HOME);
    world.never(claim, Verdict::of(looked && flaws.is_empty(), "", lines(flaws)))
}

/// The last command, beside which none ran, removed nothing of what Mycelium keeps, and there was something to remove.
/// The half of a file that a kill cut off is kept by nobody.
#[then(expr = "the last command has removed nothing")]
fn never_removed(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let last = world.last()?;
    let (held, gone) = match (&last.before.kept, &last.after.kept) {
        (Some(before), _) if before.is_empty() => (false, "nothing was kept before".to_owned()),
        (Some(before), Some(after)) => {
            let is_cut_off = |path: &&PathBuf| {
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".tmp-"))
            };
            let gone = before.difference(after).filter(|path| !is_cut_off(path));
            let gone = lines(gone.map(|path| path.display()));
            (gone.is_empty(), gone)
        }
        _ => (false, "another command ran beside it".to_owned()),
    };
    world.never(Claim::new(Fs, "nothing_gone", "what clean removed", HOME), Verdict::of(held, "", gone))
}

/// No workspace, no object database, no half written and no half removed file of a run is left, and no lock of git.
#[then(expr = "no workspace, object or lock is left")]
fn never_left(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (home, git) = (world.home(), world.stage()?.path().join(".git"));
    let mut found: Vec<PathBuf> = Vec::new();
    for path in below(&home)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let in_workspaces = path.parent().is_some_and(|parent| parent.ends_with("workspaces"));
        let half_done = HALF_DONE.iter().any(|begin| name.starts_with(begin));
        if in_workspaces || half_done || name == "objects.git" {
            found.push(path);
        }
    }
    // Mycelium's own lock is held by a process, never by its file.
    found.extend(below(&git)?.into_iter().filter(|path| {
        path.extension().is_some_and(|extension| extension == "lock") && !path.ends_with("mycelium.lock")
    }));
    let found = lines(found.iter().map(|path| path.display()));
    world.never(Claim::new(Fs, "no_leftover", "what runs left", HOME), Verdict::equal("", found))
}

/// The repository has no ref that was not there before the first command.
#[then(expr = "no ref was added")]
fn never_ref_added(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let (first, all) = world.commands()?;
    let after = all.last().map_or(&first.after.refs, |last| &last.after.refs);
    let added = lines(after.keys().filter(|name| !first.before.refs.contains_key(*name)));
    world.never(Claim::new(Git, "no_ref_added", "refs of the repository", "refs"), Verdict::equal("", added))
}

/// A foreign file in the project's folder of Mycelium's home is as it was put there.
#[then(expr = "the foreign file {string} is still there")]
fn never_foreign_gone(world: &mut MyceliumWorld, path: String) -> Result<(), WorldError> {
    let full = world.project_home()?.join(&path);
    let found = std::fs::read_to_string(&full).unwrap_or_else(|error| error.to_string());
    let claim = Claim::new(Fs, "foreign_kept", path, full.display().to_string());
    world.never(claim, Verdict::equal("a foreign file\n", found))
}

/// The folder, which is there, and every path below it.
fn below(folder: &Path) -> Result<Vec<PathBuf>, WorldError> {
    let path = |entry: walkdir::Result<walkdir::DirEntry>| match entry {
        Ok(entry) => Ok(entry.into_path()),
        Err(error) => Err(FixtureError::file("look through", folder)(error.into()).into()),
    };
    WalkDir::new(folder).into_iter().map(path).collect()
}

/// What the command said, as `--json` has it.
pub(super) fn answer(stdout: &[u8]) -> Result<Cleaned, WorldError> {
    serde_json::from_slice(stdout).map_err(|error| {
        WorldError::Argument(format!("standard output is no answer of clean ({error}); ask with --json"))
    })
}

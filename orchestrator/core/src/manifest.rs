//! The manifest gate: what an attempt changed against what it declared (design 3.3).

use std::collections::BTreeSet;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use mycelium_schemas::{
    config::{Mode, Resource},
    event::{ChangeKind, TaskRescope, Violation, ViolationKind},
    id::LockName,
    path::{RepoGlob, RepoPath},
};

use crate::limits::RESCOPES_MAX;

/// One path that an attempt changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path.
    pub path: RepoPath,
    /// What was done to it.
    pub kind: ChangeKind,
}

/// A glob that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the glob {glob:?} is not valid: {reason}")]
pub struct BadGlob {
    glob: String,
    reason: String,
}

fn compile(glob: &RepoGlob) -> Result<Glob, BadGlob> {
    // `*` stays within a folder and `**` crosses them, as in .gitignore.
    GlobBuilder::new(glob.as_str())
        .literal_separator(true)
        .build()
        .map_err(|error| BadGlob { glob: glob.as_str().to_owned(), reason: error.kind().to_string() })
}

fn compile_all<'a>(globs: impl IntoIterator<Item = &'a RepoGlob>) -> Result<GlobSet, BadGlob> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(compile(glob)?);
    }
    set.build().map_err(|error| BadGlob {
        glob: error.glob().unwrap_or_default().to_owned(),
        reason: error.kind().to_string(),
    })
}

/// What a task may change, compiled once an attempt.
#[derive(Debug)]
pub struct Scope {
    writes: GlobSet,
    foreign: Vec<(LockName, GlobSet)>,
}

impl Scope {
    /// The scope of a task that declares these globs and holds these write locks.
    pub fn new<'a>(
        writes: impl IntoIterator<Item = &'a RepoGlob>,
        write_locks: &BTreeSet<LockName>,
        resources: &[Resource],
    ) -> Result<Self, BadGlob> {
        let foreign = resources
            .iter()
            .filter(|resource| !write_locks.contains(&resource.name))
            .map(|resource| Ok((resource.name.clone(), compile_all(&resource.paths)?)))
            .collect::<Result<_, BadGlob>>()?;
        Ok(Self { writes: compile_all(writes)?, foreign })
    }

    /// Every way in which the changes break it, in order of path.
    pub fn violations(&self, changes: &[Change]) -> Vec<Violation> {
        let mut found: Vec<Violation> = changes.iter().flat_map(|change| self.judge(change)).collect();
        found.sort();
        found
    }

    fn judge(&self, change: &Change) -> Vec<Violation> {
        let violation = |kind, resource| Violation {
            path: change.path.as_str().to_owned(),
            change: change.kind,
            kind,
            resource,
        };
        if change.path.is_mycelium() {
            return vec![violation(ViolationKind::Protected, None)];
        }
        let path = change.path.as_str();
        let undeclared = !self.writes.is_match(path);
        undeclared
            .then(|| violation(ViolationKind::Undeclared, None))
            .into_iter()
            .chain(
                self.foreign
                    .iter()
                    .filter(|(_, paths)| paths.is_match(path))
                    .map(|(name, _)| violation(ViolationKind::Unlocked, Some(name.clone()))),
            )
            .collect()
    }
}

/// What follows from the violations of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compliance {
    /// Nothing, or they are only recorded: the attempt goes on.
    Goes,
    /// The manifest is widened and the attempt repeated.
    Rescope(TaskRescope),
    /// The attempt ends here and waits for a human.
    Block(BlockCause),
}

/// Why violations block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockCause {
    /// `manifest_enforcement: block`.
    Enforced,
    /// A path that no mode allows.
    Forbidden,
    /// The lock is held by another task of the batch.
    LockHeld,
    /// The manifest was widened [`RESCOPES_MAX`] times already.
    TooOften,
}

impl BlockCause {
    /// The reason as a sentence for people.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Enforced => {
                "the attempt changed paths outside its manifest, and manifest_enforcement is block"
            }
            Self::Forbidden => "the attempt changed a path that no task may change",
            Self::LockHeld => "the attempt changed a resource that another task of its batch holds",
            Self::TooOften => "the attempt left its manifest again after every allowed widening",
        }
    }
}

/// Judges the violations of an attempt. `held_by_others` says whether another task of the batch holds a resource;
/// `rescopes` counts the widenings so far.
pub fn judge(
    violations: &[Violation],
    mode: Mode,
    held_by_others: impl Fn(&LockName) -> bool,
    rescopes: u32,
) -> Compliance {
    if violations.is_empty() {
        return Compliance::Goes;
    }
    if violations.iter().any(|v| matches!(v.kind, ViolationKind::Protected | ViolationKind::Refused)) {
        return Compliance::Block(BlockCause::Forbidden);
    }
    match mode {
        Mode::Off => Compliance::Goes,
        Mode::Block => Compliance::Block(BlockCause::Enforced),
        Mode::Warn => rescope(violations, held_by_others, rescopes),
    }
}

fn rescope(
    violations: &[Violation],
    held_by_others: impl Fn(&LockName) -> bool,
    rescopes: u32,
) -> Compliance {
    let locks: BTreeSet<LockName> = violations.iter().filter_map(|v| v.resource.clone()).collect();
    if locks.iter().any(held_by_others) {
        return Compliance::Block(BlockCause::LockHeld);
    }
    if rescopes >= RESCOPES_MAX {
        return Compliance::Block(BlockCause::TooOften);
    }
    let files: BTreeSet<RepoPath> = violations
        .iter()
        .filter(|v| v.kind == ViolationKind::Undeclared)
        .filter_map(|v| v.path.parse().ok())
        .collect();
    Compliance::Rescope(TaskRescope {
        files: files.into_iter().collect(),
        locks: locks.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str) -> Change {
        Change { path: path.parse().unwrap(), kind: ChangeKind::Modified }
    }

    fn scope(writes: &[&str], held: &[&str]) -> Scope {
        let writes: Vec<RepoGlob> = writes.iter().map(|g| g.parse().unwrap()).collect();
        let held = held.iter().map(|l| l.parse().unwrap()).collect();
        let resources = vec![
            Resource { name: "db".parse().unwrap(), paths: vec!["db/**".parse().unwrap()] },
            Resource { name: "docs".parse().unwrap(), paths: vec!["docs/**".parse().unwrap()] },
        ];
        Scope::new(&writes, &held, &resources).unwrap()
    }

    fn kinds(scope: &Scope, path: &str) -> Vec<ViolationKind> {
        scope.violations(&[change(path)]).into_iter().map(|v| v.kind).collect()
    }

    const FREE: fn(&LockName) -> bool = |_| false;

    #[test]
    fn a_change_needs_a_glob_and_the_lock_of_its_resource() {
        let scope = scope(&["src/*.rs", "db/**"], &["docs"]);
        assert_eq!(kinds(&scope, "src/a.rs"), []);
        assert_eq!(kinds(&scope, "src/deep/a.rs"), [ViolationKind::Undeclared]);
        assert_eq!(kinds(&scope, "db/x.sql"), [ViolationKind::Unlocked]);
        assert_eq!(kinds(&scope, "docs/a.md"), [ViolationKind::Undeclared]);
        assert_eq!(kinds(&scope, ".mycelium/config.yaml"), [ViolationKind::Protected]);
    }

    #[test]
    fn mycelium_is_protected_even_where_a_glob_allows_it() {
        assert_eq!(
            kinds(&scope(&["**", ".mycelium/**"], &["db", "docs"]), ".mycelium/x"),
            [ViolationKind::Protected]
        );
    }

    #[test]
    fn each_mode_judges_an_undeclared_change_in_its_own_way() {
        let found = scope(&[], &[]).violations(&[change("a.txt")]);
        assert_eq!(judge(&found, Mode::Off, FREE, 0), Compliance::Goes);
        assert_eq!(judge(&found, Mode::Block, FREE, 0), Compliance::Block(BlockCause::Enforced));
        let Compliance::Rescope(rescope) = judge(&found, Mode::Warn, FREE, 0) else { panic!("no rescope") };
        assert_eq!(rescope.files, ["a.txt".parse().unwrap()]);
        assert_eq!(judge(&found, Mode::Warn, FREE, RESCOPES_MAX), Compliance::Block(BlockCause::TooOften));
    }

    #[test]
    fn a_glob_that_cannot_be_used_is_named() {
        let bad: RepoGlob = "src/[a".parse().unwrap();
        let error = Scope::new(&[bad], &BTreeSet::new(), &[]).unwrap_err().to_string();
        assert!(error.starts_with("the glob \"src/[a\" is not valid: "), "{error}");
    }

    #[test]
    fn each_cause_of_a_block_is_said_in_words_of_its_own() {
        for (cause, said) in [
            (BlockCause::Enforced, "manifest_enforcement is block"),
            (BlockCause::Forbidden, "no task may change"),
            (BlockCause::LockHeld, "another task of its batch holds"),
            (BlockCause::TooOften, "after every allowed widening"),
        ] {
            assert!(cause.sentence().ends_with(said), "{cause:?}: {}", cause.sentence());
        }
    }

    #[test]
    fn a_protected_path_blocks_in_every_mode() {
        let found = scope(&["**"], &[]).violations(&[change(".mycelium/doctor.sh")]);
        for mode in [Mode::Off, Mode::Warn, Mode::Block] {
            assert_eq!(judge(&found, mode, FREE, 0), Compliance::Block(BlockCause::Forbidden));
        }
    }

    #[test]
    fn a_manifest_is_never_widened_onto_a_lock_that_another_task_holds() {
        let found = scope(&["db/**"], &[]).violations(&[change("db/x")]);
        assert_eq!(
            judge(&found, Mode::Warn, |l| l.as_str() == "db", 0),
            Compliance::Block(BlockCause::LockHeld)
        );
        let Compliance::Rescope(rescope) = judge(&found, Mode::Warn, FREE, 0) else { panic!("no rescope") };
        assert_eq!((rescope.files.len(), rescope.locks.len()), (0, 1));
    }

    #[test]
    fn a_widened_manifest_allows_exactly_the_path() {
        let path: RepoPath = "a[1]*.txt".parse().unwrap();
        let scope = Scope::new(&[path.to_glob()], &BTreeSet::new(), &[]).unwrap();
        assert!(scope.violations(&[Change { path, kind: ChangeKind::Added }]).is_empty());
        assert_eq!(kinds(&scope, "a1x.txt"), [ViolationKind::Undeclared]);
    }
}

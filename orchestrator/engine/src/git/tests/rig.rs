//! A user's repository, a run's folder and the few verbs that the tests speak.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::Timestamp;
use mycelium_schemas::{
    event::ChangeKind,
    id::{CommitId, TaskId},
};
use tempfile::TempDir;

use crate::git::{
    Branch, Ends, Quarantine, Snapshot, Upstream, commit, setup, snapshot,
    workspace::{self},
};

pub(super) struct Rig {
    _folder: TempDir,
    pub(super) repo: PathBuf,
    pub(super) run: PathBuf,
}

/// Nothing ends the work.
pub(super) const GO_ON: Ends<'static> = &|| false;

/// Runs git as a user with an empty configuration would.
pub(super) fn git_in(dir: &Path, args: &[&str]) -> String {
    let output = git_command(dir).args(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

pub(super) fn git_command(dir: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", "/nonexistent")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        .args(["-c", "user.name=U", "-c", "user.email=u@localhost", "-c", "commit.gpgsign=false"]);
    command
}

pub(super) fn write(path: &Path, text: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub(super) fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

pub(super) fn task(id: &str) -> TaskId {
    id.parse().unwrap()
}

pub(super) fn time() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

impl Rig {
    /// A repository with the branches `main`, checked out, and `work`.
    pub(super) fn new() -> Self {
        Self::with(&[("a.txt", "a\n"), ("b.txt", "b\n"), ("dir/c.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n")])
    }

    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        setup().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let repo = folder.path().join("user repo");
        let run = folder.path().join("run");
        fs::create_dir_all(&repo).unwrap();
        fs::create_dir_all(&run).unwrap();
        git_in(&repo, &["init", "-q", "-b", "main"]);
        let rig = Self { _folder: folder, repo, run };
        rig.commit(files, "first");
        rig.git(&["branch", "work"]);
        rig
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        git_in(&self.repo, args)
    }

    /// Commits files in the user's checkout.
    pub(super) fn commit(&self, files: &[(&str, &str)], message: &str) -> CommitId {
        for (path, text) in files {
            write(&self.repo.join(path), text);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"]).trim().parse().unwrap()
    }

    pub(super) fn upstream(&self) -> Upstream {
        Upstream::discover(&self.repo).unwrap()
    }

    pub(super) fn branch(&self, name: &str) -> Branch {
        self.upstream().branch(name).unwrap()
    }

    pub(super) fn head(&self, name: &str) -> CommitId {
        self.upstream().head(&self.branch(name)).unwrap()
    }

    pub(super) fn quarantine(&self) -> Quarantine {
        Quarantine::create(&self.run, &self.upstream()).unwrap()
    }

    /// A workspace at the commit.
    pub(super) fn workspace(&self, name: &str, base: &CommitId) -> PathBuf {
        let dir = self.run.join(name);
        workspace::create(&dir, base, &self.upstream().objects_dir(), workspace::Reach::Shared, GO_ON)
            .unwrap();
        dir
    }

    pub(super) fn snapshot(&self, dir: &Path, base: &CommitId) -> Snapshot {
        snapshot(dir, base, &self.quarantine(), GO_ON).unwrap()
    }

    /// What a task does: a workspace at `base`, changed by `edit`, as a commit in the quarantine.
    pub(super) fn task(&self, name: &str, base: &CommitId, edit: impl FnOnce(&Path)) -> CommitId {
        let dir = self.workspace(name, base);
        edit(&dir);
        let shot = self.snapshot(&dir, base);
        assert_eq!(shot.refused, []);
        commit(&self.quarantine(), &shot.tree, std::slice::from_ref(base), name, time()).unwrap()
    }

    /// Every file below the user's git folder, with its content: equal before and after means untouched.
    pub(super) fn git_dir_content(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        collect(&self.repo.join(".git"), &mut found);
        found.sort();
        found
    }

    pub(super) fn fsck(&self) {
        self.git(&["fsck", "--full", "--strict", "--no-dangling"]);
        assert_eq!(self.git(&["fsck", "--full", "--strict", "--unreachable", "--no-reflogs"]), "");
    }
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push((path.clone(), fs::read(&path).unwrap()));
        }
    }
}

/// The changes as short text, for comparison.
pub(super) fn changes(shot: &Snapshot) -> Vec<String> {
    let letter = |kind| match kind {
        ChangeKind::Added => 'A',
        ChangeKind::Modified => 'M',
        ChangeKind::Deleted => 'D',
        ChangeKind::ModeChanged => 'T',
    };
    shot.changes.iter().map(|change| format!("{} {}", letter(change.kind), change.path)).collect()
}

/// The refused paths.
pub(super) fn refused(shot: &Snapshot) -> Vec<&str> {
    shot.refused.iter().map(|refused| refused.path.as_str()).collect()
}

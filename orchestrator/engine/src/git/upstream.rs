//! The user's repository: where it is, its branches, what is checked out. Reads only; landing and the fast-forward
//! of the checkout are the two writers, in files of their own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use git2::{BranchType, Repository, RepositoryOpenFlags};
use mycelium_schemas::id::CommitId;

use super::{
    ancestry,
    error::GitError,
    oid::{commit_tree, to_id, to_oid},
    setup::setup,
    tree::flatten,
};

/// How unlike a name may be to be suggested (Jaro-Winkler, 1 is equal).
const SIMILARITY_MIN: f64 = 0.75;

/// The user's repository, seen from one of its working trees. Holds paths alone, so that threads can share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    worktree: PathBuf,
    git_dir: PathBuf,
    common_dir: PathBuf,
}

/// A local branch that exists and points at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    name: String,
}

impl Branch {
    /// The short name, such as `main`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The full name, such as `refs/heads/main`.
    pub fn refname(&self) -> String {
        format!("refs/heads/{}", self.name)
    }
}

/// Where a branch is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckedOut {
    /// Nowhere.
    No,
    /// In the working tree that Mycelium was started for.
    Here,
    /// In another working tree of the repository.
    Elsewhere(PathBuf),
}

impl Upstream {
    /// The repository that holds `path`: the nearest one upward.
    pub fn discover(path: &Path) -> Result<Self, GitError> {
        setup()?;
        // Opened from where the search ends: a git folder that is opened by itself takes its parent for the working
        // tree, also where it is kept apart from it and only a file leads there.
        let repo = Repository::open_ext(path, RepositoryOpenFlags::CROSS_FS, &[] as &[&Path])
            .map_err(|source| GitError::open(path.to_owned(), source))?;
        let Some(worktree) = repo.workdir() else {
            return Err(GitError::Bare { path: repo.path().to_owned() });
        };
        let canonical =
            |path: &Path| path.canonicalize().map_err(GitError::io("find the git folder", path.to_owned()));
        Ok(Self {
            worktree: canonical(worktree)?,
            git_dir: canonical(repo.path())?,
            common_dir: canonical(repo.commondir())?,
        })
    }

    /// Root of the working tree.
    pub fn worktree(&self) -> &Path {
        &self.worktree
    }

    /// The folder that all working trees of the repository share; the landing lock lives there.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// The repository's object database.
    pub fn objects_dir(&self) -> PathBuf {
        self.common_dir.join("objects")
    }

    /// The git folder of this working tree: its HEAD and index.
    pub(super) fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    pub(super) fn open(&self) -> Result<Repository, GitError> {
        setup()?;
        let failed = |source| GitError::open(self.worktree.clone(), source);
        let repo = Repository::open(&self.git_dir).map_err(failed)?;
        repo.set_workdir(&self.worktree, false).map_err(failed)?;
        Ok(repo)
    }

    /// Short name of the branch that HEAD names, even without a commit; none where HEAD is detached.
    pub fn current_branch(&self) -> Result<Option<String>, GitError> {
        let head = read_first_line(&self.git_dir.join("HEAD"))?;
        Ok(head.as_deref().and_then(|line| line.strip_prefix("ref: refs/heads/")).map(str::to_owned))
    }

    /// The local branch of that name. Never creates one.
    pub fn branch(&self, name: &str) -> Result<Branch, GitError> {
        let repo = self.open()?;
        let branch = Branch { name: name.to_owned() };
        let missing = |repo: &Repository| {
            Ok(GitError::BranchMissing { branch: name.to_owned(), nearest: nearest(repo, name)? })
        };
        if !git2::Reference::is_valid_name(&branch.refname()) {
            return Err(missing(&repo)?);
        }
        let found = match repo.find_reference(&branch.refname()) {
            Ok(found) => found,
            Err(error) if error.code() == git2::ErrorCode::NotFound => {
                let unborn = self.current_branch()?.as_deref() == Some(name);
                return Err(if unborn {
                    GitError::Unborn { branch: name.to_owned() }
                } else {
                    missing(&repo)?
                });
            }
            Err(error) => return Err(GitError::git(format!("read the branch {name:?}"))(error)),
        };
        if let Some(target) = found.symbolic_target_bytes() {
            let target = String::from_utf8_lossy(target).into_owned();
            return Err(GitError::BranchSymbolic { branch: name.to_owned(), target });
        }
        found.peel_to_commit().map_err(GitError::git(format!("read the commit of {name:?}")))?;
        Ok(branch)
    }

    /// The commit that the branch points at; none where somebody deleted it or made it symbolic.
    pub fn find_head(&self, branch: &Branch) -> Result<Option<CommitId>, GitError> {
        read_ref(&self.open()?, &branch.refname())
    }

    /// The commit that the branch points at.
    pub fn head(&self, branch: &Branch) -> Result<CommitId, GitError> {
        let head = self.find_head(branch)?;
        head.ok_or_else(|| GitError::BranchMissing { branch: branch.name.clone(), nearest: None })
    }

    /// The paths of every file of a commit, in order; what is no UTF-8 is shown as far as it goes.
    pub fn files(&self, commit: &CommitId) -> Result<Vec<String>, GitError> {
        let repo = self.open()?;
        let files = flatten(&repo, &commit_tree(&repo, commit)?)?;
        Ok(files.keys().map(|path| String::from_utf8_lossy(path).into_owned()).collect())
    }

    /// The tree of a commit.
    pub fn tree_of(&self, commit: &CommitId) -> Result<CommitId, GitError> {
        to_id(commit_tree(&self.open()?, commit)?.id())
    }

    /// True where `ancestor` is `tip` or in its history.
    pub fn is_ancestor(&self, ancestor: &CommitId, tip: &CommitId) -> Result<bool, GitError> {
        ancestry::is_ancestor(&self.open()?, to_oid(ancestor)?, to_oid(tip)?)
    }

    /// Those of the commits that are neither `tip` nor in its history.
    pub fn outside(&self, commits: &[CommitId], tip: &CommitId) -> Result<Vec<CommitId>, GitError> {
        let ids = commits.iter().map(to_oid).collect::<Result<Vec<_>, _>>()?;
        ancestry::outside(&self.open()?, &ids, to_oid(tip)?)?.into_iter().map(to_id).collect()
    }

    /// Where the branch is checked out now. A rebase or bisect that began on it counts: git restores the branch when
    /// it ends.
    pub fn checked_out(&self, branch: &Branch) -> Result<CheckedOut, GitError> {
        for (worktree, git_dir) in self.worktrees()? {
            if holds(&git_dir, branch)? {
                let here = git_dir == self.git_dir;
                return Ok(if here { CheckedOut::Here } else { CheckedOut::Elsewhere(worktree) });
            }
        }
        Ok(CheckedOut::No)
    }

    /// Refuses a branch that another working tree has checked out: landing would change it under its user.
    pub fn refuse_elsewhere(&self, branch: &Branch) -> Result<(), GitError> {
        match self.checked_out(branch)? {
            CheckedOut::No | CheckedOut::Here => Ok(()),
            CheckedOut::Elsewhere(worktree) => {
                Err(GitError::BranchElsewhere { branch: branch.name.clone(), worktree })
            }
        }
    }

    /// Refuses a checkout that is on the branch by another name: git shows it under that name and would not follow.
    pub fn refuse_alias(&self, branch: &Branch) -> Result<(), GitError> {
        let repo = self.open()?;
        let resolved = repo.head().ok().and_then(|head| head.name().ok().map(str::to_owned));
        let by_alias = resolved.as_deref() == Some(&branch.refname())
            && self.current_branch()?.is_some_and(|name| name != branch.name);
        if by_alias {
            return Err(GitError::Unsupported {
                path: self.worktree.clone(),
                reason: format!(
                    "HEAD is on an alias of the branch {}; check out the branch itself",
                    branch.name
                ),
            });
        }
        Ok(())
    }

    /// Every working tree that exists, with its git folder; this one first.
    fn worktrees(&self) -> Result<Vec<(PathBuf, PathBuf)>, GitError> {
        let mut found = vec![(self.worktree.clone(), self.git_dir.clone())];
        if self.git_dir != self.common_dir {
            let main = Repository::open(&self.common_dir)
                .map_err(|source| GitError::open(self.common_dir.clone(), source))?;
            if let Some(worktree) = main.workdir() {
                found.push((worktree.to_owned(), self.common_dir.clone()));
            }
        }
        let linked = self.common_dir.join("worktrees");
        let entries = match fs::read_dir(&linked) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            Err(error) => return Err(GitError::io("list", linked)(error)),
        };
        for entry in entries {
            let git_dir = entry.map_err(GitError::io("list", &linked))?.path();
            let Some(line) = read_first_line(&git_dir.join("gitdir"))? else { continue };
            let dot_git = git_dir.join(line);
            // A working tree whose folder was removed has nothing to protect.
            if let (true, Some(worktree)) = (dot_git.exists() && git_dir != self.git_dir, dot_git.parent()) {
                found.push((worktree.to_owned(), git_dir));
            }
        }
        Ok(found)
    }
}

/// The commit a direct ref points at.
pub(super) fn read_ref(repo: &Repository, refname: &str) -> Result<Option<CommitId>, GitError> {
    match repo.find_reference(refname) {
        Ok(found) => found.target().map(to_id).transpose(),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(GitError::git(format!("read {refname}"))(error)),
    }
}

fn holds(git_dir: &Path, branch: &Branch) -> Result<bool, GitError> {
    let refname = branch.refname();
    let places = [
        ("HEAD", format!("ref: {refname}")),
        ("rebase-merge/head-name", refname.clone()),
        ("rebase-apply/head-name", refname),
        ("BISECT_START", branch.name.clone()),
    ];
    for (file, expected) in places {
        if read_first_line(&git_dir.join(file))?.as_deref() == Some(expected.as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn read_first_line(path: &Path) -> Result<Option<String>, GitError> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).lines().next().map(|line| line.trim().to_owned())),
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(GitError::io("read", path)(error)),
    }
}

fn nearest(repo: &Repository, name: &str) -> Result<Option<String>, GitError> {
    let name = name.strip_prefix("refs/heads/").unwrap_or(name);
    let branches = repo.branches(Some(BranchType::Local)).map_err(GitError::git("list the branches"))?;
    let mut best: Option<(f64, String)> = None;
    for branch in branches {
        let (branch, _) = branch.map_err(GitError::git("list the branches"))?;
        let Ok(Some(found)) = branch.name() else { continue };
        let score = strsim::jaro_winkler(name, found);
        if score >= SIMILARITY_MIN && best.as_ref().is_none_or(|(other, _)| score > *other) {
            best = Some((score, found.to_owned()));
        }
    }
    Ok(best.map(|(_, found)| found))
}

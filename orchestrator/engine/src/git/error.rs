//! What can go wrong with git: whose fault it is, and what to do next.

use std::{io, path::PathBuf};

use git2::{ErrorClass, ErrorCode};

use crate::advice;

/// Who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The repository, the branch or the path that was named cannot be used (exit code 2).
    Input,
    /// Disk, permission, another process: the same call may succeed later (exit code 4).
    Environment,
}

/// A failure of a git operation.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No git repository at the path or above it.
    #[error("{} is not inside a git repository", path.display())]
    NotARepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// The repository has no working tree.
    #[error("the git repository {} is bare", path.display())]
    Bare {
        /// Its git folder.
        path: PathBuf,
    },
    /// The repository's format, owner or path cannot be worked with.
    #[error("the git repository {} cannot be used: {reason}", path.display())]
    Unsupported {
        /// The repository.
        path: PathBuf,
        /// Why, with what to do about it.
        reason: String,
    },
    /// The branch has no commit yet.
    #[error("the branch {branch:?} has no commit yet")]
    Unborn {
        /// Its short name.
        branch: String,
    },
    /// There is no local branch of that name.
    #[error("there is no local branch {branch:?}{}", did_you_mean(nearest.as_deref()))]
    BranchMissing {
        /// The name that was asked for.
        branch: String,
        /// The local branch with the most similar name.
        nearest: Option<String>,
    },
    /// The branch is another name of another ref.
    #[error("the branch {branch:?} is a symbolic ref to {target:?}")]
    BranchSymbolic {
        /// The name that was asked for.
        branch: String,
        /// What it stands for.
        target: String,
    },
    /// Another working tree has the branch checked out, and would be changed under its user.
    #[error("the branch {branch:?} is checked out in another working tree, {}", worktree.display())]
    BranchElsewhere {
        /// The branch.
        branch: String,
        /// The other working tree.
        worktree: PathBuf,
    },
    /// A tree holds a name that could escape the folder it is written to.
    #[error("the tree holds the path {path:?}, which {why}")]
    UnsafeTree {
        /// The path as printable text.
        path: String,
        /// Why it is unsafe.
        why: String,
    },
    /// A workspace is no longer a folder.
    #[error("the workspace {} is gone or no longer a folder", path.display())]
    WorkspaceGone {
        /// Where it should be.
        path: PathBuf,
    },
    /// Another process holds a lock file.
    #[error("{} is held by another git process", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The run was stopped before the work was done.
    #[error("the work was stopped before it was done")]
    Stopped,
    /// An operation of the file system failed.
    #[error("failed to {action} {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// libgit2 failed.
    #[error("failed to {action}")]
    Git {
        /// What was tried.
        action: String,
        /// libgit2's answer.
        #[source]
        source: git2::Error,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

impl GitError {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotARepository { .. }
            | Self::Bare { .. }
            | Self::Unsupported { .. }
            | Self::Unborn { .. }
            | Self::BranchMissing { .. }
            | Self::BranchSymbolic { .. }
            | Self::BranchElsewhere { .. }
            | Self::UnsafeTree { .. } => ErrorKind::Input,
            Self::WorkspaceGone { .. }
            | Self::Locked { .. }
            | Self::Stopped
            | Self::Io { .. }
            | Self::Git { .. } => ErrorKind::Environment,
        }
    }

    /// What to do next, as one sentence.
    pub fn help(&self) -> String {
        match self {
            Self::NotARepository { .. } => {
                "run it inside a git repository, or name one with --repo".to_owned()
            }
            Self::Bare { .. } => "run it in a clone or a working tree of this repository".to_owned(),
            Self::Unsupported { .. } => {
                "change what the reason names, or use another clone of the repository".to_owned()
            }
            Self::Unborn { .. } => "make a first commit on it".to_owned(),
            Self::BranchMissing { branch, nearest } => match nearest {
                Some(name) => format!("set `integration_branch: {name}`, or create it: git branch {branch}"),
                None => format!("create it: git branch {branch}"),
            },
            Self::BranchSymbolic { target, .. } => {
                let name = target.strip_prefix("refs/heads/").unwrap_or(target);
                format!("set `integration_branch: {name}`")
            }
            Self::BranchElsewhere { worktree, .. } => {
                format!("run it in {}, or check out another branch there", worktree.display())
            }
            Self::UnsafeTree { .. } => {
                "remove that path from the branch; git would refuse to check it out too".to_owned()
            }
            Self::WorkspaceGone { .. } => "retry the task; it gets a fresh workspace".to_owned(),
            Self::Locked { path } => format!(
                "wait until that process is done and try again; remove {} only where no git runs any more",
                path.display()
            ),
            Self::Stopped => "go on with `mycelium resume`".to_owned(),
            Self::Io { path, source, .. } => advice::io(path, source),
            Self::Git { source, .. } if source.class() == ErrorClass::Os => {
                advice::text(source.message()).to_owned()
            }
            Self::Git { .. } => "check the repository with `git fsck --full`, then resume".to_owned(),
        }
    }

    /// Wraps an answer of the file system.
    pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Wraps an answer of libgit2.
    pub(super) fn git(action: impl Into<String>) -> impl FnOnce(git2::Error) -> Self {
        let action = action.into();
        move |source| Self::Git { action, source }
    }

    /// Explains why a repository could not be opened.
    pub(super) fn open(path: PathBuf, source: git2::Error) -> Self {
        let message = source.message().to_owned();
        let format = ["extension", "object format", "repository format", "repository version"];
        if source.code() == ErrorCode::NotFound {
            Self::NotARepository { path }
        } else if source.code() == ErrorCode::Owner {
            let reason = "it belongs to another user; run as its owner".to_owned();
            Self::Unsupported { path, reason }
        } else if format.iter().any(|word| message.contains(word)) {
            let reason = format!("{message}; a plain SHA-1 repository with file refs is needed");
            Self::Unsupported { path, reason }
        } else {
            Self::Git { action: format!("open the git repository {}", path.display()), source }
        }
    }
}

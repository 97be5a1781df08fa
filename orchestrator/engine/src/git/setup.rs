//! Process-wide settings of libgit2, made once before anything else of git is used.
//!
//! The only `unsafe` of the workspace: libgit2 keeps these settings in globals and git2 has no safe way to them.

use std::{ffi::c_int, sync::OnceLock};

use git2::{ConfigLevel, ErrorClass, ErrorCode};

use super::error::GitError;

type Failure = (ErrorCode, ErrorClass, String);

static DONE: OnceLock<Result<(), Failure>> = OnceLock::new();

/// Makes git safe for this process; a second call does nothing.
///
/// * Everything below a git folder is fsynced: by default neither git nor libgit2 syncs refs, so that a power cut
///   can leave the branch pointing at an empty object.
/// * No system, global, XDG or program-data configuration and attributes are read: what somebody keeps in
///   `~/.gitconfig` decides no outcome, but that a run may be refused for a filter ([`super::filtered`]). In
///   particular `core.autocrlf` and `safe.directory` from there are not seen.
///
/// The program calls it first thing in `main`; every entry point of this module calls it too.
pub fn setup() -> Result<(), GitError> {
    DONE.get_or_init(configure).clone().map_err(|(code, class, message)| GitError::Git {
        action: "set up libgit2".to_owned(),
        source: git2::Error::new(code, class, message),
    })
}

fn configure() -> Result<(), Failure> {
    let failure = |error: git2::Error| (error.code(), error.class(), error.message().to_owned());
    for level in [ConfigLevel::ProgramData, ConfigLevel::System, ConfigLevel::XDG, ConfigLevel::Global] {
        search_nowhere(level).map_err(failure)?;
    }
    if enable_fsync() < 0 {
        return Err(failure(git2::Error::last_error(-1)));
    }
    Ok(())
}

#[expect(unsafe_code, reason = "libgit2 keeps its search paths in globals; git2 marks their setter unsafe")]
fn search_nowhere(level: ConfigLevel) -> Result<(), git2::Error> {
    // SAFETY: the setter is unsafe because it is not synchronised with readers of the same global. It runs inside
    // `DONE.get_or_init`, and every entry point of this module passes through `setup` before it opens a repository,
    // so no other thread can read the search paths meanwhile.
    unsafe { git2::opts::set_search_path(level, "") }
}

#[expect(unsafe_code, reason = "git2 has no wrapper for GIT_OPT_ENABLE_FSYNC_GITDIR")]
fn enable_fsync() -> c_int {
    libgit2_sys::init();
    // SAFETY: libgit2 is initialised; this option takes exactly one `int` and stores it in a global flag. The same
    // argument about other threads holds as in `search_nowhere`.
    unsafe {
        libgit2_sys::git_libgit2_opts(libgit2_sys::GIT_OPT_ENABLE_FSYNC_GITDIR.cast_signed(), 1 as c_int)
    }
}

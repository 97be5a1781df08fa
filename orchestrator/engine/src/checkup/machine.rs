//! What the machine gives: a home to write in, space, programs.

use std::{ffi::OsStr, path::Path};

use mycelium_schemas::answer::CheckArea::Environment as Machine;
use rustix::fs::{Access, access, statvfs};

use super::Checks;
use crate::{environment::Environment, project::Project};

/// Less space than this and a run is not worth beginning.
const SPACE_FAIL: u64 = 64 << 20;
/// Less space than this and a run may end in the middle.
const SPACE_WARN: u64 = 1 << 30;
const MIB: u64 = 1 << 20;
/// Fewer free files than this and a run may end in the middle.
const FILES_WARN: u64 = 10_000;

/// Home and its disk.
pub(super) fn check(checks: &mut Checks, project: &Project, environment: &Environment) {
    if let Err(error) = environment.now() {
        checks.error("variables", &error.into());
    }
    let home = &project.home;
    let Some(there) = home.ancestors().find(|path| path.symlink_metadata().is_ok()) else { return };
    let shown = home.display();
    if !there.is_dir() {
        let message = format!("{} is not a folder, so that {shown} cannot be used", there.display());
        return checks.fail("home", Machine, message, "set MYCELIUM_HOME to a folder");
    }
    match access(there, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => checks.ok("home", Machine, shown.to_string()),
        Err(error) => checks.fail(
            "home",
            Machine,
            format!("{} cannot be written: {}", there.display(), std::io::Error::from(error)),
            "correct its permissions, or set MYCELIUM_HOME to another folder",
        ),
    }
    space(checks, there);
}

fn space(checks: &mut Checks, folder: &Path) {
    let found = match statvfs(folder) {
        Ok(found) => found,
        Err(error) => {
            let message =
                format!("the space at {} is not known: {}", folder.display(), std::io::Error::from(error));
            return checks.warn("disk space", Machine, message, "look with `df`");
        }
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let message = format!("{} MiB free at {}", free / MIB, folder.display());
    // A file system without a fixed number of files says 0 of 0.
    let few_files = found.f_files > 0 && found.f_favail < FILES_WARN;
    let mend = "make space with `mycelium clean`, or set MYCELIUM_HOME to another disk";
    match free {
        0..SPACE_FAIL => checks.fail("disk space", Machine, message, mend),
        SPACE_FAIL..SPACE_WARN => checks.warn("disk space", Machine, message, mend),
        _ if few_files => {
            checks.warn("disk space", Machine, format!("{message}, but only {} files", found.f_favail), mend);
        }
        _ => checks.ok("disk space", Machine, message),
    }
}

/// Programs that every run needs, and one that agents expect.
pub(super) fn check_programs(checks: &mut Checks, environment: &Environment) {
    check_program(checks, "shell", "sh".as_ref(), environment);
    match environment.find_program("git".as_ref()) {
        Some(path) => checks.ok("git", Machine, path.display().to_string()),
        None => checks.warn(
            "git",
            Machine,
            "there is no program git on the PATH; Mycelium needs none, agents may",
            "install git",
        ),
    }
}

/// A program that must be there.
pub(super) fn check_program(checks: &mut Checks, name: &str, program: &OsStr, environment: &Environment) {
    match environment.find_program(program) {
        Some(path) => checks.ok(name, Machine, path.display().to_string()),
        None => checks.fail(
            name,
            Machine,
            format!("there is no program {} to start", program.display()),
            "install it, or correct its name or the PATH",
        ),
    }
}

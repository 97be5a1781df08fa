//! What is brought along into a container before its command begins: the files that it is told of, a script, or this
//! very program with the libraries that it needs.

use std::{collections::BTreeSet, fs, path::Path};

use super::error::EngineError;
use crate::job::{Job, Program};

/// The loader of programs, under its name in the bundle.
pub(super) const LOADER: &str = "loader";

/// A tape archive of everything, to be unpacked at the root; none where nothing is brought.
pub(super) fn pack(job: &Job) -> Result<Option<Vec<u8>>, EngineError> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut any = false;
    for (name, path) in &job.files {
        add(&mut archive, name, path, 0o444)?;
        any = true;
    }
    if let Program::Script(script) = &job.program {
        add(&mut archive, "script", script, 0o555)?;
        any = true;
    }
    if let Some(program) = own_program(job) {
        add(&mut archive, "program", program, 0o555)?;
        for (name, path) in libraries()? {
            add(&mut archive, &name, Path::new(&path), 0o555)?;
            for alias in shorter_names(&name) {
                link(&mut archive, alias, &name)?;
            }
        }
        any = true;
    }
    let archive = archive.into_inner().map_err(failed("the archive"))?;
    Ok(any.then_some(archive))
}

/// Where this very program lies, if the command is one of its own, or it is the command's relay.
fn own_program(job: &Job) -> Option<&Path> {
    match (&job.program, &job.relay) {
        (Program::Own { path, .. }, _) => Some(path),
        (_, relay) => relay.as_ref().map(|relay| relay.program.as_path()),
    }
}

fn add(archive: &mut tar::Builder<Vec<u8>>, name: &str, path: &Path, mode: u32) -> Result<(), EngineError> {
    let bytes = fs::read(path).map_err(failed(&path.display().to_string()))?;
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(bytes.len() as u64);
    archive
        .append_data(&mut header, inside(name), bytes.as_slice())
        .map_err(failed(&path.display().to_string()))
}

fn link(archive: &mut tar::Builder<Vec<u8>>, name: &str, to: &str) -> Result<(), EngineError> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_mode(0o777);
    header.set_size(0);
    archive.append_link(&mut header, inside(name), to).map_err(failed(name))
}

/// A name in the archive.
fn inside(name: &str) -> String {
    format!("{}/{name}", super::recipe::BROUGHT.trim_start_matches('/'))
}

/// `libz.so.1.2` and `libz.so.1` of `libz.so.1.2.13`: a program asks for one of them.
fn shorter_names(name: &str) -> impl Iterator<Item = &str> {
    let end = name.find(".so.").map_or(name.len(), |at| at + ".so.".len());
    name.match_indices('.').map(|(at, _)| at).filter(move |at| *at > end).map(|at| &name[..at])
}

fn failed(path: &str) -> impl FnOnce(std::io::Error) -> EngineError {
    let path = path.to_owned();
    |source| EngineError::Bundle { path, source }
}

/// Whether this program needs a loader.
pub(super) fn is_loaded() -> Result<bool, EngineError> {
    Ok(libraries()?.iter().any(|(name, _)| name == LOADER))
}

/// The libraries that this process was loaded with, by the names that its program asks for; the loader by ours.
fn libraries() -> Result<Vec<(String, String)>, EngineError> {
    let maps = fs::read_to_string("/proc/self/maps").map_err(failed("/proc/self/maps"))?;
    let mapped: BTreeSet<&str> =
        maps.lines().filter_map(|line| line.split_once('/')).map(|(_, path)| path).collect();
    let libraries = mapped.into_iter().filter_map(|path| {
        let name = path.rsplit('/').next().filter(|name| name.contains(".so"))?;
        let is_loader = name.starts_with("ld-") || name.starts_with("ld.");
        Some((if is_loader { LOADER.to_owned() } else { name.to_owned() }, format!("/{path}")))
    });
    Ok(libraries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_goes_by_each_name_that_a_program_may_ask_for() {
        let names = |name| shorter_names(name).collect::<Vec<_>>();
        assert_eq!(names("libz.so.1.2.13"), ["libz.so.1", "libz.so.1.2"]);
        assert_eq!(names("libc.so.6"), [""; 0]);
        assert_eq!(names(LOADER), [""; 0]);
    }

    #[test]
    fn this_program_is_loaded_and_its_loader_is_brought() {
        assert_eq!(is_loaded().unwrap(), cfg!(not(target_feature = "crt-static")));
    }
}

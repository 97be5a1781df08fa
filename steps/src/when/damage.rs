//! Files of a run as no program of ours leaves them: by a broken disk, by a hand, or by a version to come.

use std::{fs, path::Path};

use cucumber::when;
use mycelium_fixtures::FixtureError;
use rustix::fs::{Mode, mkfifoat};
use serde_json::Value;

use crate::world::{Damage, MyceliumWorld, RaggedEnd, WorldError};

/// The version of a format that nobody has made yet.
const NEWER: u32 = 999;
/// What a power cut may leave behind the end of a file.
const NULS: usize = 4096;

/// A file of the run's folder is something else altogether.
#[when(expr = "the run file {string} is now {damage}")]
fn is_now(world: &mut MyceliumWorld, path: String, damage: Damage) -> Result<(), WorldError> {
    let path = world.run_folder()?.path().join(path);
    let content = match damage {
        Damage::Empty => Vec::new(),
        Damage::Garbage => b"\xde\xad\xbe\xef is not what it was\n".to_vec(),
        Damage::Array => b"[1, 2, 3]\n".to_vec(),
        Damage::Nuls => vec![0; NULS],
        Damage::Newer => newer(&path)?,
        Damage::Folder | Damage::Pipe | Damage::Missing => return replace(&path, damage),
    };
    world.damage(path, content)
}

/// A file of the run's folder holds something behind what was written to it.
#[when(expr = "the run file {string} ends in {raggedEnd}")]
fn ends_in(world: &mut MyceliumWorld, path: String, end: RaggedEnd) -> Result<(), WorldError> {
    let path = world.run_folder()?.path().join(path);
    let mut bytes = fs::read(&path).map_err(FixtureError::file("read", &path))?;
    bytes.extend(match end {
        RaggedEnd::Nuls => vec![0; NULS],
        // The first two bytes of three.
        RaggedEnd::HalfCharacter => b"{\"v\":1,\"ts\":\"\xe2\x82".to_vec(),
        RaggedEnd::Garbage => b"\xde\xad\xbe\xef\n".to_vec(),
    });
    world.damage(path, bytes)
}

/// A line in the middle of the journal is garbage; whole ones follow it.
#[when(expr = "a line in the middle of the journal is garbage")]
fn hole(world: &mut MyceliumWorld) -> Result<(), WorldError> {
    let path = world.run_folder()?.path().join("orchestrator.jsonl");
    let bytes = fs::read(&path).map_err(FixtureError::file("read", &path))?;
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let middle = lines.len() / 2;
    if let Some(line) = lines.get_mut(middle) {
        *line = b"{\"v\": garbage}\n";
    }
    let damaged = lines.concat();
    world.damage(path, damaged)
}

fn replace(path: &Path, damage: Damage) -> Result<(), WorldError> {
    let removed = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
    removed.map_err(FixtureError::file("remove", path))?;
    match damage {
        Damage::Folder => fs::create_dir(path).map_err(FixtureError::file("make the folder", path))?,
        Damage::Pipe => mkfifoat(rustix::fs::CWD, path, Mode::RWXU)
            .map_err(|errno| FixtureError::file("make the pipe", path)(errno.into()))?,
        _ => {}
    }
    Ok(())
}

/// The same content, said to be of a version to come: the document, or the last line.
fn newer(path: &Path) -> Result<Vec<u8>, WorldError> {
    let text = fs::read_to_string(path).map_err(FixtureError::file("read", path))?;
    let (kept, last) = match path.extension() {
        Some(extension) if extension == "jsonl" => {
            let whole = text.trim_end();
            whole.split_at(whole.rfind('\n').map_or(0, |end| end + 1))
        }
        _ => ("", text.as_str()),
    };
    let invalid = |e: serde_json::Error| WorldError::Artifact { path: path.to_owned(), why: e.to_string() };
    let mut document: Value = serde_json::from_str(last).map_err(invalid)?;
    let field = if kept.is_empty() { "schema_version" } else { "v" };
    document[field] = NEWER.into();
    document["of_a_version_to_come"] = "kept".into();
    Ok(format!("{kept}{document}\n").into_bytes())
}

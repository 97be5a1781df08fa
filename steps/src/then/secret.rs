//! Where a secret must not stand. The encodings are made here by hand: what is looked for must not depend on what the
//! program looks for.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use cucumber::then;
use git2::Odb;
use mycelium_fixtures::FixtureError;
use mycelium_schemas::evidence::AssertionKind::{Fs, Git, Output};
use walkdir::WalkDir;

use crate::world::{Claim, MyceliumWorld, Verdict, WorldError, lines};

/// No file of the run's folder holds the text: as it is, in base64 at any offset, percent-encoded or as JSON.
#[then(expr = "the run folder does not hold the secret {string} in any encoding")]
fn never_kept(world: &mut MyceliumWorld, secret: String) -> Result<(), WorldError> {
    let mut files = Vec::new();
    collect(world.run_folder()?.path(), &mut files)?;
    let found = lines(files.iter().filter_map(|(path, content)| {
        encoding_in(&secret, content).map(|encoding| format!("{path} holds {encoding}"))
    }));
    let verdict = Verdict::of(!files.is_empty() && found.is_empty(), "", found);
    world.never(Claim::new(Fs, "secret_absent", "the files of the run's folder", "run folder"), verdict)
}

/// No command of the scenario has said the text, on neither stream and in no encoding.
#[then(expr = "no command says the secret {string} in any encoding")]
fn never_said(world: &mut MyceliumWorld, secret: String) -> Result<(), WorldError> {
    let (_, commands) = world.commands()?;
    let said = commands.iter().flat_map(|run| {
        [("standard output", &run.finished.stdout), ("standard error", &run.finished.stderr)]
            .map(|(stream, said)| (&run.line, stream, said))
    });
    let found = lines(said.filter_map(|(line, stream, said)| {
        encoding_in(&secret, said).map(|encoding| format!("`{line}` says {encoding} on {stream}"))
    }));
    world.never(
        Claim::new(Output, "secret_absent", "what the commands said", "stdout and stderr"),
        Verdict::equal("", found),
    )
}

/// No file of the scenario's whole folder holds the text in any encoding: repository, homes, workspaces, the agents' own
/// folders and everything else.
#[then(expr = "no file of this place holds the secret {string} in any encoding")]
fn never_in_place(world: &mut MyceliumWorld, secret: String) -> Result<(), WorldError> {
    // Where nothing ran, there is nothing to find.
    world.last()?;
    let mut files = Vec::new();
    collect(world.sandbox().root(), &mut files)?;
    let found = lines(files.iter().filter_map(|(path, content)| {
        encoding_in(&secret, content).map(|encoding| format!("{path} holds {encoding}"))
    }));
    let verdict = Verdict::of(!files.is_empty() && found.is_empty(), "", found);
    world.never(Claim::new(Fs, "key_absent", "all files of the scenario", "the scenario's folder"), verdict)
}

/// No object of any git folder of the scenario, packed or not, holds the text in any encoding: of the repository, of what
/// was not landed, of the workspaces.
#[then(expr = "no object of any git folder holds the secret {string} in any encoding")]
fn never_in_objects(world: &mut MyceliumWorld, secret: String) -> Result<(), WorldError> {
    // Where nothing ran, there is nothing to find.
    world.last()?;
    let (mut looked_at, mut found) = (0_u32, Vec::new());
    for entry in WalkDir::new(world.sandbox().root()).into_iter().filter_map(Result::ok) {
        if !entry.file_type().is_dir() || entry.file_name() != "objects" {
            continue;
        }
        let path = entry.path();
        let failed = || FixtureError::git("read the objects of", path);
        let objects = Odb::new().map_err(failed())?;
        objects.add_disk_alternate(&path.to_string_lossy()).map_err(failed())?;
        let mut ids = Vec::new();
        objects
            .foreach(|id| {
                ids.push(*id);
                true
            })
            .map_err(failed())?;
        for id in ids {
            looked_at += 1;
            let object = objects.read(id).map_err(failed())?;
            found
                .extend(encoding_in(&secret, object.data()).map(|encoding| format!("{id} holds {encoding}")));
        }
    }
    let found = lines(found);
    let verdict = Verdict::of(looked_at > 0 && found.is_empty(), "", found);
    world.never(Claim::new(Git, "key_absent", "all objects", "the scenario's git folders"), verdict)
}

fn collect(folder: &Path, files: &mut Vec<(String, Vec<u8>)>) -> Result<(), FixtureError> {
    for entry in std::fs::read_dir(folder).map_err(FixtureError::file("list", folder))? {
        let path = entry.map_err(FixtureError::file("list", folder))?.path();
        let kind = path.symlink_metadata().map_err(FixtureError::file("look at", &path))?.file_type();
        if kind.is_dir() {
            collect(&path, files)?;
        } else if kind.is_symlink() {
            // What a link leads to is not kept here; what it says is.
            let target = std::fs::read_link(&path).map_err(FixtureError::file("read the link", &path))?;
            files.push((path.display().to_string(), target.into_os_string().into_encoded_bytes()));
        } else if kind.is_file() {
            // Reading a pipe would never end.
            let content = std::fs::read(&path).map_err(FixtureError::file("read", &path))?;
            files.push((path.display().to_string(), content));
        }
    }
    Ok(())
}

/// The first encoding of the secret that stands in the content.
fn encoding_in(secret: &str, content: &[u8]) -> Option<String> {
    encodings(secret).into_iter().find(|encoding| {
        !encoding.is_empty() && content.windows(encoding.len()).any(|part| part == encoding.as_bytes())
    })
}

fn encodings(secret: &str) -> Vec<String> {
    let percent = secret.bytes().map(|byte| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    let json = serde_json::Value::from(secret).to_string();
    let mut encodings = vec![secret.to_owned(), percent.collect(), json.trim_matches('"').to_owned()];
    // Behind one and two other bytes: four characters each that depend on them are left out, at the end as well.
    for before in ["", "a", "ab"] {
        let text = STANDARD.encode(format!("{before}{secret}"));
        let from = if before.is_empty() { 0 } else { 4 };
        encodings.push(text[from..text.len().saturating_sub(4).max(from)].to_owned());
    }
    encodings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_and_not_followed_and_a_pipe_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, outside) = (folder.path().join("kept"), folder.path().join("outside"));
        std::fs::create_dir_all(kept.join("deep")).unwrap();
        std::fs::create_dir(&outside).unwrap();
        std::fs::write(outside.join("file"), "outside").unwrap();
        std::fs::write(kept.join("deep/file"), "inside").unwrap();
        std::os::unix::fs::symlink("../outside", kept.join("link")).unwrap();
        std::os::unix::fs::symlink("nowhere", kept.join("dangling")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, kept.join("pipe"), rustix::fs::Mode::RWXU).unwrap();
        let mut files = Vec::new();
        collect(&kept, &mut files).unwrap();
        let mut found: Vec<&str> =
            files.iter().map(|(_, content)| std::str::from_utf8(content).unwrap()).collect();
        found.sort_unstable();
        assert_eq!(found, ["../outside", "inside", "nowhere"]);
    }

    #[test]
    fn a_secret_is_seen_in_every_encoding() {
        let secret = "p4ss \"word\" of/it";
        let inside = |before: &str| STANDARD.encode(format!("{before}{secret} and more"));
        for text in [
            format!("a {secret} b"),
            inside(""),
            inside("x"),
            inside("xy"),
            "x=p4ss%20%22word%22%20of%2Fit&".to_owned(),
            r#"{"x":"p4ss \"word\" of/it"}"#.to_owned(),
        ] {
            assert!(encoding_in(secret, text.as_bytes()).is_some(), "{text}");
        }
        assert_eq!(encoding_in(secret, b"p4ss word of it"), None);
    }
}

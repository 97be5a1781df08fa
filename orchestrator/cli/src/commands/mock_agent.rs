//! `mycelium mock-agent`, hidden: the mock worker (design 3.6). An attempt starts it in the workspace; it does what a
//! manifest permits and nothing else, so that gates and landing can be shown without a model.
//!
//! It appends one line with the task's id to every path of `files.writes`, or to `mock-output.txt` where that is empty,
//! and reports the tokens that `MOCK_CODEX_USAGE` says, none by default. Of a glob it writes one plain file that the
//! glob matches: see [`plain_path`].

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use mycelium_schemas::manifest::Manifest;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Context;
use crate::{error::CliError, exit::Exit, output};

/// Written where the manifest allows nothing.
const FALLBACK: &str = "mock-output.txt";
/// Names the manifest.
const MANIFEST: &str = "MYCELIUM_TASK_MANIFEST";
/// Holds the tokens to report.
const USAGE: &str = "MOCK_CODEX_USAGE";

/// Why the mock worker did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MockAgentError {
    /// It was not started by an attempt.
    #[error("{MANIFEST} is not set, so there is no task")]
    NoTask,
    /// The manifest is none.
    #[error("{MANIFEST} names {}, which is not a manifest: {source}", path.display())]
    Manifest {
        /// As named.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The tokens are nonsense.
    #[error(
        "{USAGE} is {text:?}, which is not {{\"input_tokens\", \"cached_input_tokens\", \"output_tokens\"}}: {why}"
    )]
    Usage {
        /// As given.
        text: String,
        /// Why.
        why: String,
    },
    /// A link leads out of the workspace.
    #[error("{} leads out of the workspace", path.display())]
    Escape {
        /// The link.
        path: PathBuf,
    },
    /// A file operation.
    #[error("could not {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

impl MockAgentError {
    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoTask | Self::Manifest { .. } | Self::Usage { .. } => Exit::Input,
            Self::Escape { .. } => Exit::Failed,
            Self::File { .. } => Exit::Environment,
        }
    }

    /// What to do next.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::NoTask => "the mock agent is started by `mycelium run`",
            Self::Manifest { .. } => "plan again",
            Self::Usage { .. } => "correct or unset the variable",
            Self::Escape { .. } => "remove the link from the repository, or the path from the manifest",
            Self::File { .. } => "check the path, space and permissions",
        }
    }
}

/// What `MOCK_CODEX_USAGE` holds.
#[expect(clippy::struct_field_names, reason = "the names are pinned")]
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Usage {
    input_tokens: u64,
    cached_input_tokens: u64,
    output_tokens: u64,
}

/// Works on the task that the environment names, in the current folder.
pub(crate) fn run(context: &Context) -> Result<Exit, CliError> {
    let usage = usage(context.environment.get(USAGE))?;
    let name = context.environment.get(MANIFEST).ok_or(MockAgentError::NoTask)?;
    let manifest = read_manifest(Path::new(name))?;
    work(&context.environment.current_dir, &manifest)?;
    let event = json!({ "type": "turn.completed", "usage": usage });
    output::text(&format!("{event}\n"))?;
    Ok(Exit::Done)
}

fn usage(text: Option<&str>) -> Result<Usage, MockAgentError> {
    let Some(text) = text else { return Ok(Usage::default()) };
    let refuse = |why: String| MockAgentError::Usage { text: text.to_owned(), why };
    let usage: Usage = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    if usage.cached_input_tokens > usage.input_tokens {
        return Err(refuse("cached_input_tokens is part of input_tokens, but more than it".to_owned()));
    }
    Ok(usage)
}

fn read_manifest(path: &Path) -> Result<Manifest, MockAgentError> {
    let text = fs::read(path).map_err(file("read", path))?;
    serde_json::from_slice(&text).map_err(|source| MockAgentError::Manifest { path: path.to_owned(), source })
}

fn work(folder: &Path, manifest: &Manifest) -> Result<(), MockAgentError> {
    let root = folder.canonicalize().map_err(file("find", folder))?;
    if manifest.files.writes.is_empty() {
        return append(&root, FALLBACK, manifest.id.as_str());
    }
    for glob in &manifest.files.writes {
        append(&root, &plain_path(glob.as_str(), manifest.id.as_str()), manifest.id.as_str())?;
    }
    Ok(())
}

/// A plain path that a glob matches, made of the task's id: `docs/guide.md` stays, `src/**/*.rs` becomes `src/001.rs`,
/// `src/**` becomes `src/001.txt`. `**` stands for no folder, `*` for the id, and `[x]` for `x`; a component with any
/// other wildcard becomes `001.txt` as a whole, whether or not the glob matches that.
fn plain_path(glob: &str, id: &str) -> String {
    let components: Vec<&str> = glob.split('/').collect();
    let last = components.len() - 1;
    let plain: Vec<String> = components
        .into_iter()
        .enumerate()
        .filter(|(index, component)| *component != "**" || *index == last)
        .map(|(_, component)| plain_component(component, id))
        .collect();
    plain.join("/")
}

fn plain_component(component: &str, id: &str) -> String {
    let whole = || format!("{id}.txt");
    let mut plain = String::new();
    let mut stars = 0;
    let mut rest = component.chars();
    while let Some(c) = rest.next() {
        match c {
            '*' => {
                stars += 1;
                plain.push_str(id);
            }
            '[' => match (rest.next(), rest.next()) {
                (Some(literal), Some(']')) if !matches!(literal, '!' | '^') => plain.push(literal),
                _ => return whole(),
            },
            '?' | '{' | '}' | ']' => return whole(),
            c => plain.push(c),
        }
    }
    if stars > 1 { whole() } else { plain }
}

/// Appends a line to a file below the root. Folders are made one by one, so that none is made behind a link that leads
/// out.
fn append(root: &Path, relative: &str, line: &str) -> Result<(), MockAgentError> {
    let mut path = root.to_owned();
    let mut components = relative.split('/').peekable();
    while let Some(component) = components.next() {
        path.push(component);
        let there = path.symlink_metadata().is_ok();
        if there && !path.canonicalize().is_ok_and(|real| real.starts_with(root)) {
            return Err(MockAgentError::Escape { path });
        }
        if !there && components.peek().is_some() {
            fs::create_dir(&path).map_err(file("create the folder", &path))?;
        }
    }
    let mut open = OpenOptions::new().append(true).create(true).open(&path).map_err(file("open", &path))?;
    writeln!(open, "{line}").map_err(file("write", &path))
}

fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> MockAgentError {
    let path = path.to_owned();
    move |source| MockAgentError::File { action, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_becomes_one_plain_path() {
        for (glob, path) in [
            ("README.md", "README.md"),
            ("src/**", "src/001.txt"),
            ("**", "001.txt"),
            ("*", "001"),
            ("src/*", "src/001"),
            ("src/**/*.rs", "src/001.rs"),
            ("**/test_*.py", "test_001.py"),
            ("a[*].txt", "a*.txt"),
            ("src/{a,b}.rs", "src/001.txt"),
            ("src/?.rs", "src/001.txt"),
            ("*/mod.rs", "001/mod.rs"),
        ] {
            assert_eq!(plain_path(glob, "001"), path, "{glob}");
        }
    }

    #[test]
    fn usage_is_read_strictly_and_nothing_is_none() {
        assert_eq!(usage(None).unwrap(), Usage::default());
        let some = usage(Some(r#"{"input_tokens": 5, "output_tokens": 2}"#)).unwrap();
        assert_eq!((some.input_tokens, some.cached_input_tokens, some.output_tokens), (5, 0, 2));
        for bad in
            ["", "5", "{", r#"{"tokens": 5}"#, r#"{"input_tokens": -1}"#, r#"{"cached_input_tokens": 1}"#]
        {
            assert!(usage(Some(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_line_is_appended_and_folders_are_made() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        append(&root, "a/b/c.txt", "001").unwrap();
        append(&root, "a/b/c.txt", "002").unwrap();
        assert_eq!(fs::read_to_string(root.join("a/b/c.txt")).unwrap(), "001\n002\n");
    }

    #[test]
    fn no_link_leads_out_of_the_folder() {
        use std::os::unix::fs::symlink;
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let root = inside.path().canonicalize().unwrap();
        fs::write(outside.path().join("file"), "kept").unwrap();
        symlink(outside.path(), root.join("folder")).unwrap();
        symlink(outside.path().join("file"), root.join("file")).unwrap();
        symlink(outside.path().join("new"), root.join("dangling")).unwrap();
        for path in ["folder/new", "folder/sub/new", "file", "dangling"] {
            assert!(matches!(append(&root, path, "x"), Err(MockAgentError::Escape { .. })), "{path}");
        }
        assert_eq!(fs::read_to_string(outside.path().join("file")).unwrap(), "kept");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1);
        fs::create_dir(root.join("real")).unwrap();
        symlink("real", root.join("alias")).unwrap();
        append(&root, "alias/x", "001").unwrap();
        assert!(root.join("real/x").exists());
    }
}

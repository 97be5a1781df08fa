//! The file of the history: one line an execution, only ever added to.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use mycelium_schemas::flake::Execution;
use mycelium_traceability::flake::{History, line};

use crate::cli::{error::CliError, project::Project};

/// Its place unless another one is given, from the root of the checkout.
const DEFAULT: &str = "target/flake-history.jsonl";

/// Where the history stands unless another place is given.
pub(in crate::cli) fn default_path(project: &Project) -> PathBuf {
    project.root.join(DEFAULT)
}

/// Reads the history; one that is not there is empty.
pub(in crate::cli) fn read(path: &Path) -> Result<History, CliError> {
    let text = match fs::read(path) {
        // A line that was torn within a character is a torn line.
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(source) => return Err(CliError::File { action: "read", path: path.to_owned(), source }),
    };
    History::read(&text).map_err(|source| CliError::BadHistory { path: path.to_owned(), source })
}

/// Adds the executions of a run, in one piece.
pub(in crate::cli) fn append(path: &Path, executions: &[Execution]) -> Result<(), CliError> {
    let lines: Result<String, serde_json::Error> = executions.iter().map(line).collect();
    let write = |lines: String| {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut file = File::options().create(true).append(true).read(true).open(path)?;
        // Behind a line that was cut off, a line of our own would be cut off with it.
        let lines = if ends_within_a_line(&mut file)? { format!("\n{lines}") } else { lines };
        file.write_all(lines.as_bytes())?;
        file.sync_data()
    };
    let written = lines.map_err(io::Error::from).and_then(write);
    written.map_err(|source| CliError::File { action: "write", path: path.to_owned(), source })
}

fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = include_str!("../../../../../schemas/samples/v1/flake-history.jsonl");

    fn executions() -> Vec<Execution> {
        History::read(LINE).unwrap().executions
    }

    #[test]
    fn what_stands_there_stays_whatever_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/history.jsonl");
        assert!(read(&path).unwrap().executions.is_empty());
        append(&path, &executions()).unwrap();
        append(&path, &executions()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), LINE.repeat(2));
        append(&path, &[]).unwrap();
        assert_eq!(read(&path).unwrap().executions.len(), 4);
    }

    #[test]
    fn what_is_added_behind_a_torn_line_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        fs::write(&path, &LINE[..LINE.len() / 3]).unwrap();
        append(&path, &executions()).unwrap();
        let history = read(&path).unwrap();
        assert_eq!((history.executions, history.torn), (executions(), 1));
    }

    #[test]
    fn a_history_of_a_newer_version_is_no_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.jsonl");
        fs::write(&path, LINE.replace("\"v\":1", "\"v\":2")).unwrap();
        assert!(read(&path).unwrap_err().chain().contains("format version 2"));
    }
}

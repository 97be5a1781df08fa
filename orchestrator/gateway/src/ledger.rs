//! What every response used, durable before the agent can act on it: whatever is killed afterwards, it is counted.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use mycelium_agents::tokens::Tokens;

pub use mycelium_schemas::response::AGENT;

/// One response.
pub type Entry = mycelium_schemas::response::ModelResponse;

/// An entry that tells these tokens.
pub(crate) fn telling(entry: Entry, tokens: Tokens) -> Entry {
    Entry {
        input_tokens: tokens.input,
        cached_input_tokens: tokens.cached_input,
        cache_write_input_tokens: tokens.cache_write_input,
        output_tokens: tokens.output,
        reasoning_output_tokens: tokens.reasoning_output,
        ..entry
    }
}

/// What a response used.
pub fn tokens_of(entry: &Entry) -> Tokens {
    Tokens {
        input: entry.input_tokens,
        cached_input: entry.cached_input_tokens,
        cache_write_input: entry.cache_write_input_tokens,
        output: entry.output_tokens,
        reasoning_output: entry.reasoning_output_tokens,
    }
}

/// Writes a line and makes it durable: whoever keeps the ledger may have its own way.
pub type Keep = dyn Fn(&mut File, &[u8]) -> io::Result<()> + Send + Sync;

/// The plain way.
pub fn keep(file: &mut File, line: &[u8]) -> io::Result<()> {
    file.write_all(line)?;
    file.sync_data()
}

/// The file of a run.
pub struct Ledger {
    path: PathBuf,
    file: File,
    keep: Arc<Keep>,
    /// Where the last whole line ends.
    end: u64,
}

/// The ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("cannot {doing} {}", path.display())]
pub struct LedgerError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// Opens or makes a file of the owner's that lines are added to. A new one is durable when its folder is.
pub(crate) fn open_durable(path: &Path) -> io::Result<File> {
    let file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Keeps its lines in a way of the caller's.
    #[must_use]
    pub fn kept_by(self, keep: Arc<Keep>) -> Self {
        Self { keep, ..self }
    }

    /// Opens or makes a ledger; says what it holds. A torn last line was never acted on and is cut off.
    pub fn open(path: &Path) -> Result<(Self, Vec<Entry>), LedgerError> {
        let at = |doing| move |source| LedgerError { doing, path: path.to_owned(), source };
        let file = open_durable(path).map_err(at("open"))?;
        let (entries, end) = read(&file).map_err(at("read"))?;
        file.set_len(end).map_err(at("cut"))?;
        Ok((Self { path: path.to_owned(), file, keep: Arc::new(keep), end }, entries))
    }

    /// Adds an entry and makes it durable. What a failed write left is taken back.
    pub fn append(&mut self, entry: &Entry) -> Result<(), LedgerError> {
        let mut line = serde_json::to_vec(entry).map_err(|error| self.error("write", error.into()))?;
        line.push(b'\n');
        let written = self.write(&line);
        if let Err(error) = written {
            // The next one must not stand behind half a line; if this fails too, opening cuts it.
            let _cut = self.file.set_len(self.end);
            return Err(self.error("write", error));
        }
        self.end = self.end.saturating_add(line.len() as u64);
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        use std::io::Seek;
        self.file.seek(io::SeekFrom::Start(self.end))?;
        (self.keep)(&mut self.file, line)
    }

    fn error(&self, doing: &'static str, source: io::Error) -> LedgerError {
        LedgerError { doing, path: self.path.clone(), source }
    }
}

fn read(file: &File) -> io::Result<(Vec<Entry>, u64)> {
    let (mut entries, mut end) = (Vec::new(), 0_u64);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        if !line.ends_with(b"\n") {
            break;
        }
        let entry = serde_json::from_slice(&line).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", entries.len() + 1))
        })?;
        entries.push(entry);
        end = end.saturating_add(line.len() as u64);
        line.clear();
    }
    Ok((entries, end))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn entry(task: &str) -> Entry {
        Entry {
            task: task.to_owned(),
            attempt: 1,
            by: AGENT.to_owned(),
            protocol: "responses".to_owned(),
            model: "m".to_owned(),
            response: None,
            input_tokens: 5,
            cached_input_tokens: 0,
            cache_write_input_tokens: 0,
            output_tokens: 1,
            reasoning_output_tokens: 0,
            cost_microusd: 0,
            is_estimate: false,
        }
    }

    #[test]
    fn what_was_written_is_there_again_and_half_a_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        let (mut ledger, entries) = Ledger::open(&path).unwrap();
        assert!(entries.is_empty());
        ledger.append(&entry("a")).unwrap();
        ledger.append(&entry("b")).unwrap();
        drop(ledger);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let (mut ledger, entries) = Ledger::open(&path).unwrap();
        assert_eq!(entries, [entry("a")]);
        ledger.append(&entry("c")).unwrap();
        assert_eq!(Ledger::open(&path).unwrap().1, [entry("a"), entry("c")]);
    }

    #[test]
    fn a_line_that_is_none_is_named_and_nothing_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        fs::write(&path, "{}\n").unwrap();
        let error = Ledger::open(&path).unwrap_err();
        assert!(error.source.to_string().starts_with("line 1: "), "{}", error.source);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
    }
}

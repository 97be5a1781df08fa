//! The file of a cassette: JSON lines, of which the last says that it is whole.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
};

use mycelium_schemas::cassette::{CASSETTE_VERSION, CassetteBegin, CassetteLine, Interaction};

/// Bytes of a cassette.
pub(super) const CASSETTE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A cassette that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CassetteError {
    /// The file.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is none.
    #[error("there is no cassette {}", .0.display())]
    Missing(PathBuf),
    /// One that is whole would be recorded over.
    #[error("the cassette {} is whole and is not recorded over", .0.display())]
    Whole(PathBuf),
    /// It was cut off while it was recorded.
    #[error("the cassette {} has no end: its recording was cut off", .0.display())]
    CutOff(PathBuf),
    /// It was made by a newer version.
    #[error("the cassette {} has format version {version}, which this mycelium does not read", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// It is none.
    #[error("line {line} of the cassette {} cannot be used: {why}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from one.
        line: usize,
        /// Why.
        why: String,
    },
}

/// What a cassette holds.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) begin: CassetteBegin,
    pub(super) interactions: Vec<Interaction>,
    /// Whether its recording came to its end.
    pub(super) is_whole: bool,
    /// Bytes before its end, or before what of a line was cut off.
    pub(super) end: u64,
}

/// Reads a cassette; none where there is no file, or nothing in it that was written whole.
pub(super) fn read(path: &Path) -> Result<Option<Content>, CassetteError> {
    let at = |doing| move |source| CassetteError::Io { doing, path: path.to_owned(), source };
    let damaged = |line, why: String| CassetteError::Damaged { path: path.to_owned(), line, why };
    let found = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(at("look at"))?,
    };
    if !found.is_file() || found.len() > CASSETTE_BYTES_MAX {
        let why = format!("it is no file of at most {CASSETTE_BYTES_MAX} bytes");
        return Err(damaged(1, why));
    }
    let mut reader = BufReader::new(File::open(path).map_err(at("open"))?);
    let (mut content, mut line, mut number): (Option<Content>, _, _) = (None, Vec::new(), 0);
    while reader.read_until(b'\n', &mut line).map_err(at("read"))? > 0 && line.ends_with(b"\n") {
        number += 1;
        let parsed = serde_json::from_slice(&line).map_err(|error| damaged(number, error.to_string()))?;
        match (parsed, &mut content) {
            (CassetteLine::Begin(begin), None) => {
                if begin.v > CASSETTE_VERSION {
                    return Err(CassetteError::Newer { path: path.to_owned(), version: begin.v });
                }
                let end = line.len() as u64;
                content = Some(Content { begin, interactions: Vec::new(), is_whole: false, end });
            }
            (CassetteLine::Interaction(interaction), Some(content)) if !content.is_whole => {
                content.interactions.push(*interaction);
                content.end += line.len() as u64;
            }
            (CassetteLine::End(end), Some(content)) if !content.is_whole => {
                let found = content.interactions.len() as u64;
                if found != end.interactions {
                    let why =
                        format!("{} interactions were recorded, and {found} are there", end.interactions);
                    return Err(damaged(number, why));
                }
                content.is_whole = true;
            }
            _ => return Err(damaged(number, "it stands where no line of its type may".to_owned())),
        }
        line.clear();
    }
    Ok(content)
}

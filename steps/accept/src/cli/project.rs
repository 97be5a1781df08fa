//! The checkout that `accept` works on: where features and goals are, and which tree it is.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    thread,
};

use mycelium_schemas::problem::Source;
use mycelium_traceability::{Catalogue, Files, Registry};

use super::{
    error::CliError,
    history::{Earlier, History, HistoryError},
    tree::Tree,
};
use crate::runner::{Identity, Target, suite::Suite};

pub(super) const FEATURES: &str = "features";
pub(super) const TRACEABILITY: &str = "traceability";
/// The lock in that folder.
pub(super) const DENOMINATOR: &str = "denominator.yaml";
/// The scenarios in quarantine, there.
pub(super) const QUARANTINE: &str = "quarantine.yaml";
/// What is promised and not automated yet, there.
pub(super) const BACKLOG: &str = "backlog.yaml";
/// What each figure of the benchmarks was, there.
pub(super) const BASELINES: &str = "bench.yaml";

/// A checkout.
#[derive(Debug, Clone)]
pub(super) struct Project {
    /// Its root: the folder with `traceability/goals`.
    pub(super) root: PathBuf,
    here: PathBuf,
}

/// A value that another thread works out; who asks for it waits for that.
pub(super) type Beside<T> = Arc<LazyLock<T, Box<dyn FnOnce() -> T + Send>>>;

impl Project {
    /// The checkout around the current folder.
    pub(super) fn locate() -> Result<Self, CliError> {
        let here = std::env::current_dir().map_err(|source| CliError::File {
            action: "read",
            path: ".".into(),
            source,
        })?;
        let root = here.ancestors().find(|folder| folder.join(TRACEABILITY).join("goals").is_dir());
        let root = root.ok_or(CliError::NoProject)?.to_owned();
        // A commit holds the link and not what it leads to, so no result would be about a commit.
        let is_link = |folder: &PathBuf| folder.is_symlink();
        if let Some(link) = [FEATURES, TRACEABILITY].map(|name| root.join(name)).into_iter().find(is_link) {
            return Err(CliError::Link(link));
        }
        Ok(Self { root, here })
    }

    /// A path that was given from the current folder.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        self.here.join(path)
    }

    /// A path of the command line, from the root; one outside stays as it is.
    pub(super) fn relative_to_root(&self, path: &Path) -> PathBuf {
        let mut resolved = PathBuf::new();
        for part in self.resolve(path).components() {
            match part {
                std::path::Component::ParentDir => {
                    resolved.pop();
                }
                std::path::Component::CurDir => {}
                part => resolved.push(part),
            }
        }
        resolved.strip_prefix(&self.root).map(Path::to_owned).unwrap_or(resolved)
    }

    /// A path from the root as one from the current folder; one outside stays as it is.
    pub(super) fn seen_from_here(&self, uri: &str) -> PathBuf {
        let path = Path::new(uri);
        let below = self.here.strip_prefix(&self.root).unwrap_or(Path::new(""));
        if path.is_absolute() {
            return path.to_owned();
        }
        let shared = below.iter().zip(path).take_while(|(here, there)| here == there).count();
        let up = below.iter().skip(shared).map(|_| OsStr::new(".."));
        let from_here: PathBuf = up.chain(path.iter().skip(shared)).collect();
        // What begins with a dash would be an option.
        if from_here.as_os_str().as_bytes().starts_with(b"-") {
            Path::new(".").join(from_here)
        } else {
            from_here
        }
    }

    /// The same for targets with lines.
    pub(super) fn targets(&self, targets: Vec<Target>) -> Vec<Target> {
        targets
            .into_iter()
            .map(|target| Target { path: self.relative_to_root(&target.path), lines: target.lines })
            .collect()
    }

    /// The files of scenarios, wherever they stand, as far as they are still there.
    pub(super) fn files_of(&self, scenarios: &BTreeSet<Identity>) -> Vec<PathBuf> {
        let files: BTreeSet<&str> = scenarios.iter().map(Identity::uri).collect();
        files.into_iter().filter(|file| self.root.join(file).is_file()).map(PathBuf::from).collect()
    }

    /// Reads features: those at the paths, or all of them.
    pub(super) fn suite(&self, paths: &[PathBuf]) -> Result<Suite, CliError> {
        Ok(Suite::load(&self.root, &or_all(paths))?)
    }

    /// The same, where each of them parses.
    pub(super) fn parsed_suite(&self, paths: &[PathBuf]) -> Result<Suite, CliError> {
        let suite = self.suite(paths)?;
        if suite.parsed().any(|(_, parsed)| parsed.is_err()) {
            return Err(CliError::Unparsed);
        }
        Ok(suite)
    }

    /// The texts of features, for those who look often.
    pub(super) fn sources(&self, paths: &[PathBuf]) -> Result<BTreeMap<String, String>, CliError> {
        Ok(Suite::sources(&self.root, &or_all(paths))?)
    }

    /// The scenarios of all features as they are now.
    pub(super) fn catalogue(&self) -> Result<Catalogue, CliError> {
        catalogue(&self.parsed_suite(&[])?)
    }

    /// Reads `traceability/`.
    pub(super) fn registry(&self) -> Result<Registry, CliError> {
        let files = Files {
            goals: self.goal_sources()?,
            backlog: self.source(BACKLOG, Missing::IsEmpty)?,
            links: self.links()?,
            denominator: self.denominator()?,
            gates: self.source("gates.yaml", Missing::IsAnError)?,
            quarantine: self.source(QUARANTINE, Missing::IsEmpty)?,
            baselines: self.baselines()?,
        };
        Registry::parse(&files).map_err(CliError::Registry)
    }

    /// The file of reviewed links.
    pub(super) fn links(&self) -> Result<Source, CliError> {
        self.source("links.yaml", Missing::IsEmpty)
    }

    /// The file of locked goals.
    pub(super) fn denominator(&self) -> Result<Source, CliError> {
        self.source(DENOMINATOR, Missing::IsEmpty)
    }

    /// What the commits of the branch have of the files that may only be given up openly; nothing outside git, where no result is about a commit
    /// either.
    pub(super) fn earlier(&self) -> Result<Earlier, CliError> {
        match History::of(self) {
            Ok(history) => Ok(history.earlier()?),
            Err(HistoryError::NoRepository(_)) => Ok(Earlier::default()),
            Err(error) => Err(error.into()),
        }
    }

    /// Refuses a checkout that no result could be judged in, before anything runs for nothing.
    pub(super) fn check_history(&self) -> Result<(), CliError> {
        match History::of(self) {
            Ok(history) if history.is_partial() => {
                history.earlier()?;
                Ok(())
            }
            Ok(_) | Err(HistoryError::NoRepository(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The file of baselines.
    pub(super) fn baselines(&self) -> Result<Source, CliError> {
        self.source(BASELINES, Missing::IsEmpty)
    }

    /// Waits until nobody else changes the files of `traceability/`, and keeps others waiting until the lock is dropped.
    pub(super) fn lock(&self) -> Result<File, CliError> {
        let path = self.root.join(TRACEABILITY);
        let locked = File::open(&path).and_then(|folder| folder.lock().map(|()| folder));
        locked.map_err(|source| CliError::File { action: "lock", path, source })
    }

    /// Replaces a file of `traceability/` by what it became; its name is that of the source it was read from.
    pub(super) fn replace(&self, file: &Source) -> Result<(), CliError> {
        write(&self.root.join(&*file.name), file.text.as_bytes())
    }

    /// What is checked out now. A large working tree takes its time, and nobody needs it before a run ends.
    pub(super) fn tree_beside(&self) -> Beside<Tree> {
        let root = self.root.clone();
        let tree: Beside<Tree> = Arc::new(LazyLock::new(Box::new(move || Tree::of(&root))));
        let ours = tree.clone();
        // Without a thread, whoever asks works it out.
        let _ = thread::Builder::new().name("tree".to_owned()).spawn(move || {
            LazyLock::force(&ours);
        });
        tree
    }

    /// What is checked out.
    pub(super) fn tree(&self) -> Tree {
        Tree::of(&self.root)
    }

    /// The files of goals.
    pub(super) fn goal_sources(&self) -> Result<Vec<Source>, CliError> {
        let folder = self.no_link("goals")?;
        let cannot_read = |source| CliError::File { action: "read", path: folder.clone(), source };
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(cannot_read)? {
            let entry = entry.map_err(cannot_read)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let extension = Path::new(&name).extension().unwrap_or_default();
            let is_nearly = |goal: &str| extension.eq_ignore_ascii_case(goal) && extension != "yaml";
            // Whoever wrote a goal there believes that it is declared.
            if entry.path().is_dir() || is_nearly("yaml") || is_nearly("yml") {
                return Err(CliError::NotRead(folder.join(name)));
            }
            if extension == "yaml" {
                names.push(format!("goals/{name}"));
            }
        }
        names.sort();
        names.iter().map(|name| self.source(name, Missing::IsAnError)).collect()
    }

    /// The path of a file or folder of `traceability/`. Neither is a link: the history of what a link leads to is another
    /// one, or none.
    fn no_link(&self, name: &str) -> Result<PathBuf, CliError> {
        let folder = self.root.join(TRACEABILITY);
        let path = folder.join(name);
        match [folder, path.clone()].into_iter().find(|path| path.is_symlink()) {
            Some(link) => Err(CliError::Link(link)),
            None => Ok(path),
        }
    }

    fn source(&self, name: &str, missing: Missing) -> Result<Source, CliError> {
        let path = self.no_link(name)?;
        let text = match (fs::read_to_string(&path), missing) {
            (Ok(text), _) => text,
            (Err(error), Missing::IsEmpty) if error.kind() == io::ErrorKind::NotFound => String::new(),
            (Err(source), _) => return Err(CliError::File { action: "read", path, source }),
        };
        Ok(Source::new(format!("{TRACEABILITY}/{name}"), text))
    }
}

/// The scenarios of features that parsed.
pub(super) fn catalogue(suite: &Suite) -> Result<Catalogue, CliError> {
    let features: Vec<_> = suite.features().collect();
    let documents = features.iter().map(|feature| &feature.document);
    let pickles = features.iter().flat_map(|feature| &feature.pickles);
    Ok(Catalogue::new(documents, pickles)?)
}

/// The paths, or the folder of all features where none is given.
fn or_all(paths: &[PathBuf]) -> Cow<'_, [PathBuf]> {
    if paths.is_empty() { vec![PathBuf::from(FEATURES)].into() } else { paths.into() }
}

#[derive(Clone, Copy)]
enum Missing {
    IsEmpty,
    IsAnError,
}

/// Writes a file, and its folder where that is missing.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    folder.and_then(|()| fs::write(path, bytes)).map_err(|source| CliError::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

/// Replaces a file by its new text in one move, keeping its mode. Behind a link it is the file that is replaced.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), CliError> {
    let write = || {
        let path = fs::canonicalize(path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        file.as_file().sync_all()?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(|source| CliError::File { action: "write", path: path.to_owned(), source })
}

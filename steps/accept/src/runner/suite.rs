//! The feature files of a run: found and read. They are parsed and compiled to pickles one after the other, by whoever
//! goes through them, so that a large suite takes the memory of its texts and of one parsed file.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use mycelium_gherkin::{AstIndex, AstNode, IdGenerator, ParseError, ParseErrorKind};
use mycelium_schemas::messages::{
    Background, FeatureChild, GherkinDocument, Location, Pickle, PickleStep, RuleChild, Scenario,
};
use walkdir::{DirEntry, WalkDir};

/// Why feature files could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A given path does not exist.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// A given file is not a feature.
    #[error("{0} is not a .feature file")]
    NotAFeature(PathBuf),
    /// A given folder, or what else was given, has none: to look at nothing is not to find nothing wrong.
    #[error("{0} holds no .feature file")]
    NoFeature(PathBuf),
}

/// All feature files of a run, by path.
#[derive(Debug)]
pub struct Suite {
    /// The files.
    pub files: Vec<FeatureFile>,
}

/// One feature file; or a folder below the features that cannot be read, so that its problem is told beside the others.
#[derive(Debug)]
pub struct FeatureFile {
    /// Its path from the root, with `/`; the whole path where it lies outside.
    pub uri: String,
    /// Its text; what is no text is replaced.
    pub source: String,
    /// Why it is no text, or could not be read.
    unreadable: Option<ParseError>,
}

/// A feature file that parsed.
#[derive(Debug)]
pub struct Feature {
    /// The syntax tree.
    pub document: GherkinDocument,
    /// Its scenarios, one for each row of examples.
    pub pickles: Vec<Pickle>,
    index: AstIndex,
}

impl Suite {
    /// Reads the features at the paths (files or folders, relative to the root); their order follows from the paths alone.
    pub fn load(root: &Path, paths: &[PathBuf]) -> Result<Self, SuiteError> {
        let named = find_all(root, paths)?;
        Ok(Self { files: named.into_iter().map(|(uri, found)| FeatureFile::read(uri, found)).collect() })
    }

    /// The features of these contents, by uri, such as those of an earlier commit.
    pub fn of_contents<'c>(contents: impl IntoIterator<Item = (&'c str, &'c [u8])>) -> Self {
        let files = contents.into_iter().map(|(uri, bytes)| FeatureFile::of(uri.to_owned(), bytes));
        Self { files: files.collect() }
    }

    /// The texts of the features at the paths, by uri.
    pub fn sources(root: &Path, paths: &[PathBuf]) -> Result<BTreeMap<String, String>, SuiteError> {
        let text = |found: Found| found.read().map(|bytes| source(&bytes)).unwrap_or_default();
        Ok(find_all(root, paths)?.into_iter().map(|(uri, found)| (uri, text(found))).collect())
    }

    /// What each file says, parsed as it is asked for. Ids are counted from the first file to the last, the same each
    /// time.
    pub fn parsed(&self) -> impl Iterator<Item = (&FeatureFile, Result<Feature, Vec<ParseError>>)> {
        let mut ids = IdGenerator::new();
        self.files.iter().map(move |file| (file, file.parse(&mut ids)))
    }

    /// The features of the files that parse, one after the other.
    pub fn features(&self) -> impl Iterator<Item = Feature> {
        self.parsed().filter_map(|(_, parsed)| parsed.ok())
    }

    /// Every pickle of them.
    pub fn pickles(&self) -> impl Iterator<Item = Pickle> {
        self.features().flat_map(|feature| feature.pickles)
    }
}

impl FeatureFile {
    fn read(uri: String, found: Found) -> Self {
        match found.read() {
            Err(why) => {
                let problem = problem(1, 1, format!("this cannot be read: {why}"));
                Self { uri, source: String::new(), unreadable: Some(problem) }
            }
            Ok(bytes) => Self::of(uri, &bytes),
        }
    }

    fn of(uri: String, bytes: &[u8]) -> Self {
        Self { uri, source: source(bytes), unreadable: text_problem(bytes) }
    }

    /// What it says, with ids that nobody else of its stream has.
    pub fn parse(&self, ids: &mut IdGenerator) -> Result<Feature, Vec<ParseError>> {
        match &self.unreadable {
            Some(problem) => Err(vec![problem.clone()]),
            None => Feature::parse(&self.uri, &self.source, ids),
        }
    }
}

/// A file's text; what is no text is replaced.
fn source(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn problem(line: u32, column: u32, why: String) -> ParseError {
    ParseError { location: Location { line, column: Some(column) }, kind: ParseErrorKind::Unreadable(why) }
}

/// The first place where a file is not the text that a feature has to be.
fn text_problem(bytes: &[u8]) -> Option<ParseError> {
    let bad_utf8 = std::str::from_utf8(bytes).err().map(|error| error.valid_up_to());
    let zero = bytes.iter().position(|byte| *byte == 0);
    let at = bad_utf8.into_iter().chain(zero).min()?;
    let before = String::from_utf8_lossy(&bytes[..at]);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let is_utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    let why = if is_utf16 {
        "the file is UTF-16; save it as UTF-8".to_owned()
    } else {
        format!("the byte 0x{:02x} is not UTF-8 text; save the file as UTF-8", bytes[at])
    };
    let why = if bytes[at] == 0 && !is_utf16 { "a NUL byte is no text; remove it".to_owned() } else { why };
    let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Some(problem(number(line), number(column), why))
}

impl Feature {
    fn parse(uri: &str, source: &str, ids: &mut IdGenerator) -> Result<Self, Vec<ParseError>> {
        let document = mycelium_gherkin::parse(uri, source, ids)?;
        let pickles = mycelium_gherkin::compile(&document, uri, ids);
        let index = AstIndex::new(&document);
        Ok(Self { document, pickles, index })
    }

    /// Where a pickle's step is written.
    pub fn step_node(&self, step: &PickleStep) -> Option<&AstNode> {
        self.index.step(step)
    }

    /// Every scenario, those of rules too.
    pub fn scenarios(&self) -> Vec<&Scenario> {
        let mut scenarios = Vec::new();
        for child in self.document.feature.iter().flat_map(|feature| &feature.children) {
            match child {
                FeatureChild::Scenario(scenario) => scenarios.push(scenario),
                FeatureChild::Rule(rule) => {
                    scenarios.extend(rule.children.iter().filter_map(|child| match child {
                        RuleChild::Scenario(scenario) => Some(scenario),
                        RuleChild::Background(_) => None,
                    }));
                }
                FeatureChild::Background(_) => {}
            }
        }
        scenarios
    }

    /// Every background, those of rules too.
    pub fn backgrounds(&self) -> impl Iterator<Item = &Background> {
        let children = self.document.feature.iter().flat_map(|feature| &feature.children);
        children.flat_map(|child| match child {
            FeatureChild::Background(background) => vec![background],
            FeatureChild::Scenario(_) => Vec::new(),
            FeatureChild::Rule(rule) => rule
                .children
                .iter()
                .filter_map(|child| match child {
                    RuleChild::Background(background) => Some(background),
                    RuleChild::Scenario(_) => None,
                })
                .collect(),
        })
    }

    /// Every scenario with its pickles: none, one, or one for each row of its examples.
    pub fn scenarios_with_pickles(&self) -> impl Iterator<Item = (&Scenario, &[Pickle])> {
        // Both stand in the order of the file.
        let mut rest = self.pickles.as_slice();
        self.scenarios().into_iter().map(move |scenario| {
            let is_of_this = |pickle: &Pickle| pickle.ast_node_ids.first() == Some(&scenario.id);
            let count = rest.iter().take_while(|pickle| is_of_this(pickle)).count();
            let (pickles, behind) = rest.split_at(count);
            rest = behind;
            (scenario, pickles)
        })
    }
}

/// What a search for features comes upon.
#[derive(Debug)]
enum Found {
    Feature(PathBuf),
    /// Something that cannot be read or followed, and why.
    Unreadable(PathBuf, String),
}

impl Found {
    /// A file whose name can be told, which everything that speaks of it does.
    fn of_file(path: PathBuf) -> Self {
        if path.to_str().is_some() {
            Self::Feature(path)
        } else {
            Self::Unreadable(path, "its name is no UTF-8 text; rename it".to_owned())
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Feature(path) | Self::Unreadable(path, _) => path,
        }
    }

    fn read(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Feature(path) => fs::read(path).map_err(|error| error.to_string()),
            Self::Unreadable(_, why) => Err(why),
        }
    }
}

/// Finds the features at the paths, by uri, each once.
fn find_all(root: &Path, paths: &[PathBuf]) -> Result<Vec<(String, Found)>, SuiteError> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        find(&root.join(path), &mut found)?;
        if found.len() == before {
            return Err(SuiteError::NoFeature(path.to_owned()));
        }
    }
    let mut named: Vec<(String, Found)> =
        found.into_iter().map(|found| (uri(root, found.path()), found)).collect();
    named.sort_by(|(one, _), (other, _)| one.cmp(other));
    named.dedup_by(|(one, _), (other, _)| one == other);
    Ok(named)
}

/// Finds the features at a path. Symbolic links are followed: a feature behind one must not be left out in silence.
fn find(path: &Path, found: &mut Vec<Found>) -> Result<(), SuiteError> {
    if path.is_file() {
        if !is_feature(path) {
            return Err(SuiteError::NotAFeature(path.to_owned()));
        }
        found.push(Found::of_file(path.to_owned()));
        return Ok(());
    }
    if !path.exists() {
        return Err(SuiteError::Missing(path.to_owned()));
    }
    for entry in WalkDir::new(path).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(entry) if entry.file_type().is_dir() => {}
            Ok(entry) if is_feature(entry.path()) => found.push(feature(entry)),
            Ok(entry) if is_nearly_feature(entry.path()) => {
                let why = "it ends in .feature, but for its capitals; rename it".to_owned();
                found.push(Found::Unreadable(entry.into_path(), why));
            }
            Ok(_) => {}
            Err(error) => found.extend(unreadable(path, &error)),
        }
    }
    Ok(())
}

/// Something that is named like a feature. Whoever opens a pipe waits for ever.
fn feature(entry: DirEntry) -> Found {
    if entry.file_type().is_file() {
        Found::of_file(entry.into_path())
    } else {
        Found::Unreadable(entry.into_path(), "it is no file".to_owned())
    }
}

/// What a search could not look into, unless it is of no interest: a dead link that is no feature, or the dead link that
/// an editor puts beside a file it has open.
fn unreadable(root: &Path, error: &walkdir::Error) -> Option<Found> {
    let path = error.path().unwrap_or(root).to_owned();
    if let Some(above) = error.loop_ancestor() {
        let why = format!("it is a symbolic link to {}, a folder above it", above.display());
        return Some(Found::Unreadable(path, why));
    }
    let is_dead_link = path.is_symlink() && !path.exists();
    let is_editors = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".#"));
    if is_dead_link && (is_editors || !is_feature(&path)) {
        return None;
    }
    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    Some(Found::Unreadable(path, why))
}

fn is_feature(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "feature")
}

/// Whoever wrote it believes that it is run.
fn is_nearly_feature(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("feature")) && !is_feature(path)
}

/// The path from the root; the whole path where it lies outside.
fn uri(root: &Path, path: &Path) -> String {
    let Ok(relative) = path.strip_prefix(root) else { return text(path.as_os_str()).into_owned() };
    let parts: Vec<_> = relative.iter().filter(|part| *part != ".").map(text).collect();
    parts.join("/")
}

/// A name as text; one that is none with its bytes, so that two names never become one.
fn text(name: &OsStr) -> Cow<'_, str> {
    name.to_str().map_or_else(|| name.as_bytes().escape_ascii().to_string().into(), Cow::from)
}

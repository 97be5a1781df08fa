//! The feature files of a run: found, read, parsed and compiled to pickles.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use mycelium_gherkin::{AstIndex, AstNode, IdGenerator, ParseError};
use mycelium_schemas::messages::{FeatureChild, GherkinDocument, Pickle, PickleStep, RuleChild, Scenario};
use walkdir::WalkDir;

/// Why feature files could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A given path does not exist.
    #[error("{0} does not exist")]
    Missing(PathBuf),
    /// A given file is not a feature.
    #[error("{0} is not a .feature file")]
    NotAFeature(PathBuf),
    /// Reading failed.
    #[error("cannot read {path}")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not text.
    #[error("{0} is not UTF-8 text")]
    NotText(PathBuf),
}

/// All feature files of a run, by path.
#[derive(Debug)]
pub struct Suite {
    /// The files.
    pub files: Vec<FeatureFile>,
    /// Goes on where the parser stopped: every id of a stream is its own.
    pub ids: IdGenerator,
}

/// One feature file.
#[derive(Debug)]
pub struct FeatureFile {
    /// Its path from the root, with `/`.
    pub uri: String,
    /// Its text.
    pub source: String,
    /// What it says.
    pub parsed: Result<Feature, Vec<ParseError>>,
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
    /// Reads the features at the paths (files or folders, relative to the root); ids and order follow from the paths
    /// alone.
    pub fn load(root: &Path, paths: &[PathBuf]) -> Result<Self, SuiteError> {
        let mut found = Vec::new();
        for path in paths {
            find(&root.join(path), &mut found)?;
        }
        let mut named: Vec<(String, PathBuf)> =
            found.into_iter().map(|path| (uri(root, &path), path)).collect();
        named.sort();
        named.dedup();
        let mut ids = IdGenerator::new();
        let mut files = Vec::with_capacity(named.len());
        for (uri, path) in named {
            let bytes = fs::read(&path).map_err(|source| SuiteError::Read { path: path.clone(), source })?;
            let source = String::from_utf8(bytes).map_err(|_| SuiteError::NotText(path))?;
            let parsed = Feature::parse(&uri, &source, &mut ids);
            files.push(FeatureFile { uri, source, parsed });
        }
        Ok(Self { files, ids })
    }

    /// Every pickle with its feature.
    pub fn pickles(&self) -> impl Iterator<Item = (&Feature, &Pickle)> {
        self.files
            .iter()
            .filter_map(|file| file.parsed.as_ref().ok())
            .flat_map(|feature| feature.pickles.iter().map(move |pickle| (feature, pickle)))
    }
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
}

fn find(path: &Path, found: &mut Vec<PathBuf>) -> Result<(), SuiteError> {
    if path.is_file() {
        if !is_feature(path) {
            return Err(SuiteError::NotAFeature(path.to_owned()));
        }
        found.push(path.to_owned());
        return Ok(());
    }
    if !path.exists() {
        return Err(SuiteError::Missing(path.to_owned()));
    }
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry =
            entry.map_err(|error| SuiteError::Read { path: path.to_owned(), source: error.into() })?;
        if entry.file_type().is_file() && is_feature(entry.path()) {
            found.push(entry.into_path());
        }
    }
    Ok(())
}

fn is_feature(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "feature")
}

fn uri(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> =
        relative.iter().filter(|part| *part != ".").map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

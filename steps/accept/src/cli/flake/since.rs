//! Which scenarios are new or read otherwise than where a branch left another one. Three of four flaky tests are flaky
//! when they are added (Lam et al., OOPSLA 2020), so those are worth the most runs.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use git2::{ObjectType, Repository, TreeWalkMode, TreeWalkResult};
use mycelium_schemas::matrix::ScenarioKey;
use mycelium_traceability::Catalogue;

use crate::{
    cli::{
        error::CliError,
        project::{FEATURES, Project, catalogue, write},
    },
    runner::suite::Suite,
};

/// The scenarios of the catalogue that no scenario of the same file equals where this branch left `rev`.
pub(in crate::cli) fn new_or_changed(
    project: &Project,
    now: &Catalogue,
    rev: &str,
    scratch: &Path,
) -> Result<BTreeSet<ScenarioKey>, CliError> {
    let folder = scratch.join("before");
    check_out_features(project, rev, &folder)?;
    let before = Suite::load(&folder, &[PathBuf::from(FEATURES)])?;
    fs::remove_dir_all(&folder).map_err(|source| CliError::File {
        action: "remove",
        path: folder,
        source,
    })?;
    // A file that did not parse then has no scenario that anybody relied on.
    let before = catalogue(&before)?;
    let known: BTreeSet<(&str, String)> =
        before.iter().map(|spec| (spec.key.uri.as_str(), spec.fingerprint().to_string())).collect();
    let is_new = |uri: &str, fingerprint: String| !known.contains(&(uri, fingerprint));
    let new = now.iter().filter(|spec| is_new(&spec.key.uri, spec.fingerprint().to_string()));
    Ok(new.map(|spec| spec.key.clone()).collect())
}

/// Writes the features of the merge base of `rev` and the current commit into a folder, below `features`.
fn check_out_features(project: &Project, rev: &str, folder: &Path) -> Result<(), CliError> {
    let files =
        features_before(project, rev).map_err(|source| CliError::Since { rev: rev.to_owned(), source })?;
    let features = folder.join(FEATURES);
    fs::create_dir_all(&features).map_err(|source| CliError::File {
        action: "create",
        path: features.clone(),
        source,
    })?;
    files.iter().try_for_each(|(path, bytes)| write(&features.join(path), bytes))
}

/// Every file of the features there, by its path below their folder.
fn features_before(project: &Project, rev: &str) -> Result<Vec<(PathBuf, Vec<u8>)>, git2::Error> {
    let repository = Repository::discover(&project.root)?;
    let theirs = repository.revparse_single(rev)?.peel_to_commit()?;
    let ours = repository.head()?.peel_to_commit()?;
    let base = repository.find_commit(repository.merge_base(ours.id(), theirs.id())?)?;
    // The project may stand below the root of the repository.
    let root = repository.workdir().and_then(|workdir| fs::canonicalize(workdir).ok());
    let here = fs::canonicalize(&project.root).unwrap_or_else(|_| project.root.clone());
    let below = root.and_then(|root| here.strip_prefix(root).map(Path::to_owned).ok()).unwrap_or_default();
    let tree = base.tree()?;
    let Ok(entry) = tree.get_path(&below.join(FEATURES)) else { return Ok(Vec::new()) };
    let mut files = Vec::new();
    entry.to_object(&repository)?.peel_to_tree()?.walk(TreeWalkMode::PreOrder, |folder, entry| {
        let blob = (entry.kind() == Some(ObjectType::Blob)).then(|| entry.to_object(&repository));
        if let (Some(Ok(object)), Ok(name)) = (blob, entry.name())
            && let Some(blob) = object.as_blob()
        {
            files.push((Path::new(folder).join(name), blob.content().to_owned()));
        }
        TreeWalkResult::Ok
    })?;
    Ok(files)
}

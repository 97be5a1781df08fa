//! Paths that git keeps through a program: `filter=NAME` in `.gitattributes`, with the program in the configuration.
//!
//! Mycelium runs no program of the user's configuration. What it would land on such a path is the content as it is, and
//! git would show the path as changed from then on.

use std::{collections::BTreeMap, path::PathBuf};

use git2::{AttrCheckFlags, AttrValue, Config, Index, Repository};
use mycelium_schemas::id::CommitId;

use super::{
    error::GitError,
    oid::commit_tree,
    tree::{as_path, printable},
    upstream::Upstream,
};

/// The keys that name a program of a filter.
const PROGRAMS: [&str; 3] = ["clean", "smudge", "process"];
const TYPE_MASK: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// The filters that keep a tracked file of the commit, or one of `more`, each with those paths in order.
///
/// Attributes are the commit's own and those of `info/attributes`. A filter without a program keeps nothing: git lands
/// and checks out the content as it is, too. Programs are looked for in the repository's configuration and in `others`,
/// the user's own and the machine's, which nothing else of Mycelium reads.
pub fn filtered(
    upstream: &Upstream,
    commit: &CommitId,
    more: &[String],
    others: &[PathBuf],
) -> Result<BTreeMap<String, Vec<String>>, GitError> {
    let repo = upstream.open()?;
    let configured = programs(&repo, others)?;
    let mut found = BTreeMap::new();
    if !configured.iter().any(has_filters) {
        return Ok(found);
    }
    let failed = || GitError::git(format!("read the attributes of the files of {commit}"));
    let mut index = Index::new().map_err(failed())?;
    index.read_tree(&commit_tree(&repo, commit)?).map_err(failed())?;
    let regular = |mode: u32| mode & TYPE_MASK == REGULAR;
    let mut paths: Vec<Vec<u8>> =
        index.iter().filter(|entry| regular(entry.mode)).map(|entry| entry.path).collect();
    paths.extend(more.iter().map(|path| path.clone().into_bytes()));
    repo.set_index(&mut index).map_err(failed())?;
    for path in paths {
        let value = repo.get_attr_bytes(as_path(&path), "filter", AttrCheckFlags::INDEX_ONLY);
        let AttrValue::String(name) = AttrValue::from_bytes(value.map_err(failed())?) else { continue };
        if configured.iter().any(|config| has_program(config, name)) {
            let paths: &mut Vec<String> = found.entry(name.to_owned()).or_default();
            paths.push(printable(&path));
        }
    }
    for paths in found.values_mut() {
        paths.sort();
        paths.dedup();
    }
    Ok(found)
}

/// The configurations that may name a program, as far as they are there.
fn programs(repo: &Repository, others: &[PathBuf]) -> Result<Vec<Config>, GitError> {
    let failed = || GitError::git("read the configuration of git");
    let mut configs = vec![repo.config().map_err(failed())?];
    for path in others.iter().filter(|path| path.is_file()) {
        configs.push(Config::open(path).map_err(failed())?);
    }
    Ok(configs)
}

fn has_filters(config: &Config) -> bool {
    let Ok(mut entries) = config.entries(Some("^filter\\..*\\.(clean|smudge|process)$")) else { return true };
    entries.next().is_some()
}

fn has_program(config: &Config, filter: &str) -> bool {
    PROGRAMS.iter().any(|key| {
        config.get_string(&format!("filter.{filter}.{key}")).is_ok_and(|program| !program.is_empty())
    })
}

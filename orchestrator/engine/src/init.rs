//! `mycelium init`: the first files of a project. Clobbers nothing without `force`.

use std::path::{Path, PathBuf};

use mycelium_schemas::answer::Written;

use crate::{
    error::Error,
    git::Upstream,
    project::Project,
    store::{make_dir, replace_file},
};

const GITIGNORE: &str =
    "# Runs, workspaces and logs; plan, configuration and doctor belong into the repository.\n/home/\n";

const DOCTOR: &str = "#!/bin/sh
# Decides whether a candidate may land: exit 0 lets it through, anything else does not.
# Runs in a fresh checkout of exactly the tree that would land.
set -eu
echo \"replace this with your build and tests, for example: cargo test, npm test, make check\"
exit 1
";

const PLAN: &str = "# What should be done

Describe the work here: `mycelium plan --input .mycelium/plan.md` hands it to the planner.
";

fn config(branch: &str) -> String {
    let branch = serde_json::Value::from(branch);
    format!(
        "# Every key and its default: docs/configuration.md of Mycelium.
integration_branch: {branch}
doctor: .mycelium/doctor.sh
max_parallel: 4
max_retries: 2
manifest_enforcement: warn
worker:
  agent: mock
# Resources that tasks lock, and the paths that belong to them:
# resources:
#   - name: database
#     paths: [\"migrations/**\"]
"
    )
}

/// Writes the files that are not there, or all of them with `force`. Says what became of each.
pub fn init(project: &Project, force: bool) -> Result<Vec<(PathBuf, Written)>, Error> {
    let upstream = Upstream::discover(&project.root)?;
    let branch = upstream.current_branch()?.unwrap_or_else(|| "main".to_owned());
    let dir = project.dir();
    make_dir(&dir)?;
    let files = [
        (project.config_path.clone(), config(&branch)),
        (dir.join("doctor.sh"), DOCTOR.to_owned()),
        (dir.join(".gitignore"), GITIGNORE.to_owned()),
        (dir.join("plan.md"), PLAN.to_owned()),
    ];
    files
        .into_iter()
        .map(|(path, content)| {
            let there = path.symlink_metadata().is_ok();
            if there && !force {
                return Ok((path, Written::Kept));
            }
            replace_file(&path, content.as_bytes(), mode(&path))?;
            Ok((path, if there { Written::Replaced } else { Written::Created }))
        })
        .collect()
}

/// A script is executable, every file is readable.
fn mode(path: &Path) -> u32 {
    if path.extension().is_some_and(|extension| extension == "sh") { 0o755 } else { 0o644 }
}

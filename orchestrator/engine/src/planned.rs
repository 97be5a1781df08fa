//! What the planner used for the tasks that are planned: kept beside its answers by the tasks that came of them, and with
//! each run of those.

use std::path::PathBuf;

use mycelium_schemas::{answer::PlanAsked, digest::sha256};

use crate::{error::Error, project::Project, redact::Redactor, store};

/// Hexadecimal digits of a plan's digest in a file's name.
const DIGEST_DIGITS: usize = 16;

/// Keeps the account of the plan with this index. Where nobody was asked, none is kept of the same tasks either.
pub(crate) fn keep(
    project: &Project,
    index: &str,
    asked: Option<&PlanAsked>,
    redactor: &Redactor,
) -> Result<(), Error> {
    let path = path(project, index.as_bytes());
    match asked {
        Some(asked) => store::write_artifact(&path, asked, redactor),
        None => store::remove_file(&path),
    }
}

/// The account of the tasks that are planned; none where nobody was asked for them, or they came from elsewhere.
pub fn account(project: &Project) -> Option<PlanAsked> {
    let index = store::read_file(&project.tasks_dir().join("plan.json")).ok()?;
    let account = store::read_file(&path(project, &index)).ok()?;
    serde_json::from_slice(&account).ok()
}

fn path(project: &Project, index: &[u8]) -> PathBuf {
    let digest = sha256(index);
    let name = format!("of-{}.json", digest.get(..DIGEST_DIGITS).unwrap_or_default());
    project.dir().join("plans").join(name)
}

//! Files that git keeps through a program are refused at the start.

use mycelium_core::plan::Plan;
use mycelium_schemas::id::CommitId;

use crate::{
    environment::Environment,
    error::Error,
    git::{self, Upstream},
    start::some_of,
};

/// Refuses a branch or a plan with files that git keeps through a program of the user's configuration, such as those
/// of Git LFS: what is landed on them would be the content as it is.
pub(crate) fn refuse_filters(
    upstream: &Upstream,
    base: &CommitId,
    environment: &Environment,
    plan: Option<&Plan>,
) -> Result<(), Error> {
    let globs = plan.into_iter().flat_map(Plan::tasks).flat_map(|task| &task.manifest.files.writes);
    let planned: Vec<String> = globs.map(|glob| example(glob.as_str())).collect();
    let found = git::filtered(upstream, base, &planned, &environment.git_configs())?;
    let Some((filter, paths)) = found.first_key_value() else { return Ok(()) };
    let (first, are) =
        (paths.first().map_or("", String::as_str), if paths.len() == 1 { "is" } else { "are" });
    Err(Error::Request {
        message: format!(
            "{} {are} kept through the filter {filter} (.gitattributes), which Mycelium does not run",
            some_of(paths)
        ),
        help: format!(
            "take the filter off in .gitattributes (`{first} -filter`), commit that with what `git add --renormalize .` \
             changes, or name an integration branch without such files"
        ),
    })
}

/// A path that the glob matches.
fn example(glob: &str) -> String {
    glob.replace("**", "x").replace(['*', '?'], "x")
}

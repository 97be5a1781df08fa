//! Work off the event loop: files, git, and processes that the kernel may take its time to end.

use std::path::{Path, PathBuf};

use tokio::sync::watch;

use crate::{error::Error, job::StopLevel, orphans, store};

/// Runs file and git work off the event loop.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Lost("a file operation"))?
}

/// Whether a stop was asked for, as work off the event loop asks between one file and the next. What it then gives up is
/// not judged any more.
pub(crate) fn ends(stop: &watch::Receiver<StopLevel>) -> impl Fn() -> bool + Send + 'static {
    let stop = stop.clone();
    move || *stop.borrow() > StopLevel::None
}

/// Removes folders that are no longer needed, off the event loop: an agent may have left many files. What a stop keeps it
/// from is for the next one to remove.
pub(crate) async fn tidy_all(
    folders: Vec<PathBuf>,
    ends: impl Fn() -> bool + Send + 'static,
) -> Result<(), Error> {
    blocking(move || {
        for folder in &folders {
            store::tidy_dir_unless(folder, &ends);
        }
        Ok(())
    })
    .await
}

/// Ends what runs in a workspace, or in one below the folder, and whatever else was left behind while no attempt is under
/// way; off the event loop, since the kernel may take its time.
pub(crate) async fn end_all_in(workspaces: &Path) -> Result<(), Error> {
    let workspaces = workspaces.to_owned();
    blocking(move || orphans::end_with_descendants(&workspaces).map(drop)).await
}

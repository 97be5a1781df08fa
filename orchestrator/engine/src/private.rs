//! Files and folders of the home: nobody but their owner may look into them, whatever the umask.

use std::{
    fs::{DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use crate::saboteur;

/// Mode of a file.
pub(crate) const FILE: u32 = 0o600;
const FOLDER: u32 = 0o700;

/// Makes a folder and those above it that are missing.
pub(crate) fn make_dirs(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER).create(path)
}

/// Makes a folder that must not be there.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER).create(path)
}

/// For opening a file that is made where it is missing.
pub(crate) fn open() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(if saboteur::is!("share-what-is-kept") { 0o666 } else { FILE });
    options
}

/// Writes a whole file, over an older one.
pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    open().write(true).create(true).truncate(true).open(path)?.write_all(content.as_ref())
}

//! Where the official test data lies. It is read there, never committed.

use std::path::{Path, PathBuf};

/// The folder, if this machine has it.
pub(crate) fn conformance_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("MYCELIUM_CONFORMANCE_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance"),
        PathBuf::from,
    );
    dir.is_dir().then_some(dir)
}

/// Says that nothing was tested.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
pub(crate) fn skip() {
    println!("skipped: no test data");
}

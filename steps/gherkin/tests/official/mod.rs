//! Where the official test data lies: where `MYCELIUM_CONFORMANCE_DIR` says. It is read there, never committed.

use std::path::PathBuf;

/// A part of the data by its name, where this machine has it.
pub(crate) fn data(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os("MYCELIUM_CONFORMANCE_DIR")?).join(name);
    path.exists().then_some(path)
}

/// Says that nothing was tested, for lack of this part.
#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
pub(crate) fn skip(name: &str) {
    println!("skipped: no {name} in MYCELIUM_CONFORMANCE_DIR");
}

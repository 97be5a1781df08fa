//! The scenarios of the repository, as one test: `cargo test --workspace` proves the promises too.

use std::{
    path::Path,
    process::{Command, Stdio},
};

#[test]
fn every_scenario_passes() {
    // Not the default folder: whoever runs the tests keeps the report of the last `accept`.
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("acceptance");
    let status = Command::new(env!("CARGO_BIN_EXE_accept"))
        .arg("run")
        .arg("--out")
        .arg(&out)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "accept run: {status}; see {}", out.display());
}

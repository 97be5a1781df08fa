//! The way from the start of `accept run` to the first step: the program under test is a script that notes, when a step
//! starts it, what the runner and its supervisor have spent.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use crate::measure::{Failed, Figures, middle};

const ROUNDS: usize = 9;
/// What is before the step that starts the program counts as well, which is little here.
const FEATURE: &str = "\
@G1.6 @tier1 @mock
Feature: G1.6 The way to the first step

  Scenario: The program is started at once
    Given a folder that is not a git repository
    When I run \"mycelium status\"
    Then no run was created
";

pub(crate) fn measure(figures: &mut Figures) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let note = folder.path().join("note");
    let program = folder.path().join("program");
    fs::write(&program, script(&note))?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))?;
    let feature = folder.path().join("G1.6-the-first-step.feature");
    fs::write(&feature, FEATURE)?;
    let mut spent = Vec::new();
    for _ in 0..ROUNDS {
        let output = Command::new(env!("CARGO_BIN_EXE_accept"))
            .arg("run")
            .arg(&feature)
            .arg("--bin")
            .arg(&program)
            .arg("--out")
            .arg(folder.path().join("out"))
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .output()?;
        // What comes of the run does not matter; that the step came does.
        let note_text = fs::read_to_string(&note)
            .map_err(|_| format!("no step was started: {}", String::from_utf8_lossy(&output.stderr)))?;
        fs::remove_file(&note)?;
        spent.push(nanoseconds(&note_text) / 1e6);
    }
    figures.add("CPU from the start of accept run to the first step", middle(spent), 30.0, "ms");
    Ok(())
}

/// Answers to `--version --json`; else writes down the scheduler's account of its parent and of that one's parent.
fn script(note: &Path) -> String {
    format!(
        "#!/bin/sh\n\
         case \"$*\" in *--version*) echo '{{\"name\": \"mycelium\"}}'; exit 0;; esac\n\
         while read -r key value; do [ \"$key\" != PPid: ] || above=$value; done </proc/$PPID/status\n\
         [ -e '{note}' ] || cat /proc/$PPID/task/*/schedstat /proc/$above/task/*/schedstat >'{note}'\n",
        note = note.display()
    )
}

/// The sum of the time on a CPU, the first number of each line.
fn nanoseconds(account: &str) -> f64 {
    account.lines().filter_map(|line| line.split_whitespace().next()?.parse::<f64>().ok()).sum()
}

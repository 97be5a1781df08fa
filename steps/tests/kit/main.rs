//! The official compatibility kit: every sample runs through this runner, with step definitions after the sample's own,
//! and its stream of messages is compared with the official one.
//!
//! What is not compared: ids (only what refers to what), times, file names of step definitions, `meta`, the order of
//! scenarios (ours follows from the seed), the text of snippets, the stack of an error, the reason of a failed run, and
//! the attachments that this runner adds. Samples of what the runner leaves out are named with the reason.

#![expect(clippy::unwrap_used, reason = "a test that cannot set up what it needs has failed")]

mod canonical;
mod kit;
mod run;
mod samples;

use std::{env, fs, path::PathBuf};

/// The official samples are read where `MYCELIUM_CONFORMANCE_DIR` says that they lie, never committed. They must lie there
/// where it says so.
fn folder() -> Option<PathBuf> {
    Some(PathBuf::from(env::var_os("MYCELIUM_CONFORMANCE_DIR")?).join("cck-samples"))
}

#[test]
fn every_sample_gives_the_official_messages_or_is_left_out_with_a_reason() {
    let Some(folder) = folder() else {
        println!("skipped: MYCELIUM_CONFORMANCE_DIR is not set");
        return;
    };
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap_or_else(|why| panic!("{}: {why}", folder.display()))
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let (mut equal, mut on_purpose, mut left_out, mut wrong) = (0, 0, 0, Vec::new());
    for name in &names {
        let verdict = match kit::treatment(name) {
            None => "NOT KNOWN to this test".to_owned(),
            Some(kit::Treatment::LeftOut(why)) => {
                left_out += 1;
                println!("left out  {name}: {why}");
                continue;
            }
            Some(kit::Treatment::Run { run, differs }) => {
                let folder = folder.join(name);
                let found = canonical::canonical(&run(&folder));
                let mut wanted =
                    canonical::canonical(&canonical::read(&folder.join(format!("{name}.ndjson"))));
                if let Some((_, change)) = differs {
                    let before = wanted.clone();
                    change(&mut wanted);
                    assert_ne!(wanted, before, "{name}: the difference on purpose is none");
                }
                match (canonical::difference(&wanted, &found), differs) {
                    (None, None) => {
                        equal += 1;
                        println!("equal     {name}");
                        continue;
                    }
                    (None, Some((why, _))) => {
                        on_purpose += 1;
                        println!("equal but {name}: {why}");
                        continue;
                    }
                    (Some(difference), _) => difference,
                }
            }
        };
        println!("WRONG     {name}");
        wrong.push(format!("{name}: {verdict}"));
    }
    println!(
        "compatibility kit: {} samples: {equal} equal, {on_purpose} equal but for what is told, {left_out} left out, {} wrong",
        names.len(),
        wrong.len()
    );
    assert!(names.len() >= 46, "only {} samples in {}", names.len(), folder.display());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

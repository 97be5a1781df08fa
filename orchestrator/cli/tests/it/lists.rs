//! A list of paths may be of any length: people are told its begin and how much is left out, programs all of it.

use crate::{place::Place, plans::ONE};

/// A place whose agent writes thirty files that no manifest names; by name the ninth is the last.
fn strayed(more: &str) -> Place {
    let agent = "seq -f stray%g.txt 30 | xargs touch && echo one > src/one.js";
    Place::with_plan(&format!("{more}worker:\n  agent: command\n  command: {agent}\n"), ONE)
}

#[test]
fn a_list_of_paths_is_bounded_for_people_and_whole_for_programs() {
    let mut place = strayed("");
    let run = place.run(&["run", "--run-id", "r1"]).exits(0).complains(&[
        "outside its manifest: stray1.txt, stray10.txt, ",
        "… and 20 more; see compliance.json",
        "manifest widened by stray1.txt, ",
    ]);
    assert!(!run.stderr.contains("stray9.txt"), "{run:#?}");
    for words in [&["status"][..], &["review", "show", "001"]] {
        let shown = place.run(words).exits(0);
        assert!(shown.stdout.contains("also allows stray1.txt, stray10.txt, "), "{shown:#?}");
        assert!(shown.stdout.contains("… and 20 more; --json names them"), "{shown:#?}");
        assert!(!shown.stdout.contains("stray9.txt"), "{shown:#?}");
        let whole = place.run(&[words, &["--json"]].concat()).exits(0);
        assert!(whole.stdout.contains("stray8.txt, stray9.txt"), "{whole:#?}");
    }
}

#[test]
fn so_is_one_in_what_failed() {
    let mut place = strayed("manifest_enforcement: block\n");
    place.run(&["run"]).exits(1).complains(&["blocked, outside its manifest: stray1.txt, "]);
    let failures = place.run(&["logs", "failures"]).exits(0);
    assert!(failures.stdout.contains("… and 20 more; --json names them"), "{failures:#?}");
    assert!(!failures.stdout.contains("stray9.txt"), "{failures:#?}");
    let whole = place.run(&["logs", "failures", "--json"]).exits(0);
    assert!(whole.stdout.contains("stray8.txt, stray9.txt"), "{whole:#?}");
}

//! The ordinary program lacks every fault point and every saboteur, and the engine has no effect without a fault point.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use regex::Regex;

/// Calls that change the world. Each stands inside `fault::point!`, `fault::write_all!` or `fault::lock!`.
const EFFECTS: &str = r"private::(write|make_dir|make_dirs)\(|fs::(write|rename|copy|hard_link|create_dir|create_dir_all|remove_file|remove_dir|remove_dir_all|set_permissions)\(|\bsymlink\(|\bFile::create\(|renameat\(|renameat_with\(|unlinkat\(|\.(write_all|sync_all|sync_data|set_len|spawn|tempdir_in|tempfile_in|persist|lock_ref|set_target|checkout_index|blob|reference)\(";

/// Effects on nothing of the disk: a pipe to a child, tasks of the runtime.
const NO_EFFECT: [&str; 3] = ["stdin.write_all(", "tokio::spawn(", "attempts.spawn("];

/// Where points are made, and where files get their modes: whoever calls it holds the point. The relay is a process of its
/// own in a container, whose end is the agent's: the points `engine.*` disturb that.
const WITHIN_POINTS: [&str; 3] = ["fault.rs", "private.rs", "relay.rs"];

fn engine() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../orchestrator/engine/src")
}

/// The engine's sources, each without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let files = walkdir::WalkDir::new(engine()).into_iter().map(|entry| entry.unwrap().into_path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| {
            let left_out = ["tests", "fault", "saboteur"];
            !path.components().any(|part| left_out.iter().any(|name| part.as_os_str() == *name))
        })
        .filter(|path| !WITHIN_POINTS.iter().any(|name| path.file_name().is_some_and(|file| file == *name)))
        .map(|path| {
            let program = without_tests(&fs::read_to_string(&path).unwrap());
            (path, program)
        })
        .collect()
}

/// A source without its modules of tests: each ends with the brace that is not indented. A module in a file of its own
/// takes nothing of this one with it.
fn without_tests(text: &str) -> String {
    let tests = Regex::new(r"(?ms)^#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*mod \w+ \{$.*?^\}$").unwrap();
    tests.replace_all(text, "").into_owned()
}

#[test]
fn what_stands_behind_the_name_of_a_module_of_tests_is_looked_at() {
    let text = "mod a;\n#[cfg(test)]\nmod tests;\n\nfn b() {\n}\n\n#[cfg(test)]\nmod c {\n    fn d() {\n    }\n}\nfn e() {}\n";
    assert_eq!(without_tests(text), "mod a;\n#[cfg(test)]\nmod tests;\n\nfn b() {\n}\n\n\nfn e() {}\n");
}

/// A text without the calls of the two macros.
fn outside_of_points(text: &str) -> String {
    let begin = Regex::new(r"fault::(point|write_all|lock)!\(").unwrap();
    let mut kept = String::new();
    let mut rest = text;
    while let Some(found) = begin.find(rest) {
        kept.push_str(&rest[..found.start()]);
        rest = &rest[found.end()..];
        let mut open = 1;
        let end = rest.find(|c| {
            open += match c {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            open == 0
        });
        rest = &rest[end.unwrap()..];
    }
    kept + rest
}

fn points() -> BTreeSet<String> {
    let name = Regex::new(r#"fault::(?:point|write_all|lock)!\(\s*"([^"]+)""#).unwrap();
    let texts: Vec<String> = sources().into_iter().map(|(_, text)| text).collect();
    texts.iter().flat_map(|text| name.captures_iter(text)).map(|found| found[1].to_owned()).collect()
}

fn saboteurs() -> BTreeSet<String> {
    let name = Regex::new(r#"saboteur::is!\("([^"]+)"\)"#).unwrap();
    let texts: Vec<String> = sources().into_iter().map(|(_, text)| text).collect();
    // That of private.rs, which holds no points.
    let private = fs::read_to_string(engine().join("private.rs")).unwrap();
    let texts = texts.iter().chain([&private]);
    texts.flat_map(|text| name.captures_iter(text)).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_effect_of_the_engine_has_a_fault_point() {
    let effect = Regex::new(EFFECTS).unwrap();
    let mut bare = Vec::new();
    for (path, text) in sources() {
        for line in outside_of_points(&text).lines().filter(|line| !line.trim_start().starts_with("//")) {
            let harmless = NO_EFFECT.iter().any(|harmless| line.contains(harmless));
            if effect.is_match(line) && !harmless {
                bare.push(format!("{}: {}", path.display(), line.trim()));
            }
        }
    }
    assert!(
        bare.is_empty(),
        "wrap these in `fault::point!`, `fault::write_all!` or `fault::lock!`:\n{}",
        bare.join("\n")
    );
}

#[test]
fn goals_declare_exactly_the_saboteurs_that_there_are() {
    let declared = Regex::new(r"(?m)^saboteurs: \[(.*)\]$").unwrap();
    let goals = Path::new(env!("CARGO_MANIFEST_DIR")).join("../traceability/goals");
    let texts = fs::read_dir(goals).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
    let names: BTreeSet<String> = texts
        .map(|text| declared.captures(&text).unwrap()[1].to_owned())
        .flat_map(|names| names.split(", ").map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(names, saboteurs());
}

#[test]
fn every_saboteur_is_described_with_the_goals_that_declare_it() {
    let row = Regex::new(r"(?m)^\| `([^`]+)` \| .+ \| (G[\d.G, ]+) \|$").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/saboteurs.md")).unwrap();
    let described: BTreeSet<String> = row.captures_iter(&page).map(|found| found[1].to_owned()).collect();
    assert_eq!(described, saboteurs());
    for found in row.captures_iter(&page) {
        for goal in found[2].split(", ") {
            let text = fs::read_to_string(root.join(format!("traceability/goals/{goal}.yaml"))).unwrap();
            assert!(text.contains(&found[1]), "{goal} does not declare {}", &found[1]);
        }
    }
}

#[test]
fn the_ordinary_program_lacks_them() {
    let (points, saboteurs) = (points(), saboteurs());
    assert!(points.len() > 50, "only {} points were found in the engine's sources", points.len());
    assert!(saboteurs.len() > 12, "only {} saboteurs were found in the engine's sources", saboteurs.len());
    let program = ordinary_program();
    let answer = Command::new(&program).args(["--version", "--json"]).output().unwrap();
    let version: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(version["features"], serde_json::json!([]));
    for command in ["fault-points", "saboteurs"] {
        assert!(!Command::new(&program).arg(command).output().unwrap().status.success(), "{command}");
    }

    let bytes = fs::read(&program).unwrap();
    let names = points.iter().chain(&saboteurs).map(String::as_str);
    let wanted = names.chain(["MYCELIUM_FAULT", "MYCELIUM_SABOTEUR", "run.complete"]).collect();
    let found = found_in(&bytes, &wanted);
    assert_eq!(found, BTreeSet::from(["run.complete"]), "of its texts only the one that it has is found");
}

/// Which of the texts the bytes hold, in one pass over them.
fn found_in<'a>(bytes: &[u8], texts: &BTreeSet<&'a str>) -> BTreeSet<&'a str> {
    let mut begins = [false; 256];
    for text in texts {
        begins[usize::from(text.as_bytes()[0])] = true;
    }
    let mut found = BTreeSet::new();
    for (at, byte) in bytes.iter().enumerate() {
        if begins[usize::from(*byte)] {
            found.extend(texts.iter().filter(|text| bytes[at..].starts_with(text.as_bytes())));
        }
    }
    found
}

/// Built as `accept` builds the program that it tests.
fn ordinary_program() -> PathBuf {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().exec().unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--package", "mycelium", "--bin", "mycelium"])
        .current_dir(&metadata.workspace_root)
        .status()
        .unwrap();
    assert!(built.success());
    metadata.target_directory.join("debug/mycelium").into()
}

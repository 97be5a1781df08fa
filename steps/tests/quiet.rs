//! Whatever a step and the programs that it starts say belongs to its scenario. Scenarios run side by side in one process,
//! so what is printed, or written to an inherited stream, could not be told apart.

use std::{fs, path::Path};

/// What says something past the scenario's log, and what to use instead.
const LOUD: [(&str, &str); 9] = [
    ("print!(", "`world.say`"),
    ("println!(", "`world.say`"),
    ("eprint!(", "`world.say`"),
    ("eprintln!(", "`world.say`"),
    ("dbg!(", "`world.say`"),
    ("stdout()", "`world.say`"),
    ("stderr()", "`world.say`"),
    (".status()", "`output()`, or the process of `mycelium_fixtures`"),
    (".spawn()", "`output()`, or the process of `mycelium_fixtures`"),
];

/// The places of a text that say something past the log.
fn loud(name: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|(index, line)| {
            LOUD.iter()
                .filter(move |(word, _)| begins_word(line, word))
                .map(move |(word, instead)| format!("{name}:{}: `{word}`; use {instead}", index + 1))
        })
        .collect()
}

/// Whether a word is in a line, and not only the end of a longer one.
fn begins_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        word.starts_with('.') || !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

#[test]
fn no_step_says_anything_past_the_log_of_its_scenario() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = 0;
    let mut found = Vec::new();
    for part in ["given", "when", "then", "world"] {
        for entry in walkdir::WalkDir::new(root.join(part)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                found.extend(loud(&path.display().to_string(), &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files >= 30, "only {files} files with steps");
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn each_way_to_say_something_past_the_log_is_noticed() {
    for (word, _) in LOUD {
        assert_eq!(
            loud("a.rs", &format!("    let x = y;\n    z = a{word}b);\n")).len(),
            usize::from(word.starts_with('.'))
        );
        assert_eq!(loud("a.rs", &format!("    let x = y;\n    (a){word}b);\n")).len(), 1, "{word}");
        assert_eq!(loud("a.rs", &format!("// {word}")), Vec::<String>::new());
    }
}

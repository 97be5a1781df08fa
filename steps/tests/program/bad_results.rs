//! Results that are no basis for a verdict: whatever is torn, foreign, doubled, of another version or empty is bad input
//! with its place, in every command that reads results.

use std::fs;

use crate::checkout::Checkout;

const STREAM: &str = "out/messages.ndjson";

/// A checkout in which everything ran once.
fn ran() -> Checkout {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    assert_eq!(checkout.accept("run --bin program --out out").code, Some(0));
    checkout
}

/// What somebody may do to a stream, given its lines, and what is said about it.
type Damage = (&'static str, fn(&[&str]) -> String, &'static str);

const DAMAGES: [Damage; 9] = [
    ("empty", |_| String::new(), "line 1: the stream is empty"),
    ("another format", |_| "<testsuites/>\n".to_owned(), "line 1: this is not a message"),
    (
        "cut within its last line",
        |lines| lines.join("\n")[..lines.join("\n").len() - 9].to_owned(),
        "this is not a message",
    ),
    (
        "cut before its last line",
        |lines| lines[..lines.len() - 1].join("\n"),
        "the stream has no `testRunFinished` message",
    ),
    (
        "of another tool",
        |lines| {
            let own = |line: &&&str| !line.contains("application/vnd.mycelium");
            lines.iter().filter(own).copied().collect::<Vec<_>>().join("\n")
        },
        "the stream has no description of the run",
    ),
    ("with a scenario twice", |lines| twice(lines, "{\"pickle\":"), "stands here a second time"),
    ("with an attempt twice", |lines| twice(lines, "{\"testCaseStarted\":"), "stands here a second time"),
    (
        "of a newer protocol",
        |lines| lines.join("\n").replacen("\"protocolVersion\":\"", "\"protocolVersion\":\"9", 1),
        "line 1: the protocol version is \"9",
    ),
    (
        "with attachments of a newer version",
        |lines| lines.join("\n").replace("vnd.mycelium.assertion+json", "vnd.mycelium.assertion+json;v=2"),
        "the media type is",
    ),
];

fn twice(lines: &[&str], start: &str) -> String {
    let doubled = lines.iter().flat_map(|line| {
        let times = if line.starts_with(start) { 2 } else { 1 };
        std::iter::repeat_n(*line, times)
    });
    doubled.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_damaged_stream_is_bad_input_with_its_line_for_whoever_reads_it() {
    let checkout = ran();
    let good = fs::read_to_string(checkout.path(STREAM)).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    for (name, damage, why) in DAMAGES {
        let damaged = damage(&lines);
        assert_ne!(damaged, good, "{name} changes nothing");
        checkout.write(STREAM, &damaged);
        for command in [
            "gate --out out --bin program",
            "report --out out --bin program",
            "matrix --check --out out --bin program",
            "merge out --out merged",
        ] {
            let answer = checkout.accept(command);
            assert_eq!(answer.code, Some(2), "{name}, {command}: {}", answer.err);
            let place = "out/messages.ndjson is not a whole stream of results:\nline ";
            assert!(answer.err.contains(place), "{name}, {command}: {}", answer.err);
            assert!(answer.err.contains(why), "{name}, {command}: {}", answer.err);
        }
    }
    assert!(!checkout.path("merged").exists() && !checkout.path("docs").exists(), "something was written");
}

#[test]
fn parts_of_different_trees_or_states_of_the_tree_are_never_one_run() {
    let checkout = Checkout::new();
    checkout.program("exit 0");
    checkout.write(".gitignore", "one\ntwo\nthree\nmerged\nprogram\n");
    checkout.commit();
    checkout.accept("run --bin program --out one --shard 1/2");
    checkout.write("README.md", "a change\n");
    checkout.accept("run --bin program --out two --shard 2/2");
    checkout.commit();
    checkout.accept("run --bin program --out three --shard 2/2");
    for (parts, what) in [("one two", "states of the working tree"), ("one three", "trees")] {
        let answer = checkout.accept(&format!("merge {parts} --out merged"));
        assert_eq!(answer.code, Some(2), "{}", answer.err);
        assert!(answer.err.contains(&format!("about different {what}: ")), "{}", answer.err);
        for part in parts.split(' ') {
            assert!(answer.err.contains(part), "{}", answer.err);
        }
    }
}

#[test]
fn an_empty_tier_is_no_verdict() {
    // The checkout has one goal, of Tier 1.
    let answer = ran().accept("gate --out out --bin program --json");
    assert_eq!(answer.code, Some(2), "{}", answer.err);
    assert_eq!(answer.json()["outcome"], "bad-input");
    assert!(answer.out.contains("Tier 0 has no goal"), "{}", answer.out);
}

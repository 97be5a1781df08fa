//! docs/first-feature.md: what it says that `accept` said is what `accept` says. The program under test is a stand-in that
//! says what the page says it did; seeds, times and counts may differ.

use std::{fs, path::Path};

use regex::Regex;
use walkdir::WalkDir;

use crate::checkout::{Answer, Checkout};

const FEATURE: &str = "features/tier1/G1.6-status-reflects-reality.feature";

/// A checkout with the features and goals of this repository, and the page.
struct Session {
    checkout: Checkout,
    page: String,
}

impl Session {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let checkout = Checkout::new();
        fs::remove_dir_all(checkout.path("features")).unwrap();
        fs::remove_dir_all(checkout.path("traceability")).unwrap();
        for folder in ["features", "traceability"] {
            for entry in WalkDir::new(root.join(folder)) {
                let entry = entry.unwrap();
                if entry.file_type().is_file() {
                    let name = entry.path().strip_prefix(&root).unwrap().to_str().unwrap();
                    checkout.write(name, &fs::read_to_string(entry.path()).unwrap());
                }
            }
        }
        let page = fs::read_to_string(root.join("docs/first-feature.md")).unwrap();
        Self { checkout, page }
    }

    /// The blocks of a language on the page.
    fn blocks(&self, language: &str) -> Vec<&str> {
        let fence = format!("```{language}\n");
        let parts = self.page.split(&fence).skip(1);
        parts.map(|rest| rest.split_once("```").unwrap().0).collect()
    }

    /// A command of the page and what it is said to have said.
    fn told(&self, number: usize) -> (&str, &str) {
        let block = self.blocks("console")[number];
        block.strip_prefix("$ cargo accept ").unwrap().split_once('\n').unwrap()
    }

    /// Follows a command of the page.
    fn follow(&self, number: usize, options: &str) {
        let (command, told) = self.told(number);
        let (name, argument) = command.split_once(' ').unwrap();
        let mut accept = self.checkout.command(&format!("{name} {options}"));
        accept.arg(argument.trim_matches('"'));
        let answer = Answer::new(&accept.output().unwrap());
        let said = format!("{}{}", answer.out, answer.err);
        assert_eq!(self.comparable(said.trim()), self.comparable(told.trim()), "{command}");
    }

    /// A text without what is another one each time.
    fn comparable(&self, text: &str) -> String {
        let root = format!("{}/", self.checkout.path("").display()).replace("//", "/");
        let mut text = text.replace(&root, "");
        for (pattern, instead) in [
            (r"seed \d+", "seed S"),
            (r"\d+\.\d s", "T s"),
            (r"\d+ scenarios at a time", "N scenarios at a time"),
            (r"used \d+ times", "used N times"),
            (r" --bin \S+", ""),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, instead).into_owned();
        }
        text
    }
}

#[test]
fn the_session_of_the_page_is_what_accept_says() {
    let session = Session::new();
    let Session { checkout, page } = &session;
    session.follow(0, "");
    let feature = fs::read_to_string(checkout.path(FEATURE)).unwrap();
    let scenario = session.blocks("gherkin")[0];
    assert!(scenario.contains("Then the exit code was 2"), "{scenario}");
    let becomes = |step: &str| {
        assert!(page.contains(&format!("`{step}`")), "the page does not say {step}");
        checkout
            .write(FEATURE, &format!("{feature}\n{}", scenario.replace("Then the exit code was 2", step)));
    };
    checkout.write(FEATURE, &format!("{feature}\n{scenario}"));
    session.follow(1, "");
    becomes("Then the exit code is 0");
    session.follow(2, "");
    let said: Vec<&str> =
        session.told(3).1.lines().filter_map(|line| line.strip_prefix("  | ")).skip(1).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    let refusal = format!("printf '%s\\n' '{}' '{}' >&2; exit 2", said[0], said[1]);
    checkout.program(&format!("case \"$1\" in status) {refusal};; esac"));
    let program = format!("--bin {}", checkout.path("program").display());
    session.follow(3, &program);
    becomes("Then the exit code is 2");
    session.follow(4, &program);
}

//! Which failures share a cause: those whose step and message are the same but for what differs by accident. Most flaky
//! tests fail together with others (arXiv 2504.16777), so counting scenarios would count one cause many times.

use mycelium_schemas::{digest::sha256, flake::FailureMark};

/// Digits of the digest that name a cluster: enough to tell the failures of one history apart.
const NAME_DIGITS: usize = 16;
/// Characters of a message that are kept to be shown.
const SHOWN_MAX: usize = 160;

/// The mark of a failure.
pub fn mark(step: &str, message: &str) -> FailureMark {
    let (step, message) = (normalised(step), normalised(message));
    let mut cluster = sha256(format!("{step}\0{message}").as_bytes());
    cluster.truncate(NAME_DIGITS);
    let first = message.lines().next().unwrap_or_default();
    FailureMark { cluster, step, message: first.chars().take(SHOWN_MAX).collect() }
}

/// A text with each path as `<path>` and each number or digest as `#`, and no blank line.
fn normalised(text: &str) -> String {
    let lines = text.lines().map(|line| line.split_whitespace().map(word).collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

fn word(word: &str) -> String {
    const AROUND: [char; 11] = ['"', '\'', '`', '(', ')', '[', ']', ',', ';', ':', '.'];
    let core = word.trim_matches(AROUND);
    if core.starts_with('/') && core.len() > 1 {
        return word.replacen(core, "<path>", 1);
    }
    numbers(word)
}

/// A word with each run of hexadecimal digits that holds a digit as `#`: numbers, durations, ids of commits.
fn numbers(word: &str) -> String {
    let mut result = String::new();
    let mut rest = word;
    while let Some(c) = rest.chars().next() {
        let run = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
        let has_digit = rest[..run].bytes().any(|byte| byte.is_ascii_digit());
        if has_digit {
            result.push('#');
            rest = fraction_cut(&rest[run..]);
        } else {
            let taken = run.max(c.len_utf8());
            result.push_str(&rest[..taken]);
            rest = &rest[taken..];
        }
    }
    result
}

/// What follows a number, without its decimals.
fn fraction_cut(rest: &str) -> &str {
    let decimals = rest.strip_prefix('.').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    decimals.map_or(rest, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_cause_have_one_mark_whatever_numbers_and_folders_say() {
        let one = mark(
            "Then the task \"001\" is landed",
            "expected exit code 0, found 70\n\n  in /tmp/accept-Xy1/scenario-a b: 12.5 ms at 3f9c2d1",
        );
        let other = mark(
            "Then the task \"002\" is landed",
            "expected exit code 0, found 4\n  in /var/x/scenario-9 b: 7 ms  at 00aa11bb22",
        );
        assert_eq!(one, other);
        assert_eq!(one.message, "expected exit code #, found #");
        assert_eq!(one.cluster.len(), NAME_DIGITS);
    }

    #[test]
    fn failures_at_other_steps_or_with_other_words_are_others() {
        let base = mark("Then a", "expected landed, found failed");
        assert_ne!(base.cluster, mark("Then b", "expected landed, found failed").cluster);
        assert_ne!(base.cluster, mark("Then a", "expected landed, found running").cluster);
        assert_ne!(base.cluster, mark("Then a", "").cluster);
    }

    #[test]
    fn words_of_hexadecimal_letters_and_other_scripts_stay() {
        assert_eq!(
            normalised("a bad face é 日本3本 (/a/b/c) \"/x\"."),
            "a bad face é 日本#本 (<path>) \"<path>\"."
        );
        assert_eq!(normalised("/ alone"), "/ alone");
    }
}

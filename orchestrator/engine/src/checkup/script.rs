//! Whether a doctor script can fail, as far as its text tells. Nothing is run; what is not certain is plausible.

/// What the text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing speaks against it.
    Plausible,
    /// It ends with 0 whatever happens.
    CannotFail,
    /// It ends with something else whatever happens.
    AlwaysFails,
}

/// Judges the text of a script. Only what `sh` and its like would run is understood.
pub(super) fn judge(text: &str) -> Verdict {
    let first = text.lines().next().unwrap_or_default();
    let shebang = first.strip_prefix("#!");
    if shebang.is_some_and(|line| !line.split(['/', ' ']).any(|word| word.ends_with("sh"))) {
        return Verdict::Plausible;
    }
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let idle = lines.iter().all(|line| is_idle(line));
    match lines.last() {
        Some(&"exit 1" | &"false") if lines[..lines.len() - 1].iter().all(|line| is_idle(line)) => {
            Verdict::AlwaysFails
        }
        _ if idle => Verdict::CannotFail,
        Some(&"exit 0" | &"true" | &":") if !may_end_early(&lines, shebang) => Verdict::CannotFail,
        _ => Verdict::Plausible,
    }
}

/// A command that always succeeds and tests nothing.
fn is_idle(line: &str) -> bool {
    let simple = !line.contains(['|', '&', ';', '`', '$', '>', '<']);
    let command = line.split_whitespace().next().unwrap_or_default();
    simple
        && (matches!(command, "true" | ":" | "echo" | "printf" | "set") || line == "exit 0" || line == "exit")
}

/// True where a failure in the middle may end the script.
fn may_end_early(lines: &[&str], shebang: Option<&str>) -> bool {
    let stops = |word: &str| word.starts_with('-') && word.contains('e');
    shebang.is_some_and(|line| line.split_whitespace().skip(1).any(stops))
        || lines.iter().any(|line| {
            let words: Vec<&str> = line.split([' ', ';', '\t']).collect();
            let sets = words[0] == "set" && words.iter().any(|word| stops(word) || *word == "errexit");
            // Without a number it exits with what the command before it did.
            let is_zero = |next: usize| words.get(next).is_some_and(|code| *code == "0");
            let exits = (1..).zip(&words).any(|(next, word)| *word == "exit" && !is_zero(next));
            sets || exits || words.contains(&"exec") || words.contains(&"trap") || words.contains(&"return")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_certain_is_said() {
        for (text, verdict) in [
            ("", Verdict::CannotFail),
            ("#!/bin/sh\nexit 0\n", Verdict::CannotFail),
            ("#!/bin/sh\n# tests\necho fine\n", Verdict::CannotFail),
            ("#!/bin/sh\ncargo test\nexit 0\n", Verdict::CannotFail),
            ("#!/bin/sh\ncargo test\ntrue\n", Verdict::CannotFail),
            ("#!/bin/sh\nset -eu\ncargo test\nexit 0\n", Verdict::Plausible),
            ("#!/bin/sh -e\ncargo test\nexit 0\n", Verdict::Plausible),
            ("#!/bin/bash\nset -o errexit\ncargo test\nexit 0\n", Verdict::Plausible),
            ("#!/bin/sh\ncargo test || exit 1\nexit 0\n", Verdict::Plausible),
            ("#!/bin/sh\ncargo test || exit\nexit 0\n", Verdict::Plausible),
            ("#!/bin/sh\ncargo test || exit 0\nexit 0\n", Verdict::CannotFail),
            ("#!/bin/sh\ncargo test\n", Verdict::Plausible),
            ("cargo test\n", Verdict::Plausible),
            ("#!/bin/sh\necho $(make check)\n", Verdict::Plausible),
            ("#!/usr/bin/env python3\nprint(1)\n", Verdict::Plausible),
            ("#!/usr/bin/env bash\ntrue\n", Verdict::CannotFail),
            ("#!/bin/sh\nset -eu\necho \"replace this\"\nexit 1\n", Verdict::AlwaysFails),
            ("#!/bin/sh\nmake check && exit 0\nexit 1\n", Verdict::Plausible),
        ] {
            assert_eq!(judge(text), verdict, "{text:?}");
        }
    }
}

//! Runs the frozen doctor script on a candidate (design 3.2).

use std::{fs, path::Path};

use crate::error::{Error, IoContext};

/// The interpreter of a script's first line and its argument, or `sh` without one.
///
/// The interpreter is started rather than the file, so that the frozen copy needs no executable bit and a file that
/// was written a moment ago is never "busy".
pub fn interpreter(script: &Path) -> Result<(String, Option<String>), Error> {
    Ok(interpreter_in(&fs::read(script).at("read", script)?))
}

/// The programs that a script needs to be started: its interpreter, and what `env` is to find where that is `env`.
pub(crate) fn programs(content: &[u8]) -> Vec<String> {
    let (interpreter, argument) = interpreter_in(content);
    let is_env = interpreter.rsplit('/').next() == Some("env");
    let found = argument.as_deref().filter(|_| is_env).and_then(|argument| {
        let mut words = argument.split_whitespace();
        words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
    });
    [interpreter].into_iter().chain(found).collect()
}

fn interpreter_in(content: &[u8]) -> (String, Option<String>) {
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = first.strip_prefix(b"#!").and_then(|rest| std::str::from_utf8(rest).ok()).unwrap_or("");
    // As the kernel does it: an interpreter and at most one argument.
    let (interpreter, argument) = match line.trim().split_once([' ', '\t']) {
        Some((interpreter, argument)) => (interpreter, argument.trim()),
        None => (line.trim(), ""),
    };
    let interpreter = if interpreter.is_empty() { "sh" } else { interpreter };
    let argument = Some(argument.to_owned()).filter(|argument| !argument.is_empty());
    (interpreter.to_owned(), argument)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("doctor");
        for (content, interpreter_of_it, argument) in [
            ("#!/bin/sh\nexit 0\n", "/bin/sh", None),
            ("#!/usr/bin/env -S python3 -u\n", "/usr/bin/env", Some("-S python3 -u")),
            ("exit 0\n", "sh", None),
            ("", "sh", None),
        ] {
            fs::write(&script, content).unwrap();
            let expected = (interpreter_of_it.to_owned(), argument.map(str::to_owned));
            assert_eq!(interpreter(&script).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_looked_for_is_what_starts_the_script() {
        for (content, expected) in [
            ("#!/bin/bash -e\n", &["/bin/bash"][..]),
            ("#!/usr/bin/env bash\n", &["/usr/bin/env", "bash"]),
            ("#!/usr/bin/env -S A=b python3 -u\n", &["/usr/bin/env", "python3"]),
            ("true\n", &["sh"]),
        ] {
            assert_eq!(programs(content.as_bytes()), expected);
        }
    }
}

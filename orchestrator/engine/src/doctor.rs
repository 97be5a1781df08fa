//! Runs the frozen doctor script on a candidate (design 3.2).

use std::{ffi::OsString, fs, path::Path};

use crate::error::{Error, IoContext};

/// Program and arguments for a script: the interpreter of its first line, or `sh` without one.
///
/// The interpreter is started rather than the file, so that the frozen copy needs no executable bit and a file that
/// was written a moment ago is never "busy".
pub fn command_line(script: &Path) -> Result<(OsString, Vec<OsString>), Error> {
    let content = fs::read(script).at("read", script)?;
    let first = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = first.strip_prefix(b"#!").and_then(|rest| std::str::from_utf8(rest).ok()).unwrap_or("");
    // As the kernel does it: an interpreter and at most one argument.
    let (interpreter, argument) = match line.trim().split_once([' ', '\t']) {
        Some((interpreter, argument)) => (interpreter, Some(argument.trim())),
        None => (line.trim(), None),
    };
    let interpreter = if interpreter.is_empty() { "sh" } else { interpreter };
    let args = argument.filter(|argument| !argument.is_empty()).map(OsString::from);
    Ok((interpreter.into(), args.into_iter().chain([script.as_os_str().to_owned()]).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_interpreter() {
        let dir = tempfile::tempdir().unwrap();
        let script = dir.path().join("doctor");
        for (content, expected) in [
            ("#!/bin/sh\nexit 0\n", vec!["/bin/sh"]),
            ("#!/usr/bin/env -S python3 -u\n", vec!["/usr/bin/env", "-S python3 -u"]),
            ("exit 0\n", vec!["sh"]),
            ("", vec!["sh"]),
        ] {
            fs::write(&script, content).unwrap();
            let (program, args) = command_line(&script).unwrap();
            let mut all: Vec<String> = vec![program.to_string_lossy().into_owned()];
            all.extend(args.iter().map(|arg| arg.to_string_lossy().into_owned()));
            assert_eq!(all.pop().unwrap(), script.to_string_lossy());
            assert_eq!(all, expected);
        }
    }
}

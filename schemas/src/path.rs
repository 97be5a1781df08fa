//! Paths inside a repository that cannot leave it (design 3.3).

use crate::{id::is_device_name, newtype::checked_text};

/// Longest repository path accepted, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;

/// Why a text is not a path inside the repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// More than [`PATH_BYTES_MAX`] bytes.
    #[error("is longer than {PATH_BYTES_MAX} bytes")]
    TooLong,
    /// Begins with `/`, `~` or a drive letter.
    #[error("is absolute; write it relative to the repository's root")]
    Absolute,
    /// Has a `.`, `..` or empty component.
    #[error("has the component {0:?}; write a plain path below the repository's root")]
    Component(String),
    /// Has a NUL, another control character or a backslash.
    #[error("has the character {0:?}")]
    Character(char),
    /// Has a component that some platforms take for a device.
    #[error("has the component {0:?}, a name that some platforms reserve")]
    Reserved(String),
    /// Names git's own folder.
    #[error("names git's own folder")]
    GitDir,
    /// Not UTF-8.
    #[error("is not valid UTF-8")]
    NotUtf8,
}

/// True for names that any file system may resolve to `.git` (case folding, NTFS short names and streams, HFS+
/// ignorable characters).
pub fn is_git_dir_name(component: &str) -> bool {
    let folded: String = component
        .chars()
        .filter(|c| !matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect();
    let folded = folded.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']);
    folded == ".git" || folded == "git~1"
}

fn check(text: &str) -> Result<(), PathError> {
    if text.is_empty() {
        return Err(PathError::Empty);
    }
    if text.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic();
    if text.starts_with(['/', '~']) || drive {
        return Err(PathError::Absolute);
    }
    if let Some(bad) = text.chars().find(|c| c.is_control() || *c == '\\') {
        return Err(PathError::Character(bad));
    }
    for component in text.split('/') {
        if matches!(component, "" | "." | "..") {
            return Err(PathError::Component(component.to_owned()));
        }
        if is_git_dir_name(component) {
            return Err(PathError::GitDir);
        }
        if is_device_name(component) {
            return Err(PathError::Reserved(component.to_owned()));
        }
    }
    Ok(())
}

macro_rules! path_type {
    ($(#[$doc:meta])* $name:ident) => {
        checked_text!(
            $(#[$doc])* $name, PathError, check,
            { "type": "string", "minLength": 1, "maxLength": 4096 }
        );
    };
}

path_type!(
    /// A file of the repository, relative to its root, with `/` between components and no way out of it.
    RepoPath
);
path_type!(
    /// A glob over repository paths, such as `src/**/*.rs`. The same rules as [`RepoPath`]; `*`, `?`, `[…]` and
    /// `{…}` have their usual meaning.
    RepoGlob
);

impl RepoPath {
    /// The glob that matches exactly this path.
    pub fn to_glob(&self) -> RepoGlob {
        let mut escaped = String::with_capacity(self.0.len());
        for c in self.0.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '{' | '}') {
                escaped.extend(['[', c, ']']);
            } else {
                escaped.push(c);
            }
        }
        RepoGlob(escaped)
    }

    /// True for `.mycelium` itself and everything below it.
    pub fn is_mycelium(&self) -> bool {
        is_mycelium(&self.0)
    }
}

impl RepoGlob {
    /// True where nothing but `.mycelium` or what is below it can be meant.
    pub fn is_mycelium(&self) -> bool {
        is_mycelium(&self.0)
    }
}

fn is_mycelium(path: &str) -> bool {
    let first = path.split('/').next().unwrap_or_default();
    first.eq_ignore_ascii_case(".mycelium")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_leave_the_repository() {
        for bad in [
            "",
            "..",
            "a/../b",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "C:/x",
            "~/x",
            "a\\b",
            "a\0b",
            "a\nb",
            ".git/config",
            "x/.GIT/hooks",
            "x/git~1",
            ".git /x",
            ".git::$INDEX_ALLOCATION",
            ".g\u{200c}it/x",
            "nul",
            "src/CON",
            "src/aux.c",
            "com1.txt/x",
        ] {
            assert!(bad.parse::<RepoPath>().is_err(), "{bad:?} was accepted");
        }
        for good in
            ["a", "console.log", "null", "src/main.rs", ".github/workflows/ci.yml", "a b/ü.txt", ".gitignore"]
        {
            assert_eq!(good.parse::<RepoPath>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn the_glob_of_a_path_has_no_wildcards_left() {
        let glob = "a*[x].txt".parse::<RepoPath>().unwrap().to_glob();
        assert_eq!(glob.as_str(), "a[*][[]x[]].txt");
    }

    #[test]
    fn mycelium_is_recognised_in_any_case() {
        assert!(".Mycelium/x".parse::<RepoPath>().unwrap().is_mycelium());
        assert!(!"src/.mycelium".parse::<RepoPath>().unwrap().is_mycelium());
    }
}

//! Identifiers that are parsed once and cannot be mixed or escape a folder (design 3.3).
//!
//! Every id becomes a file or folder name, so the grammar is the intersection of what is safe on every platform:
//! `[A-Za-z0-9][A-Za-z0-9._-]*`, at most 64 bytes, not a reserved device name and no trailing dot.

use crate::newtype::checked_text;

/// Longest identifier accepted, in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing was given.
    #[error("is empty")]
    Empty,
    /// More than [`ID_BYTES_MAX`] bytes.
    #[error("is longer than {ID_BYTES_MAX} bytes")]
    TooLong,
    /// A character outside the grammar.
    #[error(
        "has the character {0:?}; allowed are letters, digits, '.', '_' and '-', beginning with a letter or digit"
    )]
    Character(char),
    /// A name that some platforms reserve.
    #[error("is a name that some platforms reserve")]
    Reserved,
}

/// Names that stand for a device on some platforms, with any extension.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9",
    "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// True for a name that some platforms take for a device: a file of it could not be checked out there.
pub(crate) fn is_device_name(name: &str) -> bool {
    let stem = name.split(['.', ':']).next().unwrap_or(name).trim_end_matches(' ').to_ascii_lowercase();
    DEVICES.contains(&stem.as_str())
}

fn check(text: &str) -> Result<(), IdError> {
    let first = text.chars().next().ok_or(IdError::Empty)?;
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong);
    }
    if !first.is_ascii_alphanumeric() {
        return Err(IdError::Character(first));
    }
    if let Some(bad) = text.chars().find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_' | '-')) {
        return Err(IdError::Character(bad));
    }
    if text.ends_with('.') || is_device_name(text) {
        return Err(IdError::Reserved);
    }
    Ok(())
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        checked_text!(
            $(#[$doc])* $name, IdError, check,
            { "type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" }
        );
    };
}

id_type!(
    /// A task of the plan, for example `001`.
    TaskId
);
id_type!(
    /// One execution of `mycelium run`, for example `20260101T020304Z-1a2b3c`.
    RunId
);
id_type!(
    /// The project a run belongs to: the repository's folder name and a hash of its path, unless named.
    ProjectName
);
id_type!(
    /// A named resource that tasks lock, for example `repo` or `database`.
    LockName
);

id_type!(
    /// What models answered once, kept to be answered again.
    CassetteName
);

/// The text is not a full commit id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a full commit id of 40 or 64 lower-case hex digits")]
pub struct CommitIdError;

fn check_commit(text: &str) -> Result<(), CommitIdError> {
    let hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if hex && matches!(text.len(), 40 | 64) { Ok(()) } else { Err(CommitIdError) }
}

checked_text!(
    /// A git commit, as 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    CommitId, CommitIdError, check_commit,
    { "type": "string", "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$" }
);

impl CommitId {
    /// The first ten digits, for people.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_cannot_escape_its_folder() {
        for bad in [
            "", "..", ".", "../x", "a/b", "a\\b", "/etc", "a\0b", "C:", "-rf", ".git", "nul", "CON.txt",
            "a.", "ä",
        ] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad:?} was accepted");
        }
        for good in ["001", "a", "task-1.2_b", "A9"] {
            assert_eq!(good.parse::<TaskId>().unwrap().as_str(), good);
        }
        assert!("x".repeat(64).parse::<RunId>().is_ok());
        assert_eq!("x".repeat(65).parse::<RunId>(), Err(IdError::TooLong));
    }

    #[test]
    fn a_commit_id_is_full_and_lower_case() {
        assert!("a".repeat(40).parse::<CommitId>().is_ok());
        assert!("a".repeat(39).parse::<CommitId>().is_err());
        assert!("A".repeat(40).parse::<CommitId>().is_err());
    }
}

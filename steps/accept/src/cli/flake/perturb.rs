//! The surroundings of each repetition: what a scenario depends on by accident is another one each time. A scenario that
//! fixes one of them itself keeps what it says.

use std::{
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use mycelium_fixtures::sandbox::Locality;
use mycelium_schemas::flake::{Environment, FolderShape};
use rustix::{fs::Mode, process::umask};

use crate::cli::error::CliError;

/// With offsets of whole hours, of parts of an hour, to the west and to the east, with and without summer time.
const TIMEZONES: [&str; 5] =
    ["UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Europe/Berlin"];
/// The last two have another decimal point, and other capital letters for `i`.
const LOCALES: [&str; 4] = ["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"];
const UMASKS: [&str; 3] = ["022", "077", "002"];
/// Scenarios at a time at most, as a multiple of the usual number.
const MANY: usize = 4;
/// Bytes of the name of a long folder: paths stay below what a name and a socket may have, and beyond what fits a line.
const LONG_NAME: usize = 120;

/// The surroundings of a repetition, counted from 0. The first are the usual ones; no two of ten are alike.
pub(in crate::cli) fn of_repetition(number: usize, usual_jobs: NonZeroUsize) -> Environment {
    let usual = usual_jobs.get();
    let jobs = [usual, 1, usual.saturating_mul(MANY)];
    // The lists have other lengths, so that their members meet in ever new pairs.
    Environment {
        jobs: pick(&jobs, number),
        folder: pick(&FolderShape::ALL, number + number / 3),
        timezone: pick(&TIMEZONES, number).to_owned(),
        locale: pick(&LOCALES, number).to_owned(),
        umask: pick(&UMASKS, number + 2 * (number / 3)).to_owned(),
    }
}

fn pick<T: Copy>(list: &[T], number: usize) -> T {
    list[number % list.len()]
}

/// The folder in which scenarios get theirs, made below another one.
pub(in crate::cli) fn folder(shape: FolderShape, below: &Path) -> Result<PathBuf, CliError> {
    let path = match shape {
        FolderShape::Plain => below.join("plain"),
        FolderShape::Blanks => below.join("a folder with blanks"),
        FolderShape::Long => below.join("l".repeat(LONG_NAME)),
    };
    fs::create_dir_all(&path).map_err(|source| CliError::File {
        action: "create",
        path: path.clone(),
        source,
    })?;
    Ok(path)
}

/// What programs find around them.
pub(in crate::cli) fn locality(environment: &Environment) -> Locality {
    Locality { timezone: environment.timezone.clone(), locale: environment.locale.clone() }
}

/// The umask of this process and of all that it starts, until it is dropped.
pub(in crate::cli) struct Umask(Mode);

impl Umask {
    /// Sets it. What is no octal number changes nothing; an [`Environment`] that was read has one.
    pub(in crate::cli) fn set(digits: &str) -> Self {
        let wanted = u32::from_str_radix(digits, 8).ok().map(Mode::from_bits_truncate);
        let before = umask(wanted.unwrap_or(Mode::empty()));
        if wanted.is_none() {
            umask(before);
        }
        Self(before)
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        umask(self.0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ten_repetitions_have_ten_surroundings_and_meet_everything() {
        let usual = NonZeroUsize::new(4).unwrap();
        let all: Vec<Environment> = (0..10).map(|number| of_repetition(number, usual)).collect();
        let texts: BTreeSet<String> = all.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 10);
        assert_eq!(all[0].to_string(), "jobs=4,folder=plain,tz=UTC,locale=C,umask=022");
        let count = |of: fn(&Environment) -> String| all.iter().map(of).collect::<BTreeSet<_>>().len();
        assert_eq!(count(|e| e.jobs.to_string()), 3);
        assert_eq!(count(|e| e.folder.name().to_owned()), 3);
        assert_eq!(count(|e| e.timezone.clone()), TIMEZONES.len());
        assert_eq!(count(|e| e.locale.clone()), LOCALES.len());
        assert_eq!(count(|e| e.umask.clone()), 3);
        // Neither the folder nor the umask goes in step with the number of jobs.
        assert!(count(|e| format!("{} {}", e.jobs, e.folder.name())) > 6);
        assert!(count(|e| format!("{} {}", e.jobs, e.umask)) > 6);
        for environment in &all {
            assert_eq!(environment.to_string().parse::<Environment>().unwrap(), *environment);
        }
    }
}

//! What the containers of a project are known by at an engine: a word made by chance and kept in the project's folder of the
//! home. Two machines may have a project of one name at one path, and one engine.

use std::{
    fs,
    io::{ErrorKind, Read, Seek},
    path::PathBuf,
};

use crate::{
    error::{Error, IoContext},
    fault, private,
    project::Project,
    store::{self, make_private_dir},
};

/// Name of the file in the project's folder: the word, and an end of line.
const NAME: &str = "engine-identity";
/// Bytes of chance in a word.
const BYTES: usize = 16;

/// The word of a project; none where none was ever made, so that there is no container either.
pub(crate) fn find(project: &Project) -> Result<Option<String>, Error> {
    let path = path(project);
    match store::read_file(&path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        result => Ok(word(&result.at("read", &path)?)),
    }
}

/// The word of a project, which is made where there is none.
pub(crate) fn take(project: &Project) -> Result<String, Error> {
    if let Some(found) = find(project)? {
        return Ok(found);
    }
    make_private_dir(&project.home_dir())?;
    let path = path(project);
    let mut options = private::open();
    options.read(true).write(true).create(true);
    let mut file = fault::point!("engine.identity_open", options.open(&path)).at("open", &path)?;
    // Two runs may begin at the same moment, before either has the repository's lock.
    file.lock().at("lock", &path)?;
    let mut found = Vec::new();
    file.read_to_end(&mut found).at("read", &path)?;
    if let Some(found) = word(&found) {
        return Ok(found);
    }
    let made = chance()?;
    fault::point!("engine.identity_cut", file.set_len(0)).at("write", &path)?;
    file.rewind().at("write", &path)?;
    fault::write_all!("engine.identity_write", &mut file, format!("{made}\n").as_bytes())
        .at("write", &path)?;
    fault::point!("engine.identity_sync", file.sync_all()).at("sync", &path)?;
    store::sync_dir(&project.home_dir())?;
    Ok(made)
}

fn path(project: &Project) -> PathBuf {
    project.home_dir().join(NAME)
}

/// A line without its end was never finished.
fn word(content: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(content.strip_suffix(b"\n")?).ok()?;
    (line.len() == 2 * BYTES && line.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| line.to_owned())
}

fn chance() -> Result<String, Error> {
    let mut bytes = [0u8; BYTES];
    fs::File::open("/dev/urandom")
        .and_then(|mut random| random.read_exact(&mut bytes))
        .at("read", "/dev/urandom")?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(home: PathBuf) -> Project {
        Project {
            root: "/r".into(),
            config_path: "/r/c".into(),
            name: "p".parse().unwrap(),
            home,
            home_in_checkout: false,
        }
    }

    #[test]
    fn a_project_keeps_its_word_and_another_one_at_the_same_place_has_another() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(dir.path().join("home"));
        assert_eq!(find(&project).unwrap(), None);
        let first = take(&project).unwrap();
        assert_eq!((take(&project).unwrap(), find(&project).unwrap()), (first.clone(), Some(first.clone())));
        fs::rename(&project.home, dir.path().join("away")).unwrap();
        assert_ne!(take(&project).unwrap(), first);
    }

    #[test]
    fn a_word_that_was_not_finished_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let project = project(dir.path().to_owned());
        make_private_dir(&project.home_dir()).unwrap();
        for torn in ["", "0123", "0123456789abcdef0123456789abcdef", "no word at all, but of some length\n"] {
            fs::write(path(&project), torn).unwrap();
            assert_eq!(find(&project).unwrap(), None, "{torn}");
            let made = take(&project).unwrap();
            assert_eq!(fs::read_to_string(path(&project)).unwrap(), format!("{made}\n"));
        }
    }
}

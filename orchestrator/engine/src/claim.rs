//! A project of the home belongs to one repository: two clones under one name would mix their runs and, since each has
//! a lock of its own, not exclude each other. The first run writes down whose the project is; every command looks.

use std::{
    ffi::OsStr,
    fs,
    io::{ErrorKind, Read, Seek},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, IoContext},
    fault, private,
    project::Project,
    store,
};

/// Name of the file in the project's folder: the repository's common git folder, and an end of line.
pub(crate) const NAME: &str = "repository";

/// Refuses a project that belongs to another repository.
pub(crate) fn check(project: &Project, common_dir: &Path) -> Result<(), Error> {
    let path = project.home_dir().join(NAME);
    match fs::read(&path) {
        // Where there is no folder for it there is no claim; what is wrong with the home is said where it is used.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(()),
        result => compare(project, &result.at("read", &path)?, common_dir),
    }
}

/// Writes down that the project belongs to a repository, unless it belongs to another one.
pub(crate) fn take(project: &Project, common_dir: &Path) -> Result<(), Error> {
    let path = project.home_dir().join(NAME);
    let mut options = private::open();
    options.read(true).write(true).create(true);
    let mut file = fault::point!("claim.open", options.open(&path)).at("open", &path)?;
    // Two repositories may begin at the same moment.
    file.lock().at("lock", &path)?;
    let mut claimed = Vec::new();
    file.read_to_end(&mut claimed).at("read", &path)?;
    compare(project, &claimed, common_dir)?;
    let claim = [common_dir.as_os_str().as_bytes(), b"\n"].concat();
    if claimed == claim {
        return Ok(());
    }
    fault::point!("claim.cut", file.set_len(0)).at("write", &path)?;
    file.rewind().at("write", &path)?;
    fault::write_all!("claim.write", &mut file, &claim).at("write", &path)
}

/// Where the repository of a project was that is no longer there.
pub(crate) fn gone(project: &Project) -> Option<PathBuf> {
    let claimed = store::read_file(&project.home_dir().join(NAME)).ok()?;
    owner(&claimed).filter(|owner| !is_there(owner)).map(shown)
}

/// Whose a project is. A line without its end was never finished.
fn owner(claimed: &[u8]) -> Option<&Path> {
    claimed.strip_suffix(b"\n").map(|path| Path::new(OsStr::from_bytes(path)))
}

/// A repository that is no longer there was moved or removed, and claims nothing.
fn is_there(common_dir: &Path) -> bool {
    common_dir.join("HEAD").is_file()
}

fn compare(project: &Project, claimed: &[u8], common_dir: &Path) -> Result<(), Error> {
    let Some(owner) = owner(claimed).filter(|owner| *owner != common_dir && is_there(owner)) else {
        return Ok(());
    };
    Err(Error::Request {
        message: format!(
            "the project {} in {} belongs to the repository {}, and this is {}",
            project.name,
            project.home.display(),
            shown(owner).display(),
            shown(common_dir).display()
        ),
        help: "choose another name with --project, or another home with MYCELIUM_HOME".into(),
    })
}

/// The repository as its user knows it.
fn shown(common_dir: &Path) -> PathBuf {
    let of_checkout = common_dir.parent().filter(|_| common_dir.ends_with(".git"));
    of_checkout.unwrap_or(common_dir).to_owned()
}

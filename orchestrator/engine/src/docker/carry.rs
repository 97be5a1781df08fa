//! Workspaces at an engine on another machine, which mounts nothing of this one: they are carried there before a command
//! begins and back when it has ended, as archives through the engine.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read, Write},
    os::unix::{
        ffi::OsStrExt,
        fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use bollard::{
    body_try_stream,
    query_parameters::{DownloadFromContainerOptionsBuilder, UploadToContainerOptionsBuilder},
};
use futures_util::{StreamExt as _, stream};
use mycelium_schemas::event::ExitReason;
use tokio::{
    sync::{mpsc, watch},
    time::{sleep, timeout},
};

use super::{
    engine::{Engine, Reach, numbers},
    error::{Asked, EngineError, status},
    recipe::WORKSPACE,
    unpack::{Limits, Unpack, unpack},
};
use crate::{
    error::{Error, IoContext},
    fault,
    job::{Exit, Job, Purpose, StopLevel, stopped},
    off_loop::blocking,
    private, store,
};

/// What is carried back at most: 8 GiB, a million files, 256 MiB of names.
const LIMITS: Limits = Limits { bytes: 8 << 30, entries: 1_000_000, names: 256 << 20 };
/// Parts of an archive on their way.
const PARTS: usize = 16;
/// Bytes of such a part.
const PART_BYTES: usize = 64 * 1024;
/// How long an engine may be silent in the middle of an archive.
const SILENCE: Duration = Duration::from_secs(60);
/// How many times longer it may be once it has been sent everything: what waits in between may be much for a slow connection.
const ON_ITS_WAY: u32 = 5;
/// Longer than anything takes.
const UNLIMITED: Duration = Duration::from_secs(365 * 24 * 3600);

impl Engine {
    /// Brings what the workspace holds into a container that has not begun, where the engine cannot mount it.
    pub(super) async fn carry_there(&self, id: &str, job: &Job) -> Result<(), Error> {
        if self.connection.reach() == Reach::Mounts {
            return Ok(());
        }
        let (sender, receiver) = mpsc::channel(PARTS);
        let (workspace, owner) = (job.cwd.clone(), numbers(&self.user).unwrap_or_default());
        let packed = tokio::task::spawn_blocking(move || {
            let mut parts = io::BufWriter::with_capacity(PART_BYTES, Sender(sender.clone()));
            let packed =
                pack(&workspace, owner, &mut parts).and_then(|()| parts.flush().at("pack", &workspace));
            if packed.is_err() && sender.is_closed() {
                // Nobody takes the rest: the engine has all that it wants, or says below what is wrong.
                return Ok(());
            }
            if packed.is_err() {
                // So that nobody takes the beginning for the whole.
                let _unheard = sender.blocking_send(Err(io::ErrorKind::InvalidData.into()));
            }
            packed
        });
        let (taken, moves) = watch::channel(());
        let parts = stream::unfold((receiver, taken), async |(mut receiver, taken)| {
            let part = receiver.recv().await?;
            taken.send_replace(());
            Some((part, (receiver, taken)))
        });
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        // The library's own limit is one of the whole, however much there is.
        let client = self.connection.client.clone().with_timeout(UNLIMITED);
        let body = body_try_stream(Box::pin(parts));
        let sent = async {
            fault::point!("carried.there", client.upload_to_container(id, Some(options), body).await)
        };
        let sent = while_taken(sent, moves, SILENCE).await.ok_or_else(|| self.away());
        let packed = packed.await.map_err(|_| Error::Lost("a file operation"))?;
        // An engine fails as well where it is sent the half.
        packed.and_then(|()| Ok(sent?.asked(&self.connection.host, "take a workspace")?))
    }

    /// Takes over what a command left in its workspace, where its container has a volume there: of a mounted one the
    /// folder here is the same, and making it anew would destroy what was left. A doctor's is looked at by nobody.
    pub(super) async fn carry_back(
        &self,
        id: &str,
        job: &Job,
        exit: Exit,
        reach: Reach,
        mut stop: watch::Receiver<StopLevel>,
    ) -> Result<Exit, Error> {
        let has_left = !matches!(exit.reason, ExitReason::Stopped | ExitReason::NotStarted);
        if reach == Reach::Mounts || job.purpose == Purpose::Doctor || !has_left {
            return Ok(exit);
        }
        tokio::select! {
            // Of a command that failed, that is what is told.
            left = self.take_over(id, &job.cwd) => Ok(Exit { left: left?.filter(|_| exit.is_success()), ..exit }),
            // What a stop cuts off is not judged.
            _ = stopped(&mut stop, false) => Ok(Exit { reason: ExitReason::Stopped, ..exit }),
        }
    }

    /// Makes the folder hold what the workspace of a container holds; why not, if that is the workspace's own fault. The
    /// folder is as it was then: a command that is run again finds what the one before it found.
    async fn take_over(&self, id: &str, workspace: &Path) -> Result<Option<String>, Error> {
        let (sender, parts) = mpsc::channel(PARTS);
        let aside = aside(workspace);
        let into = aside.clone();
        let unpacked = tokio::task::spawn_blocking(move || {
            store::remove_dir(&into)?;
            fault::point!("carried.workspace", private::make_dir(&into)).at("create", &into)?;
            let root = WORKSPACE.trim_start_matches('/');
            Ok::<_, Error>(unpack(Receiver { parts, part: bytes::Bytes::new() }, root, &into, LIMITS))
        });
        let is_there = self.download(id, sender).await;
        let unpacked = unpacked.await.map_err(|_| Error::Lost("a file operation"))??;
        let left = match (is_there, unpacked) {
            (Err(error), _) => Err(error.into()),
            (Ok(false), _) => Ok(Some("its container was removed".to_owned())),
            (Ok(true), Ok(())) => Ok(None),
            (Ok(true), Err(Unpack::Refused(why))) => Ok(Some(why)),
            (Ok(true), Err(Unpack::Read(source))) => {
                Ok(Some(format!("its archive cannot be read: {source}")))
            }
            (Ok(true), Err(Unpack::Write { path, source })) => Err(source).at("write", path),
        };
        let (workspace, is_whole) = (workspace.to_owned(), matches!(left, Ok(None)));
        blocking(move || {
            if is_whole {
                return put(&aside, &workspace);
            }
            store::tidy_dir(&aside);
            Ok(())
        })
        .await?;
        left
    }

    /// Hands on the archive of a container's workspace, as far as it is wanted; false where the container is gone.
    async fn download(&self, id: &str, wanted: mpsc::Sender<bytes::Bytes>) -> Result<bool, EngineError> {
        let (client, host) = (&self.connection.client, &self.connection.host);
        let options = DownloadFromContainerOptionsBuilder::default().path(WORKSPACE).build();
        let mut parts = std::pin::pin!(client.download_from_container(id, Some(options)));
        loop {
            match timeout(SILENCE, parts.next()).await {
                Ok(None) => return Ok(true),
                Ok(Some(Err(error))) if status(&error) == Some(404) => return Ok(false),
                Ok(Some(part)) => {
                    // Whoever unpacks says why he takes no more.
                    if wanted.send(part.asked(host, "give a workspace back")?).await.is_err() {
                        return Ok(true);
                    }
                }
                Err(_) => return Err(self.away()),
            }
        }
    }

    fn away(&self) -> EngineError {
        EngineError::Away { host: self.connection.host.clone(), source: None }
    }
}

/// Does what sends parts as long as some are taken. None once nothing was for so long; of what is taken much may still be on
/// its way.
async fn while_taken<T>(
    work: impl Future<Output = T>,
    mut moves: watch::Receiver<()>,
    patience: Duration,
) -> Option<T> {
    let stands_still = async {
        while let Ok(moved) = timeout(patience, moves.changed()).await {
            if moved.is_err() {
                // All of it was taken.
                sleep(patience * ON_ITS_WAY).await;
                return;
            }
        }
    };
    tokio::select! {
        biased;
        done = work => Some(done),
        () = stands_still => None,
    }
}

/// Where a workspace is unpacked, beside what it takes the place of: no task has such a name.
fn aside(workspace: &Path) -> PathBuf {
    let name = workspace.file_name().unwrap_or_default().to_string_lossy();
    workspace.with_file_name(format!(".carried-{name}"))
}

/// Puts what was unpacked in a workspace's place.
fn put(aside: &Path, workspace: &Path) -> Result<(), Error> {
    store::remove_dir(workspace)?;
    fault::point!("carried.put", fs::rename(aside, workspace)).at("replace", workspace)
}

/// Packs what a folder holds, for an owner. Links are not followed; sockets are left out, as an engine leaves them out.
fn pack(workspace: &Path, (user, group): (u64, u64), out: impl Write) -> Result<(), Error> {
    let mut archive = tar::Builder::new(out);
    let mut waiting: Vec<(PathBuf, PathBuf)> =
        vec![(workspace.to_owned(), WORKSPACE.trim_start_matches('/').into())];
    while let Some((path, name)) = waiting.pop() {
        let found = fs::symlink_metadata(&path).at("look at", &path)?;
        let mut header = header(&found);
        header.set_uid(user);
        header.set_gid(group);
        let kind = found.file_type();
        let added = if kind.is_dir() {
            header.set_entry_type(tar::EntryType::Directory);
            for entry in fs::read_dir(&path).at("list", &path)? {
                let entry = entry.at("list", &path)?;
                waiting.push((entry.path(), name.join(entry.file_name())));
            }
            archive.append_data(&mut header, &name, io::empty())
        } else if kind.is_symlink() {
            header.set_entry_type(tar::EntryType::Symlink);
            let to = fs::read_link(&path).at("read the link", &path)?;
            append_link(&mut archive, &mut header, &name, &to)
        } else if kind.is_fifo() {
            header.set_entry_type(tar::EntryType::Fifo);
            archive.append_data(&mut header, &name, io::empty())
        } else if kind.is_file() {
            header.set_size(found.len());
            let file = open(&path).at("open", &path)?;
            archive.append_data(&mut header, &name, file.take(found.len()))
        } else {
            Ok(())
        };
        added.at("pack", &path)?;
    }
    archive.finish().at("pack", workspace)
}

/// A link as it is: the library would spell its target anew.
fn append_link(
    archive: &mut tar::Builder<impl Write>,
    header: &mut tar::Header,
    name: &Path,
    to: &Path,
) -> io::Result<()> {
    if header.set_link_name_literal(to.as_os_str().as_bytes()).is_err() {
        return archive.append_link(header, name, to);
    }
    archive.append_data(header, name, io::empty())
}

fn header(found: &Metadata) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(found.mode() & 0o777);
    header.set_mtime(u64::try_from(found.mtime()).unwrap_or_default());
    header.set_size(0);
    header
}

/// Never through a link, and never waiting for a pipe.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Sends what is written, part by part.
struct Sender(mpsc::Sender<io::Result<bytes::Bytes>>);

impl Write for Sender {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let part = bytes::Bytes::copy_from_slice(buffer);
        self.0.blocking_send(Ok(part)).map_err(|_| io::ErrorKind::BrokenPipe)?;
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads what is sent.
struct Receiver {
    parts: mpsc::Receiver<bytes::Bytes>,
    part: bytes::Bytes,
}

impl Read for Receiver {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.part.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.part = part,
                None => return Ok(0),
            }
        }
        let read = buffer.len().min(self.part.len());
        buffer[..read].copy_from_slice(&self.part.split_to(read));
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_workspace_comes_back_as_it_was_carried_there() {
        let folder = tempfile::tempdir().unwrap();
        let (from, into) = (folder.path().join("from"), folder.path().join("into"));
        let long = "a".repeat(200);
        fs::create_dir_all(from.join(format!("sub/{long}/{long}"))).unwrap();
        fs::create_dir(from.join("empty")).unwrap();
        fs::write(from.join("run"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(from.join("run"), fs::Permissions::from_mode(0o750)).unwrap();
        fs::write(from.join(format!("sub/{long}/{long}/file")), vec![7; 200_000]).unwrap();
        fs::write(from.join("sub/\u{e4} b\\c"), "").unwrap();
        symlink("../..//outside/./x", from.join("link")).unwrap();
        symlink(format!("/{long}/{long}"), from.join("sub/long-link")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, from.join("pipe"), rustix::fs::Mode::RUSR).unwrap();
        let mut archive = Vec::new();
        pack(&from, (1, 2), &mut archive).unwrap();
        fs::create_dir(&into).unwrap();
        unpack(archive.as_slice(), "workspace", &into, LIMITS).unwrap();
        for (path, mode) in [("run", 0o750), ("empty", from.join("empty").metadata().unwrap().mode() & 0o777)]
        {
            assert_eq!(into.join(path).metadata().unwrap().mode() & 0o777, mode, "{path}");
        }
        let modified = |folder: &Path| folder.join("run").metadata().unwrap().mtime();
        assert_eq!(modified(&into), modified(&from));
        assert_eq!(fs::read(into.join(format!("sub/{long}/{long}/file"))).unwrap(), vec![7; 200_000]);
        assert_eq!(fs::read(into.join("sub/\u{e4} b\\c")).unwrap(), b"");
        assert_eq!(fs::read_link(into.join("link")).unwrap(), Path::new("../..//outside/./x"));
        assert_eq!(fs::read_link(into.join("sub/long-link")).unwrap(), Path::new(&format!("/{long}/{long}")));
        assert!(into.join("pipe").symlink_metadata().unwrap().file_type().is_fifo());
    }

    #[tokio::test]
    async fn an_engine_that_takes_nothing_is_given_up() {
        let (taken, moves) = watch::channel(());
        assert_eq!(while_taken(async { 7 }, moves.clone(), Duration::ZERO).await, Some(7));
        assert_eq!(while_taken(std::future::pending::<()>(), moves.clone(), Duration::ZERO).await, None);
        // Whether all was taken, or not yet everything.
        drop(taken);
        assert_eq!(while_taken(std::future::pending::<()>(), moves, Duration::ZERO).await, None);
    }

    #[test]
    fn a_workspace_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = folder.path().join("001");
        let aside = aside(&workspace);
        assert_eq!(aside.parent(), workspace.parent());
        for (folder, name) in [(&workspace, "old"), (&aside, "new")] {
            fs::create_dir(folder).unwrap();
            fs::write(folder.join(name), "").unwrap();
        }
        put(&aside, &workspace).unwrap();
        assert!(workspace.join("new").exists() && !workspace.join("old").exists() && !aside.exists());
    }
}

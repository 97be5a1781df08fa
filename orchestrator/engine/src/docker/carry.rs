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
    time::timeout,
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
        let parts = stream::unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
        let options = UploadToContainerOptionsBuilder::default().path("/").build();
        let client = &self.connection.client;
        let body = body_try_stream(Box::pin(parts));
        let sent = fault::point!("carried.there", client.upload_to_container(id, Some(options), body).await);
        let packed = packed.await.map_err(|_| Error::Lost("a file operation"))?;
        // An engine fails as well where it is sent the half.
        packed.and_then(|()| sent.asked(&self.connection.host, "take a workspace").map_err(Error::from))
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

    /// Makes the folder hold what the workspace of a container holds; why not, if that is the workspace's own fault.
    async fn take_over(&self, id: &str, workspace: &Path) -> Result<Option<String>, Error> {
        let (sender, parts) = mpsc::channel::<bytes::Bytes>(PARTS);
        let into = workspace.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || {
            store::remove_dir(&into)?;
            fault::point!("carried.workspace", private::make_dir(&into)).at("create", &into)?;
            let root = WORKSPACE.trim_start_matches('/');
            Ok::<_, Error>(unpack(Receiver { parts, part: bytes::Bytes::new() }, root, &into, LIMITS))
        });
        let is_there = self.download(id, sender).await;
        let unpacked = unpacked.await.map_err(|_| Error::Lost("a file operation"))??;
        if !is_there? {
            return Ok(Some("its container was removed".to_owned()));
        }
        match unpacked {
            Ok(()) => Ok(None),
            Err(Unpack::Refused(why)) => Ok(Some(why)),
            Err(Unpack::Read(source)) => Ok(Some(format!("its archive cannot be read: {source}"))),
            Err(Unpack::Write { path, source }) => Err(source).at("write", path),
        }
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
                Err(_) => return Err(EngineError::Away { host: host.clone(), source: None }),
            }
        }
    }
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
}

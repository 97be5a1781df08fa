//! `accept merge`: the folders of shards become the folder of one run. It judges nothing; `accept gate` does.

use std::{
    fs,
    path::{Path, PathBuf},
};

use mycelium_schemas::{goal::gates::ProfileName, messages::Envelope};
use serde::Serialize;

use super::report;
use crate::{
    cli::{
        args::{MergeArgs, today},
        console::{Console, counted},
        error::CliError,
        judge::{Question, Wanted, judge},
        merge::{MergeError, Part, merge},
        project::Project,
        stream::{self, Run},
    },
    runner::{
        Loader, OutLock,
        store::{self, EVIDENCE, KEPT, MESSAGES, Store},
    },
};

/// What `accept merge --json` prints.
#[derive(Debug, Serialize)]
struct Merged {
    out: String,
    runs: usize,
    scenarios: usize,
    /// Why the merged run is no whole one; empty where it is.
    partial: Vec<String>,
}

pub(in crate::cli) fn run(console: &Console, load: Loader, args: &MergeArgs) -> Result<u8, CliError> {
    let library = load()?;
    let project = Project::locate()?;
    let out = args.out.folder(&project);
    let folders: Vec<PathBuf> = args.folders.iter().map(|folder| project.resolve(folder)).collect();
    for (name, folder) in args.folders.iter().zip(&folders) {
        let (folder, real_out) = (real(folder), real(&out));
        if folder.starts_with(&real_out) || real_out.starts_with(&folder) {
            return Err(MergeError::OutputIsInput { out: args.out.shown(), folder: name.clone() }.into());
        }
    }
    let mut lock = OutLock::take(&out)?;
    let (parts, evidence): (Vec<Part>, Vec<_>) = args
        .folders
        .iter()
        .zip(&folders)
        .map(|(name, folder)| read(name, folder))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .unzip();
    let (stream, info) = merge(parts)?;
    lock.create()?;
    store::replace(&out, |new| write(new, &stream, folders.iter().zip(&evidence)))?;
    let question = Question {
        vocabulary: library.vocabulary(),
        out: &out,
        profile: ProfileName::Local,
        binary_digest: Some(info.binary_digest),
        today: today(),
        results: Wanted::Required,
    };
    let page = report::write(&judge(&project, question)?, &out)?;
    let scenarios = info.planned.len();
    console.say(format_args!(
        "{} with {} merged",
        counted(folders.len(), "run"),
        counted(scenarios, "scenario")
    ));
    for reason in &info.partial {
        console.say(format_args!("not a whole run: {reason}"));
    }
    console.say(format_args!("report: {}; judge it with `accept gate`", page.display()));
    let out = out.display().to_string();
    console.document(&Merged { out, runs: folders.len(), scenarios, partial: info.partial })?;
    Ok(0)
}

/// Reads a run strictly, its evidence too. Returns the digests of that.
fn read(name: &Path, folder: &Path) -> Result<(Part, Vec<String>), CliError> {
    let Run { results, text } = stream::required_run(folder)?;
    let mut digests: Vec<String> = results.evidence_files().map(|file| file.sha256.clone()).collect();
    digests.sort();
    digests.dedup();
    let stream = stream::messages(&folder.join(MESSAGES), &text)?;
    Ok((Part { folder: name.to_owned(), info: results.info, stream }, digests))
}

/// A path as it is on the disk; of what is not there yet, the part that is.
fn real(path: &Path) -> PathBuf {
    for there in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (fs::canonicalize(there), path.strip_prefix(there)) {
            return real.join(rest);
        }
    }
    path.to_owned()
}

fn write<'a>(
    out: &Path,
    stream: &[Envelope],
    evidence: impl Iterator<Item = (&'a PathBuf, &'a Vec<String>)>,
) -> Result<(), CliError> {
    let mut store = Store::open(out)?;
    for (folder, digests) in evidence {
        for digest in digests {
            let path = folder.join(EVIDENCE).join(digest);
            let bytes = fs::read(&path).map_err(|source| CliError::File { action: "read", path, source })?;
            store.keep_evidence(digest, &bytes)?;
        }
        store.copy_kept(&folder.join(KEPT))?;
    }
    for message in stream {
        store.emit(message)?;
    }
    store.finish()?;
    Ok(())
}

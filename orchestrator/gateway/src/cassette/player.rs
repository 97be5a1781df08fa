//! Answers what was asked before as it was answered then, and nothing else.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use mycelium_schemas::cassette::{Asker, Interaction, RecordedBody, RecordedEnd};

use super::{
    Known,
    file::{self, CassetteError},
    parts::{Part, name_of},
    taping::head,
};
use crate::passing::{Answered, Broken};

/// Answers from a cassette.
#[derive(Debug)]
pub struct Player {
    tracks: Mutex<BTreeMap<Asker, Track>>,
    known: Known,
}

/// What one asker asked.
#[derive(Debug, Default)]
struct Track {
    /// In the order in which it was asked; each answers once.
    left: Vec<Interaction>,
    used: Vec<Interaction>,
    /// Requests so far.
    asked: usize,
}

impl Player {
    /// Opens a cassette that is whole.
    pub fn open(path: &Path, known: Known) -> Result<Self, CassetteError> {
        let content = file::read(path)?.ok_or_else(|| CassetteError::Missing(path.to_owned()))?;
        if !content.is_whole {
            return Err(CassetteError::CutOff(path.to_owned()));
        }
        let mut interactions = content.interactions;
        interactions.sort_by_key(|interaction| interaction.number);
        // What an attempt asked whose orchestrator ended was asked again by the one in its place.
        let mut last: BTreeMap<(String, u32), u32> = BTreeMap::new();
        for found in &interactions {
            let attempt = last.entry((found.asker.task.clone(), found.asker.turn)).or_default();
            *attempt = found.attempt.max(*attempt);
        }
        let mut tracks: BTreeMap<Asker, Track> = BTreeMap::new();
        for found in interactions {
            if last.get(&(found.asker.task.clone(), found.asker.turn)) == Some(&found.attempt) {
                tracks.entry(found.asker.clone()).or_default().left.push(found);
            }
        }
        Ok(Self { tracks: Mutex::new(tracks), known })
    }

    /// The answer to a request, or why there is none.
    pub(crate) fn answer(&self, asker: &Asker, attempt: u32, body: &[u8]) -> Result<Answered, String> {
        let parts = self.known.parts(body);
        let mut tracks = self.tracks();
        let track = tracks.entry(asker.clone()).or_default();
        track.asked += 1;
        let Some(index) = track.left.iter().position(|found| is_same(found, &parts)) else {
            let number = track.asked;
            let Asker { task, by, interface, .. } = asker;
            let why = track.difference(&parts);
            return Err(format!(
                "request {number} of the {by} of task {task}, attempt {attempt} ({interface}), {why}"
            ));
        };
        let found = track.left.remove(index);
        let answered = answered(&found);
        track.used.push(found);
        Ok(answered)
    }

    fn tracks(&self) -> MutexGuard<'_, BTreeMap<Asker, Track>> {
        self.tracks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Track {
    /// How a request differs from what was recorded.
    fn difference(&self, parts: &[Part]) -> String {
        if self.used.iter().any(|found| is_same(found, parts)) {
            return "was not made so often when the cassette was recorded".to_owned();
        }
        let all = self.left.iter().chain(&self.used);
        let common = |found: &&Interaction| {
            found.request.iter().zip(parts).take_while(|(kept, part)| **kept == part.kept).count()
        };
        let Some(nearest) = all.max_by_key(common) else {
            return "is not in the cassette, which holds nothing of it in this attempt".to_owned();
        };
        let same = common(&nearest);
        match (parts.get(same), nearest.request.get(same)) {
            (Some(part), _) => format!(
                "is not in the cassette: the first {same} of its {} parts are, and the next one, {}, says: {}",
                parts.len(),
                name_of(&part.kept),
                part.shown
            ),
            (None, Some(kept)) => {
                format!(
                    "is not in the cassette: it ends where the recorded one goes on with {}",
                    name_of(kept)
                )
            }
            (None, None) => "is not in the cassette".to_owned(),
        }
    }
}

fn is_same(found: &Interaction, parts: &[Part]) -> bool {
    found.request.len() == parts.len()
        && found.request.iter().zip(parts).all(|(kept, part)| *kept == part.kept)
}

fn answered(found: &Interaction) -> Answered {
    let pieces: Vec<Bytes> = match &found.body {
        RecordedBody::Text(texts) => texts.iter().map(|text| Bytes::from(text.clone())).collect(),
        RecordedBody::Hex(digits) => vec![unhex(digits)],
    };
    let pieces = stream::iter(pieces.into_iter().map(Ok));
    let (status, headers) = head(found);
    let body: crate::passing::Pieces = match found.end {
        // Whoever heard no more of it then hears no more of it now.
        RecordedEnd::Whole | RecordedEnd::Left => Box::pin(pieces),
        RecordedEnd::Broken => Box::pin(pieces.chain(stream::once(async {
            // What came before it is sent.
            tokio::task::yield_now().await;
            Err(Broken::Recorded)
        }))),
    };
    Answered { status, headers, body }
}

/// The bytes of hexadecimal digits; what is none is left out.
fn unhex(digits: &str) -> Bytes {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let digits: Vec<u32> = digits.as_bytes().iter().filter_map(digit).collect();
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair.iter().fold(0, |sum, digit| sum * 16 + digit)).unwrap_or(0))
        .collect()
}

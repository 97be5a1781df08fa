//! Keeps secrets out of everything that is written or said (design 3.4): the values of known variables in all their
//! spellings, and the shapes of well-known keys.
//!
//! Everything that reaches the run's folder goes through a [`Redactor`]: events, logs as they stream, patches, reports.
//! What an agent writes into files is its work and lands as it is; the patch beside it is redacted.

mod encodings;
mod inputs;
mod json;
mod pem;
mod secrets;
mod shapes;
mod span;
mod stream;
mod values;

#[cfg(test)]
mod tests;

use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use mycelium_schemas::{
    config::Config,
    event::{Event, EventKind, SecretRedacted},
};
use serde::Serialize;

use crate::{environment::Environment, error::Error};

pub(crate) use inputs::{check as check_inputs, check_config, plan as redact_plan, prose as redact_prose};
use json::Tokens;
use secrets::Secrets;
pub use secrets::Unusable;
use stream::Pending;

/// What replaces a secret.
fn mark(name: &str) -> String {
    format!("[redacted:{name}]")
}

/// How often which secret was found.
#[derive(Debug, Default)]
struct Found(BTreeMap<String, u64>);

impl Found {
    fn note(&mut self, name: &str) {
        *self.0.entry(name.to_owned()).or_default() += 1;
    }
}

/// Redacts, and remembers what it kept out of which artifact. Clones remember together.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    secrets: Arc<Secrets>,
    /// What artifacts are named relative to.
    root: PathBuf,
    /// By artifact and name.
    kept_out: Arc<Mutex<BTreeMap<(String, String), u64>>>,
}

impl Redactor {
    /// For what a configuration names, with the variables whose values cannot be redacted. Without a configuration it
    /// still knows the shapes: see [`Redactor::default`].
    pub fn new(config: &Config, environment: &Environment) -> (Self, Vec<(String, Unusable)>) {
        let (values, mut unusable) = values::collect(config, environment);
        let (secrets, more) = Secrets::new(&values);
        unusable.extend(more);
        (Self { secrets: Arc::new(secrets), ..Self::default() }, unusable)
    }

    /// The same secrets with a memory of its own, for artifacts below a folder.
    #[must_use]
    pub fn below(&self, root: &Path) -> Self {
        Self { secrets: Arc::clone(&self.secrets), root: root.to_owned(), kept_out: Arc::default() }
    }

    /// The same secrets with a memory of its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        self.below(&self.root)
    }

    /// A text without its secrets, for people; nothing is remembered.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.plain(text, &mut Found::default()).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// A JSON text without its secrets, for people; nothing is remembered.
    pub fn json_text<'t>(&self, json: &'t str) -> Cow<'t, str> {
        let changes = json::changes(json, Tokens::Texts, |text| self.plain(text, &mut Found::default()));
        if changes.is_empty() { Cow::Borrowed(json) } else { Cow::Owned(json::apply(json, &changes)) }
    }

    /// The content of an artifact without its secrets.
    pub(crate) fn bytes(&self, path: &Path, content: Vec<u8>) -> Vec<u8> {
        let mut found = Found::default();
        let redacted = self.replace(&content, &mut found);
        self.remember(path, found);
        redacted.unwrap_or(content)
    }

    /// An artifact as readable JSON without its secrets.
    pub(crate) fn json(&self, path: &Path, value: &impl Serialize) -> Result<Vec<u8>, Error> {
        let json = serde_json::to_string_pretty(value)?;
        let mut found = Found::default();
        let changes = json::changes(&json, Tokens::Texts, |text| self.plain(text, &mut found));
        self.remember(path, found);
        Ok((json::apply(&json, &changes) + "\n").into_bytes())
    }

    /// The line of an event without its secrets, and the event that the line holds: what follows from an event follows
    /// from what is kept of it.
    pub(crate) fn event(&self, path: &Path, event: Event) -> Result<(String, Event), Error> {
        let line = serde_json::to_string(&event)?;
        let mut found = Found::default();
        let changes = json::changes(&line, Tokens::All, |text| self.plain(text, &mut found));
        if changes.is_empty() {
            return Ok((line, event));
        }
        let whole = json::apply(&line, &changes);
        let (line, event) = match serde_json::from_str(&whole) {
            Ok(event) => (whole, event),
            // An id or a number looks like a secret: it stays, everything else goes.
            Err(_) => fitting(line, event, &changes),
        };
        self.remember(path, found);
        Ok((line, event))
    }

    /// For an artifact that is written in pieces.
    pub(crate) fn stream(&self) -> Stream {
        Stream { redactor: self.clone(), pending: Pending::default(), found: Found::default() }
    }

    /// What was kept out since the last call, one event an artifact and secret, in order.
    pub(crate) fn notes(&self) -> Vec<EventKind> {
        let kept_out = std::mem::take(&mut *self.kept_out.lock().unwrap_or_else(PoisonError::into_inner));
        let note = |((place, name), count)| EventKind::SecretRedacted(SecretRedacted { place, name, count });
        kept_out.into_iter().map(note).collect()
    }

    fn plain(&self, text: &str, found: &mut Found) -> Option<String> {
        // A secret that is text is found between whole characters, so that this loses nothing.
        self.replace(text.as_bytes(), found).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The content with marks; none where it has no secret.
    fn replace(&self, content: &[u8], found: &mut Found) -> Option<Vec<u8>> {
        let spans = self.secrets.spans(content, None);
        if spans.is_empty() {
            return None;
        }
        let (mut redacted, mut at) = (Vec::with_capacity(content.len()), 0);
        for span in spans {
            redacted.extend_from_slice(&content[at..span.start]);
            redacted.extend_from_slice(mark(span.name).as_bytes());
            found.note(span.name);
            at = span.end;
        }
        redacted.extend_from_slice(&content[at..]);
        Some(redacted)
    }

    fn remember(&self, path: &Path, found: Found) {
        if found.0.is_empty() {
            return;
        }
        let place = path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned();
        let mut kept_out = self.kept_out.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, count) in found.0 {
            *kept_out.entry((place.clone(), name)).or_default() += count;
        }
    }
}

/// The event with as many of the changes as its types allow.
fn fitting(mut line: String, mut event: Event, changes: &[json::Change]) -> (String, Event) {
    // From the back, so that the places of the changes before stay true.
    for change in changes.iter().rev() {
        let candidate = json::apply(&line, [change]);
        if let Ok(redacted) = serde_json::from_str(&candidate) {
            (line, event) = (candidate, redacted);
        }
    }
    (line, event)
}

/// Redacts an artifact that is written in pieces.
#[derive(Debug)]
pub(crate) struct Stream {
    redactor: Redactor,
    pending: Pending,
    found: Found,
}

impl Stream {
    /// Takes the next piece. Gives what can be written: everything but an unfinished line and what may be the beginning
    /// of a secret.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        self.pending.push(piece, &self.redactor.secrets, &mut self.found)
    }

    /// Gives the rest.
    pub(crate) fn finish(&mut self, path: &Path) -> Vec<u8> {
        let rest = self.pending.finish(&self.redactor.secrets, &mut self.found);
        self.redactor.remember(path, std::mem::take(&mut self.found));
        rest
    }
}

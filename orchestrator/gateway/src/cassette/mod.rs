//! Cassettes: what models answered is kept, and answers again in their place, without a key and without a network.
//!
//! A request is known again by who asks and by what is the same each time ([`parts`]); equal ones are answered in the
//! order in which they were asked. One that is not known is refused: an answer to something else would be a guess.

mod file;
mod parts;
mod player;
mod recorder;
mod taping;
mod volatile;

use std::{fmt, sync::Arc};

pub use file::CassetteError;
pub use player::Player;
pub use recorder::{Recorder, Standing};

use mycelium_schemas::cassette::Asker;
use parts::Part;
pub(crate) use taping::Taping;
use volatile::Volatile;

use crate::server::Client;

/// The text with marks in the place of secrets; none where it has no secret.
pub type Clean = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What happens to answers beside being passed on.
#[derive(Debug, Default)]
pub enum Tape {
    /// Nothing.
    #[default]
    Off,
    /// They are kept.
    Record(Recorder),
    /// They come from what was kept; nobody is asked.
    Replay(Player),
}

/// What is known of the texts that pass: what must not be kept, and what differs each time.
#[derive(Clone)]
pub struct Known {
    clean: Arc<Clean>,
    volatile: Volatile,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

impl Known {
    /// Of secrets, and of places with the names that stand for them.
    pub fn new(clean: Arc<Clean>, places: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        Self { clean, volatile: Volatile::new(places) }
    }

    fn clean(&self, text: &str) -> Option<String> {
        (self.clean)(text)
    }

    /// The parts of a request, the same whenever it is made again.
    fn parts(&self, body: &[u8]) -> Vec<Part> {
        let text = String::from_utf8_lossy(body);
        match self.clean(&text) {
            Some(clean) => parts::of(clean.as_bytes(), &self.volatile),
            None => parts::of(body, &self.volatile),
        }
    }
}

/// Whose request it is.
pub(crate) fn asker(client: &Client, interface: &str) -> Asker {
    Asker {
        task: client.task.clone(),
        turn: client.turn,
        by: client.by.clone(),
        interface: interface.to_owned(),
    }
}

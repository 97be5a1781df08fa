//! Ids of syntax nodes and pickles: counted, so that the same input gives the same ids.

/// Hands out `0`, `1`, `2`, … One generator serves a whole stream of messages, whose ids must differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdGenerator {
    next: u64,
}

impl IdGenerator {
    /// A generator that begins at `0`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next id.
    pub fn next_id(&mut self) -> String {
        let id = self.next.to_string();
        self.next += 1;
        id
    }
}

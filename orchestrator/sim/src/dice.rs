//! Chance that can be replayed and shrunk: a row of bytes, each the answer to one question.

/// Bytes of chance. Beyond their end every answer is 0, which always means that things go well: every run ends.
#[derive(Debug, Clone)]
pub struct Dice {
    bytes: Vec<u8>,
    rolled: usize,
}

/// Most bytes that a seed gives.
const LONGEST: u64 = 600;

impl Dice {
    /// Dice that show these bytes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, rolled: 0 }
    }

    /// The bytes that belong to a seed (splitmix64), the same on every machine.
    pub fn bytes_of_seed(seed: u64) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^ (word >> 31)
        };
        let length = next() % LONGEST;
        (0..length).map(|_| next().to_le_bytes()[0]).collect()
    }

    /// A number below `sides`; 0 for no side at all.
    pub fn roll(&mut self, sides: u8) -> u8 {
        let byte = self.bytes.get(self.rolled).copied().unwrap_or_default();
        self.rolled += 1;
        byte.checked_rem(sides).unwrap_or_default()
    }

    /// True about once in so many times.
    pub fn once_in(&mut self, times: u8) -> bool {
        self.roll(times) == 1
    }

    /// A number up to and with `most`.
    pub fn up_to(&mut self, most: usize) -> usize {
        let (high, low) = (self.roll(u8::MAX), self.roll(u8::MAX));
        (usize::from(high) * 256 + usize::from(low)) % (most + 1)
    }

    /// One of these, the first where everything goes well; none of none.
    pub fn pick<T>(&mut self, mut from: Vec<T>) -> Option<T> {
        if from.is_empty() {
            return None;
        }
        let nth = usize::from(self.roll(u8::MAX)) % from.len();
        Some(from.swap_remove(nth))
    }

    /// How many bytes were used.
    pub fn used(&self) -> usize {
        self.rolled.min(self.bytes.len())
    }
}

//! What of a text differs each time though the same is said: places of this machine and of this run, times, ids.

use std::borrow::Cow;

/// The fewest bytes of a place that is looked for: a shorter one stands in too many words.
const PLACE_BYTES_MIN: usize = 6;
/// The fewest digits of what is taken for the id of a commit or the like.
const HEX_DIGITS_MIN: usize = 7;
/// The fewest letters of a word of hexadecimal digits alone that is taken for an id in the output of a command.
const HEX_WORD_MIN: usize = 6;
/// Words of a date as `ls` and `date` write it.
const CALENDAR: [&str; 19] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue", "Wed",
    "Thu", "Fri", "Sat", "Sun",
];

/// Which words are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// All but times and ids.
    Words,
    /// Of those, none that holds a digit or is of a date, and no columns: when a command ran, how long it took, and how
    /// much it found.
    OfOutput,
}

/// What is replaced by names: secrets, and places.
#[derive(Clone, Default)]
pub(super) struct Volatile {
    places: Vec<(String, &'static str)>,
}

impl Volatile {
    /// Of places with the names that stand for them.
    pub(super) fn new(places: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        let mut places: Vec<_> =
            places.into_iter().filter(|(place, _)| place.len() >= PLACE_BYTES_MIN).collect();
        // One that lies in another goes first.
        places.sort_by_key(|(place, _)| std::cmp::Reverse(place.len()));
        Self { places }
    }

    /// The text without what differs each time.
    pub(super) fn without(&self, text: &str, kept: Kept) -> String {
        let mut text = Cow::Borrowed(text);
        for (place, name) in &self.places {
            if text.contains(place.as_str()) {
                text = text.replace(place.as_str(), name).into();
            }
        }
        let (mut without, mut rest) = (String::with_capacity(text.len()), text.as_ref());
        while let Some(first) = rest.chars().next() {
            let length = word(rest);
            let (taken, replaced) = match length {
                0 if kept == Kept::OfOutput && first.is_whitespace() => {
                    (rest.len() - rest.trim_start().len(), Some(" "))
                }
                0 => (first.len_utf8(), None),
                _ => match time(rest) {
                    Some(time) => (time, Some("#")),
                    None => (length, is_id(&rest[..length], kept).then_some("#")),
                },
            };
            let (taken, after) = rest.split_at(taken);
            without.push_str(replaced.unwrap_or(taken));
            rest = after;
        }
        without
    }
}

/// Bytes of the word that a text begins with: letters and digits.
fn word(text: &str) -> usize {
    text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())
}

fn is_id(word: &str, kept: Kept) -> bool {
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let [digit, letter] =
        [char::is_numeric, char::is_alphabetic].map(|is: fn(char) -> bool| word.contains(is));
    match kept {
        Kept::Words => is_hex && digit && letter && word.len() >= HEX_DIGITS_MIN,
        Kept::OfOutput => digit || is_hex && word.len() >= HEX_WORD_MIN || CALENDAR.contains(&word),
    }
}

/// Bytes of the day, the time of day, or both, that a text begins with, as RFC 3339 writes them; or of a UUID.
fn time(text: &str) -> Option<usize> {
    if let Some(length) = matches(text, "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh") {
        return Some(length);
    }
    let Some(day) = matches(text, "dddd-dd-dd") else { return time_of_day(text) };
    let after = text.get(day..).unwrap_or_default();
    let time = after.strip_prefix(['T', ' ']).and_then(time_of_day);
    Some(day + time.map_or(0, |time| 1 + time))
}

/// With its fraction and its zone.
fn time_of_day(text: &str) -> Option<usize> {
    let mut length = matches(text, "dd:dd:dd")?;
    let rest = |length: usize| text.get(length..).unwrap_or_default();
    if let Some(fraction) = rest(length).strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        length += if digits > 0 { 1 + digits } else { 0 };
    }
    let zone = ["Z", "+dd:dd", "-dd:dd"].into_iter().find_map(|zone| matches(rest(length), zone));
    Some(length + zone.unwrap_or(0))
}

/// The length of a pattern that a text begins with, of digits (`d`), hexadecimal ones (`h`) and themselves.
fn matches(text: &str, pattern: &str) -> Option<usize> {
    let fits = text.len() >= pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            b'h' => byte.is_ascii_hexdigit(),
            wanted => byte == wanted,
        });
    fits.then_some(pattern.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_times_and_ids_are_the_same_each_time_and_what_was_said_is_not() {
        let volatile = Volatile::new([
            ("/tmp/a1/repo".to_owned(), "<root>"),
            ("/tmp/a1/repo/runs/r1".to_owned(), "<run>"),
        ]);
        for (text, without) in [
            ("in /tmp/a1/repo/runs/r1/x and /tmp/a1/repo/y", "in <run>/x and <root>/y"),
            ("at 2026-01-31T10:11:12.5+01:00, 2026-01-31, 10:11:12", "at #, #, #"),
            ("thread 0199a213-81c0-7800-8aa1-bbab2a035a53.", "thread #."),
            ("index 83db48f..bf2c1d9 100644", "index #..# 100644"),
            ("Write 3 lines, not 4000000; a facade", "Write 3 lines, not 4000000; a facade"),
            ("ä10:11:12 é", "ä10:11:12 é"),
        ] {
            assert_eq!(volatile.without(text, Kept::Words), without);
        }
    }

    #[test]
    fn in_what_a_command_said_neither_numbers_nor_dates_count() {
        let said = "Chunk ID: feedac\nWall time: 0.0512 seconds\n3 passed; pid 4711, 12kB of facts\n  9 Nov  3 2026 a";
        let without = Volatile::default().without(said, Kept::OfOutput);
        assert_eq!(without, "Chunk ID: # Wall time: #.# seconds # passed; pid #, # of facts # # # # a");
    }
}

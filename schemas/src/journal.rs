//! The bytes of a journal that a crash may have torn: whole groups of events, and where they end.

use serde::Deserialize;

use crate::{SCHEMA_VERSION, event::Event};

/// What a journal holds up to its last whole group.
#[derive(Debug)]
pub struct Tail {
    /// In order.
    pub events: Vec<Event>,
    /// Length of the file up to there.
    pub whole_bytes: u64,
    /// A version newer than ours that an event which can be read says it has: it may be looked at, not gone on with.
    pub newer: Option<u32>,
}

/// Why a journal cannot be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// A line within it cannot be read: no crash does that.
    #[error("a line before byte {before} cannot be read, and whole ones follow it")]
    Hole {
        /// Where the whole line behind it ends.
        before: u64,
    },
    /// Written by a newer format.
    #[error("an event has format version {version}")]
    Newer {
        /// Its version.
        version: u32,
    },
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Reads the bytes of a journal. Only its end may be torn: a bad line with whole lines behind it is damage. A line of a
/// newer format that cannot be read is refused; one that can is told, since whoever writes must understand everything.
pub fn read(bytes: &[u8]) -> Result<Tail, TailError> {
    let mut tail = Tail { events: Vec::new(), whole_bytes: 0, newer: None };
    let mut group = Vec::new();
    let (mut offset, mut torn_at) = (0_u64, None);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        offset += line.len() as u64;
        let event = serde_json::from_slice::<Event>(line).ok().filter(|_| line.ends_with(b"\n"));
        let Some(event) = event else {
            refuse_newer(line)?;
            torn_at.get_or_insert(offset);
            continue;
        };
        if torn_at.is_some() {
            return Err(TailError::Hole { before: offset });
        }
        if event.v > SCHEMA_VERSION {
            tail.newer = tail.newer.max(Some(event.v));
        }
        let more = event.more;
        group.push(event);
        if !more {
            tail.events.append(&mut group);
            tail.whole_bytes = offset;
        }
    }
    Ok(tail)
}

fn refuse_newer(line: &[u8]) -> Result<(), TailError> {
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { v }) if v > SCHEMA_VERSION => Err(TailError::Newer { version: v }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(seq: u64, more: bool) -> String {
        let more = if more { r#","more":true"# } else { "" };
        format!(
            "{{\"v\":1,\"ts\":\"2026-01-02T03:04:05Z\",\"seq\":{seq},\"run_id\":\"r\"{more},\"type\":\"task.retry\",\"payload\":{{\"reason\":\"x\",\"attempts_left\":1}}}}\n"
        )
    }

    fn seqs(text: &[u8]) -> Vec<u64> {
        read(text).unwrap().events.iter().map(|event| event.seq).collect()
    }

    #[test]
    fn wherever_the_end_is_torn_whole_groups_remain() {
        let text = [line(1, false), line(2, true), line(3, true), line(4, false), line(5, false)].concat();
        let ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at + 1).collect();
        for cut in 0..=text.len() {
            let whole = match cut {
                c if c < ends[0] => vec![],
                c if c < ends[3] => vec![1],
                c if c < ends[4] => vec![1, 2, 3, 4],
                _ => vec![1, 2, 3, 4, 5],
            };
            assert_eq!(seqs(&text.as_bytes()[..cut]), whole, "cut at {cut}");
        }
    }

    #[test]
    fn a_newer_line_is_told_where_it_can_be_read_and_refused_where_not() {
        let newer = |text: String| text.replace("\"v\":1", "\"v\":7");
        let tail = read([line(1, false), newer(line(2, false))].concat().as_bytes()).unwrap();
        assert_eq!((tail.events.len(), tail.newer), (2, Some(7)));
        let unknown = newer(line(2, false)).replace("task.retry", "task.unheard_of");
        let found = read([line(1, false), unknown].concat().as_bytes());
        assert!(matches!(found, Err(TailError::Newer { version: 7 })), "{found:?}");
        assert_eq!(read(line(1, false).as_bytes()).unwrap().newer, None);
    }

    #[test]
    fn a_tail_of_nuls_is_torn_and_a_hole_in_the_middle_is_damage() {
        let mut text = line(1, false).into_bytes();
        text.extend([0; 4096]);
        assert_eq!(seqs(&text), [1]);
        text.push(b'\n');
        assert_eq!(seqs(&text), [1]);
        text.extend(line(2, false).bytes());
        assert!(matches!(read(&text), Err(TailError::Hole { .. })));
    }

    #[test]
    fn a_newer_format_is_refused_and_not_cut_off() {
        let text =
            [line(1, false), line(2, false).replace("\"v\":1", "\"v\":2").replace("task.retry", "new.kind")];
        assert!(matches!(read(text.concat().as_bytes()), Err(TailError::Newer { version: 2 })));
    }
}

//! Reads a journal that a crash may have torn: whole groups of events, and where they end.

use std::path::Path;

use mycelium_schemas::{SCHEMA_VERSION, event::Event};
use serde::Deserialize;

use crate::error::Error;

/// What a journal holds up to its last whole group.
#[derive(Debug)]
pub struct Tail {
    /// In order.
    pub events: Vec<Event>,
    /// Length of the file up to there.
    pub whole_bytes: u64,
}

/// What every version of the format has.
#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Reads the bytes of a journal. Only its end may be torn: a bad line with whole lines behind it is damage, and a
/// line of a newer format is refused, since whoever writes must understand everything.
pub fn read(path: &Path, bytes: &[u8]) -> Result<Tail, Error> {
    let mut tail = Tail { events: Vec::new(), whole_bytes: 0 };
    let mut group = Vec::new();
    let (mut offset, mut torn_at) = (0_u64, None);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        offset += line.len() as u64;
        let event = serde_json::from_slice::<Event>(line).ok().filter(|_| line.ends_with(b"\n"));
        let Some(event) = event else {
            refuse_newer(path, line)?;
            torn_at.get_or_insert(offset);
            continue;
        };
        if torn_at.is_some() {
            let reason = format!("a line before byte {offset} cannot be read, and whole ones follow it");
            return Err(Error::Damaged { path: path.to_owned(), reason });
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

fn refuse_newer(path: &Path, line: &[u8]) -> Result<(), Error> {
    match serde_json::from_slice::<Version>(line) {
        Ok(Version { v }) if v > SCHEMA_VERSION => Err(Error::Newer { path: path.to_owned(), version: v }),
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
        read(Path::new("j"), text).unwrap().events.iter().map(|event| event.seq).collect()
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
    fn a_tail_of_nuls_is_torn_and_a_hole_in_the_middle_is_damage() {
        let mut text = line(1, false).into_bytes();
        text.extend([0; 4096]);
        assert_eq!(seqs(&text), [1]);
        text.push(b'\n');
        assert_eq!(seqs(&text), [1]);
        text.extend(line(2, false).bytes());
        assert!(matches!(read(Path::new("j"), &text), Err(Error::Damaged { .. })));
    }

    #[test]
    fn a_newer_format_is_refused_and_not_cut_off() {
        let text =
            [line(1, false), line(2, false).replace("\"v\":1", "\"v\":2").replace("task.retry", "new.kind")];
        assert!(matches!(
            read(Path::new("j"), text.concat().as_bytes()),
            Err(Error::Newer { version: 2, .. })
        ));
    }
}

//! Splits a body into server-sent events. Only their data is looked at: that names its own type.

use super::LOOKED_AT_MAX;

/// The events of one body.
#[derive(Debug, Default)]
pub(crate) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    is_too_long: bool,
}

/// Bytes of a body by which it is known whether it is one of events.
const BEGINNING: usize = 64;

/// Whether a body begins as a stream of events does, whatever its type says: servers in between may leave that out.
pub(crate) fn begin_in(bytes: &[u8]) -> bool {
    let bytes = bytes.get(..BEGINNING).unwrap_or(bytes).trim_ascii_start();
    [&b"data:"[..], b"event:", b"id:", b"retry:", b":"].into_iter().any(|begin| bytes.starts_with(begin))
}

impl Events {
    pub(crate) fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        let mut parts = bytes.split(|byte| *byte == b'\n').peekable();
        while let Some(part) = parts.next() {
            if self.line.len() + self.data.len() + part.len() > LOOKED_AT_MAX {
                self.is_too_long = true;
                self.line.clear();
                self.data.clear();
            }
            if !self.is_too_long {
                self.line.extend_from_slice(part);
            }
            if parts.peek().is_some() {
                self.end_line(&mut take);
            }
        }
    }

    /// A last event may lack the empty line behind it.
    pub(crate) fn finish(&mut self, mut take: impl FnMut(&[u8])) {
        self.end_line(&mut take);
        self.end_event(&mut take);
    }

    fn end_line(&mut self, take: &mut impl FnMut(&[u8])) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        if line.is_empty() {
            self.end_event(take);
        } else if let Some(data) = line.strip_prefix(b"data:") {
            if !self.data.is_empty() {
                self.data.push(b'\n');
            }
            self.data.extend_from_slice(data.strip_prefix(b" ").unwrap_or(data));
        }
    }

    fn end_event(&mut self, take: &mut impl FnMut(&[u8])) {
        let data = std::mem::take(&mut self.data);
        if !data.is_empty() && !std::mem::take(&mut self.is_too_long) {
            take(&data);
        }
        self.is_too_long = false;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(chunks: &[&[u8]]) -> Vec<String> {
        let (mut events, mut found) = (Events::default(), Vec::new());
        for chunk in chunks {
            events.push(chunk, |data| found.push(String::from_utf8_lossy(data).into_owned()));
        }
        events.finish(|data| found.push(String::from_utf8_lossy(data).into_owned()));
        found
    }

    const BODY: &str =
        ": hello\r\nevent: a\r\ndata: {\"x\":1}\r\n\r\ndata: two\ndata:lines\n\nid: 7\n\ndata: [DONE]";

    #[test]
    fn events_are_what_stands_between_empty_lines() {
        assert_eq!(events(&[BODY.as_bytes()]), ["{\"x\":1}", "two\nlines", "[DONE]"]);
    }

    #[test]
    fn an_event_that_is_too_long_is_left_out_and_no_other() {
        let long = vec![b'x'; LOOKED_AT_MAX + 1];
        assert_eq!(events(&[b"data: a\n\ndata: ", &long, b"\n\ndata: b\n\n"]), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn how_a_body_is_cut_changes_nothing(cut in 0..BODY.len(), again in 0..BODY.len()) {
            let (from, to) = (cut.min(again), cut.max(again));
            let body = BODY.as_bytes();
            prop_assert_eq!(events(&[&body[..from], &body[from..to], &body[to..]]), events(&[body]));
        }
    }
}

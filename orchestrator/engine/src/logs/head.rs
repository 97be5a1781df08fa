//! The type of an event from the first bytes of its line. Most lines of a long log can be ruled out by it, without
//! reading them as JSON.

/// How far into a line its type is looked for: behind ids and stamps, each of which is short.
const HEAD_BYTES: usize = 512;

const TYPE: &[u8] = b"\"type\":\"";

/// The type of the event in this line. None where that takes reading the line: for lines that were not written like
/// ours, and those that are damaged.
pub(super) fn kind(line: &[u8]) -> Option<&str> {
    if line.last() != Some(&b'}') {
        return None;
    }
    let head = line.strip_prefix(b"{")?;
    let head = &head[..head.len().min(HEAD_BYTES)];
    let before = memchr::memmem::find(head, TYPE)?;
    // Before it there are plain values alone, so that it is not the type of something inside.
    if memchr::memchr2(b'{', b'\\', &head[..before]).is_some() {
        return None;
    }
    let kind = &head[before + TYPE.len()..];
    let kind = &kind[..memchr::memchr2(b'"', b'\\', kind)?];
    // A type with an escape is not one of ours.
    if head.get(before + TYPE.len() + kind.len()) != Some(&b'"') {
        return None;
    }
    std::str::from_utf8(kind).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_is_known_from_the_head_or_not_at_all() {
        for (line, found) in [
            (
                r#"{"v":1,"ts":"T","run_id":"r","type":"task.start","payload":{"type":"x"}}"#,
                Some("task.start"),
            ),
            (r#"{"v":1,"payload":{"type":"x"},"type":"task.start"}"#, None),
            (r#"{"v":1,"note":"\"type\":\"x\"","type":"task.start"}"#, None),
            (r#"{"v":1,"type":"task\u002estart"}"#, None),
            (r#"{"v":1, "type": "task.start"}"#, None),
            (r#"{"v":1,"type":"task.start","payload":{"#, None),
            (r#"["type":"task.start"}"#, None),
            ("", None),
        ] {
            assert_eq!(kind(line.as_bytes()), found, "{line}");
        }
        let late = format!(r#"{{"note":"{}","type":"task.start"}}"#, "x".repeat(HEAD_BYTES));
        assert_eq!(kind(late.as_bytes()), None);
    }
}

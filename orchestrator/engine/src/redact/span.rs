//! A secret's place in a text.

/// From where to where something secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The variable or the shape.
    pub(super) name: &'a str,
    /// True for a variable's value.
    pub(super) known: bool,
}

/// The spans in order, those that overlap as one: what is left between two of them belongs to none. A known value gives
/// its name to what it overlaps.
pub(super) fn merge(mut spans: Vec<Span<'_>>) -> Vec<Span<'_>> {
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
    let mut merged: Vec<Span<'_>> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start < last.end => {
                last.end = last.end.max(span.end);
                if span.known && !last.known {
                    (last.name, last.known) = (span.name, true);
                }
            }
            _ => merged.push(span),
        }
    }
    merged
}

//! Values as people read them. Text in, text out: nothing here prints.

pub(crate) mod diff;
pub(crate) mod error;
pub(crate) mod plan;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod review;
pub(crate) mod state;

/// Each text on a line of its own.
pub(crate) fn lines(texts: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    texts.into_iter().fold(String::new(), |lines, text| lines + text.as_ref() + "\n")
}

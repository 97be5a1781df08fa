//! A text on a terminal that is replaced as it changes, and gone at the end.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal};

use super::screen;
use crate::output::{self, Output};

/// The text; dropping it clears it away.
#[derive(Debug)]
pub(crate) struct Table {
    bar: ProgressBar,
}

impl Table {
    /// On standard output, where it is a terminal and people read it.
    pub(crate) fn on_terminal(output: Output) -> Option<Self> {
        if output.json || !io::stdout().is_terminal() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, screen::stdout());
        bar.set_style(ProgressStyle::with_template("{msg}").ok()?);
        Some(Self { bar })
    }

    /// Replaces what is shown.
    pub(crate) fn show(&self, text: &str) {
        self.bar.set_message(output::redacted(text.trim_end()).into_owned());
        self.bar.tick();
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

//! What moves on a terminal: the progress of a run and the table of a watched one. Nothing here can fail, and nothing
//! here is read back: a display never changes a run. Where there is no terminal, there are plain lines instead.

mod live;
mod screen;
mod table;

use mycelium_schemas::{event::Event, state::RunView};

pub(crate) use table::Table;

use crate::{output::Output, render};

/// Shows the events of a run as they happen, on standard error.
pub(crate) enum Progress {
    /// One line each.
    Plain(Output),
    /// Lines above, and below them what goes on now.
    Live(Box<live::Live>),
}

impl Progress {
    /// As standard error is a terminal or not; a run that goes on stood somewhere before.
    pub(crate) fn new(output: Output, before: Option<&RunView>) -> Self {
        match live::Live::on_terminal(output, before) {
            Some(live) => Self::Live(Box::new(live)),
            None => Self::Plain(output),
        }
    }

    /// Shows an event.
    pub(crate) fn event(&mut self, event: &Event) {
        let line = render::progress::line(event);
        match self {
            Self::Plain(output) => {
                if let Some(line) = line {
                    output.say(&line);
                }
            }
            Self::Live(live) => live.event(event, line.as_deref()),
        }
    }
}

//! The terminal that a display draws on. It may go away at any moment, and no display may fail for that.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// Redraws in a second at most.
const RATE: u8 = 20;

/// Standard error as a place to draw on.
pub(super) fn stderr() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(Screen::new(Term::buffered_stderr())), RATE)
}

/// Standard output as a place to draw on.
pub(super) fn stdout() -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(Screen::new(Term::buffered_stdout())), RATE)
}

/// A terminal on which nothing fails: what draws on it takes an error for a mistake of its own and panics. After the
/// first error nothing is drawn any more.
#[derive(Debug)]
struct Screen<T> {
    terminal: T,
    is_gone: AtomicBool,
}

impl<T: TermLike> Screen<T> {
    fn new(terminal: T) -> Self {
        Self { terminal, is_gone: AtomicBool::new(false) }
    }

    #[expect(clippy::unnecessary_wraps, reason = "the trait wants a result")]
    fn draw(&self, how: impl FnOnce(&T) -> io::Result<()>) -> io::Result<()> {
        if !self.is_gone.load(Ordering::Relaxed) && how(&self.terminal).is_err() {
            self.is_gone.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl<T: TermLike> TermLike for Screen<T> {
    fn width(&self) -> u16 {
        self.terminal.width()
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.draw(|terminal| terminal.move_cursor_up(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.draw(|terminal| terminal.move_cursor_down(n))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.draw(|terminal| terminal.move_cursor_right(n))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.draw(|terminal| terminal.move_cursor_left(n))
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.draw(|terminal| terminal.write_line(text))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.draw(|terminal| terminal.write_str(text))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw(TermLike::clear_line)
    }

    fn flush(&self) -> io::Result<()> {
        self.draw(TermLike::flush)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::AtomicUsize};

    use indicatif::{MultiProgress, ProgressBar};

    use super::*;

    /// A terminal that was closed; counts what is tried on it.
    #[derive(Debug, Default, Clone)]
    struct Closed(Arc<AtomicUsize>);

    impl Closed {
        fn fail(&self) -> io::Result<()> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Err(io::Error::from_raw_os_error(5))
        }
    }

    impl TermLike for Closed {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            self.fail()
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            self.fail()
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            self.fail()
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            self.fail()
        }

        fn write_line(&self, _: &str) -> io::Result<()> {
            self.fail()
        }

        fn write_str(&self, _: &str) -> io::Result<()> {
            self.fail()
        }

        fn clear_line(&self) -> io::Result<()> {
            self.fail()
        }

        fn flush(&self) -> io::Result<()> {
            self.fail()
        }
    }

    #[test]
    fn a_display_outlives_its_terminal_and_draws_nothing_more() {
        let closed = Closed::default();
        let target = ProgressDrawTarget::term_like(Box::new(Screen::new(closed.clone())));
        let screen = MultiProgress::with_draw_target(target);
        let bar = screen.add(ProgressBar::new_spinner());
        bar.tick();
        // What panics on a closed terminal: a line above that moves everything else.
        screen.suspend(|| {});
        screen.remove(&bar);
        bar.finish_and_clear();
        assert!(screen.clear().is_ok());
        assert_eq!(closed.0.load(Ordering::Relaxed), 1);
    }
}

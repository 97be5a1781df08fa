//! A problem with its place: `file:line:column`, the line, a mark below the part that is meant, why, and the mend. It
//! can be read without colour.

use std::fmt::Write;

use mycelium_schemas::problem::Problem;

/// Longest line shown as a whole, in characters.
const LINE_MAX: usize = 140;
/// Characters shown of a longer line on each side of the place.
const AROUND: usize = 60;

/// Paints text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    /// What is wrong.
    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    /// What surrounds it.
    pub(crate) fn faint(self, text: &str) -> String {
        self.with("34", text)
    }

    /// What to do.
    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// One problem, in several lines without a newline at the end.
pub(crate) fn problem(problem: &Problem, paint: Paint) -> String {
    let (line, column) = problem.source.line_column(problem.span.start);
    let excerpt = Excerpt::new(problem, column - 1);
    let number = line.to_string();
    let margin = " ".repeat(number.len());
    let bar = paint.faint("|");
    let mut text = format!("{}: {}\n", paint.bad("error"), plain(&problem.message));
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{margin}{} {}", paint.faint("-->"), plain(&problem.location()));
    if !problem.source.text.trim().is_empty() {
        let _ = writeln!(text, "{margin} {bar}");
        let _ = writeln!(text, "{} {bar} {}", paint.faint(&number), excerpt.line);
        let _ = writeln!(text, "{margin} {bar} {}{}", " ".repeat(excerpt.indent), paint.bad(&excerpt.mark));
    }
    let _ = write!(text, "{margin} {} {}", paint.good("= help:"), plain(&problem.help));
    text
}

/// The part of a line that is shown.
struct Excerpt {
    line: String,
    indent: usize,
    mark: String,
}

impl Excerpt {
    fn new(problem: &Problem, at: usize) -> Self {
        let line: Vec<char> = problem.source.line_at(problem.span.start).chars().map(printable).collect();
        let marked = problem.source.text.get(problem.span.clone()).unwrap_or_default();
        let length = marked.lines().next().unwrap_or_default().chars().count().max(1);
        let (from, to) = if line.len() <= LINE_MAX {
            (0, line.len())
        } else {
            let end = at + length.min(AROUND) + AROUND;
            (at.saturating_sub(AROUND).min(line.len()), end.min(line.len()))
        };
        let mut shown: String = line[from..to].iter().collect();
        let mut indent = at - from;
        if from > 0 {
            shown.insert(0, '…');
            indent += 1;
        }
        if to < line.len() {
            shown.push('…');
        }
        Self { line: shown, indent, mark: "^".repeat(length.min(AROUND)) }
    }
}

/// A character that cannot steer a terminal; one column each, so that the mark stands right.
fn printable(c: char) -> char {
    match c {
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        c => c,
    }
}

/// A text that cannot steer a terminal.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { printable(c) }).collect()
}

#[cfg(test)]
mod tests {
    use mycelium_schemas::problem::Source;

    use super::*;

    fn render(text: &str, span: std::ops::Range<usize>) -> String {
        let found = Problem {
            source: Source::new("config.yaml", text),
            span,
            message: "unknown key `b`".into(),
            help: "did you mean `a`?".into(),
        };
        problem(&found, Paint(false))
    }

    #[test]
    fn a_problem_shows_place_line_mark_and_mend() {
        assert_eq!(
            render("ü: 1\n\tbb: 2\n", 7..9),
            "error: unknown key `b`
 --> config.yaml:2:2
  |
2 |  bb: 2
  |  ^^
  = help: did you mean `a`?"
        );
    }

    #[test]
    fn a_problem_of_an_empty_text_shows_no_line() {
        assert_eq!(
            render("", 0..0),
            "error: unknown key `b`\n --> config.yaml:1:1\n  = help: did you mean `a`?"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_cannot_steer_the_terminal() {
        let text = format!("{}\u{1b}]bad{}", "x".repeat(500), "y".repeat(500));
        let shown = render(&text, 500..504);
        assert!(shown.contains("…xxx") && shown.contains("yyy…") && !shown.contains('\u{1b}'), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
        let lines: Vec<&str> = shown.lines().collect();
        let column = |line: &str, what: char| line.chars().position(|c| c == what);
        assert_eq!(column(lines[3], '\u{fffd}'), column(lines[4], '^'));
    }

    #[test]
    fn a_span_over_several_lines_marks_its_first() {
        assert!(
            render("a: {\n b: 1\n}\n", 3..13).ends_with("1 | a: {\n  |    ^\n  = help: did you mean `a`?")
        );
    }
}

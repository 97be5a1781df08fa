//! Reads a file line by line into flat sections, and collects every error on the way.

use std::{borrow::Cow, collections::HashSet};

use mycelium_schemas::messages::{Comment, Location, StepKeywordType};

use crate::{
    dialect::Dialect,
    error::{OpenDocString, ParseError, ParseErrorKind},
    grammar::{Argument, Fence, State, StepOwner, Tagged, Title, TokenKind},
    line::{Line, saturate},
    section::{DocStringToken, Outline, RowToken, Section, StepToken, TagToken},
};

const DOC_STRING_DELIMITERS: [&str; 2] = ["\"\"\"", "```"];

/// Reads a whole file.
pub(crate) fn outline(source: &str) -> Result<Outline<'_>, Vec<ParseError>> {
    let text = source.strip_prefix('\u{feff}').unwrap_or(source);
    let lines: Vec<Line<'_>> = text.lines().enumerate().map(|(index, line)| Line::new(index, line)).collect();
    let mut reader = Reader::new(&lines);
    for index in 0..lines.len() {
        reader.read(index);
    }
    reader.finish()
}

/// A line, recognised as one kind and taken apart.
enum Token<'s> {
    Language(&'static Dialect),
    TableRow(RowToken),
    OpenDocString { fence: Fence, media_type: &'s str },
    CloseDocString,
    Step { keyword: &'static str, keyword_type: StepKeywordType, text: &'s str },
    Tags(Vec<TagToken>),
    Title { title: Title, keyword: &'static str, name: &'s str },
    Comment,
    Empty,
    Other,
}

/// The table being read, as far as its shape matters.
struct TableShape {
    width: usize,
    /// The first row of another width.
    odd_row: Option<Location>,
}

/// The state of reading a file.
struct Reader<'l, 's> {
    lines: &'l [Line<'s>],
    dialect: &'static Dialect,
    state: State,
    /// Tags whose title has not come yet.
    tags: Vec<TagToken>,
    table: Option<TableShape>,
    comments: Vec<Comment>,
    sections: Vec<Section<'s>>,
    errors: Vec<ParseError>,
    /// A line can be looked at twice; its error is told once.
    reported: HashSet<ParseError>,
}

impl<'l, 's> Reader<'l, 's> {
    fn new(lines: &'l [Line<'s>]) -> Self {
        Self {
            lines,
            dialect: Dialect::english(),
            state: State::Start,
            tags: Vec::new(),
            table: None,
            comments: Vec::new(),
            sections: Vec::new(),
            errors: Vec::new(),
            reported: HashSet::new(),
        }
    }

    /// Reads one line. An unexpected one is reported and passed over, so that the rest is still checked.
    fn read(&mut self, index: usize) {
        let line = self.lines[index];
        for kind in self.state.expected() {
            if let Some(token) = self.recognise(kind, line) {
                self.accept(token, index);
                return;
            }
        }
        let expected = self.state.expected().collect();
        let got = line.trimmed.trim_end().to_owned();
        let kind = self.kind_of(line);
        self.report(line.location(), ParseErrorKind::UnexpectedToken { expected, got, kind });
    }

    /// What a line is where it may stand.
    fn kind_of(&self, line: Line<'s>) -> TokenKind {
        let begins_with = |text: &&str| line.trimmed.starts_with(text);
        let titles = [
            (Title::Feature, TokenKind::FeatureLine),
            (Title::Background, TokenKind::BackgroundLine),
            (Title::Examples, TokenKind::ExamplesLine),
            (Title::Scenario, TokenKind::ScenarioLine),
            (Title::Rule, TokenKind::RuleLine),
        ];
        let title = titles.iter().find(|(title, _)| self.dialect.title(*title, line.trimmed).is_some());
        if let Some((_, kind)) = title {
            *kind
        } else if begins_with(&"|") {
            TokenKind::TableRow
        } else if begins_with(&"@") {
            TokenKind::TagLine
        } else if DOC_STRING_DELIMITERS.iter().any(begins_with) {
            TokenKind::DocStringSeparator
        } else if self.dialect.step(line.trimmed).is_some() {
            TokenKind::StepLine
        } else {
            TokenKind::Other
        }
    }

    /// Checks that the file may end here.
    fn finish(mut self) -> Result<Outline<'s>, Vec<ParseError>> {
        if self.state.expects(TokenKind::Eof) {
            self.close_table();
        } else {
            let location = Location { line: saturate(self.lines.len() + 1), column: None };
            let expected = self.state.expected().collect();
            let open = self.open_text();
            self.report(location, ParseErrorKind::UnexpectedEndOfFile { expected, open });
        }
        if self.errors.is_empty() {
            Ok(Outline { language: self.dialect.language, comments: self.comments, sections: self.sections })
        } else {
            Err(self.errors)
        }
    }

    /// The doc string that the current line would be in.
    fn open_text(&mut self) -> Option<OpenDocString> {
        let State::DocString(..) = self.state else { return None };
        let DocStringToken { location, delimiter, .. } = self.step()?.doc_string.as_ref()?;
        Some(OpenDocString { location: *location, delimiter })
    }

    /// The line taken apart, if it is of this kind.
    fn recognise(&mut self, kind: TokenKind, line: Line<'s>) -> Option<Token<'s>> {
        match kind {
            TokenKind::Eof => None,
            TokenKind::Language => self.language(line),
            TokenKind::TableRow => line
                .trimmed
                .starts_with('|')
                .then(|| Token::TableRow(RowToken { location: line.location(), cells: line.cells() })),
            TokenKind::DocStringSeparator => self.doc_string_separator(line),
            TokenKind::StepLine => self
                .dialect
                .step(line.trimmed)
                .map(|(keyword, keyword_type, text)| Token::Step { keyword, keyword_type, text }),
            TokenKind::TagLine => self.tag_line(line),
            TokenKind::FeatureLine => self.title(Title::Feature, line),
            TokenKind::BackgroundLine => self.title(Title::Background, line),
            TokenKind::ExamplesLine => self.title(Title::Examples, line),
            TokenKind::ScenarioLine => self.title(Title::Scenario, line),
            TokenKind::RuleLine => self.title(Title::Rule, line),
            TokenKind::Comment => line.trimmed.starts_with('#').then_some(Token::Comment),
            TokenKind::Empty => line.trimmed.is_empty().then_some(Token::Empty),
            TokenKind::Other => Some(Token::Other),
        }
    }

    fn title(&self, title: Title, line: Line<'s>) -> Option<Token<'s>> {
        let (keyword, name) = self.dialect.title(title, line.trimmed)?;
        Some(Token::Title { title, keyword, name })
    }

    /// An unknown language is reported, and the line then passes as a comment.
    fn language(&mut self, line: Line<'s>) -> Option<Token<'s>> {
        let language = line.language()?;
        let dialect = Dialect::of(language);
        if dialect.is_none() {
            let language = language.to_owned();
            self.report(line.location(), ParseErrorKind::UnsupportedLanguage { language });
        }
        dialect.map(Token::Language)
    }

    fn tag_line(&mut self, line: Line<'s>) -> Option<Token<'s>> {
        if !line.trimmed.starts_with('@') {
            return None;
        }
        match line.tags() {
            Ok(tags) => Some(Token::Tags(tags)),
            Err(location) => {
                self.report(location, ParseErrorKind::WhitespaceInTag);
                None
            }
        }
    }

    fn doc_string_separator(&self, line: Line<'s>) -> Option<Token<'s>> {
        if let State::DocString(_, _, fence) = self.state {
            return line.trimmed.starts_with(fence.delimiter).then_some(Token::CloseDocString);
        }
        DOC_STRING_DELIMITERS.into_iter().find_map(|delimiter| {
            let media_type = line.trimmed.strip_prefix(delimiter)?.trim();
            Some(Token::OpenDocString { fence: Fence { delimiter, indent: line.indent() }, media_type })
        })
    }

    /// Takes a recognised line into the outline and moves the state on.
    fn accept(&mut self, token: Token<'s>, index: usize) {
        let line = self.lines[index];
        if !matches!(token, Token::TableRow(_) | Token::Comment | Token::Empty) {
            self.close_table();
        }
        match token {
            Token::Language(dialect) => {
                self.dialect = dialect;
                self.state = State::Language;
            }
            Token::TableRow(row) => self.accept_row(row),
            Token::OpenDocString { fence, media_type } => self.open_doc_string(line, fence, media_type),
            Token::CloseDocString => {
                if let State::DocString(owner, argument, _) = self.state {
                    self.state = State::Step(owner, argument);
                }
            }
            Token::Step { keyword, keyword_type, text } => {
                let location = line.location();
                let step =
                    StepToken { location, keyword, keyword_type, text, doc_string: None, rows: Vec::new() };
                self.accept_step(step);
            }
            Token::Tags(tags) => {
                self.state = State::Tags(self.tagged(index));
                self.tags.extend(tags);
            }
            Token::Title { title, keyword, name } => self.open_section(line, title, keyword, name),
            Token::Comment => {
                let location = line.location_at(1);
                self.comments.push(Comment { location, text: line.text.to_owned() });
                self.state = self.state.after_text();
            }
            Token::Empty => {}
            Token::Other => self.accept_text(line),
        }
    }

    fn open_section(&mut self, line: Line<'s>, title: Title, keyword: &'static str, name: &'s str) {
        self.sections.push(Section {
            title,
            location: line.location(),
            tags: std::mem::take(&mut self.tags),
            keyword,
            name,
            description: Vec::new(),
            steps: Vec::new(),
            rows: Vec::new(),
        });
        self.state = State::Title(title);
    }

    fn accept_step(&mut self, step: StepToken<'s>) {
        let Some(section) = self.sections.last_mut() else { return };
        section.steps.push(step);
        let owner =
            if section.title == Title::Background { StepOwner::Background } else { StepOwner::Scenario };
        self.state = State::Step(owner, Argument::None);
    }

    fn accept_row(&mut self, row: RowToken) {
        let width = row.cells.len();
        let shape = self.table.get_or_insert(TableShape { width, odd_row: None });
        if width != shape.width {
            shape.odd_row.get_or_insert(row.location);
        }
        let Some(section) = self.sections.last_mut() else { return };
        match section.steps.last_mut() {
            Some(step) => step.rows.push(row),
            None => section.rows.push(row),
        }
        self.state = self.state.after_row();
    }

    fn open_doc_string(&mut self, line: Line<'s>, fence: Fence, media_type: &'s str) {
        let State::Step(owner, argument) = self.state else { return };
        let Some(step) = self.step() else { return };
        step.doc_string = Some(DocStringToken {
            location: line.location(),
            delimiter: fence.delimiter,
            media_type,
            lines: Vec::new(),
        });
        let after = match argument {
            Argument::None | Argument::DocString => Argument::DocString,
            Argument::Table | Argument::TableThenDocString => Argument::TableThenDocString,
        };
        self.state = State::DocString(owner, after, fence);
    }

    fn accept_text(&mut self, line: Line<'s>) {
        if let State::DocString(_, _, fence) = self.state {
            let text = unescape(line.without_indent(fence.indent), fence.delimiter);
            if let Some(doc_string) = self.step().and_then(|step| step.doc_string.as_mut()) {
                doc_string.lines.push(text);
            }
        } else if let Some(section) = self.sections.last_mut() {
            section.description.push(line.text);
        }
        self.state = self.state.after_text();
    }

    /// The step that the current line belongs to.
    fn step(&mut self) -> Option<&mut StepToken<'s>> {
        self.sections.last_mut()?.steps.last_mut()
    }

    /// What the tag line belongs to: its title decides, and that comes later.
    fn tagged(&mut self, index: usize) -> Tagged {
        let state = self.state;
        match state {
            State::Start | State::Language => return Tagged::Feature,
            State::Tags(tagged) => return tagged,
            _ => {}
        }
        if state.expects(TokenKind::ExamplesLine) && self.next_title_is(Title::Examples, index) {
            Tagged::Examples
        } else if self.next_title_is(Title::Scenario, index) {
            Tagged::Scenario
        } else {
            Tagged::Rule
        }
    }

    /// Whether the next line that is neither tags nor comment nor blank is a title of this kind.
    fn next_title_is(&mut self, title: Title, index: usize) -> bool {
        for line in &self.lines[index + 1..] {
            if self.dialect.title(title, line.trimmed).is_some() {
                return true;
            }
            let is_passed_over =
                line.trimmed.is_empty() || line.trimmed.starts_with('#') || self.tag_line(*line).is_some();
            if !is_passed_over {
                return false;
            }
        }
        false
    }

    /// The table is complete; its shape is judged.
    fn close_table(&mut self) {
        if let Some(odd_row) = self.table.take().and_then(|table| table.odd_row) {
            self.report(odd_row, ParseErrorKind::InconsistentCellCount);
        }
    }

    fn report(&mut self, location: Location, kind: ParseErrorKind) {
        let error = ParseError { location, kind };
        if self.reported.insert(error.clone()) {
            self.errors.push(error);
        }
    }
}

/// Within a doc string its own delimiter is written with backslashes.
fn unescape<'s>(text: &'s str, delimiter: &str) -> Cow<'s, str> {
    let escaped: String = delimiter.chars().flat_map(|c| ['\\', c]).collect();
    if text.contains(&escaped) { Cow::Owned(text.replace(&escaped, delimiter)) } else { Cow::Borrowed(text) }
}

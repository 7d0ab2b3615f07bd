//! A parser for the part of PowerShell's grammar that the scripts use, for tests: literals,
//! variables, blocks, pipelines, comments. It refuses everything else.

use std::fmt;

/// A word: an argument of a command, or a part of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    /// A string without variables, as PowerShell evaluates it.
    Literal(String),
    /// A string in which variables expand.
    Expandable,
    Variable(String),
    Number,
    Bare(String),
    /// `{ … }`
    Block,
    /// `( … )` or `$( … )`
    Group,
    /// `@( … )`
    List,
    /// `@{ … }`
    Table,
    Type,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Argument {
    /// `-Name`, or `-Name:word`.
    Parameter(String, Option<Word>),
    Word(Word),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Command {
    pub(super) name: String,
    pub(super) arguments: Vec<Argument>,
}

/// The result of parsing a script.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) commands: Vec<Command>,
    /// The functions that the script defines, each with the number of its parameters.
    pub(super) functions: Vec<(String, usize)>,
    /// All strings without variables.
    pub(super) literals: Vec<String>,
    /// All words outside of comments, in order. Two scripts that differ in comments only have the
    /// same words.
    pub(super) words: Vec<String>,
    pub(super) comments: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Wrong(String);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Outcome<T> = Result<T, Wrong>;

/// PowerShell accepts the characters of `SINGLE` as single quotes, and those of `DOUBLE` as double
/// quotes.
const SINGLE: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];
const DOUBLE: [char; 4] = ['"', '\u{201c}', '\u{201d}', '\u{201e}'];
const OPERATORS: [&str; 19] = [
    "and",
    "or",
    "eq",
    "ne",
    "lt",
    "gt",
    "ge",
    "le",
    "like",
    "notlike",
    "match",
    "notmatch",
    "contains",
    "notcontains",
    "join",
    "replace",
    "split",
    "is",
    "in",
];

/// Parses a whole script.
pub(super) fn parse(text: &str) -> Outcome<Parsed> {
    let mut parser = Parser {
        text: text.chars().collect(),
        at: 0,
        found: Parsed::default(),
    };
    parser.statements(None)?;
    Ok(parser.found)
}

struct Parser {
    text: Vec<char>,
    at: usize,
    found: Parsed,
}

impl Parser {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.text.get(self.at + ahead).copied()
    }

    fn wrong<T>(&self, what: &str) -> Outcome<T> {
        let end = self.text.len().min(self.at + 60);
        let begin = self.at.saturating_sub(60).min(end);
        let here: String = self.text.iter().take(end).skip(begin).collect();
        Err(Wrong(format!("{what} near {here:?}")))
    }

    fn expect(&mut self, c: char) -> Outcome<()> {
        if self.peek(0) == Some(c) {
            self.at += 1;
            return Ok(());
        }
        self.wrong(&format!("no {c:?}"))
    }

    /// Skips blanks within a line, and a line end after a backtick.
    fn blanks(&mut self) {
        while let Some(c) = self.peek(0) {
            if c == ' ' || c == '\t' {
                self.at += 1;
            } else if c == '`' && matches!(self.peek(1), Some('\r' | '\n')) {
                self.at += 2;
            } else {
                break;
            }
        }
    }

    /// Skips blanks, line ends and comments.
    fn space(&mut self) {
        loop {
            self.blanks();
            match self.peek(0) {
                Some('\r' | '\n') => self.at += 1,
                Some('#') => self.comment(),
                _ => return,
            }
        }
    }

    fn comment(&mut self) {
        let mut comment = String::new();
        while let Some(c) = self.peek(0).filter(|c| !matches!(c, '\r' | '\n')) {
            comment.push(c);
            self.at += 1;
        }
        self.found.comments.push(comment);
    }

    fn keyword(&mut self, word: &str) -> bool {
        let matches = word
            .chars()
            .enumerate()
            .all(|(index, c)| self.peek(index).is_some_and(|d| d.eq_ignore_ascii_case(&c)));
        let ends = self
            .peek(word.len())
            .is_none_or(|c| !(c.is_alphanumeric() || c == '-' || c == '_'));
        if matches && ends {
            self.at += word.len();
            self.found.words.push(word.to_owned());
        }
        matches && ends
    }

    fn statements(&mut self, end: Option<char>) -> Outcome<()> {
        loop {
            self.space();
            match self.peek(0) {
                None if end.is_none() => return Ok(()),
                None => return self.wrong("the end of the script within a block"),
                Some(c) if Some(c) == end => {
                    self.at += 1;
                    return Ok(());
                }
                Some(';') => self.at += 1,
                Some(_) => {
                    self.statement()?;
                    self.blanks();
                    // A line end ends the statement.
                    match self.peek(0) {
                        None | Some('\r' | '\n' | ';' | '#') => {}
                        Some(c) if Some(c) == end => {}
                        Some(_) if self.after_block() => {}
                        Some(_) => return self.wrong("something after a statement"),
                    }
                }
            }
        }
    }

    fn after_block(&self) -> bool {
        let before = self.text.iter().take(self.at).rev();
        before.copied().find(|c| *c != ' ') == Some('}')
    }

    fn block(&mut self) -> Outcome<()> {
        self.space();
        self.expect('{')?;
        self.statements(Some('}'))
    }

    fn condition(&mut self) -> Outcome<()> {
        self.space();
        self.expect('(')?;
        self.statements(Some(')'))
    }

    fn statement(&mut self) -> Outcome<()> {
        if self.keyword("function") {
            return self.function();
        }
        if self.keyword("if") {
            self.condition()?;
            self.block()?;
            loop {
                let back = (self.at, self.found.comments.len());
                self.space();
                if self.keyword("elseif") {
                    self.condition()?;
                    self.block()?;
                } else if self.keyword("else") {
                    return self.block();
                } else {
                    self.at = back.0;
                    self.found.comments.truncate(back.1);
                    return Ok(());
                }
            }
        }
        if self.keyword("while") {
            self.condition()?;
            return self.block();
        }
        if self.keyword("try") {
            self.block()?;
            let mut ends = 0;
            loop {
                let back = (self.at, self.found.comments.len());
                self.space();
                if self.keyword("catch") || self.keyword("finally") {
                    self.block()?;
                    ends += 1;
                    continue;
                }
                self.at = back.0;
                self.found.comments.truncate(back.1);
                return match ends {
                    0 => self.wrong("a try without catch and finally"),
                    _ => Ok(()),
                };
            }
        }
        if self.keyword("break") {
            return Ok(());
        }
        if self.keyword("return") || self.keyword("throw") {
            self.blanks();
            if matches!(self.peek(0), None | Some('\r' | '\n' | ';' | '}' | '#')) {
                return Ok(());
            }
        }
        self.pipeline()
    }

    fn function(&mut self) -> Outcome<()> {
        self.blanks();
        let name = self.bare();
        self.blanks();
        let mut parameters = 0;
        if self.peek(0) == Some('(') {
            self.at += 1;
            loop {
                self.space();
                match self.peek(0) {
                    Some(')') => {
                        self.at += 1;
                        break;
                    }
                    Some(',') => self.at += 1,
                    Some('[') => {
                        self.word()?;
                    }
                    Some('$') => {
                        self.word()?;
                        parameters += 1;
                    }
                    _ => return self.wrong("no parameter"),
                }
            }
        }
        self.found.functions.push((name, parameters));
        self.block()
    }

    fn pipeline(&mut self) -> Outcome<()> {
        loop {
            self.space();
            if self.is_expression() {
                self.expression()?;
                self.blanks();
                let assigns = match (self.peek(0), self.peek(1)) {
                    (Some('='), _) => Some(1),
                    (Some('+'), Some('=')) => Some(2),
                    _ => None,
                };
                if let Some(length) = assigns {
                    self.at += length;
                    self.space();
                    return self.statement();
                }
            } else {
                self.command()?;
            }
            self.blanks();
            if self.peek(0) != Some('|') {
                return Ok(());
            }
            self.at += 1;
        }
    }

    fn is_expression(&self) -> bool {
        match self.peek(0) {
            Some('$' | '(' | '@' | '[' | '!') => true,
            Some('-') => true,
            Some(c) => c.is_ascii_digit() || SINGLE.contains(&c) || DOUBLE.contains(&c),
            None => false,
        }
    }

    fn expression(&mut self) -> Outcome<()> {
        loop {
            self.space();
            if self.peek(0) == Some('-') {
                self.at += 1;
                if !self.keyword("not") {
                    return self.wrong("no operator that stands alone");
                }
                continue;
            }
            let word = self.word()?;
            self.postfix()?;
            // A cast, such as `[version]'3.0.0'`.
            if word == Word::Type && !matches!(self.peek(0), Some(' ' | '\r' | '\n' | ')')) {
                continue;
            }
            self.blanks();
            match self.peek(0) {
                Some(',') => self.at += 1,
                Some('-') => {
                    self.at += 1;
                    if !OPERATORS.iter().any(|operator| self.keyword(operator)) {
                        return self.wrong("no operator");
                    }
                }
                Some('+') if self.peek(1) != Some('=') => self.at += 1,
                _ => return Ok(()),
            }
        }
    }

    /// Reads properties, methods and indices after an expression.
    fn postfix(&mut self) -> Outcome<()> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('.'), Some(c)) if c.is_ascii_alphabetic() => {
                    self.at += 1;
                    let name = self.bare();
                    self.found.words.push(name);
                    if self.peek(0) == Some('(') {
                        self.condition()?;
                    }
                }
                (Some('['), _) => {
                    self.at += 1;
                    self.statements(Some(']'))?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn command(&mut self) -> Outcome<()> {
        let name = if self.peek(0) == Some('&') {
            self.at += 1;
            self.blanks();
            self.word()?;
            "&".to_owned()
        } else {
            let name = self.bare();
            if name.is_empty() {
                return self.wrong("no command");
            }
            name
        };
        self.found.words.push(name.clone());
        let place = self.found.commands.len();
        self.found.commands.push(Command {
            name,
            arguments: Vec::new(),
        });
        let mut arguments = Vec::new();
        loop {
            self.blanks();
            match self.peek(0) {
                None | Some('\r' | '\n' | ';' | '|' | '}' | ')' | '#') => break,
                Some(',') => {
                    self.at += 1;
                    self.blanks();
                    self.word()?;
                }
                Some('-') => {
                    self.at += 1;
                    let name = self.bare();
                    self.found.words.push(format!("-{name}"));
                    let mut beside = None;
                    if self.peek(0) == Some(':') {
                        self.at += 1;
                        beside = Some(self.word()?);
                    }
                    arguments.push(Argument::Parameter(name, beside));
                }
                Some(_) => {
                    let word = self.word()?;
                    self.postfix()?;
                    if !matches!(
                        self.peek(0),
                        None | Some(' ' | '\t' | '\r' | '\n' | ';' | '|' | '}' | ')' | ',')
                    ) {
                        return self.wrong("an argument that goes on after its end");
                    }
                    arguments.push(Argument::Word(word));
                }
            }
        }
        if let Some(command) = self.found.commands.get_mut(place) {
            command.arguments = arguments;
        }
        Ok(())
    }

    fn bare(&mut self) -> String {
        let mut bare = String::new();
        while let Some(c) = self
            .peek(0)
            .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '*'))
        {
            bare.push(c);
            self.at += 1;
        }
        bare
    }

    fn word(&mut self) -> Outcome<Word> {
        let begin = self.at;
        let word = self.any_word()?;
        let shown: String = match &word {
            Word::Literal(text) => {
                self.found.literals.push(text.clone());
                format!("{text:?}")
            }
            _ => self.text.iter().take(self.at).skip(begin).collect(),
        };
        // A group in brackets has recorded its own contents.
        match word {
            Word::Block | Word::Group | Word::List | Word::Table => {}
            _ => self.found.words.push(shown),
        }
        Ok(word)
    }

    fn any_word(&mut self) -> Outcome<Word> {
        let Some(c) = self.peek(0) else {
            return self.wrong("the end of the script");
        };
        match (c, self.peek(1)) {
            (c, _) if SINGLE.contains(&c) => self.single_quoted(),
            (c, _) if DOUBLE.contains(&c) => self.double_quoted(),
            ('$', Some('(')) => {
                self.at += 2;
                self.statements(Some(')'))?;
                Ok(Word::Group)
            }
            ('$', _) => {
                self.at += 1;
                let mut name = self.bare();
                if self.peek(0) == Some(':') {
                    self.at += 1;
                    name = format!("{name}:{}", self.bare());
                }
                match name.is_empty() {
                    true => self.wrong("no variable"),
                    false => Ok(Word::Variable(name)),
                }
            }
            ('(', _) => {
                self.at += 1;
                self.statements(Some(')'))?;
                Ok(Word::Group)
            }
            ('@', Some('(')) => {
                self.at += 2;
                self.statements(Some(')'))?;
                Ok(Word::List)
            }
            ('@', Some('{')) => {
                self.at += 2;
                self.table()?;
                Ok(Word::Table)
            }
            ('{', _) => {
                self.block()?;
                Ok(Word::Block)
            }
            ('[', _) => {
                self.at += 1;
                self.bare();
                self.expect(']')?;
                Ok(Word::Type)
            }
            (c, _) if c.is_ascii_digit() => {
                self.bare();
                Ok(Word::Number)
            }
            (c, _) if c.is_alphanumeric() => Ok(Word::Bare(self.bare())),
            _ => self.wrong("no word"),
        }
    }

    fn table(&mut self) -> Outcome<()> {
        loop {
            self.space();
            match self.peek(0) {
                Some('}') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(';') => self.at += 1,
                _ => {
                    let key = self.bare();
                    self.found.words.push(key);
                    self.blanks();
                    self.expect('=')?;
                    self.space();
                    self.statement()?;
                }
            }
        }
    }

    fn single_quoted(&mut self) -> Outcome<Word> {
        self.at += 1;
        let mut text = String::new();
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return self.wrong("a string without an end"),
                (Some(c), Some(d)) if SINGLE.contains(&c) && SINGLE.contains(&d) => {
                    text.push(c);
                    self.at += 2;
                }
                (Some(c), _) if SINGLE.contains(&c) => {
                    self.at += 1;
                    return Ok(Word::Literal(text));
                }
                (Some(c), _) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
    }

    fn double_quoted(&mut self) -> Outcome<Word> {
        self.at += 1;
        let mut units: Vec<u16> = Vec::new();
        let mut expands = false;
        let push = |units: &mut Vec<u16>, c: char| {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
        };
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return self.wrong("a string without an end"),
                (Some('`'), Some(c)) => {
                    push(&mut units, c);
                    self.at += 2;
                }
                (Some('$'), Some('(')) => {
                    if let Some(unit) = self.number_of_letter() {
                        units.push(unit);
                        continue;
                    }
                    expands = true;
                    self.at += 2;
                    self.statements(Some(')'))?;
                }
                (Some('$'), Some(c)) if c.is_alphanumeric() || c == '_' => {
                    expands = true;
                    self.at += 1;
                }
                (Some(c), Some(d)) if DOUBLE.contains(&c) && DOUBLE.contains(&d) => {
                    push(&mut units, c);
                    self.at += 2;
                }
                (Some(c), _) if DOUBLE.contains(&c) => {
                    self.at += 1;
                    let text = String::from_utf16_lossy(&units);
                    return Ok(match expands {
                        true => Word::Expandable,
                        false => Word::Literal(text),
                    });
                }
                (Some(c), _) => {
                    push(&mut units, c);
                    self.at += 1;
                }
            }
        }
    }

    /// Reads a character written as its number, such as `$([char]0x0151)`.
    fn number_of_letter(&mut self) -> Option<u16> {
        let rest: String = self.text.iter().skip(self.at).take(40).collect();
        let hex = rest.strip_prefix("$([char]0x")?.split_once(')')?.0;
        let unit = u16::from_str_radix(hex, 16).ok()?;
        self.at += "$([char]0x)".len() + hex.len();
        Some(unit)
    }
}

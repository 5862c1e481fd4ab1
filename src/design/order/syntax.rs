//! The grammar of the order language. Whatever reads as groups and steps is read here; which of
//! them may stand where is the business of [`super::rules`].

use semel_models::order::Step;

use super::super::report::{enumeration, nearest};
use super::super::source::Span;
use super::{GroupKind, Node, Part};

/// How deep groups may be nested. `kafka[each(db[...])]` is the deepest that can be built.
pub(crate) const MAX_DEPTH: usize = 8;

/// How many steps an order may have.
pub(crate) const MAX_STEPS: usize = 16;

/// How long an order's text may be, in bytes.
pub(crate) const MAX_BYTES: usize = 2000;

/// Why a text is not an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub span: Span,
    pub message: String,
    pub write: String,
    /// Whether it is about nesting.
    pub too_deep: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Word(&'t str),
    Arrow,
    Comma,
    Open(char),
    Close(char),
    Unknown(char),
}

/// Reads an order; as many errors as can be told apart are returned together.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, Vec<SyntaxError>> {
    let mut parser = Parser {
        text,
        tokens: tokens(text),
        next: 0,
        steps: 0,
        errors: Vec::new(),
    };
    let nodes = parser.items(None, 0);
    match nodes {
        Some(nodes) if parser.errors.is_empty() => Ok(nodes),
        Some(_) | None => Err(parser.errors),
    }
}

fn tokens(text: &str) -> Vec<(Token<'_>, Span)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (token, length) = if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        } else if rest.starts_with("->") {
            (Token::Arrow, 2)
        } else if let Some(length) = word_length(rest) {
            (Token::Word(&rest[..length]), length)
        } else {
            let token = match first {
                ',' => Token::Comma,
                '(' | '[' | '{' => Token::Open(first),
                ')' | ']' | '}' => Token::Close(first),
                other => Token::Unknown(other),
            };
            let length = match token {
                Token::Unknown(sign) if looks_like_an_arrow(sign) => arrow_length(rest),
                _ => first.len_utf8(),
            };
            (token, length)
        };
        found.push((token, Span::from(start..start + length)));
        rest = &rest[length..];
    }
    found
}

/// A word holds letters, digits, `-` and `_`, but no arrow.
fn word_length(text: &str) -> Option<usize> {
    if text.starts_with('-') {
        return None;
    }
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let of_word = c.is_alphanumeric() || c == '_' || c == '-';
        if !of_word || text[at..].starts_with("->") {
            break;
        }
        end = at + c.len_utf8();
    }
    (end > 0).then_some(end)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token<'t>, Span)>,
    next: usize,
    steps: usize,
    errors: Vec<SyntaxError>,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<(Token<'t>, Span)> {
        self.tokens.get(self.next).copied()
    }

    fn error(&mut self, span: Span, message: impl Into<String>, write: impl Into<String>) {
        self.errors.push(SyntaxError {
            span,
            message: message.into(),
            write: write.into(),
            too_deep: false,
        });
    }

    /// The items up to the end of the text, or of the group. `None`: reading cannot go on.
    fn items(&mut self, group: Option<(GroupKind, Span)>, depth: usize) -> Option<Vec<Node>> {
        let mut nodes = Vec::new();
        let mut expect_item = true;
        let mut separator = None;
        loop {
            let Some((token, span)) = self.peek() else {
                if let Some((kind, open)) = group {
                    let message = format!("`{}` is opened here and never closed", kind.name());
                    self.error(open, message, format!("Write {}.", kind.shape()));
                    return None;
                }
                self.nothing_follows(separator);
                return Some(nodes);
            };
            match token {
                Token::Word(word) => {
                    if !expect_item {
                        self.missing_separator(span, word, group);
                    }
                    separator = None;
                    self.next += 1;
                    nodes.extend(self.item(word, span, depth)?);
                    expect_item = false;
                }
                Token::Arrow | Token::Comma => {
                    self.separator(token, span, group, expect_item);
                    self.next += 1;
                    separator = Some(span);
                    expect_item = true;
                }
                Token::Close(bracket) => {
                    self.close(bracket, span, group)?;
                    self.nothing_follows(separator);
                    return Some(nodes);
                }
                Token::Open(bracket) => {
                    self.error(
                        span,
                        format!("`{bracket}` opens no group"),
                        "Groups are each(...), db[...] and kafka[...].",
                    );
                    return None;
                }
                Token::Unknown(other) => {
                    let write = if looks_like_an_arrow(other) {
                        "Write `->` between steps."
                    } else {
                        "An order is made of steps, `->`, each(...), db[...] and kafka[...]."
                    };
                    self.error(span, format!("`{other}` has no meaning in an order"), write);
                    return None;
                }
            }
        }
    }

    fn nothing_follows(&mut self, separator: Option<Span>) {
        if let Some(span) = separator {
            let sign = &self.text[span.start..span.end];
            let message = format!("nothing follows this `{sign}`");
            self.error(span, message, "Write a step after it, or take it away.");
        }
    }

    fn missing_separator(&mut self, span: Span, word: &str, group: Option<(GroupKind, Span)>) {
        let sign = group.map_or("->", |(kind, _)| kind.separator());
        self.error(
            span,
            format!("`{sign}` is missing before `{word}`"),
            format!("Write `{sign} {word}`."),
        );
    }

    fn separator(
        &mut self,
        token: Token<'_>,
        span: Span,
        group: Option<(GroupKind, Span)>,
        expect_item: bool,
    ) {
        let written = if token == Token::Arrow { "->" } else { "," };
        if expect_item {
            self.error(
                span,
                format!("there is no step before this `{written}`"),
                "Write a step before it, or take it away.",
            );
            return;
        }
        let wanted = group.map_or("->", |(kind, _)| kind.separator());
        if written != wanted {
            let place = match group {
                Some((kind, _)) => format!("inside {}", kind.shape()),
                None => String::from("outside db[...] and kafka[...]"),
            };
            let reason = match wanted {
                "," => {
                    "what stands in the group takes effect at once, when its transaction commits"
                }
                _ => "one step is taken after the other",
            };
            self.error(
                span,
                format!("`{written}` does not stand {place}"),
                format!("Write `{wanted}`: {reason}."),
            );
        }
    }

    fn close(&mut self, bracket: char, span: Span, group: Option<(GroupKind, Span)>) -> Option<()> {
        let Some((kind, _)) = group else {
            self.error(
                span,
                format!("`{bracket}` closes no group"),
                "Take it away, or open a group before it.",
            );
            return None;
        };
        if closing(kind) != bracket {
            self.error(
                span,
                format!("`{bracket}` does not close {}", kind.shape()),
                format!("Write `{}`.", closing(kind)),
            );
        }
        self.next += 1;
        Some(())
    }

    /// A step, or a group with what is in it. An unknown step is reported and left out.
    fn item(&mut self, word: &str, span: Span, depth: usize) -> Option<Option<Node>> {
        let opens = match self.peek() {
            Some((Token::Open(bracket), at)) => Some((bracket, at)),
            Some(_) | None => None,
        };
        let kind = GroupKind::ALL.into_iter().find(|kind| kind.name() == word);
        match (kind, opens) {
            (Some(kind), Some((bracket, at))) => {
                if bracket != opening(kind) {
                    self.error(
                        at,
                        format!("`{word}` does not take `{bracket}`"),
                        format!("Write {}.", kind.shape()),
                    );
                }
                self.next += 1;
                self.group(kind, span, depth).map(Some)
            }
            (Some(kind), None) => {
                let write = format!("Write {} around the steps that it is for.", kind.shape());
                self.error(span, format!("`{word}` is a group and needs steps"), write);
                Some(None)
            }
            (None, Some((bracket, at))) => {
                let names = GroupKind::ALL.map(GroupKind::name);
                let near = nearest(word, names).map(|near| format!("Did you mean `{near}`? "));
                self.error(
                    Span::from(span.start..at.end),
                    format!("there is no group `{word}{bracket}`"),
                    near.unwrap_or_default() + "Groups are each(...), db[...] and kafka[...].",
                );
                None
            }
            (None, None) => Some(self.step(word, span)),
        }
    }

    fn step(&mut self, word: &str, span: Span) -> Option<Node> {
        self.steps += 1;
        if self.steps == MAX_STEPS + 1 {
            self.error(
                span,
                format!("an order has at most {MAX_STEPS} steps"),
                "Say the same with fewer steps.",
            );
        }
        if let Some(step) = Step::ALL.into_iter().find(|step| step.name() == word) {
            return Some(Node {
                part: Part::Step(step),
                span,
            });
        }
        let names = Step::ALL.map(Step::name);
        let write = match nearest(word, names) {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("The steps are {}.", enumeration(names)),
        };
        self.error(span, format!("there is no step `{word}`"), write);
        None
    }

    fn group(&mut self, kind: GroupKind, start: Span, depth: usize) -> Option<Node> {
        if depth >= MAX_DEPTH {
            self.errors.push(SyntaxError {
                span: start,
                message: format!("groups are nested more than {MAX_DEPTH} deep"),
                write: String::from("The deepest order that can be built is kafka[each(db[...])]."),
                too_deep: true,
            });
            return None;
        }
        let errors = self.errors.len();
        let inner = self.items(Some((kind, start)), depth + 1)?;
        let end = match self.tokens.get(self.next.saturating_sub(1)) {
            Some((_, span)) => span.end,
            None => self.text.len(),
        };
        let span = Span::from(start.start..end);
        if inner.is_empty() && self.errors.len() == errors {
            let message = format!("{} is empty", kind.shape());
            self.error(
                span,
                message,
                "Write the steps that it is for, or take it away.",
            );
        }
        Some(Node {
            part: Part::Group(kind, inner),
            span,
        })
    }
}

/// How long the sign is that someone wrote for `->`.
fn arrow_length(text: &str) -> usize {
    let end = text.find(|sign| !looks_like_an_arrow(sign));
    end.unwrap_or(text.len())
}

/// What someone may write for `->`.
fn looks_like_an_arrow(sign: char) -> bool {
    matches!(sign, '-' | '=' | '>' | '|' | ';' | '»' | '›' | '\u{2190}'..='\u{21ff}' | '\u{2794}'..='\u{27bf}')
}

fn opening(kind: GroupKind) -> char {
    match kind {
        GroupKind::Each => '(',
        GroupKind::Database | GroupKind::Kafka => '[',
    }
}

fn closing(kind: GroupKind) -> char {
    match kind {
        GroupKind::Each => ')',
        GroupKind::Database | GroupKind::Kafka => ']',
    }
}

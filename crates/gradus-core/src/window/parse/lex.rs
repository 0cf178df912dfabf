//! Cuts the text of a span into days, times, dates and the signs between them.

use jiff::civil::Date;

use super::super::span::DAY;
use super::{Fault, SpanErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    /// A day of the week; 0 is Monday.
    Day(u8),
    /// Minutes since midnight, up to and with 24:00.
    Time(u32),
    Date(Date),
    Dash,
    Comma,
    /// `..`, between dates.
    To,
    End,
}

pub(super) struct Lexer<'t> {
    source: &'t str,
    /// What stands here.
    pub(super) token: Token,
    /// Where it begins, in bytes.
    pub(super) at: usize,
    next: usize,
}

const DAYS: [(&str, &str); 7] = [
    ("Mon", "Monday"),
    ("Tue", "Tuesday"),
    ("Wed", "Wednesday"),
    ("Thu", "Thursday"),
    ("Fri", "Friday"),
    ("Sat", "Saturday"),
    ("Sun", "Sunday"),
];

pub(super) fn short_name(day: u8) -> &'static str {
    DAYS.get(usize::from(day)).map_or("", |(short, _)| short)
}

impl<'t> Lexer<'t> {
    pub(super) fn new(source: &'t str) -> Result<Self, Fault> {
        let mut lexer = Self { source, token: Token::End, at: 0, next: 0 };
        lexer.advance()?;
        Ok(lexer)
    }

    /// The text of the current token.
    pub(super) fn text(&self) -> &'t str {
        self.source.get(self.at..self.next).unwrap_or("")
    }

    /// Moves on to the next token.
    pub(super) fn advance(&mut self) -> Result<(), Fault> {
        let rest = self.source.get(self.next..).unwrap_or("");
        let text = rest.trim_start_matches([' ', '\t']);
        self.at = self.next + (rest.len() - text.len());
        let (token, length) = token(text).map_err(|kind| Fault { at: self.at, kind })?;
        self.token = token;
        self.next = self.at + length;
        Ok(())
    }
}

/// The token at the begin of the text, and its length in bytes.
fn token(text: &str) -> Result<(Token, usize), SpanErrorKind> {
    let Some(first) = text.chars().next() else { return Ok((Token::End, 0)) };
    let run = |accept: fn(char) -> bool| {
        let end = text.find(|c| !accept(c)).unwrap_or(text.len());
        text.get(..end).unwrap_or(text)
    };
    match first {
        '-' => Ok((Token::Dash, 1)),
        ',' => Ok((Token::Comma, 1)),
        '.' if text.starts_with("..") => Ok((Token::To, 2)),
        c if c.is_ascii_digit() => {
            let digits = run(|c| c.is_ascii_digit());
            // A date has its dash after four digits; a time has none inside.
            if digits.len() == 4 && text.as_bytes().get(4) == Some(&b'-') {
                let word = date_word(text);
                Ok((Token::Date(date(word)?), word.len()))
            } else {
                let word = run(|c| c.is_ascii_digit() || c == ':');
                Ok((Token::Time(time(word)?), word.len()))
            }
        }
        c if c.is_alphabetic() => {
            let word = run(char::is_alphanumeric);
            let known = (0_u8..).zip(DAYS).find(|(_, (short, full))| {
                word.eq_ignore_ascii_case(short) || word.eq_ignore_ascii_case(full)
            });
            let (day, _) = known.ok_or_else(|| SpanErrorKind::Day(word.to_owned()))?;
            Ok((Token::Day(day), word.len()))
        }
        other => Err(SpanErrorKind::Character(other)),
    }
}

/// Digits, a dash, digits, a dash, digits.
fn date_word(text: &str) -> &str {
    let mut dashes = 0;
    let end = text.find(|c: char| {
        dashes += usize::from(c == '-');
        !(c.is_ascii_digit() || c == '-') || dashes > 2
    });
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

fn date(word: &str) -> Result<Date, SpanErrorKind> {
    let read = || {
        let mut parts = word.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let two = |part: &str| if part.len() == 2 { part.parse::<i8>().ok() } else { None };
        Date::new(year.parse().ok()?, two(month)?, two(day)?).ok()
    };
    read().ok_or_else(|| SpanErrorKind::Date(word.to_owned()))
}

fn time(word: &str) -> Result<u32, SpanErrorKind> {
    let read = || {
        let (hours, minutes) = word.split_once(':')?;
        let two = |part: &str| if part.len() == 2 { part.parse::<u32>().ok() } else { None };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let total = hours * 60 + minutes;
        (minutes < 60 && total <= DAY).then_some(total)
    };
    read().ok_or_else(|| SpanErrorKind::Time(word.to_owned()))
}

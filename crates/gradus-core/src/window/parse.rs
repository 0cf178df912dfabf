//! Reads the text of a span.

use jiff::civil::{Date, DateTime};

use super::span::{DAY, Extent, WEEK};
use lex::{Lexer, Token};

mod lex;

const MAX_BYTES: usize = 256;

/// Why a text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("time span {text:?}, column {column}: {kind}")]
pub struct SpanError {
    /// What is wrong.
    pub kind: SpanErrorKind,
    /// The text as it was given, cut to a readable length.
    pub text: String,
    /// Where in the text, counted in characters from 1.
    pub column: usize,
}

/// What is wrong with the text of a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanErrorKind {
    /// The text is too long.
    #[error(
        "is {bytes} bytes long and at most {MAX_BYTES} are allowed; write one span, such as \"Mon-Thu 08:00-16:00\""
    )]
    TooLong {
        /// Its length in bytes.
        bytes: usize,
    },
    /// A character that no span has.
    #[error("the character {0:?} has no place here; write a span such as \"Fri 16:00-Mon 08:00\"")]
    Character(char),
    /// A word that is not a day.
    #[error("{0:?} is not a day; write Mon, Tue, Wed, Thu, Fri, Sat or Sun")]
    Day(String),
    /// Digits that are not a time of the day.
    #[error("{0:?} is not a time; write hours and minutes such as \"08:00\", from 00:00 to 24:00")]
    Time(String),
    /// Digits that are not a date.
    #[error("{0:?} is not a date; write year, month and day such as \"2026-12-24\"")]
    Date(String),
    /// Something else should stand here.
    #[error("expected {expected}, found {found}; write it such as {example:?}")]
    Expected {
        /// What should stand here.
        expected: &'static str,
        /// What stands here.
        found: String,
        /// A span of the form that seems to be meant.
        example: &'static str,
    },
    /// A span that begins at 24:00.
    #[error("a span cannot begin at 24:00; begin it at 00:00 of the day after, such as \"Sat 00:00-08:00\"")]
    BeginsAtMidnight,
    /// A span of the week with nothing inside.
    #[error(
        "the span ends when it begins and holds nothing; for whole days write \"00:00-24:00\", for the whole week \"Mon-Sun\""
    )]
    Nothing,
    /// A range from a day to the same day.
    #[error("a range from a day to the same day could mean one day or seven; write \"{0}\" or \"Mon-Sun\"")]
    OneDayRange(&'static str),
    /// A span of dates that ends before or when it begins.
    #[error(
        "the span ends before it begins or holds nothing; write the earlier end first, such as \"2026-12-20..2027-01-06\""
    )]
    Backwards,
}

/// Reads what a span covers.
pub(super) fn extent(text: &str) -> Result<Extent, SpanError> {
    let fail = |at: usize, kind| SpanError {
        kind,
        text: text.chars().take(80).collect(),
        column: text.get(..at).map_or(0, |before| before.chars().count()) + 1,
    };
    if text.len() > MAX_BYTES {
        return Err(fail(0, SpanErrorKind::TooLong { bytes: text.len() }));
    }
    let read = || {
        let mut parser = Parser { lexer: Lexer::new(text)? };
        let extent = parser.extent()?;
        parser.end()?;
        Ok(extent)
    };
    read().map_err(|Fault { at, kind }| fail(at, kind))
}

/// What is wrong, and at which byte.
struct Fault {
    at: usize,
    kind: SpanErrorKind,
}

const DAILY: &str = "Mon-Thu 08:00-16:00";
const ACROSS: &str = "Fri 16:00-Mon 08:00";
const DATES: &str = "2026-12-20..2027-01-06";
const DATE_TIMES: &str = "2026-12-24 18:00..2027-01-02 08:00";

struct Parser<'t> {
    lexer: Lexer<'t>,
}

impl Parser<'_> {
    fn extent(&mut self) -> Result<Extent, Fault> {
        match self.lexer.token {
            Token::Date(date) => self.dates(date),
            Token::Time(_) => self.daily(0b111_1111),
            Token::Day(day) => self.days(day),
            Token::Dash | Token::Comma | Token::To | Token::End => {
                Err(self.expected("a day, a time or a date", ACROSS))
            }
        }
    }

    /// After the first day: its time, or more days.
    fn days(&mut self, first: u8) -> Result<Extent, Fault> {
        self.lexer.advance()?;
        if let Token::Time(begin) = self.lexer.token {
            return self.day_and_time(first, begin);
        }
        let mut days = self.range_of_days(first)?;
        while self.take(Token::Comma)? {
            let Token::Day(day) = self.lexer.token else { return Err(self.expected("a day", "Mon,Wed,Fri")) };
            self.lexer.advance()?;
            days |= self.range_of_days(day)?;
        }
        match self.lexer.token {
            Token::Time(_) => self.daily(days),
            Token::End => Ok(Extent::Weekly { days, begin: 0, end: DAY }),
            Token::Day(_) | Token::Date(_) | Token::Dash | Token::Comma | Token::To => {
                Err(self.expected("a time or the end", DAILY))
            }
        }
    }

    fn range_of_days(&mut self, first: u8) -> Result<u8, Fault> {
        if !self.take(Token::Dash)? {
            return Ok(1 << first);
        }
        let Token::Day(last) = self.lexer.token else { return Err(self.expected("a day", DAILY)) };
        if first == last {
            return Err(self.fault(SpanErrorKind::OneDayRange(lex::short_name(last))));
        }
        self.lexer.advance()?;
        let length = (last + 7 - first) % 7;
        Ok((0..=length).fold(0, |days, day| days | 1 << ((first + day) % 7)))
    }

    /// `Fri 16:00-Mon 08:00`, or `Fri 16:00-18:00`.
    fn day_and_time(&mut self, day: u8, begin: u32) -> Result<Extent, Fault> {
        self.begin_time(begin, ACROSS)?;
        let last = match self.lexer.token {
            Token::Day(last) => last,
            Token::Time(end) => return self.weekly(1 << day, begin, end, DAY),
            Token::Date(_) | Token::Dash | Token::Comma | Token::To | Token::End => {
                return Err(self.expected("the end, a time or a day and a time", ACROSS));
            }
        };
        self.lexer.advance()?;
        let Token::Time(end) = self.lexer.token else { return Err(self.expected("a time", ACROSS)) };
        let days_between = u32::from((last + 7 - day) % 7);
        self.weekly(1 << day, begin, days_between * DAY + end, WEEK)
    }

    /// `08:00-16:00` on each of the days.
    fn daily(&mut self, days: u8) -> Result<Extent, Fault> {
        let Token::Time(begin) = self.lexer.token else { return Err(self.expected("a time", DAILY)) };
        self.begin_time(begin, DAILY)?;
        let Token::Time(end) = self.lexer.token else {
            return Err(self.expected("the end as a time", DAILY));
        };
        self.weekly(days, begin, end, DAY)
    }

    fn begin_time(&mut self, begin: u32, example: &'static str) -> Result<(), Fault> {
        if begin == DAY {
            return Err(self.fault(SpanErrorKind::BeginsAtMidnight));
        }
        self.lexer.advance()?;
        if self.take(Token::Dash)? { Ok(()) } else { Err(self.expected("'-' and the end", example)) }
    }

    /// An end that is not after the begin is one round later.
    fn weekly(&mut self, days: u8, begin: u32, end: u32, round: u32) -> Result<Extent, Fault> {
        if begin == end {
            return Err(self.fault(SpanErrorKind::Nothing));
        }
        self.lexer.advance()?;
        Ok(Extent::Weekly { days, begin, end: if end > begin { end } else { end + round } })
    }

    fn dates(&mut self, first: Date) -> Result<Extent, Fault> {
        self.lexer.advance()?;
        let Token::Time(minutes) = self.lexer.token else { return self.whole_dates(first) };
        if minutes == DAY {
            return Err(self.fault(SpanErrorKind::BeginsAtMidnight));
        }
        let begin = self.date_time(first, minutes)?;
        self.lexer.advance()?;
        if !self.take(Token::To)? {
            return Err(self.expected("'..' and the end", DATE_TIMES));
        }
        let at = self.lexer.at;
        let Token::Date(last) = self.lexer.token else { return Err(self.expected("a date", DATE_TIMES)) };
        self.lexer.advance()?;
        let Token::Time(minutes) = self.lexer.token else {
            return Err(self.expected("a time, as the begin has one", DATE_TIMES));
        };
        let end = self.date_time(last, minutes)?;
        self.lexer.advance()?;
        once(begin, end, at)
    }

    fn whole_dates(&mut self, first: Date) -> Result<Extent, Fault> {
        let (mut at, mut last) = (self.lexer.at, first);
        if self.take(Token::To)? {
            at = self.lexer.at;
            let Token::Date(date) = self.lexer.token else { return Err(self.expected("a date", DATES)) };
            last = date;
            self.lexer.advance()?;
            if matches!(self.lexer.token, Token::Time(_)) {
                return Err(self.expected("no time, as the begin has none", DATES));
            }
        } else if self.lexer.token == Token::Dash {
            return Err(self.expected("'..' between dates", DATES));
        }
        once(self.date_time(first, 0)?, self.date_time(last, DAY)?, at)
    }

    fn date_time(&self, date: Date, minutes: u32) -> Result<DateTime, Fault> {
        let moved = super::span::minutes_after(date, minutes);
        moved.ok_or_else(|| self.fault(SpanErrorKind::Date(date.to_string())))
    }

    fn end(&mut self) -> Result<(), Fault> {
        match self.lexer.token {
            Token::End => Ok(()),
            Token::Comma => {
                Err(self.expected("the end of this one span; further spans are entries of their own", DAILY))
            }
            Token::Date(_) | Token::Time(_) | Token::Day(_) | Token::Dash | Token::To => {
                Err(self.expected("the end", DAILY))
            }
        }
    }

    fn take(&mut self, token: Token) -> Result<bool, Fault> {
        let found = self.lexer.token == token;
        if found {
            self.lexer.advance()?;
        }
        Ok(found)
    }

    fn fault(&self, kind: SpanErrorKind) -> Fault {
        Fault { at: self.lexer.at, kind }
    }

    fn expected(&self, expected: &'static str, example: &'static str) -> Fault {
        let found = match self.lexer.token {
            Token::End => "the end".to_owned(),
            Token::Date(_) | Token::Time(_) | Token::Day(_) | Token::Dash | Token::Comma | Token::To => {
                format!("{:?}", self.lexer.text())
            }
        };
        self.fault(SpanErrorKind::Expected { expected, found, example })
    }
}

fn once(begin: DateTime, end: DateTime, at: usize) -> Result<Extent, Fault> {
    if begin < end {
        Ok(Extent::Once { begin, end })
    } else {
        Err(Fault { at, kind: SpanErrorKind::Backwards })
    }
}

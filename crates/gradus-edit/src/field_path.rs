//! The way to a value inside a document, and how it is written.

use std::fmt;
use std::str::FromStr;

/// A path from the root of a document to one value.
///
/// Keys are joined by dots: `spec.chart.spec.version`. An element of a list is named by its index,
/// `images[0].newTag`, or by one of its fields, `images[name=web].newTag`. A key that holds a dot or
/// another sign of this syntax is quoted: `metadata.annotations."example.com/a"` or
/// `metadata.annotations["example.com/a"]`. Inside quotes, `\"` and `\\` stand for `"` and `\`.
///
/// A path that begins with a slash is a JSON pointer: `/metadata/annotations/example.com~1a`, where `~1`
/// stands for `/` and `~0` for `~`. A number names an element where there is a list, in either form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FieldPath {
    steps: Vec<Step>,
}

/// One step of a [`FieldPath`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The value of this key of a mapping. A number names an element of a list, too.
    Key(String),
    /// The element of a list with this index, counted from 0.
    Index(usize),
    /// The one element of a list whose field has this value.
    Where {
        /// The key inside the element.
        field: String,
        /// The value that the key must have.
        value: String,
    },
}

/// A path that cannot be read: what is wrong, and at which character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// The path as it was given.
    pub path: String,
    /// The character where reading stopped, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub reason: &'static str,
}

/// Longer paths are refused; no real path comes near.
const MAX_LENGTH: usize = 4096;

impl FieldPath {
    /// Reads a path.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > MAX_LENGTH {
            return Err(PathError {
                path: text.chars().take(40).chain("...".chars()).collect(),
                column: MAX_LENGTH,
                reason: "the path is too long",
            });
        }
        let mut reader = Reader { text, at: 0 };
        let read = if text.starts_with('/') { reader.pointer() } else { reader.path() };
        read.map_err(|reason| PathError {
            path: text.to_owned(),
            column: text.get(..reader.at).map_or(0, |before| before.chars().count()) + 1,
            reason,
        })
    }

    /// A path of these steps.
    pub fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        Self { steps: steps.into_iter().collect() }
    }

    /// This path, and from there on the other.
    #[must_use]
    pub(crate) fn followed_by(mut self, other: &Self) -> Self {
        self.steps.extend(other.steps.iter().cloned());
        self
    }

    /// The index that a key stands for where there is a list.
    pub(crate) fn index(key: &str) -> Option<usize> {
        let digits = key.bytes().all(|b| b.is_ascii_digit()) && (key == "0" || !key.starts_with('0'));
        digits.then(|| key.parse().ok()).flatten()
    }

    /// The path as a JSON pointer (RFC 6901), unless an element is named by a field.
    pub(crate) fn pointer(&self) -> Option<String> {
        let mut text = String::new();
        for step in &self.steps {
            text.push('/');
            match step {
                Step::Key(key) => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => text.push_str(&index.to_string()),
                Step::Where { .. } => return None,
            }
        }
        Some(text)
    }

    /// The steps, from the root on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            return f.write_str("the root");
        }
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) if is_bare(key) && index == 0 && !key.starts_with('/') => f.write_str(key)?,
                Step::Key(key) if is_bare(key) => write!(f, ".{key}")?,
                Step::Key(_) | Step::Index(_) | Step::Where { .. } => write!(f, "{step}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) if is_bare(key) => f.write_str(key),
            Self::Key(key) => write!(f, "[{}]", Quoted(key)),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Where { field, value } => {
                f.write_str("[")?;
                bare_or_quoted(f, field)?;
                f.write_str("=")?;
                bare_or_quoted(f, value)?;
                f.write_str("]")
            }
        }
    }
}

fn bare_or_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    if is_bare(text) && !text.contains('=') { f.write_str(text) } else { write!(f, "{}", Quoted(text)) }
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.chars().all(is_bare_char)
}

fn is_bare_char(c: char) -> bool {
    !matches!(c, '.' | '[' | ']' | '"' | '\'') && !c.is_whitespace() && !c.is_control()
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read the path {:?} at character {}: {}", self.path, self.column, self.reason)
    }
}

impl std::error::Error for PathError {}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// A JSON pointer.
    fn pointer(&mut self) -> Result<FieldPath, &'static str> {
        let mut steps = Vec::new();
        while self.skip('/') {
            let mut key = String::new();
            while let Some(c) = self.peek().filter(|c| *c != '/') {
                self.at += c.len_utf8();
                key.push(match c {
                    '~' if self.skip('0') => '~',
                    '~' if self.skip('1') => '/',
                    '~' => return Err("after ~ only 0 or 1 may follow in a path that begins with /"),
                    other => other,
                });
            }
            steps.push(Step::Key(key));
        }
        Ok(FieldPath { steps })
    }

    fn path(&mut self) -> Result<FieldPath, &'static str> {
        let mut steps = Vec::new();
        self.skip('.');
        while let Some(c) = self.peek() {
            steps.push(match c {
                '[' => self.bracket()?,
                '"' => Step::Key(self.quoted()?),
                _ => Step::Key(self.bare()?),
            });
            match self.peek() {
                None | Some('[') => {}
                Some('.') => {
                    self.skip('.');
                    if self.peek().is_none() {
                        return Err("the path ends with a dot; a key must follow");
                    }
                    if self.peek() == Some('[') {
                        return Err("a dot before [ is not needed; leave it out");
                    }
                }
                Some(_) => return Err("expected . or [ or the end"),
            }
        }
        if steps.is_empty() { Err("the path is empty") } else { Ok(FieldPath { steps }) }
    }

    fn bracket(&mut self) -> Result<Step, &'static str> {
        self.skip('[');
        let start = self.at;
        let quoted = self.peek() == Some('"');
        let first = if quoted { self.quoted()? } else { self.bare_until_equals()? };
        let step = if self.skip('=') {
            let value = if self.peek() == Some('"') { self.quoted()? } else { self.element_value()? };
            Step::Where { field: first, value }
        } else if quoted {
            Step::Key(first)
        } else {
            let index = first.bytes().all(|b| b.is_ascii_digit()).then(|| first.parse().ok()).flatten();
            let Some(index) = index else {
                self.at = start;
                return Err("expected an index, field=value or a quoted key between [ and ]");
            };
            Step::Index(index)
        };
        if self.skip(']') { Ok(step) } else { Err("expected ]") }
    }

    fn quoted(&mut self) -> Result<String, &'static str> {
        let start = self.at;
        self.skip('"');
        let mut out = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => return Ok(out),
                '\\' => match self.next() {
                    Some(escaped @ ('"' | '\\')) => out.push(escaped),
                    Some(_) | None => return Err("after \\ only \" or \\ may follow"),
                },
                other => out.push(other),
            }
        }
        self.at = start;
        Err("this quote is not closed")
    }

    fn bare(&mut self) -> Result<String, &'static str> {
        let out = self.take(is_bare_char);
        if out.is_empty() { Err("expected a key; quote a key that holds spaces or signs") } else { Ok(out) }
    }

    fn bare_until_equals(&mut self) -> Result<String, &'static str> {
        let out = self.take(|c| is_bare_char(c) && c != '=');
        if out.is_empty() { Err("expected an index, field=value or a quoted key after [") } else { Ok(out) }
    }

    /// An unquoted value may hold dots, as image names do.
    fn element_value(&mut self) -> Result<String, &'static str> {
        let out = self.take(|c| c == '.' || is_bare_char(c));
        if out.is_empty() { Err("expected a value after =") } else { Ok(out) }
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        while let Some(c) = self.peek().filter(|c| wanted(*c)) {
            out.push(c);
            self.at += c.len_utf8();
        }
        out
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }
}

#[cfg(test)]
mod tests;

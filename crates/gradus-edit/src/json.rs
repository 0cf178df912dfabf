//! JSON, as far as it is needed: whether a file is valid, and what a marker's object holds.

/// Whether this is one JSON value and nothing else.
pub(crate) fn is_valid(text: &str) -> bool {
    let mut cursor = Cursor { rest: text };
    // Nesting is kept in a list, not on the stack: the depth comes from the file.
    let mut open: Vec<char> = Vec::new();
    loop {
        cursor.space();
        let began = match cursor.next() {
            Some('{') => {
                cursor.space();
                if cursor.skip('}') {
                    false
                } else {
                    open.push('}');
                    if !cursor.key() {
                        return false;
                    }
                    true
                }
            }
            Some('[') => {
                cursor.space();
                if cursor.skip(']') {
                    false
                } else {
                    open.push(']');
                    true
                }
            }
            Some('"') => {
                if cursor.string().is_none() {
                    return false;
                }
                false
            }
            Some(first) => {
                if !cursor.word(first) {
                    return false;
                }
                false
            }
            None => return false,
        };
        if began {
            continue;
        }
        // A value has ended: close what ends with it, up to the next value.
        loop {
            cursor.space();
            let Some(close) = open.last().copied() else {
                return cursor.rest.is_empty();
            };
            if cursor.skip(',') {
                if close == '}' && !cursor.key() {
                    return false;
                }
                break;
            }
            if !cursor.skip(close) {
                return false;
            }
            open.pop();
        }
    }
}

/// The members of an object; of a repeated key only the last.
pub(crate) type Members = Vec<(String, String)>;

/// The members of an object that holds nothing but strings; of a repeated key the last counts.
pub(crate) fn string_members(text: &str) -> Option<Members> {
    let mut cursor = Cursor { rest: text };
    let members = cursor.object()?;
    cursor.space();
    cursor.rest.is_empty().then_some(members)
}

/// Several such objects one after the other, with nothing but blanks, commas and `#` between them.
pub(crate) fn several(text: &str) -> Option<Vec<Members>> {
    let mut cursor = Cursor { rest: text };
    let mut objects = Vec::new();
    while !cursor.rest.is_empty() {
        objects.push(cursor.object()?);
        cursor.rest = cursor.rest.trim_start_matches([' ', '\t', '\r', ',', ';', '#']);
    }
    (objects.len() > 1).then_some(objects)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        self.rest = chars.as_str();
        c
    }

    fn skip(&mut self, wanted: char) -> bool {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// An object that holds nothing but strings.
    fn object(&mut self) -> Option<Members> {
        let mut members: Members = Vec::new();
        self.space();
        if !self.skip('{') {
            return None;
        }
        self.space();
        let mut more = !self.skip('}');
        while more {
            self.space();
            let key = self.skip('"').then(|| self.string()).flatten()?;
            self.space();
            let colon = self.skip(':');
            self.space();
            let value = (colon && self.skip('"')).then(|| self.string()).flatten()?;
            members.retain(|(earlier, _)| *earlier != key);
            members.push((key, value));
            self.space();
            more = self.skip(',');
            if !more && !self.skip('}') {
                return None;
            }
        }
        Some(members)
    }

    /// A key and its colon.
    fn key(&mut self) -> bool {
        self.space();
        let key = self.skip('"') && self.string().is_some();
        self.space();
        key && self.skip(':')
    }

    /// A string whose opening quote has been read.
    fn string(&mut self) -> Option<String> {
        let mut out = String::new();
        loop {
            match self.next()? {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                c if c < ' ' => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex()?;
                if !(0xd800..0xdc00).contains(&first) {
                    return char::from_u32(first);
                }
                let second = (self.skip('\\') && self.skip('u')).then(|| self.hex()).flatten()?;
                let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + low);
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.rest = self.rest.get(4..)?;
        Some(value)
    }

    /// A number, `true`, `false` or `null` that starts with this character.
    fn word(&mut self, first: char) -> bool {
        let end = self.rest.find([',', ']', '}', ' ', '\t', '\r', '\n']).unwrap_or(self.rest.len());
        let (tail, rest) =
            (self.rest.get(..end).unwrap_or_default(), self.rest.get(end..).unwrap_or_default());
        let word: String = std::iter::once(first).chain(tail.chars()).collect();
        self.rest = rest;
        matches!(word.as_str(), "true" | "false" | "null") || is_number(&word)
    }
}

fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

#[cfg(test)]
mod tests;

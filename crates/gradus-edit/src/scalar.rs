//! What YAML takes a plain scalar for.
//!
//! Readers differ: YAML 1.1 has more booleans, numbers and dates than YAML 1.2, and the parsers that
//! Kubernetes tools use sit between the two. The rules here for 1.1 are the widest of those in use,
//! so that "text for 1.1 and for 1.2" means text for everybody.

/// What a plain scalar is to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    Null,
    Bool,
    Number,
    Date,
    /// `<<` and `=`, which YAML 1.1 gives a meaning of their own.
    Special,
}

/// What a plain scalar is by each version of YAML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Types {
    pub(crate) yaml_1_1: Type,
    pub(crate) yaml_1_2: Type,
}

impl Types {
    /// Whether every reader takes it for text.
    pub(crate) fn are_text(self) -> bool {
        self.yaml_1_1 == Type::Text && self.yaml_1_2 == Type::Text
    }
}

pub(crate) fn types(text: &str) -> Types {
    let yaml_1_2 = core(text);
    let yaml_1_1 = if yaml_1_2 == Type::Text { legacy(text) } else { yaml_1_2 };
    Types { yaml_1_1, yaml_1_2 }
}

/// A number in its shortest form, which no reader changes by reading it: `4`, `-1`, `1.5`, not `1.50`.
pub(crate) fn is_canonical_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let whole_ok = is_some_of(whole, |b| b.is_ascii_digit()) && (whole == "0" || !whole.starts_with('0'));
    let fraction_ok = fraction
        .is_none_or(|fraction| is_some_of(fraction, |b| b.is_ascii_digit()) && !fraction.ends_with('0'));
    // A double holds fifteen digits exactly. Minus zero would lose its sign.
    whole_ok && fraction_ok && digits.len() <= 15 && text != "-0"
}

/// YAML 1.2, core schema.
fn core(text: &str) -> Type {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Type::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Type::Bool,
        ".nan" | ".NaN" | ".NAN" => Type::Number,
        other => {
            let number = is_core_number(other);
            if number { Type::Number } else { Type::Text }
        }
    }
}

fn is_core_number(text: &str) -> bool {
    if let Some(octal) = text.strip_prefix("0o") {
        return is_some_of(octal, |b| matches!(b, b'0'..=b'7'));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return is_some_of(hex, |b| b.is_ascii_hexdigit());
    }
    let digits = unsigned(text);
    matches!(digits, ".inf" | ".Inf" | ".INF") || is_decimal(digits)
}

/// YAML 1.1, beyond what 1.2 has.
fn legacy(text: &str) -> Type {
    const WORDS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];
    match text {
        "<<" | "=" => return Type::Special,
        _ => {}
    }
    if WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return Type::Bool;
    }
    if is_date(text) {
        return Type::Date;
    }
    if is_legacy_number(text) { Type::Number } else { Type::Text }
}

fn is_legacy_number(text: &str) -> bool {
    let digits = unsigned(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let digits: String = digits.chars().filter(|c| *c != '_').collect();
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)] {
        if let Some(rest) = digits.strip_prefix(prefix) {
            return is_some_of(rest, |b| char::from(b).is_digit(radix));
        }
    }
    is_decimal(&digits) || is_sexagesimal(&digits)
}

/// `190:20:30` and `20:30.5`: a number to base sixty.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut count = 0;
    let mut rest_ok = true;
    for part in parts {
        let whole = part.split_once('.').map_or(part, |(whole, _)| whole);
        rest_ok &= (1..=2).contains(&whole.len()) && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        count += 1;
    }
    count > 0 && rest_ok && is_some_of(first, |b| b.is_ascii_digit())
}

/// `2026-01-31`, with or without a time after it.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let day = rest.bytes().take_while(u8::is_ascii_digit).count();
    let after = rest.as_bytes().get(day).copied();
    is_some_of(year, |b| b.is_ascii_digit())
        && year.len() == 4
        && is_some_of(month, |b| b.is_ascii_digit())
        && month.len() <= 2
        && (1..=2).contains(&day)
        && matches!(after, None | Some(b'T' | b't' | b' ' | b'\t'))
}

/// Digits with at most one point and perhaps an exponent.
fn is_decimal(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    };
    let exponent_ok = exponent.is_none_or(|exponent| is_some_of(unsigned(exponent), |b| b.is_ascii_digit()));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit());
    exponent_ok && all_digits && !(whole.is_empty() && fraction.is_empty())
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['-', '+']).unwrap_or(text)
}

fn is_some_of(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(wanted)
}

#[cfg(test)]
mod tests;

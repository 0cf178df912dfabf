//! What a text without quotes means: the core schema of YAML 1.2.

/// The meaning of a plain text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text,
}

impl Plain {
    /// Reads the meaning.
    pub(crate) fn of(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "true" | "True" | "TRUE" => Self::Bool(true),
            "false" | "False" | "FALSE" => Self::Bool(false),
            _ => number(text).unwrap_or(Self::Text),
        }
    }
}

fn number(text: &str) -> Option<Plain> {
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Some(Plain::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Plain::Float(f64::NAN));
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let plain = text.strip_prefix('+').unwrap_or(text);
        return plain
            .parse()
            .map(Plain::Unsigned)
            .or_else(|_| plain.parse().map(Plain::Signed))
            .or_else(|_| plain.parse().map(Plain::Float))
            .ok();
    }
    is_float(unsigned).then(|| text.parse().map(Plain::Float).ok()).flatten()
}

fn radix(digits: &str, radix: u32) -> Option<Plain> {
    let all = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    all.then(|| u64::from_str_radix(digits, radix).map_or(Plain::Float(f64::MAX), Plain::Unsigned))
}

/// `( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent_is_right = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    exponent_is_right && digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
}

#[cfg(test)]
mod tests {
    use super::Plain;

    #[test]
    fn plain_texts_mean_what_the_core_schema_says() {
        let check = |text: &str, meaning: Plain| assert_eq!(Plain::of(text), meaning, "{text}");
        check("", Plain::Null);
        check("~", Plain::Null);
        check("true", Plain::Bool(true));
        check("yes", Plain::Text);
        check("0", Plain::Unsigned(0));
        check("+7", Plain::Unsigned(7));
        check("-7", Plain::Signed(-7));
        check("0x1F", Plain::Unsigned(31));
        check("0o17", Plain::Unsigned(15));
        check("1.10", Plain::Float(1.1));
        check("12e4567", Plain::Float(f64::INFINITY));
        check("1.", Plain::Float(1.0));
        check(".5", Plain::Float(0.5));
        check("99999999999999999999", Plain::Float(1e20));
        check("-.inf", Plain::Float(f64::NEG_INFINITY));
        for text in [".", "-", "+", "1.2.3", "1_000", "e5", "1e", "0x", "v1", "2026-01-02", "1:30", "١"] {
            check(text, Plain::Text);
        }
    }
}

//! Texts that others wrote and people will read, on terminals among other places.

use std::sync::Arc;

/// The text without characters that steer a terminal, and cut to `longest`
/// bytes; `None` when nothing is left of it.
pub(crate) fn clean(text: &str, longest: usize) -> Option<Arc<str>> {
    let plain = text.trim().chars().map(|c| if c == '\t' { ' ' } else { c });
    let mut clean = String::new();
    for c in plain.filter(|c| !c.is_control() || *c == '\n') {
        if clean.len() + c.len_utf8() > longest {
            clean.push('…');
            break;
        }
        clean.push(c);
    }
    let clean = clean.trim();
    (!clean.is_empty()).then(|| Arc::from(clean))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, clean_text: Option<&str>) {
        assert_eq!(clean(text, 10).as_deref(), clean_text, "{text:?}");
    }

    #[test]
    fn texts_lose_what_steers_a_terminal_and_what_is_too_long() {
        check(" it failed\n", Some("it failed"));
        check("\u{1b}[31mred\u{7}", Some("[31mred"));
        check("a\tb\r\nc", Some("a b\nc"));
        check("0123456789", Some("0123456789"));
        check("012345678ü", Some("012345678…"));
        check(" \n\u{0}", None);
    }
}

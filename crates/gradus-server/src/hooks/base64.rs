//! Bytes that are written in Base64, in headers and in keys.

/// The bytes; `None` where it is no Base64. What fills it up at the end may be missing.
pub(super) fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|letter| *letter != b'=').map_or(0, |last| last + 1);
    let text = text.get(..end)?;
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    for four in text.chunks(4) {
        let mut bits = 0_u32;
        for letter in four {
            bits = bits << 6 | u32::from(six(*letter)?);
        }
        // Six bits are no byte.
        let whole = four.len().checked_sub(1).filter(|whole| *whole > 0)?;
        let three = (bits << (6 * (4 - four.len()))).to_be_bytes();
        bytes.extend(three.iter().skip(1).take(whole));
    }
    Some(bytes)
}

fn six(letter: u8) -> Option<u8> {
    match letter {
        b'A'..=b'Z' => Some(letter - b'A'),
        b'a'..=b'z' => Some(letter - b'a' + 26),
        b'0'..=b'9' => Some(letter - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn bytes_are_read() {
        let check = |text: &str, expected: Option<&[u8]>| {
            assert_eq!(decoded(text.as_bytes()).as_deref(), expected, "{text}");
        };
        check("", Some(b""));
        check("Zg==", Some(b"f"));
        check("Zg", Some(b"f"));
        check("Zm8=", Some(b"fo"));
        check("Zm9v", Some(b"foo"));
        check("Zm9vYmFy", Some(b"foobar"));
        check("+/+/", Some(&[0xfb, 0xff, 0xbf]));
        check("Z", None);
        check("Zm9vY", None);
        check("Zm-v", None);
        check("Zm 9v", None);
        check("Z=m9", None);
    }
}

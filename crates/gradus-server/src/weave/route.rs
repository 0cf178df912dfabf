//! Addresses: what a path asks for.

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// Whether it lives.
    Health,
    /// What was promoted to a source environment, with the segments below `/promotion/`.
    Promotion(Segments),
    /// An approval, with the segments below `/approval/`.
    Approval(Segments),
    /// Nothing.
    Nothing,
}

/// The segments of a path, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segments {
    /// Each as it was meant.
    Read(Vec<String>),
    /// One of them is not escaped as it should be.
    Malformed,
}

impl Route {
    /// What a path asks for. It is split before it is unescaped, so that a `/` within a segment stays one.
    pub(super) fn of(path: &str) -> Self {
        if path == "/healthz" {
            Self::Health
        } else if let Some(rest) = path.strip_prefix("/promotion/") {
            Self::Promotion(Segments::of(rest))
        } else if let Some(rest) = path.strip_prefix("/approval/") {
            Self::Approval(Segments::of(rest))
        } else {
            Self::Nothing
        }
    }
}

impl Segments {
    fn of(rest: &str) -> Self {
        let parts = rest.split('/').filter(|part| !part.is_empty());
        parts.map(unescaped).collect::<Option<Vec<String>>>().map_or(Self::Malformed, Self::Read)
    }
}

fn unescaped(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
            let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(parts: &[&str]) -> Segments {
        Segments::Read(parts.iter().map(|part| (*part).to_owned()).collect())
    }

    #[test]
    fn paths_are_split_and_then_unescaped() {
        assert_eq!(Route::of("/promotion/a/b/c"), Route::Promotion(read(&["a", "b", "c"])));
        assert_eq!(Route::of("/promotion/a/b/c/"), Route::Promotion(read(&["a", "b", "c"])));
        assert_eq!(Route::of("/promotion/a//b/c/d"), Route::Promotion(read(&["a", "b", "c", "d"])));
        assert_eq!(Route::of("/promotion/"), Route::Promotion(read(&[])));
        let approval = Route::Approval(read(&["a", "b", "c", "main@sha1/d e"]));
        assert_eq!(Route::of("/approval/a/b/c/main@sha1%2Fd%20e"), approval);
        for path in ["/promotion/a/b/%", "/promotion/a/b/%2", "/promotion/a/b/%zz", "/promotion/a/b/%ff"] {
            assert_eq!(Route::of(path), Route::Promotion(Segments::Malformed), "{path}");
        }
        assert_eq!(Route::of("/healthz"), Route::Health);
        for path in ["/", "/promotion", "/promotions/a/b/c", "/healthz/x", "*"] {
            assert_eq!(Route::of(path), Route::Nothing, "{path}");
        }
    }
}

//! Whether a version always means the same.

/// Whether a version always means the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pin {
    /// One version.
    Exact,
    /// Whatever is the newest in a range.
    Range,
    /// Whatever is the newest, or a name that is moved.
    Moving,
    /// It is written where nobody looks here, or stays a template.
    Elsewhere,
}

/// Tags and branches that are moved.
const MOVED: [&str; 14] = [
    "latest",
    "main",
    "master",
    "dev",
    "develop",
    "development",
    "edge",
    "nightly",
    "stable",
    "canary",
    "head",
    "HEAD",
    "trunk",
    "release",
];

impl Pin {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Range => "range",
            Self::Moving => "moving",
            Self::Elsewhere => "elsewhere",
        }
    }

    /// Whether tomorrow it may mean something else without anybody writing it.
    pub fn floats(self) -> bool {
        match self {
            Self::Range | Self::Moving => true,
            Self::Exact | Self::Elsewhere => false,
        }
    }

    /// Of the tag, the digest, or both, of an image.
    pub(super) fn of_image(version: Option<&str>) -> Self {
        match version {
            None | Some("") => Self::Moving,
            Some(version) if version.contains("sha256:") => Self::Exact,
            Some(version) if is_open(version) => Self::Elsewhere,
            Some(version) if MOVED.contains(&version) => Self::Moving,
            Some(_) => Self::Exact,
        }
    }

    /// Of a version of a chart, which may be a range.
    pub(super) fn of_chart(version: Option<&str>) -> Self {
        match version {
            None | Some("") => Self::Moving,
            Some(version) if is_open(version) => Self::Elsewhere,
            Some(version) if is_whole(version) => Self::Exact,
            Some(_) => Self::Range,
        }
    }

    /// Of a revision of a Git repository.
    pub(super) fn of_revision(revision: Option<&str>) -> Self {
        match revision {
            None | Some("") => Self::Moving,
            Some(revision) if is_open(revision) => Self::Elsewhere,
            Some(revision) if is_whole(revision) || is_commit(revision) => Self::Exact,
            Some(revision) if revision.starts_with("refs/tags/") => Self::Exact,
            Some(revision) if revision.contains(['*', '^', '~', '>', '<']) => Self::Range,
            Some(revision) if revision.contains(|c: char| c.is_ascii_digit()) && revision.contains('.') => {
                Self::Exact
            }
            Some(_) => Self::Moving,
        }
    }
}

/// A template or a variable that nobody filled in.
fn is_open(text: &str) -> bool {
    text.contains("{{") || text.contains("${")
}

fn is_commit(text: &str) -> bool {
    text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A version with all its three numbers.
fn is_whole(text: &str) -> bool {
    let text = text.strip_prefix(['v', 'V', '=']).unwrap_or(text);
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let mut count = 0;
    let all = numbers.split('.').all(|number| {
        count += 1;
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    all && count == 3 && !text.contains([' ', ',', '|', '*', '>', '<', '~', '^'])
}

#[cfg(test)]
mod tests {
    use super::Pin;

    #[test]
    fn ranges_and_moved_names_float() {
        let chart = |version: &str| Pin::of_chart(Some(version)).word();
        assert_eq!(["6.1.6", "v1.2.3-rc.1+b", "=1.0.0"].map(chart), ["exact"; 3]);
        assert_eq!([">=0.0.3", "6.x", "^1.2.0", "1.2", "1.2.3 - 2.0.0", "*"].map(chart), ["range"; 6]);
        assert_eq!(["${A}", "{{ a }}"].map(chart), ["elsewhere"; 2]);
        assert_eq!(Pin::of_chart(None), Pin::Moving);
        let image = |version: &str| Pin::of_image(Some(version)).word();
        assert_eq!(["1.23", "sha-0ab", "latest@sha256:00"].map(image), ["exact"; 3]);
        assert_eq!(["latest", "main", ""].map(image), ["moving"; 3]);
        let revision = |version: &str| Pin::of_revision(Some(version)).word();
        assert_eq!(["v1.2.3", "refs/tags/a", "release-1.2", &"a".repeat(40)].map(revision), ["exact"; 4]);
        assert_eq!(["main", "HEAD", "feature/a"].map(revision), ["moving"; 3]);
        assert_eq!(revision("1.*"), "range");
    }
}

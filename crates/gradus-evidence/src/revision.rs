//! The revisions that Flux writes.

/// A revision: a name that moves, such as a branch or tag, and what it stood for.
///
/// Written `main@sha1:HASH`, `v1.2.0@sha1:HASH`, `latest@sha256:DIGEST`,
/// `sha1:HASH`, and `main/HASH` in older clusters; a chart's is its version alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision<'a> {
    /// The branch, the tag or the version.
    pub name: Option<&'a str>,
    /// The algorithm of the hash, where it is told.
    pub algorithm: Option<&'a str>,
    /// The commit, or the digest without its algorithm.
    pub hash: Option<&'a str>,
}

impl<'a> Revision<'a> {
    /// Takes a revision apart; every text is one.
    pub fn parse(text: &'a str) -> Self {
        let some = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        if let Some((name, rest)) = text.rsplit_once('@') {
            let (algorithm, hash) = rest.split_once(':').unwrap_or(("", rest));
            return Self { name: some(name), algorithm: some(algorithm), hash: some(hash) };
        }
        if let Some((algorithm, hash)) = text.split_once(':')
            && is_hash(hash)
        {
            return Self { name: None, algorithm: some(algorithm), hash: some(hash) };
        }
        if let Some((name, hash)) = text.rsplit_once('/')
            && is_hash(hash)
        {
            return Self { name: some(name), algorithm: None, hash: some(hash) };
        }
        if is_hash(text) && (text.len() == 40 || text.len() == 64) {
            return Self { name: None, algorithm: None, hash: some(text) };
        }
        Self { name: some(text), algorithm: None, hash: None }
    }

    /// The commit of Git, where it is one.
    pub fn commit(&self) -> Option<&'a str> {
        let hash = self.hash?;
        match (self.algorithm, hash.len()) {
            (Some("sha1"), _) | (None, 40) => Some(hash),
            _ => None,
        }
    }

    /// The version that it stands for: the commit of Git; for an artifact its tag,
    /// where that looks like a version, and otherwise its digest.
    pub fn version(&self) -> Option<String> {
        if let Some(commit) = self.commit() {
            return Some(commit.to_owned());
        }
        match (self.name, self.hash) {
            (Some(name), Some(_)) if looks_like_a_version(name) => Some(plain(name).to_owned()),
            (_, Some(hash)) => Some(format!("{}:{hash}", self.algorithm.unwrap_or("sha256"))),
            (Some(name), None) => Some(plain(name).to_owned()),
            (None, None) => None,
        }
    }
}

/// The version without its build metadata, in which Flux keeps digests and commits.
pub(crate) fn plain(version: &str) -> &str {
    version.split_once('+').map_or(version, |(plain, _)| plain)
}

/// Whether two versions of a chart are one, as far as both tell their build metadata.
pub(crate) fn same_chart(one: &str, other: &str) -> bool {
    one == other || (plain(one) == plain(other) && (!one.contains('+') || !other.contains('+')))
}

/// The version that a chart is asked for in, where that is one and no range.
pub(crate) fn exact(asked: &str) -> Option<&str> {
    semver::Version::parse(asked.strip_prefix('v').unwrap_or(asked)).is_ok().then(|| plain(asked))
}

fn looks_like_a_version(name: &str) -> bool {
    name.strip_prefix('v').unwrap_or(name).starts_with(|first: char| first.is_ascii_digit())
}

fn is_hash(text: &str) -> bool {
    text.len() >= 7 && text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

//! What makes two entries the same entry.

use gradus_engine::port::ledger::{Action, Entry};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::wire::Wire;
use crate::store::Failure;

/// The hash by which an entry is found again.
pub(super) type Key = [u8; 20];

/// The word for the kind of an entry.
pub(super) fn kind(entry: &Entry) -> &'static str {
    match entry {
        Entry::Report { .. } => "report",
        Entry::Approval { .. } => "approval",
        Entry::Request { .. } => "request",
        Entry::Check { .. } => "check",
        Entry::Healthy { .. } => "healthy",
        Entry::Verdict { .. } => "verdict",
        Entry::Seen { .. } => "seen",
        Entry::Wrote(_) => "wrote",
    }
}

/// Hashes what makes an entry itself, and leaves out what may differ when it is
/// told again: when something was seen for the second time, or in which words
/// something was done.
pub(super) fn key(entry: &Entry) -> Result<Key, Failure> {
    let mut hash = Hash::of(kind(entry));
    match entry {
        Entry::Report { environment, target, reported, by: _, at } => {
            hash.part(environment.as_str()).part(target.as_str()).part(&reported.to_json()?).time(*at);
        }
        // Who says yes again later says something new: a yes from before a way back
        // does not count, nor one from before its speaker joined a group.
        Entry::Approval { environment, approval } => {
            hash.part(environment.as_str()).part(&approval.release.to_json()?).part(approval.by.as_str());
            hash.list(approval.groups.iter().map(|group| group.as_str()));
            hash.list(approval.aliases.iter().map(|alias| alias.as_str())).time(approval.at);
        }
        Entry::Request { environment: _, request } => {
            hash.part(request.id.as_str());
        }
        Entry::Check { environment, fact } => {
            hash.part(environment.as_str()).part(fact.check.as_str()).part(fact.reporter.as_str());
            hash.part(&fact.release.to_json()?).part(&format!("{:?}", fact.result)).time(fact.at);
        }
        Entry::Healthy { environment, proof } => {
            hash.part(environment.as_str()).part(&proof.release.to_json()?).time(proof.since);
        }
        Entry::Verdict { .. } => {
            hash.part(&entry.to_json()?);
        }
        Entry::Seen { artifact, version, at: _ } => {
            hash.part(artifact.as_str()).part(version.as_str());
        }
        // No commit says which of several that were asked for it is.
        Entry::Wrote(wrote) if wrote.action == Action::Dispatched => {
            hash.part(wrote.environment.as_str()).part(wrote.action.word()).part(&wrote.promotion);
        }
        Entry::Wrote(wrote) => {
            hash.part(wrote.environment.as_str()).part(wrote.action.word()).part(wrote.commit.as_str());
        }
    }
    Ok(hash.end())
}

struct Hash(Sha256);

impl Hash {
    fn of(kind: &str) -> Self {
        let mut hash = Self(Sha256::new());
        hash.part(kind);
        hash
    }

    /// Each part with its length before it, so that no two lists of parts run together.
    fn part(&mut self, text: &str) -> &mut Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text);
        self
    }

    fn list<'a>(&mut self, texts: impl ExactSizeIterator<Item = &'a str>) -> &mut Self {
        self.0.update((texts.len() as u64).to_be_bytes());
        texts.fold(self, Self::part)
    }

    fn time(&mut self, at: Timestamp) -> &mut Self {
        self.0.update(at.as_nanosecond().to_be_bytes());
        self
    }

    fn end(self) -> Key {
        let mut key = Key::default();
        key.copy_from_slice(&self.0.finalize()[..20]);
        key
    }
}

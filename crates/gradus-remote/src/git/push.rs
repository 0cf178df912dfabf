//! Moves a branch, if it is still where it was.

use super::{
    BranchName, GitError, ObjectId, Prepared, Remote,
    capabilities::Announced,
    error::{Fault, Outcome},
    fetch::SideBand,
    pkt::{Packet, Packets, Request},
    remote::Inner,
    transport::{Service, may_have_happened},
};
use crate::git::GitErrorKind;

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// The branch was moved.
    Done,
    /// The branch is already there; nothing was changed.
    AlreadyTrue,
    /// The branch is not where it was, or somebody else is at it: look again and decide again.
    Stale {
        /// What the host says.
        reason: String,
    },
    /// The host does not want this change, and will not want it the next time.
    Refused {
        /// What the host says in one line.
        reason: String,
        /// Everything else it says, such as the words of a hook.
        remote_text: String,
    },
}

impl Remote {
    /// Points a branch to a new commit, if it still points to `old`; with `None`, if it does not exist.
    ///
    /// [`GitErrorKind::OutcomeUnknown`] means that the change was sent and no answer came: look at the branch.
    pub async fn push(
        &self,
        branch: &BranchName,
        old: Option<ObjectId>,
        new: &Prepared,
    ) -> Result<Pushed, GitError> {
        let doing = format!("push to branch {branch}");
        let update = Update { branch, old, new: Some(new) };
        self.change(&doing, update).await
    }

    /// Removes a branch, if it still points to `old`.
    pub async fn delete(&self, branch: &BranchName, old: ObjectId) -> Result<Pushed, GitError> {
        let doing = format!("delete branch {branch}");
        self.change(&doing, Update { branch, old: Some(old), new: None }).await
    }

    async fn change(&self, doing: &str, update: Update<'_>) -> Result<Pushed, GitError> {
        let sent = std::sync::atomic::AtomicBool::new(false);
        let pushed = self.within(doing, self.inner.push(&update, &sent)).await;
        pushed.map_err(|error| {
            // Time ran out, or the connection broke, after the host may have acted.
            if sent.into_inner() && may_have_happened(error.kind()) { error.outcome_unknown() } else { error }
        })
    }
}

struct Update<'a> {
    branch: &'a BranchName,
    old: Option<ObjectId>,
    new: Option<&'a Prepared>,
}

impl Update<'_> {
    fn target(&self) -> Option<ObjectId> {
        self.new.map(|new| new.id)
    }

    fn check(&self) -> Outcome<()> {
        if let (Some(old), Some(new)) = (self.old, self.new)
            && new.parents.first() != Some(&old)
            && new.id != old
        {
            return Err(Fault::input("the first parent of the commit is not what the branch points to"));
        }
        Ok(())
    }

    fn request(&self, known: &Announced) -> Vec<u8> {
        let mut words = String::from("report-status side-band-64k ");
        if known.has("quiet") {
            words.push_str("quiet ");
        }
        if known.has("object-format") {
            words.push_str("object-format=sha1 ");
        }
        let old = self.old.unwrap_or(ObjectId::NONE);
        let new = self.target().unwrap_or(ObjectId::NONE);
        let mut request = Request::default();
        let agent = super::fetch::AGENT_LINE;
        request.line(&format!("{old} {new} {}\0 {words}{agent}", self.branch.reference())).flush();
        if let Some(new) = self.new {
            request.raw(&new.pack);
        }
        request.bytes()
    }
}

/// What the host reports of the one reference that was sent.
#[derive(Default)]
struct Report {
    unpacked: Option<String>,
    accepted: bool,
    refused: Option<String>,
    text: String,
}

impl Inner {
    async fn push(&self, update: &Update<'_>, sent: &std::sync::atomic::AtomicBool) -> Outcome<Pushed> {
        update.check()?;
        if update.old == update.target() {
            return Ok(Pushed::AlreadyTrue);
        }
        let known = self.receive().await?;
        if update.new.is_none() && !known.has("delete-refs") {
            return Err(
                GitErrorKind::Unsupported("the host does not let branches be deleted".to_owned()).into()
            );
        }
        sent.store(true, std::sync::atomic::Ordering::Relaxed);
        let body = update.request(&known);
        let report = self.exchange(body, &update.branch.reference()).await.inspect_err(|_| self.forget())?;
        if report.accepted && report.unpacked.as_deref() == Some("ok") {
            self.remember(update);
            return Ok(Pushed::Done);
        }
        self.classify(update, report).await
    }

    async fn exchange(&self, body: Vec<u8>, reference: &str) -> Outcome<Report> {
        let bound = super::stream::Bound { what: "the answer to a push", bytes: 4 * self.limits.text_bytes };
        let stream = self.transport.request(Service::ReceivePack, false, body, bound).await?;
        let mut packets = Packets::new(stream);
        let mut side = SideBand::new(&self.limits, &self.credentials);
        let mut lines = Vec::new();
        loop {
            match packets.next().await? {
                Packet::Line(line) => {
                    if let Some(message) = line.strip_prefix(b"ERR ") {
                        return Err(GitErrorKind::Refused(self.credentials.clean(message)).into());
                    }
                    lines.extend_from_slice(side.take(&line)?.unwrap_or_default());
                }
                Packet::Flush => break,
                Packet::Delimiter | Packet::ResponseEnd => {
                    return Err(Fault::protocol("a section in a report"));
                }
                Packet::End => return Err(Fault::protocol("the report is cut off")),
            }
        }
        let text = side.text();
        packets.finish().await;
        self.read_report(&lines, reference, text)
    }

    /// The report is made of packet lines of its own, inside the band for data.
    fn read_report(&self, mut lines: &[u8], reference: &str, text: String) -> Outcome<Report> {
        let mut report = Report { text, ..Report::default() };
        while let Some((digits, rest)) = lines.split_at_checked(4) {
            let length =
                std::str::from_utf8(digits).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
            let length = match length {
                Some(0) => break,
                Some(length) => length.checked_sub(4),
                None => None,
            };
            let Some((line, rest)) = length.and_then(|length| rest.split_at_checked(length)) else {
                return Err(Fault::protocol("the report is malformed"));
            };
            lines = rest;
            let line = self.credentials.clean(line);
            if let Some(state) = line.strip_prefix("unpack ") {
                report.unpacked = Some(state.to_owned());
            } else if line.strip_prefix("ok ") == Some(reference) {
                report.accepted = true;
            } else if let Some(("ng", rest)) = line.split_once(' ') {
                let (name, reason) = rest.split_once(' ').unwrap_or((rest, "no reason given"));
                if name == reference {
                    report.refused = Some(reason.to_owned());
                }
            }
        }
        if report.unpacked.is_none() || !(report.accepted || report.refused.is_some()) {
            return Err(Fault::protocol("it does not report what became of the branch"));
        }
        Ok(report)
    }

    async fn classify(&self, update: &Update<'_>, report: Report) -> Outcome<Pushed> {
        let unpacked = report.unpacked.filter(|state| state != "ok").map(|state| format!("unpack: {state}"));
        let reason = report.refused.or(unpacked).unwrap_or_else(|| "no reason given".to_owned());
        let remote_text = report.text;
        if is_final(&reason) {
            return Ok(Pushed::Refused { reason, remote_text });
        }
        // Words differ between hosts; where the branch is now does not.
        let now = self.tips(std::slice::from_ref(update.branch)).await?.get(update.branch).copied();
        Ok(if now == update.target() {
            Pushed::AlreadyTrue
        } else if now != update.old || is_passing(&reason) {
            Pushed::Stale {
                reason: if remote_text.is_empty() { reason } else { format!("{reason}\n{remote_text}") },
            }
        } else {
            Pushed::Refused { reason, remote_text }
        })
    }

    fn remember(&self, update: &Update<'_>) {
        let Some(new) = update.new else { return };
        let mut cache = self.cache();
        for (id, object) in &new.objects {
            cache.put(*id, object.clone());
        }
    }
}

/// A decision of the host that trying again does not change.
fn is_final(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["hook declined", "protected", "permission", "denied", "prohibited", "not allowed", "hidden ref"]
        .iter()
        .any(|word| reason.contains(word))
}

/// Somebody else was at the branch in this moment.
fn is_passing(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["expected", "already exists", "fetch first", "failed to update ref", "lock", "non-fast-forward"]
        .iter()
        .any(|word| reason.contains(word))
}

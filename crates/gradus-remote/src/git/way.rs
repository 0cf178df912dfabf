//! What a host can do, and how it is read for that reason.

use super::{GitError, Remote, capabilities::Announced, error::Outcome, remote::Inner};

/// How a repository is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Only the objects that are needed are asked for.
    Wire,
    /// The host gives a commit only with all its files; they are kept, compressed, in memory.
    Mirror,
}

/// What a host says it can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The version of the protocol, 0 or 2.
    pub protocol: u8,
    /// Whether parts of a commit can be left out of an answer.
    pub filter: bool,
    /// Whether any object can be asked for by its id, and not only what a branch points to.
    pub any_object: bool,
    /// How objects are named; only `sha1` is read.
    pub object_format: String,
    /// The host's program.
    pub agent: Option<String>,
    /// How the repository is read.
    pub way: Way,
    /// Why it is read so, in a sentence.
    pub reason: String,
    /// What can be written, or why nothing can.
    pub receiving: Result<Receiving, String>,
}

/// What a host can do for writers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiving {
    /// It says what became of a push.
    pub report_status: bool,
    /// It says so too where it changed what was pushed.
    pub report_status_v2: bool,
    /// It takes options with a push.
    pub push_options: bool,
    /// It can move several branches at once or none.
    pub atomic: bool,
    /// It lets branches be deleted.
    pub delete_refs: bool,
    /// The host's program.
    pub agent: Option<String>,
}

impl Remote {
    /// Asks the host what it can do.
    pub async fn probe(&self) -> Result<Capabilities, GitError> {
        self.within("look at the capabilities", self.inner.probe()).await
    }
}

impl Inner {
    async fn probe(&self) -> Outcome<Capabilities> {
        self.forget();
        let known = self.ask_upload().await?;
        let receiving = match self.receive().await {
            Ok(known) => Ok(Receiving {
                report_status: known.has("report-status"),
                report_status_v2: known.has("report-status-v2"),
                push_options: known.has("push-options"),
                atomic: known.has("atomic"),
                delete_refs: known.has("delete-refs"),
                agent: known.words.get("agent").cloned(),
            }),
            Err(fault) => Err(fault.to_string()),
        };
        let (way, reason) = self.way(&known);
        Ok(Capabilities {
            protocol: if known.v2 { 2 } else { 0 },
            any_object: known.v2 || known.has("allow-any-sha1-in-want"),
            filter: known.offers("fetch", "filter") || known.has("filter"),
            object_format: known.object_format().to_owned(),
            agent: known.words.get("agent").cloned(),
            way,
            reason,
            receiving,
        })
    }

    /// How to read from a host that announced this.
    pub(super) fn way(&self, known: &Announced) -> (Way, String) {
        if let Some(said) = self.part_refused() {
            (Way::Mirror, format!("the host refused a part of a commit: {said}"))
        } else if !known.v2 {
            (
                Way::Mirror,
                "the host speaks only the first protocol, which cannot ask for single objects".to_owned(),
            )
        } else if !known.offers("fetch", "filter") {
            (Way::Mirror, "the host does not offer filters (uploadpack.allowFilter)".to_owned())
        } else {
            (Way::Wire, "the host speaks protocol version 2 with filters".to_owned())
        }
    }
}

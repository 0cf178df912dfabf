//! Gates: rules to pass before a release comes into an environment, or before
//! one that runs there counts as proven. One file a gate.

pub mod approval;
pub mod check;
pub mod freeze;
pub mod manual;
pub mod soak;
pub mod window;

use jiff::Timestamp;

use crate::names::{EnvironmentName, Person};
use crate::observation::{Approval, CheckFact, Request, Seen};
use crate::proof::Proving;
use crate::reason::Reason;
use crate::release::Release;

/// A rule before or after an environment.
#[derive(Debug, Clone)]
pub enum Gate {
    /// People say yes.
    Approval(approval::ApprovalGate),
    /// The release has been healthy for a time.
    Soak(soak::SoakGate),
    /// The time of the week, or the date, is right.
    Window(crate::window::Window),
    /// Nothing goes in a span of time.
    Freeze(freeze::FreezeGate),
    /// Somebody outside reported that it is good.
    Check(check::CheckGate),
    /// A person asks for each promotion by name.
    Manual,
}

/// What a gate is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// When it is.
    pub now: Timestamp,
    /// The environment whose gate it is.
    pub environment: &'a EnvironmentName,
    /// The release that wants to pass.
    pub release: &'a Release,
    /// How the environments it is measured in have proven the release.
    pub proofs: &'a [(EnvironmentName, Proving)],
    /// What people approved.
    pub approvals: &'a Seen<Vec<Approval>>,
    /// Those whose yes does not count where `notAuthor` asks for it.
    pub brought_by: &'a Seen<Vec<Person>>,
    /// What outside checks reported.
    pub checks: &'a Seen<Vec<CheckFact>>,
    /// The promotion that a person asked for, if this is one.
    pub request: Option<&'a Request>,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The release may pass.
    Pass(Passed),
    /// Not yet.
    Hold(Reason),
    /// Not this release.
    Fail(Reason),
}

/// Why a gate lets a release pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// These people said yes.
    ApprovedBy(Vec<Person>),
    /// It was healthy for long enough, since then.
    Soaked(Timestamp),
    /// The window is open, until then.
    Open(Option<Timestamp>),
    /// No freeze is on.
    NotFrozen,
    /// The check reported it as good, then.
    Checked(Timestamp),
    /// This person asked for it.
    AskedBy(Person),
    /// A person's override skips it.
    Overridden(Person),
}

impl Gate {
    /// Asks the gate.
    pub fn answer(&self, ask: &Ask<'_>) -> Answer {
        match self {
            Self::Approval(gate) => gate.answer(ask),
            Self::Soak(gate) => gate.answer(ask),
            Self::Window(gate) => window::answer(gate, ask),
            Self::Freeze(gate) => gate.answer(ask),
            Self::Check(gate) => gate.answer(ask),
            Self::Manual => manual::answer(ask),
        }
    }

    /// Whether the release must pass before it is even proposed. The others may
    /// pass while the proposal is open: a person, or the clock, opens them.
    pub fn is_before_proposal(&self) -> bool {
        match self {
            Self::Soak(_) | Self::Check(_) => true,
            Self::Approval(_) | Self::Window(_) | Self::Freeze(_) | Self::Manual => false,
        }
    }

    /// The gate in words, such as "approval by release-managers".
    pub fn words(&self) -> String {
        match self {
            Self::Approval(gate) => gate.words(),
            Self::Soak(gate) => gate.words(),
            Self::Window(gate) => window::words(gate),
            Self::Freeze(gate) => gate.words(),
            Self::Check(gate) => gate.words(),
            Self::Manual => "asked for by a person".to_owned(),
        }
    }

    /// The one word that names the kind of gate.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Approval(_) => "approval",
            Self::Soak(_) => "soak",
            Self::Window(_) => "window",
            Self::Freeze(_) => "freeze",
            Self::Check(_) => "check",
            Self::Manual => "manual",
        }
    }
}

//! Doubles of the ports that hold state: a repository with commits and branches,
//! a forge on top of it, a record, targets and a clock.
//!
//! They keep what the ports demand: every compare-and-set is honoured, every
//! call may be repeated. Each call stops twice, before its effect and after it,
//! so that a driver which polls by hand can put anything in between; what goes
//! wrong at those points is said by [`Faults`].

pub mod clock;
pub mod faults;
pub mod forge;
pub mod ledger;
pub mod nudge;
pub mod repo;
pub mod simulate;
pub mod sketch;
pub mod targets;
pub mod task;

use std::sync::Arc;

pub use clock::FakeClock;
pub use faults::{Fault, Faults, Moment, Point};
pub use forge::FakeForge;
pub use ledger::FakeLedger;
pub use nudge::{FakeNudge, Nudged};
pub use repo::FakeRepo;
pub use targets::FakeTargets;
pub use task::Task;

use crate::port::Ports;

/// One of each, around the same state.
#[derive(Clone)]
pub struct Fakes {
    /// Git.
    pub repo: FakeRepo,
    /// Where proposals live.
    pub forge: FakeForge,
    /// What was said and done.
    pub ledger: FakeLedger,
    /// What runs.
    pub targets: FakeTargets,
    /// Who was asked to look.
    pub nudge: FakeNudge,
    /// What time it is.
    pub clock: FakeClock,
}

impl Default for Fakes {
    fn default() -> Self {
        let clock = FakeClock::default();
        let repo = FakeRepo::new(clock.clone());
        let forge = FakeForge::new(repo.clone(), clock.clone());
        let ledger = FakeLedger::new(clock.clone());
        Self { repo, forge, ledger, targets: FakeTargets::default(), nudge: FakeNudge::default(), clock }
    }
}

/// What the doubles do wrong, to show that the simulator notices it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sabotage {
    /// A push moves a branch wherever it is.
    IgnoresExpect,
    /// A branch is deleted wherever it is.
    DeletesAnyHead,
    /// History tells of every commit that the files were as they are now.
    FlatHistory,
    /// The branches of proposals are not told of.
    HidesProposals,
    /// Approvals are not kept.
    ForgetsApprovals,
    /// An approval counts for every release.
    SpreadsApprovals,
    /// A report of anything counts as healthy.
    BelievesAnything,
    /// Engines take it to be later than it is.
    RunsAhead,
}

impl Sabotage {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::IgnoresExpect,
        Self::DeletesAnyHead,
        Self::FlatHistory,
        Self::HidesProposals,
        Self::ForgetsApprovals,
        Self::SpreadsApprovals,
        Self::BelievesAnything,
        Self::RunsAhead,
    ];
}

impl Fakes {
    /// From now on they do something wrong.
    pub fn sabotage(&self, how: Sabotage) {
        self.repo.sabotage(how);
        self.ledger.sabotage(how);
    }

    /// The ports, for an engine. What goes wrong for this engine is said by `faults`.
    pub fn ports(&self, faults: &Faults) -> Ports {
        Ports {
            repos: Arc::new(self.repo.with(faults)),
            forge: Arc::new(self.forge.with(faults)),
            targets: Arc::new(self.targets.with(faults)),
            ledger: Arc::new(self.ledger.with(faults)),
            nudge: Arc::new(self.nudge.clone()),
            clock: Arc::new(self.clock.clone()),
        }
    }
}

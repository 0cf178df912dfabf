//! The ports: what the engine asks of the world, in the planner's own types.
//!
//! Adapters implement them; no wire type, no database type and no HTTP type
//! passes through. Each fails with a [`PortError`]; a failed source becomes an
//! unknown fact and aborts nothing.

pub mod clock;
pub mod dispatch;
pub mod error;
pub mod forge;
pub mod holder;
pub mod ledger;
pub mod notify;
pub mod nudge;
pub mod repo;
pub mod shelf;
pub mod targets;

use std::sync::Arc;

pub use clock::Clock;
pub use error::{PortError, PortErrorKind};
pub use forge::Forge;
pub use holder::Holder;
pub use ledger::Ledger;
pub use notify::{Messenger, Told};
pub use nudge::{NoNudge, Nudge};
pub use repo::{Repo, Repos};
pub use shelf::Shelf;
pub use targets::Targets;

/// One of each, as the binary wires them.
#[derive(Clone)]
pub struct Ports {
    /// Git.
    pub repos: Arc<dyn Repos>,
    /// Where proposals live.
    pub forge: Arc<dyn Forge>,
    /// What runs.
    pub targets: Arc<dyn Targets>,
    /// What was said and done.
    pub ledger: Arc<dyn Ledger>,
    /// Those who deploy, to be asked to look.
    pub nudge: Arc<dyn Nudge>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

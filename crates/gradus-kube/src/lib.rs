//! Turns custom resources and workloads into pipelines and observations, and
//! reports into status.

pub mod ask;
pub mod clusters;
mod controller;
mod events;
mod forge;
mod intake;
mod kinds;
mod lease;
mod leaving;
mod ledger;
mod notifications;
mod nudge;
mod overview;
mod saying;
mod secrets;
mod status;
mod targets;
mod tree;
pub mod watch;
pub mod weave;
mod write;

pub use kube::Client;

pub use controller::{Controller, ControllerParts};
pub use events::EventSink;
pub use forge::BranchForge;
pub use kinds::{API_VERSION, Kind, Scope};
pub use lease::{LeaseOptions, give_back as give_lease_back, hold as hold_lease};
pub use ledger::{Kept, KubeLedger, Listener, Said};
pub use notifications::Notifications;
pub use nudge::KubeNudge;
pub use overview::{OverviewOptions, overview, overview_kinds};
pub use secrets::{SecretData, Secrets};
pub use targets::KubeTargets;
pub use tree::{Root, Sighted, TreeError, tree, tree_kinds};

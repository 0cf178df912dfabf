//! Turns custom resources and workloads into pipelines and observations, and
//! reports into status.

pub mod clusters;
mod controller;
mod events;
mod forge;
mod intake;
mod kinds;
mod lease;
mod ledger;
mod saying;
mod secrets;
mod status;
mod targets;
pub mod watch;
mod write;

pub use controller::{Controller, ControllerParts};
pub use events::EventSink;
pub use forge::BranchForge;
pub use kinds::{API_VERSION, Kind, Scope};
pub use lease::LeaseOptions;
pub use ledger::{Kept, KubeLedger, Listener, Said};
pub use secrets::{SecretData, Secrets};
pub use targets::KubeTargets;

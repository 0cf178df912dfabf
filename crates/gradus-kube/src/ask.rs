//! What people ask of a cluster from where they sit, in their own name: its objects
//! as they are now, and new ones that say what they want.
//!
//! Nothing is watched and nothing is kept. Whether somebody may is for the cluster
//! to say; what it says is put into words that name the verb and who has it.

mod cluster;
mod error;
mod me;
mod place;
mod said;

pub use cluster::Cluster;
pub use error::{AskError, AskErrorKind};
pub use me::Me;
pub use place::Place;
pub use said::{Approve, Promote, Wanted, approval, promotion};

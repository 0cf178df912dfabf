//! Starts real parts for tests: etcd and kube-apiserver and what belongs to them, Gitea, and OpenSSH's server.
//!
//! A test program has one [`ControlPlane::shared`] and each of its tests a
//! [namespace](ControlPlane::namespace) there; a test that stops parts, or that
//! needs another cluster, starts one for itself. `scripts/test-tools.sh` finds
//! the programs or builds them. [`Gitea::shared`] is the same for forges: a test has
//! users and repositories of its own there. Everything ends with the test program, however
//! that ends.

mod apply;
mod credentials;
mod document;
mod error;
mod gitea;
mod guard;
mod objects;
mod part;
mod plane;
mod port;
mod proxy;
mod sshd;
mod time;
mod tools;
mod user;

pub use kube::Client;

pub use error::{TestbedError, TestbedErrorKind};
pub use gitea::{Gitea, GiteaUser, Said};
pub use objects::Objects;
pub use part::Paused;
pub use plane::ControlPlane;
pub use proxy::{Asked, Fault, Proxy};
pub use sshd::Sshd;
pub use time::each_time;
pub use tools::{Tool, find_tool};
pub use user::User;

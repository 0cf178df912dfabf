//! Serves webhooks and the HTTP API. Never decides: it converts and forwards.
//!
//! [`Server::bind`] takes an address, [`Bound::serve`] answers. The shapes on the
//! wire are in [`api::v1`]; the command line prints the same. Who may do what is
//! in [`auth`], and what webhooks are believed in [`hooks`]. The contract of
//! `pipelines.weave.works` has an address of its own, in [`weave`].

pub mod api;
mod app;
pub mod auth;
mod feed;
mod health;
pub mod hooks;
mod limits;
mod metrics;
mod nearest;
pub mod ops;
pub mod port;
mod server;
mod spans;
pub mod weave;

pub use health::Readiness;
pub use limits::Limits;
pub use metrics::Metrics;
pub use server::{
    Bound, HooksListener, Server, ServerError, ServerErrorKind, ServerOptions, ServerTls, TlsError,
    TlsErrorKind, TlsFiles,
};
pub use spans::JoinTrace;

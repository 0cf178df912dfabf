//! The webhook of `pipelines.weave.works`, at an address of its own.
//!
//! Senders know its answers to the byte: they are in `gradus-weave`, and so are
//! the rules. Here is what is around them: an address, bounds, who asked how
//! often, and work that goes on when the one who asked has gone.

mod answer;
mod app;
mod approve;
mod bind;
mod client;
mod listener;
pub mod port;
mod promote;
mod route;
mod signature;
mod work;

pub(crate) use listener::take;

pub use bind::{BindAddress, BindAddressError};
pub use client::{ClientHeader, Network, NetworkError, TrustedProxies};
pub use listener::{WeaveBound, WeaveOptions, WeaveServer};

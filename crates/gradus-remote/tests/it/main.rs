//! Tests against Git's own server programs, over HTTP and as child processes, and against servers that misbehave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod branches;
mod contract;
mod edges;
mod entries;
mod forge;
mod hostile;
mod http;
mod look;
mod lost;
mod merges;
mod notify;
mod place;
mod port;
mod secrets;
mod server;
mod signing;
mod ssh;
mod stored;
mod targets;
mod tls;
mod trip;
mod two;
mod way;

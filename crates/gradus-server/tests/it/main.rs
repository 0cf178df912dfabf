//! The server as its clients meet it: real requests to a real socket, an engine
//! on doubles that hold state.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by them")]

mod access;
mod client;
mod events;
mod flux;
mod forges;
mod hooks;
mod limits;
mod openapi;
mod reads;
mod receiver;
mod refusals;
mod says;
mod tls;
mod tokens;
mod weave;
mod world;

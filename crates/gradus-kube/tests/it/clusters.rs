//! From a reference to a client.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod kubeconfig;
mod references;

//! Pipelines of `pipelines.weave.works`, looked after in a real cluster.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod classic;
mod level;
mod promote;
mod targets;
mod world;

//! Real parts, as tests use them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops where it fails")]

mod applied;
mod controllers;
mod ends;
mod install;
mod stops;
mod users;
mod why;

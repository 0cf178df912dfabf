//! The engine on doubles that hold state.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot go on ends")]

mod branches;
mod clusters;
mod dispatch;
mod index;
mod lab;
mod notify;
mod run;
mod scenarios;
mod simulate;
mod voices;
mod words;

//! The engine on doubles that hold state.

mod lab;
mod scenarios;

//! The command line: parses, wires, prints, exits; holds no rule.

mod cli;
mod client;
mod command;
mod config;
mod demo;
mod diff;
mod document;
mod error;
mod files;
mod forge_arg;
mod format;
mod holds;
mod init;
mod lint;
mod log;
mod nearest;
mod output;
mod plan;
mod source;
mod table;
mod time;
mod traces;
mod wiring;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}

//! `gradus reference`: the reference of all commands, for the documentation.

use std::process::ExitCode;

use clap::{Arg, Command, CommandFactory};

use crate::cli::Cli;
use crate::error::CliError;
use crate::output::Printer;

/// What stands before the first command.
const HEAD: &str = "# Commands\n\n\
    <!-- Written by `just gen` from the commands themselves. -->\n\n\
    Every command answers `--help`. Those that read take `-o json` and `-o yaml`, whose shapes are those of the API \
    and stay as they are; tables are for eyes.\n\n\
    ## Exit codes\n\n\
    | code | meaning |\n|---|---|\n\
    | 0 | done, or nothing to do |\n\
    | 1 | something failed or was refused; for `lint`, there are mistakes |\n\
    | 2 | there is something to do (`plan`) |\n\
    | 64 | the command line is wrong |\n\n\
    ## Environment variables\n\n\
    | variable | stands for |\n|---|---|\n\
    | `GRADUS_SERVER` | `--server`, unless `--config` or `--data` is given |\n\
    | `GRADUS_CONTEXT` | `--context`, unless `--server`, `--config` or `--data` is given; it goes before `GRADUS_SERVER` |\n\
    | `GRADUS_CONFIG` | `--config` |\n\
    | `GRADUS_DATA` | `--data` |\n\
    | `GRADUS_TOKEN` | the token for the server |\n\
    | `GRADUS_USER` | `--user` |\n\
    | `GRADUS_SECRETS`, `GRADUS_GIT_USER`, `GRADUS_CA_FILE` | `--secrets`, `--git-user`, `--ca-file` |\n\
    | `GRADUS_CACHE` | `--cache-dir`; otherwise, except in a cluster, `gradus` in `XDG_CACHE_HOME` or `~/.cache` |\n\
    | `GRADUS_GIT_TOKEN` | the password or token for repositories that name no Secret |\n\
    | `GRADUS_COLOR`, `NO_COLOR` | `--color`; without colour |\n";

/// Prints the reference of all commands, in Markdown.
#[derive(Debug, clap::Args)]
#[command(hide = true)]
pub(crate) struct ReferenceArgs {}

pub(crate) async fn run(_arguments: ReferenceArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let mut command = Cli::command();
    command.build();
    let mut text = HEAD.to_owned();
    text.push_str("\n## Options of every command\n\n");
    options(&mut text, command.get_arguments().filter(|argument| argument.is_global_set()));
    for inner in command.get_subcommands() {
        section(&mut text, inner, "gradus");
    }
    printer.text(text);
    Ok(ExitCode::SUCCESS)
}

/// A command and those below it.
fn section(text: &mut String, command: &Command, before: &str) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = format!("{before} {}", command.get_name());
    text.push_str(&format!("\n## {name}\n"));
    let about = command.get_long_about().or(command.get_about());
    if let Some(about) = about {
        text.push_str(&format!("\n{}\n", about.to_string().trim()));
    }
    let mut usage = command.clone();
    let usage = usage.render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage).trim().to_owned();
    text.push_str(&format!("\n```\n{usage}\n```\n\n"));
    options(text, command.get_arguments().filter(|argument| !argument.is_global_set()));
    if let Some(after) = command.get_after_help() {
        text.push_str(&format!("\n{after}\n"));
    }
    for inner in command.get_subcommands() {
        section(text, inner, &name);
    }
}

/// A row for each argument, under the headings they have.
fn options<'a>(text: &mut String, arguments: impl Iterator<Item = &'a Arg>) {
    let mut shown = false;
    for argument in arguments.filter(|argument| !argument.is_hide_set()) {
        let names = ["help", "version"];
        if names.contains(&argument.get_id().as_str()) && argument.get_short().is_some() {
            continue;
        }
        if !shown {
            text.push_str("| argument | |\n|---|---|\n");
            shown = true;
        }
        let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        let values: Vec<String> = argument
            .get_possible_values()
            .iter()
            .filter(|value| !value.is_hide_set())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let takes_value = argument.get_action().takes_values();
        if !help.ends_with('.') {
            help.push('.');
        }
        if takes_value && !values.is_empty() {
            help.push_str(&format!(" One of {}.", values.join(", ")));
        }
        if let Some(variable) = argument.get_env() {
            help.push_str(&format!(" Environment: `{}`.", variable.to_string_lossy()));
        }
        let defaults: Vec<String> = argument
            .get_default_values()
            .iter()
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        if takes_value && !defaults.is_empty() {
            help.push_str(&format!(" Default: {}.", defaults.join(", ")));
        }
        text.push_str(&format!("| `{}` | {} |\n", invocation(argument), help.replace('|', "\\|")));
    }
}

/// The argument as it is written.
fn invocation(argument: &Arg) -> String {
    let value = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let value = value.unwrap_or_else(|| argument.get_id().to_string().to_uppercase());
    let value = if argument.get_action().takes_values() { format!(" {value}") } else { String::new() };
    match (argument.get_short(), argument.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long}{value}"),
        (Some(short), None) => format!("-{short}{value}"),
        (None, Some(long)) => format!("--{long}{value}"),
        (None, None) => value.trim().to_owned(),
    }
}

//! `gradus token`: who may talk to a server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use gradus_core::names::{Group, Person};
use gradus_server::auth::{NewToken, Role, TokenError, Tokens};
use jiff::Timestamp;
use serde::Serialize;

use crate::error::CliError;
use crate::format::FormatArgs;
use crate::nearest::did_you_mean;
use crate::output::Printer;
use crate::source::clock;
use crate::table::{Cell, Table};
use crate::time::until;

/// Makes, lists and revokes the tokens of a server.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    #[command(subcommand)]
    what: What,
}

/// What to do.
#[derive(Debug, Subcommand)]
enum What {
    Create(CreateArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Makes a token, and prints it this once.
///
/// As soon as there is a token, the server lets nobody in without one.
#[derive(Debug, clap::Args)]
struct CreateArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Who holds it: the name that stands in the record.
    #[arg(long, value_name = "NAME", value_parser = person)]
    name: Person,
    /// What it is good for: viewer, reporter, approver or operator; once for each.
    #[arg(long = "role", value_name = "ROLE", required = true, value_parser = role)]
    roles: Vec<Role>,
    /// A group whose approvals its holder can give; once for each.
    #[arg(long = "group", value_name = "NAME", value_parser = group)]
    groups: Vec<Group>,
    /// Another name of its holder, such as the address in their commits; once for each.
    #[arg(long = "alias", value_name = "NAME", value_parser = person)]
    aliases: Vec<Person>,
    /// When it stops to be good: 90d, 2026-12-20 or 2026-12-20T12:00:00Z; never when left out.
    #[arg(long, value_name = "TIME", value_parser = until)]
    expires: Option<Timestamp>,
}

/// Lists the tokens, without their secrets.
#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Takes a token away, at once.
#[derive(Debug, clap::Args)]
struct RevokeArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Who holds it.
    name: String,
}

/// Where the tokens are.
#[derive(Debug, clap::Args)]
struct PlaceArgs {
    /// Data directory of `gradus serve`.
    #[arg(long, value_name = "DIR", env = "GRADUS_DATA")]
    data: PathBuf,
}

/// A token as it is listed.
#[derive(Serialize)]
struct Shown {
    name: String,
    roles: Vec<Role>,
    groups: Vec<String>,
    aliases: Vec<String>,
    created: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

pub(crate) async fn run(arguments: TokenArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    match arguments.what {
        What::Create(create) => create.run(printer),
        What::List(list) => list.run(printer),
        What::Revoke(revoke) => revoke.run(printer),
    }
}

impl CreateArgs {
    fn run(self, printer: &Printer) -> Result<ExitCode, CliError> {
        let data = &self.place.data;
        std::fs::create_dir_all(data).map_err(|error| {
            CliError::because(format!("making the data directory {}", data.display()), error)
        })?;
        let tokens = load(data)?;
        let is_first = !tokens.are_asked_for();
        let roles: BTreeSet<Role> = self.roles.into_iter().collect();
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        let told = format!("token of {} ({})", self.name, words.join(", "));
        let new = NewToken {
            name: self.name,
            roles,
            groups: self.groups,
            aliases: self.aliases,
            expires: self.expires,
        };
        let secret = tokens.create(new, Timestamp::now()).map_err(from_tokens)?;
        let ends =
            self.expires.map_or_else(|| "it does not expire".to_owned(), |at| format!("good until {at}"));
        printer.note(format!("{told}, {ends}; it is shown this once:"));
        printer.line(secret.reveal());
        if is_first {
            printer.note("from now on the server lets nobody in without a token");
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ListArgs {
    fn run(self, printer: &Printer) -> Result<ExitCode, CliError> {
        let tokens = load(&self.place.data)?.list().map_err(from_tokens)?;
        let shown: Vec<Shown> = tokens
            .iter()
            .map(|token| Shown {
                name: token.name.clone(),
                roles: token.roles.clone(),
                groups: token.groups.clone(),
                aliases: token.aliases.clone(),
                created: token.created.to_string(),
                expires: token.expires.map(|at| at.to_string()),
            })
            .collect();
        if let Some(text) = self.format.text(&serde_json::json!({ "items": shown }))? {
            printer.text(text);
            return Ok(ExitCode::SUCCESS);
        }
        if tokens.is_empty() {
            printer.note("no tokens");
            return Ok(ExitCode::SUCCESS);
        }
        let clock = clock();
        let mut table = Table::default();
        for token in &tokens {
            let roles: Vec<&str> = token.roles.iter().map(|role| role.word()).collect();
            let groups = if token.groups.is_empty() {
                String::new()
            } else {
                format!("in {}", token.groups.join(", "))
            };
            let expires = match token.expires {
                Some(at) if at <= clock.now => "expired".to_owned(),
                Some(at) => format!("{} left", clock.left(at)),
                None => "does not expire".to_owned(),
            };
            table.row(vec![
                Cell::new(&token.name),
                Cell::new(roles.join(", ")),
                Cell::new(expires),
                Cell::new(groups),
            ]);
        }
        printer.text(table.render(printer));
        Ok(ExitCode::SUCCESS)
    }
}

impl RevokeArgs {
    fn run(self, printer: &Printer) -> Result<ExitCode, CliError> {
        let tokens = load(&self.place.data)?;
        if tokens.are_asked_for() && tokens.revoke(&self.name).map_err(from_tokens)? {
            printer.line(format!("the token of {} is revoked", self.name));
            return Ok(ExitCode::SUCCESS);
        }
        let names: Vec<String> =
            tokens.list().map_err(from_tokens)?.into_iter().map(|token| token.name).collect();
        let error = CliError::failed(format!("there is no token of {}", self.name));
        Err(match did_you_mean(&self.name, names.iter().map(String::as_str)) {
            Some(help) => error.help(help),
            None => error.help("gradus token list shows those there are"),
        })
    }
}

fn load(data: &Path) -> Result<Tokens, CliError> {
    Tokens::load(&data.join("tokens.json")).map_err(from_tokens)
}

fn from_tokens(error: TokenError) -> CliError {
    let message = error.to_string();
    match std::error::Error::source(&error) {
        Some(cause) => CliError::because(message, cause.to_string()),
        None => CliError::failed(message),
    }
}

fn person(text: &str) -> Result<Person, String> {
    Person::parse(text).map_err(|error| error.to_string())
}

fn group(text: &str) -> Result<Group, String> {
    Group::parse(text).map_err(|error| error.to_string())
}

fn role(text: &str) -> Result<Role, String> {
    let words: Vec<&str> = Role::ALL.iter().map(|role| role.word()).collect();
    Role::parse(text).ok_or_else(|| format!("it is one of {}", words.join(", ")))
}

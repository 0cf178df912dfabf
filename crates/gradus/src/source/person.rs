//! Who sits here, for places that take everybody's word for it.

use gradus_core::names::{Group, Person};

use super::say::Speaker;
use super::text;
use crate::error::CliError;

/// Who says it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Who says it")]
pub(crate) struct PersonArgs {
    /// Who says it, for servers without tokens and for --data [env: GRADUS_USER] [default: the login name].
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// A group that they are in, for the same places; once for each.
    #[arg(long = "group", value_name = "NAME", value_parser = group)]
    pub(crate) groups: Vec<Group>,
}

fn group(text: &str) -> Result<Group, String> {
    Group::parse(text).map_err(|error| error.to_string())
}

impl PersonArgs {
    /// The name, if there is one.
    pub(crate) fn name(&self) -> Option<String> {
        let login = || ["GRADUS_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(text);
        self.user.clone().or_else(login)
    }

    /// The groups, by name.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.groups.iter().map(ToString::to_string).collect()
    }

    /// The person and the groups.
    pub(crate) fn speaker(&self) -> Result<Speaker, CliError> {
        Ok(Speaker { person: self.person()?, groups: self.groups.clone(), aliases: Vec::new() })
    }

    /// The person.
    pub(crate) fn person(&self) -> Result<Person, CliError> {
        let name = self.name().ok_or_else(|| {
            CliError::usage("it is not known who you are").help("say it with --user or GRADUS_USER")
        })?;
        Person::parse(name.trim()).map_err(|error| CliError::usage(error.to_string()))
    }
}

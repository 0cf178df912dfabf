//! Who sits here, for places that take everybody's word for it.

use gradus_core::names::Person;

use super::text;
use crate::error::CliError;

/// Who says it.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct PersonArgs {
    /// Who says it, for servers without tokens and for --data [env: GRADUS_USER] [default: the login name].
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
}

impl PersonArgs {
    /// The name, if there is one.
    pub(crate) fn name(&self) -> Option<String> {
        let login = || ["GRADUS_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(text);
        self.user.clone().or_else(login)
    }

    /// The person.
    pub(crate) fn person(&self) -> Result<Person, CliError> {
        let name = self
            .name()
            .ok_or_else(|| CliError::usage("it is not known who you are").help("say it with --user or GRADUS_USER"))?;
        Person::parse(name.trim()).map_err(|error| CliError::usage(error.to_string()))
    }
}

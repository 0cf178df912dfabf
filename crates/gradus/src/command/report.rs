//! `gradus report`: what a target does, or what came out of an outside check.

use std::process::ExitCode;

use clap::ValueEnum;
use gradus_server::api::v1;
use jiff::Timestamp;

use crate::error::CliError;
use crate::output::Printer;
use crate::source::{PersonArgs, SourceArgs};

/// Reports what a target does or, with --check, what came out of an outside check.
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// In which environment.
    #[arg(long, visible_alias = "to", value_name = "ENV")]
    environment: String,
    /// Which target; may be left out where only one takes reports.
    #[arg(long, value_name = "NAME", conflicts_with = "check")]
    target: Option<String>,
    /// Which check.
    #[arg(long, value_name = "NAME", requires = "version")]
    check: Option<String>,
    /// Of which version, or ARTIFACT=VERSION pairs; after a rollback the one that runs now.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// What it does. Of a target: healthy, deploying, failed, not-deployed or rolled-back; of a check: passed, failed or pending.
    #[arg(long, value_name = "STATE")]
    state: Said,
    /// Why, or more, for people.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
    /// When it was so, such as 2026-11-21T12:03:28Z; now when left out.
    #[arg(long, value_name = "TIME", conflicts_with = "check")]
    at: Option<Timestamp>,
    /// Say what would be recorded, and record nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// What is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Said {
    /// It runs and works.
    Healthy,
    /// A rollout is under way.
    Deploying,
    /// It does not work, or did not pass.
    Failed,
    /// Nothing runs there.
    NotDeployed,
    /// What failed was taken back.
    RolledBack,
    /// It passed.
    Passed,
    /// It still runs.
    Pending,
}

impl Said {
    /// Of a target.
    fn state(self) -> Option<v1::State> {
        match self {
            Self::Healthy => Some(v1::State::Healthy),
            Self::Deploying => Some(v1::State::Deploying),
            Self::Failed => Some(v1::State::Failed),
            Self::NotDeployed => Some(v1::State::NotDeployed),
            Self::RolledBack => Some(v1::State::RolledBack),
            Self::Passed | Self::Pending => None,
        }
    }

    /// Of a check.
    fn outcome(self) -> Option<v1::Outcome> {
        match self {
            Self::Passed => Some(v1::Outcome::Passed),
            Self::Failed => Some(v1::Outcome::Failed),
            Self::Pending => Some(v1::Outcome::Pending),
            Self::Healthy | Self::Deploying | Self::NotDeployed | Self::RolledBack => None,
        }
    }

    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// What is told, and to whom.
enum Report {
    Target(v1::TargetReport),
    Check(v1::CheckReport),
}

pub(crate) async fn run(arguments: ReportArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let (words, report) = read(&arguments)?;
    let source = arguments.source.open_for(&arguments.person, printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let words = format!("{} {words}", key.name);
    if arguments.dry_run {
        // The names are looked up all the same.
        let _found = source.explain(&key, &arguments.environment).await?;
        printer.line(format!("dry run, nothing is recorded: {words}"));
        return Ok(ExitCode::SUCCESS);
    }
    match report {
        Report::Target(report) => source.report(&key, &report).await?,
        Report::Check(report) => source.check(&key, &report).await?,
    }
    printer.line(format!("recorded: {words}"));
    Ok(ExitCode::SUCCESS)
}

fn read(arguments: &ReportArgs) -> Result<(String, Report), CliError> {
    let environment = arguments.environment.clone();
    let version = arguments.version.clone();
    let at_version = version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let word = arguments.state.word();
    if let (Some(check), Some(version)) = (&arguments.check, &version) {
        let result = arguments.state.outcome().ok_or_else(|| {
            CliError::usage(format!("a check is not {word}")).help("it is passed, failed or pending")
        })?;
        let words = format!("check {check} {word} for{at_version} in {environment}");
        let (check, detail) = (check.clone(), arguments.message.clone());
        let report = v1::CheckReport { environment, check, version: version.clone(), result, detail };
        return Ok((words, Report::Check(report)));
    }
    let state = arguments.state.state().ok_or_else(|| {
        CliError::usage(format!("a target is not {word}"))
            .help("it is healthy, deploying, failed, not-deployed or rolled-back")
            .help("to report a check, name it with --check")
    })?;
    let target = arguments.target.as_ref().map_or_else(String::new, |target| format!(" ({target})"));
    let words = format!("{word}{at_version} in {environment}{target}");
    let report = v1::TargetReport {
        environment,
        target: arguments.target.clone(),
        version,
        versions: None,
        state,
        message: arguments.message.clone(),
        at: arguments.at.map(v1::Time),
    };
    Ok((words, Report::Target(report)))
}

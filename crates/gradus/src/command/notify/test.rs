//! `gradus notify test`: sends one message, and says what the other side answered.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;
use gradus_core::names::{ArtifactName, EnvironmentName, PipelineKey, PipelineName};
use gradus_core::news::{News, NewsKind};
use gradus_core::notification::Notification;
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::Messenger;
use gradus_remote::notify::Messengers;
use jiff::Timestamp;

use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::nearest::did_you_mean;
use crate::output::Printer;
use crate::wiring::{AccessArgs, options};

/// Sends a test message through a Notification, and says what the other side answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 it was taken, 1 it was not.")]
pub(super) struct TestArgs {
    /// The Notification: the file that it is in, or its name in the folder of manifests.
    #[arg(value_name = "FILE|NAME")]
    what: String,
    /// Folder of manifests.
    #[arg(long, value_name = "DIR", env = "GRADUS_CONFIG")]
    config: Option<PathBuf>,
    /// What kind of message.
    #[arg(long, value_name = "KIND", default_value = "promoted")]
    kind: Kind,
    /// Print what would be sent, without its secrets, and send nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    access: AccessArgs,
}

/// A kind of message.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Proposed,
    Waiting,
    Promoted,
    Deployed,
    Failed,
    RolledBack,
    HoldEnds,
}

impl Kind {
    fn news(self) -> NewsKind {
        match self {
            Self::Proposed => NewsKind::Proposed,
            Self::Waiting => NewsKind::Waiting,
            Self::Promoted => NewsKind::Promoted,
            Self::Deployed => NewsKind::Deployed,
            Self::Failed => NewsKind::Failed,
            Self::RolledBack => NewsKind::RolledBack,
            Self::HoldEnds => NewsKind::HoldEnds,
        }
    }
}

pub(super) async fn run(arguments: TestArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let notification = find(&arguments)?;
    let tls = options(&arguments.access)?.tls;
    let messengers = Messengers::new(arguments.access.secrets.clone(), tls)?;
    let news = sample(&notification, arguments.kind.news(), Timestamp::now())?;
    if arguments.dry_run {
        let prepared = messengers.prepare(&notification, &news, None)?;
        printer.text(prepared.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let sent = printer.patiently("sending...", messengers.send(&notification, &news, None)).await;
    let receipt = sent.map_err(|failed| CliError::from(failed.error))?;
    printer.line(format!("{} took it: {}", notification.to.word(), receipt.answer));
    if notification.suspend {
        printer.note(format!("notification {} is suspended: nothing else is told", notification.key));
    }
    Ok(ExitCode::SUCCESS)
}

/// The Notification of a file, or of this name.
fn find(arguments: &TestArgs) -> Result<Notification, CliError> {
    let path = Path::new(&arguments.what);
    let (folder, name) = match (&arguments.config, path.is_file()) {
        (_, true) => (path, None),
        (Some(folder), false) => (folder.as_path(), Some(arguments.what.as_str())),
        (None, false) => {
            return Err(CliError::failed(format!("{} does not exist", path.display()))
                .help("give the file of a Notification, or with --config the folder that it is in"));
        }
    };
    let (config, _) = ConfigFolder::new(folder)?.read()?;
    let is_meant = |one: &&std::sync::Arc<Notification>| {
        name.is_none_or(|name| one.key.name.as_str() == name || one.key.to_string() == name)
    };
    let mut found = config.notifications.values().filter(is_meant);
    match (found.next(), found.next()) {
        (Some(only), None) => Ok((**only).clone()),
        (Some(one), Some(other)) => Err(CliError::usage(format!(
            "which one: {} or {}? name it, with the folder in --config",
            one.key, other.key
        ))),
        (None, _) => Err(missing(&config, folder, name)),
    }
}

fn missing(config: &crate::config::Config, folder: &Path, name: Option<&str>) -> CliError {
    // A mistake in it may be why it is not there.
    if let Some(error) = config.errors.first() {
        let failed = CliError::failed(error.to_string());
        return match &error.help {
            Some(help) => failed.help(help),
            None => failed,
        };
    }
    let Some(name) = name else {
        return CliError::failed(format!("{} holds no Notification", folder.display()));
    };
    let known: Vec<String> = config.notifications.keys().map(|key| key.name.to_string()).collect();
    let failed = CliError::failed(format!("there is no Notification {name} in {}", folder.display()));
    match did_you_mean(name, known.iter().map(String::as_str)) {
        Some(help) => failed.help(help),
        None if known.is_empty() => failed,
        None => failed.help(format!("there are {}", known.join(", "))),
    }
}

/// News that never was. Its key is another one each time, so that it is never taken for the same.
fn sample(of: &Notification, kind: NewsKind, now: Timestamp) -> Result<News, CliError> {
    let name = match of.pipelines.first() {
        Some(name) => name.clone(),
        None => PipelineName::parse("test").map_err(unlikely)?,
    };
    let environment = match of.environments.first() {
        Some(name) => name.clone(),
        None => EnvironmentName::parse("test").map_err(unlikely)?,
    };
    let release = |text: &str| -> Result<Release, CliError> {
        let artifact = ArtifactName::parse("test").map_err(unlikely)?;
        Ok(Release::single(artifact, Version::parse(text).map_err(unlikely)?))
    };
    let key = format!("test {} {now}", of.key);
    Ok(News {
        kind,
        thread: key.as_str().into(),
        key: key.into(),
        scope: None,
        pipeline: PipelineKey { namespace: of.key.namespace.clone(), name },
        environment: Some(environment),
        release: Some(release("1.1.0")?),
        from: Some(release("1.0.0")?),
        proposal: None,
        url: None,
        commit: None,
        repository: "https://git.example.com/test".into(),
        at: now,
        title: format!("test of notification {} ({})", of.key, kind.word()),
        details: vec!["somebody ran `gradus notify test`".to_owned()],
        can: vec![format!("gradus notify test {}", of.key.name)],
    })
}

fn unlikely(error: impl std::error::Error + Send + Sync + 'static) -> CliError {
    CliError::because("making a test message", error)
}

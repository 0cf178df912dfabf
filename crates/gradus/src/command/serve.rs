//! `gradus serve`: runs until it is told to stop.

mod figures;
mod holds;
mod proposals;
mod reload;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gradus_engine::{Engine, Notifier, NotifyOptions, RunOptions};
use gradus_local::DataDirLock;
use gradus_remote::notify::Messengers;
use gradus_server::auth::Tokens;
use gradus_server::hooks::{HookKey, HookKeys};
use gradus_server::{Limits, Metrics, Server, ServerOptions};
use tokio::sync::watch;

use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::output::Printer;
use crate::wiring::{AccessArgs, CacheArgs, Hearing, LedgerPlace, options, wire};

pub(crate) use figures::Figures;
use holds::FileHolds;
use proposals::LocalProposals;
use reload::Reloader;

/// Where to run, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Folder of manifests; read again when it changes.
    #[arg(long, value_name = "DIR", env = "GRADUS_CONFIG")]
    pub(crate) config: PathBuf,
    /// Folder for the ledger and the tokens; made if it is not there.
    #[arg(long, value_name = "DIR", env = "GRADUS_DATA")]
    pub(crate) data: PathBuf,
    /// Address and port to answer on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", env = "GRADUS_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// File with the key that signs webhooks (`hmac-key`).
    #[arg(long, value_name = "FILE", env = "GRADUS_HOOK_KEY_FILE")]
    pub(crate) hook_key_file: Option<PathBuf>,
    /// How often repositories are asked whether a branch has moved.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = crate::cli::duration)]
    pub(crate) poll: Duration,
    /// How many pipelines are looked after at the same time.
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) at_once: usize,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) cache: CacheArgs,
}

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(arguments: ServeArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let running = Running::start(&arguments).await?;
    printer.note(format!("gradus answers on http://{}", running.address));
    running.tell_problems(printer);
    stopped().await;
    printer.note("stopping: steps that are being taken are let end");
    running.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Everything that `serve` runs.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    reloader: Arc<Reloader>,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<Result<(), CliError>>>,
    _lock: DataDirLock,
}

impl Running {
    /// Reads the folder, opens the ledger, and begins.
    pub(crate) async fn start(arguments: &ServeArgs) -> Result<Self, CliError> {
        let folder = ConfigFolder::new(&arguments.config)?;
        let lock = DataDirLock::take(&arguments.data)?;
        let wired = wire(&arguments.access, LedgerPlace::In(&arguments.data))?;
        let metrics = Arc::new(Metrics::default());
        let figures = Arc::new(Figures(metrics.clone()));
        let messengers = Messengers::new(arguments.access.secrets.clone(), options(&arguments.access)?.tls)?;
        let (told, clock) = (wired.ledger.clone(), wired.ports.clock.clone());
        let notifier = Notifier::new(Arc::new(messengers), told, clock, NotifyOptions::default());
        let notifier = Arc::new(notifier);
        let engine = Engine::new(wired.ports.clone()).watched_by(figures).watched_by(notifier.clone());
        let engine = Arc::new(match arguments.cache.shelf() {
            Some(shelf) => engine.keeping_on(shelf),
            None => engine,
        });
        let reloader = Arc::new(Reloader::new(folder, engine.clone(), notifier.clone()));
        reloader.read()?;
        let holds = Arc::new(FileHolds { reloader: reloader.clone(), engine: engine.clone() });
        engine.hold_with(holds.clone());
        let (stop, stopping) = watch::channel(false);
        let tokens = Tokens::load(&arguments.data.join("tokens.json"))
            .map_err(|error| CliError::because("reading the tokens", error))?;
        let bound = Server::bind(ServerOptions {
            listen: arguments.listen,
            engine: engine.clone(),
            tokens: Arc::new(tokens),
            hook_keys: hook_keys(arguments)?.into(),
            hooks: None,
            holds,
            proposals: Arc::new(LocalProposals(wired.forge.clone())),
            problems: reloader.clone(),
            repositories: Arc::new(Hearing::new(engine.clone(), wired.either)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            metrics,
            join_trace: Some(crate::traces::join),
            limits: Limits::default(),
            tls: None,
        })
        .await
        .map_err(|error| {
            let help = error.help();
            CliError::because(format!("listening on {}", arguments.listen), error).help(help)
        })?;
        let address = bound.local_addr();
        let options = RunOptions {
            at_once: arguments.at_once,
            poll: arguments.poll,
            ask: arguments.poll,
            ..RunOptions::default()
        };
        let tasks = vec![
            tokio::spawn(serve(bound, until(stopping.clone()))),
            tokio::spawn(tell(notifier, engine.clone(), until(stopping.clone()))),
            tokio::spawn(look_after(engine, options, until(stopping.clone()))),
            tokio::spawn(reloader.clone().run(stopping)),
        ];
        Ok(Self { address, reloader, stop, tasks, _lock: lock })
    }

    /// Lets what is under way end, and ends.
    pub(crate) async fn stop(self) -> Result<(), CliError> {
        let _everyone_has_gone = self.stop.send(true);
        for task in self.tasks {
            task.await.map_err(|error| CliError::because("stopping", error))??;
        }
        Ok(())
    }

    fn tell_problems(&self, printer: &Printer) {
        for problem in self.reloader.errors() {
            printer.note(format!("error: {problem}"));
            if let Some(help) = &problem.help {
                printer.note(format!("  help: {help}"));
            }
        }
    }
}

async fn serve(
    bound: gradus_server::Bound,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), CliError> {
    bound.serve(stop).await.map_err(|error| CliError::because("answering", error))
}

async fn tell(
    notifier: Arc<Notifier>,
    engine: Arc<Engine>,
    stop: impl Future<Output = ()>,
) -> Result<(), CliError> {
    notifier.run(&engine, stop).await;
    Ok(())
}

async fn look_after(
    engine: Arc<Engine>,
    options: RunOptions,
    stop: impl Future<Output = ()>,
) -> Result<(), CliError> {
    engine.run(options, stop).await;
    Ok(())
}

fn hook_keys(arguments: &ServeArgs) -> Result<HookKeys, CliError> {
    let Some(file) = &arguments.hook_key_file else { return Ok(HookKeys::none()) };
    let key = std::fs::read_to_string(file)
        .map_err(|error| CliError::because(format!("reading {}", file.display()), error))?;
    match HookKey::new(key.trim_end_matches(['\r', '\n']).as_bytes()) {
        Some(key) => Ok(HookKeys::none().with_global(key)),
        None => Err(CliError::failed(format!("{} is empty", file.display())).help(
            "put the key into it that your forge or your Flux Provider (type generic-hmac) signs with",
        )),
    }
}

async fn until(mut stopping: watch::Receiver<bool>) {
    let _sender_gone_means_stop = stopping.wait_for(|stop| *stop).await;
}

/// Waits for SIGTERM or SIGINT.
pub(crate) async fn stopped() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = interrupt => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(interrupt.await),
        }
    }
    #[cfg(not(unix))]
    drop(interrupt.await);
}

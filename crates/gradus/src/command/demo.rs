//! `gradus demo`: a release walks from dev to staging to prod, in a repository made for it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use gradus_core::names::{Group, Person};
use gradus_server::auth::{NewToken, Role, TokenError, Tokens};

use crate::client::Client;
use crate::command::serve::{Running, ServeArgs, stopped};
use crate::demo::clusters::Clusters;
use crate::demo::fleet::Fleet;
use crate::demo::rehearse::{Disturbance, rehearse};
use crate::demo::stage::{Forge, Stage};
use crate::demo::story::{Approver, Story};
use crate::demo::{BAD, FIRST, GOOD};
use crate::error::CliError;
use crate::output::{Printer, Tone};
use crate::wiring::{AccessArgs, CacheArgs};

/// How the demo runs.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Keep everything in this folder; else a temporary one that is removed.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Stay up at the end, so that you can look around.
    #[arg(long)]
    pub(crate) keep: bool,
    /// Wait for you to approve.
    #[arg(long)]
    pub(crate) pause: bool,
    /// Tell it with pull requests, in a forge that is started for it.
    #[arg(long, value_name = "KIND")]
    pub(crate) forge: Option<DemoForge>,
    /// The Gitea program; else the one on PATH, else the one that the tests have built.
    #[arg(long, value_name = "PATH", requires = "forge")]
    pub(crate) gitea: Option<PathBuf>,
    /// Tell the story this many times while `serve` is killed, and compare the ends.
    #[arg(long, value_name = "RUNS", hide = true, conflicts_with = "forge")]
    pub(crate) rehearse: Option<u32>,
    /// How many times `serve` is killed in all.
    #[arg(long, value_name = "N", default_value_t = 0, hide = true, requires = "rehearse")]
    pub(crate) kills: u32,
    /// Delete the ledger once in each run.
    #[arg(long, hide = true, requires = "rehearse")]
    pub(crate) lose_ledger: bool,
    /// What the moments of the kills follow from.
    #[arg(long, value_name = "N", default_value_t = 1, hide = true, requires = "rehearse")]
    pub(crate) seed: u64,
}

/// A forge that can be started for the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DemoForge {
    /// Gitea, on this machine.
    Gitea,
}

/// The people and machines of the demo, with their tokens.
pub(crate) struct Actors {
    pub(crate) approver: String,
    pub(crate) operator: String,
    pub(crate) reporter: String,
    pub(crate) hook_key: String,
}

impl Actors {
    /// Makes their tokens in a data directory.
    pub(crate) fn create(data: &Path) -> Result<Self, CliError> {
        let failed = |error: TokenError| CliError::because("making the demo's tokens", error);
        std::fs::create_dir_all(data)
            .map_err(|error| CliError::because(format!("making {}", data.display()), error))?;
        let tokens = Tokens::load(&data.join("tokens.json")).map_err(failed)?;
        let token = |name: &str, role: Role, groups: &[&str]| {
            let _from_an_earlier_demo = tokens.revoke(name);
            let new = NewToken {
                name: Person::parse(name).map_err(|error| CliError::because("naming a token", error))?,
                roles: BTreeSet::from([role]),
                groups: groups.iter().filter_map(|group| Group::parse(group).ok()).collect(),
                aliases: Vec::new(),
                expires: None,
            };
            let token = tokens.create(new, jiff::Timestamp::now()).map_err(failed)?;
            Ok::<_, CliError>(token.reveal().to_owned())
        };
        let actors = Self {
            approver: token("demo", Role::Approver, &["release-managers"])?,
            operator: token("ada", Role::Operator, &[])?,
            reporter: token("clusters", Role::Reporter, &[])?,
            hook_key: "a key that only this demo uses".to_owned(),
        };
        let file = Self::hook_key_file(data);
        std::fs::write(&file, &actors.hook_key)
            .map_err(|error| CliError::because(format!("writing {}", file.display()), error))?;
        Ok(actors)
    }

    /// Where the key that signs the clusters' events is.
    pub(crate) fn hook_key_file(data: &Path) -> PathBuf {
        data.join("hmac-key")
    }
}

/// Runs the demo.
pub(crate) async fn run(arguments: DemoArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    if let Some(runs) = arguments.rehearse {
        let (kills, lose_ledger, seed) = (arguments.kills, arguments.lose_ledger, arguments.seed);
        rehearse(Disturbance { runs, kills, lose_ledger, seed }, printer).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let temporary = tempfile::Builder::new().prefix("gradus-demo-").tempdir();
    let temporary = temporary.map_err(|error| CliError::because("making a temporary folder", error))?;
    let folder = match &arguments.dir {
        Some(dir) => empty_folder(dir)?,
        None => temporary.path().to_owned(),
    };
    tokio::select! {
        told = tell(&folder, &arguments, printer) => told?,
        () = stopped() => printer.note("stopped"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn tell(folder: &Path, arguments: &DemoArgs, printer: &Printer) -> Result<(), CliError> {
    printer.line(
        printer.toned(Tone::Strong, "gradus demo: three environments, one Git repository, no cluster needed"),
    );
    printer.line("");
    let stage = match arguments.forge {
        None => Stage::plain(folder)?,
        Some(DemoForge::Gitea) => {
            let starting = Stage::in_gitea(folder, arguments.gitea.as_deref());
            printer.patiently("starting Gitea...", starting).await?
        }
    };
    let now = jiff::Zoned::now().strftime("%H:%M:%S").to_string();
    printer.line(format!(
        "  {}  fleet repository at {} (main), podinfo {FIRST} everywhere",
        printer.toned(Tone::Dim, &now),
        stage.shown()
    ));
    let (fleet, data) = (&stage.fleet, folder.join("data"));
    let actors = Actors::create(&data)?;
    let running = Running::start(&ServeArgs {
        config: stage.config.clone(),
        data: data.clone(),
        listen: "127.0.0.1:0".parse().map_err(|error| CliError::because("choosing an address", error))?,
        hook_key_file: Some(Actors::hook_key_file(&data)),
        poll: Duration::from_millis(300),
        at_once: 4,
        access: AccessArgs { secrets: stage.secrets.clone(), ..AccessArgs::default() },
        cache: CacheArgs { cache_dir: Some(folder.join("cache")) },
    })
    .await?;
    let address = format!("http://{}", running.address);
    let client = |token: &str| Client::new(&address, Some(token.to_owned()));
    let clusters = Clusters::new(
        fleet.clone(),
        client(&actors.reporter)?.signing_with(&actors.hook_key),
        vec![("staging", BAD)],
    );
    let clusters = tokio::spawn(clusters.run());
    let approver = client(&actors.approver)?;
    let story = Story {
        fleet,
        approver: match &stage.forge {
            None => Approver::Here(&approver),
            Some(forge) => Approver::InForge(&forge.manager),
        },
        operator: &client(&actors.operator)?,
        printer: Some(printer),
        pause: arguments.pause,
        patience: Duration::from_secs(60),
    };
    if let (true, Some(forge)) = (arguments.pause, &stage.forge) {
        printer.note(sign_in(forge));
    } else if arguments.pause {
        printer.note(format!("  the token to approve with: export GRADUS_TOKEN={}", actors.approver));
    }
    story.tell().await?;
    the_end(fleet, printer)?;
    if arguments.keep {
        stay(&address, &actors, &stage, printer).await;
    } else {
        printer.line("next: gradus demo --keep --dir ./demo    stays up, so that you can look around");
        printer.line("      gradus init .                      looks at your own repository and writes a first pipeline");
    }
    clusters.abort();
    running.stop().await
}

fn the_end(fleet: &Fleet, printer: &Printer) -> Result<(), CliError> {
    printer.line("");
    printer.line("the repository, newest first (git log --first-parent):");
    printer.line("");
    let log = fleet.log(
        "%h %<(11,trunc)%an %s%n%(trailers:key=Gradus-Version,key=Gradus-Approved-By,key=Gradus-Asked-By)",
    )?;
    for line in log.lines().filter(|line| !line.trim().is_empty()) {
        let indent = if line.starts_with("Gradus-") { "          " } else { "  " };
        printer.line(format!("{indent}{line}"));
    }
    printer.line("");
    printer.line(format!("{GOOD} is in prod, {BAD} never got there, and every step is a commit."));
    Ok(())
}

/// How people see the forge.
fn sign_in(forge: &Forge) -> String {
    let (url, name, password) = (forge.gitea.url(), forge.town.manager_name(), &forge.town.password);
    format!("  the forge is at {url}; sign in as {name} with the password {password}")
}

async fn stay(address: &str, actors: &Actors, stage: &Stage, printer: &Printer) {
    printer.line("");
    printer.line(format!("it stays up at {address}; Ctrl-C ends it. In another terminal:"));
    printer.line("");
    printer.line(format!("  export GRADUS_SERVER={address} GRADUS_TOKEN={}", actors.operator));
    printer.line("  gradus status");
    printer.line("  gradus explain podinfo prod");
    printer.line("  gradus history podinfo");
    printer.line(format!("  git -C {} log --first-parent main", stage.fleet.bare().display()));
    if let Some(forge) = &stage.forge {
        printer.line("");
        printer.line(sign_in(forge));
    }
    stopped().await;
}

fn empty_folder(dir: &Path) -> Result<PathBuf, CliError> {
    let doing = || format!("making {}", dir.display());
    std::fs::create_dir_all(dir).map_err(|error| CliError::because(doing(), error))?;
    let dir = dir.canonicalize().map_err(|error| CliError::because(doing(), error))?;
    let mut entries = std::fs::read_dir(&dir).map_err(|error| CliError::because(doing(), error))?;
    if entries.next().is_some() {
        return Err(CliError::failed(format!("{} is not empty", dir.display()))
            .help("give a folder that is empty, or that does not exist yet"));
    }
    Ok(dir)
}

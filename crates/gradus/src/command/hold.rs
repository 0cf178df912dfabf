//! `gradus hold` and `gradus unhold`: pins and freezes, as manifests.

use std::process::ExitCode;
use std::sync::Arc;

use gradus_core::names::{Person, PipelineKey, PipelineName};
use gradus_core::pipeline::{Hold, Pipeline};
use gradus_manifest::{Manifest, SourceFile};
use gradus_server::api::v1;
use jiff::Timestamp;

use crate::config::ConfigFolder;
use crate::error::CliError;
use crate::holds;
use crate::nearest::did_you_mean;
use crate::output::Printer;
use crate::source::{self, Held, PersonArgs, Source, SourceArgs, escaped};
use crate::time::until;

/// Keeps a pipeline, or one environment of it, as it is; or pins it to one version.
///
/// Writes a manifest into `holds/` of the folder, lets a server do so, or makes an
/// object in a cluster.
#[derive(Debug, clap::Args)]
pub(crate) struct HoldArgs {
    /// The pipeline: its name, or NAMESPACE/NAME.
    pipeline: String,
    /// Only this environment.
    #[arg(long, visible_alias = "to", value_name = "ENV")]
    environment: Option<String>,
    /// The one version that may still come in, or ARTIFACT=VERSION pairs.
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Why.
    #[arg(long, value_name = "WHY", required_unless_present = "lift")]
    reason: Option<String>,
    /// Lift the hold of this name instead; the same as `gradus unhold`.
    #[arg(long, conflicts_with_all = ["reason", "until", "version"])]
    lift: bool,
    /// When it ends: 3d, 2026-12-20 (the end of that day) or 2026-12-20T12:00:00Z; never by itself when left out.
    #[arg(long, value_name = "TIME", value_parser = until)]
    until: Option<Timestamp>,
    /// What to call it; PIPELINE or PIPELINE-ENVIRONMENT when left out.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Say what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Lifts a hold.
#[derive(Debug, clap::Args)]
pub(crate) struct UnholdArgs {
    /// The hold.
    name: String,
    /// Its namespace, where the name alone does not say which one is meant.
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    person: PersonArgs,
    #[command(flatten)]
    source: SourceArgs,
}

pub(crate) async fn hold(arguments: HoldArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    if arguments.lift {
        let name = name(&arguments, &arguments.pipeline);
        let namespace = arguments.pipeline.split_once('/').map(|(namespace, _)| namespace.to_owned());
        let HoldArgs { dry_run, person, source, .. } = arguments;
        return unhold(UnholdArgs { name, namespace, dry_run, person, source }, printer).await;
    }
    if arguments.reason().is_empty() {
        return Err(CliError::usage("say why with --reason: people will ask"));
    }
    match arguments.source.server() {
        None if arguments.source.cluster().is_some() => in_cluster(&arguments, printer).await?,
        Some(_) => told(arguments, printer).await?,
        None => written(&arguments, printer)?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn unhold(arguments: UnholdArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    match arguments.source.server() {
        Some(_) => {
            let Source::Server(server) = arguments.source.open_for(&arguments.person, printer).await? else {
                return Err(CliError::failed("the server was not asked"));
            };
            if arguments.dry_run {
                printer.line(format!("dry run, nothing is removed: hold {}", arguments.name));
                return Ok(ExitCode::SUCCESS);
            }
            let namespace = arguments.namespace.as_deref();
            let query = namespace.map_or_else(String::new, |name| format!("?namespace={}", escaped(name)));
            let path = format!("/api/v1/holds/{}{query}", escaped(&arguments.name));
            let hold: v1::Hold = server.client.delete(&path).await?;
            printer.line(format!("lifted hold {} of {}: {}", hold.name, hold.pipeline, hold.reason));
        }
        None if arguments.source.cluster().is_some() => {
            let Source::Cluster(cluster) = arguments.source.open_for(&arguments.person, printer).await?
            else {
                return Err(CliError::failed("the cluster was not asked"));
            };
            let hold =
                cluster.lift(&arguments.name, arguments.namespace.as_deref(), arguments.dry_run).await?;
            let lifted = if arguments.dry_run { "dry run, nothing is removed:" } else { "lifted" };
            printer.line(format!("{lifted} hold {} of {}: {}", hold.name, hold.pipeline, hold.reason));
        }
        None => removed(&arguments, printer)?,
    }
    Ok(ExitCode::SUCCESS)
}

impl HoldArgs {
    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or_default().trim()
    }
}

/// What a hold is called: its own name, or that of what it holds.
fn name(arguments: &HoldArgs, pipeline: &str) -> String {
    let pipeline = pipeline.rsplit('/').next().unwrap_or(pipeline);
    match (&arguments.name, &arguments.environment) {
        (Some(name), _) => name.clone(),
        (None, Some(environment)) => format!("{pipeline}-{environment}"),
        (None, None) => pipeline.to_owned(),
    }
}

async fn in_cluster(arguments: &HoldArgs, printer: &Printer) -> Result<(), CliError> {
    let source = arguments.source.open_for(&arguments.person, printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let Source::Cluster(cluster) = source else { return Err(CliError::failed("the cluster was not asked")) };
    let pipeline = cluster.understood(&key).await?;
    // In a cluster nobody is taken at their word for who they are.
    let owner = cluster.person().await?;
    let hold = wanted(arguments, &key, &pipeline, owner)?;
    let held = cluster.hold(&key, &hold, arguments.dry_run).await?;
    match held {
        Held::Already => printer.line(format!("hold {} is there already, in {}", hold.name, cluster.name())),
        Held::Set if arguments.dry_run => {
            printer.line(format!("dry run, nothing is written: hold {} on {key}", hold.name));
        }
        Held::Set => {
            printer.line(format!("hold {} is set, in {}", hold.name, cluster.name()));
            printer.line(format!("  gradus unhold {} lifts it", hold.name));
        }
    }
    Ok(())
}

async fn told(arguments: HoldArgs, printer: &Printer) -> Result<(), CliError> {
    let source = arguments.source.open_for(&arguments.person, printer).await?;
    let key = source.key(&arguments.pipeline).await?;
    let Source::Server(server) = source else { return Err(CliError::failed("the server was not asked")) };
    let hold = v1::NewHold {
        name: arguments.name,
        namespace: key.namespace.to_string(),
        pipeline: key.name.to_string(),
        environment: arguments.environment,
        version: arguments.version,
        versions: None,
        reason: arguments.reason.unwrap_or_default(),
        until: arguments.until.map(v1::Time),
    };
    if arguments.dry_run {
        printer.line(format!("dry run, nothing is written: hold on {key}"));
        return Ok(());
    }
    let hold: v1::Hold = server.client.post("/api/v1/holds", &hold).await?;
    let place = hold.place.map_or_else(String::new, |place| format!(", in {place} of the server"));
    printer.line(format!("hold {} is set{place}", hold.name));
    printer.line(format!("  gradus unhold {} lifts it", hold.name));
    Ok(())
}

fn written(arguments: &HoldArgs, printer: &Printer) -> Result<(), CliError> {
    let folder = folder(&arguments.source)?;
    let (config, _) = folder.read()?;
    let key = source::resolve_in(&arguments.pipeline, &config)?;
    let pipeline =
        config.pipelines.get(&key).ok_or_else(|| CliError::failed(format!("there is no pipeline {key}")))?;
    let hold = wanted(arguments, &key, pipeline, arguments.person.person()?)?;
    let same = |one: &&Hold| Hold { since: hold.since, owner: hold.owner.clone(), ..(**one).clone() } == hold;
    let path = holds::file(folder.path(), &key.namespace, &hold.name);
    if pipeline.holds.iter().any(|one| same(&one)) {
        printer.line(format!("hold {} is there already, in {}", hold.name, path.display()));
    } else if arguments.dry_run {
        printer.line(format!("dry run, nothing is written: {}", path.display()));
        printer.text(gradus_manifest::write_hold(&key, &hold));
    } else {
        let path = holds::write(folder.path(), &key, &hold)?;
        printer.line(format!("wrote {}", path.display()));
        printer.line(format!("  gradus unhold {} lifts it", hold.name));
    }
    Ok(())
}

/// The hold that a person wants on a pipeline.
fn wanted(
    arguments: &HoldArgs,
    key: &PipelineKey,
    pipeline: &Pipeline,
    owner: Person,
) -> Result<Hold, CliError> {
    let environment = match &arguments.environment {
        Some(given) => Some(source::environment_of(pipeline, given)?),
        None => None,
    };
    let name = name(arguments, key.name.as_str());
    let name = PipelineName::parse(&name).map_err(|error| {
        CliError::usage(format!("a hold cannot be called {name:?}: it {}", error.problem))
    })?;
    let pin = arguments.version.as_deref().map(|version| source::release(pipeline, version)).transpose()?;
    Ok(Hold {
        name: Arc::from(name.as_str()),
        environment,
        pin,
        reason: Arc::from(arguments.reason()),
        owner,
        since: Some(now()),
        until: arguments.until,
    })
}

/// To the second, as people write it.
fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn removed(arguments: &UnholdArgs, printer: &Printer) -> Result<(), CliError> {
    let folder = folder(&arguments.source)?;
    let (config, _) = folder.read()?;
    let is_here =
        |key: &&PipelineKey| arguments.namespace.as_deref().is_none_or(|name| key.namespace.as_str() == name);
    let found: Vec<(&PipelineKey, &Hold)> = config
        .pipelines
        .iter()
        .filter(|(key, _)| is_here(key))
        .flat_map(|(key, pipeline)| pipeline.holds.iter().map(move |hold| (key, hold)))
        .collect();
    let mut named = found.iter().filter(|(_, hold)| *hold.name == *arguments.name);
    let (key, hold) = match (named.next(), named.next()) {
        (Some(only), None) => only,
        (Some(_), Some(_)) => {
            return Err(CliError::usage(format!("there are several holds called {}", arguments.name))
                .help("say which one by --namespace"));
        }
        (None, _) => return Err(no_hold(&arguments.name, &found)),
    };
    let path = holds::file(folder.path(), &key.namespace, &hold.name);
    if arguments.dry_run && path.exists() {
        printer.line(format!("dry run, nothing is removed: {}", path.display()));
    } else if holds::remove(folder.path(), &key.namespace, &hold.name)? {
        printer.line(format!("removed {}: hold {} of {} is lifted", path.display(), hold.name, key.name));
    } else {
        return Err(kept_by_people(&folder, &hold.name)?);
    }
    Ok(())
}

fn no_hold(name: &str, found: &[(&PipelineKey, &Hold)]) -> CliError {
    let names: Vec<&str> = found.iter().map(|(_, hold)| &*hold.name).collect();
    let error = CliError::failed(format!("there is no hold {name}"));
    match did_you_mean(name, names.iter().copied()) {
        Some(help) => error.help(help),
        None if names.is_empty() => error.help("there are no holds"),
        None => error.help(format!("there are {}", names.join(", "))),
    }
}

/// A hold in a file that people keep is theirs to remove.
fn kept_by_people(folder: &ConfigFolder, name: &str) -> Result<CliError, CliError> {
    let texts = folder.texts()?;
    let place = texts.iter().find_map(|(file, text)| {
        let parsed = gradus_manifest::read(&SourceFile { name: file, text });
        parsed.manifests.iter().find_map(|manifest| match manifest {
            Manifest::Hold(hold) if *hold.hold.name == *name => {
                Some(format!("{}:{}", folder.shown(file), hold.place.line))
            }
            Manifest::Hold(_) | Manifest::Pipeline(..) | Manifest::Notification(_) => None,
        })
    });
    let place = place.unwrap_or_else(|| folder.path().display().to_string());
    Ok(CliError::failed(format!("hold {name} is in {place}, a manifest that people keep"))
        .help("take it out of that file"))
}

fn folder(source: &SourceArgs) -> Result<ConfigFolder, CliError> {
    let path = source.config();
    if path.is_file() {
        return Err(CliError::usage(format!(
            "{} is a file; holds are written into a folder",
            path.display()
        ))
        .help("give the folder with --config"));
    }
    ConfigFolder::new(&path)
}

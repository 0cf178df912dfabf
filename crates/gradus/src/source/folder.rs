//! Manifests in a folder and the repositories themselves as the source.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gradus_core::names::{EnvironmentName, PipelineKey};
use gradus_core::observation::Seen;
use gradus_core::pipeline::Pipeline;
use gradus_core::plan::Step;
use gradus_engine::observe::{Sight, proposal_branch};
use gradus_engine::port::ledger::HistoryQuery;
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_engine::{Engine, Looked, Outcome};
use gradus_local::{DataDirLock, LocalForge, SqliteLedger, ledger_file};
use gradus_server::api::v1;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::say::Speaker;
use super::{Answer, HistoryAsk, SourceArgs, clock, environment_of};
use crate::config::{Config, ConfigFolder};
use crate::error::CliError;
use crate::output::Printer;
use crate::plan::{Base, MergedCommit, PipelinePlan};
use crate::wiring::{LedgerPlace, Wired, wire};

/// How many pipelines are looked at at the same time.
const AT_ONCE: usize = 16;
/// How often it is tried to take steps that come too late.
const ROUNDS: usize = 4;

/// Manifests and repositories.
pub(crate) struct Folder {
    pub(super) engine: Arc<Engine>,
    forge: Arc<LocalForge>,
    config: Config,
    data: Option<PathBuf>,
    printer: Printer,
    pub(super) speaker: Speaker,
    /// Holds the copy of the ledger that is read.
    _copy: Option<tempfile::TempDir>,
}

/// What became of the steps that were planned when somebody had said something.
pub(crate) enum Acted {
    /// Nothing was to be done yet.
    Not,
    /// The server at this address takes them.
    Told(String),
    /// The server on this data directory takes them when it looks again.
    Beside(String),
    /// Nobody does before a server runs on this data directory.
    Later(String),
    /// They were taken here.
    Here(Vec<Taken>),
    /// gradus in the cluster of this name was asked.
    InCluster(String, Answer),
}

/// A step that was taken.
pub(crate) struct Taken {
    /// Which.
    pub(crate) step: v1::Step,
    /// The branch that it wrote to.
    pub(crate) branch: String,
    /// What became of it.
    pub(crate) outcome: Result<Outcome, PortError>,
}

impl Folder {
    /// Opens it to look, or for somebody who has something to say.
    pub(super) async fn open(
        args: &SourceArgs,
        speaker: Option<Speaker>,
        printer: &Printer,
    ) -> Result<Self, CliError> {
        let place = ConfigFolder::new(&args.config())?;
        let (config, _) = place.read()?;
        if config.pipelines.is_empty() && config.errors.is_empty() {
            return Err(CliError::failed(format!("there is no pipeline in {}", args.config().display()))
                .help("give the folder of your pipeline manifests with --config or GRADUS_CONFIG")
                .help("`gradus init DIR` looks at a checkout and writes a first one"));
        }
        let data = args.data();
        let (wired, copy) = match (&data, &speaker) {
            (Some(data), Some(_)) => (wire(&args.access, LedgerPlace::In(data))?, None),
            (Some(data), None) if !data.exists() => {
                return Err(CliError::failed(format!("{} does not exist", data.display()))
                    .help("give the directory that `gradus serve --data DIR` uses; the first promotion makes it, too"));
            }
            (Some(data), None) if !ledger_file(data).exists() => {
                printer.note(format!(
                    "note: {} holds no ledger yet: nothing is reported or approved",
                    data.display()
                ));
                (wire(&args.access, LedgerPlace::Memory)?, None)
            }
            (Some(data), None) => {
                // Looking notes what it sees; that goes into a copy, and the ledger stays as it is.
                let folder = tempfile::tempdir()
                    .map_err(|error| CliError::because("making a temporary folder", error))?;
                copy_ledger(data, folder.path()).await?;
                (wire(&args.access, LedgerPlace::In(folder.path()))?, Some(folder))
            }
            (None, _) => (wire(&args.access, LedgerPlace::Memory)?, None),
        };
        let Wired { ports, forge, .. } = wired;
        let engine = Engine::new(ports);
        let engine = Arc::new(match args.cache.shelf() {
            Some(shelf) => engine.keeping_on(shelf),
            None => engine,
        });
        let _nothing_before = engine.set_pipelines(config.pipelines.clone());
        let speaker = speaker.unwrap_or_else(Speaker::nobody);
        let folder = Self { engine, forge, config, data, printer: printer.clone(), speaker, _copy: copy };
        folder.tell_mistakes(&place);
        Ok(folder)
    }

    /// Mistakes are told on the side: the other pipelines are not held up by them.
    fn tell_mistakes(&self, place: &ConfigFolder) {
        for error in &self.config.errors {
            let told = CliError::failed(format!(
                "{}:{}: {}",
                place.shown(&error.place.file),
                error.place.line,
                error.message
            ));
            self.printer.error(&match &error.help {
                Some(help) => told.help(help),
                None => told,
            });
        }
    }

    /// Whether something in the folder could not be read.
    pub(crate) fn has_mistakes(&self) -> bool {
        !self.config.errors.is_empty()
    }

    pub(super) fn keys(&self) -> Vec<PipelineKey> {
        self.config.pipelines.keys().cloned().collect()
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(crate) fn known(&self, key: &PipelineKey) -> Result<Arc<Pipeline>, CliError> {
        self.engine.pipeline(key).ok_or_else(|| CliError::failed(format!("there is no pipeline {key}")))
    }

    pub(super) async fn statuses(&self) -> Result<Vec<v1::PipelineStatus>, CliError> {
        let clock = clock();
        let looked = self.look(&self.keys()).await?;
        Ok(looked
            .iter()
            .map(|(looked, _)| v1::PipelineStatus::of(&looked.report, looked.at, &clock))
            .collect())
    }

    pub(super) async fn pipeline(&self, key: &PipelineKey) -> Result<v1::Pipeline, CliError> {
        let (looked, _) = self.look_at(key).await?;
        Ok(v1::Pipeline::of(&looked.report, looked.at, &clock()))
    }

    pub(super) async fn explain(
        &self,
        key: &PipelineKey,
        environment: &str,
    ) -> Result<v1::Explanation, CliError> {
        let environment = self.environment(key, environment)?;
        let (looked, _) = self.look_at(key).await?;
        v1::Explanation::of(&looked.report, &environment, &clock())
            .ok_or_else(|| CliError::failed(format!("nothing is known of {environment}")))
    }

    pub(super) async fn plans(&self, keys: &[PipelineKey]) -> Result<Vec<PipelinePlan>, CliError> {
        let all = self.keys();
        let looked = self.look(if keys.is_empty() { &all } else { keys }).await?;
        Ok(looked.iter().map(|(looked, sight)| self.plan(looked, sight)).collect())
    }

    fn plan(&self, looked: &Looked, sight: &Sight) -> PipelinePlan {
        let mut plan = PipelinePlan::told(v1::Pipeline::of(&looked.report, looked.at, &clock()));
        plan.repository = Some(looked.pipeline.repository.url.to_string());
        plan.base = match &sight.base {
            Seen::Known((branch, tip)) => Some(Base { branch: branch.to_string(), commit: tip.to_string() }),
            Seen::Unknown(_) => None,
        };
        for here in &looked.report.environments {
            let Some(step) = here.step.as_deref() else { continue };
            let branch = match step {
                Step::Push(_) | Step::Merge { .. } | Step::Dispatch(_) => {
                    sight.ground(&here.name).map(|ground| ground.branch.to_string())
                }
                Step::Propose(_) | Step::Update { .. } | Step::Close { .. } => {
                    proposal_branch(&looked.pipeline, &here.name).map(|branch| branch.to_string())
                }
            };
            let own = looked.pipeline.environment(&here.name).is_some_and(|here| here.branch.is_some());
            let base = sight
                .ground(&here.name)
                .filter(|_| own)
                .map(|ground| Base { branch: ground.branch.to_string(), commit: ground.tip.to_string() });
            let merges = step.change().and_then(|change| change.merges.as_ref()).map(|merges| MergedCommit {
                environment: merges.environment.to_string(),
                commit: merges.commit.to_string(),
            });
            plan.on(here.name.as_str(), base, merges);
            match self.engine.preview(sight, step) {
                Ok(edits) => plan.changes(here.name.as_str(), branch, &edits),
                // How it is written is the automation's own affair.
                Err(_) if matches!(step, Step::Dispatch(_)) => plan.changes(here.name.as_str(), branch, &[]),
                Err(error) => plan.problem(here.name.to_string(), error.in_full()),
            }
        }
        plan
    }

    pub(super) async fn history(&self, key: &PipelineKey, ask: &HistoryAsk) -> Result<v1::History, CliError> {
        let environment = ask.environment.as_ref().map(|name| self.environment(key, name)).transpose()?;
        // One more than asked for tells whether there is more.
        let limit = ask.limit.saturating_add(1);
        let query = HistoryQuery { environment, deeds_only: !ask.all, before: None, limit };
        let mut recorded = self.engine.ports().ledger.history(key, &query).await?;
        let more = recorded.len() > ask.limit;
        recorded.truncate(ask.limit);
        let next = if more { recorded.last().map(|last| last.id) } else { None };
        Ok(v1::History { items: recorded.iter().map(v1::HistoryEntry::from).collect(), next })
    }

    pub(super) async fn proposals(&self, key: &PipelineKey) -> Result<v1::ProposalList, CliError> {
        // A look finds what was opened and closed beside the ledger.
        let _found = self.look_at(key).await?;
        let proposals = self.forge.proposals(key).await?;
        Ok(v1::ProposalList { items: proposals.iter().map(super::proposal::shown).collect() })
    }

    /// The environment of this name; else the names there are.
    pub(crate) fn environment(&self, key: &PipelineKey, given: &str) -> Result<EnvironmentName, CliError> {
        environment_of(&*self.known(key)?, given)
    }

    async fn look_at(&self, key: &PipelineKey) -> Result<(Looked, Sight), CliError> {
        let mut looked = self.look(std::slice::from_ref(key)).await?;
        looked.pop().ok_or_else(|| CliError::failed(format!("there is no pipeline {key}")))
    }

    /// Looks at these pipelines, several at a time; the answers are in the order of the keys.
    async fn look(&self, keys: &[PipelineKey]) -> Result<Vec<(Looked, Sight)>, CliError> {
        let pipelines: Vec<Arc<Pipeline>> =
            keys.iter().map(|key| self.known(key)).collect::<Result<_, _>>()?;
        let repositories: BTreeSet<&str> =
            pipelines.iter().map(|pipeline| &*pipeline.repository.url).collect();
        let doing = match repositories.len() {
            1 => "looking at one repository...".to_owned(),
            more => format!("looking at {more} repositories..."),
        };
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for (at, pipeline) in pipelines.iter().cloned().enumerate() {
            let (engine, at_once) = (self.engine.clone(), at_once.clone());
            tasks.spawn(async move {
                let _turn = at_once.acquire().await;
                (at, engine.look(&pipeline).await)
            });
        }
        let mut looked = self.printer.patiently(&doing, tasks.join_all()).await;
        looked.sort_by_key(|(at, _)| *at);
        Ok(looked.into_iter().map(|(_, looked)| looked).collect())
    }

    /// Looks again and takes the planned steps, unless a running server does so.
    pub(super) async fn act(&self, key: &PipelineKey) -> Result<Acted, CliError> {
        let Some(data) = &self.data else { return Ok(Acted::Not) };
        let _lock = match DataDirLock::take(data) {
            Ok(lock) => lock,
            Err(error) if error.kind == PortErrorKind::Unusable => {
                return Ok(Acted::Beside(data.display().to_string()));
            }
            Err(error) => return Err(error.into()),
        };
        let pipeline = self.known(key)?;
        let doing = format!("promoting {key}...");
        let mut outcomes = Vec::new();
        for _ in 0..ROUNDS {
            let reconciled = self.printer.patiently(&doing, self.engine.reconcile(&pipeline)).await;
            if let Some(error) = reconciled.unrecorded {
                return Err(error.into());
            }
            // A step that came too late, perhaps because of the one before it, is planned anew.
            let is_stale =
                |(_, outcome): &(Step, Result<Outcome, PortError>)| matches!(outcome, Ok(Outcome::Stale(_)));
            outcomes.retain(|step| !is_stale(step));
            outcomes.extend(reconciled.outcomes);
            if !outcomes.iter().any(is_stale) {
                break;
            }
        }
        let proposals = self.forge.proposals(key).await?;
        let base = match &pipeline.repository.branch {
            Some(branch) => branch.to_string(),
            None => self.engine.ports().repos.open(&pipeline.repository)?.default_branch().await?.to_string(),
        };
        let taken = outcomes.into_iter().map(|(step, outcome)| {
            let environment = step.environment();
            let branch = match &step {
                Step::Push(_) | Step::Merge { .. } | Step::Dispatch(_) => pipeline
                    .environment(environment)
                    .and_then(|here| here.branch.as_ref())
                    .map_or_else(|| base.clone(), ToString::to_string),
                Step::Propose(_) | Step::Update { .. } | Step::Close { .. } => {
                    proposal_branch(&pipeline, environment)
                        .map(|branch| branch.to_string())
                        .unwrap_or_default()
                }
            };
            // A proposal has its number only once it is opened.
            let number = proposals.iter().find(|one| one.environment == *environment).map(|one| one.number.0);
            let proposal = match &step {
                Step::Propose(_) => number,
                Step::Push(_)
                | Step::Dispatch(_)
                | Step::Update { .. }
                | Step::Merge { .. }
                | Step::Close { .. } => None,
            };
            let mut step = v1::Step::from(&step);
            step.proposal = step.proposal.or(proposal);
            Taken { step, branch, outcome }
        });
        Ok(Acted::Here(taken.collect()))
    }

    /// Who takes the steps that follow from what was recorded.
    pub(super) fn someone_acts(&self) -> Acted {
        let Some(data) = &self.data else { return Acted::Not };
        match DataDirLock::take(data) {
            Err(error) if error.kind == PortErrorKind::Unusable => Acted::Beside(data.display().to_string()),
            Ok(_) | Err(_) => Acted::Later(data.display().to_string()),
        }
    }
}

/// Copies the ledger of a data directory, which somebody may be using.
async fn copy_ledger(data: &Path, to: &Path) -> Result<(), CliError> {
    let ledger = SqliteLedger::open_read_only(&ledger_file(data))?;
    let to = ledger_file(to);
    Ok(ledger.backup(&to).await?)
}

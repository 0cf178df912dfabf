//! `gradus controller`: runs in a cluster until it is told to stop.

mod access;
mod hooks;
pub(crate) mod logs;
mod ports;
mod tls;
mod weave;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::{Clock, NoNudge, Nudge, Ports};
use gradus_engine::{Engine, Notifier, NotifyOptions, RunOptions};
use gradus_kube::clusters::{ClusterOptions, Clusters, OwnCluster, own_client};
use gradus_kube::watch::{LabelSelector, WatchOptions, WatchState, Watches};
use gradus_kube::weave::{WeaveController, WeaveParts};
use gradus_kube::{
    BranchForge, Client, Controller, ControllerParts, EventSink, KubeLedger, KubeNudge, KubeTargets,
    LeaseOptions, Notifications, Scope, Secrets, give_lease_back, hold_lease,
};
use gradus_remote::http::{HttpClient, Tls};
use gradus_remote::notify::Messengers;
use gradus_remote::repos::{Access, Committer, WireRepos};
use gradus_remote::targets::HttpTargets;
use gradus_server::auth::Tokens;
use gradus_server::ops::{Ops, OpsBound};
use gradus_server::weave::{BindAddress, WeaveServer};
use gradus_server::{Limits, Metrics, Server, ServerError, ServerOptions};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::command::serve::{Figures, stopped};
use crate::error::CliError;
use crate::output::Printer;
use crate::wiring::{AccessArgs, CacheArgs, EitherForge, Hearing, options};

use access::{SecretAccess, SecretsOfTargets};
use hooks::HookArgs;
use logs::LogArgs;
use ports::{Faults, NoProposals, ObjectHolds};
use tls::TlsArgs;
use weave::{HttpPoster, InForges, WeaveArgs};

/// How often version endpoints are asked at least: no watch tells of them.
const ENDPOINTS: Duration = Duration::from_secs(30);

/// Where to look, and what to answer.
#[derive(Debug, clap::Args)]
pub(crate) struct ControllerArgs {
    /// Context of the kubeconfig for the cluster to run for; the pod's service account when absent, or the current context.
    #[arg(long, value_name = "NAME", env = "GRADUS_CONTEXT")]
    kubeconfig_context: Option<String>,
    /// Only objects of this namespace.
    #[arg(long, value_name = "NAMESPACE", env = "GRADUS_NAMESPACE")]
    namespace: Option<String>,
    /// Only pipelines with these labels, as `kubectl --selector` takes them: `sharding.fluxcd.io/key in (one,two)`, `!legacy`.
    #[arg(long, value_name = "LABELS", default_value = "", value_parser = LabelSelector::parse)]
    watch_label_selector: LabelSelector,
    /// Run beside others, of which one holds a Lease and writes.
    #[arg(long)]
    leader_elect: bool,
    /// Namespace of the Lease; that of the pod when absent.
    #[arg(long, value_name = "NAMESPACE", env = "POD_NAMESPACE")]
    lease_namespace: Option<String>,
    /// Name of the Lease. Controllers with different objects to look after need different ones.
    #[arg(long, value_name = "NAME", default_value = "gradus-leader-election")]
    lease_name: String,
    /// Name of this replica among others; that of the machine when absent.
    #[arg(long, value_name = "NAME", env = "POD_NAME")]
    identity: Option<String>,
    /// Address of `/metrics`.
    #[arg(long, value_name = "ADDR", default_value = ":8080")]
    metrics_bind_address: BindAddress,
    /// Address of `/healthz` and `/readyz`.
    #[arg(long, value_name = "ADDR", default_value = ":8081")]
    health_probe_bind_address: BindAddress,
    /// Address of the API, for the machine or pod itself; reach it with `kubectl port-forward`.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8083")]
    api_bind_address: SocketAddr,
    /// How often repositories are asked whether a branch has moved; what follows from that in the cluster is heard at once.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = crate::cli::duration)]
    poll: Duration,
    /// How often a pipeline is looked at even if nothing was heard.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = crate::cli::duration)]
    resync: Duration,
    /// How long a pipeline that is deleted waits until its proposals were closed; after that they are left.
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = crate::cli::duration)]
    clearing_up: Duration,
    /// How many pipelines are looked after at the same time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    at_once: usize,
    /// Ask nobody to look when a promotion landed, whatever pipelines say; the right to patch objects of Flux and Argo CD is not needed then.
    #[arg(long)]
    no_poke: bool,
    #[command(flatten)]
    weave: WeaveArgs,
    #[command(flatten)]
    hooks: HookArgs,
    #[command(flatten)]
    tls: TlsArgs,
    #[command(flatten)]
    pub(crate) log: LogArgs,
    #[command(flatten)]
    access: AccessArgs,
    #[command(flatten)]
    cache: CacheArgs,
}

/// Runs until SIGTERM or SIGINT.
pub(crate) async fn run(arguments: ControllerArgs, printer: &Printer) -> Result<ExitCode, CliError> {
    let running = Running::start(&arguments).await?;
    if let Some(hooks) = running.hooks {
        printer.note(format!("webhooks that are signed are taken on {hooks}"));
    }
    printer.note(format!("gradus looks after the objects; its API is on {}", running.api));
    stopped().await;
    printer.note("stopping: steps that are being taken are let end");
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// Everything that the controller runs.
struct Running {
    api: String,
    hooks: Option<SocketAddr>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    client: Client,
    lease: Option<LeaseOptions>,
    /// Without a Lease nobody else says that this replica leads.
    _leading: watch::Sender<bool>,
}

impl Running {
    async fn start(arguments: &ControllerArgs) -> Result<Self, CliError> {
        let scope = scope(arguments)?;
        let identity = identity(arguments);
        let (hook_tls, api_tls) = (arguments.tls.webhook().await?, arguments.tls.api().await?);
        let cluster_options = ClusterOptions::default();
        let own = match &arguments.kubeconfig_context {
            Some(context) => OwnCluster::Context(Some(context.clone())),
            None => OwnCluster::Either,
        };
        let client = own_client(&own, cluster_options.patience).await.map_err(|error| {
            CliError::because("finding the cluster", error)
                .help("run it in a pod, or name a context of your kubeconfig with --kubeconfig-context")
        })?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let clusters = Clusters::new(client.clone(), cluster_options, clock.clone());
        let nudge: Arc<dyn Nudge> = match arguments.no_poke {
            true => Arc::new(NoNudge),
            false => Arc::new(KubeNudge::new(clusters.clone(), clock.clone())),
        };
        let woken: Arc<std::sync::OnceLock<Arc<Engine>>> = Arc::default();
        let wake = woken.clone();
        let watches = Watches::new(clusters, WatchOptions::default(), move |key| {
            if let Some(engine) = wake.get() {
                engine.wake(key);
            }
        });
        let secrets = Secrets::new(client.clone());
        let otherwise = options(&arguments.access)?;
        let pull_requests = InForges::new(Box::new(secrets.clone()), otherwise.clone(), clock.clone());
        let older = Arc::new(WeaveController::new(WeaveParts {
            client: client.clone(),
            watches: watches.clone(),
            secrets: secrets.clone(),
            poster: Arc::new(HttpPoster(http_client()?)),
            pull_requests: Arc::new(pull_requests),
            clock: clock.clone(),
            scope: scope.clone(),
            options: arguments.weave.looking(&identity),
        }));
        let http = Arc::new(HttpTargets::with_secrets(Box::new(SecretsOfTargets(secrets.clone())))?);
        let secrets_of_others = Arc::new(SecretsOfTargets(secrets.clone()));
        let messages_tls = otherwise.tls.clone();
        let access: Arc<dyn Access> = Arc::new(SecretAccess { secrets, otherwise });
        let repos = Arc::new(WireRepos::new(access.clone(), Committer::default()));
        let branches = Arc::new(BranchForge::new(repos.clone()));
        let events = Arc::new(EventSink::default());
        let ledger = Arc::new(KubeLedger::new(clock.clone(), events.clone()));
        let targets = Arc::new(KubeTargets::new(watches.clone(), http, clock.clone()));
        let forge = EitherForge::new(branches, access, repos.clone(), clock.clone());
        // With several replicas an event may reach one that does not lead.
        let forge = Arc::new(if arguments.leader_elect { forge.among_others() } else { forge });
        let ports = Ports {
            repos,
            forge: forge.clone(),
            targets: targets.clone(),
            ledger: ledger.clone(),
            nudge,
            clock: clock.clone(),
        };
        let metrics = Arc::new(Metrics::default());
        let told = Notifications::new(
            client.clone(),
            watches.clone(),
            clock.clone(),
            scope.clone(),
            identity.clone(),
        );
        let told = Arc::new(told);
        let notifier = Arc::new(Notifier::new(
            Arc::new(Messengers::with_secrets(secrets_of_others, messages_tls)?),
            told.clone(),
            clock.clone(),
            NotifyOptions::default(),
        ));
        let engine = Engine::new(ports).watched_by(Arc::new(Figures(metrics.clone())));
        let engine = engine.watched_by(notifier.clone());
        let engine = Arc::new(match arguments.cache.named_shelf() {
            Some(shelf) => engine.keeping_on(shelf),
            None => engine,
        });
        let _set_once = woken.set(engine.clone());
        let run = RunOptions {
            at_once: arguments.at_once,
            poll: arguments.poll,
            resync: arguments.resync,
            ask: arguments.poll.min(ENDPOINTS),
            ..RunOptions::default()
        };
        let controller = Arc::new(Controller::new(ControllerParts {
            client: client.clone(),
            watches: watches.clone(),
            engine: engine.clone(),
            ledger,
            targets,
            events,
            clock,
            scope,
            identity: identity.clone(),
            run,
            clearing_up: arguments.clearing_up,
        }));
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let lease = lease(arguments, &identity)?;
        let (leading, leads) = watch::channel(lease.is_none());
        if let Some(options) = lease.clone() {
            tasks.spawn(hold_lease(client.clone(), options, leading.clone(), stopping.clone()));
        }
        let probed = controller.clone();
        let missing =
            move || if probed.is_ready() { Vec::new() } else { probed.blind().into_iter().collect() };
        let probes = bind(Ops::Probes(Arc::new(missing)), arguments.health_probe_bind_address).await?;
        tasks.spawn(probes.serve(until(stopping.clone())));
        let counted = Ops::Metrics {
            engine: engine.clone(),
            metrics: metrics.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            leads: {
                let controller = controller.clone();
                Arc::new(move || controller.leads())
            },
            more: Arc::new(move || of_watches(&watches)),
        };
        let figures = bind(counted, arguments.metrics_bind_address).await?;
        tasks.spawn(figures.serve(until(stopping.clone())));
        let scheme = if api_tls.is_some() { "https" } else { "http" };
        let bound = Server::bind(ServerOptions {
            listen: arguments.api_bind_address,
            engine: engine.clone(),
            tokens: Arc::new(Tokens::none()),
            hook_keys: arguments.hooks.keys(),
            hooks: arguments.hooks.listener(hook_tls.clone()),
            holds: Arc::new(ObjectHolds { engine: engine.clone() }),
            proposals: Arc::new(NoProposals),
            problems: Arc::new(Faults { controller: controller.clone() }),
            repositories: Arc::new(Hearing::new(engine.clone(), forge)),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            metrics: metrics.clone(),
            join_trace: Some(crate::traces::join),
            limits: Limits::default(),
            tls: api_tls,
        })
        .await
        .map_err(|error| listening(&error.listen.to_string(), error))?;
        let api = format!("{scheme}://{}", bound.local_addr());
        let hooks = bound.hooks_addr();
        let until_stop = until(stopping.clone());
        tasks.spawn(async move {
            if let Err(error) = bound.serve(until_stop).await {
                tracing::error!(%error, "the API ended");
            }
        });
        let mut answering = arguments.weave.answering(older.clone(), metrics);
        answering.tls = hook_tls;
        let hook = WeaveServer::bind(answering)
            .await
            .map_err(|error| listening(&arguments.weave.address().to_string(), error))?;
        let until_stop = until(stopping.clone());
        tasks.spawn(async move {
            if let Err(error) = hook.serve(until_stop).await {
                tracing::error!(%error, "the webhook ended");
            }
        });
        tasks.spawn(older.run(leads.clone(), stopping.clone()));
        tasks.spawn(told.run(notifier, engine.clone(), leads.clone(), stopping.clone()));
        tasks.spawn(controller.run(leads, stopping));
        Ok(Self { api, hooks, stop, tasks, client, lease, _leading: leading })
    }

    async fn stop(mut self) {
        let _everyone_has_gone = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
        if let Some(options) = &self.lease {
            give_lease_back(self.client, options).await;
        }
    }
}

async fn bind(ops: Ops, listen: BindAddress) -> Result<OpsBound, CliError> {
    ops.bind(listen).await.map_err(|error| listening(&listen.to_string(), error))
}

fn listening(on: &str, error: ServerError) -> CliError {
    let help = error.help();
    CliError::because(format!("listening on {on}"), error).help(help)
}

async fn until(mut stopping: watch::Receiver<bool>) {
    let _sender_gone_means_stop = stopping.wait_for(|stop| *stop).await;
}

fn scope(arguments: &ControllerArgs) -> Result<Scope, CliError> {
    let namespace = arguments.namespace.as_deref().filter(|namespace| !namespace.is_empty());
    let namespace = namespace
        .map(gradus_core::names::Namespace::parse)
        .transpose()
        .map_err(|error| CliError::usage(error.to_string()))?;
    Ok(Scope { namespace, labels: arguments.watch_label_selector.clone() })
}

fn identity(arguments: &ControllerArgs) -> String {
    let name = arguments.identity.clone().filter(|name| !name.is_empty());
    let name = name.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_else(|| "gradus".to_owned());
    // A container that was started again in its pod is another replica.
    let start = Timestamp::now();
    format!("{name}_{:x}{:x}", start.as_millisecond(), std::process::id())
}

fn lease(arguments: &ControllerArgs, identity: &str) -> Result<Option<LeaseOptions>, CliError> {
    if !arguments.leader_elect {
        return Ok(None);
    }
    let of_pod = || std::fs::read_to_string("/var/run/secrets/kubernetes.io/serviceaccount/namespace").ok();
    let given = arguments.lease_namespace.clone().filter(|namespace| !namespace.is_empty());
    let Some(namespace) = given.or_else(of_pod) else {
        return Err(CliError::usage(
            "--leader-elect needs the namespace of the Lease: give it with --lease-namespace",
        ));
    };
    Ok(Some(LeaseOptions::new(namespace.trim(), &arguments.lease_name, identity)))
}

fn http_client() -> Result<HttpClient, CliError> {
    HttpClient::new(&Tls::default()).map_err(|error| CliError::because("making a client for events", error))
}

/// What the watches count.
fn of_watches(watches: &Watches) -> String {
    let stats = watches.stats();
    let broken = |state: &WatchState| matches!(state, WatchState::Broken { .. });
    let (lists, gets, failures) = stats.iter().fold((0, 0, 0), |(lists, gets, failures), watch| {
        (lists + watch.lists, gets + watch.gets, failures + watch.failures)
    });
    let figures: [(&str, &str, &str, u64); 6] = [
        ("gradus_watches", "gauge", "Watches, one for each kind in each cluster.", count(stats.len())),
        (
            "gradus_watches_broken",
            "gauge",
            "Watches that see nothing.",
            count(stats.iter().filter(|watch| broken(&watch.state)).count()),
        ),
        (
            "gradus_watched_objects",
            "gauge",
            "Objects that are kept.",
            count(stats.iter().map(|watch| watch.objects).sum()),
        ),
        ("gradus_watch_lists_total", "counter", "Lists of everything of a kind.", lists),
        ("gradus_watch_gets_total", "counter", "Objects that were asked for by name.", gets),
        ("gradus_watch_failures_total", "counter", "Requests of watches that failed.", failures),
    ];
    let mut text = String::new();
    for (name, kind, help, value) in figures {
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n"));
    }
    text
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

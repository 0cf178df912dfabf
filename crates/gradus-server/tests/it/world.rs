//! A server on an engine on doubles: a pipeline of three environments in which
//! 1.1.0 has come as far as staging and waits for approval before prod.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use gradus_core::names::{Namespace, Person, PipelineKey};
use gradus_core::pipeline::{Environment, Hold, Pipeline, Strategy, TargetKind};
use gradus_engine::Engine;
use gradus_engine::fake::{Fakes, Faults, sketch};
use gradus_engine::port::ledger::{Entry, Reported};
use gradus_engine::port::{Clock, PortError};
use gradus_server::api::v1::{Problem, Proposal, ProposalState, Time};
use gradus_server::auth::{Role, Tokens};
use gradus_server::hooks::{HookKey, HookKeySource, HookKeys};
use gradus_server::port::{ForgeEvent, HoldRecord, Holds, Problems, Proposals, Repositories};
use gradus_server::{Bound, HooksListener, Limits, Metrics, Server, ServerError, ServerOptions, ServerTls};
use jiff::SignedDuration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::{Answer, ask};

/// How a server differs from the plain one.
#[derive(Default)]
pub(crate) struct Setup {
    pub(crate) tokens: bool,
    pub(crate) hook_key: Option<&'static str>,
    pub(crate) limits: Limits,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) faults: Faults,
    pub(crate) unread: bool,
    /// Files of the folder of hook keys; the hooks then listen at an address of their own, which others reach.
    pub(crate) hook_files: &'static [(&'static str, &'static str)],
}

/// A server that runs.
pub(crate) struct World {
    pub(crate) fakes: Fakes,
    pub(crate) engine: Arc<Engine>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) tokens: Arc<Tokens>,
    pub(crate) tokens_path: PathBuf,
    pub(crate) at: SocketAddr,
    /// Where the hooks alone are.
    pub(crate) hooks_at: Option<SocketAddr>,
    pub(crate) stop: Option<oneshot::Sender<()>>,
    pub(crate) served: Option<JoinHandle<Result<(), ServerError>>>,
    /// What was heard of forges.
    pub(crate) heard: Arc<Heard>,
    folder: TempDir,
}

fn environments() -> Vec<Environment> {
    let mut prod = sketch::environment("prod", &["staging"]);
    prod.strategy = Strategy::PullRequest;
    prod.gates = vec![sketch::approval(1, false)];
    prod.targets = vec![sketch::target("eu", TargetKind::Report), sketch::target("us", TargetKind::Report)];
    vec![sketch::environment("dev", &[]), sketch::environment("staging", &["dev"]), prod]
}

impl World {
    pub(crate) async fn plain() -> Self {
        Self::new(Setup::default()).await
    }

    pub(crate) async fn new(setup: Setup) -> Self {
        let fakes = Fakes::default();
        let engine = Arc::new(Engine::new(fakes.ports(&setup.faults)));
        let pipeline = Arc::new(sketch::pipeline(environments()));
        let mut other = sketch::pipeline(vec![sketch::environment("dev", &[])]);
        other.key = PipelineKey::parse("apps/other").unwrap();
        let all = [pipeline.clone(), Arc::new(other)];
        engine.set_pipelines(all.into_iter().map(|pipeline| (pipeline.key.clone(), pipeline)).collect());
        let folder = TempDir::new().unwrap();
        let tokens_path = folder.path().join("tokens.json");
        if setup.tokens {
            std::fs::write(&tokens_path, r#"{"tokens": []}"#).unwrap();
        }
        let tokens = Arc::new(Tokens::load(&tokens_path).unwrap());
        let hook_keys = match setup.hook_key {
            None => HookKeys::none(),
            Some(key) => HookKeys::none().with_global(HookKey::new(key.as_bytes()).unwrap()),
        };
        let mut options = options("127.0.0.1:0".parse().unwrap(), engine.clone(), tokens.clone());
        options.hook_keys = hook_keys.into();
        if !setup.hook_files.is_empty() {
            for (name, key) in setup.hook_files {
                std::fs::write(folder.path().join(name), key).unwrap();
            }
            options.hook_keys = HookKeySource::folder(folder.path());
            let listen = "0.0.0.0:0".parse().unwrap();
            options.hooks = Some(HooksListener { listen, tls: None });
        }
        options.problems = Arc::new(OneProblem { read: !setup.unread });
        let heard = Arc::<Heard>::default();
        options.repositories = heard.clone();
        options.limits = setup.limits;
        options.tls = setup.tls;
        let bound = Server::bind(options).await.unwrap();
        let at = bound.local_addr();
        let hooks_at = bound.hooks_addr().map(|at| SocketAddr::from(([127, 0, 0, 1], at.port())));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(bound.serve(async move {
            let _dropped = stopped.await;
        }));
        let (stop, served) = (Some(stop), Some(served));
        let world =
            Self { fakes, engine, pipeline, tokens, tokens_path, at, hooks_at, stop, served, heard, folder };
        world.play().await;
        world
    }

    /// 1.0.0 is everywhere, then 1.1.0 comes.
    async fn play(&self) {
        for name in ["dev", "staging", "prod"] {
            self.sets(name, "1.0.0");
            self.is_healthy(name, "1.0.0");
        }
        self.settle().await;
        self.fakes.clock.advance(SignedDuration::from_mins(60));
        self.sets("dev", "1.1.0");
        self.is_healthy("dev", "1.1.0");
        self.settle().await;
        self.is_healthy("staging", "1.1.0");
        self.settle().await;
        self.fakes.clock.advance(SignedDuration::from_mins(5));
    }

    fn sets(&self, environment: &str, version: &str) {
        let (path, file) = (sketch::path(environment), sketch::file(environment, version));
        self.fakes.repo.push("main", "ada", &format!("{environment} to {version}"), &[(&path, Some(&file))]);
    }

    fn is_healthy(&self, environment: &str, version: &str) {
        let targets =
            self.pipeline.environment(&sketch::environment_name(environment)).unwrap().targets.clone();
        for target in targets {
            let entry = Entry::Report {
                environment: sketch::environment_name(environment),
                target: target.name,
                reported: Reported::Healthy { release: sketch::release(version) },
                by: sketch::person("flux"),
                at: self.fakes.clock.now(),
            };
            self.fakes.ledger.put(&self.pipeline.key, entry);
        }
    }

    /// The engine looks and acts until nothing is left to do.
    pub(crate) async fn settle(&self) {
        for _ in 0..10 {
            self.fakes.clock.advance(SignedDuration::from_secs(1));
            if self.engine.reconcile(&self.pipeline).await.outcomes.is_empty() {
                return;
            }
        }
        panic!("it does not come to rest");
    }

    pub(crate) async fn ask(&self, head: &str, body: &str) -> Answer {
        ask(self.at, head, body.as_bytes()).await
    }

    /// Asks a GET of everybody who listens there.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path}"), "").await
    }

    /// What is recorded of the pipeline, the newest last.
    pub(crate) fn recorded(&self) -> Vec<Entry> {
        self.fakes.ledger.entries(&self.pipeline.key)
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

fn options(listen: SocketAddr, engine: Arc<Engine>, tokens: Arc<Tokens>) -> ServerOptions {
    ServerOptions {
        listen,
        engine,
        tokens,
        hook_keys: HookKeys::none().into(),
        hooks: None,
        holds: Arc::new(Memory::default()),
        proposals: Arc::new(OneProposal),
        problems: Arc::new(OneProblem { read: true }),
        repositories: Arc::<Heard>::default(),
        version: "0.1.0-test".to_owned(),
        metrics: Arc::new(Metrics::default()),
        join_trace: None,
        limits: Limits::default(),
        tls: None,
    }
}

/// Takes an address, with tokens for these people.
pub(crate) async fn bind(listen: SocketAddr, people: &[&str]) -> Result<Bound, ServerError> {
    let folder = TempDir::new().unwrap();
    let tokens = Tokens::load(&folder.path().join("tokens.json")).unwrap();
    let fakes = Fakes::default();
    for name in people {
        tokens.create(crate::tokens::token(name, &[Role::Viewer]), fakes.clock.now()).unwrap();
    }
    let engine = Arc::new(Engine::new(fakes.ports(&Faults::none())));
    Server::bind(options(listen, engine, Arc::new(tokens))).await
}

/// Holds that are gone with the process.
#[derive(Default)]
struct Memory(Mutex<BTreeMap<(Namespace, Arc<str>), HoldRecord>>);

#[async_trait]
impl Holds for Memory {
    async fn list(&self) -> Result<Vec<HoldRecord>, PortError> {
        Ok(self.0.lock().unwrap().values().cloned().collect())
    }

    async fn set(&self, pipeline: &PipelineKey, hold: &Hold) -> Result<HoldRecord, PortError> {
        let place = Some(format!("holds/{}.yaml", hold.name));
        let record = HoldRecord { pipeline: pipeline.clone(), hold: hold.clone(), place };
        let key = (pipeline.namespace.clone(), hold.name.clone());
        self.0.lock().unwrap().insert(key, record.clone());
        Ok(record)
    }

    async fn lift(&self, namespace: &Namespace, name: &str, _by: &Person) -> Result<bool, PortError> {
        Ok(self.0.lock().unwrap().remove(&(namespace.clone(), Arc::from(name))).is_some())
    }
}

struct OneProposal;

#[async_trait]
impl Proposals for OneProposal {
    async fn list(&self, pipeline: &PipelineKey, limit: usize) -> Result<Vec<Proposal>, PortError> {
        let at = Time("2026-01-05T09:00:00Z".parse().unwrap());
        let one = Proposal {
            number: 1,
            environment: "prod".to_owned(),
            url: None,
            title: format!("Promote {} to prod", pipeline.name),
            body: "Because it is proven.".to_owned(),
            branch: "gradus/apps/web/prod".to_owned(),
            base: "main".to_owned(),
            head: "1".repeat(40),
            state: ProposalState::Open,
            opened_at: at,
            changed_at: at,
            merged_by: None,
            closed_because: None,
        };
        Ok(std::iter::repeat_n(one, 1).take(limit).collect())
    }
}

struct OneProblem {
    read: bool,
}

impl Problems for OneProblem {
    fn list(&self) -> Vec<Problem> {
        vec![Problem {
            file: "pipelines/web.yaml".to_owned(),
            line: Some(23),
            message: r#"environment "prod" comes after "stagng", which does not exist"#.to_owned(),
            help: Some(r#"did you mean "staging"?"#.to_owned()),
        }]
    }

    fn were_read(&self) -> bool {
        self.read
    }
}

/// What forges told. All of it matters to one pipeline.
#[derive(Default)]
pub(crate) struct Heard(pub(crate) Mutex<Vec<ForgeEvent>>);

impl Repositories for Heard {
    fn heard(&self, event: &ForgeEvent) -> Vec<PipelineKey> {
        self.0.lock().unwrap().push(event.clone());
        vec![PipelineKey::parse("apps/web").unwrap()]
    }
}

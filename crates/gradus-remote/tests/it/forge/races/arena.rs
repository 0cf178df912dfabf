//! A repository in a forge, and what leads to it.

use std::any::Any;
use std::sync::Arc;

use gradus_core::pipeline::Repository;
use gradus_engine::fake::sketch;
use gradus_engine::port::PortError;
use gradus_remote::forge::{ForgeApi, ForgeApis};
use gradus_remote::git::RemoteOptions;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};

use crate::forge::doubles::{Double, Kind, Who};
use crate::forge::github;
use crate::forge::scene::Scene;
use crate::forge::story::Place as _;
use crate::place::{Place, Via};
use crate::port::repository;
use crate::server::{Server, Settings};
use crate::trip::Trip;

/// The environments, each after the one before.
pub(super) const STAGING: &str = "staging";
pub(super) const PROD: &str = "prod";

pub(super) struct Arena {
    pub(super) trip: Arc<Trip>,
    pub(super) repository: Repository,
    options: RemoteOptions,
    api: Box<dyn Fn() -> Arc<dyn ForgeApi> + Send + Sync>,
    /// What has to be there as long.
    _parts: Box<dyn Any + Send + Sync>,
}

/// The one repository there is.
struct One(Arc<dyn ForgeApi>);

impl ForgeApis for One {
    fn open(&self, _: &Repository) -> Result<Arc<dyn ForgeApi>, PortError> {
        Ok(self.0.clone())
    }
}

fn files() -> [(String, String); 2] {
    [STAGING, PROD].map(|name| (sketch::path(name), sketch::file(name, "1.0.0")))
}

impl Arena {
    pub(super) async fn of(kind: &'static Kind) -> Self {
        let trip = Arc::<Trip>::default();
        let double = Arc::new(Double::tripped(kind, trip.clone()).await);
        for (file, text) in files() {
            double.commit("main", "main", &file, &text);
        }
        let settings = Settings { trip: trip.clone(), ..Settings::default() };
        let git = Server::start(&double.git_root(), settings).await;
        let api = double.clone();
        Self {
            trip,
            repository: repository(&format!("{}/fleet.git", git.url())),
            options: RemoteOptions::default(),
            api: Box::new(move || api.api(Who::Gradus)),
            _parts: Box::new((double, git)),
        }
    }

    pub(super) async fn github() -> Self {
        let trip = Arc::<Trip>::default();
        let mut git = Place::empty(Via::Http).await;
        let settings = Settings { trip: trip.clone(), ..Settings::default() };
        git.server = Some(Server::start(git.dir.path(), settings).await);
        let files = files();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        git.commit("main", &files, "first");
        let server = Arc::new(github::Server::tripped(git.repo(), trip.clone()).await);
        let api = server.clone();
        Self {
            trip,
            repository: repository(git.url().as_str()),
            options: git.options(),
            api: Box::new(move || github::api(&api, "ghp_gradus")),
            _parts: Box::new((git, server)),
        }
    }

    pub(super) async fn gitea() -> Self {
        let trip = Arc::<Trip>::default();
        let files = files();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (file.as_str(), text.as_str())).collect();
        let scene = Arc::new(Scene::with(&files, trip.clone()).await);
        let (there, token) = (scene.clone(), scene.bot.token.clone());
        Self {
            trip,
            repository: repository(&scene.git_url()),
            options: scene.options(),
            api: Box::new(move || there.api(&token)),
            _parts: Box::new(scene),
        }
    }

    /// The forge's API, for a process that begins.
    pub(super) fn api(&self) -> Arc<dyn ForgeApi> {
        (self.api)()
    }

    pub(super) fn apis(&self) -> Arc<dyn ForgeApis> {
        Arc::new(One(self.api()))
    }

    /// Git, for a process that begins.
    pub(super) fn repos(&self) -> Arc<WireRepos> {
        let access = SecretFolder { folder: None, otherwise: self.options.clone() };
        Arc::new(WireRepos::new(Arc::new(access), Committer::default()))
    }
}

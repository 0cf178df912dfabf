//! A cluster that is asked: lists, single objects, new ones.

use std::sync::Arc;

use gradus_evidence::GroupKind;
use kube::Client;
use kube::client::Body;
use kube::core::Request;
use kube::core::params::{DeleteParams, GetParams, ListParams, PostParams, Preconditions};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{AskError, AskErrorKind};
use crate::clusters::wire::{Fault, FaultKind, OBJECT_BYTES, fetch, is_name, parse};
use crate::clusters::{Connection, Resource};
use crate::kinds::Kind;
use crate::watch::kind_words;

/// How big a page of a list may be.
const PAGE_BYTES: usize = 64 << 20;
/// How many objects are on a page.
const PAGE: u32 = 500;
/// How many pages are read: a list that never comes to an end is not believed.
const MOST_PAGES: usize = 1_000;

/// A cluster, as somebody who asks it.
#[derive(Clone)]
pub struct Cluster {
    connection: Connection,
    namespace: Arc<str>,
    name: Arc<str>,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMetadata,
    items: Option<Vec<Value>>,
}

#[derive(Default, Deserialize)]
struct PageMetadata {
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

impl Cluster {
    /// A cluster that this client reaches, under a name for people; `namespace` is
    /// where somebody looks who may not look everywhere.
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self { connection: Connection::new(client, ""), namespace: namespace.into(), name: name.into() }
    }

    /// What it is called, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace of the context.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// All objects of a kind, of one namespace or of all, in the order of their names.
    pub async fn list(&self, kind: &GroupKind, namespace: Option<&str>) -> Result<Vec<Value>, AskError> {
        let doing = || {
            let kinds = Kind::of(kind).map_or_else(|| kind_words(kind), |kind| kind.plural().to_owned());
            match namespace {
                Some(namespace) => format!("listing {kinds} in {namespace}"),
                None => format!("listing {kinds}"),
            }
        };
        let failed = |fault: Fault| AskError::of(&doing(), &fault);
        let resource = self.resource(kind).await.map_err(failed)?;
        if namespace.is_some_and(|namespace| !is_name(namespace)) {
            return Err(AskError::new(AskErrorKind::Missing, format!("{}: no such namespace", doing())));
        }
        let mut all = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut parameters = ListParams::default().limit(PAGE);
            if let Some(next) = &next {
                parameters = parameters.continue_token(next);
            }
            let request = Request::new(resource.path(namespace)).list(&parameters);
            let bytes = self.send(request, PAGE_BYTES).await.map_err(failed)?;
            let page: Page = parse(&bytes).map_err(failed)?;
            all.extend(page.items.unwrap_or_default().into_iter().map(|item| named(item, &resource)));
            match page.metadata.next.filter(|next| !next.is_empty()) {
                Some(more) => next = Some(more),
                None => return Ok(all),
            }
        }
        Err(AskError::new(AskErrorKind::Refused, format!("{}: the list does not end", doing())))
    }

    /// The same, everywhere; and where that is not allowed, in the namespace of the context.
    pub async fn list_all(&self, kind: &GroupKind) -> Result<Vec<Value>, AskError> {
        match self.list(kind, None).await {
            Err(error) if error.kind == AskErrorKind::Forbidden => {
                // Who may not look there either is told of the first.
                self.list(kind, Some(&self.namespace)).await.map_err(|_| error)
            }
            listed => listed,
        }
    }

    /// One object; none if there is none of this name.
    pub async fn get(
        &self,
        kind: &GroupKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, AskError> {
        let doing = || format!("reading {} {namespace}/{name}", kind.kind);
        // No object can have such a name, and a path with it would lead elsewhere.
        if !is_name(namespace) || !is_name(name) {
            return Ok(None);
        }
        let resource = self.resource(kind).await.map_err(|fault| AskError::of(&doing(), &fault))?;
        let request = Request::new(resource.path(Some(namespace))).get(name, &GetParams::default());
        let read = self.send(request, OBJECT_BYTES).await.and_then(|bytes| parse::<Value>(&bytes));
        match read {
            Ok(object) => Ok(Some(object)),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(None),
            Err(fault) => Err(AskError::of(&doing(), &fault)),
        }
    }

    /// Makes an object. With `dry_run` the cluster says whether it would, and does not.
    pub async fn create(
        &self,
        doing: &str,
        kind: &GroupKind,
        object: &Value,
        dry_run: bool,
    ) -> Result<Value, AskError> {
        let resource = self.resource(kind).await.map_err(|fault| AskError::of(doing, &fault))?;
        let namespace = object.pointer("/metadata/namespace").and_then(Value::as_str);
        self.post(doing, &resource.path(namespace), object, dry_run).await
    }

    /// Takes an object away, the very one that was seen.
    pub async fn delete(
        &self,
        doing: &str,
        kind: &GroupKind,
        object: &Value,
        dry_run: bool,
    ) -> Result<(), AskError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let failed = |fault: Fault| AskError::of(doing, &fault);
        let resource = self.resource(kind).await.map_err(failed)?;
        let name = text("/metadata/name").filter(|name| is_name(name)).unwrap_or("-");
        let preconditions =
            Preconditions { uid: text("/metadata/uid").map(str::to_owned), resource_version: None };
        let parameters =
            DeleteParams { dry_run, preconditions: Some(preconditions), ..DeleteParams::default() };
        let request = Request::new(resource.path(text("/metadata/namespace"))).delete(name, &parameters);
        match self.send(request, OBJECT_BYTES).await {
            Ok(_) => Ok(()),
            Err(fault) if fault.kind == FaultKind::NotFound => Ok(()),
            Err(fault) => Err(failed(fault)),
        }
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        doing: &str,
        path: &str,
        object: &Value,
        dry_run: bool,
    ) -> Result<T, AskError> {
        let failed = |fault: Fault| AskError::of(doing, &fault);
        let body = serde_json::to_vec(object)
            .map_err(|error| AskError::new(AskErrorKind::Refused, format!("{doing}: {error}")))?;
        let parameters = PostParams { dry_run, field_manager: Some("gradus-cli".to_owned()) };
        let request = Request::new(path).create(&parameters, body);
        let bytes = self.send(request, OBJECT_BYTES).await.map_err(failed)?;
        parse(&bytes).map_err(failed)
    }

    async fn resource(&self, kind: &GroupKind) -> Result<Resource, Fault> {
        self.connection.served.find(&self.connection.client, kind).await
    }

    async fn send(
        &self,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
        limit: usize,
    ) -> Result<Vec<u8>, Fault> {
        let request = request.map_err(|error| Fault::new(FaultKind::Refused, error.to_string()))?;
        fetch(&self.connection.client, request.map(Body::from), limit).await
    }
}

/// In a list the objects do not say what they are.
fn named(mut item: Value, resource: &Resource) -> Value {
    if let Some(object) = item.as_object_mut() {
        object.insert("apiVersion".to_owned(), resource.api_version.as_str().into());
        object.insert("kind".to_owned(), resource.kind.as_str().into());
    }
    item
}

//! Holds in a cluster.

use std::sync::Arc;

use gradus_core::names::PipelineKey;
use gradus_core::pipeline::{Hold, Pipeline};
use gradus_kube::Kind;
use gradus_kube::ask::AskErrorKind;
use gradus_manifest::hold_object;
use gradus_server::api::v1;
use serde_json::Value;

use super::{ClusterSource, failed};
use crate::error::CliError;

/// What became of a hold that somebody wants.
pub(crate) enum Held {
    /// It is set.
    Set,
    /// It was before.
    Already,
}

impl ClusterSource {
    /// What a pipeline is.
    pub(crate) async fn understood(&self, key: &PipelineKey) -> Result<Arc<Pipeline>, CliError> {
        Ok(self.one(key).await?.understood()?.clone())
    }

    /// Sets a hold.
    pub(crate) async fn hold(&self, key: &PipelineKey, hold: &Hold, dry_run: bool) -> Result<Held, CliError> {
        let object = hold_object(key, hold);
        let kind = Kind::Hold.group_kind();
        let doing = format!("setting hold {} on {key}", hold.name);
        match self.cluster.create(&doing, &kind, &object, dry_run).await {
            Ok(_) => return Ok(Held::Set),
            Err(error) if error.kind == AskErrorKind::Exists => {}
            Err(error) => return Err(failed(error)),
        }
        let before = self.cluster.get(&kind, key.namespace.as_str(), &hold.name).await.map_err(failed)?;
        let says = |object: &Value, field: &str| object.pointer(&format!("/spec/{field}")).cloned();
        let is_same = before.as_ref().is_some_and(|before| {
            let fields = ["pipeline", "environment", "pin", "reason", "until"];
            fields.into_iter().all(|field| says(before, field) == says(&object, field))
        });
        if is_same {
            return Ok(Held::Already);
        }
        Err(CliError::failed(format!("there is another hold called {} in {}", hold.name, key.namespace))
            .help("lift that one first, or give this one a --name"))
    }

    /// Takes a hold away, and says what it was.
    pub(crate) async fn lift(
        &self,
        name: &str,
        namespace: Option<&str>,
        dry_run: bool,
    ) -> Result<v1::Hold, CliError> {
        let all = self.list(Kind::Hold).await?;
        let text = |object: &Value, pointer: &str| {
            object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let is_meant = |object: &&Value| {
            text(object, "/metadata/name") == name
                && namespace.is_none_or(|namespace| text(object, "/metadata/namespace") == namespace)
        };
        let found: Vec<&Value> = all.iter().filter(is_meant).collect();
        let object = match found.as_slice() {
            [only] => *only,
            [] => {
                let names: Vec<String> = all.iter().map(|object| text(object, "/metadata/name")).collect();
                let error = CliError::failed(format!("there is no hold {name}"));
                return Err(match crate::nearest::did_you_mean(name, names.iter().map(String::as_str)) {
                    Some(help) => error.help(help),
                    None => error.help("gradus get holds lists them"),
                });
            }
            _ => {
                return Err(CliError::usage(format!("there are several holds called {name}"))
                    .help("say which one by --namespace"));
            }
        };
        let hold = shown(object);
        let doing = format!("lifting hold {name}");
        self.cluster.delete(&doing, &Kind::Hold.group_kind(), object, dry_run).await.map_err(failed)?;
        Ok(hold)
    }

    /// All holds, in the order of their names.
    pub(crate) async fn holds(&self) -> Result<Vec<v1::Hold>, CliError> {
        Ok(self.list(Kind::Hold).await?.iter().map(shown).collect())
    }
}

fn shown(object: &Value) -> v1::Hold {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let pin = object.pointer("/spec/pin").map(|pin| match pin {
        Value::String(version) => {
            v1::Release { version: Some(version.clone()), versions: Default::default() }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            let versions = serde_json::from_value(pin.clone()).unwrap_or_default();
            super::shape::release(&versions).unwrap_or(v1::Release { version: None, versions })
        }
    });
    let time = |pointer: &str| text(pointer)?.parse().ok().map(v1::Time);
    v1::Hold {
        name: text("/metadata/name").unwrap_or_default(),
        namespace: text("/metadata/namespace").unwrap_or_default(),
        pipeline: text("/spec/pipeline").unwrap_or_default(),
        environment: text("/spec/environment"),
        pin,
        reason: text("/spec/reason").unwrap_or_default(),
        owner: text("/spec/owner").unwrap_or_default(),
        since: time("/spec/since"),
        until: time("/spec/until"),
        place: None,
    }
}

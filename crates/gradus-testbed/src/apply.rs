//! Declares objects that are written as YAML.

use futures::future::try_join_all;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{ListParams, Patch, PatchParams, ValidationDirective};
use kube::core::{DynamicObject, GroupVersionKind, Request};
use kube::discovery::{Scope, pinned_kind};
use kube::{Api, Client, Resource as _};
use serde_json::Value;

use crate::document::{Document, documents};
use crate::tools::{Tool, find_tool};
use crate::{ControlPlane, TestbedError, TestbedErrorKind, User};

/// Who owns the fields that are declared here.
pub(crate) const MANAGER: &str = "gradus-testbed";

impl ControlPlane {
    /// Declares every document of a YAML text, by server-side apply as
    /// [`User::Admin`], in this order. Definitions of kinds are established before
    /// what comes after them is declared, and before this returns. A field that the
    /// schema does not know is a failure.
    pub async fn apply(&self, yaml: &str) -> Result<(), TestbedError> {
        let client = self.client(User::Admin).await?;
        let mut defined = Vec::new();
        for document in documents(yaml)? {
            let is_definition = document.kind == "CustomResourceDefinition";
            if !is_definition {
                self.establish(&client, std::mem::take(&mut defined)).await?;
            }
            send(&client, &document, None).await?;
            if is_definition {
                defined.push(document.name);
            }
        }
        self.establish(&client, defined).await
    }

    /// Declares the status of every document of a YAML text, through the status
    /// subresource. The objects have to be there.
    pub async fn apply_status(&self, yaml: &str) -> Result<(), TestbedError> {
        let client = self.client(User::Admin).await?;
        for document in documents(yaml)? {
            send(&client, &document, Some("status")).await?;
        }
        Ok(())
    }

    /// Declares the definitions of Flux's kinds, as its types make them.
    pub async fn flux_crds(&self) -> Result<(), TestbedError> {
        let folder = find_tool(Tool::FluxCrds).await?;
        let failed = || format!("could not read the definitions of Flux's kinds in {}", folder.display());
        let mut yaml = String::new();
        for entry in std::fs::read_dir(&folder).map_err(TestbedError::machine(failed()))? {
            let path = entry.map_err(TestbedError::machine(failed()))?.path();
            yaml.push_str("---\n");
            yaml.push_str(&std::fs::read_to_string(path).map_err(TestbedError::machine(failed()))?);
        }
        self.apply(&yaml).await
    }

    /// Waits until objects of the new kinds can be declared. All at once: each lets
    /// its first asker wait a second.
    async fn establish(&self, client: &Client, names: Vec<String>) -> Result<(), TestbedError> {
        try_join_all(names.into_iter().map(|name| self.establish_one(client, name))).await?;
        Ok(())
    }

    async fn establish_one(&self, client: &Client, name: String) -> Result<(), TestbedError> {
        let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
        self.wait_for(&format!("CustomResourceDefinition {name} to be established"), async || {
            let definition = definitions.get(&name).await.ok()?;
            let conditions = definition.status?.conditions?;
            conditions.iter().find(|one| one.type_ == "Established" && one.status == "True")?;
            let spec = &definition.spec;
            for version in spec.versions.iter().filter(|version| version.served) {
                let kind = GroupVersionKind::gvk(&spec.group, &version.name, &spec.names.kind);
                let (resource, _) = pinned_kind(client, &kind).await.ok()?;
                // It is in the list a moment before it is served.
                let objects = Api::<DynamicObject>::all_with(client.clone(), &resource);
                objects.list(&ListParams::default().limit(1)).await.ok()?;
            }
            Some(())
        })
        .await
    }
}

async fn send(client: &Client, document: &Document, subresource: Option<&str>) -> Result<(), TestbedError> {
    let doing = || format!("could not apply {}", document.words());
    let (group, version) = document.group_and_version();
    let kind = GroupVersionKind::gvk(group, version, &document.kind);
    let (resource, capabilities) = pinned_kind(client, &kind).await.map_err(|error| {
        let unknown = format!("could not find the kind {} of {}", document.kind, document.api_version);
        TestbedError::because(TestbedErrorKind::Refused, doing(), TestbedError::refused(unknown)(error))
    })?;
    let namespace = match capabilities.scope {
        Scope::Cluster => None,
        Scope::Namespaced => Some(document.namespace.as_deref().unwrap_or("default")),
    };
    let patched = Request::new(DynamicObject::url_path(&resource, namespace));
    let how = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(MANAGER).force()
    };
    let nothing = Patch::Apply(Value::Null);
    let request = match subresource {
        Some(subresource) => patched.patch_subresource(subresource, &document.name, &how, &nothing),
        None => patched.patch(&document.name, &how, &nothing),
    };
    // The text goes as it is: the cluster reads YAML.
    let request = request
        .map_err(|error| TestbedError::because(TestbedErrorKind::Document, doing(), error))?
        .map(|_| document.text.clone().into_bytes());
    client.request::<DynamicObject>(request).await.map_err(TestbedError::refused(doing()))?;
    Ok(())
}

//! Targets, and their names where none are given.

use std::collections::BTreeMap;
use std::sync::Arc;

use gradus_core::names::TargetName;
use gradus_core::pipeline::{HttpTarget, Target, TargetKind};
use jiff::SignedDuration;

use super::{Reader, in_cluster, location, object_name, time};
use crate::error::{ManifestErrorKind, Trouble};
use crate::wire;
use crate::yaml::Path;

const MAX_TARGETS: usize = 500;
const STATUS: u16 = 200;
const TIMEOUT: SignedDuration = SignedDuration::from_secs(10);
const ONE_OF: &str = "a target is one of namespace, report, http or git";

/// Reads the targets of an environment.
pub(super) fn list(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    targets: &[wire::Target],
    environment: &str,
    home: &in_cluster::Home<'_>,
) -> Option<Vec<Target>> {
    if targets.is_empty() {
        let trouble = Trouble::value(format!("environment {environment:?} has no targets"))
            .help("write where it runs; `targets: [{report: {}}]` waits for reports");
        reader.fail(path, trouble);
        return None;
    }
    if targets.len() > MAX_TARGETS {
        let message = format!(
            "environment {environment:?} has {} targets; at most {MAX_TARGETS} are read",
            targets.len()
        );
        reader.fail(path, Trouble::new(ManifestErrorKind::TooLarge, message));
        return None;
    }
    let read =
        reader.each(path, targets, |reader, path, target| one(reader, path, target, environment, home))?;
    let mut seen = BTreeMap::new();
    let mut whole = true;
    for (at, target) in read.iter().enumerate() {
        if seen.insert(&target.name, at).is_some() {
            let trouble = Trouble::value(format!(
                "environment {environment:?} has two targets called \"{}\"",
                target.name
            ))
            .help("give each a `name` of its own");
            reader.fail(&path.item(at), trouble);
            whole = false;
        }
    }
    whole.then_some(read)
}

fn one(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    target: &wire::Target,
    environment: &str,
    home: &in_cluster::Home<'_>,
) -> Option<Target> {
    let kinds: Vec<&str> = [
        ("namespace", target.namespace.is_some()),
        ("report", target.report.is_some()),
        ("http", target.http.is_some()),
        ("git", target.git.is_some()),
    ]
    .into_iter()
    .filter_map(|(kind, is_there)| is_there.then_some(kind))
    .collect();
    match kinds.as_slice() {
        [_] => {}
        [] => {
            reader.fail(path, no_kind(reader, path));
            return None;
        }
        several => {
            let trouble = Trouble::value(format!("{ONE_OF}, and this one has {}", several.join(" and ")))
                .help("write each as a target of its own");
            reader.fail(path, trouble);
            return None;
        }
    }
    beside_namespace(reader, path, target)?;
    let (kind, default) = if let Some(http) = &target.http {
        let (http, host) = http_target(reader, &path.field("http"), http)?;
        (TargetKind::Http(http), Default::Own("http", host))
    } else if let Some(namespace) = &target.namespace {
        let (target, name) = in_cluster::target(reader, path, namespace, target, home)?;
        (TargetKind::Cluster(Arc::new(target)), Default::Own("namespace", name))
    } else if target.git.is_some() {
        (TargetKind::Git, Default::Environment)
    } else {
        (TargetKind::Report, Default::Environment)
    };
    let name = match (&target.name, default) {
        (Some(name), _) => reader.take(&path.field("name"), TargetName::parse(name)),
        // A name of an environment that is wrong has been told of where it stands.
        (None, Default::Environment) => TargetName::parse(environment).ok(),
        (None, Default::Own(field, name)) => {
            let name = TargetName::parse(&name).map_err(|error| {
                Trouble::from(error).help("give the target a `name`: lower case letters, digits, '-' and '.'")
            });
            reader.take(&path.field(field), name)
        }
    };
    Some(Target { name: name?, kind })
}

/// What a target without a name is called.
enum Default {
    /// As its environment.
    Environment,
    /// As something it says in this field.
    Own(&'static str, String),
}

fn no_kind(reader: &Reader<'_, '_>, path: &Path<'_>) -> Trouble {
    let empty = ["report", "git"].into_iter().find(|kind| reader.document.find(&path.field(kind)).is_some());
    match empty {
        Some(kind) => Trouble::value(format!("{kind:?} has no value")).help(format!("write `{kind}: {{}}`")),
        None => Trouble::value(ONE_OF).help("`report: {}` waits for reports"),
    }
}

/// Some fields say more about a namespace and about nothing else.
fn beside_namespace(reader: &mut Reader<'_, '_>, path: &Path<'_>, target: &wire::Target) -> Option<()> {
    let stray = [
        ("clusterRef", target.cluster_ref.is_some()),
        ("kind", target.kind.is_some()),
        ("apiVersion", target.api_version.is_some()),
        ("app", target.app.is_some()),
        ("versionPath", target.version_path.is_some()),
        ("confidence", target.confidence.is_some()),
    ]
    .into_iter()
    .find(|(_, is_there)| *is_there && target.namespace.is_none());
    match stray {
        None => Some(()),
        Some((field, _)) => {
            reader.fail(
                &path.field(field),
                Trouble::value(format!("{field:?} belongs to a target with `namespace`")),
            );
            None
        }
    }
}

fn http_target(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    http: &wire::Http,
) -> Option<(HttpTarget, String)> {
    let url = reader.take(&path.field("url"), location::question(&http.url));
    let pointer = reader.take_some(&path.field("pointer"), http.pointer.as_deref().map(location::pointer));
    let status = reader.take(&path.field("status"), status(http.status.unwrap_or(STATUS)));
    let timeout = http.timeout.as_ref().map(|text| time::some_time(&text.0));
    let timeout = reader.take_some(&path.field("timeout"), timeout);
    let secret = http.secret_ref.as_ref().map(|secret| object_name("secret name", &secret.name));
    let secret: Option<Option<Arc<str>>> = reader.take_some(&path.field("secretRef").field("name"), secret);
    let (url, parsed) = url?;
    let host = parsed.host_str().unwrap_or_default().to_owned();
    let target = HttpTarget {
        url,
        pointer: pointer?,
        status: status?,
        timeout: timeout?.unwrap_or(TIMEOUT),
        secret: secret?,
    };
    Some((target, host))
}

fn status(status: u16) -> Result<u16, Trouble> {
    if (100..=599).contains(&status) {
        Ok(status)
    } else {
        Err(Trouble::value(format!("{status} is not an HTTP status")).help("write a number from 100 to 599"))
    }
}

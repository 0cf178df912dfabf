//! From what was found in files to applications and their environments.

use std::collections::BTreeMap;

use super::level::{level, named, of_path};
use super::scan::{Of, Place, Scan, Weave, WeaveTarget};

/// An application that goes through environments.
#[derive(Debug, Clone)]
pub(crate) struct Application {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// In the order in which a version goes through them.
    pub(crate) environments: Vec<Environment>,
    /// The folders that hold its markers.
    pub(crate) paths: Vec<String>,
}

/// How it was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// As a pipeline of Weave GitOps, in this file.
    Weave(String),
    /// By markers.
    Markers,
    /// As HelmReleases.
    Releases,
    /// As images in kustomizations.
    Images,
}

/// One of its environments.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    pub(crate) name: String,
    /// What it comes after, where that is not the one before it.
    pub(crate) after: Option<Vec<String>>,
    pub(crate) values: Vec<Value>,
    pub(crate) targets: Vec<WeaveTarget>,
    pub(crate) is_manual: bool,
}

/// Where its version is.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) file: String,
    pub(crate) version: String,
    /// The place in the file; absent where a marker names it.
    pub(crate) place: Option<Place>,
}

/// The applications that go through at least two environments, the surest first.
pub(crate) fn applications(scan: &Scan) -> Vec<Application> {
    let mut found: Vec<Application> = scan.weave.iter().map(|weave| of_weave(weave, scan)).collect();
    found.extend(of_markers(scan));
    found.extend(of_places(scan, Kind::Releases));
    found.extend(of_places(scan, Kind::Images));
    found.retain(|application| application.environments.len() > 1);
    found.sort_by(|a, b| {
        (&a.kind, b.environments.len(), &a.name).cmp(&(&b.kind, a.environments.len(), &b.name))
    });
    // What was found in two ways is told once, the surer way.
    let mut names: Vec<(String, String)> = Vec::new();
    found.retain(|application| {
        let name = (application.namespace.clone(), application.name.clone());
        let is_known =
            names.iter().any(|known| known.1 == name.1 && (known.0 == name.0 || name.0 == "default"));
        names.push(name);
        !is_known
    });
    found
}

fn of_weave(weave: &Weave, scan: &Scan) -> Application {
    let app = weave.app.as_ref().unwrap_or(&weave.name);
    let environments = weave.environments.iter().enumerate().map(|(at, environment)| {
        let marked = scan.markers.iter().filter(|marker| {
            marker.namespace == weave.namespace
                && marker.pipeline == weave.name
                && marker.environment == environment.name
        });
        let mut values: Vec<Value> = marked.map(|marker| value(&marker.file, &marker.value, None)).collect();
        if values.is_empty() {
            let places = scan.places.iter().filter(|place| {
                place.app == *app
                    && environment_of(&place.file, scan).as_deref() == Some(&*named(&environment.name))
            });
            values = places.map(|place| value(&place.file, &place.value, Some(place.clone()))).collect();
        }
        Environment {
            name: named(&environment.name),
            after: None,
            values,
            targets: environment.targets.clone(),
            // Nothing is promoted into the first one.
            is_manual: environment.is_manual && at > 0,
        }
    });
    finished(Application {
        namespace: weave.namespace.clone(),
        name: weave.name.clone(),
        kind: Kind::Weave(weave.file.clone()),
        environments: environments.collect(),
        paths: Vec::new(),
    })
}

fn of_markers(scan: &Scan) -> Vec<Application> {
    let mut all: BTreeMap<(String, String), BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for marker in &scan.markers {
        let key = (marker.namespace.clone(), marker.pipeline.clone());
        let values = all.entry(key).or_default().entry(marker.environment.clone()).or_default();
        values.push(value(&marker.file, &marker.value, None));
    }
    let made = all
        .into_iter()
        .map(|((namespace, name), environments)| ordered(namespace, name, Kind::Markers, environments));
    made.collect()
}

fn of_places(scan: &Scan, kind: Kind) -> Vec<Application> {
    let mut all: BTreeMap<String, BTreeMap<String, Vec<Value>>> = BTreeMap::new();
    for place in &scan.places {
        let is_wanted = match place.of {
            Of::Release(_) => kind == Kind::Releases,
            Of::Image => kind == Kind::Images,
        };
        let Some(environment) = environment_of(&place.file, scan).filter(|_| is_wanted) else { continue };
        let values = all.entry(named(&place.app)).or_default().entry(environment).or_default();
        values.push(value(&place.file, &place.value, Some(place.clone())));
    }
    let default = || "default".to_owned();
    all.into_iter().map(|(name, environments)| ordered(default(), name, kind.clone(), environments)).collect()
}

fn value(file: &str, version: &str, place: Option<Place>) -> Value {
    Value { file: file.to_owned(), version: version.to_owned(), place }
}

/// The environment that a file belongs to: by its own path, or by the Flux
/// Kustomization that applies it.
fn environment_of(file: &str, scan: &Scan) -> Option<String> {
    let root = || {
        let below = |path: &str| file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        scan.roots
            .iter()
            .filter(|(path, _)| below(path))
            .max_by_key(|(path, _)| path.len())
            .map(|(_, name)| name.clone())
    };
    of_path(file).or_else(root)
}

/// Puts the environments into the order in which a version goes through them.
/// Those of one level go side by side, after all of the level before.
fn ordered(
    namespace: String,
    name: String,
    kind: Kind,
    environments: BTreeMap<String, Vec<Value>>,
) -> Application {
    let mut levels: BTreeMap<usize, Vec<(String, Vec<Value>)>> = BTreeMap::new();
    for (environment, values) in environments {
        levels.entry(level(&environment).unwrap_or(usize::MAX)).or_default().push((environment, values));
    }
    let mut all: Vec<Environment> = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for (at, (_, side_by_side)) in levels.into_iter().enumerate() {
        let names: Vec<String> = side_by_side.iter().map(|(name, _)| name.clone()).collect();
        // The first level has nothing before it; a single line of environments needs no words.
        let is_plain = at == 0 && names.len() == 1 || at > 0 && names.len() == 1 && before.len() == 1;
        for (name, values) in side_by_side {
            let after = if is_plain { None } else { Some(before.clone()) };
            all.push(Environment { name, after, values, targets: Vec::new(), is_manual: false });
        }
        before = names;
    }
    finished(Application { namespace, name, kind, environments: all, paths: Vec::new() })
}

/// Fills in the folders that hold its markers.
fn finished(mut application: Application) -> Application {
    let mut paths: Vec<String> = application
        .environments
        .iter()
        .flat_map(|environment| &environment.values)
        .filter(|value| value.place.is_none())
        .filter_map(|value| Some(value.file.split_once('/')?.0.to_owned()))
        .collect();
    paths.sort();
    paths.dedup();
    application.paths = paths;
    application
}

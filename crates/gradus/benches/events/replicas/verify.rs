//! Whether everything was done, and nothing twice: as Git and the cluster have it.

use std::collections::BTreeMap;

use super::walk::{Step, Walk, read};
use crate::cluster::{Cluster, ENVIRONMENTS};
use crate::figures::row;
use crate::git::Git;
use crate::told;

/// Every version that was brought is one commit for each environment after the first, and Git ends with the last.
pub(super) fn commits(git: &Git, walk: &Walk) -> bool {
    let mut made: BTreeMap<Step, u64> = BTreeMap::new();
    let mut declared: BTreeMap<(usize, String), String> = BTreeMap::new();
    let mut others = 0;
    for repository in 0..git.repositories() {
        for title in git.tell(repository, &["log", "--format=%s", "main"]).lines() {
            match read(title) {
                Some(step) => *made.entry(step).or_default() += 1,
                None if ["everything", "a new version"].contains(&title) => {}
                None => others += 1,
            }
        }
        let found = git.tell(repository, &["grep", "-h", "-o", "version: .*promotion.*", "main"]);
        for line in found.lines() {
            // version: 1.0.0 # {"$promotion": "apps:app-0:dev"}
            let mut words = line.split([' ', '"']);
            let version = words.nth(1).unwrap_or_default().to_owned();
            let place = line.split('"').nth(3).unwrap_or_default();
            let mut names = place.split(':').skip(1);
            let pipeline = names.next().and_then(|name| name.strip_prefix("app-")?.parse().ok());
            if let Some((pipeline, environment)) = pipeline.zip(names.next()) {
                declared.insert((pipeline, environment.to_owned()), version);
            }
        }
    }
    let due = |pipeline: usize| {
        let versions = (1..=walk.brought[pipeline]).map(|number| format!("1.{number}.0"));
        versions.flat_map(move |version| {
            let all = ENVIRONMENTS.iter().skip(1);
            all.map(move |environment| (pipeline, (*environment).to_owned(), version.clone()))
        })
    };
    let due: Vec<Step> = (0..walk.brought.len()).flat_map(due).collect();
    let missing: Vec<&Step> = due.iter().filter(|step| !made.contains_key(*step)).collect();
    let twice: Vec<&Step> = made.iter().filter(|(_, count)| **count > 1).map(|(step, _)| step).collect();
    let not_due = made.keys().filter(|step| !due.contains(step)).count();
    let behind = (0..walk.brought.len())
        .flat_map(|pipeline| ENVIRONMENTS.map(|environment| (pipeline, environment.to_owned())))
        .filter(|place| declared.get(place) != Some(&format!("1.{}.0", walk.brought[place.0])));
    let behind = behind.count();
    row("promotions that were due", due.len().to_string(), "");
    row("  committed", made.len().to_string(), "");
    row("  committed twice", twice.len().to_string(), "0");
    row("  missing", missing.len().to_string(), "0");
    row("  committed and not due", not_due.to_string(), "0");
    row("commits of nobody", others.to_string(), "0");
    row("environments that do not end at the last version", behind.to_string(), "0");
    for step in twice.iter().chain(&missing).take(20) {
        eprintln!("twice or missing: {step:?}");
    }
    twice.is_empty() && missing.is_empty() && not_due == 0 && others == 0 && behind == 0
}

/// Every version that was answered for is one event.
pub(super) async fn notifications(cluster: &Cluster, noted: &[(usize, u64)]) -> bool {
    let told = told::promotions(cluster, None).await;
    let due: Vec<String> = noted
        .iter()
        .flat_map(|(number, versions)| {
            (1..=*versions).map(|version| told::promotion(*number, &format!("1.{version}.0")))
        })
        .collect();
    let missing = due.iter().filter(|words| !told.contains_key(*words)).count();
    let twice = told.values().filter(|count| **count > 1).count();
    row("notifications that were due", due.len().to_string(), "");
    row("  told as an event", told.len().to_string(), "");
    row("  told as more than one", twice.to_string(), "0");
    row("  missing", missing.to_string(), "0");
    missing == 0 && twice == 0 && told.len() == due.len()
}

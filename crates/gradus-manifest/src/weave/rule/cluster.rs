//! A cluster is described by a `GitopsCluster`, and has a name.

use super::{missing, text, there};
use crate::convert::Reader;
use crate::decode::quoted;
use crate::error::Trouble;
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, spec: &Path<'_>) {
    let environments = spec.field("environments");
    for at in 0..count(reader, &environments) {
        let environment = environments.item(at);
        let targets = environment.field("targets");
        for at in 0..count(reader, &targets) {
            let target = targets.item(at);
            one(reader, &target.field("clusterRef"));
        }
    }
}

fn count(reader: &Reader<'_, '_>, list: &Path<'_>) -> usize {
    reader.document.find(list).map_or(0, |list| reader.document.items(list).len())
}

fn one(reader: &mut Reader<'_, '_>, path: &Path<'_>) {
    if !there(reader, path) {
        return;
    }
    let kind = path.field("kind");
    match text(reader, &kind) {
        Some("GitopsCluster") => {}
        Some(found) => {
            let message = format!("\"kind\" of a cluster must be GitopsCluster, found {}", quoted(found));
            reader.fail(&kind, Trouble::value(message));
        }
        None => {
            reader.fail(path, missing("\"clusterRef\" needs \"kind\"").help("write `kind: GitopsCluster`"))
        }
    }
    if !there(reader, &path.field("name")) {
        reader.fail(path, missing("\"clusterRef\" needs \"name\""));
    }
}

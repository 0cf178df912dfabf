//! A pipeline has an application and environments, and these have names and targets.

use super::{missing, there};
use crate::convert::Reader;
use crate::yaml::Path;

pub(super) fn check(reader: &mut Reader<'_, '_>, spec: &Path<'_>) {
    needs(reader, &Path::ROOT, "spec", "a pipeline");
    if !there(reader, spec) {
        return;
    }
    needs(reader, spec, "appRef", "a pipeline");
    needs(reader, spec, "environments", "a pipeline");
    let app = spec.field("appRef");
    if there(reader, &app) {
        for field in ["apiVersion", "kind", "name"] {
            needs(reader, &app, field, "\"appRef\"");
        }
    }
    let environments = spec.field("environments");
    for at in 0..count(reader, &environments) {
        let environment = environments.item(at);
        needs(reader, &environment, "name", "an environment");
        needs(reader, &environment, "targets", "an environment");
        let targets = environment.field("targets");
        for at in 0..count(reader, &targets) {
            needs(reader, &targets.item(at), "namespace", "a target");
        }
    }
}

fn needs(reader: &mut Reader<'_, '_>, owner: &Path<'_>, field: &str, what: &str) {
    if !there(reader, &owner.field(field)) {
        reader.fail(owner, missing(format!("{what} needs {field:?}")));
    }
}

fn count(reader: &Reader<'_, '_>, list: &Path<'_>) -> usize {
    reader.document.find(list).map_or(0, |list| reader.document.items(list).len())
}

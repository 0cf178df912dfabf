//! `Job`.

use super::workload::{self, Progress};
use crate::judge::Look;
use crate::read::{Condition, Doc};
use crate::state::State;
use crate::target::ObjectRef;

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    workload::state(object, name, progress(object), look)
}

/// How far it is. A job is proven when it is through, not while it runs.
fn progress(object: Doc<'_>) -> Progress {
    let says = |kind| object.condition(kind).filter(Condition::is_true);
    if let Some(failed) = says("Failed") {
        return Progress::Broken { why: failed.words(), since: failed.since };
    }
    if let Some(complete) = says("Complete") {
        let since = object.time("status/completionTime").or(complete.since);
        return Progress::Done { says: complete.says(), since };
    }
    if object.flag("spec/suspend") {
        return Progress::Untold { why: "suspended".to_owned() };
    }
    let since = object.time("status/startTime");
    Progress::Going { says: "is not through".to_owned(), since }
}

//! `DaemonSet`.

use super::canary;
use super::workload::{self, Progress};
use crate::judge::Look;
use crate::read::Doc;
use crate::state::State;
use crate::target::ObjectRef;

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    if let Some(state) = canary::instead_of(name, look) {
        return state;
    }
    workload::state(object, name, progress(object), look)
}

/// How far its rollout is. It tells no time.
pub(super) fn progress(object: Doc<'_>) -> Progress {
    if let Some(progress) = workload::unobserved(object) {
        return progress;
    }
    let Some(need) = object.int("status/desiredNumberScheduled") else {
        return Progress::Going { says: "nothing is scheduled yet".to_owned(), since: None };
    };
    if need <= 0 {
        return Progress::Idle { why: "no node should run it, which proves nothing" };
    }
    let counts = [
        ("updatedNumberScheduled", "pods are updated"),
        ("currentNumberScheduled", "pods are scheduled"),
        ("numberAvailable", "pods are available"),
        ("numberReady", "pods are ready"),
    ];
    match workload::short(object, need, &counts) {
        Some(says) => Progress::Going { says, since: None },
        None => Progress::Done { says: format!("{need} of {need} pods are updated and ready"), since: None },
    }
}

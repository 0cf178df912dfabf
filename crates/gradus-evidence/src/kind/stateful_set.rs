//! `StatefulSet`.

use super::workload::{self, Progress};
use crate::judge::Look;
use crate::read::Doc;
use crate::state::State;
use crate::target::ObjectRef;

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    workload::state(object, name, progress(object), look)
}

/// How far its rollout is. It has no conditions with a time: since when it is so
/// is not told.
fn progress(object: Doc<'_>) -> Progress {
    if let Some(progress) = workload::unobserved(object) {
        return progress;
    }
    let need = object.int("spec/replicas").unwrap_or(1);
    if need <= 0 {
        return Progress::Idle { why: "it has no replicas, which proves nothing" };
    }
    let going = |says: String| Progress::Going { says, since: None };
    let counts = [("replicas", "replicas exist"), ("readyReplicas", "replicas are ready")];
    if let Some(says) = workload::short(object, need, &counts) {
        return going(says);
    }
    let all = object.int("status/replicas").unwrap_or(0);
    if all > need {
        return going(format!("{} replicas too many are left", all - need));
    }
    if object.int("status/availableReplicas").is_some_and(|available| available < need) {
        return going("not all replicas are available".to_owned());
    }
    // A partition, or an update that waits for somebody to delete pods, leaves
    // the two revisions apart: the new one is not rolled out then.
    let (current, update) = (object.text("status/currentRevision"), object.text("status/updateRevision"));
    if update.is_none() || current != update {
        let updated = object.int("status/updatedReplicas").unwrap_or(0);
        return going(format!("{updated} of {need} replicas are updated"));
    }
    if object.int("status/currentReplicas").is_some_and(|count| count < need) {
        return going("not all replicas are of the current revision".to_owned());
    }
    Progress::Done { says: format!("{need} of {need} replicas are updated and ready"), since: None }
}

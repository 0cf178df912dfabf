//! `Deployment`.

use super::canary;
use super::workload::{self, Progress};
use crate::judge::Look;
use crate::read::Doc;
use crate::state::State;
use crate::target::ObjectRef;

/// What stands for no deadline.
const FOREVER: i64 = 2_147_483_647;

pub(super) fn judge(object: Doc<'_>, name: &ObjectRef, look: &mut Look<'_>) -> State {
    if let Some(state) = canary::instead_of(name, look) {
        return state;
    }
    workload::state(object, name, progress(object), look)
}

/// How far its rollout is.
pub(super) fn progress(object: Doc<'_>) -> Progress {
    if let Some(progress) = workload::unobserved(object) {
        return progress;
    }
    let progressing = object.condition("Progressing");
    let available = object.condition("Available");
    if let Some(late) = progressing.filter(|it| it.is_false() && it.reason == "ProgressDeadlineExceeded") {
        return Progress::Broken { why: late.words(), since: late.since };
    }
    if object.flag("spec/paused") {
        return Progress::Untold { why: "paused".to_owned() };
    }
    let need = object.int("spec/replicas").unwrap_or(1);
    if need <= 0 {
        return Progress::Idle { why: "it has no replicas, which proves nothing" };
    }
    let since = progressing.and_then(|it| it.updated).max(available.and_then(|it| it.since));
    let counts = [
        ("updatedReplicas", "replicas are updated"),
        ("replicas", "replicas exist"),
        ("availableReplicas", "replicas are available"),
        ("readyReplicas", "replicas are ready"),
    ];
    let short = workload::short(object, need, &counts).or_else(|| {
        let all = object.int("status/replicas").unwrap_or(0);
        (all > need).then(|| format!("{} old replicas are left", all - need))
    });
    if let Some(says) = short {
        // A rollout that was through before: what is missing went missing since.
        let was_through = progressing.is_some_and(|it| it.is_true() && it.reason == "NewReplicaSetAvailable");
        let since = match available {
            Some(available) if was_through && !available.is_true() => available.since,
            Some(_) | None if was_through => None,
            Some(_) | None => since,
        };
        return Progress::Going { says, since };
    }
    let has_deadline = object.int("spec/progressDeadlineSeconds").is_some_and(|it| it < FOREVER);
    let rolled_out = match progressing {
        Some(it) => it.is_true() && it.reason == "NewReplicaSetAvailable",
        None => !has_deadline,
    };
    if !rolled_out {
        let says = progressing.map_or_else(|| "Progressing is not told".to_owned(), |it| it.says());
        return Progress::Going { says, since };
    }
    match available {
        Some(available) if available.is_true() => {
            Progress::Done { says: format!("{need} of {need} replicas are updated and available"), since }
        }
        Some(available) => Progress::Going { says: available.says(), since: available.since },
        None => Progress::Going { says: "Available is not told".to_owned(), since },
    }
}

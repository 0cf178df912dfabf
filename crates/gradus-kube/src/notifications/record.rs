//! What was told, as it is in a Notification's status. Nothing here asks anybody.

use std::sync::Arc;

use gradus_core::names::{Namespace, PipelineKey, PipelineName};
use gradus_engine::port::notify::{Mark, MarkState, Memory, Remember};
use gradus_manifest::status::{
    Condition, ConditionStatus, MAX_MESSAGE, MAX_THREADS, MAX_TOLD, MAX_UNDELIVERED, NotificationStatus,
    ThreadStatus, ToldStatus, UndeliveredStatus,
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The status of an object; an empty one where it cannot be read: it is ours, and written anew.
pub(super) fn read(object: &Value) -> NotificationStatus {
    object.get("status").and_then(|status| NotificationStatus::deserialize(status).ok()).unwrap_or_default()
}

/// What is remembered by a status. When something was told is not in it.
pub(super) fn memory(status: &NotificationStatus, namespace: &Namespace, now: Timestamp) -> Memory {
    let mut memory = Memory::default();
    for told in &status.told {
        let Ok(name) = PipelineName::parse(&told.pipeline) else { continue };
        let pipeline = PipelineKey { namespace: namespace.clone(), name };
        for key in &told.keys {
            let mark = Mark {
                pipeline: pipeline.clone(),
                scope: None,
                kind: None,
                at: now,
                title: String::new(),
                state: MarkState::Sent,
            };
            memory.marks.insert(Arc::from(key.as_str()), mark);
        }
    }
    let threads = status.threads.iter();
    memory.threads.extend(threads.map(|one| (Arc::from(one.of.as_str()), Arc::from(one.thread.as_str()))));
    memory
}

/// The status after these changes. What is only to be told changes nothing.
pub(super) fn after(before: &NotificationStatus, changes: &[Remember], now: Timestamp) -> NotificationStatus {
    let mut status = before.clone();
    for change in changes {
        match change {
            Remember::Mark(id, mark) => match &mark.state {
                MarkState::Pending(_) => {}
                MarkState::Begun | MarkState::Past => keep(&mut status, mark, id),
                MarkState::Sent => {
                    keep(&mut status, mark, id);
                    status.last_told = Some(time(now));
                    let message = "the newest message was taken".to_owned();
                    set(&mut status, "Delivered", (ConditionStatus::True, "Delivered", message), now);
                }
                MarkState::Undelivered(why) => {
                    keep(&mut status, mark, id);
                    let (title, message) = (cut(&mark.title), cut(why));
                    let said = cut(&format!("{}: {why}", mark.title));
                    set(&mut status, "Delivered", (ConditionStatus::False, "Undelivered", said), now);
                    status.undelivered.push(UndeliveredStatus { title, message, at: time(now) });
                    let over = status.undelivered.len().saturating_sub(MAX_UNDELIVERED);
                    status.undelivered.drain(..over);
                }
            },
            Remember::Forget(id) => {
                status.told.iter_mut().for_each(|told| told.keys.retain(|key| key != &**id));
                status.told.retain(|told| !told.keys.is_empty());
            }
            Remember::Thread { of, thread, .. } => {
                status.threads.retain(|known| known.of != **of);
                status.threads.push(ThreadStatus { of: of.to_string(), thread: thread.to_string() });
                let over = status.threads.len().saturating_sub(MAX_THREADS);
                status.threads.drain(..over);
            }
        }
    }
    status
}

fn keep(status: &mut NotificationStatus, mark: &Mark, id: &str) {
    let pipeline = mark.pipeline.name.as_str();
    let at = match status.told.binary_search_by(|told| told.pipeline.as_str().cmp(pipeline)) {
        Ok(at) => at,
        Err(at) => {
            status.told.insert(at, ToldStatus { pipeline: pipeline.to_owned(), keys: Vec::new() });
            at
        }
    };
    if let Some(told) = status.told.get_mut(at)
        && !told.keys.iter().any(|key| key == id)
    {
        told.keys.push(id.to_owned());
        let over = told.keys.len().saturating_sub(MAX_TOLD);
        told.keys.drain(..over);
    }
}

/// The status with the condition `Ready`.
pub(super) fn with_ready(
    before: &NotificationStatus,
    generation: Option<i64>,
    mistakes: Option<String>,
    now: Timestamp,
) -> NotificationStatus {
    let mut status = NotificationStatus { observed_generation: generation, ..before.clone() };
    let ready = match mistakes {
        None => (ConditionStatus::True, "Valid", "people are told".to_owned()),
        Some(mistakes) => (ConditionStatus::False, "Invalid", cut(&mistakes)),
    };
    set(&mut status, "Ready", ready, now);
    status
}

fn set(
    status: &mut NotificationStatus,
    of: &str,
    (is, reason, message): (ConditionStatus, &str, String),
    now: Timestamp,
) {
    let observed_generation = status.observed_generation;
    let before = status.conditions.iter().find(|known| known.of == of && known.status == is);
    let last_transition_time = before.map_or_else(|| time(now), |known| known.last_transition_time.clone());
    let condition = Condition {
        of: of.to_owned(),
        status: is,
        observed_generation,
        last_transition_time,
        reason: reason.to_owned(),
        message,
    };
    match status.conditions.iter_mut().find(|known| known.of == of) {
        Some(known) => *known = condition,
        None => status.conditions.push(condition),
    }
}

/// Times of Kubernetes have whole seconds.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn cut(text: &str) -> String {
    text.chars().take(MAX_MESSAGE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(pipeline: &str, state: MarkState) -> Mark {
        Mark {
            pipeline: PipelineKey::parse(pipeline).unwrap(),
            scope: None,
            kind: None,
            at: Timestamp::UNIX_EPOCH,
            title: "web 1.1.0 failed in prod".to_owned(),
            state,
        }
    }

    #[test]
    fn what_was_told_is_remembered_and_bounded() {
        let now = Timestamp::UNIX_EPOCH;
        let mut status = NotificationStatus::default();
        for at in 0..2 * MAX_TOLD {
            let change = Remember::Mark(format!("{at}").into(), mark("apps/web", MarkState::Sent));
            status = after(&status, &[change], now);
        }
        let more = [
            Remember::Mark("begun".into(), mark("apps/api", MarkState::Begun)),
            Remember::Thread {
                of: "1".into(),
                pipeline: PipelineKey::parse("apps/web").unwrap(),
                thread: "17.1".into(),
                at: now,
            },
            Remember::Forget("399".into()),
        ];
        status = after(&status, &more, now);
        let memory = memory(&status, &Namespace::parse("apps").unwrap(), now);
        assert_eq!(memory.marks.len(), MAX_TOLD, "one more, and one less");
        assert!(memory.marks.contains_key("398") && memory.marks.contains_key("begun"));
        assert!(!memory.marks.contains_key("399") && !memory.marks.contains_key("0"));
        assert_eq!(memory.threads.get("1").map(|thread| &**thread), Some("17.1"));
        let value = serde_json::json!({"status": serde_json::to_value(&status).unwrap()});
        assert_eq!(read(&value), status, "what is written is read back");
    }

    #[test]
    fn what_nobody_took_is_a_condition_until_something_is_taken() {
        let now = Timestamp::UNIX_EPOCH;
        let failed = MarkState::Undelivered("it answered 404".to_owned());
        let delivered = |status: &NotificationStatus| {
            let one = status.conditions.iter().find(|one| one.of == "Delivered").unwrap();
            format!("{:?} {}", one.status, one.message)
        };
        let status = after(
            &NotificationStatus::default(),
            &[Remember::Mark("a".into(), mark("apps/web", failed))],
            now,
        );
        assert_eq!(delivered(&status), "False web 1.1.0 failed in prod: it answered 404");
        assert_eq!(status.undelivered.len(), 1);
        let status = after(&status, &[Remember::Mark("b".into(), mark("apps/web", MarkState::Sent))], now);
        assert_eq!(delivered(&status), "True the newest message was taken");
    }
}

//! What of all that is so is news for a notification. Decided by what was seen and what is remembered alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use gradus_core::names::PipelineKey;
use gradus_core::news::{Found, News, NewsKind};
use gradus_core::notification::Notification;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::port::notify::{Mark, MarkState, Memory, Remember};

/// A failure that is over and comes again after this time is another one.
const AGAIN: SignedDuration = SignedDuration::from_hours(1);
/// What is no longer so is remembered for so long: it may come and go.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(24 * 30);

/// The short name of a key: always the same for it.
pub fn short(key: &str) -> Arc<str> {
    let hash = Sha256::digest(key.as_bytes());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

/// What is to be remembered before anything is told; what is to be told is pending in it.
pub(super) fn decide(
    of: &Notification,
    pipeline: &PipelineKey,
    found: &Found,
    memory: &Memory,
    now: Timestamp,
) -> Vec<Remember> {
    let mut changes = Vec::new();
    let choice = of.choice();
    let mark = |scope: Option<Arc<str>>, kind, title: &str, state| Mark {
        pipeline: pipeline.clone(),
        scope,
        kind,
        at: now,
        title: title.to_owned(),
        state,
    };
    let mut begun = BTreeSet::new();
    for scope in &found.scopes {
        let id = short(&format!("begun {scope} {choice}"));
        if !memory.marks.contains_key(&id) {
            begun.insert(scope);
            changes.push(Remember::Mark(id, mark(None, None, scope, MarkState::Begun)));
        }
    }
    let mut is_so = BTreeSet::new();
    for news in found.news.iter().filter(|news| of.wants(news)) {
        let id = short(&news.key);
        is_so.insert(id.clone());
        if memory.marks.contains_key(&id) {
            continue;
        }
        // Whoever wanted no news for a while does not get them afterwards.
        let is_past = of.suspend || news.scope.as_ref().is_some_and(|scope| begun.contains(scope));
        let state = if is_past { MarkState::Past } else { MarkState::Pending(Box::new(news.clone())) };
        let scope = news.scope.as_deref().map(short);
        changes.push(Remember::Mark(id, mark(scope, Some(news.kind), &news.title, state)));
    }
    let seen: BTreeSet<Arc<str>> = found.scopes.iter().map(|scope| short(scope)).collect();
    for (id, mark) in &memory.marks {
        let keep = if mark.kind == Some(NewsKind::Failed) { AGAIN } else { REMEMBERED };
        let is_over = mark.scope.as_ref().is_some_and(|scope| seen.contains(scope)) && !is_so.contains(id);
        let is_open = matches!(mark.state, MarkState::Pending(_));
        if is_over && !is_open && now.duration_since(mark.at) > keep {
            changes.push(Remember::Forget(id.clone()));
        }
    }
    changes
}

/// What is to be told, of changes or of what is remembered.
pub(super) fn pending<'a>(
    marks: impl Iterator<Item = (&'a Arc<str>, &'a Mark)>,
) -> impl Iterator<Item = (Arc<str>, News)> {
    marks.filter_map(|(id, mark)| match &mark.state {
        MarkState::Pending(news) => Some((id.clone(), (**news).clone())),
        MarkState::Begun | MarkState::Past | MarkState::Sent | MarkState::Undelivered(_) => None,
    })
}

//! Questions for branches that are asked at the same time go to the host as one request.
//!
//! Each is answered by a request that was made after it was asked, as if it had been asked alone.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, OnceLock},
};

use tokio::sync::Semaphore;

use super::{
    ObjectId,
    error::Outcome,
    remote::{Inner, lock},
};

/// How many requests for branches are under way at the same time: one that hangs does not hold up all others.
const AT_ONCE: usize = 2;

/// With more names than this, the folders they are in are asked for: a host compares every branch with every name.
const MOST_NAMES: usize = 1000;

/// References and the objects they point to.
pub(super) type Refs = Arc<[(String, ObjectId)]>;

pub(super) struct Gather {
    /// The questions that no request was made for yet.
    open: Mutex<Option<Arc<Batch>>>,
    places: Semaphore,
}

#[derive(Default)]
struct Batch {
    starts: Mutex<BTreeSet<String>>,
    /// Held by the one that asks for all.
    turn: tokio::sync::Mutex<()>,
    answer: OnceLock<Outcome<Refs>>,
}

impl Default for Gather {
    fn default() -> Self {
        Self { open: Mutex::default(), places: Semaphore::new(AT_ONCE) }
    }
}

impl Gather {
    fn join(&self, starts: impl IntoIterator<Item = String>) -> Arc<Batch> {
        let mut open = lock(&self.open);
        let batch = open.get_or_insert_default();
        // Under the lock: once the batch is closed nothing may be added.
        lock(&batch.starts).extend(starts);
        Arc::clone(batch)
    }

    fn close(&self, batch: &Arc<Batch>) -> BTreeSet<String> {
        let mut open = lock(&self.open);
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, batch)) {
            *open = None;
        }
        // They stay in the batch: where whoever asks is stopped, another one asks again.
        lock(&batch.starts).clone()
    }
}

impl Inner {
    /// At least the references whose names start so.
    pub(super) async fn gather(&self, starts: impl IntoIterator<Item = String>) -> Outcome<Refs> {
        let batch = self.gather.join(starts);
        let _turn = batch.turn.lock().await;
        if let Some(answer) = batch.answer.get() {
            return answer.clone();
        }
        let _place = self.gather.places.acquire().await;
        let starts = asked_for(self.gather.close(&batch));
        let answer = self.list_refs(&starts).await.map(|listed| listed.refs.into());
        batch.answer.get_or_init(|| answer).clone()
    }
}

fn asked_for(starts: BTreeSet<String>) -> BTreeSet<String> {
    if starts.len() <= MOST_NAMES {
        return starts;
    }
    starts.into_iter().map(folder).collect()
}

/// The first folder below `refs/heads/`; a branch in no folder is itself.
fn folder(start: String) -> String {
    let end = start.match_indices('/').nth(2).map(|(at, _)| at + 1);
    match end {
        Some(end) => start[..end].to_owned(),
        None => start,
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_NAMES, asked_for};

    #[test]
    fn many_names_are_asked_for_by_their_folders() {
        let few = || ["refs/heads/main".to_owned(), "refs/heads/gradus/a/b/c".to_owned()];
        assert_eq!(asked_for(few().into()).into_iter().collect::<Vec<_>>(), {
            let mut few = few();
            few.sort();
            few
        });
        let many = (0..=MOST_NAMES).map(|n| format!("refs/heads/gradus/apps/app-{n}/prod")).chain(few());
        let asked: Vec<String> = asked_for(many.collect()).into_iter().collect();
        assert_eq!(asked, ["refs/heads/gradus/", "refs/heads/main"]);
    }
}

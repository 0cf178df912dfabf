//! Keeps what was used last, up to a number of bytes.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
};

use super::object::Object;

pub(super) struct Lru<K> {
    room: u64,
    used: u64,
    clock: u64,
    entries: HashMap<K, (Object, u64)>,
    order: BTreeMap<u64, K>,
}

impl<K: Copy + Eq + Hash> Lru<K> {
    pub(super) fn new(room: u64) -> Self {
        Self { room, used: 0, clock: 0, entries: HashMap::new(), order: BTreeMap::new() }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<Object> {
        let (object, used_at) = self.entries.get_mut(key)?;
        self.order.remove(used_at);
        self.clock += 1;
        *used_at = self.clock;
        self.order.insert(self.clock, *key);
        Some(object.clone())
    }

    #[cfg(test)]
    fn contains(&self, key: &K) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn put(&mut self, key: K, object: Object) {
        let size = weight(&object);
        if size > self.room || self.entries.contains_key(&key) {
            return;
        }
        self.clock += 1;
        self.used += size;
        self.order.insert(self.clock, key);
        self.entries.insert(key, (object, self.clock));
        while self.used > self.room {
            let Some((_, oldest)) = self.order.pop_first() else { return };
            if let Some((object, _)) = self.entries.remove(&oldest) {
                self.used -= weight(&object);
            }
        }
    }
}

/// The bytes an entry takes, with a fair share for the maps that hold it.
fn weight(object: &Object) -> u64 {
    object.data.len() as u64 + 160
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Lru, Object};
    use crate::git::object::Kind;

    #[test]
    fn the_least_used_leaves_first() {
        let object = |size| Object { kind: Kind::Blob, data: Bytes::from(vec![0; size]) };
        let mut lru = Lru::new(600);
        lru.put('a', object(40));
        lru.put('b', object(40));
        lru.put('c', object(40));
        assert!(lru.get(&'a').is_some());
        lru.put('d', object(40));
        let kept: Vec<_> = ['a', 'b', 'c', 'd'].into_iter().filter(|key| lru.contains(key)).collect();
        assert_eq!(kept, ['a', 'c', 'd']);
        lru.put('e', object(1000));
        assert!(!lru.contains(&'e'));
        assert_eq!((lru.used, lru.order.len(), lru.entries.len()), (600, 3, 3));
    }
}

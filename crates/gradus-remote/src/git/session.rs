//! The objects of one operation: from memory where they are known, else from the host, many in one request.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use bytes::Bytes;

use super::{
    ObjectId,
    error::{Fault, Outcome},
    fetch::{Filter, Wanted, portions, read_answer},
    object::{Kind, Object, ParsedCommit, parse_commit},
    pack::{Budget, Pack},
    pkt::Packets,
    remote::{Inner, compute},
    transport::Service,
};
use crate::git::GitErrorKind;

pub(super) struct Session<'a> {
    pub(super) remote: &'a Inner,
    packs: Vec<Arc<Pack>>,
    /// What memory held when it was asked for: it must not be forgotten while the operation runs.
    held: HashMap<ObjectId, Object>,
    budget: Budget,
}

impl<'a> Session<'a> {
    pub(super) fn new(remote: &'a Inner) -> Self {
        let budget = Budget::new(remote.limits.inflated_bytes);
        Self { remote, packs: Vec::new(), held: HashMap::new(), budget }
    }

    /// An object that is already here.
    pub(super) fn get(&mut self, id: ObjectId) -> Outcome<Option<Object>> {
        if let Some(object) = self.held.get(&id) {
            return Ok(Some(object.clone()));
        }
        for pack in &self.packs {
            if let Some(object) = pack.get(&id, &mut self.budget)? {
                self.remote.cache().put(id, object.clone());
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    /// An object that was ensured before.
    pub(super) fn need(&mut self, id: ObjectId, kind: Kind) -> Outcome<Bytes> {
        match self.get(id)? {
            Some(object) => object.expect(kind, id),
            None => Err(GitErrorKind::ObjectMissing(id).into()),
        }
    }

    pub(super) fn need_commit(&mut self, id: ObjectId) -> Outcome<ParsedCommit> {
        parse_commit(&self.need(id, Kind::Commit)?)
    }

    /// Sees to it that a commit is here, and that many of its ancestors if it was not.
    pub(super) async fn ensure_commit(&mut self, id: ObjectId, depth: u32) -> Outcome<ParsedCommit> {
        let wanted = BTreeSet::from([id]);
        if !self.missing(&wanted).is_empty() {
            self.fetch(&wanted, Filter::NoTrees, Some(depth)).await?;
        }
        self.need_commit(id)
    }

    /// Sees to it that these trees or files are here.
    pub(super) async fn ensure(&mut self, ids: &BTreeSet<ObjectId>, filter: Filter) -> Outcome<()> {
        let missing = self.missing(ids);
        for portion in portions(&missing) {
            self.fetch(&portion, filter, None).await?;
        }
        Ok(())
    }

    pub(super) fn missing(&mut self, ids: &BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
        let mut missing = BTreeSet::new();
        let mut cache = self.remote.cache();
        for id in ids {
            if self.held.contains_key(id) || self.packs.iter().any(|pack| pack.contains(id)) {
                continue;
            }
            match cache.get(id) {
                Some(object) => drop(self.held.insert(*id, object)),
                None => drop(missing.insert(*id)),
            }
        }
        missing
    }

    async fn fetch(&mut self, ids: &BTreeSet<ObjectId>, filter: Filter, deepen: Option<u32>) -> Outcome<()> {
        let known = self.remote.upload().await?;
        let wanted = Wanted { ids, filter, deepen, held: &[] };
        let (v2, body) = if known.v2 { (true, wanted.v2()) } else { (false, wanted.v0()) };
        let pack = self
            .exchange(v2, body)
            .await
            .inspect_err(|_| self.remote.forget())
            .map_err(|fault| absent(fault, ids))?;
        if let Some(id) = ids.iter().find(|id| !pack.contains(id)) {
            return Err(Fault::protocol(format!("it lacks object {id}, which was asked for")));
        }
        self.packs.push(pack);
        Ok(())
    }

    async fn exchange(&mut self, v2: bool, body: Vec<u8>) -> Outcome<Arc<Pack>> {
        let remote = self.remote;
        let stream = remote.transport.request(Service::UploadPack, v2, body, remote.pack_bound()).await?;
        let bytes = read_answer(Packets::new(stream), v2, &remote.limits, &remote.credentials).await?;
        let limits = remote.limits.clone();
        let mut budget = std::mem::replace(&mut self.budget, Budget::new(0));
        let (pack, budget) = compute(move || {
            let pack = Pack::read(bytes, &limits, &mut budget);
            (pack, budget)
        })
        .await?;
        self.budget = budget;
        Ok(Arc::new(pack?))
    }
}

/// A host that lacks a wanted object says so in words only.
fn absent(fault: Fault, ids: &BTreeSet<ObjectId>) -> Fault {
    let GitErrorKind::Refused(text) = &fault.kind else { return fault };
    match ids.iter().find(|id| text.contains("not our ref") && text.contains(&id.to_string())) {
        Some(id) => GitErrorKind::ObjectMissing(*id).into(),
        None => fault,
    }
}

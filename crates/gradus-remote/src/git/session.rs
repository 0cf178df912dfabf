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
    way::Way,
};
use crate::git::GitErrorKind;

/// So many commits come when one is asked for.
const NEAR: u32 = 4;

pub(super) struct Session<'a> {
    pub(super) remote: &'a Inner,
    packs: Vec<Arc<Pack>>,
    /// What memory held when it was asked for: it must not be forgotten while the operation runs.
    held: HashMap<ObjectId, Object>,
    budget: Budget,
    /// The commit, or the commits, this operation is about.
    span: Option<Span>,
}

/// Commits from a tip back.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) tip: ObjectId,
    /// How many to ask for next.
    pub(super) more: u32,
    /// How many may be needed in the end.
    pub(super) limit: u32,
}

impl<'a> Session<'a> {
    pub(super) fn new(remote: &'a Inner) -> Self {
        let budget = Budget::new(remote.limits.inflated_bytes);
        Self { remote, packs: remote.mirror.packs(), held: HashMap::new(), budget, span: None }
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

    /// Sees to it that a commit is here. The commits before it, by which it is told who brought what, come along.
    pub(super) async fn ensure_commit(&mut self, id: ObjectId) -> Outcome<ParsedCommit> {
        let is_known = self.missing(&BTreeSet::from([id])).is_empty();
        let commit = self.ensure_ancestor(id, Span { tip: id, more: NEAR, limit: 1 }).await?;
        if is_known {
            return Ok(commit);
        }
        let mut before = commit.parents.first().copied();
        for _ in 1..NEAR {
            let Some(id) = before else { break };
            // What is read is remembered.
            let Some(object) = self.get(id)? else { break };
            before = parse_commit(&object.expect(Kind::Commit, id)?)?.parents.first().copied();
        }
        Ok(commit)
    }

    /// Asks for a commit with those folders that the last one did not have whose folders were looked through. Where
    /// that gives nothing of use, all of it is asked for level by level.
    pub(super) async fn ensure_changed(&mut self, id: ObjectId) -> Outcome<()> {
        let ids = BTreeSet::from([id]);
        let Some(last) = self.remote.listed().filter(|last| *last != id) else { return Ok(()) };
        if self.missing(&ids).is_empty() || self.way().await? != Way::Wire {
            return Ok(());
        }
        let held = [last];
        let wanted = Wanted { ids: &ids, filter: Filter::NoBlobs, deepen: Some(1), held: &held };
        match self.exchange(&wanted).await {
            Ok(pack) => {
                if !pack.contains(&id) {
                    self.remote.has_listed_in_vain();
                }
                self.packs.push(pack);
                Ok(())
            }
            Err(fault) if is_of_its_content(&fault) => {
                tracing::debug!(url = %self.remote.url, %fault, "a commit is asked for level by level");
                self.remote.has_listed_in_vain();
                self.budget = Budget::new(self.remote.limits.inflated_bytes);
                Ok(())
            }
            Err(fault) => Err(fault),
        }
    }

    /// Sees to it that a commit is here which is on the way back from a tip, and some of its ancestors.
    pub(super) async fn ensure_ancestor(&mut self, id: ObjectId, span: Span) -> Outcome<ParsedCommit> {
        self.span = Some(span);
        let wanted = BTreeSet::from([id]);
        if !self.missing(&wanted).is_empty() {
            match self.way().await? {
                Way::Wire => self.fetch(&wanted, Filter::NoTrees, Some(span.more)).await?,
                Way::Mirror => self.fetch_whole(span).await?,
            }
        }
        self.need_commit(id)
    }

    /// Sees to it that these trees or files are here.
    pub(super) async fn ensure(&mut self, ids: &BTreeSet<ObjectId>, filter: Filter) -> Outcome<()> {
        let missing = self.missing(ids);
        if missing.is_empty() {
            return Ok(());
        }
        if self.way().await? == Way::Mirror {
            return self.ensure_mirrored(&missing).await;
        }
        for portion in portions(&missing) {
            self.fetch(&portion, filter, None).await?;
        }
        Ok(())
    }

    /// What a whole commit should have brought, and did not, because it was known already while its content was not.
    async fn ensure_mirrored(&mut self, ids: &BTreeSet<ObjectId>) -> Outcome<()> {
        self.packs = self.remote.mirror.packs();
        let missing = self.missing(ids);
        match self.span {
            Some(span) if !missing.is_empty() => self.fetch_whole(span).await?,
            None if !missing.is_empty() && self.remote.upload().await?.v2 => {
                self.fetch(&missing, Filter::Whole, None).await?;
            }
            Some(_) | None => {}
        }
        match self.missing(&missing).first() {
            Some(id) => Err(GitErrorKind::ObjectMissing(*id).into()),
            None => Ok(()),
        }
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

    pub(super) async fn way(&self) -> Outcome<Way> {
        let known = self.remote.upload().await?;
        Ok(self.remote.way(&known).0)
    }

    /// Holds an object that came, and lets later operations find it.
    pub(super) fn remember(&mut self, id: ObjectId, object: Object) {
        self.remote.cache().put(id, object.clone());
        self.held.insert(id, object);
    }

    async fn fetch(&mut self, ids: &BTreeSet<ObjectId>, filter: Filter, deepen: Option<u32>) -> Outcome<()> {
        let mut ids = std::borrow::Cow::Borrowed(ids);
        let exchanged = loop {
            let wanted = Wanted { ids: &ids, filter, deepen, held: &[] };
            let pack = match self.exchange(&wanted).await {
                Ok(pack) => pack,
                Err(fault) => break Err(fault),
            };
            let lacking = lacking(&pack, &ids);
            self.packs.push(pack);
            // A host may leave out a folder that is also inside of another one that is asked for.
            match lacking.first() {
                None => break Ok(()),
                Some(id) if lacking.len() == ids.len() => break Err(lacks(*id)),
                Some(_) => ids = std::borrow::Cow::Owned(lacking),
            }
        };
        match exchanged {
            Ok(()) => {}
            Err(fault) => {
                let (Some(span), Some(said)) = (self.span, no_parts(&fault, deepen)) else {
                    return Err(fault);
                };
                // A host may offer filters and then refuse this one, or give no tree by itself.
                self.fetch_whole(span).await?;
                self.remote.read_whole(said);
            }
        }
        Ok(())
    }

    /// Asks for commits with everything in them.
    async fn fetch_whole(&mut self, span: Span) -> Outcome<()> {
        let mirror = &self.remote.mirror;
        let _turn = mirror.turn.lock().await;
        let alone = span.limit == 1;
        let ids = BTreeSet::from([span.tip]);
        // Another operation may have fetched it in the meantime.
        self.packs = mirror.packs();
        if alone && self.packs.iter().any(|pack| pack.contains(&span.tip)) {
            return Ok(());
        }
        let held = if alone { mirror.tips() } else { Vec::new() };
        let wanted = Wanted { ids: &ids, filter: Filter::Whole, deepen: Some(span.limit), held: &held };
        let pack = self.exchange(&wanted).await?;
        if let Some(id) = lacking(&pack, &ids).first() {
            return Err(lacks(*id));
        }
        mirror.keep(&pack, alone.then_some(span.tip));
        self.packs.push(pack);
        Ok(())
    }

    async fn exchange(&mut self, wanted: &Wanted<'_>) -> Outcome<Arc<Pack>> {
        let known = self.remote.upload().await?;
        let (v2, body) = if known.v2 { (true, wanted.v2()) } else { (false, wanted.v0()) };
        // What is kept for long must not rest on what is forgotten sooner.
        let recalls = wanted.filter != Filter::Whole;
        let pack = self
            .send(v2, body, recalls, recalls && !wanted.held.is_empty())
            .await
            .inspect_err(|_| self.remote.forget());
        pack.map_err(|fault| absent(fault, wanted.ids))
    }

    /// What rests on more than is here may be left out where it can be asked for again.
    async fn send(&mut self, v2: bool, body: Vec<u8>, recalls: bool, partly: bool) -> Outcome<Arc<Pack>> {
        let remote = self.remote;
        let stream = remote.transport.request(Service::UploadPack, v2, body, remote.pack_bound()).await?;
        let bytes = read_answer(Packets::new(stream), v2, &remote.limits, &remote.credentials).await?;
        let limits = remote.limits.clone();
        let (others, remembered) = (self.packs.clone(), remote.recalls());
        let remembered = move |id: &ObjectId| if recalls { remembered(id) } else { None };
        let mut budget = std::mem::replace(&mut self.budget, Budget::new(0));
        let (pack, budget) = compute(move || {
            let pack = match partly {
                true => {
                    Pack::read_some(bytes, &others, &remembered, &limits, &mut budget).map(|(pack, _)| pack)
                }
                false => Pack::read(bytes, &others, &remembered, &limits, &mut budget),
            };
            (pack, budget)
        })
        .await?;
        self.budget = budget;
        Ok(Arc::new(pack?))
    }
}

/// What was asked for and is not in the answer.
fn lacking(pack: &Pack, ids: &BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
    ids.iter().filter(|id| !pack.contains(id)).copied().collect()
}

fn lacks(id: ObjectId) -> Fault {
    Fault::protocol(format!("it lacks object {id}, which was asked for"))
}

/// Whether an answer came that is of no use, so that another question may be answered better.
pub(super) fn is_of_its_content(fault: &Fault) -> bool {
    matches!(
        fault.kind,
        GitErrorKind::Protocol(_)
            | GitErrorKind::Refused(_)
            | GitErrorKind::TooLarge { .. }
            | GitErrorKind::ObjectMissing(_)
    )
}

/// A host that lacks a wanted object says so in words only.
fn absent(fault: Fault, ids: &BTreeSet<ObjectId>) -> Fault {
    let GitErrorKind::Refused(text) = &fault.kind else { return fault };
    match ids.iter().find(|id| text.contains("not our ref") && text.contains(&id.to_string())) {
        Some(id) => GitErrorKind::ObjectMissing(*id).into(),
        None => fault,
    }
}

/// What a host said that gives whole commits perhaps, but not this part of one.
fn no_parts(fault: &Fault, deepen: Option<u32>) -> Option<String> {
    if let GitErrorKind::Refused(said) = &fault.kind {
        return Some(said.clone());
    }
    if let (GitErrorKind::ObjectMissing(id), None) = (&fault.kind, deepen) {
        return Some(format!("it has no object {id}"));
    }
    None
}

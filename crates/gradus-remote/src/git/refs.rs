//! Where branches point.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    BranchName, GitError, ObjectId, Remote,
    error::{Fault, Outcome},
    fetch::AGENT_LINE,
    pkt::{Packets, Request, Text},
    remote::Inner,
    transport::Service,
};
use crate::git::GitErrorKind;

impl Remote {
    /// The commits these branches point to; a branch that does not exist is left out.
    pub async fn tips(&self, branches: &[BranchName]) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
        self.within("look at the branches", self.inner.tips(branches)).await
    }

    /// This branch and all whose short names start so, and the commits they point to.
    pub async fn tips_with(
        &self,
        branch: &BranchName,
        start: &str,
    ) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
        self.within("look at the branches", self.inner.tips_with(branch, start)).await
    }

    /// The commit this branch points to.
    pub async fn tip(&self, branch: &BranchName) -> Result<ObjectId, GitError> {
        let found = self.tips(std::slice::from_ref(branch)).await?;
        found.get(branch).copied().ok_or_else(|| {
            let missing: Fault = GitErrorKind::BranchMissing(branch.clone()).into();
            missing.doing(format!("look at the branches of {}", self.inner.url))
        })
    }

    /// The branches whose short names start so, for example `gradus/`, and the commits they point to.
    pub async fn tips_below(&self, start: &str) -> Result<BTreeMap<BranchName, ObjectId>, GitError> {
        self.within("look at the branches", self.inner.tips_below(&format!("refs/heads/{start}"))).await
    }

    /// The branch the host shows first, unless the repository names none.
    pub async fn default_branch(&self) -> Result<Option<BranchName>, GitError> {
        let start = BTreeSet::from(["HEAD".to_owned()]);
        let head = self.within("look at the default branch", self.inner.list_refs(&start)).await?.head;
        Ok(head.and_then(|head| BranchName::of_reference(&head)))
    }
}

pub(super) struct Listed {
    pub(super) refs: Vec<(String, ObjectId)>,
    head: Option<String>,
}

impl Inner {
    pub(super) async fn tips(&self, branches: &[BranchName]) -> Outcome<BTreeMap<BranchName, ObjectId>> {
        if branches.is_empty() {
            return Ok(BTreeMap::new());
        }
        let refs = self.gather(branches.iter().map(BranchName::reference)).await?;
        let known: HashMap<&str, ObjectId> = refs.iter().map(|(name, id)| (name.as_str(), *id)).collect();
        let tip = |branch: &BranchName| Some((branch.clone(), *known.get(branch.reference().as_str())?));
        Ok(branches.iter().filter_map(tip).collect())
    }

    async fn tips_with(&self, branch: &BranchName, start: &str) -> Outcome<BTreeMap<BranchName, ObjectId>> {
        let (branch, start) = (branch.reference(), format!("refs/heads/{start}"));
        let refs = self.gather([branch.clone(), start.clone()]).await?;
        let wanted = refs.iter().filter(|(name, _)| *name == branch || name.starts_with(&start));
        Ok(wanted.filter_map(|(name, id)| Some((BranchName::of_reference(name)?, *id))).collect())
    }

    async fn tips_below(&self, start: &str) -> Outcome<BTreeMap<BranchName, ObjectId>> {
        let refs = self.list_refs(&BTreeSet::from([start.to_owned()])).await?.refs;
        let below = refs.into_iter().filter(|(name, _)| name.starts_with(start));
        Ok(below.filter_map(|(name, id)| Some((BranchName::of_reference(&name)?, id))).collect())
    }

    pub(super) async fn list_refs(&self, prefixes: &BTreeSet<String>) -> Outcome<Listed> {
        let known = self.upload().await?;
        if !known.v2 {
            let now = self.ask_upload().await?;
            return Ok(Listed { refs: now.refs.clone(), head: now.head.clone() });
        }
        let mut request = Request::default();
        request.line("command=ls-refs\n").line(AGENT_LINE).line("object-format=sha1").delimiter();
        request.line("symrefs\n");
        if known.offers("ls-refs", "unborn") {
            request.line("unborn\n");
        }
        for prefix in prefixes {
            request.line(&format!("ref-prefix {prefix}\n"));
        }
        let body = request.flush().bytes();
        let stream = self.transport.request(Service::UploadPack, true, body, self.refs_bound()).await;
        let listed = match stream {
            Ok(stream) => self.read_refs(Packets::new(stream)).await,
            Err(fault) => Err(fault),
        };
        // Whatever went wrong may be due to what was remembered of the host.
        listed.inspect_err(|_| self.forget())
    }

    async fn read_refs(&self, mut packets: Packets) -> Outcome<Listed> {
        let mut listed = Listed { refs: Vec::new(), head: None };
        loop {
            let line = match packets.text(&self.credentials).await? {
                Text::Line(line) => line,
                Text::Flush => break,
                Text::Delimiter | Text::End => {
                    return Err(Fault::protocol("the list of references is cut off"));
                }
            };
            let mut words = line.split(' ');
            let (id, name) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            if name == "HEAD" {
                listed.head = words.find_map(|word| word.strip_prefix("symref-target:")).map(str::to_owned);
            }
            match ObjectId::from_hex(id.as_bytes()) {
                Some(id) if !name.is_empty() => listed.refs.push((name.to_owned(), id)),
                None if id == "unborn" => {}
                Some(_) | None => return Err(Fault::protocol("a line that is no reference")),
            }
            if listed.refs.len() > self.limits.refs as usize {
                let limit = self.limits.refs.into();
                return Err(GitErrorKind::TooLarge { what: "the number of branches and tags", limit }.into());
            }
        }
        packets.finish().await;
        Ok(listed)
    }
}

//! What a forge keeps of one repository.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::git::Git;

/// So few things a page has, however many are asked for.
pub(super) const PAGE: usize = 2;

pub(super) struct World {
    pub(super) git: Git,
    pub(super) pulls: Vec<Pull>,
    /// By commit: the statuses, the newest last.
    pub(super) statuses: BTreeMap<String, Vec<Status>>,
    /// Whether only others may merge into main.
    pub(super) guarded: bool,
    /// Which commit is in which environment, and how it goes.
    pub(super) deployments: Vec<(String, String, String)>,
    /// The runs of automation: on which branch, and with which variables.
    pub(super) runs: Vec<(String, Vec<(String, String)>)>,
    /// Whether nobody may set variables of a run.
    pub(super) no_variables: bool,
    pub(super) archived: bool,
    /// So many people have to approve.
    pub(super) approvals: usize,
    /// So many lists leave out what was opened just now.
    pub(super) stale_lists: usize,
    /// So many looks find the forge still thinking about whether Git can merge.
    pub(super) thinking: usize,
    ids: u64,
    seconds: i64,
}

pub(super) struct Pull {
    pub(super) number: u64,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) draft: bool,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) fork: bool,
    /// Where the branch was when the forge last saw it.
    pub(super) head: String,
    /// Where it was before and is, and since when.
    pub(super) versions: Vec<(String, Timestamp)>,
    pub(super) state: State,
    pub(super) by: &'static str,
    pub(super) labels: Vec<String>,
    pub(super) reviewers: Vec<String>,
    pub(super) assignees: Vec<String>,
    pub(super) reviews: Vec<Review>,
    pub(super) comments: Vec<Comment>,
    pub(super) version: u64,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    /// So many lists do not have it yet.
    pub(super) hidden: usize,
}

#[derive(Clone, PartialEq, Eq)]
pub(super) enum State {
    Open,
    Merged { commit: String, by: &'static str },
    Closed { by: &'static str },
}

pub(super) struct Review {
    pub(super) by: &'static str,
    pub(super) approved: bool,
    pub(super) commit: String,
    pub(super) at: Timestamp,
}

pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) by: &'static str,
    pub(super) text: String,
    pub(super) version: u64,
    pub(super) at: Timestamp,
    /// What the forge notes by itself.
    pub(super) system: bool,
}

#[derive(Clone)]
pub(super) struct Status {
    pub(super) id: u64,
    pub(super) name: String,
    /// In the forge's word.
    pub(super) state: String,
    pub(super) text: String,
    pub(super) url: Option<String>,
    pub(super) at: Timestamp,
}

impl World {
    pub(super) fn new() -> Self {
        let git = Git::new();
        git.write("main", None, "prod/web.yaml", "version: 1");
        Self {
            git,
            pulls: Vec::new(),
            statuses: BTreeMap::new(),
            deployments: Vec::new(),
            runs: Vec::new(),
            no_variables: false,
            archived: false,
            guarded: false,
            approvals: 0,
            stale_lists: 0,
            thinking: 0,
            ids: 100,
            seconds: 1_800_000_000,
        }
    }

    pub(super) fn now(&mut self) -> Timestamp {
        self.seconds += 1;
        Timestamp::from_second(self.seconds).unwrap()
    }

    pub(super) fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    /// Looks where branches are, as a forge does after each push.
    pub(super) fn look(&mut self) {
        // What follows is later than what was.
        self.seconds += 1;
        let at = Timestamp::from_second(self.seconds).unwrap();
        for pull in self.pulls.iter_mut().filter(|pull| pull.state == State::Open && !pull.fork) {
            if let Some(tip) = self.git.tip(&pull.source)
                && tip != pull.head
            {
                pull.versions.push((tip.clone(), at));
                pull.head = tip;
                pull.version += 1;
            }
        }
    }

    pub(super) fn pull(&mut self, number: u64) -> Option<&mut Pull> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }

    pub(super) fn open_one(&self, source: &str, target: &str) -> Option<&Pull> {
        let is_it = |pull: &&Pull| {
            pull.state == State::Open && !pull.fork && pull.source == source && pull.target == target
        };
        self.pulls.iter().find(is_it)
    }

    pub(super) fn open(&mut self, source: &str, target: &str, title: &str, body: &str) -> &mut Pull {
        let (at, number) = (self.now(), self.pulls.len() as u64 + 1);
        let (head, hidden) = (self.git.tip(source).unwrap(), self.stale_lists);
        self.pulls.push(Pull {
            number,
            title: title.to_owned(),
            body: body.to_owned(),
            draft: false,
            source: source.to_owned(),
            target: target.to_owned(),
            fork: false,
            versions: vec![(head.clone(), at)],
            head,
            state: State::Open,
            by: "gradus",
            labels: Vec::new(),
            reviewers: Vec::new(),
            assignees: Vec::new(),
            reviews: Vec::new(),
            comments: Vec::new(),
            version: 0,
            created: at,
            updated: at,
            hidden,
        });
        self.pulls.last_mut().unwrap()
    }

    /// Something was changed in a proposal.
    pub(super) fn touch(&mut self, number: u64) {
        let at = self.now();
        let pull = self.pull(number).unwrap();
        pull.version += 1;
        pull.updated = at;
    }

    /// What a list shows: of what was opened just now, nothing yet.
    pub(super) fn listed(&mut self, is_it: impl Fn(&Pull) -> bool) -> Vec<u64> {
        let mut numbers = Vec::new();
        for pull in self.pulls.iter_mut().filter(|pull| is_it(pull)) {
            match pull.hidden {
                0 => numbers.push(pull.number),
                _ => pull.hidden -= 1,
            }
        }
        numbers
    }

    pub(super) fn approved(&self, number: u64) -> bool {
        let pull = self.pulls.iter().find(|pull| pull.number == number).unwrap();
        pull.reviews.iter().filter(|review| review.approved).count() >= self.approvals
    }

    pub(super) fn say(&mut self, number: u64, by: &'static str, text: &str, system: bool) -> u64 {
        let (id, at) = (self.id(), self.now());
        let text = text.to_owned();
        self.pull(number).unwrap().comments.push(Comment { id, by, text, version: 0, at, system });
        id
    }
}

/// One page of a list, from this place on, and where the next one begins.
pub(super) fn page<T: Clone>(all: &[T], start: usize, most: usize) -> (Vec<T>, Option<usize>) {
    let end = (start + most.clamp(1, PAGE)).min(all.len());
    let listed = all.get(start..end).unwrap_or_default().to_vec();
    (listed, (end < all.len()).then_some(end))
}

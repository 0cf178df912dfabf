//! What is worth telling people of, by a report alone.
//!
//! It is said of the state and not of the change: what is so has a key that stays the same as long as it is so, and
//! whoever remembers the keys that were told knows what is new. A look that was missed, a restart and another
//! replica are then all the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::names::{CommitId, EnvironmentName, PipelineKey, ProposalNumber};
use crate::observation::{Origin, Seen};
use crate::pipeline::{Hold, Mode, Pipeline};
use crate::reason::Reason;
use crate::release::{Orders, Release, Standing};
use crate::report::{EnvironmentReport, Report};
use crate::tell::{self, Clock};
use crate::verdict::Verdict;

/// So long before a hold ends it is told.
const SOON: SignedDuration = SignedDuration::from_hours(1);

/// What kind of news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NewsKind {
    /// A proposal is open.
    Proposed,
    /// A person is asked for a word.
    Waiting,
    /// A release was written into an environment.
    Promoted,
    /// It runs there and works.
    Deployed,
    /// It does not work.
    Failed,
    /// An environment went back to an older release.
    RolledBack,
    /// A hold ends soon.
    HoldEnds,
}

impl NewsKind {
    /// All of them, in the order in which they happen.
    pub const ALL: [Self; 7] = [
        Self::Proposed,
        Self::Waiting,
        Self::Promoted,
        Self::Deployed,
        Self::Failed,
        Self::RolledBack,
        Self::HoldEnds,
    ];

    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Waiting => "waiting",
            Self::Promoted => "promoted",
            Self::Deployed => "deployed",
            Self::Failed => "failed",
            Self::RolledBack => "rolled-back",
            Self::HoldEnds => "hold-ends",
        }
    }

    /// Whether somebody has to look after it.
    pub fn is_bad(self) -> bool {
        match self {
            Self::Failed | Self::RolledBack => true,
            Self::Proposed | Self::Waiting | Self::Promoted | Self::Deployed | Self::HoldEnds => false,
        }
    }
}

/// Something to tell, with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// What kind.
    pub kind: NewsKind,
    /// What makes it the same news as another.
    pub key: Arc<str>,
    /// The promotion that it belongs to; what belongs together is shown together.
    pub thread: Arc<str>,
    /// What has to have been looked at once before this is news.
    pub scope: Option<Arc<str>>,
    /// Of which pipeline.
    pub pipeline: PipelineKey,
    /// Of which environment; of all when absent.
    pub environment: Option<EnvironmentName>,
    /// The release it is about.
    pub release: Option<Release>,
    /// What was there before.
    pub from: Option<Release>,
    /// The proposal.
    pub proposal: Option<ProposalNumber>,
    /// Where the proposal is.
    pub url: Option<Arc<str>>,
    /// The commit that brought it.
    pub commit: Option<CommitId>,
    /// The repository that declares it.
    pub repository: Arc<str>,
    /// When it was found.
    pub at: Timestamp,
    /// What it is, in one line.
    pub title: String,
    /// More of it, a line each.
    pub details: Vec<String>,
    /// What people can do, a line each.
    pub can: Vec<String>,
}

/// What is so, as far as it was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What could be seen. What is in no scope that is here is neither so nor not so.
    pub scopes: BTreeSet<Arc<str>>,
    /// What is so.
    pub news: Vec<News>,
}

/// What a report says that is worth telling.
pub fn found(pipeline: &Pipeline, report: &Report, at: Timestamp) -> Found {
    let mut found = Found::default();
    if report.mode == Mode::Suspended {
        return found;
    }
    let mut orders = Orders::default();
    for (artifact, order) in &pipeline.artifacts {
        orders.set(artifact.clone(), *order, Vec::new());
    }
    let clock = Clock::utc(at);
    for here in &report.environments {
        Place { pipeline, report, here, clock: &clock, orders: &orders, found: &mut found }.look();
    }
    found
}

/// The holds of a pipeline that end soon.
pub fn ending(pipeline: &Pipeline, now: Timestamp) -> Vec<News> {
    let ends = |hold: &Hold| hold.until.filter(|until| *until > now && until.duration_since(now) <= SOON);
    let clock = Clock::utc(now);
    let soon = pipeline.holds.iter().filter_map(|hold| Some((hold, ends(hold)?)));
    soon.map(|(hold, until)| {
        let key: Arc<str> = format!("{} hold-ends {} {until}", pipeline.key, hold.name).into();
        let words = tell::hold_ends(&pipeline.key, hold, until, &clock);
        News {
            kind: NewsKind::HoldEnds,
            thread: key.clone(),
            key,
            scope: None,
            pipeline: pipeline.key.clone(),
            environment: hold.environment.clone(),
            release: hold.pin.clone(),
            from: None,
            proposal: None,
            url: None,
            commit: None,
            repository: pipeline.repository.url.clone(),
            at: now,
            title: words.title,
            details: words.details,
            can: words.can,
        }
    })
    .collect()
}

/// One environment that is looked at.
struct Place<'a> {
    pipeline: &'a Pipeline,
    report: &'a Report,
    here: &'a EnvironmentReport,
    clock: &'a Clock,
    orders: &'a Orders,
    found: &'a mut Found,
}

impl Place<'_> {
    fn look(mut self) {
        let here = self.here;
        let Seen::Known(declared) = &here.declared else { return };
        if declared.is_some() && here.origin.is_none() {
            return;
        }
        // What came with which commit; where nothing is declared, nothing came.
        let arrived = declared.as_ref().zip(here.origin.as_ref());
        if !here.reasons.iter().any(|reason| matches!(reason, Reason::ProposalUnknown { .. })) {
            let scope = self.scope("git");
            if let Some((release, origin)) = arrived {
                self.came(&scope, release, origin);
            }
            self.proposed(&scope);
        }
        if !matches!(here.verdict.verdict, Verdict::Unknown { .. }) {
            let scope = self.scope("health");
            if let Some((release, origin)) = arrived {
                self.works(&scope, release, origin);
            }
        }
        if !here.reasons.iter().any(Reason::is_unknown) {
            let scope = self.scope("word");
            self.waits(&scope);
        }
    }

    fn scope(&mut self, of: &str) -> Arc<str> {
        let scope: Arc<str> = format!("{} {} {of}", self.report.pipeline, self.here.name).into();
        self.found.scopes.insert(scope.clone());
        scope
    }

    fn came(&mut self, scope: &Arc<str>, release: &Release, origin: &Origin) {
        if self.here.after.is_empty() {
            return;
        }
        let went_back = self.went_back(release, origin);
        if went_back.is_none() && !origin.by_gradus {
            return;
        }
        let kind = if went_back.is_some() { NewsKind::RolledBack } else { NewsKind::Promoted };
        let from = went_back.or_else(|| origin.replaced.clone());
        let of = format!("{release} {}", origin.commit.short());
        // That it was taken back belongs to what is told of what was taken back.
        let about = if kind == NewsKind::RolledBack { from.as_ref().unwrap_or(release) } else { release };
        let words = match kind {
            NewsKind::RolledBack => tell::rolled_back(self.report, self.here, release, from.as_ref(), origin),
            NewsKind::Proposed
            | NewsKind::Waiting
            | NewsKind::Promoted
            | NewsKind::Deployed
            | NewsKind::Failed
            | NewsKind::HoldEnds => tell::promoted(self.report, self.here, release, from.as_ref(), origin),
        };
        let news = News {
            release: Some(release.clone()),
            from: from.clone(),
            commit: Some(origin.commit.clone()),
            ..self.news(kind, scope, &of, about, words)
        };
        self.found.news.push(news);
    }

    /// What the environment had, if what it has is older.
    fn went_back(&self, release: &Release, origin: &Origin) -> Option<Release> {
        if let Some(replaced) = &origin.replaced
            && self.orders.compare(release, replaced) == Standing::Older
        {
            return Some(replaced.clone());
        }
        // Where versions have no order of their own, the plan may know it.
        self.here.reasons.iter().chain(&self.here.notes).find_map(|reason| {
            let Reason::RolledBack { from, commit, .. } = reason else { return None };
            (*commit == origin.commit).then(|| from.clone())
        })
    }

    fn proposed(&mut self, scope: &Arc<str>) {
        let Some(proposal) = self.here.proposal.as_ref() else { return };
        let (Seen::Known(release), Mode::Active) = (&proposal.release, self.report.mode) else { return };
        let words = tell::proposed(self.report, self.here, proposal, release, self.clock);
        let news = News {
            from: self.here.release().cloned(),
            proposal: Some(proposal.number),
            url: proposal.url.clone(),
            ..self.news(NewsKind::Proposed, scope, &format!("{release} {}", proposal.number), release, words)
        };
        self.found.news.push(news);
    }

    fn works(&mut self, scope: &Arc<str>, release: &Release, origin: &Origin) {
        let kind = match &self.here.verdict.verdict {
            Verdict::Failed { .. } => NewsKind::Failed,
            Verdict::Healthy { .. } if !self.here.after.is_empty() => NewsKind::Deployed,
            Verdict::Healthy { .. }
            | Verdict::NotDeployed
            | Verdict::Deploying { .. }
            | Verdict::Unknown { .. } => return,
        };
        let words = if kind == NewsKind::Failed {
            tell::failed(self.report, self.here, release, self.clock)
        } else {
            tell::deployed(self.report, self.here, release, self.clock)
        };
        let of = format!("{release} {}", origin.commit.short());
        let news = News {
            from: origin.replaced.clone(),
            commit: Some(origin.commit.clone()),
            ..self.news(kind, scope, &of, release, words)
        };
        self.found.news.push(news);
    }

    fn waits(&mut self, scope: &Arc<str>) {
        let (here, Mode::Active) = (self.here, self.report.mode) else { return };
        // What is about to be proposed is told of once it is.
        let Some(next) = here.next.as_ref().filter(|_| here.step.is_none()) else { return };
        // While something else stands in the way, nobody is asked yet.
        let is_asked = |reason: &Reason| {
            matches!(
                reason,
                Reason::WaitingForApproval { .. }
                    | Reason::WaitingForPerson { .. }
                    | Reason::WaitingForMerge { .. }
                    | Reason::DispatchUnanswered { .. }
            )
        };
        let Some(first) = here.reasons.first().filter(|reason| is_asked(reason)) else { return };
        // An open proposal that nothing but a merge is missing to has been told of.
        if matches!(first, Reason::WaitingForMerge { .. }) && next.gates.is_empty() {
            return;
        }
        let words = tell::waiting(self.report, here, &next.release, self.clock);
        let state = here.origin.as_ref().map_or("-", |origin| origin.commit.short());
        // Asked for once more in vain, it is news once more.
        let state =
            if let Reason::DispatchUnanswered { promotion, .. } = first { &**promotion } else { state };
        let of = format!("{} {} {state}", next.release, first.code());
        let news = News {
            from: here.release().cloned(),
            proposal: here.proposal.as_ref().map(|proposal| proposal.number),
            url: here.proposal.as_ref().and_then(|proposal| proposal.url.clone()),
            ..self.news(NewsKind::Waiting, scope, &of, &next.release, words)
        };
        self.found.news.push(news);
    }

    fn news(
        &self,
        kind: NewsKind,
        scope: &Arc<str>,
        of: &str,
        about: &Release,
        words: tell::NewsWords,
    ) -> News {
        let (pipeline, environment) = (&self.report.pipeline, &self.here.name);
        News {
            kind,
            key: format!("{pipeline} {environment} {} {of}", kind.word()).into(),
            thread: format!("{pipeline} {environment} {about}").into(),
            scope: Some(scope.clone()),
            pipeline: pipeline.clone(),
            environment: Some(environment.clone()),
            release: Some(about.clone()),
            from: None,
            proposal: None,
            url: None,
            commit: None,
            repository: self.pipeline.repository.url.clone(),
            at: self.clock.now,
            title: words.title,
            details: words.details,
            can: words.can,
        }
    }
}

//! The engine's port for proposals, on any forge.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, Group, Person, ProposalNumber};
use gradus_core::pipeline::Repository;
use gradus_core::plan::CloseReason;
use gradus_engine::port::dispatch::{DispatchOrder, DispatchRecord};
use gradus_engine::port::forge::{
    AnswerTo, CommentRecord, MergeWay, Merging, ProposalPlace, ProposalRecord, ProposalText, ReviewRecord,
    Standing, Verdict, Who, clear_up,
};
use gradus_engine::port::repo::{CommitOrder, Written};
use gradus_engine::port::{Clock, Forge, PortError, PortErrorKind, Repos};
use jiff::SignedDuration;
use tokio::time::sleep;

use super::api::ForgeApi;
use super::error::{ForgeError, ForgeErrorKind, from_forge};
use super::extras::Dressed;
use super::known::Known;
use super::model::{MergeMethod, MergeOrder, Merged, NewPull, Pull, PullChange, PullState};
use super::opening::open_or_find;
use super::orders::Orders;
use super::standing::Standings;
use super::sticky;
use super::talk::{self, Ourselves};
use super::text::{fitting, plain, why};
use super::told::Told;

/// So long what was just written or seen is not looked at again.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(3);
/// So long a proposal that was seen open is changed without looking for it.
const RECENT: SignedDuration = SignedDuration::from_secs(60);
/// So long an open proposal is not looked at again, where the forge tells what happens to it.
const TOLD: SignedDuration = SignedDuration::from_mins(10);
/// So long after each other proposals are looked at, all together: with a thousand open ones that is 1,200 looks an
/// hour, under a quarter of what GitHub allows. Until then where their branches are says enough; merging asks anyway.
const APART: SignedDuration = SignedDuration::from_secs(3);
/// The longest that an open proposal is not looked at.
const LONGEST: SignedDuration = SignedDuration::from_hours(2);
/// The waits for a forge that is finding out whether a proposal can be merged.
const PAUSES: [Duration; 5] = [
    Duration::from_millis(150),
    Duration::from_millis(300),
    Duration::from_millis(600),
    Duration::from_millis(1200),
    Duration::from_millis(2400),
];
/// So many commits may have come after a merge before it is looked for.
const BEHIND: usize = 10;
/// By this the comment is found that says why a proposal was closed.
const CLOSING: &str = "<!-- gradus: closed -->";

/// Leads from a repository to its forge. Opening the same one twice gives the same limits and caches.
pub trait ForgeApis: Send + Sync {
    /// The repository in its forge, with its credentials. No network is touched yet.
    fn open(&self, repository: &Repository) -> Result<Arc<dyn ForgeApi>, PortError>;
}

/// Proposals in forges.
///
/// Nothing is kept but what saves a request: the branch says which proposal is meant, and the forge what became of
/// it. The forge merges, with the head that was seen; branches are deleted through Git, where that can be said too.
pub struct RemoteForge {
    apis: Arc<dyn ForgeApis>,
    repos: Arc<dyn Repos>,
    clock: Arc<dyn Clock>,
    method: MergeMethod,
    known: Known<Pull>,
    /// What was said of proposals in reviews, and below them.
    reviews: Known<(ProposalNumber, Vec<ReviewRecord>)>,
    comments: Known<(ProposalNumber, Vec<CommentRecord>)>,
    told: Told,
    ourselves: Ourselves,
    dressed: Dressed,
    standings: Standings,
    orders: Orders,
}

/// A repository, a base branch and a head branch.
pub(super) type Which = (Arc<str>, BranchName, BranchName);

impl RemoteForge {
    /// Proposals in these forges, of branches in these repositories.
    pub fn new(apis: Arc<dyn ForgeApis>, repos: Arc<dyn Repos>, clock: Arc<dyn Clock>) -> Self {
        Self {
            apis,
            repos,
            clock,
            method: MergeMethod::default(),
            known: Known::default(),
            reviews: Known::default(),
            comments: Known::default(),
            told: Told::default(),
            ourselves: Ourselves::default(),
            dressed: Dressed::default(),
            standings: Standings::default(),
            orders: Orders::default(),
        }
    }

    /// The same, merging in this way.
    pub fn merging_by(mut self, method: MergeMethod) -> Self {
        self.method = method;
        self
    }

    /// The same, beside others who may hear of things instead of this one: then it asks as if nobody told it.
    pub fn among_others(mut self) -> Self {
        self.told = self.told.among_others();
        self
    }

    /// Something happened in a repository: what was seen there is looked at again.
    pub fn heard(&self, url: &str) {
        self.heard_if(url, None);
    }

    /// Something happened to the proposal of a branch.
    pub fn heard_of(&self, url: &str, branch: &BranchName) {
        self.heard_if(url, Some(branch));
    }

    fn heard_if(&self, url: &str, branch: Option<&BranchName>) {
        let now = self.clock.now();
        self.told.note(url, now);
        self.known.heard(url, branch, now);
        self.reviews.heard(url, branch, now);
        self.comments.heard(url, branch, now);
    }

    /// What is remembered, and whether it was seen within this time.
    fn remembered(&self, place: &ProposalPlace, within: SignedDuration) -> Option<(Pull, bool)> {
        self.known.get(place, within, self.clock.now())
    }

    /// For how long what was seen of an open proposal is not asked for again: until everything that is known had its
    /// turn.
    fn its_turn(&self, repository: &Repository) -> SignedDuration {
        let known = self.known.count() + self.reviews.count() + self.comments.count();
        let known = i32::try_from(known).unwrap_or(i32::MAX);
        let turn = APART.checked_mul(known).map_or(LONGEST, |turn| turn.min(LONGEST));
        turn.max(if self.tells(repository) { TOLD } else { JUST_NOW })
    }

    fn forget(&self, place: &ProposalPlace) {
        self.known.forget(place);
        self.reviews.forget(place);
        self.comments.forget(place);
    }

    fn record(&self, place: &ProposalPlace, pull: &Pull) -> ProposalRecord {
        let declined = match &pull.state {
            // Where the forge does not tell when, it was after it was opened.
            PullState::Closed { at, .. } => Some(at.unwrap_or(pull.created)),
            PullState::Open | PullState::Merged { .. } => None,
        };
        let queued =
            pull.head.as_ref().and_then(|head| self.orders.since(place, pull.number, head, self.clock.now()));
        let (number, url, since) = (pull.number, Some(pull.url.clone()), pull.created);
        ProposalRecord { number, url, since, declined, queued }
    }

    /// The open proposal of a branch as the forge has it now; else the last one that ended.
    async fn look(&self, api: &dyn ForgeApi, place: &ProposalPlace) -> Result<Option<Pull>, ForgeError> {
        let before = match self.remembered(place, RECENT) {
            Some((before, _)) => match api.get(before.number).await {
                Ok(pull) if is_of(&pull, place) => Some(pull),
                Ok(_) => None,
                Err(error) if *error.kind() == ForgeErrorKind::NotFound => None,
                Err(error) => return Err(error),
            },
            None => None,
        };
        if let Some(pull) = before.as_ref().filter(|pull| pull.state == PullState::Open) {
            return Ok(Some(pull.clone()));
        }
        match api.find_open(&place.branch, &place.base).await? {
            Some(pull) => Ok(Some(pull)),
            None if before.is_some() => Ok(before),
            None => api.find_ended(&place.branch, &place.base).await,
        }
    }

    /// Opens the proposal, or finds the one that somebody else opened or that was opened without an answer.
    async fn open(
        &self,
        api: &dyn ForgeApi,
        place: &ProposalPlace,
        text: &ProposalText,
    ) -> Result<Pull, ForgeError> {
        let new = NewPull {
            head: place.branch.clone(),
            base: place.base.clone(),
            title: text.title.clone(),
            body: text.body.clone(),
            draft: text.extras.draft,
        };
        let (pull, is_new) = open_or_find(api, &new).await?;
        if is_new {
            self.standings.begun(place);
        }
        Ok(pull)
    }

    /// Asks for the merge until the forge knows whether it can do it.
    async fn ask_to_merge(
        &self,
        api: &dyn ForgeApi,
        number: ProposalNumber,
        order: &MergeOrder,
    ) -> Result<Merged, ForgeError> {
        let mut pauses = PAUSES.into_iter();
        loop {
            match (api.merge(number, order).await, pauses.next()) {
                (Err(error), Some(pause)) if matches!(error.kind(), ForgeErrorKind::NotReady(_)) => {
                    sleep(pause).await;
                }
                (done, _) => return done,
            }
        }
    }

    /// The commit that brought a proposal, if it is merged.
    async fn merged(
        &self,
        api: &dyn ForgeApi,
        place: &ProposalPlace,
        number: ProposalNumber,
        message: &str,
    ) -> Result<Option<CommitId>, PortError> {
        let pull = api.get(number).await.map_err(from_forge)?;
        match pull.state {
            PullState::Merged { commit: Some(commit), .. } => Ok(Some(commit)),
            PullState::Merged { commit: None, .. } => self.brought(place, message).await,
            PullState::Open | PullState::Closed { .. } => Ok(None),
        }
    }

    /// The newest commit of the base branch with this message, else the newest there is. Asking Git costs nothing of
    /// what the forge allows.
    async fn brought(&self, place: &ProposalPlace, message: &str) -> Result<Option<CommitId>, PortError> {
        let repo = self.repos.open(&place.repository)?;
        let tips = repo.tips(std::slice::from_ref(&place.base)).await?;
        let Some(tip) = tips.get(&place.base) else { return Ok(None) };
        let commits = repo.history(tip, &[], BEHIND).await?.commits;
        let this = commits.into_iter().find(|commit| plain(&commit.message) == plain(message));
        Ok(Some(this.map_or_else(|| tip.clone(), |commit| commit.id)))
    }

    /// Deletes the branch of a merged proposal. The merge has happened, whatever becomes of this.
    async fn clear_up(&self, place: &ProposalPlace, head: &CommitId) {
        self.forget(place);
        clear_up(&*self.repos, place, head).await;
    }
}

#[async_trait]
impl Forge for RemoteForge {
    async fn find(
        &self,
        place: &ProposalPlace,
        head: &CommitId,
    ) -> Result<Option<ProposalRecord>, PortError> {
        if let Some((pull, true)) = self.remembered(place, self.its_turn(&place.repository))
            && pull.state == PullState::Open
            && pull.head.as_ref() == Some(head)
        {
            return Ok(Some(self.record(place, &pull)));
        }
        let (api, asked) = (self.apis.open(&place.repository)?, self.clock.now());
        let Some(pull) = self.look(&*api, place).await.map_err(from_forge)? else {
            self.forget(place);
            return Ok(None);
        };
        self.known.put(place, pull.clone(), asked);
        if pull.state == PullState::Open {
            self.dressed.make_up(&*api, place, &pull).await;
        }
        // What ended at another commit says nothing about this one.
        let is_open = pull.state == PullState::Open;
        Ok((is_open || pull.head.as_ref() == Some(head)).then(|| self.record(place, &pull)))
    }

    async fn ensure(&self, place: &ProposalPlace, text: &ProposalText) -> Result<ProposalRecord, PortError> {
        let (api, asked) = (self.apis.open(&place.repository)?, self.clock.now());
        let text = &fitting(text, api.longest_body());
        let mut open = match self.remembered(place, RECENT) {
            Some((pull, true)) if pull.state == PullState::Open => Some(pull),
            Some(_) | None => None,
        };
        // What was remembered may have been closed since; what is opened then is up to date.
        for _ in 0..2 {
            let pull = match open.take() {
                Some(pull) => pull,
                None => self.open(&*api, place, text).await.map_err(from_forge)?,
            };
            let change = PullChange {
                title: (pull.title != text.title).then(|| text.title.clone()),
                body: (plain(&pull.body) != plain(&text.body)).then(|| text.body.clone()),
                base: None,
                draft: pull.draft,
            };
            let mut pull = match change.is_empty() {
                true => pull,
                false => api.update(pull.number, &change).await.map_err(from_forge)?,
            };
            if pull.state == PullState::Open {
                // The forge may not have noticed yet where the branch is.
                pull.head = Some(text.head.clone());
                self.known.put(place, pull.clone(), asked);
                self.dressed.put_on(&*api, place, &pull, &text.extras).await;
                return Ok(self.record(place, &pull));
            }
            self.forget(place);
        }
        let doing = format!("opening the proposal of {} in {}", place.branch, api.address());
        Err(PortError::because(PortErrorKind::Unreachable, doing, "somebody closes it each time"))
    }

    async fn merge(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        merge: &CommitOrder,
        way: MergeWay,
    ) -> Result<Merging, PortError> {
        let api = self.apis.open(&place.repository)?;
        let (title, message) = merge.message.split_once('\n').unwrap_or((&merge.message, ""));
        let order = MergeOrder {
            head: head.clone(),
            method: way.method.unwrap_or(self.method),
            title: title.trim().to_owned(),
            message: message.trim().to_owned(),
            delete_branch: false,
            queue: way.queue,
        };
        let refused = match self.ask_to_merge(&*api, number, &order).await {
            Ok(Merged::Done(commit)) => {
                let commit = match commit {
                    Some(commit) => Some(commit),
                    None => self.brought(place, &merge.message).await?,
                };
                self.clear_up(place, head).await;
                return Ok(Merging::Now(Written::Done(commit.unwrap_or_else(|| head.clone()))));
            }
            Ok(Merged::Queued) => {
                self.orders.put(place, number, head, self.clock.now());
                return Ok(Merging::Later);
            }
            Err(error) => error,
        };
        self.forget(place);
        let written = match refused.kind() {
            ForgeErrorKind::HeadMoved => {
                return Ok(Merging::Now(Written::Stale(format!("{} has moved", place.branch))));
            }
            ForgeErrorKind::Conflict(words) => return Ok(Merging::Now(Written::Stale(words.clone()))),
            ForgeErrorKind::Refused(words) => Ok(Merging::Now(Written::Refused(words.clone()))),
            ForgeErrorKind::Forbidden { .. } => Ok(Merging::Now(Written::Refused(refused.to_string()))),
            ForgeErrorKind::Unsupported(_) => Ok(Merging::Now(Written::Refused(refused.to_string()))),
            ForgeErrorKind::NotFound => {
                Ok(Merging::Now(Written::Stale(format!("proposal {number} is not open"))))
            }
            ForgeErrorKind::OutcomeUnknown => Err(from_forge(refused)),
            ForgeErrorKind::Unauthorized
            | ForgeErrorKind::AlreadyExists
            | ForgeErrorKind::NotReady(_)
            | ForgeErrorKind::RateLimited { .. }
            | ForgeErrorKind::Unreachable
            | ForgeErrorKind::Failed(_)
            | ForgeErrorKind::Broken(_)
            | ForgeErrorKind::Input(_) => return Err(from_forge(refused)),
        };
        // It may be merged already: by an order whose answer was lost, or by a person.
        let Some(commit) = self.merged(&*api, place, number, &merge.message).await? else { return written };
        self.clear_up(place, head).await;
        Ok(Merging::Now(Written::Done(commit)))
    }

    async fn close(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        head: &CommitId,
        because: &CloseReason,
    ) -> Result<Written, PortError> {
        let api = self.apis.open(&place.repository)?;
        let repo = self.repos.open(&place.repository)?;
        let tips = repo.tips(std::slice::from_ref(&place.branch)).await?;
        // Somebody works on it: then it is not ours to close.
        if tips.get(&place.branch).is_some_and(|tip| tip != head) {
            return Ok(Written::Stale(format!("{} has moved", place.branch)));
        }
        let pull = match api.get(number).await {
            Ok(pull) => Some(pull),
            Err(error) if *error.kind() == ForgeErrorKind::NotFound => None,
            Err(error) => return Err(from_forge(error)),
        };
        if let Some(pull) = pull.filter(|pull| pull.state == PullState::Open && is_of(pull, place)) {
            let why = why(because, self.clock.now());
            say_why(&*api, pull.number, &why).await.map_err(from_forge)?;
            if let Err(error) = api.close(pull.number).await {
                // Somebody may have merged or closed it at the same moment.
                let now = api.get(pull.number).await;
                if !now.is_ok_and(|now| now.state != PullState::Open) {
                    return Err(from_forge(error));
                }
            }
        }
        self.forget(place);
        repo.delete(&place.branch, head).await
    }

    async fn reviews(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
    ) -> Result<Vec<ReviewRecord>, PortError> {
        let turn = self.its_turn(&place.repository);
        // What lets nothing in may be late. A yes may have been taken back since, so it is asked for each time.
        if let Some(((of, said), true)) = self.reviews.get(place, turn, self.clock.now())
            && of == number
            && said.iter().all(|review| review.verdict != Verdict::Yes)
        {
            return Ok(said);
        }
        let (api, asked) = (self.apis.open(&place.repository)?, self.clock.now());
        let said = talk::reviews(&*api, number).await.map_err(from_forge)?;
        self.reviews.put(place, (number, said.clone()), asked);
        Ok(said)
    }

    async fn comments(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
    ) -> Result<Vec<CommentRecord>, PortError> {
        let turn = self.its_turn(&place.repository);
        if let Some(((of, said), true)) = self.comments.get(place, turn, self.clock.now())
            && of == number
        {
            return Ok(said);
        }
        let (api, asked) = (self.apis.open(&place.repository)?, self.clock.now());
        let ourselves = self.ourselves.of(&*api, &place.repository).await.map_err(from_forge)?;
        let said = talk::comments(&*api, number, ourselves.as_ref()).await.map_err(from_forge)?;
        self.comments.put(place, (number, said.clone()), asked);
        Ok(said)
    }

    async fn say(
        &self,
        place: &ProposalPlace,
        number: ProposalNumber,
        words: &str,
        to: Option<&AnswerTo>,
    ) -> Result<(), PortError> {
        let api = self.apis.open(&place.repository)?;
        // What is said is one more comment, and what it is to need not be heard again.
        self.comments.forget(place);
        talk::say(&*api, number, words, to).await.map_err(from_forge)
    }

    async fn who(&self, place: &ProposalPlace, person: &Person, groups: &[Group]) -> Result<Who, PortError> {
        talk::who(&*self.apis.open(&place.repository)?, person, groups).await.map_err(from_forge)
    }

    fn answers(&self, place: &ProposalPlace) {
        self.comments.forget(place);
    }

    async fn dispatch(&self, order: &DispatchOrder) -> Result<DispatchRecord, PortError> {
        let api = self.apis.open(&order.repository)?;
        Ok(DispatchRecord { url: api.dispatch(order).await.map_err(from_forge)? })
    }

    fn tells(&self, repository: &Repository) -> bool {
        self.told.lately(&repository.url, self.clock.now())
    }

    async fn tell(&self, place: &ProposalPlace, standing: &Standing) -> Result<(), PortError> {
        let api = self.apis.open(&place.repository)?;
        let lacks = |error: &ForgeError| self.dressed.lacks(&*api, error);
        self.standings.tell(&*api, place, standing, lacks).await.map_err(from_forge)
    }
}

/// Says why it is closed; what was said before a crash is not said again.
async fn say_why(api: &dyn ForgeApi, number: ProposalNumber, why: &str) -> Result<(), ForgeError> {
    match sticky::keep(api, number, why, CLOSING).await {
        // A forge without comments closes without a word.
        Err(error) if matches!(error.kind(), ForgeErrorKind::Unsupported(_)) => Ok(()),
        said => said.map(drop),
    }
}

pub(super) fn which(place: &ProposalPlace) -> Which {
    (place.repository.url.clone(), place.base.clone(), place.branch.clone())
}

/// Whether it is the proposal of this place, and of no fork.
fn is_of(pull: &Pull, place: &ProposalPlace) -> bool {
    !pull.from_fork && pull.head_branch == place.branch && pull.base == place.base
}

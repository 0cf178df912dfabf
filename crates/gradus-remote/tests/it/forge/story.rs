//! One story that is the same in every forge, told of each of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::names::{BranchName, CommitId, ProposalNumber};
use gradus_remote::forge::{
    Account, CheckState, ForgeApi, ForgeErrorKind, Label, MergeMethod, MergeOrder, Mergeable, Merged,
    NewCheck, NewDeployment, NewPull, Pull, PullChange, PullState, Reviewers, Rights, Verdict,
};

use super::doubles::Who;

pub(super) const BRANCH: &str = "gradus/apps/web/prod";
pub(super) const FILE: &str = "prod/web.yaml";

/// A repository of its own in a forge, and people at it.
#[async_trait]
pub(super) trait Place: Send + Sync {
    fn api(&self, who: Who) -> Arc<dyn ForgeApi>;

    /// What the two are called.
    fn ann(&self) -> Account;

    fn gradus(&self) -> Account;

    /// A commit with this file on top of a branch, as the tip of another.
    async fn write(&self, branch: &str, on: &str, text: &str) -> CommitId;

    async fn tip(&self, branch: &str) -> Option<CommitId>;

    async fn file(&self, branch: &str) -> String;

    async fn parents(&self, commit: &CommitId) -> usize;

    async fn message(&self, commit: &CommitId) -> String;

    /// Ann gives a proposal another title.
    async fn retitle(&self, number: ProposalNumber, title: &str);

    /// Ann approves it.
    async fn approve(&self, number: ProposalNumber);

    /// The base branch takes only what somebody approved.
    async fn need_approval(&self);

    /// Eve opens one of the same branches from a repository of her own.
    async fn open_from_fork(&self) -> ProposalNumber;

    async fn archive(&self);

    /// The milestone 1.2 is there, where somebody has to make it.
    async fn plan(&self) {}
}

/// What a forge has.
pub(super) struct Has {
    /// A second proposal of the same branches is refused; else it is opened, or is the first again.
    pub(super) refuses_duplicates: bool,
    pub(super) methods: &'static [MergeMethod],
    pub(super) labels: bool,
    pub(super) assignees: bool,
    pub(super) milestones: bool,
    pub(super) deployments: bool,
    pub(super) review_commits: bool,
    pub(super) scopes: Option<&'static str>,
    /// What it says where an approval is missing.
    pub(super) needs_approval: &'static str,
    /// What it says to who may only read.
    pub(super) may_only_read: &'static str,
    pub(super) archives: bool,
    /// Whether it says that two branches conflict, and not only that it does not know yet.
    pub(super) tells_conflicts: bool,
}

fn branch(name: &str) -> BranchName {
    BranchName::parse(name).unwrap()
}

fn new(title: &str) -> NewPull {
    NewPull {
        head: branch(BRANCH),
        base: branch("main"),
        title: title.to_owned(),
        body: "1 -> 2\n\n- proven in *staging*\n".to_owned(),
        draft: false,
    }
}

pub(super) fn order(head: &CommitId, method: MergeMethod) -> MergeOrder {
    let (title, message) = ("web 2 to prod".to_owned(), "Proven in staging.".to_owned());
    MergeOrder { head: head.clone(), method, title, message, delete_branch: false, queue: false }
}

async fn opened(place: &dyn Place) -> (Arc<dyn ForgeApi>, CommitId, Pull) {
    let api = place.api(Who::Gradus);
    let head = place.write(BRANCH, "main", "version: 2").await;
    let pull = api.create(&new("web 2 to prod")).await.unwrap();
    (api, head, pull)
}

async fn found(api: &dyn ForgeApi) -> Option<Pull> {
    api.find_open(&branch(BRANCH), &branch("main")).await.unwrap()
}

/// The same, until the forge is done thinking.
pub(super) async fn merged(
    api: &dyn ForgeApi,
    number: ProposalNumber,
    order: &MergeOrder,
) -> Result<Merged, ForgeErrorKind> {
    for _ in 0..40 {
        match api.merge(number, order).await {
            Ok(merged) => return Ok(merged),
            Err(error) if matches!(error.kind(), ForgeErrorKind::NotReady(_)) => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) => return Err(error.kind().clone()),
        }
    }
    Err(ForgeErrorKind::NotReady("never".to_owned()))
}

pub(super) async fn opens_and_changes(place: &dyn Place, has: &Has) {
    let (api, head, pull) = opened(place).await;
    assert_eq!(
        (pull.title.as_str(), pull.body.trim_end()),
        ("web 2 to prod", "1 -> 2\n\n- proven in *staging*")
    );
    assert_eq!((&pull.head_branch, &pull.base), (&branch(BRANCH), &branch("main")));
    assert_eq!((&pull.state, pull.draft, pull.from_fork), (&PullState::Open, false, false));
    assert_eq!(api.get(pull.number).await.unwrap().head, Some(head));
    assert!(pull.url.starts_with("http"), "{}", pull.url);
    assert_eq!(found(&*api).await.unwrap().number, pull.number);
    assert_eq!(api.find_open(&branch(BRANCH), &branch("other")).await.unwrap(), None);
    assert_eq!(api.refuses_duplicates(), has.refuses_duplicates);
    if has.refuses_duplicates {
        let error = api.create(&new("again")).await.unwrap_err();
        assert_eq!(*error.kind(), ForgeErrorKind::AlreadyExists, "{error}");
    }
    let title = PullChange { title: Some("web 3 to prod".to_owned()), ..PullChange::default() };
    let changed = api.update(pull.number, &title).await.unwrap();
    assert_eq!((changed.title.as_str(), &changed.body), ("web 3 to prod", &pull.body));
    let body = PullChange { body: Some("1 -> 3\n".to_owned()), ..PullChange::default() };
    api.update(pull.number, &body).await.unwrap();
    let changed = found(&*api).await.unwrap();
    assert_eq!((changed.title.as_str(), changed.body.trim_end()), ("web 3 to prod", "1 -> 3"));
    place.retitle(pull.number, "mine").await;
    assert_eq!(api.get(pull.number).await.unwrap().title, "mine");
    let error = api.get(ProposalNumber(999)).await.unwrap_err();
    assert_eq!(*error.kind(), ForgeErrorKind::NotFound, "{error}");
}

pub(super) async fn merges_what_was_seen(place: &dyn Place, has: &Has) {
    let (api, old, pull) = opened(place).await;
    let head = place.write(BRANCH, BRANCH, "version: 3").await;
    let main = place.tip("main").await;
    assert_eq!(
        merged(&*api, pull.number, &order(&old, MergeMethod::Merge)).await,
        Err(ForgeErrorKind::HeadMoved)
    );
    place.need_approval().await;
    let refused = merged(&*api, pull.number, &order(&head, MergeMethod::Merge)).await;
    assert_eq!(refused, Err(ForgeErrorKind::Refused(has.needs_approval.to_owned())));
    assert_eq!(place.tip("main").await, main);
    assert!(api.reviews(pull.number).await.unwrap().is_empty());
    place.approve(pull.number).await;
    let reviews = api.reviews(pull.number).await.unwrap();
    assert_eq!(reviews.len(), 1);
    assert_eq!((&reviews[0].by, reviews[0].verdict), (&place.ann(), Verdict::Approved));
    assert_eq!(reviews[0].on.as_ref(), has.review_commits.then_some(&head));
    let done = merged(&*api, pull.number, &order(&head, MergeMethod::Merge)).await.unwrap();
    let tip = place.tip("main").await.unwrap();
    assert!(matches!(&done, Merged::Done(None)) || done == Merged::Done(Some(tip.clone())), "{done:?}");
    assert_eq!(place.file("main").await, "version: 3");
    assert_eq!(place.message(&tip).await.trim_end(), "web 2 to prod\n\nProven in staging.");
    let after = api.get(pull.number).await.unwrap();
    let PullState::Merged { commit, by } = after.state.clone() else { panic!("{:?}", after.state) };
    assert_eq!(commit, Some(tip));
    assert!(by.is_none_or(|by| by == place.gradus()));
    assert_eq!(found(&*api).await, None);
    let ended = api.find_ended(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    assert_eq!((ended.number, &ended.head), (pull.number, &Some(head.clone())));
    let again = api.merge(pull.number, &order(&head, MergeMethod::Merge)).await.unwrap_err();
    assert!(
        matches!(
            again.kind(),
            ForgeErrorKind::Refused(_) | ForgeErrorKind::HeadMoved | ForgeErrorKind::NotFound
        ),
        "{again:?}"
    );
    api.delete_branch(&branch(BRANCH)).await.unwrap();
    assert_eq!(place.tip(BRANCH).await, None);
    api.delete_branch(&branch(BRANCH)).await.unwrap();
}

pub(super) async fn merges_as_it_is_said(place: &dyn Place, has: &Has, method: MergeMethod) {
    let (api, head, pull) = opened(place).await;
    let base = place.tip("main").await;
    let done = merged(&*api, pull.number, &order(&head, method)).await;
    if !has.methods.contains(&method) {
        assert!(matches!(done, Err(ForgeErrorKind::Refused(_) | ForgeErrorKind::Unsupported(_))), "{done:?}");
        assert_eq!(place.tip("main").await, base);
        return;
    }
    assert!(matches!(done, Ok(Merged::Done(_))), "{done:?}");
    let tip = place.tip("main").await.unwrap();
    let parents = if method == MergeMethod::Merge { 2 } else { 1 };
    assert_eq!(place.parents(&tip).await, parents, "{method:?}");
    match method {
        MergeMethod::FastForward => assert_eq!(tip, head),
        MergeMethod::Merge | MergeMethod::Squash => assert_ne!(tip, head, "{method:?}"),
        // What is on top of the base already may stay as it is.
        MergeMethod::Rebase => {}
    }
    assert_eq!(place.file("main").await, "version: 2");
}

pub(super) async fn says_that_branches_conflict(place: &dyn Place, has: &Has) {
    let (api, head, pull) = opened(place).await;
    place.write("main", "main", "version: by hand").await;
    let refused = merged(&*api, pull.number, &order(&head, MergeMethod::Merge)).await;
    match refused {
        Err(ForgeErrorKind::Conflict(_)) => {}
        Err(ForgeErrorKind::NotReady(_)) if !has.tells_conflicts => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(place.file("main").await, "version: by hand");
    assert_ne!(api.get(pull.number).await.unwrap().mergeable, Mergeable::Yes);
}

pub(super) async fn closes(place: &dyn Place) {
    let (api, head, pull) = opened(place).await;
    api.close(pull.number).await.unwrap();
    api.close(pull.number).await.unwrap();
    assert_eq!(found(&*api).await, None);
    let ended = api.find_ended(&branch(BRANCH), &branch("main")).await.unwrap().unwrap();
    assert_eq!((ended.number, ended.head), (pull.number, Some(head)));
    assert!(matches!(ended.state, PullState::Closed { .. }), "{:?}", ended.state);
    let next = api.create(&new("web 2 to prod")).await.unwrap();
    assert_ne!(next.number, pull.number);
    assert_eq!(found(&*api).await.unwrap().number, next.number);
}

pub(super) async fn ignores_forks(place: &dyn Place) {
    let head = place.write(BRANCH, "main", "version: 2").await;
    let theirs = place.open_from_fork().await;
    let api = place.api(Who::Gradus);
    assert_eq!(found(&*api).await, None);
    assert_eq!(api.find_ended(&branch(BRANCH), &branch("main")).await.unwrap(), None);
    assert!(api.get(theirs).await.unwrap().from_fork);
    let ours = api.create(&new("web 2 to prod")).await.unwrap();
    assert_ne!(ours.number, theirs);
    let found = found(&*api).await.unwrap();
    assert_eq!((found.number, found.head), (ours.number, Some(head)));
}

pub(super) async fn gives_statuses(place: &dyn Place) {
    let api = place.api(Who::Gradus);
    let head = place.write(BRANCH, "main", "version: 2").await;
    let check = |name: &str, state: CheckState| NewCheck {
        name: name.to_owned(),
        state,
        summary: "soaks".to_owned(),
        url: Some("https://gradus.acme.io/web".to_owned()),
    };
    let names = ["gradus/apps/web/prod", "gradus/apps/web/staging", "gradus/apps/shop/prod"];
    for name in names {
        api.set_check(&head, &check(name, CheckState::Pending)).await.unwrap();
        // What is so already stays so.
        api.set_check(&head, &check(name, CheckState::Pending)).await.unwrap();
    }
    api.set_check(&head, &check(names[0], CheckState::Failed)).await.unwrap();
    api.set_check(&head, &check(names[1], CheckState::Passed)).await.unwrap();
    let checks = api.checks(&head).await.unwrap();
    let mut states: Vec<_> = checks.iter().map(|check| (check.name.as_str(), check.state)).collect();
    states.sort_by_key(|(name, _)| *name);
    let expected =
        [(names[2], CheckState::Pending), (names[0], CheckState::Failed), (names[1], CheckState::Passed)];
    assert_eq!(states, expected);
    assert!(checks.iter().all(|check| check.summary == "soaks"), "{checks:?}");
    assert!(
        checks.iter().all(|check| check.url.as_deref() == Some("https://gradus.acme.io/web")),
        "{checks:?}"
    );
    let plain = NewCheck { url: None, ..check("plain", CheckState::Passed) };
    api.set_check(&head, &plain).await.unwrap();
    assert_eq!(api.checks(&head).await.unwrap().len(), 4);
}

pub(super) async fn talks(place: &dyn Place) {
    let (api, _, pull) = opened(place).await;
    assert!(api.comments(pull.number).await.unwrap().is_empty());
    let mut ids = Vec::new();
    for text in ["one", "two", "three"] {
        ids.push(api.comment(pull.number, text).await.unwrap());
        // A page that was full and the last one is as before, and not the last one any more.
        assert_eq!(api.comments(pull.number).await.unwrap().len(), ids.len());
    }
    for text in ["two, but other", "two, at last"] {
        api.edit_comment(pull.number, &ids[1], text).await.unwrap();
    }
    let comments = api.comments(pull.number).await.unwrap();
    let said: Vec<_> = comments.iter().map(|comment| (comment.id.clone(), comment.body.as_str())).collect();
    assert_eq!(said, [(ids[0].clone(), "one"), (ids[1].clone(), "two, at last"), (ids[2].clone(), "three")]);
    assert!(comments.iter().all(|comment| comment.by == place.gradus()), "{comments:?}");
}

pub(super) async fn marks(place: &dyn Place, has: &Has) {
    let (api, _, pull) = opened(place).await;
    let labels = [Label("env/prod".into()), Label("gradus".into())];
    let ann = place.ann();
    if has.labels {
        api.set_labels(pull.number, &labels).await.unwrap();
        assert_eq!(api.get(pull.number).await.unwrap().labels, labels.clone().into());
        api.set_labels(pull.number, &labels[..1]).await.unwrap();
        assert_eq!(api.get(pull.number).await.unwrap().labels, BTreeSet::from([labels[0].clone()]));
    } else {
        let error = api.set_labels(pull.number, &labels).await.unwrap_err();
        assert!(matches!(error.kind(), ForgeErrorKind::Unsupported(_)), "{error:?}");
    }
    let reviewers = Reviewers { people: vec![ann.clone()], teams: vec![] };
    api.request_reviews(pull.number, &reviewers).await.unwrap();
    api.request_reviews(pull.number, &reviewers).await.unwrap();
    assert!(api.reviews(pull.number).await.unwrap().is_empty(), "who was asked has not said anything");
    // Who was asked is still asked after the text changes.
    let change = PullChange { body: Some("other\n".to_owned()), ..PullChange::default() };
    api.update(pull.number, &change).await.unwrap();
    place.approve(pull.number).await;
    assert_eq!(api.reviews(pull.number).await.unwrap().len(), 1);
    place.plan().await;
    match api.set_milestone(pull.number, "1.2").await {
        Ok(()) => {
            assert!(has.milestones);
            let error = api.set_milestone(pull.number, "2.0").await.unwrap_err();
            assert!(matches!(error.kind(), ForgeErrorKind::Input(_)), "{error:?}");
        }
        Err(error) => {
            assert!(!has.milestones && matches!(error.kind(), ForgeErrorKind::Unsupported(_)), "{error:?}");
        }
    }
    let assigned = api.set_assignees(pull.number, &[ann]).await;
    match assigned {
        Ok(()) => assert!(has.assignees),
        Err(error) => {
            assert!(!has.assignees && matches!(error.kind(), ForgeErrorKind::Unsupported(_)), "{error:?}");
        }
    }
}

/// A commit is in an environment, works, and fails then; whoever was started just now finds it.
pub(super) async fn deploys(api: &dyn ForgeApi, head: &CommitId) {
    let new = |state| NewDeployment {
        environment: "web/prod".to_owned(),
        commit: head.clone(),
        branch: branch("main"),
        state,
        summary: "2 is healthy in prod".to_owned(),
    };
    assert_eq!(api.deployment("web/prod", head).await.unwrap(), None);
    let id = api.deploy(&new(CheckState::Passed), None).await.unwrap();
    let found = api.deployment("web/prod", head).await.unwrap();
    assert_eq!(found, Some((id.clone(), Some(CheckState::Passed))));
    assert_eq!(api.deploy(&new(CheckState::Failed), Some(&id)).await.unwrap(), id);
    let found = api.deployment("web/prod", head).await.unwrap();
    assert_eq!(found, Some((id, Some(CheckState::Failed))));
    assert_eq!(api.deployment("web/staging", head).await.unwrap(), None);
}

pub(super) async fn knows_who_asks(place: &dyn Place, has: &Has) {
    let (api, head, pull) = opened(place).await;
    let identity = api.whoami().await.unwrap();
    assert_eq!(identity.account, Some(place.gradus()));
    assert_eq!(identity.scopes, has.scopes.map(|scope| BTreeSet::from([scope.to_owned()])));
    let facts = api.repository().await.unwrap();
    assert!(facts.rights.is_none_or(|rights| rights == Rights::Write), "{facts:?}");
    assert_eq!((facts.archived, facts.default_branch), (false, Some(branch("main"))));
    if let Some(methods) = facts.methods {
        assert_eq!(methods.into_iter().collect::<BTreeSet<_>>(), has.methods.iter().copied().collect());
    }
    let nobody = place.api(Who::Nobody);
    for error in [
        nobody.get(pull.number).await.unwrap_err(),
        nobody.whoami().await.unwrap_err(),
        nobody.merge(pull.number, &order(&head, MergeMethod::Merge)).await.unwrap_err(),
    ] {
        assert_eq!(*error.kind(), ForgeErrorKind::Unauthorized, "{error}");
    }
    let reader = place.api(Who::Reader);
    assert_eq!(reader.get(pull.number).await.unwrap().number, pull.number);
    let change = PullChange { body: Some("other\n".to_owned()), ..PullChange::default() };
    let error = reader.update(pull.number, &change).await.unwrap_err();
    assert!(matches!(error.kind(), ForgeErrorKind::Forbidden { .. }), "{error:?}");
    assert!(error.to_string().ends_with(has.may_only_read), "{error}");
    if has.archives {
        place.archive().await;
        assert!(api.repository().await.unwrap().archived);
        let error = api.update(pull.number, &change).await.unwrap_err();
        let is_told = matches!(
            error.kind(),
            ForgeErrorKind::Forbidden { .. }
                | ForgeErrorKind::Refused(_)
                | ForgeErrorKind::Conflict(_)
                | ForgeErrorKind::NotFound
        );
        assert!(is_told, "{error:?}");
    }
}

pub(super) async fn tells_of_itself(place: &dyn Place) {
    let api = place.api(Who::Gradus);
    api.software().await.unwrap();
    let before = api.protection(&branch("main")).await.unwrap();
    assert_eq!((before.is_protected, before.approvals), (false, 0));
    place.need_approval().await;
    assert_eq!(api.protection(&branch("main")).await.unwrap().approvals, 1);
    let at = api.address();
    let own = format!("{}/{}", at.owner(), at.name);
    assert!(api.others().await.unwrap().contains(&own), "{own}");
    match api.hooks().await {
        Ok(hooks) => assert!(hooks.iter().all(|hook| hook.url.contains("/hooks/forge/"))),
        // Not told to everybody.
        Err(error) => assert!(matches!(error.kind(), ForgeErrorKind::Forbidden { .. }), "{error:?}"),
    }
    assert!(!api.absent().is_empty());
}

//! What the tests of the requests ask for.

use gradus_core::names::{
    ArtifactName, BranchName, CommitId, EnvironmentName, EventType, Person, PipelineKey, ProposalNumber,
    RepoPath, TargetName,
};
use gradus_core::observation::RequestKind;
use gradus_core::pipeline::Repository;
use gradus_core::release::Release;
use gradus_core::version::Version;
use gradus_engine::port::dispatch::DispatchOrder;

use super::model::{
    CheckState, DeploymentId, Label, MergeMethod, MergeOrder, NewCheck, NewDeployment, NewPull, PullChange,
};
use super::request::Request;

pub(super) const NUMBER: ProposalNumber = ProposalNumber(7);

pub(super) fn head() -> BranchName {
    BranchName::parse("gradus/apps/web/prod").unwrap()
}

pub(super) fn base() -> BranchName {
    BranchName::parse("main").unwrap()
}

pub(super) fn commit() -> CommitId {
    CommitId::parse("8f0c1a9bd7c0d1f5e6a7b8c9d0e1f2a3b4c5d6e7").unwrap()
}

pub(super) fn new(draft: bool) -> NewPull {
    let (title, body) = ("web 1.2.3 to prod".to_owned(), "old -> \"new\"\n".to_owned());
    NewPull { head: head(), base: base(), title, body, draft }
}

pub(super) fn change() -> PullChange {
    PullChange { title: Some("web 1.2.4".to_owned()), ..PullChange::default() }
}

pub(super) fn order(method: MergeMethod) -> MergeOrder {
    let (title, message) = ("web 1.2.3".to_owned(), "Why: it is time".to_owned());
    MergeOrder { head: commit(), method, title, message, delete_branch: false, queue: false }
}

pub(super) fn queued(method: MergeMethod) -> MergeOrder {
    MergeOrder { queue: true, ..order(method) }
}

pub(super) fn check() -> NewCheck {
    let (name, summary) = ("gradus/prod".to_owned(), "waits for an approval".to_owned());
    NewCheck { name, state: CheckState::Pending, summary, url: None }
}

pub(super) fn deployment() -> NewDeployment {
    NewDeployment {
        environment: "web/prod".to_owned(),
        commit: commit(),
        branch: base(),
        state: CheckState::Passed,
        summary: "1.2.3 is healthy in prod".to_owned(),
    }
}

pub(super) fn dispatch() -> DispatchOrder {
    let release =
        |text: &str| Release::single(ArtifactName::parse("app").unwrap(), Version::parse(text).unwrap());
    DispatchOrder {
        repository: Repository {
            url: "https://git.acme.io/acme/fleet.git".into(),
            branch: None,
            paths: Vec::new(),
            secret: None,
            forge: None,
            commit: Default::default(),
        },
        event: EventType::promotion(),
        on: base(),
        promotion: "5f0c1d9e8b7a6f5e4d3c2b1a09f8e7d6c5b4a392".into(),
        pipeline: PipelineKey::parse("apps/web").unwrap(),
        environment: EnvironmentName::parse("prod").unwrap(),
        from: Some(release("1.2.2")),
        to: release("1.2.3"),
        base: base(),
        files: vec![RepoPath::parse("apps/prod/web.yaml").unwrap()],
        targets: vec![TargetName::parse("eu").unwrap(), TargetName::parse("us").unwrap()],
        asked: Some((RequestKind::Promote, Person::parse("ann").unwrap())),
        approved_by: vec![Person::parse("rita").unwrap()],
        because: "ann asked for it.".to_owned(),
    }
}

pub(super) fn deployment_id() -> DeploymentId {
    DeploymentId("42".to_owned())
}

pub(super) fn labels() -> [Label; 2] {
    [Label("env/prod".into()), Label("gradus".into())]
}

/// Requests as they are compared: what each is for, and how it is sent.
pub(super) fn shown(requests: &[Request]) -> String {
    let text: Vec<String> =
        requests.iter().map(|request| format!("# {}\n{request}", request.doing)).collect();
    text.join("\n")
}

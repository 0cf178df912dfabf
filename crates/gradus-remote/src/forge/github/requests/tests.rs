use gradus_core::names::{BranchName, CommitId, ProposalNumber};

use crate::forge::address::{ForgeKind, RepoAddress};
use crate::forge::model::{
    Account, CheckState, CommentId, Label, MergeMethod, MergeOrder, NewCheck, NewPull, PullChange, Reviewers,
};

#[test]
fn every_request_is_as_the_description_says() {
    let at = RepoAddress::parse(ForgeKind::GitHub, "https://github.com/acme/fleet.git", None).unwrap();
    let (head, base) =
        (BranchName::parse("gradus/apps/web/prod").unwrap(), BranchName::parse("main").unwrap());
    let commit = CommitId::parse("8f0c1a9bd7c0d1f5e6a7b8c9d0e1f2a3b4c5d6e7").unwrap();
    let number = ProposalNumber(7);
    let new = NewPull {
        head: head.clone(),
        base: base.clone(),
        title: "web 1.2.3 to prod".to_owned(),
        body: "old -> \"new\"\n".to_owned(),
        draft: false,
    };
    let order = MergeOrder {
        head: commit.clone(),
        method: MergeMethod::Squash,
        title: "web 1.2.3".to_owned(),
        message: "Why: it is time".to_owned(),
        delete_branch: false,
    };
    let check = NewCheck {
        name: "gradus/prod".to_owned(),
        state: CheckState::Pending,
        summary: "waits for an approval".to_owned(),
        url: None,
    };
    let long = NewCheck {
        state: CheckState::Neutral,
        summary: "é".repeat(200),
        url: Some("https://gradus.acme.io/web".to_owned()),
        ..check.clone()
    };
    let reviewers = Reviewers { people: vec![Account("ann".into())], teams: vec!["release".to_owned()] };
    let title = PullChange { title: Some("web 1.2.4".to_owned()), ..PullChange::default() };
    let fast = MergeOrder { method: MergeMethod::FastForward, ..order.clone() };
    assert_eq!(super::merge_pull(&at, number, &fast), None);
    let requests = [
        super::open_pulls(&at, &head, &base),
        super::ended_pulls(&at, &head, &base),
        super::pull(&at, number),
        super::issue(&at, number),
        super::create_pull(&at, &new),
        super::create_pull(&at, &NewPull { draft: true, ..new }),
        super::edit_pull(&at, number, &title),
        super::close_pull(&at, number),
        super::merge_pull(&at, number, &order).unwrap(),
        super::delete_branch(&at, &head),
        super::reviews(&at, number),
        super::statuses(&at, &commit),
        super::check_runs(&at, &commit),
        super::create_status(&at, &commit, &check),
        super::create_status(&at, &commit, &long),
        super::comments(&at, number),
        super::create_comment(&at, number, "Closed: overtaken"),
        super::edit_comment(&at, &CommentId("12".to_owned()), "Closed: overtaken"),
        super::labels(&at),
        super::create_label(&at, &Label("env/prod".into()), "3b7dd8"),
        super::replace_labels(&at, number, &[Label("env/prod".into())]),
        super::request_reviews(&at, number, &reviewers),
        super::assign(&at, number, &[Account("ann".into())]),
        super::user(),
        super::repository(&at),
        super::installation_of(&at),
        super::installation_token(42),
    ];
    let text: Vec<String> =
        requests.iter().map(|request| format!("# {}\n{request}", request.doing)).collect();
    insta::assert_snapshot!(text.join("\n"));
}

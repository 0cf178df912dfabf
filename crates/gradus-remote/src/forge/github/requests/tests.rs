use crate::forge::address::{ForgeKind, RepoAddress};
use crate::forge::model::{
    Account, CheckState, CommentId, Label, MergeMethod, MergeOrder, NewCheck, Reviewers,
};
use crate::forge::people;
use crate::forge::sample;

#[test]
fn every_request_is_as_the_description_says() {
    let at = RepoAddress::parse(ForgeKind::GitHub, "https://github.com/acme/fleet.git", None).unwrap();
    let (head, base, commit, number) = (sample::head(), sample::base(), sample::commit(), sample::NUMBER);
    let (order, check) = (sample::order(MergeMethod::Squash), sample::check());
    let long = NewCheck {
        state: CheckState::Neutral,
        summary: "é".repeat(200),
        url: Some("https://gradus.acme.io/web".to_owned()),
        ..check.clone()
    };
    let reviewers = Reviewers { people: vec![Account("ann".into())], teams: vec!["release".to_owned()] };
    let fast = MergeOrder { method: MergeMethod::FastForward, ..order.clone() };
    assert_eq!(super::merge_pull(&at, number, &fast), None);
    let requests = [
        super::open_pulls(&at, &head, &base),
        super::ended_pulls(&at, &head, &base),
        super::pull(&at, number),
        super::issue(&at, number),
        super::create_pull(&at, &sample::new(false)),
        super::create_pull(&at, &sample::new(true)),
        super::edit_pull(&at, number, &sample::change()),
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
        crate::forge::github::later::enable(&at, "PR_1", &order).unwrap(),
        crate::forge::github::later::enqueue(&at, "PR_1", &order),
        super::milestones(&at),
        super::set_milestone(&at, number, 3),
        super::deployments(&at, "web/prod", &commit),
        super::deployment_statuses(&at, &sample::deployment_id()),
        super::create_deployment(&at, &sample::deployment()),
        super::create_deployment_status(&at, &sample::deployment_id(), &sample::deployment()),
        super::dispatch(&at, &sample::dispatch()),
        super::user(),
        super::repository(&at),
        super::installation_of(&at),
        super::installation_token(42),
        super::team_member("acme", "release", &Account("ann".into())),
        people::permission(&at, &Account("ann".into())),
        people::profile(&Account("ann".into())),
        people::organisation(&at),
        people::membership(&at, &Account("ann".into())),
        people::react(&at, number, &CommentId("12".to_owned()), false),
    ];
    insta::assert_snapshot!(sample::shown(&requests));
}

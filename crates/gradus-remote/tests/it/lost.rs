//! A write whose answer is lost is looked at before anything is decided.

use gradus_engine::port::PortErrorKind;
use gradus_engine::port::repo::{CommitOrder, Written};

use crate::place::{Place, Via};
use crate::port::{at, branch, open, order};
use crate::server::Fault;

const PUSH: &str = "/git-receive-pack";
const ADVERTISEMENT: &str = "info/refs?service=git-upload-pack";

fn fault(place: &Place, end: &'static str, fault: Fault) {
    place.server.as_ref().unwrap().fault(end, fault);
}

#[tokio::test]
async fn what_landed_is_done() {
    for lost in [Fault::DropAfter, Fault::Cut(30)] {
        let place = Place::new(Via::Http, &[("a", "1\n")]).await;
        let repo = open(&place);
        let change = order(&place, "a", "1\n", "2\n");
        fault(&place, PUSH, lost.clone());
        let Written::Done(id) = repo.commit(&change).await.unwrap() else { panic!("not done") };
        assert_eq!(at(&place, "main"), id);

        fault(&place, PUSH, lost.clone());
        let new = CommitOrder { branch: branch("new"), expect: None, ..order(&place, "a", "2\n", "3\n") };
        let Written::Done(id) = repo.commit(&new).await.unwrap() else { panic!("not done") };
        assert_eq!(at(&place, "new"), id);

        fault(&place, PUSH, lost);
        assert_eq!(repo.delete(&branch("new"), &id).await.unwrap(), Written::Done(id));
        assert!(repo.tips(&[branch("new")]).await.unwrap().is_empty());
        place.done();
    }
}

/// The same order again is the way on, and it is safe.
#[tokio::test]
async fn what_did_not_land_is_told_and_can_be_repeated() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let repo = open(&place);
    let before = at(&place, "main");
    let change = order(&place, "a", "1\n", "2\n");
    let new = CommitOrder { branch: branch("new"), expect: None, ..change.clone() };
    for order in [change, new] {
        fault(&place, PUSH, Fault::DropBefore);
        let error = repo.commit(&order).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::OutcomeUnknown);
        let text = error.in_full();
        let start = format!(
            "cannot push to branch {} of {}: it was sent, but whether it was done is not known: the connection broke",
            order.branch,
            place.url()
        );
        assert!(text.starts_with(&start), "{text}");
        assert!(error.hint.unwrap().contains("look at the branch"));
        assert_eq!(
            repo.tips(std::slice::from_ref(&order.branch)).await.unwrap().get(&order.branch),
            order.expect.as_ref()
        );
        let Written::Done(id) = repo.commit(&order).await.unwrap() else { panic!("not done") };
        assert_eq!(at(&place, order.branch.as_str()), id);
    }
    let id = at(&place, "new");
    fault(&place, PUSH, Fault::DropBefore);
    let error = repo.delete(&branch("new"), &id).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown);
    assert_eq!(at(&place, "new"), id);
    assert_eq!(repo.delete(&branch("new"), &id).await.unwrap(), Written::Done(id));
    assert_ne!(at(&place, "main"), before);
    place.done();
}

#[tokio::test]
async fn where_nobody_can_look_the_outcome_stays_unknown() {
    let place = Place::new(Via::Http, &[("a", "1\n")]).await;
    let repo = open(&place);
    let change = order(&place, "a", "1\n", "2\n");
    // What the host can do is known, so that it is asked for again only after the push.
    repo.default_branch().await.unwrap();
    fault(&place, PUSH, Fault::DropAfter);
    fault(&place, ADVERTISEMENT, Fault::Status(503, "come back later"));
    let error = repo.commit(&change).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown, "{}", error.in_full());
    assert_eq!(repo.commit(&change).await.unwrap(), Written::AlreadyTrue(at(&place, "main")));
    place.done();
}

/// Somebody else moved the branch while nobody knew what became of the push.
#[tokio::test]
async fn a_branch_that_is_elsewhere_is_stale() {
    let place = Place::new(Via::Http, &[("a", "1\n"), ("b", "1\n")]).await;
    let repo = open(&place);
    let change = order(&place, "a", "1\n", "2\n");
    let meanwhile = place.commit("main", &[("b", "2\n")], "meanwhile");
    fault(&place, PUSH, Fault::DropBefore);
    assert_eq!(repo.commit(&change).await.unwrap(), Written::Stale("main has moved".to_owned()));
    let gone = branch("topic");
    place.commit("topic", &[("b", "3\n")], "topic");
    let head = at(&place, "topic");
    place.commit("topic", &[("b", "4\n")], "more");
    fault(&place, PUSH, Fault::DropBefore);
    assert_eq!(repo.delete(&gone, &head).await.unwrap(), Written::Stale("topic has moved".to_owned()));
    assert_eq!(place.at("main"), meanwhile);
    place.done();
}

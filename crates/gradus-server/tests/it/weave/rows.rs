//! Which events promote, and who learns what, over the wire.

use serde_json::{Value, json};

use super::pipelines::Promoter;
use super::world::{Hook, event, notification};

async fn told(hook: &Hook, body: &Value) -> (u16, usize) {
    let before = hook.pipelines.tried().len();
    let answer = hook.ask("POST /promotion/default/app/dev", &body.to_string()).await;
    (answer.status, hook.pipelines.tried().len() - before)
}

/// R1: the order of refusals. Without a signature nothing is learnt of an environment; that
/// there is a pipeline is, as its key has to be found first.
#[tokio::test]
async fn r1_refusals_come_in_their_order() {
    let signed = json!({"strategy": {"notification": {}, "secretRef": {"name": "hook"}}});
    let hook = Hook::with(signed, |_options| {}).await;
    for (head, expected) in [
        ("POST /promotion/default", 404),
        ("GET /promotion/default", 405),
        ("POST /promotion/default/other/dev", 404),
        ("POST /promotion/default/app/nowhere", 401),
        ("POST /promotion/default/app/dev", 401),
        ("POST /approval/default/app/nowhere/1", 401),
        ("POST /promotion/..%2f/app/dev", 404),
        ("POST /promotion/default/app/%zz", 400),
    ] {
        assert_eq!(hook.ask(head, "oops").await.status, expected, "{head}");
    }
    hook.pipelines.state.lock().unwrap().unreachable = true;
    let answer = hook.ask("POST /promotion/default/app/dev", "{}").await;
    assert_eq!((answer.status, answer.body.as_str()), (500, ""));
}

/// A14: a dispatch of GitHub is taken like the event that it carries.
#[tokio::test]
async fn a14_a_dispatch_promotes_like_its_event() {
    let hook = Hook::plain().await;
    let dispatch = json!({"event_type": "HelmRelease/app.default", "client_payload": event("1.0.0")});
    assert_eq!(told(&hook, &dispatch).await, (201, 1));
    assert_eq!(told(&hook, &event("1.0.0")).await, (201, 1));
}

/// A15, A24, and what was rolled back: answered with 204, and nothing is promoted or waits.
#[tokio::test]
async fn a15_a24_what_is_no_success_here_promotes_nothing() {
    for manual in [false, true] {
        let hook = Hook::with(notification(manual), |_options| {}).await;
        for change in [
            json!({"severity": "error"}),
            json!({"reason": "RollbackSucceeded"}),
            json!({"reason": "info", "message": "Helm upgrade has started"}),
            json!({"reason": "info", "message": "HelmChart 'a/b' is not ready"}),
            json!({"metadata": {"revision": "1.0.0", "summary": "env=prod"}}),
        ] {
            let mut event = event("1.0.0");
            event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(told(&hook, &event).await, (204, 0), "{change}");
        }
        assert_eq!(hook.pipelines.waiting("prod"), None);
        assert_eq!(told(&hook, &event("1.0.0")).await, if manual { (204, 0) } else { (201, 1) });
    }
}

/// What waits is written over what came to wait meanwhile, and not at all where it waits already.
#[tokio::test]
async fn what_waits_is_the_newest() {
    let hook = Hook::with(notification(true), |_options| {}).await;
    hook.pipelines.state.lock().unwrap().meanwhile_waits = Some("0.9.0".to_owned());
    assert_eq!(hook.event("1.0.0").await.status, 204);
    assert_eq!(hook.pipelines.waiting("prod").as_deref(), Some("1.0.0"));
    hook.pipelines.state.lock().unwrap().writes_that_fail = 1;
    assert_eq!(hook.event("1.0.0").await.status, 204, "nothing to write");
    assert_eq!(hook.event("2.0.0").await.status, 500);
    assert_eq!(hook.pipelines.waiting("prod").as_deref(), Some("1.0.0"));
}

/// An address that no header can hold is not told; that it was done is.
#[tokio::test]
async fn an_odd_address_of_a_pull_request_is_left_out() {
    let hook = Hook::plain().await;
    hook.pipelines.state.lock().unwrap().promoter =
        Promoter::Makes("https://git.example/\r\nX: y".to_owned());
    let answer = hook.event("1.0.0").await;
    assert_eq!((answer.status, answer.header("Location"), answer.header("X")), (201, None, None));
}

//! What a webhook like this has got wrong before, one test each.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gradus_engine::port::PortErrorKind;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::pipelines::Promoter;
use super::world::{Hook, KEY, event, notification, signature};
use crate::client::request;

/// Everything that is logged, at every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?}\n"));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, record: &Record<'_>) {
        record.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn signed(manual: bool) -> serde_json::Value {
    json!({"manual": manual, "strategy": {"notification": {}, "secretRef": {"name": "hook"}}})
}

fn with_key(hook: &Hook) {
    let secret = [("hmac-key".to_owned(), KEY.to_owned())].into_iter().collect();
    hook.pipelines.state.lock().unwrap().secrets.insert(("default".to_owned(), "hook".to_owned()), secret);
}

const PLACE: &str = "POST /promotion/default/app/dev";

/// B12: what would have been the right signature, and the key, are told to nobody.
/// That they are compared in constant time is the library's `verify`.
#[tokio::test]
async fn b12_the_right_signature_is_told_to_nobody() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.clone());
    let hook = Hook::with(signed(false), |_options| {}).await;
    let body = event("1.0.0").to_string();
    let head = format!("{PLACE}\nX-Signature: sha256={}", "0".repeat(64));
    let missing = hook.ask(&head, &body).await;
    with_key(&hook);
    let wrong = hook.ask(&head, &body).await;
    let unsigned = hook.ask(PLACE, &body).await;
    for answer in [missing, wrong, unsigned] {
        assert_eq!((answer.status, answer.body.as_str()), (401, ""));
    }
    hook.pipelines.state.lock().unwrap().promoter =
        Promoter::FailsFirst(9, PortErrorKind::Denied, String::new());
    let good = signature(&body);
    assert_eq!(hook.ask(&format!("{PLACE}\nX-Signature: sha256={good}"), &body).await.status, 500);
    let log = log.0.lock().unwrap();
    assert!(log.contains("could not promote") && log.contains("no key for signatures"), "it does log: {log}");
    assert!(!log.contains(&good) && !log.contains(KEY), "{log}");
}

/// B13: a key that only the environment names is asked for.
#[tokio::test]
async fn b13_a_key_of_the_environment_is_asked_for() {
    let hook = Hook::plain().await;
    {
        let mut state = hook.pipelines.state.lock().unwrap();
        let pipeline = state.pipelines.values_mut().next().unwrap();
        pipeline.spec.environments[1].promotion = Some(serde_json::from_value(signed(false)).unwrap());
    }
    with_key(&hook);
    let body = event("1.0.0").to_string();
    assert_eq!(hook.event("1.0.0").await.status, 401);
    let nowhere = hook.ask("POST /promotion/default/app/nowhere", &body).await;
    assert_eq!(nowhere.status, 401, "nobody can sign for nowhere");
    hook.pipelines.wait_in_prod("1.0.0");
    assert_eq!(hook.approve("1.0.0").await.status, 401);
    assert_eq!(hook.pipelines.tried(), [""; 0]);
    let head = format!("{PLACE}\nX-Signature: sha256={}", signature(&body));
    assert_eq!(hook.ask(&head, &body).await.status, 201);
}

/// B14: the signature of an approval is over the empty text, and no signature is over the
/// address. Senders make them so; what is left is to do no harm when one is sent again.
#[tokio::test]
async fn b14_a_signature_that_is_sent_again_does_nothing_new() {
    let hook = Hook::with(signed(true), |_options| {}).await;
    with_key(&hook);
    hook.pipelines.wait_in_prod("1.0.0");
    let approval = |revision: &str| {
        format!("POST /approval/default/app/prod/{revision}\nX-Signature: sha256={}", signature(""))
    };
    assert_eq!(hook.ask(&approval("2.0.0"), "").await.status, 422, "only what waits");
    assert_eq!(hook.ask(&approval("1.0.0"), "").await.status, 201);
    assert_eq!(hook.ask(&approval("1.0.0"), "").await.status, 422, "and once");
    assert_eq!(hook.pipelines.tried(), ["1.0.0"]);
    let body = event("1.0.0").to_string();
    let elsewhere = format!("POST /promotion/default/app/prod\nX-Signature: sha256={}", signature(&body));
    assert_eq!(hook.ask(&elsewhere, &body).await.status, 422);
}

/// B15: headers of anybody are not believed, and a peer of IPv6 is a peer of its own.
#[tokio::test]
async fn b15_nobody_asks_as_somebody_else() {
    let limited = |options: &mut gradus_server::weave::WeaveOptions| options.rate.count = 1;
    let hook = Hook::with(notification(false), limited).await;
    assert_eq!(hook.ask("GET /promotion/x\nX-Real-IP: 1.1.1.1", "").await.status, 405);
    for header in ["X-Real-IP", "X-Forwarded-For", "X-Forwarder-For", "Forwarded"] {
        let answer = hook.ask(&format!("GET /promotion/x\n{header}: 2.2.2.2"), "").await;
        assert_eq!((answer.status, answer.body.as_str()), (429, ""), "{header}");
        assert_eq!(answer.header("Retry-After"), Some("Mon, 05 Jan 2026 09:00:30 GMT"));
    }
    let other = std::net::IpAddr::from([127, 0, 0, 2]);
    assert_eq!(hook.ask_from(other, "GET /promotion/x", "").await.status, 405);
    assert_eq!(hook.ask("POST /approval/x", "").await.status, 429, "one count for both");
    hook.time.advance(Duration::from_secs(30));
    assert_eq!(hook.ask("GET /promotion/x", "").await.status, 405);
}

/// B16: who asked may hang up, and the work goes on.
#[tokio::test]
async fn b16_the_work_goes_on_when_the_sender_has_gone() {
    let hook = Hook::plain().await;
    hook.pipelines.shut();
    let mut stream = TcpStream::connect(hook.at).await.unwrap();
    let body = event("1.0.0").to_string();
    stream.write_all(&request(hook.at, PLACE, body.as_bytes())).await.unwrap();
    hook.pipelines.begun(1).await;
    drop(stream);
    hook.time.nobody_asleep().await;
    // The same event again, as senders do, joins what is under way.
    let again = hook.event("1.0.0");
    let opened = async {
        hook.time.asleep(1).await;
        hook.pipelines.open();
    };
    let (answer, ()) = tokio::join!(again, opened);
    assert_eq!((answer.status, answer.header("Location")), (201, Some("https://git.example/a/b/pull/1")));
    assert_eq!(hook.pipelines.tried(), ["1.0.0"]);
}

/// B16: the answer does not wait longer than senders do, and the work goes on.
#[tokio::test]
async fn b16_after_ten_seconds_it_is_answered_and_goes_on() {
    let hook = Hook::plain().await;
    hook.pipelines.shut();
    let late = async {
        hook.pipelines.begun(1).await;
        hook.time.asleep(1).await;
        hook.time.advance(Duration::from_secs(10));
    };
    let (answer, ()) = tokio::join!(hook.event("1.0.0"), late);
    assert_eq!((answer.status, answer.header("Location")), (204, None));
    hook.pipelines.open();
    assert_eq!(hook.event("1.0.0").await.status, 201, "it is there by now");
}

/// B17: what cannot succeed is not tried again.
#[tokio::test]
async fn b17_what_cannot_succeed_is_not_tried_again() {
    for kind in [PortErrorKind::Denied, PortErrorKind::Missing, PortErrorKind::Unusable] {
        let hook = Hook::plain().await;
        hook.pipelines.state.lock().unwrap().promoter = Promoter::FailsFirst(1, kind, String::new());
        assert_eq!(hook.event("1.0.0").await.status, 500, "{kind:?}");
        assert_eq!((hook.pipelines.tried().len(), hook.time.passed()), (1, Duration::ZERO), "{kind:?}");
    }
    let hook = Hook::plain().await;
    hook.pipelines.state.lock().unwrap().promoter =
        Promoter::FailsFirst(2, PortErrorKind::OutcomeUnknown, "https://git.example/2".to_owned());
    let answer = tokio::select! {
        answer = hook.event("1.0.0") => answer,
        () = hook.time.pass_when_asleep(2) => panic!("time has ended"),
    };
    assert_eq!((answer.status, answer.header("Location")), (201, Some("https://git.example/2")));
    assert_eq!((hook.pipelines.tried().len(), hook.time.passed().as_secs()), (3, 6));
}

/// B18: that it no longer waits is tried again, and a failure can be repeated without harm.
#[tokio::test]
async fn b18_an_approval_ends_although_the_status_could_not_be_written_at_once() {
    let hook = Hook::with(notification(true), |_options| {}).await;
    hook.pipelines.wait_in_prod("1.0.0");
    hook.pipelines.state.lock().unwrap().writes_that_fail = 2;
    let answer = tokio::select! {
        answer = hook.approve("1.0.0") => answer,
        () = hook.time.pass_when_asleep(2) => panic!("time has ended"),
    };
    assert_eq!((answer.status, hook.pipelines.waiting("prod")), (201, None));
    assert_eq!(hook.pipelines.tried(), ["1.0.0"]);
    hook.pipelines.wait_in_prod("2.0.0");
    hook.pipelines.state.lock().unwrap().writes_that_fail = 3;
    let answer = tokio::select! {
        answer = hook.approve("2.0.0") => answer,
        () = hook.time.pass_when_asleep(2) => panic!("time has ended"),
    };
    assert_eq!((answer.status, hook.pipelines.waiting("prod").as_deref()), (500, Some("2.0.0")));
    assert_eq!(hook.approve("2.0.0").await.status, 201);
    assert_eq!(hook.pipelines.waiting("prod"), None);
}

/// B18: two who approve at the same time promote once, and both are told where.
#[tokio::test]
async fn b18_two_who_approve_promote_once() {
    let hook = Hook::with(notification(true), |_options| {}).await;
    hook.pipelines.wait_in_prod("1.0.0");
    hook.pipelines.shut();
    let opened = async {
        hook.time.asleep(2).await;
        hook.pipelines.open();
    };
    let (one, two, ()) = tokio::join!(hook.approve("1.0.0"), hook.approve("1.0.0"), opened);
    assert_eq!((one.status, two.status), (201, 201));
    assert_eq!(one.header("Location"), two.header("Location"));
    assert_eq!(hook.pipelines.tried(), ["1.0.0"]);
}

/// B18: what came to wait during an approval waits on.
#[tokio::test]
async fn b18_what_came_to_wait_meanwhile_waits_on() {
    let hook = Hook::with(notification(true), |_options| {}).await;
    hook.pipelines.wait_in_prod("1.0.0");
    hook.pipelines.shut();
    let newer = async {
        hook.pipelines.begun(1).await;
        assert_eq!(hook.event("2.0.0").await.status, 204);
        hook.pipelines.open();
    };
    let (answer, ()) = tokio::join!(hook.approve("1.0.0"), newer);
    assert_eq!((answer.status, hook.pipelines.waiting("prod").as_deref()), (201, Some("2.0.0")));
}

/// What is tried again never overwrites what was asked for later.
#[tokio::test]
async fn an_older_revision_is_not_tried_again_over_a_newer_one() {
    let hook = Hook::plain().await;
    hook.pipelines.state.lock().unwrap().promoter =
        Promoter::FailsFirst(1, PortErrorKind::Unreachable, "https://git.example/2".to_owned());
    let newer = async {
        // The answer, and the pause before the next attempt.
        hook.time.asleep(2).await;
        let answer = hook.event("2.0.0").await;
        hook.time.advance(Duration::from_secs(2));
        answer
    };
    let (older, newer) = tokio::join!(hook.event("1.0.0"), newer);
    assert_eq!((older.status, newer.status), (204, 201));
    assert_eq!(hook.pipelines.tried(), ["1.0.0", "2.0.0"]);
}

//! What each request is answered and what follows from it, one case after the other.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use gradus_engine::port::PortErrorKind;
use gradus_server::weave::{ClientHeader, TrustedProxies};
use gradus_weave::kind::{Environment, PromotionSpec, Spec};
use gradus_weave::limiter::Rate;
use gradus_weave::retry::Retry;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use super::pipelines::{Pipelines, Promoter};
use super::world::Hook;

#[derive(Deserialize)]
struct Vectors {
    specs: BTreeMap<String, Value>,
    bodies: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Case {
    name: String,
    pipeline: Option<String>,
    secret: Option<BTreeMap<String, String>>,
    #[serde(default)]
    waiting: BTreeMap<String, String>,
    #[serde(default)]
    status_cannot_be_written: bool,
    promoter: Option<Does>,
    retry: Option<Tries>,
    rate: Option<Hits>,
    trusts: Option<String>,
    asks: Vec<Ask>,
    then: Then,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Does {
    None,
    Makes(String),
    Fails(String),
}

#[derive(Deserialize)]
struct Tries {
    delay: u64,
    longest: u64,
    attempts: u32,
}

#[derive(Deserialize)]
struct Hits {
    count: u32,
    seconds: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    line: String,
    body: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    from: Option<IpAddr>,
    answer: Expected,
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: u16,
    #[serde(default)]
    body: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    without: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Then {
    calls: Option<usize>,
    promoted: Option<Promoted>,
    with: Option<PromotionSpec>,
    waiting: Option<BTreeMap<String, String>>,
    took_seconds: Option<(u64, u64)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Promoted {
    pipeline: String,
    environment: Environment,
    revision: String,
}

#[tokio::test]
async fn every_vector_is_answered_so() {
    let vectors: Vectors = serde_json::from_str(include_str!("../../vectors/weave-webhook.json")).unwrap();
    let mut kept = 0;
    for case in &vectors.cases {
        run(&vectors, case).await;
        kept += 1;
    }
    println!("webhook vectors: {kept}/{}", vectors.cases.len());
    assert_eq!(kept, 82);
}

async fn run(vectors: &Vectors, case: &Case) {
    let name = &case.name;
    let pipelines = Arc::new(Pipelines::default());
    if let Some(pipeline) = &case.pipeline {
        let spec: Spec = serde_json::from_value(vectors.specs[pipeline].clone()).unwrap();
        pipelines.put(spec, &case.waiting);
    }
    {
        let mut state = pipelines.state.lock().unwrap();
        if let Some(secret) = &case.secret {
            state.secrets.insert(("default".to_owned(), "app".to_owned()), secret.clone());
        }
        state.writes_that_fail = if case.status_cannot_be_written { usize::MAX } else { 0 };
        state.promoter = match &case.promoter {
            None | Some(Does::None) => Promoter::Nobody,
            Some(Does::Makes(url)) => Promoter::Makes(url.clone()),
            Some(Does::Fails(why)) => {
                Promoter::FailsFirst(usize::MAX, PortErrorKind::Unreachable, why.clone())
            }
        };
    }
    let hook = Hook::start(pipelines, |options| {
        if let Some(Tries { delay, longest, attempts }) = case.retry {
            options.retry = Retry { delay, max_delay: longest, threshold: attempts };
        }
        if let Some(Hits { count, seconds }) = case.rate {
            options.rate = Rate { count, within: SignedDuration::from_secs(seconds) };
        }
        let header = match case.trusts.as_deref() {
            Some("X-Real-IP") => Some(ClientHeader::XRealIp),
            Some(other) => panic!("{name}: {other}"),
            // A peer with another family of addresses asks through a proxy.
            None if case.asks.iter().any(|ask| ask.from.is_some_and(|from| from.is_ipv6())) => {
                Some(ClientHeader::XForwardedFor)
            }
            None => None,
        };
        if let Some(header) = header {
            options.proxies = TrustedProxies { networks: vec!["127.0.0.0/8".parse().unwrap()], header };
        }
    })
    .await;
    // Two sleep where one waits to try again, and the answer waits for that.
    tokio::select! {
        () = hook.time.pass_when_asleep(2) => panic!("{name}: time has ended"),
        () = ask_all(vectors, case, &hook) => {}
    }
    check(case, &hook);
}

async fn ask_all(vectors: &Vectors, case: &Case, hook: &Hook) {
    for (number, ask) in case.asks.iter().flat_map(|ask| std::iter::repeat_n(ask, ask.times)).enumerate() {
        let what = format!("{}, request {}", case.name, number + 1);
        let mut head = ask.line.clone();
        for (name, value) in &ask.headers {
            head.push_str(&format!("\n{name}: {value}"));
        }
        let from = match ask.from {
            None => IpAddr::from([127, 0, 0, 1]),
            Some(IpAddr::V4(from)) => IpAddr::from([127, 0, 1, from.octets()[3]]),
            Some(IpAddr::V6(from)) => {
                head.push_str(&format!("\nX-Forwarded-For: {from}"));
                IpAddr::from([127, 0, 0, 1])
            }
        };
        let body = ask.body.as_ref().map_or("", |body| vectors.bodies[body].as_str());
        let answer = hook.ask_from(from, &head, body).await;
        let expected = &ask.answer;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (expected.status, expected.body.as_str()),
            "{what}"
        );
        for (name, value) in &expected.headers {
            assert_eq!(answer.header(name), Some(value.as_str()), "{what}");
        }
        for name in &expected.with {
            assert!(answer.header(name).is_some(), "{what}: {name}");
        }
        for name in &expected.without {
            assert!(answer.header(name).is_none(), "{what}: {name}");
        }
    }
}

fn check(case: &Case, hook: &Hook) {
    let Case { name, then, .. } = case;
    if let Some((least, most)) = then.took_seconds {
        let passed = hook.time.passed().as_secs();
        assert!((least..=most).contains(&passed), "{name}: {passed} s");
    }
    for (environment, revision) in then.waiting.iter().flatten() {
        assert_eq!(&hook.pipelines.waiting(environment).unwrap_or_default(), revision, "{name}");
    }
    let state = hook.pipelines.state.lock().unwrap();
    if let Some(calls) = then.calls {
        assert_eq!(state.tried.len(), calls, "{name}");
    }
    let last = state.tried.last();
    if let Some(promoted) = &then.promoted {
        let last = last.unwrap();
        assert_eq!(format!("{}/{}", last.namespace, last.pipeline), promoted.pipeline, "{name}");
        assert_eq!(last.environment, promoted.environment, "{name}");
        assert_eq!(last.revision.as_str(), promoted.revision, "{name}");
    }
    if let Some(with) = &then.with {
        assert_eq!(&last.unwrap().spec, with, "{name}");
    }
}

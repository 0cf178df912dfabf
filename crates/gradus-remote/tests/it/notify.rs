//! Messages to whoever takes them: each receiver is a small server that holds what it was told and refuses what
//! its own description does not allow.

mod doubles;
mod shapes;
mod smtp;
mod words;

use std::time::Duration;

use gradus_core::notification::{Mail, MailTls, Notification, Receiver};
use gradus_engine::port::notify::{Again, Messenger, SendError};
use gradus_remote::http::Tls;
use gradus_remote::notify::Messengers;
use tempfile::TempDir;

use doubles::{Double, Said};
use words::{news, notification, promoted};

/// A folder with one Secret, `apps/team`.
fn secret(keys: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("apps/team");
    std::fs::create_dir_all(&secret).unwrap();
    for (key, value) in keys {
        std::fs::write(secret.join(key), format!("{value}\n")).unwrap();
    }
    folder
}

fn messengers(secrets: &TempDir) -> Messengers {
    Messengers::new(Some(secrets.path().to_owned()), Tls::default()).unwrap()
}

fn slack(double: &Double) -> Notification {
    notification(Receiver::Slack {
        channel: Some("#releases".into()),
        url: Some(format!("{}/api", double.url()).into()),
        secret: "apps/team".into(),
    })
}

fn webhook(url: &str) -> Receiver {
    Receiver::Webhook {
        url: Some(url.into()),
        headers: Default::default(),
        template: None,
        secret: Some("apps/team".into()),
    }
}

/// Everything an error says, to whoever prints it in whatever way.
fn shown(failed: &SendError) -> String {
    format!("{} {:?} {:?}", failed.error.in_full(), failed.error, failed.error.hint)
}

#[tokio::test]
async fn a_bot_puts_what_belongs_together_into_a_thread() {
    let double = Double::start(doubles::slack_api).await;
    let secrets = secret(&[("token", "xoxb-hunter2")]);
    let messengers = messengers(&secrets);
    let to = slack(&double);
    let mut thread = None;
    for news in news() {
        let receipt = messengers.send(&to, &news, thread.as_deref()).await.unwrap();
        assert_eq!(receipt.answer, "ok in C0RELEASES");
        thread = thread.or(receipt.thread);
    }
    let threads: Vec<Option<String>> = double.taken().iter().map(|said| said.text("/thread_ts")).collect();
    assert_eq!(threads[0], None);
    assert!(threads[1..].iter().all(|other| *other == thread.as_deref().map(str::to_owned)), "{threads:?}");
}

#[tokio::test]
async fn what_slack_says_in_its_answer_counts_and_not_the_status() {
    let check = async |error: &'static str, again: Again, hint: &str| {
        let double = Double::start(doubles::slack_api).await;
        double.next(Said::Json(200, format!(r#"{{"ok":false,"error":"{error}"}}"#)));
        let secrets = secret(&[("token", "xoxb-hunter2")]);
        let failed = messengers(&secrets).send(&slack(&double), &promoted(), None).await.unwrap_err();
        assert_eq!(failed.again, again, "{error}");
        let shown = shown(&failed);
        assert!(shown.contains(&format!("Slack says {error}")) && shown.contains(hint), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    };
    check("channel_not_found", Again::Never, "check `channel`").await;
    check("not_in_channel", Again::Never, "invite the bot").await;
    check("invalid_auth", Again::Never, "a bot's token that is valid").await;
    check("ratelimited", Again::After(None), "").await;
    check("internal_error", Again::After(None), "").await;
}

#[tokio::test]
async fn a_wrong_token_is_told_by_the_double_as_slack_does() {
    let double = Double::start(doubles::slack_api).await;
    let secrets = secret(&[("token", "xoxb-other")]);
    let failed = messengers(&secrets).send(&slack(&double), &promoted(), None).await.unwrap_err();
    assert!(shown(&failed).contains("Slack says invalid_auth"), "{}", shown(&failed));
}

#[tokio::test]
async fn every_receiver_takes_every_kind_of_news() {
    let check = async |double: Double, to: Receiver, secrets: &TempDir| {
        let (to, messengers) = (notification(to), messengers(secrets));
        for news in news() {
            let sent = messengers.send(&to, &news, None).await;
            assert!(
                sent.is_ok(),
                "{} {}: {:?}",
                to.to.word(),
                news.kind.word(),
                sent.err().map(|e| shown(&e))
            );
        }
        assert_eq!(double.taken().len(), news().len(), "{}", to.to.word());
    };
    let double = Double::start(doubles::slack_webhook).await;
    let address = format!("{}/services/T0/B0/hunter2", double.url());
    let to = Receiver::Slack { channel: None, url: None, secret: "apps/team".into() };
    check(double, to, &secret(&[("address", &address)])).await;

    let double = Double::start(doubles::teams).await;
    let address = format!("{}/workflows/0/triggers/manual/paths/invoke?sig=hunter2", double.url());
    check(double, Receiver::Teams { secret: "apps/team".into() }, &secret(&[("address", &address)])).await;

    let double = Double::start(doubles::cdevents).await;
    let to = Receiver::CdEvents { url: double.url().into(), secret: Some("apps/team".into()) };
    check(double, to, &secret(&[("token", "hunter2")])).await;

    let double = Double::start(doubles::flux).await;
    let to = Receiver::FluxEvents { url: double.url().into(), secret: None };
    check(double, to, &secret(&[])).await;

    let double = Double::start(doubles::anything).await;
    let to = webhook(&double.url());
    check(double, to, &secret(&[("username", "ada"), ("password", "hunter2")])).await;
}

#[tokio::test]
async fn the_same_news_has_the_same_id_however_often_it_is_sent() {
    let double = Double::start(doubles::anything).await;
    let secrets = secret(&[("token", "hunter2")]);
    let (messengers, to) = (messengers(&secrets), notification(webhook(&double.url())));
    for _ in 0..2 {
        messengers.send(&to, &promoted(), None).await.unwrap();
    }
    let taken = double.taken();
    assert_eq!(taken[0].header("idempotency-key"), taken[1].header("idempotency-key"));
    assert_eq!(taken[0].header("authorization").as_deref(), Some("Bearer hunter2"));
    assert_eq!(taken[0].text("/id"), taken[0].header("idempotency-key"));
}

#[tokio::test]
async fn a_template_makes_the_body_and_headers_go_with_it() {
    let double = Double::start(doubles::anything).await;
    let secrets = secret(&[("token", "hunter2")]);
    let template = r#"{"message": {{ title|json }}, "lines": {{ details|json }}, "to": "{{ environment }} {{ version }}"}"#;
    let headers = [("x-team".into(), "platform".into())].into();
    let to = Receiver::Webhook {
        url: Some(double.url().into()),
        headers,
        template: Some(template.into()),
        secret: Some("apps/team".into()),
    };
    let mut news = promoted();
    news.title = "a \"quoted\" title\twith a tab".to_owned();
    messengers(&secrets).send(&notification(to), &news, None).await.unwrap();
    let taken = &double.taken()[0];
    assert_eq!(taken.text("/message").unwrap(), news.title);
    assert_eq!(taken.text("/to").unwrap(), "prod 1.1.0");
    assert_eq!(taken.header("x-team").as_deref(), Some("platform"));
    assert_eq!(taken.header("content-type").as_deref(), Some("application/json"));
}

#[tokio::test]
async fn a_status_says_whether_it_is_worth_trying_again() {
    let check = async |said: Said, again: Again| {
        let double = Double::start(doubles::anything).await;
        double.next(said.clone());
        let secrets = secret(&[("token", "hunter2")]);
        let failed =
            messengers(&secrets).send(&notification(webhook(&double.url())), &promoted(), None).await;
        let failed = failed.unwrap_err();
        assert_eq!(failed.again, again, "{said:?}");
        assert!(!shown(&failed).contains("hunter2"), "{}", shown(&failed));
    };
    check(Said::Json(500, "oh".to_owned()), Again::After(None)).await;
    check(Said::Later(429, 90), Again::After(Some(Duration::from_secs(90)))).await;
    check(Said::Later(503, 5), Again::After(Some(Duration::from_secs(5)))).await;
    check(Said::Json(401, "who is hunter2?".to_owned()), Again::Never).await;
    check(Said::Json(404, String::new()), Again::Never).await;
    check(Said::Json(302, String::new()), Again::Never).await;
    check(Said::Hangup, Again::After(None)).await;
}

#[tokio::test]
async fn an_address_that_is_a_secret_is_never_shown() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let check = async |address: String, to: Receiver, expected: &str| {
        let secrets = secret(&[("address", &address)]);
        let to = notification(to);
        let failed = messengers(&secrets).send(&to, &promoted(), None).await.unwrap_err();
        let shown = shown(&failed);
        assert!(shown.contains(expected) && !shown.contains("hunter2"), "{shown}");
        let prepared = messengers(&secrets).prepare(&to, &promoted(), None).unwrap();
        assert!(!format!("{prepared}{prepared:?}").contains("hunter2"), "{prepared}");
    };
    let teams = || Receiver::Teams { secret: "apps/team".into() };
    check(format!("http://127.0.0.1:{port}/hunter2?sig=hunter2"), teams(), "the host cannot be reached")
        .await;
    check(format!("http://ada:hunter2@127.0.0.1:{port}/"), teams(), "it holds credentials").await;
    check("hunter2".to_owned(), teams(), "it is not an address").await;
}

#[tokio::test]
async fn a_secret_that_is_not_there_yet_is_waited_for() {
    let check = async |keys: &[(&str, &str)], to: Receiver, expected: &str| {
        let secrets = secret(keys);
        let failed = messengers(&secrets).send(&notification(to), &promoted(), None).await.unwrap_err();
        assert_eq!(failed.again, Again::After(None), "{expected}");
        assert!(shown(&failed).contains(expected), "{}", shown(&failed));
    };
    let teams = || Receiver::Teams { secret: "apps/team".into() };
    check(&[("token", "x")], teams(), "it has no `address`").await;
    let slack = Receiver::Slack { channel: None, url: None, secret: "apps/team".into() };
    check(&[("user", "x")], slack, "it has no `token` or `address`").await;
    let secret = Receiver::Teams { secret: "apps/nobody".into() };
    check(&[], secret, "there is no folder").await;
    let mail = Mail {
        to: vec!["ada@example.com".into()],
        from: "gradus@example.com".into(),
        host: "localhost".into(),
        port: 1,
        tls: MailTls::StartTls,
        secret: Some("apps/team".into()),
    };
    check(&[], Receiver::Email(Box::new(mail)), "it has no `username` and `password`").await;
}

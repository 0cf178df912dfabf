//! A notification, from its manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gradus_core::names::{EnvironmentName, NotificationName, PipelineName};
use gradus_core::news::NewsKind;
use gradus_core::notification::{Mail, MailTls, Notification, NotificationKey, Receiver};

use super::{Reader, location, object_name, pipeline};
use crate::error::Trouble;
use crate::wire;
use crate::yaml::Path;

/// Reads a notification; `None` once all that is wrong with it has been told of.
pub(crate) fn notification(
    reader: &mut Reader<'_, '_>,
    manifest: &wire::NotificationManifest,
) -> Option<Notification> {
    let path = Path::ROOT.field("spec");
    let spec = &manifest.spec;
    let namespace = pipeline::namespace(reader, &manifest.metadata);
    let metadata = Path::ROOT.field("metadata");
    let name = reader.take(&metadata.field("name"), NotificationName::parse(&manifest.metadata.name));
    let pipelines = reader.each(&path.field("pipelines"), &spec.pipelines, |reader, path, name| {
        reader.take(path, PipelineName::parse(name))
    });
    let environments = reader.each(&path.field("environments"), &spec.environments, |reader, path, name| {
        reader.take(path, EnvironmentName::parse(name))
    });
    let on = on(reader, &path.field("on"), spec.on.as_deref());
    // Where the namespace is wrong, that has been told of; the Secret's name is read all the same.
    let home = namespace.as_ref().map_or("default", |namespace| namespace.as_str()).to_owned();
    let to = receiver(reader, &path.field("to"), &spec.to, &home);
    Some(Notification {
        key: NotificationKey { namespace: namespace?, name: name? },
        pipelines: pipelines?.into_iter().collect(),
        environments: environments?.into_iter().collect(),
        on: on?,
        to: to?,
        suspend: spec.suspend,
    })
}

fn on(reader: &mut Reader<'_, '_>, path: &Path<'_>, on: Option<&[wire::News]>) -> Option<BTreeSet<NewsKind>> {
    let Some(on) = on else {
        return Some(NewsKind::ALL.into_iter().filter(|kind| *kind != NewsKind::Deployed).collect());
    };
    if on.is_empty() {
        let trouble = Trouble::value("nothing is told")
            .help("leave `on` out for all there is, or say `suspend: true` to be left in peace");
        reader.fail(path, trouble);
        return None;
    }
    let kind = |news: &wire::News| match news {
        wire::News::Proposed => NewsKind::Proposed,
        wire::News::Waiting => NewsKind::Waiting,
        wire::News::Promoted => NewsKind::Promoted,
        wire::News::Deployed => NewsKind::Deployed,
        wire::News::Failed => NewsKind::Failed,
        wire::News::RolledBack => NewsKind::RolledBack,
        wire::News::HoldEnds => NewsKind::HoldEnds,
    };
    Some(on.iter().map(kind).collect())
}

fn receiver(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    to: &wire::Receiver,
    home: &str,
) -> Option<Receiver> {
    match to {
        wire::Receiver::Slack(slack) => {
            let path = path.field("slack");
            let channel = slack.channel.as_deref().map(|text| word("channel", text));
            let channel = reader.take_some(&path.field("channel"), channel);
            let url = address(reader, &path, slack.url.as_deref());
            let secret = secret(reader, &path, &slack.secret_ref, home);
            Some(Receiver::Slack { channel: channel?, url: url?, secret: secret? })
        }
        wire::Receiver::Teams(teams) => {
            Some(Receiver::Teams { secret: secret(reader, &path.field("teams"), &teams.secret_ref, home)? })
        }
        wire::Receiver::Webhook(webhook) => one_webhook(reader, &path.field("webhook"), webhook, home),
        wire::Receiver::CdEvents(events) => {
            let (url, secret) = event_receiver(reader, &path.field("cdevents"), events, home)?;
            Some(Receiver::CdEvents { url, secret })
        }
        wire::Receiver::FluxEvents(events) => {
            let (url, secret) = event_receiver(reader, &path.field("fluxEvents"), events, home)?;
            Some(Receiver::FluxEvents { url, secret })
        }
        wire::Receiver::Email(email) => mail(reader, &path.field("email"), email, home),
    }
}

fn one_webhook(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    webhook: &wire::WebhookReceiver,
    home: &str,
) -> Option<Receiver> {
    let url = address(reader, path, webhook.url.as_deref());
    let secret = some_secret(reader, path, webhook.secret_ref.as_ref(), home);
    if webhook.url.is_none() && webhook.secret_ref.is_none() {
        let trouble = Trouble::value("the webhook does not say where it goes")
            .help("write a `url`, or name a Secret that holds it as `address`: `secretRef: {name: ...}`");
        reader.fail(path, trouble);
    }
    let at = path.field("headers");
    let mut headers = BTreeMap::new();
    let mut whole = webhook.url.is_some() || webhook.secret_ref.is_some();
    for (name, value) in &webhook.headers {
        match reader.take(&at.field(name), header(name, value)) {
            Some(()) => drop(headers.insert(Arc::from(name.as_str()), Arc::from(value.as_str()))),
            None => whole = false,
        }
    }
    let template = webhook
        .template
        .as_deref()
        .map(|text| gradus_template::check_message(text).map(|()| Arc::from(text)).map_err(Trouble::from));
    let template = reader.take_some(&path.field("template"), template);
    Some(Receiver::Webhook {
        url: url?,
        headers: whole.then_some(headers)?,
        template: template?,
        secret: secret?,
    })
}

fn event_receiver(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    events: &wire::EventReceiver,
    home: &str,
) -> Option<(Arc<str>, Option<Arc<str>>)> {
    let url = reader.take(&path.field("url"), location::question(&events.url));
    let secret = some_secret(reader, path, events.secret_ref.as_ref(), home);
    Some((url?.0, secret?))
}

fn mail(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    email: &wire::EmailReceiver,
    home: &str,
) -> Option<Receiver> {
    if email.to.is_empty() {
        reader.fail(&path.field("to"), Trouble::value("the mail goes to nobody"));
        return None;
    }
    let to = reader.each(&path.field("to"), &email.to, |reader, path, text| reader.take(path, mailbox(text)));
    let from = reader.take(&path.field("from"), mailbox(&email.from));
    let host = reader.take(&path.field("host"), host(&email.host));
    let secret = some_secret(reader, path, email.secret_ref.as_ref(), home);
    let (tls, usual) = match email.tls {
        Some(wire::MailTls::StartTls) | None => (MailTls::StartTls, 587),
        Some(wire::MailTls::Implicit) => (MailTls::Implicit, 465),
        Some(wire::MailTls::None) => (MailTls::None, 25),
    };
    let port = email.port.unwrap_or(usual);
    if tls == MailTls::None && email.secret_ref.is_some() {
        let trouble = Trouble::value("a password would be sent where everybody on the way can read it")
            .help("write `tls: starttls` or `tls: implicit`, or leave `secretRef` out");
        reader.fail(&path.field("tls"), trouble);
        return None;
    }
    Some(Receiver::Email(Box::new(Mail { to: to?, from: from?, host: host?, port, tls, secret: secret? })))
}

fn secret(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    secret: &wire::SecretRef,
    home: &str,
) -> Option<Arc<str>> {
    let at = path.field("secretRef");
    let name = reader.take(&at.field("name"), object_name("secret name", &secret.name))?;
    Some(Arc::from(format!("{home}/{name}")))
}

fn some_secret(
    reader: &mut Reader<'_, '_>,
    path: &Path<'_>,
    of: Option<&wire::SecretRef>,
    home: &str,
) -> Option<Option<Arc<str>>> {
    match of {
        Some(of) => secret(reader, path, of, home).map(Some),
        None => Some(None),
    }
}

fn address(reader: &mut Reader<'_, '_>, path: &Path<'_>, url: Option<&str>) -> Option<Option<Arc<str>>> {
    reader.take_some(&path.field("url"), url.map(|url| location::question(url).map(|(url, _)| url)))
}

fn word(what: &str, text: &str) -> Result<Arc<str>, Trouble> {
    if text.is_empty() || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(Trouble::value(format!("the {what} is empty, or has a space or a control character")));
    }
    Ok(Arc::from(text))
}

fn host(text: &str) -> Result<Arc<str>, Trouble> {
    let host = word("host", text)?;
    if text.contains(['/', '@', ':']) {
        return Err(Trouble::value("this is not the name of a host")
            .help("write it such as mail.example.com; the port is `port`"));
    }
    Ok(host)
}

/// `ada@example.com`, or `Ada <ada@example.com>`.
fn mailbox(text: &str) -> Result<Arc<str>, Trouble> {
    let address = match text.trim().strip_suffix('>').and_then(|text| text.split_once('<')) {
        Some((_, address)) => address,
        None => text.trim(),
    };
    let is_plain =
        |part: &str| !part.is_empty() && !part.chars().any(|c| c.is_control() || c.is_whitespace());
    let parts = address.rsplit_once('@');
    match parts {
        Some((user, host)) if is_plain(user) && is_plain(host) && !text.contains(char::is_control) => {
            Ok(Arc::from(text.trim()))
        }
        Some(_) | None => Err(Trouble::value("this is not an address of mail")
            .help("write it such as ada@example.com, or Ada <ada@example.com>")),
    }
}

fn header(name: &str, value: &str) -> Result<(), Trouble> {
    const SECRET: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || !name.chars().all(is_token) {
        return Err(Trouble::value("this is not the name of a header"));
    }
    if SECRET.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(Trouble::value("this header is a secret, and a manifest is read by many").help(
            "put it as `token`, or as `username` and `password`, into a Secret, and name that in `secretRef`",
        ));
    }
    if value.chars().any(|c| c.is_control() || !c.is_ascii()) {
        return Err(Trouble::value("the value cannot be sent as a header"));
    }
    Ok(())
}

//! Tells people what is new: a message is made as a value first, which can be looked at, and then sent.

mod cdevents;
mod facts;
mod flux;
mod keys;
mod mail;
mod outgoing;
mod slack;
mod teams;
mod webhook;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use gradus_core::news::News;
use gradus_core::notification::{Notification, Receiver};
use gradus_engine::port::notify::{Again, Messenger, Receipt, SendError};
use gradus_engine::port::{PortError, PortErrorKind};

use crate::cause::causes;
use crate::http::{Answer, Ask, HttpClient, HttpError, HttpErrorKind, Tls};
use crate::targets::{EndpointSecrets, SecretsIn};
use keys::Keys;
use mail::Outmail;
use outgoing::Outgoing;

/// Whoever takes messages answers with little.
const MOST_BYTES: u64 = 64 * 1024;
/// So much of an answer is told.
const TOLD: usize = 300;

/// Sends messages to wherever notifications go.
pub struct Messengers {
    secrets: Arc<dyn EndpointSecrets>,
    client: HttpClient,
    tls: Tls,
}

/// A message that is ready to be sent. Secrets in it are never printed.
#[derive(Debug, Clone)]
pub enum Prepared {
    /// A request.
    Http(Outgoing),
    /// A mail.
    Mail(Outmail),
}

impl fmt::Display for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(request) => request.fmt(f),
            Self::Mail(mail) => mail.fmt(f),
        }
    }
}

impl Messengers {
    /// With Secrets as `FOLDER/NAMESPACE/NAME/KEY`.
    pub fn new(secrets: Option<PathBuf>, tls: Tls) -> Result<Self, PortError> {
        Self::with_secrets(Arc::new(SecretsIn(secrets)), tls)
    }

    /// With Secrets that are elsewhere.
    pub fn with_secrets(secrets: Arc<dyn EndpointSecrets>, tls: Tls) -> Result<Self, PortError> {
        Ok(Self { secrets, client: client(&tls)?, tls })
    }

    /// Makes a message without sending it.
    pub fn prepare(
        &self,
        to: &Notification,
        news: &News,
        thread: Option<&str>,
    ) -> Result<Prepared, PortError> {
        self.ready(to, news, thread).map(|(prepared, _)| prepared)
    }

    fn ready(
        &self,
        to: &Notification,
        news: &News,
        thread: Option<&str>,
    ) -> Result<(Prepared, Keys), PortError> {
        let keys = Keys::read(&*self.secrets, to)?;
        let prepared = match &to.to {
            Receiver::Slack { channel, url, .. } => {
                Prepared::Http(slack::request(to, channel.as_deref(), url.as_deref(), &keys, news, thread)?)
            }
            Receiver::Teams { .. } => Prepared::Http(teams::request(to, &keys, news)?),
            Receiver::Webhook { url, headers, template, .. } => Prepared::Http(webhook::request(
                to,
                &webhook::Shape { url: url.as_deref(), headers, template: template.as_deref() },
                &keys,
                news,
            )?),
            Receiver::CdEvents { url, .. } => Prepared::Http(cdevents::request(url, &keys, news)),
            Receiver::FluxEvents { url, .. } => Prepared::Http(flux::request(url, &keys, news)),
            Receiver::Email(mail) => Prepared::Mail(mail::message(to, mail, &keys, news)?),
        };
        Ok((prepared, keys))
    }

    async fn post(&self, request: &Outgoing, keys: &Keys) -> Result<Answer, SendError> {
        let client = match &keys.ca {
            Some(ca) => client(&Tls { ca_pem: Some(ca.clone().into_bytes()) }).map_err(never)?,
            None => self.client.clone(),
        };
        let ask = Ask {
            headers: request.headers.clone(),
            authorization: request.authorization.clone(),
            limit: MOST_BYTES,
            ..Ask::default()
        };
        let sent = client.post(request.url(), request.content_type, request.body.clone(), &ask).await;
        sent.map_err(|error| from_http(request, &error))
    }
}

#[async_trait]
impl Messenger for Messengers {
    async fn send(&self, to: &Notification, news: &News, thread: Option<&str>) -> Result<Receipt, SendError> {
        // What is missing may be put there while it is tried again.
        let ready = self.ready(to, news, thread).map_err(|error| {
            let again = match error.kind {
                PortErrorKind::Missing
                | PortErrorKind::Denied
                | PortErrorKind::Unreachable
                | PortErrorKind::Local => Again::After(None),
                PortErrorKind::Unusable | PortErrorKind::OutcomeUnknown | PortErrorKind::Broken => {
                    Again::Never
                }
            };
            SendError { error, again }
        });
        let (prepared, keys) = ready?;
        let request = match &prepared {
            Prepared::Mail(mail) => return mail::send(mail, &keys, &self.tls).await,
            Prepared::Http(request) => request,
        };
        let answer = self.post(request, &keys).await?;
        match &to.to {
            Receiver::Slack { .. } => slack::outcome(request, &keys, &answer),
            Receiver::Teams { .. } => teams::outcome(request, &keys, &answer),
            Receiver::Webhook { .. }
            | Receiver::CdEvents { .. }
            | Receiver::FluxEvents { .. }
            | Receiver::Email(_) => outcome(request, &keys, &answer),
        }
    }
}

/// What a status alone says.
fn outcome(request: &Outgoing, keys: &Keys, answer: &Answer) -> Result<Receipt, SendError> {
    match answer.status {
        200..=299 => Ok(Receipt { thread: None, answer: said(keys, answer) }),
        _ => Err(refused(request, keys, answer, None)),
    }
}

/// A message was refused; `why` says more than the answer.
fn refused(request: &Outgoing, keys: &Keys, answer: &Answer, why: Option<&str>) -> SendError {
    let (kind, again, hint) = match answer.status {
        408 | 425 | 429 | 500..=599 => (PortErrorKind::Unreachable, Again::After(wanted(answer)), None),
        401 | 403 => (
            PortErrorKind::Denied,
            Again::Never,
            Some("check what is in the Secret, and what its holder may do"),
        ),
        404 | 410 => {
            (PortErrorKind::Missing, Again::Never, Some("check the address; it may have been withdrawn"))
        }
        300..=399 => (
            PortErrorKind::Unusable,
            Again::Never,
            Some("give the address that it leads to; none is followed"),
        ),
        _ => (PortErrorKind::Unusable, Again::Never, None),
    };
    let text = why.map_or_else(|| said(keys, answer), str::to_owned);
    let error = PortError::because(kind, request.doing.clone(), format!("it answered {text}"));
    let error = match hint {
        Some(hint) => error.with_hint(hint),
        None => error,
    };
    SendError { error, again }
}

/// How long the other side wants to be left alone.
fn wanted(answer: &Answer) -> Option<std::time::Duration> {
    answer.header("retry-after")?.trim().parse().ok().map(std::time::Duration::from_secs)
}

/// The status, and the beginning of what was said with it, on one line and without secrets.
fn said(keys: &Keys, answer: &Answer) -> String {
    let text = keys.blot(&String::from_utf8_lossy(&answer.bytes));
    let line: String =
        text.split(char::is_control).filter(|part| !part.trim().is_empty()).collect::<Vec<_>>().join(" ");
    let line: String = line.trim().chars().take(TOLD).collect();
    if line.is_empty() { answer.status.to_string() } else { format!("{}: {line}", answer.status) }
}

fn never(error: PortError) -> SendError {
    SendError { error, again: Again::Never }
}

fn client(tls: &Tls) -> Result<HttpClient, PortError> {
    HttpClient::new(tls).map_err(|error| {
        PortError::because(PortErrorKind::Unusable, "making a client for messages", error)
            .with_hint("put certificates in PEM into `caFile`")
    })
}

/// The address may be a secret: only its host is told.
fn from_http(request: &Outgoing, error: &HttpError) -> SendError {
    let (kind, again, why) = match error.kind() {
        HttpErrorKind::Input(why) => (PortErrorKind::Unusable, Again::Never, why.as_str()),
        HttpErrorKind::Tls => (PortErrorKind::Unusable, Again::Never, "the certificates cannot be used"),
        HttpErrorKind::Unreachable => {
            (PortErrorKind::Unreachable, Again::After(None), "the host cannot be reached")
        }
        HttpErrorKind::Interrupted => {
            (PortErrorKind::Unreachable, Again::After(None), "the connection broke")
        }
        HttpErrorKind::Timeout => (PortErrorKind::Unreachable, Again::After(None), "it took too long"),
        // What was sent has arrived.
        HttpErrorKind::TooLarge { .. } => (PortErrorKind::Broken, Again::Never, "the answer is too long"),
    };
    let why = match causes(error) {
        Some(cause) => format!("{why}: {cause}"),
        None => why.to_owned(),
    };
    SendError { error: PortError::because(kind, request.doing.clone(), why), again }
}

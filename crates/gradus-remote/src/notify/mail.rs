//! Mail, by SMTP.

use std::fmt;
use std::time::Duration;

use gradus_core::news::News;
use gradus_core::notification::{Mail, MailTls, Notification};
use gradus_engine::port::notify::{Again, Receipt, SendError};
use gradus_engine::port::{PortError, PortErrorKind};
use gradus_engine::short;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls as SmtpTls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::facts::{about, cut};
use super::keys::Keys;
use crate::http::Tls;

/// How long one command may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Who we say we are, and where the ids of our mails are from.
const DOMAIN: &str = "gradus.invalid";

/// A mail that is ready to be sent.
#[derive(Debug, Clone)]
pub struct Outmail {
    doing: String,
    server: Mail,
    user: Option<String>,
    message: Message,
}

/// As a person reads it.
impl fmt::Display for Outmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tls = match self.server.tls {
            MailTls::StartTls => "starttls",
            MailTls::Implicit => "implicit TLS",
            MailTls::None => "no TLS",
        };
        writeln!(f, "SMTP {}:{} ({tls})", self.server.host, self.server.port)?;
        if let Some(user) = &self.user {
            writeln!(f, "AUTH {user} ***")?;
        }
        writeln!(
            f,
            "MAIL FROM <{}>",
            self.message.envelope().from().map(ToString::to_string).unwrap_or_default()
        )?;
        for to in self.message.envelope().to() {
            writeln!(f, "RCPT TO <{to}>")?;
        }
        writeln!(f, "\n{}", String::from_utf8_lossy(&self.message.formatted()).replace("\r\n", "\n"))
    }
}

/// The mail. Its id is the same however often it is sent; what belongs together refers to the same id.
pub(super) fn message(
    of: &Notification,
    server: &Mail,
    keys: &Keys,
    news: &News,
) -> Result<Outmail, PortError> {
    let doing = format!("sending a mail by {}:{}", server.host, server.port);
    let unusable = |why: String| PortError::because(PortErrorKind::Unusable, doing.clone(), why);
    let mailbox = |text: &str| {
        text.parse::<Mailbox>().map_err(|error| unusable(format!("{text:?} is no address of mail: {error}")))
    };
    if server.secret.is_some() && (keys.username.is_none() || keys.password.is_none()) {
        return Err(super::keys::lacks(of, "username` and `password"));
    }
    let mut builder = Message::builder()
        .from(mailbox(&server.from)?)
        .subject(cut(&news.title.replace('→', "->"), 200))
        .date(std::time::SystemTime::from(news.at))
        .message_id(Some(format!("<{}@{DOMAIN}>", short(&news.key))))
        .references(format!("<{}@{DOMAIN}>", short(&news.thread)))
        .header(ContentType::TEXT_PLAIN);
    for to in &server.to {
        builder = builder.to(mailbox(to)?);
    }
    builder = builder.raw_header(HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    ));
    let message = builder.body(text(news)).map_err(|error| unusable(error.to_string()))?;
    Ok(Outmail { doing, server: server.clone(), user: keys.username.clone(), message })
}

fn text(news: &News) -> String {
    let mut text = format!("{}\n\n", news.title);
    for line in &news.details {
        text.push_str(&format!("{line}\n"));
    }
    if !news.can.is_empty() {
        text.push_str("\nYou can:\n");
        news.can.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
    }
    if let Some(url) = &news.url {
        text.push_str(&format!("\n{url}\n"));
    }
    text.push_str(&format!("\n-- \n{}\n", about(news)));
    text
}

/// Sends it, on a connection of its own.
pub(super) async fn send(mail: &Outmail, keys: &Keys, trusted: &Tls) -> Result<Receipt, SendError> {
    let transport = transport(mail, keys, trusted).map_err(super::never)?;
    match transport.send(mail.message.clone()).await {
        Ok(response) => {
            let lines: Vec<&str> = response.message().collect();
            Ok(Receipt {
                thread: None,
                answer: keys.blot(&format!("{} {}", response.code(), lines.join(" "))),
            })
        }
        Err(error) => {
            let again =
                if error.is_permanent() || error.is_client() { Again::Never } else { Again::After(None) };
            let kind = if error.is_permanent() { PortErrorKind::Denied } else { PortErrorKind::Unreachable };
            let why = keys.blot(&error.to_string());
            let failed = PortError::because(kind, mail.doing.clone(), why);
            Err(SendError { error: failed, again })
        }
    }
}

fn transport(
    mail: &Outmail,
    keys: &Keys,
    trusted: &Tls,
) -> Result<AsyncSmtpTransport<Tokio1Executor>, PortError> {
    let server = &mail.server;
    let tls = match server.tls {
        MailTls::StartTls => SmtpTls::Required(parameters(mail, keys, trusted)?),
        MailTls::Implicit => SmtpTls::Wrapper(parameters(mail, keys, trusted)?),
        MailTls::None => SmtpTls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&*server.host)
        .port(server.port)
        .timeout(Some(PATIENCE))
        .hello_name(ClientId::Domain(DOMAIN.to_owned()))
        .tls(tls);
    if let (Some(user), Some(password)) = (&keys.username, &keys.password)
        && server.tls != MailTls::None
    {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

fn parameters(mail: &Outmail, keys: &Keys, trusted: &Tls) -> Result<TlsParameters, PortError> {
    let unusable = |error: lettre::transport::smtp::Error| {
        PortError::because(PortErrorKind::Unusable, mail.doing.clone(), error)
            .with_hint("put certificates in PEM into `caFile`")
    };
    let mut builder = TlsParameters::builder(mail.server.host.to_string());
    let ca = keys.ca.as_ref().map(|ca| ca.as_bytes()).or(trusted.ca_pem.as_deref());
    if let Some(ca) = ca {
        builder = builder.add_root_certificate(Certificate::from_pem(ca).map_err(unusable)?);
    }
    builder.build().map_err(unusable)
}

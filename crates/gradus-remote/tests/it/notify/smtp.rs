//! A mail server that speaks the protocol, with TLS from the beginning or later, and with passwords.

use std::sync::{Arc, Mutex};

use gradus_core::notification::{Mail, MailTls, Notification, Receiver};
use gradus_engine::port::notify::{Again, Messenger};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::words::{notification, promoted};
use super::{messengers, secret, shown};

/// How the server is spoken to, and what it does.
#[derive(Clone)]
struct Rules {
    tls: MailTls,
    acceptor: TlsAcceptor,
    /// What it answers to a recipient in place of taking it.
    refuses: Option<&'static str>,
}

/// A mail as it came: with which password, over TLS or not, and its lines.
#[derive(Clone, Debug, Default)]
struct Letter {
    encrypted: bool,
    auth: Option<String>,
    envelope: Vec<String>,
    text: String,
}

struct Server {
    port: u16,
    ca: String,
    letters: Arc<Mutex<Vec<Letter>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start(tls: MailTls, refuses: Option<&'static str>) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let rules = Rules { tls, acceptor: TlsAcceptor::from(Arc::new(config)), refuses };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let letters: Arc<Mutex<Vec<Letter>>> = Arc::default();
        let taken = letters.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, rules.clone(), taken.clone()));
            }
        });
        Self { port, ca: made.cert.pem(), letters, task }
    }

    fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    fn to(&self, tls: MailTls, with_password: bool) -> Notification {
        notification(Receiver::Email(Box::new(Mail {
            to: vec!["Release managers <releases@example.com>".into(), "ada@example.com".into()],
            from: "gradus@example.com".into(),
            host: "localhost".into(),
            port: self.port,
            tls,
            secret: with_password.then(|| "apps/team".into()),
        })))
    }
}

async fn talk(stream: TcpStream, rules: Rules, letters: Arc<Mutex<Vec<Letter>>>) {
    match rules.tls {
        MailTls::Implicit => {
            if let Ok(stream) = rules.acceptor.accept(stream).await {
                session(BufReader::new(stream), true, true, &rules, &letters).await;
            }
        }
        MailTls::None => drop(session(BufReader::new(stream), false, true, &rules, &letters).await),
        MailTls::StartTls => {
            let wants_tls = session(BufReader::new(stream), false, true, &rules, &letters).await;
            if let Some(stream) = wants_tls
                && let Ok(stream) = rules.acceptor.accept(stream.into_inner()).await
            {
                session(BufReader::new(stream), true, false, &rules, &letters).await;
            }
        }
    }
}

/// Speaks until the end; gives the stream back where TLS begins.
async fn session<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    encrypted: bool,
    greets: bool,
    rules: &Rules,
    letters: &Mutex<Vec<Letter>>,
) -> Option<BufReader<S>> {
    let mut letter = Letter { encrypted, ..Letter::default() };
    if greets {
        say(&mut stream, "220 mail.example.com ESMTP").await;
    }
    loop {
        let line = hear(&mut stream).await?;
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" if rules.tls == MailTls::StartTls && !encrypted => {
                say(&mut stream, "250-mail.example.com\r\n250 STARTTLS").await;
            }
            "EHLO" => say(&mut stream, "250-mail.example.com\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN").await,
            "STARTTLS" => {
                say(&mut stream, "220 go ahead").await;
                return Some(stream);
            }
            "AUTH" => {
                letter.auth = line.split_whitespace().nth(2).map(str::to_owned);
                // "\0gradus\0hunter2"
                let is_right = letter.auth.as_deref() == Some("AGdyYWR1cwBodW50ZXIy");
                say(&mut stream, if is_right { "235 ok" } else { "535 5.7.8 wrong password hunter3" }).await;
            }
            "MAIL" | "RCPT" => {
                let refused = rules.refuses.filter(|_| verb == "RCPT");
                letter.envelope.push(line);
                say(&mut stream, refused.unwrap_or("250 ok")).await;
            }
            "DATA" => {
                say(&mut stream, "354 go on").await;
                loop {
                    match hear(&mut stream).await?.as_str() {
                        "." => break,
                        line => letter.text.push_str(&format!("{line}\n")),
                    }
                }
                letters.lock().unwrap().push(letter.clone());
                say(&mut stream, "250 queued as 4711").await;
            }
            "QUIT" => {
                say(&mut stream, "221 bye").await;
                return None;
            }
            _ => say(&mut stream, "502 what?").await,
        }
    }
}

async fn hear(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

async fn say(stream: &mut BufReader<impl AsyncRead + AsyncWrite + Unpin>, text: &str) {
    // Whoever hangs up hears no more.
    let _ = stream.get_mut().write_all(format!("{text}\r\n").as_bytes()).await;
}

#[tokio::test]
async fn mail_is_sent_in_every_way_a_server_is_spoken_to() {
    for (tls, with_password) in [(MailTls::StartTls, true), (MailTls::Implicit, true), (MailTls::None, false)]
    {
        let server = Server::start(tls, None).await;
        let secrets =
            secret(&[("username", "gradus"), ("password", "hunter2"), ("caFile", server.ca.trim_end())]);
        let receipt = messengers(&secrets).send(&server.to(tls, with_password), &promoted(), None).await;
        assert_eq!(receipt.map_err(|error| shown(&error)).unwrap().answer, "250 queued as 4711");
        let letters = server.letters();
        let [letter] = letters.as_slice() else { panic!("{letters:?}") };
        assert_eq!((letter.encrypted, letter.auth.is_some()), (tls != MailTls::None, with_password));
        assert_eq!(letter.envelope.len(), 3, "{:?}", letter.envelope);
        assert!(letter.text.contains("Subject: web was promoted to prod: 1.0.0 -> 1.1.0"), "{}", letter.text);
        assert!(letter.text.contains("Auto-Submitted: auto-generated"), "{}", letter.text);
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_no_password() {
    for tls in [MailTls::StartTls, MailTls::Implicit] {
        let server = Server::start(tls, None).await;
        let secrets = secret(&[("username", "gradus"), ("password", "hunter2")]);
        let failed = messengers(&secrets).send(&server.to(tls, true), &promoted(), None).await.unwrap_err();
        assert_eq!(failed.again, Again::After(None), "{}", shown(&failed));
        assert!(server.letters().is_empty());
    }
    // A server that does not know TLS is not spoken to without.
    let server = Server::start(MailTls::None, None).await;
    let secrets = secret(&[("username", "gradus"), ("password", "hunter2")]);
    let failed = messengers(&secrets).send(&server.to(MailTls::StartTls, true), &promoted(), None).await;
    assert!(failed.is_err() && server.letters().is_empty());
}

#[tokio::test]
async fn what_a_mail_server_says_decides_whether_it_is_tried_again() {
    let check = async |refuses: Option<&'static str>, password: &str, again: Again| {
        let server = Server::start(MailTls::Implicit, refuses).await;
        let secrets =
            secret(&[("username", "gradus"), ("password", password), ("caFile", server.ca.trim_end())]);
        let to = server.to(MailTls::Implicit, true);
        let failed = messengers(&secrets).send(&to, &promoted(), None).await.unwrap_err();
        let shown = shown(&failed);
        assert_eq!(failed.again, again, "{shown}");
        assert!(!shown.contains(password), "{shown}");
    };
    check(Some("451 4.7.1 try again later"), "hunter2", Again::After(None)).await;
    check(Some("550 5.1.1 nobody of that name"), "hunter2", Again::Never).await;
    check(None, "hunter3", Again::Never).await;
}

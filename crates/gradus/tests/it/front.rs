//! What stands before a forge in a company: a certificate of its own authority, and a proxy on the way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;

/// Speaks TLS as `localhost` and `git.acme.test`, and passes on what is said to a port.
pub(crate) struct Front {
    pub(crate) port: u16,
    /// The authority that its certificate is from.
    pub(crate) authority: String,
}

impl Front {
    pub(crate) async fn of(to: u16) -> Self {
        let key =
            rcgen::generate_simple_self_signed(["localhost".to_owned(), "git.acme.test".to_owned()]).unwrap();
        let private = PrivatePkcs8KeyDer::from(key.signing_key.serialize_der());
        let tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // Whoever does not trust it goes away.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut there = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                    let _either_ends = copy_bidirectional(&mut stream, &mut there).await;
                });
            }
        });
        Self { port, authority: key.cert.pem() }
    }
}

/// Leads to one port, whatever it is asked for, and knows how often it was.
pub(crate) struct WayOut {
    pub(crate) port: u16,
    used: Arc<AtomicUsize>,
}

impl WayOut {
    pub(crate) async fn to(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let used = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&used);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counted = Arc::clone(&counted);
                tokio::spawn(async move {
                    let mut stream = BufReader::new(stream);
                    let mut asked = String::new();
                    while stream.read_line(&mut asked).await.unwrap() > 2 {}
                    if !asked.starts_with("CONNECT git.acme.test:443 ") {
                        stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await.unwrap();
                        return;
                    }
                    counted.fetch_add(1, Ordering::Relaxed);
                    let mut there = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    let _either_ends = copy_bidirectional(&mut stream, &mut there).await;
                });
            }
        });
        Self { port, used }
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

//! TLS with a certificate from files, which are read again when they change.

mod error;
mod pair;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::server::TlsStream;

use pair::{Pair, Read};

pub use error::{TlsError, TlsErrorKind};

/// How often the files are looked at. A Secret takes longer to get into a pod.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Where a certificate and its key are, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and after it those that lead to who signed it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// How often they are looked at.
    pub look_every: Duration,
}

impl TlsFiles {
    /// These, looked at as often as is usual.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: certificate.into(), key: key.into(), look_every: LOOK_EVERY }
    }
}

/// TLS with a certificate from files, which are read again when they change.
///
/// What comes to be in the files and cannot be used is told in the log, and the
/// certificate from before is used on: a broken file ends no service that works.
#[derive(Clone)]
pub struct ServerTls {
    files: Arc<TlsFiles>,
    pair: Arc<Pair>,
    acceptor: TlsAcceptor,
    /// What was in the files when this was made.
    first: Read,
}

impl ServerTls {
    /// Reads the files. What cannot be used is an error that names the file.
    pub async fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let first = Read::of(&files).await;
        let pair = Arc::new(Pair::new(first.certified(&files)?));
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| TlsError::because(TlsErrorKind::Unusable, &files.certificate, cause))?;
        let mut config = config.with_no_client_auth().with_cert_resolver(pair.clone());
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files: Arc::new(files), pair, acceptor: Arc::new(config).into(), first })
    }

    /// Agrees with the one at the other end on keys.
    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.acceptor.accept(stream).await
    }

    /// Looks at the files from now on.
    pub(super) async fn follow(self) {
        let (files, mut known) = (&*self.files, self.first);
        let certificate = files.certificate.display();
        loop {
            tokio::time::sleep(files.look_every).await;
            let found = Read::of(files).await;
            if found.same_as(&known) {
                continue;
            }
            match found.certified(files) {
                Ok(certified) => {
                    self.pair.replace(certified);
                    tracing::info!(%certificate, "a new certificate is used from now on");
                }
                // Of two files one may be the new one already; then the next look finds them right.
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    let cause = cause.unwrap_or_default();
                    tracing::error!(%certificate, %error, cause, "the certificate from before is used on");
                }
            }
            known = found;
        }
    }
}

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").field("files", &self.files).finish_non_exhaustive()
    }
}

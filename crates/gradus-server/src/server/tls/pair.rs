//! A certificate and its key: what is in the files, and what is used.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest::{Digest, SHA256, digest};
use tokio::io::AsyncReadExt;
use tokio_rustls::rustls::Error;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::{TlsError, TlsErrorKind, TlsFiles};

/// Longer is no file of certificates.
const LONGEST: u64 = 1024 * 1024;

/// What is used.
pub(super) struct Pair(RwLock<Arc<CertifiedKey>>);

impl Pair {
    pub(super) fn new(certified: Arc<CertifiedKey>) -> Self {
        Self(RwLock::new(certified))
    }

    /// From now on this one is used; connections that are open go on as they are.
    pub(super) fn replace(&self, certified: Arc<CertifiedKey>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified;
    }
}

impl ResolvesServerCert for Pair {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pair(..)")
    }
}

/// What the files gave when they were read. The key is not kept.
#[derive(Clone)]
pub(super) struct Read {
    digests: [Result<Digest, String>; 2],
    outcome: Result<Arc<CertifiedKey>, Arc<Failure>>,
}

struct Failure {
    kind: TlsErrorKind,
    of_key: bool,
    why: Option<String>,
}

impl Read {
    pub(super) async fn of(files: &TlsFiles) -> Self {
        let (certificate, key) = (bytes(&files.certificate).await, bytes(&files.key).await);
        let digested = |read: &Result<Vec<u8>, String>| match read {
            Ok(bytes) => Ok(digest(&SHA256, bytes)),
            Err(error) => Err(error.clone()),
        };
        let digests = [digested(&certificate), digested(&key)];
        Self { digests, outcome: certified(certificate, key).map(Arc::new).map_err(Arc::new) }
    }

    /// Whether the files say what they said then.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        let same = |(one, two): (&Result<Digest, String>, &Result<Digest, String>)| match (one, two) {
            (Ok(one), Ok(two)) => one.as_ref() == two.as_ref(),
            (Err(one), Err(two)) => one == two,
            (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
        };
        self.digests.iter().zip(&other.digests).all(same)
    }

    /// The certificate with its key, or why there is none.
    pub(super) fn certified(&self, files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
        self.outcome.clone().map_err(|failure| {
            let file = if failure.of_key { &files.key } else { &files.certificate };
            match &failure.why {
                None => TlsError::new(failure.kind, file),
                Some(why) => TlsError::because(failure.kind, file, why.clone()),
            }
        })
    }
}

async fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = async {
        let file = tokio::fs::File::open(path).await?;
        file.take(LONGEST).read_to_end(&mut bytes).await
    };
    read.await.map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn certified(
    certificate: Result<Vec<u8>, String>,
    key: Result<Vec<u8>, String>,
) -> Result<CertifiedKey, Failure> {
    let failure = |kind, of_key, why| Failure { kind, of_key, why };
    let certificate = certificate.map_err(|why| failure(TlsErrorKind::Read, false, Some(why)))?;
    let key = key.map_err(|why| failure(TlsErrorKind::Read, true, Some(why)))?;
    let chain: Vec<_> = CertificateDer::pem_slice_iter(&certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| failure(TlsErrorKind::Unusable, false, Some(error.to_string())))?;
    if chain.is_empty() {
        return Err(failure(TlsErrorKind::NoCertificate, false, None));
    }
    // What the reader of keys says quotes nothing of them.
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| failure(TlsErrorKind::NoKey, true, Some(error.to_string())))?;
    CertifiedKey::from_der(chain, key, &default_provider()).map_err(|error| {
        if matches!(error, Error::InconsistentKeys(_)) {
            return failure(TlsErrorKind::OtherKey, true, None);
        }
        let of_key = !matches!(error, Error::InvalidCertificate(_));
        failure(TlsErrorKind::Unusable, of_key, Some(error.to_string()))
    })
}

use std::{error::Error, fmt};

/// Whom to trust beyond the certificates of the system.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tls {
    /// One or more certificates of authorities, in PEM, trusted besides those of the system.
    pub ca_pem: Option<Vec<u8>>,
}

impl Tls {
    pub(super) fn certificates(&self) -> Result<Vec<reqwest::Certificate>, TlsError> {
        let Some(pem) = &self.ca_pem else { return Ok(Vec::new()) };
        let roots = reqwest::Certificate::from_pem_bundle(pem)
            .map_err(|source| TlsError::new("read the certificate authorities", source))?;
        if roots.is_empty() {
            return Err(TlsError {
                doing: "find a certificate in the given authorities (PEM)",
                source: None,
            });
        }
        Ok(roots)
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls {{ ca_pem: {} bytes }}", self.ca_pem.as_ref().map_or(0, Vec::len))
    }
}

/// The certificates given cannot be used.
#[derive(Debug)]
pub struct TlsError {
    doing: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TlsError {
    pub(super) fn new(doing: &'static str, source: impl Error + Send + Sync + 'static) -> Self {
        Self { doing, source: Some(Box::new(source)) }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}", self.doing)
    }
}

impl Error for TlsError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

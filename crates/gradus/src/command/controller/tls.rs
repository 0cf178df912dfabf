//! TLS by files, for what others than this machine reach.

use std::path::{Path, PathBuf};

use gradus_server::{ServerTls, TlsFiles};

use crate::error::CliError;

/// Certificates, which are read again when their files change.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct TlsArgs {
    /// Certificate of the webhooks, in PEM, its issuers after it; read again when it changes. Plain HTTP when absent.
    #[arg(long, value_name = "FILE", requires = "tls_private_key_file")]
    tls_cert_file: Option<PathBuf>,
    /// Private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,
    /// Certificate of the API, as for the webhooks. Plain HTTP when absent.
    #[arg(long, value_name = "FILE", requires = "api_tls_private_key_file")]
    api_tls_cert_file: Option<PathBuf>,
    /// Private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "api_tls_cert_file")]
    api_tls_private_key_file: Option<PathBuf>,
}

impl TlsArgs {
    /// What the webhooks prove who they are with.
    pub(super) async fn webhook(&self) -> Result<Option<ServerTls>, CliError> {
        read(self.tls_cert_file.as_deref(), self.tls_private_key_file.as_deref()).await
    }

    /// What the API proves who it is with.
    pub(super) async fn api(&self) -> Result<Option<ServerTls>, CliError> {
        read(self.api_tls_cert_file.as_deref(), self.api_tls_private_key_file.as_deref()).await
    }
}

async fn read(certificate: Option<&Path>, key: Option<&Path>) -> Result<Option<ServerTls>, CliError> {
    let Some((certificate, key)) = certificate.zip(key) else { return Ok(None) };
    let read = ServerTls::read(TlsFiles::new(certificate, key)).await;
    let read = read.map_err(|error| {
        let help = error.help();
        CliError::because("reading the certificate to listen with", error).help(help)
    });
    read.map(Some)
}

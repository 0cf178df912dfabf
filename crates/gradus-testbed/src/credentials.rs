//! The cluster's certificates, keys and tokens.

use std::path::Path;

use k8s_openapi::ByteString;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

use crate::{TestbedError, User};

/// An authority of the cluster's own, and what it signed.
#[derive(Debug)]
pub(crate) struct Credentials {
    ca: String,
    issuer: Issuer<'static, KeyPair>,
}

const DOING: &str = "could not make the certificates of a cluster";

impl Credentials {
    /// Makes them, and the files that kube-apiserver reads, in a folder.
    pub(crate) fn make(folder: &Path) -> Result<Self, TestbedError> {
        let key = KeyPair::generate().map_err(TestbedError::machine(DOING))?;
        let mut ca = CertificateParams::default();
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        ca.distinguished_name.push(DnType::CommonName, "gradus testbed");
        let certificate = ca.self_signed(&key).map_err(TestbedError::machine(DOING))?;
        let this = Self { ca: certificate.pem(), issuer: Issuer::new(ca, key) };

        let names = ["127.0.0.1", "localhost", "kubernetes.default.svc"].map(str::to_owned);
        let mut server = CertificateParams::new(names).map_err(TestbedError::machine(DOING))?;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let (certificate, key) = this.sign(server)?;
        let accounts = KeyPair::generate().map_err(TestbedError::machine(DOING))?;
        let tokens = User::ALL.map(|user| {
            let groups = user.groups().join(",");
            // An empty column would be a group with an empty name.
            let groups = if groups.is_empty() { groups } else { format!(",\"{groups}\"") };
            format!("{},{},{1}{groups}\n", user.token(), user.name())
        });
        let files = [
            ("ca.crt", this.ca.clone()),
            ("server.crt", certificate),
            ("server.key", key),
            ("accounts.key", accounts.serialize_pem()),
            ("accounts.pub", accounts.public_key_pem()),
            ("tokens.csv", tokens.concat()),
        ];
        for (name, text) in files {
            let path = folder.join(name);
            std::fs::write(&path, text)
                .map_err(TestbedError::machine(format!("could not write {}", path.display())))?;
        }
        Ok(this)
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca
    }

    /// How somebody reaches the cluster with a token.
    pub(crate) fn kubeconfig(&self, url: &str, user: User) -> Result<String, TestbedError> {
        self.config(url, user, &format!("token: {}", user.token()))
    }

    /// How somebody reaches the cluster with a certificate, which names the first of
    /// their groups only.
    pub(crate) fn kubeconfig_with_certificate(&self, url: &str, user: User) -> Result<String, TestbedError> {
        let mut person = CertificateParams::default();
        person.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        person.distinguished_name.push(DnType::CommonName, user.name());
        if let Some(group) = user.groups().first() {
            person.distinguished_name.push(DnType::OrganizationName, *group);
        }
        let (certificate, key) = self.sign(person)?;
        let credentials = format!(
            "client-certificate-data: {}\n      client-key-data: {}",
            base64(&certificate)?,
            base64(&key)?
        );
        self.config(url, user, &credentials)
    }

    fn config(&self, url: &str, user: User, credentials: &str) -> Result<String, TestbedError> {
        let (name, ca) = (user.name(), base64(&self.ca)?);
        Ok(format!(
            "\
apiVersion: v1
kind: Config
clusters:
  - name: testbed
    cluster:
      server: {url}
      certificate-authority-data: {ca}
users:
  - name: {name}
    user:
      {credentials}
contexts:
  - name: testbed
    context:
      cluster: testbed
      user: {name}
current-context: testbed
"
        ))
    }

    fn sign(&self, params: CertificateParams) -> Result<(String, String), TestbedError> {
        let key = KeyPair::generate().map_err(TestbedError::machine(DOING))?;
        let certificate = params.signed_by(&key, &self.issuer).map_err(TestbedError::machine(DOING))?;
        Ok((certificate.pem(), key.serialize_pem()))
    }
}

/// As Kubernetes writes bytes in JSON, which YAML reads too.
fn base64(text: &str) -> Result<String, TestbedError> {
    serde_json::to_string(&ByteString(text.as_bytes().to_vec())).map_err(TestbedError::machine(DOING))
}

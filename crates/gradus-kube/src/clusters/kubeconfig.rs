//! Kubeconfigs from a Secret.
//!
//! Whoever may write such a Secret is not whoever runs gradus. A kubeconfig can name
//! programs to start, files to read and proxies to go through, all of them with
//! the rights of the process that uses it. Each of these is refused unless the operator
//! allows it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use kube::Config;
use kube::config::{
    AuthInfo, Cluster, Context, KubeConfigOptions, Kubeconfig, KubeconfigError, NamedAuthInfo, NamedCluster,
    NamedContext,
};

/// How big a kubeconfig may be.
pub const KUBECONFIG_BYTES: usize = 256 << 10;

/// What a kubeconfig from a Secret may ask for. By default nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KubeconfigPolicy {
    /// It may start programs (`exec`, `auth-provider`).
    pub exec: bool,
    /// It may name files (`certificate-authority`, `client-certificate`, `client-key`, `tokenFile`).
    pub files: bool,
    /// It may leave the server unverified (`insecure-skip-tls-verify`, `http://`).
    pub insecure: bool,
}

/// How long a client waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the next bytes of an answer. A watch that nothing happens in is quiet for as long as it lasts.
    pub read: Duration,
}

/// A kubeconfig that may be used.
#[derive(Clone)]
pub struct Reach {
    config: Config,
}

impl Reach {
    /// The address of the API server.
    pub fn server(&self) -> String {
        self.config.cluster_url.to_string()
    }

    /// What a client is made of.
    pub(crate) fn into_config(self) -> Config {
        self.config
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").field("server", &self.server()).finish_non_exhaustive()
    }
}

/// Why a kubeconfig is not used. Never says what it holds beyond names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeconfigRefusal(Arc<str>);

impl fmt::Display for KubeconfigRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KubeconfigRefusal {}

fn refuse<T>(why: impl Into<String>) -> Result<T, KubeconfigRefusal> {
    Err(KubeconfigRefusal(why.into().into()))
}

/// Reads a kubeconfig and refuses what it must not ask for.
pub async fn read_kubeconfig(
    bytes: &[u8],
    policy: KubeconfigPolicy,
    patience: Patience,
) -> Result<Reach, KubeconfigRefusal> {
    if bytes.len() > KUBECONFIG_BYTES {
        return refuse(format!("the kubeconfig is bigger than {} KiB", KUBECONFIG_BYTES >> 10));
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return refuse("the kubeconfig is not UTF-8");
    };
    let whole = Kubeconfig::from_yaml(text).or_else(|error| refuse(not_parsed(&error)))?;
    let used = used_parts(whole)?;
    check_cluster(&used.cluster, policy)?;
    check_user(&used.user, policy)?;
    let tls_name = used.cluster.tls_server_name.clone();
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(used.rebuilt(), &options)
        .await
        .or_else(|error| refuse(not_usable(&error)))?;
    if config.cluster_url.host().is_none() {
        return refuse("the kubeconfig's field server names no host");
    }
    if let Some(name) = tls_name
        && !crate::clusters::wire::is_name(&name)
    {
        return refuse("the kubeconfig's field tls-server-name is no host name");
    }
    // The process's own proxy is for Git hosts, and no way to a cluster.
    config.proxy_url = None;
    config.connect_timeout = Some(patience.connect);
    config.read_timeout = Some(patience.read);
    config.write_timeout = Some(patience.read);
    // Who asks tries again, and decides when.
    config.default_retry = false;
    Ok(Reach { config })
}

/// The one context of a kubeconfig that is used, and what it names.
struct Used {
    cluster: Cluster,
    user: AuthInfo,
    namespace: Option<String>,
}

impl Used {
    /// A kubeconfig that holds nothing else.
    fn rebuilt(self) -> Kubeconfig {
        let name = || "used".to_owned();
        let Self { cluster, user, namespace } = self;
        let context = Context { cluster: name(), user: Some(name()), namespace, ..Context::default() };
        let context = NamedContext { name: name(), context: Some(context), ..NamedContext::default() };
        let cluster = NamedCluster { name: name(), cluster: Some(cluster), ..NamedCluster::default() };
        let user = NamedAuthInfo { name: name(), auth_info: Some(user), ..NamedAuthInfo::default() };
        Kubeconfig {
            current_context: Some(name()),
            contexts: vec![context],
            clusters: vec![cluster],
            auth_infos: vec![user],
            ..Kubeconfig::default()
        }
    }
}

fn used_parts(whole: Kubeconfig) -> Result<Used, KubeconfigRefusal> {
    let wanted = whole.current_context.filter(|name| !name.is_empty());
    // One context without a word which is meant is what short kubeconfigs have.
    let context = match (&wanted, whole.contexts.len()) {
        (Some(wanted), _) => whole.contexts.into_iter().find(|context| context.name == *wanted),
        (None, 1) => whole.contexts.into_iter().next(),
        (None, _) => return refuse("the kubeconfig has no current-context"),
    };
    let Some(context) = context.and_then(|context| context.context) else {
        return refuse("the kubeconfig's current-context names no context of its contexts");
    };
    let cluster = whole.clusters.into_iter().find(|cluster| cluster.name == context.cluster);
    let Some(cluster) = cluster.and_then(|cluster| cluster.cluster) else {
        return refuse("the kubeconfig's context names no cluster of its clusters");
    };
    let Some(user) = context.user.filter(|user| !user.is_empty()) else {
        return refuse("the kubeconfig's context names no user");
    };
    let user = whole.auth_infos.into_iter().find(|known| known.name == user);
    let Some(user) = user.and_then(|user| user.auth_info) else {
        return refuse("the kubeconfig's context names no user of its users");
    };
    Ok(Used { cluster, user, namespace: context.namespace })
}

fn not_allowed<T>(field: &str, what: &str) -> Result<T, KubeconfigRefusal> {
    refuse(format!("the kubeconfig has the field {field}: {what} is not allowed here"))
}

fn check_cluster(cluster: &Cluster, policy: KubeconfigPolicy) -> Result<(), KubeconfigRefusal> {
    let Some(server) = cluster.server.as_deref().filter(|server| !server.is_empty()) else {
        return refuse("the kubeconfig's cluster has no server");
    };
    let lower = server.to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return refuse("the kubeconfig's field server does not begin with https://");
    }
    if lower.starts_with("http://") && !policy.insecure {
        return not_allowed("server: http://", "a connection without TLS");
    }
    if server.contains('@') {
        return refuse("the kubeconfig's field server has a user in it: credentials belong to its users");
    }
    if cluster.insecure_skip_tls_verify == Some(true) && !policy.insecure {
        return not_allowed("insecure-skip-tls-verify", "an unverified server");
    }
    if cluster.certificate_authority.is_some() && !policy.files {
        return not_allowed("certificate-authority", "reading files (write certificate-authority-data)");
    }
    if cluster.proxy_url.is_some() {
        return refuse("the kubeconfig has the field proxy-url: a proxy is not supported");
    }
    Ok(())
}

fn check_user(user: &AuthInfo, policy: KubeconfigPolicy) -> Result<(), KubeconfigRefusal> {
    if user.exec.is_some() && !policy.exec {
        return not_allowed("exec", "starting programs (use a token or a client certificate)");
    }
    if user.auth_provider.is_some() && !policy.exec {
        return not_allowed(
            "auth-provider",
            "asking an identity provider (use a token or a client certificate)",
        );
    }
    if !policy.files {
        if user.client_certificate.is_some() {
            return not_allowed("client-certificate", "reading files (write client-certificate-data)");
        }
        if user.client_key.is_some() {
            return not_allowed("client-key", "reading files (write client-key-data)");
        }
        if user.token_file.is_some() {
            return not_allowed("tokenFile", "reading files (write token)");
        }
    }
    Ok(())
}

fn not_parsed(error: &KubeconfigError) -> String {
    // The parser shows the lines around a mistake, and in one of them is a key or a token.
    if let KubeconfigError::Parse(error) = error
        && let Some(at) = error.location()
    {
        return format!("the kubeconfig cannot be read at line {}, column {}", at.line(), at.column());
    }
    "the kubeconfig cannot be read".to_owned()
}

fn not_usable(error: &KubeconfigError) -> String {
    use KubeconfigError as E;
    let field = if matches!(error, E::ParseClusterUrl(_) | E::MissingClusterUrl) {
        "server"
    } else if matches!(error, E::LoadCertificateAuthority(_) | E::ParseCertificates(_)) {
        "certificate-authority-data"
    } else {
        return "the kubeconfig cannot be used".to_owned();
    };
    format!("the kubeconfig's field {field} cannot be used: it is not what it should hold")
}

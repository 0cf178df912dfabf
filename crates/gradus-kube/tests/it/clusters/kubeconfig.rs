//! What a kubeconfig from a Secret may ask for, and what is said of it.

use std::time::Duration;

use gradus_kube::clusters::{KUBECONFIG_BYTES, KubeconfigPolicy, Patience, Reach, read_kubeconfig};
use proptest::prelude::*;

use crate::damage::reads_anything;

const SECRET: &str = "hush-hush-hush";

fn patience() -> Patience {
    Patience { connect: Duration::from_secs(1), read: Duration::from_secs(2) }
}

fn read(text: &str, policy: KubeconfigPolicy) -> Result<Reach, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime
        .block_on(read_kubeconfig(text.as_bytes(), policy, patience()))
        .map_err(|refusal| refusal.to_string())
}

/// A kubeconfig with these lines in its cluster and its user.
fn kubeconfig(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: it\ncontexts: [{{name: it, context: {{cluster: c, user: \
         u}}}}]\nclusters:\n- name: c\n  cluster:\n    {cluster}\nusers:\n- name: u\n  user:\n    {user}\n"
    )
}

const SERVER: &str = "server: https://10.0.0.1:6443";

#[test]
fn what_it_may_not_ask_for_is_named() {
    let token = format!("token: {SECRET}");
    let with = |line: &str| kubeconfig(&format!("{SERVER}\n    {line}"), &token);
    let user = |line: &str| kubeconfig(SERVER, line);
    let mistakes = [
        (
            "a program",
            user("exec: {apiVersion: client.authentication.k8s.io/v1, command: sh, args: [-c, id]}"),
        ),
        ("a provider", user("auth-provider: {name: gcp, config: {cmd-path: /bin/sh}}")),
        ("a file of a token", user("tokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token")),
        ("a file of a certificate", user("client-certificate: /etc/tls.crt")),
        ("a file of a key", user("client-key: /etc/tls.key")),
        ("a file of an authority", with("certificate-authority: /etc/ca.crt")),
        ("no verification", with("insecure-skip-tls-verify: true")),
        ("a proxy", with(&format!("proxy-url: http://user:{SECRET}@proxy:3128"))),
        ("no TLS", kubeconfig("server: http://10.0.0.1", &token)),
        ("a socket", kubeconfig("server: unix:///run/api.sock", &token)),
        ("credentials in the address", kubeconfig(&format!("server: https://me:{SECRET}@10.0.0.1"), &token)),
        ("no host", kubeconfig("server: \"https://\"", &token)),
        ("no server", kubeconfig("extensions: []", &token)),
        ("a broken authority", with(&format!("certificate-authority-data: '{SECRET}!'"))),
        ("a name that is none", with("tls-server-name: 'a b'")),
        ("no context", user(&token).replace("current-context: it", "current-context: other")),
        ("no user", user(&token).replace("name: u\n", "name: somebody\n")),
        ("no cluster", user(&token).replace("name: c\n", "name: somewhere\n")),
        ("a tab", format!("users:\n\t- token: {SECRET}")),
        ("a wrong type", user(&format!("token: [{SECRET}]"))),
        ("nothing", String::new()),
        ("too much", " ".repeat(KUBECONFIG_BYTES + 1)),
    ];
    let said: String = mistakes
        .iter()
        .map(|(what, text)| {
            let refusal = read(text, KubeconfigPolicy::default()).unwrap_err();
            assert!(!refusal.contains(SECRET), "{what}: tells the secret: {refusal}");
            format!("{what}: {refusal}\n")
        })
        .collect();
    insta::assert_snapshot!(said);
}

#[test]
fn each_permission_allows_its_own() {
    let none = KubeconfigPolicy::default();
    let token = format!("token: {SECRET}");
    let cases = [
        (KubeconfigPolicy { exec: true, ..none }, kubeconfig(SERVER, "exec: {command: sh}")),
        (KubeconfigPolicy { files: true, ..none }, kubeconfig(SERVER, "tokenFile: /etc/hostname")),
        (
            KubeconfigPolicy { insecure: true, ..none },
            kubeconfig(&format!("{SERVER}\n    insecure-skip-tls-verify: true"), &token),
        ),
    ];
    for (policy, text) in &cases {
        assert!(read(text, *policy).is_ok(), "{policy:?} does not allow what it says");
        for (other, _) in cases.iter().filter(|(other, _)| other != policy) {
            assert!(read(text, *other).is_err(), "{other:?} allows what it does not say");
        }
    }
    let proxy = kubeconfig(&format!("{SERVER}\n    proxy-url: http://proxy:3128"), &token);
    let everything = KubeconfigPolicy { exec: true, files: true, insecure: true };
    assert_eq!(
        read(&proxy, everything).unwrap_err(),
        "the kubeconfig has the field proxy-url: a proxy is not supported"
    );
}

#[test]
fn what_is_not_used_is_not_asked_about() {
    let text =
        kubeconfig(SERVER, &format!("token: {SECRET}\n- name: admin\n  user: {{exec: {{command: sh}}}}"));
    let reach = read(&text, KubeconfigPolicy::default()).unwrap();
    assert_eq!(reach.server(), "https://10.0.0.1:6443/");
    insta::assert_snapshot!(format!("{reach:?}"), @r#"Reach { server: "https://10.0.0.1:6443/", .. }"#);
}

#[test]
fn json_is_yaml_too_and_one_context_needs_no_word() {
    let text = format!(
        r#"{{"clusters": [{{"name": "c", "cluster": {{"server": "https://10.0.0.1"}}}}],
            "contexts": [{{"name": "it", "context": {{"cluster": "c", "user": "u"}}}}],
            "users": [{{"name": "u", "user": {{"token": "{SECRET}"}}}}]}}"#
    );
    assert!(read(&text, KubeconfigPolicy::default()).is_ok());
}

#[test]
fn names_that_grow_are_refused() {
    let mut text = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 0..20 {
        let (name, of) = (char::from(b'b' + level), char::from(b'a' + level));
        text.push_str(&format!("{name}: &{name} [*{of}, *{of}, *{of}, *{of}, *{of}, *{of}, *{of}]\n"));
    }
    assert!(read(&text, KubeconfigPolicy::default()).is_err());
    assert!(read(&"[".repeat(100_000), KubeconfigPolicy::default()).is_err());
}

proptest! {
    #[test]
    fn garbage_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let policy = KubeconfigPolicy::default();
        let read = runtime.block_on(read_kubeconfig(&bytes, policy, patience()));
        prop_assert!(read.is_err(), "garbage is no kubeconfig");
    }

    #[test]
    fn a_damaged_kubeconfig_never_asks_for_more(at in 0usize..400, with in "[ -~\\n]{0,12}", cut in 0usize..20) {
        let text = kubeconfig(SERVER, &format!("token: {SECRET}\n    exec: {{command: sh}}"));
        let at = at.min(text.len());
        let end = (at + cut).min(text.len());
        let damaged = format!("{}{with}{}", &text[..at], &text[end..]);
        match read(&damaged, KubeconfigPolicy::default()) {
            // The damage took the program away, or its key's name.
            Ok(reach) => {
                let told = format!("{reach:?}");
                prop_assert!(!told.contains(SECRET));
            }
            Err(refusal) => prop_assert!(!refusal.contains(SECRET), "{refusal}"),
        }
    }
}

/// Whatever is in the Secret: it is read, or refused without telling what it holds.
#[test]
fn any_kubeconfig_is_read_or_refused() {
    let token = kubeconfig(SERVER, &format!("token: {SECRET}"));
    let everything = kubeconfig(
        &format!(
            "{SERVER}\n    tls-server-name: api.example.org\n    proxy-url: http://proxy:3128\n    \
             certificate-authority-data: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==\n    disable-compression: true"
        ),
        &format!(
            "username: me\n    password: {SECRET}\n    client-certificate-data: AA==\n    client-key-data: AA=="
        ),
    );
    let json = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "it",
        "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1"}}],
        "contexts": [{"name": "it", "context": {"cluster": "c", "user": "u", "namespace": "apps"}}],
        "users": [{"name": "u", "user": {"token": "t"}}], "preferences": {}}"#;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lenient = KubeconfigPolicy { insecure: true, ..KubeconfigPolicy::default() };
    reads_anything(&[token.as_bytes(), everything.as_bytes(), json.as_bytes()], |bytes| {
        for policy in [KubeconfigPolicy::default(), lenient] {
            match runtime.block_on(read_kubeconfig(bytes, policy, patience())) {
                Ok(reach) => assert!(reach.server().contains("://"), "{reach:?}"),
                Err(refusal) => assert!(!refusal.to_string().contains(SECRET), "{refusal}"),
            }
        }
    });
}

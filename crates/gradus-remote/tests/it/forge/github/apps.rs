//! Apps on GitHub, by which proposals are made and Git is reached.

use std::sync::Arc;

use gradus_engine::port::clock::SystemClock;
use gradus_engine::port::{PortErrorKind, Repos as _};
use gradus_remote::forge::github::Installation;
use gradus_remote::forge::{Account, ForgeApis as _, ForgeErrorKind, ForgeKind, Forges, Rights};
use gradus_remote::http::Tls;
use gradus_remote::repos::{Committer, SecretFolder, WireRepos};
use gradus_remote::{AppCredentials, Secret};
use serde_json::json;

use super::hub::App;
use super::{Scene, address, branch, new};
use crate::port::{at, repository};
use crate::server::Settings;

#[tokio::test]
async fn an_app_gets_its_tokens_by_its_key() {
    let scene = Scene::new().await;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let permissions = json!({"contents": "write", "pull_requests": "write", "metadata": "read"});
    let public_key = key.public_key_raw().to_vec();
    scene.server.hub().app = Some(App { public_key, permissions, life: 3600, tokens: Vec::new() });
    scene.branch(2);
    let api = scene.app(&key.serialize_pem());
    let number = api.create(&new("x")).await.unwrap().number;
    api.comment(number, "one").await.unwrap();
    let tokens = "POST app/installations/42/access_tokens 201";
    let calls = scene.server.calls();
    assert_eq!(calls, ["GET installation 200", tokens, "POST pulls 201", "POST issues/1/comments 201"]);
    let me = api.whoami().await.unwrap();
    assert_eq!(me.account, None);
    let scopes = ["contents=write", "metadata=read", "pull_requests=write"].map(str::to_owned);
    assert_eq!(me.scopes, Some(scopes.into()));
    assert_eq!(api.repository().await.unwrap().rights, Some(Rights::Write));
    // One that was taken back is replaced; one that ends within a minute is not used again.
    scene.server.calls();
    scene.server.hub().app.as_mut().unwrap().tokens = vec!["gone".to_owned()];
    api.comments(number).await.unwrap();
    let again = "GET issues/1/comments 200";
    assert_eq!(scene.server.calls(), ["GET issues/1/comments 401", tokens, again]);
    scene.server.hub().app.as_mut().unwrap().life = 30;
    let short = scene.app(&key.serialize_pem());
    for _ in 0..2 {
        short.comments(number).await.unwrap();
    }
    let calls = scene.server.calls();
    assert_eq!(calls.iter().filter(|call| *call == tokens).count(), 2, "{calls:?}");
    // What the installation lacks is named; a key that is not the app's is not known.
    scene.server.hub().app.as_mut().unwrap().permissions =
        json!({"contents": "write", "pull_requests": "read"});
    let error = scene.app(&key.serialize_pem()).get(number).await.unwrap_err();
    assert!(
        error.to_string().ends_with("the credentials lack the permission pull_requests=write"),
        "{error}"
    );
    let other = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let error = scene.app(&other.serialize_pem()).get(number).await.unwrap_err();
    assert_eq!(*error.kind(), ForgeErrorKind::Unauthorized, "{error}");
}

#[tokio::test]
async fn a_key_that_is_none_is_told() {
    let scene = Scene::new().await;
    let app = |key: &str| {
        let app = AppCredentials { id: "7".into(), installation: Some(42), key: Secret::new(key), api: None };
        let made = Installation::new(&app, &address(&scene.server), Tls::default(), Arc::new(SystemClock));
        made.err().unwrap().to_string()
    };
    let end = "; put the RSA key that GitHub made for the app, in PEM, into the Secret";
    let start = "cannot take the key of the app 7: ";
    assert_eq!(app("hunter2"), format!("{start}it is no private key in PEM{end}"));
    let elliptic = rcgen::KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(app(&elliptic), format!("{start}it is no RSA key that can be used{end}"));
}

#[tokio::test]
async fn git_is_reached_as_the_app_of_a_secret() {
    let scene = Scene::new().await;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let (permissions, public_key) = (json!({"contents": "write"}), key.public_key_raw().to_vec());
    scene.server.hub().app = Some(App { public_key, permissions, life: 3600, tokens: Vec::new() });
    std::fs::create_dir(scene.git.dir.path().join("acme")).unwrap();
    std::os::unix::fs::symlink(scene.git.repo(), scene.git.dir.path().join("acme/fleet.git")).unwrap();
    // The base64 of x-access-token:ghs_0, the first token that is given.
    let authorization = Some("Basic eC1hY2Nlc3MtdG9rZW46Z2hzXzA=".to_owned());
    let settings = Settings { authorization, ..Settings::default() };
    let host = crate::server::Server::start(scene.git.dir.path(), settings).await;
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("apps/fleet");
    std::fs::create_dir_all(&secret).unwrap();
    let keys = [
        ("githubAppID", "7\n".to_owned()),
        ("githubAppPrivateKey", key.serialize_pem()),
        ("githubAppBaseURL", format!("{}/api/v3/", scene.server.url())),
    ];
    for (key, value) in &keys {
        std::fs::write(secret.join(key), value).unwrap();
    }
    let access = SecretFolder { folder: Some(folder.path().to_owned()), otherwise: scene.git.options() };
    let repos = WireRepos::new(Arc::new(access), Committer::default());
    let repository = repository(&format!("{}/acme/fleet.git", host.url()));
    let repository = gradus_core::pipeline::Repository { secret: Some("apps/fleet".into()), ..repository };
    for _ in 0..2 {
        let tips = repos.open(&repository).unwrap().tips(&[branch("main")]).await.unwrap();
        assert_eq!(tips.get(&branch("main")), Some(&at(&scene.git, "main")));
    }
    let calls = ["GET installation 200", "POST app/installations/42/access_tokens 201"];
    assert_eq!(scene.server.calls(), calls);
    // Who may not write is told before anything is sent.
    scene.server.hub().app.as_mut().unwrap().permissions = json!({"contents": "read"});
    std::fs::write(secret.join("githubAppInstallationID"), "42").unwrap();
    let error = repos.open(&repository).unwrap().tips(&[branch("main")]).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(
        error.in_full().contains("the credentials lack the permission contents=write"),
        "{}",
        error.in_full()
    );
    assert_eq!(scene.server.calls(), ["POST app/installations/42/access_tokens 201"]);
    std::fs::write(secret.join("githubAppInstallationID"), "fleet").unwrap();
    let error = repos.open(&repository).err().unwrap();
    assert!(error.in_full().contains("it is not a number"), "{}", error.in_full());
}

#[tokio::test]
async fn a_pipeline_that_names_github_is_led_there() {
    let scene = Scene::new().await;
    let key = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048).unwrap();
    let permissions = json!({"contents": "write", "pull_requests": "write"});
    let public_key = key.public_key_raw().to_vec();
    scene.server.hub().app = Some(App { public_key, permissions, life: 3600, tokens: Vec::new() });
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("apps/fleet");
    std::fs::create_dir_all(&secret).unwrap();
    std::fs::write(secret.join("token"), "ghp_gradus").unwrap();
    let access = SecretFolder { folder: Some(folder.path().to_owned()), otherwise: scene.git.options() };
    let forges = Forges::new(Arc::new(access), Arc::new(SystemClock));
    let repository = gradus_core::pipeline::Repository {
        secret: Some("apps/fleet".into()),
        forge: Some(gradus_core::pipeline::Forge { kind: ForgeKind::GitHub, url: None }),
        ..repository(&format!("{}/acme/fleet.git", scene.server.url()))
    };
    let me = forges.open(&repository).unwrap().whoami().await.unwrap();
    assert_eq!(me.account, Some(Account("gradus".into())));
    // The Secret becomes that of an app, which makes one token for all who ask.
    std::fs::remove_file(secret.join("token")).unwrap();
    std::fs::write(secret.join("githubAppID"), "7").unwrap();
    std::fs::write(secret.join("githubAppPrivateKey"), key.serialize_pem()).unwrap();
    scene.server.calls();
    for _ in 0..2 {
        assert_eq!(forges.open(&repository).unwrap().whoami().await.unwrap().account, None);
    }
    let calls = ["GET installation 200", "POST app/installations/42/access_tokens 201"];
    assert_eq!(scene.server.calls(), calls);
}

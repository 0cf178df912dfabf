//! What the doctor says of a forge.

use gradus_testbed::Gitea;
use serde_json::json;

use crate::front::{Front, WayOut};
use crate::world::World;

/// Runs `doctor forge` with a token of gradus's account.
fn look(world: &mut World, bot: &str, token: &str, arguments: &[&str]) {
    let all = [&["doctor", "forge"][..], arguments, &["--git-user", bot]].concat();
    world.run_with(&all, &[("GRADUS_GIT_TOKEN", token)]);
}

#[tokio::test]
async fn the_doctor_looks_at_gitea() {
    let gitea = Gitea::shared().await.unwrap();
    let (ann, bot) = (gitea.user("ann").await.unwrap(), gitea.user("gradus").await.unwrap());
    let name = gitea.repository(&ann, "fleet", &[("web.yaml", "version: 1\n")]).await.unwrap();
    let path = format!("/repos/{}/{name}", ann.name);
    let may = Some(json!({"permission": "write"}));
    gitea.done(&ann.token, "PUT", &format!("{path}/collaborators/{}", bot.name), may).await.unwrap();
    let url = format!("{}/{}/{name}.git", gitea.url(), ann.name);
    let mut world = World::empty();
    let mut token = async |scopes: &[&str], shown: &'static str| {
        let token = gitea.token(&bot.name, &bot.password, scopes).await.unwrap();
        world.hide(token.clone(), shown);
        token
    };
    let good = token(&["write:repository", "write:issue"], "[good]").await;
    let known = token(&["write:repository", "write:issue", "read:user"], "[known]").await;
    let reads = token(&["read:repository"], "[reads]").await;
    let silent = token(&["write:repository"], "[silent]").await;
    let host = gitea.url()["http://".len()..].to_owned();
    let typo = format!("{}/{}/{name}.git", gitea.url(), ann.name.replace("ann", "anm"));
    let below = format!("{}/git/{}/{name}.git", gitea.url(), ann.name);

    look(&mut world, &bot.name, &good, &[&url]);
    look(&mut world, &bot.name, &known, &[&url, "--forge", "gitea", "-o", "json"]);
    look(&mut world, &bot.name, "0123456789abcdef", &[&url, "--forge", "forgejo"]);
    world.run(&["doctor", "forge", &url]);
    look(&mut world, &bot.name, &reads, &[&url]);
    look(&mut world, &bot.name, &silent, &[&url]);
    look(&mut world, &bot.name, &good, &[&typo]);
    look(&mut world, &bot.name, &good, &[&url, "--branch", "production"]);
    look(&mut world, &bot.name, &good, &[&below, "--forge", "gitea"]);
    look(&mut world, &bot.name, &good, &["http://127.0.0.1:1/acme/fleet", "--forge", "gitea"]);
    look(&mut world, &bot.name, &good, &["http://127.0.0.1:1/acme/fleet"]);
    look(&mut world, &bot.name, &good, &["nowhere"]);

    let rule = json!({
        "rule_name": "main", "enable_push": false, "required_approvals": 2,
        "enable_status_check": true, "status_check_contexts": ["ci/test"],
        "enable_merge_whitelist": true, "merge_whitelist_usernames": [ann.name],
    });
    gitea.done(&ann.token, "POST", &format!("{path}/branch_protections"), Some(rule)).await.unwrap();
    look(&mut world, &bot.name, &good, &[&url]);
    let rule = Some(json!({"merge_whitelist_usernames": [ann.name, bot.name]}));
    gitea.done(&ann.token, "PATCH", &format!("{path}/branch_protections/main"), rule).await.unwrap();

    // A manifest names it too.
    world.write("secrets/apps/git/username", &bot.name);
    world.write("secrets/apps/git/password", &good);
    let manifest = format!(
        "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {{name: web, namespace: apps}}
spec:
  repository: {{url: {url}, branch: main, forge: gitea, secretRef: {{name: git}}}}
  environments:
    - {{name: dev, targets: [git: {{}}]}}
"
    );
    world.write("web.yaml", &manifest);
    world.run(&["doctor", "forge", "web.yaml", "--secrets", "secrets"]);
    world.write("local.yaml", &manifest.replace("forge: gitea, ", ""));
    world.run(&["doctor", "forge", "local.yaml", "--secrets", "secrets"]);

    gitea.done(&ann.token, "PATCH", &path, Some(json!({"archived": true}))).await.unwrap();
    look(&mut world, &bot.name, &good, &[&url]);

    world.hide(ann.name.replace("ann", "anm"), "[anm]");
    world.hide(ann.name.clone(), "[ann]");
    world.hide(bot.name.clone(), "[gradus]");
    world.hide(name.clone(), "[fleet]");
    world.hide(host, "[gitea]");
    world.check("doctor_forge");
}

/// In a company the forge has a certificate of the company's own authority, and is reached through a proxy.
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_through_what_stands_before_a_forge() {
    let gitea = Gitea::shared().await.unwrap();
    let (ann, bot) = (gitea.user("ann").await.unwrap(), gitea.user("gradus").await.unwrap());
    let name = gitea.repository(&ann, "fleet", &[("web.yaml", "version: 1\n")]).await.unwrap();
    let may = Some(json!({"permission": "write"}));
    let path = format!("/repos/{}/{name}/collaborators/{}", ann.name, bot.name);
    gitea.done(&ann.token, "PUT", &path, may).await.unwrap();
    let port = gitea.url().rsplit(':').next().unwrap().trim_end_matches('/').parse().unwrap();
    let front = Front::of(port).await;
    let out = WayOut::to(front.port).await;
    let mut world = World::empty();
    world.write("authority.pem", &front.authority);
    let url = format!("https://localhost:{}/{}/{name}.git", front.port, ann.name);
    world.hide(format!("localhost:{}", front.port), "[gitea]");
    world.hide(format!("127.0.0.1:{}", out.port), "[proxy]");
    for (text, shown) in
        [(&ann.name, "[ann]"), (&name, "[fleet]"), (&bot.name, "[gradus]"), (&bot.token, "[token]")]
    {
        world.hide(text, shown);
    }

    look(&mut world, &bot.name, &bot.token, &[&url, "--forge", "gitea"]);
    look(&mut world, &bot.name, &bot.token, &[&url, "--forge", "gitea", "--ca-file", "authority.pem"]);
    look(&mut world, &bot.name, &bot.token, &[&url, "--forge", "gitea", "--ca-file", "nowhere.pem"]);

    let url = format!("https://git.acme.test/{}/{name}.git", ann.name);
    let (token, proxy) = (bot.token.clone(), format!("http://127.0.0.1:{}", out.port));
    let arguments =
        ["doctor", "forge", &url, "--forge", "gitea", "--ca-file", "authority.pem", "--git-user", &bot.name];
    assert_eq!(out.used(), 0);
    world.run_with(&arguments, &[("GRADUS_GIT_TOKEN", &token), ("HTTPS_PROXY", &proxy)]);
    assert!(out.used() > 0, "the proxy was not used");
    world.check("doctor_forge_behind");
}

//! Commands that end, against a real forge: a promotion, and a comment.

use gradus_testbed::{Gitea, GiteaUser};
use serde_json::{Value, json};

use crate::world::World;

/// A repository of Ann's, and a folder of manifests whose Secret belongs to another account.
struct Town {
    gitea: &'static Gitea,
    ann: GiteaUser,
    path: String,
    url: String,
    world: World,
}

impl Town {
    async fn new() -> Self {
        let gitea = Gitea::shared().await.unwrap();
        let (ann, bot) = (gitea.user("ann").await.unwrap(), gitea.user("gradus").await.unwrap());
        let file = |environment: &str, version: &str| {
            format!("version: {version} # {{\"$promotion\": \"apps:web:{environment}\"}}\n")
        };
        let (dev, prod) = (file("dev", "1.1.0"), file("prod", "1.0.0"));
        let files = [("dev.yaml", dev.as_str()), ("prod.yaml", prod.as_str())];
        let name = gitea.repository(&ann, "fleet", &files).await.unwrap();
        let path = format!("/repos/{}/{name}", ann.name);
        let may = Some(json!({"permission": "write"}));
        gitea.done(&ann.token, "PUT", &format!("{path}/collaborators/{}", bot.name), may).await.unwrap();
        let url = format!("{}/{}/{name}.git", gitea.url(), ann.name);
        let mut world = World::empty();
        let repository = format!("{}/{}/{name}", &gitea.url()["http://".len()..], ann.name);
        // The longer ones first: the shorter ones are in them.
        for (text, shown) in [
            (url.as_str(), "[URL]"),
            (url.trim_end_matches(".git"), "[URL]"),
            (repository.as_str(), "[repository]"),
            (bot.name.as_str(), "[bot]"),
        ] {
            world.hide(text, shown);
        }
        let manifest = format!(
            "\
apiVersion: gradus.dev/v1alpha1
kind: Pipeline
metadata: {{name: web, namespace: apps}}
spec:
  repository: {{url: {url}, branch: main, forge: gitea, secretRef: {{name: git}}}}
  environments:
    - {{name: dev, targets: [git: {{}}]}}
    - {{name: prod, targets: [git: {{}}], gates: [approval: {{min: 1}}]}}
"
        );
        world.write("pipelines/web.yaml", &manifest);
        world.write("secrets/apps/git/username", &bot.name);
        world.write("secrets/apps/git/password", &bot.token);
        Self { gitea, ann, path, url, world }
    }

    async fn get(&self, below: &str) -> Value {
        self.gitea.done(&self.ann.token, "GET", &format!("{}{below}", self.path), None).await.unwrap()
    }

    /// What stands below the first pull request.
    async fn comments(&self) -> Vec<String> {
        let comments = self.get("/issues/1/comments").await;
        comments
            .as_array()
            .unwrap()
            .iter()
            .map(|comment| comment["body"].as_str().unwrap().to_owned())
            .collect()
    }

    fn promote(&mut self) {
        let access = ["--data", "data", "--secrets", "secrets"];
        self.world.run(&[&["promote", "web", "--to", "prod"][..], &access].concat());
    }
}

#[tokio::test]
async fn a4_a_run_leaves_a_pull_request() {
    let mut town = Town::new().await;
    town.promote();
    let pull = town.get("/pulls/1").await;
    assert_eq!((pull["state"].as_str(), pull["base"]["ref"].as_str()), (Some("open"), Some("main")));
    // Whoever runs it again gets no second one.
    town.promote();
    assert_eq!(town.get("/pulls?state=all").await.as_array().unwrap().len(), 1);
    town.world.check("promote_on_gitea");
}

const TEMPLATE: &str = "\
The application {{ name }}/{{ kind }} inside of the {{ namespace }} namespace has been installed successfully with {{ version }}

It answers at {{ summary.url }}.
";

fn event(version: &str, number: &str) -> String {
    json!({
        "involvedObject": {"kind": "HelmRelease", "namespace": "pr-12", "name": "podinfo"},
        "severity": "info", "reason": "InstallSucceeded", "message": "Helm install succeeded",
        "metadata": {"helm.toolkit.fluxcd.io/revision": version, "summary": format!("pr={number} url=http://pr-12.example.com")},
    })
    .to_string()
}

#[tokio::test]
async fn a25_what_an_event_says_of_a_pull_request_stands_below_it_once() {
    let mut town = Town::new().await;
    town.promote();
    town.world.write("comment.tmpl", TEMPLATE);
    town.world.write("first.json", &event("6.5.1", "1"));
    // As GitHub passes it on.
    let dispatch = format!(
        "{{\"event_type\": \"HelmRelease/podinfo.pr-12\", \"client_payload\": {}}}",
        event("6.5.2", "1")
    );
    town.world.write("second.json", &dispatch);
    town.world.write("nobody.json", &event("6.5.1", "999"));
    town.world.write("no-number.json", &event("6.5.1", "main"));
    let url = town.url.clone();
    let comment = |town: &mut Town, more: &[&str]| {
        let access = ["--secrets", "secrets", "--secret", "apps/git"];
        town.world.run(&[&["comment", &url][..], more, &access].concat());
    };
    let first = ["--template", "comment.tmpl", "--event", "first.json"];
    comment(&mut town, &[&first[..], &["--dry-run"]].concat());
    assert_eq!(town.comments().await, [""; 0]);
    comment(&mut town, &first);
    comment(&mut town, &first);
    let written = town.comments().await;
    assert_eq!(written.len(), 1, "{written:?}");
    // A person who quotes it keeps their words.
    let quoted = format!("> {}\n\nnice", written[0].trim_end().replace('\n', "\n> "));
    let said = Some(json!({"body": quoted}));
    town.gitea
        .done(&town.ann.token, "POST", &format!("{}/issues/1/comments", town.path), said)
        .await
        .unwrap();
    comment(&mut town, &["--template", "comment.tmpl", "--event", "second.json", "-o", "json"]);
    let now = town.comments().await;
    assert_eq!(now[1..], [quoted]);
    assert!(now[0].contains("successfully with 6.5.2\n\nIt answers at http://pr-12.example.com."), "{now:?}");
    // Another key is another comment, with values of its own. What somebody else signed so stays theirs, and what is
    // put into it is no word of gradus's.
    let copied = Some(json!({"body": "mine\n\n<!-- gradus: comment plan -->"}));
    town.gitea
        .done(&town.ann.token, "POST", &format!("{}/issues/1/comments", town.path), copied)
        .await
        .unwrap();
    town.world.write("other.tmpl", "{{ set.what }} of #{{ pull }} is done");
    let what = "what=The plan <!-- gradus: answer to 1 -->";
    comment(&mut town, &["1", "--template", "other.tmpl", "--set", what, "--key", "plan"]);
    let now = town.comments().await;
    assert_eq!(now[2].trim_end(), "mine\n\n<!-- gradus: comment plan -->");
    assert!(now[3].starts_with("The plan &lt;!-- gradus: answer to 1 --> of #1 is done"), "{now:?}");
    assert_eq!(now.len(), 4);
    // What people get wrong.
    comment(&mut town, &["--template", "comment.tmpl"]);
    comment(&mut town, &["1", "--template", "comment.tmpl"]);
    comment(&mut town, &["--template", "comment.tmpl", "--event", "nobody.json"]);
    comment(&mut town, &["--template", "comment.tmpl", "--event", "no-number.json"]);
    comment(&mut town, &["--template", "comment.tmpl", "--event", "comment.tmpl"]);
    comment(&mut town, &["1", "--template", "missing.tmpl"]);
    comment(&mut town, &["1", "--template", "other.tmpl", "--set", "what"]);
    comment(&mut town, &["1", "--template", "other.tmpl", "--set", "what=a", "--key", "a>b"]);
    assert_eq!(town.comments().await.len(), 4);
    town.world.check("comment");
}

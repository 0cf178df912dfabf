//! What a pipeline wants of its proposals, on a real Gitea.

use std::time::Duration;

use gradus_core::names::ProposalNumber;
use gradus_core::pipeline::Reviewer;
use gradus_core::tell::Light;
use gradus_engine::port::Forge as _;
use gradus_engine::port::forge::{Extras, MergeWay, Merging, ProposalText, Standing, Status, Sticky};
use gradus_engine::port::repo::Written;
use gradus_remote::forge::{CheckState, MergeMethod, NewCheck};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::scene::{BRANCH, Scene};

const ONE: ProposalNumber = ProposalNumber(1);

#[tokio::test]
async fn what_else_is_wanted_is_there_and_not_asked_for_again() {
    let scene = Scene::new().await;
    scene.ann("POST", "/milestones", json!({"title": "1.2"})).await;
    let head = scene.branch(2).await;
    let extras = Extras {
        labels: vec!["promotion".into(), "env/prod".into()],
        reviewers: vec![Reviewer::Person(scene.ann.name.as_str().into())],
        assignees: vec![scene.ann.name.as_str().into()],
        draft: true,
        milestone: Some("1.2".into()),
    };
    let text = ProposalText { extras, ..scene.text(&head, 2) };
    for _ in 0..2 {
        scene.forge.ensure(&scene.place, &text).await.unwrap();
    }
    let pull = scene.ann("GET", "/pulls/1", Value::Null).await;
    let names = |list: &str, name: &str| -> Vec<String> {
        let all = pull[list].as_array().into_iter().flatten();
        let mut names: Vec<String> = all.map(|one| one[name].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names("labels", "name"), ["env/prod", "promotion"]);
    assert_eq!(names("assignees", "login"), std::slice::from_ref(&scene.ann.name));
    assert_eq!(names("requested_reviewers", "login"), std::slice::from_ref(&scene.ann.name));
    assert_eq!((&pull["milestone"]["title"], &pull["draft"]), (&json!("1.2"), &json!(true)));
    // A draft is not merged, until somebody calls it ready.
    let Written::Refused(why) = scene.merge(ONE, &head, 2).await else { panic!("a draft was merged") };
    assert!(why.contains("Work in progress"), "{why}");
    scene.ann("PATCH", "/pulls/1", json!({"title": "web 2 to prod"})).await;
    assert!(matches!(scene.merge(ONE, &head, 2).await, Written::Done(_)));
}

#[tokio::test]
async fn gitea_merges_by_itself_what_it_was_told_to() {
    let scene = Scene::new().await;
    let rule =
        json!({"rule_name": "main", "enable_status_check": true, "status_check_contexts": ["ci/test"]});
    scene.ann("POST", "/branch_protections", rule).await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let main = scene.tip("main").await.unwrap();
    let order = scene.order("main", vec![head.clone(), main], super::scene::FILE, "version: 2\n").await;
    let way = MergeWay { method: Some(MergeMethod::Squash), queue: true };
    let told = scene.forge.merge(&scene.place, ONE, &head, &order, way).await.unwrap();
    assert_eq!(told, Merging::Later);
    let record = scene.forge.find(&scene.place, &head).await.unwrap().unwrap();
    assert!(record.queued.is_some(), "nobody is told that it waits in the forge");
    // Told once more, by one that was started just now, it is no mistake.
    let another = scene.another(&scene.bot.token, MergeMethod::Merge);
    let told = another.merge(&scene.place, ONE, &head, &order, way).await.unwrap();
    assert_eq!(told, Merging::Later);
    assert_eq!(scene.file().await, "version: 1\n");
    let (name, state, summary) = ("ci/test".to_owned(), CheckState::Passed, "ok".to_owned());
    let check = NewCheck { name, state, summary, url: None };
    scene.api(&scene.bot.token).set_check(&head, &check).await.unwrap();
    for _ in 0..400 {
        if scene.pulls().await == ["1 merged: web 2 to prod"] {
            break;
        }
        sleep(Duration::from_millis(150)).await;
    }
    assert_eq!(scene.pulls().await, ["1 merged: web 2 to prod"]);
    assert_eq!(scene.file().await, "version: 2\n");
    let tip = scene.tip("main").await.unwrap();
    assert_eq!(scene.repo.parents(&tip).await.unwrap().len(), 1, "it was to be squashed");
}

#[tokio::test]
async fn statuses_and_the_one_comment_are_as_they_were_told_last() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let standing = |light, words: &str| Standing {
        statuses: vec![Status {
            commit: head.clone(),
            name: "gradus/web/prod".to_owned(),
            light,
            summary: words.to_owned(),
            url: Some("https://gradus.example.com/web".into()),
        }],
        comment: Some(Sticky { number: ONE, mark: words.len().to_string(), text: format!("**{words}**") }),
        deployed: None,
    };
    let another = scene.another(&scene.bot.token, MergeMethod::Merge);
    let (waits, goes) = (
        standing(Light::Pending, "2: waiting for approval"),
        standing(Light::Good, "2: its gates have passed"),
    );
    for (forge, standing) in
        [(&scene.forge, &waits), (&scene.forge, &waits), (&another, &waits), (&another, &goes)]
    {
        forge.tell(&scene.place, standing).await.unwrap();
    }
    let statuses = scene.ann("GET", &format!("/statuses/{head}"), Value::Null).await;
    let mut shown: Vec<String> = statuses
        .as_array()
        .unwrap()
        .iter()
        .map(|status| {
            format!("{} {}", status["status"].as_str().unwrap(), status["description"].as_str().unwrap())
        })
        .collect();
    shown.sort();
    assert_eq!(shown, ["pending 2: waiting for approval", "success 2: its gates have passed"]);
    let comments = scene.ann("GET", "/issues/1/comments", Value::Null).await;
    let bodies: Vec<&str> =
        comments.as_array().unwrap().iter().filter_map(|one| one["body"].as_str()).collect();
    assert_eq!(bodies.len(), 1, "{bodies:?}");
    assert!(bodies[0].starts_with("**2: its gates have passed**"), "{bodies:?}");
    assert_eq!(scene.tip(BRANCH).await, Some(head));
}

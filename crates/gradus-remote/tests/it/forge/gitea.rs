//! Proposals in a real Gitea, with people who do what people do.

use gradus_core::names::ProposalNumber;
use gradus_core::plan::CloseReason;
use gradus_engine::port::Forge as _;
use gradus_engine::port::PortErrorKind;
use gradus_engine::port::repo::Written;
use gradus_remote::forge::{
    Account, CheckState, Label, MergeMethod, NewCheck, PullState, Reviewers, Rights, Verdict,
};
use gradus_testbed::Gitea;
use serde_json::{Value, json};

use super::proxy::Loss;
use super::scene::{BRANCH, FILE, Scene};

#[tokio::test]
async fn from_open_to_merged_is_four_calls() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let text = scene.text(&head, 2);
    let opened = scene.forge.ensure(&scene.place, &text).await.unwrap();
    assert_eq!(opened.number, ProposalNumber(1));
    let url = format!("{}/{}/{}/pulls/1", scene.gitea.url(), scene.ann.name, scene.name);
    assert_eq!(opened.url.as_deref(), Some(url.as_str()));
    // The engine looks again at once, and again when a webhook tells of something.
    assert_eq!(scene.forge.find(&scene.place, &head).await.unwrap(), Some(opened.clone()));
    scene.forge.heard(&scene.place.repository.url);
    assert_eq!(scene.forge.find(&scene.place, &head).await.unwrap(), Some(opened));
    let Written::Done(commit) = scene.merge(ProposalNumber(1), &head, 2).await else { panic!("not merged") };
    let calls = scene.proxy.calls();
    assert_eq!(calls, ["POST pulls", "GET pulls", "GET pulls/1", "POST pulls/1/merge"]);
    assert_eq!(scene.tip("main").await, Some(commit.clone()));
    assert_eq!(scene.tip(BRANCH).await, None);
    assert_eq!(scene.file().await, "version: 2\n");
    assert_eq!(scene.pulls().await, ["1 merged: web 2 to prod"]);
    let parents = scene.repo.parents(&commit).await.unwrap();
    assert_eq!(parents.last(), Some(&head));
    let history = scene.repo.history(&commit, &[], 1).await.unwrap();
    assert_eq!(
        history.commits[0].message.trim_end(),
        "web: prod gets version: 2\n\nProven in staging.\n\nGradus-Pipeline: apps/web"
    );
}

#[tokio::test]
async fn what_is_so_already_is_not_written() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let text = scene.text(&head, 2);
    let opened = scene.forge.ensure(&scene.place, &text).await.unwrap();
    scene.proxy.calls();
    assert_eq!(scene.forge.ensure(&scene.place, &text).await.unwrap(), opened);
    assert!(scene.proxy.calls().is_empty());
    // Who was started just now opens none beside it.
    let fresh = scene.another(&scene.bot.token, MergeMethod::Merge);
    assert_eq!(fresh.ensure(&scene.place, &text).await.unwrap(), opened);
    assert_eq!(scene.proxy.calls(), ["POST pulls", "GET pulls"]);
    assert_eq!(scene.pulls().await, ["1 open: web 2 to prod"]);
}

#[tokio::test]
async fn a_newer_version_changes_the_proposal_that_is_open() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    // What a person writes stays until there is something new to say.
    scene.ann("PATCH", "/pulls/1", json!({"title": "mine"})).await;
    scene.forge.heard(&scene.place.repository.url);
    assert!(scene.forge.find(&scene.place, &head).await.unwrap().is_some());
    assert_eq!(scene.pulls().await, ["1 open: mine"]);
    let head = scene.branch(3).await;
    let record = scene.forge.ensure(&scene.place, &scene.text(&head, 3)).await.unwrap();
    assert_eq!(record.number, ProposalNumber(1));
    assert_eq!(scene.pulls().await, ["1 open: web 3 to prod"]);
    let body = scene.ann("GET", "/pulls/1", Value::Null).await["body"].clone();
    assert_eq!(body.as_str().unwrap().trim_end(), "1 -> 3\n\n- proven in staging");
}

#[tokio::test]
async fn an_answer_that_is_lost_opens_no_second_one() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let text = scene.text(&head, 2);
    scene.proxy.lose("POST", "/pulls", Loss::Request);
    let error = scene.forge.ensure(&scene.place, &text).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown, "{}", error.in_full());
    scene.proxy.lose("POST", "/pulls", Loss::Answer);
    let record = scene.forge.ensure(&scene.place, &text).await.unwrap();
    assert_eq!(record.number, ProposalNumber(1));
    assert_eq!(scene.pulls().await, ["1 open: web 2 to prod"]);
}

#[tokio::test]
async fn two_at_once_open_one() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let text = scene.text(&head, 2);
    let other = scene.another(&scene.bot.token, MergeMethod::Merge);
    let (one, two) = tokio::join!(scene.forge.ensure(&scene.place, &text), other.ensure(&scene.place, &text));
    assert_eq!(one.unwrap().number, two.unwrap().number);
    let pulls = scene.pulls().await;
    assert_eq!(pulls.iter().filter(|pull| pull.contains("open")).count(), 1, "{pulls:?}");
}

#[tokio::test]
async fn a_merge_whose_answer_is_lost_is_done() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.proxy.lose("POST", "/merge", Loss::Request);
    let error = scene.merge_by(&scene.forge, ProposalNumber(1), &head, 2).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::OutcomeUnknown, "{}", error.in_full());
    assert_eq!(scene.file().await, "version: 1\n");
    scene.proxy.lose("POST", "/merge", Loss::Answer);
    let merged = scene.merge(ProposalNumber(1), &head, 2).await;
    assert_eq!(Some(merged), scene.tip("main").await.map(Written::Done));
    assert_eq!(scene.tip(BRANCH).await, None);
}

#[tokio::test]
async fn only_the_head_that_was_seen_is_merged() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.write(BRANCH, vec![head.clone()], "other", "by a person\n").await;
    let merged = scene.merge(ProposalNumber(1), &head, 2).await;
    assert_eq!(merged, Written::Stale(format!("{BRANCH} has moved")));
    assert_eq!(scene.file().await, "version: 1\n");
    let closed = scene.forge.close(&scene.place, ProposalNumber(1), &head, &CloseReason::Overtaken).await;
    assert_eq!(closed.unwrap(), Written::Stale(format!("{BRANCH} has moved")));
    assert_eq!(scene.pulls().await, ["1 open: web 2 to prod"]);
}

#[tokio::test]
async fn rules_of_the_branch_are_told_in_their_own_words() {
    let scene = Scene::new().await;
    let rule = json!({"rule_name": "main", "required_approvals": 1, "enable_status_check": true, "status_check_contexts": ["ci/test"]});
    scene.ann("POST", "/branch_protections", rule).await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let Written::Refused(why) = scene.merge(ProposalNumber(1), &head, 2).await else { panic!("not refused") };
    assert_eq!(why, "Not all required status checks successful");
    let api = scene.api(&scene.bot.token);
    let check = NewCheck {
        name: "ci/test".to_owned(),
        state: CheckState::Passed,
        summary: "ok".to_owned(),
        url: None,
    };
    api.set_check(&head, &check).await.unwrap();
    let Written::Refused(why) = scene.merge(ProposalNumber(1), &head, 2).await else { panic!("not refused") };
    assert_eq!(why, "Does not have enough approvals");
    assert_eq!(scene.file().await, "version: 1\n");
    scene.ann("POST", "/pulls/1/reviews", json!({"event": "APPROVED", "commit_id": head.as_str()})).await;
    let reviews = api.reviews(ProposalNumber(1)).await.unwrap();
    assert_eq!(reviews.len(), 1);
    assert_eq!((&*reviews[0].by.0, reviews[0].verdict), (scene.ann.name.as_str(), Verdict::Approved));
    assert_eq!(reviews[0].on, Some(head.clone()));
    assert!(matches!(scene.merge(ProposalNumber(1), &head, 2).await, Written::Done(_)));
    assert_eq!(scene.file().await, "version: 2\n");
}

#[tokio::test]
async fn what_conflicts_is_looked_at_again() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let main = scene.tip("main").await.unwrap();
    scene.write("main", vec![main], FILE, "version: by hand\n").await;
    let merged = scene.merge_by(&scene.forge, ProposalNumber(1), &head, 2).await;
    match merged {
        Ok(Written::Stale(_)) => {}
        Err(error) if error.kind == PortErrorKind::Unreachable => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(scene.file().await, "version: by hand\n");
}

#[tokio::test]
async fn commits_are_made_as_it_is_said() {
    for (method, parents) in [(MergeMethod::Squash, 1), (MergeMethod::Rebase, 1), (MergeMethod::Merge, 2)] {
        let scene = Scene::new().await;
        let forge = scene.another(&scene.bot.token, method);
        let head = scene.branch(2).await;
        let record = forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
        let merged = scene.merge_by(&forge, record.number, &head, 2).await.unwrap();
        let Written::Done(commit) = merged else { panic!("{method:?}: {merged:?}") };
        assert_eq!(scene.tip("main").await.as_ref(), Some(&commit));
        assert_eq!(scene.repo.parents(&commit).await.unwrap().len(), parents, "{method:?}");
        assert_eq!(scene.tip(BRANCH).await, None);
    }
}

#[tokio::test]
async fn closing_says_why_once_and_clears_up() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.proxy.lose("PATCH", "/pulls/1", Loss::Request);
    let because = CloseReason::Overtaken;
    scene.forge.close(&scene.place, ProposalNumber(1), &head, &because).await.unwrap_err();
    let closed = scene.forge.close(&scene.place, ProposalNumber(1), &head, &because).await.unwrap();
    assert_eq!(closed, Written::Done(head.clone()));
    assert_eq!(scene.pulls().await, ["1 closed: web 2 to prod"]);
    assert_eq!(scene.tip(BRANCH).await, None);
    let comments = scene.api(&scene.bot.token).comments(ProposalNumber(1)).await.unwrap();
    let said: Vec<&str> = comments.iter().map(|comment| comment.body.as_str()).collect();
    assert_eq!(said, ["Closed: the environment has moved past it.\n\n<!-- gradus: closed -->"]);
    let again = scene.forge.close(&scene.place, ProposalNumber(1), &head, &because).await.unwrap();
    assert!(matches!(again, Written::Done(_) | Written::AlreadyTrue(_)), "{again:?}");
}

#[tokio::test]
async fn what_a_person_closed_is_told_and_left() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let opened = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    scene.ann("PATCH", "/pulls/1", json!({"state": "closed"})).await;
    scene.forge.heard(&scene.place.repository.url);
    for forge in [&scene.forge, &scene.another(&scene.bot.token, MergeMethod::Merge)] {
        let record = forge.find(&scene.place, &head).await.unwrap().unwrap();
        assert_eq!(record.number, opened.number);
        assert!(record.declined.is_some_and(|at| at >= record.since));
    }
    // For another version a new one is opened.
    let head = scene.branch(3).await;
    scene.forge.heard(&scene.place.repository.url);
    let record = scene.forge.ensure(&scene.place, &scene.text(&head, 3)).await.unwrap();
    assert_eq!((record.number, record.declined), (ProposalNumber(2), None));
    assert_eq!(scene.pulls().await, ["1 closed: web 2 to prod", "2 open: web 3 to prod"]);
}

#[tokio::test]
async fn what_a_person_merged_is_cleared_up() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let opened = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    let merge = json!({"Do": "squash", "head_commit_id": head.as_str()});
    let path = scene.path("/pulls/1/merge");
    while scene.gitea.call(&scene.ann.token, "POST", &path, Some(merge.clone())).await.unwrap().status != 200
    {
    }
    scene.forge.heard(&scene.place.repository.url);
    assert_eq!(scene.forge.find(&scene.place, &head).await.unwrap(), Some(opened));
    let closed = scene.forge.close(&scene.place, ProposalNumber(1), &head, &CloseReason::Merged).await;
    assert_eq!(closed.unwrap(), Written::Done(head));
    assert_eq!(scene.tip(BRANCH).await, None);
    assert_eq!(scene.pulls().await, ["1 merged: web 2 to prod"]);
    assert!(scene.api(&scene.bot.token).comments(ProposalNumber(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_comes_from_a_fork_is_never_ours() {
    let scene = Scene::new().await;
    let eve = scene.gitea.user("eve").await.unwrap();
    let path = format!("/repos/{}/{}/collaborators/{}", scene.ann.name, scene.name, eve.name);
    scene.gitea.done(&scene.ann.token, "PUT", &path, Some(json!({"permission": "read"}))).await.unwrap();
    scene.gitea.done(&eve.token, "POST", &scene.path("/forks"), Some(json!({}))).await.unwrap();
    let file = json!({
        "branch": "main", "new_branch": BRANCH, "content": "dmVyc2lvbjogNjY2Cg==", "message": "mine",
    });
    let path = format!("/repos/{}/{}/contents/evil.yaml", eve.name, scene.name);
    scene.gitea.done(&eve.token, "POST", &path, Some(file)).await.unwrap();
    let pull = json!({"head": format!("{}:{BRANCH}", eve.name), "base": "main", "title": "web 2 to prod"});
    scene.gitea.done(&eve.token, "POST", &scene.path("/pulls"), Some(pull)).await.unwrap();
    let head = scene.branch(2).await;
    assert_eq!(scene.forge.find(&scene.place, &head).await.unwrap(), None);
    let record = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
    assert_eq!(record.number, ProposalNumber(2));
    assert!(scene.api(&scene.bot.token).get(ProposalNumber(1)).await.unwrap().from_fork);
}

#[tokio::test]
async fn a_token_with_too_little_scope_is_told_which() {
    let scene = Scene::new().await;
    let bot = &scene.bot;
    let token = scene.gitea.token(&bot.name, &bot.password, &["read:repository"]).await.unwrap();
    let forge = scene.another(&token, MergeMethod::Merge);
    let head = scene.branch(2).await;
    let error = forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(error.to_string().ends_with("the credentials lack the scope write:repository"), "{error}");
    assert_eq!(error.hint.as_deref(), Some("make a token that also has the scope write:repository"));
    let nobody = scene.another("0123456789012345678901234567890123456789", MergeMethod::Merge);
    let error = nobody.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Denied);
    assert!(error.to_string().ends_with("the forge does not know the credentials"), "{error}");
    assert!(scene.pulls().await.is_empty());
}

#[tokio::test]
async fn the_rest_of_what_a_forge_can_do() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let number = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap().number;
    let api = scene.api(&scene.bot.token);
    let labels = [Label("env/prod".into()), Label("gradus".into())];
    api.set_labels(number, &labels).await.unwrap();
    api.set_labels(number, &labels).await.unwrap();
    let ann = Account(scene.ann.name.as_str().into());
    api.request_reviews(number, &Reviewers { people: vec![ann.clone()], teams: vec![] }).await.unwrap();
    api.set_assignees(number, std::slice::from_ref(&ann)).await.unwrap();
    let pull = api.get(number).await.unwrap();
    assert_eq!(pull.labels, labels.into());
    assert_eq!((pull.head.as_ref(), pull.state), (Some(&head), PullState::Open));
    assert!(api.reviews(number).await.unwrap().is_empty(), "who was asked has not said anything");
    for state in [CheckState::Pending, CheckState::Failed] {
        let check = NewCheck {
            name: "gradus".to_owned(),
            state,
            summary: "soaks".to_owned(),
            url: Some("https://x/1".to_owned()),
        };
        api.set_check(&head, &check).await.unwrap();
    }
    let checks = api.checks(&head).await.unwrap();
    assert_eq!(
        checks.iter().map(|check| (check.name.as_str(), check.state)).collect::<Vec<_>>(),
        [("gradus", CheckState::Failed)]
    );
    assert_eq!(api.whoami().await.unwrap().account.unwrap().0.as_ref(), scene.bot.name);
    let facts = api.repository().await.unwrap();
    assert_eq!((facts.rights, facts.archived), (Some(Rights::Write), false));
    let branch = gradus_core::names::BranchName::parse(BRANCH).unwrap();
    api.delete_branch(&branch).await.unwrap();
    api.delete_branch(&branch).await.unwrap();
    assert_eq!(scene.tip(BRANCH).await, None);
}

#[tokio::test]
async fn a_forge_that_is_started_again_is_waited_for() {
    let gitea: &'static Gitea = Box::leak(Box::new(Gitea::start().await.unwrap()));
    let scene = Scene::of(gitea).await;
    let head = scene.branch(2).await;
    gitea.stop();
    let error = scene.forge.find(&scene.place, &head).await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unreachable, "{}", error.in_full());
    let (record, started) = tokio::join!(
        async {
            loop {
                if let Ok(record) = scene.forge.ensure(&scene.place, &scene.text(&head, 2)).await {
                    return record;
                }
            }
        },
        gitea.go_on()
    );
    started.unwrap();
    assert_eq!(scene.pulls().await, ["1 open: web 2 to prod"]);
    assert!(matches!(scene.merge(record.number, &head, 2).await, Written::Done(_)));
    gitea.stop();
}

#[tokio::test]
async fn who_may_decide_is_asked() {
    let scene = Scene::new().await;
    let gitea = scene.gitea;
    let (ann, tom) = (scene.ann.name.as_str(), gitea.user("tom").await.unwrap());
    let (eve, stranger) = (gitea.user("eve").await.unwrap(), gitea.user("stranger").await.unwrap());
    for (user, permission) in [(&tom, "write"), (&eve, "read")] {
        let path = format!("/collaborators/{}", user.name);
        scene.ann("PUT", &path, json!({"permission": permission})).await;
    }
    let scopes = ["write:repository", "write:issue", "read:user", "read:organization"];
    let token = gitea.token(&scene.bot.name, &scene.bot.password, &scopes).await.unwrap();
    let api = scene.api(&token);
    let no = Err("may not write to the repository");
    for (who, expected) in
        [(ann, Ok(())), (&tom.name, Ok(())), (&eve.name, no), (&stranger.name, no), ("none", no)]
    {
        let standing = api.standing(&Account(who.into())).await.unwrap();
        assert_eq!(standing.may_decide(), expected, "{who}");
    }
    let names = api.standing(&Account(ann.into())).await.unwrap().names;
    assert!(names.contains(&format!("{ann}@example.com")), "{names:?}");

    // What an organisation owns is its members' matter, and teams are asked for.
    let organisation = format!("acme-of-{ann}");
    let wanted = json!({"username": organisation});
    gitea.done(&scene.ann.token, "POST", "/orgs", Some(wanted)).await.unwrap();
    let team = json!({"name": "release", "permission": "write", "units": ["repo.code", "repo.pulls"]});
    let team = gitea
        .done(&scene.ann.token, "POST", &format!("/orgs/{organisation}/teams"), Some(team))
        .await
        .unwrap();
    for user in [&tom.name, &scene.bot.name] {
        let path = format!("/teams/{}/members/{user}", team["id"]);
        gitea.done(&scene.ann.token, "PUT", &path, None).await.unwrap();
    }
    let is_in = async |who: &str| {
        api.is_member(&Account(who.into()), &format!("{organisation}/release")).await.unwrap()
    };
    assert!(is_in(&tom.name).await);
    assert!(!is_in(&eve.name).await && !is_in("none").await);
    assert!(!api.is_member(&Account(tom.name.as_str().into()), "release").await.unwrap());
}

#[tokio::test]
async fn what_is_told_is_not_asked_for() {
    let scene = Scene::new().await;
    let head = scene.branch(2).await;
    let alone = scene.another(&scene.bot.token, MergeMethod::Merge);
    let among = scene.another(&scene.bot.token, MergeMethod::Merge).among_others();
    let url = &scene.place.repository.url;
    for forge in [&alone, &among] {
        forge.ensure(&scene.place, &scene.text(&head, 2)).await.unwrap();
        forge.heard(url);
        forge.find(&scene.place, &head).await.unwrap();
    }
    assert!(alone.tells(&scene.place.repository) && !among.tells(&scene.place.repository));
    tokio::time::sleep(std::time::Duration::from_millis(3500)).await;
    scene.proxy.calls();
    for (forge, calls) in [(&alone, 0), (&among, 1)] {
        assert!(forge.find(&scene.place, &head).await.unwrap().is_some());
        assert_eq!(scene.proxy.calls().len(), calls);
    }
    // What happened to another proposal says nothing of this one.
    alone.heard_of(url, &gradus_core::names::BranchName::parse("gradus/apps/shop/prod").unwrap());
    alone.find(&scene.place, &head).await.unwrap();
    assert!(scene.proxy.calls().is_empty());
    alone.heard_of(url, &scene.place.branch);
    alone.find(&scene.place, &head).await.unwrap();
    assert_eq!(scene.proxy.calls(), ["GET pulls/1"]);
}

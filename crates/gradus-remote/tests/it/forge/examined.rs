//! What is said of a forge that is looked at, and what to do.

use gradus_core::names::BranchName;
use gradus_remote::forge::{Examination, ForgeApi, State, examine};
use gradus_remote::git::Remote;

use super::doubles::{AZURE_DEVOPS, BITBUCKET, BITBUCKET_SERVER, Double, GITLAB, Kind, Who};
use super::story::Place as _;

/// What is said, as people read it.
pub(super) async fn told(api: &dyn ForgeApi, given: Option<&str>, git: Option<&Remote>) -> String {
    of_branch(api, given, git, None).await
}

pub(super) async fn of_branch(
    api: &dyn ForgeApi,
    given: Option<&str>,
    git: Option<&Remote>,
    branch: Option<&str>,
) -> String {
    let base = branch.map(|name| BranchName::parse(name).unwrap());
    let what = Examination { api, given: given.map(str::to_owned), base, git };
    let mut text = String::new();
    for found in examine(what).await {
        let state = match found.state {
            State::Ok => "ok",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        text.push_str(&format!("{:<12} {state:<5} {}\n", found.name, found.detail));
        if let Some(help) = found.help {
            text.push_str(&format!("{:19}{help}\n", ""));
        }
    }
    let web = &api.address().web;
    let host = web.split_once("://").map(|(_, host)| host.to_owned()).unwrap();
    text.replace(&host, "HOST")
}

/// One that is as it should be, one that is guarded, and one that is archived.
async fn three(kind: &'static Kind) -> String {
    let mut text = String::new();
    for (title, change) in [
        ("all is well", (|_| {}) as fn(&Double)),
        ("rules", |double| {
            double.approvals(2);
            double.guarded();
        }),
        ("archived", Double::archived),
    ] {
        let double = Double::start(kind).await;
        change(&double);
        text.push_str(&format!(
            "# {title}\n{}\n",
            told(&*double.api(Who::Gradus), Some("a token"), None).await
        ));
        double.seen();
    }
    text
}

#[tokio::test]
async fn gitlab_is_told_of() {
    let mut text = three(&GITLAB).await;
    let double = Double::start(&GITLAB).await;
    for (title, who, given) in [
        ("read_api only", Who::Reader, Some("a token")),
        ("a wrong token", Who::Nobody, Some("a token")),
        ("none", Who::Nobody, None),
    ] {
        text.push_str(&format!("# {title}\n{}\n", told(&*double.api(who), given, None).await));
    }
    text.push_str(&format!(
        "# a subgroup that was forgotten\n{}\n",
        told(&*double.at("shop/fleet"), Some("a token"), None).await
    ));
    text.push_str(&format!(
        "# below a path that is none\n{}\n",
        told(&*double.at_path("/git"), Some("a token"), None).await
    ));
    insta::assert_snapshot!(text);
}

#[tokio::test]
async fn bitbucket_is_told_of() {
    insta::assert_snapshot!(three(&BITBUCKET).await);
}

#[tokio::test]
async fn bitbucket_data_center_is_told_of() {
    insta::assert_snapshot!(three(&BITBUCKET_SERVER).await);
}

#[tokio::test]
async fn azure_devops_is_told_of() {
    insta::assert_snapshot!(three(&AZURE_DEVOPS).await);
}
